//! From the people who should be invited and the invitations that there are to what has to be done.

mod apply;

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

use chrono::{DateTime, Utc};
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

pub use self::apply::{StepOutcome, StepResult};

use crate::{
    capabilities::Capabilities,
    invitation::{AuthType, Invitation, InvitationId, InvitationStatus, NewInvitation, Roles},
};

/// What has to be done so that exactly the people of a roster are invited. Data: making a plan sends
/// nothing, [`apply`](Self::apply) does.
///
/// ```
/// use org_invitations::{Action, Capabilities, Invitation, NewInvitation, Plan, PlanOptions};
///
/// let roster = [NewInvitation::new("ann@example.com"), NewInvitation::new("bob@example.com")];
/// let there = [Invitation::new("i-1".parse()?, "Ann@example.com")];
/// let plan = Plan::new(roster, there, &Capabilities::default(), &PlanOptions::default());
/// let actions: Vec<_> = plan.steps.iter().map(|step| step.action).collect();
/// assert_eq!(actions, [Action::Keep, Action::Create]);
/// # Ok::<(), org_invitations::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Plan {
    /// One for each row of the roster, in its order; then the deletions, in the order of the list.
    pub steps: Vec<Step>,
}

/// What has to be done about one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Step {
    /// The row of the roster, counted from 0; none where the person is not in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<usize>,
    /// What has to be done.
    pub action: Action,
    /// The person's address: as in the roster, else as in the list.
    pub email: String,
    /// The invitation that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<InvitationId>,
    /// Why, where the action does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The earlier row that has the same address, counted from 0, where that is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<usize>,
    /// How the invitee is to log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<AuthType>,
    /// What the invitee is to be allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Roles>,
}

/// What can have to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Action {
    /// Invite: the person is not invited, or the invitation was withdrawn.
    Create,
    /// Withdraw and invite again: the invitation has expired, or was made with other options. Neither
    /// vendor can change an invitation or send it again.
    Renew,
    /// Nothing: the person is invited as asked, or a member already.
    Keep,
    /// Withdraw: the person is not in the roster.
    Delete,
    /// Nothing, because the row cannot be carried out; the reason says why.
    Refuse,
}

impl Action {
    /// Every action, in the order in which people want to see them.
    pub const ALL: [Self; 5] = [
        Self::Create,
        Self::Renew,
        Self::Keep,
        Self::Delete,
        Self::Refuse,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Renew => "renew",
            Self::Keep => "keep",
            Self::Delete => "delete",
            Self::Refuse => "refuse",
        }
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How to make a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanOptions {
    /// Withdraw the invitations of people who are not in the roster, but for those that were accepted.
    /// Default: no.
    pub prune: bool,
}

impl PlanOptions {
    /// Sets whether people who are not in the roster lose their invitation.
    #[must_use]
    pub fn prune(mut self, prune: bool) -> Self {
        self.prune = prune;
        self
    }
}

impl Plan {
    /// Compares a roster with the invitations that there are, by address and without regard to case.
    ///
    /// A row that cannot be right (no address, an option that the provider does not have, an address
    /// that an earlier row has) is [`Refuse`](Action::Refuse). Of several invitations of an address,
    /// the latest that is not over counts. Options that the roster leaves open, and those that the
    /// provider does not report, do not differ. Takes time and memory in proportion to both lists.
    pub fn new<D, A>(
        roster: D,
        there: A,
        capabilities: &Capabilities,
        options: &PlanOptions,
    ) -> Self
    where
        D: IntoIterator<Item = NewInvitation>,
        A: IntoIterator<Item = Invitation>,
    {
        let there: Vec<There> = there.into_iter().map(There::from).collect();
        let mut people = People::with_capacity(there.len());
        let mut whose = Vec::with_capacity(there.len());
        for (index, one) in there.iter().enumerate() {
            let person = people.position(&one.email);
            let latest = &mut people.known[person].latest;
            if latest.is_none_or(|known| there[known].rank() < one.rank()) {
                *latest = Some(index);
            }
            whose.push(person);
        }
        let mut steps = Vec::new();
        for (row, new) in roster.into_iter().enumerate() {
            let person = people.position(&new.email);
            let person = &mut people.known[person];
            let found = person.latest.map(|index| &there[index]);
            let same_as = person.row;
            let (action, reason) = match (refusal(&new, capabilities), same_as) {
                (Some(why), _) => (Action::Refuse, Some(why)),
                (None, Some(_)) => {
                    let why = "an earlier row has the same address";
                    (Action::Refuse, Some(why.to_owned()))
                }
                (None, None) => {
                    person.row = Some(row);
                    decide(&new, found)
                }
            };
            let id = found.filter(|_| matches!(action, Action::Renew | Action::Keep));
            steps.push(Step {
                row: Some(row),
                action,
                email: new.email,
                id: id.map(|found| found.id.clone()),
                reason,
                same_as,
                auth_type: new.auth_type,
                roles: new.roles,
            });
        }
        if options.prune {
            let unwanted = there.into_iter().zip(whose).filter(|(one, person)| {
                let gone = [InvitationStatus::Accepted, InvitationStatus::Deactivated];
                let gone = one
                    .status
                    .as_ref()
                    .is_some_and(|status| gone.contains(status));
                !gone && people.known[*person].row.is_none()
            });
            steps.extend(unwanted.map(|(one, _)| Step {
                row: None,
                action: Action::Delete,
                email: one.email,
                id: Some(one.id),
                reason: None,
                same_as: None,
                auth_type: None,
                roles: None,
            }));
        }
        Self { steps }
    }

