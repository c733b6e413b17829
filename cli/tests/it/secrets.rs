//! What is around secrets, how long they take, and who can read them.

use std::{fs, process::Stdio};

use tokio::io::{AsyncBufReadExt, BufReader};

use crate::fixture::{Fixture, command, run, with_variables};

fn profile(fixture: &Fixture, secret: &str) -> String {
    let key = &fixture.sandbox.credentials().confluent.api_key;
    let url = fixture.sandbox.url();
    format!(
        "[profiles.a]\nprovider = \"confluent\"\napi_key = \"{key}\"\nbase_url = \"{url}\"\n{secret}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_around_a_value_is_left_out_with_a_warning() {
    let fixture = Fixture::start().await;
    let key = &fixture.sandbox.credentials().confluent;
    for (name, text, said) in [
        (
            "CONFLUENT_CLOUD_API_SECRET",
            format!("{}\n", key.api_secret),
            "ends with a line break",
        ),
        (
            "CONFLUENT_CLOUD_API_SECRET",
            format!("{}  ", key.api_secret),
            "ends with a blank",
        ),
        (
            "CONFLUENT_CLOUD_API_KEY",
            format!("{}\r\n", key.api_key),
            "ends with a line break",
        ),
        (
            "CONFLUENT_CLOUD_API_KEY",
            format!("\t{}", key.api_key),
            "begins with a blank",
        ),
    ] {
        let variables = with_variables(fixture.variables(), &[(name, &text)]);
        let warning = format!("(environment {name}) {said}");
        let list = run(&["-p", "confluent", "list"], &variables).await;
        list.success().stderr_contains(&["warning: ", &warning]);
        assert!(!list.stderr.contains(&key.api_secret), "{}", list.stderr);
        let doctor = run(&["-p", "confluent", "doctor"], &variables).await;
        assert!(
            doctor.success().stdout.contains(&warning),
            "{}",
            doctor.stdout
        );
    }
    let clean = fixture.run(&["-p", "confluent", "list"]).await;
    assert!(
        !clean.success().stderr.contains("warning"),
        "{}",
        clean.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn blanks_in_files_and_commands_are_left_out() {
    let fixture = Fixture::start().await;
    let secret = &fixture.sandbox.credentials().confluent.api_secret;
    let file = fixture.home.join("key.secret");
    for (text, warns) in [
        (format!("{secret}\n"), false),
        (format!("{secret}\r\n"), false),
        (secret.clone(), false),
        (format!("{secret} \n"), true),
        (format!("  {secret}\n"), true),
        (format!("\u{feff}{secret}\n"), true),
    ] {
        fs::write(&file, &text).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let path = file.display();
        for how in [
            format!("api_secret_file = \"{path}\""),
            format!("api_secret_command = \"cat {path}\""),
        ] {
            fixture.config(&profile(&fixture, &how));
            let list = run(&["list"], &fixture.empty_environment()).await;
            list.success();
            assert_eq!(
                list.stderr.contains("which is left out"),
                warns,
                "{text:?}: {}",
                list.stderr
            );
            assert!(!list.stderr.contains(secret), "{}", list.stderr);
        }
    }
    // In the profile itself.
    fixture.config(&profile(&fixture, &format!("api_secret = \"{secret}\\n\"")));
    let list = run(&["list"], &fixture.empty_environment()).await;
    list.success()
        .stderr_contains(&["`api_secret` (profile a, line 5) ends with a line break"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_command_says_what_is_waited_for() {
    let fixture = Fixture::start().await;
    let secret = &fixture.sandbox.credentials().confluent.api_secret;
    let go = fixture.home.join("go");
    let how = format!(
        "api_secret_command = \"while ! test -e {}; do sleep 0.05; done; echo {secret}\"",
        go.display()
    );
    fixture.config(&profile(&fixture, &how));
    let mut child = command(&["list"], &fixture.empty_environment());
    let mut child = child
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    // The command goes on only after the line.
    let line = lines.next_line().await.unwrap().unwrap();
    assert_eq!(
        line,
        "waiting for the command of `api_secret_command` (profile a, line 5)"
    );
    fs::write(go, "").unwrap();
    assert!(child.wait().await.unwrap().success());
    let how = format!("api_secret_command = \"echo {secret}\"");
    fixture.config(&profile(&fixture, &how));
    let quick = run(&["list"], &fixture.empty_environment()).await;
    assert!(
        !quick.success().stderr.contains("waiting"),
        "{}",
        quick.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_the_profile_names_overrides_nothing() {
    let fixture = Fixture::start().await;
    let secret = &fixture.sandbox.credentials().confluent.api_secret;
    let how = "api_secret_variable = \"CONFLUENT_CLOUD_API_SECRET\"";
    fixture.config(&profile(&fixture, how));
    let set = [("CONFLUENT_CLOUD_API_SECRET", secret.as_str())];
    let variables = with_variables(fixture.empty_environment(), &set);
    let list = run(&["list"], &variables).await;
    // The id and the secret of the key belong together.
    assert!(
        !list.success().stderr.contains("warning"),
        "{}",
        list.stderr
    );
    let doctor = run(&["doctor"], &variables).await;
    let shown = "[redacted], from the variable CONFLUENT_CLOUD_API_SECRET";
    assert!(doctor.success().stdout.contains(shown), "{}", doctor.stdout);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn only_files_with_a_secret_need_to_be_closed() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::start().await;
    let secret = &fixture.sandbox.credentials().confluent.api_secret;
    let variables = with_variables(fixture.empty_environment(), &[("KAFKA", secret)]);
    for (how, warns) in [
        (
            format!("api_secret_command = \"printenv KAFKA || echo {secret}\""),
            false,
        ),
        ("api_secret_variable = \"KAFKA\"".to_owned(), false),
        (format!("api_secret = \"{secret}\""), true),
    ] {
        let path = fixture.config(&profile(&fixture, &how));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let list = run(&["list"], &variables).await;
        list.success();
        assert_eq!(
            list.stderr.contains("holds a secret"),
            warns,
            "{how}: {}",
            list.stderr
        );
    }
    // The password of a proxy and the secrets of an identity provider are secrets too.
    for how in [
        "api_secret_variable = \"KAFKA\"\nconnection.proxy = \"http://ann:pass@p.example\"",
        "sts = { identity_pool_id = \"pool-1\", subject_token = { fixed = \"t\" } }",
    ] {
        let path = fixture.config(&profile(&fixture, how));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let list = run(&["config", "list"], &variables).await;
        list.success()
            .stderr_contains(&["holds a secret and is readable by others (mode 644)"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_gets_no_variable_that_holds_a_secret() {
    let fixture = Fixture::start().await;
    let secret = &fixture.sandbox.credentials().confluent.api_secret;
    let seen = fixture.home.join("seen");
    let how = format!(
        "api_secret_command = \"env > {}; echo {secret}\"",
        seen.display()
    );
    let other = "[profiles.b]\nprovider = \"confluent\"\napi_key = \"k\"\napi_secret_variable = \"OTHER_KEY\"\n";
    fixture.config(&format!("{}{other}", profile(&fixture, &how)));
    let variables = with_variables(
        fixture.empty_environment(),
        &[("OTHER_KEY", "canary"), ("PLAIN", "1")],
    );
    run(&["--profile", "a", "list"], &variables).await.success();
    let seen = fs::read_to_string(seen).unwrap();
    assert!(
        seen.contains("PLAIN=1") && !seen.contains("canary"),
        "{seen}"
    );
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_prints_without_end_is_ended() {
    let fixture = Fixture::start().await;
    fixture.config(&profile(&fixture, "api_secret_command = \"yes\""));
    let listed = run(&["list"], &fixture.empty_environment()).await;
    listed.fails(2, &["printed more than 65536 bytes"]);
}
