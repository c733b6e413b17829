//! Against a real account: `ORG_INVITATIONS_LIVE=confluent cargo test --test conformance live`, with
//! the vendor's own variables for the credential.
//!
//! It invites addresses at `ORG_INVITATIONS_LIVE_DOMAIN` (default: `example.com`) that no other run
//! uses, and deletes those and nothing else.

use org_invitations::{
    ProviderConfig, ProviderKind,
    conformance::{TestContext, run_all},
};

#[tokio::test]
async fn live() {
    let set = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let Some(name) = set("ORG_INVITATIONS_LIVE") else {
        eprintln!("skipped: ORG_INVITATIONS_LIVE names no provider");
        return;
    };
    let kind: ProviderKind = name.parse().unwrap();
    let provider = ProviderConfig::from_env(kind).unwrap().build().unwrap();
    let mut context = TestContext::new(&provider);
    if let Some(domain) = set("ORG_INVITATIONS_LIVE_DOMAIN") {
        context = context.email_domain(domain);
    }
    let report = run_all(&context).await;
    println!("{report}");
    assert!(report.passed(), "{report}");
}
