//! HTML pages, as servers in front of an API send them.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};

/// The page of a web server for a path that belongs to no API.
pub(crate) fn not_found_page() -> Response {
    const PAGE: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Not found</title></head>\n<body><h1>404 Not Found</h1></body>\n</html>\n";
    (StatusCode::NOT_FOUND, Html(PAGE)).into_response()
}

/// The page of a gateway that answers in place of the API behind it.
pub(crate) fn gateway_page(status: StatusCode) -> Response {
    let title = format!(
        "{} {}",
        status.as_str(),
        status.canonical_reason().unwrap_or_default()
    );
    let text = format!(
        "<html>\n<head><title>{title}</title></head>\n<body><h1>{title}</h1></body>\n</html>\n"
    );
    (status, Html(text)).into_response()
}
