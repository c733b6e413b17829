//! The printed forms of members, roles and people.

use chrono::SecondsFormat;
use org_invitations::{Member, Person, Role, RoleAssignment, Roles};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Cell, Record};
use crate::{providers::Origin, roster::RosterRoles};

/// A member and the provider.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Member")]
pub(crate) struct MemberRecord {
    /// The profile of the organisation, where several are selected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// `confluent`, `clickhouse` or `sandbox`.
    pub provider: String,
    #[serde(flatten)]
    pub member: Member,
}

impl MemberRecord {
    pub fn new(provider: &str, member: Member) -> Self {
        Self {
            profile: None,
            provider: provider.to_owned(),
            member,
        }
    }

    pub fn of_organization(origin: &Origin, member: Member) -> Self {
        Self {
            profile: origin.profile.clone(),
            ..Self::new(&origin.label, member)
        }
    }
}

impl Record for MemberRecord {
    const TABLE: &'static [&'static str] = &["PROVIDER", "ID", "EMAIL", "NAME", "ROLES", "JOINED"];
    const CSV: &'static [&'static str] = &[
        "provider",
        "id",
        "email",
        "name",
        "auth_type",
        "roles",
        "joined_at",
    ];

    const SHORTENED: &'static [&'static str] = &["ROLES", "NAME"];
    const DROPPED: &'static [&'static str] = &["JOINED", "ROLES", "NAME", "PROVIDER"];

    // ClickHouse's ids are UUIDs, Confluent's are short.
    const MIN_WIDTHS: &'static [usize] = &[10, 36, 24, 16, 9];

    fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    fn row(&self) -> Vec<Cell> {
        let member = &self.member;
        vec![
            Cell::new(&self.provider),
            Cell::new(member.id.as_str()),
            Cell::new(&member.email),
            Cell::new(member.name.clone().unwrap_or_default()),
            Cell::new(shown_roles(
                member.roles.as_deref(),
                member.legacy_role.as_deref(),
            )),
            Cell::time(member.joined_at.as_ref()),
        ]
    }

    fn line(&self) -> Vec<String> {
        let member = &self.member;
        let joined = member.joined_at;
        let joined = joined.map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true));
        vec![
            self.provider.clone(),
            member.id.to_string(),
            member.email.clone(),
            member.name.clone().unwrap_or_default(),
            member
                .auth_type
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            csv_roles(member.roles.as_deref(), member.legacy_role.as_deref()),
            joined.unwrap_or_default(),
        ]
    }
}

/// Roles for people, or else the legacy role.
pub(super) fn shown_roles(roles: Option<&[RoleAssignment]>, legacy_role: Option<&str>) -> String {
    let roles = role_names(roles.into_iter().flatten());
    match roles.is_empty() {
        true => legacy_role.unwrap_or_default().to_owned(),
        false => roles.join(", "),
    }
}

/// Roles as a roster has them, so that a roster can be read from CSV.
pub(super) fn csv_roles(roles: Option<&[RoleAssignment]>, legacy_role: Option<&str>) -> String {
    let roles = RosterRoles::of_assignments(roles.into_iter().flatten(), |_| true);
    let legacy = || Some(RosterRoles(Roles::Legacy(legacy_role?.to_owned())));
    let roles = roles.or_else(legacy);
    roles.map(|roles| roles.cell()).unwrap_or_default()
}

/// Roles for people: names, else ids, with their scopes.
pub(crate) fn role_names<'a>(roles: impl IntoIterator<Item = &'a RoleAssignment>) -> Vec<String> {
    let name = |role: &RoleAssignment| {
        let name = role.name.as_ref().or(role.id.as_ref())?;
        Some(match &role.scope {
            Some(scope) => format!("{name}@{scope}"),
            None => name.clone(),
        })
    };
    roles.into_iter().filter_map(name).collect()
}

/// A role and the provider.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Role")]
pub(crate) struct RoleRecord {
    /// `confluent`, `clickhouse` or `sandbox`.
    pub provider: String,
    #[serde(flatten)]
    pub role: Role,
}

