//! Bodies that come in an unusual way.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use axum::http::{header, response};
use http_body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// A body that comes a few bytes at a time, with a interval before each.
pub(super) struct ThrottledBody {
    rest: Bytes,
    chunk_size: usize,
    interval: Duration,
    timer: Pin<Box<Sleep>>,
}

impl ThrottledBody {
    pub(super) fn new(body: Bytes, chunk_size: usize, interval: Duration) -> Self {
        Self {
            rest: body,
            chunk_size: chunk_size.max(1),
            interval,
            timer: Box::pin(sleep(interval)),
        }
    }
}

impl HttpBody for ThrottledBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        ready!(self.timer.as_mut().poll(context));
        self.timer = Box::pin(sleep(self.interval));
        let count = self.chunk_size.min(self.rest.len());
        let drop = self.rest.split_to(count);
        Poll::Ready(Some(Ok(Frame::data(drop))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

/// The head of an HTTP/1.1 answer that says its body has this length.
pub(super) fn raw(head: &response::Parts, length: usize) -> Vec<u8> {
    let reason = head.status.canonical_reason().unwrap_or_default();
    let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", head.status.as_str()).into_bytes();
    for (name, value) in &head.headers {
        if name != header::CONTENT_LENGTH {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
    }
    bytes.extend_from_slice(format!("content-length: {length}\r\n\r\n").as_bytes());
    bytes
}
