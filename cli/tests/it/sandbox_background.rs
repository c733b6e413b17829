//! A sandbox in the background, its environment in a shell, and its state in a file.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{
    fixture::{
        BINARY, Fixture, Variables, command, empty_environment, new_home, run, text, with_variables,
    },
    sandbox_control::{URL, control},
};

/// Stops a background sandbox, also after a failed assertion.
struct Background(String);

impl Drop for Background {
    fn drop(&mut self) {
        let mut stop = std::process::Command::new(BINARY);
        let _ = stop.args(["sandbox", "stop", "--url", &self.0]).output();
    }
}

/// A folder with the command, for the `PATH` of a shell.
fn path_with_command() -> String {
    let folder = Path::new(BINARY).parent().unwrap().display();
    format!("{folder}:{}", std::env::var("PATH").unwrap())
}

const DEMONSTRATION: &str = r#"
set -eu
eval "$(org-invitations sandbox --detach --export-env --listen 127.0.0.1:0)"
trap 'org-invitations sandbox stop' EXIT
org-invitations -p confluent -p clickhouse list -o json
org-invitations -p confluent create ann@example.com -o json
org-invitations sandbox accept ann@example.com -o json
org-invitations -p confluent who ann@example.com -o jsonl
echo "$ORG_INVITATIONS_SANDBOX_URL"
"#;

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_shell_demonstrates_it_from_start_to_stop() {
    if !offers_members().await {
        return;
    }
    for shell in ["sh", "bash", "zsh"] {
        let path = path_with_command();
        let variables = with_variables(empty_environment(), &[("PATH", &path)]);
        let mut command = Command::new(shell);
        command
            .args(["-c", DEMONSTRATION])
            .env_clear()
            .envs(variables);
        let Ok(output) = command.stdin(Stdio::null()).output().await else {
            eprintln!("skipped: there is no {shell}");
            assert_ne!(shell, "sh");
            continue;
        };
        let (said, noted) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        assert!(output.status.success(), "{shell}: {said} {noted}");
        let mut values = serde_json::Deserializer::from_str(&said).into_iter::<Value>();
        let mut next = || values.next().unwrap().unwrap();
        assert_eq!(next(), serde_json::json!([]), "{shell}");
        assert_eq!(next()[0]["email"], "ann@example.com");
        assert_eq!(next()[0]["provider"], "confluent");
        assert_eq!(next()["state"], "member", "{shell}: {said}");
        let url = said.lines().last().unwrap();
        assert!(
            noted.contains(&format!("the sandbox at {url} has stopped")),
            "{noted}"
        );
        assert!(
            reqwest::get(format!("{url}/_sandbox/status"))
                .await
                .is_err()
        );
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_with_quotes_survives_eval() {
    let secret = r#"it's "a" $HOME `id` \ secret"#;
    let home = new_home();
    let config = home.join("sandbox.json");
    let text = serde_json::json!({
        "confluent": [{ "keys": [{ "api_key": "KEY", "api_secret": secret }] }],
    });
    fs::write(&config, text.to_string()).unwrap();
    let script = r#"
eval "$(org-invitations sandbox --detach --export-env --listen 127.0.0.1:0 --config "$1")"
printf '%s' "$CONFLUENT_CLOUD_API_SECRET"
org-invitations sandbox stop
"#;
    let path = path_with_command();
    let variables = with_variables(empty_environment(), &[("PATH", &path)]);
    let mut command = Command::new("sh");
    command
        .args(["-c", script, "sh"])
        .arg(&config)
        .env_clear()
        .envs(variables);
    let output = command.output().await.unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), secret);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_background_start_that_fails_says_why() {
    let fixture = Fixture::start().await;
    let address = fixture.sandbox.url().strip_prefix("http://").unwrap();
    let taken = control(&fixture, &format!("sandbox --detach --listen {address}")).await;
    taken.fails(2, &["cannot start a sandbox", address, "--export-env"]);
    let remote = control(&fixture, "sandbox --detach --export-env --listen 0.0.0.0:0").await;
    remote.fails(2, &["--allow-remote"]);
    assert!(remote.stdout.ends_with("\nfalse\n"), "{}", remote.stdout);
}

/// What would follow must not reach a real organisation.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_start_fails_its_eval() {
    let fixture = Fixture::start().await;
    let address = fixture.sandbox.url().strip_prefix("http://").unwrap();
    for options in [
        &format!("--listen {address}"),
        "--listen nowhere",
        "--nothing",
    ] {
        let eval = format!("eval \"$(org-invitations sandbox --detach --export-env {options})\"");
        for (script, said) in [
            (format!("set -e\n{eval}\necho reached"), ""),
            (
                format!(
                    "{eval}\necho \"$? ${{CONFLUENT_CLOUD_API_KEY-none}} ${{CLICKHOUSE_CLOUD_API_SECRET-none}}\""
                ),
                "1 none none\n",
            ),
        ] {
            let path = path_with_command();
            let real = [
                ("PATH", path.as_str()),
                ("CONFLUENT_CLOUD_API_KEY", "real"),
                ("CLICKHOUSE_CLOUD_API_SECRET", "real"),
            ];
            let variables = with_variables(empty_environment(), &real);
            let mut command = Command::new("sh");
            command.args(["-c", &script]).env_clear().envs(variables);
            let output = command.stdin(Stdio::null()).output().await.unwrap();
            let stdout = String::from_utf8(output.stdout).unwrap();
            assert_eq!(stdout, said, "{script}");
            assert!(!output.stderr.is_empty(), "{script}");
        }
    }
}

