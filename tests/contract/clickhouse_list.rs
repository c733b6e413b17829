//! ClickHouse Cloud: the list, which the server sends whole; filters and pages are the library's.

use futures::StreamExt;
use org_invitations::{
    ErrorKind, InvitationProvider, InvitationProviderExt, InvitationStatus, ListQuery, Operation,
    Page, PageToken,
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

use crate::{
    backend::{Backend, REQUEST_ID, refused, walk},
    support::{Answer, Checks, Wire},
};

const BACKEND: Backend = Backend::ClickHouse;

fn object(name: &str) -> Value {
    json!({
        "id": format!("id-{name}"), "email": format!("{name}@example.com"), "role": "developer",
        "createdAt": "2026-03-01T10:00:00Z", "expireAt": "2199-03-08T10:00:00Z", "colour": { "r": 1 },
    })
}

fn expired(name: &str) -> Value {
    let mut object = object(name);
    object["expireAt"] = json!("2020-01-01T00:00:00Z");
    object
}

fn objects(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| object(name)).collect()
}

async fn serve(items: &[Value]) -> Wire {
    Wire::always(Answer::json(200, &BACKEND.list(items))).await
}

/// The emails of a page; the kind of the error for an item that cannot be read.
fn emails(page: &Page) -> Vec<String> {
    let items = page.items.iter().map(|item| match item {
        Ok(invitation) => invitation.email.clone(),
        Err(error) => format!("{:?}", error.kind()),
    });
    items.collect()
}

#[tokio::test]
async fn a_list_arrives_whole_with_and_without_an_envelope() {
    let items = objects(&["a", "b", "c"]);
    for (body, request_id) in [
        (BACKEND.list(&items), Some(REQUEST_ID)),
        (json!(items), None),
    ] {
        let wire = Wire::always(Answer::json(200, &body)).await;
        let provider = BACKEND.connect(&wire);
        let page = provider.list_page(&ListQuery::new(), None).await;
        let page = page.unwrap_or_else(|error| panic!("{body}: {error}"));
        assert_eq!(
            emails(&page),
            ["a@example.com", "b@example.com", "c@example.com"]
        );
        assert_eq!(page.next, None);
        assert_eq!(page.request_id.as_deref(), request_id, "{body}");
        let first = page.items[0].as_ref().unwrap();
        assert_eq!(first.role.as_deref(), Some("developer"));
        assert_eq!(first.extra["colour"], json!({ "r": 1 }));
        let sent = wire.only();
        assert_eq!((sent.path, sent.query), (BACKEND.collection(), vec![]));
    }
}

#[tokio::test]
async fn an_empty_organization_has_an_empty_page() {
    let page = BACKEND
        .connect(&serve(&[]).await)
        .list_page(&ListQuery::new(), None)
        .await
        .unwrap();
    assert!(page.items.is_empty() && page.next.is_none(), "{page:?}");
}

#[tokio::test]
async fn unknown_properties_of_the_envelope_are_kept() {
    let mut body = BACKEND.list(&objects(&["a"]));
    body["nextCursor"] = json!("later");
    body["requestId"] = json!(7);
    let wire = Wire::always(Answer::json(200, &body)).await;
    let page = BACKEND
        .connect(&wire)
        .list_page(&ListQuery::new(), None)
        .await
        .unwrap();
    assert_eq!(page.extra["nextCursor"], json!("later"), "{page:?}");
    assert_eq!(page.extra["requestId"], json!(7), "{page:?}");
}

#[tokio::test]
async fn filters_are_applied_by_the_library() {
    let mut checks = Checks::default();
    let items = [object("ann"), expired("bob"), object("cem"), expired("ann")];
    let (ann, bob, cem) = ("ann@example.com", "bob@example.com", "cem@example.com");
    for (query, expected) in [
        (ListQuery::new().email(ann), vec![ann, ann]),
        (ListQuery::new().email("ANN@Example.COM"), vec![ann, ann]),
        (ListQuery::new().email("ann"), vec![]),
        (ListQuery::new().email("xann@example.com"), vec![]),
        (
            ListQuery::new().status(InvitationStatus::Sent),
            vec![ann, cem],
        ),
        (
            ListQuery::new().status(InvitationStatus::Expired),
            vec![bob, ann],
        ),
        (ListQuery::new().status(InvitationStatus::Accepted), vec![]),
        (
            ListQuery::new()
                .email("Ann@example.com")
                .status(InvitationStatus::Expired),
            vec![ann],
        ),
    ] {
        checks.case(format!("{query:?}"));
        let wire = serve(&items).await;
        let page = BACKEND
            .connect(&wire)
            .list_page(&query, None)
            .await
            .unwrap();
        checks.same("the page", emails(&page), expected);
        checks.same("the query", wire.only().query, vec![]);
    }
}

