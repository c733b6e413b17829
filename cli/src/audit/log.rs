//! The file of the audit log.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use super::{AuditRecord, AuditSetting};
use crate::{
    failure::Failure,
    output::{escape_control, json_line},
    private_file,
};

/// The audit log of a process; clones share the file.
///
/// A line is one write to a file that is open for appending, so that several processes may use one file. Once a line
/// could not be written, no further change is begun.
#[derive(Clone, Debug, Default)]
pub(crate) struct AuditLog {
    command: String,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Whether the command, if it is there to change something, only shows what it would change.
    dry_run: Option<bool>,
    setting: OnceLock<Option<AuditSetting>>,
    user: OnceLock<Option<String>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    file: Option<File>,
    /// Whether the file may end in a part of a line.
    has_partial_line: bool,
    /// Why a line could not be written.
    failure: Option<String>,
    /// The lines that are not in the file.
    unwritten: Vec<String>,
}

impl AuditLog {
    /// The log of a command. If the command is there to change something, `dry_run` says whether it only shows what it
    /// would change; if not, the file is opened before the command begins.
    pub fn of_command(command: &str, dry_run: Option<bool>) -> Self {
        let shared = Shared {
            dry_run,
            ..Shared::default()
        };
        Self {
            command: command.to_owned(),
            shared: Arc::new(shared),
        }
    }

    /// The same log for another command of the process.
    #[cfg(feature = "mcp")]
    pub fn named(&self, command: &str) -> Self {
        Self {
            command: command.to_owned(),
            shared: Arc::clone(&self.shared),
        }
    }

    /// Sets the file, if it is not set yet, and opens it for a command that is there to change something. For a dry run
    /// nothing is created.
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    pub fn start(&self, setting: Option<AuditSetting>) -> Result<(), Failure> {
        let setting = self.shared.setting.get_or_init(|| setting);
        match (setting, self.shared.dry_run) {
            (None, _) | (_, None) => Ok(()),
            (Some(_), Some(false)) => self.ready().map_err(Failure::Usage),
            (Some(setting), Some(true)) => {
                let opened = private_file::check_openable(&setting.path);
                opened.map_err(|error| Failure::Usage(cannot_open(setting, &error)))
            }
        }
    }

    /// Whether there is a log.
    pub fn is_on(&self) -> bool {
        self.setting().is_some()
    }

    /// The name of the command, such as `members remove`.
    pub fn command(&self) -> &str {
        &self.command
    }

    /// The user of the operating system.
    pub fn user(&self) -> Option<String> {
        let user = self.shared.user.get_or_init(|| whoami::username().ok());
        user.clone()
    }

    /// Makes sure that the line of a change can be written.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, or an earlier line could not be written; the change must not be made.
    pub fn ready(&self) -> Result<(), String> {
        let Some(setting) = self.setting() else {
            return Ok(());
        };
        let mut state = self.state();
        if let Some(failure) = &state.failure {
            return Err(format!("{failure}; no further change is made"));
        }
        let opened = state.open(setting);
        opened.map_err(|error| cannot_open(setting, &error))
    }

    /// Appends the line of a change.
    pub fn append(&self, record: &AuditRecord) {
        let Some(setting) = self.setting() else {
            return;
        };
        let mut line = Vec::new();
        let written = json_line(&mut line, record);
        let mut state = self.state();
        let written = written
            .and_then(|()| state.open(setting))
            .and_then(|()| state.write(&line));
        if let Err(error) = written {
            let path = setting.path.display();
            let why = format!("cannot write the audit log {path}: {error}");
            state.failure.get_or_insert(why);
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            state.unwritten.push(line);
        }
    }

    /// Whether every line so far is in the file.
    pub fn is_whole(&self) -> bool {
        self.state().failure.is_none()
    }

    /// Prints the lines that are not in the file, each once, and returns whether there are any.
    pub fn report_unwritten(&self) -> bool {
        let mut state = self.state();
        let lines = std::mem::take(&mut state.unwritten);
        if let (Some(failure), false) = (&state.failure, lines.is_empty()) {
            eprintln!("error: {}; it lacks:", escape_control(failure));
            lines.iter().for_each(|line| eprintln!("  {line}"));
        }
        !lines.is_empty()
    }

    /// The file of the log.
    pub fn setting(&self) -> Option<&AuditSetting> {
        self.shared.setting.get()?.as_ref()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn cannot_open(setting: &AuditSetting, error: &io::Error) -> String {
    let AuditSetting { path, source } = setting;
    format!(
        "cannot open the audit log {} ({source}): {error}; nothing is changed without it",
        path.display()
    )
}

impl State {
    /// Opens the file, again if another one is at its path, as after a rotation.
    fn open(&mut self, setting: &AuditSetting) -> io::Result<()> {
        if let Some(file) = &self.file
            && private_file::is_at(file, &setting.path)?
        {
            return Ok(());
        }
        let mut options = OpenOptions::new();
        let options = options.read(true).append(true).create(true);
        let mut file = private_file::open(&setting.path, options)?;
        self.has_partial_line = has_partial_line(&mut file)?;
        self.file = Some(file);
        Ok(())
    }

    /// Writes a line at once, so that lines of several processes do not mix.
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let text = match self.has_partial_line {
            true => [b"\n", line].concat(),
            false => line.to_owned(),
        };
        let written = loop {
            match file.write(&text) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                written => break written?,
            }
        };
        self.has_partial_line = written < text.len();
        match self.has_partial_line {
            true => Err(io::ErrorKind::WriteZero.into()),
            false => Ok(()),
        }
    }
}

/// Whether the file ends in a part of a line, which a process that was cut off has left.
fn has_partial_line(file: &mut File) -> io::Result<bool> {
    if !file.metadata()?.is_file() || file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}
