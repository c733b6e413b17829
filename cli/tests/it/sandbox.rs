//! The `sandbox` command.

use org_invitations_sandbox::Config;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::fixture::{command, empty_environment, run, text, with_variables};

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_prints_credentials_and_keeps_a_ledger() {
    let mut command = command(
        &["sandbox", "--listen", "127.0.0.1:0"],
        &empty_environment(),
    );
    command.stdout(std::process::Stdio::piped());
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

    let variables = with_variables(
        empty_environment(),
        &[
            (
                "CONFLUENT_CLOUD_API_KEY",
                &text(&ready["confluent"]["api_key"]),
            ),
            (
                "CONFLUENT_CLOUD_API_SECRET",
                &text(&ready["confluent"]["api_secret"]),
            ),
            ("CONFLUENT_CLOUD_ENDPOINT", &text(&ready["url"])),
        ],
    );
    let create = ["create", "ann@example.com", "-p", "confluent", "-o", "json"];
    run(&create, &variables).await.json();
    let ledger = format!("{}/_sandbox/ledger", text(&ready["url"]));
    let ledger: Value = reqwest::get(ledger).await.unwrap().json().await.unwrap();
    assert_eq!(ledger["requests"].as_array().unwrap().len(), 1);
    assert_eq!(ledger["commits"][0]["email"], "ann@example.com");
    assert_eq!(ledger["commits"][0]["provider"], "confluent");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_reads_a_configuration_file() {
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
    let start = ["sandbox", "--listen", "127.0.0.1:0", "--seed", "12"];
    let mut command = command(&start, &empty_environment());
    command
        .arg("--config")
        .arg(&file)
        .stdout(std::process::Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(ready["confluent"]["api_key"], "ADMIN");

    let url = text(&ready["url"]);
    let variables = |key: &str, secret: &str| {
        with_variables(
            empty_environment(),
            &[
                ("CONFLUENT_CLOUD_API_KEY", key),
                ("CONFLUENT_CLOUD_API_SECRET", secret),
                ("CONFLUENT_CLOUD_ENDPOINT", &url),
            ],
        )
    };
    let list = ["list", "-p", "confluent", "-o", "json"];
    let listed = run(&list, &variables("READER", "two")).await.json();
    assert_eq!(
        listed.as_array().unwrap().len(),
        12,
        "options go before the file"
    );
    let create = ["create", "ann@example.com", "-p", "confluent"];
    let refused = run(&create, &variables("READER", "two")).await;
    refused.fails(3, &["status 403"]);
    let refused = run(&create, &variables("ADMIN", "one")).await;
    refused.fails(1, &["status 402"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_file_or_address_is_explained() {
    let file =
        std::env::temp_dir().join(format!("org-invitations-bad-{}.yaml", std::process::id()));
    let name = file.to_str().unwrap().to_owned();
    let sandbox = ["sandbox", "--listen", "127.0.0.1:0", "--config", &name];
    run(&sandbox, &empty_environment()).await.fails(2, &[&name]);
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
        let refused = run(&sandbox, &empty_environment()).await;
        refused.fails(2, &words);
    }
    std::fs::remove_file(&file).unwrap();
    let everywhere = ["sandbox", "--listen", "0.0.0.0:0"];
    let refused = run(&everywhere, &empty_environment()).await;
    refused.fails(2, &["not a loopback address", "--allow-remote"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_file_of_the_help_is_valid() {
    let help = run(&["sandbox", "--help"], &empty_environment())
        .await
        .stdout;
    let (_, file) = help
        .split_once("with the defaults in the comments:\n")
        .unwrap();
    let config: Config = serde_norway::from_str(file).unwrap_or_else(|e| panic!("{e}: {file}"));
    assert_eq!(config.seed, 10_000);
    assert_eq!(config.confluent[0].keys.len(), 2);
}
