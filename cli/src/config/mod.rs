//! The configuration: flags take precedence over the environment, and the environment over a profile of the file.
//!
//! | | |
//! |---|---|
//! | `path` | where the configuration file is |
//! | `file` | reading and checking the file |
//! | `complete` | what a provider needs |
//! | `edit` | changing the configuration file |
//! | `keys` | the keys of each provider and their environment variables |
//! | `choose` | what flags, variables and the file select |
//! | `selection` | which providers and profiles a command uses |
//! | `resolve` | the values of one provider, with the source of each |
//! | `connection` | the way to the server: certificates, proxy and time limits |
//! | `secret` | secrets from files, commands and variables |
//! | `redact` | what may be shown of a value |
//! | `account` | the identity of an organisation |

mod account;
mod choose;
mod complete;
mod connection;
mod edit;
mod file;
mod keys;
mod path;
mod redact;
mod resolve;
mod secret;
mod selection;

use std::{path::PathBuf, time::Duration};

use org_invitations::ProviderKind;

use self::keys::AUDIT_LOG_VARIABLE;
pub(crate) use self::{
    account::Account,
    edit::{ConfigEdit, NewProfile, SecretSource},
    file::{ConfigFile, Profile, profile_schema},
    keys::{PROVIDER_VARIABLE, required_variables},
    path::ConfigPath,
    redact::redacted_url,
    resolve::{ResolvedConfig, ResolvedValue},
    selection::{Selected, Selection, name_some},
};
use crate::{audit::AuditSetting, cli::GlobalOptions, failure::Failure, output::shell_quote};

/// Reads an environment variable; an empty one counts as absent.
pub(crate) fn variable(name: &str) -> Result<Option<String>, Failure> {
    match std::env::var_os(name).filter(|value| !value.is_empty()) {
        None => Ok(None),
        Some(value) => value
            .into_string()
            .map(Some)
            .map_err(|_| Failure::Usage(format!("the environment variable {name} is not UTF-8"))),
    }
}

/// The connection flags of the command line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    config_file: Option<PathBuf>,
    audit_log: Option<PathBuf>,
    base_url: Option<String>,
    organization_id: Option<String>,
    ca_file: Option<PathBuf>,
    proxy: Option<String>,
    timeout: Option<Duration>,
}

impl Flags {
    /// The flags as another command line repeats them, each with a space before it.
    fn repeated(&self) -> String {
        let file = self.config_file.as_ref();
        let file = file.map(|file| file.to_string_lossy().into_owned());
        let flags = [
            ("--config-file", file),
            (
                "--audit-log",
                self.audit_log
                    .as_ref()
                    .map(|file| file.to_string_lossy().into_owned()),
            ),
            ("--base-url", self.base_url.clone()),
            ("--organization-id", self.organization_id.clone()),
            (
                "--ca-file",
                self.ca_file
                    .as_ref()
                    .map(|file| file.to_string_lossy().into_owned()),
            ),
            ("--proxy", self.shown_proxy()),
            (
                "--timeout",
                self.timeout
                    .map(|time| humantime::format_duration(time).to_string()),
            ),
        ];
        let given = flags
            .into_iter()
            .filter_map(|(flag, value)| Some(format!(" {flag} {}", shell_quote(&value?))));
        given.collect()
    }

    fn new(global: &GlobalOptions) -> Self {
        Self {
            config_file: global.config_file.clone(),
            audit_log: global.audit_log.clone(),
            base_url: global.base_url.clone(),
            organization_id: global.organization_id.clone(),
            ca_file: global.ca_file.clone(),
            proxy: global.proxy.clone(),
            timeout: global.timeout,
        }
    }

    /// Rejects flags that the selected providers would not honour.
    fn check(&self, selected: &[Selected]) -> Result<(), Failure> {
        let of_one = [
            ("--base-url", self.base_url.is_some()),
            ("--organization-id", self.organization_id.is_some()),
        ];
        let of_any = [
            ("--ca-file", self.ca_file.is_some()),
            ("--proxy", self.proxy.is_some()),
            ("--timeout", self.timeout.is_some()),
        ];
        let first = |flags: &[(&'static str, bool)]| {
            let given = flags.iter().find(|(_, is_given)| *is_given);
            given.map(|(flag, _)| *flag)
        };
        let of_one = first(&of_one);
        let Some(flag) = of_one.or(first(&of_any)) else {
            return Ok(());
        };
        let message = match selected {
            [_, _, ..] if of_one.is_some() => {
                "--base-url and --organization-id apply to one provider, and several are selected; \
                 set them in the environment or in profiles"
                    .to_owned()
            }
            [Selected::Sandbox] => format!("the sandbox runs in memory, so {flag} has no effect; omit it"),
            [one] if self.organization_id.is_some() && one.kind() == Some(ProviderKind::Confluent) => {
                "--organization-id has no effect on Confluent, where the API key belongs to one organisation; \
                 omit it"
                    .to_owned()
            }
            _ => return Ok(()),
        };
        Err(Failure::Usage(message))
    }
}

/// The connection settings of the command line, as a profile has them.
pub(crate) fn connection_flags(
    global: &GlobalOptions,
) -> Result<Vec<(&'static str, serde_json::Value)>, Failure> {
    let settings = Flags::new(global).connection()?;
    let settings = settings.into_iter().map(|(path, _, value)| (path, value));
    settings
        .map(|(path, value)| match (path, value.as_str()) {
            // A profile's own paths start at its folder.
            ("connection.ca_file", Some(file)) => {
                let absolute = std::path::absolute(file)?;
                Ok((path, absolute.to_string_lossy().into()))
            }
            _ => Ok((path, value)),
        })
        .collect()
}

/// Reads the configuration file, selects the providers, and starts the audit log.
pub(crate) fn load(global: &GlobalOptions) -> Result<Selection, Failure> {
    let path = ConfigPath::find(global.config_file.clone())?;
    let file = ConfigFile::read(&path)?;
    global.audit.start(audit_setting(global, file.as_ref())?)?;
    Selection::new(global, path, file)
}

/// The audit log of `--audit-log`, else of ORG_INVITATIONS_AUDIT_LOG, else of the configuration file.
fn audit_setting(
    global: &GlobalOptions,
    file: Option<&ConfigFile>,
) -> Result<Option<AuditSetting>, Failure> {
    if let Some(path) = &global.audit_log {
        return Ok(Some(AuditSetting::new(path, "flag --audit-log")));
    }
    if let Some(path) = variable(AUDIT_LOG_VARIABLE)? {
        let source = format!("environment {AUDIT_LOG_VARIABLE}");
        return Ok(Some(AuditSetting::new(path, source)));
    }
    Ok(file.and_then(ConfigFile::audit_setting))
}

/// The hint for a provider without configuration.
fn how_to_set_up(kind: ProviderKind, file: Option<&PathBuf>) -> String {
    let variables = required_variables(kind);
    let organization = match kind {
        ProviderKind::ClickHouse => "\n      organization_id = \"…\"",
        _ => "",
    };
    let file = file.map_or_else(
        || "the configuration file".to_owned(),
        |path| path.display().to_string(),
    );
    format!(
        "hint: run `org-invitations config init`, or set {variables},\n  or write a profile in {file}:\n\n      \
         [profiles.{kind}]\n      provider = \"{kind}\"{organization}\n      api_key = \"…\"\n      \
         api_secret_command = \"…\"    # or api_secret_file, api_secret_variable, or api_secret\n\n  \
         `org-invitations demo` needs no account."
    )
}
