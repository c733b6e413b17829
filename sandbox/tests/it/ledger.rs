//! The ledger, in process and over HTTP, and accepting over HTTP.

use org_invitations_sandbox::{AcceptError, Change, Fault, Faults, Provider, Rule, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, send};

#[tokio::test]
async fn requests_and_changes_are_recorded_in_order() {
    let api = Api::start().await;
    let ada = api.invite_confluent("Ada@example.com").await;
    let bob = api.invite_clickhouse("Bob@example.com").await;
    let duplicate = json!({ "email": "ada@example.com" });
    send(api.confluent(Method::POST, "").json(&duplicate)).await;
    api.sandbox
        .accept(Provider::Confluent, "ada@example.com")
        .unwrap();
    let path = format!("/{}", bob["id"].as_str().unwrap());
    let deleted = send(api.clickhouse(Method::DELETE, &path)).await;

    let ledger = api.sandbox.ledger();
    let requests: Vec<_> = ledger
        .requests
        .iter()
        .map(|entry| (entry.provider, entry.operation, entry.status))
        .collect();
    let (confluent, clickhouse) = (Some(Provider::Confluent), Some(Provider::ClickHouse));
    assert_eq!(
        requests,
        [
            (confluent, Some("createIamV2Invitation"), Some(201)),
            (clickhouse, Some("invitationCreate"), Some(200)),
            (confluent, Some("createIamV2Invitation"), Some(409)),
            (clickhouse, Some("invitationDelete"), Some(200)),
        ]
    );
    let commits: Vec<_> = ledger
        .commits
        .iter()
        .map(|entry| (entry.operation, entry.id.as_str(), entry.email.as_str()))
        .collect();
    let (ada, bob) = (ada["id"].as_str().unwrap(), bob["id"].as_str().unwrap());
    assert_eq!(
        commits,
        [
            (Change::Create, ada, "Ada@example.com"),
            (Change::Create, bob, "bob@example.com"),
            (Change::Accept, ada, "Ada@example.com"),
            (Change::Delete, bob, "bob@example.com"),
        ]
    );
    let request_id = deleted.json()["requestId"].as_str().unwrap().to_owned();
    assert_eq!(ledger.requests[3].request_id, request_id);
    assert_eq!(ledger.commits[3].request_id, Some(request_id));
    assert_eq!(ledger.commits[2].request_id, None);
    assert!(ledger.requests[3].sequence < ledger.commits[3].sequence);
    assert!(ledger.commits[2].sequence < ledger.requests[3].sequence);
}

#[tokio::test]
async fn the_ledger_is_served_as_json() {
    let api = Api::start().await;
    let reply = send(api.confluent(Method::GET, "?status=A%20B&page_size=3")).await;
    api.invite_clickhouse("ada@example.com").await;

    let url = api.url("/_sandbox/ledger");
    let ledger = send(api.http.get(&url)).await.json();
    let request = &ledger["requests"][0];
    assert_eq!(request["sequence"], 1);
    assert!(request["at"].as_str().unwrap().ends_with('Z'), "{request}");
    assert_eq!(request["provider"], "confluent");
    assert_eq!(request["operation"], "listIamV2Invitations");
    assert_eq!(request["method"], "GET");
    assert_eq!(request["path"], "/iam/v2/invitations");
    assert_eq!(request["query"], "status=A%20B&page_size=3");
    assert_eq!(request["status"], 200);
    assert_eq!(request["request_id"], reply.header("x-request-id"));
    let commit = &ledger["commits"][0];
    assert_eq!(commit["provider"], "clickhouse");
    assert_eq!(commit["operation"], "create");
    assert_eq!(commit["email"], "ada@example.com");
    assert_eq!(commit["request_id"], ledger["requests"][1]["request_id"]);

    let again = send(api.http.get(&url)).await.json();
    assert_eq!(again, ledger, "looking is not recorded");
    let own = serde_json::to_value(api.sandbox.ledger()).unwrap();
    assert_eq!(own, ledger);
}

