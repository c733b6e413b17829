//! The generated clients, as a provider hands them out: behind the same transport.

use std::time::Duration;

use org_invitations::{
    ClickHouse, Confluent, ConfluentBuilder, InvitationProvider, ListQuery, RetryPolicy,
    bindings::{
        self, TransportError, TransportErrorKind,
        confluent::{Error, offers},
    },
};
use serde_json::json;

use crate::{
    backend::{BASIC, Backend, KEY, ORGANIZATION, REQUEST_ID, SECRET},
    raw_http::closed_port,
    support::{Answer, Wire},
};

fn builder(url: impl Into<String>) -> ConfluentBuilder {
    let retry = RetryPolicy::default()
        .initial_delay(Duration::from_millis(1))
        .max_delay(Duration::from_millis(5));
    Confluent::builder()
        .api_key(KEY, SECRET)
        .base_url(url.into())
        .rate_limit(1_000_000, Duration::from_secs(1))
        .retry(retry)
}

fn confluent(wire: &Wire) -> Confluent {
    builder(wire.url()).build().unwrap()
}

fn object() -> Answer {
    Answer::json(200, &Backend::Confluent.object())
}

#[tokio::test]
async fn a_call_is_authenticated_and_decoded() {
    let answer = object().header("X-Request-Id", REQUEST_ID);
    let wire = Wire::always(answer).await;
    let provider = confluent(&wire);
    let request = provider.bindings().get_iam_v2_invitation().id("i-1");
    let invitation = request.send().await.unwrap();
    assert_eq!(invitation.id.as_deref(), Some("i-7od91"));
    assert_eq!(invitation.headers()["x-request-id"], REQUEST_ID);
    let sent = wire.only();
    assert_eq!(sent.path, "/iam/v2/invitations/i-1");
    for (name, expected) in [
        ("authorization", &[BASIC][..]),
        ("accept", &["application/json"]),
        ("api-version", &[]),
    ] {
        assert_eq!(sent.header(name), expected, "{name}");
    }

    let list = json!({ "status": 200, "requestId": REQUEST_ID, "result": [] });
    let wire = Wire::always(Answer::json(200, &list)).await;
    let builder = ClickHouse::builder(ORGANIZATION).api_key(KEY, SECRET);
    let provider = builder.base_url(wire.url()).build().unwrap();
    let request = provider.bindings().invitation_get_list();
    let list = request.organization_id(ORGANIZATION).send().await.unwrap();
    assert_eq!(list.request_id.as_deref(), Some(REQUEST_ID));
    assert_eq!(wire.only().header("authorization"), [BASIC]);
}

