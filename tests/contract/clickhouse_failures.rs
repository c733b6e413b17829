//! ClickHouse Cloud: every failure, of every operation that can have it.

use std::time::Duration;

use org_invitations::{
    Error,
    ErrorKind::{self, *},
    Operation::{self, *},
};
use serde_json::json;

use crate::{
    backend::{Backend, OPERATIONS, ORGANIZATION, REQUEST_ID, changes_state, refused, run},
    support::{Answer, Checks, Wire},
};

const BACKEND: Backend = Backend::ClickHouse;

/// The documented form.
fn whole(status: u16, error: &str) -> Answer {
    let body = json!({ "status": status, "error": error, "requestId": REQUEST_ID });
    Answer::json(status, &body)
}

/// What was observed in place of it: neither status nor request id.
fn bare(status: u16, error: &str) -> Answer {
    Answer::json(status, &json!({ "error": error }))
}

/// An answer, who can get it, and what it has to become.
struct Case {
    operations: &'static [Operation],
    answer: Answer,
    kind: ErrorKind,
    code: Option<&'static str>,
    /// Words that the message has to hold.
    says: &'static str,
    request_id: Option<&'static str>,
}

fn case(
    operations: &'static [Operation],
    answer: Answer,
    kind: ErrorKind,
    code: Option<&'static str>,
    says: &'static str,
) -> Case {
    let text = String::from_utf8_lossy(&answer.body);
    let request_id = text.contains(REQUEST_ID).then_some(REQUEST_ID);
    Case {
        operations,
        answer,
        kind,
        code,
        says,
        request_id,
    }
}

fn cases() -> Vec<Case> {
    let all = &OPERATIONS;
    let items: &[Operation] = &[Get, Delete];
    let bad = Some("BAD_REQUEST");
    vec![
        case(
            all,
            whole(400, "BAD_REQUEST: Something is wrong: this"),
            InvalidInput,
            bad,
            "Something is wrong: this",
        ),
        case(
            all,
            whole(400, "BAD_REQUEST Something is wrong"),
            InvalidInput,
            bad,
            "Something is wrong",
        ),
        case(
            all,
            whole(400, "BAD_REQUEST"),
            InvalidInput,
            bad,
            "BAD_REQUEST",
        ),
        case(
            &[Create],
            whole(400, "BAD_REQUEST: Use 'assignedRoleIds' instead of 'role'."),
            InvalidInput,
            bad,
            "Use 'assignedRoleIds' instead of 'role'.",
        ),
        case(
            all,
            whole(401, "UNAUTHORIZED: Key is not active"),
            Unauthenticated,
            Some("UNAUTHORIZED"),
            "Key is not active",
        ),
        case(
            all,
            bare(401, "Unauthorized"),
            Unauthenticated,
            None,
            "Unauthorized",
        ),
        case(
            all,
            whole(403, "FORBIDDEN: Not for this key"),
            PermissionDenied,
            Some("FORBIDDEN"),
            "Not for this key",
        ),
        case(
            items,
            whole(404, "NOT_FOUND: No such invitation"),
            NotFound,
            Some("NOT_FOUND"),
            "No such invitation",
        ),
        case(
            items,
            whole(404, "NOT_FOUND"),
            NotFound,
            Some("NOT_FOUND"),
            "NOT_FOUND",
        ),
        case(all, Answer::html(404), Unexpected, None, ""),
        case(
            &[Create],
            whole(409, "CONFLICT: Invited already"),
            AlreadyExists,
            Some("CONFLICT"),
            "Invited already",
        ),
        case(
            all,
            bare(429, "TOO_MANY_REQUESTS"),
            RateLimited,
            Some("TOO_MANY_REQUESTS"),
            "",
        ),
        case(all, Answer::empty(429), RateLimited, None, ""),
        case(
            all,
            whole(500, "INTERNAL_ERROR: It broke"),
            Unavailable,
            Some("INTERNAL_ERROR"),
            "It broke",
        ),
        case(all, Answer::html(400), InvalidInput, None, ""),
        case(all, Answer::html(401), Unauthenticated, None, ""),
        case(all, Answer::html(403), PermissionDenied, None, ""),
        case(all, Answer::html(429), RateLimited, None, ""),
        case(all, Answer::html(500), Unavailable, None, ""),
        case(all, Answer::html(502), Unavailable, None, ""),
        case(all, Answer::html(503), Unavailable, None, ""),
        case(all, Answer::html(504), Unavailable, None, ""),
        case(all, Answer::empty(500), Unavailable, None, ""),
        case(all, Answer::empty(418), Unexpected, None, ""),
        case(all, Answer::json(405, &json!("odd")), Unexpected, None, ""),
        case(
            all,
            Answer::json(400, &json!({ "error": { "message": "odd" } })),
            InvalidInput,
            None,
            "",
        ),
    ]
}

