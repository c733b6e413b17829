//! Several organisations, and keys with different rights.

use std::io::ErrorKind;

use org_invitations_sandbox::{Config, Sandbox};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::api::{Api, Reply, send};

const ONE: &str = "11111111-0000-4000-8000-000000000001";
const TWO: &str = "22222222-0000-4000-8000-000000000002";

async fn api() -> Api {
    let keys = json!([
        { "api_key": "admin", "api_secret": "s", "access_token": "admin-token", "user": "u-admin" },
        { "api_key": "inviter", "api_secret": "s", "rights": "inviter", "user": "u-inviter" },
        { "api_key": "reader", "api_secret": "s", "rights": "reader" },
        { "api_key": "none", "api_secret": "s", "access_token": "none-token", "rights": "none" },
    ]);
    let clickhouse_keys = json!([
        { "api_key": "admin", "api_secret": "s" },
        { "api_key": "reader", "api_secret": "s", "rights": "reader" },
        { "api_key": "none", "api_secret": "s", "rights": "none" },
    ]);
    let other = json!([{ "api_key": "other", "api_secret": "s" }]);
    Api::configured(json!({
        "confluent": [
            { "id": ONE, "keys": keys, "sso": true, "identity_pools": [
                { "id": "pool-1", "subject_tokens": ["jwt-1"] },
                { "id": "pool-2", "subject_tokens": ["jwt-2"], "rights": "reader" },
            ] },
            { "id": TWO, "keys": other, "identity_pools": [{ "id": "pool-3" }] },
        ],
        "clickhouse": [{ "id": ONE, "keys": clickhouse_keys }, { "id": TWO, "keys": other }],
    }))
    .await
}

fn confluent(api: &Api, method: Method, path: &str) -> RequestBuilder {
    let url = api.url(&format!("/iam/v2/invitations{path}"));
    api.http.request(method, url)
}

fn clickhouse(api: &Api, organization: &str, method: Method, path: &str) -> RequestBuilder {
    let url = api.url(&format!(
        "/v1/organizations/{organization}/invitations{path}"
    ));
    api.http.request(method, url)
}

async fn by(key: &str, request: RequestBuilder) -> Reply {
    send(request.basic_auth(key, Some("s"))).await
}

async fn create(api: &Api, key: &str, body: Value) -> Reply {
    by(key, confluent(api, Method::POST, "").json(&body)).await
}