#[tokio::test]
async fn only_what_may_be_repeated_is_repeated() {
    let down = || Answer::html(503);
    let wire = Wire::script([down(), down(), object()]).await;
    let provider = confluent(&wire);
    let get = provider.bindings().get_iam_v2_invitation().id("i-1");
    get.send().await.unwrap();
    assert_eq!(wire.seen().len(), 3);

    let wire = Wire::always(down().header("X-Request-Id", REQUEST_ID)).await;
    let provider = confluent(&wire);
    let create = provider.bindings().create_iam_v2_invitation();
    let create = create.body_map(|body| body.email("ann@example.com".to_owned()));
    match create.send().await.unwrap_err() {
        Error::UnexpectedResponse(response) => {
            assert_eq!(response.status(), 503);
            assert_eq!(response.headers()["x-request-id"], REQUEST_ID);
            assert!(response.text().await.unwrap().contains("A gateway"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(wire.only().json(), json!({ "email": "ann@example.com" }));
}

#[tokio::test]
async fn a_failure_that_the_document_describes_is_typed() {
    let wire = Wire::always(Backend::Confluent.refusal(404)).await;
    let provider = confluent(&wire);
    let get = provider.bindings().get_iam_v2_invitation().id("i-1");
    // An older document may describe none.
    let error = get.send().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(404));
    if let Error::ErrorResponse(failure) = error {
        let failure = format!("{failure:?}");
        assert!(
            failure.contains("something about this request"),
            "{failure}"
        );
    }
}

#[tokio::test]
async fn an_id_does_not_lead_out_of_the_path() {
    let wire = Wire::silent().await;
    let provider = confluent(&wire);
    let client = provider.bindings();
    for id in ["", ".", "..", "../users/u-1"] {
        let outcomes = [
            client
                .get_iam_v2_invitation()
                .id(id)
                .send()
                .await
                .map(drop)
                .map_err(|e| format!("{e:?}")),
            client
                .delete_iam_v2_invitation()
                .id(id)
                .send()
                .await
                .map(drop)
                .map_err(|e| format!("{e:?}")),
        ];
        for outcome in outcomes {
            let error = outcome.unwrap_err();
            assert!(
                error.contains("/iam/v2/invitations/{id}"),
                "{id:?}: {error}"
            );
        }
    }
    wire.assert_untouched("an id that leads elsewhere");
}

#[tokio::test]
async fn what_the_document_does_not_offer_is_refused() {
    if offers::LIST_IAM_V2_USERS {
        return;
    }
    let wire = Wire::silent().await;
    let provider = confluent(&wire);
    let users = provider.bindings().list_iam_v2_users().send().await;
    assert!(matches!(users, Err(Error::InvalidRequest(_))), "{users:?}");
    wire.assert_untouched("an operation that is not offered");
}

#[tokio::test]
async fn a_call_without_a_response_says_why() {
    let provider = builder(closed_port()).build().unwrap();
    let get = provider.bindings().get_iam_v2_invitation().id("i-1");
    let error = get.send().await.unwrap_err();
    let error = TransportError::find(&error).unwrap();
    assert_eq!(error.kind(), TransportErrorKind::Connect);
    assert_eq!((error.attempts(), error.may_have_executed()), (5, false));
}

#[tokio::test]
async fn the_rate_limit_is_that_of_the_provider() {
    let wire = Wire::always(object()).await;
    let retry = RetryPolicy::default().deadline(Duration::from_millis(500));
    let builder = builder(wire.url()).rate_limit(1, Duration::from_secs(60));
    let provider = builder.retry(retry).build().unwrap();
    provider.get(&Backend::Confluent.id()).await.unwrap();
    let get = provider.bindings().get_iam_v2_invitation().id("i-1");
    let error = get.send().await.unwrap_err();
    let error = TransportError::find(&error).unwrap();
    assert_eq!(error.kind(), TransportErrorKind::RateLimitDeadline);
    wire.only();
}

#[tokio::test]
async fn debug_shows_no_secret() {
    let wire = Wire::silent().await;
    let shown = format!("{:#?}", confluent(&wire).bindings());
    assert!(
        shown.contains("confluent") && !shown.contains(SECRET),
        "{shown}"
    );
    assert!(!shown.contains(BASIC), "{shown}");
}

#[test]
fn every_document_is_named() {
    let documents: Vec<_> = bindings::documents().collect();
    for provider in ["confluent", "clickhouse"] {
        let mut of = documents.iter().filter(|(name, _)| *name == provider);
        assert!(of.next().is_some(), "{documents:?}");
    }
    for (provider, document) in documents {
        assert_eq!(document.sha256.len(), 64, "{provider}: {document:?}");
        assert!(
            !document.title.is_empty() && !document.file.contains('/'),
            "{document:?}"
        );
    }
}

#[tokio::test]
async fn the_facade_and_the_bindings_read_the_same() {
    let list = json!({ "data": [Backend::Confluent.object()], "metadata": { "next": null } });
    let wire = Wire::always(Answer::json(200, &list)).await;
    let provider = confluent(&wire);
    let page = provider.list_page(&ListQuery::new(), None).await.unwrap();
    let list = provider
        .bindings()
        .list_iam_v2_invitations()
        .send()
        .await
        .unwrap();
    let ids = list
        .data
        .iter()
        .flatten()
        .map(|invitation| invitation.id.clone());
    let facade = page
        .items
        .iter()
        .flatten()
        .map(|invitation| Some(invitation.id.to_string()));
    assert!(ids.eq(facade));
}
