//! `sandbox`: serve both vendors' APIs until Ctrl-C.

use std::{
    fmt::Display,
    fs,
    io::{ErrorKind, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::Args;
use org_invitations_sandbox::{Config, Sandbox};

use crate::{failure::Failure, interrupt::Interrupt, output::Output};

#[derive(Args, Debug)]
#[command(after_help = SANDBOX_CONFIG)]
pub(crate) struct SandboxArgs {
    /// The address to listen on; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    pub listen: SocketAddr,
    /// Allow an address that other machines can reach. Nothing under /_sandbox/ requires credentials.
    #[arg(long)]
    pub allow_remote: bool,
    /// The number of invitations in the first organisation of each API at the start.
    #[arg(long, value_name = "INVITATIONS")]
    pub seed: Option<u64>,
    /// The number of members in the first organisation of each API at the start.
    #[arg(long, value_name = "MEMBERS")]
    pub seed_members: Option<u64>,
    /// How many of the latest requests and changes the ledger keeps. Default: 100000.
    #[arg(long, value_name = "ENTRIES")]
    pub ledger_limit: Option<usize>,
    /// File with organisations, keys and settings in YAML or JSON. Options override it.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

const SANDBOX_CONFIG: &str = "\
Examples:
  org-invitations sandbox
  org-invitations sandbox --listen 127.0.0.1:0 --seed 1000    # any free port

Once the server listens, the command prints one line of JSON with its URL and a
key for each API. Ctrl-C stops it. /_sandbox/openapi.yaml describes how tests
control the server over HTTP.

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

/// The default size of the ledger, about fifty megabytes, for a server that may run for long.
const LEDGER_LIMIT: usize = 100_000;

/// Serves the sandbox. Prints one line of JSON with the address and credentials once it listens.
pub(crate) async fn run(
    args: &SandboxArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut config = args.config.as_deref().map_or(Ok(Config::default()), read)?;
    config.seed = args.seed.unwrap_or(config.seed);
    config.seed_members = args.seed_members.unwrap_or(config.seed_members);
    config.ledger_limit = args
        .ledger_limit
        .or(config.ledger_limit)
        .or(Some(LEDGER_LIMIT));
    let sandbox = Sandbox::builder()
        .listen(args.listen)
        .allow_remote(args.allow_remote)
        .config(config)
        .start()
        .await
        .map_err(|error| {
            let hint = match error.kind() {
                ErrorKind::InvalidInput if !args.listen.ip().is_loopback() => {
                    " (see --allow-remote)"
                }
                _ => "",
            };
            Failure::Usage(format!(
                "cannot start a sandbox on {}: {error}{hint}",
                args.listen
            ))
        })?;
    out.line(&serde_json::to_string(sandbox.credentials()).map_err(std::io::Error::from)?)?;
    out.flush()?;
    let served = sandbox.serve_until(interrupt.signalled(1)).await;
    served.map_err(|error| Failure::Other(format!("the sandbox failed: {error}")))
}

fn read(path: &Path) -> Result<Config, Failure> {
    let failure = |error: &dyn Display| Failure::Usage(format!("{}: {error}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| failure(&error))?;
    serde_norway::from_str(&text).map_err(|error| failure(&error))
}
