//! From what was chosen to providers.

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use org_invitations::{Confluent, ErrorKind, InvitationProvider, Observer, ProviderConfig};
use org_invitations_sandbox::Sandbox;

use crate::{
    arguments::Global,
    config::{self, Account, Layered, Selected, Selection},
    failure::Failure,
    output::visible,
};

/// A provider, with the sandbox that it needs to keep running, if any.
pub(crate) struct Connected {
    /// What the provider is called in the output.
    pub label: String,
    /// The profile that it was set up from.
    pub profile: Option<String>,
    /// The flags that say where it is, as they are given again in another command.
    pub flags: String,
    /// The organisation and where it is, as far as that is known without asking.
    pub account: Account,
    /// What its server says of the rate limit.
    pub rate: RateWatch,
    /// The organisation's id, where it is part of the configuration.
    #[cfg(feature = "sql")]
    pub organization_id: Option<String>,
    provider: Arc<dyn InvitationProvider>,
    _sandbox: Option<Sandbox>,
}

#[cfg(feature = "sql")]
impl Connected {
    /// The provider itself, for those who keep it.
    pub fn shared(&self) -> Arc<dyn InvitationProvider> {
        Arc::clone(&self.provider)
    }
}

impl Connected {
    /// Whose organisation it is, for people: the provider and the profile.
    pub fn name(&self) -> String {
        match &self.profile {
            Some(profile) => format!("{} (profile {profile})", self.label),
            None => self.label.clone(),
        }
    }

    /// The flags that choose it on the command line, with those that were given: another command goes to the same
    /// organisation.
    pub fn flag(&self) -> String {
        let flags = &self.flags;
        match &self.profile {
            Some(profile) => format!("--profile {}{flags}", shell_word(profile)),
            None => format!("-p {}{flags}", self.label),
        }
    }
}

/// A word as a shell takes it.
pub(crate) fn shell_word(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "@._+-:/".contains(letter);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", visible(word).replace('\'', "'\\''"))
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

/// When the server's allowance is spent, and until when.
#[derive(Clone, Debug, Default)]
pub(crate) struct RateWatch(Arc<Mutex<Option<Instant>>>);

impl RateWatch {
    /// How long nothing more may be sent, by the latest reply.
    pub fn waiting(&self) -> Option<Duration> {
        let until = self.0.lock().ok().and_then(|until| *until)?;
        until.checked_duration_since(Instant::now())
    }

    fn observer(&self) -> Observer {
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

/// Sets up the one provider that was asked for.
pub(crate) async fn one(global: &Global) -> Result<Connected, Failure> {
    let mut connected = all(global).await?.into_iter();
    match (connected.next(), connected.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(Failure::Usage(
            "this command works on one provider; only `list` and `doctor` take --provider more \
             than once"
                .to_owned(),
        )),
    }
}

/// Sets up every provider that was asked for; at least one.
pub(crate) async fn all(global: &Global) -> Result<Vec<Connected>, Failure> {
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

/// Sets up every provider that was asked for, or, when none was, every one that is set up.
#[cfg(feature = "sql")]
pub(crate) async fn all_there_are(global: &Global) -> Result<Vec<Connected>, Failure> {
    if !global.provider.is_empty() || global.profile.is_some() {
        return all(global).await;
    }
    let selection = config::load(global)?;
    let mut there = Vec::new();
    for selected in selection.everything()? {
        if let Selected::Vendor { kind, profile, .. } = &selected
            && !selection.layers(*kind, profile.as_deref())?.is_empty()
        {
            there.push(selected);
        }
    }
    connect(&selection, &there).await
}

async fn connect(selection: &Selection, chosen: &[Selected]) -> Result<Vec<Connected>, Failure> {
    if chosen.is_empty() {
        return Err(Failure::Usage(which_provider(selection)));
    }
    let mut connected = Vec::new();
    for selected in chosen {
        connected.push(match selected {
            Selected::Sandbox => sandbox().await?,
            Selected::Vendor { kind, profile, .. } => {
                let layers = selection.layers(*kind, profile.as_deref())?;
                for warning in &layers.warnings {
                    eprintln!("warning: {warning}");
                }
                let mut connected = vendor(&layers)?;
                connected.profile.clone_from(profile);
                connected.flags = selection.flags_again();
                connected
            }
        });
    }
    Ok(connected)
}

/// Sets up a provider from its values. Sends nothing.
pub(crate) fn vendor(layers: &Layered) -> Result<Connected, Failure> {
    vendor_from(layers, layers.config()?)
}

/// The same, and the HTTP client that the provider sends its requests with.
pub(crate) fn vendor_and_client(layers: &Layered) -> Result<(Connected, reqwest::Client), Failure> {
    let config = layers.config()?;
    let client = config.clone();
    let connected = vendor_from(layers, config)?;
    Ok((connected, client.http_client()?))
}

fn vendor_from(layers: &Layered, config: ProviderConfig) -> Result<Connected, Failure> {
    let rate = RateWatch::default();
    let provider = config.build_observed(rate.observer()).map_err(|error| {
        // The library does not know who said what it refuses.
        let source = layers.source_of("base_url");
        match source
            .filter(|_| error.kind() == ErrorKind::Config && error.subject() == Some("base URL"))
        {
            Some(source) => {
                let subject = format!("base URL ({source})");
                Failure::from(error.with_subject(subject))
            }
            None => Failure::from(error),
        }
    })?;
    Ok(Connected {
        label: layers.kind.to_string(),
        profile: None,
        flags: String::new(),
        account: layers.account(),
        rate,
        #[cfg(feature = "sql")]
        organization_id: layers.text_of("organization_id").map(str::to_owned),
        provider,
        _sandbox: None,
    })
}

fn which_provider(selection: &Selection) -> String {
    let profiles = selection
        .file
        .as_ref()
        .filter(|file| !file.profiles.is_empty());
    let profiles = profiles.map_or_else(String::new, |file| {
        let names: Vec<&str> = file.profiles.keys().map(String::as_str).collect();
        let (path, names) = (file.path.display(), names.join(", "));
        format!("\n  or choose a profile of {path} with --profile: {names}")
    });
    format!(
        "which provider?\nhint: give `--provider confluent` or `--provider clickhouse`, or set \
         ORG_INVITATIONS_PROVIDER{profiles}\n  the credentials are CONFLUENT_CLOUD_API_KEY and \
         CONFLUENT_CLOUD_API_SECRET, or CLICKHOUSE_ORG_ID, CLICKHOUSE_CLOUD_API_KEY and\n  \
         CLICKHOUSE_CLOUD_API_SECRET, or a profile: see `org-invitations --help`\n  without an \
         account, try `org-invitations demo`"
    )
}

async fn sandbox() -> Result<Connected, Failure> {
    let sandbox = Sandbox::start().await.map_err(Failure::no_sandbox)?;
    let key = &sandbox.credentials().confluent;
    let provider = Confluent::builder()
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url())
        .build()?;
    Ok(Connected {
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
