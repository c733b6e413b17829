//! What can go wrong with a request.

use std::collections::BTreeMap;

use axum::http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::operation::Operation;
use crate::provider::Provider;

/// A fault that can be injected into a request.
///
/// In JSON an object with the fault's name in snake case as `kind`: `{"kind": "reset", "when": "after"}`. A member with
/// a default is optional.
///
/// A fault that alters the body of an answer has no effect on an answer without one, unless its description says
/// otherwise. A fault that ends the connection ends every other request on it too, over HTTP/2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// Resets the connection before the body is read, and refuses new connections for a while.
    ///
    /// The head of the request has arrived, so its sender must assume that the request may be carried out. For a
    /// request that never leaves its sender, see
    /// [`Sandbox::refuse_connections`](crate::Sandbox::refuse_connections).
    Refuse {
        /// How long connections are refused, in milliseconds. Default 0: the next one is accepted.
        #[serde(default)]
        for_ms: u64,
    },
    /// Resets the connection (TCP RST) without an answer.
    Reset {
        /// Whether the request is carried out.
        when: When,
    },
    /// Never answers. The connection stays open until the client closes it.
    Hang {
        /// Whether the request is carried out. Default [`When::Before`]: it is not.
        #[serde(default)]
        when: When,
    },
    /// Sends the body of the answer slowly.
    SlowBody {
        /// Bytes in each chunk. Default 8.
        #[serde(default = "defaults::bytes")]
        bytes: usize,
        /// Milliseconds between chunks. Default 20.
        #[serde(default = "defaults::every_ms")]
        every_ms: u64,
    },
    /// Sends the right `Content-Length` and fewer bytes, then closes the connection.
    ///
    /// Of an answer without a body, half of the head is sent. Over HTTP/2 the connection is reset instead.
    TruncatedBody {
        /// Number of bytes of the body to send. Default half of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        keep: Option<usize>,
    },
    /// Sends a wrong `Content-Length` and the whole body. The connection stays open.
    ///
    /// Over HTTP/2 the connection is reset instead.
    WrongLength {
        /// The number to add to the right length. With a positive one the client waits for bytes that never come. With
        /// a negative one the client gets part of the body, and finds the rest where the next answer should begin.
        by: i64,
    },
    /// Answers 429 without carrying out the request.
    RateLimited {
        /// Whether the answer has the vendor's rate-limit headers, and Confluent's `Retry-After`. Default true.
        #[serde(default = "defaults::yes")]
        headers: bool,
        /// Default the vendor's: none on Confluent, `{"error":"TOO_MANY_REQUESTS"}` on ClickHouse.
        #[serde(default)]
        body: ErrorBody,
        /// The wait that the headers state, in milliseconds. Default 1000.
        #[serde(default = "defaults::wait_ms")]
        wait_ms: u64,
    },
    /// Answers a status.
    Status {
        /// 200 to 599.
        status: u16,
        /// Whether the request is carried out. Default [`When::Before`]: it is not.
        #[serde(default)]
        when: When,
        /// Default the vendor's.
        #[serde(default)]
        body: ErrorBody,
        /// Headers to add to the vendor's or to replace them with. Default none.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
    },
    /// Answers 409 because another request holds a lock, not because an invitation exists. For creates and deletes.
    Locked {
        /// Whether the request is carried out. Default [`When::Before`]: it is not.
        #[serde(default)]
        when: When,
    },
    /// Answers 200 with an HTML page, as a login portal does.
    HtmlBody {
        /// Whether the request is carried out. Default [`When::Before`]: it is not.
        #[serde(default)]
        when: When,
    },
    /// Answers with a wrong `Content-Type`.
    WrongContentType {
        /// Default `text/plain`.
        #[serde(default = "defaults::content_type")]
        content_type: String,
    },
    /// Answers 401 as for an expired token (ClickHouse: an inactive key). Not for the token exchange.
    ExpiredToken,
    /// Confluent's list: `next` links to the page itself, even on the last page.
    NextRepeats,
    /// Confluent's list: `next`, where there is one, links to another host.
    NextElsewhere {
        /// Default `https://elsewhere.invalid`.
        #[serde(default = "defaults::origin")]
        origin: String,
    },
    /// Confluent's list: the last page has `"next": ""`.
    NextEmpty,
    /// Confluent's list: the last page has `"next": null`.
    NextNull,
    /// Confluent's list: the last page has no `next`, as without a fault.
    NextAbsent,
    /// Confluent's list: the page is empty, and `next` links to its content under a new token.
    EmptyPage,
    /// Confluent's list: filters are ignored. ClickHouse's list has no filters.
    FiltersIgnored,
    /// Confluent's list: a filter matches every value that begins with it.
    FiltersAsPrefixes,
    /// Answers a create or a get with another person's address.
    AnotherPerson {
        /// The address in the answer. Default `someone.else@example.com`.
        #[serde(default = "defaults::email")]
        email: String,
    },
    /// Answers a create or a get with another invitation's id.
    AnotherId {
        /// The id in the answer. Default a random one in the vendor's form, which no invitation has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// Carries out the request later, when its sender has given up on it.
    LateCommit {
        /// The delay, in milliseconds of real time.
        delay_ms: u64,
        /// A status to answer at once, with an HTML page. Default none: the connection is reset.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
    },
    /// Carries out the request twice, as if a proxy sent it again. The ledger records both.
    Duplicate {
        /// The answer that the client gets. Default the second.
        #[serde(default)]
        answer: DuplicateAnswer,
    },
}

