//! A success whose body is not what the vendor documents.

use std::error::Error as _;

use org_invitations::{ErrorKind, InvitationProvider, NewInvitation, Operation};
use serde_json::json;

use crate::{
    backend::{Backend, EMAIL, OPERATIONS, REQUEST_ID, changes_state, refused, run},
    support::{Answer, Checks, Wire},
};

/// Bodies that no operation can make anything of.
fn nonsense() -> Vec<Vec<u8>> {
    let page = String::from_utf8(Answer::html(200).body).unwrap();
    vec![
        page.into_bytes(),
        b"not JSON".to_vec(),
        b"{\"id\": \"i-1\", \"email\":".to_vec(),
        b"\xff\xfe\x00binary".to_vec(),
        "é".repeat(300).into_bytes(),
        format!("x{}", "é".repeat(300)).into_bytes(),
        vec![b'x'; 5000],
    ]
}

/// JSON that is not an invitation and not a list of them.
fn wrong_json() -> Vec<Vec<u8>> {
    let bodies = [
        json!(null),
        json!(7),
        json!("text"),
        json!({}),
        json!({ "id": null, "email": EMAIL }),
        json!({ "id": 7, "email": EMAIL }),
        json!({ "id": "i-1" }),
        json!({ "id": "i-1", "email": ["a"] }),
        json!({ "status": 200, "requestId": REQUEST_ID, "result": null }),
        json!({ "status": 200, "requestId": REQUEST_ID, "result": 7 }),
        json!({ "data": 7 }),
    ];
    bodies.map(|body| body.to_string().into_bytes()).into()
}

#[tokio::test]
async fn it_is_a_decode_error_with_status_request_id_and_excerpt() {
    let mut checks = Checks::default();
    for backend in Backend::ALL {
        for operation in OPERATIONS {
            let mut bodies = nonsense();
            if operation != Operation::Delete {
                bodies.extend(wrong_json());
                bodies.push(Vec::new());
            }
            let status = if operation == Operation::Create {
                201
            } else {
                200
            };
            for body in bodies {
                let text = String::from_utf8_lossy(&body).into_owned();
                checks.case(format!("{backend:?} {operation} {text:.40?}"));
                let answer = Answer::empty(status)
                    .header("content-type", "application/json")
                    .header("X-Request-Id", REQUEST_ID)
                    .body(body.clone());
                let wire = Wire::always(answer).await;
                let outcome = run(&*backend.connect(&wire), backend, operation).await;
                let Err(error) = outcome else {
                    checks.that(false, "it succeeded");
                    continue;
                };
                checks.same("the kind", error.kind(), ErrorKind::Decode);
                checks.same("the status", error.status(), Some(status));
                checks.same("the request id", error.request_id(), Some(REQUEST_ID));
                checks.same("the operation", error.operation(), operation);
                checks.same(
                    "may_have_executed",
                    error.may_have_executed(),
                    changes_state(operation),
                );
                let head = String::from_utf8_lossy(&body[..body.len().min(200)]);
                let excerpt = error.body_excerpt().unwrap_or_default();
                let same = |text: &str| text.trim_end_matches('\u{fffd}').to_owned();
                checks.same("the excerpt", same(excerpt), same(&head));
            }
        }
    }
}

#[tokio::test]
async fn the_request_id_is_taken_from_the_body_where_the_vendor_puts_it() {
    let body = json!({ "status": 200, "requestId": REQUEST_ID, "result": "odd" });
    for operation in [Operation::Create, Operation::Get, Operation::List] {
        let wire = Wire::always(Answer::json(200, &body)).await;
        let provider = Backend::ClickHouse.connect(&wire);
        let error = refused(run(&*provider, Backend::ClickHouse, operation).await);
        assert_eq!(error.request_id(), Some(REQUEST_ID), "{error:?}");
    }
}

/// An error quotes 200 bytes of the body and no more, whichever way it is looked at.
#[tokio::test]
async fn an_error_never_shows_more_than_the_beginning_of_the_body() {
    let mut checks = Checks::default();
    let long = format!("{}THE-END", "x".repeat(5000));
    for backend in Backend::ALL {
        for operation in [Operation::Create, Operation::Get, Operation::List] {
            for (name, body) in [
                ("text", long.clone()),
                ("a JSON string", json!(long).to_string()),
                (
                    "a wrong id",
                    backend.envelope(json!({ "email": EMAIL, "id": format!("/{long}") })).to_string(),
                ),
                (
                    "a wrong type",
                    backend
                        .envelope(json!({ "id": "i-1", "email": EMAIL, "user": long, "assignedRoles": long }))
                        .to_string(),
                ),
                (
                    "a wrong time",
                    backend
                        .envelope(json!({ "id": "i-1", "email": EMAIL, "expires_at": long, "expireAt": long }))
                        .to_string(),
                ),
                ("a wrong list", json!({ "data": long, "result": long }).to_string()),
                (
                    "a wrong link",
                    json!({ "data": [], "metadata": { "next": [long] }, "result": long }).to_string(),
                ),
                ("a wrong item", backend.list(&[json!(long)]).to_string()),
            ] {
                checks.case(format!("{backend:?} {operation}, {name}"));
                let wire = Wire::always(Answer::empty(200).body(body)).await;
                let error = refused(run(&*backend.connect(&wire), backend, operation).await);
                checks.same("the kind", error.kind(), ErrorKind::Decode);
                let cause = error.source().map(ToString::to_string);
                let shown = format!("{error} {error:?} {}", cause.unwrap_or_default());
                checks.that(
                    !shown.contains("THE-END"),
                    format!("{} characters are shown", shown.len()),
                );
            }
        }
    }
}

#[tokio::test]
async fn a_refusals_text_is_not_a_decode_error() {
    // The status says what happened, readable or not.
    for backend in Backend::ALL {
        for body in nonsense() {
            let wire = Wire::always(Answer::empty(403).body(body)).await;
            let new = NewInvitation::new(EMAIL);
            let error = refused(backend.connect(&wire).create(new).await);
            assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
            assert!(
                error.body_excerpt().is_some(),
                "the body is lost: {error:?}"
            );
        }
    }
}
