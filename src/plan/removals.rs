//! The steps of people without a row: who is removed, and who is kept for a reason.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use crate::{
    address::{email_skeleton, normalize_email},
    invitation::InvitationId,
    member::MemberId,
    plan::{
        Action, PlanOptions, Step,
        existing::{Existing, SHARED_ID},
        members::ExistingMember,
        people::{ListedPeople, Person, SEVERAL_MEMBERS},
        roles::KnownRoles,
    },
};

/// Who is removed, as the options and the roster say.
pub(super) struct Removals<'a> {
    options: &'a PlanOptions,
    /// The ids to withdraw by normalised address; `None` stands for every invitation of the address.
    withdrawals: HashMap<String, Vec<Option<&'a InvitationId>>>,
    protected: Protected<'a>,
    chosen_members: HashSet<&'a MemberId>,
    /// The addresses of invalid rows, by skeleton.
    invalid_rows: HashMap<String, String>,
}

impl<'a> Removals<'a> {
    pub fn new(options: &'a PlanOptions) -> Self {
        Self {
            options,
            withdrawals: withdrawals_by_address(options),
            protected: Protected::new(options),
            chosen_members: options.remove_members.iter().collect(),
            invalid_rows: HashMap::new(),
        }
    }

    /// Notes a row of the roster, by its step.
    pub fn see_row(&mut self, step: &Step) {
        if step.action == Action::Invalid && step.same_as.is_none() && self.options.prune {
            let skeleton = email_skeleton(&step.email);
            let first = self.invalid_rows.entry(skeleton);
            first.or_insert_with(|| step.email.clone());
        }
    }

    /// Whether everybody without a row is removed, given the number of rows and whether one has a valid address: a
    /// roster without one removes nobody.
    pub fn prunes(&self, rows: usize, has_address: bool) -> bool {
        let may_be_empty = rows == 0 && self.options.allow_empty;
        self.options.prune && (has_address || may_be_empty)
    }

    /// Adds the steps of people without a row, once all rows were seen.
    pub fn add_to(
        &self,
        steps: &mut Vec<Step>,
        listed: &ListedPeople,
        prunes: bool,
        known_roles: &KnownRoles,
    ) {
        if prunes || !self.withdrawals.is_empty() {
            for (old, person) in listed.deletable_without_row() {
                steps.extend(self.of_invitation(old, person, prunes));
            }
        }
        if self.options.prune_members || !self.chosen_members.is_empty() {
            for (member, person, former) in listed.members_without_row() {
                let step = self.of_member(member, person, former, prunes);
                steps.extend(step.map(|mut step| {
                    step.role_changes = member.lost_roles(known_roles);
                    step
                }));
            }
        }
    }

    fn of_invitation(&self, old: &Existing, person: &Person, prunes: bool) -> Option<Step> {
        let ids = self.withdrawals.get(&person.address);
        let is_requested = ids.is_some_and(|ids| {
            let mut ids = ids.iter();
            ids.any(|id| id.is_none_or(|id| *id == old.id))
        });
        if !is_requested && !prunes {
            return None;
        }
        let why = self
            .protected
            .reason(&person.address, old.id.as_str())
            .or_else(|| old.has_shared_id.then(|| SHARED_ID.to_owned()))
            .or_else(|| self.resembled(&old.email).filter(|_| !is_requested));
        let mut step = Step::without_row(old.email.clone(), why);
        step.id = Some(old.id.clone());
        Some(step)
    }

    fn of_member(
        &self,
        member: &ExistingMember,
        person: &Person,
        former: Option<&Person>,
        prunes: bool,
    ) -> Option<Step> {
        let prunes = prunes && self.options.prune_members;
        let is_asked_for = |person: &Person| {
            let ids = self.withdrawals.get(&person.address);
            self.options.prune_members && ids.is_some_and(|ids| ids.contains(&None))
        };
        let people = || std::iter::once(person).chain(former);
        let is_chosen = self.chosen_members.contains(&member.id);
        let is_requested = is_chosen || people().any(is_asked_for);
        if !is_requested && !prunes {
            return None;
        }
        let doubt = match is_asked_for(person) {
            _ if is_chosen || prunes => None,
            true => (person.has_several_members).then(|| SEVERAL_MEMBERS.to_owned()),
            false => Some(format!(
                "the address of the member is {} now; name that, or the id of the member",
                member.email
            )),
        };
        let mut addresses = people().map(|person| person.address.as_str());
        let why = addresses
            .clone()
            .find_map(|address| self.protected.reason(address, member.id.as_str()))
            .or(doubt)
            .or_else(|| {
                let resembled = addresses.find_map(|address| self.resembled(address));
                resembled.filter(|_| !is_requested)
            });
        let mut step = Step::without_row(member.email.clone(), why);
        step.member = Some(member.id.clone());
        Some(step)
    }

    /// Why a person whose address resembles that of an invalid row is kept.
    fn resembled(&self, email: &str) -> Option<String> {
        let is_possible = !self.invalid_rows.is_empty();
        let row = is_possible.then(|| self.invalid_rows.get(&email_skeleton(email)));
        let row = row.flatten()?;
        Some(format!("it resembles {row}, whose row is refused"))
    }
}

/// Who is never removed, by normalised address or id.
struct Protected<'a>(HashSet<Cow<'a, str>>);

impl<'a> Protected<'a> {
    fn new(options: &'a PlanOptions) -> Self {
        let keep = options.keep.iter().map(|one| match one.contains('@') {
            true => Cow::Owned(normalize_email(one)),
            false => Cow::Borrowed(one.as_str()),
        });
        Self(keep.collect())
    }

    /// Why the person of this normalised address, or with this id, is kept.
    fn reason(&self, address: &str, id: &str) -> Option<String> {
        let is_kept = self.0.contains(id) || self.0.contains(address);
        is_kept.then(|| "protected by the options of the plan".to_owned())
    }
}

/// The ids to withdraw by normalised address; `None` stands for every invitation of the address.
fn withdrawals_by_address(options: &PlanOptions) -> HashMap<String, Vec<Option<&InvitationId>>> {
    let mut withdrawals: HashMap<String, Vec<_>> = HashMap::new();
    for withdrawal in &options.withdraw {
        let ids = withdrawals.entry(normalize_email(&withdrawal.email));
        ids.or_default().push(withdrawal.id.as_ref());
    }
    withdrawals
}
