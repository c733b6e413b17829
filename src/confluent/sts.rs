//! Confluent's Security Token Service: an identity provider's token becomes one of Confluent's.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use secrecy::ExposeSecret;
use serde_json::Value;

use crate::{
    client::{
        Authorization, Call, Connection, Credentials, Dialect, Endpoint, Reply, Settings, Token,
        TokenSource,
    },
    confluent::{
        Confluent, SubjectToken, failure,
        generated_sts::{Client, types},
        subject::Subject,
    },
    error::{Error, ErrorKind, Operation, Result},
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

    /// The source of tokens, at the same endpoint as the rest of the API.
    pub(super) fn source(
        self,
        endpoint: &Endpoint,
        settings: &Settings,
    ) -> Result<Arc<dyn TokenSource>> {
        let refuse = |wrong: String| {
            Error::new(ErrorKind::Config, Operation::Configure, wrong)
                .with_subject("STS credentials")
        };
        if self.identity_pool_id.trim().is_empty() {
            return Err(refuse("the id of the identity pool is empty".to_owned()));
        }
        let seconds = self.expires_in.map(|lifetime| lifetime.as_secs());
        if let Some(seconds) = seconds.filter(|seconds| !LIFETIMES.contains(seconds)) {
            let (least, most) = (LIFETIMES.start(), LIFETIMES.end());
            return Err(refuse(format!(
                "`expires_in` is {seconds} s; a token lives from {least} s to {most} s"
            )));
        }
        let dialect = Dialect {
            provider: Confluent::NAME,
            published_rate: None,
            request_id: failure::request_id,
            failure: refused,
        };
        let settings = Settings {
            // That is for the API; the token service counts on its own.
            rate: None,
            ..settings.clone()
        };
        let subject = self.subject_token.check(&settings)?;
        let connection =
            Connection::new(dialect, endpoint.clone(), Authorization::none(), settings)?;
        let http = connection.http.clone();
        let api = Client::new_with_client(endpoint.as_base(), http, connection);
        Ok(Arc::new(Exchange {
            api,
            subject,
            identity_pool_id: self.identity_pool_id,
            expires_in: seconds.and_then(|seconds| i64::try_from(seconds).ok()),
        }))
    }
}

struct Exchange {
    api: Client,
    subject: Subject,
    identity_pool_id: String,
    expires_in: Option<i64>,
}

impl Exchange {
    fn call(&self) -> Call<'_> {
        let pool = &self.identity_pool_id;
        self.api.inner.call(Operation::Authenticate, Some(pool))
    }
}

#[async_trait]
impl TokenSource for Exchange {
    async fn fetch(&self) -> Result<Token> {
        let subject_token = self.subject.read().await?;
        let subject_token = subject_token.expose_secret();
        self.api.inner.authorization.conceal(subject_token);
        let body = types::TokenExchange {
            grant_type: GRANT_TYPE.to_owned(),
            subject_token: subject_token.to_owned(),
            subject_token_type: JWT.to_owned(),
            requested_token_type: ACCESS_TOKEN.to_owned(),
            identity_pool_id: self.identity_pool_id.clone(),
            expires_in: self.expires_in,
        };
        let call = self.call();
        let reply = call
            .send(|| self.api.exchange_sts_v1_oauth_token(&body))
            .await?;
        // The body holds a token, so nothing of it goes into an error.
        match token(&reply) {
            Ok(token) => Ok(token),
            Err(why) => Err(call.error_from(&reply, ErrorKind::Decode, why)),
        }
    }

    fn unusable(&self, why: &str) -> Error {
        self.call().error(ErrorKind::Unavailable, why)
    }
}

/// What the exchange refuses, it refuses for the subject token or the pool.
fn refused(call: &Call<'_>, reply: &Reply) -> Error {
    let error = failure::failure(call, reply);
    match error.kind() {
        ErrorKind::InvalidInput | ErrorKind::PermissionDenied | ErrorKind::NotFound => {
            error.with_kind(ErrorKind::Unauthenticated)
        }
        _ => error,
    }
}

fn token(reply: &Reply) -> Result<Token, &'static str> {
    let reply: types::Token = serde_json::from_slice(&reply.body)
        .map_err(|_| "the answer to the token exchange is not a JSON object with a token")?;
    // Documented as a number; a string says the same.
    let seconds = match reply.expires_in {
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(number) => number.as_f64(),
        None => None,
    };
    // NaN is none of them.
    let seconds: f64 = seconds
        .filter(|seconds| *seconds >= 1.0)
        .ok_or("`expires_in` in the answer to the token exchange is not 1 s or more")?;
    let token = reply.access_token.unwrap_or_default();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("`access_token` in the answer to the token exchange is not a token");
    }
    Ok(Token {
        credentials: Credentials::bearer(token),
        lifetime: Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
    })
}

#[cfg(any(test, fuzzing))]
pub(super) fn decode_anything(reply: &Reply) {
    drop(token(reply));
}