#[tokio::test]
async fn a_list_in_pages_gives_each_item_once() {
    let mut checks = Checks::default();
    let names = ["a", "b", "c", "d", "e"];
    let all: Vec<_> = names
        .iter()
        .map(|name| format!("{name}@example.com"))
        .collect();
    for size in [1, 2, 3, 4, 5, 6, u32::MAX] {
        checks.case(format!("pages of {size}"));
        let wire = serve(&objects(&names)).await;
        let provider = BACKEND.connect(&wire);
        let query = ListQuery::new().page_size(size);
        let (mut seen, mut token) = (Vec::new(), None);
        for _ in 0..=names.len() {
            let page = provider.list_page(&query, token.as_ref()).await.unwrap();
            let count = u32::try_from(page.items.len()).unwrap();
            checks.that(count <= size, format!("a page has {count} items"));
            seen.extend(emails(&page));
            token = page.next;
            if token.is_none() {
                break;
            }
        }
        checks.same("the end", token, None);
        checks.same("the walk", &seen, &all);
        checks.same("the stream", walk(&*provider, query).await, all.clone());
        checks.that(
            wire.seen().iter().all(|sent| sent.query.is_empty()),
            "a query was sent",
        );
    }
}

#[tokio::test]
async fn pages_and_filters_go_together() {
    let items = [
        object("a"),
        expired("b"),
        object("c"),
        expired("d"),
        object("e"),
    ];
    let wire = serve(&items).await;
    let query = ListQuery::new().status(InvitationStatus::Sent).page_size(2);
    let provider = BACKEND.connect(&wire);
    let page = provider.list_page(&query, None).await.unwrap();
    assert_eq!(emails(&page), ["a@example.com", "c@example.com"]);
    let page = provider
        .list_page(&query, page.next.as_ref())
        .await
        .unwrap();
    assert_eq!(
        (emails(&page), page.next),
        (vec!["e@example.com".to_owned()], None)
    );
}

/// Serves the invitations of a list that shrinks as they are deleted.
async fn shrinking(names: &[&str]) -> Wire {
    let left = Arc::new(Mutex::new(objects(names)));
    Wire::responding(move |sent| {
        let mut left = left.lock().unwrap();
        if sent.method == "DELETE" {
            let id = sent.path.rsplit('/').next().unwrap_or_default();
            left.retain(|object| object["id"] != id);
            return Answer::json(200, &json!({ "status": 200, "requestId": REQUEST_ID }));
        }
        Answer::json(200, &BACKEND.list(&left))
    })
    .await
}

#[tokio::test]
async fn deleting_what_the_stream_gives_leaves_no_item_out() {
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    for size in [1, 2, 3] {
        let wire = shrinking(&names).await;
        let provider = BACKEND.connect(&wire);
        let mut seen = Vec::new();
        let mut stream = provider.list(ListQuery::new().page_size(size));
        while let Some(item) = stream.next().await {
            let invitation = item.unwrap();
            provider.delete(&invitation.id).await.unwrap();
            seen.push(invitation.email);
        }
        let expected: Vec<_> = names
            .iter()
            .map(|name| format!("{name}@example.com"))
            .collect();
        assert_eq!(
            seen, expected,
            "pages of {size}, each item deleted when it comes"
        );
    }
}

#[tokio::test]
async fn deleting_the_last_item_of_a_page_leaves_no_item_out() {
    let wire = shrinking(&["a", "b", "c", "d"]).await;
    let provider = BACKEND.connect(&wire);
    let query = ListQuery::new().page_size(2);
    let page = provider.list_page(&query, None).await.unwrap();
    let last = page.items[1].as_ref().unwrap();
    provider.delete(&last.id).await.unwrap();
    let page = provider
        .list_page(&query, page.next.as_ref())
        .await
        .unwrap();
    let next = emails(&page);
    assert!(
        next.contains(&"c@example.com".to_owned()),
        "c is missing from {next:?}"
    );
}

