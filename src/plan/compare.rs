//! Compares a roster with the existing invitations.

use std::collections::{HashMap, HashSet};

use crate::{
    address::{email_skeleton, normalize_email},
    capabilities::Capabilities,
    extra::Extra,
    invitation::{Invitation, InvitationId, InvitationStatus, NewInvitation, Roles},
    plan::{
        Action, Plan, PlanOptions, Previous, Step,
        existing::{AddressIndex, Existing, KnownRoles, mark_shared_ids},
    },
    renewal::{ReportedRoles, missing_capability, previous_options},
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
        let roles = options.roles.clone().filter(|roles| !roles.is_empty());
        let roles = roles.map(RoleIndex::new);
        let mut known_roles = KnownRoles::new(roles.as_ref());
        let read = |invitation: Invitation| {
            known_roles.add(&invitation);
            Existing::from(invitation)
        };
        let mut existing: Vec<Existing> = existing.into_iter().map(read).collect();
        let deletable = existing.iter().filter(|old| old.is_deletable()).count();
        let mut index = AddressIndex::with_capacity(existing.len());
        // The person of each existing invitation.
        let mut person_of = Vec::with_capacity(existing.len());
        for (position, invitation) in existing.iter().enumerate() {
            let person = index.person(&invitation.email);
            let latest = &mut index.people[person].latest;
            if latest.is_none_or(|latest| existing[latest].rank() < invitation.rank()) {
                *latest = Some(position);
            }
            person_of.push(person);
        }
        mark_shared_ids(&mut existing, &person_of);

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
                    let found = person.latest.map(|position| &existing[position]);
                    decide(row, new, found, capabilities, &known_roles)
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
                let similar_row = || invalid_rows.get(&email_skeleton(&old.email));
                match (is_requested, prune) {
                    (true, _) | (_, true) if old.has_shared_id => {
                        let why = SHARED_ID.to_owned();
                        Some(Step::without_row(old, Action::Keep, Some(why)))
                    }
                    (true, _) => Some(Step::without_row(old, Action::Delete, None)),
                    (false, false) => None,
                    (false, true) => match (!invalid_rows.is_empty()).then(similar_row).flatten() {
                        Some(row) => {
                            let why = format!("it resembles {row}, whose row is refused");
                            Some(Step::without_row(old, Action::Keep, Some(why)))
                        }
                        None => Some(Step::without_row(old, Action::Delete, None)),
                    },
                }
            }));
        }
        Self {
            steps,
            existing: deletable,
        }
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

    fn invalid(row: usize, new: NewInvitation, why: String) -> Self {
        Self::of_row(row, new, Action::Invalid, Some(why))
    }

    fn without_row(old: Existing, action: Action, reason: Option<String>) -> Self {
        Self {
            row: None,
            action,
            email: old.email,
            id: Some(old.id),
            reason,
            same_as: None,
            auth_type: None,
            roles: None,
            extra: Extra::default(),
            previous: None,
        }
    }
}

const SHARED_ID: &str =
    "its id belongs to another address in the list too, so its owner is unknown";

/// Why a row is invalid.
fn row_error(
    new: &NewInvitation,
    capabilities: &Capabilities,
    roles: Option<&RoleIndex>,
) -> Option<String> {
    if let Err(error) = new.validate() {
        return Some(error.message().to_owned());
    }
    if let Some(missing) = missing_capability(new, capabilities) {
        return Some(format!("the provider has no {missing}"));
    }
    match (&new.roles, roles) {
        (Some(Roles::Grants(grants)), Some(roles)) => {
            let mut errors = grants.iter().map(|grant| roles.id_of(&grant.role));
            errors.find_map(std::result::Result::err)
        }
        _ => None,
    }
}

/// The step for a valid row, given the invitation of its address.
fn decide(
    row: usize,
    new: NewInvitation,
    found: Option<&Existing>,
    capabilities: &Capabilities,
    known_roles: &KnownRoles,
) -> Step {
    let Some(found) = found else {
        return Step::of_row(row, new, Action::Create, None);
    };
    let (action, reason) = match &found.status {
        Some(InvitationStatus::Accepted) => (Action::Keep, Some("accepted".to_owned())),
        Some(InvitationStatus::Deactivated) => (Action::Create, None),
        Some(InvitationStatus::Expired) => (Action::Replace, Some("expired".to_owned())),
        _ => match difference(&new, found, known_roles) {
            Some(what) => (Action::Replace, Some(format!("other {what}"))),
            None if matches!(
                (&new.roles, &found.roles),
                (Some(Roles::Grants(_)), ReportedRoles::WithoutIds)
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
    // Options that the roster leaves open stay as they were.
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

/// The first option that differs from the requested one.
fn difference(
    new: &NewInvitation,
    found: &Existing,
    known_roles: &KnownRoles,
) -> Option<&'static str> {
    let roles_differ = match (&new.roles, &found.roles) {
        (Some(Roles::Grants(requested)), ReportedRoles::Ids(reported)) => {
            let requested: HashSet<&str> = requested
                .iter()
                .map(|grant| known_roles.id_of(&grant.role))
                .collect();
            requested != reported.iter().map(String::as_str).collect()
        }
        (Some(Roles::Legacy(requested)), _) => found
            .role
            .as_ref()
            .is_some_and(|reported| reported != requested),
        _ => false,
    };
    let auth_types_differ = match (&new.auth_type, &found.auth_type) {
        (Some(requested), Some(reported)) => requested != reported,
        _ => false,
    };
    match (roles_differ, auth_types_differ) {
        (true, _) => Some("roles"),
        (_, true) => Some("auth type"),
        _ => None,
    }
}
