//! `doctor`: the resolved configuration with the source of each value, and checks of each provider.

mod checks;
mod report;

use std::ops::ControlFlow;

use org_invitations::ProviderKind;

pub(crate) use self::report::{ProviderReport, ValueReport};
use self::{
    checks::Checks,
    report::{DoctorReport, DocumentReport, FileReport},
};
use crate::{
    bulk::{Results, in_order},
    cli::GlobalOptions,
    config::{self, ResolvedConfig, ResolvedValue, Selected, Selection},
    failure::{Exit, Failure},
    interrupt::Interrupt,
    output::{Format, Output},
    provider::{self, ProviderContext},
};

pub(crate) const EXAMPLES: &str = "\
Examples:
  org-invitations doctor                    # every configured provider
  org-invitations --profile prod doctor -o json
  org-invitations --all-profiles doctor     # what fails, and where

Shows every value of the configured or selected providers, with its source and
the sources that it overrides. Then it checks that the server can be reached (a
request without credentials), how far the clocks differ, that the credential may
list invitations (a page of one), and whether the roles of the key's owner let it
write, where the vendor tells them (Confluent, for API keys). Nothing is changed.
Secrets are never shown, nor the password of a proxy. Of several profiles, the table
has the checks that did not pass; csv and json have every check.

Exit codes: 0 all checks passed, 1 a provider cannot be reached or fails,
2 the configuration is wrong or missing, 3 the credential is rejected.";

pub(crate) async fn run(
    global: &GlobalOptions,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let selection = config::load(global)?;
    let (report, exit) = interrupt.or_interrupted(examine(&selection)).await?;
    match out.format() {
        Format::Table if selection.has_several_profiles() => report.show_problems(out)?,
        Format::Table => report.show(out)?,
        Format::Csv => report.show_checks(selection.has_several_profiles(), out)?,
        _ => out.list(&report.providers)?,
    }
    match exit {
        None => Ok(()),
        Some(exit) => {
            std::io::Write::flush(out)?;
            Err(Failure::AlreadyReported(exit))
        }
    }
}

/// Examines the selected providers. The exit code is that of the most severe failure: a wrong configuration, then a
/// rejected credential, then anything else.
async fn examine(selection: &Selection) -> Result<(DoctorReport, Option<Exit>), Failure> {
    let asked_for = !selection.chosen().is_empty();
    let selected = match asked_for {
        true => selection.chosen().to_vec(),
        false => selection.all_providers()?,
    };
    if selected.contains(&Selected::Sandbox) {
        let message = "the sandbox has no configuration to check: `org-invitations demo` shows it";
        return Err(Failure::Usage(message.to_owned()));
    }
    // Clients are built before the first request: building one takes as long as some requests, and would delay theirs.
    let examined: Vec<Examined> = selected
        .into_iter()
        .filter_map(|selected| Examined::new(selection, selected))
        .filter(|examined| asked_for || !examined.is_unset())
        .collect();
    if examined.is_empty() {
        let none = "no provider is configured: there is no profile, and none of the variables that \
                    `org-invitations --help` describes\nhint: `org-invitations -p confluent doctor` or \
                    `-p clickhouse doctor` tells what one provider needs; `org-invitations demo` needs \
                    no account";
        return Err(Failure::Usage(none.to_owned()));
    }
    let mut exit_code: Option<Exit> = None;
    let mut providers = Vec::new();
    let check = async |examined: Examined, results: Results<_>| {
        results
            .send(examined.check(FileReport::new(selection)).await)
            .await;
    };
    let add = |_, result: Option<(ProviderReport, Option<Exit>)>| {
        if let Some((report, exit)) = result {
            providers.push(report);
            exit_code = more_severe(exit_code, exit);
        }
        Ok(ControlFlow::Continue(()))
    };
    in_order(examined, check, add).await?;
    let config_file = FileReport::new(selection);
    Ok((
        DoctorReport {
            config_file,
            audit_log: selection.audit.setting().cloned(),
            providers,
        },
        exit_code,
    ))
}

/// A provider to examine.
struct Examined {
    kind: ProviderKind,
    profile: Option<String>,
    source: String,
    resolved: Result<(ResolvedConfig, Result<Built, Failure>), Failure>,
}

/// A provider and its HTTP client, with the values in use.
type Built = (ProviderContext, reqwest::Client, Vec<ResolvedValue>);

impl Examined {
    /// Resolves the configuration and builds the provider; `None` for the sandbox.
    fn new(selection: &Selection, selected: Selected) -> Option<Self> {
        let Selected::Vendor {
            kind,
            profile,
            source,
        } = selected
        else {
            return None;
        };
        let resolved = selection.resolve(kind, profile.as_deref());
        let resolved = resolved.map(|resolved| {
            let built = provider::build_with_client(&resolved);
            let built = built.map(|(context, client, config)| {
                let values = resolved.values_in_use(&config);
                (context, client, values)
            });
            (resolved, built)
        });
        Some(Self {
            kind,
            profile,
            source,
            resolved,
        })
    }

    /// Whether nothing configures the provider.
    fn is_unset(&self) -> bool {
        matches!(&self.resolved, Ok((resolved, _)) if resolved.is_empty())
    }

    async fn check(self, config_file: FileReport) -> (ProviderReport, Option<Exit>) {
        let mut checks = Checks::default();
        let mut values = Vec::new();
        match self.resolved {
            Ok((resolved, Ok((context, client, in_use)))) => {
                values.extend(in_use.iter().map(ValueReport::new));
                checks.run(&resolved, &context, &client).await;
            }
            Ok((resolved, Err(failure))) => {
                values.extend(resolved.values.iter().map(ValueReport::new));
                checks.reject_configuration(&failure);
            }
            Err(failure) => checks.reject_configuration(&failure),
        }
        let report = ProviderReport {
            config_file,
            documents: DocumentReport::of(self.kind),
            provider: self.kind.to_string(),
            chosen_by: self.source,
            profile: self.profile,
            values,
            checks: checks.done,
        };
        (report, checks.exit)
    }
}

fn more_severe(one: Option<Exit>, other: Option<Exit>) -> Option<Exit> {
    let rank = |exit: &Option<Exit>| match exit {
        None => 0,
        Some(Exit::Usage) => 3,
        Some(Exit::Authentication) => 2,
        Some(_) => 1,
    };
    if rank(&other) > rank(&one) {
        other
    } else {
        one
    }
}
