//! The tools.

use rmcp::{
    handler::server::tool::{schema_for_input, schema_for_output},
    model::{JsonObject, Tool, ToolAnnotations},
};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    answer::Answer,
    input::{
        ApplyPeople, Create, ListInvitations, ListMembers, ListRoles, Remove, Renew, Roster, Who,
    },
};
use crate::{
    apply::{OutcomeRecord, StepRecord},
    commands::renew::RenewedRecord,
    output::{CreatedRecord, InvitationRecord, MemberRecord, PersonRecord, RoleRecord},
};

/// A call of a tool, with its arguments.
#[derive(Debug)]
pub(super) enum ToolCall {
    ListInvitations(ListInvitations),
    Who(Who),
    ListMembers(ListMembers),
    ListRoles,
    Plan(Roster),
    Create(Create),
    Renew(Renew),
    Apply(ApplyPeople),
    Remove(Remove),
}

/// What a tool does to the organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Reads,
    Adds,
    TakesAway,
}

/// The names of the tools that change the organisation.
const WRITES: [&str; 4] = ["create", "renew", "apply", "remove"];

/// Whether a tool of this name changes the organisation.
pub(super) fn is_write(name: &str) -> bool {
    WRITES.contains(&name)
}

/// A record of a dry run, or of what was done.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code)] // Only its schema is used.
enum Either<P, D> {
    Planned(P),
    Done(D),
}

/// The tools, those that change the organisation only `with_writes`.
pub(super) fn tools(with_writes: bool) -> Vec<Tool> {
    let mut tools = vec![
        tool::<ListInvitations, InvitationRecord>(
            "list_invitations",
            "List the invitations of the organisation. On ClickHouse an invitation disappears once it is accepted.",
            Effect::Reads,
        ),
        tool::<Who, PersonRecord>(
            "who",
            "Tell whether people are invited, members, both or neither.",
            Effect::Reads,
        ),
        tool::<ListMembers, MemberRecord>(
            "list_members",
            "List the members of the organisation.",
            Effect::Reads,
        ),
        tool::<ListRoles, RoleRecord>(
            "list_roles",
            "List the roles that the organisation has (ClickHouse). Confluent has no list: its documentation names \
             the predefined roles, such as OrganizationAdmin and EnvironmentAdmin.",
            Effect::Reads,
        ),
        tool::<Roster, StepRecord>(
            "plan",
            "Show what applying a list of people would change, and change nothing. The actions are create, replace \
             (withdrawn and invited again), keep, set-roles, remove and invalid.",
            Effect::Reads,
        ),
        tool::<Create, Either<StepRecord, CreatedRecord>>(
            "create",
            "Invite people, who get an email. A dry run unless `dry_run` is false.",
            Effect::Adds,
        ),
        tool::<Renew, RenewedRecord>(
            "renew",
            "Renew invitations: each is withdrawn and created again with the same roles and login, and the person \
             gets another email. A dry run unless `dry_run` is false.",
            Effect::TakesAway,
        ),
        tool::<ApplyPeople, Either<StepRecord, OutcomeRecord>>(
            "apply",
            "Apply a list of people: invite those who lack, renew invitations that differ, change roles of members, \
             and with `prune` withdraw the invitations of everybody else. A dry run unless `dry_run` is false.",
            Effect::TakesAway,
        ),
        tool::<Remove, Either<StepRecord, OutcomeRecord>>(
            "remove",
            "Remove people, whether they are invited or members. On Confluent a member loses everything that they \
             own. A dry run unless `dry_run` is false.",
            Effect::TakesAway,
        ),
    ];
    tools.retain(|tool| with_writes || !is_write(&tool.name));
    tools
}

fn tool<I: JsonSchema + 'static, R: JsonSchema + 'static>(
    name: &'static str,
    description: &'static str,
    effect: Effect,
) -> Tool {
    // Every input is a struct, whose schema is an object.
    let input = schema_for_input::<I>().unwrap_or_default();
    let annotations = ToolAnnotations::from_raw(
        None,
        Some(effect == Effect::Reads),
        Some(effect == Effect::TakesAway),
        Some(effect == Effect::Reads),
        Some(true),
    );
    Tool::new(name, description, input)
        .with_raw_output_schema(schema_for_output::<Answer<R>>())
        .with_annotations(annotations)
}

impl ToolCall {
    /// Reads the arguments of a tool; `None` if there is no tool of this name.
    pub fn new(name: &str, arguments: Option<JsonObject>) -> Option<Result<Self, String>> {
        let arguments = Value::Object(arguments.unwrap_or_default());
        Some(match name {
            "list_invitations" => read(name, arguments).map(Self::ListInvitations),
            "who" => read(name, arguments).map(Self::Who),
            "list_members" => read(name, arguments).map(Self::ListMembers),
            "list_roles" => read::<ListRoles>(name, arguments).map(|_| Self::ListRoles),
            "plan" => read(name, arguments).map(Self::Plan),
            "create" => read(name, arguments).map(Self::Create),
            "renew" => read(name, arguments).map(Self::Renew),
            "apply" => read(name, arguments).map(Self::Apply),
            "remove" => read(name, arguments).map(Self::Remove),
            _ => return None,
        })
    }

    /// The name of the tool.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ListInvitations(_) => "list_invitations",
            Self::Who(_) => "who",
            Self::ListMembers(_) => "list_members",
            Self::ListRoles => "list_roles",
            Self::Plan(_) => "plan",
            Self::Create(_) => "create",
            Self::Renew(_) => "renew",
            Self::Apply(_) => "apply",
            Self::Remove(_) => "remove",
        }
    }

    /// Whether the call only shows what it would change; `None` if its tool changes nothing.
    pub fn dry_run(&self) -> Option<bool> {
        match self {
            Self::Create(call) => Some(call.dry_run),
            Self::Renew(call) => Some(call.dry_run),
            Self::Apply(call) => Some(call.dry_run),
            Self::Remove(call) => Some(call.dry_run),
            _ => None,
        }
    }

    /// How many records the answer has at most.
    pub fn limit(&self) -> Option<usize> {
        match self {
            Self::ListInvitations(call) => usize::try_from(call.limit).ok(),
            Self::ListMembers(call) => usize::try_from(call.limit).ok(),
            _ => None,
        }
    }
}

fn read<I: DeserializeOwned>(tool: &str, arguments: Value) -> Result<I, String> {
    serde_path_to_error::deserialize(arguments).map_err(|error| {
        let (path, why) = (error.path().to_string(), error.inner());
        match path.as_str() {
            "." => format!("the arguments of `{tool}`: {why}; nothing was sent"),
            path => format!("the argument `{path}` of `{tool}`: {why}; nothing was sent"),
        }
    })
}
