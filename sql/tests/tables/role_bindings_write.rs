//! Roles that are given by `INSERT` and taken by `DELETE`, according to the sandbox's ledger.

use org_invitations::{MemberId, RemovalLimit, RoleGrant};
use org_invitations_sandbox::{Fault, Faults, Operation, Rule, SYSTEM_ROLES};
use org_invitations_sql::{WriteOptions, row_errors};

use crate::fixture::Fixture;

const CONFLUENT: &str = "confluent.iam.role_bindings";
const CLICKHOUSE: &str = "clickhouse.members.role_bindings";

/// The id of a seeded member of ClickHouse.
fn id(number: u32) -> String {
    format!("00000001-0000-4000-8000-00000000000{number}")
}

async fn fixture() -> Option<Fixture> {
    let options = WriteOptions::default().max_deletes(RemovalLimit::count(5));
    Fixture::with_members(3, options).await
}

/// The roles on Confluent, such as `u-1 MetricsViewer`, and the ids of those of ClickHouse's first member.
async fn roles(fixture: &Fixture) -> (Vec<String>, Vec<String>) {
    let bindings = fixture.sandbox.role_bindings().into_iter();
    let bindings = bindings.map(|it| {
        let (_, scope) = it.crn_pattern.split_once("organization=").unwrap();
        let scope = scope.split_once('/').map_or("", |(_, scope)| scope);
        let principal = it.principal.trim_start_matches("User:").to_owned();
        format!("{principal} {} {scope}", it.role_name)
            .trim_end()
            .to_owned()
    });
    let mut bindings: Vec<String> = bindings
        .filter(|binding| binding.starts_with("u-seed-member"))
        .collect();
    bindings.sort();
    let first = MemberId::new(id(1)).unwrap();
    let names = fixture.clickhouse.member_roles(&first).await.unwrap();
    let mut names: Vec<String> = names.into_iter().filter_map(|role| role.name).collect();
    names.sort();
    (bindings, names)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insert_gives_roles_on_confluent() {
    let Some(fixture) = fixture().await else {
        return;
    };
    let sql = format!(
        "INSERT INTO {CONFLUENT} (member_id, role_name, scope) VALUES
         ('u-seed-member-1', 'MetricsViewer', NULL),
         ('u-seed-member-1', 'EnvironmentAdmin', 'env-1'),
         ('u-seed-member-2', 'MetricsViewer', NULL)"
    );
    let run = fixture.run(&sql).await;
    assert_eq!(run.count(), 3);
    assert_eq!(run.commits.len(), 3);
    let expected = [
        "u-seed-member-1 EnvironmentAdmin environment=env-1",
        "u-seed-member-1 MetricsViewer",
        "u-seed-member-2 MetricsViewer",
    ];
    assert_eq!(roles(&fixture).await.0, expected);
    // What is there already is success, and is not sent again.
    let run = fixture.run(&sql).await;
    assert_eq!((run.count(), run.commits.len()), (3, 0));
    assert!(
        !run.requests
            .iter()
            .any(|it| it.contains(" bind") && !it.contains(" bindings")),
        "{:?}",
        run.requests
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insert_gives_roles_on_clickhouse_at_once() {
    let Some(fixture) = fixture().await else {
        return;
    };
    let (first, billing) = (id(1), SYSTEM_ROLES[2].id);
    let sql = format!(
        "INSERT INTO {CLICKHOUSE} (member_id, role_id, role_name) VALUES
         ('{first}', '{billing}', NULL), ('{first}', NULL, 'admin')"
    );
    let run = fixture.run(&sql).await;
    assert_eq!(run.count(), 2);
    assert_eq!(roles(&fixture).await.1, ["Admin", "Billing", "Developer"]);
    let updates = run
        .requests
        .iter()
        .filter(|it| it.contains(" update "))
        .count();
    assert_eq!(updates, 1, "{:?}", run.requests);
    assert_eq!(run.commits, ["update clickhouse member1@seeded.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_names_the_member_of_a_role() {
    let Some(fixture) = fixture().await else {
        return;
    };
    let sql = "INSERT INTO role_bindings (provider, email, role_name)
               SELECT provider, upper(email), 'Billing' FROM members
               WHERE provider = 'clickhouse' AND name = 'member1'";
    assert_eq!(fixture.run(sql).await.count(), 1);
    assert_eq!(roles(&fixture).await.1, ["Billing", "Developer"]);
    let sql = format!(
        "INSERT INTO {CONFLUENT} (email, role_name) VALUES ('member1@seeded.example', 'MetricsViewer'), \
         ('nobody@example.com', 'MetricsViewer')"
    );
    let run = fixture.run(&sql).await;
    let rows = row_errors(run.error()).unwrap();
    assert_eq!((rows.succeeded, rows.errors.len()), (0, 1));
    assert_eq!(
        (rows.errors[0].number, rows.errors[0].target.as_str()),
        (2, "nobody@example.com")
    );
    assert!(rows.errors[0].reason.contains("no member has this address"));
    assert_eq!(run.commits, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_cannot_be_given_stops_all_rows() {
    let Some(fixture) = fixture().await else {
        return;
    };
    let first = id(1);
    for (table, row, words) in [
        (CLICKHOUSE, format!("'{first}', 'Billng', NULL"), "Billing"),
        (
            CLICKHOUSE,
            format!("'{first}', 'Billing', 'env-1'"),
            "scope",
        ),
        (
            CONFLUENT,
            "'u-1', 'MetricsViewer', 'nowhere'".to_owned(),
            "CRN pattern",
        ),
        (
            CONFLUENT,
            "'u/1', 'MetricsViewer', NULL".to_owned(),
            "member id",
        ),
        (CONFLUENT, "'u-1', '', NULL".to_owned(), "is empty"),
        (
            CONFLUENT,
            "'u-1', NULL, NULL".to_owned(),
            "neither `role_id` nor `role_name`",
        ),
        (
            CONFLUENT,
            "NULL, 'MetricsViewer', NULL".to_owned(),
            "neither `member_id` nor `email`",
        ),
    ] {
        let good = match table {
            CLICKHOUSE => format!("'{first}', 'Billing', NULL"),
            _ => "'u-seed-member-1', 'MetricsViewer', NULL".to_owned(),
        };
        let columns = "member_id, role_name, scope";
        let sql = format!("INSERT INTO {table} ({columns}) VALUES ({good}), ({row})");
        let run = fixture.run(&sql).await;
        let rows = row_errors(run.error()).unwrap();
        assert_eq!((rows.succeeded, rows.errors.len()), (0, 1), "{row}");
        assert_eq!(rows.errors[0].number, 2, "{row}");
        assert!(
            rows.errors[0].reason.contains(words),
            "{row}: {}",
            rows.errors[0].reason
        );
        assert_eq!(run.commits, [""; 0], "{row}");
    }
    let sql = "INSERT INTO role_bindings (member_id, role_name) VALUES ('u-1', 'MetricsViewer')";
    let run = fixture.run(sql).await;
    assert!(
        run.error()
            .to_string()
            .contains("`provider` has to be one of")
    );
    assert_eq!(run.requests, [""; 0]);
    let sql = format!("INSERT INTO {CONFLUENT} (member_id, role_kind) VALUES ('u-1', 'system')");
    let error = fixture.refused(&sql).await;
    assert!(error.contains("cannot set role_kind"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_that_could_not_be_given_are_listed() {
    let Some(fixture) = fixture().await else {
        return;
    };
    let fault = Rule::new(Fault::status_before(403)).on(Operation::CreateRoleBinding);
    fixture.sandbox.set_faults(Faults::script([fault]));
    let sql = format!(
        "INSERT INTO {CONFLUENT} (member_id, role_name) VALUES
         ('u-seed-member-1', 'MetricsViewer'), ('u-seed-member-1', 'AccountAdmin')"
    );
    let run = fixture.run(&sql).await;
    let rows = row_errors(run.error()).unwrap();
    assert_eq!(
        (rows.statement, rows.succeeded, rows.errors.len()),
        ("INSERT", 1, 1)
    );
    let failed = &rows.errors[0];
    assert_eq!(
        (failed.number, failed.target.as_str()),
        (1, "u-seed-member-1")
    );
    assert_eq!(failed.error.as_ref().unwrap().status(), Some(403));
    assert_eq!(roles(&fixture).await.0, ["u-seed-member-1 AccountAdmin"]);
}

/// The first member has three roles on Confluent and two on ClickHouse.
async fn with_roles() -> Option<Fixture> {
    let fixture = fixture().await?;
    let grants = |names: &[&str]| -> Vec<RoleGrant> {
        names.iter().map(|name| RoleGrant::from(*name)).collect()
    };
    let user = MemberId::new("u-seed-member-1").unwrap();
    let names = [
        "MetricsViewer",
        "EnvironmentAdmin@env-1",
        "EnvironmentAdmin@env-2",
    ];
    let change = fixture
        .confluent
        .grant_roles(&user, &grants(&names))
        .await
        .unwrap();
    assert_eq!(change.failed.len(), 0, "{change:?}");
    let user = MemberId::new(id(1)).unwrap();
    let change = fixture
        .clickhouse
        .grant_roles(&user, &grants(&["Billing"]))
        .await
        .unwrap();
    assert_eq!(change.added.len(), 1, "{change:?}");
    Some(fixture)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_takes_exactly_the_roles_that_match() {
    let (metrics, one, two) = (
        "u-seed-member-1 MetricsViewer",
        "u-seed-member-1 EnvironmentAdmin environment=env-1",
        "u-seed-member-1 EnvironmentAdmin environment=env-2",
    );
    for (sql, confluent, clickhouse) in [
        (
            "confluent.iam.role_bindings WHERE scope = 'env-1'",
            vec![two, metrics],
            2,
        ),
        (
            "confluent.iam.role_bindings WHERE scope IS NULL",
            vec![one, two],
            2,
        ),
        (
            "confluent.iam.role_bindings WHERE role_name LIKE 'Env%'",
            vec![metrics],
            2,
        ),
        (
            "confluent.iam.role_bindings WHERE email = 'member1@seeded.example'",
            vec![],
            2,
        ),
        (
            "confluent.iam.role_bindings WHERE email = 'member2@seeded.example'",
            vec![one, two, metrics],
            2,
        ),
        (
            "role_bindings WHERE role_name IN ('MetricsViewer', 'Billing')",
            vec![one, two],
            1,
        ),
        (
            "clickhouse.members.role_bindings WHERE role_name = 'Billing'",
            vec![one, two, metrics],
            1,
        ),
    ] {
        let Some(fixture) = with_roles().await else {
            return;
        };
        let run = fixture.run(&format!("DELETE FROM {sql}")).await;
        let (left, names) = roles(&fixture).await;
        assert_eq!(left, confluent, "{sql}");
        assert_eq!(names.len(), clickhouse, "{sql}: {names:?}");
        let taken = 5 - confluent.len() - clickhouse;
        assert_eq!(run.count() as usize, taken, "{sql}");
        assert_eq!(run.commits.len(), taken, "{sql}: {:?}", run.commits);
        let unbinds = run.requests.iter().filter(|it| it.contains(" unbind "));
        assert_eq!(
            unbinds.count(),
            3 - confluent.len(),
            "{sql}: {:?}",
            run.requests
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limits_of_a_delete_hold_for_roles() {
    let Some(fixture) = with_roles().await else {
        return;
    };
    let error = fixture.refused(&format!("DELETE FROM {CLICKHOUSE}")).await;
    assert!(error.contains("delete all role bindings"), "{error}");
    let run = fixture
        .run("DELETE FROM role_bindings WHERE role_name <> 'x'")
        .await;
    let error = run.error().to_string();
    assert!(
        error.contains("matches 7 role bindings of 7, and the limit is 5;"),
        "{error}"
    );
    assert_eq!(run.commits, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_was_taken_meanwhile_is_not_counted() {
    let Some(fixture) = with_roles().await else {
        return;
    };
    // Somebody else takes it between the selection and the deletion.
    let rule = Rule::new(Fault::duplicate()).on(Operation::DeleteRoleBinding);
    fixture.sandbox.set_faults(Faults::script([rule]));
    let sql = format!("DELETE FROM {CONFLUENT} WHERE scope = 'env-1'");
    let run = fixture.run(&sql).await;
    assert_eq!((run.count(), run.commits.len()), (1, 1));
    let run = fixture.run(&sql).await;
    assert_eq!((run.count(), run.commits.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_that_could_not_be_taken_are_listed() {
    let Some(fixture) = with_roles().await else {
        return;
    };
    let fault = Rule::new(Fault::status_before(403)).on(Operation::DeleteRoleBinding);
    fixture.sandbox.set_faults(Faults::script([fault]));
    let sql = format!("DELETE FROM {CONFLUENT} WHERE role_name = 'EnvironmentAdmin'");
    let run = fixture.run(&sql).await;
    let rows = row_errors(run.error()).unwrap();
    assert_eq!((rows.succeeded, rows.errors.len()), (1, 1));
    assert_eq!(rows.errors[0].target, "u-seed-member-1");
    assert_eq!(run.commits.len(), 1, "{:?}", run.commits);
    assert_eq!(roles(&fixture).await.0.len(), 2);
}
