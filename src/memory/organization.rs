//! The state of an organisation, and what changes it.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    failure::{Call, Failure},
    pages,
};
use crate::{
    address::same_email,
    api_key::ApiKey,
    capabilities::Capabilities,
    error::{Error, ErrorKind, Operation, Result},
    invitation::{
        AuthType, Invitation, InvitationId, InvitationStatus, NewInvitation, ResourceReference,
        RoleAssignment, RoleKind, Roles,
    },
    list::{ListQuery, Page},
    member::{Member, MemberId, MembershipEvent, MembershipEventKind},
    role::{Role, RoleGrant, RoleIndex},
};

/// The words that the deprecated single role can be.
const LEGACY_ROLES: [&str; 2] = ["admin", "developer"];

/// An organisation. Errors lack their operation and target, which the call adds.
pub(super) struct Organization {
    pub capabilities: Capabilities,
    pub roles: RoleIndex,
    pub now: DateTime<Utc>,
    pub valid_for: Duration,
    /// The largest number of pending invitations.
    pub quota: Option<usize>,
    /// By the number in their ids. The status is that of the latest change, before the invitation expired.
    pub invitations: BTreeMap<u64, Invitation>,
    /// By the number in their ids.
    pub members: BTreeMap<u64, Member>,
    pub events: Vec<(String, MembershipEvent)>,
    pub keys: Vec<(MemberId, ApiKey)>,
    pub key_owner: Option<MemberId>,
    pub failures: Vec<Failure>,
    pub calls: Vec<Call>,
    invitation_count: u64,
    user_count: u64,
    binding_count: u64,
}

impl Default for Organization {
    fn default() -> Self {
        let capabilities = Capabilities {
            auth_type: true,
            roles: true,
            role_scopes: true,
            list_roles: true,
            members: true,
            removal_deletes_owned: true,
            membership_events: true,
            api_keys: true,
            legacy_role: true,
            filter_email: true,
            filter_status: true,
            filter_user: true,
            filter_creator: true,
            server_side_filters: true,
            reports_status: true,
            max_page_size: Some(100),
        };
        Self {
            capabilities,
            roles: RoleIndex::new(vec![role(1, "Admin"), role(2, "Developer")]),
            now: Utc::now(),
            valid_for: Duration::from_secs(7 * 24 * 60 * 60),
            quota: None,
            invitations: BTreeMap::new(),
            members: BTreeMap::new(),
            events: Vec::new(),
            keys: Vec::new(),
            key_owner: None,
            failures: Vec::new(),
            calls: Vec::new(),
            invitation_count: 0,
            user_count: 0,
            binding_count: 0,
        }
    }
}

/// A role of the organisation's that has no more than a name.
pub(super) fn role(number: usize, name: impl Into<String>) -> Role {
    let mut role = Role::new(format!("r-{number}"));
    role.name = Some(name.into());
    role.kind = Some(RoleKind::System);
    role
}

pub(super) fn error(kind: ErrorKind, message: impl Into<String>) -> Error {
    Error::new(kind, Operation::Validate, message)
}

fn number_in(id: &str, prefix: &str) -> Option<u64> {
    id.strip_prefix(prefix)?.parse().ok()
}

impl Organization {
    pub fn advance(&mut self, by: Duration) {
        let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
        self.now = self
            .now
            .checked_add_signed(by)
            .unwrap_or(DateTime::<Utc>::MAX_UTC);
    }

    /// An invitation as it is read now.
    fn as_read(&self, invitation: &Invitation) -> Invitation {
        let mut invitation = invitation.clone();
        let is_over = invitation.expires_at.is_some_and(|end| end <= self.now);
        if is_over && invitation.is_pending() {
            invitation.status = Some(InvitationStatus::Expired);
        }
        invitation
    }

    fn pending(&self) -> impl Iterator<Item = Invitation> {
        let read = |invitation| self.as_read(invitation);
        self.invitations
            .values()
            .map(read)
            .filter(Invitation::is_pending)
    }

