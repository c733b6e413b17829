//! The entries of an error.

use serde::Serialize;

use crate::error::excerpt;

/// One entry of an error with several, such as a 422.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ErrorDetail {
    /// The provider's identifier of this occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The HTTP status of this entry, as the provider wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The provider's error code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// A short summary that is the same for every occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A description of this occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// A JSON pointer to the invalid property of the request body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The name of the invalid query parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
}

impl ErrorDetail {
    /// Truncates every text.
    pub(super) fn truncate(&mut self) {
        for text in [
            &mut self.id,
            &mut self.status,
            &mut self.code,
            &mut self.title,
            &mut self.detail,
            &mut self.pointer,
            &mut self.parameter,
        ]
        .into_iter()
        .flatten()
        {
            *text = excerpt(text);
        }
    }
}