impl Record for RoleRecord {
    const TABLE: &'static [&'static str] = &["PROVIDER", "ID", "NAME", "KIND"];
    const CSV: &'static [&'static str] = &["provider", "id", "name", "kind"];

    fn line(&self) -> Vec<String> {
        vec![
            self.provider.clone(),
            self.role.id.clone(),
            self.role.name.clone().unwrap_or_default(),
            self.role
                .kind
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        ]
    }
}

/// What an organisation knows of an address.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Person")]
pub(crate) struct PersonRecord {
    /// The profile of the organisation, where several are selected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// `confluent`, `clickhouse` or `sandbox`.
    pub provider: String,
    #[serde(flatten)]
    pub person: Person,
}

impl PersonRecord {
    pub fn of_organization(origin: &Origin, person: Person) -> Self {
        Self {
            profile: origin.profile.clone(),
            provider: origin.label.clone(),
            person,
        }
    }

    /// The id of the member, or of each of several; or, for somebody who is none, of the first invitation.
    fn id(&self) -> String {
        let members = self.person.members.iter();
        let members: Vec<&str> = members.map(|member| member.id.as_str()).collect();
        if !members.is_empty() {
            return members.join(" ");
        }
        let invitation = self.person.invitations.first();
        let invitation = invitation.map(|invitation| invitation.id.to_string());
        invitation.unwrap_or_default()
    }

    /// The roles and the legacy role of the member or, for somebody who is none, of the first invitation.
    fn roles(&self) -> (Option<&[RoleAssignment]>, Option<&str>) {
        match (self.person.members.first(), self.person.invitations.first()) {
            (Some(member), _) => (member.roles.as_deref(), member.legacy_role.as_deref()),
            (None, Some(invitation)) => (invitation.roles.as_deref(), invitation.role.as_deref()),
            (None, None) => (None, None),
        }
    }

    fn invitation_status(&self) -> String {
        let first = self.person.invitations.first();
        let status = first.and_then(|invitation| invitation.status.as_ref());
        status.map(ToString::to_string).unwrap_or_default()
    }
}

impl Record for PersonRecord {
    const TABLE: &'static [&'static str] =
        &["PROVIDER", "EMAIL", "STATE", "INVITATION", "ID", "ROLES"];
    const CSV: &'static [&'static str] =
        &["provider", "email", "state", "invitation", "id", "roles"];

    const MIN_WIDTHS: &'static [usize] = &[10, 24, 8, 11, 36];
    const SHORTENED: &'static [&'static str] = &["ROLES"];
    const DROPPED: &'static [&'static str] = &["ROLES", "INVITATION", "ID"];

    fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    fn row(&self) -> Vec<Cell> {
        let mut row = self.line();
        let (roles, legacy_role) = self.roles();
        row[5] = shown_roles(roles, legacy_role);
        row.into_iter().map(Cell::new).collect()
    }

    fn line(&self) -> Vec<String> {
        let (roles, legacy_role) = self.roles();
        vec![
            self.provider.clone(),
            self.person.email.clone(),
            self.person.state.to_string(),
            self.invitation_status(),
            self.id(),
            csv_roles(roles, legacy_role),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_has_roles_as_rosters_have_them() {
        let (mut reader, mut owner) = (RoleAssignment::default(), RoleAssignment::default());
        (reader.name, reader.scope) = (Some("Reader".to_owned()), Some("env-1".to_owned()));
        owner.id = Some("r-1".to_owned());
        let roles = csv_roles(Some(&[reader, owner]), Some("admin"));
        assert_eq!(roles, "Reader@env-1;r-1");
        assert_eq!(csv_roles(Some(&[]), Some("admin")), "legacy:admin");
        assert_eq!(shown_roles(None, Some("admin")), "admin");
        assert_eq!(csv_roles(None, None), "");
        let mut odd = RoleAssignment::default();
        (odd.id, odd.name) = (Some("r-2".to_owned()), Some("A;B".to_owned()));
        assert_eq!(csv_roles(Some(&[odd.clone()]), None), "r-2");
        odd.id = None;
        assert_eq!(csv_roles(Some(&[odd]), None), r#"["A;B"]"#);
    }
}
