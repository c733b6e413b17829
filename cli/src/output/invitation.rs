//! The printed form of an invitation, for `list`, `get` and `create`.

use chrono::{DateTime, SecondsFormat, Utc};
use org_invitations::Invitation;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Cell, Record, color,
    member::{csv_roles, shown_roles},
};
use crate::providers::Origin;

/// An invitation and its provider.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Invitation")]
pub(crate) struct InvitationRecord {
    /// The profile of the organisation, where several are selected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// `confluent`, `clickhouse` or `sandbox`.
    pub provider: String,
    #[serde(flatten)]
    pub invitation: Invitation,
}

impl InvitationRecord {
    pub fn of_organization(origin: &Origin, invitation: Invitation) -> Self {
        Self {
            profile: origin.profile.clone(),
            ..Self::new(&origin.label, invitation)
        }
    }

    pub fn new(provider: &str, invitation: Invitation) -> Self {
        Self {
            profile: None,
            provider: provider.to_owned(),
            invitation,
        }
    }
}

impl Record for InvitationRecord {
    const TABLE: &'static [&'static str] = &[
        "PROVIDER", "ID", "EMAIL", "STATUS", "ROLES", "CREATED", "EXPIRES",
    ];
    const CSV: &'static [&'static str] = &[
        "provider",
        "id",
        "email",
        "status",
        "auth_type",
        "roles",
        "role_ids",
        "created_at",
        "expires_at",
        "accepted_at",
        "user",
        "creator",
    ];

    const SHORTENED: &'static [&'static str] = &["ROLES"];
    const DROPPED: &'static [&'static str] = &["CREATED", "ROLES", "EXPIRES", "PROVIDER"];

    // ClickHouse's ids are UUIDs, Confluent's are short.
    const MIN_WIDTHS: &'static [usize] = &[10, 36, 24, 8, 9];

    fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    fn row(&self) -> Vec<Cell> {
        let invitation = &self.invitation;
        let status = invitation.status.as_ref();
        vec![
            Cell::new(&self.provider),
            Cell::new(invitation.id.as_str()),
            Cell::new(&invitation.email),
            Cell::new(status.map(ToString::to_string).unwrap_or_default())
                .styled(status.and_then(color::of_status)),
            Cell::new(shown_roles(
                invitation.roles.as_deref(),
                invitation.role.as_deref(),
            )),
            Cell::time(invitation.created_at.as_ref()),
            Cell::time(invitation.expires_at.as_ref()),
        ]
    }

    fn line(&self) -> Vec<String> {
        let invitation = &self.invitation;
        let word = |word: Option<String>| word.unwrap_or_default();
        let when = |at: &Option<DateTime<Utc>>| {
            let exact = |at: &DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
            at.as_ref().map(exact).unwrap_or_default()
        };
        let reference = |of: &Option<org_invitations::ResourceReference>| {
            of.as_ref().map(|of| of.id.clone()).unwrap_or_default()
        };
        let ids = invitation.roles.iter().flatten();
        let ids: Vec<String> = ids.filter_map(|role| role.id.clone()).collect();
        vec![
            self.provider.clone(),
            invitation.id.to_string(),
            invitation.email.clone(),
            word(invitation.status.as_ref().map(ToString::to_string)),
            word(invitation.auth_type.as_ref().map(ToString::to_string)),
            csv_roles(invitation.roles.as_deref(), invitation.role.as_deref()),
            ids.join(";"),
            when(&invitation.created_at),
            when(&invitation.expires_at),
            when(&invitation.accepted_at),
            reference(&invitation.user),
            reference(&invitation.creator),
        ]
    }
}

/// An invitation that `create` made or found.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Created")]
pub(crate) struct CreatedRecord {
    #[serde(flatten)]
    pub record: InvitationRecord,
    /// With --if-not-exists: whether this run created the invitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<bool>,
}

impl Record for CreatedRecord {
    const TABLE: &'static [&'static str] = InvitationRecord::TABLE;
    const CSV: &'static [&'static str] = &{
        let mut names = ["created"; InvitationRecord::CSV.len() + 1];
        let (before, _) = names.split_at_mut(InvitationRecord::CSV.len());
        before.copy_from_slice(InvitationRecord::CSV);
        names
    };
    const SHORTENED: &'static [&'static str] = InvitationRecord::SHORTENED;
    const DROPPED: &'static [&'static str] = InvitationRecord::DROPPED;

    fn row(&self) -> Vec<Cell> {
        self.record.row()
    }

    fn line(&self) -> Vec<String> {
        let mut line = self.record.line();
        line.push(
            self.created
                .map(|is_new| is_new.to_string())
                .unwrap_or_default(),
        );
        line
    }
}
