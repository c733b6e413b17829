//! Serves a sandbox until Ctrl-C: `serve [ADDRESS]`, on a free loopback port unless told.

use std::net::SocketAddr;

use org_invitations_sandbox::Sandbox;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut builder = Sandbox::builder();
    if let Some(address) = std::env::args().nth(1) {
        builder = builder.listen(address.parse::<SocketAddr>()?);
    }
    let sandbox = builder.start().await?;
    println!("{}", serde_json::to_string(sandbox.credentials())?);
    let interrupted = async {
        // Without a handler for Ctrl-C there is nothing to wait for but the process being killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    sandbox.serve_until(interrupted).await?;
    Ok(())
}
