//! The options of making a plan and of applying it.

use crate::{
    bulk::BulkOptions,
    error::{Error, ErrorKind, Operation, Result},
    invitation::{InvitationId, NewInvitation},
    member::MemberId,
    removal::RemovalLimit,
    renewal::RenewalOptions,
    role::Role,
};

/// The options of making a [`Plan`](crate::Plan).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlanOptions {
    /// Whether to withdraw the invitations of people who are not in the roster, except accepted ones. Default: no.
    ///
    /// Every address in the roster protects its person, also in an invalid row. An invitation whose address resembles
    /// that of an invalid row ([`email_skeleton`](crate::email_skeleton)) is kept. A roster without a valid address
    /// withdraws nothing: see [`check_roster`](Self::check_roster).
    pub prune: bool,
    /// Whether members are removed too: with [`prune`](Self::prune) those who are not in the roster, and those of whom
    /// [`withdraw`](Self::withdraw) has the address without an id. On Confluent, the removal of a member deletes
    /// everything that the member owns. Default: no.
    pub prune_members: bool,
    /// Who is never removed: addresses, and ids of members or invitations. Default: nobody.
    pub keep: Vec<String>,
    /// Who owns the API key in use, as [`key_owner`](crate::MemberProvider::key_owner) tells it: this member is never
    /// removed, and loses no role. Where it is not known, [`keep`](Self::keep) protects whom it names. Default: unknown.
    pub owner: Option<MemberId>,
    /// How many administrators have to remain: a step that would leave fewer members with a role of the whole
    /// organisation whose name is an administrator's (`OrganizationAdmin`, `Admin`) is not taken. If no member is known to
    /// have one, no member is removed. Zero switches the check off. Default: 1.
    pub min_admins: usize,
    /// Whether an empty roster may prune, which withdraws every invitation. Default: no.
    pub allow_empty: bool,
    /// Further invitations to withdraw, and members to remove, except those of people in the roster. Default: none.
    pub withdraw: Vec<Withdrawal>,
    /// Further members to remove, by id, except those of people in the roster. Default: none.
    pub remove_members: Vec<MemberId>,
    /// The roles that the organisation has, as [`list_roles`](crate::MemberProvider::list_roles) returns them. A row with
    /// another role is [`Invalid`](crate::Action::Invalid), and its reason names the existing ones. Default: unknown, so
    /// that roles are first checked when the plan is applied.
    pub roles: Option<Vec<Role>>,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            prune: false,
            prune_members: false,
            keep: Vec::new(),
            owner: None,
            min_admins: 1,
            allow_empty: false,
            withdraw: Vec::new(),
            remove_members: Vec::new(),
            roles: None,
        }
    }
}

/// A person whose invitation is to be withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Withdrawal {
    /// The address, in any spelling.
    pub email: String,
    /// The id of the invitation; `None` for every invitation of the address.
    pub id: Option<InvitationId>,
}

impl Withdrawal {
    /// Withdraws the invitation of this address with this id, or every one of the address.
    pub fn new(email: impl Into<String>, id: Option<InvitationId>) -> Self {
        Self {
            email: email.into(),
            id,
        }
    }
}

setters!(PlanOptions {
    prune: bool,
    prune_members: bool,
    owner: Option<MemberId>,
    min_admins: usize,
    allow_empty: bool,
});

impl PlanOptions {
    /// Sets who is never removed: addresses, and ids of members or invitations.
    #[must_use]
    pub fn keep<T: Into<String>>(mut self, keep: impl IntoIterator<Item = T>) -> Self {
        self.keep = keep.into_iter().map(Into::into).collect();
        self
    }

    /// Sets further invitations to withdraw.
    #[must_use]
    pub fn withdraw(mut self, withdraw: impl IntoIterator<Item = Withdrawal>) -> Self {
        self.withdraw = withdraw.into_iter().collect();
        self
    }

    /// Sets further members to remove.
    #[must_use]
    pub fn remove_members(mut self, members: impl IntoIterator<Item = MemberId>) -> Self {
        self.remove_members = members.into_iter().collect();
        self
    }

    /// Sets the roles that the organisation has.
    #[must_use]
    pub fn roles(mut self, roles: impl IntoIterator<Item = Role>) -> Self {
        self.roles = Some(roles.into_iter().collect());
        self
    }

    /// Checks that a roster may prune, before the list is read. With one that may not,
    /// [`Plan::new`](crate::Plan::new) prunes nobody.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) if `prune` is set and the roster is empty without `allow_empty`, or has
    /// rows without a valid address: it may be truncated, or the wrong file.
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

/// The options of [`Plan::apply`](crate::Plan::apply). [`BulkOptions`] convert into them.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ApplyOptions {
    /// The concurrency of the run, and what stops it.
    pub bulk: BulkOptions,
    /// How many invitations the run may withdraw. Default: a quarter of the existing ones, but at least five.
    pub removals: RemovalLimit,
    /// The options of replacements. A plan always sets [`create_if_missing`](RenewalOptions::create_if_missing).
    pub renewal: RenewalOptions,
}

impl From<BulkOptions> for ApplyOptions {
    fn from(bulk: BulkOptions) -> Self {
        Self {
            bulk,
            ..Self::default()
        }
    }
}

setters!(ApplyOptions {
    bulk: BulkOptions,
    removals: RemovalLimit,
    renewal: RenewalOptions,
});
