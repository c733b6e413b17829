//! Binds roles to users, and takes them.

use serde_json::Value;

use super::{Binding, Resolved, list::binding_from, principal};
use crate::{
    bindings::confluent::types,
    confluent::Confluent,
    crn,
    decode::parse,
    error::{ErrorKind, Operation, Result},
    http::Reply,
    invitation::Invitation,
    member::MemberId,
    operation::OperationContext,
    role::{RoleChange, RoleFailure, RoleGrant},
};

impl Confluent {
    /// Binds the roles of an invitation to the user that it created.
    ///
    /// # Errors
    ///
    /// [`Incomplete`](ErrorKind::Incomplete), when a role could not be bound.
    pub(in crate::confluent) async fn bind_invited(
        &self,
        context: &OperationContext<'_>,
        mut invitation: Invitation,
        roles: Vec<Resolved>,
    ) -> Result<Invitation> {
        if roles.is_empty() {
            return Ok(invitation);
        }
        let incomplete = |why: String| {
            let message = format!(
                "{} is invited ({}), but {why}",
                invitation.email, invitation.id
            );
            context
                .error(ErrorKind::Incomplete, message)
                .with_conflicting_id(invitation.id.clone())
                .with_may_have_executed(true)
        };
        let Some(user) = invitation.invited_user() else {
            return Err(incomplete(
                "the answer names no user, whom its roles would be bound to; none was bound"
                    .to_owned(),
            ));
        };
        let change = self.bind(&user, &roles).await;
        match change.complete() {
            Ok(change) => {
                invitation.roles = Some(change.added);
                Ok(invitation)
            }
            Err(error) => Err(incomplete(error.message().to_owned()).with_source(error)),
        }
    }

    /// Binds roles to a user, one after another. A role that is bound already counts as added.
    pub(in crate::confluent) async fn bind(
        &self,
        user: &MemberId,
        roles: &[Resolved],
    ) -> RoleChange {
        let mut change = RoleChange::default();
        for role in roles {
            match self.bind_one(user, role).await {
                Ok(binding) => change.added.push(binding.assignment),
                Err(error) => {
                    let failure = RoleFailure::new(role.grant.clone(), error);
                    change.failed.push(failure);
                }
            }
        }
        change
    }

    /// `POST /iam/v2/role-bindings`. Principal, role and pattern identify a binding, so that one that is there already,
    /// or that a lost request made, is what was asked for; it counts once it is seen in a list.
    async fn bind_one(&self, user: &MemberId, role: &Resolved) -> Result<Binding> {
        let principal = principal(user);
        let context = self.context(Operation::GrantRole, Some(user.as_str()));
        let attempts = context.client.retry(&context.call).max_attempts;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let failed = match self.post_binding(&context, &principal, role).await {
                Ok(binding) => return Ok(binding),
                Err(error) => error,
            };
            if !(failed.is_conflict() || failed.may_have_executed()) {
                return Err(failed);
            }
            let seen = match self.bindings_of(&role.pattern, Some(&principal)).await {
                Ok(seen) => seen,
                Err(error) => return Err(failed.with_may_have_executed(true).with_source(error)),
            };
            if let Some(found) = seen.into_iter().find(|one| role.is_met_by(one)) {
                return Ok(found);
            }
            let delay = context
                .client
                .delay_unsent(&context.call, failed.retry_after());
            let Some(delay) = delay.filter(|_| attempt < attempts) else {
                return Err(failed);
            };
            tokio::time::sleep(delay).await;
        }
    }

    async fn post_binding(
        &self,
        context: &OperationContext<'_>,
        principal: &str,
        role: &Resolved,
    ) -> Result<Binding> {
        let body = types::NewRoleBinding::builder()
            .principal(principal)
            .role_name(role.grant.role.as_str())
            .crn_pattern(role.pattern.as_str());
        let api = self.api.within(&context.call);
        let sent = api.create_iam_v2_role_binding().body(body).send().await;
        let success = context.outcome::<types::RoleBinding, _>(sent)?;
        let odd = |why: &str| {
            context.mark_ambiguous();
            context.decode_error(&success.reply, why)
        };
        let wire = success.value.as_ref().map_err(|why| odd(why))?;
        context.expect_no_failure(&success.reply, &wire.extra)?;
        let binding = binding_from(wire.clone()).map_err(|why| odd(&why))?;
        if binding.principal != principal || !role.is_met_by(&binding) {
            return Err(odd("the answer is about another role binding"));
        }
        Ok(binding)
    }

    /// `DELETE /iam/v2/role-bindings/{id}`, which answers with the binding. One that is not there is taken already, if
    /// the list does not have it any more either.
    async fn unbind(&self, user: &MemberId, binding: &Binding) -> Result<()> {
        let context = self.context(Operation::RevokeRole, Some(user.as_str()));
        let Some(id) = &binding.assignment.binding_id else {
            let why = "the role binding has no id, so it cannot be deleted";
            return Err(context.error(ErrorKind::Decode, why));
        };
        let api = self.api.within(&context.call);
        let reply = context.reply(
            api.delete_iam_v2_role_binding()
                .id(id.as_str())
                .send()
                .await,
        );
        let expect_this = |reply: Reply| {
            context.expect_deleted(&reply)?;
            let answered = parse::<Value>(&reply.body).unwrap_or_default();
            match answered["id"].as_str() {
                Some(other) if other != id => {
                    context.mark_ambiguous();
                    let why = format!("the answer is about the role binding {other:?}");
                    Err(context.decode_error(&reply, &why))
                }
                _ => Ok(()),
            }
        };
        let missing = match reply.and_then(expect_this) {
            Err(error) if error.kind() == ErrorKind::NotFound => error,
            outcome => return outcome,
        };
        let principal = principal(user);
        let left = self.bindings_of(&binding.pattern, Some(&principal)).await?;
        match left
            .iter()
            .any(|one| one.assignment.binding_id.as_ref() == Some(id))
        {
            false => Ok(()),
            true => {
                let why = format!(
                    "the server answers that there is no role binding {id}, and still lists it"
                );
                let error = context.error(ErrorKind::Unexpected, why);
                Err(error.with_source(missing))
            }
        }
    }

    /// Adds what lacks, and then takes what is too much if `replaced`.
    pub(in crate::confluent) async fn change_roles(
        &self,
        user: &MemberId,
        grants: &[RoleGrant],
        replaced: bool,
    ) -> Result<RoleChange> {
        let context = self.context(Operation::GrantRole, Some(user.as_str()));
        let resolved = self.resolve(&context, grants).await?;
        let pattern = crn::of_organization(&self.organization_id().await?);
        let before = self.bindings_of(&pattern, Some(&principal(user))).await?;
        let is_there = |role: &&Resolved| before.iter().any(|one| role.is_met_by(one));
        let lacking: Vec<Resolved> = resolved
            .iter()
            .filter(|role| !is_there(role))
            .cloned()
            .collect();
        let mut change = self.bind(user, &lacking).await;
        if !replaced || !change.failed.is_empty() {
            return Ok(change);
        }
        for binding in before {
            if resolved.iter().any(|role| role.is_met_by(&binding)) {
                continue;
            }
            match self.unbind(user, &binding).await {
                Ok(()) => change.removed.push(binding.assignment),
                Err(error) => {
                    let grant = binding.assignment.grant();
                    let grant = grant.unwrap_or_else(|| RoleGrant::new(binding.pattern));
                    change.failed.push(RoleFailure::new(grant, error));
                }
            }
        }
        Ok(change)
    }
}
