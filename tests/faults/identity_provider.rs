//! A subject token by the client-credentials grant: what is sent where, and what becomes of a call when
//! the identity provider refuses, fails or answers something else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use httpmock::MockServer;
use org_invitations::{
    ClientCredentials, Confluent, Error, ErrorKind, Operation, RetryPolicy, StsCredentials,
    SubjectToken, TokenUrl,
};
use org_invitations_sandbox::{Sandbox, StsSettings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{
    support::{has_sts, impatient, list, requests, shown, sts},
    token_failures::assert_closed,
};

const SECRET: &str = "client-secret-4e8a/+=";
const TOKEN: &str = "subject-token-of-the-idp";

fn client<U: TryInto<TokenUrl, Error = Error>>(url: U) -> ClientCredentials {
    ClientCredentials::new(url, "client-1", SECRET)
}

/// An identity provider that answers one request after the other with these texts; an empty one is no
/// answer, and the last one is repeated.
struct Idp {
    url: String,
    asked: Arc<AtomicUsize>,
}

impl Idp {
    async fn start(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                // Its body is the last thing that comes.
                while !String::from_utf8_lossy(&request).contains("grant_type") {
                    if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                        break;
                    }
                }
                let number = count.fetch_add(1, Ordering::SeqCst);
                let answer = answers.get(number).or(answers.last()).unwrap();
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
}

fn json(status: &str, body: &str) -> String {
    answer(status, "content-type: application/json\r\n", body)
}

fn html(status: &str) -> String {
    answer(status, "content-type: text/html\r\n", "<h1>Sign in</h1>")
}

fn token() -> String {
    let body = format!(r#"{{"access_token": "{TOKEN}", "token_type": "Bearer"}}"#);
    json("200 OK", &body)
}

/// A sandbox that exchanges the token of the identity provider.
async fn sandbox() -> Sandbox {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.set_sts(StsSettings::default().with_subject_tokens([TOKEN]));
    sandbox
}

/// What a list comes to when the identity provider answers this, and how often it was asked.
async fn outcome(answers: Vec<String>, retry: RetryPolicy) -> (Result<(), Error>, usize) {
    let sandbox = sandbox().await;
    let idp = Idp::start(answers).await;
    let token = SubjectToken::ClientCredentials(client(idp.url.as_str()));
    let provider = sts(&sandbox, token).retry(retry).build().unwrap();
    let outcome = list(&provider).await.map(drop);
    assert_eq!(
        requests(&sandbox, "exchange"),
        usize::from(outcome.is_ok()),
        "nothing is exchanged without a token: {outcome:?}"
    );
    (outcome, idp.asked())
}

async fn failure(answer: String) -> Error {
    outcome(vec![answer], RetryPolicy::none())
        .await
        .0
        .unwrap_err()
}

#[tokio::test]
async fn the_token_url_is_used_as_it_is() {
    if !has_sts() {
        return;
    }
    let sandbox = sandbox().await;
    let idp = MockServer::start_async().await;
    let asked = idp
        .mock_async(|when, then| {
            when.path("/tenant/token/")
                .query_param("api-version", "2 0")
                .header_exists("authorization")
                .body_includes("grant_type=client_credentials");
            then.status(200)
                .header("content-type", "application/json")
                .body(format!(
                    r#"{{"access_token": "{TOKEN}", "token_type": "Bearer"}}"#
                ));
        })
        .await;
    let url = idp.url("/tenant/token/?api-version=2%200");
    let token = SubjectToken::ClientCredentials(client(url));
    list(&sts(&sandbox, token).build().unwrap()).await.unwrap();
    assert_eq!(asked.calls_async().await, 1);
}

#[test]
fn what_cannot_be_right_is_refused_when_a_provider_is_built() {
    if !has_sts() {
        return;
    }
    let url = |text: &str| client(text);
    let place = "https://idp.example/token";
    for (client, why) in [
        (
            url("http://idp.example/token"),
            "the token URL must begin with https://",
        ),
        (
            url("ftp://idp.example/token"),
            "the token URL must begin with https://",
        ),
        (url("idp.example/token"), "the token URL is not a URL"),
        (
            url("https://me:client-secret-4e8a@idp.example/token"),
            "the token URL must not hold a user name or password",
        ),
        (
            url("https://idp.example/token#here"),
            "the token URL must not have a fragment",
        ),
        (
            ClientCredentials::new(place, "", SECRET),
            "the client's id is empty",
        ),
        (
            ClientCredentials::new(place, "client-1", ""),
            "the client's secret is empty",
        ),
    ] {
        let token = SubjectToken::ClientCredentials(client);
        let builder = Confluent::builder().sts(StsCredentials::new("pool-1", token));
        let shows = format!("{builder:?}");
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert_eq!(error.operation(), Operation::Configure, "{error}");
        assert_eq!(error.provider(), Some("confluent"), "{error}");
        assert!(error.message().contains(why), "{error}");
        let shows = shows + &shown(&error);
        assert!(!shows.contains("client-secret"), "{shows}");
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again_within_the_policy() {
    if !has_sts() {
        return;
    }
    let limited = answer("429 Too Many Requests", "retry-after: 0\r\n", "");
    let refused = r#"{"error": "temporarily_unavailable"}"#;
    let passing = vec![
        html("503 Service Unavailable"),
        String::new(),
        json("500 Internal Server Error", refused),
        limited,
        token(),
    ];
    let (outcome_with, asked) = outcome(passing.clone(), impatient()).await;
    outcome_with.unwrap();
    assert_eq!(asked, 5);

    let (outcome_with, asked) = outcome(passing.clone(), impatient().max_attempts(3)).await;
    let error = outcome_with.unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts()),
        (ErrorKind::Unavailable, 3)
    );
    assert_eq!((error.status(), asked), (Some(500), 3), "{error}");

    let (outcome_with, asked) = outcome(passing, RetryPolicy::none()).await;
    let error = outcome_with.unwrap_err();
    assert_eq!((error.status(), error.attempts(), asked), (Some(503), 1, 1));
}

#[tokio::test]
async fn what_is_refused_is_not_tried_again() {
    if !has_sts() {
        return;
    }
    for status in ["400 Bad Request", "401 Unauthorized", "403 Forbidden"] {
        let refusal = r#"{"error": "invalid_client", "error_description": "it is not known"}"#;
        let (outcome, asked) = outcome(vec![json(status, refusal)], impatient()).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
        assert_eq!(error.code(), Some("invalid_client"));
        assert_eq!(error.status().unwrap().to_string(), status[..3]);
        assert!(error.message().contains("it is not known"), "{error}");
        assert_eq!((error.attempts(), asked), (1, 1));
    }
}

#[tokio::test]
async fn an_answer_that_is_no_token_says_what_came_from_where() {
    if !has_sts() {
        return;
    }
    let redirect = answer("302 Found", "location: /sign-in\r\n", "");
    for (answer, kind, status, what) in [
        (html("200 OK"), ErrorKind::Decode, 200, "text/html"),
        (
            html("404 Not Found"),
            ErrorKind::Unexpected,
            404,
            "text/html",
        ),
        (
            html("403 Forbidden"),
            ErrorKind::Unexpected,
            403,
            "text/html",
        ),
        (
            html("502 Bad Gateway"),
            ErrorKind::Unavailable,
            502,
            "text/html",
        ),
        (redirect, ErrorKind::Unexpected, 302, "a redirect"),
        (
            answer("200 OK", "", ""),
            ErrorKind::Decode,
            200,
            "no media type",
        ),
        (
            json("200 OK", "[]"),
            ErrorKind::Decode,
            200,
            "application/json",
        ),
        (json("200 OK", "{}"), ErrorKind::Decode, 200, "no token"),
        (
            json("200 OK", r#"{"access_token": " ", "token_type": "Bearer"}"#),
            ErrorKind::Decode,
            200,
            "no token",
        ),
    ] {
        let error = failure(answer).await;
        assert_eq!(
            (error.kind(), error.status()),
            (kind, Some(status)),
            "{error}"
        );
        let recorded = error.to_string();
        assert!(recorded.contains(what), "{recorded}");
        assert!(
            recorded.contains("http://127.0.0.1:") && recorded.contains("/token"),
            "{recorded}"
        );
        assert_eq!(error.operation(), Operation::Authenticate);
    }
}

#[tokio::test]
async fn an_identity_provider_that_hangs_or_is_away_fails_the_call() {
    if !has_sts() {
        return;
    }
    let sandbox = sandbox().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hangs = format!("http://{}/token", listener.local_addr().unwrap());
    for (url, kind) in [
        (hangs.as_str(), ErrorKind::Timeout),
        ("http://127.0.0.1:1/token", ErrorKind::Connect),
    ] {
        let token = SubjectToken::ClientCredentials(client(url));
        let builder = sts(&sandbox, token).timeout(Duration::from_millis(50));
        assert_closed(&sandbox, builder.clone(), kind, url).await;
        let error = list(&builder.build().unwrap()).await.unwrap_err();
        assert_eq!(error.attempts(), 5, "{error}");
        assert!(error.message().contains(url), "{error}");
        assert_eq!(requests(&sandbox, "exchange"), 0, "{url}");
    }
}

#[tokio::test]
async fn a_client_that_is_not_known_is_refused() {
    if !has_sts() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let url = sandbox.credentials().idp().token_url.as_str();
    let token = SubjectToken::ClientCredentials(client(url));
    let builder = sts(&sandbox, token);
    assert_closed(&sandbox, builder, ErrorKind::Unauthenticated, url).await;
}

#[tokio::test]
async fn what_it_repeats_of_a_secret_or_a_token_is_in_no_error() {
    if !has_sts() {
        return;
    }
    use base64::{Engine, prelude::BASE64_STANDARD};

    // As the grant has it: both are encoded for URLs before they are joined.
    let pair = BASE64_STANDARD.encode("client-1:client-secret-4e8a%2F%2B%3D");
    for repeated in [
        SECRET.to_owned(),
        "client-secret-4e8a%2f%2B%3D".to_owned(),
        r"client-secret-4e8a\/+\u003d".to_owned(),
        pair.clone(),
    ] {
        let refusal = format!(
            r#"{{"error": "{repeated}", "error_description": "no client with {repeated}"}}"#
        );
        for answer in [
            json("401 Unauthorized", &refusal),
            json("503 Service Unavailable", &refusal),
            json("200 OK", &refusal),
            answer(
                "404 Not Found",
                &format!("content-type: {repeated}\r\n"),
                &repeated,
            ),
            // Its answer is a token, of a kind that cannot be used.
            json("200 OK", &format!(r#"{{"access_token": ["{TOKEN}"]}}"#)),
        ] {
            let shown = shown(&failure(answer.clone()).await);
            for secret in ["client-secret-4e8a", &pair[..20], TOKEN] {
                assert!(!shown.contains(secret), "{answer}: {shown}");
            }
        }
    }
}
