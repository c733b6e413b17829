//! Confluent's token exchange, and the identity provider that goes with it.

use std::time::Duration;

use org_invitations_sandbox::{Fault, Faults, Operation, Provider, Rule, StsSettings};
use reqwest::Method;
use serde_json::json;

use crate::api::{Api, Reply, send};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A valid request with these fields in place of its own. An empty value omits the field.
async fn exchange(api: &Api, changes: &[(&str, &str)]) -> Reply {
    let credentials = api.sandbox.credentials();
    let mut fields = vec![
        ("grant_type", GRANT),
        ("subject_token", credentials.subject_token()),
        ("subject_token_type", JWT),
        ("requested_token_type", ACCESS_TOKEN),
        ("identity_pool_id", credentials.identity_pool_id()),
    ];
    for (name, value) in changes {
        fields.retain(|(field, _)| field != name);
        if !value.is_empty() {
            fields.push((name, value));
        }
    }
    let request = api.http.post(api.url("/sts/v1/oauth2/token"));
    send(request.form(&fields)).await
}

async fn list(api: &Api, token: &str) -> Reply {
    let url = api.url("/iam/v2/invitations");
    send(api.http.get(url).bearer_auth(token)).await
}

fn access_token(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.documented);
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_exchanged_token_works_until_it_expires() {
    let api = Api::start().await;
    let reply = exchange(&api, &[]).await;
    let token = access_token(&reply);
    let body = reply.json();
    assert_eq!(body["issued_token_type"], ACCESS_TOKEN);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 900);
    assert_eq!(token.split('.').count(), 3, "{token}");
    assert_ne!(access_token(&exchange(&api, &[]).await), token);

    assert_eq!(list(&api, &token).await.status, 200);
    api.sandbox.advance(Duration::from_secs(890));
    assert_eq!(list(&api, &token).await.status, 200);
    api.sandbox.advance(Duration::from_secs(11));
    let rejected = list(&api, &token).await;
    assert_eq!(rejected.status, 401);
    let challenge = rejected.header("www-authenticate");
    assert!(challenge.contains("has expired"), "{challenge}");
    let new = access_token(&exchange(&api, &[]).await);
    assert_eq!(list(&api, &new).await.status, 200);

    let ledger = api.sandbox.ledger();
    let first = &ledger.requests[0];
    assert_eq!(first.provider, Some(Provider::Confluent));
    assert_eq!(first.operation, Some("exchangeStsV1OauthToken"));
    assert!(ledger.commits.is_empty());
    let text = serde_json::to_string(&ledger).unwrap();
    let subject = api.sandbox.credentials().subject_token();
    assert!(!text.contains(&token) && !text.contains(subject));
}

#[tokio::test]
async fn a_requested_lifetime_is_at_most_fifteen_minutes() {
    let api = Api::start().await;
    let reply = exchange(&api, &[("expires_in", "60")]).await;
    assert_eq!(reply.json()["expires_in"], 60);
    let token = access_token(&reply);
    api.sandbox.advance(Duration::from_secs(60));
    assert_eq!(list(&api, &token).await.status, 401);
    for wrong in ["901", "0", "-1", "1.5", "soon"] {
        let reply = exchange(&api, &[("expires_in", wrong)]).await;
        assert_eq!(reply.status, 400, "{wrong}: {reply:?}");
        let source = &reply.confluent_error()["source"];
        assert_eq!(source["pointer"], "/expires_in");
    }
}

#[tokio::test]
async fn each_field_is_checked() {
    let api = Api::start().await;
    for field in [
        "grant_type",
        "subject_token",
        "subject_token_type",
        "requested_token_type",
        "identity_pool_id",
    ] {
        for value in ["", "other"] {
            let reply = exchange(&api, &[(field, value)]).await;
            assert_eq!(reply.status, 400, "{field}={value}: {reply:?}");
            assert!(reply.documented);
            let source = &reply.confluent_error()["source"];
            assert_eq!(source["pointer"], format!("/{field}"));
        }
    }
    let url = api.url("/sts/v1/oauth2/token");
    let reply = send(api.http.post(&url).json(&json!({}))).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    assert_eq!(send(api.http.get(&url)).await.status, 405);
    assert_eq!(send(api.http.get(api.url("/sts/v1"))).await.status, 404);
}

