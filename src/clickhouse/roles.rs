//! The roles that the organisation has, and the ids of those that are named.

use std::sync::{Arc, Mutex};

use reqwest::StatusCode;

use crate::{
    bindings::clickhouse::{offers, types},
    clickhouse::{ClickHouse, convert},
    error::{Error, ErrorKind, Operation, Result, excerpt},
    extra::Extra,
    invitation::{NewInvitation, RoleKind, Roles},
    lock::lock,
    operation::OperationContext,
    renewal::is_uuid,
    role::{Role, RoleGrant, RoleIndex},
};

/// The organisation's roles as they were listed last.
pub(super) type RoleCache = Mutex<Option<Arc<RoleIndex>>>;

impl ClickHouse {
    /// Refuses an invitation with a role that the organisation does not have now. The invitation is
    /// [checked](NewInvitation::check) already.
    pub(super) async fn check_roles(
        &self,
        context: &OperationContext<'_>,
        new: &NewInvitation,
    ) -> Result<()> {
        let grants = match &new.roles {
            Some(Roles::Grants(grants)) => grants,
            Some(Roles::Legacy(role)) => return self.check_legacy_role(context, role).await,
            _ => return Ok(()),
        };
        if grants.is_empty() || !offers::ORGANIZATION_ROLES_GET_LIST {
            return Ok(());
        }
        let known = match self.fetch_roles().await {
            Ok(known) if !known.roles().is_empty() => known,
            // What the list does not tell, the server decides; but a name has no meaning without it.
            Ok(_) | Err(_) if grants.iter().all(|grant| is_uuid(&grant.role)) => return Ok(()),
            Ok(_) => return Err(unresolvable(context, grants)),
            Err(error) => return Err(unlisted(context, grants, error)),
        };
        for grant in grants {
            known
                .id_of(&grant.role)
                .map_err(|why| context.error(ErrorKind::InvalidInput, why))?;
        }
        Ok(())
    }

    /// Refuses the deprecated role where the organisation has custom roles: the vendor does then too.
    async fn check_legacy_role(&self, context: &OperationContext<'_>, role: &str) -> Result<()> {
        if !offers::ORGANIZATION_ROLES_GET_LIST {
            return Ok(());
        }
        // What the list does not tell, the server decides.
        let Ok(known) = self.fetch_roles().await else {
            return Ok(());
        };
        let mut roles = known.roles().iter();
        if !roles.any(|one| one.kind == Some(RoleKind::Custom)) {
            return Ok(());
        }
        let why = format!(
            "the organisation has custom roles, so the deprecated role {role:?} has no meaning any more; give roles by \
             name"
        );
        Err(context.error(ErrorKind::InvalidInput, why))
    }

    /// The ids of the roles that are granted. Ids of the usual form are taken as they are; for the others, the roles are
    /// listed, once for all clones of the provider and once more where one is missing.
    ///
    /// # Errors
    ///
    /// A role is unknown or its name ambiguous, or has a scope, which this provider does not have; and those of the list.
    pub(super) async fn role_ids(
        &self,
        context: &OperationContext<'_>,
        grants: &[RoleGrant],
    ) -> Result<Vec<String>> {
        for grant in grants {
            context.with_context(grant.validate())?;
            context.require_supported(grant.scope.is_none(), "scopes of roles")?;
        }
        let is_id = |grant: &RoleGrant| is_uuid(&grant.role);
        if !offers::ORGANIZATION_ROLES_GET_LIST || grants.iter().all(is_id) {
            return Ok(grants.iter().map(|grant| grant.role.clone()).collect());
        }
        let cached = lock(&self.roles).clone();
        if let Some(cached) = cached
            && let Ok(ids) = ids_of(&cached, grants)
        {
            return Ok(ids);
        }
        let fresh = self
            .fetch_roles()
            .await
            .map_err(|error| unlisted(context, grants, error))?;
        *lock(&self.roles) = Some(Arc::clone(&fresh));
        ids_of(&fresh, grants).map_err(|why| context.error(ErrorKind::InvalidInput, why))
    }

    /// Lists the roles that the organisation has.
    pub(super) async fn roles_list(&self) -> Result<Vec<Role>> {
        let fresh = self.fetch_roles().await?;
        *lock(&self.roles) = Some(Arc::clone(&fresh));
        Ok(fresh.roles().to_vec())
    }

    /// `GET /v1/organizations/{organizationId}/roles`: all of them, or an error.
    async fn fetch_roles(&self) -> Result<Arc<RoleIndex>> {
        let context = self.context(Operation::ListRoles, None);
        context.require_supported(offers::ORGANIZATION_ROLES_GET_LIST, "list of roles")?;
        let api = self.api.within(&context.call);
        let request = api.organization_roles_get_list();
        let sent = request.organization_id(&*self.organization).send().await;
        let success = context.outcome::<types::RoleListResponse, _>(sent)?;
        let reply = &success.reply;
        let incomplete = |why: &str| Err(context.decode_error(reply, why));
        if reply.status != StatusCode::OK {
            return incomplete("its status is not that of a whole list");
        }
        let list = match success.value {
            Ok(list) => list,
            Err(why) => return incomplete(&why),
        };
        context.expect_no_failure(reply, &list.extra)?;
        let rest = Extra::from(list.extra);
        if let Some(cursor) = convert::cursor_in(&rest) {
            return incomplete(&format!(
                "it has a `{cursor}`, which this version does not follow"
            ));
        }
        let Some(roles) = list.result else {
            return incomplete("it has no `result`");
        };
        let roles: Option<Vec<Role>> = roles.into_iter().map(role_from).collect();
        match roles {
            Some(roles) => Ok(Arc::new(RoleIndex::new(roles))),
            None => incomplete("a role has no `id`"),
        }
    }
}

fn ids_of(known: &RoleIndex, grants: &[RoleGrant]) -> Result<Vec<String>, String> {
    grants
        .iter()
        .map(|grant| known.id_of(&grant.role))
        .collect()
}

/// Names have no meaning where the list of roles cannot be read.
fn unresolvable(context: &OperationContext<'_>, grants: &[RoleGrant]) -> Error {
    let named = grants.iter().find(|grant| !is_uuid(&grant.role));
    let named = named.map(|grant| excerpt(&grant.role)).unwrap_or_default();
    let message = format!(
        "the roles of the organisation cannot be listed, so it is not known which role {named:?} is; nothing was sent; \
         give the role's id (a UUID)"
    );
    context.error(ErrorKind::InvalidInput, message)
}

/// The same, because of the error of the list.
fn unlisted(context: &OperationContext<'_>, grants: &[RoleGrant], error: Error) -> Error {
    let kind = match error.kind() {
        ErrorKind::NotFound | ErrorKind::Unsupported => ErrorKind::InvalidInput,
        kind => kind,
    };
    let unresolvable = unresolvable(context, grants).with_kind(kind);
    unresolvable.with_source(error)
}

fn role_from(mut wire: types::Role) -> Option<Role> {
    let mut role = Role::new(wire.id.take()?);
    role.name = wire.name.take();
    let kind = wire.type_.take();
    role.kind = kind.map(|kind| RoleKind::from(kind.as_str()));
    let unknown = std::mem::take(&mut wire.extra);
    role.extra = Extra::from_rest(&wire, unknown);
    Some(role)
}