    /// How many steps have this action.
    pub fn count(&self, action: Action) -> usize {
        let matching = self.steps.iter().filter(|step| step.action == action);
        matching.count()
    }

    /// Whether applying it would change nothing.
    pub fn is_empty(&self) -> bool {
        let idle = |step: &Step| matches!(step.action, Action::Keep | Action::Refuse);
        self.steps.iter().all(idle)
    }
}

impl Step {
    /// The invitation that is to be made.
    pub fn invitation(&self) -> NewInvitation {
        let mut new = NewInvitation::new(&self.email);
        new.auth_type = self.auth_type.clone();
        new.roles = self.roles.clone();
        new
    }
}

/// Everybody who is in the list or the roster, by address and without regard to case.
struct People {
    known: Vec<Person>,
    /// Where each is among those known, by the hash of the address. Small, because caches hold little of
    /// what is looked up at random.
    positions: HashTable<usize>,
    hashing: RandomState,
}

/// Where a person is in the list and in the roster.
struct Person {
    address: String,
    latest: Option<usize>,
    row: Option<usize>,
}

impl People {
    fn with_capacity(capacity: usize) -> Self {
        Self {
            known: Vec::with_capacity(capacity),
            positions: HashTable::with_capacity(capacity),
            hashing: RandomState::new(),
        }
    }

    /// Where the person of this address is among those known.
    fn position(&mut self, email: &str) -> usize {
        let address = email.to_lowercase();
        let known = &mut self.known;
        let next = known.len();
        let hash = |address: &String| self.hashing.hash_one(address);
        let same = |position: &usize| known[*position].address == address;
        let again = |position: &usize| hash(&known[*position].address);
        let entry = self.positions.entry(hash(&address), same, again);
        let position = *entry.or_insert(next).get();
        if position == next {
            known.push(Person {
                address,
                latest: None,
                row: None,
            });
        }
        position
    }
}

/// As much of an invitation as a plan needs.
struct There {
    id: InvitationId,
    email: String,
    status: Option<InvitationStatus>,
    created_at: Option<DateTime<Utc>>,
    auth_type: Option<AuthType>,
    role: Option<String>,
    role_ids: Option<HashSet<String>>,
}

impl From<Invitation> for There {
    fn from(invitation: Invitation) -> Self {
        let ids = |roles: Vec<crate::RoleAssignment>| {
            // A role without an id cannot be compared.
            roles.into_iter().map(|role| role.id).collect::<Option<_>>()
        };
        Self {
            id: invitation.id,
            email: invitation.email,
            status: invitation.status,
            created_at: invitation.created_at,
            auth_type: invitation.auth_type,
            role: invitation.role,
            role_ids: invitation.assigned_roles.and_then(ids),
        }
    }
}

impl There {
    /// Members before those who can still accept, before what is over; then the latest.
    fn rank(&self) -> (u8, Option<DateTime<Utc>>) {
        let rank = match self.status {
            Some(InvitationStatus::Accepted) => 3,
            Some(InvitationStatus::Expired) => 1,
            Some(InvitationStatus::Deactivated) => 0,
            _ => 2,
        };
        (rank, self.created_at)
    }
}

/// Why a row cannot be carried out.
fn refusal(new: &NewInvitation, capabilities: &Capabilities) -> Option<String> {
    if let Err(error) = new.validate() {
        return Some(error.message().to_owned());
    }
    let missing = match &new.roles {
        Some(Roles::Ids(_)) if !capabilities.role_ids => "roles by id",
        Some(Roles::Legacy(_)) if !capabilities.legacy_role => "legacy roles",
        _ if new.auth_type.is_some() && !capabilities.auth_type => "auth types",
        _ => return None,
    };
    Some(format!("the provider has no {missing}"))
}

fn decide(new: &NewInvitation, found: Option<&There>) -> (Action, Option<String>) {
    let Some(found) = found else {
        return (Action::Create, None);
    };
    let because = |why: &str| Some(why.to_owned());
    match &found.status {
        Some(InvitationStatus::Accepted) => (Action::Keep, because("accepted")),
        Some(InvitationStatus::Deactivated) => (Action::Create, None),
        Some(InvitationStatus::Expired) => (Action::Renew, because("expired")),
        _ => match difference(new, found) {
            Some(what) => (Action::Renew, Some(format!("other {what}"))),
            None => (Action::Keep, None),
        },
    }
}

/// The option that the invitation was made with otherwise than is wanted.
fn difference(new: &NewInvitation, found: &There) -> Option<&'static str> {
    let roles_differ = match &new.roles {
        Some(Roles::Ids(wanted)) => found.role_ids.as_ref().is_some_and(|given| {
            wanted.len() != given.len() || wanted.iter().any(|id| !given.contains(id))
        }),
        Some(Roles::Legacy(wanted)) => found.role.as_ref().is_some_and(|given| given != wanted),
        None => false,
    };
    let logins_differ = match (&new.auth_type, &found.auth_type) {
        (Some(wanted), Some(given)) => wanted != given,
        _ => false,
    };
    match (roles_differ, logins_differ) {
        (true, _) => Some("roles"),
        (_, true) => Some("auth type"),
        _ => None,
    }
}
