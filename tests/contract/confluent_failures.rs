//! Confluent Cloud, IAM v2: every failure, of every operation that can have it.

use org_invitations::{
    ErrorKind::{self, *},
    Operation::{self, *},
};
use serde_json::{Value, json};

use crate::{
    backend::{Backend, OPERATIONS, REQUEST_ID, changes_state, refused, run},
    support::{Answer, Checks, Wire},
};

const BACKEND: Backend = Backend::Confluent;
pub const HEX_ID: &str = "9f86d081884c7d659a2feaa0c55ad015";

pub fn answer(answer: Answer) -> Answer {
    answer.header("X-Request-Id", REQUEST_ID)
}

pub fn errors(status: u16, entries: Value) -> Answer {
    answer(Answer::json(status, &json!({ "errors": entries })))
}

pub fn one(status: u16, code: &str, title: &str, detail: &str) -> Answer {
    errors(
        status,
        json!([{
            "id": HEX_ID, "status": status.to_string(), "code": code, "title": title,
            "detail": detail, "source": {},
        }]),
    )
}

/// An answer, who can get it, and what it has to become.
struct Case {
    operations: &'static [Operation],
    answer: Answer,
    kind: ErrorKind,
    code: Option<&'static str>,
    /// Words that the message has to hold.
    says: &'static str,
}

fn case(
    operations: &'static [Operation],
    answer: Answer,
    kind: ErrorKind,
    code: Option<&'static str>,
    says: &'static str,
) -> Case {
    Case {
        operations,
        answer,
        kind,
        code,
        says,
    }
}

fn documented() -> Vec<Case> {
    let all = &OPERATIONS;
    let items: &[Operation] = &[Get, Delete];
    vec![
        case(
            all,
            one(400, "invalid_filter", "Invalid Filter", "No such filter"),
            InvalidInput,
            Some("invalid_filter"),
            "No such filter",
        ),
        case(
            all,
            one(401, "user_unauthenticated", "Authenticate", "Key unknown"),
            Unauthenticated,
            Some("user_unauthenticated"),
            "Key unknown",
        ),
        case(
            &[Create],
            one(
                402,
                "quota_exceeded",
                "Over Quota",
                "Too many for invitations_per_org",
            ),
            QuotaExceeded,
            Some("quota_exceeded"),
            "invitations_per_org",
        ),
        case(
            all,
            one(403, "user_unauthorized", "Forbidden", "No role for this"),
            PermissionDenied,
            Some("user_unauthorized"),
            "No role for this",
        ),
        case(
            items,
            errors(
                404,
                json!([{ "id": HEX_ID, "status": "404", "title": "Not Found" }]),
            ),
            NotFound,
            None,
            "Not Found",
        ),
        case(
            &[Create],
            one(
                409,
                "resource_already_exists",
                "Exists",
                "This user already exists within the Organization",
            ),
            AlreadyExists,
            Some("resource_already_exists"),
            "already exists",
        ),
        case(
            &[Create],
            one(422, "invalid_configuration", "Invalid", "Not an address"),
            InvalidInput,
            Some("invalid_configuration"),
            "Not an address",
        ),
        case(all, answer(Answer::empty(429)), RateLimited, None, ""),
        case(
            all,
            one(500, "out_of_order", "Failed", "Something broke"),
            Unavailable,
            Some("out_of_order"),
            "Something broke",
        ),
    ]
}

