//! The environment with which the command, and every program on the library, uses a sandbox.

use org_invitations::ConfigKey;
use serde_json::Value;

use super::client::URL_VARIABLE;
use crate::failure::Failure;

/// `export` lines for a shell, from what a sandbox says of itself.
pub(super) fn export_lines(ready: &str) -> Result<Vec<String>, Failure> {
    let ready: Value = serde_json::from_str(ready).map_err(std::io::Error::from)?;
    let text = |pointer: &str| {
        let found = ready.pointer(pointer).and_then(Value::as_str);
        found.ok_or_else(|| Failure::Other(format!("the answer of the sandbox has no {pointer}")))
    };
    let url = text("/url")?;
    let clickhouse_url = format!("{url}/v1");
    let variables = [
        (
            ConfigKey::ConfluentApiKey.env_var(),
            text("/confluent/api_key")?,
        ),
        (
            ConfigKey::ConfluentApiSecret.env_var(),
            text("/confluent/api_secret")?,
        ),
        (ConfigKey::ConfluentBaseUrl.env_var(), url),
        (
            ConfigKey::ClickHouseOrganizationId.env_var(),
            text("/clickhouse/organization_id")?,
        ),
        (
            ConfigKey::ClickHouseApiKey.env_var(),
            text("/clickhouse/api_key")?,
        ),
        (
            ConfigKey::ClickHouseApiSecret.env_var(),
            text("/clickhouse/api_secret")?,
        ),
        (ConfigKey::ClickHouseBaseUrl.env_var(), &clickhouse_url),
        (URL_VARIABLE, url),
    ];
    let lines = variables
        .iter()
        .map(|(name, value)| format!("export {name}={}", quote(value)));
    Ok(lines.collect())
}

/// The lines for `eval` where there is no sandbox: they fail, and take away the credentials that the sandbox was to
/// replace, so that what follows does not reach an organisation.
pub(super) fn failed_lines() -> [String; 2] {
    let names = [
        ConfigKey::ConfluentApiKey.env_var(),
        ConfigKey::ConfluentApiSecret.env_var(),
        ConfigKey::ConfluentBaseUrl.env_var(),
        ConfigKey::ClickHouseOrganizationId.env_var(),
        ConfigKey::ClickHouseApiKey.env_var(),
        ConfigKey::ClickHouseApiSecret.env_var(),
        ConfigKey::ClickHouseBaseUrl.env_var(),
        URL_VARIABLE,
    ];
    // The status of `eval` is that of the last line.
    [format!("unset {}", names.join(" ")), "false".to_owned()]
}

/// The value in single quotes, as every shell of the POSIX family reads it.
fn quote(value: &str) -> String {
    format!("'{}'", value.replace('\'', "'\\''"))
}
