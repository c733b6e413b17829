//! A reply, read whole under a limit.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use reqwest::{Response, StatusCode, header::HeaderMap};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::{
    client::{headers, patience::Patience},
    error::{Operation, RateLimit},
};

/// Sees every reply; see [`ReplyInfo`].
pub type Observer = Arc<dyn Fn(&ReplyInfo<'_>) + Send + Sync>;

/// What a reply said beside its body: for logs, metrics and support.
///
/// Given to the observer that a provider was built with, for successes and failures alike. What a
/// failure says is in its [`Error`](crate::Error) too.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReplyInfo<'a> {
    /// The provider's name.
    pub provider: &'static str,
    /// What was attempted.
    pub operation: Operation,
    /// The HTTP status.
    pub status: u16,
    /// The id of the request, for the provider's support.
    pub request_id: Option<&'a str>,
    /// The allowance that is left.
    pub rate_limit: Option<RateLimit>,
    /// Where the new invitation is (Confluent, 201), or the one in the way (409).
    pub location: Option<&'a str>,
    /// The server's time, in whole seconds (`Date`).
    pub date: Option<DateTime<Utc>>,
    /// From the request to the end of the reply.
    pub elapsed: Duration,
}

/// A reply of any status.
#[derive(Debug)]
pub(crate) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    json: OnceLock<Option<Value>>,
}

impl Reply {
    pub fn new(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        Self {
            status,
            headers,
            body,
            json: OnceLock::new(),
        }
    }

    /// A header's value, when it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        headers::text(&self.headers, name)
    }

    /// Whether the body is JSON.
    pub fn is_json(&self) -> bool {
        serde_json::from_slice::<IgnoredAny>(&self.body).is_ok()
    }

    /// The body as JSON, when it is JSON. Read once, however many errors look at it.
    pub fn json(&self) -> Option<&Value> {
        let read = || serde_json::from_slice(&self.body).ok();
        self.json.get_or_init(read).as_ref()
    }
}

/// Why a body could not be read.
pub(crate) enum BodyError {
    TooLarge,
    Late,
    Broken(reqwest::Error),
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read_body(
    response: &mut Response,
    limit: usize,
    patience: &Patience,
) -> Result<Bytes, BodyError> {
    let Some(first) = next_chunk(response, patience).await? else {
        return Ok(Bytes::new());
    };
    if first.len() > limit {
        return Err(BodyError::TooLarge);
    }
    // Most bodies are one chunk, which is then the body.
    let Some(mut chunk) = next_chunk(response, patience).await? else {
        return Ok(first);
    };
    // Room for all of it at once, as far as the server says how much that is.
    let length = response.content_length().unwrap_or(0);
    let length = usize::try_from(length).unwrap_or(limit).min(limit);
    let mut body = BytesMut::with_capacity(length.max(first.len() + chunk.len()));
    body.extend_from_slice(&first);
    drop(first);
    loop {
        if body.len() + chunk.len() > limit {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
        chunk = match next_chunk(response, patience).await? {
            Some(chunk) => chunk,
            None => return Ok(body.freeze()),
        };
    }
}

async fn next_chunk(
    response: &mut Response,
    patience: &Patience,
) -> Result<Option<Bytes>, BodyError> {
    match patience.wait(response.chunk()).await {
        Ok(chunk) => chunk.map_err(BodyError::Broken),
        Err(_) => Err(BodyError::Late),
    }
}
