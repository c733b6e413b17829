//! Role bindings on Confluent.

use std::time::Duration;

use org_invitations_sandbox::{Fault, Faults, Lag, Operation, Provider, Rule};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, Reply, send};

const ADA: &str = "ada@example.com";
const ORGANIZATION: &str = "11111111-0000-4000-8000-000000000001";
const CRN: &str = "crn://confluent.cloud/organization=11111111-0000-4000-8000-000000000001";
const PATH: &str = "/iam/v2/role-bindings";

async fn api() -> Api {
    let key = json!({ "api_key": "KEY", "api_secret": "s", "user": "u-owner" });
    Api::configured(json!({ "confluent": [{ "id": ORGANIZATION, "keys": [key] }] })).await
}

async fn bind(api: &Api, principal: &str, role: &str, pattern: &str) -> Reply {
    let body = json!({ "principal": principal, "role_name": role, "crn_pattern": pattern });
    send(api.confluent_at(Method::POST, PATH).json(&body)).await
}

async fn bound(api: &Api, principal: &str, role: &str, pattern: &str) -> Value {
    let reply = bind(api, principal, role, pattern).await;
    assert_eq!((reply.status, reply.documented), (201, true), "{reply:?}");
    let binding = reply.json();
    assert_eq!(binding["metadata"]["self"], reply.header("location"));
    binding
}

async fn list(api: &Api, query: &[(&str, &str)]) -> Value {
    let request = api.confluent_at(Method::GET, PATH).query(query);
    let reply = send(request).await;
    assert_eq!((reply.status, reply.documented), (200, true), "{reply:?}");
    reply.json()
}

async fn count(api: &Api, query: &[(&str, &str)]) -> usize {
    let page = list(api, query).await;
    let items = page["data"].as_array().unwrap().len();
    assert_eq!(page["metadata"]["total_size"], items);
    items
}

fn principal(invitation: &Value) -> String {
    format!("User:{}", invitation["user"]["id"].as_str().unwrap())
}

async fn one(api: &Api, method: Method, binding: &Value) -> Reply {
    let path = format!("{PATH}/{}", binding["id"].as_str().unwrap());
    send(api.confluent_at(method, &path)).await
}

#[tokio::test]
async fn an_invited_user_can_be_bound_before_acceptance() {
    let api = api().await;
    let ada = principal(&api.invite_confluent(ADA).await);
    let binding = bound(&api, &ada, "MetricsViewer", CRN).await;
    let read = one(&api, Method::GET, &binding).await;
    assert_eq!((read.status, read.documented), (200, true));
    assert_eq!(read.json(), binding);
    assert_eq!(
        list(&api, &[("crn_pattern", CRN)]).await["data"][0],
        binding
    );

    let again = bind(&api, &ada, "MetricsViewer", CRN).await;
    assert_eq!((again.status, again.documented), (409, true));
    assert_eq!(again.header("location"), binding["metadata"]["self"]);
    api.sandbox.accept(Provider::Confluent, ADA).unwrap();
    assert_eq!(bind(&api, &ada, "MetricsViewer", CRN).await.status, 409);
    bound(
        &api,
        &ada,
        "MetricsViewer",
        &format!("{CRN}/environment=env-1"),
    )
    .await;

    let deleted = one(&api, Method::DELETE, &binding).await;
    assert_eq!((deleted.status, deleted.documented), (200, true));
    assert_eq!(deleted.json(), binding);
    for method in [Method::GET, Method::DELETE] {
        let gone = one(&api, method, &binding).await;
        assert_eq!((gone.status, gone.documented), (404, true));
    }
    let commits = serde_json::to_value(api.sandbox.ledger().commits).unwrap();
    let operations: Vec<_> = commits
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["operation"])
        .collect();
    assert_eq!(operations, ["create", "bind", "accept", "bind", "unbind"]);
    assert_eq!(commits[1]["email"], ADA);
    assert_eq!(commits[1]["id"], binding["id"]);
}

