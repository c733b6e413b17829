//! The operations on organisations. The credentials see their own only.

use axum::http::StatusCode;
use axum::response::Response;

use super::accounts::Caller;
use super::paging::{self, PageRequest, Parameters};
use super::{Confluent, error, wire};
use crate::error::ApiError;
use crate::request::ApiRequest;

impl Confluent {
    pub(super) fn list_organizations(
        &self,
        caller: &Caller,
        request: &ApiRequest,
    ) -> Result<Response, ApiError> {
        let page = PageRequest::take(&mut Parameters::from_uri(&request.uri))?;
        let own = self.organization(caller)?;
        // The position of the only organisation is 1.
        let rest = (page.after == 0).then_some(own);
        let page = page.select(rest.into_iter(), |_| 1);
        let first = paging::link(&format!("{}/org/v2/organizations", self.url), [], None);
        let items = page.items.iter();
        let items = items.map(|it| wire::organization(&self.url, it, self.started_at));
        let kind = ("org/v2", "OrganizationList");
        let body = wire::list(kind, (first, None), 1, items.collect());
        Ok(wire::json(StatusCode::OK, &body))
    }

    pub(super) fn get_organization(&self, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        let own = self.organization(caller)?;
        if own.id == id {
            let body = wire::organization(&self.url, own, self.started_at);
            return Ok(wire::json(StatusCode::OK, &body));
        }
        Err(if self.organizations.iter().any(|other| other.id == id) {
            error::other_organization("organization", id)
        } else {
            error::not_found()
        })
    }
}
