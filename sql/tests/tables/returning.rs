//! `RETURNING`: columns of the rows that a write has written.

use org_invitations_sandbox::{Fault, Faults, Operation, Provider, Rule};
use org_invitations_sql::{is_write, parse, plan, row_errors};

use crate::fixture::{CLICKHOUSE, CONFLUENT, Fixture, users};

#[tokio::test(flavor = "multi_thread")]
async fn an_insert_returns_what_was_created() {
    let fixture = Fixture::empty().await;
    let insert = format!("INSERT INTO {CONFLUENT} (email) VALUES ('ann@x.io'), ('bob@x.io')");
    let run = fixture
        .run(&format!("{insert} RETURNING email, status AS state, ID"))
        .await;
    let (ann, bob) = (
        fixture.id(Provider::Confluent, "ann@x.io").await,
        fixture.id(Provider::Confluent, "bob@x.io").await,
    );
    assert_eq!(
        run.ordered(),
        [
            format!("ann@x.io | sent | {ann}"),
            format!("bob@x.io | sent | {bob}"),
        ]
    );
    let batches = run.result.unwrap();
    let names = batches[0].schema();
    let names: Vec<&String> = names.fields().iter().map(|field| field.name()).collect();
    assert_eq!(names, ["email", "state", "id"]);
    assert_eq!(run.commits.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_returns_the_rows_that_were_deleted() {
    let fixture = Fixture::seeded(5).await;
    let run = fixture
        .run(&format!(
            "DELETE FROM {CONFLUENT} c WHERE c.email IN ('user2@seeded.example', 'user4@seeded.example') \
             RETURNING c.email, id, user"
        ))
        .await;
    assert_eq!(
        run.rows(),
        [
            "user2@seeded.example | i-seed-2 | u-seed-2",
            "user4@seeded.example | i-seed-4 | u-seed-4",
        ]
    );
    assert_eq!(fixture.left(Provider::Confluent), users([1, 3, 5]));
    // All columns of a union, whose rows say whose they are.
    let all = fixture
        .run("DELETE FROM invitations WHERE email = 'user1@seeded.example' RETURNING *")
        .await;
    let rows = all.rows();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows[0].starts_with("clickhouse | "), "{rows:?}");
    assert_eq!(all.commits.len(), 2);
    let nothing = fixture
        .run(&format!(
            "DELETE FROM {CLICKHOUSE} WHERE email = 'nobody' RETURNING id"
        ))
        .await;
    assert_eq!(nothing.rows(), [""; 0]);
}

/// A row that somebody else deleted first was not deleted by the statement.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_gone_is_not_returned() {
    let fixture = Fixture::seeded(3).await;
    let gone = Rule::new(Fault::status_before(404)).on(Operation::Delete);
    fixture.sandbox.set_faults(Faults::script([gone]));
    let run = fixture
        .run(&format!(
            "DELETE FROM {CONFLUENT} WHERE email = 'user1@seeded.example' RETURNING email"
        ))
        .await;
    assert_eq!(run.rows(), [""; 0]);
}

/// The rows that went through are in the error.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_in_part_returns_no_rows() {
    let fixture = Fixture::empty().await;
    fixture.invite(Provider::Confluent, &["ann@x.io"]).await;
    let run = fixture
        .run(&format!(
            "INSERT INTO {CONFLUENT} (email) VALUES ('ann@x.io'), ('bob@x.io') RETURNING id"
        ))
        .await;
    let errors = row_errors(run.error()).unwrap_or_else(|| panic!("{}", run.error()));
    assert_eq!((errors.succeeded, errors.errors.len()), (1, 1));
    assert_eq!(errors.done[0].target, "bob@x.io");
}

/// What `DELETE` refuses, it refuses with `RETURNING` too.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_write_refuses_it_refuses_here_too() {
    let fixture = Fixture::seeded(2).await;
    for (sql, expected) in [
        (
            format!("DELETE FROM {CONFLUENT} RETURNING id"),
            "without WHERE",
        ),
        (
            format!("DELETE FROM {CONFLUENT} WHERE true RETURNING colour"),
            "no column `colour`; it has id, ",
        ),
        (
            format!("DELETE FROM {CONFLUENT} WHERE true RETURNING * EXCLUDE (metadata)"),
            "and not `* EXCLUDE (metadata)`",
        ),
        (
            format!("DELETE FROM {CONFLUENT} WHERE true RETURNING *, id"),
            "* alone",
        ),
        (
            format!("DELETE FROM {CONFLUENT} WHERE true RETURNING upper(email)"),
            "not `upper(email)`",
        ),
        (
            format!("DELETE FROM {CONFLUENT} WHERE true RETURNING id, email AS id"),
            "two columns have the name `id`",
        ),
        (
            format!("DELETE FROM {CONFLUENT} WHERE true RETURNING id DRY RUN"),
            "DRY RUN lists the rows already",
        ),
        (
            format!("INSERT INTO {CONFLUENT} (email) VALUES ('a@x.io') RETURNING id DRY RUN"),
            "DRY RUN lists the rows already",
        ),
        (
            format!("INSERT INTO {CONFLUENT} (id, email) VALUES ('i', 'a@x.io') RETURNING id"),
            "cannot set id",
        ),
        (
            format!("INSERT INTO {CONFLUENT} (email) VALUES ('a@x.io') RETURNING email || id"),
            "RETURNING takes columns",
        ),
        (
            format!("WITH d AS (DELETE FROM {CONFLUENT} WHERE true RETURNING id) SELECT * FROM d"),
            "",
        ),
    ] {
        let error = fixture.refused(&sql).await;
        assert!(error.contains(expected), "{sql}: {error}");
    }
    assert_eq!(fixture.left(Provider::Confluent), users(1..=2));
}

/// `EXPLAIN` shows the requests, and sends none; a program sees that the statement writes.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_returns_rows_is_a_write() {
    let fixture = Fixture::seeded(2).await;
    for sql in [
        format!("DELETE FROM {CONFLUENT} WHERE true RETURNING id"),
        format!("INSERT INTO {CONFLUENT} (email) VALUES ('a@x.io') RETURNING *"),
    ] {
        let statement = parse(&sql).unwrap().remove(0);
        let plan = plan(&fixture.context, statement).await.unwrap();
        assert!(is_write(&plan), "{sql}");
        let explained = fixture.run(&format!("EXPLAIN {sql}")).await;
        assert!(explained.rows().concat().contains("Invitations"), "{sql}");
        assert_eq!(explained.requests, [""; 0]);
    }
    let statement = parse("SELECT 1").unwrap().remove(0);
    assert!(!is_write(&plan(&fixture.context, statement).await.unwrap()));
}
