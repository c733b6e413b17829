//! The command as a process, against a sandbox.

use std::{collections::BTreeMap, process::Output};

use org_invitations_sandbox::{Config, Provider, Sandbox};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

const BINARY: &str = env!("CARGO_BIN_EXE_org-invitations");

/// A sandbox, and the command with credentials for it.
struct World {
    sandbox: Sandbox,
}

impl World {
    async fn start() -> Self {
        Self {
            sandbox: Sandbox::start().await.unwrap(),
        }
    }

    fn variables(&self) -> BTreeMap<&'static str, String> {
        let credentials = self.sandbox.credentials();
        let (confluent, clickhouse) = (&credentials.confluent, &credentials.clickhouse);
        BTreeMap::from([
            ("CONFLUENT_CLOUD_API_KEY", confluent.api_key.clone()),
            ("CONFLUENT_CLOUD_API_SECRET", confluent.api_secret.clone()),
            ("CONFLUENT_CLOUD_ENDPOINT", self.sandbox.url().to_owned()),
            ("CLICKHOUSE_ORG_ID", clickhouse.organization_id.clone()),
            ("CLICKHOUSE_CLOUD_API_KEY", clickhouse.api_key.clone()),
            ("CLICKHOUSE_CLOUD_API_SECRET", clickhouse.api_secret.clone()),
            ("CLICKHOUSE_API_URL", format!("{}/v1", self.sandbox.url())),
        ])
    }

    async fn run(&self, arguments: &[&str]) -> Finished {
        run(arguments, self.variables()).await
    }
}

struct Finished {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Finished {
    #[track_caller]
    fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        serde_json::from_str(&self.stdout).unwrap()
    }

    #[track_caller]
    fn fails(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{} {}", self.stdout, self.stderr);
        for word in words {
            assert!(
                self.stderr.contains(word),
                "no {word:?} in: {}",
                self.stderr
            );
        }
    }
}

