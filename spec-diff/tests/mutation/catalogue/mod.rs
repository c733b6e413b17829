//! The catalogue of changes: where they occur, and their class.

mod calls;
mod context;
mod requests;
mod responses;

use org_invitations_spec_diff::Class;

use crate::edit::Edit;

/// The kinds of changes that `spec diff` promises to find.
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
    /// The class of the change.
    pub class: Class,
    /// The class of the reverse change; `None` if it is debatable.
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
        context::statuses(),
        context::errors(),
        context::headers(),
        context::authentication(),
        context::servers(),
        context::deprecation(),
    ];
    parts.into_iter().flatten().collect()
}

/// A line whose reverse change has a class of its own.
fn line(row: Row, at: &'static str, edit: Edit, class: Class, back: Class) -> Mutation {
    Mutation {
        row,
        at,
        edit,
        class,
        back: Some(back),
    }
}
