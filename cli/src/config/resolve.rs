//! Resolves the values of one provider. Flags take precedence over the environment, and the environment over the
//! profile.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use org_invitations::{ClickHouseConfig, ConfluentConfig, ProviderConfig, ProviderKind};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use super::{
    Flags, Profile,
    connection::{self, Flagged, PROXY, REDIS_URL, shown_proxy},
    keys::{ProfileKey, keys_of, secret_variables},
    redact::{collect_strings, redact_values, redacted_url},
    secret, variable,
};
use crate::{failure::Failure, suggest::with_suggestion};

/// A value for display, with its source.
#[derive(Clone, Debug)]
pub(crate) struct ResolvedValue {
    pub name: String,
    /// The value as it may be shown: secrets are redacted.
    pub display: String,
    pub source: String,
    /// The sources that have a value too, but a lower precedence.
    pub overridden: Vec<String>,
}

/// How a value is obtained.
#[derive(Debug)]
pub(super) enum ValueSource {
    /// The text is the value.
    Text(String),
    /// The first line of this file.
    File(String),
    /// The first line that this command prints.
    Command(String),
    /// The value of this environment variable.
    Variable(String),
}

impl ValueSource {
    fn new(suffix: &str, text: String) -> Self {
        match suffix {
            "_file" => Self::File(text),
            "_command" => Self::Command(text),
            "_variable" => Self::Variable(text),
            _ => Self::Text(text),
        }
    }
}

/// The values of one key by precedence, each with the name of its source.
type Candidates = Vec<(String, ValueSource)>;

/// The resolved configuration of one provider.
pub(crate) struct ResolvedConfig {
    pub kind: ProviderKind,
    /// Every value that is set, in a fixed order.
    pub values: Vec<ResolvedValue>,
    /// Warnings about the values.
    pub warnings: Vec<String>,
    /// The values of the [`ProfileKey`]s that are set.
    pub(super) sources: Vec<(&'static str, ValueSource)>,
    /// The values that only a profile can set.
    pub(super) profile_only: Map<String, Json>,
    /// The name of the profile.
    pub(super) profile_name: Option<String>,
    /// The file of the profile, and the lines of its values.
    pub(super) profile: Option<(PathBuf, BTreeMap<String, usize>)>,
    /// The file in which a new profile would be written.
    pub(super) default_file: Option<PathBuf>,
    /// The settings of `profile_only` that flags set.
    flagged: BTreeMap<String, Flagged>,
    /// The environment variables that hold secrets, which a command for a secret does not get.
    secret_variables: Vec<String>,
}

impl ResolvedConfig {
    pub(super) fn new(
        kind: ProviderKind,
        flags: &Flags,
        profile: Option<(&str, &Profile, &Path)>,
        default_file: Option<&PathBuf>,
        secret_variables: Vec<String>,
    ) -> Result<Self, Failure> {
        let mut resolved = Self {
            kind,
            values: Vec::new(),
            warnings: Vec::new(),
            sources: Vec::new(),
            profile_only: profile.map_or_else(Map::new, |(_, profile, _)| profile.values.clone()),
            profile_name: profile.map(|(name, ..)| name.to_owned()),
            profile: profile.map(|(_, profile, path)| (path.to_owned(), profile.lines.clone())),
            default_file: default_file.cloned(),
            flagged: BTreeMap::new(),
            secret_variables,
        };
        let keys = keys_of(kind);
        let profile_source = profile.map(|(name, ..)| format!("profile {name}"));
        let profile_source = profile_source.unwrap_or_default();
        resolved.drop_replaced_credentials(keys, &profile_source)?;
        for key in keys {
            resolved.add(key, flags, &profile_source)?;
        }
        resolved.warn_of_mixed_keys();
        let mut profile_only = std::mem::take(&mut resolved.profile_only);
        if let Some((path, _)) = &resolved.profile {
            connection::resolve_files(&mut profile_only, path);
        }
        let source = |key: &str| resolved.source(&profile_source, key);
        resolved.flagged = connection::overlay(flags, &mut profile_only, source)?;
        for (name, value) in &profile_only {
            resolved.add_profile_only(name, value, &profile_source);
        }
        resolved.profile_only = profile_only;
        Ok(resolved)
    }

    /// Whether no value is set but those of the connection, which flags may set for every provider.
    pub fn is_empty(&self) -> bool {
        let is_connection = |value: &ResolvedValue| value.name.starts_with("connection.");
        self.values.iter().all(is_connection)
    }

    /// Whether a credential is set, or a part of one.
    pub fn has_credential(&self) -> bool {
        let names = ["api_key", "api_secret", "access_token", "sts"];
        let is_credential = |value: &ResolvedValue| {
            let name = value.name.split('.').next().unwrap_or_default();
            names.contains(&name)
        };
        self.values.iter().any(is_credential)
    }