/// A sandbox with a state file, as a process of its own.
async fn serve(state: &Path) -> (Child, Value) {
    let start = [
        "sandbox",
        "--listen",
        "127.0.0.1:0",
        "--seed-members",
        "1",
        "--state",
    ];
    let mut command = command(&start, &empty_environment());
    command.arg(state).stdout(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines.next_line().await.unwrap().unwrap();
    (child, serde_json::from_str(&ready).unwrap())
}

fn of_sandbox(ready: &Value) -> Variables {
    let (confluent, clickhouse) = (&ready["confluent"], &ready["clickhouse"]);
    let url = text(&ready["url"]);
    with_variables(
        empty_environment(),
        &[
            ("CONFLUENT_CLOUD_API_KEY", &text(&confluent["api_key"])),
            (
                "CONFLUENT_CLOUD_API_SECRET",
                &text(&confluent["api_secret"]),
            ),
            ("CONFLUENT_CLOUD_ENDPOINT", &url),
            ("CLICKHOUSE_ORG_ID", &text(&clickhouse["organization_id"])),
            ("CLICKHOUSE_CLOUD_API_KEY", &text(&clickhouse["api_key"])),
            (
                "CLICKHOUSE_CLOUD_API_SECRET",
                &text(&clickhouse["api_secret"]),
            ),
            ("CLICKHOUSE_API_URL", &url),
            (URL, &url),
        ],
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_sandbox_starts_again_with_its_state() {
    if !offers_members().await {
        return;
    }
    let state: PathBuf = new_home().join("demo.json");
    let (mut first, ready) = serve(&state).await;
    let old = of_sandbox(&ready);
    for provider in ["confluent", "clickhouse"] {
        let create = [
            "-p",
            provider,
            "create",
            "ann@example.com",
            "bob@example.com",
        ];
        run(&create, &old).await.success();
    }
    run(&["sandbox", "clock", "+1d"], &old).await.success();
    run(
        &["-p", "confluent", "sandbox", "accept", "ann@example.com"],
        &old,
    )
    .await
    .success();
    let list = ["-p", "confluent", "-p", "clickhouse", "list", "-o", "json"];
    let who = [
        "-p",
        "confluent",
        "-p",
        "clickhouse",
        "who",
        "ann@example.com",
        "-o",
        "json",
    ];
    let before = [run(&list, &old).await.json(), run(&who, &old).await.json()];
    first.kill().await.unwrap();

    let (mut second, again) = serve(&state).await;
    assert_eq!(again["confluent"], ready["confluent"]);
    assert_eq!(again["clickhouse"], ready["clickhouse"]);
    let url = text(&again["url"]);
    let same =
        ["CONFLUENT_CLOUD_ENDPOINT", "CLICKHOUSE_API_URL", URL].map(|name| (name, url.as_str()));
    let new = with_variables(old, &same);
    let after = [run(&list, &new).await.json(), run(&who, &new).await.json()];
    // The links in answers lead to where the sandbox is now.
    let before = before.map(|it| it.to_string().replace(&text(&ready["url"]), &url));
    let after = after.map(|it| it.to_string());
    assert_eq!(after, before);
    let invitations: Value = serde_json::from_str(&after[0]).unwrap();
    assert_eq!(invitations.as_array().unwrap().len(), 4, "{invitations}");
    let clock = run(&["sandbox", "clock", "-o", "json"], &new).await.json();
    assert_eq!(clock[0]["advanced_seconds"], 86_400);
    let members = format!("{url}/_sandbox/members");
    let members: Value = reqwest::get(members).await.unwrap().json().await.unwrap();
    assert_eq!(members["total"], 3, "one seeded at each API, and ann");
    run(&["sandbox", "stop"], &new).await.success();
    assert!(second.wait().await.unwrap().success());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_background_sandbox_outlives_its_terminal() {
    let mut shell = std::process::Command::new("sh");
    let path = path_with_command();
    let variables = with_variables(empty_environment(), &[("PATH", &path), ("PS1", "$ ")]);
    shell.arg("-i").env_clear().envs(variables);
    let mut session = rexpect::session::spawn_command(shell, Some(30_000)).unwrap();
    let start = r#"eval "$(org-invitations sandbox --detach --export-env --listen 127.0.0.1:0)""#;
    session.send_line(start).unwrap();
    session
        .send_line("echo at=$ORG_INVITATIONS_SANDBOX_URL=")
        .unwrap();
    session.exp_string("at=http").unwrap();
    let url = format!("http{}", session.exp_string("=").unwrap());
    let _background = Background(url.clone());
    // Ctrl-C is for what the terminal runs, and closing it ends no sandbox.
    session.exp_string("$ ").unwrap();
    session.send_control('c').unwrap();
    // A shell drops what it has read when the signal arrives; one that ignores the signal prints no prompt to wait for.
    tokio::time::sleep(Duration::from_millis(500)).await;
    session.send_line("org-invitations sandbox clock").unwrap();
    session.exp_string("as on its machine").unwrap();
    session.send_line("exit").unwrap();
    session.exp_eof().unwrap();
    drop(session);
    let status = reqwest::get(format!("{url}/_sandbox/status"))
        .await
        .unwrap();
    assert!(status.status().is_success());
    let stopped = run(&["sandbox", "stop", "--url", &url], &empty_environment()).await;
    stopped.success().stderr_contains(&["has stopped"]);
}

/// Whether the documents of the bindings have members.
async fn offers_members() -> bool {
    Fixture::start().await.offers_members()
}