#[tokio::test]
async fn lists_filter_by_pattern_principal_and_role() {
    let api = api().await;
    let ada = principal(&api.invite_confluent(ADA).await);
    let bob = principal(&api.invite_confluent("bob@example.com").await);
    let environment = format!("{CRN}/environment=env-1");
    bound(&api, &ada, "MetricsViewer", CRN).await;
    bound(&api, &ada, "EnvironmentAdmin", &environment).await;
    bound(&api, &bob, "EnvironmentAdmin", &environment).await;
    bound(
        &api,
        "Group:admins",
        "EnvironmentAdmin",
        &format!("{CRN}/environment=env-12"),
    )
    .await;
    let (crn, env) = (("crn_pattern", CRN), ("crn_pattern", environment.as_str()));
    for (query, matches) in [
        (&[crn][..], 4),
        (&[("crn_pattern", "crn://")], 4),
        (&[env], 3),
        (
            &[("crn_pattern", "crn://confluent.cloud/organization=2")],
            0,
        ),
        (&[crn, ("principal", ada.as_str())], 2),
        (&[env, ("principal", ada.as_str())], 1),
        (&[crn, ("principal", "User:u-")], 0),
        (&[crn, ("role_name", "EnvironmentAdmin")], 3),
        (&[crn, ("role_name", "Environment")], 0),
        (
            &[
                env,
                ("principal", bob.as_str()),
                ("role_name", "EnvironmentAdmin"),
            ],
            1,
        ),
    ] {
        assert_eq!(count(&api, query).await, matches, "{query:?}");
    }
    for (query, parameter) in [
        (&[][..], "crn_pattern"),
        (&[crn, ("page_size", "101")], "page_size"),
        (&[crn, ("page_size", "0")], "page_size"),
        (&[crn, ("page_token", "x")], "page_token"),
    ] {
        let reply = send(api.confluent_at(Method::GET, PATH).query(query)).await;
        assert_eq!((reply.status, reply.documented), (400, true), "{query:?}");
        assert_eq!(reply.confluent_error()["source"]["parameter"], parameter);
    }
}

