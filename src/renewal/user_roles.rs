//! The roles of the old invitation's user, where roles are given to users.

use crate::{
    error::{Error, ErrorKind, Operation, Result},
    invitation::{InvitationStatus, RoleAssignment, Roles},
    lookup::find,
    member::MemberProviderExt as _,
    provider::InvitationProvider,
    renewal::Renewal,
};

impl Renewal {
    /// Adds the roles that the user of the old invitation has, where the new one gives none and roles are given to users.
    ///
    /// # Errors
    ///
    /// The roles cannot be read, or cannot be given again.
    pub(crate) async fn with_roles_of_user<P>(mut self, provider: &P) -> Result<Self>
    where
        P: InvitationProvider + ?Sized,
    {
        let is_needed = self.new.roles.is_none() && provider.capabilities().gives_roles_to_users();
        let Some(members) = provider.members().filter(|_| is_needed) else {
            return Ok(self);
        };
        let old = match provider.get(&self.id).await {
            Ok(old) => old,
            // What is still listed is there, whatever an answer says.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                match find(provider, &self.new.email, &error, None).await? {
                    Some(old) if old.id == self.id => old,
                    _ => return Ok(self),
                }
            }
            Err(error) => return Err(error),
        };
        if old.status == Some(InvitationStatus::Deactivated) {
            return Ok(self);
        }
        let failed = |why: &str, source: Option<Error>| {
            let message = format!(
                "{why}, and the new invitation would be without them; nothing was withdrawn. Give the roles that the \
                 person is to have, or an empty list"
            );
            let kind = source.as_ref().map_or(ErrorKind::Unsupported, Error::kind);
            let error = Error::new(kind, Operation::ListRoles, message);
            let error = error
                .with_provider(provider.to_string())
                .with_target(&old.email);
            match source {
                Some(source) => error.with_source(source),
                None => error,
            }
        };
        let user = match old.invited_user() {
            Some(user) => user,
            // An invitation need not name its user, but the users are listed with their addresses.
            None => match members.find_member(&old.email).await {
                Ok(Some(user)) => user.id,
                Ok(None) => return Ok(self),
                Err(error) => {
                    return Err(failed(
                        "the user of the invitation cannot be found",
                        Some(error),
                    ));
                }
            },
        };
        let roles = match members.member_roles(&user).await {
            Ok(roles) => roles,
            Err(error) => return Err(failed("the roles of the user cannot be read", Some(error))),
        };
        let grants: Option<Vec<_>> = roles.iter().map(RoleAssignment::grant).collect();
        let grants = grants.ok_or_else(|| failed("a role of the user has no name", None))?;
        let roles = Some(Roles::Grants(grants));
        if let Some(fallback) = self.fallback.as_mut().filter(|old| old.roles.is_none()) {
            fallback.roles.clone_from(&roles);
        }
        self.new.roles = roles;
        Ok(self)
    }
}
