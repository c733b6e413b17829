//! The description of a generated operation, and the check of a request against it.

use std::collections::HashMap;

use reqwest::{Body, Request};
use serde::de::IgnoredAny;

use crate::http::{Endpoint, path};

/// An operation of a generated client.
#[derive(Debug)]
pub struct OperationSpec {
    /// The name of the method.
    pub name: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path template, such as `/iam/v2/invitations/{id}`.
    pub path: &'static str,
    /// The document's summary of the operation, or nothing.
    pub summary: &'static str,
    /// Whether the document that the client was built from has the operation.
    pub offered: bool,
    /// Whether the document describes a success as something other than JSON.
    pub is_raw: bool,
    /// The query parameters that this document has.
    pub queries: &'static [&'static str],
    /// Query parameters of the client that this document lacks.
    pub absent_queries: &'static [&'static str],
    /// Properties of the request body that this document lacks.
    pub absent_properties: &'static [&'static str],
}

impl OperationSpec {
    /// Checks a request that the generated code made for this operation.
    ///
    /// # Errors
    ///
    /// A message: the document lacks a part of the request, or a value leads out of the operation's path.
    pub(super) fn check(&self, endpoint: &Endpoint, request: &Request) -> Result<(), String> {
        if !self.offered {
            return Err(format!(
                "{} {} is not offered by the document that this client was built from",
                self.method, self.path
            ));
        }
        path::check(endpoint, request.url(), self.path)?;
        let query = self.absent_queries.iter().find(|absent| {
            let mut pairs = request.url().query_pairs();
            pairs.any(|(name, _)| name == **absent)
        });
        match query.or_else(|| self.absent_property(request)) {
            Some(absent) => Err(format!(
                "`{absent}` is not offered by the document that this client was built from"
            )),
            None => Ok(()),
        }
    }

    fn absent_property(&self, request: &Request) -> Option<&&'static str> {
        if self.absent_properties.is_empty() {
            return None;
        }
        let body = request.body().and_then(Body::as_bytes)?;
        let json = serde_json::from_slice::<HashMap<String, IgnoredAny>>(body);
        let sent: Vec<String> = match json {
            Ok(object) => object.into_keys().collect(),
            Err(_) => url::form_urlencoded::parse(body)
                .map(|(name, _)| name.into_owned())
                .collect(),
        };
        let mut absent = self.absent_properties.iter();
        absent.find(|absent| sent.iter().any(|name| name == **absent))
    }
}

#[cfg(test)]
mod tests {
    use reqwest::Method;
    use url::Url;

    use super::*;

    const CREATE: OperationSpec = OperationSpec {
        summary: "",
        name: "create_thing",
        method: "POST",
        path: "/things",
        offered: true,
        is_raw: false,
        queries: &["other"],
        absent_queries: &["dry_run"],
        absent_properties: &["roles"],
    };

    fn check(operation: &OperationSpec, url: &str, body: &str) -> Result<(), String> {
        let endpoint = Endpoint::new(
            &crate::http::BaseUrl::parse("https://a.example").unwrap(),
            None,
        );
        let url = Url::parse("https://a.example").unwrap().join(url).unwrap();
        let mut request = Request::new(Method::POST, url);
        if !body.is_empty() {
            *request.body_mut() = Some(body.to_owned().into());
        }
        operation.check(&endpoint, &request)
    }

    #[test]
    fn what_the_document_lacks_is_refused() {
        for (url, body, absent) in [
            ("/things", "", None),
            ("/things?other=dry_run", r#"{"name": "roles"}"#, None),
            ("/things", "name=roles", None),
            ("/things?dry_run=true", "", Some("dry_run")),
            ("/things?dry%5Frun=true", "", Some("dry_run")),
            ("/things", r#"{"name": "a", "roles": []}"#, Some("roles")),
            ("/things", "name=a&roles=b", Some("roles")),
        ] {
            let outcome = check(&CREATE, url, body);
            match absent {
                None => assert_eq!(outcome, Ok(()), "{url} {body}"),
                Some(name) => assert!(outcome.unwrap_err().contains(name), "{url} {body}"),
            }
        }
        let absent = OperationSpec {
            offered: false,
            ..CREATE
        };
        let why = check(&absent, "/things", "").unwrap_err();
        assert!(why.starts_with("POST /things is not offered"), "{why}");
    }
}
