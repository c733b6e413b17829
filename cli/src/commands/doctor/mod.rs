//! `doctor`: the resolved configuration with the source of each value, and checks of each provider.

mod checks;
mod report;

use org_invitations::ProviderKind;

pub(crate) use self::report::DoctorReport;
use self::{
    checks::Checks,
    report::{DocumentReport, FileReport, ProviderReport, ValueReport},
};
use crate::{
    cli::GlobalOptions,
    config::{self, Selected, Selection},
    failure::{Exit, Failure},
    interrupt::Interrupt,
    output::{Format, Output},
};

pub(crate) const EXAMPLES: &str = "\
Examples:
  org-invitations doctor                    # every configured provider
  org-invitations --profile prod doctor -o json

Shows every value of the configured or selected providers, with its source and
the sources that it overrides. Then it checks that the server can be reached (a
request without credentials), how far the clocks differ, and that the credential
may list invitations (a page of one). Secrets are never shown.

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
        Format::Table => report.show(out)?,
        Format::Csv => {
            let message = "`doctor` prints a table, json, jsonl or yaml".to_owned();
            return Err(Failure::Usage(message));
        }
        _ => out.document(&report)?,
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
    let mut exit_code: Option<Exit> = None;
    let mut providers = Vec::new();
    for selected in &selected {
        let Selected::Vendor {
            kind,
            profile,
            source,
        } = selected
        else {
            let message =
                "the sandbox has no configuration to check: `org-invitations demo` shows it";
            return Err(Failure::Usage(message.to_owned()));
        };
        let (report, exit) =
            provider(selection, *kind, profile.as_deref(), source, asked_for).await?;
        providers.extend(report);
        exit_code = more_severe(exit_code, exit);
    }
    if providers.is_empty() {
        let none = "no provider is configured: there is no profile, and none of the variables that \
                    `org-invitations --help` describes\nhint: `org-invitations -p confluent doctor` or \
                    `-p clickhouse doctor` tells what one provider needs; `org-invitations demo` needs \
                    no account";
        return Err(Failure::Usage(none.to_owned()));
    }
    let report = DoctorReport {
        config_file: FileReport::new(selection),
        documents: DocumentReport::all(),
        providers,
    };
    Ok((report, exit_code))
}

async fn provider(
    selection: &Selection,
    kind: ProviderKind,
    profile: Option<&str>,
    source: &str,
    asked_for: bool,
) -> Result<(Option<ProviderReport>, Option<Exit>), Failure> {
    let resolved = selection.resolve(kind, profile)?;
    if resolved.is_empty() && !asked_for {
        return Ok((None, None));
    }
    let mut checks = Checks::default();
    checks.run(&resolved).await;
    let values = resolved.values.iter().map(ValueReport::new).collect();
    let report = ProviderReport {
        provider: kind.to_string(),
        chosen_by: source.to_owned(),
        profile: profile.map(str::to_owned),
        values,
        checks: checks.done,
    };
    Ok((Some(report), checks.exit))
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
