//! The values of one provider, from flags, the environment and a profile, in this order.

use std::path::{Path, PathBuf};

use org_invitations::{ClickHouseConfig, ConfluentConfig, ProviderConfig, ProviderKind};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use super::{Flags, Profile, how_to_set_up, secret, variable};
use crate::{failure::Failure, suggest::with_nearest};

/// A value, and where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub name: String,
    /// Fit to be shown: secrets are redacted.
    pub shown: String,
    pub source: String,
    /// The sources that it was preferred to.
    pub over: Vec<String>,
}

/// A value that can be set in more places than the profile.
struct Field {
    name: &'static str,
    variable: Option<&'static str>,
    is_secret: bool,
}

const fn field(name: &'static str, variable: Option<&'static str>) -> Field {
    Field {
        name,
        variable,
        is_secret: false,
    }
}

const fn secret_field(name: &'static str, variable: Option<&'static str>) -> Field {
    Field {
        name,
        variable,
        is_secret: true,
    }
}

const CONFLUENT: &[Field] = &[
    field("api_key", Some("CONFLUENT_CLOUD_API_KEY")),
    secret_field("api_secret", Some("CONFLUENT_CLOUD_API_SECRET")),
    secret_field("access_token", None),
    field("base_url", Some("CONFLUENT_CLOUD_ENDPOINT")),
];

const CLICKHOUSE: &[Field] = &[
    field("organization_id", Some("CLICKHOUSE_ORG_ID")),
    field("api_key", Some("CLICKHOUSE_CLOUD_API_KEY")),
    secret_field("api_secret", Some("CLICKHOUSE_CLOUD_API_SECRET")),
    field("base_url", Some("CLICKHOUSE_API_URL")),
];

/// A value on its way to the library.
#[derive(Debug)]
enum ValueSource {
    Text(String),
    File(String),
    Command(String),
}

impl ValueSource {
    fn new(suffix: &str, text: String) -> Self {
        match suffix {
            "_file" => Self::File(text),
            "_command" => Self::Command(text),
            _ => Self::Text(text),
        }
    }
}

/// Values, and who says so.
type Candidates = Vec<(String, ValueSource)>;

/// The configuration of one provider, put together.
pub(crate) struct ResolvedConfig {
    pub kind: ProviderKind,
    /// Every value there is, in a fixed order.
    pub values: Vec<Value>,
    /// What is unwise about them.
    pub warnings: Vec<String>,
    /// Text fields that are not secret, then secrets, as far as they are set.
    origins: Vec<(&'static str, ValueSource)>,
    /// What only the profile can say.
    rest: Map<String, Json>,
    /// The profile's file, and the lines of its values.
    profile: Option<(PathBuf, std::collections::BTreeMap<String, usize>)>,
    /// Where a profile would be written.
    default_file: Option<PathBuf>,
}

/// An organisation as the configuration knows it, without asking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// Provider, organisation and endpoint; not the key, which is rotated.
    pub target: String,
    /// Whether `target` says which organisation it is. On Confluent only the key knows.
    pub names_organization: bool,
    /// The id of the key or pool, which is no secret.
    pub credential: Option<String>,
}

impl ResolvedConfig {
    pub(super) fn new(
        kind: ProviderKind,
        flags: &Flags,
        profile: Option<(&str, &Profile, &Path)>,
        default_file: Option<&PathBuf>,
    ) -> Result<Self, Failure> {
        let mut resolved = Self {
            kind,
            values: Vec::new(),
            warnings: Vec::new(),
            origins: Vec::new(),
            rest: profile.map_or_else(Map::new, |(_, profile, _)| profile.values.clone()),
            profile: profile.map(|(_, profile, path)| (path.to_owned(), profile.lines.clone())),
            default_file: default_file.cloned(),
        };
        let fields = match kind {
            ProviderKind::ClickHouse => CLICKHOUSE,
            _ => CONFLUENT,
        };
        let profile_source = profile.map(|(name, ..)| format!("profile {name}"));
        let profile_source = profile_source.unwrap_or_default();
        resolved.drop_replaced_credentials(fields, &profile_source)?;
        for field in fields {
            resolved.add(field, flags, &profile_source)?;
        }
        resolved.warn_of_mixed_keys();
        let rest = std::mem::take(&mut resolved.rest);
        for (name, value) in &rest {
            resolved.add_rest(name, value, &profile_source);
        }
        resolved.rest = rest;
        Ok(resolved)
    }

