//! `schema`: the JSON Schema of what a command prints, or of the configuration file.

use clap::{Args, ValueEnum};
use org_invitations::ProviderKind;
use schemars::schema_for;
use serde_json::{Map, Value, json};

use super::{
    config::ProfileRecord, delete::DeletedRecord, doctor::ProviderReport, export::ExportRecord,
    members::RoleChangeRecord, renew::RenewedRecord,
};
use crate::{
    apply::{OutcomeRecord, StepRecord},
    audit::AuditRecord,
    config::profile_schema,
    failure::Failure,
    output::{
        CreatedRecord, Format, InvitationRecord, MemberRecord, Output, PersonRecord, RoleRecord,
    },
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations schema list
  org-invitations schema config > org-invitations.schema.json

Every command prints an array with `-o json`, also for one id or address. A line of
`-o jsonl` is an element of that array, and `-o yaml` is the same list. Later
versions may add properties, and remove none.")]
pub(crate) struct SchemaArgs {
    /// The document to describe.
    #[arg(value_enum)]
    pub of: Document,
}

/// The documents that have a schema.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Document {
    /// What `list` prints: an array of invitations.
    List,
    /// What `get` prints: an array of invitations.
    Get,
    /// What `create` prints.
    Create,
    /// What `delete` prints.
    Delete,
    /// What `renew` prints.
    Renew,
    /// What `plan` prints, and `copy` and `create` with --dry-run.
    Plan,
    /// What `apply`, `copy`, `remove` and `members remove` print.
    Apply,
    /// What `export` prints: an array of rows.
    Export,
    /// What `who` prints: an array of people.
    Who,
    /// What `members list` prints, and `members get`.
    Members,
    /// What `members set-roles` prints.
    SetRoles,
    /// What `roles list` prints.
    Roles,
    /// What `doctor` and `config test` print: an array of providers.
    Doctor,
    /// What `config list` prints: an array of profiles.
    ConfigList,
    /// A line of the audit log.
    AuditLog,
    /// The configuration file, as JSON.
    Config,
}

pub(crate) fn run(args: &SchemaArgs, out: &mut Output) -> Result<(), Failure> {
    if !matches!(out.format(), Format::Table | Format::Json | Format::Yaml) {
        let message = "a schema is printed as json or yaml".to_owned();
        return Err(Failure::Usage(message));
    }
    let schema = match args.of {
        Document::List => schema_for!(Vec<InvitationRecord>).to_value(),
        Document::Get => schema_for!(Vec<InvitationRecord>).to_value(),
        Document::Create => schema_for!(Vec<CreatedRecord>).to_value(),
        Document::Delete => schema_for!(Vec<DeletedRecord>).to_value(),
        Document::Renew => schema_for!(Vec<RenewedRecord>).to_value(),
        Document::Plan => schema_for!(Vec<StepRecord>).to_value(),
        Document::Apply => schema_for!(Vec<OutcomeRecord>).to_value(),
        Document::Export => schema_for!(Vec<ExportRecord>).to_value(),
        Document::Who => schema_for!(Vec<PersonRecord>).to_value(),
        Document::Members => schema_for!(Vec<MemberRecord>).to_value(),
        Document::SetRoles => schema_for!(Vec<RoleChangeRecord>).to_value(),
        Document::Roles => schema_for!(Vec<RoleRecord>).to_value(),
        Document::Doctor => schema_for!(Vec<ProviderReport>).to_value(),
        Document::ConfigList => schema_for!(Vec<ProfileRecord>).to_value(),
        Document::AuditLog => schema_for!(AuditRecord).to_value(),
        Document::Config => config_schema(),
    };
    Ok(out.document(&schema)?)
}

/// The schema of the configuration file.
fn config_schema() -> Value {
    let mut definitions = Map::new();
    let profiles: Vec<Value> = ProviderKind::ALL
        .iter()
        .copied()
        .map(|kind| {
            let mut profile = profile_schema(kind);
            if let Some(object) = profile.as_object_mut() {
                object.remove("$schema");
                object.insert("required".to_owned(), json!(["provider"]));
                if let Some(Value::Object(inner)) = object.remove("$defs") {
                    definitions.extend(inner);
                }
            }
            profile
        })
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The configuration file of org-invitations",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "audit_log": {
                "type": "string",
                "description": "The file of the audit log; relative to the folder of this file."
            },
            "default_profile": {
                "type": "string",
                "description": "The profile that is used if none is selected."
            },
            "profiles": { "type": "object", "additionalProperties": { "anyOf": profiles } }
        },
        "$defs": definitions
    })
}
