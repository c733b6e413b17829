//! What happened in an organisation.

use std::borrow::Cow;
use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Builder;

/// The number of activities that an organisation keeps: the latest ones.
const LIMIT: usize = 100_000;

/// One thing that happened.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Activity {
    sequence: u64,
    pub(super) at: DateTime<Utc>,
    /// The value of `type`.
    pub(super) kind: Cow<'static, str>,
    pub(super) actor: Actor,
}

/// Who did it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Actor {
    /// An API key, by its id.
    Key(Box<str>),
    /// A user, by id and address.
    User { id: Box<str>, email: Box<str> },
}

/// The activities of one organisation, oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Activities {
    all: VecDeque<Activity>,
    last_sequence: u64,
}

pub(super) const INVITE_CREATE: &str = "organization_invite_create";
pub(super) const INVITE_DELETE: &str = "organization_invite_delete";
pub(super) const MEMBER_JOIN: &str = "organization_member_join";
pub(super) const MEMBER_LEAVE: &str = "organization_member_leave";
pub(super) const MEMBER_UPDATE_ROLES: &str = "organization_member_update_roles";

impl Activity {
    /// The activity's id, a uuid that follows from its position.
    pub(super) fn id(&self) -> String {
        let bytes = (u128::from(self.sequence) | 1 << 96).to_be_bytes();
        Builder::from_random_bytes(bytes).into_uuid().to_string()
    }
}

impl Activities {
    pub(super) fn record(&mut self, kind: &'static str, actor: Actor, at: DateTime<Utc>) {
        self.last_sequence += 1;
        if self.all.len() == LIMIT {
            self.all.pop_front();
        }
        self.all.push_back(Activity {
            sequence: self.last_sequence,
            at,
            kind: kind.into(),
            actor,
        });
    }

    /// The activities between two times, both included.
    pub(super) fn between(
        &self,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
    ) -> impl Iterator<Item = &Activity> {
        self.all.iter().filter(move |it| {
            from.is_none_or(|from| from <= it.at) && to.is_none_or(|to| it.at <= to)
        })
    }
}
