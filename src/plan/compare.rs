//! Compares a roster with the existing invitations.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use crate::{
    address::{email_skeleton, normalize_email},
    capabilities::Capabilities,
    extra::Extra,
    invitation::{Invitation, InvitationId, NewInvitation},
    member::{Member, MemberId},
    person::People,
    plan::{
        Action, Plan, PlanOptions, Step,
        existing::{AddressIndex, Existing, Person, mark_shared_ids},
        members::{self, ExistingMember},
        roles::KnownRoles,
        rows::{decide, row_error},
    },
    role::RoleIndex,
};

impl Plan {
    /// Compares a roster with the existing invitations, by address as [`normalize_email`] has it.
    ///
    /// - A row is [`Invalid`](Action::Invalid) if its address is invalid, if the provider does not have one of its
    ///   options, or if an earlier row has the same address.
    /// - Of several invitations of an address, the latest counts; void ones rank last.
    /// - Options that the roster leaves open, and options that the provider does not report, are not compared.
    ///
    /// Who has accepted is a member, and on ClickHouse no invitation any more: [`of_people`](Self::of_people) knows
    /// members.
    ///
    /// Takes time and memory in proportion to both lists.
    pub fn new<R, E>(
        roster: R,
        existing: E,
        capabilities: &Capabilities,
        options: &PlanOptions,
    ) -> Self
    where
        R: IntoIterator<Item = NewInvitation>,
        E: IntoIterator<Item = Invitation>,
    {
        Self::compare(roster, existing, [], capabilities, options)
    }

