//! Reading and checking the configuration file. Errors name the file and the line.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use org_invitations::{ClickHouseConfig, ConfluentConfig, ProviderKind};
use serde_json::{Map, Value};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    path::{ConfigPath, permission_warning},
    secret::resolve_path,
};
use crate::{audit::AuditSetting, failure::Failure, suggest::did_you_mean};

/// The configuration file after its checks.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    pub path: PathBuf,
    pub default_profile: Option<String>,
    pub profiles: BTreeMap<String, Profile>,
    /// The path of the audit log, and its line.
    audit_log: Option<(String, usize)>,
    /// A warning about the permissions of the file.
    pub warning: Option<String>,
}

/// A profile of the file.
#[derive(Debug)]
pub(crate) struct Profile {
    pub kind: ProviderKind,
    pub values: Map<String, Value>,
    /// The line of each value, by its dotted path.
    pub lines: BTreeMap<String, usize>,
}

/// The secrets that a file, a command or a variable may provide.
pub(super) const SECRETS: [&str; 2] = ["api_secret", "access_token"];

/// The JSON Schema of a profile: the configuration that the library takes, and the keys that this command adds.
pub(crate) fn profile_schema(kind: ProviderKind) -> Value {
    let mut schema = match kind {
        ProviderKind::ClickHouse => schemars::schema_for!(ClickHouseConfig),
        _ => schemars::schema_for!(ConfluentConfig),
    }
    .to_value();
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return schema;
    };
    let text =
        |description: String| serde_json::json!({ "type": "string", "description": description });
    for secret in SECRETS
        .into_iter()
        .filter(|secret| has_secret(kind, secret))
    {
        properties.insert(
            format!("{secret}_file"),
            text(format!(
                "A file whose first line is the `{secret}`; relative to the folder of this file."
            )),
        );
        properties.insert(
            format!("{secret}_command"),
            text(format!(
                "A command whose first line of output is the `{secret}`."
            )),
        );
        properties.insert(
            format!("{secret}_variable"),
            text(format!(
                "An environment variable that holds the `{secret}`."
            )),
        );
    }
    properties.insert(
        "provider".to_owned(),
        serde_json::json!({ "const": kind.as_str(), "description": "The provider of the profile." }),
    );
    schema
}

fn has_secret(kind: ProviderKind, secret: &str) -> bool {
    kind == ProviderKind::Confluent || secret == "api_secret"
}

impl Profile {
    /// Whether a secret itself is written in the profile, and not where to find it.
    fn holds_secret(&self) -> bool {
        let names_secret =
            |key: &str| SECRETS.contains(&key) || ["fixed", "client_secret"].contains(&key);
        let mut waiting: Vec<(&str, &Value)> = Vec::new();
        waiting.extend(self.values.iter().map(|(key, value)| (key.as_str(), value)));
        while let Some((key, value)) = waiting.pop() {
            match value {
                Value::Object(inner) => {
                    waiting.extend(inner.iter().map(|(key, value)| (key.as_str(), value)));
                }
                // The user name and password of a proxy, or of Redis.
                Value::String(text) if ["proxy", "url"].contains(&key) && text.contains('@') => {
                    return true;
                }
                _ if names_secret(key) => return true,
                _ => {}
            }
        }
        false
    }
}

impl ConfigFile {
    /// Checks the text of a file that is to be written.
    pub fn parse(path: PathBuf, text: &str) -> Result<Self, Failure> {
        let kinds = ProviderKind::ALL.iter();
        let schemas = kinds.map(|kind| (*kind, profile_schema(*kind))).collect();
        FileParser {
            path,
            text,
            schemas,
        }
        .parse()
    }

