//! The `Authorization` header: fixed, or made from a cached token that is refreshed before it expires.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use reqwest::header::HeaderValue;
use tokio::{sync::watch, time::Instant};
use tracing::{Instrument, Span};

use crate::http::{
    CredentialProvider, Credentials, Interceptors, Redactor, RefreshEvent, TransportError,
    TransportErrorKind, timeout::MAX_TIMEOUT,
};

#[cfg(test)]
mod tests;

/// Tokens are refreshed this long before they expire, or after half their lifetime if that is later.
const REFRESH_SLACK: Duration = Duration::from_secs(60);

/// The longest lifetime of a cached token, whatever the service says.
const MAX_LIFETIME: Duration = Duration::from_secs(3_600);

/// How long a failed fetch answers further calls, unless the service asks for longer.
const MIN_HOLD_OFF: Duration = Duration::from_secs(1);

/// The longest hold-off that the service may ask for.
const MAX_HOLD_OFF: Duration = Duration::from_secs(30);

/// A source of tokens.
#[async_trait]
pub(crate) trait TokenProvider: Send + Sync {
    /// Fetches a fresh token. The error has the provider's own error as its source.
    async fn fetch(&self) -> Result<Token, TransportError>;

    /// The error for a token that cannot be used, or whose fetch was cancelled.
    fn token_error(&self, why: &str) -> TransportError;

    /// The delay that the service asked for with this failure, or zero; `None` if the next call may fetch at once,
    /// because nothing was sent.
    fn hold_off(&self, error: &TransportError) -> Option<Duration>;
}

/// What the caller's own source issues.
#[async_trait]
impl TokenProvider for Arc<dyn CredentialProvider> {
    async fn fetch(&self) -> Result<Token, TransportError> {
        let issued = self.credentials().await.map_err(|error| {
            let message = "the credential provider has no credentials";
            TransportError::new(TransportErrorKind::Credentials, message).with_source(error)
        })?;
        Ok(Token {
            credentials: issued.credentials,
            lifetime: issued.lifetime.unwrap_or(MAX_LIFETIME),
        })
    }

    fn token_error(&self, why: &str) -> TransportError {
        TransportError::new(TransportErrorKind::Credentials, why)
    }

    fn hold_off(&self, _error: &TransportError) -> Option<Duration> {
        Some(Duration::ZERO)
    }
}

/// A token as it was issued.
pub(crate) struct Token {
    pub credentials: Credentials,
    pub lifetime: Duration,
}

/// How a client authenticates.
pub(crate) enum Authorization {
    /// No header. Secrets in the request are registered with the redactor.
    None(Redactor),
    /// With the end of the credentials, if they have one.
    Fixed(HeaderValue, Redactor, Option<Instant>),
    Refreshed(Arc<TokenCache>),
}

/// Caches the token of a provider.
///
/// Callers get a valid token at once, also while it is refreshed. Without one, all callers wait for the same fetch and
/// get its token or its error. The fetch is a task of its own, so it does not end with the call that started it.
pub(crate) struct TokenCache {
    provider: Arc<dyn TokenProvider>,
    redactor: Redactor,
    state: Mutex<CacheState>,
    /// The provider's name, and who is told of each fetch.
    reported_to: OnceLock<(&'static str, Interceptors)>,
}

#[derive(Default)]
struct CacheState {
    cached: Option<CachedToken>,
    /// The error of the latest fetch, and until when callers get it without another fetch.
    failed: Option<(TransportError, Instant)>,
    fetch: Option<InFlightFetch>,
}

struct CachedToken {
    header: HeaderValue,
    refresh_at: Instant,
    expires_at: Instant,
}

/// The outcome of a fetch, once it is complete.
type InFlightFetch = watch::Receiver<Option<Result<HeaderValue, TransportError>>>;

enum Lookup {
    Valid(HeaderValue),
    Failed(TransportError),
    Wait(InFlightFetch),
}

impl Authorization {
    pub fn none() -> Self {
        Self::None(Redactor::default())
    }

    /// # Errors
    ///
    /// No header can hold the credentials.
    pub fn fixed(
        credentials: &Credentials,
        lifetime: Option<Duration>,
    ) -> Result<Self, crate::http::SetupError> {
        let redactor = Redactor::default();
        let header = credentials.authorization(&redactor)?;
        let end = lifetime.map(|lifetime| Instant::now() + lifetime.min(MAX_TIMEOUT));
        Ok(Self::Fixed(header, redactor, end))
    }

    pub fn refreshed(provider: Arc<dyn TokenProvider>) -> Self {
        Self::Refreshed(Arc::new(TokenCache {
            provider,
            redactor: Redactor::default(),
            state: Mutex::default(),
            reported_to: OnceLock::new(),
        }))
    }

    /// The header to send; fetches a token if there is no valid one.
    ///
    /// # Errors
    ///
    /// Those of the token provider, or the credentials have ended.
    pub async fn header(&self) -> Result<Option<HeaderValue>, TransportError> {
        match self {
            Self::None(_) => Ok(None),
            Self::Fixed(_, _, Some(end)) if *end <= Instant::now() => Err(expired()),
            Self::Fixed(header, ..) => Ok(Some(header.clone())),
            Self::Refreshed(cache) => cache.header().await.map(Some),
        }
    }

    /// Waits until [`header`](Self::header) returns at once.
    ///
    /// # Errors
    ///
    /// Those of [`header`](Self::header).
    pub async fn ready(&self) -> Result<(), TransportError> {
        match self {
            Self::Fixed(_, _, Some(end)) if *end <= Instant::now() => Err(expired()),
            Self::None(_) | Self::Fixed(..) => Ok(()),
            Self::Refreshed(cache) => cache.header().await.map(drop),
        }
    }

