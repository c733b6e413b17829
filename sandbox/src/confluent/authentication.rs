//! Who sends a request, by its credentials.

use axum::http::HeaderMap;
use chrono::{DateTime, Utc};

use super::accounts::{Caller, find_pool};
use super::tokens::TokenState;
use super::{Confluent, error};
use crate::auth::PresentedCredentials;
use crate::error::ApiError;

/// A credential's kind, and a name that is not secret.
type CredentialName<'a> = (&'static str, &'a str);

impl Confluent {
    /// The caller behind a request's credentials.
    pub(super) fn authenticate(
        &self,
        headers: &HeaderMap,
        now: DateTime<Utc>,
    ) -> Result<&Caller, ApiError> {
        self.identify(headers, now).map(|(caller, _)| caller)
    }

    /// The key under which a rate limit counts a request; `None` without valid credentials.
    pub(crate) fn rate_limit_key(&self, headers: &HeaderMap, now: DateTime<Utc>) -> Option<String> {
        let (_, (kind, name)) = self.identify(headers, now).ok()?;
        Some(format!("{kind} {name}"))
    }

    fn identify(
        &self,
        headers: &HeaderMap,
        now: DateTime<Utc>,
    ) -> Result<(&Caller, CredentialName<'_>), ApiError> {
        let presented = PresentedCredentials::from_headers(headers);
        let keys = self.organizations.iter().flat_map(|it| &it.keys);
        let mut keys = keys.filter(|key| key.authenticates());
        match &presented {
            PresentedCredentials::Missing => {}
            PresentedCredentials::Basic { key, secret } => {
                let found = keys.find(|it| it.api_key == *key && it.api_secret == *secret);
                if let Some(found) = found {
                    return Ok((&found.caller, ("key", &found.api_key)));
                }
            }
            PresentedCredentials::Bearer(token) => {
                let found = keys.find(|it| it.access_token.as_ref() == Some(token));
                if let Some(found) = found {
                    return Ok((&found.caller, ("token of", &found.api_key)));
                }
                match self.tokens.state(token, now) {
                    TokenState::Valid { pool } => {
                        if let Some(found) = find_pool(&self.organizations, pool) {
                            return Ok((&found.caller, ("pool", &found.id)));
                        }
                    }
                    TokenState::Expired => return Err(error::expired_token()),
                    TokenState::Unknown => {}
                }
            }
        }
        Err(error::unauthenticated(&presented))
    }
}
