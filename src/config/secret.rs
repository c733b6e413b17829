//! Secrets of a configuration: themselves, or where they are.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use secrecy::SecretString;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{config::config_error, error::Result};

/// The largest file and the largest output of a command, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// A secret of a configuration, or where it is. As data: text, or a table with one of `file`, `variable` and `command`.
///
/// It is read once, when the provider is [built](crate::ProviderConfig::build): the first line of a file, of a
/// variable or of what a command prints, without the white space around it. For secrets that change while a program
/// runs, there is [`CredentialProvider`](crate::CredentialProvider). `Debug` shows no secret.
///
/// ```
/// use org_invitations::ProviderConfig;
///
/// let config = r#"{
///     "provider": "confluent",
///     "api_key": "ABCDEFGH",
///     "api_secret": { "command": ["echo", "a-secret"] }
/// }"#;
/// let config: ProviderConfig = serde_json::from_str(config)?;
/// # #[cfg(unix)]
/// config.build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SecretSource {
    /// The secret itself.
    Fixed(SecretString),
    /// The path of a file of at most 1 MiB, such as one that the platform mounts.
    File(PathBuf),
    /// The name of an environment variable.
    Variable(String),
    /// A program and its arguments, such as `["pass", "show", "confluent"]`. It runs without a shell and without
    /// input, and the build waits for its end.
    Command(Vec<String>),
}

impl SecretSource {
    /// Reads the secret; `field` is what errors call it. No error quotes it, nor the arguments of a command.
    pub(super) fn read(self, provider: &'static str, field: &'static str) -> Result<SecretString> {
        let failed = |wrong: String| config_error(provider, &wrong).with_target(field);
        let (source, text) = match self {
            Self::Fixed(secret) => return Ok(secret),
            Self::File(path) => {
                let source = format!("the file {}", path.display());
                let text = read_file(&path);
                (source, text)
            }
            Self::Variable(name) => {
                let source = format!("the environment variable {name}");
                let text = std::env::var_os(&name).ok_or_else(|| io::Error::other("it is not set"));
                (source, text.map(|text| text.into_encoded_bytes()))
            }
            Self::Command(command) => {
                let [program, arguments @ ..] = command.as_slice() else {
                    return Err(failed("the command has no program".to_owned()));
                };
                let source = format!("the output of the command {program}");
                (source, run(program, arguments))
            }
        };
        let text = text
            .map_err(|error| failed(format!("cannot read {source}: {error}")).with_source(error))?;
        first_line(&text).map_err(|wrong| failed(format!("{source} {wrong}")))
    }
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut text)?;
    Ok(text)
}

fn run(program: &str, arguments: &[String]) -> io::Result<Vec<u8>> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut text = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(MAX_BYTES + 1).read_to_end(&mut text)?;
    }
    if is_too_long(&text) {
        // It may go on for ever. Where it has ended, there is nothing to end.
        drop(child.kill());
        child.wait()?;
        return Ok(text);
    }
    let status = child.wait()?;
    match status.success() {
        true => Ok(text),
        false => Err(io::Error::other(format!("it failed: {status}"))),
    }
}

fn is_too_long(text: &[u8]) -> bool {
    u64::try_from(text.len()).is_ok_and(|length| length > MAX_BYTES)
}

fn first_line(text: &[u8]) -> std::result::Result<SecretString, &'static str> {
    if is_too_long(text) {
        return Err("has more than 1 MiB");
    }
    let text = std::str::from_utf8(text).map_err(|_| "is not UTF-8")?;
    let line = text.trim_start_matches('\u{feff}').lines().next();
    match line.map(str::trim) {
        None | Some("") => Err("has nothing on its first line"),
        Some(line) => Ok(line.into()),
    }
}

impl From<&str> for SecretSource {
    fn from(secret: &str) -> Self {
        Self::Fixed(secret.into())
    }
}

impl From<String> for SecretSource {
    fn from(secret: String) -> Self {
        Self::Fixed(secret.into())
    }
}

impl From<SecretString> for SecretSource {
    fn from(secret: SecretString) -> Self {
        Self::Fixed(secret)
    }
}

/// The table of a source.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Table {
    File(PathBuf),
    Variable(String),
    Command(Vec<String>),
}

impl From<Table> for SecretSource {
    fn from(table: Table) -> Self {
        match table {
            Table::File(path) => Self::File(path),
            Table::Variable(name) => Self::Variable(name),
            Table::Command(command) => Self::Command(command),
        }
    }
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct SourceVisitor;

        impl<'de> Visitor<'de> for SourceVisitor {
            type Value = SecretSource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a secret, or a table with one of `file`, `variable` and `command`")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                map: A,
            ) -> std::result::Result<Self::Value, A::Error> {
                Table::deserialize(MapAccessDeserializer::new(map)).map(Into::into)
            }

            text_of_numbers!(|text| SecretSource::from(text));
        }

        deserializer.deserialize_any(SourceVisitor)
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for SecretSource {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SecretSource".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let table = |name: &str, of: serde_json::Value| {
            serde_json::json!({
                "type": "object",
                "properties": { name: of },
                "required": [name],
                "additionalProperties": false,
            })
        };
        let text = serde_json::json!({ "type": "string" });
        let list = serde_json::json!({ "type": "array", "items": text });
        schemars::json_schema!({
            "anyOf": [
                { "type": ["string", "integer"] },
                table("file", text.clone()),
                table("variable", text),
                table("command", list),
            ],
        })
    }
}

/// A key or an id: text, also where a format reads digits as a number.
#[derive(Debug)]
pub(super) struct Digits(String);

impl Digits {
    /// Deserialises an optional field.
    pub fn optional<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Option<String>, D::Error> {
        let text = Option::<Self>::deserialize(deserializer)?;
        Ok(text.map(|text| text.0))
    }
}

impl<'de> Deserialize<'de> for Digits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct DigitsVisitor;

        impl Visitor<'_> for DigitsVisitor {
            type Value = Digits;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }

            text_of_numbers!(|text| Digits(text));
        }

        deserializer.deserialize_any(DigitsVisitor)
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Digits {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Digits".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["string", "integer"] })
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_prints_for_ever_is_ended() {
        let text = run("yes", &[]).unwrap();
        assert_eq!(first_line(&text).unwrap_err(), "has more than 1 MiB");
        let failed = run("sh", &["-c".to_owned(), "echo part; exit 3".to_owned()]);
        assert!(failed.unwrap_err().to_string().contains("exit status: 3"));
    }
}
