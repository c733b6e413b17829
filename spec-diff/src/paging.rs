//! A list that came at once and may now come in pages: whoever reads the first page takes it for all.

use org_invitations_codegen::api::{Kind, Operation, Response};

/// What findings call the body of a success as a whole.
pub(super) const RESPONSE: &str = "the response";

/// What parameters that ask for a page are called.
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

/// What tells that there is another page.
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

/// Whether the library reads the list of this operation as a whole, without asking for pages.
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
