//! The members in a plan: which roles they are to have, and who is removed.

use std::collections::{HashMap, HashSet};

use crate::{
    address::normalize_email,
    invitation::{NewInvitation, Roles},
    member::{Member, MemberId},
    plan::{
        Action, PlanOptions, Step,
        existing::SHARED_ID,
        roles::{KnownRoles, is_admin_name},
    },
    renewal::ReportedRoles,
    role::RoleGrant,
};

/// The properties of a member that a plan needs.
pub(super) struct ExistingMember {
    pub id: MemberId,
    pub email: String,
    legacy_role: Option<String>,
    roles: ReportedRoles,
}

impl From<Member> for ExistingMember {
    fn from(member: Member) -> Self {
        Self {
            id: member.id,
            email: member.email,
            legacy_role: member.legacy_role,
            roles: member.roles.into(),
        }
    }
}

impl ExistingMember {
    /// What a removal takes: `-NAME` for each role.
    pub fn lost_roles(&self, known_roles: &KnownRoles) -> Vec<String> {
        match &self.roles {
            ReportedRoles::Grants(roles) => known_roles.changes(&[], roles),
            _ => Vec::new(),
        }
    }

    /// Whether the member is an administrator. `ignores_legacy` says that the organisation has roles of the present form:
    /// the deprecated one is frozen then, and tells nothing.
    fn is_admin(&self, known_roles: &KnownRoles, ignores_legacy: bool) -> bool {
        match &self.roles {
            ReportedRoles::Grants(roles) if !roles.is_empty() => known_roles.has_admin(roles),
            _ if ignores_legacy => false,
            _ => self.legacy_role.as_deref().is_some_and(is_admin_name),
        }
    }

    fn has_roles(&self) -> bool {
        !matches!(&self.roles, ReportedRoles::Grants(roles) if roles.is_empty())
            && !matches!(self.roles, ReportedRoles::NotReported)
    }
}

/// The step for a valid row whose person is a member.
pub(super) fn decide(
    row: usize,
    new: NewInvitation,
    member: &ExistingMember,
    known_roles: &KnownRoles,
) -> Step {
    let mut step = Step::of_row(row, new, Action::Keep, Some("member".to_owned()));
    step.member = Some(member.id.clone());
    match (&step.roles, &member.roles) {
        (None, _) => {}
        (Some(Roles::Grants(requested)), ReportedRoles::Grants(reported)) => {
            step.role_changes = known_roles.changes(requested, reported);
            if !step.role_changes.is_empty() {
                step.action = Action::SetRoles;
            }
        }
        (Some(Roles::Grants(requested)), _) => {
            let legacy = member.legacy_role.as_deref();
            step.reason = match legacy {
                Some(legacy) if is_legacy(requested, legacy) => step.reason,
                Some(legacy) => Some(format!(
                    "member; only the legacy role {legacy} is reported, so the roles were not compared"
                )),
                None => Some("member; the roles are not known, and were not compared".to_owned()),
            };
        }
        (Some(Roles::Legacy(requested)), _) => {
            if let Some(reported) = member.legacy_role.as_ref().filter(|has| *has != requested) {
                step.action = Action::Invalid;
                step.reason = Some(format!(
                    "the member has the legacy role {reported}, which cannot be changed; give roles by name"
                ));
            }
        }
    }
    step
}

/// Whether this is the one role that a legacy role stands for.
fn is_legacy(requested: &[RoleGrant], legacy: &str) -> bool {
    matches!(requested, [one] if one.scope.is_none() && one.role.eq_ignore_ascii_case(legacy))
}

/// Why the owner of the API key in use is kept.
const OWNER: &str = "the member owns the API key in use, so is not removed and loses no role; use the key of somebody else";

/// Keeps members whom a step would remove, or from whom it would take a role, although they own the key in use, their id
/// is not theirs alone, or too few administrators would remain.
pub(super) fn protect(
    steps: &mut [Step],
    members: &[ExistingMember],
    known_roles: &KnownRoles,
    options: &PlanOptions,
) {
    let mut by_id: HashMap<&MemberId, &ExistingMember> = HashMap::with_capacity(members.len());
    let mut shared_ids = HashSet::new();
    for member in members {
        if let Some(other) = by_id.insert(&member.id, member)
            && normalize_email(&other.email) != normalize_email(&member.email)
        {
            shared_ids.insert(&member.id);
        }
    }
    for step in steps.iter_mut().filter(|step| step.takes_from_member()) {
        let Some(id) = &step.member else { continue };
        if shared_ids.contains(id) {
            step.forgo(SHARED_ID.to_owned());
        } else if options.owner.as_ref() == Some(id) {
            step.forgo(OWNER.to_owned());
        }
    }
    let ignores_legacy = members.iter().any(ExistingMember::has_roles);
    let is_admin = |member: &ExistingMember| member.is_admin(known_roles, ignores_legacy);
    let mut admins = members.iter().filter(|one| is_admin(one)).count();
    let has_admins = admins > 0;
    let becomes_admin = |step: &Step| match &step.roles {
        Some(Roles::Grants(roles)) => known_roles.has_admin(roles),
        _ => false,
    };
    let was_admin = |step: &Step| {
        let member = step.member.as_ref().and_then(|id| by_id.get(id));
        member.is_some_and(|member| is_admin(member))
    };
    let is_member = |step: &Step| {
        step.member
            .as_ref()
            .is_some_and(|id| by_id.contains_key(id))
    };
    // Who becomes an administrator by this plan stands in for nobody: that may fail.
    for step in steps.iter_mut().filter(|step| step.takes_from_member()) {
        let loses = match step.action {
            Action::SetRoles => was_admin(step) && !becomes_admin(step),
            _ => was_admin(step),
        };
        let why = match (has_admins, loses) {
            _ if options.min_admins == 0 || !is_member(step) => continue,
            (false, _) if step.action == Action::SetRoles => continue,
            (false, _) => {
                "no member is known to be an administrator, so it is not known who has to remain"
                    .to_owned()
            }
            (true, true) if admins <= options.min_admins => format!(
                "{} administrators would remain, and at least {} have to",
                admins - 1,
                options.min_admins
            ),
            (true, true) => {
                admins -= 1;
                continue;
            }
            (true, false) => continue,
        };
        step.forgo(why);
    }
}

impl Step {
    /// The step of a row with an address that the member has no more: the address may be somebody else's now, so no role is
    /// changed by it.
    pub(super) fn of_former(mut self, is_former: bool, member: &ExistingMember) -> Self {
        if !is_former {
            return self;
        }
        let now = &member.email;
        match self.action {
            Action::SetRoles => {
                self.action = Action::Invalid;
                self.role_changes = Vec::new();
                self.reason = Some(format!(
                    "the person who accepted with this address is {now} now; give the roles in a row of that address, or \
                     invite somebody else of this address with `create`"
                ));
            }
            _ => self.reason = Some(format!("member, as {now} now")),
        }
        self
    }

    /// Changes nothing, for a reason: a row is invalid then, and a person without one is kept.
    pub(super) fn forgo(&mut self, why: String) {
        self.action = match self.row {
            Some(_) => Action::Invalid,
            None => Action::Keep,
        };
        self.reason = Some(why);
    }

    /// Whether the step removes a member, or takes roles from one.
    pub(super) fn takes_from_member(&self) -> bool {
        self.member.is_some() && self.withdraws()
    }
}
