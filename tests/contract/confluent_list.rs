//! Confluent Cloud, IAM v2: the list.

use org_invitations::{
    Capabilities, ErrorKind, InvitationProvider, InvitationStatus, ListQuery, Operation, Page,
    PageToken,
};
use serde_json::{Value, json};

use crate::{
    backend::{BASIC, Backend, REQUEST_ID, refused, walk},
    support::{Answer, Checks, Wire, time},
};

const BACKEND: Backend = Backend::Confluent;
const API: &str = "https://api.confluent.cloud/iam/v2/invitations";

fn object(id: &str) -> Value {
    json!({
        "api_version": "iam/v2", "kind": "Invitation", "id": id, "email": format!("{id}@example.com"),
        "metadata": { "self": format!("{API}/{id}"), "created_at": "2026-03-01T10:00:00.123Z" },
        "status": "INVITE_STATUS_SENT", "expires_at": "2026-03-08T10:00:00.123456Z",
        "user": { "id": format!("u-{id}") }, "colour": { "r": 1 },
    })
}

fn list(ids: &[&str], metadata: &Value) -> Answer {
    let items: Vec<_> = ids.iter().map(|id| object(id)).collect();
    let mut body = BACKEND.list(&items);
    body["metadata"] = metadata.clone();
    BACKEND.identified(Answer::json(200, &body))
}

async fn page_of(answer: Answer) -> org_invitations::Result<Page> {
    let wire = Wire::always(answer).await;
    let provider = BACKEND.connect(&wire);
    provider.list_page(&ListQuery::new(), None).await
}

/// The query of the request for this page, sorted by name.
async fn query_of(query: ListQuery, token: Option<&str>) -> Vec<(String, String)> {
    let wire = Wire::always(list(&[], &json!({}))).await;
    let token = token.map(PageToken::new);
    let provider = BACKEND.connect(&wire);
    provider.list_page(&query, token.as_ref()).await.unwrap();
    let mut query = wire.only().query;
    query.sort();
    query
}

/// What the document that the library was built from has.
fn offered() -> Capabilities {
    let provider = org_invitations::Confluent::builder().api_key("key", "secret");
    provider.build().unwrap().capabilities()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    owned.collect()
}

#[tokio::test]
async fn every_filter_is_sent_exactly_once() {
    let mut query = ListQuery::new();
    let mut filters = Vec::new();
    // What the document that the library was built from does not offer is refused, which `offers` tests.
    let offered = offered();
    if offered.filter_creator {
        query = query.creator("u-é");
        filters.push(("creator", "u-é"));
    }
    if offered.filter_email {
        query = query.email("Ann+a&b=c@example.com");
        filters.push(("email", "Ann+a&b=c@example.com"));
    }
    if offered.filter_status {
        query = query.status(InvitationStatus::Sent);
        filters.push(("status", "INVITE_STATUS_SENT"));
    }
    if offered.filter_user {
        query = query.user("u-1 2");
        filters.push(("user", "u-1 2"));
    }
    let mut first = pairs(&filters);
    first.push(("page_size".to_owned(), "20".to_owned()));
    first.sort();
    assert_eq!(query_of(query.clone().page_size(20), None).await, first);
    // A token carries the size on; the filters are sent again.
    let mut next = pairs(&filters);
    next.push(("page_token".to_owned(), "a+b/c==&d".to_owned()));
    next.sort();
    assert_eq!(query_of(query.page_size(20), Some("a+b/c==&d")).await, next);
}

#[tokio::test]
async fn a_status_is_filtered_by_in_the_vendors_words() {
    if !offered().filter_status {
        return;
    }
    for (status, word) in [
        (InvitationStatus::Sent, "INVITE_STATUS_SENT"),
        (InvitationStatus::Staged, "INVITE_STATUS_STAGED"),
        (InvitationStatus::Accepted, "INVITE_STATUS_ACCEPTED"),
        (InvitationStatus::Expired, "INVITE_STATUS_EXPIRED"),
        (InvitationStatus::Deactivated, "INVITE_STATUS_DEACTIVATED"),
        (
            InvitationStatus::from("INVITE_STATUS_BOUNCED"),
            "INVITE_STATUS_BOUNCED",
        ),
    ] {
        let sent = query_of(ListQuery::new().status(status), None).await;
        assert_eq!(sent, pairs(&[("page_size", "99"), ("status", word)]));
    }
}

#[tokio::test]
async fn the_page_size_is_99_unless_a_smaller_one_is_asked_for() {
    let mut checks = Checks::default();
    for (asked, sent) in [
        (None, "99"),
        (Some(1), "1"),
        (Some(99), "99"),
        (Some(100), "99"),
    ] {
        let query = asked.map_or_else(ListQuery::new, |size| ListQuery::new().page_size(size));
        let seen = query_of(query, None).await;
        checks.same(
            &format!("the query for {asked:?}"),
            seen,
            pairs(&[("page_size", sent)]),
        );
    }
}