#[tokio::test]
async fn one_odd_item_is_reported_and_hides_none_of_the_others() {
    let mut checks = Checks::default();
    let with = |name: &str, value: Value| {
        let mut object = object("odd");
        object[name] = value;
        object
    };
    let mut nameless = object("odd");
    nameless.as_object_mut().unwrap().remove("id");
    for odd in [
        json!("text"),
        Value::Null,
        json!([]),
        nameless,
        with("id", json!("../members/u1")),
        with("email", json!(7)),
        with("expireAt", json!("soon")),
        with("createdAt", json!(1_772_359_200)),
        with("assignedRoles", json!("Admin")),
    ] {
        let items = [object("a"), odd.clone(), object("b")];
        for body in [BACKEND.list(&items), json!(items)] {
            checks.case(body.to_string());
            let wire = Wire::always(Answer::json(200, &body)).await;
            let provider = BACKEND.connect(&wire);
            let page = match provider.list_page(&ListQuery::new(), None).await {
                Ok(page) => page,
                Err(error) => {
                    checks.that(false, format!("the page is lost: {error}"));
                    continue;
                }
            };
            checks.same(
                "the page",
                emails(&page),
                vec!["a@example.com", "Decode", "b@example.com"],
            );
            let alone = serve(&[object("b")]).await;
            let alone = BACKEND.connect(&alone);
            let alone = alone.list_page(&ListQuery::new(), None).await.unwrap();
            checks.same(
                "its neighbour",
                page.items[2].as_ref().ok(),
                alone.items[0].as_ref().ok(),
            );
            if let Err(error) = &page.items[1] {
                let id = body.get("requestId").and_then(Value::as_str);
                checks.same("the status", error.status(), Some(200));
                checks.same("the request id", error.request_id(), id);
                checks.same("the operation", error.operation(), Operation::List);
                checks.same("may_have_executed", error.may_have_executed(), false);
            }
            let query = ListQuery::new().page_size(1);
            checks.same(
                "the walk",
                walk(&*provider, query).await,
                vec!["a@example.com", "Decode", "b@example.com"],
            );
        }
    }
}

#[tokio::test]
async fn a_token_of_another_provider_is_refused_before_sending() {
    for token in ["Zk3vQ0pTn7", "", "-1:x", "x:y", "99999999999999999999999:x"] {
        let wire = Wire::silent().await;
        let outcome = BACKEND
            .connect(&wire)
            .list_page(&ListQuery::new(), Some(&PageToken::new(token)))
            .await;
        let error = refused(outcome);
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{token:?}: {error}");
        wire.assert_untouched(token);
    }
}

#[tokio::test]
async fn a_list_without_its_result_is_unreadable() {
    for body in [
        json!({ "requestId": REQUEST_ID }),
        BACKEND.envelope(json!("x")),
        BACKEND.envelope(json!({})),
    ] {
        let wire = Wire::always(Answer::json(200, &body)).await;
        let provider = BACKEND.connect(&wire);
        let error = refused(provider.list_page(&ListQuery::new(), None).await);
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}: {error}");
        assert_eq!(error.request_id(), Some(REQUEST_ID), "{body}: {error}");
    }
}

/// The status is derived from the server's `Date`: what this machine's clock shows changes nothing.
#[tokio::test]
async fn the_derived_status_is_by_the_servers_clock() {
    for (date, status) in [
        ("Fri, 08 Mar 2199 09:59:59 GMT", InvitationStatus::Sent),
        ("Fri, 08 Mar 2199 10:00:00 GMT", InvitationStatus::Expired),
    ] {
        let item = object("ann");
        let body = BACKEND.list(std::slice::from_ref(&item));
        let list = Answer::json(200, &body).header("Date", date);
        let wire = Wire::always(list).await;
        let query = ListQuery::new().status(status.clone());
        let page = BACKEND.connect(&wire).list_page(&query, None).await;
        assert_eq!(emails(&page.unwrap()), ["ann@example.com"], "{date}");

        let one = Answer::json(200, &BACKEND.envelope(item)).header("Date", date);
        let wire = Wire::always(one).await;
        let id = "id-ann".parse().unwrap();
        let invitation = BACKEND.connect(&wire).get(&id).await.unwrap();
        assert_eq!(invitation.status, Some(status), "{date}");
    }
}

#[tokio::test]
async fn a_list_whose_envelope_tells_of_a_failure_is_not_whole() {
    for backend in Backend::ALL {
        for (property, value) in [
            ("error", json!("INTERNAL_ERROR: try again")),
            ("errors", json!([{ "detail": "try again" }])),
            ("status", json!(500)),
        ] {
            let mut body = backend.list(&[]);
            body[property] = value;
            let wire = Wire::always(Answer::json(200, &body)).await;
            let provider = backend.connect(&wire);
            let listed = provider.list_page(&ListQuery::new(), None).await;
            let error = listed.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{backend:?} {property}");
        }
    }
}
