//! Faults of Confluent's list.

use org_invitations_sandbox::{Fault, Faults, Rule};
use reqwest::{Method, Url};
use serde_json::Value;

use crate::api::{Api, send};

async fn with_five(fault: Fault) -> Api {
    let api = Api::start().await;
    for number in 0..5 {
        api.invite_confluent(&format!("user{number}@example.com"))
            .await;
    }
    let rule = Rule::new(fault).always();
    api.sandbox.set_faults(Faults::script([rule]));
    api
}

async fn list(api: &Api, query: &str) -> Value {
    let reply = api.confluent(Method::GET, query).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    reply.json().await.unwrap()
}

fn count(page: &Value) -> usize {
    page["data"].as_array().unwrap().len()
}

fn next(page: &Value) -> Url {
    page["metadata"]["next"].as_str().unwrap().parse().unwrap()
}

fn query(link: &Url) -> String {
    format!("?{}", link.query().unwrap())
}

#[tokio::test]
async fn a_repeating_next_links_to_its_own_page() {
    let api = with_five(Fault::NextRepeats).await;
    let first = list(&api, "?page_size=2").await;
    let second = list(&api, &query(&next(&first))).await;
    let third = list(&api, &query(&next(&second))).await;
    assert_eq!(
        (&second["data"], &third["data"]),
        (&first["data"], &first["data"])
    );
    assert_eq!(next(&second), next(&first));
    assert_eq!(next(&third), next(&first));

    let last = list(&api, "?page_size=99").await;
    assert_eq!(count(&last), 5);
    let again = list(&api, &query(&next(&last))).await;
    assert_eq!(again["data"], last["data"], "even the last page repeats");
}

#[tokio::test]
async fn a_next_on_another_host_has_the_right_token() {
    let fault = Fault::NextElsewhere {
        origin: "http://127.0.0.1:9/".to_owned(),
    };
    let api = with_five(fault).await;
    let first = list(&api, "?page_size=3").await;
    let link = next(&first);
    assert!(
        link.as_str().starts_with("http://127.0.0.1:9/iam/"),
        "{link}"
    );
    let second = list(&api, &query(&link)).await;
    assert_eq!(count(&second), 2);
    assert_eq!(second["metadata"].get("next"), None);
}

#[tokio::test]
async fn the_end_of_the_list_has_three_spellings() {
    for (fault, expected) in [
        (Fault::NextEmpty, Some(Value::from(""))),
        (Fault::NextNull, Some(Value::Null)),
        (Fault::NextAbsent, None),
    ] {
        let api = with_five(fault.clone()).await;
        let first = list(&api, "?page_size=3").await;
        let last = list(&api, &query(&next(&first))).await;
        assert_eq!(count(&last), 2);
        assert_eq!(last["metadata"].get("next"), expected.as_ref(), "{fault:?}");
    }
}

#[tokio::test]
async fn empty_pages_have_new_tokens_and_lose_nothing() {
    let api = with_five(Fault::EmptyPage).await;
    let mut page = list(&api, "?page_size=3").await;
    let mut links = Vec::new();
    for _ in 0..4 {
        assert_eq!(count(&page), 0);
        let link = next(&page);
        assert!(!links.contains(&link), "{link}");
        page = list(&api, &query(&link)).await;
        links.push(link);
    }
    api.sandbox.set_faults(Faults::default());
    let page = list(&api, &query(&next(&page))).await;
    assert_eq!(count(&page), 3);
    assert_eq!(count(&list(&api, &query(&next(&page))).await), 2);
}

#[tokio::test]
async fn list_faults_do_not_alter_errors() {
    let api = with_five(Fault::EmptyPage).await;
    let reply = send(api.confluent(Method::GET, "?page_size=0")).await;
    assert_eq!(reply.status, 400);
    assert!(reply.documented);
}

/// The number of invitations in a list, and its `total_size`.
async fn found(api: &Api, query: &str) -> (usize, u64) {
    let page = list(api, query).await;
    (
        count(&page),
        page["metadata"]["total_size"].as_u64().unwrap(),
    )
}

#[tokio::test]
async fn filters_can_be_ignored() {
    let api = with_five(Fault::FiltersIgnored).await;
    for query in [
        "?email=user1@example.com",
        "?email=nobody@example.com",
        "?status=INVITE_STATUS_EXPIRED",
        "?user=u-nobody",
        "?creator=u-nobody",
    ] {
        assert_eq!(found(&api, query).await, (5, 5), "{query}");
    }
    let first = list(&api, "?email=user1@example.com&page_size=3").await;
    assert_eq!(count(&list(&api, &query(&next(&first))).await), 2);
    api.sandbox.set_faults(Faults::default());
    assert_eq!(found(&api, "?email=user1@example.com").await, (1, 1));
}

#[tokio::test]
async fn filters_can_match_prefixes() {
    let api = with_five(Fault::FiltersAsPrefixes).await;
    api.invite_confluent("user1@example.com.au").await;
    let user = list(&api, "").await["data"][0]["user"]["id"].clone();
    let user = format!("?user={}", user.as_str().unwrap());
    for (query, expected) in [
        ("?email=user1@example.com", 2),
        ("?email=user1@example.com.au", 1),
        ("?email=user", 6),
        ("?email=ser1@example.com", 0),
        ("?status=INVITE_STATUS_S", 6),
        ("?user=u-", 6),
        (user.as_str(), 1),
    ] {
        assert_eq!(found(&api, query).await.0, expected, "{query}");
    }
    api.sandbox.set_faults(Faults::default());
    assert_eq!(found(&api, "?email=user1@example.com").await, (1, 1));
    assert_eq!(found(&api, "?user=u-").await, (0, 0));
}
