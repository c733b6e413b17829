//! Comparing a roster with the invitations that there are.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
};

use chrono::{DateTime, Utc};
use hashbrown::HashTable;

use crate::{
    address::{email_skeleton, normalize_email},
    capabilities::Capabilities,
    extra::Extra,
    invitation::{AuthType, Invitation, InvitationId, InvitationStatus, NewInvitation, Roles},
    plan::{Action, Plan, PlanOptions, Previous, Step},
    renewal::{ReportedRoles, missing_capability, previous_options},
};

impl Plan {
    /// Compares a roster with the invitations that there are, by address as [`normalize_email`] has it.
    ///
    /// A row that cannot be right (no address, an option that the provider does not have, the name of a role in
    /// place of its id, an address that an earlier row has) is [`Refuse`](Action::Invalid). Of several invitations
    /// of an address, the latest that is not over counts. Options that the roster leaves open, and those that the
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
        let mut known_roles = KnownRoles::default();
        let noted = |invitation: Invitation| {
            known_roles.note(&invitation);
            Existing::from(invitation)
        };
        let mut there: Vec<Existing> = there.into_iter().map(noted).collect();
        let existing = there.iter().filter(|one| one.is_deletable()).count();
        let mut people = AddressIndex::with_capacity(there.len());
        let mut person_of = Vec::with_capacity(there.len());
        for (index, one) in there.iter().enumerate() {
            let person = people.position(&one.email);
            let latest = &mut people.known[person].latest;
            if latest.is_none_or(|known| there[known].rank() < one.rank()) {
                *latest = Some(index);
            }
            person_of.push(person);
        }

        mark_shared_ids(&mut there, &person_of);

        let mut steps = Vec::new();
        let (mut rows, mut has_address) = (0, false);
        // Whom a refused row may have meant.
        let mut refused = HashMap::new();
        for (row, new) in roster.into_iter().enumerate() {
            rows += 1;
            has_address = has_address || new.validate().is_ok();
            let person = people.position(&new.email);
            let person = &mut people.known[person];
            // Whatever becomes of the row, its person is wanted.
            person.in_roster = true;
            let step = match refusal(&new, capabilities, &known_roles) {
                Some(why) => Step::refused(row, new, why),
                None if person.row.is_some() => {
                    let why = "an earlier row has the same address";
                    let mut step = Step::refused(row, new, why.to_owned());
                    step.same_as = person.row;
                    step
                }
                None => {
                    person.row = Some(row);
                    let found = person.latest.map(|index| &there[index]);
                    decide(row, new, found, capabilities)
                }
            };
            if step.action == Action::Invalid && step.same_as.is_none() && options.prune {
                let skeleton = email_skeleton(&step.email);
                refused
                    .entry(skeleton)
                    .or_insert_with(|| step.email.clone());
            }
            steps.push(step);
        }

        let prune = options.prune && (has_address || (rows == 0 && options.allow_empty));
        let asked: HashMap<String, Vec<Option<&InvitationId>>> =
            options
                .withdraw
                .iter()
                .fold(HashMap::new(), |mut asked, one| {
                    let ids: &mut Vec<_> = asked.entry(normalize_email(&one.email)).or_default();
                    ids.push(one.id.as_ref());
                    asked
                });
        if prune || !asked.is_empty() {
            let unwanted = there
                .into_iter()
                .zip(person_of)
                .filter(|(one, person)| one.is_deletable() && !people.known[*person].in_roster);
            steps.extend(unwanted.filter_map(|(one, person)| {
                let asked = asked.get(&people.known[person].address);
                let is_asked = asked.is_some_and(|ids| {
                    let mut ids = ids.iter();
                    ids.any(|id| id.is_none_or(|id| *id == one.id))
                });
                let resembled = || refused.get(&email_skeleton(&one.email));
                match (is_asked, prune) {
                    (true, _) | (_, true) if one.has_shared_id => {
                        let why = SHARED_ID.to_owned();
                        Some(Step::unwanted(one, Action::Keep, Some(why)))
                    }
                    (true, _) => Some(Step::unwanted(one, Action::Delete, None)),
                    (false, false) => None,
                    (false, true) => match (!refused.is_empty()).then(resembled).flatten() {
                        Some(row) => {
                            let why = format!("it resembles {row}, whose row is refused");
                            Some(Step::unwanted(one, Action::Keep, Some(why)))
                        }
                        None => Some(Step::unwanted(one, Action::Delete, None)),
                    },
                }
            }));
        }
        Self { steps, existing }
    }
}

