//! Serves both vendors' APIs until Ctrl-C, or in the background.

use std::{
    fmt::Display,
    fs,
    io::ErrorKind,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::Args;
use org_invitations_sandbox::{Config, Sandbox};

use crate::{failure::Failure, interrupt::Interrupt};

/// Where the sandbox listens unless told.
pub(super) const DEFAULT_ADDRESS: &str = "127.0.0.1:8787";

/// What is served, and where.
#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// The address to listen on; port 0 picks a free one. Default: 127.0.0.1:8787.
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Allow an address that other machines can reach. Nothing under /_sandbox/ requires credentials.
    #[arg(long)]
    pub allow_remote: bool,
    /// A host name under which /_sandbox/ answers, besides addresses and names without a dot.
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,
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
    /// File for the state: people, credentials, clock. It is written after each change, and read at
    /// the start if it exists.
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
}

impl ServeArgs {
    /// The first option that is given.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            ("--listen", self.listen.is_some()),
            ("--allow-remote", self.allow_remote),
            ("--allow-host", !self.allow_host.is_empty()),
            ("--seed", self.seed.is_some()),
            ("--seed-members", self.seed_members.is_some()),
            ("--ledger-limit", self.ledger_limit.is_some()),
            ("--config", self.config.is_some()),
            ("--state", self.state.is_some()),
        ];
        let mut given = given.into_iter().filter(|(_, is_given)| *is_given);
        given.next().map(|(name, _)| name)
    }
}

/// The default size of the ledger, about fifty megabytes, for a server that may run for long.
const LEDGER_LIMIT: usize = 100_000;

/// Starts the sandbox.
pub(super) async fn start(args: &ServeArgs) -> Result<Sandbox, Failure> {
    let mut config = args.config.as_deref().map_or(Ok(Config::default()), read)?;
    config.seed = args.seed.unwrap_or(config.seed);
    config.seed_members = args.seed_members.unwrap_or(config.seed_members);
    config.ledger_limit = args
        .ledger_limit
        .or(config.ledger_limit)
        .or(Some(LEDGER_LIMIT));
    let default = DEFAULT_ADDRESS.parse().ok();
    let listen = args.listen.or(default);
    let listen = listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
    let mut builder = Sandbox::builder()
        .listen(listen)
        .allow_remote(args.allow_remote)
        .config(config);
    for host in &args.allow_host {
        builder = builder.allow_host(host);
    }
    if let Some(file) = &args.state {
        builder = builder.state_file(file);
    }
    builder.start().await.map_err(|error| {
        let hint = match error.kind() {
            ErrorKind::InvalidInput if !listen.ip().is_loopback() => " (see --allow-remote)",
            ErrorKind::AddrInUse => {
                "\nhint: if a sandbox runs there, `org-invitations sandbox --export-env` prints its \
                 credentials and `org-invitations sandbox stop` stops it; --listen takes another address"
            }
            _ => "",
        };
        Failure::Usage(format!("cannot start a sandbox on {listen}: {error}{hint}"))
    })
}

/// Serves until the first signal.
pub(super) async fn until_interrupted(
    sandbox: Sandbox,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let served = sandbox.serve_until(interrupt.signalled(1)).await;
    served.map_err(|error| Failure::Other(format!("the sandbox failed: {error}")))
}

fn read(path: &Path) -> Result<Config, Failure> {
    let failure = |error: &dyn Display| Failure::Usage(format!("{}: {error}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| failure(&error))?;
    serde_norway::from_str(&text).map_err(|error| failure(&error))
}
