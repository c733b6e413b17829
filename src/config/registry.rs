//! Providers of one's own, beside those of this crate, by the name that configuration gives them.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    config::{ProviderConfig, ProviderKind},
    error::{Error, ErrorKind, Operation, Result},
    person::OrganizationProvider,
};

/// Builds a provider from the properties of its configuration.
type Build = Arc<dyn Fn(Value) -> Result<Arc<dyn OrganizationProvider>> + Send + Sync>;

/// Builds providers from configuration: those of this crate, as [`ProviderConfig`] does, and others that are
/// registered under names of their own.
///
/// ```
/// use std::sync::Arc;
///
/// use org_invitations::{InvitationProvider, ProviderRegistry, memory::InMemory};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct MemoryConfig {
///     members: Vec<String>,
/// }
///
/// let registry = ProviderRegistry::new().register("memory", |config: MemoryConfig| {
///     let builder = config.members.iter().fold(InMemory::builder(), |builder, email| {
///         builder.member(email, ["Developer"])
///     });
///     Ok(Arc::new(builder.build()?))
/// });
/// let text = r#"{ "provider": "memory", "members": ["ann@example.com"] }"#;
/// let provider = registry.build(&mut serde_json::Deserializer::from_str(text))?;
/// assert_eq!(provider.to_string(), "memory");
///
/// let text = r#"{ "provider": "confluent", "api_key": "KEY", "api_secret": "a-secret" }"#;
/// let provider = registry.build(&mut serde_json::Deserializer::from_str(text))?;
/// assert_eq!(provider.to_string(), "confluent");
/// # Ok::<(), org_invitations::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct ProviderRegistry {
    own: BTreeMap<String, Build>,
}

impl ProviderRegistry {
    /// The providers of this crate alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a provider: `build` gets what the configuration has besides `provider`. It takes the place of
    /// another one of this name.
    #[must_use]
    pub fn register<C, F>(mut self, name: impl Into<String>, build: F) -> Self
    where
        C: DeserializeOwned,
        F: Fn(C) -> Result<Arc<dyn OrganizationProvider>> + Send + Sync + 'static,
    {
        let name = name.into();
        let of = name.clone();
        let build = move |properties| {
            let config = serde_json::from_value(properties);
            build(config.map_err(|error| config_error(error.to_string(), &of))?)
        };
        self.own.insert(name, Arc::new(build));
        self
    }

    /// The names that configuration may give, in alphabetical order.
    pub fn names(&self) -> Vec<&str> {
        let built_in = ProviderKind::ALL.iter().map(|kind| kind.as_str());
        let mut names: Vec<_> = self
            .own
            .keys()
            .map(String::as_str)
            .chain(built_in)
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Reads a configuration of any serde format, and builds the provider that its `provider` names.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`]: nothing is registered under the name, or the configuration cannot be read; and those of
    /// [`ProviderConfig::build`] and of the registered function.
    pub fn build<'de, D>(&self, deserializer: D) -> Result<Arc<dyn OrganizationProvider>>
    where
        D: Deserializer<'de>,
    {
        let read = Value::deserialize(deserializer);
        let mut config = read.map_err(|error| config_error(error.to_string(), "configuration"))?;
        let name = config
            .get("provider")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let Some(name) = name else {
            let message = "it needs `provider`, the name of a provider";
            return Err(config_error(message.to_owned(), "configuration"));
        };
        if let Some(build) = self.own.get(&name) {
            if let Some(properties) = config.as_object_mut() {
                properties.remove("provider");
            }
            return build(config);
        }
        if ProviderKind::ALL.iter().all(|kind| kind.as_str() != name) {
            let message = format!("the providers are {}", self.names().join(", "));
            return Err(config_error(message, &name));
        }
        let config: ProviderConfig = serde_json::from_value(config)
            .map_err(|error| config_error(error.to_string(), &name))?;
        config.build()
    }
}

impl fmt::Debug for ProviderRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProviderRegistry")
            .field(&self.names())
            .finish()
    }
}

fn config_error(message: String, target: &str) -> Error {
    Error::new(ErrorKind::Config, Operation::Configure, message).with_target(target)
}
