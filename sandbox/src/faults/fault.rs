//! What can go wrong with one request.

use std::collections::BTreeMap;

use axum::http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::operation::Operation;
use crate::state::Provider;

/// What goes wrong with a request.
///
/// In JSON an object with the fault's name in snake case as `kind`: `{"kind": "reset", "when": "after"}`. What
/// a member's description gives a default for may be left out.
///
/// A fault that alters the body of the answer leaves an answer without one as it is, unless it says otherwise.
/// Faults of the connection end the whole of it: over HTTP/2 that takes the other requests on it along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is reset before the body is read, and new ones are refused for a while.
    ///
    /// The request itself has come in, so to its sender it may seem to have been carried out. For a request that
    /// never leaves its sender, see [`Sandbox::refuse_connections`](crate::Sandbox::refuse_connections).
    Refuse {
        /// How long, in milliseconds. Default 0: the next connection is accepted.
        #[serde(default)]
        for_ms: u64,
    },
    /// The connection is reset (TCP RST) without an answer.
    Reset {
        /// Before or after the request is carried out.
        when: When,
    },
    /// No answer ever comes; the connection stays open until the client goes.
    Hang {
        /// Before or after the request is carried out. Default before: it never is.
        #[serde(default)]
        when: When,
    },
    /// The answer's body dribbles.
    SlowBody {
        /// Bytes at a time. Default 8.
        #[serde(default = "defaults::bytes")]
        bytes: usize,
        /// Milliseconds between them. Default 20.
        #[serde(default = "defaults::every_ms")]
        every_ms: u64,
    },
    /// The answer has the right `Content-Length`, and fewer bytes; then the connection is closed.
    ///
    /// Of an answer without a body, half the head is sent. Over HTTP/2 the connection is reset instead.
    TruncatedBody {
        /// How many bytes of the body are sent. Default half of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        keep: Option<usize>,
    },
    /// The answer's `Content-Length` is not that of the body, which is sent whole; the connection stays open.
    ///
    /// Over HTTP/2 the connection is reset instead.
    WrongLength {
        /// What is added to the true length. With a positive number the client waits for bytes that never come;
        /// with a negative one it gets part of the body, and finds the rest where the next answer should begin.
        by: i64,
    },
    /// 429, and the request is not carried out.
    RateLimited {
        /// Whether the vendor's rate-limit headers, and Confluent's `Retry-After`, are there. Default true.
        #[serde(default = "defaults::yes")]
        headers: bool,
        /// Default the vendor's own: none on Confluent, `{"error":"TOO_MANY_REQUESTS"}` on ClickHouse.
        #[serde(default)]
        body: ErrorBody,
        /// The wait that the headers tell, in milliseconds. Default 1000.
        #[serde(default = "defaults::wait_ms")]
        wait_ms: u64,
    },
    /// This status, whatever the request.
    Status {
        /// 200 to 599.
        status: u16,
        /// Before or after the request is carried out. Default before: it never is.
        #[serde(default)]
        when: When,
        /// Default the vendor's own.
        #[serde(default)]
        body: ErrorBody,
        /// More headers, or others in place of the usual ones. Default none.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
    },
    /// 409 for something other than an invitation that exists: another request holds a lock. For creates and deletes.
    Locked {
        /// Before or after the request is carried out. Default before: it never is.
        #[serde(default)]
        when: When,
    },
    /// 200 with an HTML page, as from a portal that wants a login.
    HtmlBody {
        /// Before or after the request is carried out. Default before: it never is.
        #[serde(default)]
        when: When,
    },
    /// The answer says that its body is of another type than it is.
    WrongContentType {
        /// Default `text/plain`.
        #[serde(default = "defaults::content_type")]
        content_type: String,
    },
    /// 401 as for an expired token (ClickHouse: an inactive key). Not for the token exchange.
    ExpiredToken,
    /// Confluent's list: the link to the next page leads to this page again, even from the last one.
    NextRepeats,
    /// Confluent's list: the link to the next page, if there is one, leads to another host.
    NextElsewhere {
        /// Default `https://elsewhere.invalid`.
        #[serde(default = "defaults::origin")]
        origin: String,
    },
    /// Confluent's list: the last page says `"next": ""`.
    NextEmpty,
    /// Confluent's list: the last page says `"next": null`.
    NextNull,
    /// Confluent's list: the last page has no `next`, as without a fault.
    NextAbsent,
    /// Confluent's list: an empty page, with a link that has a new token and leads to what should have been here.
    EmptyPage,
    /// Confluent's list: the filters are ignored; everything is listed. ClickHouse's list has no filters.
    FiltersIgnored,
    /// Confluent's list: a filter matches every value that begins with it.
    FiltersAsPrefixes,
    /// The answer to a create or a get is about another person.
    AnotherPerson {
        /// Whose address is answered. Default `someone.else@example.com`.
        #[serde(default = "defaults::email")]
        email: String,
    },
    /// The answer to a create or a get has another invitation's id.
    AnotherId {
        /// DuplicateAnswer. Default a random one in the vendor's form, which no invitation has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// Without an answer now, the request is carried out later.
    LateCommit {
        /// How much later, in milliseconds of real time.
        delay_ms: u64,
        /// What is answered at once, with an HTML page. Default nothing: the connection is reset.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
    },
    /// The request is carried out twice, as by a proxy that sends again; the ledger has it twice.
    Duplicate {
        /// Whose answer the client gets. Default the second's.
        #[serde(default)]
        answer: DuplicateAnswer,
    },
}

