//! `sandbox`: both vendors' APIs, served until Ctrl-C.

use std::{
    fmt::Display,
    fs,
    io::{ErrorKind, Write},
    path::Path,
};

use org_invitations_sandbox::{Config, Sandbox};

use crate::{arguments::SandboxOptions, failure::Failure, output::Output};

/// How many requests the ledger of a server that may run for long keeps: some fifty megabytes.
const LEDGER_LIMIT: usize = 100_000;

/// Prints one line of JSON with the address and the credentials once it is listening.
pub(crate) async fn run<W: Write>(
    options: &SandboxOptions,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    let mut config = options
        .config
        .as_deref()
        .map_or(Ok(Config::default()), read)?;
    config.seed = options.seed.unwrap_or(config.seed);
    config.ledger_limit = options
        .ledger_limit
        .or(config.ledger_limit)
        .or(Some(LEDGER_LIMIT));
    let sandbox = Sandbox::builder()
        .listen(options.listen)
        .allow_remote(options.allow_remote)
        .config(config)
        .start()
        .await
        .map_err(|error| {
            let hint = match error.kind() {
                ErrorKind::InvalidInput if !options.listen.ip().is_loopback() => {
                    " (see --allow-remote)"
                }
                _ => "",
            };
            Failure::Usage(format!(
                "cannot start a sandbox on {}: {error}{hint}",
                options.listen
            ))
        })?;
    out.line(&serde_json::to_string(sandbox.credentials()).map_err(std::io::Error::from)?)?;
    out.flush()?;
    sandbox.serve_until(stop_signal()).await?;
    Ok(())
}

fn read(path: &Path) -> Result<Config, Failure> {
    let refused = |error: &dyn Display| Failure::Usage(format!("{}: {error}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| refused(&error))?;
    serde_norway::from_str(&text).map_err(|error| refused(&error))
}

/// Ctrl-C, or on Unix a polite kill.
async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}
