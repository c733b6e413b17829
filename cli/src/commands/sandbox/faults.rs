//! `sandbox faults`: what requests meet.

use std::num::NonZeroU32;

use clap::{Args, Subcommand};
use org_invitations_sandbox::{Fault, Faults, Operation, Provider, Rule};
use reqwest::Method;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::client::{AdminClient, Target};
use crate::{
    failure::Failure,
    output::{Format, Output, Record},
    suggest::with_suggestion,
};

#[derive(Args, Debug)]
#[command(after_help = LIST_HELP, args_conflicts_with_subcommands = true)]
pub(crate) struct FaultsArgs {
    #[command(subcommand)]
    pub command: Option<FaultsCommand>,
    #[command(flatten)]
    pub target: Target,
}

const LIST_HELP: &str = "\
Examples:
  org-invitations sandbox faults                  # those that have not happened yet
  org-invitations sandbox faults -o json
  org-invitations sandbox faults add reset when=after --on create
  org-invitations sandbox faults clear";

#[derive(Debug, Subcommand)]
pub(crate) enum FaultsCommand {
    /// Add a fault for coming requests, after those that are set.
    #[command(after_help = ADD_HELP)]
    Add(AddArgs),
    /// Remove all faults, lags and the clock's skew.
    #[command(after_help = "\
Example:
  org-invitations sandbox faults clear")]
    Clear(Target),
}

#[derive(Args, Debug)]
pub(crate) struct AddArgs {
    /// The fault.
    #[arg(value_name = "FAULT")]
    pub kind: String,
    /// What the fault has besides its name.
    #[arg(value_name = "NAME=VALUE")]
    pub members: Vec<String>,
    /// Only requests for this operation, such as create, get, list or delete. Default: every one.
    #[arg(long, value_name = "OPERATION")]
    pub on: Option<String>,
    /// The first of these requests to affect, counted from 1.
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    pub nth: NonZeroU32,
    /// How many requests to affect; 0 for all.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub times: u32,
    #[command(flatten)]
    pub target: Target,
}

const ADD_HELP: &str = "\
Examples:
  org-invitations sandbox faults add reset when=after --on create    # the answer is lost
  org-invitations sandbox faults add status status=503 --on list --times 3
  org-invitations -p confluent sandbox faults add rate_limited wait_ms=500

Faults, with what they may have besides their name:
  refuse for_ms                   reset when=before|after       hang when
  slow_body bytes every_ms        truncated_body keep           wrong_length by
  rate_limited headers body wait_ms                             expired_token
  status status when body         locked when                   html_body when
  wrong_content_type content_type                               empty_page
  late_commit delay_ms status     duplicate answer=first|second
  next_repeats                    next_elsewhere origin         next_empty
  next_null                       next_absent                   filters_ignored
  filters_as_prefixes             another_person email          another_id id

Other operations: exchange, list_members, get_member, update_member,
delete_member, list_role_bindings, create_role_binding, get_role_binding,
delete_role_binding, list_api_keys, get_api_key, list_organizations,
get_organization, roles, get_role, list_activities, or an operationId.";

impl FaultsArgs {
    pub fn takes_provider(&self) -> bool {
        matches!(self.command, Some(FaultsCommand::Add(_)))
    }
}

pub(super) async fn run(
    args: FaultsArgs,
    providers: Vec<Provider>,
    out: &mut Output,
) -> Result<(), Failure> {
    match args.command {
        None => list(&args.target, out).await,
        Some(FaultsCommand::Add(options)) => add(&options, &providers).await,
        Some(FaultsCommand::Clear(target)) => {
            let client = AdminClient::new(&target)?;
            client.call(Method::DELETE, "faults", None).await?;
            eprintln!("no fault is set");
            Ok(())
        }
    }
}

/// A fault that has not happened yet.
#[derive(Serialize)]
struct FaultRecord(Rule);

