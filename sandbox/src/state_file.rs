//! The state of a sandbox in a file, with which another process continues.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::clickhouse::ClickHouse;
use crate::clock::ClockPosition;
use crate::config::Config;
use crate::confluent::Confluent;
use crate::credentials::{Credentials, SavedCredentials};
use crate::faults::Faults;
use crate::ledger::Numbering;
use crate::limits::Limits;

/// The form of the file.
const VERSION: u32 = 1;

/// A file with the state.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    /// The revision that was written last.
    written: Mutex<Option<u64>>,
}

/// Everything that a sandbox holds, but for the entries of the ledger.
#[derive(Debug, Deserialize)]
pub(crate) struct SavedState {
    /// What the sandbox was started with, and what a reset goes back to.
    pub(crate) config: Config,
    pub(crate) credentials: SavedCredentials,
    pub(crate) confluent: Confluent,
    pub(crate) clickhouse: ClickHouse,
    pub(crate) clock: ClockPosition,
    pub(crate) numbering: Numbering,
    pub(crate) limits: Limits,
    pub(crate) faults: Faults,
}

/// The same, to be written.
#[derive(Serialize)]
pub(crate) struct StateView<'a> {
    pub(crate) version: u32,
    pub(crate) config: &'a Config,
    pub(crate) credentials: SavedCredentials,
    pub(crate) confluent: &'a Confluent,
    pub(crate) clickhouse: &'a ClickHouse,
    pub(crate) clock: ClockPosition,
    pub(crate) numbering: Numbering,
    pub(crate) limits: &'a Limits,
    pub(crate) faults: Faults,
}

/// The only part that every version has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl StateView<'_> {
    pub(crate) const VERSION: u32 = VERSION;
}

impl StateFile {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            // Replacing a link would leave the file that it leads to as it is.
            path: fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()),
            written: Mutex::default(),
        }
    }

    /// The state that an earlier process left; `None` if there is no file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or was not written by this version of the sandbox.
    pub(crate) fn load(&self) -> io::Result<Option<SavedState>> {
        let text = match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|error| self.error("read", &error))?,
        };
        let invalid = |why: String| {
            let path = self.path.display();
            let message = format!(
                "{path} is not the state of a sandbox: {why}; name another file, or delete it to begin anew"
            );
            io::Error::new(io::ErrorKind::InvalidInput, message)
        };
        let Version { version } =
            serde_json::from_slice(&text).map_err(|error| invalid(error.to_string()))?;
        if version != VERSION {
            return Err(invalid(format!(
                "its version is {version}, and not {VERSION}"
            )));
        }
        let state = serde_json::from_slice(&text).map_err(|error| invalid(error.to_string()))?;
        Ok(Some(state))
    }

    /// Refuses a configuration that differs from the one of a state, and would have no effect.
    ///
    /// # Errors
    ///
    /// They differ.
    pub(crate) fn check(&self, state: &SavedState, config: &Config) -> io::Result<()> {
        let config = for_state(config);
        if config == Config::default() || config == state.config {
            return Ok(());
        }
        let message = format!(
            "the state in {} was begun with another configuration or other seeds, which it keeps: leave these \
             out to continue, or delete the file to begin anew",
            self.path.display()
        );
        Err(io::Error::new(io::ErrorKind::InvalidInput, message))
    }

    /// Replaces the file, unless a later revision is in it.
    ///
    /// # Errors
    ///
    /// Those of the file system, with the path.
    pub(crate) fn write(&self, revision: u64, text: &[u8]) -> io::Result<()> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.is_some_and(|written| written >= revision) {
            return Ok(());
        }
        self.replace(text)
            .map_err(|error| self.error("write", &error))?;
        *written = Some(revision);
        Ok(())
    }

    /// Whoever reads the file, or is killed, finds all of the old or all of the new state.
    fn replace(&self, text: &[u8]) -> io::Result<()> {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.tmp", std::process::id()));
        let temporary = self.path.with_file_name(name);
        let _ = fs::remove_file(&temporary);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let written = options.open(&temporary).and_then(|mut file| {
            file.write_all(text)?;
            file.sync_all()?;
            fs::rename(&temporary, &self.path)
        });
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    fn error(&self, what: &str, error: &io::Error) -> io::Error {
        let path = self.path.display();
        let message = format!("cannot {what} the state of the sandbox in {path}: {error}");
        io::Error::new(error.kind(), message)
    }
}

impl SavedState {
    /// The credentials, without a URL.
    pub(crate) fn credentials(&self) -> Credentials {
        self.credentials.clone().into()
    }
}

/// The part of a configuration that belongs to the state: the length of the ledger is a matter of the process.
pub(crate) fn for_state(config: &Config) -> Config {
    Config {
        ledger_limit: None,
        ..config.clone()
    }
}
