//! The credentials of a service and the `Authorization` header made from them.

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::http::{Redactor, SetupError};

/// The credentials of a provider. `Debug` shows no secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credentials {
    /// An API key and its secret, sent as HTTP Basic.
    ApiKey {
        /// The id of the key.
        id: String,
        /// The secret of the key.
        secret: SecretString,
    },
    /// An access token, sent as HTTP Bearer.
    Bearer(SecretString),
}

impl Credentials {
    /// Authenticates with an API key and its secret.
    pub fn api_key(id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        Self::ApiKey {
            id: id.into(),
            secret: secret.into(),
        }
    }

    /// Authenticates with an access token.
    pub fn bearer(token: impl Into<SecretString>) -> Self {
        Self::Bearer(token.into())
    }

    /// The value of the `Authorization` header, marked as sensitive; its secrets are registered with
    /// `redactor`.
    ///
    /// # Errors
    ///
    /// A part of the credentials is empty or does not fit into a header.
    pub(crate) fn authorization(&self, redactor: &Redactor) -> Result<HeaderValue, SetupError> {
        let text = match self {
            Self::ApiKey { id, .. } if id.is_empty() => {
                return Err(invalid("the id of the API key is empty"));
            }
            Self::ApiKey { secret, .. } if secret.expose_secret().is_empty() => {
                return Err(invalid("the secret of the API key is empty"));
            }
            Self::Bearer(token) if token.expose_secret().is_empty() => {
                return Err(invalid("the token is empty"));
            }
            Self::ApiKey { id, .. } if id.contains(':') => {
                return Err(invalid("the id of an API key has no colon"));
            }
            Self::ApiKey { id, secret } => {
                let secret = secret.expose_secret();
                let pair = BASE64_STANDARD.encode(format!("{id}:{secret}"));
                redactor.register_secret(secret);
                redactor.register_secret(&pair);
                format!("Basic {pair}")
            }
            Self::Bearer(token) => {
                redactor.register_secret(token.expose_secret());
                format!("Bearer {}", token.expose_secret())
            }
        };
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| invalid("the token has characters that no header can hold"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

fn invalid(wrong: &str) -> SetupError {
    SetupError::new(wrong).about("credentials")
}