impl Record for FaultRecord {
    const TABLE: &'static [&'static str] = &["FAULT", "OPERATION", "PROVIDER", "NTH", "TIMES"];
    const CSV: &'static [&'static str] = &["fault", "operation", "provider", "nth", "times"];

    fn line(&self) -> Vec<String> {
        let Rule {
            provider,
            operation,
            nth,
            times,
            fault,
            ..
        } = &self.0;
        let any = || "any".to_owned();
        let times = match times {
            0 => "all".to_owned(),
            times => times.to_string(),
        };
        vec![
            describe(fault),
            operation.as_ref().map_or_else(any, word),
            provider.map_or_else(any, |provider| super::name(provider).to_owned()),
            nth.to_string(),
            times,
        ]
    }
}

/// The word that stands for an operation.
fn word(operation: &Operation) -> String {
    let word = serde_json::to_value(operation).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

/// The fault as `add` takes it.
fn describe(fault: &Fault) -> String {
    let fault = serde_json::to_value(fault).unwrap_or_default();
    let mut words = vec![fault["kind"].as_str().unwrap_or_default().to_owned()];
    let members = fault.as_object().into_iter().flatten();
    words.extend(
        members
            .filter(|(name, _)| *name != "kind")
            .map(|(name, value)| match value.as_str() {
                Some(text) => format!("{name}={text}"),
                None => format!("{name}={value}"),
            }),
    );
    words.join(" ")
}

async fn list(target: &Target, out: &mut Output) -> Result<(), Failure> {
    let faults: Faults = decode(AdminClient::new(target)?.get("faults").await?)?;
    if faults.random.is_some() {
        eprintln!("note: faults are also injected at random; the page at /_sandbox/ shows them");
    }
    let has_lags = faults.uniqueness_lag.is_some()
        || faults.list_lag.is_some()
        || faults.binding_lag.is_some();
    if has_lags || faults.clock_skew_seconds != 0 {
        eprintln!("note: lags or a skew of the clock are set; the page at /_sandbox/ shows them");
    }
    if faults.script.is_empty() && out.format() == Format::Table {
        eprintln!("no fault is set");
        return Ok(());
    }
    let mut records = out.records();
    for rule in faults.script {
        records.push(&FaultRecord(rule))?;
    }
    records.finish_after(Ok(()))
}

async fn add(args: &AddArgs, providers: &[Provider]) -> Result<(), Failure> {
    if providers.len() > 1 {
        let message = "a fault is for one API or, without --provider, for both".to_owned();
        return Err(Failure::Usage(message));
    }
    let mut fault = Map::new();
    fault.insert("kind".to_owned(), json!(args.kind));
    for member in &args.members {
        let (name, value) = member.split_once('=').ok_or_else(|| {
            Failure::Usage(format!("{member:?} is not NAME=VALUE, such as when=after"))
        })?;
        fault.insert(name.to_owned(), parse_value(value));
    }
    let rule: Rule = decode(json!({
        "fault": fault,
        "operation": args.on,
        "provider": providers.first(),
        "nth": args.nth,
        "times": args.times,
    }))?;
    let client = AdminClient::new(&args.target)?;
    let mut faults: Faults = decode(client.get("faults").await?)?;
    faults.script.push(rule);
    let body = serde_json::to_value(&faults).map_err(std::io::Error::from)?;
    client.call(Method::PUT, "faults", Some(&body)).await?;
    eprintln!("{} set", count(faults.script.len()));
    Ok(())
}

fn count(faults: usize) -> String {
    match faults {
        1 => "one fault is".to_owned(),
        faults => format!("{faults} faults are"),
    }
}

/// A number, `true`, `false` or other JSON as such, and anything else as text.
fn parse_value(word: &str) -> Value {
    serde_json::from_str(word).unwrap_or_else(|_| json!(word))
}

fn decode<T: DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|error| {
        let message = with_suggestion(&error.to_string());
        Failure::Usage(format!("this is no fault: {message}"))
    })
}
