//! The operations on role bindings.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value};

use super::accounts::{Caller, Organization};
use super::bindings::{Grant, RoleBinding};
use super::body::json_object;
use super::paging::{self, PageRequest, Parameters};
use super::{Confluent, error, invitation_id, wire};
use crate::error::ApiError;
use crate::ledger::Change;
use crate::provider::Provider;
use crate::random;
use crate::request::ApiRequest;
use crate::snapshot::RoleBindingSnapshot;
use crate::state::State;

impl Confluent {
    pub(super) fn list_role_bindings(
        &self,
        state: &State,
        caller: &Caller,
        request: &ApiRequest,
    ) -> Result<Response, ApiError> {
        let mut parameters = Parameters::from_uri(&request.uri);
        let page = PageRequest::take(&mut parameters)?;
        let pattern = parameters.take("crn_pattern").ok_or_else(|| {
            error::invalid_parameter("crn_pattern", "The parameter crn_pattern is required")
        })?;
        let principal = parameters.take("principal");
        let role_name = parameters.take("role_name");

        let organization = self.organization(caller)?;
        let bindings = &organization.bindings;
        let now = state.logical_time();
        let mode = request.filter_mode;
        let passes = |filter: &Option<String>, value: &str| {
            let mut filter = filter.iter();
            filter.all(|filter| mode.matches(filter, value))
        };
        let matches = |it: &&RoleBinding| {
            bindings.is_listed(it, now)
                && mode.matches_prefix(&pattern, &it.grant.crn_pattern)
                && passes(&principal, &it.grant.principal)
                && passes(&role_name, &it.grant.role_name)
        };
        let matching = |after| -> Box<dyn Iterator<Item = &RoleBinding>> {
            match &principal {
                Some(principal) if mode.is_exact() => {
                    Box::new(bindings.of(principal, after).filter(matches))
                }
                _ => Box::new(bindings.after(after).filter(matches)),
            }
        };
        let is_filtered =
            principal.is_some() || role_name.is_some() || !organization.crn().starts_with(&pattern);
        let total = if is_filtered {
            matching(0).count()
        } else {
            bindings.listed_count(now)
        };
        let page = page.select(matching(page.after), |it| it.sequence);
        let link = |token| {
            let filters = [
                ("principal", principal.as_deref()),
                ("role_name", role_name.as_deref()),
                ("crn_pattern", Some(pattern.as_str())),
            ];
            let list = format!("{}/iam/v2/role-bindings", self.url);
            paging::link(&list, filters, token)
        };
        let next = page.next.as_deref().map(|token| link(Some(token)));
        let items = page.items.iter();
        let items = items.map(|it| wire::role_binding(&self.url, &organization.id, it));
        let kind = ("iam/v2", "RoleBindingList");
        let body = wire::list(kind, (link(None), next), total, items.collect());
        Ok(wire::json(StatusCode::OK, &body))
    }

    pub(super) fn create_role_binding(
        &mut self,
        state: &mut State,
        caller: &Caller,
        request: &ApiRequest,
    ) -> Result<Response, ApiError> {
        let body = json_object(request)?;
        let grant = Grant {
            principal: text(&body, "principal", "/principal")?.to_owned(),
            role_name: text(&body, "role_name", "/role_name")?.to_owned(),
            crn_pattern: text(&body, "crn_pattern", "/crn_pattern")?.to_owned(),
        };
        let listed_from = state.faults.binding_listed_from(state.logical_time());
        let now = state.now();
        let url = self.url.clone();
        let organization = self.organization_mut(caller)?;
        let email = organization.check_principal(&grant.principal)?;
        organization.check_pattern(&grant.crn_pattern)?;
        if let Some(existing) = organization.bindings.find(&grant) {
            let location = wire::role_binding_url(&url, &existing.id);
            return Err(error::already_bound(&location));
        }
        let id = loop {
            let id = format!("rb-{}", random::alphanumeric(6));
            if organization.bindings.get(&id).is_none() {
                break id;
            }
        };
        let created = organization.bindings.insert(id, grant, listed_from, now);
        state.ledger.commit(
            Provider::Confluent,
            Change::Bind,
            &created.id,
            &email,
            Some(&request.request_id),
        );
        let body = wire::role_binding(&url, &organization.id, created);
        let location = wire::role_binding_url(&url, &created.id);
        let response = wire::json(StatusCode::CREATED, &body);
        Ok(([(header::LOCATION, location)], response).into_response())
    }

    pub(super) fn get_role_binding(&self, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        let binding = self.find_role_binding(caller, id)?;
        let organization = self.organization(caller)?;
        let body = wire::role_binding(&self.url, &organization.id, binding);
        Ok(wire::json(StatusCode::OK, &body))
    }

