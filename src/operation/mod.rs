//! The context of one operation: sends through the bindings, and converts their results and errors.

mod checks;
mod errors;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use progenitor_client::{Error as ClientError, ResponseValue};
use serde::de::DeserializeOwned;
use tracing::Span;

pub(crate) use self::{checks::FAILURE_IN_SUCCESS, errors::kind_of_status};
use crate::{
    decode::parse,
    error::{Error, ErrorKind, Operation, Result},
    http::{CallState, HttpClient, Reply, headers},
};

/// Converts a reply that is not a success into an error.
pub(crate) type ReadFailure = fn(&OperationContext<'_>, &Reply) -> Error;

/// The context of one operation on one target. Its errors have the number of requests sent so far, and whether one of
/// them may have been executed.
pub(crate) struct OperationContext<'a> {
    pub client: &'a HttpClient,
    pub operation: Operation,
    /// The target of the operation, for messages.
    pub target: Option<&'a str>,
    /// The state of the operation, shared with the transport.
    pub call: Arc<CallState>,
    read_failure: ReadFailure,
}

/// A successful reply, decoded as a type of the bindings.
pub(crate) struct Success<T> {
    /// The value, or the decode error.
    pub value: Result<T, String>,
    pub reply: Reply,
}

impl<T: DeserializeOwned> Success<T> {
    fn decode(reply: Reply) -> Self {
        let value = parse(&reply.body).map_err(|error| error.to_string());
        Self { value, reply }
    }
}

impl<'a> OperationContext<'a> {
    pub fn new(
        client: &'a HttpClient,
        read_failure: ReadFailure,
        operation: Operation,
        target: Option<&'a str>,
    ) -> Self {
        let call = client.start_call();
        let call = match operation {
            // A token exchange is safe, although it is a POST.
            Operation::Authenticate => call.safe(),
            // Whatever the method that a vendor has for it.
            Operation::Delete => call.idempotent(),
            _ => call,
        };
        Self {
            client,
            operation,
            target,
            call: Arc::new(call),
            read_failure,
        }
    }

    /// The tracing span of the operation and all its requests.
    pub fn span(&self) -> Span {
        tracing::info_span!(
            "invitation",
            otel.kind = "client",
            provider = self.client.service.name,
            operation = %self.operation,
            attempts = tracing::field::Empty,
            outcome = tracing::field::Empty,
        )
    }

    /// Decodes a reply as the bindings do, without sending anything.
    #[cfg(any(test, fuzzing))]
    pub fn decoded<T: DeserializeOwned>(&self, reply: Reply) -> Result<Success<T>> {
        self.accept(reply).map(Success::decode)
    }

    /// The successful result of a request of the bindings, decoded as its type.
    ///
    /// # Errors
    ///
    /// Those of [`reply`](Self::reply).
    pub fn outcome<T: DeserializeOwned, E>(
        &self,
        sent: Result<ResponseValue<T>, ClientError<E>>,
    ) -> Result<Success<T>> {
        self.reply(sent).map(Success::decode)
    }

    /// The successful reply to a request of the bindings.
    ///
    /// # Errors
    ///
    /// The error of the transport, or the provider's error for a reply that is not a success.
    pub fn reply<T, E>(&self, sent: Result<ResponseValue<T>, ClientError<E>>) -> Result<Reply> {
        // The transport stores the reply in the call, whatever the bindings return.
        match (self.call.take_reply(), sent) {
            (Some(reply), _) => self.accept(reply),
            (
                None,
                Err(
                    ClientError::CommunicationError(error)
                    | ClientError::ResponseBodyError(error)
                    | ClientError::InvalidUpgrade(error),
                ),
            ) => Err(self.communication_error(error)),
            (None, Err(ClientError::InvalidRequest(why) | ClientError::Custom(why))) => {
                Err(self.error(ErrorKind::InvalidInput, why))
            }
            (None, _) => {
                let lost = "the transport returned no response";
                Err(self.error(ErrorKind::Unexpected, lost))
            }
        }
    }

    fn accept(&self, reply: Reply) -> Result<Reply> {
        if reply.status.is_success() {
            Ok(reply)
        } else {
            Err((self.read_failure)(self, &reply))
        }
    }

    /// The server's time of the response: its `Date` or else the local time, corrected by the clock skew. What a provider
    /// derives from the time does not depend on the local clock.
    pub fn server_time(&self, reply: &Reply) -> DateTime<Utc> {
        let date = headers::date(&reply.headers);
        date.unwrap_or_else(|| self.client.clock_skew.server_time(Utc::now()))
    }

    /// Records that a mutating operation may have been executed.
    pub fn mark_ambiguous(&self) {
        if self.is_mutating() {
            self.call.mark_ambiguous();
        }
    }

    /// Whether the operation changes something, so that executing it twice matters.
    pub fn is_mutating(&self) -> bool {
        self.operation.is_mutating()
    }
}

#[cfg(test)]
mod tests;
