//! `DRY RUN`, and what a write reports that does not go through as a whole.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::AtomicBool},
};

use org_invitations::{BulkOptions, RemovalLimit};
use org_invitations_sandbox::{Fault, Faults, Operation, Provider, Rule};
use org_invitations_sql::{WriteOptions, WriteReport, parse, row_errors};

use crate::fixture::{CLICKHOUSE, CONFLUENT, Fixture, users};

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_of_a_delete_lists_the_rows() {
    let fixture = Fixture::seeded(12).await;
    let condition = "email LIKE 'user1%'";
    let run = fixture
        .run(&format!(
            "DELETE FROM {CONFLUENT} WHERE {condition} DRY RUN"
        ))
        .await;
    assert_eq!(
        run.rows(),
        [
            "i-seed-1 | user1@seeded.example | sent",
            "i-seed-10 | user10@seeded.example | sent",
            "i-seed-11 | user11@seeded.example | sent",
            "i-seed-12 | user12@seeded.example | sent",
        ]
    );
    assert_eq!(run.commits, [""; 0]);
    let run = fixture
        .run("DELETE FROM invitations i WHERE i.email = 'user3@seeded.example' dry run -- now")
        .await;
    let rows = run.rows();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(
        rows[0].starts_with("clickhouse | ") && rows[1].starts_with("confluent | "),
        "{rows:?}"
    );
    assert_eq!(fixture.left(Provider::Confluent), users(1..=12));
}