    /// Reads the file. `None` if it does not exist and neither a flag nor a variable names it.
    pub fn read(config_path: &ConfigPath) -> Result<Option<Self>, Failure> {
        let Some(path) = config_path.path.clone() else {
            return Ok(None);
        };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !config_path.is_explicit => {
                return Ok(None);
            }
            Err(error) => {
                let (path, source) = (path.display(), &config_path.source);
                let message =
                    format!("cannot read the configuration file {path} ({source}): {error}");
                return Err(Failure::Usage(message));
            }
        };
        Self::parse(path, &text).map(Some)
    }

    /// The environment variables that profiles name as the place of a secret.
    pub fn secret_variables(&self) -> Vec<String> {
        let values = self.profiles.values().flat_map(|profile| &profile.values);
        let named = values.filter(|(key, _)| key.ends_with("_variable"));
        named
            .filter_map(|(_, value)| value.as_str())
            .map(str::to_owned)
            .collect()
    }

    /// The audit log that the file names.
    pub fn audit_setting(&self) -> Option<AuditSetting> {
        let (path, line) = self.audit_log.as_ref()?;
        let source = format!("{}, line {line}", self.path.display());
        Some(AuditSetting::new(resolve_path(path, &self.path), source))
    }

    /// The profile of this name.
    pub fn profile(&self, name: &str) -> Result<&Profile, Failure> {
        self.profiles.get(name).ok_or_else(|| {
            let names = || self.profiles.keys().map(String::as_str);
            let known = match self.profiles.len() {
                0 => "it has none".to_owned(),
                _ => format!("it has {}", names().collect::<Vec<_>>().join(", ")),
            };
            Failure::Usage(format!(
                "{} has no profile `{name}`: {known}{}",
                self.path.display(),
                did_you_mean(name, names())
            ))
        })
    }
}

/// Parses the text of a file.
struct FileParser<'a> {
    path: PathBuf,
    text: &'a str,
    /// The schema of a profile of each provider. Making one takes longer than reading a profile.
    schemas: Vec<(ProviderKind, Value)>,
}

