//! One row of a roster, in any format.

use org_invitations::{AuthType, InvitationId, NewInvitation, Roles};

use super::{Place, Problem, problem, status::Switch};
use crate::roster::roles::RolesField;

/// A parsed row of a roster.
#[derive(Debug)]
pub(super) struct Row {
    /// The number of the line or the row, from 1.
    pub line: usize,
    /// What the number counts.
    pub place: Place,
    pub new: NewInvitation,
    pub action: RowAction,
    /// The provider and the profile, in an output of this command.
    pub origin: Option<(String, Option<String>)>,
    /// The status of the invitation, in an output of this command.
    pub status: Option<String>,
    /// What says that the person is switched off in the directory.
    pub off: Option<String>,
}

impl Row {
    pub fn problem(&self, message: impl Into<String>) -> Problem {
        Problem {
            place: self.place,
            ..problem(self.line, message)
        }
    }
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
    pub provider: Option<String>,
    pub profile: Option<String>,
    pub status: Option<String>,
    /// What says that the person is switched off in the directory.
    pub off: Option<String>,
}

/// What the column `provider` has in outputs of this command.
const PROVIDERS: [&str; 3] = ["confluent", "clickhouse", "sandbox"];

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
        let provider = self.provider.take();
        let provider = provider.filter(|name| PROVIDERS.contains(&name.as_str()));
        let profile = self.profile.take();
        let (mut status, mut off) = (self.status.take(), self.off.take());
        if provider.is_none() {
            // Another program's column `provider`.
            let word = status.take();
            let word = word.filter(|word| Switch::Status.is_off(word));
            off = off.or(word.map(|word| format!("status is {word:?}")));
        }
        let new = self.invitation()?;
        if action == RowAction::Invite {
            check_address(&new.email)?;
        }
        if action != RowAction::Invite && (new.roles.is_some() || new.auth_type.is_some()) {
            return Err(
                "a row with the action remove has neither roles nor an auth type".to_owned(),
            );
        }
        Ok(Row {
            line,
            place: Place::Line,
            new,
            action,
            origin: provider.map(|provider| (provider, profile)),
            status,
            off,
        })
    }

    fn invitation(self) -> Result<NewInvitation, String> {
        let email = self.email.filter(|email| !email.trim().is_empty());
        let email = email.ok_or("the email is missing")?;
        let mut new = NewInvitation::new(address(email.trim()));
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

/// The address of a text such as `Ann Lee <ann@example.com>`, or else the text.
pub(super) fn address(text: &str) -> &str {
    let parts = text.strip_suffix('>').and_then(|text| text.split_once('<'));
    match parts {
        Some((name, address)) if !name.contains('@') && address.contains('@') => address.trim(),
        _ => text,
    }
}

/// Rejects what directories and spreadsheets have in place of an address. Such a row does not tell who is meant, so that
/// nobody can be protected from `--prune` by it.
fn check_address(email: &str) -> Result<(), String> {
    if email.to_ascii_uppercase().contains("#EXT#@") {
        return Err(format!(
            "{email:?} is how a guest is named in Entra ID, not the address; choose the column that has the addresses, such \
             as mail, with --email-column NAME"
        ));
    }
    if email.starts_with('=') && email.contains('(') {
        return Err(format!(
            "{email:?} is a formula of a spreadsheet, not an address; save the sheet with values"
        ));
    }
    Ok(())
}