fn path(created: &Value) -> String {
    format!("/{}", created["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_key_without_the_right_is_forbidden() {
    let api = api().await;
    let invite = |email: &str| json!({ "email": email });
    let ada = create(&api, "admin", invite("ada@example.com"))
        .await
        .json();
    let bob = create(&api, "inviter", invite("bob@example.com"))
        .await
        .json();
    assert_eq!(ada["creator"]["id"], "u-admin");
    assert_eq!(bob["creator"]["id"], "u-inviter");
    let mine = by("admin", confluent(&api, Method::GET, "?creator=u-inviter")).await;
    assert_eq!(mine.json()["data"], json!([bob]));

    let (get, delete) = (Method::GET, Method::DELETE);
    for (key, reads, writes) in [("reader", 200, 403), ("none", 403, 403)] {
        let rejected = create(&api, key, invite("cy@example.com")).await;
        assert_eq!(rejected.status, writes, "{key}");
        assert_eq!(rejected.confluent_error()["code"], "forbidden_access");
        for path in ["", &path(&ada)] {
            let reply = by(key, confluent(&api, get.clone(), path)).await;
            assert_eq!(reply.status, reads, "{key} {path}");
        }
        let reply = by(key, confluent(&api, delete.clone(), &path(&ada))).await;
        assert_eq!(reply.status, writes, "{key}");
    }
    let listed = confluent(&api, get.clone(), "").bearer_auth("none-token");
    assert_eq!(send(listed).await.status, 403);
    assert_eq!(api.sandbox.ledger().commits.len(), 2);

    let request = clickhouse(&api, ONE, Method::POST, "").json(&invite("ada@example.com"));
    let ada = by("admin", request).await.json()["result"].clone();
    for (key, reads) in [("reader", 200), ("none", 403)] {
        let request = clickhouse(&api, ONE, Method::POST, "").json(&invite("bob@example.com"));
        let rejected = by(key, request).await;
        assert_eq!(rejected.status, 403, "{key}");
        let error = rejected.clickhouse_error();
        assert!(error.starts_with("FORBIDDEN: "), "{error}");
        let reply = by(key, clickhouse(&api, ONE, get.clone(), &path(&ada))).await;
        assert_eq!(reply.status, reads, "{key}");
        let reply = by(key, clickhouse(&api, ONE, delete.clone(), &path(&ada))).await;
        assert_eq!(reply.status, 403, "{key}");
    }
}

#[tokio::test]
async fn organisations_are_separate() {
    let api = api().await;
    let ada = create(&api, "admin", json!({ "email": "ada@example.com" }))
        .await
        .json();
    let other = create(&api, "other", json!({ "email": "ada@example.com" })).await;
    assert_eq!(other.status, 201, "addresses are unique per organisation");
    let name = other.json()["metadata"]["resource_name"].clone();
    assert!(name.as_str().unwrap().contains(TWO), "{name}");
    for method in [Method::GET, Method::DELETE] {
        let reply = by("other", confluent(&api, method, &path(&ada))).await;
        assert_eq!(reply.status, 403);
        let detail = reply.confluent_error()["detail"].clone();
        assert!(
            detail.as_str().unwrap().ends_with("was not found."),
            "{detail}"
        );
    }
    let listed = by("other", confluent(&api, Method::GET, "")).await.json();
    assert_eq!(listed["metadata"]["total_size"], 1);

    let invite = json!({ "email": "ada@example.com" });
    let request = |key, organization| {
        by(
            key,
            clickhouse(&api, organization, Method::POST, "").json(&invite),
        )
    };
    assert_eq!(request("admin", TWO).await.status, 403);
    assert_eq!(request("other", ONE).await.status, 403);
    let created = request("other", TWO).await.json()["result"].clone();
    let elsewhere = by("admin", clickhouse(&api, ONE, Method::GET, &path(&created))).await;
    assert_eq!(elsewhere.status, 404);
    assert_eq!(request("admin", ONE).await.status, 200);
    let organizations = api.sandbox.invitations();
    let organizations: Vec<_> = organizations
        .iter()
        .map(|it| &it.organization[..])
        .collect();
    assert_eq!(organizations, [ONE, TWO, ONE, TWO]);
}

#[tokio::test]
async fn with_sso_only_an_admin_invites_local_users() {
    let api = api().await;
    let local = |email: &str| json!({ "email": email, "auth_type": "AUTH_TYPE_LOCAL" });
    let ada = create(&api, "inviter", json!({ "email": "ada@example.com" })).await;
    assert_eq!(ada.json()["auth_type"], "AUTH_TYPE_SSO");
    let rejected = create(&api, "inviter", local("bob@example.com")).await;
    assert_eq!(rejected.status, 403);
    assert_eq!(
        rejected.confluent_error()["source"]["pointer"],
        "/auth_type"
    );
    let bob = create(&api, "admin", local("bob@example.com")).await;
    assert_eq!(bob.json()["auth_type"], "AUTH_TYPE_LOCAL");
    let other = create(&api, "other", json!({ "email": "ada@example.com" })).await;
    assert_eq!(other.json()["auth_type"], "AUTH_TYPE_LOCAL", "no SSO there");
}

#[tokio::test]
async fn an_identity_pool_has_rights_in_its_organisation() {
    let api = api().await;
    let exchange = async |pool: &str, token: &str| {
        let urn = "urn:ietf:params:oauth:";
        let fields = [
            ("grant_type", format!("{urn}grant-type:token-exchange")),
            ("subject_token_type", format!("{urn}token-type:jwt")),
            (
                "requested_token_type",
                format!("{urn}token-type:access_token"),
            ),
            ("subject_token", token.to_owned()),
            ("identity_pool_id", pool.to_owned()),
        ];
        let request = api.http.post(api.url("/sts/v1/oauth2/token"));
        send(request.form(&fields)).await
    };
    let invite = async |pool: &str, token: &str| {
        let token = exchange(pool, token).await.json()["access_token"].clone();
        let request = confluent(&api, Method::POST, "").bearer_auth(token.as_str().unwrap());
        send(request.json(&json!({ "email": "ada@example.com" }))).await
    };
    let credentials = api.sandbox.credentials();
    assert_eq!(credentials.identity_pool_id(), "pool-1");
    assert_eq!(credentials.subject_token(), "jwt-1");
    assert_eq!(exchange("pool-1", "jwt-2").await.status, 400);
    assert_eq!(exchange("pool-9", "jwt-1").await.status, 400);
    let created = invite("pool-1", "jwt-1").await;
    assert_eq!(created.status, 201);
    assert_eq!(invite("pool-2", "jwt-2").await.status, 403);
    let elsewhere = invite("pool-3", "jwt-1").await;
    assert_eq!(elsewhere.status, 201, "another organisation");
    let name = elsewhere.json()["metadata"]["resource_name"].clone();
    assert!(name.as_str().unwrap().contains(TWO), "{name}");
}

#[tokio::test]
async fn a_configuration_with_duplicates_or_unknowns_is_rejected() {
    let key = json!({ "api_key": "k", "api_secret": "s" });
    let token = |name: &str| json!({ "api_key": name, "api_secret": "s", "access_token": "t" });
    for (config, word) in [
        (json!({ "confluent": [{ "id": "mine" }] }), "uuid"),
        (json!({ "clickhouse": [{ "id": "mine" }] }), "uuid"),
        (
            json!({ "confluent": [{ "id": ONE }, { "id": ONE }] }),
            "twice",
        ),
        (json!({ "confluent": [{ "keys": [key, key] }] }), "twice"),
        (
            json!({ "confluent": [{ "keys": [token("a"), token("b")] }] }),
            "twice",
        ),
        (
            json!({ "clickhouse": [{ "keys": [key] }, { "keys": [key] }] }),
            "twice",
        ),
        (
            json!({ "confluent": [{ "identity_pools": [{ "id": "p" }, { "id": "p" }] }] }),
            "twice",
        ),
        (
            json!({ "clickhouse": [{ "custom_roles": [{ "id": "", "name": "n" }] }] }),
            "role",
        ),
        (
            json!({ "faults": { "random": { "rate": 2, "mix": [] } } }),
            "rate",
        ),
    ] {
        let read: Config = serde_json::from_value(config.clone()).unwrap();
        let error = Sandbox::builder().config(read).start().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{config}");
        assert!(error.to_string().contains(word), "{config}: {error}");
    }
    for config in [
        json!({ "seeds": 1 }),
        json!({ "confluent": [{ "key": [] }] }),
        json!({ "confluent": [{ "keys": [{ "api_key": "k" }] }] }),
        json!({ "confluent": [{ "keys": [{ "api_key": "k", "api_secret": "s", "right": "x" }] }] }),
        json!({ "clickhouse": [{ "sso": true }] }),
        json!({ "quota": { "clickhouse": {} } }),
    ] {
        let read = serde_json::from_value::<Config>(config.clone());
        assert!(read.is_err(), "{config}");
    }
}

#[tokio::test]
async fn the_file_in_the_readme_is_valid() {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("```yaml\n").unwrap();
    let (file, _) = rest.split_once("```").unwrap();
    let config: Config = serde_norway::from_str(file).unwrap();
    assert_eq!(config.seed, 10_000);
    let written = serde_json::to_value(&config).unwrap();
    for (property, value) in written.as_object().unwrap() {
        assert!(!value.is_null(), "the file lacks {property}");
    }
    let again: Config = serde_json::from_value(written).unwrap();
    assert_eq!(again, config);
    let sandbox = Sandbox::builder().config(config).start().await.unwrap();
    assert_eq!(sandbox.credentials().clickhouse.api_key, "KEY");
}