    /// Whether anything at all is set up for the provider.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// A key in the environment takes the place of a token in the profile: a provider has one of them.
    fn drop_replaced_credentials(&mut self, fields: &[Field], source: &str) -> Result<(), Failure> {
        for field in fields.iter().filter(|field| field.name.starts_with("api_")) {
            let Some(name) = field.variable else { continue };
            if variable(name)?.is_none() {
                continue;
            }
            for other in [
                "access_token",
                "access_token_file",
                "access_token_command",
                "sts",
            ] {
                if self.rest.remove(other).is_some() {
                    let warning =
                        format!("{name} of the environment replaces `{other}` of the {source}");
                    self.warnings.push(warning);
                }
            }
        }
        Ok(())
    }

    /// Half a key from here and half from there is rarely meant.
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

    fn add(&mut self, field: &Field, flags: &Flags, profile: &str) -> Result<(), Failure> {
        let flag = match field.name {
            "base_url" => flags.base_url.clone().map(|url| ("flag --base-url", url)),
            "organization_id" => {
                let id = flags.organization_id.clone();
                id.map(|id| ("flag --organization-id", id))
            }
            _ => None,
        };
        let mut found = Candidates::new();
        found.extend(flag.map(|(source, text)| (source.to_owned(), ValueSource::Text(text))));
        if let Some(name) = field.variable
            && let Some(text) = variable(name)?
        {
            found.push((format!("environment {name}"), ValueSource::Text(text)));
        }
        let mut said = self.in_profile(field, profile)?;
        found.append(&mut said);
        let mut found = found.into_iter();
        let Some((source, origin)) = found.next() else {
            return Ok(());
        };
        let shown = match &origin {
            ValueSource::Text(_) if field.is_secret => "[redacted]".to_owned(),
            ValueSource::Text(text) if field.name == "base_url" => redacted_url(text),
            ValueSource::Text(text) => text.clone(),
            ValueSource::File(path) => format!("[redacted], from the file {path}"),
            // A command may have a secret in it.
            ValueSource::Command(_) => "[redacted], from a command".to_owned(),
        };
        self.values.push(Value {
            name: field.name.to_owned(),
            shown,
            source,
            over: found.map(|(source, _)| source).collect(),
        });
        self.origins.push((field.name, origin));
        Ok(())
    }

    /// What the profile says of a field; taken from what only the profile can say.
    fn in_profile(&mut self, field: &Field, profile: &str) -> Result<Candidates, Failure> {
        let mut found = Vec::new();
        for suffix in ["", "_file", "_command"] {
            let key = format!("{}{suffix}", field.name);
            match self.rest.remove(&key) {
                Some(Json::String(text)) => found.push((key, ValueSource::new(suffix, text))),
                Some(_) => return Err(self.refuse(&key, "it must be text")),
                None => {}
            }
        }
        if let [(one, _), (other, _), ..] = found.as_slice() {
            let wrong = format!("`{one}` says the same already");
            return Err(self.refuse(&other.clone(), &wrong));
        }
        let sourced = |(key, origin): (String, ValueSource)| (self.source(profile, &key), origin);
        Ok(found.into_iter().map(sourced).collect())
    }

    fn source(&self, profile: &str, key: &str) -> String {
        let line = self.profile.as_ref().and_then(|(_, lines)| lines.get(key));
        line.map_or_else(
            || profile.to_owned(),
            |line| format!("{profile}, line {line}"),
        )
    }