fn observed() -> Vec<Case> {
    let all = &OPERATIONS;
    let items: &[Operation] = &[Get, Delete];
    let bare = |status, detail: &str| {
        let entry = json!({ "id": HEX_ID, "status": status, "detail": detail, "source": {} });
        errors(status, json!([entry]))
    };
    let message = json!({ "message": "From the gateway" });
    let nested = json!({ "error": { "message": "From the gateway" } });
    vec![
        case(
            &[Create],
            one(
                400,
                "quota_exceeded",
                "Over Quota",
                "The limit invitations_per_org is reached",
            ),
            QuotaExceeded,
            Some("quota_exceeded"),
            "invitations_per_org",
        ),
        case(
            &[Delete],
            bare(400, "The invitation was already accepted"),
            AlreadyAccepted,
            None,
            "already accepted",
        ),
        // The same words elsewhere mean nothing special.
        case(
            &[Get, Create],
            bare(400, "The invitation was already accepted"),
            InvalidInput,
            None,
            "already accepted",
        ),
        // It may mean "not found", and is never taken for it.
        case(
            items,
            bare(403, "The invitation i-7od91 was not found."),
            PermissionDenied,
            None,
            "was not found",
        ),
        case(items, errors(404, json!([{}])), NotFound, None, ""),
        case(
            all,
            errors(400, json!([{ "code": "only_a_code" }])),
            InvalidInput,
            Some("only_a_code"),
            "",
        ),
        case(
            all,
            answer(Answer::json(400, &message)),
            InvalidInput,
            None,
            "From the gateway",
        ),
        case(
            all,
            answer(Answer::json(401, &nested)),
            Unauthenticated,
            None,
            "From the gateway",
        ),
        case(
            all,
            answer(Answer::json(403, &message)),
            PermissionDenied,
            None,
            "From the gateway",
        ),
        case(
            all,
            answer(Answer::json(429, &message)),
            RateLimited,
            None,
            "From the gateway",
        ),
        case(
            all,
            answer(Answer::json(500, &nested)),
            Unavailable,
            None,
            "From the gateway",
        ),
        case(all, answer(Answer::html(400)), InvalidInput, None, ""),
        case(all, answer(Answer::html(401)), Unauthenticated, None, ""),
        case(all, answer(Answer::html(403)), PermissionDenied, None, ""),
        case(all, answer(Answer::html(404)), Unexpected, None, ""),
        case(all, answer(Answer::html(429)), RateLimited, None, ""),
        case(all, answer(Answer::html(502)), Unavailable, None, ""),
        case(all, answer(Answer::html(503)), Unavailable, None, ""),
        case(all, answer(Answer::html(504)), Unavailable, None, ""),
        case(all, answer(Answer::empty(401)), Unauthenticated, None, ""),
        case(all, answer(Answer::empty(403)), PermissionDenied, None, ""),
        case(all, answer(Answer::empty(500)), Unavailable, None, ""),
        case(all, answer(Answer::empty(503)), Unavailable, None, ""),
        case(all, answer(Answer::empty(418)), Unexpected, None, ""),
        case(
            all,
            answer(Answer::json(405, &json!("odd"))),
            Unexpected,
            None,
            "",
        ),
        case(
            all,
            answer(Answer::json(501, &json!([]))),
            Unexpected,
            None,
            "",
        ),
    ]
}

async fn check(cases: Vec<Case>) {
    let mut checks = Checks::default();
    for case in cases {
        for &operation in case.operations {
            let status = case.answer.status;
            let body = String::from_utf8_lossy(&case.answer.body).into_owned();
            checks.case(format!("{operation} {status} {body:.60}"));
            let wire = Wire::always(case.answer.clone()).await;
            let error = refused(run(&*BACKEND.connect(&wire), BACKEND, operation).await);
            let refuses = BACKEND.refuses(&case.answer);
            BACKEND.check_request(&mut checks, &wire.only(), operation);
            checks.same("the kind", error.kind(), case.kind);
            checks.same("the status", error.status(), Some(status));
            checks.same("the code", error.code(), case.code);
            checks.same("the request id", error.request_id(), Some(REQUEST_ID));
            checks.same("the provider", error.provider(), Some("confluent"));
            checks.same("the operation", error.operation(), operation);
            checks.same("the attempts", error.attempts(), 1);
            checks.same(
                "may_have_executed",
                error.may_have_executed(),
                changes_state(operation) && !refuses,
            );
            checks.that(
                error.message().contains(case.says) && !error.message().is_empty(),
                format!("the message is {:?}", error.message()),
            );
            let shown = error.to_string();
            checks.that(
                shown.contains(REQUEST_ID) && shown.contains(&status.to_string()),
                format!("it shows as {shown}"),
            );
        }
    }
}

#[tokio::test]
async fn documented_failures_become_typed_errors() {
    check(documented()).await;
}

#[tokio::test]
async fn observed_failures_become_typed_errors() {
    check(observed()).await;
}
