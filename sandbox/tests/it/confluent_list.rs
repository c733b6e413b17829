//! Confluent: filters and pages.

use org_invitations_sandbox::Provider;
use reqwest::{Method, Url};
use serde_json::Value;

use crate::api::{Api, Reply, send};

async fn list(api: &Api, query: &str) -> Value {
    let reply = get(api, query).await;
    assert_eq!(reply.status, 200, "{query}: {reply:?}");
    reply.json()
}

async fn get(api: &Api, query: &str) -> Reply {
    send(api.confluent(Method::GET, query)).await
}

async fn invite(api: &Api, count: usize) {
    for number in 0..count {
        api.invite_confluent(&format!("user{number}@example.com"))
            .await;
    }
}

fn emails(page: &Value) -> Vec<&str> {
    let items = page["data"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["email"].as_str().unwrap())
        .collect()
}

/// The page token in the link to the next page.
fn token(page: &Value) -> Option<String> {
    let link = page["metadata"].get("next")?.as_str().unwrap();
    let link = Url::parse(link).unwrap();
    let (_, token) = link
        .query_pairs()
        .find(|(name, _)| name == "page_token")
        .unwrap();
    Some(token.into_owned())
}

#[tokio::test]
async fn an_empty_collection_is_one_empty_page() {
    let api = Api::start().await;
    let page = list(&api, "").await;
    assert_eq!(page["api_version"], "iam/v2");
    assert_eq!(page["kind"], "InvitationList");
    assert_eq!(page["data"], Value::Array(vec![]));
    assert_eq!(page["metadata"]["first"], api.url("/iam/v2/invitations"));
    assert_eq!(page["metadata"]["total_size"], 0);
    assert_eq!(page["metadata"].get("next"), None);
}

#[tokio::test]
async fn the_default_page_size_is_ten() {
    let api = Api::start().await;
    invite(&api, 11).await;
    let first = list(&api, "").await;
    assert_eq!(emails(&first).len(), 10);
    assert_eq!(first["metadata"]["total_size"], 11);
    let second = list(&api, &format!("?page_token={}", token(&first).unwrap())).await;
    assert_eq!(emails(&second), ["user10@example.com"]);
    assert_eq!(token(&second), None);
}

#[tokio::test]
async fn pages_together_list_everything_in_order_of_creation() {
    let api = Api::start().await;
    invite(&api, 7).await;
    for page_size in [1, 2, 3, 6, 7, 8, 99] {
        let mut seen = Vec::new();
        let mut page = list(&api, &format!("?page_size={page_size}")).await;
        loop {
            assert!(emails(&page).len() <= page_size, "{page}");
            seen.extend(emails(&page).into_iter().map(str::to_owned));
            let Some(token) = token(&page) else { break };
            page = list(&api, &format!("?page_token={token}")).await;
        }
        let expected: Vec<_> = (0..7).map(|n| format!("user{n}@example.com")).collect();
        assert_eq!(seen, expected, "page_size={page_size}");
    }
}

#[tokio::test]
async fn the_first_page_size_applies_to_all_pages() {
    let api = Api::start().await;
    invite(&api, 6).await;
    let first = list(&api, "?page_size=2").await;
    for ignored in ["5", "1", "99"] {
        let token = token(&first).unwrap();
        let second = list(&api, &format!("?page_token={token}&page_size={ignored}")).await;
        assert_eq!(emails(&second), ["user2@example.com", "user3@example.com"]);
    }
}

#[tokio::test]
async fn a_page_of_100_has_no_link_to_the_rest() {
    let api = Api::start().await;
    invite(&api, 102).await;
    let page = list(&api, "?page_size=100").await;
    assert_eq!(emails(&page).len(), 100);
    assert_eq!(page["metadata"]["total_size"], 102);
    assert_eq!(token(&page), None);
    let page = list(&api, "?page_size=99").await;
    assert_eq!(emails(&page).len(), 99);
    assert!(token(&page).is_some());
}

#[tokio::test]
async fn pages_stay_aligned_across_creates_and_deletes() {
    let api = Api::start().await;
    invite(&api, 5).await;
    let first = list(&api, "?page_size=2").await;
    let token = token(&first).unwrap();
    for item in first["data"].as_array().unwrap() {
        let id = item["id"].as_str().unwrap();
        send(api.confluent(Method::DELETE, &format!("/{id}"))).await;
    }
    api.invite_confluent("late@example.com").await;

    let second = list(&api, &format!("?page_token={token}")).await;
    assert_eq!(emails(&second), ["user2@example.com", "user3@example.com"]);
    let third = list(
        &api,
        &format!("?page_token={}", self::token(&second).unwrap()),
    )
    .await;
    assert_eq!(emails(&third), ["user4@example.com", "late@example.com"]);
}

