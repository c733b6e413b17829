//! Lists of more than one page are read to their end.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use org_invitations::{
    Capabilities, Invitation, InvitationId, InvitationProvider, ListQuery, NewInvitation, Page,
    PageToken, Result,
};
use org_invitations_sandbox::{Fault, Faults, Rule};
use org_invitations_sql::{InvitationsTable, register};

use crate::world::{CONFLUENT, World, users};

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
async fn world() -> World {
    let world = World::seeded(25).await;
    let confluent: Arc<dyn InvitationProvider> = Arc::new(Tens(Arc::clone(&world.confluent)));
    let clickhouse: Arc<dyn InvitationProvider> = Arc::new(Tens(Arc::clone(&world.clickhouse)));
    register(&world.context, "tens", Arc::clone(&confluent)).unwrap();
    let both = [("confluent", confluent), ("clickhouse", clickhouse)];
    let table = InvitationsTable::of_several(both);
    table.register(&world.context, "both_tens").unwrap();
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_five_invitations_are_listed_in_full_with_a_page_size_of_ten() {
    let world = world().await;
    let ran = world.run("SELECT email FROM tens").await;
    assert_eq!(ran.rows(), users(1..=25));
    assert_eq!(
        ran.requests,
        [
            "confluent list page_size=10",
            "confluent list page_token",
            "confluent list page_token"
        ]
    );
    let mut twice = [users(1..=25), users(1..=25)].concat();
    twice.sort();
    assert_eq!(world.rows("SELECT email FROM both_tens").await, twice);
    assert_eq!(world.run("SELECT count(*) FROM tens").await.count(), 25);
}

/// As the vendor's default is, by which StackQL reads ten and stops.
#[tokio::test(flavor = "multi_thread")]
async fn a_filter_goes_along_with_every_page() {
    let world = world().await;
    let ran = world
        .run("SELECT email FROM tens WHERE status = 'sent'")
        .await;
    assert_eq!(ran.rows(), users(1..=25));
    assert_eq!(ran.requests.len(), 3);
    for request in &ran.requests {
        assert!(request.contains("status=INVITE_STATUS_SENT"), "{request}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_pages_in_between_end_nothing() {
    let world = world().await;
    let rule = Rule::new(Fault::EmptyPage).nth(2).times(3);
    world.sandbox.set_faults(Faults::script([rule]));
    let ran = world.run("SELECT email FROM tens").await;
    assert_eq!(ran.rows(), users(1..=25));
    assert_eq!(ran.requests.len(), 6, "{:?}", ran.requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_invitations_are_all_there() {
    let world = World::seeded(1_003).await;
    let ran = world.run(&format!("SELECT email FROM {CONFLUENT}")).await;
    assert_eq!(ran.rows(), users(1..=1_003));
    assert_eq!(ran.requests.len(), 11);
}
