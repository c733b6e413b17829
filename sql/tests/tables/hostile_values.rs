//! Hostile values are escaped in URLs, and match only equal values.

use std::sync::Arc;

use org_invitations_sandbox::Provider;
use org_invitations_sql::register;

use crate::{
    fake_provider::{FakeProvider, Filters},
    fixture::{CLICKHOUSE, CONFLUENT, Fixture},
};

fn hostile() -> Vec<String> {
    let mut values: Vec<String> = [
        "",
        " ",
        "'",
        "''",
        "' OR '1'='1",
        "'; DROP TABLE invitations; --",
        "..",
        ".",
        "../..",
        "i-seed-1/../i-seed-2",
        "i-seed-1/",
        "/i-seed-1",
        "i-seed-1?email=x",
        "i-seed-1#x",
        "%2F",
        "i-seed-1%2F..%2Fi-seed-2",
        "%2e%2e",
        "%",
        "_",
        "a&status=INVITE_STATUS_SENT",
        "a=b",
        "user1@seeded.example&page_size=1",
        "user1@seeded.example ",
        "user1@seeded.example\n",
        "user1@seeded.example\r\nX-Header: 1",
        "USER1@SEEDED.EXAMPLE",
        "user%@seeded.example",
        "i-seed-1\u{0}",
        "i-seed-1\t",
        "\\",
        "ünï@x.io",
        "\u{202e}elpmaxe",
        "😀@x.io",
        "+",
        "a+b@x.io",
        "NULL",
        "INVITE_STATUS_HELD",
        "{i-seed-1}",
        "00000000-0000-4000-8000-00000000000G",
        "urn:uuid:00000000-0000-4000-8000-000000000001",
        "000000000000400080000000000000001",
    ]
    .map(str::to_owned)
    .into();
    values.push("x".repeat(10_240));
    values.push(format!("{}@x.io", "x".repeat(10_240)));
    values.push("é".repeat(256));
    values
}

fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// Checks that every request has the path of an invitation or of a list.
#[track_caller]
fn assert_targets(fixture: &Fixture) {
    let organization = &fixture.sandbox.credentials().clickhouse.organization_id;
    for sent in fixture.sandbox.ledger().requests {
        let lists = [
            "/iam/v2/invitations".to_owned(),
            format!("/v1/organizations/{organization}/invitations"),
        ];
        let id = lists
            .iter()
            .find_map(|list| sent.path.strip_prefix(list))
            .unwrap();
        let id = id.strip_prefix('/').unwrap_or(id);
        let good = |letter: char| letter.is_ascii_graphic() && !"/\\?#\"<>`{}".contains(letter);
        assert!(id.chars().all(good), "{}", sent.path);
        assert!(!matches!(id, "." | ".."), "{}", sent.path);
        assert!(
            id.len() < 1_000 && sent.query.len() < 1_500,
            "{id} {}",
            sent.query
        );
        for pair in sent.query.split('&').filter(|it| !it.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap();
            assert!(
                matches!(
                    name,
                    "email" | "status" | "user" | "creator" | "page_size" | "page_token"
                ),
                "{pair}"
            );
            let good = |letter: char| letter.is_ascii_alphanumeric() || "%+-_.*~".contains(letter);
            assert!(value.chars().all(good), "{pair}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_values_match_no_row_and_change_no_path() {
    let fixture = Fixture::seeded(2).await;
    for value in hostile() {
        for column in ["id", "email", "\"user\"", "creator", "status"] {
            let condition = format!("{column} = {}", quoted(&value));
            let sql = format!("SELECT id FROM invitations WHERE {condition}");
            let run = fixture.run(&sql).await;
            let short: String = sql.chars().take(120).collect();
            assert!(run.result.is_ok(), "{short}: {:?}", run.result);
            assert_eq!(run.rows(), [""; 0], "{short}");
        }
        let sql = format!(
            "DELETE FROM invitations WHERE email = {0} OR email IN ({0}, 'x')",
            quoted(&value)
        );
        let run = fixture.run(&sql).await;
        assert_eq!((run.count(), run.commits.len()), (0, 0));
        let sql = format!(
            "DELETE FROM invitations WHERE id IN ({}, 'i-none')",
            quoted(&value)
        );
        let run = fixture.run(&sql).await;
        assert_eq!((run.count(), run.commits.len()), (0, 0));
    }
    assert_targets(&fixture);
}

/// Unusual characters that are allowed in an address.
#[tokio::test(flavor = "multi_thread")]
async fn an_unusual_address_finds_its_own_row() {
    let fixture = Fixture::seeded(2).await;
    let odd = [
        "o'neil@x.io",
        "a&status=INVITE_STATUS_ACCEPTED@x.io",
        "a+b@x.io",
        "a%2Fb@x.io",
        "a/../b@x.io",
        "a?b=c#d@x.io",
        "{a}`|~!$^*@x.io",
    ];
    for provider in [Provider::Confluent, Provider::ClickHouse] {
        let odd = odd.iter().filter(|it| !it.contains(".."));
        let odd: Vec<&str> = odd.copied().collect();
        fixture.invite(provider, &odd).await;
        for email in odd {
            let label = match provider {
                Provider::Confluent => CONFLUENT,
                _ => CLICKHOUSE,
            };
            let kept = match provider {
                Provider::Confluent => email.to_owned(),
                _ => email.to_lowercase(),
            };
            let sql = format!("SELECT email FROM {label} WHERE email = {}", quoted(&kept));
            assert_eq!(fixture.rows(&sql).await.join("; "), kept, "{label}");
            let sql = format!("DELETE FROM {label} WHERE email = {}", quoted(&kept));
            assert_eq!(fixture.run(&sql).await.count(), 1, "{sql}");
        }
    }
    assert_targets(&fixture);
}

/// Values that a server does not accept as a filter are found in the whole list.
#[tokio::test]
async fn an_unusual_value_that_exists_is_found() {
    let fixture = Fixture::empty().await;
    let values = hostile();
    let rows = values.iter().enumerate().map(|(number, value)| {
        let id = format!("i-{number}").parse().unwrap();
        let mut row = org_invitations::Invitation::new(id, value.clone());
        row.user = Some(org_invitations::ResourceReference::new(value.clone()));
        row.creator = row.user.clone();
        row.status = Some(value.as_str().into());
        row
    });
    let fake = FakeProvider::new(rows.collect(), Filters::Exact).shared();
    register(&fixture.context, "stock", Arc::clone(&fake) as _).unwrap();
    for (number, value) in values.iter().enumerate() {
        for column in ["email", "\"user\"", "creator", "status"] {
            let sql = format!("SELECT id FROM stock WHERE {column} = {}", quoted(value));
            assert_eq!(
                fixture.rows(&sql).await,
                [format!("i-{number}")],
                "{column} {value:.60?}"
            );
        }
    }
}

/// Ids compare byte by byte, although the server accepts other spellings of a UUID.
#[tokio::test(flavor = "multi_thread")]
async fn another_spelling_of_an_id_is_another_id() {
    let fixture = Fixture::empty().await;
    fixture.invite(Provider::ClickHouse, &["ann@x.io"]).await;
    let id = fixture.id(Provider::ClickHouse, "ann@x.io").await;
    for spelling in [
        id.to_uppercase(),
        id.replace('-', ""),
        format!("urn:uuid:{id}"),
    ] {
        if spelling == id {
            continue;
        }
        let condition = format!("id = '{spelling}'");
        let rows = fixture
            .rows(&format!("SELECT id FROM {CLICKHOUSE} WHERE {condition}"))
            .await;
        assert_eq!(rows, [""; 0], "{spelling}");
        let run = fixture
            .run(&format!("DELETE FROM {CLICKHOUSE} WHERE {condition}"))
            .await;
        assert_eq!(run.commits, [""; 0], "{spelling}");
    }
    let sql = format!(
        "SELECT email FROM {CLICKHOUSE} WHERE id IN ('{id}', '{}')",
        id.to_uppercase()
    );
    assert_eq!(fixture.rows(&sql).await, ["ann@x.io"]);
}
