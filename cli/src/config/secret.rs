//! Secrets that the configuration file refers to: files and commands.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::failure::Failure;

use super::path::permission_warning;

/// Reads the first line of a file. `~/` is the home folder; other relative paths start at the folder of the
/// configuration file.
pub(super) fn from_file(key: &str, path: &str, config: &Path) -> Result<String, Failure> {
    let file = resolve_path(path, config);
    let text = fs::read_to_string(&file).map_err(|error| {
        Failure::Usage(format!("cannot read `{key}` {}: {error}", file.display()))
    })?;
    if let Some(warning) = warning_of_file(path, config) {
        eprintln!("warning: {warning}");
    }
    first_line(&text).ok_or_else(|| {
        Failure::Usage(format!(
            "`{key}` {} has nothing on its first line",
            file.display()
        ))
    })
}

/// The warning that [`from_file`] prints.
pub(super) fn warning_of_file(path: &str, config: &Path) -> Option<String> {
    permission_warning(&resolve_path(path, config))
}

fn resolve_path(path: &str, config: &Path) -> PathBuf {
    if let Some(rest) = path.strip_prefix("~/")
        && let Ok(home) = etcetera::home_dir()
    {
        return home.join(rest);
    }
    config.parent().unwrap_or(Path::new("")).join(path)
}

/// Runs a command in the shell and returns the first line that it prints. The command may prompt on the terminal and
/// gets none of the `hidden` variables. No message quotes the command, since it may contain a secret.
pub(super) fn from_command(key: &str, command: &str, hidden: &[&str]) -> Result<String, Failure> {
    let failure = |wrong: String| Failure::Usage(format!("the command of `{key}` {wrong}"));
    let (shell, option) = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    };
    let mut process = Command::new(shell);
    for variable in hidden {
        process.env_remove(variable);
    }
    let output = process
        .args([option, command])
        .stdin(Stdio::inherit())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failure(format!("could not be started: {error}")))?;
    if !output.status.success() {
        return Err(failure(format!("failed: {}", output.status)));
    }
    let text = String::from_utf8(output.stdout)
        .map_err(|_| failure("printed text that is not UTF-8".to_owned()))?;
    first_line(&text).ok_or_else(|| failure("printed nothing on its first line".to_owned()))
}

fn first_line(text: &str) -> Option<String> {
    let line = text.lines().next()?.trim_end();
    (!line.is_empty()).then(|| line.to_owned())
}