/// Whether a request with a fault is carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// The fault comes before the request is carried out, which therefore never happens.
    #[default]
    Before,
    /// The fault comes after the request is carried out.
    After,
}

/// The body of an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ErrorBody {
    /// The vendor's body for the status.
    #[default]
    Vendor,
    /// The vendor's JSON, also for a status that the vendor sends without a body.
    Json,
    /// An HTML page, as a gateway sends it.
    Html,
    /// No body.
    Empty,
}

/// One of the two answers to a request that is carried out twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DuplicateAnswer {
    /// The first.
    First,
    /// The second.
    #[default]
    Second,
}

impl Fault {
    /// Resets the connection without carrying out the request.
    pub fn reset_before() -> Self {
        Self::Reset { when: When::Before }
    }

    /// Resets the connection after the request is carried out: its answer is lost.
    pub fn reset_after() -> Self {
        Self::Reset { when: When::After }
    }

    /// Never answers, and does not carry out the request.
    pub fn hang() -> Self {
        Self::Hang { when: When::Before }
    }

    /// Sends the body in chunks of `bytes`, one every `every_ms` milliseconds.
    pub fn slow_body(bytes: usize, every_ms: u64) -> Self {
        Self::SlowBody { bytes, every_ms }
    }

    /// Sends half of the body.
    pub fn truncated_body() -> Self {
        Self::TruncatedBody { keep: None }
    }

    /// Sends a `Content-Length` that is wrong by `by`.
    pub fn wrong_length(by: i64) -> Self {
        Self::WrongLength { by }
    }

    /// Answers 429 with the vendor's headers and body, and this wait in the headers.
    pub fn rate_limited(wait_ms: u64) -> Self {
        Self::RateLimited {
            headers: true,
            body: ErrorBody::Vendor,
            wait_ms,
        }
    }

    /// Answers 429 without headers and without a body.
    pub fn bare_rate_limited() -> Self {
        Self::RateLimited {
            headers: false,
            body: ErrorBody::Empty,
            wait_ms: 0,
        }
    }

    /// Answers a status with the vendor's body, without carrying out the request.
    pub fn status_before(status: u16) -> Self {
        Self::status(status, When::Before)
    }

    /// Answers a status with the vendor's body, after the request is carried out.
    pub fn status_after(status: u16) -> Self {
        Self::status(status, When::After)
    }