impl Step {
    fn of_row(row: usize, new: NewInvitation, action: Action, reason: Option<String>) -> Self {
        Self {
            row: Some(row),
            action,
            email: new.email,
            id: None,
            reason,
            same_as: None,
            auth_type: new.auth_type,
            roles: new.roles,
            extra: new.extra,
            previous: None,
        }
    }

    fn refused(row: usize, new: NewInvitation, why: String) -> Self {
        Self::of_row(row, new, Action::Invalid, Some(why))
    }

    fn unwanted(one: Existing, action: Action, reason: Option<String>) -> Self {
        Self {
            row: None,
            action,
            email: one.email,
            id: Some(one.id),
            reason,
            same_as: None,
            auth_type: None,
            roles: None,
            extra: Extra::default(),
            previous: None,
        }
    }
}

/// Everybody who is in the list or the roster, by address.
struct AddressIndex {
    known: Vec<Person>,
    /// Where each is among those known, by the hash of the address. Small, because caches hold little of
    /// what is looked up at random.
    positions: HashTable<usize>,
    hashing: RandomState,
}

/// Where a person is in the list and in the roster.
struct Person {
    /// As [`normalize_email`] has it.
    address: String,
    latest: Option<usize>,
    /// The row that counts.
    row: Option<usize>,
    /// Whether any row has the address.
    in_roster: bool,
}

impl AddressIndex {
    fn with_capacity(capacity: usize) -> Self {
        Self {
            known: Vec::with_capacity(capacity),
            positions: HashTable::with_capacity(capacity),
            hashing: RandomState::new(),
        }
    }

    /// Where the person of this address is among those known.
    fn position(&mut self, email: &str) -> usize {
        let address = normalize_email(email);
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
                in_roster: false,
            });
        }
        position
    }
}

const SHARED_ID: &str =
    "the list has its id for another address too, so it is not known whose it is";

/// Marks the invitations whose id the list has for another person too: to withdraw one may be to withdraw the other.
fn mark_shared_ids(there: &mut [Existing], person_of: &[usize]) {
    let hashing = RandomState::new();
    let mut first_of: HashTable<usize> = HashTable::with_capacity(there.len());
    let mut firsts = Vec::with_capacity(there.len());
    for index in 0..there.len() {
        let id = &there[index].id;
        let same = |first: &usize| there[*first].id == *id;
        let again = |first: &usize| hashing.hash_one(&there[*first].id);
        let entry = first_of.entry(hashing.hash_one(id), same, again);
        let first = *entry.or_insert(index).get();
        there[first].has_shared_id |= person_of[first] != person_of[index];
        firsts.push(first);
    }
    for (index, first) in firsts.into_iter().enumerate() {
        there[index].has_shared_id = there[first].has_shared_id;
    }
}

/// As much of an invitation as a plan needs.
struct Existing {
    id: InvitationId,
    /// Whether the list has the id for another person too.
    has_shared_id: bool,
    email: String,
    status: Option<InvitationStatus>,
    created_at: Option<DateTime<Utc>>,
    auth_type: Option<AuthType>,
    role: Option<String>,
    roles: ReportedRoles,
}

impl From<Invitation> for Existing {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id,
            has_shared_id: false,
            email: invitation.email,
            status: invitation.status,
            created_at: invitation.created_at,
            auth_type: invitation.auth_type,
            role: invitation.role,
            roles: invitation.assigned_roles.into(),
        }
    }
}

impl Existing {
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

    fn is_deletable(&self) -> bool {
        self.status
            .as_ref()
            .is_none_or(InvitationStatus::is_deletable)
    }
}

