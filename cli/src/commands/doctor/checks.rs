//! The checks of one provider: configuration, reachability, clock, credential.

use std::{
    error::Error as _,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use org_invitations::{ListQuery, ProviderKind};

use super::report::{CheckReport, Verdict};
use crate::{
    config::{ResolvedConfig, redacted_url},
    failure::{Exit, Failure},
    output::escape_control,
    provider,
};

/// What was checked so far.
#[derive(Debug, Default)]
pub(super) struct Checks {
    pub done: Vec<CheckReport>,
    /// The exit code for what failed first.
    pub exit: Option<Exit>,
}

/// How far the clocks may be apart: more, and expiry is told wrongly, and tokens are refused.
const TOLERABLE: TimeDelta = TimeDelta::seconds(30);
const TIMEOUT: Duration = Duration::from_secs(10);

impl Checks {
    /// Runs them all, as far as each makes sense after those before.
    pub async fn run(&mut self, layers: &ResolvedConfig) {
        let built = provider::build_with_client(layers);
        let (context, client) = match built {
            Ok(built) => built,
            Err(failure) => {
                self.fail("configuration", &failure);
                for check in ["reachability", "clock", "credential"] {
                    self.add(check, Verdict::Skipped, "the configuration is wrong");
                }
                return;
            }
        };
        if layers.warnings.is_empty() {
            self.add("configuration", Verdict::Ok, "complete");
        } else {
            self.add(
                "configuration",
                Verdict::Warning,
                &layers.warnings.join("; "),
            );
        }
        if !self.reach(layers, &client).await {
            let detail = "the server does not answer";
            return self.add("credential", Verdict::Skipped, detail);
        }
        match context
            .list_page(&ListQuery::new().page_size(1), None)
            .await
        {
            Ok(page) => {
                let total = page.total.map(|total| format!(", {total} in all"));
                let detail = format!("it may list invitations{}", total.unwrap_or_default());
                self.add("credential", Verdict::Ok, &detail);
            }
            Err(error) => self.fail("credential", &error.into()),
        }
    }

    /// Asks without credentials: any answer at all will do, and tells the server's time.
    async fn reach(&mut self, layers: &ResolvedConfig, client: &reqwest::Client) -> bool {
        let url = layers.base_url().unwrap_or(match layers.kind {
            ProviderKind::ClickHouse => "https://api.clickhouse.cloud",
            _ => "https://api.confluent.cloud",
        });
        let (sent, start) = (Utc::now(), Instant::now());
        let answer = client.get(url).timeout(TIMEOUT).send().await;
        let received = Utc::now();
        match answer {
            Ok(answer) => {
                let (status, elapsed) = (answer.status().as_u16(), start.elapsed().as_millis());
                let detail = format!("{} answers in {elapsed} ms (status {status})", shown(url));
                self.add("reachability", Verdict::Ok, &detail);
                let date = answer.headers().get(reqwest::header::DATE);
                self.clock(date.and_then(|date| date.to_str().ok()), sent, received);
            }
            Err(error) => {
                let error = error.without_url();
                let mut why = error.to_string();
                let mut below = error.source();
                while let Some(error) = below {
                    why = format!("{why}: {error}");
                    below = error.source();
                }
                let detail = format!("{} does not answer: {why}", shown(url));
                self.add("reachability", Verdict::Failed, &detail);
                self.exit.get_or_insert(Exit::Failed);
                self.add("clock", Verdict::Skipped, "there was no answer");
                return false;
            }
        }
        true
    }

    fn clock(&mut self, date: Option<&str>, sent: DateTime<Utc>, received: DateTime<Utc>) {
        let date = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        let Some(date) = date.map(|date| date.to_utc()) else {
            let detail = "the server did not tell its time";
            return self.add("clock", Verdict::Warning, detail);
        };
        // The header has whole seconds, and was written between the two times.
        let (least, most) = (date - received, date - sent + TimeDelta::seconds(1));
        let off = if least > TimeDelta::zero() {
            least
        } else if most < TimeDelta::zero() {
            -most
        } else {
            return self.add(
                "clock",
                Verdict::Ok,
                "agrees with the server's, to the second",
            );
        };
        let direction = if least > TimeDelta::zero() {
            "behind"
        } else {
            "ahead of"
        };
        let length =
            humantime::format_duration(Duration::from_secs(off.num_seconds().unsigned_abs()));
        let detail = format!("this machine's clock is {length} {direction} the server's");
        if off > TOLERABLE {
            let detail = format!("{detail}; set it right, or expiry is told wrongly");
            return self.add("clock", Verdict::Warning, &detail);
        }
        self.add("clock", Verdict::Ok, &detail);
    }

    fn add(&mut self, check: &str, outcome: Verdict, detail: &str) {
        self.done.push(CheckReport {
            check: check.to_owned(),
            outcome,
            detail: detail.to_owned(),
        });
    }

    fn fail(&mut self, check: &str, failure: &Failure) {
        self.exit
            .get_or_insert(failure.exit().unwrap_or(Exit::Failed));
        let text = failure.to_string();
        let text = text.trim_start_matches("error: ").replace("\nhint: ", "; ");
        // Whoever reads this is here already.
        let text = text
            .split("; `org-invitations doctor")
            .next()
            .unwrap_or_default();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.add(check, Verdict::Failed, &text);
    }
}

fn shown(url: &str) -> String {
    escape_control(&redacted_url(url)).into_owned()
}