    pub fn create(&mut self, new: &NewInvitation) -> Result<Invitation> {
        if self.member_by_email(&new.email).is_some() {
            let message = "the person is already a member of the organisation";
            return Err(error(ErrorKind::AlreadyExists, message).with_code("already_member"));
        }
        let mut pending = self.pending();
        if let Some(there) = pending.find(|there| same_email(&there.email, &new.email)) {
            let message = "the person is already invited";
            return Err(error(ErrorKind::AlreadyExists, message)
                .with_code("already_invited")
                .with_conflicting_id(there.id));
        }
        drop(pending);
        let roles = self.resolve(new.roles.as_ref())?;
        if self
            .quota
            .is_some_and(|quota| self.pending().count() >= quota)
        {
            let message = "the organisation may have no further pending invitation";
            return Err(error(ErrorKind::QuotaExceeded, message));
        }
        let number = self.invitation_count + 1;
        let id = InvitationId::new(format!("i-{number}"))?;
        let user = self.next_user()?;
        let mut created = Invitation::new(id, &new.email);
        created.status = Some(InvitationStatus::Sent);
        created.auth_type = self.auth_type_of(new);
        created.roles = self.capabilities.roles.then(|| self.bind(roles));
        if let Some(Roles::Legacy(role)) = &new.roles {
            created.role = Some(role.clone());
        }
        created.created_at = Some(self.now);
        let valid_for = TimeDelta::from_std(self.valid_for).unwrap_or(TimeDelta::MAX);
        created.expires_at = self.now.checked_add_signed(valid_for);
        created.user = Some(ResourceReference::new(user.as_str()));
        let creator = self.key_owner.as_ref();
        created.creator = creator.map(|owner| ResourceReference::new(owner.as_str()));
        self.invitation_count = number;
        self.invitations.insert(number, created.clone());
        Ok(created)
    }

    /// Makes a member without an invitation.
    pub fn join(&mut self, new: &NewInvitation) -> Result<Member> {
        if self.member_by_email(&new.email).is_some() {
            let message = "the person is already a member of the organisation";
            return Err(error(ErrorKind::AlreadyExists, message));
        }
        let roles = self.resolve(new.roles.as_ref())?;
        let user = self.next_user()?;
        let mut member = Member::new(user, &new.email);
        member.auth_type = self.auth_type_of(new);
        member.roles = self.capabilities.roles.then(|| self.bind(roles));
        Ok(self.add_member(member))
    }

    pub fn accept(&mut self, email: &str) -> Result<Member> {
        let mut pending = self.pending();
        let found = pending.find(|there| same_email(&there.email, email));
        drop(pending);
        let number = found
            .as_ref()
            .and_then(|one| number_in(one.id.as_str(), "i-"));
        let user = found.as_ref().and_then(Invitation::invited_user);
        let (Some(invitation), Some(number), Some(user)) = (found, number, user) else {
            let message = "no invitation of this address can be accepted";
            let error = Error::new(ErrorKind::NotFound, Operation::Get, message);
            return Err(error
                .with_provider(super::InMemory::NAME)
                .with_target(email));
        };
        let mut member = Member::new(user, &invitation.email);
        member.auth_type = invitation.auth_type;
        member.roles = invitation.roles;
        member.legacy_role = invitation.role;
        let member = self.add_member(member);
        if !self.capabilities.reports_status {
            self.invitations.remove(&number);
        } else if let Some(accepted) = self.invitations.get_mut(&number) {
            accepted.status = Some(InvitationStatus::Accepted);
            accepted.accepted_at = Some(self.now);
        }
        Ok(member)
    }

    fn add_member(&mut self, mut member: Member) -> Member {
        member.joined_at = Some(self.now);
        let number = number_in(member.id.as_str(), "u-").unwrap_or_default();
        self.members.insert(number, member.clone());
        self.record(&member.email, MembershipEventKind::Joined);
        member
    }

    fn record(&mut self, email: &str, kind: MembershipEventKind) {
        let event = MembershipEvent::new(self.now, kind);
        self.events.push((email.to_owned(), event));
    }

    pub fn get(&self, id: &InvitationId) -> Result<Invitation> {
        let number = number_in(id.as_str(), "i-");
        let found = number.and_then(|number| self.invitations.get(&number));
        let found = found.map(|found| self.as_read(found));
        found.ok_or_else(|| error(ErrorKind::NotFound, "there is no such invitation"))
    }

    pub fn list(&self, query: &ListQuery, after: u64) -> Page {
        let read = |(number, invitation): (&u64, _)| (*number, self.as_read(invitation));
        let matching = self.invitations.iter().map(read);
        let matching = matching.filter(|(_, invitation)| query.matches(invitation));
        pages::page(
            matching,
            after,
            query.page_size.or(self.capabilities.max_page_size),
        )
    }

    pub fn delete(&mut self, id: &InvitationId) -> Result<()> {
        let found = self.get(id)?;
        if found.status == Some(InvitationStatus::Accepted) {
            let message = "the invitation was accepted; remove the member instead";
            return Err(error(ErrorKind::AlreadyAccepted, message));
        }
        if let Some(number) = number_in(id.as_str(), "i-") {
            self.invitations.remove(&number);
        }
        Ok(())
    }

