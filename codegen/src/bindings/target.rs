//! What the arguments of a builder point to: parts of bodies, parameters and properties.

use std::{fmt, str::FromStr};

use crate::api::Endpoint;

/// A part of a body of an operation: `GET /users#response/data/*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BodyPath {
    pub endpoint: Endpoint,
    pub body_kind: BodyKind,
    /// Names of properties; `*` stands for the items of a list.
    pub steps: Vec<String>,
}

/// Which body of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum BodyKind {
    /// A request body of JSON.
    Request,
    /// A request body that is form-urlencoded.
    Form,
    /// The body of a success.
    Response,
    /// The body of a failure.
    Failure,
}

#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// `GET /users?page_size`
    Query(Endpoint, String),
    /// `User.metadata.created_at`
    Property(String, Vec<String>),
}

impl FromStr for BodyPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || {
            format!(
                "`{text}` names no place; write it like `GET /users#response/data/*`, with `#request`, \
                 `#form`, `#response` or `#failure`"
            )
        };
        let (endpoint, place) = text.split_once('#').ok_or_else(invalid)?;
        let mut steps = place.split('/');
        let body_kind = match steps.next() {
            Some("request") => BodyKind::Request,
            Some("form") => BodyKind::Form,
            Some("response") => BodyKind::Response,
            Some("failure") => BodyKind::Failure,
            _ => return Err(invalid()),
        };
        Ok(Self {
            endpoint: endpoint.parse()?,
            body_kind,
            steps: steps.map(str::to_owned).collect(),
        })
    }
}

impl fmt::Display for BodyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body_kind = match self.body_kind {
            BodyKind::Request => "request",
            BodyKind::Form => "form",
            BodyKind::Response => "response",
            BodyKind::Failure => "failure",
        };
        write!(f, "{}#{body_kind}", self.endpoint)?;
        self.steps.iter().try_for_each(|step| write!(f, "/{step}"))
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((endpoint, name)) = text.split_once('?') {
            return Ok(Self::Query(endpoint.parse()?, name.to_owned()));
        }
        match text.split_once('.') {
            Some((name, steps)) if !text.contains(' ') => Ok(Self::Property(
                name.to_owned(),
                steps.split('.').map(str::to_owned).collect(),
            )),
            _ => Err(format!(
                "`{text}` is neither a parameter (`GET /users?page_size`) nor a property (`User.id`)"
            )),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Query(endpoint, name) => write!(f, "{endpoint}?{name}"),
            Self::Property(name, steps) => write!(f, "{name}.{}", steps.join(".")),
        }
    }
}
