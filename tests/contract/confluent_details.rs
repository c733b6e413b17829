//! Confluent Cloud, IAM v2: what a failure says beside its kind: the entries, the challenge, the conflict,
//! the delay.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use org_invitations::{
    Error, ErrorDetail,
    ErrorKind::{AlreadyExists, NotFound},
    Operation::{self, *},
};
use serde_json::json;

use crate::{
    backend::{Backend, OPERATIONS, refused, run},
    confluent_failures::{HEX_ID, answer, errors, one},
    support::{Answer, Checks, Wire},
};

const BACKEND: Backend = Backend::Confluent;

async fn fail(operation: Operation, answer: Answer) -> Error {
    let wire = Wire::always(answer).await;
    refused(run(&*BACKEND.connect(&wire), BACKEND, operation).await)
}

fn detail(set: impl FnOnce(&mut ErrorDetail)) -> ErrorDetail {
    let mut detail = ErrorDetail::default();
    set(&mut detail);
    detail
}

#[tokio::test]
async fn a_400_names_the_parameter() {
    let entry = json!({
        "id": "3e1a77c0-52f4-4b6e-9c1d-8a0b6f2d7e15", "status": "400", "code": "invalid_filter",
        "title": "Invalid Filter", "detail": "No such filter", "source": { "parameter": "creator" },
    });
    let error = fail(List, errors(400, json!([entry]))).await;
    let expected = detail(|detail| {
        detail.id = Some("3e1a77c0-52f4-4b6e-9c1d-8a0b6f2d7e15".to_owned());
        detail.status = Some("400".to_owned());
        detail.code = Some("invalid_filter".to_owned());
        detail.title = Some("Invalid Filter".to_owned());
        detail.detail = Some("No such filter".to_owned());
        detail.parameter = Some("creator".to_owned());
    });
    assert_eq!(error.details(), [expected]);
}

#[tokio::test]
async fn a_422_keeps_every_entry_with_its_pointer() {
    let entries = json!([
        { "status": "422", "code": "bad_email", "detail": "Not an address", "source": { "pointer": "/email" } },
        { "id": HEX_ID, "detail": "Unknown", "source": { "pointer": "/auth_type" } },
        { "title": "Something else", "source": {} },
    ]);
    let error = fail(Create, errors(422, entries)).await;
    let expected = [
        detail(|detail| {
            detail.status = Some("422".to_owned());
            detail.code = Some("bad_email".to_owned());
            detail.detail = Some("Not an address".to_owned());
            detail.pointer = Some("/email".to_owned());
        }),
        detail(|detail| {
            detail.id = Some(HEX_ID.to_owned());
            detail.detail = Some("Unknown".to_owned());
            detail.pointer = Some("/auth_type".to_owned());
        }),
        detail(|detail| detail.title = Some("Something else".to_owned())),
    ];
    assert_eq!(error.details(), expected);
    assert_eq!(error.code(), Some("bad_email"));
}

#[tokio::test]
async fn a_401_has_the_challenge() {
    let challenge = r#"Basic error="invalid_key", error_description="no such key""#;
    for operation in OPERATIONS {
        let answer = one(401, "user_unauthenticated", "Authenticate", "Key unknown")
            .header("WWW-Authenticate", challenge);
        let error = fail(operation, answer).await;
        assert_eq!(error.challenge(), Some(challenge), "{operation}: {error:?}");
    }
}

#[tokio::test]
async fn a_409_names_the_invitation_in_the_way() {
    let mut checks = Checks::default();
    let api = "https://api.confluent.cloud/iam/v2";
    for (location, expected) in [
        (Some(format!("{api}/invitations/i-5xk20")), Some("i-5xk20")),
        (
            Some("/iam/v2/invitations/i-5xk20".to_owned()),
            Some("i-5xk20"),
        ),
        (
            Some("https://confluent.cloud/api/iam/v2/invitations/i-5xk20".to_owned()),
            Some("i-5xk20"),
        ),
        // The conflict may be with a member: no invitation is in the way then.
        (Some(format!("{api}/users/u-4r2k9x")), None),
        (Some(format!("{api}/invitations/")), None),
        (Some(format!("{api}/invitations/i%2F5")), None),
        (Some("::not a link::".to_owned()), None),
        (None, None),
    ] {
        checks.case(format!("{location:?}"));
        let mut answer = one(409, "resource_already_exists", "Exists", "It exists");
        if let Some(location) = &location {
            answer = answer.header("Location", location.as_str());
        }
        let error = fail(Create, answer).await;
        checks.same("the kind", error.kind(), AlreadyExists);
        let id = error.conflicting_id().map(|id| id.as_str());
        checks.same("the conflicting id", id, expected);
    }
}

#[tokio::test]
async fn a_429_says_how_long_to_wait() {
    let mut checks = Checks::default();
    for operation in OPERATIONS {
        checks.case(format!("{operation}"));
        let answer = answer(Answer::empty(429))
            .header("Retry-After", "12")
            .header("X-RateLimit-Limit", "30")
            .header("X-RateLimit-Remaining", "0")
            .header("X-RateLimit-Reset", "11");
        let error = fail(operation, answer).await;
        let limit = error.rate_limit().unwrap_or_default();
        checks.same(
            "retry_after",
            error.retry_after(),
            Some(Duration::from_secs(12)),
        );
        checks.same("the limit", limit.limit, Some(30));
        checks.same("what remains", limit.remaining, Some(0));
        checks.same("the reset", limit.reset, Some(Duration::from_secs(11)));
    }
}

#[tokio::test]
async fn retry_after_may_be_a_date() {
    let date = (Utc::now() + TimeDelta::seconds(90)).format("%a, %d %b %Y %H:%M:%S GMT");
    for status in [429, 503] {
        let answer = answer(Answer::html(status)).header("Retry-After", date.to_string());
        let error = fail(Get, answer).await;
        let seconds = error.retry_after().map(|delay| delay.as_secs());
        assert!(
            matches!(seconds, Some(60..=90)),
            "{status}: {seconds:?} for {date}"
        );
    }
    let past = answer(Answer::empty(429)).header("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT");
    let error = fail(Get, past).await;
    assert_eq!(error.retry_after(), Some(Duration::ZERO), "{error:?}");
}

#[tokio::test]
async fn a_gateways_404_is_not_an_invitation_that_is_gone() {
    for answer in [
        Answer::html(404),
        Answer::json(
            404,
            &json!({ "message": "no Route matched with those values" }),
        ),
        Answer::json(404, &json!({ "error": { "message": "unknown path" } })),
        Answer::json(404, &json!({})),
        Answer::empty(404)
            .header("content-type", "text/plain")
            .body("default backend - 404"),
    ] {
        for operation in [Get, Delete] {
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            let error = fail(operation, answer.clone()).await;
            assert_ne!(error.kind(), NotFound, "{operation} {body}: {error}");
        }
    }
}
