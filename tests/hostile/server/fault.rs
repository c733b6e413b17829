//! What a server does wrong, as data.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::http::Request;
use super::world::Op;

/// Whether a request that meets a fault is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// Carried out; a fault that only spoils the answer.
    Yes,
    /// Not carried out.
    No,
    /// Checked now and carried out after this time, whatever happens meanwhile.
    Late(Duration),
}

/// The body of a faulty answer.
#[derive(Clone, Debug)]
pub enum Body {
    Empty,
    /// A page of a gateway.
    Html,
    /// The vendor's own form of a failure: code and words.
    Vendor(&'static str, &'static str),
    /// Anything as JSON.
    Json(&'static str),
    /// The same, made when the test runs.
    Made(String),
}

/// What is answered to a request that meets a fault.
#[derive(Clone, Debug)]
pub enum Answer {
    /// What the API says.
    Regular,
    /// This status, body and additional header fields.
    Status(u16, Body, Vec<(&'static str, String)>),
    /// A redirect of this status to the same path of another base URL.
    Elsewhere(u16, String),
    /// The regular success without its body.
    EmptySuccess,
    /// A success about another person.
    Stranger,
    /// The regular answer with its body rewritten.
    Rewrite(Rewriter),
    /// The regular answer, cut in the middle of its body.
    Truncated,
    /// The connection ends without an answer.
    Close,
    /// The connection is reset without an answer.
    Reset,
    /// Silence on an open connection.
    Hang,
}

/// What makes another body of a body.
#[derive(Clone)]
pub struct Rewriter(Arc<dyn Fn(Vec<u8>) -> Vec<u8> + Send + Sync>);

impl Rewriter {
    pub(super) fn rewrite(&self, body: Vec<u8>) -> Vec<u8> {
        (self.0)(body)
    }
}

impl fmt::Debug for Rewriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rewriter")
    }
}

impl Answer {
    /// The regular answer with its body rewritten.
    pub fn rewrite(rewriter: impl Fn(Vec<u8>) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::Rewrite(Rewriter(Arc::new(rewriter)))
    }
}

/// One thing that goes wrong.
#[derive(Clone, Debug)]
pub struct Fault {
    on: Op,
    about: Option<&'static str>,
    body_has: Option<&'static str>,
    skip: u32,
    times: u32,
    carried: Carried,
    answer: Answer,
}

impl Fault {
    /// Every request of a kind is answered like this.
    pub fn new(on: Op, carried: Carried, answer: Answer) -> Self {
        Self {
            on,
            about: None,
            body_has: None,
            skip: 0,
            times: u32::MAX,
            carried,
            answer,
        }
    }

    /// Only requests about this address.
    pub fn about(self, email: &'static str) -> Self {
        Self {
            about: Some(email),
            ..self
        }
    }

    /// Only requests with this text in the body.
    pub fn body_has(self, text: &'static str) -> Self {
        Self {
            body_has: Some(text),
            ..self
        }
    }

    /// Only the first so many requests.
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// Not the first so many requests.
    pub fn skip(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    pub(super) fn concerns(&self, op: Op, about: Option<&str>, request: &Request) -> bool {
        self.on == op
            && self.times > 0
            && self
                .about
                .is_none_or(|email| about.is_some_and(|about| about.eq_ignore_ascii_case(email)))
            && self.body_has.is_none_or(|text| request.body.contains(text))
    }

    pub(super) fn strike(&mut self) -> Option<(Carried, Answer)> {
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        if self.times != u32::MAX {
            self.times -= 1;
        }
        Some((self.carried, self.answer.clone()))
    }
}
