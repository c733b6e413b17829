//! The tokens of Confluent's token exchange: those it takes and those it gives.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::jwt;

/// How long a token of the identity provider is good.
pub(crate) const SUBJECT_LIFETIME_SECONDS: u32 = 3600;
/// With so many tokens kept, those long expired are forgotten.
const PRUNE_THRESHOLD: usize = 10_000;

/// What Confluent's token exchange accepts, and how it answers.
///
/// In JSON `{"subject_tokens": ["…"], "expires_in_as_text": true, "lifetime_seconds": 60}`, each of which may be
/// left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct StsSettings {
    /// The subject tokens to accept, besides those of the identity provider at `/_sandbox/idp/token`. Default
    /// the one of [`Credentials::subject_token`](crate::Credentials::subject_token).
    pub subject_tokens: Option<Vec<String>>,
    /// Whether `expires_in` is answered as a JSON string. Default `false`.
    pub expires_in_as_text: bool,
    /// The longest lifetime issued, whatever is asked for. Default 900.
    pub lifetime_seconds: Option<u32>,
}

impl StsSettings {
    /// Accepts these subject tokens in place of the default one.
    #[must_use]
    pub fn with_subject_tokens<T: Into<String>>(
        mut self,
        tokens: impl IntoIterator<Item = T>,
    ) -> Self {
        self.subject_tokens = Some(tokens.into_iter().map(Into::into).collect());
        self
    }

    /// Answers `expires_in` as a JSON string.
    #[must_use]
    pub fn with_expires_in_as_text(mut self) -> Self {
        self.expires_in_as_text = true;
        self
    }

    /// Gives no token a longer lifetime than this.
    #[must_use]
    pub fn with_lifetime_seconds(mut self, seconds: u32) -> Self {
        self.lifetime_seconds = Some(seconds);
        self
    }
}

#[derive(Debug, Default)]
pub(crate) struct TokenStore {
    settings: StsSettings,
    default_subject: String,
    /// When those of the identity provider expire.
    subjects: HashMap<String, DateTime<Utc>>,
    subjects_issued: u64,
    issued: HashMap<String, IssuedToken>,
}

/// An access token.
#[derive(Debug)]
struct IssuedToken {
    pool: String,
    expires_at: DateTime<Utc>,
}

/// What is known of an access token.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// With the identity pool whose access it gives.
    Good(&'a str),
    Expired,
    Unknown,
}

impl TokenStore {
    pub(crate) fn new(default_subject: String) -> Self {
        Self {
            default_subject,
            ..Self::default()
        }
    }

    pub(crate) fn set(&mut self, settings: StsSettings) {
        self.settings = settings;
    }

    pub(crate) fn settings(&self) -> &StsSettings {
        &self.settings
    }

    pub(crate) fn subjects_issued(&self) -> u64 {
        self.subjects_issued
    }

    /// A new token of the identity provider.
    pub(crate) fn issue_subject(&mut self, client: &str, now: DateTime<Utc>) -> String {
        let expires_at = now + TimeDelta::seconds(SUBJECT_LIFETIME_SECONDS.into());
        let token = jwt::unsigned(&json!({
            "sub": client,
            "iat": now.timestamp(),
            "exp": expires_at.timestamp(),
        }));
        if self.subjects.len() >= PRUNE_THRESHOLD {
            self.subjects.retain(|_, expires_at| *expires_at > now);
        }
        self.subjects.insert(token.clone(), expires_at);
        self.subjects_issued += 1;
        token
    }

    /// Whether the exchange takes this token now, for a pool that may have tokens of its own.
    pub(crate) fn accepts_subject(
        &self,
        token: &str,
        of_pool: Option<&[String]>,
        now: DateTime<Utc>,
    ) -> bool {
        let listed = match of_pool.or(self.settings.subject_tokens.as_deref()) {
            Some(tokens) => tokens.iter().any(|accepted| accepted == token),
            None => token == self.default_subject,
        };
        let expires_at = self.subjects.get(token);
        listed || expires_at.is_some_and(|expires_at| *expires_at > now)
    }

    /// A new access token, with its lifetime in seconds.
    pub(crate) fn issue(
        &mut self,
        pool: &str,
        wanted_seconds: u32,
        now: DateTime<Utc>,
    ) -> (String, u32) {
        let longest = self.settings.lifetime_seconds.unwrap_or(wanted_seconds);
        let seconds = wanted_seconds.min(longest);
        let expires_at = now + TimeDelta::seconds(seconds.into());
        let token = jwt::unsigned(&json!({
            "sub": pool,
            "iat": now.timestamp(),
            "exp": expires_at.timestamp(),
        }));
        if self.issued.len() >= PRUNE_THRESHOLD {
            self.issued.retain(|_, issued| issued.expires_at > now);
        }
        let pool = pool.to_owned();
        self.issued
            .insert(token.clone(), IssuedToken { pool, expires_at });
        (token, seconds)
    }

    pub(crate) fn find(&self, token: &str, now: DateTime<Utc>) -> Found<'_> {
        match self.issued.get(token) {
            None => Found::Unknown,
            Some(issued) if issued.expires_at <= now => Found::Expired,
            Some(issued) => Found::Good(&issued.pool),
        }
    }
}
