//! Role bindings: the roles of users, each in a scope.

use std::collections::HashMap;

use serde_json::Value;

use crate::{
    bindings::confluent::{offers, types},
    confluent::{Confluent, convert, crn},
    decode::{ListBody, ObjectText, parse, split},
    error::{ErrorKind, Operation, Result},
    extra::Extra,
    http::Reply,
    invitation::{Invitation, NewInvitation, RoleAssignment, Roles},
    list::{ListItem, PageToken},
    member::MemberId,
    operation::OperationContext,
    role::{RoleChange, RoleFailure, RoleGrant},
};

/// Whether the document has what roles take: role bindings, organisations, and the user of an invitation.
pub(super) const OFFERED: bool = offers::LIST_IAM_V2_ROLE_BINDINGS
    && offers::CREATE_IAM_V2_ROLE_BINDING
    && offers::DELETE_IAM_V2_ROLE_BINDING
    && offers::LIST_ORG_V2_ORGANIZATIONS
    && offers::INVITATION_USER;

/// The properties of a role binding that the facade has fields for.
const FIELDS: &[&str] = &["crn_pattern", "id", "principal", "role_name"];

/// So many pages of role bindings are no list any more.
const MAX_PAGES: usize = 100_000;

/// A role that a user has.
pub(super) struct Binding {
    /// `User:u-…`
    principal: String,
    /// The CRN pattern.
    pattern: String,
    assignment: RoleAssignment,
}

impl ListItem for Binding {
    const PLURAL: &'static str = "role bindings";

    fn id(&self) -> &str {
        self.assignment.binding_id.as_deref().unwrap_or_default()
    }

    fn email(&self) -> Option<&str> {
        None
    }
}

/// A grant whose scope is known.
#[derive(Clone, Debug)]
pub(super) struct Resolved {
    grant: RoleGrant,
    pattern: String,
}

impl Resolved {
    fn is_met_by(&self, binding: &Binding) -> bool {
        binding.pattern == self.pattern
            && binding.assignment.name.as_deref() == Some(self.grant.role.as_str())
    }
}

impl Confluent {
    /// The id of the organisation that the key belongs to, looked up once for all clones.
    pub(super) async fn organization_id(&self) -> Result<String> {
        match self.organization_ids().await? {
            [id] => Ok(id.clone()),
            several => {
                let several = several.join(", ");
                let why = format!(
                    "the key sees several organisations ({several}); give the scope of each role as a whole CRN pattern"
                );
                let context = self.context(Operation::ListRoles, None);
                Err(context.error(ErrorKind::InvalidInput, why))
            }
        }
    }

    /// The ids of the organisations that the key sees, at least one, looked up once for all clones.
    async fn organization_ids(&self) -> Result<&[String]> {
        let look_up = || async {
            let context = self.context(Operation::ListRoles, None);
            let api = self.api.within(&context.call);
            let sent = api.list_org_v2_organizations().send().await;
            let success = context.outcome::<types::OrganizationList, _>(sent)?;
            let odd = |why: &str| context.decode_error(&success.reply, why);
            let list = success.value.as_ref().map_err(|why| odd(why))?;
            let ids = list.data.iter().flatten();
            let ids: Vec<_> = ids.filter_map(|one| one.id.clone()).collect();
            match ids.is_empty() {
                true => Err(odd("it names no organisation")),
                false => Ok(ids),
            }
        };
        let ids = self.organizations.get_or_try_init(look_up).await?;
        Ok(ids)
    }

    /// The grants of an invitation, checked, with their scopes.
    ///
    /// # Errors
    ///
    /// A role or scope cannot be one, the provider does not have roles of this form; and those of looking up the
    /// organisation. Nothing was created then.
    pub(super) async fn resolve_roles(
        &self,
        context: &OperationContext<'_>,
        new: &NewInvitation,
    ) -> Result<Vec<Resolved>> {
        match &new.roles {
            None => Ok(Vec::new()),
            Some(Roles::Grants(grants)) => self.resolve(context, grants).await,
            Some(Roles::Legacy(_)) => {
                let option = "legacy role; give roles by name, as `EnvironmentAdmin@env-1`";
                context.require_supported(false, option)?;
                Ok(Vec::new())
            }
        }
    }

    pub(super) async fn resolve(
        &self,
        context: &OperationContext<'_>,
        grants: &[RoleGrant],
    ) -> Result<Vec<Resolved>> {
        context.require_supported(OFFERED, "roles")?;
        let mut organization = String::new();
        for grant in grants {
            context.with_context(grant.validate())?;
            // What can be seen to be wrong without the server is refused without it.
            crn::pattern("o", grant.scope.as_deref())
                .map_err(|why| context.error(ErrorKind::InvalidInput, why))?;
            match crn::organization_of(grant.scope.as_deref()) {
                None if organization.is_empty() && !crn::is_whole(grant.scope.as_deref()) => {
                    organization = self.organization_id().await?;
                }
                None => {}
                Some(named) => self.expect_own(context, grant, named).await?,
            }
        }
        let mut resolved: Vec<Resolved> = Vec::new();
        for grant in grants {
            let pattern = crn::pattern(&organization, grant.scope.as_deref())
                .map_err(|why| context.error(ErrorKind::InvalidInput, why))?;
            let is_known = |one: &Resolved| one.pattern == pattern && one.grant.role == grant.role;
            if !resolved.iter().any(is_known) {
                let grant = grant.clone();
                resolved.push(Resolved { grant, pattern });
            }
        }
        Ok(resolved)
    }