#[tokio::test]
async fn the_token_exchange_can_be_configured() {
    let api = Api::start().await;
    let sts = StsSettings::default()
        .with_subject_tokens(["rotated"])
        .with_lifetime_seconds(30)
        .with_expires_in_as_text();
    api.sandbox.set_sts(sts);
    assert_eq!(exchange(&api, &[]).await.status, 400);
    let request = api.http.post(api.url("/sts/v1/oauth2/token")).form(&[
        ("grant_type", GRANT),
        ("subject_token", "rotated"),
        ("subject_token_type", JWT),
        ("requested_token_type", ACCESS_TOKEN),
        (
            "identity_pool_id",
            api.sandbox.credentials().identity_pool_id(),
        ),
    ]);
    let body: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(body["expires_in"], "30", "as text, and cut");

    let url = api.url("/_sandbox/sts");
    let state = send(api.http.get(&url)).await.json();
    assert_eq!(state["subject_tokens"], json!(["rotated"]));
    let pool = api.sandbox.credentials().identity_pool_id();
    assert_eq!(state["identity_pool_id"], pool);
    let reply = send(api.http.put(&url).json(&json!({}))).await;
    assert_eq!(reply.status, 204);
    access_token(&exchange(&api, &[]).await);
}

#[tokio::test]
async fn faults_apply_to_the_token_exchange() {
    let api = Api::start().await;
    let rules = [
        Rule::new(Fault::ExpiredToken),
        Rule::new(Fault::rate_limited(2000)).on(Operation::Exchange),
        Rule::new(Fault::status_before(500)).on(Operation::Exchange),
    ];
    api.sandbox.set_faults(Faults::script(rules));
    let reply = exchange(&api, &[]).await;
    assert_eq!((reply.status, reply.header("retry-after")), (429, "2"));
    assert!(reply.documented);
    assert_eq!(exchange(&api, &[]).await.status, 500);
    let token = access_token(&exchange(&api, &[]).await);
    assert_eq!(list(&api, &token).await.status, 401, "it waited for a list");
    assert_eq!(list(&api, &token).await.status, 200);
}

#[tokio::test]
async fn tokens_of_the_identity_provider_are_valid_for_an_hour() {
    let api = Api::start().await;
    let idp = api.sandbox.credentials().idp().clone();
    let grant = ("grant_type", "client_credentials");
    let by_header = api
        .http
        .post(&idp.token_url)
        .basic_auth(&idp.client_id, Some(&idp.client_secret))
        .form(&[grant, ("scope", "any")]);
    let by_form = api.http.post(&idp.token_url).form(&[
        grant,
        ("client_id", &idp.client_id),
        ("client_secret", &idp.client_secret),
    ]);
    let mut tokens = Vec::new();
    for request in [by_header, by_form] {
        let body = send(request).await.json();
        assert_eq!(body["token_type"], "Bearer");
        assert_eq!(body["expires_in"], 3600);
        tokens.push(body["access_token"].as_str().unwrap().to_owned());
    }
    assert_ne!(tokens[0], tokens[1]);
    for token in &tokens {
        assert_eq!(token.split('.').count(), 3);
        access_token(&exchange(&api, &[("subject_token", token)]).await);
    }
    assert_eq!(api.sandbox.idp_tokens_issued(), 2);
    api.sandbox.advance(Duration::from_secs(3601));
    let reply = exchange(&api, &[("subject_token", &tokens[0])]).await;
    assert_eq!(reply.status, 400);
    let only_exchanges = api.sandbox.ledger().requests;
    assert_eq!(only_exchanges.len(), 3, "the provider is not a vendor's");
}

#[tokio::test]
async fn the_identity_provider_answers_oauth_errors() {
    let api = Api::start().await;
    let idp = api.sandbox.credentials().idp().clone();
    let grant = ("grant_type", "client_credentials");
    let post = || api.http.post(&idp.token_url);
    let known = || post().basic_auth(&idp.client_id, Some(&idp.client_secret));
    for (request, status, error) in [
        (post().form(&[grant]), 401, "invalid_client"),
        (
            post().basic_auth("x", Some("y")).form(&[grant]),
            401,
            "invalid_client",
        ),
        (
            post().bearer_auth("x").form(&[grant]),
            401,
            "invalid_client",
        ),
        (
            known().form(&[("grant_type", "password")]),
            400,
            "unsupported_grant_type",
        ),
        (known().form(&[("scope", "x")]), 400, "invalid_request"),
        (known().json(&json!({})), 400, "invalid_request"),
    ] {
        let reply = send(request).await;
        assert_eq!(reply.status, status, "{reply:?}");
        assert_eq!(reply.json()["error"], error);
    }
    let url = api.url("/_sandbox/idp/token");
    assert_eq!(send(api.http.get(&url)).await.status, 405);
    assert_eq!(api.sandbox.idp_tokens_issued(), 0);
}

#[tokio::test]
async fn a_reset_forgets_issued_tokens() {
    let api = Api::start().await;
    let token = access_token(&exchange(&api, &[]).await);
    api.sandbox.reset();
    assert_eq!(list(&api, &token).await.status, 401);
    access_token(&exchange(&api, &[]).await);
    assert_eq!(send(api.confluent(Method::GET, "")).await.status, 200);
}
