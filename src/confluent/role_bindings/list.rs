//! Lists role bindings to their end.

use std::collections::HashMap;

use super::{Binding, principal};
use crate::{
    bindings::confluent::types,
    confluent::{Confluent, SAFE_PAGE_SIZE, convert},
    crn,
    decode::{ListBody, ObjectText, split},
    error::{ErrorKind, Operation, Result},
    extra::Extra,
    invitation::RoleAssignment,
    list::PageToken,
    member::MemberId,
};

/// The properties of a role binding that the facade has fields for.
const FIELDS: &[&str] = &["crn_pattern", "id", "principal", "role_name"];

/// So many pages of role bindings are no list any more.
const MAX_PAGES: usize = 100_000;

impl Confluent {
    /// The role bindings within a pattern, of one principal or of all users.
    pub(in crate::confluent) async fn bindings_of(
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
                None => request.page_size(i64::from(SAFE_PAGE_SIZE)),
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
                    // A change of roles relies on the list being whole.
                    context.expect_no_failure(&reply, &envelope.extra)?;
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
    pub(in crate::confluent) async fn roles_of(
        &self,
        user: &MemberId,
    ) -> Result<Vec<RoleAssignment>> {
        let pattern = crn::of_organization(&self.organization_id().await?);
        let bindings = self.bindings_of(&pattern, Some(&principal(user))).await?;
        Ok(bindings.into_iter().map(|one| one.assignment).collect())
    }

    /// The roles that every user has.
    pub(in crate::confluent) async fn all_roles(
        &self,
    ) -> Result<HashMap<MemberId, Vec<RoleAssignment>>> {
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
}

pub(super) fn binding_from(mut wire: types::RoleBinding) -> Result<Binding, String> {
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
