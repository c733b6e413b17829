//! A success whose body is not what the vendor documents.

use org_invitations::{ErrorKind, InvitationProvider, ListQuery, NewInvitation, Operation};
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
async fn the_request_id_is_read_from_where_the_vendor_puts_it() {
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
                let cause = error.cause().map(ToString::to_string);
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

/// "Accepted", "in part", or a failure in the body of a success: nobody knows whether it is deleted.
#[tokio::test]
async fn a_delete_believes_no_half_answer() {
    let mut checks = Checks::default();
    for backend in Backend::ALL {
        for answer in [
            Answer::empty(201),
            Answer::empty(202),
            Answer::json(207, &json!({ "status": 207 })),
            Answer::json(200, &json!({ "error": "CONFLICT: it is being accepted" })),
            Answer::json(
                200,
                &json!({ "errors": [{ "detail": "it is being accepted" }] }),
            ),
            Answer::json(200, &json!({ "status": 500 })),
        ] {
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            checks.case(format!("{backend:?} {} {body}", answer.status));
            let wire = Wire::always(answer).await;
            let outcome = run(&*backend.connect(&wire), backend, Operation::Delete).await;
            match outcome {
                Ok(()) => checks.that(false, "it counts as deleted"),
                Err(error) => checks.same("may_have_executed", error.may_have_executed(), true),
            }
        }
    }
}

/// An answer about somebody or something else says nothing of what was asked.
#[tokio::test]
async fn an_answer_about_another_invitation_is_none() {
    let mut checks = Checks::default();
    for backend in Backend::ALL {
        for operation in [Operation::Create, Operation::Get] {
            checks.case(format!("{backend:?} {operation}"));
            let other = json!({ "id": "i-other", "email": "bob@example.com" });
            let wire = Wire::always(Answer::json(200, &backend.envelope(other))).await;
            let error = refused(run(&*backend.connect(&wire), backend, operation).await);
            checks.same("the kind", error.kind(), ErrorKind::Decode);
            checks.same(
                "may_have_executed",
                error.may_have_executed(),
                changes_state(operation),
            );
        }
        // A server that ignores a filter, or matches beginnings.
        checks.case(format!("{backend:?} list"));
        let items = [
            "ann@example.com",
            "bob@example.com",
            "ann@example.com.evil.org",
        ];
        let items = items.map(|email| json!({ "id": format!("i-{email}"), "email": email }));
        let wire = Wire::always(Answer::json(200, &backend.list(&items))).await;
        let query = org_invitations::ListQuery::new().email("Ann@example.com");
        let page = backend
            .connect(&wire)
            .list_page(&query, None)
            .await
            .unwrap();
        let emails = page.items.into_iter().map(|item| item.unwrap().email);
        checks.same(
            "the addresses",
            emails.collect::<Vec<_>>(),
            vec!["ann@example.com".to_owned()],
        );
    }
}

/// Two lists in one body: neither is known to be the right one.
#[tokio::test]
async fn a_property_that_comes_twice_is_an_error() {
    for backend in Backend::ALL {
        let list = backend.list(&[]).to_string();
        let name = if backend == Backend::Confluent {
            "data"
        } else {
            "result"
        };
        let twice = list.replacen('{', &format!("{{\"{name}\":[],"), 1);
        let wire = Wire::always(Answer::empty(200).body(twice.clone())).await;
        let outcome = run(&*backend.connect(&wire), backend, Operation::List).await;
        assert_eq!(refused(outcome).kind(), ErrorKind::Decode, "{twice}");
    }
}

#[tokio::test]
async fn an_id_of_two_addresses_is_nobodys() {
    for backend in Backend::ALL {
        let item = |id: &str, email: &str| json!({ "id": id, "email": email });
        let items = [
            item("i-1", "ann@example.com"),
            item("i-2", "bob@example.com"),
            item("i-2", "cat@example.com"),
            item("i-1", "ANN@example.com"),
        ];
        let wire = Wire::always(Answer::json(200, &backend.list(&items))).await;
        let provider = backend.connect(&wire);
        let page = provider.list_page(&ListQuery::new(), None).await.unwrap();
        let (read, odd): (Vec<_>, Vec<_>) = page.items.into_iter().partition(Result::is_ok);
        assert!(
            read.into_iter()
                .all(|item| item.unwrap().id.as_str() == "i-1")
        );
        assert_eq!(odd.len(), 2);
        for error in odd {
            let error = error.unwrap_err();
            assert!(
                error.message().contains("i-2 belongs to two addresses"),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn only_200_is_the_status_of_a_whole_list() {
    for backend in Backend::ALL {
        for status in [201, 202, 203, 206] {
            let wire = Wire::always(Answer::json(status, &backend.list(&[]))).await;
            let provider = backend.connect(&wire);
            let error = provider
                .list_page(&ListQuery::new(), None)
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{status} {error}");
        }
    }
}

#[tokio::test]
async fn an_invitation_beside_a_failure_is_no_success() {
    let mut checks = Checks::default();
    for backend in Backend::ALL {
        for operation in [Operation::Create, Operation::Get] {
            for (name, value) in [
                ("error", json!("CONFLICT: no such role")),
                ("errors", json!([{ "detail": "no such role" }])),
            ] {
                checks.case(format!("{backend:?} {operation} {name}"));
                let mut body = backend.envelope(backend.object());
                body[name] = value;
                let wire = Wire::always(Answer::json(200, &body)).await;
                let error = run(&*backend.connect(&wire), backend, operation)
                    .await
                    .err();
                let kind = error.as_ref().map(org_invitations::Error::kind);
                checks.same("the kind", kind, Some(ErrorKind::Decode));
                let open = error.map(|error| error.may_have_executed());
                checks.same("may_have_executed", open, Some(changes_state(operation)));
            }
        }
    }
}

#[tokio::test]
async fn an_envelope_with_another_status_is_no_success() {
    let backend = Backend::ClickHouse;
    let mut body = backend.envelope(backend.object());
    body["status"] = json!(409);
    for operation in [Operation::Create, Operation::Get] {
        let wire = Wire::always(Answer::json(200, &body)).await;
        let error = refused(run(&*backend.connect(&wire), backend, operation).await);
        assert_eq!(error.kind(), ErrorKind::Decode, "{operation} {error}");
    }
}
