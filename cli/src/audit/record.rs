//! A line of the audit log.

use chrono::{DateTime, SecondsFormat, Utc};
use org_invitations::Error;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

/// A line of the audit log: a change of an organisation, or the attempt of one.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct AuditRecord {
    /// When the outcome was known (UTC).
    #[serde(serialize_with = "milliseconds")]
    pub time: DateTime<Utc>,
    #[serde(flatten)]
    pub origin: Origin,
    /// The change.
    pub action: AuditAction,
    /// The address of the person, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The id of the invitation, or of the member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The roles that were asked for, given or taken, on Confluent with their scopes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The roles that `set-roles` took away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles_removed: Vec<String>,
    /// What became of the change.
    pub outcome: AuditOutcome,
    /// Why the change failed, or its outcome is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The id of the request, for the provider's support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// Who changes what: the same for every change of a command in an organisation.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Origin {
    /// The provider: confluent, clickhouse, or sandbox.
    pub provider: String,
    /// The profile of the configuration file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The id of the organisation, where the configuration has it (ClickHouse).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
    /// The base URL of the API, if it is not the vendor's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The id of the API key or identity pool, never its secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The user of the operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The command, such as `apply` or `members remove`.
    pub command: String,
}

/// A change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AuditAction {
    /// Inviting a person.
    Create,
    /// Withdrawing an invitation.
    Delete,
    /// Removing a member.
    RemoveMember,
    /// Giving a user a role, which is a change of its own (Confluent).
    GrantRole,
    /// Taking a role from a user (Confluent).
    RevokeRole,
    /// Changing the roles of a member as a whole (ClickHouse), or a change of several roles whose end is unknown.
    SetRoles,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AuditOutcome {
    /// The server confirmed it.
    Done,
    /// It was not made.
    Failed,
    /// It may have been made: the answer was lost, or not awaited.
    Unknown,
}

impl AuditOutcome {
    /// The outcome of a change that ended in this error.
    pub fn of(error: &Error) -> Self {
        match error.may_have_executed() {
            true => Self::Unknown,
            false => Self::Failed,
        }
    }
}

fn milliseconds<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
}
