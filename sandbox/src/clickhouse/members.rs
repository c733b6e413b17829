//! The operations on members, roles and activities.

use axum::extract::Query;
use axum::response::Response;
use chrono::{DateTime, Utc};

use super::activities::{Actor, MEMBER_LEAVE, MEMBER_UPDATE_ROLES};
use super::body::{json_object, requested_roles};
use super::roles::{self, Role};
use super::{ClickHouse, Details, error, uuid, wire};
use crate::error::ApiError;
use crate::ledger::Change;
use crate::members::Member;
use crate::provider::Provider;
use crate::request::ApiRequest;
use crate::snapshot::MemberSnapshot;
use crate::state::State;

impl ClickHouse {
    /// All members, each organisation's in order of joining.
    pub(crate) fn member_snapshots(&self) -> impl Iterator<Item = MemberSnapshot> {
        self.organizations.iter().flat_map(|organization| {
            organization.members.after(0).map(|it| {
                let roles = it.details.roles.iter().map(|role| role.id().to_owned());
                let provider = Provider::ClickHouse;
                MemberSnapshot::new(provider, &organization.id, it, roles.collect())
            })
        })
    }

    pub(super) fn list_members(
        &self,
        request: &ApiRequest,
        position: usize,
    ) -> Result<Response, ApiError> {
        let members = self.organization(position)?.members.after(0);
        let result: Vec<_> = members.map(wire::member).collect();
        Ok(wire::success(Some(result), &request.request_id))
    }

    pub(super) fn get_member(
        &self,
        request: &ApiRequest,
        position: usize,
        id: &str,
    ) -> Result<Response, ApiError> {
        let id = uuid(id, "user")?;
        let result = wire::member(self.find_member(position, &id)?);
        Ok(wire::success(Some(result), &request.request_id))
    }

    /// Replaces the roles of a member.
    pub(super) fn update_member(
        &mut self,
        state: &mut State,
        request: &ApiRequest,
        position: usize,
        id: &str,
    ) -> Result<Response, ApiError> {
        let id = uuid(id, "user")?;
        self.find_member(position, &id)?;
        let body = json_object(request)?;
        let actor = self.actor(request);
        let organization = self.organization_mut(position)?;
        let custom = &organization.custom_roles;
        let roles = requested_roles(&body, custom)?
            .ok_or_else(|| error::bad_request("'assignedRoleIds' is required"))?;
        let has_custom_roles = !custom.is_empty();
        let now = state.now();
        let member = organization.members.get_mut(&id);
        let member = member.ok_or_else(|| error::not_found("member"))?;
        if !has_custom_roles {
            member.details.legacy_role = roles::legacy_name(&roles).into();
        }
        member.details.roles = roles;
        member.updated_at = now;
        let activities = &mut organization.activities;
        activities.record(MEMBER_UPDATE_ROLES, actor, now);
        state.ledger.commit(
            Provider::ClickHouse,
            Change::Update,
            &id,
            &member.email,
            Some(&request.request_id),
        );
        let result = wire::member(member);
        Ok(wire::success(Some(result), &request.request_id))
    }

    pub(super) fn delete_member(
        &mut self,
        state: &mut State,
        request: &ApiRequest,
        position: usize,
        id: &str,
    ) -> Result<Response, ApiError> {
        let id = uuid(id, "user")?;
        self.find_member(position, &id)?;
        let organization = self.organization_mut(position)?;
        if let Some(Member { email, .. }) = organization.members.remove(&id) {
            // The accepted invitation has kept the address from being invited again.
            let accepted = organization.invitations.get_by_email(&email);
            let accepted = accepted.filter(|it| it.accepted_at.is_some());
            if let Some(invitation) = accepted.map(|it| it.id.clone()) {
                organization.invitations.remove(&invitation);
            }
            state.ledger.commit(
                Provider::ClickHouse,
                Change::Remove,
                &id,
                &email,
                Some(&request.request_id),
            );
            let id = id.into_boxed_str();
            let actor = Actor::User { id, email };
            let now = state.now();
            organization.activities.record(MEMBER_LEAVE, actor, now);
        }
        Ok(wire::success(None::<()>, &request.request_id))
    }

    pub(super) fn list_roles(
        &self,
        request: &ApiRequest,
        position: usize,
    ) -> Result<Response, ApiError> {
        let custom = self.organization(position)?.custom_roles.iter();
        let system = roles::SYSTEM_ROLES.into_iter().map(Role::System);
        let all: Vec<_> = system.chain(custom.cloned().map(Role::Custom)).collect();
        let result: Vec<_> = all
            .iter()
            .map(|role| self.role_body(position, role))
            .collect::<Result<_, _>>()?;
        Ok(wire::success(Some(result), &request.request_id))
    }

    pub(super) fn get_role(
        &self,
        request: &ApiRequest,
        position: usize,
        id: &str,
    ) -> Result<Response, ApiError> {
        let id = uuid(id, "role")?;
        let custom = &self.organization(position)?.custom_roles;
        let role = roles::by_id(&id, custom).ok_or_else(|| error::not_found("role"))?;
        let result = self.role_body(position, &role)?;
        Ok(wire::success(Some(result), &request.request_id))
    }

    pub(super) fn list_activities(
        &self,
        request: &ApiRequest,
        position: usize,
    ) -> Result<Response, ApiError> {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(&request.uri);
        let pairs = pairs.map(|Query(pairs)| pairs).unwrap_or_default();
        let time = |name: &str| -> Result<Option<DateTime<Utc>>, ApiError> {
            let Some((_, text)) = pairs.iter().find(|(key, _)| key == name) else {
                return Ok(None);
            };
            let time = DateTime::parse_from_rfc3339(text).map_err(|_| {
                error::bad_request(&format!("'{name}' is not an ISO 8601 date and time"))
            })?;
            Ok(Some(time.to_utc()))
        };
        let organization = self.organization(position)?;
        let activities = organization
            .activities
            .between(time("from_date")?, time("to_date")?);
        let result: Vec<_> = activities
            .map(|it| wire::activity(&organization.id, it))
            .collect();
        Ok(wire::success(Some(result), &request.request_id))
    }

    /// A role, and who has it: members, and for the Admin role the keys that allow everything.
    fn role_body(&self, position: usize, role: &Role) -> Result<wire::RoleBody, ApiError> {
        let organization = self.organization(position)?;
        let members = organization.members.after(0);
        let members = members.filter(|it| it.details.roles.contains(role));
        let mut actors: Vec<_> = members.map(|it| format!("user/{}", it.id)).collect();
        if roles::legacy_name(std::slice::from_ref(role)) == "admin" {
            let keys = organization.keys.iter();
            let keys = keys.filter(|key| key.rights == crate::config::Rights::Admin);
            actors.extend(keys.map(|key| format!("apiKey/{}", key.api_key)));
        }
        Ok(wire::role(&organization.id, role, actors))
    }

    fn find_member(&self, position: usize, id: &str) -> Result<&Member<Details>, ApiError> {
        let found = self.organization(position)?.members.get(id);
        found.ok_or_else(|| error::not_found("member"))
    }
}
