//! `DELETE` of members, according to the sandbox's ledger.

use std::sync::{Arc, atomic::AtomicBool};

use org_invitations::{BulkOptions, RemovalLimit};
use org_invitations_sandbox::{Fault, Faults, Operation, Rule};
use org_invitations_sql::{WriteOptions, provider_error, row_errors};

use crate::fixture::Fixture;

fn allowed() -> WriteOptions {
    WriteOptions::default().allow_remove_members(true)
}

async fn fixture(count: u64, options: WriteOptions) -> Option<Fixture> {
    Fixture::with_members(count, options).await
}

/// The members that are left, such as `confluent 1`.
fn left(fixture: &Fixture) -> Vec<String> {
    let number = |email: &str| -> String { email.chars().filter(char::is_ascii_digit).collect() };
    let members = fixture.sandbox.members().into_iter();
    let mut left: Vec<String> = members
        .filter(|member| member.email.ends_with("@seeded.example"))
        .map(|member| {
            let provider = format!("{:?}", member.provider).to_lowercase();
            format!("{provider} {}", number(&member.email))
        })
        .collect();
    left.sort();
    left
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_members_has_to_be_allowed() {
    let options = WriteOptions::default().allow_delete_all(true);
    let Some(fixture) = fixture(2, options).await else {
        return;
    };
    for table in [
        "confluent.iam.members",
        "clickhouse.members.members",
        "members",
    ] {
        for rest in ["", "WHERE email = 'member1@seeded.example'", "WHERE 1 = 0"] {
            let error = fixture
                .refused(&format!("DELETE FROM {table} {rest}"))
                .await;
            for words in ["API keys", "allow_remove_members", "--allow-remove-members"] {
                assert!(error.contains(words), "{error}");
            }
        }
    }
    assert_eq!(left(&fixture).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_the_members_that_match_are_removed() {
    for (sql, expected) in [
        (
            "confluent.iam.members WHERE email = 'member2@seeded.example'",
            [
                "clickhouse 1",
                "clickhouse 2",
                "clickhouse 3",
                "confluent 1",
                "confluent 3",
            ]
            .as_slice(),
        ),
        (
            "clickhouse.members.members WHERE name <> 'member2'",
            &["clickhouse 2", "confluent 1", "confluent 2", "confluent 3"],
        ),
        (
            "members WHERE name = 'member1' AND provider = 'clickhouse'",
            &[
                "clickhouse 2",
                "clickhouse 3",
                "confluent 1",
                "confluent 2",
                "confluent 3",
            ],
        ),
        (
            "members WHERE name = 'member1'",
            &["clickhouse 2", "clickhouse 3", "confluent 2", "confluent 3"],
        ),
        (
            "confluent.iam.members WHERE email NOT IN (SELECT email FROM \
             clickhouse.members.members s WHERE s.name = 'member3')",
            &[
                "clickhouse 1",
                "clickhouse 2",
                "clickhouse 3",
                "confluent 3",
            ],
        ),
        (
            "confluent.iam.members WHERE 1 = 0",
            &[
                "clickhouse 1",
                "clickhouse 2",
                "clickhouse 3",
                "confluent 1",
                "confluent 2",
                "confluent 3",
            ],
        ),
    ] {
        let Some(fixture) = fixture(3, allowed()).await else {
            return;
        };
        let run = fixture.run(&format!("DELETE FROM {sql}")).await;
        assert_eq!(left(&fixture), expected, "{sql}");
        let removed = 6 - expected.len();
        assert_eq!(run.count() as usize, removed, "{sql}");
        assert_eq!(run.commits.len(), removed, "{sql}: {:?}", run.commits);
        assert!(
            run.commits.iter().all(|it| it.starts_with("remove ")),
            "{sql}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limits_of_a_delete_hold_for_members() {
    let Some(fixture) = fixture(40, allowed()).await else {
        return;
    };
    let error = fixture.refused("DELETE FROM confluent.iam.members").await;
    assert!(error.contains("delete all members"), "{error}");
    let run = fixture
        .run("DELETE FROM confluent.iam.members WHERE email LIKE 'member1%'")
        .await;
    let error = run.error().to_string();
    let expected = "DELETE matches 11 members of 40, and the limit is 10 (25 %, and at least 5)";
    assert!(error.contains(expected), "{error}");
    assert_eq!(run.commits, [""; 0]);
    assert_eq!(left(&fixture).len(), 80);
    let run = fixture
        .run("DELETE FROM confluent.iam.members WHERE email LIKE 'member1_@%'")
        .await;
    assert_eq!(run.count(), 10);
    assert_eq!(left(&fixture).len(), 70);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_limits_members_without_a_list() {
    let options = allowed().max_deletes(RemovalLimit::count(1));
    let Some(fixture) = fixture(2, options).await else {
        return;
    };
    let sql = "DELETE FROM confluent.iam.members WHERE id = 'u-seed-member-1'";
    let run = fixture.run(sql).await;
    assert_eq!(run.count(), 1);
    let expected = [
        "confluent member u-seed-member-1",
        "confluent remove u-seed-member-1",
    ];
    assert_eq!(run.requests, expected);
    let run = fixture.run("DELETE FROM members WHERE true").await;
    let error = run.error().to_string();
    assert!(
        error.contains("matches 3 members of 3, and the limit is 1;"),
        "{error}"
    );
    assert_eq!(run.commits, [""; 0]);
}

/// The list is read to its end before the first member is removed.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_members_that_fails_removes_nobody() {
    let options = allowed().max_deletes(RemovalLimit::none());
    let Some(fixture) = fixture(150, options).await else {
        return;
    };
    let fault = Rule::new(Fault::status_before(403));
    let fault = fault.on(Operation::ListMembers).nth(2);
    fixture.sandbox.set_faults(Faults::script([fault]));
    let run = fixture
        .run("DELETE FROM confluent.iam.members WHERE email LIKE '%'")
        .await;
    assert_eq!(provider_error(run.error()).unwrap().status(), Some(403));
    assert_eq!(run.commits, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_cannot_be_removed_are_listed() {
    let Some(fixture) = fixture(3, allowed()).await else {
        return;
    };
    let fault = Rule::new(Fault::status_before(409)).on(Operation::DeleteMember);
    fixture.sandbox.set_faults(Faults::script([fault]));
    let run = fixture
        .run("DELETE FROM confluent.iam.members WHERE name <> 'member3'")
        .await;
    let rows = row_errors(run.error()).unwrap();
    assert_eq!(
        (rows.statement, rows.succeeded, rows.errors.len()),
        ("DELETE", 1, 1)
    );
    assert!(rows.errors[0].target.starts_with("u-seed-member-"));
    assert_eq!(run.commits.len(), 1);
    assert_eq!(left(&fixture).len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_removed_once_told_to_stop() {
    let bulk = BulkOptions::default().stop(Arc::new(AtomicBool::new(true)));
    let Some(fixture) = fixture(2, allowed().bulk(bulk)).await else {
        return;
    };
    let run = fixture.run("DELETE FROM members WHERE true").await;
    let rows = row_errors(run.error()).unwrap();
    assert_eq!((rows.succeeded, rows.errors.len()), (0, 4));
    assert_eq!(run.commits, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_neither_inserted_nor_updated() {
    let Some(fixture) = fixture(1, allowed()).await else {
        return;
    };
    for sql in [
        "INSERT INTO members (email) VALUES ('a@b.c')",
        "INSERT INTO confluent.iam.members SELECT * FROM confluent.iam.members",
        "UPDATE confluent.iam.members SET name = 'x'",
        "TRUNCATE TABLE clickhouse.members.members",
    ] {
        let error = fixture.refused(sql).await;
        assert!(
            error.contains("INSERT INTO invitations invites people"),
            "{sql}: {error}"
        );
    }
}
