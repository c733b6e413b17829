//! The provider against a server of its own: the whole conformance suite, and what is WorkOS's alone.

mod server;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use org_invitations::{
    CreateOutcome, CreateResult, Credentials, ErrorKind, InvitationId, InvitationProvider,
    InvitationProviderExt, InvitationStatus, ListQuery, NewInvitation, RetryPolicy,
    conformance::TestContext,
};
use org_invitations_workos::WorkOs;

use self::server::{API_KEY, Environment, Fault, ORGANIZATION};

async fn start(environment: Environment) -> (Arc<Environment>, WorkOs) {
    let environment = Arc::new(environment);
    let url = environment.serve().await;
    let retry = RetryPolicy::default().initial_delay(Duration::ZERO);
    let connection = WorkOs::connection()
        .credentials(Credentials::bearer(API_KEY))
        .base_url(url.as_str())
        .retry(retry.settle_for(Duration::from_millis(15)));
    let provider = WorkOs::new(ORGANIZATION, connection.build().unwrap()).unwrap();
    (environment, provider)
}

macro_rules! conformance {
    ($($behaviour:ident)*) => {
        /// Each behaviour of the suite as a test of its own.
        mod conformance {
            use super::*;

            $(
                #[tokio::test]
                async fn $behaviour() {
                    let (environment, provider) = start(Environment::default()).await;
                    let context = TestContext::new(&provider)
                        .count_requests(|| environment.requests())
                        .accept(|email| environment.accept(email))
                        .legacy_role(Some("admin"));
                    let outcome = org_invitations::conformance::$behaviour(&context).await;
                    outcome.unwrap_or_else(|violation| panic!("{violation}"));
                }
            )*
        }
    };
}

org_invitations::for_each_behaviour!(conformance);