/// The roles that the invitations name.
#[derive(Default)]
struct KnownRoles {
    ids: HashSet<String>,
    /// The id of a name in lower case.
    names: HashMap<String, String>,
}

impl KnownRoles {
    fn note(&mut self, invitation: &Invitation) {
        for role in invitation.assigned_roles.iter().flatten() {
            if let Some(id) = role.id.as_ref().filter(|id| !self.ids.contains(*id)) {
                self.ids.insert(id.clone());
                if let Some(name) = &role.name {
                    self.names.insert(name.to_lowercase(), id.clone());
                }
            }
        }
    }

    /// What is wrong with an id that is the name of a role.
    fn name_for_id(&self, ids: &[String]) -> Option<String> {
        ids.iter().find_map(|word| {
            let is_id = self.ids.contains(word);
            let id = self.names.get(&word.to_lowercase()).filter(|_| !is_id)?;
            Some(format!("{word:?} is the name of a role; its id is {id}"))
        })
    }
}

/// Why a row cannot be carried out.
fn refusal(
    new: &NewInvitation,
    capabilities: &Capabilities,
    known_roles: &KnownRoles,
) -> Option<String> {
    if let Err(error) = new.validate() {
        return Some(error.message().to_owned());
    }
    if let Some(missing) = missing_capability(new, capabilities) {
        return Some(format!("the provider has no {missing}"));
    }
    match &new.roles {
        Some(Roles::Ids(ids)) => known_roles.name_for_id(ids),
        _ => None,
    }
}

fn decide(
    row: usize,
    new: NewInvitation,
    found: Option<&Existing>,
    capabilities: &Capabilities,
) -> Step {
    let Some(found) = found else {
        return Step::of_row(row, new, Action::Create, None);
    };
    let (action, reason) = match &found.status {
        Some(InvitationStatus::Accepted) => (Action::Keep, Some("accepted".to_owned())),
        Some(InvitationStatus::Deactivated) => (Action::Create, None),
        Some(InvitationStatus::Expired) => (Action::Replace, Some("expired".to_owned())),
        _ => match difference(&new, found) {
            Some(what) => (Action::Replace, Some(format!("other {what}"))),
            None if matches!(
                (&new.roles, &found.roles),
                (Some(Roles::Ids(_)), ReportedRoles::WithoutIds)
            ) =>
            {
                (
                    Action::Keep,
                    Some("its roles are reported without ids, and were not compared".to_owned()),
                )
            }
            None => (Action::Keep, None),
        },
    };
    let mut step = Step::of_row(row, new, action, reason);
    if matches!(action, Action::Replace | Action::Keep) {
        step.id = Some(found.id.clone());
    }
    if action != Action::Replace {
        return step;
    }
    if found.has_shared_id {
        (step.action, step.id) = (Action::Invalid, None);
        step.reason = Some(SHARED_ID.to_owned());
        return step;
    }
    // What the roster leaves open stays as it was.
    let (auth_type, role) = (found.auth_type.as_ref(), found.role.as_deref());
    let old = previous_options(&step.email, auth_type, role, &found.roles, capabilities);
    match &old {
        Ok(old) => {
            step.auth_type = step.auth_type.or_else(|| old.auth_type.clone());
            step.roles = step.roles.or_else(|| old.roles.clone());
        }
        Err(why) if step.roles.is_none() => {
            (step.action, step.id) = (Action::Invalid, None);
            step.reason = Some((*why).to_owned());
            return step;
        }
        Err(_) => {}
    }
    step.previous = Some(Previous {
        status: found.status.clone(),
        invitation: old.ok(),
    });
    step
}

/// The option that the invitation was made with otherwise than is wanted.
fn difference(new: &NewInvitation, found: &Existing) -> Option<&'static str> {
    let roles_differ = match (&new.roles, &found.roles) {
        (Some(Roles::Ids(wanted)), ReportedRoles::Ids(given)) => {
            let set = |ids| HashSet::<&String>::from_iter(ids);
            set(wanted) != set(given)
        }
        (Some(Roles::Legacy(wanted)), _) => {
            found.role.as_ref().is_some_and(|given| given != wanted)
        }
        _ => false,
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
