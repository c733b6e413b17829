//! When no token can be had, a call fails and nothing is sent in its place.

use std::time::Duration;

use futures::future::join_all;
use httpmock::MockServer;
use org_invitations::{
    Confluent, ConfluentBuilder, ErrorKind, InvitationProvider, NewInvitation, Operation,
    StsCredentials, SubjectToken,
};
use org_invitations_sandbox::{Fault, Faults, Operation as Request, Rule, Sandbox, Sts};
use serde_json::{Value, json};

use crate::support::{fixed, impatient, list, requests, shown, sts};

/// What every token of the sandbox begins with.
const JWT: &str = "eyJ";

/// Makes every exchange from now on go wrong.
fn break_exchanges(sandbox: &Sandbox, fault: Fault) {
    let rule = Rule::new(fault).on(Request::Exchange);
    sandbox.set_faults(Faults::script([rule.always()]));
}

/// Carries a create and a list out and holds what comes of them against what should.
async fn assert_closed(sandbox: &Sandbox, builder: ConfluentBuilder, kind: ErrorKind, case: &str) {
    let builder_shown = format!("{builder:?}");
    let provider = builder.build().unwrap();
    let new = NewInvitation::new("ann@example.com");
    let create = provider.create(new).await.map(drop).unwrap_err();
    let list = list(&provider).await;
    for error in [create, list.map(drop).unwrap_err()] {
        assert_eq!(error.kind(), kind, "{case}: {error}");
        assert_eq!(error.operation(), Operation::Authenticate, "{case}");
        assert_eq!(error.provider(), Some("confluent"), "{case}");
        assert!(!error.may_have_executed(), "{case}: {error}");
        let shown = shown(&error) + &builder_shown + &format!("{provider:?}");
        assert!(!shown.contains(JWT), "{case} shows a token: {shown}");
    }
    let sent = requests(sandbox, "invitation");
    assert_eq!(sent, 0, "{case}: something was sent without a token");
}

#[tokio::test]
async fn a_call_fails_as_its_exchange_does() {
    for (fault, kind) in [
        (Fault::status_before(400), ErrorKind::Unauthenticated),
        (Fault::status_before(401), ErrorKind::Unauthenticated),
        (Fault::status_before(403), ErrorKind::Unauthenticated),
        (Fault::status_before(500), ErrorKind::Unavailable),
        (Fault::status_after(503), ErrorKind::Unavailable),
        (
            Fault::HtmlBody {
                when: Default::default(),
            },
            ErrorKind::Decode,
        ),
        (Fault::status_before(200), ErrorKind::Decode),
        (Fault::truncated_body(), ErrorKind::Transport),
        (Fault::reset_after(), ErrorKind::Transport),
        (Fault::hang(), ErrorKind::Timeout),
    ] {
        let sandbox = Sandbox::start().await.unwrap();
        break_exchanges(&sandbox, fault.clone());
        let builder = sts(&sandbox, fixed(&sandbox)).timeout(Duration::from_millis(150));
        assert_closed(&sandbox, builder, kind, &format!("{fault:?}")).await;
        let exchanges = requests(&sandbox, "exchange");
        assert!(
            (2..=10).contains(&exchanges),
            "{fault:?}: {exchanges} exchanges for two calls"
        );
    }
}

#[tokio::test]
async fn a_wrong_subject_token_or_pool_is_refused() {
    let sandbox = Sandbox::start().await.unwrap();
    let refused = ErrorKind::Unauthenticated;
    let wrong = || SubjectToken::Fixed(format!("{JWT}-of-somebody-else").into());
    assert_closed(&sandbox, sts(&sandbox, wrong()), refused, "wrong token").await;
    let pool = StsCredentials::new("pool-nobody", fixed(&sandbox));
    let builder = sts(&sandbox, wrong()).sts(pool);
    assert_closed(&sandbox, builder, refused, "wrong pool").await;
}

#[tokio::test]
#[ignore = "open: failures of the exchange are not shared yet, nor its refusals redacted"]
async fn a_subject_token_that_is_not_there_is_a_matter_of_configuration() {
    let sandbox = Sandbox::start().await.unwrap();
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let empty = folder.join(format!("empty-token-{}", std::process::id()));
    std::fs::write(&empty, " \n").unwrap();
    for (token, case) in [
        (
            SubjectToken::File(folder.join("no-such-token")),
            "no such file",
        ),
        (SubjectToken::File(folder.to_owned()), "a folder"),
        (SubjectToken::File(empty.clone()), "an empty file"),
        (
            SubjectToken::Variable("FAULTS_NO_SUCH_VARIABLE".to_owned()),
            "no such variable",
        ),
        (SubjectToken::Fixed(String::new().into()), "an empty text"),
    ] {
        let builder = sts(&sandbox, token);
        assert_closed(&sandbox, builder, ErrorKind::Config, case).await;
        assert_eq!(requests(&sandbox, "exchange"), 0, "{case}");
    }
    std::fs::remove_file(empty).unwrap();
}

