//! What goes into the `Authorization` header: fixed, or a token that is renewed before it expires.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use reqwest::header::HeaderValue;
use tokio::{sync::watch, time::Instant};
use tracing::{Instrument, Span};

use crate::{
    client::{Credentials, secrets::Secrets},
    error::{Error, ErrorKind, Result},
};

#[cfg(test)]
mod tests;

/// Tokens are renewed this long before they expire, or after half their life if that is later.
const RENEW_AHEAD: Duration = Duration::from_secs(60);

/// A token that claims to live longer is renewed all the same.
const LONGEST_LIFE: Duration = Duration::from_secs(3_600);

/// A failure answers for this long to whoever needs a token, or as long as the service asks for.
const REMEMBER_FAILURE: Duration = Duration::from_secs(1);

/// However long the service asks for.
const LONGEST_FAILURE: Duration = Duration::from_secs(30);

/// Where tokens come from.
#[async_trait]
pub(crate) trait TokenSource: Send + Sync {
    /// A fresh token.
    async fn fetch(&self) -> Result<Token>;

    /// An error for a token that was asked for and cannot be used.
    fn unusable(&self, why: &str) -> Error;
}

/// A token as it was issued.
pub(crate) struct Token {
    pub credentials: Credentials,
    pub lifetime: Duration,
}

/// How a connection authenticates.
pub(crate) enum Authorization {
    /// Not by a header; what is sent in its place is to be [concealed](Authorization::conceal).
    None(Secrets),
    Fixed(HeaderValue, Secrets),
    Renewed(Arc<Renewed>),
}

/// A token and its source.
///
/// A token that is good serves whoever asks; nobody waits for its renewal. Once there is none, everybody
/// waits for one and the same fetch, and gets its token or its error. The fetch is a task of its own, so
/// that it does not end with the call that began it.
pub(crate) struct Renewed {
    source: Arc<dyn TokenSource>,
    secrets: Secrets,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Option<Current>,
    /// What the latest fetch failed with, and until when that answers for the next.
    failed: Option<(Error, Instant)>,
    fetching: Option<Fetching>,
}

struct Current {
    header: HeaderValue,
    renew_at: Instant,
    expires_at: Instant,
}

/// Tells how a fetch ended.
type Fetching = watch::Receiver<Option<Result<HeaderValue>>>;

/// What there is now.
enum Now {
    Good(HeaderValue),
    Failed(Error),
    Wait(Fetching),
}

impl Authorization {
    pub fn none() -> Self {
        Self::None(Secrets::default())
    }

    /// # Errors
    ///
    /// `Config`, when no header can hold the credentials.
    pub fn fixed(credentials: &Credentials) -> Result<Self> {
        let secrets = Secrets::default();
        let header = credentials.authorization(&secrets)?;
        Ok(Self::Fixed(header, secrets))
    }

    pub fn renewed(source: Arc<dyn TokenSource>) -> Self {
        Self::Renewed(Arc::new(Renewed {
            source,
            secrets: Secrets::default(),
            state: Mutex::default(),
        }))
    }

    /// The header to send now, fetching a token first where that is needed.
    ///
    /// # Errors
    ///
    /// Those of the source, when there is no token that is still good.
    pub async fn header(&self) -> Result<Option<HeaderValue>> {
        match self {
            Self::None(_) => Ok(None),
            Self::Fixed(header, _) => Ok(Some(header.clone())),
            Self::Renewed(renewed) => renewed.header().await.map(Some),
        }
    }

    /// Hides a secret that is sent otherwise than in the header.
    pub fn conceal(&self, secret: &str) {
        self.secrets().remember(secret);
    }

    /// A text without the secrets that were sent: some servers repeat them.
    pub fn redact(&self, text: &str) -> String {
        self.secrets().redact(text)
    }

