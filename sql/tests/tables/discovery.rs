//! `SHOW PROVIDERS | SERVICES | RESOURCES | METHODS`, `DESCRIBE EXTENDED`, and the page for users of StackQL.

use org_invitations::bindings::property_description;
use org_invitations_sql::WriteOptions;

use crate::fixture::{CONFLUENT, Fixture};

/// The rows in their order; nothing is sent.
async fn listed(fixture: &Fixture, sql: &str) -> Vec<String> {
    let run = fixture.run(sql).await;
    assert_eq!(run.requests, [""; 0], "{sql}");
    run.ordered()
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_services_and_resources_are_parts_of_names() {
    let fixture = Fixture::empty().await;
    assert_eq!(
        listed(&fixture, "SHOW PROVIDERS").await,
        ["clickhouse | 1", "confluent | 1"]
    );
    assert_eq!(
        listed(&fixture, "show extended providers like 'conf%'").await,
        ["confluent | 1"]
    );
    assert_eq!(
        listed(&fixture, "SHOW SERVICES").await,
        ["clickhouse | members", "confluent | iam"]
    );
    assert_eq!(
        listed(&fixture, "SHOW SERVICES FROM Confluent -- here").await,
        ["confluent | iam"]
    );
    assert_eq!(
        listed(&fixture, "SHOW RESOURCES IN confluent.iam").await,
        ["confluent | iam | invitations"]
    );
    assert_eq!(
        listed(&fixture, "SHOW RESOURCES").await,
        [
            "clickhouse | members | invitations",
            "confluent | iam | invitations",
            "datafusion | public | invitations",
        ]
    );
    assert_eq!(
        listed(&fixture, "SHOW RESOURCES LIKE 'roles'").await,
        [""; 0]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_methods_of_a_table_are_what_its_statements_send() {
    let fixture = Fixture::empty().await;
    let methods = listed(&fixture, &format!("SHOW METHODS IN {CONFLUENT}")).await;
    let expected = [
        "list_iam_v2_invitations |  | SELECT | GET /iam/v2/invitations | ",
        "get_iam_v2_invitation | id | SELECT | GET /iam/v2/invitations/{id} | ",
        "create_iam_v2_invitation | email | INSERT | POST /iam/v2/invitations | ",
        "delete_iam_v2_invitation |  | DELETE | DELETE /iam/v2/invitations/{id} | ",
    ];
    assert_eq!(methods.len(), expected.len(), "{methods:#?}");
    for (method, expected) in methods.iter().zip(expected) {
        let expected = format!("confluent | {expected}");
        assert!(method.starts_with(&expected), "{method}");
    }
    let both = listed(&fixture, "SHOW METHODS IN invitations").await;
    assert_eq!(both.len(), 8, "{both:#?}");
}

/// Every operation of the lists is one of the bindings.
#[tokio::test(flavor = "multi_thread")]
async fn every_table_has_methods() {
    let options = WriteOptions::default();
    let Some(fixture) = Fixture::with_members(1, options).await else {
        return;
    };
    for (table, methods) in [
        ("confluent.iam.members", 4),
        ("confluent.iam.role_bindings", 4),
        ("clickhouse.members.members", 3),
        ("clickhouse.members.role_bindings", 4),
        ("clickhouse.members.roles", 1),
        ("members", 7),
    ] {
        let found = listed(&fixture, &format!("SHOW METHODS FROM {table}")).await;
        assert_eq!(found.len(), methods, "{table}: {found:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_described_by_the_document() {
    let fixture = Fixture::empty().await;
    let columns = listed(&fixture, &format!("DESCRIBE EXTENDED {CONFLUENT}")).await;
    let described = |name: &str| {
        let start = format!("{name} | ");
        let found = columns.iter().find(|column| column.starts_with(&start));
        found.unwrap_or_else(|| panic!("{name}: {columns:#?}"))
    };
    if let Some(text) = property_description("confluent", "Invitation", "email") {
        let words: Vec<&str> = text.split_whitespace().collect();
        assert!(described("email").ends_with(&words.join(" ")));
    }
    assert_eq!(
        described("extra"),
        "extra | Utf8 | YES | The properties without a column, as JSON text."
    );
    assert!(!columns.iter().any(|column| column.ends_with("NULL")));
    // A table of the engine's has no descriptions.
    fixture.run("CREATE TABLE t AS SELECT 1 AS a").await.rows();
    assert_eq!(
        listed(&fixture, "DESC EXTENDED t").await,
        ["a | Int64 | NO | NULL"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_an_error_that_says_what_is() {
    let fixture = Fixture::empty().await;
    for (sql, expected) in [
        ("SHOW SERVICES IN github", "there is clickhouse, confluent"),
        (
            "SHOW RESOURCES IN confluent.kafka",
            "SHOW SERVICES IN confluent",
        ),
        ("SHOW METHODS IN nowhere", "SHOW TABLES lists"),
        ("SHOW METHODS", "SHOW METHODS IN confluent.iam.invitations"),
        ("SHOW METHODS IN a.b.c.d", "has 4 parts"),
        ("SHOW SERVICES IN a.b", "more than 1 parts"),
        ("SHOW PROVIDERS WHERE true", "expected the end"),
        ("SHOW PROVIDERS LIKE x", "LIKE 'inv%'"),
        ("SHOW METHODS IN 'a.csv' x", "expected the end"),
        ("DESCRIBE EXTENDED", "expected a name"),
        ("DESCRIBE EXTENDED nowhere.at.all", "there is no table"),
    ] {
        let error = fixture.refused(sql).await;
        assert!(error.contains(expected), "{sql}: {error}");
    }
}

/// Every statement of the page.
#[tokio::test(flavor = "multi_thread")]
async fn the_statements_for_users_of_stackql_run() {
    let fixture = Fixture::seeded(8).await;
    let page = include_str!("../../STACKQL.md");
    let blocks = page.split("```sql\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap());
    let mut count = 0;
    for statement in blocks.flat_map(|block| block.split(';')) {
        if statement.trim().is_empty() {
            continue;
        }
        let run = fixture.run(statement).await;
        assert!(run.result.is_ok(), "{statement}: {}", run.error());
        count += 1;
    }
    assert_eq!(count, 12);
}