    pub fn member_by_email(&self, email: &str) -> Option<&Member> {
        let mut members = self.members.values();
        members.find(|member| same_email(&member.email, email))
    }

    pub fn member(&self, id: &MemberId) -> Result<&Member> {
        let found = number_in(id.as_str(), "u-").and_then(|number| self.members.get(&number));
        found.ok_or_else(|| error(ErrorKind::NotFound, "there is no such member"))
    }

    pub fn remove_member(&mut self, id: &MemberId) -> Result<()> {
        let email = self.member(id)?.email.clone();
        if let Some(number) = number_in(id.as_str(), "u-") {
            self.members.remove(&number);
        }
        if self.capabilities.removal_deletes_owned {
            self.keys.retain(|(owner, _)| owner != id);
        }
        self.record(&email, MembershipEventKind::Left);
        Ok(())
    }

    /// The roles of a user: of a member, or of somebody who is invited.
    pub fn roles_of(&mut self, id: &MemberId) -> Result<&mut Vec<RoleAssignment>> {
        let is_theirs = |invitation: &&mut Invitation| {
            invitation.invited_user().as_ref() == Some(id) && invitation.is_pending()
        };
        let member = number_in(id.as_str(), "u-").and_then(|number| self.members.get_mut(&number));
        let roles = match member {
            Some(member) => Some(&mut member.roles),
            None => {
                let mut invited = self.invitations.values_mut();
                invited
                    .find(is_theirs)
                    .map(|invitation| &mut invitation.roles)
            }
        };
        let missing = || error(ErrorKind::NotFound, "there is no such member");
        roles.map(Option::get_or_insert_default).ok_or_else(missing)
    }

    /// The assignments that an invitee gets; none for the deprecated role.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`]: the organisation does not have a role.
    pub fn resolve(&self, roles: Option<&Roles>) -> Result<Vec<RoleAssignment>> {
        match roles {
            None => Ok(Vec::new()),
            Some(Roles::Grants(grants)) => self.assignments(grants),
            Some(Roles::Legacy(role)) => {
                let mut roles = self.roles.roles().iter();
                let wrong = if roles.any(|role| role.kind == Some(RoleKind::Custom)) {
                    "the organisation has custom roles, so it has no deprecated role"
                } else if !LEGACY_ROLES.contains(&role.as_str()) {
                    "the deprecated role is `admin` or `developer`"
                } else {
                    return Ok(Vec::new());
                };
                Err(error(ErrorKind::InvalidInput, wrong))
            }
        }
    }

    /// The assignments of these grants, each once.
    pub fn assignments(&self, grants: &[RoleGrant]) -> Result<Vec<RoleAssignment>> {
        let mut assignments: Vec<RoleAssignment> = Vec::new();
        for grant in grants {
            grant.validate()?;
            let id = self.roles.id_of(&grant.role);
            let id = id.map_err(|why| error(ErrorKind::InvalidInput, why))?;
            let role = self.roles.roles().iter().find(|role| role.id == id);
            let assignment = RoleAssignment {
                id: Some(id),
                name: role.and_then(|role| role.name.clone()),
                kind: role.and_then(|role| role.kind.clone()),
                scope: grant.scope.clone(),
                ..RoleAssignment::default()
            };
            if !assignments.iter().any(|there| is_same(there, &assignment)) {
                assignments.push(assignment);
            }
        }
        Ok(assignments)
    }

    /// Gives new assignments their ids, where roles have a scope each.
    pub fn bind(&mut self, mut assignments: Vec<RoleAssignment>) -> Vec<RoleAssignment> {
        for assignment in assignments
            .iter_mut()
            .filter(|_| self.capabilities.role_scopes)
        {
            self.binding_count += 1;
            assignment.binding_id = Some(format!("rb-{}", self.binding_count));
        }
        assignments
    }

    fn auth_type_of(&self, new: &NewInvitation) -> Option<AuthType> {
        let asked = new.auth_type.clone();
        asked.or_else(|| self.capabilities.auth_type.then_some(AuthType::Local))
    }

    fn next_user(&mut self) -> Result<MemberId> {
        self.user_count += 1;
        MemberId::new(format!("u-{}", self.user_count))
    }
}

/// Whether both are the same role in the same scope.
pub(super) fn is_same(first: &RoleAssignment, second: &RoleAssignment) -> bool {
    first.grant().is_some_and(|grant| grant.is_met_by(second))
}