    /// Refuses a scope in an organisation that the key does not see. Where the key may not read organisations, the server
    /// decides.
    async fn expect_own(
        &self,
        context: &OperationContext<'_>,
        grant: &RoleGrant,
        organization: &str,
    ) -> Result<()> {
        let own = match self.organization_ids().await {
            Ok(own) => own,
            Err(error)
                if error.kind() == ErrorKind::PermissionDenied || error.status() == Some(404) =>
            {
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if own.iter().any(|id| id == organization) {
            return Ok(());
        }
        let why = format!(
            "the scope of {grant} is in the organisation {organization:?}, and the key is for {}",
            own.join(", ")
        );
        Err(context.error(ErrorKind::InvalidInput, why))
    }

    /// Binds the roles of an invitation to the user that it created.
    ///
    /// # Errors
    ///
    /// [`Incomplete`](ErrorKind::Incomplete), when a role could not be bound.
    pub(super) async fn bind_invited(
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
    pub(super) async fn bind(&self, user: &MemberId, roles: &[Resolved]) -> RoleChange {
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
            let conflict = matches!(
                failed.kind(),
                ErrorKind::Conflict | ErrorKind::AlreadyExists
            );
            if !(conflict || failed.may_have_executed()) {
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

    /// The role bindings within a pattern, of one principal or of all users.
    pub(super) async fn bindings_of(
        &self,
        pattern: &str,
        principal: Option<&str>,
    ) -> Result<Vec<Binding>> {
        let mut all = Vec::new();
        let mut token: Option<PageToken> = None;
        let mut read = 0;
        for _ in 0..MAX_PAGES {
            let context = self.context(Operation::ListRoles, principal);
            let api = self.api.within(&context.call);
            let mut request = api.list_iam_v2_role_bindings().crn_pattern(pattern);
            if let Some(principal) = principal {
                request = request.principal(principal);
            }
            request = match &token {
                Some(token) => request.page_token(token.as_str()),
                None => request.page_size(i64::from(super::SAFE_PAGE_SIZE)),
            };
            let reply = context.reply(request.send().await)?;
            let list: ListBody<types::RoleBindingList, Binding> = ListBody::read(
                &context,
                &reply,
                "data",
                |wire, _: Option<&dyn ObjectText>| binding_from(wire),
                |value| binding_from(split(value, FIELDS)?.0),
            )?;
            read += list.items.len();
            let next = match &list.envelope {
                Ok(envelope) => {
                    let metadata = envelope.metadata.as_ref();
                    let next = metadata.and_then(|metadata| metadata.next.as_deref());
                    let next = convert::next_token(next)
                        .map_err(|why| context.decode_error(&reply, why))?;
                    let total = metadata.and_then(|metadata| metadata.total_size);
                    if let Some(total) =
                        total.filter(|total| next.is_none() && *total > read as i64)
                    {
                        let why = format!(
                            "the list has {read} of {total} role bindings, and no next page"
                        );
                        return Err(context.decode_error(&reply, &why));
                    }
                    next
                }
                Err(why) => return Err(context.decode_error(&reply, why)),
            };
            for item in list.items {
                let binding = item?;
                // A server that ignores a filter changes nothing.
                let is_asked_for = principal.is_none_or(|asked| asked == binding.principal);
                if is_asked_for && binding.pattern.starts_with(pattern) {
                    all.push(binding);
                }
            }
            match next {
                None => return Ok(all),
                Some(next) if token.as_ref() == Some(&next) => {
                    let why = "the server sent a page token twice, so the list has no end";
                    return Err(context.decode_error(&reply, why));
                }
                next => token = next,
            }
        }
        let context = self.context(Operation::ListRoles, principal);
        let why = format!("the list of role bindings has more than {MAX_PAGES} pages");
        Err(context.error(ErrorKind::Unexpected, why))
    }

    /// The roles that a user has anywhere in the organisation.
    pub(super) async fn roles_of(&self, user: &MemberId) -> Result<Vec<RoleAssignment>> {
        let pattern = crn::of_organization(&self.organization_id().await?);
        let bindings = self.bindings_of(&pattern, Some(&principal(user))).await?;
        Ok(bindings.into_iter().map(|one| one.assignment).collect())
    }

    /// The roles that every user has.
    pub(super) async fn all_roles(&self) -> Result<HashMap<MemberId, Vec<RoleAssignment>>> {
        let pattern = crn::of_organization(&self.organization_id().await?);
        let mut roles: HashMap<MemberId, Vec<RoleAssignment>> = HashMap::new();
        for binding in self.bindings_of(&pattern, None).await? {
            // Service accounts and groups have bindings too.
            let user = binding.principal.strip_prefix("User:");
            if let Some(user) = user.and_then(|id| MemberId::new(id).ok()) {
                roles.entry(user).or_default().push(binding.assignment);
            }
        }
        Ok(roles)
    }

    /// Adds what lacks, and then takes what is too much if `replaced`.
    pub(super) async fn change_roles(
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

/// `User:u-…`: bindings go on the user, never on the invitation.
fn principal(user: &MemberId) -> String {
    format!("User:{user}")
}

fn binding_from(mut wire: types::RoleBinding) -> Result<Binding, String> {
    let principal = wire.principal.take().ok_or("it has no `principal`")?;
    let role = wire.role_name.take().ok_or("it has no `role_name`")?;
    let pattern = wire.crn_pattern.take().filter(|text| !text.is_empty());
    let pattern = pattern.ok_or("it has no `crn_pattern`")?;
    let unknown = std::mem::take(&mut wire.extra);
    let assignment = RoleAssignment {
        name: Some(role),
        scope: crn::short(&pattern),
        binding_id: wire.id.take(),
        extra: Extra::from_rest(&wire, unknown),
        ..RoleAssignment::default()
    };
    Ok(Binding {
        principal,
        pattern,
        assignment,
    })
}
