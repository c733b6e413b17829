//! Secrets that the configuration file refers to: files, commands and variables. What is around a secret is trimmed.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use crate::failure::Failure;

use super::{path::permission_warning, variable};

/// After this time, a message says which command is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads the first line of a file; `label` is what messages call the value. `~/` is the home folder; other relative
/// paths start at the folder of the configuration file.
pub(super) fn from_file(label: &str, path: &str, config: &Path) -> Result<String, Failure> {
    let file = resolve_path(path, config);
    let text = fs::read_to_string(&file).map_err(|error| {
        Failure::Usage(format!(
            "cannot read {label}, the file {}: {error}",
            file.display()
        ))
    })?;
    if let Some(warning) = permission_warning(&file) {
        eprintln!("warning: {warning}");
    }
    let source = format!("{label}, the file {},", file.display());
    first_line(&text, &source)
        .ok_or_else(|| Failure::Usage(format!("{source} has nothing on its first line")))
}

/// Reads an environment variable.
pub(super) fn from_variable(label: &str, name: &str) -> Result<String, Failure> {
    let text = variable(name)?;
    let text = text.and_then(|text| {
        let (text, warning) = trim(&text, &format!("{label}, the variable {name},"));
        warning.inspect(|warning| eprintln!("warning: {warning}"));
        (!text.is_empty()).then(|| text.to_owned())
    });
    text.ok_or_else(|| {
        Failure::Usage(format!(
            "{label}: the environment variable {name} is not set"
        ))
    })
}

/// Whether [`from_file`] prints no warning.
pub(super) fn is_file_silent(path: &str, config: &Path) -> bool {
    let file = resolve_path(path, config);
    let text = fs::read_to_string(&file).unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    permission_warning(&file).is_none() && trim(first, "").1.is_none()
}

/// Whether [`from_variable`] prints no warning.
pub(super) fn is_variable_silent(name: &str) -> bool {
    let text = variable(name).ok().flatten().unwrap_or_default();
    trim(&text, "").1.is_none()
}

/// `~/` is the home folder; other relative paths start at the folder of the configuration file.
pub(super) fn resolve_path(path: &str, config: &Path) -> PathBuf {
    if let Some(rest) = path.strip_prefix("~/")
        && let Ok(home) = etcetera::home_dir()
    {
        return home.join(rest);
    }
    config.parent().unwrap_or(Path::new("")).join(path)
}

/// Runs a command in the shell and returns the first line that it prints. The command may prompt on the terminal and
/// gets none of the `hidden` variables. No message quotes the command, since it may contain a secret.
pub(super) fn from_command(label: &str, command: &str, hidden: &[&str]) -> Result<String, Failure> {
    let failure = |wrong: String| Failure::Usage(format!("the command of {label} {wrong}"));
    let (shell, option) = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    };
    let mut process = Command::new(shell);
    for variable in hidden {
        process.env_remove(variable);
    }
    process.args([option, command]);
    process.stdin(Stdio::inherit()).stderr(Stdio::inherit());
    let waiting = format!("waiting for the command of {label}");
    let output = run_with_notice(&mut process, &waiting)
        .map_err(|error| failure(format!("could not be started: {error}")))?
        .ok_or_else(|| failure(format!("printed more than {MAX_OUTPUT} bytes")))?;
    if !output.status.success() {
        return Err(failure(format!("failed: {}", output.status)));
    }
    let text = String::from_utf8(output.stdout)
        .map_err(|_| failure("printed text that is not UTF-8".to_owned()))?;
    first_line(&text, &format!("what the command of {label} prints"))
        .ok_or_else(|| failure("printed nothing on its first line".to_owned()))
}

/// How much a command may print. A secret is one line.
const MAX_OUTPUT: u64 = 64 * 1024;

/// Runs a process to its end; once it takes long, prints what is waited for. `None` if it prints too much.
fn run_with_notice(process: &mut Command, waiting: &str) -> io::Result<Option<Output>> {
    let (ended, end) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            if end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{waiting}");
            }
        });
        let output = run_bounded(process);
        drop(ended);
        output
    })
}

fn run_bounded(process: &mut Command) -> io::Result<Option<Output>> {
    let mut child = process.stdout(Stdio::piped()).spawn()?;
    let mut stdout = Vec::new();
    let read = match child.stdout.take() {
        Some(pipe) => pipe.take(MAX_OUTPUT + 1).read_to_end(&mut stdout),
        None => Ok(0),
    };
    if read.is_err() || stdout.len() as u64 > MAX_OUTPUT {
        // The process may have ended by itself.
        let _ = child.kill();
        child.wait()?;
        return read.map(|_| None);
    }
    let status = child.wait()?;
    let stderr = Vec::new();
    Ok(Some(Output {
        status,
        stdout,
        stderr,
    }))
}

/// The first line, without what is around its text; `source` is what a warning calls it. The line's end is no reason for
/// one.
fn first_line(text: &str, source: &str) -> Option<String> {
    let (line, warning) = trim(text.lines().next()?, source);
    if line.is_empty() {
        return None;
    }
    warning.inspect(|warning| eprintln!("warning: {warning}"));
    Some(line.to_owned())
}

/// A value without the blanks, line breaks and the byte order mark around it, and a warning if there are any.
pub(super) fn trim<'a>(text: &'a str, source: &str) -> (&'a str, Option<String>) {
    let is_around = |letter: char| letter.is_whitespace() || letter == '\u{feff}';
    let trimmed = text.trim_matches(is_around);
    let left = text.len() - text.trim_start_matches(is_around).len();
    let (place, around) = match &text[left + trimmed.len()..] {
        _ if trimmed.is_empty() || trimmed == text => return (trimmed, None),
        "" => ("begins", &text[..left]),
        end => ("ends", end),
    };
    let what = match around {
        _ if around.contains('\u{feff}') => "a byte order mark",
        _ if around.contains(['\n', '\r']) => "a line break",
        _ => "a blank",
    };
    let warning = format!("{source} {place} with {what}, which is left out");
    (trimmed, Some(warning))
}
