//! From `--provider` to a provider.

use std::{fmt, ops::Deref, sync::Arc};

use clap::ValueEnum;
use org_invitations::{Confluent, InvitationProvider, ProviderConfig, ProviderKind};
use org_invitations_sandbox::Sandbox;

use crate::{arguments::ProviderName, failure::Failure};

/// A provider, with the sandbox that it needs to keep running, if any.
pub(crate) struct Connected {
    provider: Arc<dyn InvitationProvider>,
    _sandbox: Option<Sandbox>,
}

impl Deref for Connected {
    type Target = dyn InvitationProvider;

    fn deref(&self) -> &Self::Target {
        &*self.provider
    }
}

impl fmt::Debug for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.provider.fmt(f)
    }
}

/// Sets up the provider that was asked for.
pub(crate) async fn connect(name: Option<ProviderName>) -> Result<Connected, Failure> {
    let kind = match name.or(from_environment()?) {
        Some(ProviderName::Confluent) => ProviderKind::Confluent,
        Some(ProviderName::ClickHouse) => ProviderKind::ClickHouse,
        Some(ProviderName::Sandbox) => return sandbox().await,
        None => {
            let missing = "which provider? Give `--provider confluent` or `--provider clickhouse`, \
                           or set ORG_INVITATIONS_PROVIDER; without an account, try \
                           `org-invitations demo`";
            return Err(Failure::Usage(missing.to_owned()));
        }
    };
    let provider = ProviderConfig::from_env(kind)?.build()?;
    Ok(Connected {
        provider,
        _sandbox: None,
    })
}

/// What ORG_INVITATIONS_PROVIDER names; empty counts as absent.
fn from_environment() -> Result<Option<ProviderName>, Failure> {
    let named = std::env::var("ORG_INVITATIONS_PROVIDER")
        .ok()
        .filter(|name| !name.is_empty());
    let parse = |name: String| {
        ProviderName::from_str(&name, true).map_err(|_| {
            let known = "the providers are confluent, clickhouse and sandbox";
            Failure::Usage(format!("ORG_INVITATIONS_PROVIDER is {name:?}; {known}"))
        })
    };
    named.map(parse).transpose()
}

async fn sandbox() -> Result<Connected, Failure> {
    let sandbox = Sandbox::start().await?;
    let key = &sandbox.credentials().confluent;
    let provider = Confluent::builder()
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url())
        .build()?;
    Ok(Connected {
        provider: Arc::new(provider),
        _sandbox: Some(sandbox),
    })
}
