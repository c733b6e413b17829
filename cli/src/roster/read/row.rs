//! One row of a roster, in any format.

use org_invitations::{AuthType, InvitationId, NewInvitation, Roles};

use super::super::roles::RolesField;

/// A parsed row of a roster.
#[derive(Debug)]
pub(super) struct Row {
    /// The number of the line, from 1.
    pub line: usize,
    pub new: NewInvitation,
    pub action: RowAction,
}

/// What a row asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RowAction {
    /// Invite the person; the plan decides how.
    Invite,
    /// Withdraw the person's invitation, or the one with this id.
    Withdraw(Option<InvitationId>),
}

/// The fields of a row before they are checked.
#[derive(Default)]
pub(super) struct Fields {
    pub email: Option<String>,
    pub roles: Option<RolesField>,
    /// The deprecated single role, which counts where there are no roles.
    pub legacy_role: Option<String>,
    pub auth_type: Option<String>,
    pub action: Option<String>,
    pub id: Option<String>,
}

impl Fields {
    /// Parses the fields. Only malformed fields are a problem; the plan reports what the provider does not support.
    pub fn row(mut self, line: usize) -> Result<Row, String> {
        let action = self.action.take().unwrap_or_default().to_lowercase();
        let id = self.id.take().filter(|id| !id.is_empty());
        let id = id.map(InvitationId::new).transpose();
        let id = id.map_err(|error| error.message().to_owned())?;
        let action = match action.as_str() {
            "" | "create" | "renew" if id.is_none() => RowAction::Invite,
            "" | "create" | "renew" => {
                return Err("only the action remove takes an id".to_owned());
            }
            "remove" | "delete" => RowAction::Withdraw(id),
            word => {
                return Err(format!(
                    "unknown action {word:?}; the actions are create, renew and remove"
                ));
            }
        };
        let new = self.invitation()?;
        if action != RowAction::Invite && (new.roles.is_some() || new.auth_type.is_some()) {
            return Err(
                "a row with the action remove has neither roles nor an auth type".to_owned(),
            );
        }
        Ok(Row { line, new, action })
    }

    fn invitation(self) -> Result<NewInvitation, String> {
        let email = self.email.filter(|email| !email.trim().is_empty());
        let mut new = NewInvitation::new(email.ok_or("the email is missing")?.trim());
        let legacy = self.legacy_role.filter(|role| !role.is_empty());
        let roles = self.roles.map(RolesField::roles).transpose()?.flatten();
        new.roles = roles.or(legacy.map(Roles::Legacy));
        if let Some(word) = self.auth_type.filter(|word| !word.is_empty()) {
            match AuthType::from(word.to_lowercase().as_str()) {
                AuthType::Other(_) => {
                    return Err(format!(
                        "unknown auth type {word:?}; the auth types are local and sso"
                    ));
                }
                known => new = new.auth_type(known),
            }
        }
        Ok(new)
    }
}
