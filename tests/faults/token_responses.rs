//! Responses of the token service that hold no valid token, or that echo one.

use std::time::Duration;

use httpmock::MockServer;
use org_invitations::{Confluent, ErrorKind, StsCredentials, SubjectToken};
use org_invitations_sandbox::{Fault, Faults, Operation as Request, Rule, Sandbox};
use serde_json::{Value, json};

use crate::support::{fixed, has_sts, impatient, list, requests, shown, sts};

const SUBJECT: &str =
    "eyJhbGciOiJSUzI1NiJ9-7c1f.eyJzdWIiOiJhbm4ubGVlIn0-7c1f.c2lnbmF0dXJlLW9mLWl0-7c1f";

/// A provider that exchanges its token there.
fn exchanging(server: &MockServer) -> Confluent {
    let token = SubjectToken::Fixed(SUBJECT.into());
    Confluent::builder()
        .sts(StsCredentials::new("pool-1", token))
        .base_url(server.base_url())
        .retry(impatient())
        .build()
        .unwrap()
}

/// A service that answers every exchange with this.
async fn service(status: u16, body: &Value) -> (MockServer, Confluent) {
    let server = MockServer::start_async().await;
    server
        .mock_async(|when, then| {
            when.path("/sts/v1/oauth2/token");
            then.status(status).json_body(body.clone());
        })
        .await;
    let provider = exchanging(&server);
    (server, provider)
}

#[tokio::test]
async fn an_odd_lifetime_is_an_error_or_a_long_one_and_no_panic() {
    if !has_sts() {
        return;
    }
    for lifetime in [
        json!(1e19),
        json!(u64::MAX),
        json!("18446744073709551615"),
        json!("inf"),
        json!("NaN"),
        json!(-1),
        json!(0),
        json!(1e300),
        json!("soon"),
        json!([900]),
        Value::Null,
    ] {
        let body = json!({ "access_token": "access-token-03be", "expires_in": lifetime });
        let (_server, provider) = service(200, &body).await;
        let call = tokio::spawn(async move { list(&provider).await });
        let outcome = call.await;
        assert!(outcome.is_ok(), "it panicked at {lifetime}");
        // The service knows nothing but exchanges.
        let error = outcome.unwrap().unwrap_err();
        assert!(!shown(&error).contains("access-token-03be"), "{error:?}");
    }
}

/// What a service may repeat of the token that it refuses.
fn repetitions() -> Vec<String> {
    let parts: Vec<_> = SUBJECT.split('.').collect();
    let mut all: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
    all.push(SUBJECT.to_owned());
    all.push(SUBJECT.replace('.', "%2E").replace('-', "%2d"));
    all.push(SUBJECT.replace('.', "\\u002e"));
    all.push(format!("{}…", &SUBJECT[..20]));
    all
}

#[tokio::test]
async fn a_token_that_the_service_repeats_is_in_no_error() {
    if !has_sts() {
        return;
    }
    for repeated in repetitions() {
        let said = format!("the token {repeated} is not known");
        for (status, body) in [
            (
                400,
                json!({ "errors": [{ "detail": said, "title": said, "code": said }] }),
            ),
            (401, json!({ "message": said })),
            (403, json!([said])),
            (400, json!({ "error": { "message": said } })),
            (200, json!({ "access_token": said, "expires_in": said })),
        ] {
            let (_server, provider) = service(status, &body).await;
            let error = list(&provider).await.unwrap_err();
            let shown = shown(&error);
            for part in SUBJECT.split('.') {
                let telling = &part[..16];
                assert!(!shown.contains(telling), "{body}: {shown}");
            }
            assert!(status == 200 || shown.contains("[REDACTED]"), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_token_that_comes_back_in_a_header_is_in_no_error() {
    if !has_sts() {
        return;
    }
    for (status, header) in [(401, "WWW-Authenticate"), (302, "Location")] {
        let server = MockServer::start_async().await;
        server
            .mock_async(|when, then| {
                when.any_request();
                let value = format!("/sign-in?was={SUBJECT}");
                then.status(status).header(header, value);
            })
            .await;
        let error = list(&exchanging(&server)).await.unwrap_err();
        let shown = shown(&error);
        assert!(shown.contains("was=[REDACTED]"), "{shown}");
        assert!(!shown.contains(&SUBJECT[..16]), "{shown}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_token_is_an_error_and_nothing_is_sent() {
    if !has_sts() {
        return;
    }
    for (body, why) in [
        (json!({ "expires_in": 900 }), "`access_token`"),
        (
            json!({ "access_token": "", "expires_in": 900 }),
            "`access_token`",
        ),
        (
            json!({ "access_token": "a b", "expires_in": 900 }),
            "`access_token`",
        ),
        (
            json!({ "access_token": "é", "expires_in": 900 }),
            "`access_token`",
        ),
        (json!({ "access_token": "good" }), "`expires_in`"),
        (
            json!({ "access_token": "good", "expires_in": 0 }),
            "`expires_in`",
        ),
        (
            json!({ "access_token": "good", "expires_in": 0.9 }),
            "`expires_in`",
        ),
        (
            json!({ "access_token": "good", "expires_in": -900 }),
            "`expires_in`",
        ),
        (
            json!({ "access_token": "good", "expires_in": "NaN" }),
            "`expires_in`",
        ),
        (json!("good"), "not a JSON object"),
    ] {
        let (server, provider) = service(200, &body).await;
        let invitations = server
            .mock_async(|when, then| {
                when.path_includes("/iam/");
                then.status(200)
                    .json_body(json!({ "data": [], "metadata": {} }));
            })
            .await;
        let error = list(&provider).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}: {error}");
        assert_eq!(error.status(), Some(200), "{body}: {error}");
        assert!(error.message().contains(why), "{body}: {error}");
        assert_eq!(invitations.calls_async().await, 0, "{body}");
    }
}

#[tokio::test]
async fn the_exchange_does_not_wait_for_the_rate_limit_of_the_calls() {
    if !has_sts() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let twice = Rule::new(Fault::status_before(503)).on(Request::Exchange);
    sandbox.set_faults(Faults::script([twice.times(2)]));
    let builder = sts(&sandbox, fixed(&sandbox));
    // One call has room, and a second would wait for longer than it may take.
    let builder = builder.rate_limit(1, Duration::from_secs(86_400));
    list(&builder.build().unwrap()).await.unwrap();
    assert_eq!(requests(&sandbox, "exchange"), 3);
}
