//! `sandbox`: serve both vendors' APIs, and drive a sandbox that runs.

mod client;
mod control;
mod detach;
mod environment;
mod faults;
mod serve;

use std::{ffi::OsString, io::Write};

use clap::{Args, Subcommand};
use org_invitations_sandbox::Provider;

use self::{client::Target, control::AcceptArgs, faults::FaultsArgs, serve::ServeArgs};
use crate::{
    cli::{GlobalOptions, ProviderName},
    failure::Failure,
    interrupt::Interrupt,
    output::Output,
};

#[derive(Args, Debug)]
#[command(after_help = SANDBOX_HELP, args_conflicts_with_subcommands = true)]
pub(crate) struct SandboxArgs {
    #[command(subcommand)]
    pub command: Option<SandboxCommand>,
    #[command(flatten)]
    pub serve: ServeArgs,
    /// Serve in the background: return once the sandbox listens. `sandbox stop` ends it.
    #[arg(long)]
    pub detach: bool,
    /// Print the URLs and credentials of the running sandbox, with --detach of the new one, as lines
    /// for `eval` in a shell.
    #[arg(long)]
    pub export_env: bool,
    /// The running sandbox for --export-env. Default: that of ORG_INVITATIONS_SANDBOX_URL, or else
    /// http://127.0.0.1:8787.
    #[arg(
        long,
        value_name = "URL",
        requires = "export_env",
        conflicts_with = "detach"
    )]
    pub url: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SandboxCommand {
    /// Accept invitations, as the invitees would.
    #[command(after_help = "\
Examples:
  org-invitations sandbox accept ann@example.com bob@example.com
  org-invitations -p clickhouse sandbox accept ann@example.com

Without --provider the command accepts at both APIs, wherever the address has an
open invitation.")]
    Accept(AcceptArgs),
    /// Show the sandbox's clock, or advance it.
    #[command(after_help = "\
Examples:
  org-invitations sandbox clock          # what time it is there
  org-invitations sandbox clock +8d      # invitations expire after seven days

Only `sandbox reset` sets the clock back.")]
    Clock {
        /// By how much to advance the clock, such as +8d, +36h or +90s.
        #[arg(value_name = "DURATION", value_parser = control::parse_advance)]
        by: Option<u64>,
        #[command(flatten)]
        target: Target,
    },
    /// Go back to the state at the start: people, ledger, faults, limits and clock.
    #[command(after_help = "\
Example:
  org-invitations sandbox reset

The credentials stay.")]
    Reset(Target),
    /// Show, add or clear the faults that requests meet.
    Faults(FaultsArgs),
    /// Stop the sandbox.
    #[command(after_help = "\
Example:
  org-invitations sandbox stop")]
    Stop(Target),
}

const SANDBOX_HELP: &str = "\
Examples:
  org-invitations sandbox
  org-invitations sandbox --listen 127.0.0.1:0 --seed 1000    # any free port
  eval \"$(org-invitations sandbox --detach --export-env --state demo.json)\"
  org-invitations -p confluent create ann@example.com
  org-invitations sandbox accept ann@example.com
  org-invitations sandbox stop

Once the server listens, the command prints one line of JSON with its URL and a
key for each API. Ctrl-C stops it. The page at /_sandbox/ shows people and
requests as they arrive, with switches for faults, limits and the clock;
/_sandbox/openapi.yaml describes how tests do the same over HTTP.

`accept`, `clock`, `reset`, `faults` and `stop` find the running sandbox by --url,
or else by ORG_INVITATIONS_SANDBOX_URL, which --export-env exports. With --export-env
alone, another terminal gets the environment of a sandbox that runs.

With --state, a sandbox that was stopped or killed starts again with the same
people, credentials and clock. --config and the seeds count when the file is new.

A configuration file, with the defaults in the comments:

  seed: 10000            # invitations in the first organisation of each API; none
  seed_members: 500      # members in the first organisation of each API; none
  ledger_limit: 100000   # requests, and changes, that the ledger keeps; 100000
  confluent:             # organisations; one, with a random key
    - id: 11111111-0000-4000-8000-000000000001   # random
      keys:              # rights: admin (the default), inviter, reader, none
        - { api_key: ADMIN, api_secret: s1, access_token: t1, user: u-admin }
        - { api_key: READER, api_secret: s2, rights: reader }
      identity_pools:    # for the token exchange; one, random
        - { id: pool-1, subject_tokens: [a-jwt], rights: inviter }
      sso: true          # whether users sign in through single sign-on; false
      staging_seconds: 60    # how long an invitation is staged before it is sent; 0
      keep_deleted: true     # show deleted invitations as deactivated; false
  clickhouse:
    - id: 22222222-0000-4000-8000-000000000002
      keys: [{ api_key: KEY, api_secret: s3 }]
      custom_roles: [{ id: 33333333-0000-4000-8000-000000000003, name: Auditor }]
  limits: { clickhouse: { requests: 10, window_ms: 10000 } }              # none
  quota: { confluent: { invitations_per_org: 50, status: 402 } }          # none; or 400
  sts: { lifetime_seconds: 60 }                                           # 900
  faults: { script: [{ operation: create, fault: { kind: reset, when: after } }] }   # none";

