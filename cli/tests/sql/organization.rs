//! Members, roles and role bindings in SQL, and profiles.

use org_invitations_sandbox::{Provider, Sandbox};
use serde_json::json;

use crate::fixture::{Fixture, run};

const PEOPLE: [&str; 3] = ["ann@example.com", "bob@example.com", "carl@example.com"];

/// [`PEOPLE`] are members of both; `None` where the documents of this build have no members or roles.
async fn fixture() -> Option<Fixture> {
    let fixture = Fixture::start().await;
    if !offers_members(&fixture).await {
        return None;
    }
    for (name, provider) in [
        ("confluent", Provider::Confluent),
        ("clickhouse", Provider::ClickHouse),
    ] {
        fixture.invite(name, &PEOPLE).await;
        for email in PEOPLE {
            fixture.sandbox.accept(provider, email).unwrap();
        }
    }
    Some(fixture)
}

/// Whether the documents of this build have members and roles. If not, checks that the tables are absent.
async fn offers_members(fixture: &Fixture) -> bool {
    use org_invitations::{ClickHouse, Confluent, InvitationProvider};
    let confluent = Confluent::builder().api_key("k", "s").build().unwrap();
    let clickhouse = ClickHouse::builder("o-1").api_key("k", "s");
    let clickhouse = clickhouse.build().unwrap().capabilities();
    let confluent = confluent.capabilities();
    let sql = "SELECT count(*) FROM information_schema.tables \
               WHERE table_name IN ('members', 'role_bindings', 'roles')";
    let counted = fixture.run(&["sql", "-o", "csv", sql]).await;
    let with_members = [confluent.members, clickhouse.members];
    let with_members = with_members.iter().filter(|offered| **offered).count();
    // One for each provider, and one for both.
    let of = |providers: usize| providers + usize::from(providers > 0);
    let expected = 2 * of(with_members) + of(usize::from(clickhouse.list_roles));
    let stdout = &counted.success().stdout;
    assert!(stdout.ends_with(&format!("\n{expected}\n")), "{stdout}");
    with_members == 2 && clickhouse.roles && clickhouse.list_roles
}

/// The addresses of Confluent's members that were invited here.
fn left(fixture: &Fixture) -> Vec<String> {
    let members = fixture.sandbox.members().into_iter();
    let members = members.filter(|it| it.provider == Provider::Confluent);
    let members = members.map(|it| it.email);
    let mut left: Vec<String> = members.filter(|it| PEOPLE.contains(&it.as_str())).collect();
    left.sort();
    left
}

#[tokio::test(flavor = "multi_thread")]
async fn members_and_roles_are_tables() {
    let Some(fixture) = fixture().await else {
        return;
    };
    let sql = "SELECT provider, email FROM members WHERE email LIKE 'ann%' ORDER BY 1";
    let rows = fixture.run(&["sql", "-o", "jsonl", sql]).await;
    let expected = ["clickhouse", "confluent"]
        .map(|provider| json!({"provider": provider, "email": "ann@example.com"}));
    assert_eq!(rows.success().lines(), expected);
    let sql = "SELECT name FROM clickhouse.members.roles ORDER BY 1";
    let rows = fixture.run(&["sql", "-o", "csv", sql]).await;
    assert_eq!(rows.success().stdout, "name\nAdmin\nBilling\nDeveloper\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_given_and_taken() {
    let Some(fixture) = fixture().await else {
        return;
    };
    let of_ann = "SELECT role_name, scope FROM confluent.iam.role_bindings \
                  WHERE email = 'ann@example.com' ORDER BY 1";
    let statements = format!(
        "INSERT INTO confluent.iam.role_bindings (email, role_name, scope) VALUES \
         ('ann@example.com', 'MetricsViewer', NULL), \
         ('ann@example.com', 'EnvironmentAdmin', 'env-1'); {of_ann}; \
         DELETE FROM confluent.iam.role_bindings WHERE scope = 'env-1'; {of_ann}"
    );
    let rows = fixture.run(&["sql", "-o", "jsonl", &statements]).await;
    let expected = [
        json!({"count": 2}),
        json!({"role_name": "EnvironmentAdmin", "scope": "env-1"}),
        json!({"role_name": "MetricsViewer", "scope": null}),
        json!({"count": 1}),
        json!({"role_name": "MetricsViewer", "scope": null}),
    ];
    assert_eq!(rows.success().lines(), expected);
    let wrong = "INSERT INTO clickhouse.members.role_bindings (email, role_name) VALUES \
                 ('ann@example.com', 'Billng')";
    let changes = fixture.sandbox.ledger().commits.len();
    let refused = fixture.run(&["sql", wrong]).await;
    refused.fails(1, &["row 1 ann@example.com", "Billing"]);
    assert_eq!(fixture.sandbox.ledger().commits.len(), changes);
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_members_needs_a_flag() {
    let Some(fixture) = fixture().await else {
        return;
    };
    let delete = "DELETE FROM confluent.iam.members WHERE email IN ('ann@example.com', \
                  'bob@example.com')";
    let refused = fixture.run(&["sql", "--allow-delete-all", delete]).await;
    refused.fails(2, &["API keys included", "--allow-remove-members"]);
    assert_eq!(left(&fixture), PEOPLE);
    let allow = "--allow-remove-members";
    let refused = fixture
        .run(&["sql", allow, "--max-deletes", "1", delete])
        .await;
    refused.fails(1, &["matches 2 members of", "nothing was deleted"]);
    assert_eq!(left(&fixture), PEOPLE);
    let all = "DELETE FROM confluent.iam.members";
    let refused = fixture.run(&["sql", allow, all]).await;
    refused.fails(2, &["delete all members", "--allow-delete-all"]);
    let removed = fixture.run(&["sql", "-o", "csv", allow, delete]).await;
    assert_eq!(removed.success().stdout, "count\n2\n");
    assert_eq!(left(&fixture), PEOPLE[2..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_a_column() {
    let fixture = Fixture::start().await;
    let other = Sandbox::start().await.unwrap();
    let profile = |name: &str, sandbox: &Sandbox| {
        let key = &sandbox.credentials().confluent;
        format!(
            "[profiles.{name}]\nprovider = \"confluent\"\napi_key = \"{}\"\n\
             api_secret = \"{}\"\nbase_url = \"{}\"\n",
            key.api_key,
            key.api_secret.as_str(),
            sandbox.url()
        )
    };
    fixture.config(&(profile("blue", &fixture.sandbox) + &profile("red", &other)));
    let statements = "INSERT INTO confluent.iam.invitations (email) VALUES ('ann@example.com'); \
                      SELECT profile, email FROM confluent.iam.invitations";
    let arguments = ["--profile", "red", "sql", "-o", "jsonl", statements];
    let rows = run(&arguments, &fixture.empty_environment()).await;
    let expected = [
        json!({"count": 1}),
        json!({"profile": "red", "email": "ann@example.com"}),
    ];
    assert_eq!(rows.success().lines(), expected);
    assert_eq!(fixture.sandbox.ledger().requests.len(), 0);
    assert_eq!(other.ledger().commits.len(), 1);
}
