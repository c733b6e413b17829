//! Commands that do with a running sandbox what invitees and time do.

use std::{fmt::Write as _, time::Duration};

use chrono::{DateTime, Utc};
use clap::Args;
use org_invitations_sandbox::Provider;
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::client::{AdminClient, CallError, Target};
use crate::{
    failure::{Exit, Failure},
    output::{Format, Output, Record, escape_control, format_time},
};

#[derive(Args, Debug)]
pub(crate) struct AcceptArgs {
    /// The addresses of the invitees.
    #[arg(value_name = "EMAIL", required = true)]
    pub emails: Vec<String>,
    #[command(flatten)]
    pub target: Target,
}

/// An invitation that was accepted.
#[derive(Serialize)]
struct AcceptedRecord<'a> {
    provider: Provider,
    id: String,
    email: &'a str,
}

impl Record for AcceptedRecord<'_> {
    const TABLE: &'static [&'static str] = &["PROVIDER", "ID", "EMAIL"];
    const CSV: &'static [&'static str] = &["provider", "id", "email"];

    fn line(&self) -> Vec<String> {
        let provider = super::name(self.provider).to_owned();
        vec![provider, self.id.clone(), self.email.to_owned()]
    }
}

/// Accepts the open invitations of the addresses, at both APIs unless some are named.
pub(super) async fn accept(
    args: &AcceptArgs,
    mut providers: Vec<Provider>,
    out: &mut Output,
) -> Result<(), Failure> {
    if providers.is_empty() {
        providers = vec![Provider::Confluent, Provider::ClickHouse];
    }
    let client = AdminClient::new(&args.target)?;
    let mut records = out.records();
    let mut exit = None;
    for email in &args.emails {
        let mut refusals = Vec::new();
        let mut is_accepted = false;
        for provider in &providers {
            let body = json!({ "provider": provider, "email": email });
            match client.call(Method::POST, "accept", Some(&body)).await {
                Ok(accepted) => {
                    is_accepted = true;
                    let id = accepted["id"].as_str().unwrap_or_default().to_owned();
                    let provider = *provider;
                    records.push(&AcceptedRecord {
                        provider,
                        id,
                        email,
                    })?;
                }
                Err(CallError::Refused(status, message)) => {
                    refusals.push((*provider, status, message));
                }
                Err(CallError::Failed(failure)) => return Err(failure),
            }
        }
        if is_accepted {
            continue;
        }
        // An invitation that cannot be accepted says more than none at the other API.
        let is_missing = |status: &StatusCode| *status == StatusCode::NOT_FOUND;
        let is_missing_everywhere = refusals.iter().all(|(_, status, _)| is_missing(status));
        refusals.retain(|(_, status, _)| is_missing_everywhere || !is_missing(status));
        let mut text = format!("error: cannot accept {}", escape_control(email));
        for (provider, _, message) in &refusals {
            let _ = write!(text, "\n  {}: {message}", super::name(*provider));
        }
        eprintln!("{text}");
        exit = Some(match exit {
            None if is_missing_everywhere => Exit::NotFound,
            Some(Exit::NotFound) if is_missing_everywhere => Exit::NotFound,
            _ => Exit::Failed,
        });
    }
    records.finish_after(exit.map_or(Ok(()), |exit| Err(Failure::AlreadyReported(exit))))
}

/// Parses a duration with or without a plus, into whole seconds.
pub(super) fn parse_advance(word: &str) -> Result<u64, String> {
    let duration = humantime::parse_duration(word.trim_start_matches('+'));
    let duration =
        duration.map_err(|_| "expected a duration such as +8d, +36h or +90s".to_owned())?;
    match duration.as_secs() {
        0 => Err("the clock advances by one second at least".to_owned()),
        seconds => Ok(seconds),
    }
}

/// Shows the clock, after it was advanced.
pub(super) async fn clock(
    target: &Target,
    by: Option<u64>,
    out: &mut Output,
) -> Result<(), Failure> {
    let client = AdminClient::new(target)?;
    let clock = match by {
        None => client.get("clock").await?,
        Some(seconds) => {
            let body = json!({ "advance_seconds": seconds });
            client.call(Method::POST, "clock", Some(&body)).await?
        }
    };
    let clock: ClockRecord = serde_json::from_value(clock).map_err(|error| {
        let url = client.url();
        Failure::Other(format!(
            "cannot read the clock of the sandbox at {url}: {error}"
        ))
    })?;
    if out.format() == Format::Table {
        let [now, ahead] = [format_time(&clock.now), clock.ahead()];
        return Ok(out.line(&format!("{now}, {ahead}"))?);
    }
    let mut records = out.records();
    records.push(&clock)?;
    records.finish_after(Ok(()))
}

/// The sandbox's time.
#[derive(Deserialize, Serialize)]
struct ClockRecord {
    now: DateTime<Utc>,
    advanced_seconds: u64,
}

impl ClockRecord {
    /// How far it is ahead, in words.
    fn ahead(&self) -> String {
        match self.advanced_seconds {
            0 => "as on its machine".to_owned(),
            seconds => {
                let ahead = humantime::format_duration(Duration::from_secs(seconds)).to_string();
                // `8days 1h` reads better as `8 days 1 h`.
                let spaced = ahead.split(' ').map(|part| {
                    let unit = part.find(char::is_alphabetic).unwrap_or_default();
                    let (number, unit) = part.split_at(unit);
                    format!("{number} {unit}")
                });
                let words = spaced.collect::<Vec<_>>().join(" ");
                format!("{words} ahead of its machine")
            }
        }
    }
}

impl Record for ClockRecord {
    const TABLE: &'static [&'static str] = &["NOW", "ADVANCED SECONDS"];
    const CSV: &'static [&'static str] = &["now", "advanced_seconds"];

    fn line(&self) -> Vec<String> {
        vec![self.now.to_rfc3339(), self.advanced_seconds.to_string()]
    }
}

/// Goes back to the state at the start.
pub(super) async fn reset(target: &Target) -> Result<(), Failure> {
    let client = AdminClient::new(target)?;
    client.call(Method::POST, "reset", None).await?;
    eprintln!("the sandbox at {} is as it was at the start", client.url());
    Ok(())
}

/// Stops the sandbox, and returns once it answers no more.
pub(super) async fn stop(target: &Target) -> Result<(), Failure> {
    let client = AdminClient::new(target)?;
    client.call(Method::POST, "stop", None).await?;
    // Pending answers have a second.
    for _ in 0..100 {
        if client.get("status").await.is_err() {
            eprintln!("the sandbox at {} has stopped", client.url());
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(Failure::Other(format!(
        "the sandbox at {} still answers, although it was told to stop",
        client.url()
    )))
}
