//! Whom an interrupted run has invited already, kept beside the roster.
//!
//! A line of JSON for each person, written and synced after the provider's answer. What was under way
//! when a run was cut off is not in it: resuming lists the organisation again, and the provider refuses a
//! second invitation. So the journal adds only what a list cannot say: that a person who is not listed,
//! having accepted or declined meanwhile, was invited by this run.

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use org_invitations::{Action, InvitationId, Plan, StepOutcome, StepResult};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// The first line: what the run was about.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    /// Of this form.
    pub version: u32,
    /// Where people are invited.
    pub target: String,
}

/// A person who was invited.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    email: String,
    id: InvitationId,
}

/// A journal that is written.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    /// Addresses in lower case.
    invited: HashSet<String>,
    /// Whether it is to be deleted: it has nobody in it, or the run came to its end.
    is_of_no_use: bool,
}

impl Journal {
    /// Begins a run, or goes on with the one that `path` is about.
    ///
    /// # Errors
    ///
    /// A journal that is there when it should not be, or that is about something else.
    pub fn open(path: &Path, target: &str, resume: bool) -> Result<Self, Failure> {
        let header = Header {
            version: 1,
            target: target.to_owned(),
        };
        match fs::read(path) {
            Ok(_) if !resume => Err(Failure::Usage(format!(
                "{} is the journal of a run that was interrupted: go on with `--resume`, or delete it",
                path.display()
            ))),
            Ok(text) => Self::resume(path, &text, &header),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::begin(path, &header),
            Err(error) => Err(failed("read", path, &error)),
        }
    }

    fn begin(path: &Path, header: &Header) -> Result<Self, Failure> {
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        let file = file.map_err(|error| failed("write", path, &error))?;
        let mut journal = Self {
            path: path.to_owned(),
            file,
            invited: HashSet::new(),
            is_of_no_use: true,
        };
        journal
            .append(header)
            .map_err(|error| failed("write", path, &error))?;
        Ok(journal)
    }

    fn resume(path: &Path, text: &[u8], header: &Header) -> Result<Self, Failure> {
        let wrong = |why: &str| {
            Failure::Usage(format!(
                "{}: {why}; to start afresh, delete it",
                path.display()
            ))
        };
        // The last line may have been cut off.
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        if whole == 0 && !to_line(header)?.starts_with(text) {
            return Err(wrong("it is no journal"));
        }
        let text = std::str::from_utf8(&text[..whole]).map_err(|_| wrong("it is no journal"))?;
        let mut lines = text.lines();
        if let Some(first) = lines.next() {
            let known: Header =
                serde_json::from_str(first).map_err(|_| wrong("it is no journal"))?;
            if known != *header {
                let target = &known.target;
                return Err(wrong(&format!(
                    "it is about {target}, not {}",
                    header.target
                )));
            }
        }
        let mut invited = HashSet::new();
        for (index, line) in lines.enumerate() {
            let unreadable = |_| wrong(&format!("line {} cannot be read", index + 2));
            let entry: Entry = serde_json::from_str(line).map_err(unreadable)?;
            invited.insert(entry.email.to_lowercase());
        }
        let open = || -> io::Result<File> {
            let mut file = OpenOptions::new().write(true).open(path)?;
            file.set_len(whole as u64)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        let is_of_no_use = invited.is_empty();
        let file = open().map_err(|error| failed("write", path, &error))?;
        let mut journal = Self {
            path: path.to_owned(),
            file,
            invited,
            is_of_no_use,
        };
        if whole == 0 {
            journal
                .append(header)
                .map_err(|error| failed("write", path, &error))?;
        }
        Ok(journal)
    }

    /// Takes whom an earlier run invited out of a plan; gives how many steps that were.
    pub fn skip_invited(&self, plan: &mut Plan) -> usize {
        let mut skipped = 0;
        for step in &mut plan.steps {
            let invited = self.invited.contains(&step.email.to_lowercase());
            if step.action == Action::Create && invited {
                step.action = Action::Keep;
                step.reason = Some("invited before the interruption".to_owned());
                skipped += 1;
            }
        }
        skipped
    }

    /// Notes what became of a step.
    pub fn record(&mut self, outcome: &StepOutcome) -> Result<(), Failure> {
        let StepResult::Invited(invitation) = &outcome.result else {
            return Ok(());
        };
        let entry = Entry {
            email: outcome.step.email.clone(),
            id: invitation.id.clone(),
        };
        self.is_of_no_use = false;
        let appended = self.append(&entry);
        appended.map_err(|error| failed("write", &self.path, &error))
    }

    /// The run is over: nothing is left to go on with.
    pub fn close(mut self) {
        self.is_of_no_use = true;
    }

    /// One line, which is on the disk when this returns.
    fn append(&mut self, line: &impl Serialize) -> io::Result<()> {
        self.file.write_all(&to_line(line)?)?;
        self.file.sync_data()
    }
}

fn to_line(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(value)?;
    text.push(b'\n');
    Ok(text)
}

impl Drop for Journal {
    fn drop(&mut self) {
        if self.is_of_no_use {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    Failure::Usage(format!("cannot {what} the journal {path}: {error}"))
}