/// Serves a sandbox, or drives one that runs.
/// Whether the output of this command line is for `eval` in a shell.
pub(crate) fn is_for_eval(mut arguments: impl Iterator<Item = OsString>) -> bool {
    arguments.any(|word| word == "--export-env")
}

/// Makes the `eval` of the output fail. An empty output would succeed, and leave the environment as it is.
pub(crate) fn fail_eval() {
    let mut stdout = std::io::stdout();
    for line in environment::failed_lines() {
        // Nobody reads what cannot be written.
        let _ = writeln!(stdout, "{line}");
    }
}

pub(crate) async fn run(
    global: &GlobalOptions,
    args: SandboxArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let takes_provider = match &args.command {
        Some(SandboxCommand::Accept(_)) => true,
        Some(SandboxCommand::Faults(faults)) => faults.takes_provider(),
        _ => false,
    };
    let mut rejected = global.clone();
    if takes_provider {
        rejected.provider.clear();
    }
    rejected.reject_connection_flags("the command does not connect to an organisation")?;
    let Some(command) = args.command else {
        return serve(&args, interrupt, out).await;
    };
    let work = async {
        match command {
            SandboxCommand::Accept(options) => {
                control::accept(&options, providers(global)?, out).await
            }
            SandboxCommand::Clock { by, target } => control::clock(&target, by, out).await,
            SandboxCommand::Reset(target) => control::reset(&target).await,
            SandboxCommand::Faults(options) => faults::run(options, providers(global)?, out).await,
            SandboxCommand::Stop(target) => control::stop(&target).await,
        }
    };
    interrupt.or_interrupted(work).await
}

async fn serve(args: &SandboxArgs, interrupt: &Interrupt, out: &mut Output) -> Result<(), Failure> {
    if args.detach {
        let ready = interrupt.or_interrupted(detach::start()).await?;
        return print_ready(&ready, args.export_env, out);
    }
    if args.export_env {
        if let Some(option) = args.serve.given() {
            return Err(Failure::Usage(format!(
                "{option} has no effect: --export-env is about a sandbox that runs already; add --detach to start one"
            )));
        }
        let target = Target {
            url: args.url.clone(),
        };
        let client = client::AdminClient::new(&target)?;
        let ready = interrupt.or_interrupted(client.get("credentials")).await?;
        return print_ready(&ready.to_string(), true, out);
    }
    let sandbox = serve::start(&args.serve).await?;
    let ready = serde_json::to_string(sandbox.credentials()).map_err(std::io::Error::from)?;
    print_ready(&ready, false, out)?;
    serve::until_interrupted(sandbox, interrupt).await
}

/// Prints where a sandbox listens, and its credentials, from what it says of itself.
fn print_ready(ready: &str, export_env: bool, out: &mut Output) -> Result<(), Failure> {
    if export_env {
        for line in environment::export_lines(ready)? {
            out.line(&line)?;
        }
    } else {
        out.line(ready)?;
    }
    Ok(out.flush()?)
}

/// The APIs that --provider selects, each once.
fn providers(global: &GlobalOptions) -> Result<Vec<Provider>, Failure> {
    let selected = global.provider.iter().map(|name| match name {
        ProviderName::Confluent => Ok(Provider::Confluent),
        ProviderName::ClickHouse => Ok(Provider::ClickHouse),
        ProviderName::Sandbox => Err(Failure::Usage(
            "--provider sandbox names neither API of a sandbox: use confluent or clickhouse"
                .to_owned(),
        )),
    });
    let mut selected: Vec<Provider> = selected.collect::<Result<_, Failure>>()?;
    selected.sort_by_key(|provider| name(*provider));
    selected.dedup();
    Ok(selected)
}

/// The name of an API, as --provider takes it.
fn name(provider: Provider) -> &'static str {
    match provider {
        Provider::Confluent => "confluent",
        _ => "clickhouse",
    }
}
