//! The tables of members and roles: columns, and what is sent for a query.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use org_invitations::{ErrorKind, MemberId, RoleGrant};
use org_invitations_sandbox::SYSTEM_ROLES;
use org_invitations_sql::{Table, WriteOptions, provider_error};
use serde_json::json;

use crate::{
    canned_server::CannedServer,
    fixture::{Fixture, StatementRun},
};

const CONFLUENT: &str = "confluent.iam.members";
const CLICKHOUSE: &str = "clickhouse.members.members";
/// The id of the first seeded member of ClickHouse.
const FIRST: &str = "00000001-0000-4000-8000-000000000001";

async fn fixture(count: u64) -> Option<Fixture> {
    Fixture::with_members(count, WriteOptions::default()).await
}

/// The addresses of seeded members, sorted as text is.
fn members(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    let address = |number| format!("member{number}@seeded.example");
    let mut members: Vec<String> = numbers.into_iter().map(address).collect();
    members.sort();
    members
}

#[track_caller]
fn assert_sent(run: &StatementRun, expected: &[&str]) {
    let mut requests = run.requests.clone();
    requests.sort();
    assert_eq!(requests, expected, "rows: {:?}", run.result.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn members_have_the_librarys_fields() {
    let Some(fixture) = fixture(1).await else {
        return;
    };
    let names = "id email name auth_type joined_at roles legacy_role extra";
    let names: Vec<&str> = names.split(' ').collect();
    for (table, union) in [(CONFLUENT, false), (CLICKHOUSE, false), ("members", true)] {
        let provider = fixture.context.table_provider(table).await.unwrap();
        let schema = provider.schema();
        let seen: Vec<&str> = schema
            .fields()
            .iter()
            .map(|it| it.name().as_str())
            .collect();
        let provider = union.then_some("provider");
        let expected: Vec<&str> = provider.into_iter().chain(names.iter().copied()).collect();
        assert_eq!(seen, expected, "{table}");
        assert!(schema.fields().iter().all(|it| it.is_nullable()), "{table}");
        let roles = schema.field_with_name("roles").unwrap().data_type().clone();
        let DataType::List(role) = roles else {
            panic!("{roles}")
        };
        let DataType::Struct(fields) = role.data_type() else {
            panic!("{role}")
        };
        let fields: Vec<&str> = fields.iter().map(|it| it.name().as_str()).collect();
        assert_eq!(
            fields,
            ["id", "name", "kind", "scope", "binding_id", "extra"]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_property_of_a_member_is_in_a_column() {
    let Some(_) = fixture(0).await else { return };
    let user = json!({
        "api_version": "iam/v2", "kind": "User", "id": "u-ann", "email": "Ann@Example.com",
        "full_name": "Ann", "auth_type": "AUTH_TYPE_SSO",
        "metadata": { "created_at": "2026-03-01T10:00:00Z" }, "new_thing": [1],
    });
    let server = CannedServer::answering(json!({ "data": [user], "metadata": {} })).await;
    let context = org_invitations_sql::session();
    let table = Table::members(server.confluent());
    table.register(&context, "t").unwrap();
    let sql = "SELECT id, email, name, auth_type, joined_at, legacy_role, extra FROM t";
    let rows = org_invitations_sql::sql(&context, sql)
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    let extra = r#"{"api_version":"iam/v2","kind":"User","metadata":{"created_at":"2026-03-01T10:00:00Z"},"new_thing":[1]}"#;
    let expected =
        format!("u-ann | Ann@Example.com | Ann | sso | 2026-03-01T10:00:00Z | NULL | {extra}");
    assert_eq!(crate::rows::render(&rows), [expected]);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_of_members_are_structs_on_both() {
    let Some(fixture) = fixture(2).await else {
        return;
    };
    let id = MemberId::new("u-seed-member-2").unwrap();
    let grant = RoleGrant::new("EnvironmentAdmin").scope("env-1");
    let change = fixture.confluent.grant_roles(&id, &[grant]).await.unwrap();
    let binding = change.added[0].binding_id.clone().unwrap();
    let sql = format!("SELECT email, roles FROM {CONFLUENT}");
    let run = fixture.run(&sql).await;
    let bound = format!(
        "[{{id: NULL, name: EnvironmentAdmin, kind: NULL, scope: env-1, binding_id: {binding}, extra: "
    );
    let rows = run.rows();
    assert_eq!(rows[0], "member1@seeded.example | []");
    let rest = rows[1].strip_prefix("member2@seeded.example | ").unwrap();
    assert!(rest.starts_with(&bound), "{rest}");
    // One list of role bindings for all members, and none where the roles are not read.
    assert_sent(&run, &["confluent bindings", "confluent members"]);
    let run = fixture.run(&format!("SELECT email FROM {CONFLUENT}")).await;
    assert_eq!(run.rows(), members(1..=2));
    assert_sent(&run, &["confluent members"]);
    let sql = format!("SELECT email, roles[1]['name'], roles[1]['kind'] FROM {CLICKHOUSE}");
    let run = fixture.run(&sql).await;
    let expected = ["member1", "member2"];
    let expected = expected.map(|name| format!("{name}@seeded.example | Developer | system"));
    assert_eq!(run.rows(), expected);
    assert_sent(&run, &["clickhouse members"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_a_member_is_a_get() {
    let Some(fixture) = fixture(3).await else {
        return;
    };
    let sql = format!("SELECT email FROM {CONFLUENT} WHERE id IN ('u-seed-member-2', 'u-none')");
    let run = fixture.run(&sql).await;
    assert_eq!(run.rows(), members([2]));
    assert_sent(
        &run,
        &[
            "confluent member u-none",
            "confluent member u-seed-member-2",
        ],
    );
    let sql = format!("SELECT email FROM {CLICKHOUSE} WHERE id = '{FIRST}'");
    let run = fixture.run(&sql).await;
    assert_eq!(run.rows(), members([1]));
    assert_sent(&run, &[&format!("clickhouse member {FIRST}")]);
    // What else is asked is compared with the answer.
    let sql = format!("SELECT email FROM {CONFLUENT} WHERE id = 'u-seed-member-2' AND email = 'x'");
    let run = fixture.run(&sql).await;
    assert_eq!(run.rows(), [""; 0]);
    assert_sent(&run, &["confluent member u-seed-member-2"]);
    let sql = format!("SELECT email FROM {CONFLUENT} WHERE id = 'no/id'");
    let run = fixture.run(&sql).await;
    assert_eq!(run.rows(), [""; 0]);
    assert_sent(&run, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn six_members_of_clickhouse_are_one_list() {
    let Some(fixture) = fixture(3).await else {
        return;
    };
    for (count, sent) in [(5, 5), (6, 1)] {
        let ids =
            (1..=count).map(|number| format!("'00000001-0000-4000-8000-00000000000{number}'"));
        let ids = ids.collect::<Vec<_>>().join(", ");
        let sql = format!("SELECT email FROM {CLICKHOUSE} WHERE id IN ({ids})");
        let run = fixture.run(&sql).await;
        assert_eq!(run.rows(), members(1..=3));
        assert_eq!(run.requests.len(), sent, "{:?}", run.requests);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_on_members_compare_byte_by_byte() {
    let Some(fixture) = fixture(3).await else {
        return;
    };
    for (condition, expected) in [
        ("email = 'member2@seeded.example'", vec![2]),
        ("email = 'Member2@seeded.example'", vec![]),
        ("name IN ('member1', 'member3')", vec![1, 3]),
        (
            "name = 'member1' AND email = 'member3@seeded.example'",
            vec![],
        ),
        ("auth_type = 'local' AND email LIKE '%3@%'", vec![3]),
        ("legacy_role = 'developer'", vec![]),
        ("email NOT IN ('member1@seeded.example')", vec![2, 3]),
    ] {
        let sql = format!("SELECT email FROM {CONFLUENT} WHERE {condition}");
        assert_eq!(fixture.rows(&sql).await, members(expected), "{condition}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_reads_no_page_of_members_too_many() {
    let Some(fixture) = fixture(250).await else {
        return;
    };
    let run = fixture
        .run(&format!("SELECT id FROM {CONFLUENT} LIMIT 99"))
        .await;
    assert_eq!(run.rows().len(), 99);
    assert_sent(&run, &["confluent members"]);
    let run = fixture
        .run(&format!("SELECT count(*) FROM {CONFLUENT}"))
        .await;
    assert_eq!((run.count(), run.requests.len()), (250, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_one_provider_are_asked_of_no_other() {
    let Some(fixture) = fixture(2).await else {
        return;
    };
    let run = fixture
        .run("SELECT email FROM members WHERE provider = 'clickhouse'")
        .await;
    assert_eq!(run.rows(), members(1..=2));
    assert_sent(&run, &["clickhouse members"]);
    let both = fixture.rows("SELECT provider, name FROM members").await;
    let expected = ["clickhouse | member1", "clickhouse | member2"];
    assert_eq!(both[..2], expected, "{both:?}");
    assert_eq!(both.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_listed_and_read_only() {
    let Some(fixture) = fixture(1).await else {
        return;
    };
    const ROLES: &str = "clickhouse.members.roles";
    let run = fixture
        .run(&format!("SELECT id, name, kind FROM {ROLES}"))
        .await;
    let expected = SYSTEM_ROLES.map(|role| format!("{} | {} | system", role.id, role.name));
    assert_eq!(run.rows(), expected);
    assert_sent(&run, &["clickhouse roles"]);
    let sql = format!("SELECT name FROM {ROLES} WHERE name = 'Billing'");
    assert_eq!(fixture.rows(&sql).await, ["Billing"]);
    for sql in [
        format!("INSERT INTO {ROLES} (name) VALUES ('x')"),
        format!("DELETE FROM {ROLES} WHERE name = 'Admin'"),
        format!("UPDATE {ROLES} SET name = 'x'"),
    ] {
        let error = fixture.refused(&sql).await;
        assert!(error.contains("read-only"), "{sql}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_without_a_list_of_roles_says_so() {
    let Some(fixture) = fixture(1).await else {
        return;
    };
    let table = Table::roles(Arc::clone(&fixture.confluent));
    table.register(&fixture.context, "none").unwrap();
    let run = fixture.run("SELECT * FROM none").await;
    let error = provider_error(run.error()).unwrap();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.to_string().contains("list of roles"), "{error}");
    assert_sent(&run, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_shows_the_requests_for_members() {
    let Some(fixture) = fixture(1).await else {
        return;
    };
    for (sql, expected) in [
        (
            "SELECT id FROM confluent.iam.members",
            "MembersExec: confluent: list, columns=[id]",
        ),
        (
            "SELECT roles FROM confluent.iam.members WHERE id = 'u-1'",
            "MembersExec: confluent: get u-1 with roles, rows=[id = 'u-1'], columns=[roles]",
        ),
        (
            "SELECT role_name FROM role_bindings WHERE email = 'a@b'",
            "RoleBindingsExec: confluent: list with emails | clickhouse: list with emails, \
             rows=[email = 'a@b'], columns=[role_name]",
        ),
        (
            "SELECT role_name FROM confluent.iam.role_bindings WHERE member_id IN ('u-1', 'u-2')",
            "RoleBindingsExec: confluent: roles of u-1, u-2, rows=[member_id IN ('u-1', 'u-2')], \
             columns=[role_name]",
        ),
    ] {
        let run = fixture.run(&format!("EXPLAIN {sql}")).await;
        let plan = run.ordered().join("\n");
        assert!(plan.contains(expected), "{sql}: {plan}");
        assert_sent(&run, &[]);
    }
}
