//! The printed form of a renewal.

use org_invitations::{Invitation, NewInvitation};
use schemars::JsonSchema;
use serde::Serialize;

use crate::output::{Cell, Record};

/// The result of a renewal.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Renewed")]
pub(crate) struct RenewedRecord {
    /// `confluent`, `clickhouse` or `sandbox`.
    pub provider: String,
    /// The address of the invitee.
    pub email: String,
    /// The id of the old invitation, which exists only if the renewal was refused or is planned.
    pub old_id: String,
    pub outcome: Outcome,
    /// The new invitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation: Option<Invitation>,
    /// The reason why the renewal was refused or the invitation lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The invitation to create if the old one was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite: Option<NewInvitation>,
}

/// The outcome of a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Invited again.
    Renewed,
    /// With --dry-run: it would be renewed.
    Planned,
    /// The renewal was refused, and nothing was deleted as far as is known.
    Refused,
    /// Invited again without some of the roles; `error` says which, and stderr has the command that gives them.
    Incomplete,
    /// The old invitation was deleted and not created again; `invite` has what is missing.
    Lost,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Renewed => "renewed",
            Self::Planned => "planned",
            Self::Refused => "refused",
            Self::Incomplete => "incomplete",
            Self::Lost => "lost",
        }
    }
}

impl Record for RenewedRecord {
    const TABLE: &'static [&'static str] = &["PROVIDER", "EMAIL", "OLD ID", "OUTCOME", "NEW ID"];
    const CSV: &'static [&'static str] = &["provider", "email", "old_id", "outcome", "id", "error"];

    fn row(&self) -> Vec<Cell> {
        let mut line = self.line();
        line.pop();
        line.into_iter().map(Cell::new).collect()
    }

    fn line(&self) -> Vec<String> {
        let id = self.invitation.as_ref().map(|new| new.id.to_string());
        vec![
            self.provider.clone(),
            self.email.clone(),
            self.old_id.clone(),
            self.outcome.as_str().to_owned(),
            id.unwrap_or_default(),
            self.error.clone().unwrap_or_default(),
        ]
    }
}
