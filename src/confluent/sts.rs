//! Confluent's Security Token Service: an identity provider's token becomes one of Confluent's.

use std::{pin::pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use secrecy::ExposeSecret;
use serde_json::Value;
use tracing::Instrument;

use crate::{
    bindings::confluent::{Client, offers, types},
    confluent::{Confluent, SubjectToken, error, subject_token::SubjectTokenProvider},
    error::{Error, ErrorKind, Operation, Result},
    http::{
        Authorization, ClientOptions, Credentials, Endpoint, HttpClient, Reply, Service, Token,
        TokenProvider, TransportError, TransportErrorKind,
    },
    operation::{OperationContext, Success},
};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// What may be asked for, in seconds: whole ones, and no more than the vendor gives.
const LIFETIMES: std::ops::RangeInclusive<u64> = 1..=900;

/// Access through an identity pool, in place of an API key. `Debug` shows no secret.
///
/// The token of an identity provider is exchanged for one of Confluent's at
/// `POST /sts/v1/oauth2/token`.
///
/// - It is renewed a minute before it expires, or after half its life if that is later, beside the
///   calls, which go on with the one they have. When that fails it is tried again, and the old one
///   serves until it expires. A token that has expired is never sent.
/// - Where there is no token, however many calls wait for one and the same exchange, and get its token
///   or its error. An exchange is retried as every call is, and the failure of the last try answers
///   further calls for a second, or for as long as the service asked (at most 30 s). A missing subject
///   token is looked for again by the next call.
/// - A lifetime counts from when the token was asked for, by a clock that nobody sets. A token that the
///   service takes for longer than an hour is renewed after an hour all the same.
/// - When the API refuses a token (401), a call renews it and sends once more, one time, whatever the
///   [`RetryPolicy`](crate::RetryPolicy) says: a refused request was not carried out.
/// - The exchange has the provider's time limits, retry policy and observer, and not its rate limit.
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

    /// Asks for tokens that live this long, in whole seconds: a fraction is cut off. Default and
    /// maximum: 15 min, by the vendor's document. Building a provider with less than 1 s or more than
    /// that is refused.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.expires_in = Some(lifetime);
        self
    }

    /// The provider of tokens, at the same endpoint as the rest of the API.
    pub(super) fn provider(
        self,
        endpoint: &Endpoint,
        options: &ClientOptions,
    ) -> Result<Arc<dyn TokenProvider>> {
        let refuse = |kind: ErrorKind, wrong: String| {
            Error::new(kind, Operation::Configure, wrong).with_target("STS credentials")
        };
        if !offers::EXCHANGE_STS_V1_OAUTH_TOKEN {
            let lacking = "the document that this was built from has no exchange of tokens";
            return Err(refuse(ErrorKind::Unsupported, lacking.to_owned()));
        }
        if self.identity_pool_id.trim().is_empty() {
            let wrong = "the id of the identity pool is empty";
            return Err(refuse(ErrorKind::Config, wrong.to_owned()));
        }
        let seconds = self.expires_in.map(|lifetime| lifetime.as_secs());
        if let Some(seconds) = seconds.filter(|seconds| !LIFETIMES.contains(seconds)) {
            let (least, most) = (LIFETIMES.start(), LIFETIMES.end());
            let wrong =
                format!("`expires_in` is {seconds} s; a token lives from {least} s to {most} s");
            return Err(refuse(ErrorKind::Config, wrong));
        }
        if seconds.is_some() && !offers::TOKEN_EXCHANGE_EXPIRES_IN {
            let lacking = "the document that this was built from has no `expires_in`";
            return Err(refuse(ErrorKind::Unsupported, lacking.to_owned()));
        }
        let service = Service {
            name: Confluent::NAME,
            published_rate: None,
            request_id: error::request_id,
            is_own_refusal: error::is_own_refusal,
        };
        let options = ClientOptions {
            // That is for the API; the token service counts on its own.
            rates: Vec::new(),
            ..options.clone()
        };
        let subject = self.subject_token.check(&options)?;
        let client = HttpClient::new(service, endpoint.clone(), Authorization::none(), options)?;
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
        OperationContext::new(client, rejection, Operation::Authenticate, pool)
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
        // The body holds a token, so nothing of it goes into an error.
        token(&success)
            .map_err(|why| context.error_from_reply(&success.reply, ErrorKind::Decode, why))
    }
}

#[async_trait]
impl TokenProvider for StsTokenProvider {
    async fn fetch(&self) -> Result<Token, TransportError> {
        self.exchange().await.map_err(no_token)
    }

    fn token_error(&self, why: &str) -> TransportError {
        no_token(self.context().error(ErrorKind::Unavailable, why))
    }

    fn hold_off(&self, error: &TransportError) -> Option<Duration> {
        let own = error.shared_source()?.downcast_ref::<Error>()?;
        // What is not set up right is not asked for, so asking again harms nobody.
        let was_asked = own.kind() != ErrorKind::Config;
        was_asked.then(|| own.retry_after().unwrap_or_default())
    }
}

/// The transport carries the facade's own error.
fn no_token(error: Error) -> TransportError {
    TransportError::new(TransportErrorKind::Credentials, error.message()).with_source(error)
}

/// What the exchange refuses, it refuses for the subject token or the pool.
fn rejection(context: &OperationContext<'_>, reply: &Reply) -> Error {
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
        // Documented as a number; a string says the same.
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
    // NaN is none of them.
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
