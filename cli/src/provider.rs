//! Builds providers from the configuration.

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use org_invitations::{
    AttemptEvent, Confluent, ErrorKind, Interceptor, OrganizationProvider, ProviderConfig,
};
use org_invitations_sandbox::Sandbox;

use crate::{
    audit::{self, AuditLog, Audited, Origin},
    config::{Account, ResolvedConfig},
    failure::Failure,
    output::shell_quote,
};

/// A provider with what a command needs to know about it.
#[derive(Clone)]
pub(crate) struct ProviderContext {
    /// The name of the provider in the output.
    pub label: String,
    /// The profile that configures the provider.
    pub profile: Option<String>,
    /// The connection flags of this command line, for a follow-up command.
    pub flags: String,
    /// The organisation and its endpoint, as far as the configuration names them.
    pub account: Account,
    /// The rate limit, as the latest replies report it.
    pub rate: RateWatch,
    /// The id of the organisation, if the configuration has it.
    pub organization_id: Option<String>,
    /// The base URL of the API, if the configuration has it.
    base_url: Option<String>,
    provider: Arc<dyn OrganizationProvider>,
    /// The provider without the audit log.
    unaudited: Arc<dyn OrganizationProvider>,
    /// The sandbox stops when it is dropped.
    _sandbox: Option<Arc<Sandbox>>,
}

#[cfg(feature = "sql")]
impl ProviderContext {
    /// The provider itself, for callers that keep it.
    pub fn shared(&self) -> Arc<dyn OrganizationProvider> {
        Arc::clone(&self.provider)
    }
}

impl ProviderContext {
    /// The display name: the provider and its profile.
    pub fn name(&self) -> String {
        match &self.profile {
            Some(profile) => format!("{} (profile {profile})", self.label),
            None => self.label.clone(),
        }
    }

    /// Writes every change of the provider to the audit log, if there is one.
    pub fn audited(mut self, log: &AuditLog) -> Self {
        if !log.is_on() {
            return self;
        }
        let origin = Origin {
            provider: self.label.clone(),
            profile: self.profile.clone(),
            organization_id: self.organization_id.clone(),
            base_url: self.base_url.clone(),
            key_id: self.account.credential.clone(),
            user: log.user(),
            command: log.command().to_owned(),
        };
        let provider = Arc::clone(&self.unaudited);
        self.provider = Arc::new(Audited::new(provider, log.clone(), origin));
        self
    }

    /// The flags with which a follow-up command reaches the same organisation.
    pub fn selection_flags(&self) -> String {
        let flags = &self.flags;
        match &self.profile {
            Some(profile) => selection_flags(profile, flags),
            None => format!("-p {}{flags}", self.label),
        }
    }
}

/// The flags that select a profile, before further ones.
pub(crate) fn selection_flags(profile: &str, flags: &str) -> String {
    format!("--profile {}{flags}", shell_quote(profile))
}

impl Deref for ProviderContext {
    type Target = dyn OrganizationProvider;

    fn deref(&self) -> &Self::Target {
        &*self.provider
    }
}

impl fmt::Debug for ProviderContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.provider.fmt(f)
    }
}

/// Until when the rate limit is exhausted, as the latest reply says.
#[derive(Clone, Debug, Default)]
pub(crate) struct RateWatch(Arc<Mutex<Option<Instant>>>);

impl RateWatch {
    /// How long requests have to wait for the rate limit.
    pub fn remaining_wait(&self) -> Option<Duration> {
        let until = self.0.lock().ok().and_then(|until| *until)?;
        until.checked_duration_since(Instant::now())
    }

    fn interceptor(&self) -> impl Interceptor + use<> {
        let until = Arc::clone(&self.0);
        move |event: &AttemptEvent<'_>| {
            let Some(status) = event.status() else { return };
            audit::observe(event, status);
            let limit = event
                .rate_limit()
                .filter(|limit| limit.remaining == Some(0));
            let reset = limit.and_then(|limit| limit.reset);
            if let Ok(mut until) = until.lock() {
                *until = reset.and_then(|reset| Instant::now().checked_add(reset));
            }
        }
    }
}

/// Builds a provider from its configuration. Sends nothing.
pub(crate) fn build(resolved: &ResolvedConfig) -> Result<ProviderContext, Failure> {
    build_from(resolved, resolved.config()?)
}

/// Builds a provider and the HTTP client that it sends its requests with; also returns the configuration of both.
pub(crate) fn build_with_client(
    resolved: &ResolvedConfig,
) -> Result<(ProviderContext, reqwest::Client, ProviderConfig), Failure> {
    let config = resolved.config()?;
    let context = build_from(resolved, config.clone())?;
    Ok((context, config.http_client()?, config))
}

fn build_from(
    resolved: &ResolvedConfig,
    config: ProviderConfig,
) -> Result<ProviderContext, Failure> {
    let rate = RateWatch::default();
    let provider = config
        .build_with_interceptor(rate.interceptor())
        .map_err(|error| {
            // The library does not know which source the value comes from.
            let key = match error.target() {
                Some("base URL") => "base_url",
                Some("proxy") => "connection.proxy",
                Some("root certificates") => "connection.ca_file",
                _ => return Failure::from(error),
            };
            let source = resolved.source_of(key);
            match source.filter(|_| error.kind() == ErrorKind::Config) {
                Some(source) => {
                    let target = format!("{} ({source})", error.target().unwrap_or_default());
                    Failure::from(error.with_target(target))
                }
                None => Failure::from(error),
            }
        })?;
    Ok(ProviderContext {
        label: resolved.kind.to_string(),
        profile: None,
        flags: String::new(),
        account: resolved.account(),
        rate,
        organization_id: resolved.text_of("organization_id").map(str::to_owned),
        base_url: resolved.text_of("base_url").map(str::to_owned),
        unaudited: Arc::clone(&provider),
        provider,
        _sandbox: None,
    })
}

/// Builds the provider of a sandbox that stops with it.
pub(crate) async fn sandbox() -> Result<ProviderContext, Failure> {
    let sandbox = Sandbox::start().await.map_err(Failure::sandbox_start)?;
    let key = &sandbox.credentials().confluent;
    let rate = RateWatch::default();
    let provider = Confluent::builder()
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url())
        .interceptor(rate.interceptor())
        .build()?;
    let provider: Arc<dyn OrganizationProvider> = Arc::new(provider);
    Ok(ProviderContext {
        label: "sandbox".to_owned(),
        profile: None,
        flags: String::new(),
        account: Account {
            target: "sandbox".to_owned(),
            ..Account::default()
        },
        rate,
        organization_id: None,
        base_url: None,
        unaudited: Arc::clone(&provider),
        provider,
        _sandbox: Some(Arc::new(sandbox)),
    })
}
