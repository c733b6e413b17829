//! Confluent's Security Token Service, which exchanges an identity provider's token for one of Confluent's.

use std::{pin::pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use secrecy::ExposeSecret;
use serde_json::Value;
use tracing::Instrument;

use crate::{
    bindings::confluent::{Client, offers, types},
    confluent::{SubjectToken, builder::service, error, subject_token::SubjectTokenProvider},
    error::{Error, ErrorKind, Operation, Result},
    http::{
        Authorization, ClientOptions, Credentials, Endpoint, HttpClient, Reply, Token,
        TokenProvider, TransportError, TransportErrorKind,
    },
    operation::{OperationContext, Success},
};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// The lifetimes of a token that the vendor documents, in seconds.
const LIFETIME_SECONDS: std::ops::RangeInclusive<u64> = 1..=900;

/// Access through an identity pool, in place of an API key. `Debug` shows no secret.
///
/// The provider exchanges the token of an identity provider for one of Confluent's with `POST /sts/v1/oauth2/token`.
///
/// - A token is refreshed one minute before it expires, or after half its lifetime if that is later. Calls continue with
///   the old token meanwhile, and after a failed refresh until it expires. An expired token is never sent.
/// - Without a token, all calls wait for the same exchange, and get its token or its error. An exchange is retried as
///   every call is; its final error answers further calls for one second, or for as long as the service asked (at most
///   30 s). After an error about the subject token, the next call reads the subject token again.
/// - A lifetime counts from the start of the exchange, by a monotonic clock, and is at most one hour.
/// - After a rejected token (401), a call fetches another one and sends the request once more, whatever the
///   [`RetryPolicy`](crate::RetryPolicy) says: a rejected request was not executed.
/// - The exchange has the provider's timeouts, retry policy and interceptors, but not its rate limit.
#[derive(Clone, Debug)]
#[must_use]
pub struct StsCredentials {
    identity_pool_id: String,
    subject_token: SubjectToken,
    expires_in: Option<Duration>,
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

    /// Sets the lifetime of the tokens, in whole seconds: a fraction is dropped. Default and maximum: 15 min, by the
    /// vendor's document. Building a provider fails with less than 1 s or more than 15 min.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.expires_in = Some(lifetime);
        self
    }

    /// Builds the token provider, at the endpoint of the API.
    pub(super) fn provider(
        self,
        endpoint: &Endpoint,
        options: &ClientOptions,
    ) -> Result<Arc<dyn TokenProvider>> {
        let config_error = |kind: ErrorKind, message: String| {
            Error::new(kind, Operation::Configure, message).with_target("STS credentials")
        };
        if !offers::EXCHANGE_STS_V1_OAUTH_TOKEN {
            let message = "the API document that this crate was built from has no token exchange";
            return Err(config_error(ErrorKind::Unsupported, message.to_owned()));
        }
        if self.identity_pool_id.trim().is_empty() {
            let message = "the id of the identity pool is empty";
            return Err(config_error(ErrorKind::Config, message.to_owned()));
        }
        let seconds = self.expires_in.map(|lifetime| lifetime.as_secs());
        if let Some(seconds) = seconds.filter(|seconds| !LIFETIME_SECONDS.contains(seconds)) {
            let (min, max) = (LIFETIME_SECONDS.start(), LIFETIME_SECONDS.end());
            let message =
                format!("`expires_in` is {seconds} s; a token lives from {min} s to {max} s");
            return Err(config_error(ErrorKind::Config, message));
        }
        if seconds.is_some() && !offers::TOKEN_EXCHANGE_EXPIRES_IN {
            let message = "the API document that this crate was built from has no `expires_in`";
            return Err(config_error(ErrorKind::Unsupported, message.to_owned()));
        }
        let options = ClientOptions {
            // The caller's rate limits are those of the API.
            rates: Vec::new(),
            #[cfg(feature = "shared-limits")]
            shared_rate_limit: None,
            ..options.clone()
        };
        let subject = self.subject_token.check(&options)?;
        let client = HttpClient::new(service(), endpoint.clone(), Authorization::none(), options)?;
        Ok(Arc::new(StsTokenProvider {
            api: Client::over(client),
            subject,
            identity_pool_id: self.identity_pool_id,
            expires_in: seconds.and_then(|seconds| i64::try_from(seconds).ok()),
        }))
    }
}

