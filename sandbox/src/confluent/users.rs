//! The operations on users.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::accounts::{Caller, Organization};
use super::body::json_object;
use super::paging::{self, PageRequest, Parameters};
use super::{Confluent, UserDetails, error, invitation_id, user_id, wire};
use crate::error::ApiError;
use crate::ledger::Change;
use crate::members::Member;
use crate::provider::Provider;
use crate::request::ApiRequest;
use crate::snapshot::MemberSnapshot;
use crate::state::State;

impl Confluent {
    pub(super) fn list_users(
        &self,
        caller: &Caller,
        request: &ApiRequest,
    ) -> Result<Response, ApiError> {
        let page = PageRequest::take(&mut Parameters::from_uri(&request.uri))?;
        let organization = self.organization(caller)?;
        let users = &organization.users;
        let page = page.select(users.after(page.after), |it| it.sequence);
        let list = format!("{}/iam/v2/users", self.url);
        let link = |token| paging::link(&list, [], token);
        let next = page.next.as_deref().map(|token| link(Some(token)));
        let items = page.items.iter();
        let items = items.map(|it| wire::user(&self.url, &organization.id, it));
        let kind = ("iam/v2", "UserList");
        let body = wire::list(kind, (link(None), next), users.count(), items.collect());
        Ok(wire::json(StatusCode::OK, &body))
    }

    pub(super) fn get_user(&self, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        let user = self.find_user(caller, id)?;
        let organization = self.organization(caller)?;
        let body = wire::user(&self.url, &organization.id, user);
        Ok(wire::json(StatusCode::OK, &body))
    }

    pub(super) fn update_user(
        &mut self,
        state: &mut State,
        caller: &Caller,
        request: &ApiRequest,
        id: &str,
    ) -> Result<Response, ApiError> {
        self.find_user(caller, id)?;
        let body = json_object(request)?;
        let name = match body.get("full_name") {
            None => None,
            Some(Value::String(name)) => Some(name),
            Some(_) => {
                let detail = "The property is not a string";
                return Err(error::invalid_property("/full_name", detail));
            }
        };
        let organization = self.organization_mut(caller)?;
        if let Some(name) = name
            && let Some(user) = organization.users.get_mut(id)
        {
            user.name = name.as_str().into();
            user.updated_at = state.now();
            state.ledger.commit(
                Provider::Confluent,
                Change::Update,
                id,
                &user.email,
                Some(&request.request_id),
            );
        }
        self.get_user(caller, id)
    }

    /// Deletes a user, and everything that the user has: role bindings and API keys.
    pub(super) fn delete_user(
        &mut self,
        state: &mut State,
        caller: &Caller,
        request: &ApiRequest,
        id: &str,
    ) -> Result<Response, ApiError> {
        self.find_user(caller, id)?;
        let organization = self.organization_mut(caller)?;
        let removed = organization.users.remove(id);
        organization.bindings.remove_of(&format!("User:{id}"));
        let keys = organization.keys.iter_mut();
        for key in keys.filter(|key| &*key.caller.user == id) {
            key.is_deleted = true;
        }
        if let Some(invitation) = invitation_id(id) {
            organization.withdraw(&invitation, state.now());
        }
        state.ledger.commit(
            Provider::Confluent,
            Change::Remove,
            id,
            removed.as_ref().map_or("", |user| &user.email),
            Some(&request.request_id),
        );
        Ok(StatusCode::NO_CONTENT.into_response())
    }

    /// The user of an id, who has accepted. Users of other organisations are forbidden.
    fn find_user(&self, caller: &Caller, id: &str) -> Result<&Member<UserDetails>, ApiError> {
        if let Some(found) = self.organization(caller)?.users.get(id) {
            return Ok(found);
        }
        let mut organizations = self.organizations.iter();
        let elsewhere = organizations.any(|other| other.users.get(id).is_some());
        Err(if elsewhere {
            error::other_organization("user", id)
        } else {
            error::not_found()
        })
    }
}

impl Organization {
    pub(super) fn member_snapshots(&self) -> impl Iterator<Item = MemberSnapshot> {
        let users = self.users.after(0);
        users.map(|it| MemberSnapshot::new(Provider::Confluent, &self.id, it, Vec::new()))
    }

    /// Removes an invitation, or marks it as deleted if the organisation keeps deleted ones. The role bindings of its
    /// user go too.
    pub(super) fn withdraw(&mut self, invitation: &str, now: DateTime<Utc>) {
        let user = user_id(invitation);
        self.bindings.remove_of(&format!("User:{user}"));
        if self.keep_deleted {
            self.invitations.deactivate(invitation, now);
        } else {
            self.invitations.remove(invitation);
        }
    }
}
