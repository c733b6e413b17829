//! The vendors' own words, and the JSON of `extra` and `metadata`.

use org_invitations_sandbox::Provider;

use crate::fixture::{CLICKHOUSE, CONFLUENT, Fixture, users};

#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_vendors_are_understood_in_conditions() {
    let fixture = Fixture::seeded(3).await;
    fixture
        .sandbox
        .accept(Provider::Confluent, "user2@seeded.example")
        .unwrap();
    for (condition, expected) in [
        ("status = 'INVITE_STATUS_SENT'", users([1, 3])),
        ("'INVITE_STATUS_ACCEPTED' = c.status", users([2])),
        ("status <> 'INVITE_STATUS_SENT'", users([2])),
        (
            "status IN ('INVITE_STATUS_EXPIRED', 'INVITE_STATUS_ACCEPTED')",
            users([2]),
        ),
        ("status NOT IN ('INVITE_STATUS_SENT')", users([2])),
        (
            "status IS NOT DISTINCT FROM 'INVITE_STATUS_ACCEPTED'",
            users([2]),
        ),
        ("auth_type <> 'AUTH_TYPE_SSO'", users([1, 2, 3])),
        (
            "CASE WHEN status = 'INVITE_STATUS_ACCEPTED' THEN true ELSE false END",
            users([2]),
        ),
        ("status = 'INVITE_STATUS_UNHEARD_OF'", users([])),
        ("email = 'INVITE_STATUS_SENT'", users([])),
    ] {
        let rows = fixture
            .rows(&format!(
                "SELECT email FROM {CONFLUENT} c WHERE {condition}"
            ))
            .await;
        assert_eq!(rows, expected, "{condition}");
    }
    let error = fixture
        .refused(&format!(
            "SELECT 1 FROM {CONFLUENT} WHERE status LIKE 'INVITE_STATUS%'"
        ))
        .await;
    assert!(error.contains("sent, staged, accepted"), "{error}");
    // The word is sent to the server as its own again.
    let run = fixture
        .run(&format!(
            "SELECT count(*) FROM {CONFLUENT} WHERE status = 'INVITE_STATUS_SENT'"
        ))
        .await;
    assert_eq!(run.requests, ["confluent list status=INVITE_STATUS_SENT"]);
    assert_eq!(run.count(), 2);
    let joined = fixture
        .rows(
            "SELECT s.email FROM (SELECT i.email, i.status AS word FROM invitations i) s \
             JOIN (VALUES ('INVITE_STATUS_ACCEPTED')) AS v(word) ON s.word = 'INVITE_STATUS_ACCEPTED'",
        )
        .await;
    assert_eq!(joined, users([2]));
}

