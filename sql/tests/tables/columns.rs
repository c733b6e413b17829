//! The values of each column.

use std::sync::Arc;

use datafusion::{
    arrow::datatypes::{DataType, Field, TimeUnit},
    prelude::SessionContext,
};
use org_invitations::InvitationProvider;
use org_invitations_sql::{Table, register, session};
use serde_json::{Value, json};

use crate::{
    canned_server::{CannedServer, ORGANIZATION},
    fake_provider::{FakeProvider, Filters},
    fixture::Fixture,
    rows::render,
};

/// As Confluent's document has it, with a property that no document has in every object.
fn confluent_body() -> Value {
    json!({
        "api_version": "iam/v2", "kind": "Invitation", "id": "i-7od91",
        "metadata": {
            "self": "https://api.confluent.cloud/iam/v2/invitations/i-7od91",
            "resource_name": "crn://confluent.cloud/invitation=i-7od91",
            "created_at": "2026-03-01T10:00:00.123456789Z",
            "updated_at": "2026-03-01T10:00:00Z",
        },
        "email": "Ann@Example.com", "auth_type": "AUTH_TYPE_SSO",
        "status": "INVITE_STATUS_ACCEPTED", "accepted_at": "2026-03-02T11:00:00+02:00",
        "expires_at": "2026-03-08T10:00:00Z",
        "user": {
            "id": "u-ann", "related": "https://api.confluent.cloud/iam/v2/users/u-ann",
            "resource_name": "crn://user=u-ann", "colour": "red",
        },
        "creator": { "id": "u-bob" },
        "new_thing": { "deep": [1, null] },
    })
}

fn clickhouse_body() -> Value {
    json!({
        "id": "0f5b9a1e-aaaa-4bbb-8ccc-ddddeeeeffff", "email": "ann@example.com", "role": "admin",
        "createdAt": "2026-03-01T10:00:00.5Z", "expireAt": "2199-03-08T10:00:00Z",
        "assignedRoles": [
            { "roleId": "r-1", "roleName": "Admin", "roleType": "system" },
            { "roleId": "r-2", "roleType": "odd", "since": 7 },
            { "roleName": "nameless" },
        ],
        "new_thing": null,
    })
}

async fn confluent(items: Value) -> Arc<dyn InvitationProvider> {
    CannedServer::answering(json!({ "data": items, "metadata": {} }))
        .await
        .confluent()
}

async fn clickhouse(items: Value) -> Arc<dyn InvitationProvider> {
    CannedServer::answering(json!({ "status": 200, "requestId": "r", "result": items }))
        .await
        .clickhouse()
}

async fn rows(context: &SessionContext, sql: &str) -> Vec<String> {
    let rows = context.sql(sql).await.unwrap().collect().await.unwrap();
    render(&rows)
}

/// The only row of a table of this provider, one column after the other.
async fn row(table: Table) -> Vec<(String, String)> {
    let context = session();
    table.register(&context, "t").unwrap();
    let batches = context.table("t").await.unwrap().collect().await.unwrap();
    let schema = batches[0].schema();
    let row = schema.fields().iter().enumerate().map(|(place, field)| {
        let column = batches[0].project(&[place]).unwrap();
        let value = render(&[column]).remove(0);
        (field.name().clone(), value)
    });
    row.collect()
}

#[track_caller]
fn assert_row(row: &[(String, String)], expected: &[(&str, &str)]) {
    let row: Vec<(&str, &str)> = row.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(row, expected);
}

#[tokio::test]
async fn confluents_columns_are_stackqls_and_keep_every_property() {
    let row = row(Table::invitations(
        confluent(json!([confluent_body()])).await,
    ))
    .await;
    assert_row(
        &row,
        &[
            ("id", "i-7od91"),
            ("accepted_at", "2026-03-02T09:00:00Z"),
            ("api_version", "iam/v2"),
            ("auth_type", "sso"),
            ("creator", "u-bob"),
            ("email", "Ann@Example.com"),
            ("expires_at", "2026-03-08T10:00:00Z"),
            ("kind", "Invitation"),
            (
                "metadata",
                r#"{"created_at":"2026-03-01T10:00:00.123456789Z","resource_name":"crn://confluent.cloud/invitation=i-7od91","self":"https://api.confluent.cloud/iam/v2/invitations/i-7od91","updated_at":"2026-03-01T10:00:00Z"}"#,
            ),
            ("status", "accepted"),
            ("user", "u-ann"),
            ("created_at", "2026-03-01T10:00:00.123456Z"),
            (
                "extra",
                r#"{"new_thing":{"deep":[1,null]},"user":{"colour":"red","related":"https://api.confluent.cloud/iam/v2/users/u-ann","resource_name":"crn://user=u-ann"}}"#,
            ),
        ],
    );
}

