//! Where the audit log is, and what says so.

use std::path::{Path, PathBuf};

/// The file of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuditSetting {
    pub path: PathBuf,
    /// The flag, variable or file that names it.
    pub source: String,
}

impl AuditSetting {
    pub fn new(path: impl AsRef<Path>, source: impl Into<String>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            source: source.into(),
        }
    }
}