/// On which side of the change that a request makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// The request is not carried out.
    #[default]
    Before,
    /// The request has been carried out.
    After,
}

/// The body of a refusal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ErrorBody {
    /// What the vendor sends with the status.
    #[default]
    Vendor,
    /// The vendor's usual JSON, also where the vendor sends none.
    Json,
    /// An HTML page, as from a gateway.
    Html,
    /// None.
    Empty,
}

/// How a list compares a filter with the values it finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FilterMode {
    #[default]
    Exact,
    Prefix,
    Ignored,
}

impl FilterMode {
    pub(crate) fn passes(self, filter: &str, value: &str) -> bool {
        match self {
            Self::Exact => value == filter,
            Self::Prefix => value.starts_with(filter),
            Self::Ignored => true,
        }
    }
}

/// One of two deliveries of a request.
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
    /// The connection is reset, the request not carried out.
    pub fn reset_before() -> Self {
        Self::Reset { when: When::Before }
    }

    /// The connection is reset, the request carried out: the answer is lost.
    pub fn reset_after() -> Self {
        Self::Reset { when: When::After }
    }

    /// No answer ever comes, and the request is not carried out.
    pub fn hang() -> Self {
        Self::Hang { when: When::Before }
    }

    /// The body dribbles, this many bytes every so many milliseconds.
    pub fn slow_body(bytes: usize, every_ms: u64) -> Self {
        Self::SlowBody { bytes, every_ms }
    }

    /// Half of the body is sent.
    pub fn truncated_body() -> Self {
        Self::TruncatedBody { keep: None }
    }

    /// A `Content-Length` that is off by this much.
    pub fn wrong_length(by: i64) -> Self {
        Self::WrongLength { by }
    }

    /// 429 with the vendor's headers and body, and this wait in the headers.
    pub fn rate_limited(wait_ms: u64) -> Self {
        Self::RateLimited {
            headers: true,
            body: ErrorBody::Vendor,
            wait_ms,
        }
    }

    /// 429 without headers and without a body.
    pub fn bare_rate_limited() -> Self {
        Self::RateLimited {
            headers: false,
            body: ErrorBody::Empty,
            wait_ms: 0,
        }
    }

    /// This status with the vendor's body, the request not carried out.
    pub fn status_before(status: u16) -> Self {
        Self::status(status, When::Before)
    }

    /// This status with the vendor's body, the request carried out all the same.
    pub fn status_after(status: u16) -> Self {
        Self::status(status, When::After)
    }

    /// A gateway's HTML page with this status, the request carried out all the same.
    pub fn page_after(status: u16) -> Self {
        Self::Status {
            status,
            when: When::After,
            body: ErrorBody::Html,
            headers: BTreeMap::new(),
        }
    }

    /// 409 because of a lock, the request not carried out.
    pub fn locked() -> Self {
        Self::Locked { when: When::Before }
    }

    /// The answer is about `someone.else@example.com`.
    pub fn another_person() -> Self {
        Self::AnotherPerson {
            email: defaults::email(),
        }
    }

    /// The answer has an id that no invitation has.
    pub fn another_id() -> Self {
        Self::AnotherId { id: None }
    }

    /// Nothing is answered, and the request carried out this many milliseconds later.
    pub fn late_commit(delay_ms: u64) -> Self {
        Self::LateCommit {
            delay_ms,
            status: None,
        }
    }

    /// The request is carried out twice, and the second answer given.
    pub fn duplicate() -> Self {
        Self::Duplicate {
            answer: DuplicateAnswer::Second,
        }
    }

    /// Whether it can happen to such a request at all.
    pub(crate) fn applies_to(&self, provider: Provider, operation: Operation) -> bool {
        match self {
            Self::NextRepeats
            | Self::NextElsewhere { .. }
            | Self::NextEmpty
            | Self::NextNull
            | Self::NextAbsent
            | Self::EmptyPage
            | Self::FiltersIgnored
            | Self::FiltersAsPrefixes => {
                provider == Provider::Confluent && operation == Operation::List
            }
            Self::ExpiredToken => operation != Operation::Exchange,
            Self::Locked { .. } => matches!(operation, Operation::Create | Operation::Delete),
            Self::AnotherPerson { .. } | Self::AnotherId { .. } => {
                matches!(operation, Operation::Create | Operation::Get)
            }
            _ => true,
        }
    }

    /// What of it cannot be sent, if anything.
    pub(crate) fn problem(&self) -> Option<String> {
        let status = match self {
            Self::Status { status, .. } => Some(*status),
            Self::LateCommit { status, .. } => *status,
            _ => None,
        };
        if let Some(status) = status.filter(|status| !(200..600).contains(status)) {
            return Some(format!("{status} is not a status from 200 to 599"));
        }
        let mut headers: Vec<(&str, &str)> = Vec::new();
        match self {
            Self::Status { headers: more, .. } => {
                headers.extend(more.iter().map(|(name, value)| (&**name, &**value)));
            }
            Self::WrongContentType { content_type } => headers.push(("content-type", content_type)),
            _ => {}
        }
        headers
            .into_iter()
            .find(|(name, value)| {
                HeaderName::try_from(*name).is_err() || HeaderValue::try_from(*value).is_err()
            })
            .map(|(name, value)| format!("{name}: {value:?} is not a header"))
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
