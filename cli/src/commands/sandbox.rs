//! `sandbox`: both vendors' APIs, served until Ctrl-C.

use std::{io::Write, net::SocketAddr};

use clap::Args;
use org_invitations_sandbox::Sandbox;

use crate::{failure::Failure, interrupt::Interrupt, output::Output};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations sandbox
  org-invitations sandbox --listen 127.0.0.1:0     # any free port

Prints one line of JSON with the address and the credentials, and serves until
Ctrl-C.")]
pub(crate) struct SandboxOptions {
    /// The loopback address to listen on; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    pub listen: SocketAddr,
}

/// Prints one line of JSON with the address and the credentials once it is listening.
pub(crate) async fn run(
    options: &SandboxOptions,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let sandbox = Sandbox::builder()
        .listen(options.listen)
        .start()
        .await
        .map_err(|error| Failure::Usage(format!("cannot listen on {}: {error}", options.listen)))?;
    out.line(&serde_json::to_string(sandbox.credentials()).map_err(std::io::Error::from)?)?;
    out.flush()?;
    let served = sandbox.serve_until(interrupt.times(1)).await;
    served.map_err(|error| Failure::Other(format!("the sandbox failed: {error}")))
}
