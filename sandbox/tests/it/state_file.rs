//! The state in a file, with which another sandbox continues.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use org_invitations_sandbox::{
    Config, ConfluentKey, CustomRole, Fault, Faults, Lag, Limit, Limits, Operation, Provider, Rule,
    Sandbox,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, send};

/// A path of its own, where no file is.
fn new_path(name: &str) -> PathBuf {
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("state-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder.join("state.json")
}

async fn start(path: &Path) -> Api {
    Api::with(Sandbox::builder().state_file(path)).await
}

/// Everything that the next sandbox must have.
async fn everything(api: &Api) -> Value {
    let mut all = json!({
        "members": api.sandbox.members(),
        "role_bindings": api.sandbox.role_bindings(),
        "api_keys": api.sandbox.api_keys(),
        "invitations": api.sandbox.invitations(),
        "faults": api.sandbox.faults(),
        "idp": api.sandbox.idp_tokens_issued(),
    });
    for path in ["limits", "quota", "roles"] {
        all[path] = send(api.http.get(api.url(&format!("/_sandbox/{path}"))))
            .await
            .json();
    }
    for path in ["invitations", "members", "activities", "roles"] {
        let listed = send(api.clickhouse_at(Method::GET, &format!("/{path}"))).await;
        all[format!("clickhouse {path}")] = listed.json()["result"].clone();
    }
    let url = api.sandbox.url();
    for path in ["invitations", "users", "api-keys"] {
        let listed = send(api.confluent_at(Method::GET, &format!("/iam/v2/{path}"))).await;
        let listed = listed.text.replace(url, "http://sandbox");
        all[format!("confluent {path}")] = serde_json::from_str(&listed).unwrap();
    }
    all
}

#[tokio::test]
async fn another_sandbox_continues_where_one_was_killed() {
    let path = new_path("continues");
    let config: Config = serde_json::from_value(json!({
        "seed": 2, "seed_members": 2,
        "confluent": [{ "sso": true }, { "keys": [{ "api_key": "OTHER", "api_secret": "s" }] }],
    }))
    .unwrap();
    let builder = Sandbox::builder().config(config).state_file(&path);
    let one = Api::with(builder).await;
    one.sandbox.advance(Duration::from_secs(86_400));
    one.invite_confluent("ada@example.com").await;
    let bob = one.invite_clickhouse("bob@example.com").await;
    one.invite_clickhouse("cy@example.com").await;
    one.sandbox
        .accept(Provider::Confluent, "ada@example.com")
        .unwrap();
    one.sandbox
        .accept(Provider::ClickHouse, "cy@example.com")
        .unwrap();
    let bob = format!("/{}", bob["id"].as_str().unwrap());
    send(one.clickhouse(Method::DELETE, &bob)).await;
    let binding = json!({
        "principal": "User:u-seed-member-1", "role_name": "MetricsViewer",
        "crn_pattern": format!("crn://confluent.cloud/organization={}", one.sandbox.members()[0].organization),
    });
    let bound = one
        .confluent_at(Method::POST, "/iam/v2/role-bindings")
        .json(&binding);
    assert_eq!(send(bound).await.status, 201);
    let further = ConfluentKey::new("FURTHER", "secret").user("u-seed-member-1");
    one.sandbox.add_confluent_key(further).unwrap();
    let auditor = "33333333-0000-4000-8000-000000000003";
    one.sandbox
        .set_custom_roles(vec![CustomRole::new(auditor, "Auditor")])
        .unwrap();
    let audit = json!({ "email": "dan@example.com", "assignedRoleIds": [auditor] });
    assert_eq!(
        send(one.clickhouse(Method::POST, "").json(&audit))
            .await
            .status,
        200
    );
    one.sandbox
        .set_limits(Limits::default().confluent(Limit::new(1000, Duration::from_secs(9))));
    // Two invitations of one address, of which lists do not show the second yet.
    let lags = Faults::script([Rule::new(Fault::reset_after()).on(Operation::Delete)])
        .with_uniqueness_lag(Lag::requests(1))
        .with_list_lag(Lag::requests(1000));
    one.sandbox.set_faults(lags);
    one.invite_confluent("eve@example.com").await;
    one.invite_confluent("eve@example.com").await;
    let form = [
        ("subject_token", one.sandbox.credentials().subject_token()),
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        (
            "requested_token_type",
            "urn:ietf:params:oauth:token-type:access_token",
        ),
        (
            "identity_pool_id",
            one.sandbox.credentials().identity_pool_id(),
        ),
    ];
    let issued = send(one.http.post(one.url("/sts/v1/oauth2/token")).form(&form)).await;
    let issued = issued.json()["access_token"].as_str().unwrap().to_owned();

    // Once a change is answered, it is in the file: a copy is what a kill would leave.
    let left = path.with_file_name("left.json");
    fs::copy(&path, &left).unwrap();
    let expected = everything(&one).await;
    let last = one.sandbox.ledger().requests.last().unwrap().sequence;
    let two = start(&left).await;
    assert_eq!(everything(&two).await, expected);
    let (old, new) = (one.sandbox.credentials(), two.sandbox.credentials());
    assert_eq!(new.confluent.api_secret, old.confluent.api_secret);
    assert_eq!(new.confluent.access_token(), old.confluent.access_token());
    assert_eq!(new.clickhouse.api_secret, old.clickhouse.api_secret);
    assert_eq!(
        new.clickhouse.organization_id,
        old.clickhouse.organization_id
    );
    assert_eq!(new.idp().client_secret, old.idp().client_secret);
    assert_ne!(new.url, old.url);
    let listed = two
        .http
        .get(two.url("/iam/v2/invitations"))
        .bearer_auth(issued);
    assert_eq!(send(listed).await.status, 200, "tokens stay valid");
    let other = two
        .http
        .get(two.url("/iam/v2/invitations"))
        .basic_auth("OTHER", Some("s"));
    assert_eq!(send(other).await.status, 200);
    let clock = send(two.http.get(two.url("/_sandbox/clock"))).await.json();
    assert_eq!(clock["advanced_seconds"], 86_400);
    let ledger = two.sandbox.ledger();
    assert!(ledger.dropped_requests > 0, "those of the first sandbox");
    assert!(ledger.requests[0].sequence + 20 > last, "the numbers go on");

    // New things get new ids, and a reset goes back to the beginning of the first sandbox.
    two.sandbox.set_faults(Faults::default());
    let fay = two.invite_confluent("fay@example.com").await;
    assert!(!expected.to_string().contains(fay["id"].as_str().unwrap()));
    let again = json!({ "email": "eve@example.com" });
    assert_eq!(
        send(two.confluent(Method::POST, "").json(&again))
            .await
            .status,
        409
    );
    two.sandbox.reset();
    assert_eq!(two.sandbox.invitations().len(), 4);
    assert_eq!(two.sandbox.members().len(), 4);
    assert_eq!(
        send(two.confluent(Method::GET, "")).await.status,
        200,
        "the credentials stay"
    );
}

#[tokio::test]
async fn the_file_is_for_its_owner_and_whole_at_any_time() {
    let path = new_path("whole");
    let api = start(&path).await;
    let read = || -> Value { serde_json::from_slice(&fs::read(&path).unwrap()).unwrap() };
    assert!(read()["confluent"].is_object(), "written at the start");
    for number in 0..20 {
        let email = format!("user{number}@example.com");
        let (one, two) = tokio::join!(api.invite_confluent(&email), api.invite_clickhouse(&email));
        let text = read().to_string();
        for invitation in [one, two] {
            let id = invitation["id"].as_str().unwrap();
            assert!(
                text.contains(id),
                "{id} was answered and is not in the file"
            );
        }
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let folder = path.parent().unwrap().read_dir().unwrap();
    assert_eq!(folder.count(), 1, "nothing else is left behind");
}

#[tokio::test]
async fn a_configuration_that_would_have_no_effect_is_refused() {
    let path = new_path("configuration");
    let with = |seed: u64| {
        let mut config = Config::default();
        config.seed = seed;
        config.ledger_limit = Some(usize::try_from(seed).unwrap());
        Sandbox::builder().config(config).state_file(&path)
    };
    drop(with(3).start().await.unwrap());
    let same = with(3).start().await.unwrap();
    assert_eq!(same.invitations().len(), 6);
    let without = Sandbox::builder().state_file(&path).start().await.unwrap();
    assert_eq!(without.invitations().len(), 6);
    let refused = with(4).start().await.unwrap_err().to_string();
    assert!(refused.contains("another configuration"), "{refused}");
    assert!(refused.contains("state.json"), "{refused}");

    for text in ["", "{}", "[1]", r#"{"version":1}"#, r#"{"version":99}"#] {
        fs::write(&path, text).unwrap();
        let refused = with(3).start().await.unwrap_err().to_string();
        assert!(
            refused.contains("is not the state of a sandbox"),
            "{text}: {refused}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "it is left alone");
    }
}

#[tokio::test]
async fn a_sandbox_that_cannot_keep_its_state_stops() {
    let path = new_path("stops");
    let api = start(&path).await;
    let folder = path.parent().unwrap();
    fs::remove_dir_all(folder).unwrap();
    let create = api
        .confluent(Method::POST, "")
        .json(&json!({ "email": "ada@example.com" }));
    assert!(
        create.send().await.is_err(),
        "what is not kept is not answered"
    );
    let failed = api.sandbox.serve_until(std::future::pending()).await;
    let failed = failed.unwrap_err().to_string();
    assert!(
        failed.contains("cannot write the state of the sandbox"),
        "{failed}"
    );
    let refused = Sandbox::builder().state_file(&path).start().await;
    assert!(refused.is_err(), "at the start too");
}

#[tokio::test]
async fn what_the_ledger_counted_last_is_kept_at_the_end() {
    let path = new_path("end");
    let api = start(&path).await;
    send(api.confluent(Method::GET, "")).await;
    let stop = api.http.post(api.url("/_sandbox/stop"));
    assert_eq!(send(stop).await.status, 204);
    api.sandbox
        .serve_until(std::future::pending())
        .await
        .unwrap();
    let next = start(&path).await;
    send(next.confluent(Method::GET, "")).await;
    assert_eq!(next.sandbox.ledger().requests[0].sequence, 2);
}
