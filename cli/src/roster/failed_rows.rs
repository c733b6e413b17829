//! The rows that failed, as a roster that can be given back.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use org_invitations::{Action, Step};
use serde_json::json;

use super::{private_file, record::roles};
use crate::{
    failure::Failure,
    output::{csv_line, json_line},
};

/// A file of failed rows, CSV or JSON lines. Made before anything is sent, so that it is sure to be
/// writable, and deleted again when nothing failed.
///
/// Of a run that deletes, each row has an action, so that giving the file back invites nobody whose deletion
/// failed.
#[derive(Debug)]
pub(super) struct FailedRows {
    path: PathBuf,
    out: BufWriter<File>,
    is_csv: bool,
    has_actions: bool,
    count: usize,
}

impl FailedRows {
    /// # Errors
    ///
    /// A file that is there already, but for one that an interrupted run left.
    pub fn create(path: &Path, resume: bool, has_actions: bool) -> Result<Self, Failure> {
        let is_csv = match path.extension().and_then(|end| end.to_str()) {
            Some("csv") => true,
            Some("jsonl" | "ndjson") => false,
            _ => {
                let wrong = format!(
                    "--failed {}: it has to end in .csv or .jsonl",
                    path.display()
                );
                return Err(Failure::Usage(wrong));
            }
        };
        let mut options = OpenOptions::new();
        options.write(true);
        if resume {
            options.create(true).truncate(true);
        } else {
            options.create_new(true);
        }
        let file = private_file::open(path, &mut options).map_err(|error| {
            let hint = match error.kind() {
                io::ErrorKind::AlreadyExists => "; nothing is overwritten, so name another",
                _ => "",
            };
            Failure::Usage(format!("cannot write {}: {error}{hint}", path.display()))
        })?;
        Ok(Self {
            path: path.to_owned(),
            out: BufWriter::new(file),
            is_csv,
            has_actions,
            count: 0,
        })
    }

    /// Adds a row, and why it failed.
    pub fn push(&mut self, step: &Step, error: &str) -> io::Result<()> {
        self.count += 1;
        let auth_type = step
            .auth_type
            .as_ref()
            .map_or("", |auth_type| auth_type.as_str());
        let roles = roles(step.roles.as_ref());
        let (action, id) = match step.action {
            Action::Delete => ("delete", step.id.as_ref().map_or("", |id| id.as_str())),
            Action::Renew => ("renew", ""),
            _ => ("create", ""),
        };
        if self.is_csv {
            if self.count == 1 {
                let header: &[_] = match self.has_actions {
                    true => &["email", "roles", "auth_type", "action", "id", "error"],
                    false => &["email", "roles", "auth_type", "error"],
                };
                csv_line(&mut self.out, header.iter().copied())?;
            }
            let row: &[&str] = match self.has_actions {
                true => &[&step.email, &roles, auth_type, action, id, error],
                false => &[&step.email, &roles, auth_type, error],
            };
            return csv_line(&mut self.out, row.iter().copied());
        }
        let mut row = json!({ "email": step.email, "roles": roles, "auth_type": auth_type });
        if self.has_actions {
            (row["action"], row["id"]) = (action.into(), id.into());
        }
        row["error"] = error.into();
        json_line(&mut self.out, &row)
    }

    /// How many there are, once all of them are written.
    pub fn finish(&mut self) -> io::Result<usize> {
        self.out.flush()?;
        Ok(self.count)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A file without rows is of no use.
impl Drop for FailedRows {
    fn drop(&mut self) {
        if self.count == 0 {
            let _ = fs::remove_file(&self.path);
        }
    }
}