    /// Answers a status with a gateway's HTML page, after the request is carried out.
    pub fn page_after(status: u16) -> Self {
        Self::Status {
            status,
            when: When::After,
            body: ErrorBody::Html,
            headers: BTreeMap::new(),
        }
    }

    /// Answers 409 because of a lock, without carrying out the request.
    pub fn locked() -> Self {
        Self::Locked { when: When::Before }
    }

    /// Answers with the address `someone.else@example.com`.
    pub fn another_person() -> Self {
        Self::AnotherPerson {
            email: defaults::email(),
        }
    }

    /// Answers with an id that no invitation has.
    pub fn another_id() -> Self {
        Self::AnotherId { id: None }
    }

    /// Resets the connection, and carries out the request `delay_ms` milliseconds later.
    pub fn late_commit(delay_ms: u64) -> Self {
        Self::LateCommit {
            delay_ms,
            status: None,
        }
    }

    /// Carries out the request twice, and gives the second answer.
    pub fn duplicate() -> Self {
        Self::Duplicate {
            answer: DuplicateAnswer::Second,
        }
    }

    /// Whether the fault makes sense for such a request.
    pub(crate) fn applies_to(&self, provider: Provider, operation: Operation) -> bool {
        match self {
            Self::NextRepeats
            | Self::NextElsewhere { .. }
            | Self::NextEmpty
            | Self::NextNull
            | Self::NextAbsent
            | Self::EmptyPage => provider == Provider::Confluent && operation.is_list(),
            Self::FiltersIgnored | Self::FiltersAsPrefixes => {
                provider == Provider::Confluent
                    && matches!(
                        operation,
                        Operation::List | Operation::ListRoleBindings | Operation::ListApiKeys
                    )
            }
            Self::ExpiredToken => operation != Operation::Exchange,
            Self::Locked { .. } => operation.is_change(),
            Self::AnotherPerson { .. } | Self::AnotherId { .. } => {
                matches!(operation, Operation::Create | Operation::Get)
            }
            _ => true,
        }
    }

    /// Checks that the fault can be sent.
    ///
    /// # Errors
    ///
    /// A status is out of range, or a header is invalid.
    pub(crate) fn validate(&self) -> Result<(), String> {
        let status = match self {
            Self::Status { status, .. } => Some(*status),
            Self::LateCommit { status, .. } => *status,
            _ => None,
        };
        if let Some(status) = status.filter(|status| !(200..600).contains(status)) {
            return Err(format!("{status} is not a status from 200 to 599"));
        }
        let mut headers: Vec<(&str, &str)> = Vec::new();
        match self {
            Self::Status { headers: more, .. } => {
                headers.extend(more.iter().map(|(name, value)| (&**name, &**value)));
            }
            Self::WrongContentType { content_type } => headers.push(("content-type", content_type)),
            _ => {}
        }
        let invalid = headers.into_iter().find(|(name, value)| {
            HeaderName::try_from(*name).is_err() || HeaderValue::try_from(*value).is_err()
        });
        match invalid {
            None => Ok(()),
            Some((name, value)) => Err(format!("{name}: {value:?} is not a valid header")),
        }
    }

    fn status(status: u16, when: When) -> Self {
        Self::Status {
            status,
            when,
            body: ErrorBody::Vendor,
            headers: BTreeMap::new(),
        }
    }
}

mod defaults {
    pub(super) fn bytes() -> usize {
        8
    }

    pub(super) fn every_ms() -> u64 {
        20
    }

    pub(super) fn wait_ms() -> u64 {
        1000
    }

    pub(super) fn yes() -> bool {
        true
    }

    pub(super) fn content_type() -> String {
        "text/plain".to_owned()
    }

    pub(super) fn email() -> String {
        "someone.else@example.com".to_owned()
    }

    pub(super) fn origin() -> String {
        "https://elsewhere.invalid".to_owned()
    }
}
