//! A request to a vendor's API.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Uri};
use serde_json::{Map, Value};

/// A request to a vendor's API, read in full.
#[derive(Clone, Debug)]
pub(crate) struct ApiRequest {
    /// In the form of the vendor whose path it is.
    pub(crate) request_id: String,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    /// `None` if the body was too large or broke off.
    pub(crate) body: Option<Bytes>,
    /// How a list applies the filters of the query.
    pub(crate) filter_mode: FilterMode,
}

/// How a list applies a filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FilterMode {
    #[default]
    Exact,
    Prefix,
    Ignored,
}

impl FilterMode {
    pub(crate) fn matches(self, filter: &str, value: &str) -> bool {
        match self {
            Self::Exact => value == filter,
            Self::Prefix => value.starts_with(filter),
            Self::Ignored => true,
        }
    }

    /// Whether a filter that matches prefixes anyway matches.
    pub(crate) fn matches_prefix(self, filter: &str, value: &str) -> bool {
        self == Self::Ignored || value.starts_with(filter)
    }

    pub(crate) fn is_exact(self) -> bool {
        self == Self::Exact
    }
}

/// Why a request body is not a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    NotJson,
    NotAnObject,
}

impl ApiRequest {
    pub(crate) fn json_object(&self) -> Result<Map<String, Value>, BodyError> {
        let body = self.body.as_ref().ok_or(BodyError::TooLarge)?;
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(BodyError::NotAnObject),
            Err(_) => Err(BodyError::NotJson),
        }
    }
}
