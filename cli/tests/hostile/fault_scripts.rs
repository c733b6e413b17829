//! Faults of creates and deletes.

use std::time::Duration;

use crate::server::{Answer, Body, Carried, Fault, Op};

/// A fault with the name that a table shows.
#[derive(Clone, Debug)]
pub struct Named {
    pub name: &'static str,
    pub fault: Fault,
}

fn named(name: &'static str, op: Op, carried: Carried, answer: Answer) -> Named {
    Named {
        name,
        fault: Fault::new(op, carried, answer),
    }
}

fn status(status: u16, body: Body) -> Answer {
    Answer::Status(status, body, Vec::new())
}

/// The faults of a create.
pub fn creates() -> Vec<Named> {
    let modified = Body::Vendor(
        "CONFLICT",
        "The organization is being modified by another request",
    );
    let fault = |name, carried, answer| named(name, Op::Create, carried, answer);
    let late = Carried::Late(Duration::from_millis(150));
    vec![
        fault("409 HTML", Carried::No, status(409, Body::Html)),
        fault("409 empty", Carried::No, status(409, Body::Empty)),
        fault("409 being modified", Carried::No, status(409, modified)),
        fault(
            "success about another, committed",
            Carried::Yes,
            Answer::Stranger,
        ),
        fault(
            "success about another, not committed",
            Carried::No,
            Answer::Stranger,
        ),
        fault("408 after commit", Carried::Yes, status(408, Body::Empty)),
        fault(
            "400 HTML after commit",
            Carried::Yes,
            status(400, Body::Html),
        ),
        fault(
            "403 HTML after commit",
            Carried::Yes,
            status(403, Body::Html),
        ),
        fault(
            "403 HTML before commit",
            Carried::No,
            status(403, Body::Html),
        ),
        fault(
            "404 HTML after commit",
            Carried::Yes,
            status(404, Body::Html),
        ),
        fault("429 after commit", Carried::Yes, status(429, Body::Empty)),
        fault("304 after commit", Carried::Yes, status(304, Body::Empty)),
        fault("600 after commit", Carried::Yes, status(600, Body::Html)),
        fault("500 after commit", Carried::Yes, status(500, Body::Html)),
        fault("500 before commit", Carried::No, status(500, Body::Html)),
        fault("reset after commit", Carried::Yes, Answer::Reset),
        fault("truncated after commit", Carried::Yes, Answer::Truncated),
        fault(
            "empty success after commit",
            Carried::Yes,
            Answer::EmptySuccess,
        ),
        fault(
            "200 HTML, not committed",
            Carried::No,
            status(200, Body::Html),
        ),
        fault("202, committed late", late, status(202, Body::Empty)),
        fault("504, committed late", late, status(504, Body::Html)),
        fault(
            "400 of the vendor",
            Carried::No,
            status(
                400,
                Body::Vendor("BAD_REQUEST", "The address is not accepted"),
            ),
        ),
        fault(
            "402 of the vendor",
            Carried::No,
            status(402, Body::Vendor("QUOTA_EXCEEDED", "invitations_per_org")),
        ),
        fault(
            "403 of the vendor",
            Carried::No,
            status(403, Body::Vendor("FORBIDDEN", "The key may not invite")),
        ),
    ]
}

/// The faults of a delete.
pub fn deletes() -> Vec<Named> {
    let fault = |name, carried, answer| named(name, Op::Delete, carried, answer);
    vec![
        fault(
            "200 error, not carried out",
            Carried::No,
            status(200, Body::Json(r#"{"error":"CONFLICT: locked"}"#)),
        ),
        fault(
            "200 HTML, not carried out",
            Carried::No,
            status(200, Body::Html),
        ),
        fault(
            "202, not carried out",
            Carried::No,
            status(202, Body::Empty),
        ),
        fault(
            "207, not carried out",
            Carried::No,
            status(207, Body::Json(r#"{"responses":[{"status":409}]}"#)),
        ),
        fault(
            "404 HTML, not carried out",
            Carried::No,
            status(404, Body::Html),
        ),
        fault(
            "409 HTML, not carried out",
            Carried::No,
            status(409, Body::Html),
        ),
        fault(
            "403 HTML, carried out",
            Carried::Yes,
            status(403, Body::Html),
        ),
        fault("408, carried out", Carried::Yes, status(408, Body::Empty)),
        fault("500, carried out", Carried::Yes, status(500, Body::Html)),
        fault("reset, carried out", Carried::Yes, Answer::Reset),
        fault(
            "403 of the vendor",
            Carried::No,
            status(403, Body::Vendor("FORBIDDEN", "The key may not delete")),
        ),
    ]
}
