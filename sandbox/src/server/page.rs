//! The page at `/_sandbox/`, which uses the admin API and nothing from outside.

use axum::http::header;
use axum::response::{IntoResponse as _, Response};

/// A file of the page.
#[derive(Clone, Copy)]
pub(super) struct File {
    content_type: &'static str,
    text: &'static str,
}

impl File {
    pub(super) fn response(self) -> Response {
        ([(header::CONTENT_TYPE, self.content_type)], self.text).into_response()
    }
}

pub(super) const INDEX: File = File {
    content_type: "text/html; charset=utf-8",
    text: include_str!("../../page/index.html"),
};

/// The files that the page loads, by their path under `/_sandbox`.
pub(super) const FILES: [(&str, File); 5] = [
    (
        "/page.css",
        File {
            content_type: "text/css; charset=utf-8",
            text: include_str!("../../page/page.css"),
        },
    ),
    ("/lib.js", script(include_str!("../../page/lib.js"))),
    ("/people.js", script(include_str!("../../page/people.js"))),
    ("/ledger.js", script(include_str!("../../page/ledger.js"))),
    ("/page.js", script(include_str!("../../page/page.js"))),
];

const fn script(text: &'static str) -> File {
    File {
        content_type: "text/javascript; charset=utf-8",
        text,
    }
}