/// A file may have the vendor's words.
#[tokio::test(flavor = "multi_thread")]
async fn words_of_other_tables_stay() {
    let fixture = Fixture::seeded(1).await;
    let rows = fixture
        .rows("SELECT v.status FROM (VALUES ('INVITE_STATUS_SENT')) AS v(status) WHERE v.status = 'INVITE_STATUS_SENT'")
        .await;
    assert_eq!(rows, ["INVITE_STATUS_SENT"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insert_understands_the_words_of_vendors() {
    let fixture = Fixture::empty().await;
    let insert = format!(
        "INSERT INTO {CONFLUENT} (email, auth_type) VALUES ('ann@x.io', 'AUTH_TYPE_SSO'), ('bob@x.io', 'local')"
    );
    assert_eq!(fixture.run(&insert).await.count(), 2);
    let rows = fixture
        .rows(&format!("SELECT email, auth_type FROM {CONFLUENT}"))
        .await;
    assert_eq!(rows, ["ann@x.io | sso", "bob@x.io | local"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_read_by_operators_and_functions() {
    let fixture = Fixture::seeded(1).await;
    for (expression, expected) in [
        ("(metadata->>'created_at') IS NOT NULL", "true"),
        ("(metadata->>'created_at') < '2100'", "true"),
        (
            "json_get_str(metadata, 'created_at') = (metadata->>'created_at')",
            "true",
        ),
        (
            "json_as_text('{\"a\": {\"b\": [1, \"x\"]}}', 'a', 'b', 1)",
            "x",
        ),
        ("'{\"a\": {\"b\": 7}}'->'a'->>'b'", "7"),
        ("json_get_int('{\"a\": 7}', 'a') + 1", "8"),
        ("metadata->>'no such thing'", "NULL"),
        ("metadata.created_at = metadata->>'created_at'", "true"),
        ("c.metadata.created_at IS NOT NULL", "true"),
        ("metadata.no.such.thing", "NULL"),
        (r#"'{"a": "b"}'->'a'"#, r#""b""#),
        (r#"'{"n": 5}'->'n' = '5'"#, "true"),
        (r#"'{"a": "b"}'->'a' = '"b"'"#, "true"),
        (r#"'{"z": null}'->'z' IS NULL"#, "false"),
        (r#"'{"z": null}'->>'z' IS NULL"#, "true"),
        (r#"'{"a": true}'->>'a' = 'true' IS TRUE"#, "true"),
        (r#"'b' = '{"a": {"c": "b"}}'->'a'->>'c'"#, "true"),
        (r#"('{"a": "b"}'->>'a') || 'x'"#, "bx"),
        ("'1' = '{\"a\": \"1\"}'->>'a' AND true", "true"),
        ("'{\"a\": 1}'->>'a' < '{\"b\": 2}'->>'b'", "true"),
        ("metadata->>'no such thing' IS NULL", "true"),
        ("metadata->'self'->>'x' IS NOT NULL", "false"),
        ("'{\"a\": \"xyz\"}'->>'a' LIKE 'x%'", "true"),
        ("'{\"a\": \"xyz\"}'->>'a' NOT IN ('x', 'y')", "true"),
        ("'{\"a\": \"b\"}'->>'a' BETWEEN 'a' AND 'c'", "true"),
        ("'{\"a\": \"b\"}'->>'a' = 'b'", "true"),
        (
            "JSON_EXTRACT(metadata, '$.created_at') = (metadata->>'created_at')",
            "true",
        ),
        (
            "json_extract('{\"a b\": [{\"c\": 7}]}', '$.\"a b\"[0].c')",
            "7",
        ),
        ("json_extract('{\"a\": \"b\"}', '$.a')", "b"),
        ("json_extract('{\"a\": {\"b\": 1}}', '$.a')", "{\"b\": 1}"),
        ("json_extract('{}', '$.a.b')", "NULL"),
    ] {
        let rows = fixture
            .rows(&format!("SELECT {expression} FROM {CONFLUENT} c"))
            .await;
        assert_eq!(rows, [expected], "{expression}");
    }
    // What PostgreSQL reads otherwise than the parser is refused, before anything is sent.
    for condition in [
        "metadata->>'self' || 'x' IS NULL",
        "'x' || metadata->>'self' IS NULL",
        "id || metadata->>'self' IS NULL",
        "email = metadata->>'a' || '1'",
        "coalesce(metadata->>'self' || '/', 'none') = 'none'",
        "metadata->>'self' IS DISTINCT FROM 'x'",
        "metadata->>'self' ~ 'x'",
        "metadata->>'n' + 1 = 2",
        "email LIKE metadata->>'a' || '%'",
        "NOT metadata->>'a' AT TIME ZONE 'UTC' = 'x'",
    ] {
        let sql = format!("DELETE FROM {CONFLUENT} WHERE {condition} RETURNING id");
        let error = fixture.refused(&sql).await;
        assert!(error.contains("parentheses"), "{sql}: {error}");
    }
    let rows = fixture
        .rows(&format!(
            "SELECT count(*) FROM {CLICKHOUSE} WHERE (extra->>'nothing') IS NULL"
        ))
        .await;
    assert_eq!(rows, ["1"]);
}
