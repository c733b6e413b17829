//! Where the configuration file is, and who can read it.

use std::path::PathBuf;

use etcetera::BaseStrategy;

use super::variable;
use crate::failure::Failure;

/// The configuration file, there or not.
#[derive(Clone, Debug)]
pub(crate) struct ConfigPath {
    /// `None` where the machine does not say where it would be.
    pub path: Option<PathBuf>,
    /// Who said so.
    pub source: &'static str,
    /// Whether it was asked for, so that it must be there.
    pub is_explicit: bool,
}

impl ConfigPath {
    /// By `--config-file`, ORG_INVITATIONS_CONFIG, or the platform's custom.
    pub fn find(flag: Option<PathBuf>) -> Result<Self, Failure> {
        if let Some(path) = flag {
            return Ok(Self::explicit(path, "flag --config-file"));
        }
        if let Some(path) = variable("ORG_INVITATIONS_CONFIG")? {
            return Ok(Self::explicit(
                path.into(),
                "environment ORG_INVITATIONS_CONFIG",
            ));
        }
        let folder = etcetera::choose_base_strategy().ok();
        let path = folder.map(|base| {
            base.config_dir()
                .join("org-invitations")
                .join("config.toml")
        });
        Ok(Self {
            path,
            source: "default",
            is_explicit: false,
        })
    }

    fn explicit(path: PathBuf, source: &'static str) -> Self {
        Self {
            path: Some(path),
            source,
            is_explicit: true,
        }
    }
}

/// What is wrong with who may read a file, if anything.
#[cfg(unix)]
pub(super) fn readable_by_others(path: &std::path::Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = path.metadata().ok()?.permissions().mode();
    (mode & 0o044 != 0).then(|| {
        let path = path.display();
        format!(
            "{path} is readable by others (mode {:03o}); run `chmod 600 {path}`",
            mode & 0o777
        )
    })
}

/// Other systems inherit who may read from the folder.
#[cfg(not(unix))]
pub(super) fn readable_by_others(_: &std::path::Path) -> Option<String> {
    None
}