    /// The redactor that knows the secrets of the requests.
    pub fn redactor(&self) -> &Redactor {
        match self {
            Self::None(redactor) | Self::Fixed(_, redactor, _) => redactor,
            Self::Refreshed(cache) => &cache.redactor,
        }
    }

    /// Whether a rejected header can be replaced.
    pub fn is_renewable(&self) -> bool {
        matches!(self, Self::Refreshed(_))
    }

    /// Invalidates the cached token if it is the one that the server rejected.
    pub fn invalidate(&self, header: Option<&HeaderValue>) {
        if let Self::Refreshed(cache) = self {
            // Another call may have refreshed it meanwhile.
            cache
                .lock()
                .cached
                .take_if(|cached| Some(&cached.header) == header);
        }
    }
}

fn expired() -> TransportError {
    let message = "the credentials have expired; build a provider with new ones";
    TransportError::new(TransportErrorKind::CredentialsExpired, message)
}

/// Shows no secret.
impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None(_) => "None",
            Self::Fixed(..) => "Fixed([REDACTED])",
            Self::Refreshed(_) => "Refreshed([REDACTED])",
        })
    }
}

impl TokenCache {
    /// Tells these interceptors of each fetch.
    pub fn report_to(&self, provider: &'static str, interceptors: &Interceptors) {
        if !interceptors.is_empty() {
            // One client has the cache, and sets it once.
            let _ = self.reported_to.set((provider, interceptors.clone()));
        }
    }

    async fn header(self: &Arc<Self>) -> Result<HeaderValue, TransportError> {
        // A fetch is cancelled with the runtime that it started on; it then starts again on this one.
        for _ in 0..2 {
            let mut fetch = match self.lookup() {
                Lookup::Valid(header) => return Ok(header),
                Lookup::Failed(error) => return Err(error),
                Lookup::Wait(fetch) => fetch,
            };
            if let Ok(outcome) = fetch.wait_for(Option::is_some).await
                && let Some(outcome) = &*outcome
            {
                return outcome.clone();
            }
        }
        let cut_off = "the token request was cancelled; try again";
        Err(self.provider.token_error(cut_off))
    }

    fn lookup(self: &Arc<Self>) -> Lookup {
        let now = Instant::now();
        let mut state = self.lock();
        if let Some(cached) = &state.cached
            && now < cached.expires_at
        {
            let header = cached.header.clone();
            if now >= cached.refresh_at {
                self.start_fetch(&mut state, Span::none());
            }
            return Lookup::Valid(header);
        }
        match &state.failed {
            Some((error, until)) if now < *until => Lookup::Failed(error.clone()),
            _ => Lookup::Wait(self.start_fetch(&mut state, Span::current())),
        }
    }

    /// The fetch in flight, or a new one.
    fn start_fetch(self: &Arc<Self>, state: &mut CacheState, span: Span) -> InFlightFetch {
        let in_flight = |fetch: &&InFlightFetch| fetch.has_changed().is_ok();
        if let Some(fetch) = state.fetch.as_ref().filter(in_flight) {
            return fetch.clone();
        }
        let (sender, fetch) = watch::channel(None);
        let cache = Arc::clone(self);
        let work = async move {
            // The lifetime counts from the request at the earliest.
            let requested_at = Instant::now();
            let fetched = cache.provider.fetch().await;
            sender.send_replace(Some(cache.complete_fetch(requested_at, fetched)));
        };
        tokio::spawn(work.instrument(span));
        state.fetch = Some(fetch.clone());
        fetch
    }

    fn complete_fetch(
        &self,
        requested_at: Instant,
        fetched: Result<Token, TransportError>,
    ) -> Result<HeaderValue, TransportError> {
        let cached = fetched.and_then(|token| self.cached_token(requested_at, &token));
        if let Some((provider, interceptors)) = self.reported_to.get() {
            let event = RefreshEvent {
                provider,
                elapsed: requested_at.elapsed(),
                error: cached.as_ref().err(),
            };
            for interceptor in interceptors {
                interceptor.after_refresh(&event);
            }
        }
        let mut state = self.lock();
        let state = &mut *state;
        state.fetch = None;
        match cached {
            Ok(cached) => {
                let header = cached.header.clone();
                state.cached = Some(cached);
                state.failed = None;
                Ok(header)
            }
            Err(error) => {
                let now = Instant::now();
                if let Some(cached) = &mut state.cached {
                    // The old token is still valid, which leaves time for four or more attempts.
                    let left = cached.expires_at.saturating_duration_since(now);
                    cached.refresh_at = now + left / 4;
                }
                let hold_off = self.provider.hold_off(&error);
                state.failed = hold_off.map(|asked_for| {
                    let pause = asked_for.clamp(MIN_HOLD_OFF, MAX_HOLD_OFF);
                    (error.clone(), now + pause)
                });
                Err(error)
            }
        }
    }

    fn cached_token(
        &self,
        requested_at: Instant,
        token: &Token,
    ) -> Result<CachedToken, TransportError> {
        let header = token.credentials.authorization(&self.redactor);
        let header = header.map_err(|error| {
            let message = error.to_string();
            TransportError::new(TransportErrorKind::Credentials, message).with_source(error)
        })?;
        let lifetime = token.lifetime.min(MAX_LIFETIME);
        let expires_at = requested_at + lifetime;
        if expires_at <= Instant::now() {
            let late = "the token expired before it arrived; request a longer lifetime";
            return Err(self.provider.token_error(late));
        }
        Ok(CachedToken {
            header,
            refresh_at: expires_at - REFRESH_SLACK.min(lifetime / 2),
            expires_at,
        })
    }

    fn lock(&self) -> MutexGuard<'_, CacheState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
