//! The rows that failed, written as a roster that `apply` takes again.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use org_invitations::{Action, Step};
use serde_json::json;

use super::{RosterRoles, roles_cell};
use crate::{
    failure::Failure,
    output::{csv_line, json_line},
    private_file,
};

/// A file of failed rows, CSV or JSON lines.
///
/// The run creates the file before it sends anything, so that an unwritable path fails early, and deletes it if no
/// row fails. Where the run removes people, each row has an action, so that applying the file invites nobody whose
/// removal failed.
#[derive(Debug)]
pub(crate) struct FailedRows {
    path: PathBuf,
    out: BufWriter<File>,
    is_csv: bool,
    has_actions: bool,
    count: usize,
}

impl FailedRows {
    /// # Errors
    ///
    /// The file exists already, unless `resume` is set; or it cannot be created.
    pub fn create(path: &Path, resume: bool, has_actions: bool) -> Result<Self, Failure> {
        let is_csv = match path.extension().and_then(|end| end.to_str()) {
            Some("csv") => true,
            Some("jsonl" | "ndjson") => false,
            _ => {
                let wrong = format!(
                    "--failed {}: the name has to end in .csv or .jsonl",
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
                io::ErrorKind::AlreadyExists => "; existing files are never overwritten",
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

    /// Adds a row and the reason why it failed.
    pub fn push(&mut self, step: &Step, error: &str) -> io::Result<()> {
        self.count += 1;
        let auth_type = step
            .auth_type
            .as_ref()
            .map_or("", |auth_type| auth_type.as_str());
        let (action, id) = match step.action {
            Action::Remove => ("remove", step.id.as_ref().map_or("", |id| id.as_str())),
            Action::Replace => ("renew", ""),
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
            let roles = roles_cell(step.roles.as_ref());
            let row: &[&str] = match self.has_actions {
                true => &[&step.email, &roles, auth_type, action, id, error],
                false => &[&step.email, &roles, auth_type, error],
            };
            return csv_line(&mut self.out, row.iter().copied());
        }
        let roles = step.roles.clone().map(RosterRoles);
        let mut row = json!({ "email": step.email, "roles": roles, "auth_type": auth_type });
        if self.has_actions {
            (row["action"], row["id"]) = (action.into(), id.into());
        }
        row["error"] = error.into();
        json_line(&mut self.out, &row)
    }

    /// Flushes the rows and returns their number.
    pub fn finish(&mut self) -> io::Result<usize> {
        self.out.flush()?;
        Ok(self.count)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Deletes a file without rows.
impl Drop for FailedRows {
    fn drop(&mut self) {
        if self.count == 0 {
            let _ = fs::remove_file(&self.path);
        }
    }
}
