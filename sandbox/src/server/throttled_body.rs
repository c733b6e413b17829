//! A body that is sent slowly.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// A body that is sent in chunks, with a pause before each.
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
        let chunk = self.rest.split_to(count);
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