struct StsTokenProvider {
    api: Client,
    subject: SubjectTokenProvider,
    identity_pool_id: String,
    expires_in: Option<i64>,
}

impl StsTokenProvider {
    fn context(&self) -> OperationContext<'_> {
        let pool = Some(self.identity_pool_id.as_str());
        let client = self.api.inner.client();
        OperationContext::new(client, read_failure, Operation::Authenticate, pool)
    }

    async fn exchange(&self) -> Result<Token> {
        let subject_token = self.subject.read().await?;
        let subject_token = subject_token.expose_secret();
        let context = self.context();
        let redactor = context.client.authorization.redactor();
        redactor.register_secret(subject_token);
        let body = types::TokenExchange::builder()
            .grant_type(GRANT_TYPE.to_owned())
            .subject_token(subject_token.to_owned())
            .subject_token_type(JWT.to_owned())
            .requested_token_type(ACCESS_TOKEN.to_owned())
            .identity_pool_id(self.identity_pool_id.clone());
        let body = match self.expires_in {
            Some(seconds) => body.expires_in(seconds),
            None => body,
        };
        let body: Result<types::TokenExchange, _> = body.try_into();
        let body = context.complete(body)?;
        let api = self.api.within(&context.call);
        let sent = pin!(api.exchange_sts_v1_oauth_token().body(body).send());
        let sent = sent.instrument(context.span()).await;
        let success = context.outcome(sent)?;
        // The body may hold a token, so the error does not quote it.
        token(&success)
            .map_err(|why| context.error_from_reply(&success.reply, ErrorKind::Decode, why))
    }
}

#[async_trait]
impl TokenProvider for StsTokenProvider {
    async fn fetch(&self) -> Result<Token, TransportError> {
        self.exchange().await.map_err(transport_error)
    }

    fn token_error(&self, why: &str) -> TransportError {
        transport_error(self.context().error(ErrorKind::Unavailable, why))
    }

    fn hold_off(&self, error: &TransportError) -> Option<Duration> {
        let facade_error = error.shared_source()?.downcast_ref::<Error>()?;
        // A configuration error occurs before a request is sent, so the next call may try at once.
        let was_sent = facade_error.kind() != ErrorKind::Config;
        was_sent.then(|| facade_error.retry_after().unwrap_or_default())
    }
}

/// Wraps the facade's error for the transport.
fn transport_error(error: Error) -> TransportError {
    TransportError::new(TransportErrorKind::Credentials, error.message()).with_source(error)
}

/// Reads a failed exchange: a rejection is about the subject token or the pool.
fn read_failure(context: &OperationContext<'_>, reply: &Reply) -> Error {
    let error = error::failure(context, reply);
    match error.kind() {
        ErrorKind::InvalidInput | ErrorKind::PermissionDenied | ErrorKind::NotFound => {
            error.with_kind(ErrorKind::Unauthenticated)
        }
        _ => error,
    }
}

fn token(success: &Success<types::Token>) -> Result<Token, &'static str> {
    let (token, seconds) = match &success.value {
        Ok(token) => {
            let seconds = token.expires_in.map(|seconds| seconds as f64);
            (token.access_token.as_deref(), seconds)
        }
        // Documented as a number; a string is accepted too.
        Err(_) => {
            let object = success.reply.json().and_then(Value::as_object);
            let object = object
                .ok_or("the answer to the token exchange is not a JSON object with a token")?;
            let seconds = object.get("expires_in").and_then(|seconds| match seconds {
                Value::String(text) => text.trim().parse().ok(),
                number => number.as_f64(),
            });
            (object.get("access_token").and_then(Value::as_str), seconds)
        }
    };
    // NaN fails the comparison.
    let seconds: f64 = seconds
        .filter(|seconds| *seconds >= 1.0)
        .ok_or("`expires_in` in the answer to the token exchange is not 1 s or more")?;
    let token = token.unwrap_or_default();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("`access_token` in the answer to the token exchange is not a token");
    }
    Ok(Token {
        credentials: Credentials::bearer(token),
        lifetime: Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
    })
}

#[cfg(any(test, fuzzing))]
pub(super) fn decode_anything(reply: Reply) {
    let value = serde_json::from_slice(&reply.body).map_err(|error| error.to_string());
    drop(token(&Success { value, reply }));
}
