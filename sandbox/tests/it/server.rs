//! Starting, configuring and stopping.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use org_invitations_sandbox::Sandbox;
use serde_json::json;
use tokio::net::TcpStream;

use crate::api::{Api, send};

fn address(url: &str) -> SocketAddr {
    url.strip_prefix("http://").unwrap().parse().unwrap()
}

/// Waits up to a second until nothing listens at an address.
async fn assert_stops(address: SocketAddr) {
    for _ in 0..100 {
        if TcpStream::connect(address).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{address} still answers");
}

#[tokio::test]
async fn sandboxes_run_side_by_side_and_share_nothing() {
    let mut all = Vec::new();
    for _ in 0..10 {
        all.push(Api::start().await);
    }
    for api in &all {
        api.invite_confluent("ada@example.com").await;
        api.invite_clickhouse("ada@example.com").await;
    }
    let [one, two] = &all[..2] else {
        unreachable!()
    };
    assert_ne!(one.sandbox.url(), two.sandbox.url());
    assert_eq!(one.sandbox.ledger().commits.len(), 2);

    let keys = &one.sandbox.credentials().confluent;
    let request = two.http.get(two.url("/iam/v2/invitations"));
    let reply = send(request.basic_auth(&keys.api_key, Some(&keys.api_secret))).await;
    assert_eq!(reply.status, 401, "{reply:?}");
}

#[tokio::test]
async fn a_dropped_sandbox_stops_with_an_open_connection() {
    let api = Api::start().await;
    api.invite_confluent("ada@example.com").await;
    let address = address(api.sandbox.url());
    drop(api.sandbox);
    assert_stops(address).await;
    let reply = api.http.get(format!("http://{address}/")).send().await;
    assert!(reply.is_err(), "{reply:?}");
}

#[tokio::test]
async fn serving_ends_when_stop_resolves() {
    let sandbox = Sandbox::start().await.unwrap();
    let address = address(sandbox.url());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(sandbox.serve_until(async {
        stopped.await.unwrap();
    }));
    // An idle connection does not delay the end for long.
    let _idle = TcpStream::connect(address).await.unwrap();
    stop.send(()).unwrap();
    let patience = Duration::from_secs(5);
    tokio::time::timeout(patience, serving)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_stops(address).await;
}

#[tokio::test]
async fn a_remote_address_must_be_allowed() {
    let everywhere: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let rejected = Sandbox::builder().listen(everywhere).start().await;
    assert_eq!(rejected.unwrap_err().kind(), ErrorKind::InvalidInput);
    let builder = Sandbox::builder().listen(everywhere);
    builder.allow_remote(true).start().await.unwrap();
}

#[tokio::test]
async fn a_taken_address_is_an_error() {
    let first = Sandbox::start().await.unwrap();
    let taken = address(first.url());
    let second = Sandbox::builder().listen(taken).start().await;
    assert_eq!(second.unwrap_err().kind(), ErrorKind::AddrInUse);
}

#[tokio::test]
async fn credentials_can_be_chosen() {
    let organization = "0A1B2C3D-0000-4000-8000-000000000000";
    let sandbox = Sandbox::builder()
        .confluent_key("key", "se:cret")
        .confluent_access_token("token")
        .clickhouse_key("id", "word")
        .clickhouse_organization(organization)
        .start()
        .await
        .unwrap();
    let http = reqwest::Client::new();
    let api = Api { sandbox, http };
    let url = api.url("/iam/v2/invitations");
    for request in [
        api.http.get(&url).basic_auth("key", Some("se:cret")),
        api.http.get(&url).bearer_auth("token"),
        api.http
            .get(api.url(&format!("/v1/organizations/{organization}/invitations")))
            .basic_auth("id", Some("word")),
    ] {
        let reply = send(request).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    let bad = Sandbox::builder().clickhouse_organization("mine");
    let error = bad.start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn credentials_serialise_to_the_documented_keys() {
    let sandbox = Sandbox::start().await.unwrap();
    let credentials = sandbox.credentials();
    let confluent = &credentials.confluent;
    let clickhouse = &credentials.clickhouse;
    assert_eq!(
        serde_json::to_value(credentials).unwrap(),
        json!({
            "url": sandbox.url(),
            "confluent": { "api_key": confluent.api_key, "api_secret": confluent.api_secret },
            "clickhouse": {
                "organization_id": clickhouse.organization_id,
                "api_key": clickhouse.api_key,
                "api_secret": clickhouse.api_secret,
            },
        })
    );
    assert!(!sandbox.url().ends_with('/'));
}
