//! The tables of role bindings: rows, and what is sent for a query.

use org_invitations::{MemberId, NewInvitation, RoleGrant};
use org_invitations_sql::WriteOptions;

use crate::fixture::{Fixture, StatementRun};

const CONFLUENT: &str = "confluent.iam.role_bindings";
const CLICKHOUSE: &str = "clickhouse.members.role_bindings";
/// The id of the first seeded member of ClickHouse.
const FIRST: &str = "00000001-0000-4000-8000-000000000001";

/// Three members on each; on Confluent the first has two roles, and the second one.
async fn fixture() -> Option<Fixture> {
    let fixture = Fixture::with_members(3, WriteOptions::default()).await?;
    for (member, grants) in [
        (
            "u-seed-member-1",
            vec!["MetricsViewer", "EnvironmentAdmin@env-1"],
        ),
        ("u-seed-member-2", vec!["MetricsViewer"]),
    ] {
        let id = MemberId::new(member).unwrap();
        let grants: Vec<RoleGrant> = grants.into_iter().map(RoleGrant::from).collect();
        let change = fixture.confluent.grant_roles(&id, &grants).await.unwrap();
        assert_eq!(change.failed.len(), 0, "{change:?}");
    }
    Some(fixture)
}

#[track_caller]
fn assert_sent(run: &StatementRun, expected: &[&str]) {
    let mut requests = run.requests.clone();
    requests.sort();
    assert_eq!(requests, expected, "rows: {:?}", run.result.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_a_role_of_a_member_in_a_scope() {
    let Some(fixture) = fixture().await else {
        return;
    };
    let columns = "member_id, email, role_id, role_name, role_kind, scope";
    let run = fixture
        .run(&format!("SELECT {columns} FROM {CONFLUENT}"))
        .await;
    assert_eq!(
        run.rows(),
        [
            "u-seed-member-1 | member1@seeded.example | NULL | EnvironmentAdmin | NULL | env-1",
            "u-seed-member-1 | member1@seeded.example | NULL | MetricsViewer | NULL | NULL",
            "u-seed-member-2 | member2@seeded.example | NULL | MetricsViewer | NULL | NULL",
        ]
    );
    assert_sent(&run, &["confluent bindings", "confluent members"]);
    let columns = "member_id, email, role_name, role_kind, scope, binding_id";
    let sql = format!("SELECT {columns} FROM {CLICKHOUSE} WHERE email LIKE 'member1%'");
    let run = fixture.run(&sql).await;
    let expected = format!("{FIRST} | member1@seeded.example | Developer | system | NULL | NULL");
    assert_eq!(run.rows(), [expected]);
    // The list of members has their roles.
    assert_sent(&run, &["clickhouse members"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_read_only_if_they_are_needed() {
    let Some(fixture) = fixture().await else {
        return;
    };
    let sql = format!("SELECT count(*) FROM {CONFLUENT} WHERE role_name = 'MetricsViewer'");
    let run = fixture.run(&sql).await;
    assert_eq!(run.count(), 2);
    assert_sent(&run, &["confluent bindings"]);
    let sql = format!("SELECT role_name FROM {CONFLUENT} WHERE email = 'member2@seeded.example'");
    let run = fixture.run(&sql).await;
    assert_eq!(run.rows(), ["MetricsViewer"]);
    assert_sent(&run, &["confluent bindings", "confluent members"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_roles_of_a_member_are_asked_for_by_id() {
    let Some(fixture) = fixture().await else {
        return;
    };
    let condition = "member_id = 'u-seed-member-1' AND role_name = 'EnvironmentAdmin'";
    let sql = format!("SELECT scope FROM {CONFLUENT} WHERE {condition}");
    let run = fixture.run(&sql).await;
    assert_eq!(run.rows(), ["env-1"]);
    assert_sent(
        &run,
        &["confluent bindings principal=User%3Au-seed-member-1"],
    );
    let sql = format!("SELECT email, scope FROM {CONFLUENT} WHERE {condition}");
    let run = fixture.run(&sql).await;
    assert_eq!(run.rows(), ["member1@seeded.example | env-1"]);
    assert_sent(
        &run,
        &[
            "confluent bindings principal=User%3Au-seed-member-1",
            "confluent member u-seed-member-1",
        ],
    );
    let sql = format!("SELECT role_name FROM {CLICKHOUSE} WHERE member_id = '{FIRST}'");
    let run = fixture.run(&sql).await;
    assert_eq!(run.rows(), ["Developer"]);
    assert_sent(&run, &[&format!("clickhouse member {FIRST}")]);
    let other = FIRST.replace("001", "009");
    let sql = format!("SELECT role_name FROM {CLICKHOUSE} WHERE member_id = '{other}'");
    assert_eq!(fixture.run(&sql).await.rows(), [""; 0]);
}

/// On Confluent the user of an invitation has roles before it is accepted, and is no member yet.
#[tokio::test(flavor = "multi_thread")]
async fn roles_of_an_invited_person_have_no_address() {
    let Some(fixture) = fixture().await else {
        return;
    };
    let new = NewInvitation::new("eve@example.com").roles(["OrganizationAdmin"]);
    let eve = fixture.confluent.create(new).await.unwrap();
    let user = eve.user.unwrap().id;
    let sql =
        format!("SELECT email, member_id FROM {CONFLUENT} WHERE role_name = 'OrganizationAdmin'");
    assert_eq!(fixture.rows(&sql).await, [format!("NULL | {user}")]);
    let sql = format!("SELECT email, role_name FROM {CONFLUENT} WHERE member_id = '{user}'");
    assert_eq!(fixture.rows(&sql).await, ["NULL | OrganizationAdmin"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_union_has_the_roles_of_both() {
    let Some(fixture) = fixture().await else {
        return;
    };
    let sql = "SELECT provider, role_name, count(*) FROM role_bindings GROUP BY 1, 2";
    assert_eq!(
        fixture.rows(sql).await,
        [
            "clickhouse | Developer | 3",
            "confluent | EnvironmentAdmin | 1",
            "confluent | MetricsViewer | 2",
        ]
    );
    let sql = "SELECT DISTINCT role_name FROM role_bindings WHERE provider = 'clickhouse'";
    let run = fixture.run(sql).await;
    assert_eq!(run.rows(), ["Developer"]);
    assert_sent(&run, &["clickhouse members"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_admin_and_not_invited_is_a_join() {
    let Some(fixture) = fixture().await else {
        return;
    };
    let sql = "SELECT m.email, b.role_name FROM confluent.iam.members m \
               LEFT JOIN confluent.iam.role_bindings b ON b.member_id = m.id \
               WHERE m.email NOT IN (SELECT email FROM invitations)";
    assert_eq!(
        fixture.rows(sql).await,
        [
            "member1@seeded.example | EnvironmentAdmin",
            "member1@seeded.example | MetricsViewer",
            "member2@seeded.example | MetricsViewer",
            "member3@seeded.example | NULL",
        ]
    );
}
