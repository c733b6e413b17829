//! Checks of requests before they are sent, and of responses against the request.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    address::same_email,
    decode::present,
    error::{ErrorKind, Result, excerpt},
    extra::Extra,
    http::{OperationSpec, Reply},
    invitation::{Invitation, InvitationId},
    list::{ListQuery, Page},
    operation::OperationContext,
};

/// The message for a success that reports a failure.
pub(crate) const FAILURE_IN_SUCCESS: &str = "the response reports a failure";

impl OperationContext<'_> {
    /// Adds operation and provider to the error of an input check.
    pub fn with_context<T>(&self, checked: Result<T>) -> Result<T> {
        checked.map_err(|error| {
            error
                .with_operation(self.operation)
                .with_provider(self.client.service.name)
        })
    }

    /// Fails with `Unsupported` unless the provider supports the option.
    pub fn require_supported(&self, supported: bool, option: &str) -> Result<()> {
        match supported {
            true => Ok(()),
            false => self.unsupported(option),
        }
    }

    /// Fails with `Unsupported`: the provider does not support the option.
    pub fn unsupported<T>(&self, option: &str) -> Result<T> {
        let message = format!("the provider has no {option}");
        Err(self.error(ErrorKind::Unsupported, message))
    }

    /// Adds query parameters to the requests of the operation.
    ///
    /// # Errors
    ///
    /// The document has no such parameter, or [`ListQuery`] has a field for it (`fields`).
    pub fn with_query(
        mut self,
        operations: &[OperationSpec],
        operation: &str,
        query: &BTreeMap<String, String>,
        fields: &[&str],
    ) -> Result<Self> {
        if query.is_empty() {
            return Ok(self);
        }
        let mut specs = operations.iter().filter(|spec| spec.name == operation);
        let offered = specs.next().map_or(&[][..], |spec| spec.queries);
        for name in query.keys().map(String::as_str) {
            self.reject_field(name, fields)?;
            let option = format!("query parameter `{name}`");
            self.require_supported(offered.contains(&name), &option)?;
        }
        let call = self.client.start_call().with_query(query.clone());
        self.call = Arc::new(call);
        Ok(self)
    }

    /// A request body of the `fields` that have a value, and the properties of `extra`.
    ///
    /// # Errors
    ///
    /// A property of `extra` is one of the fields or has another type than in the document, or a required one is missing.
    pub fn request_body<T: DeserializeOwned, const N: usize>(
        &self,
        fields: [(&str, Option<Value>); N],
        extra: &Extra,
    ) -> Result<T> {
        let names = fields.each_ref().map(|(name, _)| *name);
        for name in extra.keys() {
            self.reject_field(name, &names)?;
        }
        let mut body = Map::from(extra.clone());
        body.extend(present(fields));
        self.complete(serde_json::from_value(Value::Object(body)))
    }

    /// Checks that a request has every property that the document requires.
    pub fn complete<T, E: fmt::Display>(&self, body: Result<T, E>) -> Result<T> {
        body.map_err(|error| {
            let message = format!("the request does not match the document of the API: {error}");
            self.error(ErrorKind::InvalidInput, message)
        })
    }

    /// Checks that the document has every property of a request body.
    pub fn require_known<'n>(&self, unknown: impl IntoIterator<Item = &'n String>) -> Result<()> {
        match unknown.into_iter().next() {
            Some(name) => self.unsupported(&format!("property `{name}`")),
            None => Ok(()),
        }
    }

    fn reject_field(&self, name: &str, fields: &[&str]) -> Result<()> {
        if !fields.contains(&name) {
            return Ok(());
        }
        let message = format!("`{name}` must be set with its own field, not with `extra`");
        Err(self.error(ErrorKind::InvalidInput, message))
    }

    /// Checks that a response is the invitation with the requested id.
    pub fn expect_id(&self, requested: &InvitationId, found: Invitation) -> Result<Invitation> {
        if found.id == *requested {
            return Ok(found);
        }
        let other_id = excerpt(found.id.as_str());
        if is_same_uuid(requested.as_str(), found.id.as_str()) {
            let message =
                format!("no invitation has this id; another spelling of it, {other_id}, exists");
            return Err(self.error(ErrorKind::NotFound, message));
        }
        let message = format!("the response is about another invitation: {other_id}");
        Err(self.error(ErrorKind::Decode, message))
    }

    /// Checks that a response is an invitation of the requested address.
    pub fn expect_address(&self, requested: &str, created: Invitation) -> Result<Invitation> {
        if same_email(requested, &created.email) {
            return Ok(created);
        }
        // The response does not say whether the requested address was invited.
        self.mark_ambiguous();
        let message = format!(
            "the response is about another address: {}",
            excerpt(&created.email)
        );
        Err(self.error(ErrorKind::Decode, message))
    }

    /// Removes the invitations of a page that the query does not match: the server ignored a filter.
    pub fn drop_mismatches(&self, query: &ListQuery, page: &mut Page) {
        let before = page.items.len();
        let matches =
            |item: &Result<Invitation>| item.as_ref().map_or(true, |it| query.matches(it));
        page.items.retain(matches);
        let dropped = before - page.items.len();
        if dropped > 0 {
            // The total counts invitations that do not match.
            page.total = None;
            tracing::warn!(
                provider = self.client.service.name,
                dropped,
                "the server returned invitations that the filter does not match; they are left out"
            );
        }
    }

    /// Checks the response to a delete: 200 or 204, without a body or with JSON that reports no failure. 202 and the
    /// other success statuses say that the delete is not complete.
    pub fn expect_deleted(&self, reply: &Reply) -> Result<()> {
        if !matches!(reply.status.as_u16(), 200 | 204) {
            let why = "the status of the response does not confirm the deletion";
            return Err(self.error_from_reply(reply, ErrorKind::Unexpected, why));
        }
        if reply.body.is_empty() {
            return Ok(());
        }
        let Some(body) = reply.json() else {
            return Err(self.decode_error(reply, "the response is neither empty nor JSON"));
        };
        if reports_failure(|name| body.get(name)) {
            return Err(self.decode_error(reply, FAILURE_IN_SUCCESS));
        }
        Ok(())
    }

    /// Checks that the body of a get or create reports no failure beside the invitation. `unknown` has the properties
    /// that the bindings do not know.
    pub fn expect_no_failure(&self, reply: &Reply, unknown: &Map<String, Value>) -> Result<()> {
        if !unknown.is_empty() && reports_failure(|name| unknown.get(name)) {
            return Err(self.decode_error(reply, FAILURE_IN_SUCCESS));
        }
        Ok(())
    }

    /// Checks that the envelope of a list reports no failure, since such a list may be incomplete. Redacts its request
    /// id.
    pub fn expect_whole<T>(&self, mut page: Page<T>) -> Result<Page<T>> {
        if reports_failure(|name| page.extra.get(name)) {
            return Err(self.error(ErrorKind::Decode, FAILURE_IN_SUCCESS));
        }
        page.request_id = self.redact_id(page.request_id);
        Ok(page)
    }
}

/// Whether a body with these properties reports a failure despite a success status.
fn reports_failure<'v>(property: impl Fn(&str) -> Option<&'v Value>) -> bool {
    let failed = ["error", "errors"].iter().any(|name| match property(name) {
        None | Some(Value::Null) => false,
        Some(Value::Array(list)) => !list.is_empty(),
        Some(_) => true,
    });
    let status = property("status").and_then(Value::as_u64);
    failed || status.is_some_and(|status| status >= 300)
}

/// Whether two ids are spellings of one UUID, which a server may accept for each other.
fn is_same_uuid(first: &str, second: &str) -> bool {
    let digits = |id: &str| {
        let id = id.to_ascii_lowercase();
        id.trim_start_matches("urn:uuid:")
            .replace(['-', '{', '}'], "")
    };
    digits(first) == digits(second)
}
