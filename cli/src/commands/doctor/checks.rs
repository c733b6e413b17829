//! The checks of one provider: configuration, reachability, clock, credential and permission.

use std::{
    error::Error as _,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use org_invitations::ListQuery;

use super::report::{CheckReport, Verdict};
use crate::{
    config::{ResolvedConfig, redacted_url},
    failure::{Exit, Failure},
    output::{escape_control, role_names},
    provider::ProviderContext,
};

/// The checks so far.
#[derive(Debug, Default)]
pub(super) struct Checks {
    pub done: Vec<CheckReport>,
    /// The exit code of the first failure.
    pub exit: Option<Exit>,
}

/// The largest clock skew without a warning. With a larger one, expiry is wrong and servers reject tokens.
const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::seconds(30);
/// The timeout of the reachability check.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The roles with which Confluent lets a user or service account manage the users of an organisation.
const ADMINISTRATORS: [&str; 2] = ["OrganizationAdmin", "AccountAdmin"];

impl Checks {
    /// Runs the checks; those that cannot follow a failed one are skipped.
    pub async fn run(
        &mut self,
        resolved: &ResolvedConfig,
        context: &ProviderContext,
        client: &reqwest::Client,
    ) {
        if resolved.warnings.is_empty() {
            self.add("configuration", Verdict::Ok, "complete");
        } else {
            self.add(
                "configuration",
                Verdict::Warning,
                &resolved.warnings.join("; "),
            );
        }
        if !self.check_reachability(resolved, client).await {
            let detail = "the server does not respond";
            self.add("credential", Verdict::Skipped, detail);
            return self.add("permission", Verdict::Skipped, detail);
        }
        match context
            .list_page(&ListQuery::new().page_size(1), None)
            .await
        {
            Ok(page) => {
                let total = page.total.map(|total| format!(", {total} in all"));
                let detail = format!(
                    "the credential may list invitations{}",
                    total.unwrap_or_default()
                );
                self.add("credential", Verdict::Ok, &detail);
                self.check_permission(context).await;
            }
            Err(error) => {
                self.fail("credential", &error.into());
                self.add("permission", Verdict::Skipped, "the credential failed");
            }
        }
    }

    /// Checks by the roles of the key's owner whether it may write, where the vendor tells them. Roles that the vendor
    /// does not document as those of administrators leave it open, so they are no failure.
    async fn check_permission(&mut self, context: &ProviderContext) {
        let unknown = "not known without writing";
        let roles = match context.key_roles().await {
            Ok(Some(roles)) => roles,
            Ok(None) => {
                let detail =
                    format!("{unknown}: the vendor does not tell what this credential may do");
                return self.add("permission", Verdict::Unknown, &detail);
            }
            Err(error) => {
                let why = error.message();
                let detail =
                    format!("{unknown}: the roles of the key's owner cannot be read: {why}");
                return self.add(
                    "permission",
                    Verdict::Unknown,
                    escape_control(&detail).as_ref(),
                );
            }
        };
        let of_organization = roles.iter().filter(|role| role.scope.is_none());
        let mut names = of_organization.filter_map(|role| role.name.as_deref());
        if let Some(role) = names.find(|name| ADMINISTRATORS.contains(name)) {
            let detail =
                format!("the owner of the key has the role {role}, which may invite and withdraw");
            return self.add("permission", Verdict::Ok, &detail);
        }
        if roles.is_empty() {
            // Whoever may list has roles, so they come from elsewhere, such as a group.
            let detail = format!(
                "{unknown}: the owner of the key has no role of its own, and perhaps those of a group"
            );
            return self.add("permission", Verdict::Unknown, &detail);
        }
        let names = role_names(&roles).join(", ");
        let detail = format!(
            "the owner of the key has only {}; inviting usually needs {}, so a change may be refused",
            escape_control(&names),
            ADMINISTRATORS.join(" or ")
        );
        self.add("permission", Verdict::Warning, &detail);
    }

    /// The configuration is wrong, so that nothing else can be checked.
    pub fn reject_configuration(&mut self, failure: &Failure) {
        self.fail("configuration", failure);
        for check in ["reachability", "clock", "credential", "permission"] {
            self.add(check, Verdict::Skipped, "the configuration is invalid");
        }
    }

    /// Sends a request without credentials. Any response shows that the server is reachable, and has its time.
    async fn check_reachability(
        &mut self,
        resolved: &ResolvedConfig,
        client: &reqwest::Client,
    ) -> bool {
        let url = resolved.base_url();
        let url = url.unwrap_or_else(|| resolved.kind.default_base_url());
        let (sent, start) = (Utc::now(), Instant::now());
        let answer = client.get(url).timeout(TIMEOUT).send().await;
        let received = Utc::now();
        match answer {
            Ok(answer) => {
                let (status, elapsed) = (answer.status().as_u16(), start.elapsed().as_millis());
                let detail = format!(
                    "{} responds in {elapsed} ms (status {status})",
                    display_url(url)
                );
                self.add("reachability", Verdict::Ok, &detail);
                let date = answer.headers().get(reqwest::header::DATE);
                self.check_clock(date.and_then(|date| date.to_str().ok()), sent, received);
            }
            Err(error) => {
                let error = error.without_url();
                let mut why = error.to_string();
                let mut below = error.source();
                while let Some(error) = below {
                    why = format!("{why}: {error}");
                    below = error.source();
                }
                let detail = format!("{} does not respond: {why}", display_url(url));
                self.add("reachability", Verdict::Failed, &detail);
                self.exit.get_or_insert(Exit::Failed);
                self.add("clock", Verdict::Skipped, "there was no response");
                return false;
            }
        }
        true
    }

    fn check_clock(&mut self, date: Option<&str>, sent: DateTime<Utc>, received: DateTime<Utc>) {
        let date = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        let Some(date) = date.map(|date| date.to_utc()) else {
            let detail = "the response has no date";
            return self.add("clock", Verdict::Warning, detail);
        };
        // The header has whole seconds, and the server wrote it between the two times.
        let (least, most) = (date - received, date - sent + TimeDelta::seconds(1));
        let skew = if least > TimeDelta::zero() {
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
            humantime::format_duration(Duration::from_secs(skew.num_seconds().unsigned_abs()));
        let detail = format!("this machine's clock is {length} {direction} the server's");
        if skew > MAX_CLOCK_SKEW {
            let detail = format!("{detail}; correct it, or expiry is computed wrongly");
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
        // The hint to run `doctor` is of no use in its own output.
        let text = text
            .split("; `org-invitations doctor")
            .next()
            .unwrap_or_default();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.add(check, Verdict::Failed, &text);
    }
}

fn display_url(url: &str) -> String {
    escape_control(&redacted_url(url)).into_owned()
}
