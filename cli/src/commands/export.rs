//! `export`: write an organisation's people and their roles as a roster.

use std::collections::{HashMap, HashSet};

use clap::Args;
use org_invitations::{AuthType, Invitation, MemberId, RoleAssignment, Roles, normalize_email};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    apply::load_people,
    failure::Failure,
    interrupt::Interrupt,
    output::{Cell, Format, Output, Record, escape_control},
    provider::ProviderContext,
    roster::RosterRoles,
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations -p clickhouse export > people.csv
  org-invitations -p clickhouse plan people.csv --prune --prune-members
  org-invitations -p confluent export -o jsonl > people.jsonl

The roster has the members and the people whose invitation can be accepted, with
their roles; `plan` finds nothing to do for it. It is CSV unless -o says
otherwise. An expired invitation is left out, since a plan would renew it. Where
`;` between roles would be read as other roles, the cell is a list in JSON.")]
pub(crate) struct ExportArgs {}

/// A row of a roster.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Row")]
pub(crate) struct ExportRecord {
    /// The address.
    pub email: String,
    /// The roles by name, or by id where a name is not unique; with their scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<RosterRoles>,
    /// How an invited person logs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<AuthType>,
}

impl Record for ExportRecord {
    const TABLE: &'static [&'static str] = &["EMAIL", "ROLES", "AUTH TYPE"];
    const CSV: &'static [&'static str] = &["email", "roles", "auth_type"];

    fn row(&self) -> Vec<Cell> {
        self.line().into_iter().map(Cell::new).collect()
    }

    fn line(&self) -> Vec<String> {
        let auth_type = self.auth_type.as_ref().map(ToString::to_string);
        vec![
            self.email.clone(),
            self.roles
                .as_ref()
                .map(RosterRoles::cell)
                .unwrap_or_default(),
            auth_type.unwrap_or_default(),
        ]
    }
}

pub(crate) async fn run(
    provider: &ProviderContext,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let capabilities = provider.capabilities();
    let people = load_people(provider, &[], capabilities.members, interrupt).await?;
    let all = people.members.iter().map(|member| &member.roles);
    let all = all.chain(people.invitations.iter().map(|one| &one.roles));
    let mut names = RoleNames::new(all.flatten().flatten());
    // A name that one role has among people may be another role's too.
    let roles = match capabilities.list_roles {
        true => {
            interrupt
                .or_interrupted(async { Ok(provider.list_roles().await) })
                .await?
        }
        false => Ok(Vec::new()),
    };
    let roles = roles.unwrap_or_default();
    names.add(
        roles
            .iter()
            .map(|role| (role.name.as_deref(), role.id.as_str())),
    );
    let legacy = |role: &'_ Option<String>| role.clone().filter(|_| capabilities.legacy_role);
    // A table is for people, and this is for `plan`.
    if out.format() == Format::Table {
        out.set_format(Format::Csv);
    }
    let mut records = out.records();
    let mut seen = HashSet::new();
    let mut members: HashMap<String, HashSet<&MemberId>> = HashMap::new();
    for member in &people.members {
        let ids = members.entry(normalize_email(&member.email)).or_default();
        ids.insert(&member.id);
    }
    for member in &people.members {
        let address = normalize_email(&member.email);
        // A plan does not know which of several members a row with roles means.
        let is_one = members.get(&address).is_none_or(|ids| ids.len() == 1);
        let roles = is_one.then(|| names.row(member.roles.as_deref(), legacy(&member.legacy_role)));
        if seen.insert(address) {
            if !is_one {
                eprintln!(
                    "warning: {}: several members have the address {}; their row has no roles, and a plan leaves all of \
                     them as they are",
                    provider.name(),
                    escape_control(&member.email)
                );
            }
            records.push(&ExportRecord {
                email: member.email.clone(),
                roles: roles.flatten(),
                auth_type: None,
            })?;
        }
    }
    let mut pending: Vec<&Invitation> = people
        .invitations
        .iter()
        .filter(|one| one.is_pending())
        .collect();
    // Of several invitations of a person, a plan compares the latest.
    pending.sort_by_key(|one| std::cmp::Reverse(one.created_at));
    for one in pending {
        if seen.insert(normalize_email(&one.email)) {
            records.push(&ExportRecord {
                email: one.email.clone(),
                roles: names.row(one.roles.as_deref(), legacy(&one.role)),
                auth_type: one.auth_type.clone().filter(|_| capabilities.auth_type),
            })?;
        }
    }
    Ok(records.finish()?)
}

/// The ids of each name, and each id as a name, in lower case.
struct RoleNames<'a>(HashMap<String, HashSet<&'a str>>);

impl<'a> RoleNames<'a> {
    fn new(roles: impl IntoIterator<Item = &'a RoleAssignment>) -> Self {
        let mut names = Self(HashMap::new());
        let with_id = |role: &'a RoleAssignment| Some((role.name.as_deref(), role.id.as_deref()?));
        names.add(roles.into_iter().filter_map(with_id));
        names
    }

    fn add(&mut self, roles: impl IntoIterator<Item = (Option<&'a str>, &'a str)>) {
        for (name, id) in roles {
            // A role is found by its id before it is by name, so an id is a name of its own.
            for name in name.into_iter().chain([id]) {
                self.0.entry(name.to_lowercase()).or_default().insert(id);
            }
        }
    }

    /// The roles of a row: none if they are not known, as a row without roles leaves them as they are.
    fn row(&self, roles: Option<&[RoleAssignment]>, legacy: Option<String>) -> Option<RosterRoles> {
        let is_unique = |name: &str| {
            let ids = self.0.get(&name.to_lowercase());
            ids.is_none_or(|ids| ids.len() == 1)
        };
        let roles = RosterRoles::of_assignments(roles.into_iter().flatten(), is_unique);
        roles.or_else(|| legacy.map(|role| RosterRoles(Roles::Legacy(role))))
    }
}
