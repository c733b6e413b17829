//! From the people who should be invited and the invitations that there are to what has to be done.

mod apply;
mod compare;
mod gate;

use serde::{Deserialize, Serialize};

pub use self::apply::{ApplyOptions, StepOutcome, StepResult};

use crate::{
    error::{Error, ErrorKind, Operation, Result},
    extra::Extra,
    invitation::{AuthType, InvitationId, InvitationStatus, NewInvitation, Roles},
    removal::{RemovalLimit, TooManyRemovals},
    renewal::Renewal,
};

/// What has to be done so that exactly the people of a roster are invited. Data: making a plan sends
/// nothing, [`apply`](Self::apply) does.
///
/// As data that steers, it is read strictly: a property that it does not have is an error.
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
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Plan {
    /// One for each row of the roster, in its order; then, in the order of the list, the deletions, and what
    /// [`PlanOptions::prune`] leaves alone in case of doubt.
    pub steps: Vec<Step>,
    /// How many invitations there are that can be withdrawn: what a share of them is a share of.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub existing: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// What has to be done about one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
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
    /// How the invitee is to log in. Where the roster leaves it open, a renewal keeps what there was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<AuthType>,
    /// What the invitee is to be allowed. Where the roster leaves it open, a renewal keeps what there was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Roles>,
    /// Further properties of the provider's request; see [`NewInvitation::extra`].
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
    /// The invitation that a renewal withdraws. With a create, one that an earlier run has withdrawn: it is
    /// made again where the provider refuses the new options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
}

/// As much of the invitation that a renewal withdraws as it takes to make it again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Previous {
    /// How far it has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<InvitationStatus>,
    /// What makes it again; none where its roles cannot be given again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<NewInvitation>,
}

impl Previous {
    /// An invitation that this makes again.
    pub fn new(invitation: NewInvitation) -> Self {
        Self {
            status: None,
            invitation: Some(invitation),
        }
    }
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
    Replace,
    /// Nothing: the person is invited as asked, or a member already.
    Keep,
    /// Withdraw: the person is not in the roster.
    Delete,
    /// Nothing, because the row cannot be carried out; the reason says why.
    Invalid,
}

impl Action {
    /// Every action, in the order in which people want to see them.
    pub const ALL: &'static [Self] = &[
        Self::Create,
        Self::Replace,
        Self::Keep,
        Self::Delete,
        Self::Invalid,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Keep => "keep",
            Self::Delete => "delete",
            Self::Invalid => "invalid",
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
    ///
    /// Every address in the roster protects its person, whatever becomes of its row. What resembles a row that is
    /// refused ([`email_skeleton`](crate::email_skeleton)) is left alone, and so is everything when the
    /// roster has not a single address: see [`check_roster`](Self::check_roster).
    pub prune: bool,
    /// Let an empty roster prune: everybody's invitation is withdrawn. Default: no.
    pub allow_empty: bool,
    /// Whose invitations are to be withdrawn besides. A person of the roster is not. Default: nobody's.
    pub withdraw: Vec<Withdrawal>,
}

/// Somebody whose invitation is to be withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Withdrawal {
    /// The address, in any spelling.
    pub email: String,
    /// Only the invitation with this id. Default: every one of the address.
    pub id: Option<InvitationId>,
}

impl Withdrawal {
    /// Every invitation of this address, or the one with this id.
    pub fn new(email: impl Into<String>, id: Option<InvitationId>) -> Self {
        Self {
            email: email.into(),
            id,
        }
    }
}

impl PlanOptions {
    /// Sets whether people who are not in the roster lose their invitation.
    #[must_use]
    pub fn prune(mut self, prune: bool) -> Self {
        self.prune = prune;
        self
    }

    /// Sets whether an empty roster prunes.
    #[must_use]
    pub fn allow_empty(mut self, allow_empty: bool) -> Self {
        self.allow_empty = allow_empty;
        self
    }

    /// Sets whose invitations are to be withdrawn besides.
    #[must_use]
    pub fn withdraw(mut self, withdraw: impl IntoIterator<Item = Withdrawal>) -> Self {
        self.withdraw = withdraw.into_iter().collect();
        self
    }

    /// Checks that a roster may prune. [`Plan::new`] prunes nobody with one that may not; this says so before
    /// anything is read.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) when `prune` is set and the roster is empty without
    /// `allow_empty`, or has rows and no address that can be one: it is cut off, or not the right file.
    pub fn check_roster<'a>(
        &self,
        roster: impl IntoIterator<Item = &'a NewInvitation>,
    ) -> Result<()> {
        let mut roster = roster.into_iter().peekable();
        if !self.prune || (self.allow_empty && roster.peek().is_none()) {
            return Ok(());
        }
        let message = match roster.peek() {
            None => "the roster is empty, and with it everybody would be withdrawn",
            Some(_) => {
                "no row of the roster has an address, and with it everybody would be withdrawn"
            }
        };
        if roster.any(|new| new.validate().is_ok()) {
            return Ok(());
        }
        let error = Error::new(ErrorKind::InvalidInput, Operation::Validate, message);
        Err(error)
    }
}

impl Plan {
    /// How many steps have this action.
    pub fn count(&self, action: Action) -> usize {
        let matching = self.steps.iter().filter(|step| step.action == action);
        matching.count()
    }

    /// How many steps withdraw an invitation that can be accepted, or that nothing replaces: the deletions, and
    /// the renewals of what has not expired.
    pub fn removals(&self) -> usize {
        let withdraws = |step: &&Step| step.withdraws();
        self.steps.iter().filter(withdraws).count()
    }

    /// Checks how many invitations the plan withdraws. [`apply`](Self::apply) does so before it begins.
    ///
    /// # Errors
    ///
    /// [`TooManyRemovals`] when [`removals`](Self::removals) are more than `limit` allows of the invitations that
    /// there [are](Self::existing).
    pub fn check_removals(&self, limit: &RemovalLimit) -> Result<(), TooManyRemovals> {
        limit.check(self.removals(), self.existing)
    }

    /// Whether applying it would change nothing.
    pub fn is_noop(&self) -> bool {
        let idle = |step: &Step| matches!(step.action, Action::Keep | Action::Invalid);
        self.steps.iter().all(idle)
    }
}

impl Step {
    /// The invitation that is to be made.
    pub fn invitation(&self) -> NewInvitation {
        let mut new = NewInvitation::new(&self.email);
        new.auth_type = self.auth_type.clone();
        new.roles = self.roles.clone();
        new.extra = self.extra.clone();
        new
    }

    /// Whether it withdraws an invitation that can be accepted, or that nothing replaces.
    pub fn withdraws(&self) -> bool {
        let previous = self.previous.as_ref();
        let expired = previous.is_some_and(|old| old.status == Some(InvitationStatus::Expired));
        match self.action {
            Action::Delete => true,
            Action::Replace => !expired,
            _ => false,
        }
    }

    /// What makes the invitation that there was again, as far as it is known and differs from
    /// [`invitation`](Self::invitation).
    pub fn fallback(&self) -> Option<NewInvitation> {
        let previous = self.previous.as_ref()?.invitation.clone()?;
        (previous != self.invitation()).then_some(previous)
    }

    /// The renewal that it asks for.
    fn renewal(&self) -> Option<Renewal> {
        let renewal = Renewal::new(self.id.clone()?, self.invitation());
        Some(match self.fallback() {
            Some(fallback) => renewal.fallback(fallback),
            None => renewal,
        })
    }
}
