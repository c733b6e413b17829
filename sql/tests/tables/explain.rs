//! `EXPLAIN` shows what would be sent, and sends nothing.

use crate::fixture::{CONFLUENT, Fixture};

/// The part of the plan that is about invitations, one line for each table.
async fn explained(sql: &str) -> Vec<String> {
    let fixture = Fixture::seeded(3).await;
    let run = fixture.run(&format!("EXPLAIN {sql}")).await;
    let plan = run.ordered().join("\n");
    assert_eq!(run.requests, [""; 0], "{sql}");
    let physical = plan.split("physical_plan").nth(1).unwrap_or_default();
    let lines = physical
        .lines()
        .map(|line| line.trim_start_matches([' ', '|']).trim_end());
    let ours = lines.filter(|line| line.contains("InvitationsExec") || line.contains("EmptyExec"));
    ours.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_shows_pushed_filters_and_row_checks() {
    for (rest, expected) in [
        ("", "confluent: list, columns=[id]"),
        ("LIMIT 5", "confluent: list, columns=[id], limit=5"),
        (
            "WHERE id = 'i-seed-1'",
            "confluent: get i-seed-1, rows=[id = 'i-seed-1'], columns=[id]",
        ),
        (
            "WHERE id IN ('i-2', 'i-1')",
            "confluent: get i-1, i-2, rows=[id IN ('i-1', 'i-2')], columns=[id]",
        ),
        (
            "WHERE email = 'o''neil@x.io' AND status = 'sent'",
            "confluent: list email=o'neil@x.io status=sent, \
             rows=[email = 'o''neil@x.io' AND status = 'sent'], columns=[id]",
        ),
        (
            "WHERE email IN ('a@b', 'c@d') LIMIT 1",
            "confluent: list email=a@b; list email=c@d, rows=[email IN ('a@b', 'c@d')], \
             columns=[id], limit=1",
        ),
        (
            "WHERE status IN ('sent', 'other')",
            "confluent: list, rows=[status IN ('other', 'sent')], columns=[id]",
        ),
        (
            "WHERE email LIKE '%@b'",
            "confluent: list, columns=[id, email]",
        ),
    ] {
        let seen = explained(&format!("SELECT id FROM {CONFLUENT} {rest}")).await;
        assert_eq!(seen, [format!("InvitationsExec: {expected}")], "{rest}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_shows_the_providers_that_are_queried() {
    let seen = explained("SELECT email FROM invitations WHERE email = 'a@b'").await;
    assert_eq!(
        seen,
        [
            "InvitationsExec: confluent: list email=a@b | clickhouse: list, rows=[email = 'a@b'], columns=[email]"
        ]
    );
    let seen = explained("SELECT email FROM invitations WHERE provider = 'clickhouse'").await;
    assert_eq!(
        seen,
        ["InvitationsExec: clickhouse: list, rows=[provider = 'clickhouse'], columns=[email]"]
    );
    let seen = explained("SELECT email FROM invitations WHERE provider = 'x'").await;
    assert_eq!(seen, ["EmptyExec"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_analyze_of_a_query_counts_its_rows() {
    let fixture = Fixture::seeded(3).await;
    let run = fixture
        .run(&format!(
            "EXPLAIN ANALYZE SELECT id FROM {CONFLUENT} WHERE status = 'sent'"
        ))
        .await;
    let plan = run.ordered().join("\n");
    let line = plan
        .lines()
        .find(|line| line.contains("InvitationsExec"))
        .unwrap();
    assert!(line.contains("output_rows=3"), "{line}");
    assert_eq!(run.requests, ["confluent list status=INVITE_STATUS_SENT"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn planning_a_query_sends_nothing() {
    let fixture = Fixture::seeded(3).await;
    let work = async {
        let frame = fixture
            .context
            .sql("SELECT * FROM invitations WHERE id = 'i-seed-1'")
            .await?;
        frame.create_physical_plan().await?;
        Ok(Vec::new())
    };
    let run = fixture.watch(work).await;
    assert!(run.result.is_ok(), "{:?}", run.result);
    assert_eq!(run.requests, [""; 0]);
}
