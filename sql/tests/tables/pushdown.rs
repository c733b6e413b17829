//! What is sent for a query, by the sandbox's ledger.

use std::sync::Arc;

use datafusion::{
    catalog::TableProvider,
    physical_plan::collect,
    prelude::{col, lit},
};
use org_invitations_sandbox::Provider;
use org_invitations_sql::register;

use crate::{
    fake_provider::{FakeProvider, Filters},
    fixture::{CLICKHOUSE, CONFLUENT, Fixture, StatementRun, users},
};

const UUID: &str = "00000000-0000-4000-8000-00000000000";

/// Runs a query on a table of a world with 12 invitations each.
async fn run(columns: &str, table: &str, rest: &str) -> StatementRun {
    let fixture = Fixture::seeded(12).await;
    fixture
        .run(&format!("SELECT {columns} FROM {table} {rest}"))
        .await
}

#[track_caller]
fn assert_sent(run: &StatementRun, expected: &[&str]) {
    let mut requests = run.requests.clone();
    requests.sort();
    assert_eq!(requests, expected, "rows: {:?}", run.result.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_a_get() {
    let seen = run("email", CONFLUENT, "WHERE id = 'i-seed-3'").await;
    assert_eq!(seen.rows(), users([3]));
    assert_sent(&seen, &["confluent get i-seed-3"]);
    let seen = run("email", CLICKHOUSE, &format!("WHERE '{UUID}3' = id")).await;
    assert_eq!(seen.rows(), users([3]));
    assert_sent(&seen, &[&format!("clickhouse get {UUID}3")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_are_a_get_each_and_those_of_nobody_are_no_rows() {
    for condition in [
        "id IN ('i-seed-3', 'i-seed-4', 'i-none', 'i-seed-3')",
        "id = 'i-seed-3' OR id = 'i-seed-4' OR id = 'i-none'",
        "(id IN ('i-seed-3') OR id = 'i-none') OR 'i-seed-4' = id",
    ] {
        let seen = run("email", CONFLUENT, &format!("WHERE {condition}")).await;
        assert_eq!(seen.rows(), users([3, 4]), "{condition}");
        assert_sent(
            &seen,
            &[
                "confluent get i-none",
                "confluent get i-seed-3",
                "confluent get i-seed-4",
            ],
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_ids_are_gets_and_one_more_is_a_list() {
    let fixture = Fixture::seeded(3).await;
    for (count, sent) in [(100, 100), (101, 1)] {
        let ids: Vec<String> = (1..=count).map(|id| format!("'i-seed-{id}'")).collect();
        let sql = format!(
            "SELECT email FROM {CONFLUENT} WHERE id IN ({})",
            ids.join(", ")
        );
        let seen = fixture.run(&sql).await;
        assert_eq!(seen.rows(), users(1..=3));
        assert_eq!(seen.requests.len(), sent, "{:?}", seen.requests);
    }
}

/// There, a list is one request.
#[tokio::test(flavor = "multi_thread")]
async fn five_ids_are_gets_on_clickhouse_and_one_more_is_a_list() {
    let fixture = Fixture::seeded(3).await;
    for (count, sent) in [(5, 5), (6, 1)] {
        let ids: Vec<String> = (1..=count).map(|id| format!("'{UUID}{id}'")).collect();
        let sql = format!(
            "SELECT email FROM {CLICKHOUSE} WHERE id IN ({})",
            ids.join(", ")
        );
        let seen = fixture.run(&sql).await;
        assert_eq!(seen.rows(), users(1..=3));
        assert_eq!(seen.requests.len(), sent, "{:?}", seen.requests);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_and_more_is_a_get_whose_answer_is_compared() {
    let right = "WHERE id = 'i-seed-3' AND email = 'user3@seeded.example' AND status = 'sent'";
    let seen = run("email", CONFLUENT, right).await;
    assert_eq!(seen.rows(), users([3]));
    assert_sent(&seen, &["confluent get i-seed-3"]);
    let wrong = "WHERE id = 'i-seed-3' AND email = 'user4@seeded.example'";
    let seen = run("email", CONFLUENT, wrong).await;
    assert_eq!(seen.rows(), [""; 0]);
    assert_sent(&seen, &["confluent get i-seed-3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn confluents_server_filters_by_each_of_its_four_filters() {
    let fixture = Fixture::seeded(12).await;
    let creator = fixture
        .rows(&format!(
            "SELECT creator FROM {CONFLUENT} WHERE id = 'i-seed-1'"
        ))
        .await
        .remove(0);
    let by_creator = format!("creator = '{creator}'");
    let sent_for_creator = format!("confluent list creator={creator}");
    for (condition, rows, sent) in [
        (
            "email = 'user3@seeded.example'",
            1,
            "confluent list email=user3%40seeded.example",
        ),
        (
            "status = 'sent'",
            12,
            "confluent list status=INVITE_STATUS_SENT",
        ),
        (
            "status = 'accepted'",
            0,
            "confluent list status=INVITE_STATUS_ACCEPTED",
        ),
        (r#""user" = 'u-seed-3'"#, 1, "confluent list user=u-seed-3"),
        (&by_creator, 12, &sent_for_creator),
        (
            r#"email = 'user3@seeded.example' AND status = 'sent' AND "user" = 'u-seed-3'"#,
            1,
            "confluent list email=user3%40seeded.example status=INVITE_STATUS_SENT user=u-seed-3",
        ),
    ] {
        let sql = format!("SELECT id FROM {CONFLUENT} WHERE {condition}");
        let seen = fixture.run(&sql).await;
        assert_eq!(seen.rows().len(), rows, "{condition}");
        assert_eq!(seen.requests, [sent], "{condition}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_values_are_a_list_each_and_no_row_twice() {
    for condition in [
        "email IN ('user3@seeded.example', 'user4@seeded.example', 'user3@seeded.example')",
        "email = 'user3@seeded.example' OR email = 'user4@seeded.example'",
    ] {
        let seen = run("email", CONFLUENT, &format!("WHERE {condition}")).await;
        assert_eq!(seen.rows(), users([3, 4]));
        assert_sent(
            &seen,
            &[
                "confluent list email=user3%40seeded.example",
                "confluent list email=user4%40seeded.example",
            ],
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_addresses_are_lists_and_one_more_is_the_whole_list() {
    let fixture = Fixture::seeded(30).await;
    for (count, sent) in [(20, 20), (21, 1)] {
        let emails = users(1..=count);
        let quoted: Vec<String> = emails.iter().map(|it| format!("'{it}'")).collect();
        let sql = format!(
            "SELECT email FROM {CONFLUENT} WHERE email IN ({})",
            quoted.join(", ")
        );
        let seen = fixture.run(&sql).await;
        assert_eq!(seen.rows(), emails);
        assert_eq!(seen.requests.len(), sent, "{:?}", seen.requests);
    }
}

/// Of two filters with several values, one is asked for value by value, and the rows compared.
#[tokio::test(flavor = "multi_thread")]
async fn of_several_values_in_two_columns_one_is_filtered_here() {
    let seen = run(
        "email",
        CONFLUENT,
        "WHERE email IN ('user3@seeded.example', 'user4@seeded.example')
         AND status IN ('sent', 'accepted')",
    )
    .await;
    assert_eq!(seen.rows(), users([3, 4]));
    assert_sent(
        &seen,
        &[
            "confluent list email=user3%40seeded.example",
            "confluent list email=user4%40seeded.example",
        ],
    );
}

/// An `OR` across two columns is not a filter of the server.
#[tokio::test(flavor = "multi_thread")]
async fn an_or_across_columns_reads_everything_once() {
    let rest = "WHERE email = 'user3@seeded.example' OR id = 'i-seed-4'";
    let seen = run("email", CONFLUENT, rest).await;
    assert_eq!(seen.rows(), users([3, 4]));
    assert_sent(&seen, &["confluent list"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_server_can_filter_reads_everything_once() {
    for condition in [
        "email LIKE 'user3@%'",
        "lower(email) = 'user3@seeded.example'",
        "NOT email <> 'user3@seeded.example' AND true",
        "email || '' IN ('user3@seeded.example')",
    ] {
        let seen = run("email", CLICKHOUSE, &format!("WHERE {condition}")).await;
        assert_eq!(seen.rows(), users([3]), "{condition}");
        assert_sent(&seen, &["clickhouse list"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clickhouse_has_no_filters_so_one_list_is_compared_here() {
    for (condition, rows) in [
        ("email = 'user3@seeded.example'", 1),
        ("email = 'USER3@seeded.example'", 0),
        (
            "email IN ('user3@seeded.example', 'user4@seeded.example')",
            2,
        ),
        ("status = 'sent'", 12),
        ("status IN ('sent', 'expired')", 12),
    ] {
        let seen = run("email", CLICKHOUSE, &format!("WHERE {condition}")).await;
        assert_eq!(seen.rows().len(), rows, "{condition}");
        assert_sent(&seen, &["clickhouse list"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_providers_that_are_named_are_asked() {
    for (condition, sent) in [
        ("provider = 'confluent'", vec!["confluent list"]),
        ("'clickhouse' = provider", vec!["clickhouse list"]),
        (
            "provider IN ('clickhouse', 'other')",
            vec!["clickhouse list"],
        ),
        (
            "provider IN ('clickhouse', 'confluent')",
            vec!["clickhouse list", "confluent list"],
        ),
        ("provider = 'Confluent'", vec![]),
        ("provider = 'other'", vec![]),
        ("provider = 'confluent' AND provider = 'clickhouse'", vec![]),
        (
            "provider = 'confluent' AND id = 'i-seed-3'",
            vec!["confluent get i-seed-3"],
        ),
    ] {
        let seen = run("email", "invitations", &format!("WHERE {condition}")).await;
        assert!(seen.result.is_ok(), "{condition}: {:?}", seen.result);
        assert_sent(&seen, &sent);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nothing_can_match_is_not_asked_for() {
    for condition in [
        "1 = 0",
        "false",
        "email = NULL",
        "id IN (NULL)",
        "id IN (NULL, NULL)",
        "email IN (NULL) AND status = 'sent'",
        "NULL",
        "email = 'a@b' AND email = 'c@d'",
        "email IN ('a@b', 'c@d') AND email IN ('e@f')",
        "id = 'a' AND id IN ('b', 'c')",
        "id = ''",
        "id IN ('..', '.', 'a/b')",
    ] {
        let seen = run("email", "invitations", &format!("WHERE {condition}")).await;
        assert_eq!(seen.rows(), [""; 0], "{condition}");
        assert_eq!(seen.requests, [""; 0], "{condition}");
    }
    let seen = run("email", "invitations", "LIMIT 0").await;
    assert_eq!((seen.rows().len(), seen.requests.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_sets_the_size_of_the_page_and_asks_for_no_other() {
    let fixture = Fixture::seeded(25).await;
    for limit in [1, 7, 24] {
        let seen = fixture
            .run(&format!("SELECT email FROM {CONFLUENT} LIMIT {limit}"))
            .await;
        assert_eq!(seen.rows().len(), limit);
        assert_eq!(seen.requests, [format!("confluent list page_size={limit}")]);
    }
    // With a filter too, because it is the server's.
    let sql = format!("SELECT email FROM {CONFLUENT} WHERE status = 'sent' LIMIT 2");
    let seen = fixture.run(&sql).await;
    assert_eq!(seen.rows().len(), 2);
    assert_eq!(
        seen.requests,
        ["confluent list page_size=2 status=INVITE_STATUS_SENT"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_larger_than_a_page_reads_as_many_as_it_takes() {
    let fixture = Fixture::seeded(250).await;
    for (limit, pages) in [(99, 1), (100, 2), (198, 2), (199, 3), (1_000, 3)] {
        let seen = fixture
            .run(&format!("SELECT email FROM {CONFLUENT} LIMIT {limit}"))
            .await;
        assert_eq!(seen.rows().len(), limit.min(250));
        assert_eq!(seen.requests.len(), pages, "{limit}: {:?}", seen.requests);
    }
}

/// By a provider that counts, because a request that is on its way is not in the ledger yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_asks_for_no_page_that_it_does_not_need() {
    for (limit, pages) in [
        (1, 1),
        (9, 1),
        (10, 1),
        (11, 2),
        (20, 2),
        (21, 3),
        (500, 50),
    ] {
        let fixture = Fixture::empty().await;
        let fake = FakeProvider::of(1_000).shared();
        register(&fixture.context, "stock", Arc::clone(&fake) as _).unwrap();
        let sql = format!("SELECT email FROM stock LIMIT {limit}");
        assert_eq!(fixture.rows(&sql).await.len(), limit);
        assert_eq!(fake.pages(), pages, "LIMIT {limit}");
    }
}

/// The server gives more than it is asked for: what is left after the comparison counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_counts_the_rows_that_match() {
    for filters in [Filters::Ignored, Filters::Containing, Filters::Exact] {
        let fixture = Fixture::empty().await;
        let mut invitations = Vec::new();
        for number in 0..60 {
            let id = format!("i-{number}").parse().unwrap();
            let spelling = ["ann@x.io", "ANN@x.io", "ann@x.io.example"][number % 3];
            invitations.push(org_invitations::Invitation::new(id, spelling));
        }
        let fake = FakeProvider::new(invitations, filters).shared();
        register(&fixture.context, "stock", Arc::clone(&fake) as _).unwrap();
        let sql = "SELECT email FROM stock WHERE email = 'ann@x.io' LIMIT 5";
        assert_eq!(fixture.rows(sql).await, ["ann@x.io"; 5], "{filters:?}");
        // Pages of 5, of which every third row is one.
        let most = if filters == Filters::Exact { 1 } else { 3 };
        assert!(fake.pages() <= most, "{filters:?}: {}", fake.pages());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_behind_a_condition_of_the_engine_stops_paging_too() {
    let fixture = Fixture::empty().await;
    let fake = FakeProvider::of(100_000).shared();
    register(&fixture.context, "stock", Arc::clone(&fake) as _).unwrap();
    let sql = "SELECT email FROM stock WHERE email LIKE '%7@example.com' LIMIT 3";
    assert_eq!(fixture.rows(sql).await.len(), 3);
    // A batch is 100 pages, and the engine may have a few batches on their way; 10 000 pages without stopping.
    assert!(fake.pages() <= 1_000, "{}", fake.pages());
    let fixture = Fixture::seeded(10_000).await;
    let sql = format!("SELECT email FROM {CONFLUENT} WHERE email LIKE '%7@%' LIMIT 3");
    let run = fixture.run(&sql).await;
    assert_eq!(run.rows().len(), 3);
    // The first page has three, and here a batch is a page; 102 without stopping.
    assert!(run.requests.len() <= 10, "{:?}", run.requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_on_gets_does_them_one_by_one() {
    let seen = run(
        "email",
        CONFLUENT,
        "WHERE id IN ('i-seed-1', 'i-seed-2', 'i-seed-3', 'i-seed-4') LIMIT 2",
    )
    .await;
    assert_eq!(seen.rows().len(), 2);
    assert_sent(&seen, &["confluent get i-seed-1", "confluent get i-seed-2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_over_several_lists_stops_between_them() {
    let seen = run(
        "email",
        CONFLUENT,
        "WHERE email IN ('user1@seeded.example', 'user2@seeded.example') LIMIT 1",
    )
    .await;
    assert_eq!(seen.rows(), users([1]));
    assert_sent(
        &seen,
        &["confluent list email=user1%40seeded.example page_size=1"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_over_an_order_reads_everything() {
    let fixture = Fixture::seeded(120).await;
    let sql = format!("SELECT email FROM {CONFLUENT} ORDER BY email LIMIT 2");
    let seen = fixture.run(&sql).await;
    assert_eq!(seen.ordered(), users([100, 101]));
    assert_eq!(
        seen.requests,
        ["confluent list", "confluent list page_token"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_reads_every_page_and_no_column() {
    let fixture = Fixture::seeded(120).await;
    let seen = fixture
        .run(&format!("SELECT count(*) FROM {CONFLUENT}"))
        .await;
    assert_eq!(seen.count(), 120);
    assert_eq!(
        seen.requests,
        ["confluent list", "confluent list page_token"]
    );
    let plan = fixture
        .run(&format!("EXPLAIN SELECT count(*) FROM {CONFLUENT}"))
        .await
        .ordered()
        .join("\n");
    assert!(plan.contains("columns=[]"), "{plan}");
    let sql = format!("SELECT count(*) FROM {CONFLUENT} WHERE status = 'sent'");
    let seen = fixture.run(&sql).await;
    assert_eq!(seen.count(), 120);
    assert!(seen.requests[0].ends_with("status=INVITE_STATUS_SENT"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_a_query_names_twice_is_read_twice() {
    let fixture = Fixture::seeded(2).await;
    fixture.invite(Provider::ClickHouse, &["zoe@x.io"]).await;
    let sql = format!(
        "SELECT a.email FROM {CLICKHOUSE} a JOIN {CLICKHOUSE} b ON a.email = b.email
         WHERE b.email = 'zoe@x.io'"
    );
    let seen = fixture.run(&sql).await;
    assert_eq!(seen.rows(), ["zoe@x.io"]);
    assert_eq!(seen.requests, ["clickhouse list", "clickhouse list"]);
}

/// The engine rewrites conditions after it has given them to the table, and does not ask again.
#[tokio::test(flavor = "multi_thread")]
async fn a_null_among_the_values_is_no_value() {
    for condition in [
        "id IN ('i-seed-3', NULL)",
        "id IN (NULL, 'i-seed-3')",
        "id = 'i-seed-3' OR id = NULL",
        "id = NULL OR (id = NULL OR id = 'i-seed-3')",
    ] {
        let seen = run("email", CONFLUENT, &format!("WHERE {condition}")).await;
        assert_eq!(seen.rows(), users([3]), "{condition}");
        assert_sent(&seen, &["confluent get i-seed-3"]);
    }
}

/// Whatever an engine hands over, no row comes back that does not match it.
#[tokio::test]
async fn a_condition_that_was_not_promised_is_checked_all_the_same() {
    let fixture = Fixture::seeded(12).await;
    let [(_, table), ..] = fixture.tables();
    let state = fixture.context.state();
    let place = |name| table.schema().index_of(name).unwrap();
    let like = col("email").like(lit("user1%"));
    for (projection, limit, rows) in [
        (vec![place("id")], None, 4),
        (vec![place("status"), place("id")], Some(3), 3),
        (vec![], None, 4),
    ] {
        let filters = [like.clone(), col("status").eq(lit("sent"))];
        let plan = table.scan(&state, Some(&projection), &filters, limit).await;
        let batches = collect(plan.unwrap(), fixture.context.task_ctx())
            .await
            .unwrap();
        let count: usize = batches.iter().map(|batch| batch.num_rows()).sum();
        assert_eq!(count, rows, "{projection:?}");
        assert_eq!(batches[0].num_columns(), projection.len());
    }
}
