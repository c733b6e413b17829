//! A sandbox in the background.

use std::{
    env,
    process::{ExitStatus, Stdio},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::Command,
};

use crate::failure::{Exit, Failure};

/// Starts this command again without `--detach`, and returns what it prints once it listens.
pub(super) async fn start() -> Result<String, Failure> {
    let failed = |error: std::io::Error| {
        Failure::Other(format!("cannot start a sandbox in the background: {error}"))
    };
    let program = env::current_exe().map_err(failed)?;
    let arguments = env::args_os().skip(1);
    let mut command = Command::new(program);
    command
        .args(arguments.filter(|word| word != "--detach" && word != "--export-env"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // Ctrl-C in this terminal is not meant for it.
    #[cfg(unix)]
    command.process_group(0);
    #[cfg(windows)]
    command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
    let mut child = command.spawn().map_err(failed)?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        let mut stdout = BufReader::new(stdout);
        stdout.read_line(&mut line).await.map_err(failed)?;
    }
    let ready = line.trim_end();
    if !ready.is_empty() {
        return Ok(ready.to_owned());
    }
    let mut said = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut said).await.map_err(failed)?;
    }
    let status = child.wait().await.map_err(failed)?;
    eprint!("{said}");
    Err(Failure::AlreadyReported(exit(status)))
}

fn exit(status: ExitStatus) -> Exit {
    if status.code() == Some(Exit::Usage as i32) {
        Exit::Usage
    } else {
        Exit::Failed
    }
}

#[cfg(windows)]
const DETACHED_PROCESS: u32 = 0x0000_0008;
#[cfg(windows)]
const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
