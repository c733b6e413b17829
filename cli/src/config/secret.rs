//! Secrets that the configuration file does not hold, but says where they are.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::failure::Failure;

use super::path::readable_by_others;

/// The first line of a file. `~/` is the home folder, and other relative paths begin at the
/// configuration file.
pub(super) fn from_file(key: &str, path: &str, config: &Path) -> Result<String, Failure> {
    let place = place(path, config);
    let text = fs::read_to_string(&place).map_err(|error| {
        Failure::Usage(format!("cannot read `{key}` {}: {error}", place.display()))
    })?;
    if let Some(warning) = readable_by_others(&place) {
        eprintln!("warning: {warning}");
    }
    first_line(&text).ok_or_else(|| {
        Failure::Usage(format!(
            "`{key}` {} has nothing on its first line",
            place.display()
        ))
    })
}

fn place(path: &str, config: &Path) -> PathBuf {
    if let Some(rest) = path.strip_prefix("~/")
        && let Ok(home) = etcetera::home_dir()
    {
        return home.join(rest);
    }
    config.parent().unwrap_or(Path::new("")).join(path)
}

/// The first line that a command prints. It is run by the shell, may ask on the terminal, and gets none of the
/// `hidden` variables. No message quotes it, since a secret may be in it.
pub(super) fn from_command(key: &str, command: &str, hidden: &[&str]) -> Result<String, Failure> {
    let refuse =
        |wrong: String| Failure::Usage(format!("the command of `{key}` was run, and {wrong}"));
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
        .map_err(|error| refuse(format!("that could not be started: {error}")))?;
    if !output.status.success() {
        return Err(refuse(format!("it failed: {}", output.status)));
    }
    let text = String::from_utf8(output.stdout)
        .map_err(|_| refuse("what it printed is not UTF-8".to_owned()))?;
    first_line(&text).ok_or_else(|| refuse("it printed nothing on its first line".to_owned()))
}

fn first_line(text: &str) -> Option<String> {
    let line = text.lines().next()?.trim_end();
    (!line.is_empty()).then(|| line.to_owned())
}