    /// Compares a roster with the existing invitations and members. What [`new`](Self::new) says holds, and:
    ///
    /// - A member with a row is kept, and gets the roles of the row ([`SetRoles`](Action::SetRoles)) if it gives any and
    ///   the member has others. Roles that [`People::load_roles`] has not read are not compared.
    /// - Where roles are given to users ([`Capabilities::role_scopes`]), an invited user gets other roles without a new
    ///   invitation.
    /// - A member without a row is removed only with [`PlanOptions::prune_members`], and never if
    ///   [`PlanOptions::keep`], [`PlanOptions::owner`] or [`PlanOptions::min_admins`] protects the member.
    ///
    /// ```
    /// use org_invitations::{
    ///     Action, InvitationProvider, NewInvitation, People, Plan, PlanOptions,
    /// };
    ///
    #[doc = example!(clickhouse)]
    /// # if !provider.capabilities().members || !provider.capabilities().list_roles { return Ok(()); }
    /// # provider.create(NewInvitation::new("ann@example.com").roles(["Developer"])).await?;
    /// # sandbox.accept(org_invitations_sandbox::Provider::ClickHouse, "ann@example.com")?;
    /// let roster = [NewInvitation::new("ann@example.com").roles(["Billing"])];
    /// let mut people = People::load(&provider).await?;
    /// people.load_roles(&provider).await?;
    /// let plan = Plan::of_people(roster, people, &provider.capabilities(), &PlanOptions::default());
    /// let ann = &plan.steps[0];
    /// assert_eq!(ann.action, Action::SetRoles);
    /// assert_eq!(ann.role_changes, ["+Billing", "-Developer"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn of_people<R>(
        roster: R,
        people: People,
        capabilities: &Capabilities,
        options: &PlanOptions,
    ) -> Self
    where
        R: IntoIterator<Item = NewInvitation>,
    {
        let People {
            invitations,
            members,
            ..
        } = people;
        Self::compare(roster, invitations, members, capabilities, options)
    }

    fn compare<R, E, M>(
        roster: R,
        existing: E,
        members: M,
        capabilities: &Capabilities,
        options: &PlanOptions,
    ) -> Self
    where
        R: IntoIterator<Item = NewInvitation>,
        E: IntoIterator<Item = Invitation>,
        M: IntoIterator<Item = Member>,
    {
        let roles = options.roles.clone().filter(|roles| !roles.is_empty());
        let roles = roles.map(RoleIndex::new);
        let mut known_roles = KnownRoles::new(roles.as_ref());
        let has_users = capabilities.gives_roles_to_users();
        let read = |invitation: Invitation| {
            known_roles.add(invitation.roles.as_deref());
            Existing::new(invitation, has_users)
        };
        let mut existing: Vec<Existing> = existing.into_iter().map(read).collect();
        let read = |member: Member| {
            known_roles.add(member.roles.as_deref());
            ExistingMember::from(member)
        };
        let members: Vec<ExistingMember> = members.into_iter().map(read).collect();
        let deletable = existing.iter().filter(|old| old.is_deletable()).count();
        let mut index = AddressIndex::with_capacity(existing.len().max(members.len()));
        // The person of each existing invitation.
        let mut person_of = Vec::with_capacity(existing.len());
        for (position, invitation) in existing.iter().enumerate() {
            let person = index.person(&invitation.email);
            let known = &mut index.people[person];
            let is_later = |latest: Option<usize>| {
                latest.is_none_or(|latest| existing[latest].rank() < invitation.rank())
            };
            if is_later(known.latest) {
                known.latest = Some(position);
            }
            if !invitation.is_accepted() && is_later(known.latest_open) {
                known.latest_open = Some(position);
            }
            person_of.push(person);
        }
        mark_shared_ids(&mut existing, &person_of);
        let person_of_member = |(position, member): (usize, &ExistingMember)| {
            let at = index.person(&member.email);
            let person = &mut index.people[at];
            let other = person.member.replace(position);
            person.has_several_members |= other.is_some_and(|one| members[one].id != member.id);
            at
        };
        let person_of_member: Vec<usize> =
            members.iter().enumerate().map(person_of_member).collect();
        // A member whose address has changed is known by the user of the accepted invitation.
        let mut other_address_of = HashMap::new();
        let knows_members = !members.is_empty();
        if has_users && knows_members {
            let by_id: HashMap<&MemberId, usize> =
                members.iter().map(|one| &one.id).zip(0..).collect();
            for (invitation, person) in existing.iter().zip(&person_of) {
                let user = invitation.user.as_ref();
                let Some(member) = user.and_then(|user| by_id.get(user)) else {
                    continue;
                };
                let known = &mut index.people[*person];
                if known.member.is_none() {
                    (known.member, known.is_former) = (Some(*member), true);
                    other_address_of.insert(*member, *person);
                }
            }
        }

        let mut steps = Vec::new();
        let (mut rows, mut has_address) = (0, false);
        // The addresses of invalid rows, by skeleton.
        let mut invalid_rows = HashMap::new();
        for (row, new) in roster.into_iter().enumerate() {
            rows += 1;
            has_address = has_address || new.validate().is_ok();
            let person = index.person(&new.email);
            let person = &mut index.people[person];
            // Also an invalid row protects its person.
            person.in_roster = true;
            let step = match row_error(&new, capabilities, roles.as_ref()) {
                Some(why) => Step::invalid(row, new, why),
                None if person.row.is_some() => {
                    let why = "an earlier row has the same address";
                    let mut step = Step::invalid(row, new, why.to_owned());
                    step.same_as = person.row;
                    step
                }
                None => {
                    person.row = Some(row);
                    match (person.member, person.latest) {
                        (Some(_), _) if person.has_several_members && new.roles.is_some() => {
                            Step::invalid(row, new, SEVERAL_MEMBERS.to_owned())
                        }
                        (Some(member), _) => {
                            let is_former = person.is_former;
                            let member = &members[member];
                            members::decide(row, new, member, &known_roles)
                                .of_former(is_former, member)
                        }
                        // Who has accepted and is no member has left, and may have been invited since.
                        (None, Some(found)) if knows_members && existing[found].is_accepted() => {
                            match person
                                .latest_open
                                .filter(|open| existing[*open].is_deletable())
                            {
                                Some(open) => {
                                    decide(row, new, &existing[open], capabilities, &known_roles)
                                }
                                None => {
                                    let why = "accepted, and no member any more".to_owned();
                                    Step::of_row(row, new, Action::Create, Some(why))
                                }
                            }
                        }
                        (None, Some(found)) => {
                            decide(row, new, &existing[found], capabilities, &known_roles)
                        }
                        (None, None) => Step::of_row(row, new, Action::Create, None),
                    }
                }
            };
            if step.action == Action::Invalid && step.same_as.is_none() && options.prune {
                let skeleton = email_skeleton(&step.email);
                invalid_rows
                    .entry(skeleton)
                    .or_insert_with(|| step.email.clone());
            }
            steps.push(step);
        }

        let prune = options.prune && (has_address || (rows == 0 && options.allow_empty));
        let withdrawals = withdrawals_by_address(options);
        let protected = Protected::new(options);
        // Why a person without a row is kept.
        let resembles = |email: &str| {
            let row = (!invalid_rows.is_empty()).then(|| invalid_rows.get(&email_skeleton(email)));
            let row = row.flatten()?;
            Some(format!("it resembles {row}, whose row is refused"))
        };
        if prune || !withdrawals.is_empty() {
            let candidates = existing
                .into_iter()
                .zip(person_of)
                .filter(|(old, person)| old.is_deletable() && !index.people[*person].in_roster);
            steps.extend(candidates.filter_map(|(old, person)| {
                let ids = withdrawals.get(&index.people[person].address);
                let is_requested = ids.is_some_and(|ids| {
                    let mut ids = ids.iter();
                    ids.any(|id| id.is_none_or(|id| *id == old.id))
                });
                if !is_requested && !prune {
                    return None;
                }
                let why = protected
                    .reason(&index.people[person].address, old.id.as_str())
                    .or_else(|| old.has_shared_id.then(|| SHARED_ID.to_owned()))
                    .or_else(|| resembles(&old.email).filter(|_| !is_requested));
                let mut step = Step::without_row(old.email, why);
                step.id = Some(old.id);
                Some(step)
            }));
        }
        if options.prune_members || !options.remove_members.is_empty() {
            let chosen: HashSet<&MemberId> = options.remove_members.iter().collect();
            let prune = prune && options.prune_members;
            let is_asked_for = |person: &Person| {
                let ids = withdrawals.get(&person.address);
                options.prune_members && ids.is_some_and(|ids| ids.contains(&None))
            };
            let candidates = members.iter().enumerate().zip(person_of_member);
            steps.extend(candidates.filter_map(|((position, member), person)| {
                let other = other_address_of.get(&position).copied();
                let people = [Some(person), other];
                let people = people.into_iter().flatten().map(|one| &index.people[one]);
                if people.clone().any(|person| person.in_roster) {
                    return None;
                }
                let is_chosen = chosen.contains(&member.id);
                let is_requested = is_chosen || people.clone().any(is_asked_for);
                if !is_requested && !prune {
                    return None;
                }
                let own = &index.people[person];
                let doubt = match is_asked_for(own) {
                    _ if is_chosen || prune => None,
                    true => (own.has_several_members).then(|| SEVERAL_MEMBERS.to_owned()),
                    false => Some(format!(
                        "the address of the member is {} now; name that, or the id of the member",
                        member.email
                    )),
                };
                let mut addresses = people.map(|person| person.address.as_str());
                let why = addresses
                    .clone()
                    .find_map(|address| protected.reason(address, member.id.as_str()))
                    .or(doubt)
                    .or_else(|| addresses.find_map(&resembles).filter(|_| !is_requested));
                let mut step = Step::without_row(member.email.clone(), why);
                step.member = Some(member.id.clone());
                step.role_changes = member.lost_roles(&known_roles);
                Some(step)
            }));
        }
        members::protect(&mut steps, &members, &known_roles, options);
        Self {
            steps,
            existing: deletable,
            members: members.len(),
        }
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

impl Step {
    pub(super) fn of_row(
        row: usize,
        new: NewInvitation,
        action: Action,
        reason: Option<String>,
    ) -> Self {
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
            member: None,
            role_changes: Vec::new(),
        }
    }

    fn invalid(row: usize, new: NewInvitation, why: String) -> Self {
        Self::of_row(row, new, Action::Invalid, Some(why))
    }

    /// The removal of a person without a row, or the step that keeps the person for a reason.
    fn without_row(email: String, kept: Option<String>) -> Self {
        let action = match kept {
            None => Action::Remove,
            Some(_) => Action::Keep,
        };
        Self {
            row: None,
            action,
            email,
            id: None,
            reason: kept,
            same_as: None,
            auth_type: None,
            roles: None,
            extra: Extra::default(),
            previous: None,
            member: None,
            role_changes: Vec::new(),
        }
    }
}

pub(super) const SHARED_ID: &str =
    "its id belongs to another address in the list too, so its owner is unknown";

/// Why nothing is changed of a member who is known by address only.
const SEVERAL_MEMBERS: &str =
    "several members have this address, so it does not tell who is meant; choose one by id";
