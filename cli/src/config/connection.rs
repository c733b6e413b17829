//! The way to the server: what flags set over the profile, and what is in use.

use std::{collections::BTreeMap, path::Path};

use org_invitations::{ProviderConfig, ProxyUrl};
use serde_json::{Map, Value as Json};

use super::{Flags, ResolvedConfig, ResolvedValue, secret, variable};
use crate::failure::Failure;

/// The key of the proxy in a profile.
pub(super) const PROXY: &str = "connection.proxy";

/// The key of the URL of Redis in a profile, which may hold a password.
pub(super) const REDIS_URL: &str = "connection.shared_rate_limit.redis.url";

/// A value that a flag sets, and the sources that it overrides.
pub(super) struct Flagged {
    pub flag: &'static str,
    pub overridden: Vec<String>,
}

impl Flags {
    /// The connection settings of the flags, by their dotted path in a profile, each with its flag.
    pub(super) fn connection(&self) -> Result<Vec<(&'static str, &'static str, Json)>, Failure> {
        let mut settings = Vec::new();
        if let Some(file) = &self.ca_file {
            let path = file.to_str().ok_or_else(|| {
                Failure::Usage(format!("--ca-file {}: not UTF-8", file.display()))
            })?;
            settings.push(("connection.ca_file", "flag --ca-file", Json::from(path)));
        }
        if let Some(proxy) = &self.proxy {
            check_proxy(proxy)?;
            settings.push((PROXY, "flag --proxy", Json::from(proxy.trim())));
        }
        if let Some(time) = self.timeout {
            // No single request is cut off before the call as a whole.
            for name in [
                "connection.timeout_seconds",
                "connection.read_timeout_seconds",
                "connection.retry.deadline_seconds",
            ] {
                settings.push((name, "flag --timeout", Json::from(time.as_secs_f64())));
            }
        }
        Ok(settings)
    }

    /// The proxy as it may be shown.
    pub(super) fn shown_proxy(&self) -> Option<String> {
        self.proxy.as_deref().map(shown_proxy)
    }
}

/// Checks a proxy of a flag.
fn check_proxy(text: &str) -> Result<(), Failure> {
    match ProxyUrl::try_from(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::Usage(format!("--proxy: {}", error.message()))),
    }
}

/// A proxy without its user name and password.
pub(super) fn shown_proxy(text: &str) -> String {
    ProxyUrl::try_from(text).map_or_else(|_| "[redacted]".to_owned(), |url| url.to_string())
}

/// Puts the settings of the flags over those of a profile. Returns them with the sources that they override; `source`
/// tells that of a value in the profile.
pub(super) fn overlay(
    flags: &Flags,
    profile: &mut Map<String, Json>,
    source: impl Fn(&str) -> String,
) -> Result<BTreeMap<String, Flagged>, Failure> {
    let mut flagged = BTreeMap::new();
    for (path, flag, value) in flags.connection()? {
        let Some(before) = set(profile, path, value) else {
            continue;
        };
        let overridden = before.into_iter().map(|_| source(path)).collect();
        flagged.insert(path.to_owned(), Flagged { flag, overridden });
    }
    Ok(flagged)
}

/// Sets the value at a dotted path, and returns the one before; `None` if something on the way is no table, which
/// is an error of the profile.
pub(super) fn set(table: &mut Map<String, Json>, path: &str, value: Json) -> Option<Option<Json>> {
    match path.split_once('.') {
        None => Some(table.insert(path.to_owned(), value)),
        Some((name, rest)) => {
            let inner = table
                .entry(name)
                .or_insert_with(|| Json::Object(Map::new()));
            set(inner.as_object_mut()?, rest, value)
        }
    }
}

/// Lets the files that a profile's connection names be relative to the folder of its file, as its secrets are.
pub(super) fn resolve_files(profile: &mut Map<String, Json>, file: &Path) {
    let Some(connection) = profile.get_mut("connection") else {
        return;
    };
    for pointer in ["/ca_file", "/shared_rate_limit/file"] {
        if let Some(Json::String(path)) = connection.pointer_mut(pointer)
            && let Some(resolved) = secret::resolve_path(path, file).to_str()
        {
            resolved.clone_into(path);
        }
    }
}

/// The variables that name a proxy for https, in the order in which they apply.
const PROXY_VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

impl ResolvedConfig {
    /// The values of `doctor`: those that are set, and the base URL and the proxy that are in use if none is set.
    pub fn values_in_use(&self, config: &ProviderConfig) -> Vec<ResolvedValue> {
        let mut values = self.values.clone();
        let default = |name: &str, display: String, source: String| ResolvedValue {
            name: name.to_owned(),
            display,
            source,
            overridden: Vec::new(),
        };
        if self.base_url().is_none() {
            let url = self.kind.default_base_url().to_owned();
            let own = values.iter().take_while(|value| !value.name.contains('.'));
            let at = own.count();
            values.insert(at, default("base_url", url, "default".to_owned()));
        }
        if !values.iter().any(|value| value.name == PROXY) {
            let is_set = |name: &&&str| variable(name).is_ok_and(|value| value.is_some());
            let proxy = config.proxy_in_use();
            let source = PROXY_VARIABLES
                .iter()
                .find(is_set)
                .filter(|_| proxy.is_some());
            let source = source.map_or("default".to_owned(), |name| format!("environment {name}"));
            let display = proxy.unwrap_or_else(|| "none".to_owned());
            values.push(default(PROXY, display, source));
        }
        values
    }
}