#[cfg(feature = "oidc")]
#[tokio::test]
async fn an_identity_provider_that_refuses_or_is_away_fails_the_call() {
    use org_invitations::ClientCredentials;

    let sandbox = Sandbox::start().await.unwrap();
    let idp = sandbox.credentials().idp();
    let secret = format!("{JWT}-secret-of-somebody-else");
    let away = format!("{}/no-such-path", sandbox.url());
    for (url, kind) in [
        (idp.token_url.as_str(), ErrorKind::Unauthenticated),
        (away.as_str(), ErrorKind::Decode),
        ("http://127.0.0.1:1/token", ErrorKind::Connect),
        ("http://idp.example/token", ErrorKind::Config),
    ] {
        let client = ClientCredentials::new(url, &idp.client_id, secret.as_str());
        let builder = sts(&sandbox, SubjectToken::ClientCredentials(client));
        assert_closed(&sandbox, builder, kind, url).await;
        assert_eq!(requests(&sandbox, "exchange"), 0, "{url}");
    }
}

#[tokio::test]
async fn a_token_that_expired_is_not_sent_when_it_cannot_be_renewed() {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.set_sts(Sts::default().with_lifetime_seconds(1));
    let provider = sts(&sandbox, fixed(&sandbox)).build().unwrap();
    list(&provider).await.unwrap();
    break_exchanges(&sandbox, Fault::status_before(400));
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let outcome = list(&provider).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
    assert_eq!(requests(&sandbox, "list"), 1, "{error}");
}

#[tokio::test]
#[ignore = "open: failures of the exchange are not shared yet, nor its refusals redacted"]
async fn a_token_that_is_still_good_serves_while_it_cannot_be_renewed() {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.set_sts(Sts::default().with_lifetime_seconds(4));
    let provider = sts(&sandbox, fixed(&sandbox)).build().unwrap();
    list(&provider).await.unwrap();
    break_exchanges(&sandbox, Fault::status_before(500));
    // Past half its life, when it would be renewed.
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let calls = (0..100).map(|_| list(&provider));
    for outcome in join_all(calls).await {
        outcome.unwrap();
    }
    let exchanges = requests(&sandbox, "exchange");
    assert!(
        exchanges <= 1 + 5,
        "{} exchanges for 100 calls at once, where one would try 5 times",
        exchanges - 1
    );
}

#[tokio::test]
async fn a_refused_token_whose_renewal_fails_is_not_sent_again() {
    let sandbox = Sandbox::start().await.unwrap();
    let provider = sts(&sandbox, fixed(&sandbox)).build().unwrap();
    list(&provider).await.unwrap();
    break_exchanges(&sandbox, Fault::status_before(400));
    sandbox.advance(Duration::from_secs(901));
    for sent in [2, 2] {
        let outcome = list(&provider).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.operation(), Operation::Authenticate, "{error}");
        assert_eq!(requests(&sandbox, "list"), sent, "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "open: failures of the exchange are not shared yet, nor its refusals redacted"]
async fn a_hundred_calls_share_an_exchange_that_fails() {
    let sandbox = Sandbox::start().await.unwrap();
    break_exchanges(&sandbox, Fault::status_before(400));
    let provider = sts(&sandbox, fixed(&sandbox)).build().unwrap();
    let calls = (0..100).map(|_| list(&provider));
    for outcome in join_all(calls).await {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
    }
    let exchanges = requests(&sandbox, "exchange");
    assert!(
        exchanges <= 2,
        "{exchanges} exchanges for 100 calls at once"
    );
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
    let token = SubjectToken::Fixed("subject-token-7c1f".into());
    let provider = Confluent::builder()
        .sts(StsCredentials::new("pool-1", token))
        .base_url(server.base_url())
        .retry(impatient())
        .build()
        .unwrap();
    (server, provider)
}

#[tokio::test]
async fn an_odd_lifetime_is_an_error_or_a_long_one_and_no_panic() {
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

#[tokio::test]
#[ignore = "open: failures of the exchange are not shared yet, nor its refusals redacted"]
async fn a_token_that_the_service_repeats_is_in_no_error() {
    let repeated = "the token subject-token-7c1f is not known";
    for body in [
        json!({ "errors": [{ "detail": repeated }] }),
        json!({ "message": repeated }),
        json!([repeated]),
    ] {
        let (_server, provider) = service(400, &body).await;
        let outcome = list(&provider).await;
        let shown = shown(&outcome.unwrap_err());
        assert!(!shown.contains("subject-token-7c1f"), "{body}: {shown}");
    }
}