#[tokio::test]
async fn clickhouses_columns_hold_every_property() {
    let table = Table::invitations(clickhouse(json!([clickhouse_body()])).await);
    let row = row(table.organization_id(ORGANIZATION)).await;
    assert_row(
        &row,
        &[
            ("id", "0f5b9a1e-aaaa-4bbb-8ccc-ddddeeeeffff"),
            ("email", "ann@example.com"),
            ("status", "sent"),
            ("role", "admin"),
            ("role_ids", "[r-1, r-2]"),
            (
                "roles",
                r#"[{id: r-1, name: Admin, kind: system, extra: NULL}, {id: r-2, name: NULL, kind: odd, extra: {"since":7}}, {id: NULL, name: nameless, kind: NULL, extra: NULL}]"#,
            ),
            ("organization_id", ORGANIZATION),
            ("created_at", "2026-03-01T10:00:00.500Z"),
            ("expires_at", "2199-03-08T10:00:00Z"),
            ("extra", r#"{"new_thing":null}"#),
        ],
    );
}

#[tokio::test]
async fn absent_properties_are_null() {
    let bare = json!([{ "id": "i-1", "email": "a@b" }]);
    let row_of = |row: Vec<(String, String)>| {
        let there = row.into_iter().filter(|(_, value)| value != "NULL");
        there.map(|(name, _)| name).collect::<Vec<_>>()
    };
    let confluent = confluent(bare.clone()).await;
    let seen = row_of(row(Table::invitations(confluent)).await);
    assert_eq!(seen, ["id", "email"]);
    let clickhouse = clickhouse(bare).await;
    let seen = row_of(row(Table::invitations(clickhouse)).await);
    assert_eq!(seen, ["id", "email"]);
}

#[tokio::test]
async fn no_roles_and_unknown_roles_are_distinguished() {
    let item = |id: u32, roles: Value| json!({ "id": id.to_string(), "email": "a@b", "assignedRoles": roles });
    let provider = clickhouse(json!([item(1, json!([])), item(2, Value::Null)])).await;
    let context = session();
    register(&context, "t", provider).unwrap();
    let seen = rows(&context, "SELECT id, role_ids, roles FROM t ORDER BY id");
    assert_eq!(seen.await, ["1 | [] | []", "2 | NULL | NULL"]);
}

/// What a column would hold is of another type: it stays in `extra`, and nothing is lost.
#[tokio::test]
async fn a_property_of_an_unexpected_type_is_in_extra() {
    let odd = json!([{
        "id": "i-1", "email": "a@b", "status": "INVITE_STATUS_BOUNCED", "auth_type": "KEY",
        "api_version": 7, "kind": ["x"], "metadata": "text", "user": { "related": "nowhere" },
    }]);
    let row = row(Table::invitations(confluent(odd).await)).await;
    let there: Vec<_> = row
        .iter()
        .filter(|(_, value)| value != "NULL")
        .cloned()
        .collect();
    assert_row(
        &there,
        &[
            ("id", "i-1"),
            ("auth_type", "KEY"),
            ("email", "a@b"),
            ("metadata", r#""text""#),
            ("status", "INVITE_STATUS_BOUNCED"),
            (
                "extra",
                r#"{"api_version":7,"kind":["x"],"user":{"related":"nowhere"}}"#,
            ),
        ],
    );
}

#[tokio::test]
async fn the_union_has_the_librarys_fields_and_the_provider() {
    let context = session();
    let providers = [
        ("kafka", confluent(json!([confluent_body()])).await),
        ("olap", clickhouse(json!([clickhouse_body()])).await),
    ];
    let table = Table::union_of(providers.map(|(name, it)| (name, Table::invitations(it))));
    table.register(&context, "t").unwrap();
    let seen = rows(
        &context,
        r#"SELECT provider, id, email, status, auth_type, role, role_ids, created_at, expires_at,
           accepted_at, "user", creator FROM t ORDER BY provider"#,
    )
    .await;
    assert_eq!(
        seen,
        [
            "kafka | i-7od91 | Ann@Example.com | accepted | sso | NULL | NULL | \
             2026-03-01T10:00:00.123456Z | 2026-03-08T10:00:00Z | 2026-03-02T09:00:00Z | u-ann | u-bob",
            "olap | 0f5b9a1e-aaaa-4bbb-8ccc-ddddeeeeffff | ann@example.com | sent | NULL | admin | \
             [r-1, r-2] | 2026-03-01T10:00:00.500Z | 2199-03-08T10:00:00Z | NULL | NULL | NULL",
        ]
    );
    let extra = rows(&context, "SELECT extra FROM t WHERE provider = 'kafka'").await;
    let mut expected = confluent_body();
    let object = expected.as_object_mut().unwrap();
    for column in [
        "id",
        "email",
        "status",
        "auth_type",
        "accepted_at",
        "expires_at",
        "creator",
    ] {
        object.remove(column);
    }
    object["user"].as_object_mut().unwrap().remove("id");
    assert_eq!(serde_json::from_str::<Value>(&extra[0]).unwrap(), expected);
}

#[tokio::test]
async fn a_custom_provider_has_the_librarys_fields() {
    let context = session();
    let fake = FakeProvider::new(Vec::new(), Filters::Exact);
    register(&context, "t", fake.shared()).unwrap();
    let schema = context.table_provider("t").await.unwrap().schema();
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|it| it.name().as_str())
        .collect();
    let expected = "id email status auth_type role role_ids roles created_at expires_at \
                  accepted_at user creator extra";
    assert_eq!(names, expected.split_whitespace().collect::<Vec<_>>());
}

#[tokio::test]
async fn texts_are_text_and_times_are_microseconds_in_utc() {
    let fixture = Fixture::empty().await;
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let list = |item| DataType::List(Arc::new(Field::new_list_field(item, true)));
    let text = |name: &&str| Field::new(*name, DataType::Utf8, true);
    let role: Vec<Field> = ["id", "name", "kind", "extra"].iter().map(text).collect();
    for (name, _) in fixture.tables() {
        let provider = fixture.context.table_provider(name).await.unwrap();
        for field in provider.schema().fields() {
            let expected = match field.name().as_str() {
                "created_at" | "expires_at" | "accepted_at" => time.clone(),
                "role_ids" => list(DataType::Utf8),
                "roles" => list(DataType::Struct(role.clone().into())),
                _ => DataType::Utf8,
            };
            assert_eq!(field.data_type(), &expected, "{name}.{}", field.name());
            assert!(field.is_nullable(), "{name}.{}", field.name());
        }
    }
}

#[tokio::test]
async fn the_columns_have_the_sandboxs_values() {
    let fixture = Fixture::seeded(1).await;
    let entry = |place: usize| fixture.sandbox.invitations().remove(place);
    let (confluent, clickhouse) = (entry(0), entry(1));
    let time = |at: chrono::DateTime<chrono::Utc>| at.timestamp_micros().to_string();
    let seen = fixture
        .rows(
            r#"SELECT id, email, status, auth_type, "user", creator IS NOT NULL, api_version, kind,
               CAST(created_at AS BIGINT), CAST(expires_at AS BIGINT), accepted_at
               FROM confluent.iam.invitations"#,
        )
        .await;
    let expected = format!(
        "i-seed-1 | user1@seeded.example | sent | local | u-seed-1 | true | iam/v2 | Invitation | \
         {} | {} | NULL",
        time(confluent.created_at),
        time(confluent.expires_at)
    );
    assert_eq!(seen, [expected]);
    let seen = fixture
        .rows(
            "SELECT id, email, status, role, roles[1]['name'], organization_id,
             CAST(created_at AS BIGINT) / 1000, CAST(expires_at AS BIGINT) / 1000
             FROM clickhouse.members.invitations",
        )
        .await;
    // As the vendor does, the sandbox tells milliseconds.
    let expected = format!(
        "{} | user1@seeded.example | sent | developer | Developer | NULL | {} | {}",
        clickhouse.id,
        clickhouse.created_at.timestamp_millis(),
        clickhouse.expires_at.timestamp_millis()
    );
    assert_eq!(seen, [expected]);
}

#[tokio::test]
async fn the_engine_describes_the_tables() {
    let fixture = Fixture::empty().await;
    let seen = fixture.run("DESCRIBE confluent.iam.invitations").await;
    let names = seen.ordered();
    assert_eq!(names.len(), 13, "{names:?}");
    assert!(names[0].starts_with("id | Utf8 | YES"), "{names:?}");
    assert_eq!(seen.requests, [""; 0]);
    let tables = fixture
        .rows(
            "SELECT table_catalog, table_schema, table_name, table_type
             FROM information_schema.tables WHERE table_name = 'invitations'",
        )
        .await;
    assert!(
        tables.contains(&"datafusion | public | invitations | BASE TABLE".to_owned()),
        "{tables:?}"
    );
}