    /// Shows what only the profile can say, down to its leaves; all of `sts` is as good as secret but
    /// for the pool.
    fn add_rest(&mut self, name: &str, value: &Json, profile: &str) {
        if let Json::Object(inner) = value {
            for (key, value) in inner {
                self.add_rest(&format!("{name}.{key}"), value, profile);
            }
            return;
        }
        let is_public = name.starts_with("connection.")
            || ["sts.identity_pool_id", "sts.expires_in_seconds"].contains(&name)
            || ["sts.subject_token.file", "sts.subject_token.variable"].contains(&name);
        self.values.push(Value {
            name: name.to_owned(),
            shown: match value {
                _ if !is_public => "[redacted]".to_owned(),
                Json::String(text) => text.clone(),
                other => other.to_string(),
            },
            source: self.source(profile, name),
            over: Vec::new(),
        });
    }

    /// What the library sets up a provider from. Reads the secrets that are elsewhere.
    pub fn config(&self) -> Result<ProviderConfig, Failure> {
        let mut values = self.rest.clone();
        for (name, origin) in &self.origins {
            let file = self
                .profile
                .as_ref()
                .map_or(Path::new(""), |(path, _)| path);
            let text = match origin {
                ValueSource::Text(text) => text.clone(),
                ValueSource::File(path) => secret::from_file(&format!("{name}_file"), path, file)?,
                ValueSource::Command(command) => {
                    secret::from_command(&format!("{name}_command"), command, &secret_variables())?
                }
            };
            values.insert((*name).to_owned(), Json::String(text));
        }
        self.check_complete(&values)?;
        Ok(match self.kind {
            ProviderKind::ClickHouse => {
                ProviderConfig::ClickHouse(self.read::<ClickHouseConfig>(values)?)
            }
            _ => ProviderConfig::Confluent(self.read::<ConfluentConfig>(values)?),
        })
    }

    /// The URL that requests go to, where it is not the vendor's.
    pub fn base_url(&self) -> Option<&str> {
        self.origins.iter().find_map(|(name, origin)| match origin {
            ValueSource::Text(url) if *name == "base_url" => Some(url.as_str()),
            _ => None,
        })
    }

    /// Whose organisation it is and where, as far as the values say.
    pub fn account(&self) -> Account {
        let shown = |name: &str| {
            let value = self.values.iter().find(|value| value.name == name);
            value.map(|value| value.shown.as_str())
        };
        let mut target = self.kind.to_string();
        let organization = shown("organization_id");
        if let Some(id) = organization {
            target.push_str(&format!(" organization_id={}", id.to_lowercase()));
        }
        if let Some(url) = shown("base_url") {
            let url = url.trim_end_matches('/');
            let url = url.strip_suffix("/v1").unwrap_or(url);
            target.push_str(&format!(" base_url={url}"));
        }
        Account {
            target,
            names_organization: organization.is_some(),
            credential: shown("api_key")
                .or_else(|| shown("sts.identity_pool_id"))
                // From a file or a command, where it comes from stays the same when it does not.
                .filter(|text| !text.starts_with("[redacted]"))
                .map(str::to_owned),
        }
    }

    /// Where a value comes from, for messages about it.
    pub fn source_of(&self, name: &str) -> Option<&str> {
        let value = self.values.iter().find(|value| value.name == name);
        value.map(|value| value.source.as_str())
    }

    /// A value that is no secret and is given as it is.
    #[cfg(feature = "sql")]
    pub fn text_of(&self, name: &str) -> Option<&str> {
        let value = self.values.iter().find(|value| value.name == name);
        value.map(|value| value.shown.as_str())
    }

