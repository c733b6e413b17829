//! Reports an attempt to the interceptors: before it, and once after it, also when the call is dropped meanwhile.

use std::time::Instant;

use reqwest::header::HeaderMap;

use crate::http::{
    AttemptEvent, AttemptOutcome, AttemptRequest, HttpClient, TransportError, TransportErrorKind,
    attempt::AttemptResult, interceptor::AttemptInfo, outgoing::Outgoing,
};

/// An attempt that interceptors were told of, and are told the end of.
pub(super) struct AttemptReport<'a> {
    client: &'a HttpClient,
    info: AttemptInfo<'a>,
    start: Instant,
    /// How many of the interceptors were told of it.
    told: usize,
}

impl<'a> AttemptReport<'a> {
    /// Tells the interceptors of an attempt; also returns the headers that they add.
    ///
    /// # Errors
    ///
    /// That of the interceptor that refuses the attempt.
    pub fn begin(
        client: &'a HttpClient,
        info: AttemptInfo<'a>,
        outgoing: &Outgoing,
    ) -> Result<(Self, HeaderMap), TransportError> {
        let start = Instant::now();
        let interceptors = &client.options.interceptors;
        let mut request = AttemptRequest {
            attempt: &info,
            path: outgoing.path(),
            sent: outgoing.headers(),
            added: HeaderMap::new(),
        };
        let mut refused = None;
        let mut told = 0;
        for interceptor in interceptors {
            told += 1;
            if let Err(why) = interceptor.before_attempt(&mut request) {
                refused = Some(why);
                break;
            }
        }
        let added = request.added;
        let mut report = Self {
            client,
            info,
            start,
            told,
        };
        let Some(why) = refused else {
            return Ok((report, added));
        };
        let message = "an interceptor of the program's refused the request";
        let error = TransportError::new(TransportErrorKind::Intercepted, message).with_source(why);
        report.end(AttemptOutcome::Failed(&error), None);
        Err(error)
    }

    /// Tells the interceptors what came of the attempt.
    pub fn finish(mut self, result: &AttemptResult) {
        match result {
            Ok(reply) => {
                let outcome = AttemptOutcome::Response(reply.status.as_u16());
                self.end(outcome, Some(result));
            }
            Err(error) => self.end(AttemptOutcome::Failed(error), Some(result)),
        }
    }

    fn end(&mut self, outcome: AttemptOutcome<'_>, result: Option<&AttemptResult>) {
        let info = &self.info;
        let event = AttemptEvent {
            provider: info.provider,
            operation: info.operation,
            tag: info.tag,
            method: info.method.as_str(),
            number: info.number,
            waited: info.waited,
            elapsed: self.start.elapsed(),
            outcome,
            client: self.client,
            result,
        };
        let told = std::mem::take(&mut self.told);
        for interceptor in self.client.options.interceptors.iter().take(told) {
            interceptor.after_attempt(&event);
        }
    }
}

impl Drop for AttemptReport<'_> {
    fn drop(&mut self) {
        if self.told > 0 {
            self.end(AttemptOutcome::Cancelled, None);
        }
    }
}
