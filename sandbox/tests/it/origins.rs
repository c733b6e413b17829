//! A web page elsewhere must not drive a sandbox on this machine.

use org_invitations_sandbox::Sandbox;
use serde_json::json;

use crate::api::{Api, send};

#[tokio::test]
async fn a_page_of_another_origin_changes_and_reads_nothing() {
    let api = Api::start().await;
    let invited = api.invite_confluent("ada@example.com").await;
    let own = api.sandbox.url();
    for (name, value) in [
        ("origin", "https://attacker.example"),
        ("origin", "http://localhost:3000"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
    ] {
        // What a form or a script of another page can send without being asked first.
        let reset = api.http.post(api.url("/_sandbox/reset"));
        let stop = api.http.post(api.url("/_sandbox/stop"));
        let read = api.http.get(api.url("/_sandbox/credentials"));
        for request in [reset, stop, read] {
            let reply = send(request.header(name, value)).await;
            assert_eq!(reply.status, 403, "{name} {value}: {reply:?}");
            assert!(reply.documented);
            assert!(reply.headers.get("access-control-allow-origin").is_none());
        }
    }
    assert_eq!(
        api.sandbox.invitations()[0].id,
        invited["id"].as_str().unwrap()
    );

    let accept = json!({ "provider": "confluent", "email": "ada@example.com" });
    let request = api.http.post(api.url("/_sandbox/accept")).json(&accept);
    let request = request
        .header("origin", own)
        .header("sec-fetch-site", "same-origin");
    assert_eq!(send(request).await.status, 200, "the sandbox's own page");
}

#[tokio::test]
async fn a_name_that_was_pointed_here_is_refused() {
    let api = Api::with(Sandbox::builder().allow_host("sandbox.corp.example")).await;
    let port = api.sandbox.url().rsplit_once(':').unwrap().1.to_owned();
    let get = |path: &str, host: &str| {
        let request = api.http.get(api.url(path)).header("host", host);
        async move { request.send().await.unwrap() }
    };
    for path in ["/_sandbox/", "/_sandbox/ledger", "/_sandbox/credentials"] {
        // DNS rebinding: the page's own name, with the port of the sandbox.
        let refused = get(path, &format!("attacker.example:{port}")).await;
        assert_eq!(refused.status(), 403, "{path}");
        let message = refused.text().await.unwrap();
        assert!(message.contains("attacker.example"), "{message}");
        for host in ["localhost", "127.0.0.1", "[::1]", "sandbox.corp.example"] {
            let answered = get(path, &format!("{host}:{port}")).await;
            assert_eq!(answered.status(), 200, "{path} {host}");
        }
    }
    // The emulated APIs have credentials of their own.
    let api_answer = get("/iam/v2/invitations", "api.confluent.cloud").await;
    assert_eq!(api_answer.status(), 401);
}
