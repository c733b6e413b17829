//! Where the configuration comes from: flags, then the environment, then a profile of the file.
//!
//! `file` reads and checks the file, `selection` decides which providers and profiles a command uses,
//! `layers` puts the values of one provider together and remembers where each came from, `secret` reads
//! secrets from files and commands.

mod file;
mod path;
mod resolve;
mod secret;
mod selection;

use std::path::PathBuf;

use org_invitations::ProviderKind;

pub(crate) use self::{
    file::{ConfigFile, Profile, profile_keys},
    path::ConfigPath,
    resolve::{Account, ResolvedConfig, Value, redacted_url},
    selection::{Selected, Selection},
};
use crate::{cli::GlobalOptions, failure::Failure, output::shell_quote};

/// A variable of the environment; empty counts as absent.
pub(crate) fn variable(name: &str) -> Result<Option<String>, Failure> {
    match std::env::var_os(name).filter(|value| !value.is_empty()) {
        None => Ok(None),
        Some(value) => value
            .into_string()
            .map(Some)
            .map_err(|_| Failure::Usage(format!("the environment variable {name} is not UTF-8"))),
    }
}

/// What the flags say about a provider.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    config_file: Option<PathBuf>,
    base_url: Option<String>,
    organization_id: Option<String>,
}

impl Flags {
    /// The flags as they are given again, each with a space before it.
    fn repeated(&self) -> String {
        let file = self.config_file.as_ref();
        let file = file.map(|file| file.to_string_lossy().into_owned());
        let flags = [
            ("--config-file", file),
            ("--base-url", self.base_url.clone()),
            ("--organization-id", self.organization_id.clone()),
        ];
        let given = flags
            .into_iter()
            .filter_map(|(flag, value)| Some(format!(" {flag} {}", shell_quote(&value?))));
        given.collect()
    }

    /// # Errors
    ///
    /// A flag of one provider that is given for several.
    fn new(global: &GlobalOptions, providers: usize) -> Result<Self, Failure> {
        if providers > 1 && (global.base_url.is_some() || global.organization_id.is_some()) {
            return Err(Failure::Usage(
                "--base-url and --organization-id are of one provider, and more than one is asked \
                 for; set them in the environment or in profiles"
                    .to_owned(),
            ));
        }
        Ok(Self {
            config_file: global.config_file.clone(),
            base_url: global.base_url.clone(),
            organization_id: global.organization_id.clone(),
        })
    }
}

/// Reads the configuration file and decides which providers are meant.
pub(crate) fn load(global: &GlobalOptions) -> Result<Selection, Failure> {
    let location = ConfigPath::find(global.config_file.clone())?;
    let file = ConfigFile::read(&location)?;
    Selection::new(global, location, file)
}

/// What to do where nothing is set up for a provider.
fn how_to_set_up(kind: ProviderKind, file: Option<&PathBuf>) -> String {
    let (variables, organization) = match kind {
        ProviderKind::ClickHouse => (
            "CLICKHOUSE_ORG_ID, CLICKHOUSE_CLOUD_API_KEY and CLICKHOUSE_CLOUD_API_SECRET",
            "\n      organization_id = \"…\"",
        ),
        _ => ("CONFLUENT_CLOUD_API_KEY and CONFLUENT_CLOUD_API_SECRET", ""),
    };
    let file = file.map_or_else(
        || "the configuration file".to_owned(),
        |path| path.display().to_string(),
    );
    format!(
        "hint: set {variables},\n  or write a profile in {file}:\n\n      \
         [profiles.{kind}]\n      provider = \"{kind}\"{organization}\n      api_key = \"…\"\n      \
         api_secret_command = \"…\"    # or api_secret_file, or api_secret\n\n  \
         `org-invitations demo` needs no account."
    )
}
