//! The rows that failed, as a roster that can be given back.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use org_invitations::Step;
use serde_json::json;

use super::record::roles;
use crate::failure::Failure;

/// A file of failed rows, CSV or JSON lines. Made before anything is sent, so that it is sure to be
/// writable, and deleted again when nothing failed.
#[derive(Debug)]
pub(super) struct FailedRows {
    path: PathBuf,
    out: BufWriter<File>,
    is_csv: bool,
    count: usize,
}

impl FailedRows {
    /// # Errors
    ///
    /// A file that is there already, but for one that an interrupted run left.
    pub fn create(path: &Path, resume: bool) -> Result<Self, Failure> {
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
        let file = options.open(path).map_err(|error| {
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
        if self.is_csv {
            let mut line = csv::Writer::from_writer(&mut self.out);
            if self.count == 1 {
                line.write_record(["email", "roles", "auth_type", "error"])?;
            }
            line.write_record([&step.email, &roles, auth_type, error])?;
            return line.flush();
        }
        let row = json!({
            "email": step.email, "roles": roles, "auth_type": auth_type, "error": error,
        });
        writeln!(self.out, "{row}")
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
