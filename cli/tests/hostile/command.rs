//! Runs the command and checks its report.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use crate::server::{Fault, ORGANIZATION, Organisation, Seed, Server, Status, Vendor, World};

pub const ANN: &str = "ann@example.com";
pub const BOB: &str = "bob@example.com";
pub const CAT: &str = "cat@example.com";
pub const NOBODY: &str = "nobody@example.com";
/// An address that starts like Ann's.
pub const ANN_ELSEWHERE: &str = "ann@example.com.au";

/// The time limit of a command, which only a hanging one exceeds.
const GUARD: Duration = Duration::from_secs(60);

/// A temporary folder.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!(
            "org-invitations-hostile-{}-{number}",
            std::process::id()
        ));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file and returns its path as an argument.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).expect("a file");
        path.to_string_lossy().into_owned()
    }

    /// The path of a file as an argument.
    pub fn argument(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The name under which the configuration file has a vendor.
pub fn profile(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Confluent => "kafka",
        Vendor::ClickHouse => "warehouse",
    }
}

/// How long the command looks for a lost invitation, in the configuration's words, where it has any.
fn settle_for() -> &'static str {
    static LINE: OnceLock<String> = OnceLock::new();
    LINE.get_or_init(|| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_org-invitations"))
            .args(["schema", "config"])
            .output()
            .expect("the schema");
        let schema: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let names = schema["$defs"]["RetryConfig"]["properties"]
            .as_object()
            .into_iter()
            .flatten();
        let name = names
            .map(|(name, _)| name)
            .find(|name| name.contains("settle"));
        name.map(|name| format!("{name} = 0.6\n"))
            .unwrap_or_default()
    })
}

/// Short delays for both vendors.
fn configuration() -> String {
    let mut text = String::new();
    for vendor in Vendor::BOTH {
        let (name, provider) = (profile(vendor), vendor.name());
        text.push_str(&format!(
            "[profiles.{name}]\nprovider = \"{provider}\"\n[profiles.{name}.connection]\ntimeout_seconds = 1.0\n\
             rate_limit = {{ requests = 100000, window_seconds = 1.0 }}\n[profiles.{name}.connection.retry]\n\
             max_attempts = 4\ninitial_delay_seconds = 0.01\nmax_delay_seconds = 0.1\ndeadline_seconds = 20.0\n{}",
            settle_for()
        ));
    }
    text
}

/// The servers and files of a command.
#[derive(Debug)]
pub struct Setup {
    pub folder: Folder,
    servers: Vec<(Vendor, String)>,
}

impl Setup {
    pub fn new(servers: &[&Server]) -> Self {
        let folder = Folder::new();
        let configuration_file = folder.write("config.toml", configuration());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let private = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(configuration_file, private).expect("a mode");
        }
        let servers = servers
            .iter()
            .map(|server| (server.truth().vendor, server.url()))
            .collect();
        Self { folder, servers }
    }

    /// The command before its start.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_org-invitations"));
        let certificates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/hostile");
        command
            .args(arguments)
            .current_dir(&self.folder.0)
            .env_clear()
            .env("HOME", &self.folder.0)
            .env("XDG_CONFIG_HOME", &self.folder.0)
            .env("ORG_INVITATIONS_CONFIG", self.folder.path("config.toml"))
            // Reading the machine's certificates takes longer than all else.
            .env("SSL_CERT_FILE", certificates.join("authority.pem"))
            .env("SSL_CERT_DIR", certificates.join("no-directory"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        for (vendor, url) in &self.servers {
            match vendor {
                Vendor::Confluent => command
                    .env("CONFLUENT_CLOUD_API_KEY", "KEY")
                    .env("CONFLUENT_CLOUD_API_SECRET", SECRET)
                    .env("CONFLUENT_CLOUD_ENDPOINT", url),
                Vendor::ClickHouse => command
                    .env("CLICKHOUSE_ORG_ID", ORGANIZATION)
                    .env("CLICKHOUSE_CLOUD_API_KEY", "KEY")
                    .env("CLICKHOUSE_CLOUD_API_SECRET", SECRET)
                    .env("CLICKHOUSE_API_URL", format!("{url}/v1")),
            };
        }
        command
    }

    /// Runs the command until it exits.
    pub async fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).spawn().expect("the command")).await
    }

    /// Runs the command with standard input.
    pub async fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Run {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .spawn()
            .expect("the command");
        let mut stdin = child.stdin.take().expect("its input");
        let _ = stdin.write_all(input).await;
        drop(stdin);
        Run::of(child).await
    }
}

/// The secret of every key.
pub const SECRET: &str = "hostile-secret-0123456789";

