//! The operations on API keys. With all rights a caller sees every key of the organisation, otherwise its own ones.

use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};

use super::accounts::{ApiKey, Caller, check};
use super::paging::{self, PageRequest, Parameters};
use super::{Confluent, error, wire};
use crate::config::{ConfluentKey, Rights};
use crate::error::ApiError;
use crate::request::ApiRequest;
use crate::snapshot::ApiKeySnapshot;

impl Confluent {
    pub(super) fn list_api_keys(
        &self,
        caller: &Caller,
        request: &ApiRequest,
    ) -> Result<Response, ApiError> {
        let mut parameters = Parameters::from_uri(&request.uri);
        let page = PageRequest::take(&mut parameters)?;
        let owner = parameters.take("spec.owner");
        let resource = parameters.take("spec.resource");
        // No key expires here.
        let show_expired = parameters.take("show_expired");
        if !matches!(show_expired.as_deref(), None | Some("true" | "false")) {
            let detail = "The parameter is neither true nor false";
            return Err(error::invalid_parameter("show_expired", detail));
        }

        let organization = self.organization(caller)?;
        let mode = request.filter_mode;
        let passes = |filter: &Option<String>, value: &str| {
            let mut filter = filter.iter();
            filter.all(|filter| mode.matches(filter, value))
        };
        let keys = (1..).zip(&organization.keys);
        let matching: Vec<(u64, &ApiKey)> = keys
            .filter(|(_, key)| {
                is_visible(caller, key)
                    && passes(&owner, &key.caller.user)
                    && passes(&resource, key.resource.as_deref().unwrap_or_default())
            })
            .collect();
        let rest = matching
            .iter()
            .filter(|(position, _)| *position > page.after);
        let page = page.select(rest, |(position, _)| *position);
        let link = |token| {
            let filters = [
                ("spec.owner", owner.as_deref()),
                ("spec.resource", resource.as_deref()),
                ("show_expired", show_expired.as_deref()),
            ];
            paging::link(&format!("{}/iam/v2/api-keys", self.url), filters, token)
        };
        let next = page.next.as_deref().map(|token| link(Some(token)));
        let items = page.items.iter();
        let items = items.map(|(_, key)| wire::api_key(&self.url, &organization.id, key));
        let kind = ("iam/v2", "ApiKeyList");
        let body = wire::list(kind, (link(None), next), matching.len(), items.collect());
        Ok(wire::json(StatusCode::OK, &body))
    }

    pub(super) fn get_api_key(&self, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        let organization = self.organization(caller)?;
        let mut keys = organization.keys.iter();
        let found = keys.find(|key| key.api_key == id && is_visible(caller, key));
        let key = found.ok_or_else(error::not_found)?;
        let body = wire::api_key(&self.url, &organization.id, key);
        Ok(wire::json(StatusCode::OK, &body))
    }

    /// Gives the first organisation a further key.
    ///
    /// # Errors
    ///
    /// A key or token of this name is there already.
    pub(crate) fn add_key(&mut self, key: ConfluentKey, now: DateTime<Utc>) -> Result<(), String> {
        let Some(first) = self.organizations.first_mut() else {
            return Err("there is no organisation".to_owned());
        };
        first.keys.push(ApiKey::new(0, key, now));
        let checked = check(&self.organizations);
        if let (Err(_), Some(first)) = (&checked, self.organizations.first_mut()) {
            first.keys.pop();
        }
        checked
    }

    /// All API keys, each organisation's in order of creation.
    pub(crate) fn api_key_snapshots(&self) -> impl Iterator<Item = ApiKeySnapshot> {
        self.organizations.iter().flat_map(|organization| {
            let keys = organization.keys.iter().filter(|key| !key.is_deleted);
            keys.map(|key| ApiKeySnapshot {
                organization: organization.id.clone(),
                id: key.api_key.clone(),
                owner: key.caller.user.to_string(),
                resource: key.resource.clone(),
            })
        })
    }
}

fn is_visible(caller: &Caller, key: &ApiKey) -> bool {
    !key.is_deleted && (caller.rights == Rights::Admin || key.caller.user == caller.user)
}
