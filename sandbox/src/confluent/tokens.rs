//! The subject tokens that the token exchange accepts, and the access tokens that it issues.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::config::StsSettings;
use crate::jwt;

/// Lifetime of a token of the sandbox's identity provider.
pub(crate) const SUBJECT_TOKEN_LIFETIME_SECONDS: u32 = 3600;
/// Number of stored tokens from which a new one drops the expired ones.
const PRUNE_THRESHOLD: usize = 10_000;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct TokenStore {
    settings: StsSettings,
    default_subject_token: String,
    /// Expiry of each token of the identity provider.
    subject_tokens: HashMap<String, DateTime<Utc>>,
    subject_tokens_issued: u64,
    access_tokens: HashMap<String, IssuedToken>,
}

/// An access token.
#[derive(Debug, Serialize, Deserialize)]
struct IssuedToken {
    pool: String,
    expires_at: DateTime<Utc>,
}

/// Whether an access token is valid.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TokenState<'a> {
    Valid {
        /// The id of the identity pool that the token acts for.
        pool: &'a str,
    },
    Expired,
    Unknown,
}

impl TokenStore {
    pub(super) fn new(default_subject_token: String) -> Self {
        Self {
            default_subject_token,
            ..Self::default()
        }
    }

    /// Forgets every token.
    pub(super) fn reset(&mut self, settings: StsSettings) {
        *self = Self {
            settings,
            default_subject_token: std::mem::take(&mut self.default_subject_token),
            ..Self::default()
        };
    }

    pub(crate) fn set(&mut self, settings: StsSettings) {
        self.settings = settings;
    }

    pub(crate) fn settings(&self) -> &StsSettings {
        &self.settings
    }

    pub(crate) fn subject_tokens_issued(&self) -> u64 {
        self.subject_tokens_issued
    }

    /// Issues a token of the identity provider.
    pub(crate) fn issue_subject_token(&mut self, client: &str, now: DateTime<Utc>) -> String {
        let (token, expires_at) = new_token(client, SUBJECT_TOKEN_LIFETIME_SECONDS, now);
        if self.subject_tokens.len() >= PRUNE_THRESHOLD {
            self.subject_tokens
                .retain(|_, expires_at| *expires_at > now);
        }
        self.subject_tokens.insert(token.clone(), expires_at);
        self.subject_tokens_issued += 1;
        token
    }

    /// Whether the exchange accepts a subject token, for a pool that may have its own list of them.
    pub(super) fn accepts_subject_token(
        &self,
        token: &str,
        of_pool: Option<&[String]>,
        now: DateTime<Utc>,
    ) -> bool {
        let listed = match of_pool.or(self.settings.subject_tokens.as_deref()) {
            Some(tokens) => tokens.iter().any(|accepted| accepted == token),
            None => token == self.default_subject_token,
        };
        let expires_at = self.subject_tokens.get(token);
        listed || expires_at.is_some_and(|expires_at| *expires_at > now)
    }

    /// Issues an access token and returns it with its lifetime in seconds.
    pub(super) fn issue_access_token(
        &mut self,
        pool: &str,
        requested_seconds: u32,
        now: DateTime<Utc>,
    ) -> (String, u32) {
        let cap = self.settings.lifetime_seconds.unwrap_or(requested_seconds);
        let seconds = requested_seconds.min(cap);
        let (token, expires_at) = new_token(pool, seconds, now);
        if self.access_tokens.len() >= PRUNE_THRESHOLD {
            self.access_tokens.retain(|_, it| it.expires_at > now);
        }
        let pool = pool.to_owned();
        let issued = IssuedToken { pool, expires_at };
        self.access_tokens.insert(token.clone(), issued);
        (token, seconds)
    }

    pub(super) fn state(&self, access_token: &str, now: DateTime<Utc>) -> TokenState<'_> {
        match self.access_tokens.get(access_token) {
            None => TokenState::Unknown,
            Some(issued) if issued.expires_at <= now => TokenState::Expired,
            Some(issued) => TokenState::Valid { pool: &issued.pool },
        }
    }
}

fn new_token(subject: &str, seconds: u32, now: DateTime<Utc>) -> (String, DateTime<Utc>) {
    let expires_at = now + TimeDelta::seconds(seconds.into());
    let token = jwt::unsigned(&json!({
        "sub": subject,
        "iat": now.timestamp(),
        "exp": expires_at.timestamp(),
    }));
    (token, expires_at)
}
