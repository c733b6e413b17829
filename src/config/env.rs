//! Reads configuration from environment variables.

use std::{env, ffi::OsString};

use crate::{
    config::{ConfigKey, config_error},
    error::{Error, Result},
    http::BaseUrl,
};

/// Looks up a variable: in the environment of the process, or in that of a test.
pub(crate) type EnvLookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Looks up variables of the process.
pub(crate) fn process_env() -> EnvLookup<'static> {
    &|name| env::var_os(name)
}

/// Reads the variables of a provider.
pub(super) struct EnvReader<'a> {
    pub lookup: EnvLookup<'a>,
    pub provider: &'static str,
}

impl EnvReader<'_> {
    /// An optional variable; an empty one counts as absent.
    pub fn optional(&self, key: ConfigKey) -> Result<Option<String>> {
        let name = key.env_var();
        let value = (self.lookup)(name).filter(|value| !value.is_empty());
        value.map(OsString::into_string).transpose().map_err(|_| {
            let message = format!("the variable {name} is not UTF-8");
            config_error(self.provider, &message).with_target(name)
        })
    }

    /// A required variable; an empty one counts as absent.
    pub fn required(&self, key: ConfigKey) -> Result<String> {
        let name = key.env_var();
        self.optional(key)?.ok_or_else(|| {
            let message = format!("the environment variable {name} is not set");
            config_error(self.provider, &message).with_target(name)
        })
    }

    /// An optional base URL. The error names the variable.
    pub fn base_url(&self, key: ConfigKey) -> Result<Option<BaseUrl>> {
        let url = self.optional(key)?.map(|text| BaseUrl::parse(&text));
        url.transpose().map_err(|error| {
            Error::from(error)
                .with_provider(self.provider)
                .with_target(key.env_var())
        })
    }
}
