//! The keys of a profile, with the environment variables that set them too.

use org_invitations::{ConfigKey, ProviderKind};

use crate::failure::Failure;

/// The environment variables that select a provider, a profile and a configuration file.
pub(crate) const PROVIDER_VARIABLE: &str = "ORG_INVITATIONS_PROVIDER";
pub(super) const PROFILE_VARIABLE: &str = "ORG_INVITATIONS_PROFILE";
pub(super) const CONFIG_VARIABLE: &str = "ORG_INVITATIONS_CONFIG";
/// The environment variable that names the audit log.
pub(super) const AUDIT_LOG_VARIABLE: &str = "ORG_INVITATIONS_AUDIT_LOG";

/// A key that a flag, an environment variable or a separate file can set besides the profile.
pub(super) struct ProfileKey {
    pub name: &'static str,
    pub variable: Option<&'static str>,
    pub is_secret: bool,
}

const fn variable(setting: Option<ConfigKey>) -> Option<&'static str> {
    match setting {
        Some(setting) => Some(setting.env_var()),
        None => None,
    }
}

const fn key(name: &'static str, setting: Option<ConfigKey>) -> ProfileKey {
    ProfileKey {
        name,
        variable: variable(setting),
        is_secret: false,
    }
}

const fn secret_key(name: &'static str, setting: Option<ConfigKey>) -> ProfileKey {
    ProfileKey {
        name,
        variable: variable(setting),
        is_secret: true,
    }
}

const CONFLUENT: &[ProfileKey] = &[
    key("api_key", Some(ConfigKey::ConfluentApiKey)),
    secret_key("api_secret", Some(ConfigKey::ConfluentApiSecret)),
    secret_key("access_token", None),
    key("base_url", Some(ConfigKey::ConfluentBaseUrl)),
];

const CLICKHOUSE: &[ProfileKey] = &[
    key("organization_id", Some(ConfigKey::ClickHouseOrganizationId)),
    key("api_key", Some(ConfigKey::ClickHouseApiKey)),
    secret_key("api_secret", Some(ConfigKey::ClickHouseApiSecret)),
    key("base_url", Some(ConfigKey::ClickHouseBaseUrl)),
];

/// The keys of a provider, in the order in which `doctor` shows them.
pub(super) fn keys_of(kind: ProviderKind) -> &'static [ProfileKey] {
    match kind {
        ProviderKind::ClickHouse => CLICKHOUSE,
        _ => CONFLUENT,
    }
}

/// The environment variable of a key.
pub(super) fn variable_of(kind: ProviderKind, name: &str) -> Option<&'static str> {
    let key = keys_of(kind).iter().find(|key| key.name == name)?;
    key.variable
}

/// The environment variables that hold a secret of any provider.
pub(super) fn secret_variables() -> Vec<&'static str> {
    let keys = CONFLUENT.iter().chain(CLICKHOUSE);
    keys.filter(|key| key.is_secret)
        .filter_map(|key| key.variable)
        .collect()
}

/// The environment variables that are set and say which organisation of a provider is meant.
pub(super) fn replacing_variables(kind: ProviderKind) -> Result<Vec<&'static str>, Failure> {
    let keys = keys_of(kind).iter().filter(|key| key.name != "base_url");
    let mut set = Vec::new();
    for name in keys.filter_map(|key| key.variable) {
        if super::variable(name)?.is_some() {
            set.push(name);
        }
    }
    Ok(set)
}

/// The environment variables that a provider needs, as a list for people.
pub(crate) fn required_variables(kind: ProviderKind) -> String {
    let keys = keys_of(kind).iter().filter(|key| key.name != "base_url");
    let variables: Vec<&str> = keys.filter_map(|key| key.variable).collect();
    match variables.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
