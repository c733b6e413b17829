//! The catalogue: what can happen to a document, where, and what it means for the library.

mod around;
mod calls;
mod requests;
mod responses;

use org_invitations_spec_diff::Class;

use crate::edit::Edit;

/// What `spec diff` promises to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    Method,
    Path,
    OperationId,
    ParameterName,
    ParameterPlace,
    ParameterRequired,
    ParameterType,
    ParameterEnum,
    ParameterDefault,
    ParameterMaximum,
    ParameterAddedOrRemoved,
    RequestRequired,
    RequestType,
    RequestFormat,
    RequestProperty,
    RequestMediaType,
    SuccessStatus,
    ResponseEnvelope,
    ResponseField,
    Nullability,
    EnumValues,
    ErrorBody,
    ResponseHeader,
    Authentication,
    Server,
    Deprecation,
}

impl Row {
    pub const ALL: [Row; 26] = [
        Row::Method,
        Row::Path,
        Row::OperationId,
        Row::ParameterName,
        Row::ParameterPlace,
        Row::ParameterRequired,
        Row::ParameterType,
        Row::ParameterEnum,
        Row::ParameterDefault,
        Row::ParameterMaximum,
        Row::ParameterAddedOrRemoved,
        Row::RequestRequired,
        Row::RequestType,
        Row::RequestFormat,
        Row::RequestProperty,
        Row::RequestMediaType,
        Row::SuccessStatus,
        Row::ResponseEnvelope,
        Row::ResponseField,
        Row::Nullability,
        Row::EnumValues,
        Row::ErrorBody,
        Row::ResponseHeader,
        Row::Authentication,
        Row::Server,
        Row::Deprecation,
    ];
}

/// One line of the catalogue.
pub struct Mutation {
    pub row: Row,
    /// Where, as an address (see the navigator); `*` is every operation that has such a place.
    pub at: &'static str,
    pub edit: Edit,
    /// What it means when a document changes like this.
    pub class: Class,
    /// What it means when it changes back; `None` where people may differ.
    pub back: Option<Class>,
}

/// The whole catalogue.
pub fn catalogue() -> Vec<Mutation> {
    let parts = [
        calls::operations(),
        calls::parameters(),
        requests::required(),
        requests::values(),
        requests::shape(),
        responses::shape(),
        responses::fields(),
        responses::null(),
        responses::enumerations(),
        around::statuses(),
        around::errors(),
        around::headers(),
        around::authentication(),
        around::servers(),
        around::deprecation(),
    ];
    parts.into_iter().flatten().collect()
}

/// A line whose way back has a class of its own.
fn line(row: Row, at: &'static str, edit: Edit, class: Class, back: Class) -> Mutation {
    Mutation {
        row,
        at,
        edit,
        class,
        back: Some(back),
    }
}
