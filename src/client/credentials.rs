//! What a request is authenticated with.

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    client::secrets::Secrets,
    error::{Error, ErrorKind, Operation, Result},
};

/// What a provider's requests are authenticated with. `Debug` shows no secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credentials {
    /// A key and its secret, sent as HTTP Basic.
    ApiKey {
        /// The id of the key.
        id: String,
        /// Its secret.
        secret: SecretString,
    },
    /// A token, sent as HTTP Bearer.
    Bearer(SecretString),
}

impl Credentials {
    /// A key and its secret.
    pub fn api_key(id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        Self::ApiKey {
            id: id.into(),
            secret: secret.into(),
        }
    }

    /// A token.
    pub fn bearer(token: impl Into<SecretString>) -> Self {
        Self::Bearer(token.into())
    }

    /// The value of the `Authorization` header, marked so that nothing prints it; what is secret in it
    /// is added to `secrets`.
    pub(crate) fn authorization(&self, secrets: &Secrets) -> Result<HeaderValue> {
        let text = match self {
            Self::ApiKey { id, .. } if id.is_empty() => {
                return Err(refuse("the id of the API key is empty"));
            }
            Self::ApiKey { secret, .. } if secret.expose_secret().is_empty() => {
                return Err(refuse("the secret of the API key is empty"));
            }
            Self::Bearer(token) if token.expose_secret().is_empty() => {
                return Err(refuse("the token is empty"));
            }
            Self::ApiKey { id, .. } if id.contains(':') => {
                return Err(refuse("the id of an API key has no colon"));
            }
            Self::ApiKey { id, secret } => {
                let secret = secret.expose_secret();
                let pair = BASE64_STANDARD.encode(format!("{id}:{secret}"));
                secrets.remember(secret);
                secrets.remember(&pair);
                format!("Basic {pair}")
            }
            Self::Bearer(token) => {
                secrets.remember(token.expose_secret());
                format!("Bearer {}", token.expose_secret())
            }
        };
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| refuse("the token has characters that no header can hold"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

fn refuse(wrong: &str) -> Error {
    Error::new(ErrorKind::Config, Operation::Configure, wrong).with_subject("credentials")
}