#[tokio::test]
async fn a_page_has_its_items_total_and_everything_else() {
    let metadata = json!({
        "first": API, "last": format!("{API}?page_token=last"), "prev": null,
        "next": format!("{API}?page_token=Zk3vQ0pTn7"), "total_size": 123, "hint": [1],
    });
    let mut body = BACKEND.list(&[object("i-1"), object("i-2")]);
    body["metadata"] = metadata.clone();
    body["warning"] = json!({ "text": null });
    let page = page_of(BACKEND.identified(Answer::json(200, &body)))
        .await
        .unwrap();
    let items: Vec<_> = page
        .items
        .iter()
        .map(|item| item.as_ref().unwrap())
        .collect();
    assert_eq!(
        items
            .iter()
            .map(|item| item.id.as_str())
            .collect::<Vec<_>>(),
        ["i-1", "i-2"]
    );
    assert_eq!(items[0].status, Some(InvitationStatus::Sent));
    assert_eq!(items[0].extra["metadata"], object("i-1")["metadata"]);
    assert_eq!(items[0].extra["colour"], json!({ "r": 1 }));
    assert_eq!(page.total, Some(123));
    assert_eq!(page.request_id.as_deref(), Some(REQUEST_ID));
    assert_eq!(
        page.next.as_ref().map(PageToken::as_str),
        Some("Zk3vQ0pTn7")
    );
    let extra = Value::Object(page.extra.into());
    for (name, expected) in [
        ("metadata", metadata),
        ("api_version", json!("iam/v2")),
        ("kind", json!("InvitationList")),
        ("warning", json!({ "text": null })),
    ] {
        assert_eq!(extra[name], expected, "{name} in {extra}");
    }
}

#[tokio::test]
async fn the_next_token_is_taken_out_of_the_link() {
    let mut checks = Checks::default();
    for (next, token) in [
        (
            json!("https://api.confluent.cloud/iam/v2/invitations?page_token=abc"),
            Some("abc"),
        ),
        (
            json!("https://elsewhere.example/x?page_size=10&page_token=abc&y"),
            Some("abc"),
        ),
        (json!("/iam/v2/invitations?page_token=abc"), Some("abc")),
        (json!("?page_token=abc"), Some("abc")),
        (
            json!("/iam/v2/invitations?page_token=a%2Bb%2Fc%3D%3D"),
            Some("a+b/c=="),
        ),
        (Value::Null, None),
        (json!(""), None),
    ] {
        checks.case(next.to_string());
        match page_of(list(&["i-1"], &json!({ "next": next }))).await {
            Ok(page) => {
                let seen = page.next.as_ref().map(PageToken::as_str);
                checks.same("the token", seen, token);
            }
            Err(error) => checks.that(false, error.to_string()),
        }
    }
    for metadata in [json!({}), Value::Null, json!({ "total_size": 1 })] {
        checks.case(metadata.to_string());
        let page = page_of(list(&["i-1"], &metadata)).await.unwrap();
        checks.same("the token", page.next, None);
    }
}

#[tokio::test]
async fn all_pages_come_from_the_configured_origin_with_the_filters() {
    let elsewhere = Wire::silent().await;
    let next = |token: &str| json!({ "next": format!("{}/iam/v2/invitations?page_token={token}", elsewhere.url()) });
    let list = |ids: &[&str], metadata: &Value| {
        let items = ids.iter().map(|id| {
            let mut item = object(id);
            item["creator"] = json!({ "id": "u-9" });
            item["status"] = json!("INVITE_STATUS_SENT");
            item
        });
        let mut body = BACKEND.list(&items.collect::<Vec<_>>());
        body["metadata"] = metadata.clone();
        BACKEND.identified(Answer::json(200, &body))
    };
    let wire = Wire::script([
        list(&["i-1", "i-2"], &next("two%3D")),
        // A page may be empty and still have a next one.
        list(&[], &next("three")),
        list(&["i-3"], &json!({ "next": "" })),
    ])
    .await;
    let filter = [("creator", "u-9")];
    let filter = &filter[..usize::from(offered().filter_creator)];
    let mut query = ListQuery::new().page_size(2);
    for (_, creator) in filter {
        query = query.creator(*creator);
    }
    let emails = walk(&*BACKEND.connect(&wire), query).await;
    assert_eq!(
        emails,
        ["i-1@example.com", "i-2@example.com", "i-3@example.com"]
    );
    elsewhere.assert_untouched("a link is not followed");
    let seen = wire.seen();
    let queries: Vec<_> = seen.iter().map(|sent| sent.sorted_query()).collect();
    let expected = [
        ("page_size", "2"),
        ("page_token", "two="),
        ("page_token", "three"),
    ];
    assert_eq!(queries, expected.map(|last| [filter, &[last]].concat()));
    for sent in &seen {
        assert_eq!(
            (sent.path.as_str(), sent.header("authorization")),
            ("/iam/v2/invitations", vec![BASIC])
        );
    }
}

