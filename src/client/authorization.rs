//! What goes into the `Authorization` header: fixed, or a token that is renewed before it expires.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::header::HeaderValue;

use crate::{
    client::Credentials,
    error::{Error, Result},
};

/// Tokens are renewed this long before they expire, or after half their life if that is later.
const RENEW_AHEAD: Duration = Duration::from_secs(60);

/// A token that claims to live longer is renewed all the same.
const LONGEST_LIFE: Duration = Duration::from_secs(7 * 86_400);

/// Where tokens come from.
#[async_trait]
pub(crate) trait TokenSource: fmt::Debug + Send + Sync {
    /// A fresh token.
    async fn fetch(&self) -> Result<Token>;
}

/// A token as it was issued.
pub(crate) struct Token {
    pub credentials: Credentials,
    pub lifetime: Duration,
}

/// How a connection authenticates.
pub(crate) enum Authorization {
    /// Not at all: the exchange of tokens is open.
    None,
    Fixed(HeaderValue),
    Renewed(Renewed),
}

/// A token and its source. Nothing is sent with a token that has expired.
pub(crate) struct Renewed {
    source: Arc<dyn TokenSource>,
    current: Mutex<Option<Current>>,
    /// Held while a token is fetched, so that one request serves everybody who waits.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Current {
    header: HeaderValue,
    renew_at: Instant,
    expires_at: Instant,
}

impl Authorization {
    pub fn renewed(source: Arc<dyn TokenSource>) -> Self {
        Self::Renewed(Renewed {
            source,
            current: Mutex::new(None),
            fetching: tokio::sync::Mutex::new(()),
        })
    }

    /// The header to send now, fetching a token first where that is needed.
    ///
    /// # Errors
    ///
    /// Those of the source, when there is no token that is still good.
    pub async fn header(&self) -> Result<Option<HeaderValue>> {
        match self {
            Self::None => Ok(None),
            Self::Fixed(header) => Ok(Some(header.clone())),
            Self::Renewed(renewed) => renewed.header().await.map(Some),
        }
    }

    /// A text without the secrets that are sent now: some servers repeat what they were sent.
    pub fn redact(&self, text: &str) -> String {
        let header = match self {
            Self::None => None,
            Self::Fixed(header) => Some(header.clone()),
            Self::Renewed(renewed) => renewed
                .lock()
                .as_ref()
                .map(|current| current.header.clone()),
        };
        let Some((_, sent)) = header
            .as_ref()
            .and_then(|header| header.to_str().ok()?.split_once(' '))
        else {
            return text.to_owned();
        };
        let pair = BASE64_STANDARD
            .decode(sent)
            .ok()
            .and_then(|pair| String::from_utf8(pair).ok());
        let secret = pair
            .as_ref()
            .and_then(|pair| pair.split_once(':'))
            .map(|(_, secret)| secret);
        let text = text.replace(sent, "[REDACTED]");
        match secret.filter(|secret| !secret.is_empty()) {
            Some(secret) => text.replace(secret, "[REDACTED]"),
            None => text,
        }
    }

    /// Takes in that the server refused `header`; true when another one can be had.
    pub fn refused(&self, header: Option<&HeaderValue>) -> bool {
        let Self::Renewed(renewed) = self else {
            return false;
        };
        let mut current = renewed.lock();
        // Somebody else may have renewed it meanwhile.
        if current.as_ref().map(|current| &current.header) == header {
            *current = None;
        }
        true
    }
}

impl Renewed {
    async fn header(&self) -> Result<HeaderValue> {
        let now = Instant::now();
        if let Some(current) = self
            .lock()
            .as_ref()
            .filter(|current| now < current.renew_at)
        {
            return Ok(current.header.clone());
        }
        let _fetching = self.fetching.lock().await;
        let now = Instant::now();
        if let Some(current) = self
            .lock()
            .as_ref()
            .filter(|current| now < current.renew_at)
        {
            return Ok(current.header.clone());
        }
        match self.fetch().await {
            Ok(current) => {
                let header = current.header.clone();
                *self.lock() = Some(current);
                Ok(header)
            }
            // Renewing ahead may fail as long as the old one is good.
            Err(error) => {
                let now = Instant::now();
                // Read again: it may have been refused meanwhile.
                let current = self.lock();
                let good = current.as_ref().filter(|current| now < current.expires_at);
                good.map(|current| current.header.clone()).ok_or(error)
            }
        }
    }

    async fn fetch(&self) -> Result<Current, Error> {
        // Its life began at the latest when it was asked for.
        let asked = Instant::now();
        let token = self.source.fetch().await?;
        let lifetime = token.lifetime.min(LONGEST_LIFE);
        let ahead = RENEW_AHEAD.min(lifetime / 2);
        Ok(Current {
            header: token.credentials.authorization()?,
            renew_at: asked + (lifetime - ahead),
            expires_at: asked + lifetime,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Current>> {
        self.current
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