#[tokio::test]
async fn rejected_and_unrouted_requests_are_recorded() {
    let api = Api::start().await;
    send(api.http.get(api.url("/iam/v2/invitations"))).await;
    send(api.http.put(api.url("/iam/v2/invitations"))).await;
    send(api.http.get(api.url("/v1/elsewhere"))).await;
    send(api.http.get(api.url("/favicon.ico"))).await;
    let ledger = api.sandbox.ledger();
    let seen: Vec<_> = ledger
        .requests
        .iter()
        .map(|entry| (entry.provider, entry.operation, entry.status))
        .collect();
    let confluent = Some(Provider::Confluent);
    assert_eq!(
        seen,
        [
            (confluent, Some("listIamV2Invitations"), Some(401)),
            (confluent, None, Some(405)),
            (Some(Provider::ClickHouse), None, Some(404)),
            (None, None, Some(404)),
        ]
    );
}

#[tokio::test]
async fn headers_are_recorded_without_credentials() {
    let api = Api::start().await;
    let request = api.confluent(Method::GET, "").header("X-Twice", "a");
    send(request.header("x-twice", "b")).await;
    let token = api.sandbox.credentials().confluent.access_token();
    let url = api.url("/iam/v2/invitations");
    send(api.http.get(&url).bearer_auth(token)).await;
    send(api.http.get(&url).header("authorization", token)).await;

    let ledger = api.sandbox.ledger();
    let shown = |index: usize| ledger.requests[index].headers["authorization"].as_str();
    assert_eq!(
        [shown(0), shown(1), shown(2)],
        ["Basic", "Bearer", "(no scheme)"]
    );
    assert_eq!(ledger.requests[0].headers["x-twice"], "a, b");
    let text = serde_json::to_string(&ledger).unwrap();
    let keys = &api.sandbox.credentials().confluent;
    assert!(!text.contains(token), "{text}");
    assert!(!text.contains(&keys.api_secret), "{text}");
}