    /// Takes in that the server refused `header`; true when another one can be had.
    pub fn refused(&self, header: Option<&HeaderValue>) -> bool {
        let Self::Renewed(renewed) = self else {
            return false;
        };
        let mut state = renewed.lock();
        // Somebody else may have renewed it meanwhile.
        state
            .current
            .take_if(|current| Some(&current.header) == header);
        true
    }

    fn secrets(&self) -> &Secrets {
        match self {
            Self::None(secrets) | Self::Fixed(_, secrets) => secrets,
            Self::Renewed(renewed) => &renewed.secrets,
        }
    }
}

impl Renewed {
    async fn header(self: &Arc<Self>) -> Result<HeaderValue> {
        // A fetch is cut off when the runtime that it was begun on ends; then it is begun again on this.
        for _ in 0..2 {
            let mut fetching = match self.now() {
                Now::Good(header) => return Ok(header),
                Now::Failed(error) => return Err(error),
                Now::Wait(fetching) => fetching,
            };
            if let Ok(outcome) = fetching.wait_for(Option::is_some).await
                && let Some(outcome) = &*outcome
            {
                return outcome.clone();
            }
        }
        let cut_off = "asking for a token was cut off; try again";
        Err(self.source.unusable(cut_off))
    }

    fn now(self: &Arc<Self>) -> Now {
        let now = Instant::now();
        let mut state = self.lock();
        if let Some(current) = &state.current
            && now < current.expires_at
        {
            let header = current.header.clone();
            if now >= current.renew_at {
                self.fetch(&mut state, Span::none());
            }
            return Now::Good(header);
        }
        match &state.failed {
            Some((error, until)) if now < *until => Now::Failed(error.clone()),
            _ => Now::Wait(self.fetch(&mut state, Span::current())),
        }
    }

    /// The fetch that is under way, or one that is begun.
    fn fetch(self: &Arc<Self>, state: &mut State, span: Span) -> Fetching {
        let under_way = |fetching: &&Fetching| fetching.has_changed().is_ok();
        if let Some(fetching) = state.fetching.as_ref().filter(under_way) {
            return fetching.clone();
        }
        let (tell, fetching) = watch::channel(None);
        let renewed = Arc::clone(self);
        let work = async move {
            // Its life begins at the earliest when it is asked for.
            let asked = Instant::now();
            let fetched = renewed.source.fetch().await;
            tell.send_replace(Some(renewed.fetched(asked, fetched)));
        };
        tokio::spawn(work.instrument(span));
        state.fetching = Some(fetching.clone());
        fetching
    }

    fn fetched(&self, asked: Instant, fetched: Result<Token>) -> Result<HeaderValue> {
        let current = fetched.and_then(|token| self.good(asked, &token));
        let mut state = self.lock();
        let state = &mut *state;
        state.fetching = None;
        match current {
            Ok(current) => {
                let header = current.header.clone();
                state.current = Some(current);
                state.failed = None;
                Ok(header)
            }
            Err(error) => {
                let now = Instant::now();
                if let Some(current) = &mut state.current {
                    // It still serves, so there is time: four or more tries until it expires.
                    let left = current.expires_at.saturating_duration_since(now);
                    current.renew_at = now + left / 4;
                }
                // What is not set up right is not asked for, so asking again harms nobody.
                state.failed = (error.kind() != ErrorKind::Config).then(|| {
                    let asked_for = error.retry_after().unwrap_or_default();
                    let pause = asked_for.clamp(REMEMBER_FAILURE, LONGEST_FAILURE);
                    (error.clone(), now + pause)
                });
                Err(error)
            }
        }
    }

    fn good(&self, asked: Instant, token: &Token) -> Result<Current> {
        let header = token.credentials.authorization(&self.secrets)?;
        let lifetime = token.lifetime.min(LONGEST_LIFE);
        let expires_at = asked + lifetime;
        if expires_at <= Instant::now() {
            let late = "the token expired before it arrived; ask for one that lives longer";
            return Err(self.source.unusable(late));
        }
        Ok(Current {
            header,
            renew_at: expires_at - RENEW_AHEAD.min(lifetime / 2),
            expires_at,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
