//! The configuration file, the environment and flags: precedence and errors.

use crate::fixture::{Fixture, Variables, run};

/// The variables without those of one provider.
fn without(variables: &Variables, prefix: &str) -> Variables {
    let kept = variables
        .iter()
        .filter(|(name, _)| !name.starts_with(prefix));
    kept.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn profile(fixture: &Fixture, secret: &str) -> String {
    let keys = &fixture.sandbox.credentials().confluent;
    let (key, url) = (&keys.api_key, fixture.sandbox.url());
    format!("provider = \"confluent\"\napi_key = \"{key}\"\nbase_url = \"{url}\"\n{secret}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_configures_a_provider() {
    let fixture = Fixture::start().await;
    let secret = &fixture.sandbox.credentials().confluent.api_secret;
    let folder = fixture.home.join("org-invitations");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("key.txt"), format!("{secret}\nlogin: ann\n")).unwrap();
    for how in [
        format!("api_secret = \"{secret}\""),
        format!("api_secret_command = \"echo {secret}; echo and a note\""),
        "api_secret_file = \"key.txt\"".to_owned(),
    ] {
        fixture.config(&format!("[profiles.only]\n{}", profile(&fixture, &how)));
        let list = run(&["list", "-o", "json"], &fixture.empty_environment()).await;
        assert_eq!(list.json(), serde_json::json!([]), "{how}");
    }
    let token = fixture.sandbox.credentials().confluent.access_token();
    let url = fixture.sandbox.url();
    fixture.config(&format!(
        "[profiles.token]\nprovider = \"confluent\"\nbase_url = \"{url}\"\n\
         access_token_command = \"echo {token}\"\n"
    ));
    run(&["list"], &fixture.empty_environment()).await.success();
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_override_the_environment_and_it_the_profile() {
    let fixture = Fixture::start().await;
    let secret = &fixture.sandbox.credentials().confluent.api_secret;
    let right = profile(&fixture, &format!("api_secret = \"{secret}\""));
    let wrong = "provider = \"confluent\"\napi_key = \"k\"\napi_secret = \"s\"\n\
                 base_url = \"http://127.0.0.1:1\"\n[profiles.wrong.connection.retry]\nmax_attempts = 1\n";
    fixture.config(&format!(
        "default_profile = \"wrong\"\n[profiles.right]\n{right}[profiles.wrong]\n{wrong}"
    ));
    let mut variables = fixture.empty_environment();
    // The profile: the default one, one by variable, one by flag.
    run(&["list"], &variables)
        .await
        .fails(1, &["cannot connect"]);
    variables.insert("ORG_INVITATIONS_PROFILE".into(), "right".into());
    run(&["list"], &variables).await.success();
    run(&["list", "--profile", "wrong"], &variables)
        .await
        .fails(1, &["cannot connect"]);
    // Values: the environment over the profile, and a flag over both.
    let all = fixture.variables();
    run(&["--profile", "wrong", "list"], &all).await.success();
    let flag = [
        "--profile",
        "wrong",
        "list",
        "--base-url",
        "http://127.0.0.1:2",
    ];
    run(&flag, &all).await.fails(1, &["cannot connect"]);
    // The provider: a flag over the variable.
    variables.insert("ORG_INVITATIONS_PROVIDER".into(), "clickhouse".into());
    run(&["list", "--profile", "right"], &variables)
        .await
        .success();
    run(&["list"], &variables)
        .await
        .fails(2, &["`right`", "not for clickhouse"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_provider_uses_its_profile() {
    let fixture = Fixture::start().await;
    let secret = &fixture.sandbox.credentials().confluent.api_secret;
    let confluent = profile(&fixture, &format!("api_secret = \"{secret}\""));
    let keys = &fixture.sandbox.credentials().clickhouse;
    let (key, secret, organization) = (&keys.api_key, &keys.api_secret, &keys.organization_id);
    let url = fixture.sandbox.url();
    fixture.config(&format!(
        "[profiles.kafka]\n{confluent}[profiles.warehouse]\nprovider = \"clickhouse\"\n\
         api_key = \"{key}\"\napi_secret = \"{secret}\"\norganization_id = \"{organization}\"\n\
         base_url = \"{url}\"\n"
    ));
    let none = fixture.empty_environment();
    run(&["list", "-p", "confluent", "-p", "clickhouse"], &none)
        .await
        .success();
    let named = [
        "list",
        "-p",
        "confluent",
        "-p",
        "clickhouse",
        "--profile",
        "kafka",
    ];
    run(&named, &none).await.success();
    run(&["list", "--profile", "warehouse"], &none)
        .await
        .success();
    run(&["list"], &none)
        .await
        .fails(2, &["kafka, warehouse", "--profile"]);
    run(&["list", "--profile", "kafak"], &none)
        .await
        .fails(2, &["did you mean `kafka`?"]);
    let wrong = ["list", "--profile", "kafka", "-p", "clickhouse"];
    run(&wrong, &none)
        .await
        .fails(2, &["`kafka`", "for confluent"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_keys_are_rejected_with_line_and_suggestion() {
    let fixture = Fixture::start().await;
    let secret = "api_secret = \"hunter2\"";
    for (text, line, words) in [
        (
            "profile = 1\n",
            1,
            &["unknown key `profile`", "did you mean `profiles`?"][..],
        ),
        (
            "[profiles.a]\nprovider = \"conflunt\"\n",
            2,
            &["did you mean `confluent`?"],
        ),
        ("\n[profiles.a]\napi_key = \"k\"\n", 2, &["`provider`"]),
        (
            "[profiles.a]\nprovider = \"confluent\"\napi_secrte = \"hunter2\"\n",
            3,
            &["unknown key `api_secrte`", "did you mean `api_secret`?"],
        ),
        (
            "[profiles.a]\nprovider = \"confluent\"\norganization_id = \"o\"\n",
            3,
            &["`organization_id` for confluent"],
        ),
        (
            "[profiles.a]\nprovider = \"clickhouse\"\n[profiles.a.connection]\ntimeout_secs = 3\n",
            4,
            &[
                "`connection.timeout_secs`",
                "did you mean `timeout_seconds`?",
            ],
        ),
        (
            "[profiles.a]\nprovider = \"confluent\"\napi_secret = 12345\n",
            3,
            &["must be text"],
        ),
        ("[profiles.a\nprovider = \"confluent\"\n", 1, &[]),
        (
            "[profiles.a]\nprovider = \"confluent\"\napi_secret = \"hunter2\n",
            3,
            &[],
        ),
        (
            "default_profile = \"b\"\n[profiles.bb]\nprovider = \"confluent\"\n",
            1,
            &["`bb`"],
        ),
        ("profiles = 1\n", 1, &["tables"]),
    ] {
        let path = fixture.config(text);
        let refused = run(&["list", "-p", "confluent"], &fixture.empty_environment()).await;
        let place = format!("{}:{line}: ", path.display());
        refused.fails(2, &[&place]).stderr_contains(words);
        let shown = refused.stderr.contains("hunter2") || refused.stderr.contains("12345");
        assert!(!shown, "{}", refused.stderr);
    }
    let twice = format!("{secret}\napi_secret_command = \"pass\"");
    fixture.config(&format!("[profiles.a]\n{}", profile(&fixture, &twice)));
    let refused = run(&["list"], &fixture.empty_environment()).await;
    refused.fails(2, &["api_secret_command", "sets the same value"]);
    let text = format!(
        "[profiles.a]\n{}connection = {{ timeout_seconds = \"soon\" }}\n",
        profile(&fixture, secret)
    );
    let path = fixture.config(&text);
    let refused = run(&["list"], &fixture.empty_environment()).await;
    refused.fails(
        2,
        &[&format!(
            "{}:6: `connection.timeout_seconds`",
            path.display()
        )],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_secret_names_its_source() {
    let fixture = Fixture::start().await;
    for (how, words) in [
        (
            "api_secret_file = \"nowhere\"",
            &["api_secret_file", "nowhere"][..],
        ),
        (
            "api_secret_command = \"exit 3\"",
            &["api_secret_command", "exit status: 3", "failed"],
        ),
        ("api_secret_command = \"true\"", &["printed nothing"]),
    ] {
        fixture.config(&format!("[profiles.a]\n{}", profile(&fixture, how)));
        run(&["list"], &fixture.empty_environment())
            .await
            .fails(2, words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_configuration_file_must_exist() {
    let fixture = Fixture::start().await;
    let secret = &fixture.sandbox.credentials().confluent.api_secret;
    let path = fixture.config(&format!(
        "[profiles.a]\n{}",
        profile(&fixture, &format!("api_secret = \"{secret}\""))
    ));
    let other = fixture.home.join("other.toml");
    std::fs::rename(path, &other).unwrap();
    let mut none = fixture.empty_environment();
    run(&["list"], &none)
        .await
        .fails(2, &["no provider selected"]);
    let other = other.to_str().unwrap();
    run(&["list", "--config-file", other], &none)
        .await
        .success();
    none.insert("ORG_INVITATIONS_CONFIG".into(), other.into());
    run(&["list"], &none).await.success();
    let missing = run(&["list", "--config-file", "/nowhere.toml"], &none).await;
    missing.fails(2, &["/nowhere.toml", "--config-file"]);
    run(
        &["list", "--profile", "a", "--config-file", "/nowhere.toml"],
        &none,
    )
    .await
    .fails(2, &["/nowhere"]);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn files_readable_by_others_get_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::start().await;
    let secret = &fixture.sandbox.credentials().confluent.api_secret;
    let text = format!(
        "[profiles.a]\n{}",
        profile(&fixture, &format!("api_secret = \"{secret}\""))
    );
    let path = fixture.config(&text);
    assert!(
        !run(&["list"], &fixture.empty_environment())
            .await
            .stderr
            .contains("warning")
    );
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let list = run(&["list"], &fixture.empty_environment()).await;
    list.success()
        .stderr_contains(&["warning", "readable by others", "chmod 600"]);
    let doctor = run(&["doctor"], &fixture.empty_environment()).await;
    assert!(
        doctor.stdout.contains("readable by others"),
        "{}",
        doctor.stdout
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_the_environment_replaces_the_token_of_a_profile() {
    let fixture = Fixture::start().await;
    let url = fixture.sandbox.url();
    fixture.config(&format!(
        "[profiles.a]\nprovider = \"confluent\"\nbase_url = \"{url}\"\naccess_token = \"stale\"\n"
    ));
    run(&["list"], &fixture.empty_environment())
        .await
        .fails(3, &["not authenticated"]);
    let list = run(&["list"], &without(&fixture.variables(), "CLICKHOUSE")).await;
    list.success()
        .stderr_contains(&["warning", "`access_token`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_from_two_sources_gets_a_warning() {
    let fixture = Fixture::start().await;
    let secret = &fixture.sandbox.credentials().confluent.api_secret;
    let text = profile(&fixture, &format!("api_secret = \"{secret}\""));
    fixture.config(&format!("[profiles.a]\n{text}"));
    let mut variables = fixture.empty_environment();
    variables.insert("CONFLUENT_CLOUD_API_KEY".into(), "OTHER".into());
    let list = run(&["list"], &variables).await;
    list.fails(
        3,
        &[
            "warning: `api_key`",
            "profile a, line 5",
            "belong together?",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn error_messages_quote_no_value() {
    const CANARY: &str = "eyJjYW5hcnkiOiJ5ZXMifQ.canary";
    let fixture = Fixture::start().await;
    let keys = "[profiles.a]\nprovider = \"confluent\"\napi_key = \"k\"\n";
    for (text, words) in [
        (
            format!("default_profile = \"{CANARY}\"\n{keys}"),
            "names no profile",
        ),
        (
            format!("[profiles.a]\nprovider = \"{CANARY}\""),
            "not one of",
        ),
        (
            format!("{keys}api_secret = \"s\"\nconnection = \"{CANARY}\""),
            "connection",
        ),
        (format!("{keys}api_secret = \"{CANARY}"), "string"),
        (
            format!("{keys}sts = {{ identity_pool_id = \"p\", subject_token = \"{CANARY}\" }}"),
            "subject_token",
        ),
        (
            format!(
                "{keys}sts = {{ identity_pool_id = \"p\", subject_token = {{ fixed = [\"{CANARY}\"] }} }}"
            ),
            "subject_token",
        ),
        (
            format!("{keys}api_secret_command = \"exit 7 # {CANARY}\""),
            "api_secret_command",
        ),
        (
            format!("{keys}api_secret_command = \"true {CANARY}\""),
            "nothing on its first line",
        ),
    ] {
        fixture.config(&text);
        for command in ["list", "doctor"] {
            let ran = run(&[command, "--profile", "a"], &fixture.empty_environment()).await;
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert_ne!(ran.code, Some(0), "{said}");
            assert!(!said.contains("canary") && !said.contains("eyJ"), "{said}");
            assert!(said.contains(words), "no {words:?} in {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_command_inherits_no_secret() {
    let fixture = Fixture::start().await;
    let seen = fixture.home.join("seen.txt");
    let secret = &fixture.sandbox.credentials().confluent.api_secret;
    let how = format!(
        "api_secret_command = \"env > {}; echo {secret}\"",
        seen.display()
    );
    fixture.config(&format!("[profiles.only]\n{}", profile(&fixture, &how)));
    let variables = without(&fixture.variables(), "CONFLUENT_CLOUD_API_SECRET");
    run(&["list", "--profile", "only"], &variables)
        .await
        .success();
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.contains("CLICKHOUSE_ORG_ID="), "{seen}");
    assert!(!seen.contains("_SECRET="), "{seen}");
    assert!(
        !seen.contains(&fixture.sandbox.credentials().clickhouse.api_secret),
        "{seen}"
    );
}
