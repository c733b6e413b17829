//! `INSERT` creates each invitation once, according to the sandbox's ledger.

use std::time::Duration;

use datafusion::{
    dataframe::DataFrameWriteOptions, physical_plan::collect, prelude::SessionContext,
};
use org_invitations_sandbox::{
    Fault, Faults, Limit, Limits, Operation, Provider, Rule, SYSTEM_ROLES,
};

use crate::fixture::{CLICKHOUSE, CONFLUENT, Fixture};

#[tokio::test(flavor = "multi_thread")]
async fn values_are_invited_with_their_options() {
    let fixture = Fixture::empty().await;
    let run = fixture
        .run(&format!(
            "INSERT INTO {CONFLUENT} (auth_type, email) VALUES
             ('sso', 'Ann@x.io'), (NULL, 'bob@x.io'), ('local', 'o''neil@x.io')"
        ))
        .await;
    assert_eq!(run.count(), 3);
    assert_eq!(run.requests, ["confluent create"; 3]);
    let seen = fixture
        .rows(&format!("SELECT email, auth_type FROM {CONFLUENT}"))
        .await;
    assert_eq!(
        seen,
        ["Ann@x.io | sso", "bob@x.io | local", "o'neil@x.io | local"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_given_by_name_or_by_ids() {
    let fixture = Fixture::empty().await;
    let [admin, _, billing] = SYSTEM_ROLES;
    let sql = format!(
        "INSERT INTO {CLICKHOUSE} (email, role, role_ids) VALUES
         ('a@x.io', 'admin', NULL), ('b@x.io', NULL, ['{}', '{}']), ('c@x.io', NULL, NULL)",
        admin.id, billing.id
    );
    assert_eq!(fixture.run(&sql).await.count(), 3);
    let sql = format!("SELECT email, array_to_string(role_ids, '+') FROM {CLICKHOUSE}");
    let names = |text: String| {
        SYSTEM_ROLES
            .iter()
            .fold(text, |text, role| text.replace(role.id, role.name))
    };
    let seen: Vec<String> = fixture.rows(&sql).await.into_iter().map(names).collect();
    assert_eq!(
        seen,
        [
            "a@x.io | Admin",
            "b@x.io | Admin+Billing",
            "c@x.io | Developer"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_union_each_row_goes_to_its_provider() {
    let fixture = Fixture::empty().await;
    let sql = "INSERT INTO invitations (provider, email) VALUES
               ('confluent', 'a@x.io'), ('clickhouse', 'a@x.io'), ('clickhouse', 'b@x.io')";
    let run = fixture.run(sql).await;
    assert_eq!(run.count(), 3);
    assert_eq!(
        run.commits,
        [
            "create clickhouse a@x.io",
            "create clickhouse b@x.io",
            "create confluent a@x.io"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_another_table_are_invited() {
    let fixture = Fixture::seeded(3).await;
    fixture.invite(Provider::ClickHouse, &["zoe@x.io"]).await;
    let sql = format!(
        "INSERT INTO {CONFLUENT} (email) SELECT email FROM {CLICKHOUSE}
         WHERE email NOT IN (SELECT email FROM {CONFLUENT})"
    );
    let run = fixture.run(&sql).await;
    assert_eq!(run.count(), 1);
    assert_eq!(run.commits, ["create confluent zoe@x.io"]);
    // Once more: nobody is left.
    assert_eq!(fixture.run(&sql).await.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_file_are_invited() {
    let fixture = Fixture::empty().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.csv");
    let people: String = (0..250)
        .map(|number| format!("p{number}@x.io,{number}\n"))
        .collect();
    std::fs::write(&path, format!("email,staff\n{people}")).unwrap();
    let sql = format!(
        "INSERT INTO {CONFLUENT} (email) SELECT email FROM '{}' WHERE staff < 120",
        path.display()
    );
    let run = fixture.run(&sql).await;
    assert_eq!(run.count(), 120);
    assert_eq!(run.commits.len(), 120);
    assert_eq!(fixture.left(Provider::Confluent).len(), 120);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insert_of_no_rows_counts_zero() {
    let fixture = Fixture::empty().await;
    let sql = format!("INSERT INTO {CONFLUENT} (email) SELECT email FROM {CLICKHOUSE}");
    let run = fixture.run(&sql).await;
    assert_eq!(run.count(), 0);
    assert_eq!(run.requests, ["clickhouse list"]);
}

/// Everybody is invited once, even if replies are lost.
#[tokio::test(flavor = "multi_thread")]
async fn lost_replies_invite_nobody_twice() {
    for fault in [
        Fault::reset_before(),
        Fault::reset_after(),
        Fault::status_after(500),
        Fault::status_before(503),
        Fault::truncated_body(),
        Fault::rate_limited(20),
    ] {
        let fixture = Fixture::empty().await;
        let rule = Rule::new(fault.clone())
            .on(Operation::Create)
            .nth(3)
            .times(4);
        fixture.sandbox.set_faults(Faults::script([rule]));
        let people: Vec<String> = (0..12)
            .map(|number| format!("('p{number}@x.io')"))
            .collect();
        let people = people.join(", ");
        for table in [CONFLUENT, CLICKHOUSE] {
            let run = fixture
                .run(&format!("INSERT INTO {table} (email) VALUES {people}"))
                .await;
            assert_eq!(run.count(), 12, "{table} {fault:?}");
            let mut once = run.commits.clone();
            once.dedup();
            assert_eq!(
                (run.commits.len(), once.len()),
                (12, 12),
                "{table} {fault:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inserts_beyond_the_rate_limit_wait_and_succeed() {
    let fixture = Fixture::empty().await;
    let limit = Limit::new(4, Duration::from_millis(60));
    fixture
        .sandbox
        .set_limits(Limits::default().clickhouse(limit));
    let people: Vec<String> = (0..15)
        .map(|number| format!("('p{number}@x.io')"))
        .collect();
    let sql = format!(
        "INSERT INTO {CLICKHOUSE} (email) VALUES {}",
        people.join(", ")
    );
    let run = fixture.run(&sql).await;
    assert_eq!(run.count(), 15);
    assert_eq!(run.commits.len(), 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insert_takes_a_parameter_and_is_not_prepared() {
    let fixture = Fixture::empty().await;
    let sql = format!("INSERT INTO {CONFLUENT} (email) VALUES ($1)");
    let prepare = format!("PREPARE invite(TEXT) AS {sql}");
    let refused = fixture.refused(&prepare).await;
    assert!(refused.contains("PREPARE"), "{refused}");
    let run = async {
        let frame = org_invitations_sql::sql(&fixture.context, &sql).await?;
        let value = datafusion::common::ScalarValue::from("ann@x.io");
        frame.with_param_values(vec![value])?.collect().await
    };
    let run = fixture.watch(run).await;
    assert_eq!(run.commits, ["create confluent ann@x.io"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn preparing_and_explaining_an_insert_sends_nothing() {
    let fixture = Fixture::seeded(2).await;
    let sql = format!("INSERT INTO {CONFLUENT} (email) SELECT email || '.x' FROM {CLICKHOUSE}");
    let run = fixture.run(&format!("EXPLAIN {sql}")).await;
    let plan = run.ordered().join("\n");
    assert!(plan.contains("CreateInvitations: confluent"), "{plan}");
    assert_eq!(run.requests, [""; 0]);
    let prepare = async {
        let frame = org_invitations_sql::sql(&fixture.context, &sql).await?;
        frame.create_physical_plan().await?;
        Ok(Vec::new())
    };
    let run = fixture.watch(prepare).await;
    assert!(run.result.is_ok(), "{:?}", run.result);
    assert_eq!((run.requests.len(), run.commits.len()), (0, 0));
}

/// All rows are read before the first is sent, so that an `INSERT` from its own table ends.
#[tokio::test(flavor = "multi_thread")]
async fn an_insert_from_its_own_table_reads_it_first() {
    let fixture = Fixture::seeded(120).await;
    let sql = format!(
        "INSERT INTO {CONFLUENT} (email) SELECT 'new-' || email FROM {CONFLUENT} WHERE id > 'i-seed-5'"
    );
    let run = fixture.run(&sql).await;
    let count = run.count() as usize;
    assert_eq!(fixture.left(Provider::Confluent).len(), 120 + count);
    let creates = run.requests.iter().position(|it| it == "confluent create");
    assert_eq!(creates, Some(2), "{:?}", run.requests);
}

/// Inserting by a data frame, without SQL.
#[tokio::test(flavor = "multi_thread")]
async fn a_frame_is_written_as_if_inserted() {
    let fixture = Fixture::empty().await;
    // Too few columns, and of other names.
    for wrong in [
        "SELECT 'ann@x.io' AS email",
        "SELECT 1 AS email",
        "SELECT 'ann@x.io' AS e, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13",
    ] {
        let frame = fixture.context.sql(wrong).await.unwrap();
        let options = DataFrameWriteOptions::new();
        let run = fixture
            .watch(async { frame.write_table(CONFLUENT, options).await })
            .await;
        run.error();
        assert_eq!(run.requests, [""; 0], "{wrong}");
    }
    // The table's own rows fit, and have ids, which cannot be set.
    fixture.invite(Provider::Confluent, &["ann@x.io"]).await;
    let frame = fixture.context.table(CONFLUENT).await.unwrap();
    let options = DataFrameWriteOptions::new();
    let run = fixture
        .watch(async { frame.write_table(CONFLUENT, options).await })
        .await;
    let error = run.error().to_string();
    assert!(error.contains("`id` cannot be set"), "{error}");
    assert_eq!(run.commits, [""; 0]);
}

/// Rows whose columns do not fit are refused, and nothing panics.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_whose_columns_do_not_fit_is_refused() {
    use datafusion::{catalog::TableProvider, logical_expr::dml::InsertOp};
    let fixture = Fixture::empty().await;
    let plain = SessionContext::new();
    let [(_, table), ..] = fixture.tables();
    for wrong in [
        "SELECT 'ann@x.io' AS email",
        "SELECT 1 AS id, 2 AS accepted_at, 3, 4, 5, 6 AS email, 7, 8, 9, 10, 11, 12, 13",
    ] {
        let frame = plain.sql(wrong).await.unwrap();
        let input = frame.create_physical_plan().await.unwrap();
        let state = fixture.context.state();
        let planned = table.insert_into(&state, input, InsertOp::Append).await;
        let work = async { collect(planned?, fixture.context.task_ctx()).await };
        let run = fixture.watch(work).await;
        run.error();
        assert_eq!(run.requests, [""; 0], "{wrong}");
    }
}