    /// Whether everything is set that the provider needs.
    pub fn is_complete(&self) -> bool {
        self.missing_keys().is_empty()
    }

    /// Drops the token of the profile if the environment has an API key: a provider takes one credential only.
    fn drop_replaced_credentials(
        &mut self,
        keys: &[ProfileKey],
        source: &str,
    ) -> Result<(), Failure> {
        for key in keys.iter().filter(|key| key.name.starts_with("api_")) {
            let Some(name) = key.variable else { continue };
            if variable(name)?.is_none() {
                continue;
            }
            for other in [
                "access_token",
                "access_token_file",
                "access_token_command",
                "access_token_variable",
                "sts",
            ] {
                if self.profile_only.remove(other).is_some() {
                    let warning =
                        format!("{name} of the environment replaces `{other}` of the {source}");
                    self.warnings.push(warning);
                }
            }
        }
        Ok(())
    }

    /// Warns if the id and the secret of the API key come from different places.
    fn warn_of_mixed_keys(&mut self) {
        let (key, secret) = (self.source_of("api_key"), self.source_of("api_secret"));
        if let (Some(key), Some(secret)) = (key, secret)
            && key.starts_with("environment") != secret.starts_with("environment")
        {
            let warning = format!(
                "`api_key` comes from the {key}, and `api_secret` from the {secret}: do they belong \
                 together?"
            );
            self.warnings.push(warning);
        }
    }

    fn add(&mut self, key: &ProfileKey, flags: &Flags, profile: &str) -> Result<(), Failure> {
        let flag = match key.name {
            "base_url" => flags.base_url.clone().map(|url| ("flag --base-url", url)),
            "organization_id" => {
                let id = flags.organization_id.clone();
                id.map(|id| ("flag --organization-id", id))
            }
            _ => None,
        };
        let mut candidates = Candidates::new();
        candidates.extend(flag.map(|(source, text)| (source.to_owned(), ValueSource::Text(text))));
        let mut own = self.take_from_profile(key, profile)?;
        // A variable that the profile itself names does not override the profile.
        let is_own = |name: &str| {
            let is_named =
                |value: &ValueSource| matches!(value, ValueSource::Variable(own) if own == name);
            own.iter().any(|(_, value)| is_named(value))
        };
        if let Some(name) = key.variable.filter(|name| !is_own(name))
            && let Some(text) = variable(name)?
            && !text.trim().is_empty()
        {
            candidates.push((format!("environment {name}"), ValueSource::Text(text)));
        }
        candidates.append(&mut own);
        let mut candidates = candidates.into_iter();
        let Some((source, mut value)) = candidates.next() else {
            return Ok(());
        };
        if let ValueSource::Text(text) = &mut value {
            let (trimmed, warning) = secret::trim(text, &format!("`{}` ({source})", key.name));
            *text = trimmed.to_owned();
            self.warnings.extend(warning);
        }
        let display = match &value {
            ValueSource::Text(_) if key.is_secret => "[redacted]".to_owned(),
            ValueSource::Text(text) if key.name == "base_url" => redacted_url(text),
            ValueSource::Text(text) => text.clone(),
            ValueSource::File(path) => format!("[redacted], from the file {path}"),
            // The command itself may contain a secret.
            ValueSource::Command(_) => "[redacted], from a command".to_owned(),
            ValueSource::Variable(name) => format!("[redacted], from the variable {name}"),
        };
        self.values.push(ResolvedValue {
            name: key.name.to_owned(),
            display,
            source,
            overridden: candidates.map(|(source, _)| source).collect(),
        });
        self.sources.push((key.name, value));
        Ok(())
    }

    /// Takes the values of a key out of those of the profile.
    fn take_from_profile(
        &mut self,
        key: &ProfileKey,
        profile: &str,
    ) -> Result<Candidates, Failure> {
        let mut values = Vec::new();
        for suffix in ["", "_file", "_command", "_variable"] {
            let key = format!("{}{suffix}", key.name);
            match self.profile_only.remove(&key) {
                Some(Json::String(text)) => values.push((key, ValueSource::new(suffix, text))),
                Some(_) => return Err(self.invalid_value(&key, "it must be text")),
                None => {}
            }
        }
        if let [(one, _), (other, _), ..] = values.as_slice() {
            let wrong = format!("`{one}` sets the same value");
            return Err(self.invalid_value(&other.clone(), &wrong));
        }
        let sourced = |(key, value): (String, ValueSource)| (self.source(profile, &key), value);
        Ok(values.into_iter().map(sourced).collect())
    }

    fn source(&self, profile: &str, key: &str) -> String {
        let line = self.profile.as_ref().and_then(|(_, lines)| lines.get(key));
        line.map_or_else(
            || profile.to_owned(),
            |line| format!("{profile}, line {line}"),
        )
    }

