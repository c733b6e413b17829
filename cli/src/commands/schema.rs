//! `schema`: the JSON Schema of what a command prints, or of the configuration file.

use clap::{Args, ValueEnum};
use org_invitations::ProviderKind;
use schemars::{JsonSchema, Schema, schema_for};
use serde_json::{Map, Value, json};

use super::{
    delete::DeletedRecord, doctor::DoctorReport, export::ExportRecord, members::RoleChangeRecord,
    renew::RenewedRecord,
};
use crate::{
    apply::{OutcomeRecord, StepRecord},
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

`list`, `plan`, `apply` and `copy` print an array. `get` and `create` print an
object for one id or address, and an array otherwise; `delete` and `renew` print
an object for one id. A line of `-o jsonl` is one of these objects, and `-o yaml`
has the shape of `-o json`. Later versions may add properties, and remove none.")]
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
    /// What `get` prints.
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
    /// What `doctor` prints.
    Doctor,
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
        Document::Get => one_or_many::<InvitationRecord>(),
        Document::Create => one_or_many::<CreatedRecord>(),
        Document::Delete => one_or_many::<DeletedRecord>(),
        Document::Renew => one_or_many::<RenewedRecord>(),
        Document::Plan => schema_for!(Vec<StepRecord>).to_value(),
        Document::Apply => schema_for!(Vec<OutcomeRecord>).to_value(),
        Document::Export => schema_for!(Vec<ExportRecord>).to_value(),
        Document::Who => schema_for!(Vec<PersonRecord>).to_value(),
        Document::Members => one_or_many::<MemberRecord>(),
        Document::SetRoles => one_or_many::<RoleChangeRecord>(),
        Document::Roles => schema_for!(Vec<RoleRecord>).to_value(),
        Document::Doctor => schema_for!(DoctorReport).to_value(),
        Document::Config => config_schema(),
    };
    Ok(out.document(&schema)?)
}

/// The schema of a record or an array of records.
fn one_or_many<R: JsonSchema>() -> Value {
    let mut schema = schema_for!(Vec<R>);
    let item = schema.remove("items").unwrap_or_default();
    for keyword in ["type", "title"] {
        schema.remove(keyword);
    }
    let array = json!({ "type": "array", "items": item });
    schema.insert("anyOf".to_owned(), json!([item, array]));
    Schema::to_value(schema)
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
            "default_profile": {
                "type": "string",
                "description": "The profile that is used if none is selected."
            },
            "profiles": { "type": "object", "additionalProperties": { "anyOf": profiles } }
        },
        "$defs": definitions
    })
}