async fn run(arguments: &[&str], variables: BTreeMap<&str, String>) -> Finished {
    let mut command = Command::new(BINARY);
    command.args(arguments).env_clear().envs(variables);
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Finished {
        code: status.code(),
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_shows_the_main_job_on_both_providers() {
    let demo = run(&["demo"], BTreeMap::new()).await;
    assert_eq!(demo.code, Some(0), "{}", demo.stderr);
    for expected in [
        "== confluent",
        "== clickhouse",
        "created 3 invitations",
        "listed by email bob@example.com: 1 found",
        "listed all: 3 on 2 pages",
        "a duplicate is refused as AlreadyExists",
        "request id ",
        "EXPIRES",
        "left: ann@example.com, eve@example.com",
    ] {
        assert!(
            demo.stdout.contains(expected),
            "no {expected:?} in:\n{}",
            demo.stdout
        );
    }
    assert_eq!(demo.stderr, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_four_verbs_work_on_either_provider() {
    let world = World::start().await;
    for (name, stored) in [
        ("confluent", "Ann@example.com"),
        ("clickhouse", "ann@example.com"),
    ] {
        let created = world
            .run(&[
                "create",
                "Ann@example.com",
                "--provider",
                name,
                "-o",
                "json",
            ])
            .await
            .json();
        assert_eq!(created["email"], stored);
        assert_eq!(created["status"], "sent");
        let id = created["id"].as_str().unwrap();

        let read = world
            .run(&["--provider", name, "-o", "json", "get", id])
            .await
            .json();
        assert_eq!(read, created, "{name}");

        let listed = world.run(&["list", "-p", name, "-o", "json"]).await.json();
        assert_eq!(listed, Value::Array(vec![created.clone()]), "{name}");

        let table = world.run(&["list", "-p", name]).await;
        assert!(
            table.stdout.contains(id) && table.stdout.contains("EMAIL"),
            "{}",
            table.stdout
        );

        let again = world.run(&["create", "ann@EXAMPLE.com", "-p", name]).await;
        again.fails(1, &["already exists", "status 409", "request id", "hint:"]);

        let deleted = world.run(&["delete", id, "-p", name]).await;
        assert_eq!(deleted.stdout, format!("deleted {id}\n"));
        let gone = world.run(&["get", id, "-p", name]).await;
        gone.fails(1, &["not found", "status 404", "request id"]);
        let none = world.run(&["list", "-p", name, "-o", "json"]).await.json();
        assert_eq!(none, Value::Array(vec![]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_reach_the_list() {
    let world = World::start().await;
    for name in ["confluent", "clickhouse"] {
        for email in ["a@example.com", "b@example.com", "c@example.com"] {
            world
                .run(&["create", email, "-p", name, "-o", "json"])
                .await
                .json();
        }
        let emails = async |arguments: &[&str]| {
            let arguments = [&["list", "-p", name, "-o", "json"], arguments].concat();
            let rows = world.run(&arguments).await.json();
            let rows = rows.as_array().unwrap().clone();
            rows.iter()
                .map(|row| row["email"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            emails(&["--email", "b@example.com"]).await,
            ["b@example.com"]
        );
        assert_eq!(
            emails(&["--status", "sent", "--page-size", "1"])
                .await
                .len(),
            3,
            "{name}"
        );
        assert_eq!(emails(&["--status", "expired"]).await, Vec::<String>::new());
    }
    let refused = world
        .run(&["list", "-p", "clickhouse", "--user", "u-1"])
        .await;
    refused.fails(1, &["not supported", "user filter"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_option_that_the_provider_lacks_is_refused_before_any_request() {
    let world = World::start().await;
    let role = [
        "create",
        "a@example.com",
        "-p",
        "confluent",
        "--role-id",
        "r",
    ];
    world.run(&role).await.fails(1, &["not supported", "roles"]);
    let login = [
        "create",
        "a@example.com",
        "-p",
        "clickhouse",
        "--auth-type",
        "sso",
    ];
    world
        .run(&login)
        .await
        .fails(1, &["not supported", "auth types"]);
    for id in ["", ".", "..", "a/b", "a?b", "a b"] {
        world
            .run(&["delete", id, "-p", "clickhouse"])
            .await
            .fails(1, &["invalid input"]);
    }
    let ledger = world.sandbox.ledger();
    assert!(ledger.requests.is_empty(), "{:?}", ledger.requests);
}

#[tokio::test]
async fn wrong_usage_ends_with_2_and_says_what_to_do() {
    let none = BTreeMap::new;
    run(&["lst"], none()).await.fails(2, &["list", "--help"]);
    run(&["list"], none())
        .await
        .fails(2, &["--provider", "demo"]);
    run(&["list", "--provider", "aws"], none())
        .await
        .fails(2, &["confluent", "clickhouse"]);
    let missing = run(&["list", "-p", "confluent"], none()).await;
    missing.fails(2, &["CONFLUENT_CLOUD_API_KEY", "demo"]);
    let empty = BTreeMap::from([("CLICKHOUSE_ORG_ID", String::new())]);
    run(&["list", "-p", "clickhouse"], empty)
        .await
        .fails(2, &["CLICKHOUSE_ORG_ID"]);
    let plain = BTreeMap::from([
        ("CONFLUENT_CLOUD_API_KEY", "key".to_owned()),
        ("CONFLUENT_CLOUD_API_SECRET", "hunter2".to_owned()),
        ("CONFLUENT_CLOUD_ENDPOINT", "http://example.com".to_owned()),
    ]);
    let refused = run(&["list", "-p", "confluent"], plain).await;
    refused.fails(2, &["https"]);
    assert!(!refused.stderr.contains("hunter2"), "{}", refused.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_refused_and_not_printed() {
    let world = World::start().await;
    let mut variables = world.variables();
    variables.insert("CONFLUENT_CLOUD_API_SECRET", "canary-secret".to_owned());
    let refused = run(&["list", "-p", "confluent", "-o", "json"], variables).await;
    refused.fails(1, &["not authenticated", "status 401", "request id"]);
    assert!(!(refused.stderr + &refused.stdout).contains("canary"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_command_prints_its_credentials_and_keeps_a_ledger() {
    let mut command = Command::new(BINARY);
    command
        .args(["sandbox", "--listen", "127.0.0.1:0"])
        .stdout(std::process::Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(&ready), ["clickhouse", "confluent", "url"]);
    assert_eq!(keys(&ready["confluent"]), ["api_key", "api_secret"]);
    assert_eq!(
        keys(&ready["clickhouse"]),
        ["api_key", "api_secret", "organization_id"]
    );

    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let variables = BTreeMap::from([
        (
            "CONFLUENT_CLOUD_API_KEY",
            text(&ready["confluent"]["api_key"]),
        ),
        (
            "CONFLUENT_CLOUD_API_SECRET",
            text(&ready["confluent"]["api_secret"]),
        ),
        ("CONFLUENT_CLOUD_ENDPOINT", text(&ready["url"])),
    ]);
    run(
        &["create", "ann@example.com", "-p", "confluent", "-o", "json"],
        variables,
    )
    .await
    .json();
    let ledger = format!("{}/_sandbox/ledger", text(&ready["url"]));
    let ledger: Value = reqwest::get(ledger).await.unwrap().json().await.unwrap();
    assert_eq!(ledger["requests"].as_array().unwrap().len(), 1);
    assert_eq!(ledger["commits"][0]["email"], "ann@example.com");
    assert_eq!(ledger["commits"][0]["provider"], "confluent");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_invitation_cannot_be_deleted() {
    let world = World::start().await;
    let create = ["create", "ann@example.com", "-p", "confluent", "-o", "json"];
    world.run(&create).await.json();
    let id = world
        .sandbox
        .accept(Provider::Confluent, "ann@example.com")
        .unwrap();
    let refused = world.run(&["delete", &id, "-p", "confluent"]).await;
    refused.fails(1, &["already accepted", "status 400", "request id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_command_starts_from_a_file() {
    let file = std::env::temp_dir().join(format!("org-invitations-{}.yaml", std::process::id()));
    let config = "\
# Two keys, the second may only read.
seed: 3
confluent:
  - keys:
      - { api_key: ADMIN, api_secret: one }
      - { api_key: READER, api_secret: two, rights: reader }
quota: { confluent: { invitations_per_org: 12 } }
";
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new(BINARY);
    command
        .args(["sandbox", "--listen", "127.0.0.1:0", "--seed", "12"])
        .arg("--config")
        .arg(&file)
        .stdout(std::process::Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(ready["confluent"]["api_key"], "ADMIN");

    let variables = |key: &str, secret: &str| {
        BTreeMap::from([
            ("CONFLUENT_CLOUD_API_KEY", key.to_owned()),
            ("CONFLUENT_CLOUD_API_SECRET", secret.to_owned()),
            (
                "CONFLUENT_CLOUD_ENDPOINT",
                ready["url"].as_str().unwrap().to_owned(),
            ),
        ])
    };
    let list = ["list", "-p", "confluent", "-o", "json"];
    let listed = run(&list, variables("READER", "two")).await.json();
    assert_eq!(
        listed.as_array().unwrap().len(),
        12,
        "options go before the file"
    );
    let create = ["create", "ann@example.com", "-p", "confluent"];
    let refused = run(&create, variables("READER", "two")).await;
    refused.fails(1, &["status 403"]);
    let refused = run(&create, variables("ADMIN", "one")).await;
    refused.fails(1, &["status 402"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_command_says_what_is_wrong_with_its_file_or_address() {
    let file =
        std::env::temp_dir().join(format!("org-invitations-bad-{}.yaml", std::process::id()));
    let name = file.to_str().unwrap().to_owned();
    let sandbox = ["sandbox", "--listen", "127.0.0.1:0", "--config", &name];
    run(&sandbox, BTreeMap::new()).await.fails(2, &[&name]);
    for (config, words) in [
        ("sed: 3", ["unknown field `sed`", "expected one of `seed`"]),
        (
            "confluent: [{ ssso: true }]",
            ["unknown field `ssso`", "`sso`"],
        ),
        ("confluent: [{ id: mine }]", ["\"mine\"", "uuid"]),
        ("seed: many", ["seed", "invalid type"]),
    ] {
        std::fs::write(&file, config).unwrap();
        let refused = run(&sandbox, BTreeMap::new()).await;
        refused.fails(2, &words);
    }
    std::fs::remove_file(&file).unwrap();
    let everywhere = ["sandbox", "--listen", "0.0.0.0:0"];
    let refused = run(&everywhere, BTreeMap::new()).await;
    refused.fails(2, &["not a loopback address", "--allow-remote"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_in_the_sandbox_command_s_help_is_a_configuration() {
    let help = run(&["sandbox", "--help"], BTreeMap::new()).await.stdout;
    let (_, file) = help.split_once("has the default:\n").unwrap();
    let config: Config = serde_norway::from_str(file).unwrap_or_else(|e| panic!("{e}: {file}"));
    assert_eq!(config.seed, 10_000);
    assert_eq!(config.confluent[0].keys.len(), 2);
}
