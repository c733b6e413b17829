//! `config init`, `list`, `use` and `test`.

use std::{fs, path::Path};

use serde_json::Value;

use crate::fixture::{CommandOutput, Fixture, home_environment, new_home, run};

const BEFORE: &str = "# Ours, by hand.\n\n[profiles.old]   # the first one\nprovider = \"confluent\"\n\
                      api_key = \"OLD\"  # rotate in May\napi_secret_variable = \"OLD_SECRET\"\n";

/// Runs the command with the home folder only.
async fn on(fixture: &Fixture, arguments: &[&str]) -> CommandOutput {
    run(arguments, &fixture.empty_environment()).await
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn init_keeps_what_else_is_in_the_file() {
    let fixture = Fixture::start().await;
    let path = fixture.config(BEFORE);
    let init = [
        "config",
        "init",
        "new",
        "-p",
        "clickhouse",
        "--organization-id",
        "o-1",
        "--api-key",
        "K-1",
        "--secret-command",
        "pass show \"new\"",
    ];
    let written = on(&fixture, &init).await;
    written.success().stderr_contains(&[
        "wrote the profile new",
        "config test new",
        "config use new",
    ]);
    let after = read(&path);
    let added = "\n[profiles.new]\nprovider = \"clickhouse\"\norganization_id = \"o-1\"\n\
                 api_key = \"K-1\"\napi_secret_command = 'pass show \"new\"'\n";
    assert_eq!(after, format!("{BEFORE}{added}"));

    // A profile is never overwritten, unless that is asked for.
    let again = [&init[..], &["--base-url", "https://a.example"]].concat();
    on(&fixture, &again).await.fails(
        2,
        &[
            "has a profile new already",
            "--force",
            "Nothing was written",
        ],
    );
    assert_eq!(read(&path), after);
    let forced = ["--force", "--default"];
    on(&fixture, &[&again[..], &forced].concat())
        .await
        .success()
        .stderr_contains(&["replaced the profile new"]);
    let replaced = read(&path);
    let expected =
        format!("default_profile = \"new\"\n\n{BEFORE}{added}base_url = \"https://a.example\"\n");
    assert_eq!(replaced, expected);
    let old = [
        "config",
        "init",
        "-p",
        "confluent",
        "--profile",
        "old",
        "--api-key",
        "NEW",
        "--secret-file",
        "~/s",
    ];
    on(&fixture, &[&old[..], &["--force"]].concat())
        .await
        .success();
    let text = read(&path);
    let comments = ["# Ours, by hand.", "[profiles.old]   # the first one\n"];
    assert!(
        comments.iter().all(|comment| text.contains(comment)),
        "{text}"
    );
    assert!(
        text.contains("api_secret_file = \"~/s\"") && !text.contains("OLD"),
        "{text}"
    );
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn init_writes_for_the_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::start().await;
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let init = [
        "config",
        "init",
        "-p",
        "confluent",
        "--api-key",
        "K",
        "--secret-variable",
        "S",
    ];
    on(&fixture, &init).await.success();
    let path = fixture.home.join("org-invitations/config.toml");
    assert_eq!(mode(&path), 0o600);
    // The provider's name is the default name.
    assert!(
        read(&path).starts_with("[profiles.confluent]\n"),
        "{}",
        read(&path)
    );
    // An open file is closed, and a link stays a link.
    let linked = fixture.home.join("dotfiles.toml");
    fs::rename(&path, &linked).unwrap();
    fs::set_permissions(&linked, fs::Permissions::from_mode(0o644)).unwrap();
    std::os::unix::fs::symlink(&linked, &path).unwrap();
    on(&fixture, &[&init[..], &["two"]].concat())
        .await
        .success();
    assert!(path.is_symlink());
    assert_eq!(mode(&linked), 0o600);
    assert!(read(&linked).contains("[profiles.two]"));
    let folder = fs::read_dir(fixture.home.join("org-invitations")).unwrap();
    assert_eq!(folder.count(), 1, "a temporary file is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn init_takes_each_place_of_a_secret() {
    let fixture = Fixture::start().await;
    let key = &fixture.sandbox.credentials().confluent;
    let secret = fixture.home.join("key.secret");
    fs::write(&secret, format!("{}\n", key.api_secret)).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let secret = secret.to_str().unwrap();
    let command = format!("cat {secret}");
    let mut variables = fixture.empty_environment();
    variables.insert("KAFKA_SECRET".to_owned(), key.api_secret.clone());
    for (name, flag, place) in [
        ("by-command", "--secret-command", command.as_str()),
        ("by-file", "--secret-file", secret),
        ("by-variable", "--secret-variable", "KAFKA_SECRET"),
    ] {
        let init = [
            "config",
            "init",
            name,
            "-p",
            "confluent",
            "--base-url",
            fixture.sandbox.url(),
            "--api-key",
            &key.api_key,
            flag,
            place,
        ];
        run(&init, &variables).await.success();
        let tested = run(&["config", "test", name, "-o", "json"], &variables).await;
        let checks = tested.success().one()["checks"].clone();
        let is_ok = |name: &str| {
            let checks = checks.as_array().unwrap().iter();
            checks
                .filter(|one| one["check"] == name)
                .all(|one| one["outcome"] == "ok")
        };
        assert!(is_ok("configuration") && is_ok("credential"), "{checks}");
        run(&["--profile", name, "list"], &variables)
            .await
            .success();
    }
    let file = read(&fixture.home.join("org-invitations/config.toml"));
    assert!(!file.contains(&key.api_secret), "{file}");
    variables.remove("KAFKA_SECRET");
    let missing = run(&["--profile", "by-variable", "list"], &variables).await;
    missing.fails(2, &["api_secret_variable", "KAFKA_SECRET is not set"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn init_refuses_what_it_cannot_write() {
    let fixture = Fixture::start().await;
    let path = fixture.home.join("org-invitations/config.toml");
    let complete = [
        "config",
        "init",
        "-p",
        "confluent",
        "--api-key",
        "K",
        "--secret-variable",
        "S",
    ];
    for (words, said) in [
        (
            &["config", "init"][..],
            &[
                "not a terminal",
                "--provider, --api-key",
                "--secret-command",
            ][..],
        ),
        (
            &["config", "init", "-p", "clickhouse", "--api-key", "k"],
            &["--organization-id, one of"],
        ),
        (&["config", "init", "-p", "sandbox"], &["needs no profile"]),
        (
            &[&complete[..], &["--organization-id", "o"]].concat(),
            &["no effect on Confluent"],
        ),
        (
            &[&complete[..], &["--base-url", "http://a.example"]].concat(),
            &["--base-url", "https://"],
        ),
        (
            &[&complete[..], &["--proxy", "ftp://ann:hush@p"]].concat(),
            &["--proxy", "socks5h://"],
        ),
        (
            &[&complete[..], &["a", "--profile", "b"]].concat(),
            &["more than once"],
        ),
        (
            &[&complete[..7], &["p@ssw0rd-canary!"]].concat(),
            &["not the name of an environment variable"],
        ),
    ] {
        let refused = on(&fixture, words).await;
        refused.fails(2, said);
        let is_quoted = ["canary", "hush"]
            .iter()
            .any(|secret| refused.stderr.contains(secret));
        assert!(!is_quoted, "{}", refused.stderr);
        assert!(!path.exists(), "{words:?}");
    }
    // A file with an error is left as it is, and no value is quoted.
    let broken = "[profiles.a]\nprovider = \"confluent\"\napi_secret = \"canary\n";
    let path = fixture.config(broken);
    let refused = on(&fixture, &complete).await;
    refused.fails(2, &["config.toml:3:"]);
    assert!(!refused.stderr.contains("canary"), "{}", refused.stderr);
    assert_eq!(read(&path), broken);
}

#[tokio::test(flavor = "multi_thread")]
async fn init_makes_connection_flags_settings() {
    let fixture = Fixture::start().await;
    let init = [
        "config",
        "init",
        "-p",
        "confluent",
        "--api-key",
        "K",
        "--secret-variable",
        "S",
        "--proxy",
        "socks5h://127.0.0.1:1080",
        "--timeout",
        "90s",
        "--ca-file",
        "/etc/company.pem",
    ];
    on(&fixture, &init).await.success();
    let profiles = on(&fixture, &["config", "list", "-o", "json"]).await.one();
    let value = |name: &str| {
        let mut values = profiles["values"].as_array().unwrap().iter();
        let value = values.find(|value| value["name"] == name);
        value.unwrap_or_else(|| panic!("no {name}: {profiles}"))["value"].clone()
    };
    assert_eq!(value("connection.proxy"), "socks5h://127.0.0.1:1080");
    assert_eq!(value("connection.ca_file"), "/etc/company.pem");
    assert_eq!(value("connection.retry.deadline_seconds"), "90.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn use_chooses_the_default_profile() {
    let fixture = Fixture::start().await;
    let text = format!("{BEFORE}\n[profiles.two]\nprovider = \"clickhouse\"\n");
    let path = fixture.config(&text);
    on(&fixture, &["config", "use", "twoo"])
        .await
        .fails(2, &["did you mean `two`?"]);
    assert_eq!(read(&path), text);
    let chosen = on(&fixture, &["config", "use", "two"]).await;
    chosen
        .success()
        .stderr_contains(&["the profile two is the default one now"]);
    assert_eq!(read(&path), format!("default_profile = \"two\"\n\n{text}"));
    on(&fixture, &["config", "use", "two"])
        .await
        .success()
        .stderr_contains(&["already"]);
    fixture.config(&format!("default_profile = \"two\"   # for now\n\n{text}"));
    on(&fixture, &["config", "use", "old"]).await.success();
    assert_eq!(
        read(&path),
        format!("default_profile = \"old\"   # for now\n\n{text}")
    );
    let ignored = on(&fixture, &["config", "use", "old", "-p", "confluent"]).await;
    ignored.fails(2, &["--provider has no effect"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn list_shows_sources_and_no_secret() {
    let fixture = Fixture::start().await;
    let none = on(&fixture, &["config", "list", "-o", "json"]).await;
    assert_eq!(none.json(), Value::Array(Vec::new()));
    none.stderr_contains(&["config init"]);
    fixture.config(
        "default_profile = \"kafka\"\n[profiles.kafka]\nprovider = \"confluent\"\napi_key = \"K-1\"\n\
         api_secret = \"canary\"\n[profiles.kafka.connection]\nproxy = \"http://ann:canary@proxy.example:1\"\n\
         shared_rate_limit.redis = { url = \"redis://:canary@127.0.0.1\", key = \"K-1\" }\n\
         [profiles.warehouse]\nprovider = \"clickhouse\"\norganization_id = \"o-1\"\napi_key = \"K-2\"\n\
         api_secret_command = \"echo canary\"\n",
    );
    let mut variables = fixture.empty_environment();
    variables.insert("CLICKHOUSE_ORG_ID".into(), "o-9".into());
    for format in ["table", "json", "jsonl", "csv", "yaml"] {
        let list = run(&["config", "list", "-o", format], &variables).await;
        list.success();
        for words in [
            "kafka",
            "K-1",
            "warehouse",
            "K-2",
            "environment CLICKHOUSE_ORG_ID",
        ] {
            assert!(list.stdout.contains(words), "no {words} in {}", list.stdout);
        }
        assert!(!list.stdout.contains("canary"), "{}", list.stdout);
    }
    let table = run(&["config", "list"], &variables).await.stdout;
    let rows: Vec<&str> = table.lines().collect();
    assert!(
        rows[1].starts_with("kafka *") && rows[1].contains("in this file"),
        "{table}"
    );
    assert!(
        rows[2].contains("o-9 (environment") && rows[2].contains("a command"),
        "{table}"
    );
    assert!(fixture.sandbox.ledger().requests.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn test_checks_named_profiles_or_all() {
    let fixture = Fixture::start().await;
    let (key, url) = (
        &fixture.sandbox.credentials().confluent,
        fixture.sandbox.url(),
    );
    let profile = |name: &str, secret: &str| {
        format!(
            "[profiles.{name}]\nprovider = \"confluent\"\napi_key = \"{}\"\napi_secret = \"{secret}\"\n\
             base_url = \"{url}\"\n",
            key.api_key
        )
    };
    let (good, bad) = (profile("good", &key.api_secret), profile("bad", "wrong"));
    fixture.config(&format!("{good}{bad}"));
    let every = on(&fixture, &["config", "test", "-o", "json"]).await;
    every.fails(3, &[]);
    let every: Vec<Value> = serde_json::from_str(&every.stdout).unwrap();
    assert_eq!(every.len(), 2);
    on(&fixture, &["config", "test", "good"]).await.success();
    on(&fixture, &["config", "test", "bad"]).await.fails(3, &[]);
    let both = on(&fixture, &["config", "test", "good", "bad"]).await;
    both.fails(3, &["2 profiles: 1 passed, 1 failed"]);
    on(&fixture, &["config", "test", "goood"])
        .await
        .fails(2, &["did you mean `good`?"]);
    // Nothing was changed by any of them.
    assert!(fixture.sandbox.ledger().commits.is_empty());
}

/// Flags before the command count once, hints lead to the same file, and what the file is to its owner is respected.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn init_writes_the_file_that_is_meant() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let home = new_home();
    let environment = home_environment(&home);
    let (link, target) = (home.join("link.toml"), home.join("real.toml"));
    symlink("real.toml", &link).unwrap();
    let path = link.to_str().unwrap();
    let before = [
        "-p",
        "confluent",
        "--config-file",
        path,
        "config",
        "init",
        "kafka",
    ];
    let secret = ["--secret-variable", "KAFKA_SECRET", "--api-key"];
    let init = async |key: &str, more: &[&str]| {
        let words = [&before[..], &secret, &[key], more].concat();
        run(&words, &environment).await
    };
    let wrong = init("KEY\nsecond = 1", &[]).await;
    wrong.fails(2, &["--api-key", "control characters"]);
    assert!(!target.exists());
    let hint = format!("`org-invitations --config-file {path} config test kafka`");
    init("KEY", &[]).await.success().stderr_contains(&[&hint]);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    let written = fs::read_to_string(&target).unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o400)).unwrap();
    let refused = init("OTHER", &["--force"]).await;
    refused.fails(1, &["cannot write the configuration file"]);
    assert_eq!(fs::read_to_string(&target).unwrap(), written);
}
