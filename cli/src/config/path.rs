//! The path of the configuration file, and who can read it.

use std::path::PathBuf;

use etcetera::BaseStrategy;

use super::{keys::CONFIG_VARIABLE, variable};
use crate::failure::Failure;

/// The path of the configuration file, whether it exists or not.
#[derive(Clone, Debug)]
pub(crate) struct ConfigPath {
    /// `None` if the platform names no folder for configuration.
    pub path: Option<PathBuf>,
    /// The source of the path.
    pub source: String,
    /// Whether a flag or a variable names the file, which then has to exist.
    pub is_explicit: bool,
}

impl ConfigPath {
    /// Finds the path: `--config-file`, else ORG_INVITATIONS_CONFIG, else the platform's folder for configuration.
    pub fn find(flag: Option<PathBuf>) -> Result<Self, Failure> {
        if let Some(path) = flag {
            return Ok(Self::explicit(path, "flag --config-file"));
        }
        if let Some(path) = variable(CONFIG_VARIABLE)? {
            return Ok(Self::explicit(
                path.into(),
                &format!("environment {CONFIG_VARIABLE}"),
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
            source: "default".to_owned(),
            is_explicit: false,
        })
    }

    fn explicit(path: PathBuf, source: &str) -> Self {
        Self {
            path: Some(path),
            source: source.to_owned(),
            is_explicit: true,
        }
    }
}

/// Warns if users other than the owner can read a file.
#[cfg(unix)]
pub(super) fn permission_warning(path: &std::path::Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = path.metadata().ok()?.permissions().mode();
    (mode & 0o044 != 0).then(|| {
        let path = path.display();
        format!(
            "{path} holds a secret and is readable by others (mode {:03o}); run `chmod 600 {path}`",
            mode & 0o777
        )
    })
}

/// Other systems inherit permissions from the folder.
#[cfg(not(unix))]
pub(super) fn permission_warning(_: &std::path::Path) -> Option<String> {
    None
}
