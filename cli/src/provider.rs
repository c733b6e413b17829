//! Builds providers from the configuration.

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use org_invitations::{
    Confluent, ErrorKind, OrganizationProvider, ProviderConfig, ProviderKind, ResponseObserver,
};
use org_invitations_sandbox::Sandbox;

use crate::{
    cli::GlobalOptions,
    config::{
        self, Account, PROVIDER_VARIABLE, ResolvedConfig, Selected, Selection, required_variables,
    },
    failure::Failure,
    output::shell_quote,
};

/// A provider with what a command needs to know about it.
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
    #[cfg(feature = "sql")]
    pub organization_id: Option<String>,
    provider: Arc<dyn OrganizationProvider>,
    /// The sandbox stops when it is dropped.
    _sandbox: Option<Sandbox>,
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

    /// The flags with which a follow-up command reaches the same organisation.
    pub fn selection_flags(&self) -> String {
        let flags = &self.flags;
        match &self.profile {
            Some(profile) => format!("--profile {}{flags}", shell_quote(profile)),
            None => format!("-p {}{flags}", self.label),
        }
    }
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

    fn observer(&self) -> ResponseObserver {
        let until = Arc::clone(&self.0);
        Arc::new(move |reply| {
            let limit = reply.rate_limit.filter(|limit| limit.remaining == Some(0));
            let reset = limit.and_then(|limit| limit.reset);
            if let Ok(mut until) = until.lock() {
                *until = reset.and_then(|reset| Instant::now().checked_add(reset));
            }
        })
    }
}

/// Builds the one provider that the command line selects.
pub(crate) async fn single(global: &GlobalOptions) -> Result<ProviderContext, Failure> {
    let mut contexts = selected(global).await?.into_iter();
    match (contexts.next(), contexts.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(Failure::Usage(
            "this command takes one provider; only `list`, `members list`, `who` and `doctor` accept \
             --provider more than once"
                .to_owned(),
        )),
    }
}

/// Builds every provider that the command line or the configuration selects; at least one.
pub(crate) async fn selected(global: &GlobalOptions) -> Result<Vec<ProviderContext>, Failure> {
    let selection = config::load(global)?;
    if let Some(warning) = selection
        .file
        .as_ref()
        .and_then(|file| file.warning.as_ref())
    {
        eprintln!("warning: {warning}");
    }
    connect(&selection, selection.chosen()).await
}

/// Builds every provider that the command line selects or, where it selects none, every configured one.
#[cfg(feature = "sql")]
pub(crate) async fn all_configured(
    global: &GlobalOptions,
) -> Result<Vec<ProviderContext>, Failure> {
    if !global.provider.is_empty() || global.profile.is_some() {
        return selected(global).await;
    }
    let selection = config::load(global)?;
    let mut configured = Vec::new();
    for selected in selection.all_providers()? {
        if let Selected::Vendor { kind, profile, .. } = &selected
            && !selection.resolve(*kind, profile.as_deref())?.is_empty()
        {
            configured.push(selected);
        }
    }
    connect(&selection, &configured).await
}

async fn connect(
    selection: &Selection,
    chosen: &[Selected],
) -> Result<Vec<ProviderContext>, Failure> {
    if chosen.is_empty() {
        return Err(Failure::Usage(no_provider_message(selection)));
    }
    let mut contexts = Vec::new();
    for selected in chosen {
        contexts.push(match selected {
            Selected::Sandbox => sandbox().await?,
            Selected::Vendor { kind, profile, .. } => {
                let resolved = selection.resolve(*kind, profile.as_deref())?;
                for warning in &resolved.warnings {
                    eprintln!("warning: {warning}");
                }
                let mut context = build(&resolved)?;
                context.profile.clone_from(profile);
                context.flags = selection.repeated_flags();
                context
            }
        });
    }
    Ok(contexts)
}

/// Builds a provider from its configuration. Sends nothing.
fn build(resolved: &ResolvedConfig) -> Result<ProviderContext, Failure> {
    build_from(resolved, resolved.config()?)
}

/// Builds a provider and the HTTP client that it sends its requests with.
pub(crate) fn build_with_client(
    resolved: &ResolvedConfig,
) -> Result<(ProviderContext, reqwest::Client), Failure> {
    let config = resolved.config()?;
    let client = config.clone();
    let context = build_from(resolved, config)?;
    Ok((context, client.http_client()?))
}

fn build_from(
    resolved: &ResolvedConfig,
    config: ProviderConfig,
) -> Result<ProviderContext, Failure> {
    let rate = RateWatch::default();
    let provider = config
        .build_with_observer(rate.observer())
        .map_err(|error| {
            // The library does not know which source the base URL comes from.
            let source = resolved.source_of("base_url");
            match source
                .filter(|_| error.kind() == ErrorKind::Config && error.target() == Some("base URL"))
            {
                Some(source) => {
                    let subject = format!("base URL ({source})");
                    Failure::from(error.with_target(subject))
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
        #[cfg(feature = "sql")]
        organization_id: resolved.text_of("organization_id").map(str::to_owned),
        provider,
        _sandbox: None,
    })
}

fn no_provider_message(selection: &Selection) -> String {
    let profiles = selection
        .file
        .as_ref()
        .filter(|file| !file.profiles.is_empty());
    let profiles = profiles.map_or_else(String::new, |file| {
        let names: Vec<&str> = file.profiles.keys().map(String::as_str).collect();
        let (path, names) = (file.path.display(), names.join(", "));
        format!("\n  or choose a profile of {path} with --profile: {names}")
    });
    let confluent = required_variables(ProviderKind::Confluent);
    let clickhouse = required_variables(ProviderKind::ClickHouse);
    format!(
        "no provider selected\nhint: pass `--provider confluent` or `--provider clickhouse`, or set \
         {PROVIDER_VARIABLE}{profiles}\n  credentials for Confluent are in {confluent}\n  \
         credentials for ClickHouse are in {clickhouse}\n  or set them in a profile: see \
         `org-invitations --help`\n  without an account, try `org-invitations demo`"
    )
}

async fn sandbox() -> Result<ProviderContext, Failure> {
    let sandbox = Sandbox::start().await.map_err(Failure::sandbox_start)?;
    let key = &sandbox.credentials().confluent;
    let provider = Confluent::builder()
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url())
        .build()?;
    Ok(ProviderContext {
        label: "sandbox".to_owned(),
        profile: None,
        flags: String::new(),
        account: Account {
            target: "sandbox".to_owned(),
            names_organization: true,
            credential: None,
        },
        rate: RateWatch::default(),
        #[cfg(feature = "sql")]
        organization_id: None,
        provider: Arc::new(provider),
        _sandbox: Some(sandbox),
    })
}
