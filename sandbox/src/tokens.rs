//! The tokens of Confluent's token exchange: those it takes and those it gives.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::jwt;

/// How long a token of the identity provider is good.
pub(crate) const SUBJECT_LIFETIME_SECONDS: u32 = 3600;
/// With so many tokens kept, those long expired are forgotten.
const MANY: usize = 10_000;

/// What Confluent's token exchange accepts, and how it answers.
///
/// In JSON `{"subject_tokens": ["…"], "expires_in_as_text": true, "lifetime_seconds": 60}`, each of which may be
/// left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Sts {
    /// The subject tokens to accept, besides those of the identity provider at `/_sandbox/idp/token`. Default
    /// the one of [`Credentials::subject_token`](crate::Credentials::subject_token).
    pub subject_tokens: Option<Vec<String>>,
    /// Whether `expires_in` is answered as a JSON string. Default `false`.
    pub expires_in_as_text: bool,
    /// The longest lifetime given, whatever is asked for. Default 900.
    pub lifetime_seconds: Option<u32>,
}

impl Sts {
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
pub(crate) struct Tokens {
    settings: Sts,
    default_subject: String,
    /// When those of the identity provider expire.
    subjects: HashMap<String, DateTime<Utc>>,
    subjects_issued: u64,
    given: HashMap<String, Given>,
}

/// An access token.
#[derive(Debug)]
struct Given {
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

impl Tokens {
    pub(crate) fn new(default_subject: String) -> Self {
        Self {
            default_subject,
            ..Self::default()
        }
    }

    pub(crate) fn set(&mut self, settings: Sts) {
        self.settings = settings;
    }

    pub(crate) fn settings(&self) -> &Sts {
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
        if self.subjects.len() >= MANY {
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
    pub(crate) fn give(
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
        if self.given.len() >= MANY {
            self.given.retain(|_, given| given.expires_at > now);
        }
        let pool = pool.to_owned();
        self.given.insert(token.clone(), Given { pool, expires_at });
        (token, seconds)
    }

    pub(crate) fn find(&self, token: &str, now: DateTime<Utc>) -> Found<'_> {
        match self.given.get(token) {
            None => Found::Unknown,
            Some(given) if given.expires_at <= now => Found::Expired,
            Some(given) => Found::Good(&given.pool),
        }
    }
}
