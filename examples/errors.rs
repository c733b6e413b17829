//! What can go wrong, and what to do about it: `cargo run --example errors`.

use org_invitations::{
    ClickHouse, Error, ErrorKind, InvitationId, InvitationProvider, InvitationProviderExt,
    ListQuery, NewInvitation,
};
use org_invitations_sandbox::Sandbox;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let key = &sandbox.credentials().clickhouse;
    let provider = ClickHouse::builder(&key.organization_id)
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url())
        .build()?;
    let ann = provider
        .create(NewInvitation::new("ann@example.com"))
        .await?;

    // Refused by the server: the kind decides, the rest is for people and support.
    let again = provider.create(NewInvitation::new("ann@example.com")).await;
    explain(&again.expect_err("ann is invited already"));

    // Refused before anything is sent, because this provider has no such filter.
    let unsupported = provider
        .list_page(&ListQuery::new().creator("u-1"), None)
        .await;
    explain(&unsupported.expect_err("there is no such filter"));

    // Refused when the value is made: it could have reached another resource.
    explain(&InvitationId::new("../members/u1").expect_err("that is a path"));

    // The idempotent forms do not see repetition as an error.
    let same = provider
        .get_or_create(NewInvitation::new("ann@example.com"))
        .await?;
    assert_eq!(same.id, ann.id);
    assert!(provider.delete_if_exists(&ann.id).await?);
    assert!(!provider.delete_if_exists(&ann.id).await?);
    Ok(())
}

fn explain(error: &Error) {
    println!("{error}");
    let advice = match error.kind() {
        ErrorKind::AlreadyExists => "nothing to do",
        ErrorKind::Unsupported => "leave the option out, or ask `capabilities` first",
        ErrorKind::InvalidInput => "mend the input",
        _ if error.may_have_executed() => "look before repeating it",
        _ => "repeat it later",
    };
    println!("  request id {:?}, so: {advice}", error.request_id());
}
