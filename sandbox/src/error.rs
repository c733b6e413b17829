//! Errors that the emulated APIs answer.

use axum::http::StatusCode;

/// An error, before a vendor puts it into its own form.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    /// The vendor's word for the kind of error.
    pub(crate) code: &'static str,
    pub(crate) detail: String,
    /// The part of the request that is wrong; `None` if it is not a single part.
    pub(crate) source: Option<Source>,
    /// One more header of the answer.
    pub(crate) header: Option<(&'static str, String)>,
}

/// A part of a request.
#[derive(Debug)]
pub(crate) enum Source {
    /// A query parameter.
    Parameter(&'static str),
    /// A JSON pointer into the body.
    Pointer(&'static str),
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            source: None,
            header: None,
        }
    }

    pub(crate) fn at(self, source: Source) -> Self {
        Self {
            source: Some(source),
            ..self
        }
    }

    pub(crate) fn with_header(self, name: &'static str, value: impl Into<String>) -> Self {
        Self {
            header: Some((name, value.into())),
            ..self
        }
    }
}