#[tokio::test]
async fn failures_become_typed_errors() {
    let mut checks = Checks::default();
    for case in cases() {
        for &operation in case.operations {
            let status = case.answer.status;
            let body = String::from_utf8_lossy(&case.answer.body).into_owned();
            checks.case(format!("{operation} {status} {body:.60}"));
            let wire = Wire::always(case.answer.clone()).await;
            let error = refused(run(&*BACKEND.connect(&wire), BACKEND, operation).await);
            BACKEND.check_request(&mut checks, &wire.only(), operation);
            checks.same("the kind", error.kind(), case.kind);
            checks.same("the status", error.status(), Some(status));
            checks.same("the code", error.code(), case.code);
            checks.same("the request id", error.request_id(), case.request_id);
            checks.same("the provider", error.provider(), Some("clickhouse"));
            checks.same("the operation", error.operation(), operation);
            checks.same("the attempts", error.attempts(), 1);
            checks.same(
                "may_have_executed",
                error.may_have_executed(),
                changes_state(operation) && !BACKEND.refuses(&case.answer),
            );
            checks.that(
                error.message().contains(case.says) && !error.message().is_empty(),
                format!("the message is {:?}", error.message()),
            );
            let shown = error.to_string();
            checks.that(
                shown.contains(case.request_id.unwrap_or_default())
                    && shown.contains(&status.to_string()),
                format!("it shows as {shown}"),
            );
        }
    }
}

async fn fail(operation: Operation, answer: Answer) -> Error {
    let wire = Wire::always(answer).await;
    refused(run(&*BACKEND.connect(&wire), BACKEND, operation).await)
}

#[tokio::test]
async fn a_400_about_the_id_of_the_invitation_means_not_found() {
    let mut checks = Checks::default();
    let id = BACKEND.id_text();
    for (operation, text, kind) in [
        (
            Get,
            format!("BAD_REQUEST: Invalid invitation id string:\"{id}\""),
            NotFound,
        ),
        (
            Delete,
            format!("BAD_REQUEST: Invalid invitation id string:\"{id}\""),
            NotFound,
        ),
        (
            Delete,
            format!("BAD_REQUEST Invalid invitation id string:\"{id}\""),
            NotFound,
        ),
        // About something else, so nothing is known of the invitation.
        (
            Get,
            format!("BAD_REQUEST: Invalid organization id string:\"{ORGANIZATION}\""),
            InvalidInput,
        ),
        (
            Delete,
            format!("BAD_REQUEST: Invalid organization id string:\"{ORGANIZATION}\""),
            InvalidInput,
        ),
        (
            Delete,
            "BAD_REQUEST: Invalid invitation id string:\"77777777-7777\"".to_owned(),
            InvalidInput,
        ),
        (Delete, format!("BAD_REQUEST: {id} is locked"), InvalidInput),
        (
            Create,
            format!("BAD_REQUEST: Invalid role id string:\"{id}\""),
            InvalidInput,
        ),
        (
            List,
            format!("BAD_REQUEST: Invalid invitation id string:\"{id}\""),
            InvalidInput,
        ),
    ] {
        checks.case(format!("{operation} {text}"));
        let error = fail(operation, whole(400, &text)).await;
        checks.same("the kind", error.kind(), kind);
        checks.same("the status", error.status(), Some(400));
        checks.same("the code", error.code(), Some("BAD_REQUEST"));
    }
}

#[tokio::test]
async fn a_gateways_404_is_not_an_invitation_that_is_gone() {
    let message = json!({ "message": "no Route matched with those values" });
    for answer in [
        Answer::html(404),
        Answer::json(404, &message),
        Answer::json(404, &json!({ "error": { "message": "unknown path" } })),
        Answer::json(404, &json!({})),
        Answer::empty(404).body("default backend - 404"),
    ] {
        for operation in [Get, Delete] {
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            let error = fail(operation, answer.clone()).await;
            assert_ne!(error.kind(), NotFound, "{operation} {body}: {error}");
        }
    }
}

#[tokio::test]
async fn a_429_tells_the_allowance_in_fractions_of_a_second() {
    for operation in OPERATIONS {
        let answer = bare(429, "TOO_MANY_REQUESTS")
            .header("X-RateLimit-Limit", "10")
            .header("X-RateLimit-Remaining", "0")
            .header("X-RateLimit-Reset", "7.42")
            .header("X-RateLimit-Policy", "10;w=10");
        let error = fail(operation, answer).await;
        let limit = error.rate_limit().unwrap_or_default();
        assert_eq!(
            (limit.limit, limit.remaining, limit.reset),
            (Some(10), Some(0), Some(Duration::from_millis(7420))),
            "{operation}: {error:?}"
        );
        assert_eq!(error.retry_after(), None, "{operation}: {error:?}");
    }
}

#[tokio::test]
async fn a_header_names_the_request_when_the_body_does_not() {
    for answer in [
        bare(500, "INTERNAL_ERROR"),
        Answer::html(502),
        Answer::empty(503),
    ] {
        let error = fail(List, answer.header("X-Request-Id", "from-the-header")).await;
        assert_eq!(error.request_id(), Some("from-the-header"), "{error:?}");
    }
}
