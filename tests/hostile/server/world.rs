//! What a server is told about itself: the vendor, the people and how it behaves.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

/// The organisation's id on ClickHouse Cloud.
pub const ORGANIZATION: &str = "6b2c5a1e-4f0d-4c8e-9a57-0d3f1e2b7c90";
/// Roles that exist on ClickHouse Cloud.
pub const ROLE_ADMIN: &str = "11111111-1111-4111-8111-111111111111";
pub const ROLE_DEVELOPER: &str = "22222222-2222-4222-8222-222222222222";
pub const ROLE_CUSTOM: &str = "33333333-3333-4333-8333-333333333333";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    Confluent,
    ClickHouse,
}

impl Vendor {
    pub const BOTH: [Self; 2] = [Self::Confluent, Self::ClickHouse];

    /// The one that is not this one.
    pub fn other(self) -> Self {
        match self {
            Self::Confluent => Self::ClickHouse,
            Self::ClickHouse => Self::Confluent,
        }
    }

    /// The name that the command knows it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Confluent => "confluent",
            Self::ClickHouse => "clickhouse",
        }
    }
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Create,
    Get,
    List,
    Delete,
    /// The list of those who have joined.
    Members,
    /// The list of roles.
    Roles,
    /// The list of role bindings, of which there are none.
    RoleBindings,
    /// The list of organisations.
    Organizations,
    /// Nothing that the server has.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Sent,
    Expired,
    Accepted,
}

/// Who made an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is there from the beginning: somebody else made it.
    Seed,
    /// A request to this server made it.
    Request,
}

/// An invitation that is or was there.
#[derive(Clone, Debug)]
pub struct Record {
    pub id: String,
    /// The address as it is stored.
    pub email: String,
    pub origin: Origin,
    pub status: Status,
    pub auth_type: String,
    pub role: Option<String>,
    pub role_ids: Vec<String>,
    pub creator: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) made: Instant,
    pub(super) removed: Option<Instant>,
}

/// An invitation that is there from the beginning.
#[derive(Clone, Debug)]
pub struct Seed {
    pub(super) email: String,
    pub(super) status: Status,
    pub(super) age: TimeDelta,
    pub(super) lifetime: TimeDelta,
    pub(super) auth_type: &'static str,
    pub(super) role_ids: Vec<String>,
    pub(super) creator: &'static str,
}

impl Seed {
    /// Sent a day ago, for seven days.
    pub fn sent(email: &str) -> Self {
        Self {
            email: email.to_owned(),
            status: Status::Sent,
            age: TimeDelta::days(1),
            lifetime: TimeDelta::days(7),
            auth_type: "AUTH_TYPE_SSO",
            role_ids: vec![ROLE_DEVELOPER.to_owned()],
            creator: "u-creator",
        }
    }

    /// Sent eight days ago, for seven days.
    pub fn expired(email: &str) -> Self {
        Self {
            status: Status::Expired,
            age: TimeDelta::days(8),
            ..Self::sent(email)
        }
    }

    /// Sent at this age by the server's clock.
    pub fn age(self, age: TimeDelta) -> Self {
        Self { age, ..self }
    }

    /// Ends so long after it was sent.
    pub fn lifetime(self, lifetime: TimeDelta) -> Self {
        Self { lifetime, ..self }
    }

    /// Sent by this user.
    pub fn creator(self, creator: &'static str) -> Self {
        Self { creator, ..self }
    }
}

/// How a list takes its filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filters {
    /// As documented; addresses compare without case.
    Exact,
    /// Everything is returned.
    Ignored,
    /// What begins like the filter is returned.
    Prefix,
}

/// What holds for every request.
#[derive(Clone, Debug)]
pub struct World {
    /// How far the server's clock is ahead.
    pub clock: TimeDelta,
    /// Whether replies have a `Date`.
    pub date: bool,
    /// Whether invitations say when they were created.
    pub created_at: bool,
    /// How long a new invitation is missing in lists.
    pub list_lag: Duration,
    /// How long a deleted invitation stays in lists.
    pub list_keeps: Duration,
    /// How long a second invitation of an address is let in.
    pub uniqueness_lag: Duration,
    /// Whether an address may have any number of invitations.
    pub accepts_duplicates: bool,
    /// How long the address of a deleted invitation is refused.
    pub refuse_after_delete: Duration,
    /// The words for a conflict with an invitation, if not the usual ones.
    pub conflict: Option<&'static str>,
    pub filters: Filters,
    /// What a list says about its size, if not the truth.
    pub total_size: Option<u64>,
    /// Whether a list has a link to its next page.
    pub next: bool,
    /// What makes two addresses the same, and the form in which they are stored.
    pub stored: fn(&str) -> String,
    /// At most so many invitations; more are refused with 402.
    pub quota: usize,
    /// At most so many requests in a window; more are refused with 429 and this `Retry-After`.
    pub rate: Option<(usize, Duration, &'static str)>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            clock: TimeDelta::zero(),
            date: true,
            created_at: true,
            list_lag: Duration::ZERO,
            list_keeps: Duration::ZERO,
            uniqueness_lag: Duration::ZERO,
            accepts_duplicates: false,
            refuse_after_delete: Duration::ZERO,
            conflict: None,
            filters: Filters::Exact,
            total_size: None,
            next: true,
            stored: |email| email.to_lowercase(),
            quota: usize::MAX,
            rate: None,
        }
    }
}

/// Something that changed the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Made { id: String, email: String },
    Removed { id: String, email: String },
}
