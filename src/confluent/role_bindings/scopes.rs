//! The scopes of roles: which organisation the key belongs to, and the CRN pattern of each grant.

use super::{OFFERED, Resolved};
use crate::{
    bindings::confluent::types,
    confluent::Confluent,
    crn,
    error::{ErrorKind, Operation, Result},
    invitation::{NewInvitation, Roles},
    operation::OperationContext,
    role::RoleGrant,
};

impl Confluent {
    /// The id of the organisation that the key belongs to, looked up once for all clones.
    pub(in crate::confluent) async fn organization_id(&self) -> Result<String> {
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
            context.expect_no_failure(&success.reply, &list.extra)?;
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
    pub(in crate::confluent) async fn resolve_roles(
        &self,
        context: &OperationContext<'_>,
        new: &NewInvitation,
    ) -> Result<Vec<Resolved>> {
        match &new.roles {
            Some(Roles::Grants(grants)) => self.resolve(context, grants).await,
            _ => Ok(Vec::new()),
        }
    }

    pub(in crate::confluent) async fn resolve(
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
}