    fn check_complete(&self, values: &Map<String, Json>) -> Result<(), Failure> {
        let required: &[&str] = match self.kind {
            ProviderKind::ClickHouse => &["organization_id", "api_key", "api_secret"],
            _ if ["access_token", "sts"]
                .iter()
                .any(|name| values.contains_key(*name)) =>
            {
                &[]
            }
            _ => &["api_key", "api_secret"],
        };
        let missing: Vec<&str> = required
            .iter()
            .copied()
            .filter(|name| !values.contains_key(*name))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let kind = self.kind;
        let missing: Vec<String> = missing.iter().map(|name| self.place_of(name)).collect();
        let file = self.profile.as_ref().map(|(path, _)| path);
        Err(Failure::Usage(format!(
            "{kind} is not set up: there is no {}\n{}",
            missing.join(", and no "),
            how_to_set_up(kind, file.or(self.default_file.as_ref()))
        )))
    }

    fn place_of(&self, name: &str) -> String {
        let fields = CONFLUENT.iter().chain(CLICKHOUSE);
        let prefix = self.kind.as_str().to_uppercase();
        let variable = fields
            .filter(|field| field.name == name)
            .filter_map(|field| field.variable)
            .find(|variable| variable.starts_with(&prefix));
        match variable {
            Some(variable) => format!("`{name}` ({variable})"),
            None => format!("`{name}`"),
        }
    }

    fn read<T: DeserializeOwned>(&self, values: Map<String, Json>) -> Result<T, Failure> {
        let mut texts = Vec::new();
        values
            .values()
            .for_each(|value| collect_texts(value, &mut texts));
        serde_path_to_error::deserialize(Json::Object(values)).map_err(|error| {
            let path = error.path().to_string();
            let wrong = error.into_inner().to_string();
            self.refuse(&path, &with_nearest(&without_values(wrong, &texts)))
        })
    }

    /// Refuses a value of the profile, with file and line.
    fn refuse(&self, key: &str, wrong: &str) -> Failure {
        let place = match &self.profile {
            Some((path, lines)) => match lines.get(key) {
                Some(line) => format!("{}:{line}: ", path.display()),
                None => format!("{}: ", path.display()),
            },
            None => String::new(),
        };
        Failure::Usage(format!("{place}`{key}`: {wrong}"))
    }
}

/// The variables that hold a secret of any provider.
fn secret_variables() -> Vec<&'static str> {
    let fields = CONFLUENT.iter().chain(CLICKHOUSE);
    let secrets = fields.filter(|field| field.is_secret);
    secrets.filter_map(|field| field.variable).collect()
}

/// Every text in a value.
fn collect_texts(value: &Json, texts: &mut Vec<String>) {
    match value {
        Json::String(text) => texts.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| collect_texts(item, texts)),
        Json::Object(entries) => entries.values().for_each(|item| collect_texts(item, texts)),
        _ => {}
    }
}

/// A message about a value that does not quote one: any of them may be a secret in a wrong place.
fn without_values(message: String, texts: &[String]) -> String {
    let mut clean = message;
    for text in texts.iter().filter(|text| !text.is_empty()) {
        // As serde quotes it.
        let debug = format!("{text:?}");
        clean = clean.replace(&debug, "[redacted]");
        clean = clean.replace(&format!("`{text}`"), "[redacted]");
        if text.len() >= 8 {
            clean = clean.replace(debug.trim_matches('"'), "[redacted]");
            clean = clean.replace(text.as_str(), "[redacted]");
        }
    }
    clean
}

/// A URL without what may be a secret in it: a password, a query, a fragment.
pub(crate) fn redacted_url(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    match reqwest::Url::parse(text) {
        Ok(mut url) if !url.username().is_empty() || url.password().is_some() => {
            let removed = url.set_username("").and_then(|()| url.set_password(None));
            removed.map_or_else(|()| "[redacted]".to_owned(), |()| url.to_string())
        }
        Ok(_) => text.to_owned(),
        Err(_) if text.contains('@') => "[redacted]".to_owned(),
        Err(_) => text.to_owned(),
    }
}
