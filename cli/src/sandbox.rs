//! `sandbox`: both vendors' APIs, served until Ctrl-C.

use std::io::Write;

use org_invitations_sandbox::Sandbox;

use crate::{arguments::SandboxOptions, failure::Failure, output::Output};

/// Prints one line of JSON with the address and the credentials once it is listening.
pub(crate) async fn run<W: Write>(
    options: &SandboxOptions,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    let sandbox = Sandbox::builder()
        .listen(options.listen)
        .start()
        .await
        .map_err(|error| Failure::Usage(format!("cannot listen on {}: {error}", options.listen)))?;
    out.line(&serde_json::to_string(sandbox.credentials()).map_err(std::io::Error::from)?)?;
    out.flush()?;
    sandbox.serve_until(stop_signal()).await?;
    Ok(())
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
