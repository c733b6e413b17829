//! A reply, read whole under a limit.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt};
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;

use crate::{
    client::headers,
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
}

impl Reply {
    /// A header's value, when it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        headers::text(&self.headers, name)
    }

    /// The body as JSON, when it is JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Why a body could not be read.
pub(crate) enum BodyError {
    TooLarge,
    Broken(reqwest::Error),
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read_body(
    mut chunks: impl Stream<Item = reqwest::Result<Bytes>> + Unpin,
    limit: usize,
) -> Result<Bytes, BodyError> {
    let Some(first) = chunks.next().await else {
        return Ok(Bytes::new());
    };
    let first = first.map_err(BodyError::Broken)?;
    if first.len() > limit {
        return Err(BodyError::TooLarge);
    }
    // Most bodies are one chunk, which is then the body.
    let Some(second) = chunks.next().await else {
        return Ok(first);
    };
    let mut body = BytesMut::from(first);
    let mut chunk = second.map_err(BodyError::Broken)?;
    loop {
        if body.len() + chunk.len() > limit {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
        chunk = match chunks.next().await {
            Some(chunk) => chunk.map_err(BodyError::Broken)?,
            None => return Ok(body.freeze()),
        };
    }
}
