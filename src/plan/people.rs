//! The people whom the lists and the roster have, by address, and the step for each row.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use hashbrown::HashTable;

use crate::{
    address::normalize_email,
    capabilities::Capabilities,
    invitation::NewInvitation,
    member::MemberId,
    plan::{
        Action, Step,
        existing::{Existing, mark_shared_ids},
        members::{self, ExistingMember},
        roles::KnownRoles,
        rows::decide,
    },
};

/// Why nothing is changed of a member who is known by address only.
pub(super) const SEVERAL_MEMBERS: &str =
    "several members have this address, so it does not tell who is meant; choose one by id";

/// The existing invitations and members, and whose they are.
pub(super) struct ListedPeople {
    pub existing: Vec<Existing>,
    pub members: Vec<ExistingMember>,
    index: AddressIndex,
    /// The person of each existing invitation.
    person_of_invitation: Vec<usize>,
    /// The person of each member.
    person_of_member: Vec<usize>,
    /// By member: the person of an address that the member had when accepting.
    former_person_of: HashMap<usize, usize>,
}

impl ListedPeople {
    /// An invitation has a user if `has_users`.
    pub fn new(existing: Vec<Existing>, members: Vec<ExistingMember>, has_users: bool) -> Self {
        let capacity = existing.len().max(members.len());
        let mut listed = Self {
            person_of_invitation: Vec::with_capacity(existing.len()),
            person_of_member: Vec::with_capacity(members.len()),
            existing,
            members,
            index: AddressIndex::with_capacity(capacity),
            former_person_of: HashMap::new(),
        };
        listed.index_invitations();
        mark_shared_ids(&mut listed.existing, &listed.person_of_invitation);
        listed.index_members();
        if has_users && !listed.members.is_empty() {
            listed.index_former_addresses();
        }
        listed
    }

    fn index_invitations(&mut self) {
        let existing = &self.existing;
        for (position, invitation) in existing.iter().enumerate() {
            let person = self.index.person(&invitation.email);
            let known = &mut self.index.people[person];
            let is_later = |latest: Option<usize>| {
                latest.is_none_or(|latest| existing[latest].rank() < invitation.rank())
            };
            if is_later(known.latest) {
                known.latest = Some(position);
            }
            if !invitation.is_accepted() && is_later(known.latest_open) {
                known.latest_open = Some(position);
            }
            self.person_of_invitation.push(person);
        }
    }

    fn index_members(&mut self) {
        let members = &self.members;
        for (position, member) in members.iter().enumerate() {
            let at = self.index.person(&member.email);
            let person = &mut self.index.people[at];
            let other = person.member.replace(position);
            person.has_several_members |= other.is_some_and(|one| members[one].id != member.id);
            self.person_of_member.push(at);
        }
    }

    /// A member whose address has changed is known by the user of the accepted invitation.
    fn index_former_addresses(&mut self) {
        let ids = self.members.iter().map(|one| &one.id);
        let by_id: HashMap<&MemberId, usize> = ids.zip(0..).collect();
        for (invitation, person) in self.existing.iter().zip(&self.person_of_invitation) {
            let user = invitation.user.as_ref();
            let Some(member) = user.and_then(|user| by_id.get(user)) else {
                continue;
            };
            let known = &mut self.index.people[*person];
            if known.member.is_none() {
                (known.member, known.is_former) = (Some(*member), true);
                self.former_person_of.insert(*member, *person);
            }
        }
    }

