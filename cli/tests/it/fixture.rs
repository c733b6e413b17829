//! A sandbox, and the command line with credentials for it.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::{Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use org_invitations::{ClickHouse, Confluent, InvitationProvider};
use org_invitations_sandbox::{Config, Sandbox};
use serde_json::Value;
use tokio::process::Command;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_org-invitations");

pub(crate) type Variables = BTreeMap<String, String>;

/// A sandbox and a home folder of its own.
pub(crate) struct Fixture {
    pub sandbox: Sandbox,
    pub home: PathBuf,
}

impl Fixture {
    pub async fn start() -> Self {
        Self::over(Sandbox::start().await.unwrap())
    }

    /// A fixture with this sandbox.
    pub fn over(sandbox: Sandbox) -> Self {
        Self {
            sandbox,
            home: new_home(),
        }
    }

    /// A sandbox with organisations of its own.
    pub async fn with(config: Config) -> Self {
        Self {
            sandbox: Sandbox::builder().config(config).start().await.unwrap(),
            home: new_home(),
        }
    }

    /// The environment with the credentials of both providers.
    pub fn variables(&self) -> Variables {
        let credentials = self.sandbox.credentials();
        let (confluent, clickhouse) = (&credentials.confluent, &credentials.clickhouse);
        let url = self.sandbox.url();
        let mut variables = self.empty_environment();
        for (name, value) in [
            ("CONFLUENT_CLOUD_API_KEY", confluent.api_key.as_str()),
            ("CONFLUENT_CLOUD_API_SECRET", &confluent.api_secret),
            ("CONFLUENT_CLOUD_ENDPOINT", url),
            ("CLICKHOUSE_ORG_ID", &clickhouse.organization_id),
            ("CLICKHOUSE_CLOUD_API_KEY", &clickhouse.api_key),
            ("CLICKHOUSE_CLOUD_API_SECRET", &clickhouse.api_secret),
            ("CLICKHOUSE_API_URL", &format!("{url}/v1")),
        ] {
            variables.insert(name.to_owned(), value.to_owned());
        }
        variables
    }

    /// The environment with the home folder only.
    pub fn empty_environment(&self) -> Variables {
        home_environment(&self.home)
    }

    /// Writes the configuration file.
    pub fn config(&self, text: &str) -> PathBuf {
        let folder = self.home.join("org-invitations");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("config.toml");
        fs::write(&path, text).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        path
    }

    pub async fn run(&self, arguments: &[&str]) -> CommandOutput {
        run(arguments, &self.variables()).await
    }

    /// Whether the document of the bindings has roles by id on ClickHouse. If not, checks that they are rejected before
    /// anything is sent.
    pub async fn offers_role_ids(&self) -> bool {
        let provider = ClickHouse::builder("o-1")
            .api_key("k", "s")
            .build()
            .unwrap();
        if provider.capabilities().roles {
            return true;
        }
        let role = "5a1e9b6c-3f0d-4c1b-9a57-0d2f4f1c6a03";
        let create = [
            "-p",
            "clickhouse",
            "create",
            "x@example.com",
            "--role-id",
            role,
        ];
        self.assert_unsupported(&create).await;
        false
    }

    /// Whether the library has members of both vendors.
    pub fn offers_members(&self) -> bool {
        let confluent = Confluent::builder().api_key("k", "s").build().unwrap();
        let clickhouse = ClickHouse::builder("o-1").api_key("k", "s");
        let clickhouse = clickhouse.build().unwrap();
        confluent.capabilities().members && clickhouse.capabilities().members
    }

    /// Whether the library can read the API keys of Confluent's members.
    pub fn offers_api_keys(&self) -> bool {
        let confluent = Confluent::builder().api_key("k", "s").build().unwrap();
        confluent.capabilities().api_keys && self.offers_members()
    }

    /// Whether the document of the bindings has the status filter of Confluent's list. If not, checks that it is
    /// rejected.
    pub async fn offers_status_filter(&self) -> bool {
        let provider = Confluent::builder().api_key("k", "s").build().unwrap();
        if provider.capabilities().filter_status {
            return true;
        }
        self.assert_unsupported(&["-p", "confluent", "list", "--status", "sent"])
            .await;
        false
    }

    async fn assert_unsupported(&self, arguments: &[&str]) {
        let before = self.sandbox.ledger().requests.len();
        let refused = self.run(arguments).await;
        refused.fails(1, &["not supported by this provider"]);
        assert_eq!(
            self.sandbox.ledger().requests.len(),
            before,
            "{arguments:?}"
        );
    }

    /// Invites people on a provider, and returns the ids in order.
    pub async fn invite(&self, provider: &str, emails: &[&str]) -> Vec<String> {
        let arguments = [&["-p", provider, "-o", "jsonl", "create"], emails].concat();
        let created = self.run(&arguments).await;
        let rows = created.lines();
        rows.iter().map(|row| text(&row["id"])).collect()
    }
}

/// A new, empty folder.
pub(crate) fn new_home() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("home-{}-{number}", std::process::id());
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&home);
    fs::create_dir_all(&home).unwrap();
    home
}

pub(crate) fn home_environment(home: &std::path::Path) -> Variables {
    let home = home.to_str().unwrap().to_owned();
    let path = std::env::var("PATH").unwrap_or_default();
    BTreeMap::from([
        ("HOME".to_owned(), home.clone()),
        ("XDG_CONFIG_HOME".to_owned(), home),
        ("PATH".to_owned(), path),
    ])
}

/// The environment with a new home folder only.
pub(crate) fn empty_environment() -> Variables {
    home_environment(&new_home())
}

/// The variables with changes.
pub(crate) fn with_variables(mut variables: Variables, changes: &[(&str, &str)]) -> Variables {
    for (name, value) in changes {
        variables.insert((*name).to_owned(), (*value).to_owned());
    }
    variables
}

pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

pub(crate) struct CommandOutput {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl CommandOutput {
    #[track_caller]
    pub fn success(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{} {}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        self.success();
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// The only element of the JSON array, whatever the exit code.
    #[track_caller]
    pub fn one(&self) -> Value {
        let mut all: Vec<Value> = serde_json::from_str(&self.stdout).unwrap();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// The JSON value of each line, whatever the exit code.
    #[track_caller]
    pub fn lines(&self) -> Vec<Value> {
        let lines = self.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[track_caller]
    pub fn fails(&self, code: i32, words: &[&str]) -> &Self {
        assert_eq!(self.code, Some(code), "{} {}", self.stdout, self.stderr);
        self.stderr_contains(words)
    }

    /// Asserts that stderr contains the words.
    #[track_caller]
    pub fn stderr_contains(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(
                self.stderr.contains(word),
                "no {word:?} in: {}",
                self.stderr
            );
        }
        self
    }
}

pub(crate) fn command(arguments: &[&str], variables: &Variables) -> Command {
    let mut command = Command::new(BINARY);
    command
        .args(arguments)
        .env_clear()
        .envs(variables)
        .stdin(Stdio::null());
    command.kill_on_drop(true);
    command
}

pub(crate) async fn run(arguments: &[&str], variables: &Variables) -> CommandOutput {
    let output = command(arguments, variables).output().await.unwrap();
    let Output {
        status,
        stdout,
        stderr,
    } = output;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    CommandOutput {
        code: status.code(),
        stdout: text(stdout),
        stderr: text(stderr),
    }
}
