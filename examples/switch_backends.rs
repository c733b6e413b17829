//! One program, either backend: `cargo run --example switch_backends`.
//!
//! The program reads a configuration and does not know which vendor it names. Here it is run twice,
//! against the sandbox, with the two configurations an administrator would write.

use org_invitations::{InvitationProvider, NewInvitation, ProviderConfig};
use org_invitations_sandbox::Sandbox;
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let (confluent, clickhouse) = (
        &sandbox.credentials().confluent,
        &sandbox.credentials().clickhouse,
    );
    let files = [
        json!({
            "provider": "confluent",
            "api_key": confluent.api_key,
            "api_secret": confluent.api_secret,
            "base_url": sandbox.url(),
        }),
        json!({
            "provider": "clickhouse",
            "organization_id": clickhouse.organization_id,
            "api_key": clickhouse.api_key,
            "api_secret": clickhouse.api_secret,
            "base_url": sandbox.url(),
        }),
    ];
    for file in files {
        let config: ProviderConfig = serde_json::from_value(file)?;
        onboard(&*config.build()?, "ann@example.com").await?;
    }
    assert_eq!(sandbox.ledger().commits.len(), 2);
    Ok(())
}

/// The program: the same for every provider, down to the last line.
async fn onboard(provider: &dyn InvitationProvider, email: &str) -> org_invitations::Result<()> {
    let invitation = provider.create(NewInvitation::new(email)).await?;
    let until = invitation
        .expires_at
        .map_or_else(|| "-".to_owned(), |time| time.to_rfc2822());
    println!(
        "{provider}: invited {email} as {}, acceptable until {until}",
        invitation.id
    );
    Ok(())
}
