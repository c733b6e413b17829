//! Reading long lists: `cargo run --example paging`.

use futures::TryStreamExt;
use org_invitations::{
    Confluent, InvitationProvider, InvitationProviderExt, InvitationStatus, ListQuery,
    NewInvitation,
};
use org_invitations_sandbox::Sandbox;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let key = &sandbox.credentials().confluent;
    let provider = Confluent::builder()
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url())
        .build()?;
    for number in 0..25 {
        provider
            .create(NewInvitation::new(format!("user{number}@example.com")))
            .await?;
    }

    // All of them: the stream fetches page after page. An error is never mistaken for the end.
    let query = ListQuery::new()
        .status(InvitationStatus::Sent)
        .page_size(10);
    let all: Vec<_> = provider.list(query.clone()).try_collect().await?;
    println!("{} invitations", all.len());
    assert_eq!(all.len(), 25);

    // Page by page, for a program that stops and goes on later: keep the token.
    let first = provider.list_page(&query, None).await?;
    let token = first.next.expect("25 do not fit on a page of 10");
    let second = provider.list_page(&query, Some(&token)).await?;
    println!(
        "{} of {:?} on the first page",
        first.items.len(),
        first.total
    );
    println!("{} on the second page", second.items.len());
    assert_eq!((first.items.len(), second.items.len()), (10, 10));
    Ok(())
}
