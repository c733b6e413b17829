//! Confluent's Security Token Service: an identity provider's token becomes one of Confluent's.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::{
    client::{
        Authorization, Connection, Credentials, Dialect, Endpoint, Reply, Settings, Token,
        TokenSource,
    },
    confluent::{
        Confluent, failure,
        generated_sts::{Client, types},
    },
    error::{Error, ErrorKind, Operation, Result},
};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Access through an identity pool, in place of an API key.
///
/// The token of an identity provider is exchanged for one of Confluent's at
/// `POST /sts/v1/oauth2/token`, renewed a minute before it expires (or at half its life), by one
/// request however many calls are waiting. When it cannot be renewed, calls fail; a token that has
/// expired is never sent. `Debug` shows no secret.
#[derive(Clone, Debug)]
#[must_use]
pub struct StsCredentials {
    identity_pool_id: String,
    subject_token: SubjectToken,
    expires_in: Option<Duration>,
}

/// Where the identity provider's token (a JWT) comes from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SubjectToken {
    /// Always this one.
    Fixed(SecretString),
    /// A file that is read again for each exchange, as for tokens that a platform projects and renews.
    File(PathBuf),
    /// An environment variable, read again for each exchange.
    Variable(String),
    /// A token of the OAuth 2.0 client-credentials grant, asked for at each exchange.
    #[cfg(feature = "oidc")]
    ClientCredentials(crate::ClientCredentials),
}

impl StsCredentials {
    /// Exchanges `subject_token` in the identity pool with this id (`pool-…`).
    pub fn new(identity_pool_id: impl Into<String>, subject_token: SubjectToken) -> Self {
        Self {
            identity_pool_id: identity_pool_id.into(),
            subject_token,
            expires_in: None,
        }
    }

    /// Asks for tokens that live this long. Default and maximum: 15 min, by the vendor's document.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.expires_in = Some(lifetime);
        self
    }

    /// The source of tokens, at the same endpoint as the rest of the API.
    pub(super) fn source(
        self,
        endpoint: &Endpoint,
        settings: &Settings,
    ) -> Result<Arc<dyn TokenSource>> {
        let dialect = Dialect {
            provider: Confluent::NAME,
            published_rate: None,
            request_id: failure::request_id,
            failure: refused,
        };
        let connection = Connection::new(
            dialect,
            endpoint.clone(),
            Authorization::None,
            settings.clone(),
        )?;
        let http = connection.http.clone();
        let api = Client::new_with_client(endpoint.as_base(), http, connection);
        Ok(Arc::new(Exchange {
            api,
            credentials: self,
        }))
    }
}

struct Exchange {
    api: Client,
    credentials: StsCredentials,
}

#[async_trait]
impl TokenSource for Exchange {
    async fn fetch(&self) -> Result<Token> {
        let pool = &self.credentials.identity_pool_id;
        let call = self.api.inner.call(Operation::Authenticate, Some(pool));
        let subject_token = self.credentials.subject_token.read().await?;
        let seconds = |lifetime: Duration| i64::try_from(lifetime.as_secs()).ok();
        let body = types::TokenExchange {
            grant_type: GRANT_TYPE.to_owned(),
            subject_token: subject_token.expose_secret().to_owned(),
            subject_token_type: JWT.to_owned(),
            requested_token_type: ACCESS_TOKEN.to_owned(),
            identity_pool_id: pool.clone(),
            expires_in: self.credentials.expires_in.and_then(seconds),
        };
        let reply = call
            .send(|| self.api.exchange_sts_v1_oauth_token(&body))
            .await?;
        // The body holds a token, so nothing of it goes into an error.
        token(&reply).ok_or_else(|| {
            let why = "the answer to the token exchange has no token or no lifetime";
            call.error_from(&reply, ErrorKind::Decode, why)
        })
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.credentials.fmt(f)
    }
}

/// What the exchange refuses, it refuses for the subject token or the pool.
fn refused(call: &crate::client::Call<'_>, reply: &Reply) -> Error {
    let error = failure::failure(call, reply);
    match error.kind() {
        ErrorKind::InvalidInput | ErrorKind::PermissionDenied | ErrorKind::NotFound => {
            error.with_kind(ErrorKind::Unauthenticated)
        }
        _ => error,
    }
}

fn token(reply: &Reply) -> Option<Token> {
    let reply: types::Token = serde_json::from_slice(&reply.body).ok()?;
    // Documented as a number; a string says the same.
    let seconds = match reply.expires_in? {
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        number => number.as_f64()?,
    };
    Some(Token {
        credentials: Credentials::bearer(reply.access_token?),
        lifetime: Duration::try_from_secs_f64(seconds).ok()?,
    })
}

#[cfg(any(test, fuzzing))]
pub(super) fn decode_anything(reply: &Reply) {
    drop(token(reply));
}

impl SubjectToken {
    async fn read(&self) -> Result<SecretString> {
        let refuse = |what: String| {
            Error::new(ErrorKind::Config, Operation::Authenticate, what)
                .with_provider(Confluent::NAME)
                .with_subject("subject token")
        };
        let text = match self {
            Self::Fixed(token) => return Ok(token.clone()),
            Self::File(path) => std::fs::read_to_string(path).map_err(|error| {
                refuse(format!("cannot read {}", path.display())).with_source(error)
            })?,
            Self::Variable(name) => std::env::var(name)
                .map_err(|_| refuse(format!("the environment variable {name} is not set")))?,
            #[cfg(feature = "oidc")]
            Self::ClientCredentials(client) => return client.fetch().await,
        };
        let token = text.trim();
        if token.is_empty() {
            return Err(refuse("the subject token is empty".to_owned()));
        }
        Ok(token.into())
    }
}