/// The output and the exit code of a command.
#[derive(Debug)]
pub struct Run {
    /// `None` if the command did not exit by itself.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub async fn of(child: Child) -> Self {
        match tokio::time::timeout(GUARD, child.wait_with_output()).await {
            Ok(output) => {
                let output = output.expect("the command's output");
                Self {
                    code: output.status.code(),
                    stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
                    stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
                }
            }
            Err(_) => Self {
                code: None,
                stdout: String::new(),
                stderr: format!("no end within {GUARD:?}"),
            },
        }
    }

    /// The rows of `-o json`, by address: the result, and whether a failure may have been carried out.
    pub fn rows(&self) -> BTreeMap<String, (String, bool)> {
        let value: Value = serde_json::from_str(&self.stdout).unwrap_or_default();
        let rows = match value {
            Value::Array(rows) => rows,
            row @ Value::Object(_) => vec![row],
            _ => Vec::new(),
        };
        rows.iter()
            .filter_map(|row| {
                let email = row["email"].as_str()?.to_lowercase();
                let result = row["result"].as_str().unwrap_or("listed").to_owned();
                Some((
                    email,
                    (result, row["may_have_executed"].as_bool().unwrap_or(false)),
                ))
            })
            .collect()
    }

    /// Whether the output names an address beside a result that says that it is well.
    pub fn names(&self, email: &str) -> bool {
        self.stderr.contains(email)
            || self
                .rows()
                .get(&email.to_lowercase())
                .is_some_and(|(result, _)| {
                    !matches!(result.as_str(), "invited" | "kept" | "renewed" | "listed")
                })
    }

    /// One line for a table.
    pub fn summary(&self) -> String {
        let rows: Vec<String> = self
            .rows()
            .into_iter()
            .take(4)
            .map(|(email, (result, maybe))| {
                format!(
                    "{}: {result}{}",
                    email.split('@').next().unwrap_or_default(),
                    if maybe { ", maybe" } else { "" }
                )
            })
            .collect();
        let said: String = self.stderr.replace('\n', " / ").chars().take(160).collect();
        let code = self.code.map_or("none".to_owned(), |code| code.to_string());
        format!("exit {code}, [{}], {said}", rows.join("; "))
    }
}

/// A server of a vendor.
pub async fn serve(vendor: Vendor, world: World, seeds: Vec<Seed>, faults: Vec<Fault>) -> Server {
    Server::start(Organisation::new(vendor, world, seeds), faults).await
}

/// The false statements of the report about people to be invited; `before` is the initial state.
pub fn invited(
    run: &Run,
    truth: &Organisation,
    before: &Organisation,
    people: &[&str],
) -> Vec<String> {
    let mut wrong = ended(run);
    let rows = run.rows();
    for &email in people {
        let live = truth.live_of(email);
        let old: Vec<String> = before
            .live_of(email)
            .into_iter()
            .map(|record| record.id)
            .collect();
        let is_there = !live.is_empty() || truth.is_member(email);
        if run.code == Some(0) {
            if !is_there {
                wrong.push(format!("exit 0, {email} is not invited"));
            }
            if live.len() > 1 {
                wrong.push(format!("exit 0, {email} is invited {} times", live.len()));
            }
        }
        if !old.is_empty() && !is_there && !run.names(email) {
            wrong.push(format!("lost {email}, not named"));
        }
        let Some((result, maybe)) = rows.get(&email.to_lowercase()) else {
            continue;
        };
        let made = truth.made(email) > before.made(email);
        match result.as_str() {
            "invited" | "renewed" => {
                if live.len() != 1 {
                    wrong.push(format!("said {result}, {} exist", live.len()));
                } else if old.contains(&live[0].id) {
                    wrong.push(format!("said {result}, only the old one exists"));
                }
            }
            "kept" if !is_there => wrong.push("said kept, is not invited".to_owned()),
            "failed" if !maybe && made => wrong.push("said surely not done, committed".to_owned()),
            "failed"
                if !maybe
                    && !old.is_empty()
                    && live.iter().all(|record| !old.contains(&record.id)) =>
            {
                wrong.push("said failed, surely not done; the old one is deleted".to_owned());
            }
            "withdrawn"
                if !maybe && made && live.iter().any(|record| record.status == Status::Sent) =>
            {
                wrong.push("said withdrawn, committed".to_owned());
            }
            _ => {}
        }
    }
    wrong.sort();
    wrong.dedup();
    wrong
}

/// Checks that the command exited by itself, with a documented code and without a panic.
pub fn ended(run: &Run) -> Vec<String> {
    let mut wrong = Vec::new();
    if run.code.is_none() {
        wrong.push("did not end".to_owned());
    }
    if run.code == Some(101) || run.stderr.contains("panicked at") {
        wrong.push("panics".to_owned());
    }
    wrong
}

/// The people who were deleted although nobody asked for it.
pub fn deleted_others(truth: &Organisation, asked: &[&str]) -> Vec<String> {
    let others: Vec<String> = truth
        .removed()
        .into_iter()
        .filter(|email| !asked.iter().any(|asked| asked.eq_ignore_ascii_case(email)))
        .collect();
    match others.len() {
        0 => Vec::new(),
        1..=3 => vec![format!(
            "deleted {} who were not asked for",
            others.join(", ")
        )],
        count => vec![format!("deleted {count} people who were not asked for")],
    }
}

/// The state of a person in a table.
pub fn state(truth: &Organisation, email: &str) -> String {
    let ids: Vec<String> = truth
        .live_of(email)
        .into_iter()
        .map(|record| {
            record
                .id
                .split("-0000-")
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    format!(
        "{} [{}]",
        email.split('@').next().unwrap_or_default(),
        ids.join(" ")
    )
}