impl FileParser<'_> {
    fn parse(self) -> Result<ConfigFile, Failure> {
        // The error's `Display` quotes the line, which may contain a secret.
        let table = DeTable::parse(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            self.error_at(at, error.message())
        })?;
        let mut default_profile = None;
        let mut audit_log = None;
        let mut profiles = BTreeMap::new();
        for (key, value) in table.get_ref() {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("default_profile", DeValue::String(name)) => {
                    default_profile = Some((name.to_string(), value.span().start));
                }
                ("default_profile", _) => {
                    return Err(self.error_at(value.span().start, "`default_profile` must be text"));
                }
                ("audit_log", DeValue::String(path)) if !path.is_empty() => {
                    audit_log = Some((path.to_string(), self.line_at(key.span().start)));
                }
                ("audit_log", _) => {
                    let wrong = "`audit_log` must be the path of a file";
                    return Err(self.error_at(value.span().start, wrong));
                }
                ("profiles", DeValue::Table(table)) => {
                    for (name, profile) in table {
                        profiles.insert(name.get_ref().to_string(), self.profile(name, profile)?);
                    }
                }
                ("profiles", _) => {
                    let wrong = "`profiles` must be tables, such as `[profiles.prod]`";
                    return Err(self.error_at(value.span().start, wrong));
                }
                (unknown, _) => {
                    let guess = did_you_mean(unknown, ["audit_log", "default_profile", "profiles"]);
                    let wrong = format!("unknown key `{unknown}`{guess}");
                    return Err(self.error_at(key.span().start, &wrong));
                }
            }
        }
        if let Some((name, at)) = &default_profile
            && !profiles.contains_key(name)
        {
            let guess = did_you_mean(name, profiles.keys().map(String::as_str));
            let wrong = format!("`default_profile` names no profile of this file{guess}");
            return Err(self.error_at(*at, &wrong));
        }
        let holds_secret = profiles.values().any(Profile::holds_secret);
        Ok(ConfigFile {
            warning: permission_warning(&self.path).filter(|_| holds_secret),
            default_profile: default_profile.map(|(name, _)| name),
            audit_log,
            profiles,
            path: self.path,
        })
    }

    fn profile<'i>(
        &self,
        name: &Spanned<impl AsRef<str>>,
        profile: &Spanned<DeValue<'i>>,
    ) -> Result<Profile, Failure> {
        let label = name.get_ref().as_ref();
        let DeValue::Table(table) = profile.get_ref() else {
            let wrong = format!("the profile `{label}` must be a table");
            return Err(self.error_at(profile.span().start, &wrong));
        };
        let Some(provider) = table.get("provider") else {
            let wrong =
                format!("the profile `{label}` has no `provider`: \"confluent\" or \"clickhouse\"");
            return Err(self.error_at(name.span().start, &wrong));
        };
        let written = provider.get_ref().as_str().unwrap_or_default();
        let names: Vec<&str> = ProviderKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let kind: ProviderKind = written.parse().map_err(|_| {
            let guess = did_you_mean(written, names.iter().copied());
            let wrong = format!("`provider` is not one of {}{guess}", names.join(", "));
            self.error_at(provider.span().start, &wrong)
        })?;
        let mut lines = BTreeMap::new();
        if let Some((_, schema)) = self.schemas.iter().find(|(other, _)| *other == kind) {
            self.check_keys(table, schema, schema, kind, "", &mut lines)?;
        }
        let values = table
            .iter()
            .filter(|(key, _)| key.get_ref() != "provider")
            .map(|(key, value)| Ok((key.get_ref().to_string(), self.to_json(value)?)))
            .collect::<Result<_, Failure>>()?;
        Ok(Profile {
            kind,
            values,
            lines,
        })
    }

    /// Rejects unknown keys at any depth, and records the line of each known one.
    fn check_keys(
        &self,
        table: &DeTable<'_>,
        schema: &Value,
        root: &Value,
        kind: ProviderKind,
        prefix: &str,
        lines: &mut BTreeMap<String, usize>,
    ) -> Result<(), Failure> {
        let Some(properties) = dereference(schema, root)
            .get("properties")
            .and_then(Value::as_object)
        else {
            return Ok(());
        };
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let path = format!("{prefix}{name}");
            let at = key.span().start;
            let Some(property) = properties.get(name) else {
                let guess = did_you_mean(name, properties.keys().map(String::as_str));
                return Err(self.error_at(at, &format!("unknown key `{path}` for {kind}{guess}")));
            };
            let is_secret = SECRETS.iter().any(|secret| name.starts_with(secret));
            if is_secret && !matches!(value.get_ref(), DeValue::String(_)) {
                return Err(self.error_at(value.span().start, &format!("`{path}` must be text")));
            }
            lines.insert(path.clone(), self.line_at(at));
            if let DeValue::Table(inner) = value.get_ref() {
                self.check_keys(inner, property, root, kind, &format!("{path}."), lines)?;
            }
        }
        Ok(())
    }

    /// Converts a value to JSON, from which the library reads its configuration.
    fn to_json(&self, value: &Spanned<DeValue<'_>>) -> Result<Value, Failure> {
        Ok(match value.get_ref() {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Boolean(truth) => Value::Bool(*truth),
            DeValue::Integer(number) => {
                let parsed = i64::from_str_radix(number.as_str(), number.radix());
                parsed.map(Value::from).map_err(|error| {
                    self.error_at(value.span().start, &format!("not a number: {error}"))
                })?
            }
            DeValue::Float(number) => {
                number
                    .as_str()
                    .parse::<f64>()
                    .map(Value::from)
                    .map_err(|error| {
                        self.error_at(value.span().start, &format!("not a number: {error}"))
                    })?
            }
            DeValue::Datetime(time) => Value::String(time.to_string()),
            DeValue::Array(items) => {
                let items = items.iter().map(|item| self.to_json(item));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            DeValue::Table(table) => {
                let entries = table
                    .iter()
                    .map(|(key, value)| Ok((key.get_ref().to_string(), self.to_json(value)?)));
                Value::Object(entries.collect::<Result<_, Failure>>()?)
            }
        })
    }

    fn line_at(&self, at: usize) -> usize {
        let before = self.text.as_bytes().iter().take(at);
        before.filter(|byte| **byte == b'\n').count() + 1
    }

    fn error_at(&self, at: usize, wrong: &str) -> Failure {
        Failure::Usage(format!(
            "{}:{}: {wrong}",
            self.path.display(),
            self.line_at(at)
        ))
    }
}

/// Follows `$ref`, also within an `anyOf` with null.
fn dereference<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let target = schema.get("$ref").and_then(Value::as_str);
    if let Some(target) = target.and_then(|target| root.pointer(target.trim_start_matches('#'))) {
        return dereference(target, root);
    }
    let options = schema.get("anyOf").and_then(Value::as_array);
    match options.and_then(|options| options.iter().find(|option| option.get("$ref").is_some())) {
        Some(option) => dereference(option, root),
        None => schema,
    }
}