/// What a `DELETE` would refuse, its dry run refuses too, except for what has to be allowed first.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_of_a_delete_checks_the_limit() {
    let options = WriteOptions::default().max_deletes(RemovalLimit::count(2));
    let fixture = Fixture::with(5, options).await;
    let run = fixture
        .run(&format!("DELETE FROM {CONFLUENT} WHERE true DRY RUN"))
        .await;
    assert!(
        run.error().to_string().contains("matches 5"),
        "{}",
        run.error()
    );
    let run = fixture
        .run(&format!("DELETE FROM {CONFLUENT} DRY RUN"))
        .await;
    assert!(
        run.error().to_string().contains("matches 5"),
        "{}",
        run.error()
    );
    let fixture = Fixture::with(8, WriteOptions::default()).await;
    let run = fixture
        .run(&format!("DELETE FROM {CONFLUENT} DRY RUN"))
        .await;
    assert_eq!(run.rows().len(), 8);
    assert_eq!(run.commits, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_of_an_insert_checks_and_lists_the_rows() {
    let fixture = Fixture::empty().await;
    let run = fixture
        .run(&format!(
            "INSERT INTO {CONFLUENT} (email, auth_type) VALUES ('ann@x.io', 'sso'), ('bob@x.io', NULL) DRY RUN"
        ))
        .await;
    // In the order of the table's columns.
    assert_eq!(run.rows(), ["NULL | bob@x.io", "sso | ann@x.io"]);
    assert_eq!((run.requests.len(), run.commits.len()), (0, 0));
    let run = fixture
        .run("INSERT INTO invitations (provider, email) VALUES ('confluent', 'ann@x.io'), ('confluent', 'no address') DRY RUN")
        .await;
    let errors = row_errors(run.error()).unwrap_or_else(|| panic!("{}", run.error()));
    assert_eq!(
        (errors.errors.len(), errors.errors[0].target.as_str()),
        (1, "no address")
    );
    let error = fixture
        .refused(&format!(
            "INSERT INTO {CONFLUENT} (id, email) VALUES ('i-1', 'ann@x.io') DRY RUN"
        ))
        .await;
    assert!(error.contains("cannot set id"), "{error}");
    assert_eq!(fixture.left(Provider::Confluent), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_statements_have_no_dry_run() {
    let fixture = Fixture::seeded(1).await;
    for sql in [
        "SELECT 1 DRY RUN".to_owned(),
        format!("UPDATE {CONFLUENT} SET email = 'a' DRY RUN"),
        format!("EXPLAIN DELETE FROM {CONFLUENT} WHERE true DRY RUN"),
        "CREATE TABLE t AS SELECT 1 DRY RUN".to_owned(),
    ] {
        let error = fixture.refused(&sql).await;
        assert!(
            error.contains("DRY RUN is for INSERT and DELETE"),
            "{error}"
        );
    }
    fixture
        .run("CREATE TABLE mine AS SELECT 1 AS a")
        .await
        .rows();
    for sql in [
        "DELETE FROM mine WHERE a = 1 DRY RUN",
        "INSERT INTO mine VALUES (2) DRY RUN",
    ] {
        let error = fixture.refused(sql).await;
        assert!(
            error.contains("DRY RUN is for the tables of invitations"),
            "{error}"
        );
    }
    assert!(!parse("SELECT 1 AS run").unwrap()[0].is_dry_run());
    assert!(!parse("SELECT dry \"RUN\" FROM t").unwrap()[0].is_dry_run());
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_analyze_of_a_write_is_refused() {
    let fixture = Fixture::seeded(2).await;
    for sql in [
        format!("EXPLAIN ANALYZE DELETE FROM {CONFLUENT} WHERE true"),
        format!("EXPLAIN ANALYZE VERBOSE INSERT INTO {CONFLUENT} (email) VALUES ('a@x.io')"),
        format!("EXPLAIN (ANALYZE) DELETE FROM {CONFLUENT} WHERE true"),
    ] {
        let error = fixture.refused(&sql).await;
        assert!(error.contains("DRY RUN"), "{error}");
    }
}

/// The report names every row, those that went through too, with their addresses.
#[tokio::test(flavor = "multi_thread")]
async fn the_report_names_every_row_of_a_delete() {
    let fixture = Fixture::seeded(130).await;
    for number in 1..=70 {
        let email = format!("user{number}@seeded.example");
        fixture.sandbox.accept(Provider::Confluent, &email).unwrap();
    }
    let run = fixture
        .run(&format!("DELETE FROM {CONFLUENT} WHERE email LIKE 'user%'"))
        .await;
    let errors = row_errors(run.error()).unwrap();
    assert_eq!((errors.done.len(), errors.errors.len()), (60, 70));
    let done: BTreeSet<&str> = errors
        .done
        .iter()
        .filter_map(|row| row.email.as_deref())
        .collect();
    let expected = users(71..=130);
    assert!(done.into_iter().eq(expected.iter().map(String::as_str)));
    let text = errors.to_string();
    assert!(
        text.contains("60 rows went through, 70 rows were refused"),
        "{text}"
    );
    for number in 1..=130 {
        let row = format!(" (user{number}@seeded.example)");
        assert_eq!(text.matches(&row).count(), 1, "{row}");
    }
    let (_, done) = text.split_once("went through:\n").unwrap();
    assert_eq!(done.lines().count(), 60, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_names_every_row_of_an_insert() {
    let fixture = Fixture::empty().await;
    fixture.invite(Provider::ClickHouse, &["ann@x.io"]).await;
    let run = fixture
        .run(&format!(
            "INSERT INTO {CLICKHOUSE} (email, role) VALUES ('bob@x.io', 'developer'), ('ann@x.io', 'developer')"
        ))
        .await;
    let text = row_errors(run.error()).unwrap().to_string();
    assert!(text.contains("\n  row 2 ann@x.io: "), "{text}");
    assert!(
        text.ends_with("\nwent through:\n  row 1 bob@x.io"),
        "{text}"
    );
}

/// A write that is dropped leaves in its report what went through, and what is not known.
#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_write_reports_what_it_did() {
    let report = WriteReport::default();
    let bulk = BulkOptions::default().concurrency(1);
    let options = WriteOptions::default()
        .max_deletes(RemovalLimit::none())
        .report(report.clone())
        .bulk(bulk);
    let fixture = Fixture::with(3, options).await;
    // The third deletion gets no answer.
    let rule = Rule::new(Fault::hang()).on(Operation::Delete).nth(3);
    fixture.sandbox.set_faults(Faults::script([rule]));
    let sql = format!("DELETE FROM {CONFLUENT} WHERE email LIKE 'user%'");
    let context = fixture.context.clone();
    let write = tokio::spawn(async move {
        org_invitations_sql::sql(&context, &sql)
            .await?
            .collect()
            .await
    });
    while report.done().len() < 2 {
        tokio::task::yield_now().await;
    }
    write.abort();
    let _ = write.await;
    let (done, pending) = (report.done(), report.pending());
    assert_eq!((done.len(), pending.len()), (2, 1), "{done:?} {pending:?}");
    assert_eq!(done[0].to_string(), "row 1 i-seed-1 (user1@seeded.example)");
    assert_eq!(
        pending[0].to_string(),
        "row 3 i-seed-3 (user3@seeded.example)"
    );
    report.clear();
    assert_eq!((report.done().len(), report.pending().len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_write_names_what_it_did_not_attempt() {
    let stop = Arc::new(AtomicBool::new(true));
    let options = WriteOptions::default()
        .max_deletes(RemovalLimit::none())
        .bulk(BulkOptions::default().stop(stop));
    let fixture = Fixture::with(2, options).await;
    let run = fixture
        .run(&format!("DELETE FROM {CONFLUENT} WHERE true"))
        .await;
    let text = row_errors(run.error()).unwrap().to_string();
    assert!(
        text.contains("row 2 i-seed-2 (user2@seeded.example): not attempted"),
        "{text}"
    );
}