    pub(super) fn delete_role_binding(
        &mut self,
        state: &mut State,
        caller: &Caller,
        request: &ApiRequest,
        id: &str,
    ) -> Result<Response, ApiError> {
        let answer = self.get_role_binding(caller, id)?;
        let organization = self.organization_mut(caller)?;
        if let Some(removed) = organization.bindings.remove(id) {
            let email = organization.email_of(&removed.grant.principal);
            state.ledger.commit(
                Provider::Confluent,
                Change::Unbind,
                id,
                &email.unwrap_or_default(),
                Some(&request.request_id),
            );
        }
        Ok(answer)
    }

    /// The role binding of an id. Those of other organisations are forbidden.
    fn find_role_binding(&self, caller: &Caller, id: &str) -> Result<&RoleBinding, ApiError> {
        if let Some(found) = self.organization(caller)?.bindings.get(id) {
            return Ok(found);
        }
        let mut organizations = self.organizations.iter();
        let elsewhere = organizations.any(|other| other.bindings.get(id).is_some());
        Err(if elsewhere {
            error::other_organization("role binding", id)
        } else {
            error::not_found()
        })
    }
}

impl Organization {
    pub(super) fn role_binding_snapshots(&self) -> impl Iterator<Item = RoleBindingSnapshot> {
        self.bindings.after(0).map(|it| RoleBindingSnapshot {
            organization: self.id.clone(),
            id: it.id.to_string(),
            principal: it.grant.principal.clone(),
            role_name: it.grant.role_name.clone(),
            crn_pattern: it.grant.crn_pattern.clone(),
            created_at: it.created_at,
        })
    }

    /// The pattern of everything in the organisation.
    pub(super) fn crn(&self) -> String {
        format!("crn://confluent.cloud/organization={}", self.id)
    }

    /// The address of a user who is a principal, also of one who is invited and has not accepted.
    fn email_of(&self, principal: &str) -> Option<String> {
        let id = principal.strip_prefix("User:")?;
        if let Some(user) = self.users.get(id) {
            return Some(user.email.to_string());
        }
        let invitation = self.invitations.get(&invitation_id(id)?)?;
        let is_shown = invitation.deleted_at.is_none();
        is_shown.then(|| invitation.email.to_string())
    }

    /// Checks that a principal may be bound, and returns the address of a user.
    fn check_principal(&self, principal: &str) -> Result<String, ApiError> {
        if let Some(email) = self.email_of(principal) {
            return Ok(email);
        }
        match principal.split_once(':') {
            Some(("Group", id)) if !id.is_empty() => Ok(String::new()),
            Some(("User", id)) if self.owns_keys_or_pools(id) => Ok(String::new()),
            // The id of an invitation is that of no user.
            Some(("User", id)) if !id.is_empty() => Err(error::unknown_principal(principal)),
            _ => Err(error::invalid_field(
                "/principal",
                "The principal is neither User: nor Group: with an id",
            )),
        }
    }

    /// Whether an id is that of a user who owns a key, or of an identity pool.
    fn owns_keys_or_pools(&self, id: &str) -> bool {
        let mut keys = self.keys.iter().filter(|key| !key.is_deleted);
        keys.any(|key| &*key.caller.user == id) || self.pools.iter().any(|pool| pool.id == id)
    }

    /// Checks that a CRN pattern is one, and within the organisation.
    fn check_pattern(&self, pattern: &str) -> Result<(), ApiError> {
        let invalid = || {
            let detail = "The pattern is not crn://AUTHORITY/KIND=ID…";
            error::invalid_field("/crn_pattern", detail)
        };
        let rest = pattern.strip_prefix("crn://").ok_or_else(invalid)?;
        let (authority, path) = rest.split_once('/').ok_or_else(invalid)?;
        let is_pair = |part: &str| {
            let pair = part.split_once('=');
            pair.is_some_and(|(kind, id)| !kind.is_empty() && !id.is_empty())
        };
        if authority.is_empty() || !path.split('/').all(is_pair) {
            return Err(invalid());
        }
        match pattern.strip_prefix(&self.crn()) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => Ok(()),
            _ => Err(error::forbidden_pattern()),
        }
    }
}

/// A required property.
fn text<'a>(
    body: &'a Map<String, Value>,
    name: &str,
    pointer: &'static str,
) -> Result<&'a str, ApiError> {
    match body.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(Value::String(_)) => Err(error::invalid_field(pointer, "The property is empty")),
        Some(_) => Err(error::invalid_field(
            pointer,
            "The property is not a string",
        )),
        None => Err(error::invalid_field(pointer, "The property is required")),
    }
}