#[tokio::test]
async fn an_invalid_page_size_or_token_is_rejected_by_name() {
    let api = Api::start().await;
    for (query, parameter) in [
        ("?page_size=0", "page_size"),
        ("?page_size=101", "page_size"),
        ("?page_size=-1", "page_size"),
        ("?page_size=ten", "page_size"),
        ("?page_size=1.5", "page_size"),
        ("?page_size=", "page_size"),
        ("?page_size=99999999999999999999999", "page_size"),
        ("?page_token=", "page_token"),
        ("?page_token=nonsense", "page_token"),
        ("?page_token=%00", "page_token"),
        ("?page_size=x&page_token=y", "page_token"),
    ] {
        let reply = get(&api, query).await;
        assert_eq!(reply.status, 400, "{query}: {reply:?}");
        let source = &reply.confluent_error()["source"];
        assert_eq!(source["parameter"], parameter, "{query}");
    }
}

#[tokio::test]
async fn each_filter_matches_exactly() {
    let api = Api::start().await;
    let ada = api.invite_confluent("Ada+1@example.com").await;
    api.invite_confluent("bob@example.com").await;
    api.sandbox
        .accept(Provider::Confluent, "bob@example.com")
        .unwrap();
    let user = ada["user"]["id"].as_str().unwrap();
    let creator = ada["creator"]["id"].as_str().unwrap();
    let both = vec!["Ada+1@example.com", "bob@example.com"];
    let (only_ada, only_bob, none) = (vec![both[0]], vec![both[1]], Vec::new());
    for (query, expected) in [
        ("?email=Ada%2B1%40example.com".to_owned(), &only_ada),
        ("?email=ada%2B1%40example.com".to_owned(), &none),
        ("?email=Ada".to_owned(), &none),
        ("?email=".to_owned(), &none),
        ("?status=INVITE_STATUS_SENT".to_owned(), &only_ada),
        ("?status=INVITE_STATUS_ACCEPTED".to_owned(), &only_bob),
        ("?status=INVITE_STATUS_EXPIRED".to_owned(), &none),
        ("?status=SENT".to_owned(), &none),
        (format!("?user={user}"), &only_ada),
        (format!("?user={creator}"), &none),
        (format!("?creator={creator}"), &both),
        (format!("?creator={user}"), &none),
        (
            format!("?creator={creator}&status=INVITE_STATUS_ACCEPTED"),
            &only_bob,
        ),
        ("?colour=red".to_owned(), &both),
        (
            "?status=INVITE_STATUS_SENT&status=INVITE_STATUS_ACCEPTED".to_owned(),
            &only_ada,
        ),
    ] {
        let page = list(&api, &query).await;
        assert_eq!(&emails(&page), expected, "{query}");
        assert_eq!(page["metadata"]["total_size"], expected.len(), "{query}");
    }
}

#[tokio::test]
async fn filters_apply_to_later_pages_when_resent() {
    let api = Api::start().await;
    invite(&api, 6).await;
    for number in [1, 3, 5] {
        let email = format!("user{number}@example.com");
        api.sandbox.accept(Provider::Confluent, &email).unwrap();
    }
    let filter = "?status=INVITE_STATUS_ACCEPTED";
    let first = list(&api, &format!("{filter}&page_size=2")).await;
    assert_eq!(emails(&first), ["user1@example.com", "user3@example.com"]);
    let token = token(&first).unwrap();
    let second = list(&api, &format!("{filter}&page_token={token}")).await;
    assert_eq!(emails(&second), ["user5@example.com"]);
    assert_eq!(self::token(&second), None);

    let unfiltered = list(&api, &format!("?page_token={token}")).await;
    assert_eq!(
        emails(&unfiltered),
        ["user4@example.com", "user5@example.com"]
    );
}

#[tokio::test]
async fn the_link_to_the_next_page_can_be_followed() {
    let api = Api::start().await;
    invite(&api, 3).await;
    let creator = list(&api, "").await["data"][0]["creator"]["id"].clone();
    let creator = creator.as_str().unwrap();
    let first = list(&api, &format!("?creator={creator}&page_size=2")).await;
    let link = first["metadata"]["next"].as_str().unwrap();
    assert!(
        link.starts_with(&api.url("/iam/v2/invitations?creator=")),
        "{link}"
    );
    let query = &link[link.find('?').unwrap()..];
    assert_eq!(emails(&list(&api, query).await), ["user2@example.com"]);
}