    /// The step for a row. `error` is why the row is invalid.
    pub fn step_for(
        &mut self,
        row: usize,
        new: NewInvitation,
        error: Option<String>,
        capabilities: &Capabilities,
        known_roles: &KnownRoles,
    ) -> Step {
        let person = self.index.person(&new.email);
        let person = &mut self.index.people[person];
        // Also an invalid row protects its person.
        person.in_roster = true;
        if let Some(why) = error {
            return Step::invalid(row, new, why);
        }
        if person.row.is_some() {
            let why = "an earlier row has the same address";
            let mut step = Step::invalid(row, new, why.to_owned());
            step.same_as = person.row;
            return step;
        }
        person.row = Some(row);
        let decide_by =
            |new, found: usize| decide(row, new, &self.existing[found], capabilities, known_roles);
        match (person.member, person.latest) {
            (Some(_), _) if person.has_several_members && new.roles.is_some() => {
                Step::invalid(row, new, SEVERAL_MEMBERS.to_owned())
            }
            (Some(member), _) => {
                let member = &self.members[member];
                members::decide(row, new, member, known_roles).of_former(person.is_former, member)
            }
            // Who has accepted and is no member has left, and may have been invited since.
            (None, Some(found))
                if !self.members.is_empty() && self.existing[found].is_accepted() =>
            {
                let open = person.latest_open;
                match open.filter(|open| self.existing[*open].is_deletable()) {
                    Some(open) => decide_by(new, open),
                    None => {
                        let why = "accepted, and no member any more".to_owned();
                        Step::of_row(row, new, Action::Create, Some(why))
                    }
                }
            }
            (None, Some(found)) => decide_by(new, found),
            (None, None) => Step::of_row(row, new, Action::Create, None),
        }
    }

    /// The invitations of people without a row that can be withdrawn, each with its person.
    pub fn deletable_without_row(&self) -> impl Iterator<Item = (&Existing, &Person)> {
        let people = self.person_of_invitation.iter();
        let people = people.map(|person| &self.index.people[*person]);
        let all = self.existing.iter().zip(people);
        all.filter(|(old, person)| old.is_deletable() && !person.in_roster)
    }

    /// The members without a row, each with its person, and the person of the address that the member had before.
    pub fn members_without_row(
        &self,
    ) -> impl Iterator<Item = (&ExistingMember, &Person, Option<&Person>)> {
        let people = &self.index.people;
        let members = self.members.iter().zip(&self.person_of_member).enumerate();
        let members = members.map(|(position, (member, person))| {
            let former = self.former_person_of.get(&position);
            (
                member,
                &people[*person],
                former.map(|person| &people[*person]),
            )
        });
        members.filter(|(_, person, former)| {
            !person.in_roster && !former.is_some_and(|person| person.in_roster)
        })
    }
}

/// The people in the list and the roster, by address.
struct AddressIndex {
    people: Vec<Person>,
    /// Indices into `people`, by the hash of the address. Small, for the CPU's caches.
    table: HashTable<usize>,
    hasher: RandomState,
}

/// A person in the list, the roster or both.
#[derive(Default)]
pub(super) struct Person {
    /// The normalised address.
    pub address: String,
    /// The index of the latest existing invitation.
    pub latest: Option<usize>,
    /// The first valid row of the roster.
    pub row: Option<usize>,
    /// Whether any row of the roster has the address, valid or not.
    pub in_roster: bool,
    /// The index of the member.
    pub member: Option<usize>,
    /// Whether another member has the address too.
    pub has_several_members: bool,
    /// Whether the member has another address now, and accepted with this one.
    pub is_former: bool,
    /// The index of the latest existing invitation that was not accepted.
    pub latest_open: Option<usize>,
}

impl AddressIndex {
    fn with_capacity(capacity: usize) -> Self {
        Self {
            people: Vec::with_capacity(capacity),
            table: HashTable::with_capacity(capacity),
            hasher: RandomState::new(),
        }
    }

    /// The index of the person of an address, who is added if necessary.
    fn person(&mut self, email: &str) -> usize {
        let address = normalize_email(email);
        let people = &mut self.people;
        let next = people.len();
        let hash = |address: &String| self.hasher.hash_one(address);
        let same = |person: &usize| people[*person].address == address;
        let rehash = |person: &usize| hash(&people[*person].address);
        let entry = self.table.entry(hash(&address), same, rehash);
        let person = *entry.or_insert(next).get();
        if person == next {
            people.push(Person {
                address,
                ..Person::default()
            });
        }
        person
    }
}
