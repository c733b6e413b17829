//! Plans: the steps that make the existing invitations and members match a roster.

mod apply;
mod compare;
mod evidence;
mod existing;
mod members;
mod options;
mod outcome;
mod people;
mod removal_gate;
mod removals;
mod renewal_gate;
mod roles;
mod rows;

use serde::{Deserialize, Serialize};

pub use self::{
    options::{ApplyOptions, PlanOptions, Withdrawal},
    outcome::{StepOutcome, StepResult},
};

use crate::{
    extra::Extra,
    invitation::{AuthType, InvitationId, InvitationStatus, NewInvitation, Roles},
    member::MemberId,
    removal::{Removable, RemovalLimit, TooManyRemovals},
    renewal::Renewal,
};

/// The steps that make the existing invitations match a roster. A plan is data: making one sends nothing,
/// [`apply`](Self::apply) executes it.
///
/// Deserialisation is strict: an unknown property is an error.
///
/// ```
/// use org_invitations::{Action, Capabilities, Invitation, NewInvitation, Plan, PlanOptions};
///
/// let roster = [NewInvitation::new("ann@example.com"), NewInvitation::new("bob@example.com")];
/// let existing = [Invitation::new("i-1".parse()?, "Ann@example.com")];
/// let plan = Plan::new(roster, existing, &Capabilities::default(), &PlanOptions::default());
/// let actions: Vec<_> = plan.steps.iter().map(|step| step.action).collect();
/// assert_eq!(actions, [Action::Keep, Action::Create]);
/// # Ok::<(), org_invitations::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Plan {
    /// One step per row of the roster, in its order; then, in the order of the lists, the removals, and those whom
    /// [`PlanOptions::prune`] keeps for a reason.
    pub steps: Vec<Step>,
    /// The number of existing invitations that can be withdrawn, which a [`RemovalLimit`] in percent refers to.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub existing: usize,
    /// The number of members, which it refers to for members.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub members: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// One step of a plan: the action for one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Step {
    /// The row of the roster, from 0; `None` if the person is not in the roster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<usize>,
    /// The action.
    pub action: Action,
    /// The address, as in the roster or else as in the list.
    pub email: String,
    /// The id of the existing invitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<InvitationId>,
    /// The reason, if the action does not imply it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The earlier row with the same address, from 0, if that is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<usize>,
    /// How the invitee logs in. If the roster does not say, a replacement keeps the old value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<AuthType>,
    /// The roles of the invitee. If the roster does not say, a replacement keeps the old roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Roles>,
    /// Further properties of the provider's request; see [`NewInvitation::extra`].
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
    /// The member, or the invited user, whose roles are set or who is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// How the roles change: `+NAME` for a role that is added, `-NAME` for one that is taken, with `@SCOPE` where the
    /// role applies to a part of the organisation. A removal has the roles that the member loses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub role_changes: Vec<String>,
    /// The invitation that a replacement withdraws. With a create, one that an earlier run withdrew: it is recreated if
    /// the provider rejects the new options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
}

/// The invitation that a replacement withdraws, as far as recreating it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Previous {
    /// The status of the invitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<InvitationStatus>,
    /// The request that recreates the invitation; `None` if its roles cannot be assigned again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<NewInvitation>,
}

impl Previous {
    /// A previous invitation that this request recreates.
    pub fn new(invitation: NewInvitation) -> Self {
        Self {
            status: None,
            invitation: Some(invitation),
        }
    }
}

/// The action of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Action {
    /// Invite the person, who is not invited, or whose invitation was withdrawn.
    Create,
    /// Withdraw the invitation and create another: it has expired, or has other options. Neither vendor can change an
    /// invitation or send it again.
    Replace,
    /// Do nothing: the person is invited as requested, or is a member.
    Keep,
    /// Give the member, or the invited user, exactly the roles of the row; the changes are in
    /// [`role_changes`](Step::role_changes).
    SetRoles,
    /// Withdraw the invitation ([`Step::id`]), or remove the member ([`Step::member`]), of a person who is not in the
    /// roster.
    Remove,
    /// Do nothing: the row is invalid, as the reason says.
    Invalid,
}

