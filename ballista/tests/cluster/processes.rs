//! A scheduler and two executors, which end with the test.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::Stdio,
};

use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::sleep,
};

use crate::AGAIN;

pub struct Cluster {
    _scheduler: Child,
    executors: [Executor; 2],
    port: u16,
}

struct Executor {
    process: Child,
    folder: TempDir,
}

impl Cluster {
    /// Starts a scheduler without credentials, and two executors with those of a file.
    pub async fn start(profiles: &Path) -> Self {
        let port = free_port();
        let mut scheduler = Command::new(env!("CARGO_BIN_EXE_scheduler"));
        scheduler.args(["--executor-timeout", "3", "--port"]);
        let mut scheduler = start(scheduler.arg(port.to_string()));
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                scheduler.try_wait().unwrap().is_none(),
                "the scheduler ended"
            );
            sleep(AGAIN).await;
        }
        let executor = || {
            let folder = TempDir::new().unwrap();
            let mut command = Command::new(env!("CARGO_BIN_EXE_executor"));
            command.arg("--profiles").arg(profiles);
            command.arg("--work-dir").arg(folder.path());
            for (option, port) in [
                ("--scheduler-port", port),
                ("--port", free_port()),
                ("--grpc-port", free_port()),
            ] {
                command.arg(option).arg(port.to_string());
            }
            Executor {
                process: start(&mut command),
                folder,
            }
        };
        Self {
            _scheduler: scheduler,
            executors: [executor(), executor()],
            port,
        }
    }

    pub fn url(&self) -> String {
        format!("df://127.0.0.1:{}", self.port)
    }

    /// Whether each executor has finished a task.
    pub fn executors_have_rows(&self) -> bool {
        self.executors.iter().all(|it| has_files(it.folder.path()))
    }

    /// Kills the first executor, as if its machine was gone: its rows too.
    pub async fn kill_executor(&mut self) {
        let Executor { process, folder } = &mut self.executors[0];
        process.kill().await.unwrap();
        fs::remove_dir_all(folder.path()).unwrap();
    }
}

fn start(command: &mut Command) -> Child {
    command
        .kill_on_drop(true)
        .stdin(Stdio::null())
        .spawn()
        .unwrap()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn has_files(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let path = entry.path();
        path.is_file() || has_files(&path)
    })
}
