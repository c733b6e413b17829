//! Rows and statements that `INSERT` refuses.

use org_invitations::ErrorKind;
use org_invitations_sandbox::{Fault, Faults, Operation, Provider, Rule};
use org_invitations_sql::RowErrors;

use crate::fixture::{CLICKHOUSE, CONFLUENT, Fixture, StatementRun};

#[track_caller]
fn rows(run: &StatementRun) -> &RowErrors {
    let mut source: Option<&dyn std::error::Error> = Some(run.error());
    while let Some(error) = source {
        if let Some(found) = error.downcast_ref() {
            return found;
        }
        source = error.source();
    }
    panic!("{}", run.error())
}

fn numbers(rows: &RowErrors) -> Vec<usize> {
    rows.errors.iter().map(|row| row.number).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_the_provider_fills_is_refused_when_planned() {
    let fixture = Fixture::seeded(1).await;
    for (table, columns) in [
        (
            CONFLUENT,
            "id api_version creator kind metadata status extra created_at accepted_at expires_at",
        ),
        (
            CLICKHOUSE,
            "id status organization_id extra created_at expires_at roles",
        ),
        (
            "invitations",
            "id status creator extra created_at accepted_at expires_at roles",
        ),
    ] {
        for column in columns.split_whitespace() {
            let value = match column {
                "roles" => "roles".to_owned(),
                at if at.ends_with("_at") => "TIMESTAMP '2026-01-01T00:00:00Z'".to_owned(),
                _ => "'x'".to_owned(),
            };
            let from = match column {
                "roles" => format!("FROM {CLICKHOUSE}"),
                _ => String::new(),
            };
            let sql = format!("INSERT INTO {table} (email, {column}) SELECT 'a@b', {value} {from}");
            let error = fixture.refused(&sql).await;
            assert!(error.contains("INSERT cannot set"), "{sql}: {error}");
            assert!(error.contains(column), "{sql}: {error}");
        }
    }
    let error = fixture
        .refused(&format!(
            "INSERT INTO {CONFLUENT} SELECT * FROM {CONFLUENT}"
        ))
        .await;
    assert!(error.contains("INSERT cannot set id"), "{error}");
    assert!(error.contains("auth_type, email"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_row_that_cannot_be_sent_stops_all_of_them() {
    let fixture = Fixture::empty().await;
    let long = format!("{}@x.io", "a".repeat(260));
    for (bad, reason) in [
        ("NULL", "it has no email"),
        ("''", "`@`"),
        ("'no-at'", "`@`"),
        ("'@x.io'", "both sides"),
        ("'ann@'", "both sides"),
        ("'a b@x.io'", "white space"),
        ("E'a\\n@x.io'", "white space"),
        (&format!("'{long}'"), "254"),
    ] {
        for table in [CONFLUENT, CLICKHOUSE] {
            let sql = format!("INSERT INTO {table} (email) VALUES ('a@x.io'), ({bad}), ('c@x.io')");
            let run = fixture.run(&sql).await;
            let rows = rows(&run);
            assert_eq!((rows.statement, rows.succeeded), ("INSERT", 0));
            assert_eq!(numbers(rows), [2], "{bad}");
            assert!(rows.errors[0].reason.contains(reason), "{bad}: {rows}");
            assert_eq!(run.requests, [""; 0], "{bad}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_that_cannot_be_sent_is_listed() {
    let fixture = Fixture::empty().await;
    let sql = format!(
        "INSERT INTO {CLICKHOUSE} (email, role, role_ids) VALUES
         (NULL, NULL, NULL), ('a@x.io', 'admin', ['x']), ('ok@x.io', NULL, NULL), ('nowhere', NULL, NULL)"
    );
    let run = fixture.run(&sql).await;
    assert_eq!(numbers(rows(&run)), [1, 2, 4]);
    let text = run.error().to_string();
    for words in [
        "INSERT: 0 rows went through, 3 rows were refused:",
        "row 1: it has no email",
        "row 2 a@x.io: it has both `role` and `role_ids`",
        "row 4 nowhere: ",
    ] {
        assert!(text.contains(words), "{text}");
    }
    assert_eq!(run.requests, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_union_a_row_needs_a_provider_that_there_is() {
    let fixture = Fixture::empty().await;
    for (provider, reason) in [
        ("NULL", "has to be one of confluent, clickhouse"),
        ("'Confluent'", "is \"Confluent\""),
        ("''", "is \"\""),
    ] {
        let sql = format!(
            "INSERT INTO invitations (provider, email) VALUES ('confluent', 'a@b'), ({provider}, 'c@d')"
        );
        let run = fixture.run(&sql).await;
        let rows = rows(&run);
        assert_eq!((rows.succeeded, numbers(rows)), (0, vec![2]));
        assert!(rows.errors[0].reason.contains(reason), "{rows}");
        assert_eq!(run.requests, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn existing_invitations_are_listed_and_others_created() {
    let fixture = Fixture::seeded(2).await;
    fixture
        .sandbox
        .accept(Provider::Confluent, "user2@seeded.example")
        .unwrap();
    let sql = format!(
        "INSERT INTO {CONFLUENT} (email) VALUES
         ('a@x.io'), ('user1@seeded.example'), ('b@x.io'), ('user2@seeded.example')"
    );
    let run = fixture.run(&sql).await;
    let rows = rows(&run);
    assert_eq!((rows.succeeded, numbers(rows)), (2, vec![2, 4]));
    for row in &rows.errors {
        let error = row.error.as_ref().unwrap();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(error.status(), Some(409));
        assert!(row.target.starts_with("user"), "{row:?}");
    }
    assert_eq!(
        run.commits,
        ["create confluent a@x.io", "create confluent b@x.io"]
    );
    assert!(
        rows.to_string()
            .contains("2 rows went through, 2 rows were refused")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_there_twice_is_sent_once() {
    let fixture = Fixture::empty().await;
    let sql = format!("INSERT INTO {CONFLUENT} (email) VALUES ('a@x.io'), ('b@x.io'), ('A@x.io')");
    let run = fixture.run(&sql).await;
    let rows = rows(&run);
    assert_eq!((rows.succeeded, numbers(rows)), (2, vec![3]));
    assert!(rows.errors[0].reason.contains("row 1"), "{rows}");
    assert_eq!(run.requests, ["confluent create"; 2]);
    // At another provider, it is another invitation.
    let sql = "INSERT INTO invitations (provider, email) VALUES
               ('clickhouse', 'q@x.io'), ('confluent', 'q@x.io')";
    assert_eq!(fixture.run(sql).await.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsupported_option_is_refused_before_sending() {
    let fixture = Fixture::empty().await;
    let sql = "INSERT INTO invitations (provider, email, auth_type, role) VALUES
               ('confluent', 'a@x.io', 'sso', NULL), ('clickhouse', 'b@x.io', 'sso', NULL),
               ('clickhouse', 'c@x.io', NULL, 'admin'), ('confluent', 'd@x.io', NULL, 'admin')";
    let run = fixture.run(sql).await;
    let rows = rows(&run);
    assert_eq!((rows.succeeded, numbers(rows)), (2, vec![2, 4]));
    for row in &rows.errors {
        assert_eq!(row.error.as_ref().unwrap().kind(), ErrorKind::Unsupported);
    }
    assert_eq!(
        run.commits,
        ["create clickhouse c@x.io", "create confluent a@x.io"]
    );
    assert_eq!(run.requests.len(), 2, "{:?}", run.requests);
    // A table of one provider has no column for what it does not have.
    for sql in [
        format!("INSERT INTO {CLICKHOUSE} (email, auth_type) VALUES ('a@b', 'sso')"),
        format!("INSERT INTO {CONFLUENT} (email, role) VALUES ('a@b', 'admin')"),
        format!("INSERT INTO {CONFLUENT} (email, nonsense) VALUES ('a@b', 'x')"),
    ] {
        fixture.refused(&sql).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_is_listed_with_its_answer() {
    let fixture = Fixture::empty().await;
    let rule = Rule::new(Fault::status_before(403))
        .on(Operation::Create)
        .nth(2);
    fixture.sandbox.set_faults(Faults::script([rule]));
    let sql = format!("INSERT INTO {CONFLUENT} (email) VALUES ('a@x.io'), ('b@x.io'), ('c@x.io')");
    let run = fixture.run(&sql).await;
    let rows = rows(&run);
    assert_eq!((rows.succeeded, rows.errors.len()), (2, 1));
    let error = rows.errors[0].error.as_ref().unwrap();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.request_id().is_some());
    assert_eq!(run.commits.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_key_that_is_no_good_the_rest_is_not_sent() {
    let fixture = Fixture::empty().await;
    let rule = Rule::new(Fault::ExpiredToken)
        .on(Operation::Create)
        .always();
    fixture.sandbox.set_faults(Faults::script([rule]));
    let people: Vec<String> = (0..40)
        .map(|number| format!("('p{number}@x.io')"))
        .collect();
    let sql = format!(
        "INSERT INTO {CONFLUENT} (email) VALUES {}",
        people.join(", ")
    );
    let run = fixture.run(&sql).await;
    let rows = rows(&run);
    assert_eq!((rows.succeeded, rows.errors.len()), (0, 40));
    let sent = run.requests.len();
    assert!(sent < 20, "{sent} were sent");
    assert!(rows.errors.iter().any(|row| row.reason == "not attempted"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_shows_every_row() {
    let fixture = Fixture::empty().await;
    let people: Vec<String> = (0..60).map(|number| format!("('p{number}')")).collect();
    let sql = format!(
        "INSERT INTO {CONFLUENT} (email) VALUES {}",
        people.join(", ")
    );
    let run = fixture.run(&sql).await;
    let text = run.error().to_string();
    assert_eq!(text.matches("\n  row ").count(), 60, "{text}");
    assert_eq!(numbers(rows(&run)), (1..=60).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_fails_invites_nobody() {
    let fixture = Fixture::seeded(250).await;
    let rule = Rule::new(Fault::status_before(403))
        .on(Operation::List)
        .nth(3);
    fixture.sandbox.set_faults(Faults::script([rule]));
    let sql = format!("INSERT INTO {CLICKHOUSE} (email) SELECT 'x' || email FROM {CONFLUENT}");
    let run = fixture.run(&sql).await;
    run.error();
    assert_eq!(run.commits, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_overwritten() {
    let fixture = Fixture::seeded(1).await;
    for sql in [
        format!("INSERT OVERWRITE {CONFLUENT} (email) VALUES ('a@b')"),
        format!("INSERT OVERWRITE INTO {CONFLUENT} (email) VALUES ('a@b')"),
        format!("REPLACE INTO {CONFLUENT} (email) VALUES ('a@b')"),
        format!("INSERT INTO {CONFLUENT} (email) VALUES ('a@b') ON CONFLICT DO NOTHING"),
    ] {
        fixture.refused(&sql).await;
    }
    assert_eq!(fixture.left(Provider::Confluent), ["user1@seeded.example"]);
}

/// Everybody of the table is invited, so everybody is refused.
#[tokio::test(flavor = "multi_thread")]
async fn an_insert_of_a_table_into_itself_changes_nothing() {
    let fixture = Fixture::seeded(5).await;
    let sql = format!("INSERT INTO {CLICKHOUSE} (email) SELECT email FROM {CLICKHOUSE}");
    let run = fixture.run(&sql).await;
    assert_eq!((rows(&run).succeeded, rows(&run).errors.len()), (0, 5));
    assert_eq!(run.commits, [""; 0]);
}
