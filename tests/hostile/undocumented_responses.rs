//! Answers that the APIs do not document, and what a caller cannot conclude from them.

use crate::server::{Answer, Body};

/// An answer with the name that a table shows.
#[derive(Clone, Debug)]
pub struct Named {
    pub name: &'static str,
    pub answer: Answer,
}

fn status(name: &'static str, status: u16, body: Body) -> Named {
    Named {
        name,
        answer: Answer::Status(status, body, Vec::new()),
    }
}

fn with(name: &'static str, status: u16, body: Body, header: &'static str, value: &str) -> Named {
    Named {
        name,
        answer: Answer::Status(status, body, vec![(header, value.to_owned())]),
    }
}

/// Failures that say nothing about whether the request was carried out.
///
/// `elsewhere` is the base URL of another server, for redirects.
pub fn open(elsewhere: &str) -> Vec<Named> {
    vec![
        status("408 empty", 408, Body::Empty),
        status(
            "408 of the vendor",
            408,
            Body::Vendor("REQUEST_TIMEOUT", "The request timed out"),
        ),
        status("408 HTML", 408, Body::Html),
        status("400 HTML", 400, Body::Html),
        status("401 HTML", 401, Body::Html),
        status("403 HTML", 403, Body::Html),
        status("404 HTML", 404, Body::Html),
        status("404 empty", 404, Body::Empty),
        status("405 HTML", 405, Body::Html),
        status("409 HTML", 409, Body::Html),
        status("410 HTML", 410, Body::Html),
        status("413 HTML", 413, Body::Html),
        status("413 empty", 413, Body::Empty),
        status("421 HTML", 421, Body::Html),
        status("422 HTML", 422, Body::Html),
        status("425 HTML", 425, Body::Html),
        status("451 HTML", 451, Body::Html),
        status("499 HTML", 499, Body::Html),
        status(
            "499 of the vendor",
            499,
            Body::Vendor("CLIENT_CLOSED_REQUEST", "The client closed the request"),
        ),
        status("429 empty", 429, Body::Empty),
        with("429 Retry-After: 0", 429, Body::Empty, "Retry-After", "0"),
        status("429 HTML", 429, Body::Html),
        status(
            "429 of the vendor",
            429,
            Body::Vendor("TOO_MANY_REQUESTS", "Slow down"),
        ),
        status("101", 101, Body::Empty),
        status("304", 304, Body::Empty),
        status("305 HTML", 305, Body::Html),
        status("600 HTML", 600, Body::Html),
        Named {
            name: "302 to elsewhere",
            answer: Answer::Elsewhere(302, elsewhere.to_owned()),
        },
        Named {
            name: "307 to elsewhere",
            answer: Answer::Elsewhere(307, elsewhere.to_owned()),
        },
        Named {
            name: "308 to elsewhere",
            answer: Answer::Elsewhere(308, elsewhere.to_owned()),
        },
        status(
            "500 of the vendor",
            500,
            Body::Vendor("INTERNAL_ERROR", "Something went wrong"),
        ),
        status("500 HTML", 500, Body::Html),
        status("502 HTML", 502, Body::Html),
        status("503 empty", 503, Body::Empty),
        status("504 HTML", 504, Body::Html),
        status("520 HTML", 520, Body::Html),
        Named {
            name: "connection reset",
            answer: Answer::Reset,
        },
        Named {
            name: "connection closed",
            answer: Answer::Close,
        },
        Named {
            name: "silence until the timeout",
            answer: Answer::Hang,
        },
    ]
}

/// Successes that do not say what was done.
pub fn hollow() -> Vec<Named> {
    vec![
        status("200 empty", 200, Body::Empty),
        status("200 HTML", 200, Body::Html),
        status("200 {}", 200, Body::Json("{}")),
        status("200 null", 200, Body::Json("null")),
        status(
            "200 error",
            200,
            Body::Json(r#"{"error":"the invitation is being modified by another request"}"#),
        ),
        status(
            "200 errors",
            200,
            Body::Json(r#"{"errors":[{"status":"409","detail":"is being modified"}]}"#),
        ),
        status("202 empty", 202, Body::Empty),
        status("202 accepted", 202, Body::Json(r#"{"status":"accepted"}"#)),
        status("203 HTML", 203, Body::Html),
        status("205 empty", 205, Body::Empty),
        status(
            "207 failed within",
            207,
            Body::Json(r#"{"responses":[{"status":409,"error":"locked"}]}"#),
        ),
    ]
}

/// Refusals by the vendor in its own form, for a create.
pub fn refused_creates() -> Vec<Named> {
    vec![
        status(
            "400 of the vendor",
            400,
            Body::Vendor("BAD_REQUEST", "The address is not accepted"),
        ),
        status(
            "401 of the vendor",
            401,
            Body::Vendor("UNAUTHORIZED", "Key is not active"),
        ),
        status(
            "403 of the vendor",
            403,
            Body::Vendor("FORBIDDEN", "The key may not invite"),
        ),
    ]
}