impl Action {
    /// Every action, in display order.
    pub const ALL: &'static [Self] = &[
        Self::Create,
        Self::Replace,
        Self::Keep,
        Self::SetRoles,
        Self::Remove,
        Self::Invalid,
    ];

    /// The name of the action in plans.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Keep => "keep",
            Self::SetRoles => "set-roles",
            Self::Remove => "remove",
            Self::Invalid => "invalid",
        }
    }
}

word_traits!(Action: Self::ALL);

/// How the reason of a row ends whose roles could not be compared.
const NOT_COMPARED: &str = "not compared";

impl Plan {
    /// The number of steps with this action.
    pub fn count(&self, action: Action) -> usize {
        let matching = self.steps.iter().filter(|step| step.action == action);
        matching.count()
    }

    /// The number of steps that count as removals: those of invitations and of members, replacements of invitations that
    /// have not expired, and changes that take a role from somebody.
    pub fn removals(&self) -> usize {
        let withdraws = |step: &&Step| step.withdraws();
        self.steps.iter().filter(withdraws).count()
    }

    /// Checks the number of removals against a limit, as [`apply`](Self::apply) does first: those of invitations, those of
    /// members, and both together.
    ///
    /// # Errors
    ///
    /// [`TooManyRemovals`] if [`removals`](Self::removals) exceeds what `limit` allows of the
    /// [existing](Self::existing) invitations or of the [members](Self::members).
    pub fn check_removals(&self, limit: &RemovalLimit) -> Result<(), TooManyRemovals> {
        let removals = self.removals();
        let of_members = self.steps.iter().filter(|step| step.takes_from_member());
        let of_members = of_members.count();
        let checks = [
            (removals - of_members, self.existing, Removable::Invitations),
            (of_members, self.members, Removable::Members),
            (removals, self.existing + self.members, Removable::Both),
        ];
        for (removals, existing, of) in checks {
            let checked = limit.check(removals, existing);
            checked.map_err(|error| TooManyRemovals { of, ..error })?;
        }
        Ok(())
    }

    /// The number of rows with roles that could not be compared with those that the person has.
    pub fn uncompared(&self) -> usize {
        let is_uncompared = |step: &&Step| {
            let reason = step.reason.as_deref().unwrap_or_default();
            step.action == Action::Keep && step.row.is_some() && reason.ends_with(NOT_COMPARED)
        };
        self.steps.iter().filter(is_uncompared).count()
    }

    /// Whether applying the plan changes nothing.
    pub fn is_noop(&self) -> bool {
        let is_idle = |step: &Step| matches!(step.action, Action::Keep | Action::Invalid);
        self.steps.iter().all(is_idle)
    }
}

impl Step {
    /// The invitation that the step creates.
    pub fn invitation(&self) -> NewInvitation {
        let mut new = NewInvitation::new(&self.email);
        new.auth_type = self.auth_type.clone();
        new.roles = self.roles.clone();
        new.extra = self.extra.clone();
        new
    }

    /// Whether the step counts as a removal: see [`Plan::removals`].
    pub fn withdraws(&self) -> bool {
        let previous = self.previous.as_ref();
        let expired = previous.is_some_and(|old| old.status == Some(InvitationStatus::Expired));
        match self.action {
            Action::Remove => true,
            Action::Replace => !expired,
            Action::SetRoles => self.role_changes.iter().any(|one| one.starts_with('-')),
            _ => false,
        }
    }

    /// The request that recreates the previous invitation, if it is known and differs from
    /// [`invitation`](Self::invitation).
    pub fn fallback(&self) -> Option<NewInvitation> {
        let previous = self.previous.as_ref()?.invitation.clone()?;
        (previous != self.invitation()).then_some(previous)
    }

    /// The renewal that a replacement executes.
    fn renewal(&self) -> Option<Renewal> {
        let renewal = Renewal::new(self.id.clone()?, self.invitation());
        Some(match self.fallback() {
            Some(fallback) => renewal.fallback(fallback),
            None => renewal,
        })
    }
}
