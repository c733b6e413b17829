//! Members of an organisation in memory, and their roles.

use std::collections::HashMap;

use async_trait::async_trait;

use super::{InMemory, named, organization, pages};
use crate::{
    address::same_email,
    api_key::ApiKey,
    error::{Operation, Result},
    invitation::{Invitation, RoleAssignment},
    list::{Page, PageToken},
    member::{Member, MemberId, MemberProvider, MembershipEvent},
    role::{Role, RoleChange, RoleGrant},
};

#[async_trait]
impl MemberProvider for InMemory {
    async fn list_members_page(&self, token: Option<&PageToken>) -> Result<Page<Member>> {
        let operation = Operation::ListMembers;
        self.require(self.capabilities.members, "members", operation, None)?;
        let after = pages::position(token).map_err(named(operation, None))?;
        self.call(operation, None, |organization| {
            let members = organization.members.iter();
            let members = members.map(|(number, member)| (*number, member.clone()));
            let size = organization.capabilities.max_page_size;
            Ok(pages::page(members, after, size))
        })
    }

    async fn get_member(&self, id: &MemberId) -> Result<Member> {
        let (operation, target) = (Operation::GetMember, Some(id.as_str()));
        self.require(self.capabilities.members, "members", operation, target)?;
        self.call(operation, target, |organization| {
            organization.member(id).cloned()
        })
    }

    async fn member_roles(&self, id: &MemberId) -> Result<Vec<RoleAssignment>> {
        let (operation, target) = (Operation::ListRoles, Some(id.as_str()));
        self.require_roles(operation, target)?;
        self.call(operation, target, |organization| {
            organization.roles_of(id).cloned()
        })
    }

    async fn membership_events(&self, email: &str) -> Result<Vec<MembershipEvent>> {
        let (operation, target) = (Operation::ListActivities, Some(email));
        let is_offered = self.capabilities.membership_events;
        self.require(is_offered, "membership events", operation, target)?;
        self.call(operation, target, |organization| {
            let events = organization.events.iter();
            let theirs = events.filter(|(whose, _)| same_email(whose, email));
            Ok(theirs.map(|(_, event)| event.clone()).collect())
        })
    }

    async fn list_member_roles(&self) -> Result<HashMap<MemberId, Vec<RoleAssignment>>> {
        self.require_roles(Operation::ListRoles, None)?;
        self.call(Operation::ListRoles, None, |organization| {
            let members = organization.members.values();
            let joined = members.map(|member| (member.id.clone(), member.roles.clone()));
            let pending = organization.invitations.values();
            let pending = pending.filter(|invitation| invitation.is_pending());
            let invited = pending
                .filter_map(|one: &Invitation| Some((one.invited_user()?, one.roles.clone())));
            let all = invited.chain(joined);
            Ok(all
                .map(|(id, roles)| (id, roles.unwrap_or_default()))
                .collect())
        })
    }

    async fn grant_roles(&self, id: &MemberId, grants: &[RoleGrant]) -> Result<RoleChange> {
        self.change_roles(id, grants, false)
    }

    async fn set_roles(&self, id: &MemberId, grants: &[RoleGrant]) -> Result<RoleChange> {
        self.change_roles(id, grants, true)
    }

    async fn remove_member(&self, id: &MemberId) -> Result<()> {
        let (operation, target) = (Operation::RemoveMember, Some(id.as_str()));
        self.require(self.capabilities.members, "members", operation, target)?;
        self.call(operation, target, |organization| {
            organization.remove_member(id)
        })
    }

    async fn list_roles(&self) -> Result<Vec<Role>> {
        let is_offered = self.capabilities.list_roles;
        self.require(is_offered, "list of roles", Operation::ListRoles, None)?;
        self.call(Operation::ListRoles, None, |organization| {
            Ok(organization.roles.roles().to_vec())
        })
    }

    async fn api_keys(&self, member: &MemberId) -> Result<Vec<ApiKey>> {
        let (operation, target) = (Operation::ListApiKeys, Some(member.as_str()));
        let is_offered = self.capabilities.api_keys;
        self.require(is_offered, "API keys of members", operation, target)?;
        self.call(operation, target, |organization| {
            let keys = organization.keys.iter();
            let theirs = keys.filter(|(owner, _)| owner == member);
            Ok(theirs.map(|(_, key)| key.clone()).collect())
        })
    }

    async fn key_owner(&self) -> Result<Option<MemberId>> {
        if !self.capabilities.api_keys {
            return Ok(None);
        }
        self.call(Operation::GetApiKey, None, |organization| {
            Ok(organization.key_owner.clone())
        })
    }

    async fn key_roles(&self) -> Result<Option<Vec<RoleAssignment>>> {
        if !self.capabilities.api_keys || !self.capabilities.roles {
            return Ok(None);
        }
        self.call(Operation::ListRoles, None, |organization| {
            let owner = organization.key_owner.clone();
            let roles = owner.map(|owner| organization.roles_of(&owner).cloned());
            roles.transpose()
        })
    }
}

impl InMemory {
    fn require_roles(&self, operation: Operation, target: Option<&str>) -> Result<()> {
        let is_offered = self.capabilities.members && self.capabilities.roles;
        self.require(is_offered, "roles of members", operation, target)
    }

    /// Gives a user these roles, and takes the others if the roles are `replaced`.
    fn change_roles(
        &self,
        id: &MemberId,
        grants: &[RoleGrant],
        replaced: bool,
    ) -> Result<RoleChange> {
        let (operation, target) = (Operation::GrantRole, Some(id.as_str()));
        self.require_roles(operation, target)?;
        let has_scope = grants.iter().any(|grant| grant.scope.is_some());
        let is_offered = self.capabilities.role_scopes || !has_scope;
        self.require(is_offered, "scopes of roles", operation, target)?;
        // A role that does not exist is refused before anything is sent.
        let requested = self.lock().assignments(grants);
        let requested = requested.map_err(named(operation, target))?;
        self.call(operation, target, |organization| {
            let before = organization.roles_of(id)?.clone();
            let has = |roles: &[RoleAssignment], role: &RoleAssignment| {
                roles.iter().any(|one| organization::is_same(role, one))
            };
            let lacking = requested.iter().filter(|role| !has(&before, role));
            let added = organization.bind(lacking.cloned().collect());
            let is_kept = |role: &RoleAssignment| !replaced || has(&requested, role);
            let (kept, removed): (Vec<_>, Vec<_>) = before.into_iter().partition(is_kept);
            *organization.roles_of(id)? = [kept, added.clone()].concat();
            let mut change = RoleChange::default();
            (change.added, change.removed) = (added, removed);
            Ok(change)
        })
    }
}
