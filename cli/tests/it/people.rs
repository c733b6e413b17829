//! `who`, `members` and `roles`: people and what they may do, on both vendors.

use org_invitations_sandbox::Provider;
use serde_json::{Value, json};

use crate::fixture::Fixture;

const ANN: &str = "ann@example.com";
const BOTH: [&str; 4] = ["-p", "confluent", "-p", "clickhouse"];

/// What `who` says of Ann on each provider.
async fn states(fixture: &Fixture) -> Vec<Value> {
    let who = [&BOTH[..], &["who", "Ann@Example.com", "-o", "json"]].concat();
    let rows = fixture.run(&who).await.json();
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["state"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_a_person_from_invitation_to_membership() {
    let fixture = Fixture::start().await;
    if !fixture.offers_role_ids().await {
        return;
    }
    assert_eq!(states(&fixture).await, ["neither", "neither"]);
    fixture.invite("confluent", &[ANN]).await;
    fixture.invite("clickhouse", &[ANN]).await;
    assert_eq!(states(&fixture).await, ["invited", "invited"]);
    for provider in [Provider::Confluent, Provider::ClickHouse] {
        fixture.sandbox.accept(provider, ANN).unwrap();
    }
    assert_eq!(states(&fixture).await, ["member", "member"]);
    let list = [&BOTH[..], &["members", "list", "-o", "csv"]].concat();
    let listed = fixture.run(&list).await;
    let lines: Vec<&str> = listed.success().stdout.lines().collect();
    assert_eq!(lines[0], "provider,id,email,name,auth_type,roles,joined_at");
    let of_ann = lines.iter().filter(|line| line.contains(ANN)).count();
    assert_eq!(of_ann, 2, "{}", listed.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_granted_shown_and_set_by_name() {
    let fixture = Fixture::start().await;
    if !fixture.offers_role_ids().await {
        return;
    }
    let listed = fixture.run(&["-p", "clickhouse", "roles", "list"]).await;
    listed.success();
    assert!(listed.stdout.contains("Billing"), "{}", listed.stdout);
    for (provider, role, other) in [
        ("clickhouse", "billing", "Developer"),
        ("confluent", "EnvironmentAdmin@env-123", "MetricsViewer"),
    ] {
        let create = ["-p", provider, "create", ANN, "--role", role];
        fixture.run(&create).await.success();
        let vendor = match provider {
            "confluent" => Provider::Confluent,
            _ => Provider::ClickHouse,
        };
        fixture.sandbox.accept(vendor, ANN).unwrap();
        let get = ["-p", provider, "members", "get", ANN, "-o", "json"];
        let member = fixture.run(&get).await.one();
        let name = role.split('@').next().unwrap();
        let given = member["roles"][0]["name"].as_str().unwrap();
        assert!(given.eq_ignore_ascii_case(name), "{member}");

        let set = ["-p", provider, "members", "set-roles", ANN, "--role", other];
        let planned = fixture
            .run(&[&set[..], &["--dry-run", "-o", "json"]].concat())
            .await;
        let planned = planned.one();
        assert_eq!(planned["added"], json!([other]), "{planned}");
        let changed = fixture.run(&set).await;
        let changed = &changed.success().stdout;
        assert!(changed.contains(&format!("+{other}")), "{changed}");
        assert!(
            changed.contains("-Billing") || changed.contains(&format!("-{role}")),
            "{changed}"
        );
        let again = fixture.run(&set).await;
        assert!(
            again.success().stdout.contains("unchanged"),
            "{}",
            again.stdout
        );
        let odd = [
            "-p",
            provider,
            "members",
            "set-roles",
            "no@example.com",
            "--role",
            other,
        ];
        fixture
            .run(&odd)
            .await
            .fails(4, &["no member has this address"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_a_member_needs_consent() {
    let fixture = Fixture::start().await;
    if !fixture.offers_role_ids().await {
        return;
    }
    for (provider, vendor) in [
        ("confluent", Provider::Confluent),
        ("clickhouse", Provider::ClickHouse),
    ] {
        fixture.invite(provider, &[ANN]).await;
        fixture.sandbox.accept(vendor, ANN).unwrap();
        let remove = ["-p", provider, "members", "remove", ANN];
        let unasked = fixture.run(&remove).await;
        unasked.fails(2, &["pass --yes", "Nothing was sent"]);
        let remove = [&remove[..], &["--yes"]].concat();
        // Nobody is known to be an administrator.
        let last = [&remove[..], &["--delete-owned"]].concat();
        let kept = fixture.run(&last).await;
        kept.fails(1, &["no member is known to be an administrator"]);
        let unknown = [
            &remove[..],
            &["--keep", "nobody@example.com", "--keep", ANN],
        ]
        .concat();
        let unknown = fixture.run(&unknown).await;
        unknown.fails(
            1,
            &["--keep nobody@example.com: nobody has this address or id"],
        );
        assert!(
            !unknown.stderr.contains("--keep ann@"),
            "{}",
            unknown.stderr
        );
        let remove = [&remove[..], &["--min-admins", "0"]].concat();
        if provider == "confluent" {
            let refused = fixture.run(&remove).await;
            refused.fails(2, &["API keys included", "--delete-owned"]);
        }
        let who = ["-p", provider, "who", ANN, "-o", "json"];
        assert_eq!(fixture.run(&who).await.json()[0]["state"], "member");
        let remove = match provider {
            "confluent" => [&remove[..], &["--delete-owned"]].concat(),
            _ => remove,
        };
        fixture.run(&remove).await.success();
        assert_eq!(fixture.run(&who).await.json()[0]["state"], "neither");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_role_ends_before_anything_is_changed() {
    let fixture = Fixture::start().await;
    if !fixture.offers_role_ids().await {
        return;
    }
    let create = ["-p", "clickhouse", "create", ANN, "--role", "Biling"];
    let refused = fixture.run(&create).await;
    refused.fails(
        2,
        &["no role \"Biling\" (did you mean \"Billing\"?)", "Admin"],
    );
    let create = ["-p", "confluent", "create", ANN, "--role", "Admin@lkc-1"];
    let refused = fixture.run(&create).await;
    refused.fails(2, &["\"lkc-1\" is not understood", "env-1/lkc-2"]);
    assert!(fixture.sandbox.invitations().is_empty());
    let other = ["-p", "confluent", "roles", "list"];
    fixture
        .run(&other)
        .await
        .fails(1, &["not supported", "list of roles"]);
}
