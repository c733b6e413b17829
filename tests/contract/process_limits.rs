//! Processes with one credential share the allowance that the server has for it.

use std::{
    env,
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use futures::StreamExt;
use org_invitations::{
    BulkOptions, ClickHouse, CreateResult, InvitationProvider, InvitationProviderExt, ListQuery,
    NewInvitation, SharedRateLimit,
};
use org_invitations_sandbox::{Limit, Limits, Sandbox};

/// Where a process finds the sandbox, its key and the shared limit; the number of the process.
const TASK: &str = "ORG_INVITATIONS_TEST_TASK";
const PROCESSES: usize = 4;
const PEOPLE_OF_EACH: usize = 25;
const REQUESTS: usize = 10;
const WINDOW: Duration = Duration::from_secs(1);

/// A limit at this place: a file, or a URL of Redis.
fn limit_at(place: &str) -> SharedRateLimit {
    match place.starts_with("redis://") {
        true => SharedRateLimit::redis(place, "the-limit").unwrap(),
        false => SharedRateLimit::file(place),
    }
}

/// One of several processes, which the tests below start.
#[tokio::test]
#[ignore = "is started by other tests"]
async fn one_of_many() {
    let task = env::var(TASK).expect("a test that starts this one sets it");
    let [url, organization, key, secret, place, number] = task.split('\t').collect::<Vec<_>>()[..]
    else {
        panic!("{task}");
    };
    let provider = ClickHouse::builder(organization)
        .api_key(key, secret)
        .base_url(url)
        .rate_limit(REQUESTS, WINDOW)
        .shared_rate_limit(limit_at(place))
        .build()
        .unwrap();
    let people = (0..PEOPLE_OF_EACH)
        .map(|person| NewInvitation::new(format!("person{person}.of{number}@example.com")))
        .map(|new| new.legacy_role("developer"));
    let results: Vec<_> = provider
        .create_many(people, BulkOptions::default())
        .collect()
        .await;
    assert_eq!(results.len(), PEOPLE_OF_EACH);
    for result in results {
        let is_created = matches!(result.result, CreateResult::Created(_));
        assert!(is_created, "{result:?}");
    }
}

/// Starts the processes and waits for them; returns the sandbox that they used.
async fn run_processes(place: &str) -> Sandbox {
    let sandbox = Sandbox::start().await.unwrap();
    let limit = Limit::new(u32::try_from(REQUESTS).unwrap(), WINDOW);
    sandbox.set_limits(Limits::default().clickhouse(limit.without_headers()));
    let key = &sandbox.credentials().clickhouse;
    let processes: Vec<Child> = (0..PROCESSES)
        .map(|number| {
            let task = [
                sandbox.url(),
                &key.organization_id,
                &key.api_key,
                key.api_secret.as_str(),
                place,
                &number.to_string(),
            ];
            let mut command = Command::new(env::current_exe().unwrap());
            command.args(["--exact", "process_limits::one_of_many", "--ignored"]);
            let command = command.env(TASK, task.join("\t")).stdout(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    for process in processes {
        let waiting = tokio::task::spawn_blocking(move || process.wait_with_output());
        let output = waiting.await.unwrap().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}");
        assert!(text.contains("1 passed"), "{text}");
    }
    sandbox
}

/// Hardly a request is rejected, and each is sent once else. The benchmark `limit` measures the share of the allowance.
fn assert_limit_is_kept(sandbox: &Sandbox) {
    let ledger = sandbox.ledger();
    let rejected = ledger.count_status(429);
    assert!(rejected <= PROCESSES, "{rejected} × 429");
    let admitted = ledger.requests.len() - rejected;
    assert_eq!(admitted, PROCESSES * PEOPLE_OF_EACH);
}

/// A new folder, removed with this value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let unique = format!("org-invitations-{}", uuid());
        let path = env::temp_dir().join(unique);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn uuid() -> String {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let thread = std::thread::current().id();
    format!("{}-{}-{thread:?}", std::process::id(), now.as_nanos())
}

#[tokio::test]
async fn four_processes_share_a_limit_by_a_file() {
    let folder = Folder::new();
    let file = folder.0.join("limit");
    let sandbox = run_processes(file.to_str().unwrap()).await;
    assert_limit_is_kept(&sandbox);
}

/// A Redis server that ends with this value; `None` if this machine has none.
struct Redis {
    server: Child,
    port: u16,
    _folder: Folder,
}

impl Redis {
    fn start() -> Option<Self> {
        let folder = Folder::new();
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = port.local_addr().unwrap().port();
        let server = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--port", &port.to_string()])
            .arg("--dir")
            .arg(&folder.0)
            .stdout(Stdio::null())
            .spawn();
        let Ok(server) = server else {
            eprintln!("skipped: there is no redis-server on the PATH");
            return None;
        };
        let redis = Self {
            server,
            port,
            _folder: folder,
        };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "Redis did not start"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(redis)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[tokio::test]
async fn four_processes_share_a_limit_by_redis() {
    let Some(redis) = Redis::start() else { return };
    let sandbox = run_processes(&format!("redis://127.0.0.1:{}", redis.port)).await;
    assert_limit_is_kept(&sandbox);
}

#[tokio::test]
async fn without_the_shared_state_calls_go_on() {
    let sandbox = Sandbox::start().await.unwrap();
    let key = &sandbox.credentials().clickhouse;
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let folder = Folder::new();
    let nowhere = folder.0.join("no-folder").join("limit");
    for place in [
        format!("redis://127.0.0.1:{port}"),
        nowhere.to_str().unwrap().to_owned(),
    ] {
        let provider = ClickHouse::builder(&key.organization_id)
            .api_key(&key.api_key, key.api_secret.as_str())
            .base_url(sandbox.url())
            .shared_rate_limit(limit_at(&place))
            .build()
            .unwrap();
        provider.list_page(&ListQuery::new(), None).await.unwrap();
    }
}
