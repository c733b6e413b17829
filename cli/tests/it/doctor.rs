//! `doctor`: sources, checks, exit codes and redaction.

use org_invitations_sandbox::Faults;
use serde_json::Value;

use crate::fixture::{Fixture, home_environment, new_home, run};

fn check<'a>(provider: &'a Value, name: &str) -> &'a Value {
    let checks = provider["checks"].as_array().unwrap();
    checks.iter().find(|check| check["check"] == name).unwrap()
}

fn value<'a>(provider: &'a Value, name: &str) -> &'a Value {
    let values = provider["values"].as_array().unwrap();
    values.iter().find(|value| value["name"] == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_value_has_its_source_and_overridden_sources() {
    let fixture = Fixture::start().await;
    fixture.config(
        "[profiles.prod]\nprovider = \"confluent\"\napi_key = \"other\"\n\
         api_secret_command = \"echo canary\"\nbase_url = \"https://example.com\"\n\
         [profiles.prod.connection]\ntimeout_seconds = 7\n",
    );
    let url = fixture.sandbox.url();
    let doctor = ["doctor", "-p", "confluent", "--base-url", url, "-o", "json"];
    let report = run(&doctor, &fixture.variables()).await.json();
    let provider = &report[0];
    assert_eq!(provider["profile"], "prod");
    let base = value(provider, "base_url");
    assert_eq!(base["source"], "flag --base-url");
    assert_eq!(
        base["preferred_to"][0],
        "environment CONFLUENT_CLOUD_ENDPOINT"
    );
    assert_eq!(base["preferred_to"][1], "profile prod, line 5");
    let key = value(provider, "api_key");
    assert_eq!(key["source"], "environment CONFLUENT_CLOUD_API_KEY");
    let secret = value(provider, "api_secret");
    assert_eq!(secret["value"], "[redacted]");
    assert_eq!(secret["preferred_to"][0], "profile prod, line 4");
    let timeout = value(provider, "connection.timeout_seconds");
    assert_eq!(timeout["source"], "profile prod, line 7");
    for name in ["configuration", "reachability", "clock", "credential"] {
        assert_eq!(check(provider, name)["outcome"], "ok", "{report:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_of_any_source_are_redacted() {
    let fixture = Fixture::start().await;
    let url = fixture.sandbox.url();
    for how in [
        "api_secret = \"canary\"",
        "api_secret_command = \"printf 'can%s' ary\"",
    ] {
        fixture.config(&format!(
            "[profiles.a]\nprovider = \"confluent\"\napi_key = \"k\"\nbase_url = \"{url}\"\n{how}\n"
        ));
        for format in ["table", "json", "yaml"] {
            let doctor = run(
                &["doctor", "-vv", "-o", format],
                &fixture.empty_environment(),
            )
            .await;
            doctor.fails(3, &[]);
            let said = doctor.stdout.clone() + &doctor.stderr;
            assert!(!said.contains("canary"), "{said}");
            assert!(said.contains("[redacted]"), "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_configured_provider_is_examined() {
    let fixture = Fixture::start().await;
    let report = fixture.run(&["doctor", "-o", "json"]).await.json();
    assert_eq!(report[0]["provider"], "confluent");
    assert_eq!(report[1]["provider"], "clickhouse");
    let variables = fixture.variables();
    let clickhouse = variables
        .into_iter()
        .filter(|(name, _)| !name.starts_with("CONFLUENT"));
    let report = run(&["doctor", "-o", "json"], &clickhouse.collect())
        .await
        .json();
    assert_eq!(report[0]["provider"], "clickhouse");
    assert_eq!(report.as_array().unwrap().len(), 1);
    let nothing = run(&["doctor"], &home_environment(&new_home())).await;
    nothing.fails(2, &["no provider is configured", "demo"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_has_its_exit_code() {
    let fixture = Fixture::start().await;
    let incomplete = run(&["doctor", "-p", "confluent"], &fixture.empty_environment()).await;
    incomplete.fails(2, &[]);
    assert!(
        incomplete.stdout.contains("CONFLUENT_CLOUD_API_KEY"),
        "{}",
        incomplete.stdout
    );
    let away = [
        "doctor",
        "-p",
        "confluent",
        "--base-url",
        "http://127.0.0.1:1",
    ];
    let away = run(&away, &fixture.variables()).await;
    away.fails(1, &[]);
    assert!(away.stdout.contains("does not respond"), "{}", away.stdout);
    let mut wrong = fixture.variables();
    wrong.insert("CLICKHOUSE_CLOUD_API_SECRET".into(), "wrong".into());
    run(&["doctor", "-p", "clickhouse"], &wrong)
        .await
        .fails(3, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_skew_is_reported() {
    let fixture = Fixture::start().await;
    for (skew, words) in [
        (3_600, "behind the server's"),
        (-7_200, "ahead of the server's"),
    ] {
        fixture
            .sandbox
            .set_faults(Faults::default().with_clock_skew(skew));
        let doctor = ["doctor", "-p", "confluent", "-o", "json"];
        let report = fixture.run(&doctor).await.json();
        let clock = check(&report[0], "clock");
        assert_eq!(clock["outcome"], "warning");
        let detail = clock["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_names_the_documents_of_the_bindings() {
    let fixture = Fixture::start().await;
    let report = run(&["doctor", "-o", "json"], &fixture.variables()).await;
    let report = report.json();
    let providers = report.as_array().unwrap();
    let all = providers
        .iter()
        .map(|one| one["documents"].as_array().unwrap());
    for (provider, documents) in ["confluent", "clickhouse"].into_iter().zip(all.clone()) {
        assert!(
            documents
                .iter()
                .any(|document| document["provider"] == provider),
            "{report:#}"
        );
    }
    let documents: Vec<_> = all.flatten().collect();
    for document in &documents {
        assert_eq!(document["sha256"].as_str().unwrap().len(), 64, "{report:#}");
        let file = document["file"].as_str().unwrap();
        assert!(!file.is_empty() && !file.contains('/'), "{report:#}");
    }
    let version = run(&["--version"], &fixture.variables()).await;
    let file = documents[0]["file"].as_str().unwrap();
    assert!(version.stdout.contains(file), "{}", version.stdout);
    let short = run(&["-V"], &fixture.variables()).await;
    assert_eq!(short.stdout.lines().count(), 1, "{}", short.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_and_queries_are_redacted() {
    let fixture = Fixture::start().await;
    let url = fixture.sandbox.url();
    for base_url in [
        format!("{url}/?token=canary"),
        format!("{url}/#canary"),
        url.to_owned(),
    ] {
        fixture.config(&format!(
            "[profiles.a]\nprovider = \"confluent\"\napi_key = \"k\"\nbase_url = \"{base_url}\"\n\
             api_secret_command = \"echo canary\"\n"
        ));
        for format in ["table", "json"] {
            let doctor = run(&["doctor", "-o", format], &fixture.empty_environment()).await;
            let said = doctor.stdout.clone() + &doctor.stderr;
            assert!(!said.contains("canary"), "{said}");
            assert!(said.contains("[redacted], from a command"), "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_use_the_http_client_of_the_provider() {
    let fixture = Fixture::start().await;
    let mut variables = fixture.variables();
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        variables.insert(name.to_owned(), "http://127.0.0.1:1".to_owned());
    }
    run(&["-p", "confluent", "list"], &variables)
        .await
        .success();
    let report = run(&["doctor", "-p", "confluent", "-o", "json"], &variables).await;
    let report = report.json();
    for name in ["reachability", "clock", "credential"] {
        assert_eq!(check(&report[0], name)["outcome"], "ok", "{report:#}");
    }
}
