//! Lists of more than one page are read to their end.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use org_invitations::{
    Capabilities, Invitation, InvitationId, InvitationProvider, ListQuery, NewInvitation, Page,
    PageToken, Result,
};
use org_invitations_sandbox::{Fault, Faults, Rule};
use org_invitations_sql::{Table, register};

use crate::fixture::{CONFLUENT, Fixture, users};

/// A provider whose pages have ten invitations at most.
#[derive(Debug)]
struct Tens(Arc<dyn InvitationProvider>);

impl fmt::Display for Tens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[async_trait]
impl InvitationProvider for Tens {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn create(&self, new: NewInvitation) -> Result<Invitation> {
        self.0.create(new).await
    }

    async fn get(&self, id: &InvitationId) -> Result<Invitation> {
        self.0.get(id).await
    }

    async fn list_page(&self, query: &ListQuery, token: Option<&PageToken>) -> Result<Page> {
        let size = query.page_size.unwrap_or(10).min(10);
        let query = query.clone().page_size(size);
        self.0.list_page(&query, token).await
    }

    async fn delete(&self, id: &InvitationId) -> Result<()> {
        self.0.delete(id).await
    }
}

/// 25 invitations each, in pages of ten.
async fn fixture() -> Fixture {
    let fixture = Fixture::seeded(25).await;
    let confluent: Arc<dyn InvitationProvider> =
        Arc::new(Tens(Arc::clone(&fixture.confluent) as _));
    let clickhouse: Arc<dyn InvitationProvider> =
        Arc::new(Tens(Arc::clone(&fixture.clickhouse) as _));
    register(&fixture.context, "tens", Arc::clone(&confluent)).unwrap();
    let both = [("confluent", confluent), ("clickhouse", clickhouse)];
    let table = Table::union_of(both.map(|(name, provider)| (name, Table::invitations(provider))));
    table.register(&fixture.context, "both_tens").unwrap();
    fixture
}

#[tokio::test(flavor = "multi_thread")]
async fn all_pages_of_ten_are_read() {
    let fixture = fixture().await;
    let run = fixture.run("SELECT email FROM tens").await;
    assert_eq!(run.rows(), users(1..=25));
    assert_eq!(
        run.requests,
        [
            "confluent list page_size=10",
            "confluent list page_token",
            "confluent list page_token"
        ]
    );
    let mut twice = [users(1..=25), users(1..=25)].concat();
    twice.sort();
    assert_eq!(fixture.rows("SELECT email FROM both_tens").await, twice);
    assert_eq!(fixture.run("SELECT count(*) FROM tens").await.count(), 25);
}

/// As the vendor's default is, by which StackQL reads ten and stops.
#[tokio::test(flavor = "multi_thread")]
async fn a_filter_goes_along_with_every_page() {
    let fixture = fixture().await;
    let run = fixture
        .run("SELECT email FROM tens WHERE status = 'sent'")
        .await;
    assert_eq!(run.rows(), users(1..=25));
    assert_eq!(run.requests.len(), 3);
    for request in &run.requests {
        assert!(request.contains("status=INVITE_STATUS_SENT"), "{request}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_pages_in_between_end_nothing() {
    let fixture = fixture().await;
    let rule = Rule::new(Fault::EmptyPage).nth(2).times(3);
    fixture.sandbox.set_faults(Faults::script([rule]));
    let run = fixture.run("SELECT email FROM tens").await;
    assert_eq!(run.rows(), users(1..=25));
    assert_eq!(run.requests.len(), 6, "{:?}", run.requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_invitations_are_all_there() {
    let fixture = Fixture::seeded(1_003).await;
    let run = fixture.run(&format!("SELECT email FROM {CONFLUENT}")).await;
    assert_eq!(run.rows(), users(1..=1_003));
    assert_eq!(run.requests.len(), 11);
}
