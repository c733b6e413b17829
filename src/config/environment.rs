//! Configuration from environment variables.

use std::{env, ffi::OsString};

use crate::{
    config::refuse,
    error::{Error, Result},
    http::{BaseUrl, Endpoint},
};

/// Where variables come from: the process, or a test.
pub(crate) type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

pub(crate) fn process_environment() -> Variables<'static> {
    &|name| env::var_os(name)
}

/// Reads a provider's variables.
pub(super) struct Reader<'a> {
    pub read: Variables<'a>,
    pub provider: &'static str,
}

impl Reader<'_> {
    /// A variable; empty counts as absent.
    pub fn optional(&self, name: &str) -> Result<Option<String>> {
        let value = (self.read)(name).filter(|value| !value.is_empty());
        value.map(OsString::into_string).transpose().map_err(|_| {
            refuse(self.provider, &format!("the variable {name} is not UTF-8")).with_target(name)
        })
    }

    pub fn required(&self, name: &str) -> Result<String> {
        self.optional(name)?.ok_or_else(|| {
            let missing = format!("the environment variable {name} is not set");
            refuse(self.provider, &missing).with_target(name)
        })
    }

    /// A base URL, checked here so that the variable can be named.
    pub fn base_url(&self, name: &str) -> Result<Option<BaseUrl>> {
        let url = self.optional(name)?.map(BaseUrl::from);
        if let Some(url) = &url {
            Endpoint::new(url, None).map_err(|error| {
                Error::from(error)
                    .with_provider(self.provider)
                    .with_target(name)
            })?;
        }
        Ok(url)
    }
}