#[tokio::test]
async fn lists_have_ten_bindings_a_page() {
    let api = api().await;
    let ada = principal(&api.invite_confluent(ADA).await);
    for number in 1..=23 {
        bound(
            &api,
            &ada,
            "EnvironmentAdmin",
            &format!("{CRN}/environment=env-{number}"),
        )
        .await;
    }
    let mut path = format!("{PATH}?crn_pattern={CRN}&principal={ada}");
    let mut sizes = Vec::new();
    loop {
        let page = send(api.confluent_at(Method::GET, &path)).await.json();
        assert_eq!(page["metadata"]["total_size"], 23);
        sizes.push(page["data"].as_array().unwrap().len());
        match page["metadata"]["next"].as_str() {
            Some(next) => path = next.strip_prefix(api.sandbox.url()).unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!(sizes, [10, 10, 3]);
}

#[tokio::test]
async fn a_principal_must_be_a_user_of_the_organisation() {
    let api = api().await;
    let ada = api.invite_confluent(ADA).await;
    let invitation = format!("User:{}", ada["id"].as_str().unwrap());
    for (principal, status) in [
        (invitation.as_str(), 403),
        ("User:u-nobody", 403),
        ("u-nobody", 400),
        ("User:", 400),
        ("Robot:u-1", 400),
        ("", 400),
        ("User:u-owner", 201),
        ("Group:admins", 201),
    ] {
        let reply = bind(&api, principal, "MetricsViewer", CRN).await;
        assert_eq!(
            (reply.status, reply.documented),
            (status, true),
            "{principal}"
        );
        if status != 201 {
            let source = &reply.confluent_error()["source"]["pointer"];
            assert_eq!(source, "/principal", "{principal}");
        }
    }
}

#[tokio::test]
async fn a_pattern_must_be_within_the_organisation() {
    let api = api().await;
    let ada = principal(&api.invite_confluent(ADA).await);
    for (pattern, status) in [
        ("", 400),
        ("environment=env-1", 400),
        ("crn://", 400),
        ("crn://confluent.cloud", 400),
        (&format!("{CRN}/environment="), 400),
        (&format!("{CRN}/"), 400),
        (&format!("{CRN}0"), 403),
        ("crn://confluent.cloud/organization=other", 403),
        (
            &format!("{CRN}/environment=env-1/cloud-cluster=lkc-1/kafka=lkc-1/topic=a*"),
            201,
        ),
    ] {
        let reply = bind(&api, &ada, "ResourceOwner", pattern).await;
        assert_eq!(
            (reply.status, reply.documented),
            (status, true),
            "{pattern}"
        );
    }
    for body in [
        json!([]),
        json!({ "principal": ada, "crn_pattern": CRN }),
        json!({ "role_name": 1, "principal": ada }),
    ] {
        let reply = send(api.confluent_at(Method::POST, PATH).json(&body)).await;
        assert_eq!((reply.status, reply.documented), (400, true), "{body}");
    }
}

#[tokio::test]
async fn bindings_go_with_their_user() {
    let api = api().await;
    let ada = api.invite_confluent(ADA).await;
    bound(&api, &principal(&ada), "MetricsViewer", CRN).await;
    let path = format!("/{}", ada["id"].as_str().unwrap());
    assert_eq!(send(api.confluent(Method::DELETE, &path)).await.status, 204);
    assert!(api.sandbox.role_bindings().is_empty(), "withdrawn");
    let refused = bind(&api, &principal(&ada), "MetricsViewer", CRN).await;
    assert_eq!(refused.status, 403, "deactivated");

    let ada = api.invite_confluent(ADA).await;
    bound(&api, &principal(&ada), "MetricsViewer", CRN).await;
    api.sandbox.accept(Provider::Confluent, ADA).unwrap();
    assert_eq!(api.sandbox.role_bindings().len(), 1);
    let path = format!("/iam/v2/users/{}", ada["user"]["id"].as_str().unwrap());
    assert_eq!(
        send(api.confluent_at(Method::DELETE, &path)).await.status,
        204
    );
    assert!(api.sandbox.role_bindings().is_empty(), "removed");
}

#[tokio::test]
async fn a_new_binding_is_listed_after_the_lag() {
    let api = api().await;
    let lag = Lag::time(Duration::from_secs(90));
    api.sandbox
        .set_faults(Faults::default().with_binding_lag(lag));
    let ada = principal(&api.invite_confluent(ADA).await);
    let binding = bound(&api, &ada, "MetricsViewer", CRN).await;
    let query = [("crn_pattern", CRN)];
    assert_eq!(count(&api, &query).await, 0);
    assert_eq!(one(&api, Method::GET, &binding).await.status, 200);
    assert_eq!(bind(&api, &ada, "MetricsViewer", CRN).await.status, 409);
    assert_eq!(api.sandbox.role_bindings().len(), 1);
    api.sandbox.advance(Duration::from_secs(90));
    assert_eq!(count(&api, &query).await, 1);
    let faults = json!({ "binding_lag": { "requests": 2 } });
    let reply = api.admin(Method::PUT, "/_sandbox/faults", &faults).await;
    assert_eq!(reply.status, 204);
    assert_eq!(api.sandbox.faults().binding_lag, Some(Lag::requests(2)));
}

#[tokio::test]
async fn faults_and_rights_hold_for_role_bindings() {
    let api = Api::configured(json!({ "confluent": [{ "id": ORGANIZATION, "keys": [
        { "api_key": "KEY", "api_secret": "s" },
        { "api_key": "READER", "api_secret": "s", "rights": "reader" },
    ] }] }))
    .await;
    let ada = principal(&api.invite_confluent(ADA).await);
    api.sandbox.set_faults(Faults::script([
        Rule::new(Fault::reset_after()).on(Operation::CreateRoleBinding),
        Rule::new(Fault::locked()).on(Operation::DeleteRoleBinding),
    ]));
    let body = json!({ "principal": ada, "role_name": "MetricsViewer", "crn_pattern": CRN });
    let lost = api
        .confluent_at(Method::POST, PATH)
        .json(&body)
        .send()
        .await;
    assert!(lost.is_err());
    let binding = json!({ "id": api.sandbox.role_bindings()[0].id });
    assert_eq!(one(&api, Method::DELETE, &binding).await.status, 409);
    assert_eq!(one(&api, Method::DELETE, &binding).await.status, 200);
    let ledger = api.sandbox.ledger();
    let entry = ledger.requests.iter().find(|it| it.path == PATH).unwrap();
    assert_eq!(entry.operation, Some("createIamV2RoleBinding"));
    assert!(entry.fault.is_some());

    let with_reader = |method| {
        let request = api.http.request(method, api.url(PATH));
        request.basic_auth("READER", Some("s"))
    };
    let refused = send(with_reader(Method::POST).json(&body)).await;
    assert_eq!((refused.status, refused.documented), (403, true));
    let read = send(with_reader(Method::GET).query(&[("crn_pattern", CRN)])).await;
    assert_eq!(read.status, 200);
    let stranger = send(api.http.get(api.url(PATH))).await;
    assert_eq!((stranger.status, stranger.documented), (401, true));
}

#[tokio::test]
async fn role_bindings_can_be_configured() {
    let api = Api::configured(json!({ "confluent": [{
        "id": ORGANIZATION,
        "members": [{ "id": "u-1", "email": ADA }],
        "role_bindings": [
            { "principal": "User:u-1", "role_name": "OrganizationAdmin" },
            { "principal": "User:sa-1", "role_name": "EnvironmentAdmin", "crn_pattern": "environment=env-1" },
        ],
    }] }))
    .await;
    let page = list(&api, &[("crn_pattern", CRN)]).await;
    assert_eq!(page["data"][0]["crn_pattern"], CRN);
    assert_eq!(
        page["data"][1]["crn_pattern"],
        format!("{CRN}/environment=env-1")
    );
    let shown = api
        .admin(Method::GET, "/_sandbox/role-bindings", &json!(null))
        .await;
    assert_eq!(shown.json()["role_bindings"][1]["principal"], "User:sa-1");
}
