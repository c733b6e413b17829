//! The traits can be mocked by `mockall`.

use std::fmt;

use async_trait::async_trait;
use mockall::{mock, predicate::eq};
use org_invitations::{
    Capabilities, Error, ErrorKind, Invitation, InvitationId, InvitationProvider,
    InvitationProviderExt, ListQuery, NewInvitation, Operation, Page, PageToken, Result,
};

mock! {
    #[derive(Debug)]
    Provider {}

    #[async_trait]
    impl InvitationProvider for Provider {
        fn capabilities(&self) -> Capabilities;
        async fn create(&self, new: NewInvitation) -> Result<Invitation>;
        async fn get(&self, id: &InvitationId) -> Result<Invitation>;
        async fn list_page<'mock, 'query, 'token>(
            &'mock self,
            query: &'query ListQuery,
            token: Option<&'token PageToken>,
        ) -> Result<Page>;
        async fn delete(&self, id: &InvitationId) -> Result<()>;
    }
}

impl fmt::Display for MockProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("mock")
    }
}

fn ann() -> Invitation {
    Invitation::new(InvitationId::new("i-1").unwrap(), "ann@example.com")
}

#[tokio::test]
async fn expectations_answer_the_calls() {
    let mut provider = MockProvider::new();
    provider
        .expect_create()
        .with(eq(NewInvitation::new("ann@example.com")))
        .once()
        .returning(|_| {
            let error = Error::new(ErrorKind::AlreadyExists, Operation::Create, "invited");
            Err(error.with_conflicting_id(ann().id))
        });
    provider
        .expect_get()
        .withf(|id| id == "i-1")
        .once()
        .returning(|_| Ok(ann()));
    // What follows from the trait works on the mock.
    let found = provider
        .get_or_create(NewInvitation::new("ann@example.com"))
        .await;
    assert_eq!(found.unwrap(), ann());
}

#[tokio::test]
async fn a_mock_has_pages_and_can_be_shared() {
    let mut provider = MockProvider::new();
    provider
        .expect_capabilities()
        .returning(Capabilities::default);
    provider.expect_list_page().times(2).returning(|_, token| {
        let next = token.is_none().then(|| PageToken::new("2"));
        Ok(Page::new(vec![Ok(ann())], next))
    });
    let provider: std::sync::Arc<dyn InvitationProvider> = std::sync::Arc::new(provider);
    assert!(!provider.capabilities().roles);
    let all: Vec<_> = futures::StreamExt::collect(provider.into_list(ListQuery::new())).await;
    assert_eq!(all.len(), 2);
}
