//! Serves a sandbox until Ctrl-C: `serve [ADDRESS [INVITATIONS [LEDGER_ENTRIES [MEMBERS]]]]`, on a free loopback port,
//! empty, and with a ledger of 100 000 entries unless told.

use std::net::SocketAddr;

use org_invitations_sandbox::Sandbox;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut builder = Sandbox::builder();
    if let Some(address) = arguments.next() {
        builder = builder.listen(address.parse::<SocketAddr>()?);
    }
    if let Some(invitations) = arguments.next() {
        builder = builder.seed(invitations.parse()?);
    }
    let entries = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    if let Some(members) = arguments.next() {
        builder = builder.seed_members(members.parse()?);
    }
    let sandbox = builder.ledger_limit(entries).start().await?;
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
