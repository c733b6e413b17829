//! A list that came at once and may now come in pages: whoever reads the first page takes it for all.

use org_invitations_codegen::api::{Kind, Operation, Response};

/// What findings call the body of a success as a whole.
pub(super) const RESPONSE: &str = "the response";

/// What parameters that ask for a page are called.
const ASKS: [&str; 14] = [
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
const TELLS: [&str; 12] = [
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
pub(super) fn is_whole_list(operation: &Operation) -> bool {
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
            .any(|parameter| asks_for_pages(&parameter.name))
}

pub(super) fn asks_for_pages(name: &str) -> bool {
    ASKS.contains(&plain(name).as_str())
}

pub(super) fn tells_of_pages(name: &str) -> bool {
    TELLS.contains(&plain(name).as_str())
}

fn plain(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}
