//! Rosters against members: roles, removals, and a plan that comes to rest.

use org_invitations_sandbox::{Fault, Faults, Operation, Provider, Rule};
use serde_json::json;

use super::file;
use crate::fixture::Fixture;

const VENDORS: [(&str, Provider, [&str; 2]); 2] = [
    (
        "confluent",
        Provider::Confluent,
        ["EnvironmentAdmin@env-123", "MetricsViewer"],
    ),
    ("clickhouse", Provider::ClickHouse, ["Developer", "Billing"]),
];

/// Applies a roster of Ann with `ann_roles` and Bob, who both accept.
async fn join(
    fixture: &Fixture,
    (name, provider, _): (&str, Provider, [&str; 2]),
    ann_roles: &str,
) {
    let roster = format!("email,roles\nann@example.com,{ann_roles}\nbob@example.com,\n");
    let roster = file(fixture, "joined.csv", &roster);
    let applied = fixture.run(&["-p", name, "apply", &roster, "--yes"]).await;
    assert_eq!(applied.success().stdout, "invited 2, kept 0, removed 0\n");
    for email in ["ann@example.com", "bob@example.com"] {
        fixture.sandbox.accept(provider, email).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_plan_after_acceptance_is_empty() {
    let fixture = Fixture::start().await;
    if !fixture.offers_members() {
        return;
    }
    for vendor in VENDORS {
        let (name, _, [first, second]) = vendor;
        join(&fixture, vendor, &format!("{first};{second}")).await;
        let roster = file(
            &fixture,
            "roster.csv",
            &format!("email,roles\nann@example.com,{second};{first}\nbob@example.com,\n"),
        );
        let plan = ["-p", name, "plan", &roster, "--detailed-exitcode"];
        let all = ["--prune", "--prune-members", "--min-admins", "0"];
        let again = fixture.run(&[&plan[..], &all].concat()).await;
        again.success();

        let other = format!("email,roles\nann@example.com,{first}\nbob@example.com,{second}\n");
        let roster = file(&fixture, "other.csv", &other);
        let changed = fixture
            .run(&["-p", name, "plan", &roster, "-o", "json"])
            .await;
        let steps = changed.json();
        assert_eq!(steps[0]["action"], "set-roles", "{steps}");
        assert_eq!(steps[0]["role_changes"], json!([format!("-{second}")]));
        // On ClickHouse, who is invited without roles gets one.
        assert_eq!(steps[1]["role_changes"][0], format!("+{second}"));
        let table = fixture.run(&["-p", name, "plan", &roster]).await;
        let table = &table.success().stdout;
        assert!(table.contains(&format!("+{second}")), "{table}");
        let apply = ["-p", name, "apply", &roster, "--yes"];
        let applied = fixture.run(&apply).await;
        let counts = "invited 0, kept 0, removed 0, roles changed 2\n";
        assert_eq!(applied.success().stdout, counts);
        let plan = ["-p", name, "plan", &roster, "--detailed-exitcode"];
        fixture.run(&plan).await.success();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_removed_with_consent_only() {
    let fixture = Fixture::start().await;
    if !fixture.offers_members() {
        return;
    }
    for vendor in VENDORS {
        let (name, provider, _) = vendor;
        join(&fixture, vendor, "").await;
        let left = || {
            let members = fixture.sandbox.members().into_iter();
            let here = members.filter(|member| member.provider == provider);
            here.map(|member| member.email).collect::<Vec<_>>()
        };
        let roster = file(&fixture, "roster.csv", "email\nann@example.com\n");
        let apply = [
            "-p",
            name,
            "apply",
            &roster,
            "--yes",
            "--prune",
            "--prune-members",
        ];
        // Nobody is known to be an administrator.
        let kept = fixture.run(&apply).await;
        assert_eq!(kept.success().stdout, "invited 0, kept 2, removed 0\n");
        let apply = [&apply[..], &["--min-admins", "0"]].concat();
        let protected = [&apply[..], &["--keep", "Bob@example.com"]].concat();
        let kept = fixture.run(&protected).await;
        assert_eq!(kept.success().stdout, "invited 0, kept 2, removed 0\n");
        assert_eq!(left(), ["ann@example.com", "bob@example.com"]);
        if name == "confluent" {
            let refused = fixture.run(&apply).await;
            refused.fails(2, &["--delete-owned", "API keys", "Nothing was changed"]);
            assert_eq!(left().len(), 2);
        }
        let removed = fixture
            .run(&[&apply[..], &["--delete-owned"]].concat())
            .await;
        assert_eq!(removed.success().stdout, "invited 0, kept 1, removed 1\n");
        assert_eq!(left(), ["ann@example.com"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_removes_a_member_when_members_may_be_removed() {
    let fixture = Fixture::start().await;
    if !fixture.offers_members() {
        return;
    }
    join(&fixture, VENDORS[1], "").await;
    let roster = file(
        &fixture,
        "leavers.csv",
        "email,action\nbob@example.com,remove\n",
    );
    let apply = ["-p", "clickhouse", "apply", &roster, "--yes"];
    let nothing = fixture.run(&apply).await;
    nothing.success().stderr_contains(&[
        "bob@example.com is a member, and is removed only with --prune-members",
    ]);
    let options = ["--prune-members", "--min-admins", "0"];
    let removed = fixture.run(&[&apply[..], &options].concat()).await;
    assert_eq!(removed.success().stdout, "invited 0, kept 0, removed 1\n");
    assert_eq!(fixture.sandbox.members().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_the_key_may_not_read_are_left_out() {
    let fixture = Fixture::start().await;
    if !fixture.offers_members() {
        return;
    }
    let denied = Rule::new(Fault::status_before(403)).on(Operation::ListMembers);
    fixture
        .sandbox
        .set_faults(Faults::script([denied.always()]));
    let roster = file(&fixture, "roster.csv", "email\nann@example.com\n");
    for (name, _, _) in VENDORS {
        let plan = ["-p", name, "plan", &roster];
        let planned = fixture.run(&plan).await;
        planned
            .success()
            .stderr_contains(&["members are not known", "create 1"]);
        let prune = ["--prune", "--prune-members"];
        let refused = fixture.run(&[&plan[..], &prune].concat()).await;
        refused.fails(3, &["403"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn remove_takes_people_out_whatever_they_are() {
    let fixture = Fixture::start().await;
    if !fixture.offers_members() {
        return;
    }
    for vendor in VENDORS {
        let (name, provider, _) = vendor;
        join(&fixture, vendor, "").await;
        fixture.invite(name, &["eve@example.com"]).await;
        let remove = ["-p", name, "remove", "EVE@example.com", "bob@example.com"];
        let free = ["--min-admins", "0", "--delete-owned"];
        let shown = fixture
            .run(&[&remove[..], &free, &["--dry-run"]].concat())
            .await;
        shown.success().stderr_contains(&["remove 2"]);
        fixture.run(&remove).await.fails(2, &["--yes"]);
        if name == "confluent" {
            let careless = [&remove[..], &["--yes", "--min-admins", "0"]].concat();
            fixture.run(&careless).await.fails(2, &["--delete-owned"]);
        }
        let kept = fixture
            .run(&[&remove[..], &["--yes", "--delete-owned"]].concat())
            .await;
        kept.fails(1, &["bob@example.com is kept", "administrator"]);
        let removed = fixture
            .run(&[&remove[..], &free, &["--yes"]].concat())
            .await;
        let nothing = ["there is nothing of EVE@example.com to remove"];
        removed.fails(4, &nothing);
        assert_eq!(removed.stdout, "invited 0, kept 0, removed 1\n");
        let left = fixture.sandbox.members().into_iter();
        let left: Vec<_> = left
            .filter(|member| member.provider == provider)
            .map(|member| member.email)
            .collect();
        assert_eq!(left, ["ann@example.com"]);
    }
    let id = fixture
        .run(&["-p", "confluent", "remove", "u-1", "--yes"])
        .await;
    id.fails(2, &["no address", "members remove"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_a_roster_with_nothing_to_do() {
    let fixture = Fixture::start().await;
    if !fixture.offers_members() {
        return;
    }
    for vendor in VENDORS {
        let (name, _, [first, second]) = vendor;
        join(&fixture, vendor, &format!("{first};{second}")).await;
        let create = ["-p", name, "create", "eve@example.com", "--role", first];
        fixture.run(&create).await.success();
        for format in ["csv", "jsonl", "json"] {
            let exported = fixture.run(&["-p", name, "export", "-o", format]).await;
            let exported = &exported.success().stdout;
            assert!(exported.contains(first), "{exported}");
            let roster = file(&fixture, &format!("people.{format}"), exported);
            let plan = ["-p", name, "plan", &roster, "--detailed-exitcode"];
            let all = ["--prune", "--prune-members", "--min-admins", "0"];
            let planned = fixture.run(&[&plan[..], &all].concat()).await;
            planned.success().stderr_contains(&["keep 3", "remove 0"]);
        }
        let table = fixture.run(&["-p", name, "export"]).await;
        assert!(
            table
                .success()
                .stdout
                .starts_with("email,roles,auth_type\n")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_invalid_rows_only_is_no_success() {
    let fixture = Fixture::start().await;
    let roster = file(&fixture, "roster.csv", "email\nnobody\n");
    let plan = ["-p", "confluent", "plan", &roster];
    fixture.run(&plan).await.success();
    let detailed = [&plan[..], &["--detailed-exitcode"]].concat();
    assert_eq!(fixture.run(&detailed).await.code, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn if_not_exists_gives_the_roles_or_says_that_it_cannot() {
    let fixture = Fixture::start().await;
    if !fixture.offers_members() {
        return;
    }
    for (name, provider, [first, second]) in VENDORS {
        let create = ["-p", name, "create", "ann@example.com", "--role", first];
        fixture.run(&create).await.success();
        let again = ["-p", name, "create", "ann@example.com", "--if-not-exists"];
        fixture
            .run(&[&again[..], &["--role", first]].concat())
            .await
            .success();
        let other = [&again[..], &["--role", second]].concat();
        let other_is_given = fixture.run(&other).await;
        match provider {
            Provider::Confluent => {
                other_is_given.success();
                assert_eq!(fixture.sandbox.role_bindings().len(), 2);
            }
            _ => {
                other_is_given.fails(1, &["without the role Billing"]);
            }
        }
        fixture.sandbox.accept(provider, "ann@example.com").unwrap();
        // Confluent keeps the invitation, which names the user.
        let member = match provider {
            Provider::Confluent => [&again[..], &["--role", "EnvironmentAdmin@env-9"]].concat(),
            _ => other,
        };
        let member = fixture.run(&member).await;
        match provider {
            Provider::Confluent => {
                member.success();
                assert_eq!(fixture.sandbox.role_bindings().len(), 3);
            }
            _ => {
                member.fails(1, &["without the role Billing"]);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_something_forbids_is_no_success() {
    let fixture = Fixture::start().await;
    if !fixture.offers_members() {
        return;
    }
    for vendor in VENDORS {
        let (name, _, [first, _]) = vendor;
        join(&fixture, vendor, first).await;
        let roster = "email,action\nann@example.com,remove\n";
        let roster = file(&fixture, "leavers.csv", roster);
        let apply = [
            "-p",
            name,
            "apply",
            &roster,
            "--yes",
            "--prune-members",
            "--delete-owned",
            "--min-admins",
            "0",
            "--keep",
            "Ann@example.com",
        ];
        let kept = fixture.run(&apply).await;
        kept.fails(
            1,
            &["ann@example.com is kept: protected by the options of the plan"],
        );
        let without = &apply[..apply.len() - 2];
        fixture.run(without).await.success();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_administrator_keeps_the_role() {
    let fixture = Fixture::start().await;
    if !fixture.offers_members() {
        return;
    }
    for vendor in VENDORS {
        let name = vendor.0;
        let (admin, other) = match name {
            "confluent" => ("OrganizationAdmin", "MetricsViewer"),
            _ => ("Admin", "Developer"),
        };
        join(&fixture, vendor, admin).await;
        let set = [
            "-p",
            name,
            "members",
            "set-roles",
            "ann@example.com",
            "--role",
            other,
        ];
        let refused = fixture.run(&set).await;
        refused.fails(2, &["keeps the roles: 0 administrators would remain"]);
        let anyway = [&set[..], &["--min-admins", "0", "--dry-run"]].concat();
        let shown = fixture.run(&anyway).await;
        let shown = &shown.success().stdout;
        assert!(shown.contains(&format!("-{admin}")), "{shown}");
        let remove = [
            "-p",
            name,
            "members",
            "remove",
            "ann@example.com",
            "--delete-owned",
            "--yes",
        ];
        let refused = fixture.run(&remove).await;
        refused.fails(1, &["0 administrators would remain"]);
        let limited = ["--min-admins", "0", "--max-deletes", "0"];
        let limited = fixture.run(&[&remove[..], &limited].concat()).await;
        limited.fails(2, &["Nothing was changed"]);
        let dry = fixture
            .run(&[&remove[..], &["--min-admins", "0", "--dry-run"]].concat())
            .await;
        dry.success();
    }
    assert_eq!(fixture.sandbox.members().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_that_cannot_be_read_are_no_empty_plan() {
    let fixture = Fixture::start().await;
    if !fixture.offers_members() {
        return;
    }
    let vendor = VENDORS[0];
    join(&fixture, vendor, vendor.2[0]).await;
    let roster = "email,roles\nann@example.com,MetricsViewer\n";
    let roster = file(&fixture, "roster.csv", roster);
    let closed = Rule::new(Fault::status_before(403)).on(Operation::ListRoleBindings);
    fixture
        .sandbox
        .set_faults(Faults::script([closed.always()]));
    let plan = ["-p", "confluent", "plan", &roster, "--detailed-exitcode"];
    let unknown = fixture.run(&plan).await;
    unknown.fails(
        1,
        &["the roles of members are not known, and are not compared"],
    );
    let applied = ["-p", "confluent", "apply", &roster, "--yes"];
    let words = ["1 row has roles that could not be compared"];
    fixture.run(&applied).await.fails(1, &words);
}