    /// Adds a value that only a profile can set, down to its leaves. Everything of `sts` counts as secret except the
    /// identity pool and the place of the token.
    fn add_profile_only(&mut self, name: &str, value: &Json, profile: &str) {
        if let Json::Object(inner) = value {
            for (key, value) in inner {
                self.add_profile_only(&format!("{name}.{key}"), value, profile);
            }
            return;
        }
        let is_public = name.starts_with("connection.")
            || ["sts.identity_pool_id", "sts.expires_in_seconds"].contains(&name)
            || ["sts.subject_token.file", "sts.subject_token.variable"].contains(&name);
        let (source, overridden) = match self.flagged.get(name) {
            Some(flagged) => (flagged.flag.to_owned(), flagged.overridden.clone()),
            None => (self.source(profile, name), Vec::new()),
        };
        self.values.push(ResolvedValue {
            name: name.to_owned(),
            display: match value {
                Json::String(text) if name == PROXY => shown_proxy(text),
                Json::String(text) if name == REDIS_URL => redacted_url(text),
                _ if !is_public => "[redacted]".to_owned(),
                Json::String(text) => text.clone(),
                other => other.to_string(),
            },
            source,
            overridden,
        });
    }

    /// The configuration for the library. Reads the secrets from their files, commands and variables.
    pub fn config(&self) -> Result<ProviderConfig, Failure> {
        let mut values = self.profile_only.clone();
        for (name, source) in &self.sources {
            let file = self
                .profile
                .as_ref()
                .map_or(Path::new(""), |(path, _)| path);
            // What a message calls a value that is found elsewhere.
            let source_name = self.source_of(name).unwrap_or_default();
            let label = |suffix: &str| format!("`{name}{suffix}` ({source_name})");
            let text = match source {
                ValueSource::Text(text) => text.clone(),
                ValueSource::File(path) => secret::from_file(&label("_file"), path, file)?,
                ValueSource::Command(command) => {
                    let own = self.secret_variables.iter().map(String::as_str);
                    let hidden: Vec<&str> = secret_variables().into_iter().chain(own).collect();
                    secret::from_command(&label("_command"), command, &hidden)?
                }
                ValueSource::Variable(variable) => {
                    secret::from_variable(&label("_variable"), variable)?
                }
            };
            values.insert((*name).to_owned(), Json::String(text));
        }
        self.check_complete()?;
        Ok(match self.kind {
            ProviderKind::ClickHouse => {
                ProviderConfig::ClickHouse(self.read::<ClickHouseConfig>(values)?)
            }
            _ => ProviderConfig::Confluent(self.read::<ConfluentConfig>(values)?),
        })
    }

    /// Whether [`config`](Self::config) runs no command and prints no warning.
    pub fn is_read_silently(&self) -> bool {
        let file = self.profile.as_ref();
        let file = file.map_or(Path::new(""), |(path, _)| path);
        self.sources.iter().all(|(_, source)| match source {
            ValueSource::Text(_) => true,
            ValueSource::File(path) => secret::is_file_silent(path, file),
            ValueSource::Command(_) => false,
            ValueSource::Variable(name) => secret::is_variable_silent(name),
        })
    }

    /// The base URL, if one is set.
    pub fn base_url(&self) -> Option<&str> {
        self.sources.iter().find_map(|(name, source)| match source {
            ValueSource::Text(url) if *name == "base_url" => Some(url.as_str()),
            _ => None,
        })
    }

    /// The source of a value, for messages.
    pub fn source_of(&self, name: &str) -> Option<&str> {
        let value = self.values.iter().find(|value| value.name == name);
        value.map(|value| value.source.as_str())
    }

    /// A value that is no secret.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        let value = self.values.iter().find(|value| value.name == name);
        value.map(|value| value.display.as_str())
    }

    fn read<T: DeserializeOwned>(&self, values: Map<String, Json>) -> Result<T, Failure> {
        let mut strings = Vec::new();
        values
            .values()
            .for_each(|value| collect_strings(value, &mut strings));
        serde_path_to_error::deserialize(Json::Object(values)).map_err(|error| {
            let path = error.path().to_string();
            let wrong = error.into_inner().to_string();
            self.invalid_value(&path, &with_suggestion(&redact_values(wrong, &strings)))
        })
    }

    /// The failure of a value in the profile, with file and line.
    fn invalid_value(&self, key: &str, wrong: &str) -> Failure {
        let line = self.profile.as_ref().and_then(|(path, lines)| {
            let line = lines.get(key)?;
            Some(format!("{}:{line}: ", path.display()))
        });
        // Elsewhere, the source is a variable or a flag.
        let (place, source) = match (line, self.source_of(key), &self.profile) {
            (Some(line), _, _) => (line, String::new()),
            (None, Some(source), _) => (String::new(), format!(" ({source})")),
            (None, None, Some((path, _))) => (format!("{}: ", path.display()), String::new()),
            (None, None, None) => Default::default(),
        };
        Failure::Usage(format!("{place}`{key}`{source}: {wrong}"))
    }
}