#[tokio::test]
async fn one_odd_item_is_reported_and_hides_none_of_the_others() {
    let mut checks = Checks::default();
    let with = |name: &str, value: Value| {
        let mut object = object("i-odd");
        object[name] = value;
        object
    };
    let mut nameless = object("i-odd");
    nameless.as_object_mut().unwrap().remove("id");
    for odd in [
        json!("text"),
        json!(7),
        Value::Null,
        json!([]),
        nameless,
        with("id", json!("../members/u1")),
        with("email", json!(7)),
        with("expires_at", json!("soon")),
        with("accepted_at", json!(1_772_359_200)),
    ] {
        checks.case(odd.to_string());
        let mut body = BACKEND.list(&[object("i-1"), odd, object("i-2")]);
        body["metadata"] = json!({ "next": "?page_token=abc", "total_size": 3 });
        let page = match page_of(BACKEND.identified(Answer::json(200, &body))).await {
            Ok(page) => page,
            Err(error) => {
                checks.that(false, format!("the page is lost: {error}"));
                continue;
            }
        };
        checks.same("the total", page.total, Some(3));
        checks.same("the next token", page.next, Some(PageToken::new("abc")));
        checks.same("how many", page.items.len(), 3);
        for (index, id) in [(0, "i-1"), (2, "i-2")] {
            let alone = page_of(list(&[id], &json!({}))).await.unwrap();
            checks.same(
                id,
                page.items[index].as_ref().ok(),
                alone.items[0].as_ref().ok(),
            );
        }
        let Err(error) = &page.items[1] else {
            checks.that(false, format!("it is {:?}", page.items[1]));
            continue;
        };
        checks.same("the kind", error.kind(), ErrorKind::Decode);
        checks.same("the status", error.status(), Some(200));
        checks.same("the request id", error.request_id(), Some(REQUEST_ID));
        checks.same("the operation", error.operation(), Operation::List);
        checks.same("may_have_executed", error.may_have_executed(), false);
    }
}

/// Its time of creation is looked up in it, if it is what the vendor documents; it is kept in any case.
#[tokio::test]
async fn the_metadata_of_an_item_may_be_anything() {
    let mut checks = Checks::default();
    let at = "2026-03-01T10:00:00Z";
    for (metadata, created_at) in [
        (json!({ "created_at": at, "self": null }), Some(time(at))),
        (json!({ "nested": { "created_at": at } }), None),
        (json!({ "created_at": 7 }), None),
        (json!({ "created_at": "soon" }), None),
        (json!(["created_at", at]), None),
        (json!("\"created_at\":"), None),
        (Value::Null, None),
    ] {
        checks.case(metadata.to_string());
        let mut item = object("i-1");
        item["metadata"] = metadata.clone();
        let body = BACKEND.list(&[item]);
        let page = page_of(BACKEND.identified(Answer::json(200, &body))).await;
        let page = page.unwrap();
        let invitation = page.items[0].as_ref().unwrap();
        checks.same("the time", invitation.created_at, created_at);
        checks.same("what is kept", &invitation.extra["metadata"], &metadata);
    }
}

#[tokio::test]
async fn a_truncated_list_is_not_taken_for_the_last_page() {
    for metadata in [
        r#"{"next": "?page_token=two", "odd": 1e999}"#,
        r#"{"next": "?page_token=\ud800"}"#,
    ] {
        let body = format!(r#"{{"data": [], "metadata": {metadata}}}"#);
        let answer = Answer::json(200, &Value::Null).body(body);
        let error = refused(page_of(BACKEND.identified(answer)).await);
        assert_eq!(error.kind(), ErrorKind::Decode, "{metadata}: {error}");
    }
}

#[tokio::test]
async fn a_list_without_its_data_is_unreadable() {
    for body in [
        json!({}),
        json!({ "data": {} }),
        json!({ "data": "x", "metadata": {} }),
    ] {
        let error = refused(page_of(BACKEND.identified(Answer::json(200, &body))).await);
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}: {error}");
        assert_eq!(error.request_id(), Some(REQUEST_ID), "{body}: {error}");
    }
}
