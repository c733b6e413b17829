//! Every endpoint of the admin API, validated against its document.

use std::collections::BTreeSet;

use org_invitations_sandbox::{Fault, Faults, RandomFaults, Rule};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, send};
use crate::documents;

#[tokio::test]
async fn the_document_has_the_methods_of_every_endpoint() {
    // The last one may stop the sandbox.
    let methods = ["GET", "PUT", "DELETE", "PATCH", "POST"];
    for (path, documented) in documents::of_admin().paths() {
        let api = Api::start().await;
        send(api.confluent(Method::GET, "")).await;
        let path = path.replace("{sequence}", "1");
        let mut served = BTreeSet::new();
        for method in methods {
            let request = api.http.request(method.parse().unwrap(), api.url(&path));
            let reply = send(request).await;
            assert_ne!(reply.status, 404, "{path}");
            if reply.status != 405 {
                assert!(reply.documented, "{method} {path}: {reply:?}");
                served.insert(method.to_owned());
            }
        }
        assert_eq!(served, documented.into_iter().collect(), "{path}");
    }
    let api = Api::start().await;
    let unknown = send(api.http.get(api.url("/_sandbox/none"))).await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn the_document_is_served() {
    let api = Api::start().await;
    let reply = send(api.http.get(api.url("/_sandbox/openapi.yaml"))).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), "application/yaml");
    let document: Value = serde_norway::from_str(&reply.text).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
}

#[tokio::test]
async fn every_endpoint_works_as_documented() {
    let api = Api::start().await;
    api.invite_confluent("ada@example.com").await;
    api.invite_clickhouse("bob@example.com").await;
    let rule = Rule::new(Fault::slow_body(1000, 0)).times(2);
    let random = RandomFaults::new(1, 0.0).mix(1, Fault::hang());
    let mut faults = Faults::script([rule]);
    faults.random = Some(random);
    api.sandbox.set_faults(faults);
    send(api.confluent(Method::GET, "")).await;
    api.http.get(api.url("/nowhere")).send().await.unwrap();

    let null = json!(null);
    let (get, post, put) = (Method::GET, Method::POST, Method::PUT);
    let accept = json!({ "provider": "clickhouse", "email": "bob@example.com" });
    let nobody = json!({ "provider": "clickhouse", "email": "nobody@example.com" });
    let limits = json!({ "confluent": { "requests": 5, "window_ms": 100 }, "clickhouse": null });
    let quota = json!({ "confluent": { "invitations_per_org": 5, "status": 400 } });
    let auditor = "33333333-0000-4000-8000-000000000003";
    let roles = json!({ "custom_roles": [{ "id": auditor, "name": "Auditor" }] });
    let sts = json!({ "subject_tokens": ["a"], "expires_in_as_text": true, "lifetime_seconds": 9 });
    let faults = api
        .admin(get.clone(), "/_sandbox/faults", &null)
        .await
        .json();
    let key =
        json!({ "api_key": "FURTHER", "api_secret": "s", "user": "u-1", "resource": "lkc-1" });
    for (method, path, body, status) in [
        (&post, "api-keys", &key, 204),
        (&post, "api-keys", &key, 422),
        (&get, "api-keys", &null, 200),
        (&get, "ledger", &null, 200),
        (&get, "ledger?after=1&limit=2", &null, 200),
        (&get, "ledger?before=1", &null, 400),
        (&get, "status", &null, 200),
        (&get, "credentials", &null, 200),
        (&get, "clock", &null, 200),
        (&get, "exchanges/1", &null, 200),
        (&get, "exchanges/999", &null, 404),
        (&get, "exchanges/last", &null, 404),
        (&get, "invitations", &null, 200),
        (
            &get,
            "invitations?provider=confluent&email=ADA&limit=1",
            &null,
            200,
        ),
        (&get, "members?provider=nobody", &null, 400),
        (&post, "accept", &accept, 200),
        (&post, "accept", &accept, 409),
        (&post, "accept", &nobody, 404),
        (&post, "accept", &null, 422),
        (&post, "clock", &json!({ "advance_seconds": 1 }), 200),
        (&put, "faults", &faults, 204),
        (&Method::DELETE, "faults", &null, 204),
        (&put, "faults", &json!({ "script": 1 }), 422),
        (&put, "limits", &limits, 204),
        (&get, "limits", &null, 200),
        (&put, "quota", &quota, 204),
        (&get, "quota", &null, 200),
        (&put, "roles", &roles, 204),
        (&get, "roles", &null, 200),
        (&put, "sts", &sts, 204),
        (&get, "sts", &null, 200),
        (&post, "refuse", &json!({ "for_ms": 0 }), 204),
        (&post, "idp/token", &null, 400),
        (&post, "reset", &null, 204),
        (&get, "ledger", &null, 200),
        (&post, "stop", &null, 204),
    ] {
        let path = format!("/_sandbox/{path}");
        let reply = api.admin(method.clone(), &path, body).await;
        assert_eq!(reply.status, status, "{method} {path}: {reply:?}");
    }

    let api = Api::start().await;
    let url = api.url("/_sandbox/clock");
    let json = "application/json";
    for (request, status) in [
        (api.http.post(&url).body("{"), 415),
        (
            api.http.post(&url).header("content-type", json).body("{"),
            400,
        ),
        (
            api.http
                .post(&url)
                .header("content-type", json)
                .body(vec![b' '; 3_000_000]),
            413,
        ),
    ] {
        let reply = send(request).await;
        assert_eq!(reply.status, status, "{reply:?}");
        assert!(reply.documented);
    }
    let idp = api.sandbox.credentials().idp();
    let grant = [("grant_type", "client_credentials")];
    for (secret, status) in [(idp.client_secret.as_str(), 200), ("wrong", 401)] {
        let request = api.http.post(&idp.token_url).form(&grant);
        let reply = send(request.basic_auth(&idp.client_id, Some(secret))).await;
        assert_eq!(reply.status, status, "{reply:?}");
        assert!(reply.documented);
    }
}