#[tokio::test]
async fn a_create_whose_answer_is_lost_happens_once() {
    for fault in [Fault::AnswerLost, Fault::NotExecuted] {
        let (environment, provider) = start(Environment::default()).await;
        environment.inject(fault);
        let new = NewInvitation::new("ann@example.com").legacy_role("admin");
        let ann = provider.create(new).await.unwrap();
        assert_eq!(
            (ann.role.as_deref(), ann.is_pending()),
            (Some("admin"), true)
        );
        let changes = environment.changes.load(Ordering::SeqCst);
        assert_eq!(changes, 1, "{fault:?}");
        let all = provider.list_page(&ListQuery::new(), None).await.unwrap();
        assert_eq!(all.items.len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_withdrawal_whose_answer_is_lost_is_repeated() {
    for fault in [Fault::AnswerLost, Fault::NotExecuted] {
        let (environment, provider) = start(Environment::default()).await;
        let ann = provider
            .create(NewInvitation::new("ann@example.com"))
            .await
            .unwrap();
        environment.inject(fault);
        provider.delete(&ann.id).await.unwrap();
        let status = provider.get(&ann.id).await.unwrap().status;
        assert_eq!(status, Some(InvitationStatus::Deactivated), "{fault:?}");
    }
}

#[tokio::test]
async fn an_accepted_invitation_is_not_withdrawn() {
    for meanwhile in [false, true] {
        let (environment, provider) = start(Environment::default()).await;
        let ann = provider
            .create(NewInvitation::new("ann@example.com"))
            .await
            .unwrap();
        match meanwhile {
            true => environment.inject(Fault::AcceptedMeanwhile("ann@example.com")),
            false => environment.accept("ann@example.com"),
        }
        let error = provider.delete(&ann.id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyAccepted, "{error}");
        assert!(!error.may_have_executed(), "{error}");
    }
}

#[tokio::test]
async fn a_member_is_said_to_be_one() {
    let (environment, provider) = start(Environment::default()).await;
    environment.accept("ann@example.com");
    let new = NewInvitation::new("ann@example.com");
    let error = provider.create(new).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(error.code(), Some("user_already_organization_member"));
    assert!(!error.may_have_executed() && error.message().contains("already a member"));
}

#[tokio::test]
async fn other_organisations_are_out_of_reach() {
    for ignores_filters in [false, true] {
        let environment = Environment::default().ignoring_filters(ignores_filters);
        let (environment, provider) = start(environment).await;
        let other = environment.add("org_2", "bob@example.com", None);
        let id = InvitationId::new(other["id"].as_str().unwrap()).unwrap();
        let page = provider.list_page(&ListQuery::new(), None).await.unwrap();
        assert!(page.items.is_empty(), "{page:?}");
        let error = provider.get(&id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(!provider.delete_if_exists(&id).await.unwrap());
        assert_eq!(environment.changes.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn an_invitation_elsewhere_is_not_the_one_asked_for() {
    let (environment, provider) = start(Environment::default()).await;
    environment.inject(Fault::Elsewhere("org_2"));
    let new = NewInvitation::new("ann@example.com");
    let error = provider.create(new).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    assert!(error.may_have_executed() && error.conflicting_id().is_some());
}

#[tokio::test]
async fn a_wrong_url_is_not_a_missing_invitation() {
    let (environment, _) = start(Environment::default()).await;
    let url = format!("{}/v9", environment.serve().await);
    let connection = WorkOs::connection().credentials(Credentials::bearer(API_KEY));
    let connection = connection.base_url(url.as_str()).build().unwrap();
    let provider = WorkOs::new(ORGANIZATION, connection).unwrap();
    let id = InvitationId::new("invitation_0000").unwrap();
    let error = provider.get(&id).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Unexpected, Some(404))
    );
}

#[tokio::test]
async fn an_odd_item_hides_no_other() {
    let (environment, provider) = start(Environment::default()).await;
    for email in ["ann@example.com", "bob@example.com"] {
        environment.add(ORGANIZATION, email, None);
    }
    environment.change(|invitation| {
        if invitation["email"] == "ann@example.com" {
            invitation["expires_at"] = "next week".into();
        }
        // Newer than the document.
        invitation["state"] = "paused".into();
        invitation["team"] = "sales".into();
    });
    let page = provider.list_page(&ListQuery::new(), None).await.unwrap();
    let error = page.items[0].as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    let bob = page.items[1].as_ref().unwrap();
    assert_eq!(
        bob.status.as_ref().map(InvitationStatus::as_str),
        Some("paused")
    );
    assert_eq!(bob.extra["team"], "sales");
}

#[tokio::test]
async fn what_accepts_an_invitation_is_dropped() {
    let (_, provider) = start(Environment::default()).await;
    let ann = provider
        .create(NewInvitation::new("ann@example.com"))
        .await
        .unwrap();
    let shown = format!("{ann:?} {}", serde_json::to_string(&ann).unwrap());
    assert!(
        shown.contains("organization_id") && !shown.contains("token"),
        "{shown}"
    );
}

#[tokio::test]
async fn options_of_the_document_are_sent() {
    let (environment, provider) = start(Environment::default()).await;
    let new = NewInvitation::new("ann@example.com").extra("expires_in_days", 3);
    provider.create(new).await.unwrap();
    let before = environment.requests();
    let new = NewInvitation::new("bob@example.com").extra("department", "sales");
    let error = provider.create(new).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let query = ListQuery::new().extra("organization_id", "org_2");
    let error = provider.list_page(&query, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(environment.requests(), before);
}

#[tokio::test]
async fn bulk_calls_come_with_the_contract() {
    use futures::StreamExt;

    let (environment, provider) = start(Environment::default()).await;
    let people = (0..120).map(|number| NewInvitation::new(format!("p{number}@example.com")));
    let outcomes: Vec<CreateOutcome> = provider
        .create_many(people, Default::default())
        .collect()
        .await;
    let created = |outcome: &&CreateOutcome| matches!(outcome.result, CreateResult::Created(_));
    assert_eq!(outcomes.iter().filter(created).count(), 120);
    // More than one page.
    assert_eq!(provider.list(ListQuery::new()).count().await, 120);
    assert_eq!(environment.changes.load(Ordering::SeqCst), 120);
}

#[test]
fn the_setup_is_checked() {
    let error = WorkOs::connection().build().unwrap_err();
    assert_eq!(
        (error.kind(), error.provider()),
        (ErrorKind::Config, Some("workos"))
    );
    let connection = WorkOs::connection().credentials(Credentials::bearer(API_KEY));
    let connection = connection.build().unwrap();
    let error = WorkOs::new(" ", connection.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let provider = WorkOs::new(ORGANIZATION, connection).unwrap();
    assert!(!format!("{provider:?}").contains(API_KEY));
}