#[tokio::test]
async fn secrets_are_hidden_wherever_a_client_puts_them() {
    let api = Api::start().await;
    let credentials = api.sandbox.credentials();
    let secret = &credentials.confluent.api_secret;
    let path = format!("/iam/v2/invitations/{secret}?access_token=short&email={secret}");
    let request = api.confluent_at(Method::POST, &path);
    let request = request
        .header("x-api-key", "short")
        .header("cookie", "session=short")
        .header("x-forwarded-auth", format!("Bearer {secret}"));
    let body = json!({ "email": secret, "client_secret": "short" });
    send(request.json(&body)).await;
    let form = [
        ("subject_token", credentials.subject_token()),
        ("client_secret", "short"),
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        (
            "requested_token_type",
            "urn:ietf:params:oauth:token-type:access_token",
        ),
        ("identity_pool_id", credentials.identity_pool_id()),
    ];
    let exchanged = send(api.http.post(api.url("/sts/v1/oauth2/token")).form(&form)).await;
    let issued = exchanged.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();

    let get = |path: &str| send(api.http.get(api.url(path)));
    let ledger = get("/_sandbox/ledger").await;
    let mut texts = vec![ledger.text.clone()];
    for entry in ledger.json()["requests"].as_array().unwrap() {
        let exchange = format!("/_sandbox/exchanges/{}", entry["sequence"]);
        texts.push(get(&exchange).await.text);
    }
    assert_eq!(texts.len(), 3);
    for text in &texts {
        for hidden in [secret, &issued, credentials.subject_token(), "short"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
        assert!(text.contains("(hidden)"), "{text}");
    }
    assert!(texts[2].contains("token-exchange"), "{}", texts[2]);
    assert!(texts[2].contains("expires_in"), "{}", texts[2]);
}

#[tokio::test]
async fn a_request_is_shown_with_what_was_sent_and_answered() {
    let api = Api::start().await;
    api.invite_clickhouse("ada@example.com").await;
    let rule = Rule::new(Fault::page_after(502));
    api.sandbox.set_faults(Faults::script([rule]));
    let lost = api.clickhouse(Method::POST, "").body("[]");
    send(lost).await;
    let rule = Rule::new(Fault::reset_before());
    api.sandbox.set_faults(Faults::script([rule]));
    let reset = api.clickhouse(Method::GET, "").body("sent").send().await;
    assert!(reset.is_err());

    let exchange = |number: u64| {
        let path = format!("/_sandbox/exchanges/{number}");
        let request = api.http.get(api.url(&path));
        async move { send(request).await.json() }
    };
    let created = exchange(1).await;
    assert_eq!(created["request"]["operation"], "invitationCreate");
    let sent = created["request_body"]["text"].as_str().unwrap();
    assert_eq!(sent, r#"{"email":"ada@example.com"}"#);
    assert_eq!(created["request_body"]["bytes"], sent.len());
    let answered = created["response_body"]["text"].as_str().unwrap();
    let answered: Value = serde_json::from_str(answered).unwrap();
    assert_eq!(answered["result"]["email"], "ada@example.com");
    assert_eq!(
        created["response_headers"]["content-type"],
        "application/json"
    );

    let lost = exchange(3).await;
    assert_eq!(lost["request"]["fault"]["status"], 502);
    assert_eq!(lost["request_body"]["text"], "[]");
    let page = lost["response_body"]["text"].as_str().unwrap();
    assert!(
        page.starts_with("<"),
        "what was sent, not what was meant: {page}"
    );

    let reset = exchange(4).await;
    assert_eq!(reset["request"]["status"], json!(null));
    assert_eq!(reset["request_body"]["text"], "sent");
    assert_eq!(reset["response_body"], json!(null));
}

#[tokio::test]
async fn the_ledger_is_followed_by_its_sequence() {
    let api = Api::start().await;
    let get = |path: &str| send(api.http.get(api.url(&format!("/_sandbox/{path}"))));
    let before = get("status").await.json();
    for name in ["ada", "bob", "cy"] {
        api.invite_confluent(&format!("{name}@example.com")).await;
    }
    let status = get("status").await.json();
    assert_eq!(status["sequence"], 6);
    assert_eq!(status["run"], before["run"]);
    assert_eq!(status["organizations"][0]["invitations"], 3);
    let revision = |status: &Value| status["revision"].as_u64().unwrap();
    assert!(revision(&status) > revision(&before), "{status}");

    let sequences = |ledger: &Value, list: &str| -> Vec<u64> {
        let entries = ledger[list].as_array().unwrap().iter();
        entries.map(|it| it["sequence"].as_u64().unwrap()).collect()
    };
    let ledger = get("ledger?after=2").await.json();
    assert_eq!(sequences(&ledger, "requests"), [3, 5]);
    assert_eq!(sequences(&ledger, "commits"), [4, 6]);
    let ledger = get("ledger?limit=1").await.json();
    assert_eq!(sequences(&ledger, "requests"), [5]);
    let ledger = get("ledger?after=6").await.json();
    assert_eq!(sequences(&ledger, "requests"), [0_u64; 0]);

    send(api.confluent(Method::GET, "")).await;
    let read = get("status").await.json();
    assert_eq!(read["sequence"], 7);
    assert_eq!(revision(&read), revision(&status), "a list changes nothing");
    api.sandbox.reset();
    let reset = get("status").await.json();
    assert_ne!(reset["run"], status["run"]);
    assert!(revision(&reset) > revision(&read));
}

#[tokio::test]
async fn people_are_selected_by_organisation_and_address() {
    let other = "11111111-0000-4000-8000-000000000002";
    let api = Api::configured(json!({
        "seed": 3, "seed_members": 2,
        "confluent": [{}, { "id": other, "keys": [{ "api_key": "OTHER", "api_secret": "s" }] }],
    }))
    .await;
    let invite = |key: &'static str, secret: String| {
        let request = api.http.post(api.url("/iam/v2/invitations"));
        let request = request.basic_auth(key, Some(secret));
        async move { send(request.json(&json!({ "email": "user1@seeded.example" }))).await }
    };
    assert_eq!(invite("OTHER", "s".to_owned()).await.status, 201);
    let get = |path: &str| send(api.http.get(api.url(&format!("/_sandbox/{path}"))));
    let emails = |reply: &Value, list: &str| -> Vec<String> {
        let people = reply[list].as_array().unwrap().iter();
        people
            .map(|it| it["email"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = get("invitations").await.json();
    assert_eq!(all["total"], 7);
    let own = format!("invitations?provider=confluent&organization={other}");
    let own = get(&own).await.json();
    assert_eq!(emails(&own, "invitations"), ["user1@seeded.example"]);
    let latest = get("invitations?provider=clickhouse&limit=2").await.json();
    let expected = ["user2@seeded.example", "user3@seeded.example"];
    assert_eq!(emails(&latest, "invitations"), expected);
    assert_eq!(latest["total"], 3);
    let found = get("members?email=MEMBER2").await.json();
    assert_eq!(emails(&found, "members").len(), 2);

    let accept = |organization: Option<&str>| {
        let body = json!({
            "provider": "confluent", "email": "user1@seeded.example", "organization": organization,
        });
        send(api.http.post(api.url("/_sandbox/accept")).json(&body))
    };
    assert_eq!(
        accept(Some(other)).await.json()["id"],
        own["invitations"][0]["id"]
    );
    assert_eq!(accept(Some("elsewhere")).await.status, 404);
    assert_eq!(accept(None).await.json()["id"], "i-seed-1");
}

#[tokio::test]
async fn an_invitation_can_be_accepted_over_http() {
    let api = Api::start().await;
    let ada = api.invite_confluent("ada@example.com").await;
    let url = api.url("/_sandbox/accept");
    let accept = |body: Value| send(api.http.post(&url).json(&body));

    let body = json!({ "provider": "confluent", "email": "Ada@example.com" });
    let reply = accept(body.clone()).await;
    assert_eq!((reply.status, &reply.json()["id"]), (200, &ada["id"]));
    for (body, status) in [
        (body, 409),
        (
            json!({ "provider": "clickhouse", "email": "ada@example.com" }),
            404,
        ),
        (
            json!({ "provider": "nobody", "email": "ada@example.com" }),
            422,
        ),
        (json!({}), 422),
    ] {
        let reply = accept(body.clone()).await;
        assert_eq!(reply.status, status, "{body}: {reply:?}");
        assert!(reply.json()["error"].is_string(), "{reply:?}");
    }
    let ledger = api.sandbox.ledger();
    assert_eq!(ledger.requests.len(), 1, "only the create");
    assert_eq!(ledger.commits.len(), 2);
}

#[tokio::test]
async fn each_reason_against_accepting_has_its_error() {
    let api = Api::start().await;
    let accept = || api.sandbox.accept(Provider::ClickHouse, "ada@example.com");
    assert_eq!(accept(), Err(AcceptError::NotInvited));
    api.invite_clickhouse("ada@example.com").await;
    accept().unwrap();
    assert_eq!(accept(), Err(AcceptError::AlreadyAccepted));
}

#[tokio::test]
async fn unknown_admin_paths_are_not_found() {
    let api = Api::start().await;
    for (method, path, status) in [
        (Method::GET, "/_sandbox/nothing", 404),
        (Method::GET, "/_sandbox/nothing/", 404),
        (Method::POST, "/_sandbox/ledger", 405),
    ] {
        let reply = send(api.http.request(method.clone(), api.url(path))).await;
        assert_eq!(reply.status, status, "{method} {path}");
        assert!(reply.json()["error"].is_string(), "{reply:?}");
    }
    assert!(api.sandbox.ledger().requests.is_empty());
}

#[tokio::test]
async fn a_limited_ledger_keeps_the_latest_and_counts_the_rest() {
    let api = Api::with(Sandbox::builder().ledger_limit(2)).await;
    for name in ["ada", "bob", "cy", "dan"] {
        api.invite_confluent(&format!("{name}@example.com")).await;
    }
    send(api.confluent(Method::GET, "")).await;
    let ledger = api.sandbox.ledger();
    let requests: Vec<_> = ledger.requests.iter().map(|entry| entry.sequence).collect();
    let emails: Vec<_> = ledger
        .commits
        .iter()
        .map(|entry| &entry.email[..])
        .collect();
    assert_eq!(requests, [7, 9]);
    assert_eq!(emails, ["cy@example.com", "dan@example.com"]);
    assert_eq!((ledger.dropped_requests, ledger.dropped_commits), (3, 2));
    assert!(ledger.requests.iter().all(|entry| entry.status.is_some()));

    api.sandbox.reset();
    send(api.confluent(Method::GET, "")).await;
    let ledger = api.sandbox.ledger();
    assert_eq!(ledger.requests[0].sequence, 10, "numbers go on");
    assert_eq!(ledger.dropped_requests, 0);
}
