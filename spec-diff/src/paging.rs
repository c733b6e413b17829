//! Detects lists that were complete and may now come in pages: a library that reads only the first page would miss items.

use org_invitations_codegen::api::{Kind, Operation, Response};

/// The label of the whole body of a success in messages.
pub(super) const RESPONSE: &str = "the response";

/// Names of parameters that ask for a page, in lower case without separators.
const PAGE_PARAMETERS: [&str; 14] = [
    "after",
    "before",
    "cursor",
    "limit",
    "nextcursor",
    "nexttoken",
    "offset",
    "page",
    "pagecursor",
    "pagenumber",
    "pagesize",
    "pagetoken",
    "perpage",
    "startingafter",
];

/// Names of properties that tell that there is another page, in the same form.
const NEXT_PAGE_PROPERTIES: [&str; 12] = [
    "cursor",
    "hasmore",
    "hasnext",
    "links",
    "next",
    "nextcursor",
    "nextpage",
    "nextpagetoken",
    "nexttoken",
    "pageinfo",
    "pagetoken",
    "pagination",
];

/// Whether the library reads the list of this operation without asking for pages.
pub(super) fn reads_whole_list(operation: &Operation) -> bool {
    let object = match &operation.response {
        Response::Empty => return false,
        Response::Body(object) => object,
        Response::Enveloped { envelope, .. } => envelope,
    };
    let lists = object
        .fields
        .iter()
        .any(|field| matches!(field.kind, Kind::Array(_)));
    lists
        && !operation
            .parameters
            .iter()
            .any(|parameter| is_page_parameter(&parameter.name))
}

pub(super) fn is_page_parameter(name: &str) -> bool {
    PAGE_PARAMETERS.contains(&normalized(name).as_str())
}

pub(super) fn is_next_page_property(name: &str) -> bool {
    NEXT_PAGE_PROPERTIES.contains(&normalized(name).as_str())
}

fn normalized(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}
