//! `copy`: from one organisation to another.

use org_invitations_sandbox::{
    Change, ClickHouseKey, ClickHouseOrganization, Config, ConfluentKey, ConfluentOrganization,
    Fault, Faults, Operation, Provider, Rule,
};

use super::{created, file};
use crate::fixture::{Fixture, run};

const PEOPLE: [&str; 3] = ["ann@example.com", "bob@example.com", "cid@example.com"];

const COPY: [&str; 5] = ["copy", "--from", "confluent", "--to", "clickhouse"];

#[tokio::test]
async fn unsupported_fields_are_rejected_unless_ignored() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &PEOPLE).await;
    let dry = [&COPY[..], &["--dry-run", "-o", "jsonl"]].concat();
    let planned = fixture.run(&dry).await;
    // As the run would.
    for row in planned.fails(1, &["invalid 3"]).lines() {
        assert_eq!(row["action"], "invalid", "{row}");
        assert_eq!(row["reason"], "the provider has no auth types", "{row}");
    }
    let dry = [&dry[..], &["--ignore", "auth-type"]].concat();
    let planned = fixture.run(&dry).await;
    for row in planned.success().lines() {
        assert_eq!(row["action"], "create", "{row}");
    }
    assert!(created(&fixture.sandbox, Provider::ClickHouse).is_empty());
}

/// However many rows are refused.
#[tokio::test]
async fn a_hint_says_once_which_option_helps() {
    let fixture = Fixture::start().await;
    if !fixture.offers_role_ids().await {
        return;
    }
    fixture.invite("confluent", &PEOPLE).await;
    let dry = [&COPY[..], &["--dry-run"]].concat();
    let planned = fixture.run(&dry).await;
    assert_eq!(planned.stderr.matches("`--ignore auth-type`").count(), 1);
    fixture.sandbox.reset();
    let create = ["-p", "clickhouse", "create", "--role", "Developer"];
    fixture
        .run(&[&create[..], &PEOPLE].concat())
        .await
        .success();
    let copy = [
        "copy",
        "--from",
        "clickhouse",
        "--to",
        "confluent",
        "--dry-run",
    ];
    let planned = fixture.run(&copy).await;
    assert_eq!(planned.stdout.matches("another vendor").count(), 3);
    for hint in ["`--role-map FILE`", "`--ignore roles`"] {
        let count = planned.stderr.matches(hint).count();
        assert_eq!(count, 1, "{hint}: {}", planned.stderr);
    }
}

#[tokio::test]
async fn copying_keeps_or_deletes_the_source() {
    let fixture = Fixture::start().await;
    if !fixture.offers_role_ids().await {
        return;
    }
    fixture.invite("confluent", &PEOPLE).await;
    fixture.invite("clickhouse", &["Bob@example.com"]).await;
    fixture
        .sandbox
        .accept(Provider::Confluent, "cid@example.com")
        .unwrap();
    let copy = [&COPY[..], &["--ignore", "auth-type", "--yes"]].concat();
    let copied = fixture.run(&copy).await;
    copied
        .success()
        .stderr_contains(&["1 are expired, deactivated or accepted", "create 1, keep 1"]);
    assert_eq!(copied.stdout, "invited 1, kept 1, removed 0\n");
    let created = created(&fixture.sandbox, Provider::ClickHouse);
    assert_eq!(
        created.into_iter().collect::<Vec<_>>(),
        [
            ("ann@example.com".to_owned(), 1),
            ("bob@example.com".to_owned(), 1),
        ]
    );
    let listed = |fixture| async move {
        let list = ["-p", "confluent", "list", "--status", "sent", "-o", "jsonl"];
        Fixture::run(fixture, &list).await.lines().len()
    };
    assert_eq!(listed(&fixture).await, 2, "the source was changed");
    let moved = fixture
        .run(&[&copy[..], &["--delete-source-after"]].concat())
        .await;
    moved.success().stderr_contains(&["confluent: withdrew 2"]);
    assert_eq!(listed(&fixture).await, 0);
}

#[tokio::test]
async fn a_role_map_translates_roles() {
    let organization = |key| ClickHouseOrganization::default().key(ClickHouseKey::new(key, "s"));
    let mut config = Config::default();
    config.clickhouse = vec![organization("old"), organization("new")];
    for (number, organization) in config.clickhouse.iter_mut().enumerate() {
        organization.id = Some(format!("22222222-0000-4000-8000-00000000000{number}"));
    }
    let ids: Vec<_> = config
        .clickhouse
        .iter()
        .map(|one| one.id.clone().unwrap())
        .collect();
    let fixture = Fixture::with(config).await;
    if !fixture.offers_role_ids().await {
        return;
    }
    let url = fixture.sandbox.url();
    let profile = |(name, id): (&str, &String)| {
        format!(
            "[profiles.{name}]\nprovider = \"clickhouse\"\norganization_id = \"{id}\"\n\
             api_key = \"{name}\"\napi_secret = \"s\"\nbase_url = \"{url}\"\n"
        )
    };
    let config: String = ["old", "new"].into_iter().zip(&ids).map(profile).collect();
    fixture.config(&config);
    fixture
        .run(&[
            "-p",
            "clickhouse",
            "create",
            "ann@example.com",
            "--role",
            "developer",
        ])
        .await
        .success();
    let map = file(
        &fixture,
        "map.toml",
        "[roles]\n\"Developer\" = \"r-9\"\ndeveloper = [\"r-9\"]\n",
    );
    let copy = |extra: &[&'static str]| {
        let mut words = vec![
            "copy",
            "--from",
            "old",
            "--to",
            "new",
            "--dry-run",
            "-o",
            "jsonl",
        ];
        words.extend(extra);
        words
    };
    let mut variables = fixture.empty_environment();
    variables.retain(|name, _| !name.starts_with("CLICKHOUSE"));
    let mut words = copy(&["--role-map"]);
    words.push(&map);
    let planned = crate::fixture::run(&words, &variables).await;
    let row = &planned.success().lines()[0];
    assert_eq!(row["action"], "create", "{row}");
    assert_eq!(row["roles"]["grants"][0], "r-9", "{row}");
    let empty = file(&fixture, "empty.toml", "[roles]\n");
    let mut words = copy(&["--role-map"]);
    words.push(&empty);
    let planned = crate::fixture::run(&words, &variables).await;
    let row = &planned.fails(1, &["invalid 1"]).lines()[0];
    let reason = row["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("the role map has no entry"), "{row}");
}

#[tokio::test]
async fn invalid_arguments_fail_before_any_request() {
    let fixture = Fixture::start().await;
    for (words, said) in [
        (
            vec!["copy", "--from", "confluent", "--to", "confluent", "--yes"],
            "are the same",
        ),
        (
            vec!["copy", "--from", "confluent", "--to", "clickhouse"],
            "--yes",
        ),
        (
            vec!["copy", "--from", "confluent", "--to", "nowhere", "--yes"],
            "nowhere",
        ),
        (
            vec![
                "copy",
                "--from",
                "confluent",
                "--to",
                "clickhouse",
                "--yes",
                "--resume",
            ],
            "--journal",
        ),
    ] {
        fixture.run(&words).await.fails(2, &[said]);
    }
    assert!(fixture.sandbox.ledger().requests.is_empty());
}

const MOVE: [&str; 9] = [
    "copy",
    "--from",
    "confluent",
    "--to",
    "clickhouse",
    "--ignore",
    "auth-type",
    "--yes",
    "--delete-source-after",
];

/// The people invited at a provider.
async fn listed(fixture: &Fixture, provider: &str) -> Vec<String> {
    let list = ["-p", provider, "list", "-o", "jsonl"];
    let rows = fixture.run(&list).await.lines();
    let emails = rows.iter().map(|row| crate::fixture::text(&row["email"]));
    emails.collect()
}

fn on_create(fault: Fault) -> Rule {
    Rule::new(fault)
        .on(Operation::Create)
        .provider(Provider::ClickHouse)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_people_seen_at_the_target_leave_the_source() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &PEOPLE).await;
    // All creates, or one of them, fail as if the person were invited already.
    for rule in [
        on_create(Fault::status_before(409)).always(),
        on_create(Fault::status_before(409)).nth(2),
    ] {
        fixture.sandbox.set_faults(Faults::script([rule]));
        let moved = fixture.run(&MOVE).await;
        let why = "confluent: nothing was withdrawn, because it is unknown whether";
        if moved.stdout.starts_with("invited 0") {
            assert_ne!(moved.code, Some(0));
        } else {
            moved.fails(1, &[why]);
        }
        assert_eq!(listed(&fixture, "confluent").await.len(), 3);
    }
    assert_eq!(listed(&fixture, "clickhouse").await.len(), 2);
    fixture.sandbox.set_faults(Faults::default());
    // Once every create is explained, everybody is withdrawn.
    fixture
        .run(&MOVE)
        .await
        .success()
        .stderr_contains(&["confluent: withdrew 3"]);
    assert!(listed(&fixture, "confluent").await.is_empty());
    assert_eq!(listed(&fixture, "clickhouse").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_rejected_by_the_target_stay_at_the_source() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &PEOPLE).await;
    let refused = on_create(Fault::status_before(403)).times(1);
    fixture.sandbox.set_faults(Faults::script([refused]));
    let moved = fixture
        .run(&[&MOVE[..], &["--concurrency", "1"]].concat())
        .await;
    moved.fails(1, &["status 403", "confluent: withdrew 2"]);
    assert_eq!(listed(&fixture, "confluent").await, [PEOPLE[0]]);
    // The list of members shows a member; without one, only the vendor's message does.
    fixture.invite("clickhouse", &[PEOPLE[0]]).await;
    fixture
        .sandbox
        .accept(Provider::ClickHouse, PEOPLE[0])
        .unwrap();
    let moved = fixture.run(&MOVE).await;
    if fixture.offers_members() {
        moved.success().stderr_contains(&["confluent: withdrew 1"]);
        assert!(listed(&fixture, "confluent").await.is_empty());
        return;
    }
    moved
        .success()
        .stderr_contains(&["confluent: 1 kept, because they were not seen"]);
    assert_eq!(listed(&fixture, "confluent").await, [PEOPLE[0]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn exceeding_max_deletes_fails_before_any_change() {
    let fixture = Fixture::start().await;
    let emails: Vec<_> = (0..6)
        .map(|number| format!("p{number}@example.com"))
        .collect();
    let emails: Vec<_> = emails.iter().map(String::as_str).collect();
    fixture.invite("confluent", &emails).await;
    let refused = fixture.run(&MOVE).await;
    refused.fails(
        2,
        &[
            "confluent: this would withdraw 6 of 6 invitations",
            "--max-deletes 6",
        ],
    );
    assert_eq!(fixture.sandbox.ledger().commits.len(), 6);
    let moved = fixture
        .run(&[&MOVE[..], &["--max-deletes", "100%"]].concat())
        .await;
    moved.success().stderr_contains(&["confluent: withdrew 6"]);
    let commits = fixture.sandbox.ledger().commits;
    let deletions = commits
        .iter()
        .filter(|commit| commit.operation == Change::Delete);
    assert_eq!(deletions.count(), 6);
}

#[tokio::test]
async fn a_dry_run_lists_deletions_with_their_provider() {
    let fixture = Fixture::start().await;
    let key = &fixture.sandbox.credentials().confluent;
    let (url, api_key, secret) = (fixture.sandbox.url(), &key.api_key, &key.api_secret);
    let profile = format!(
        "[profiles.kafka]\nprovider = \"confluent\"\napi_key = \"{api_key}\"\n\
         api_secret = \"{secret}\"\nbase_url = \"{url}\"\n"
    );
    fixture.config(&profile);
    let ids = fixture.invite("confluent", &PEOPLE[..1]).await;
    let dry = [
        "copy",
        "--from",
        "kafka",
        "--to",
        "clickhouse",
        "--ignore",
        "auth-type",
        "--delete-source-after",
        "--dry-run",
        "-o",
        "jsonl",
    ];
    let shown = fixture.run(&dry).await;
    shown.success().stderr_contains(&[
        "clickhouse: create 1",
        "confluent (profile kafka): remove 1",
    ]);
    let rows = shown.lines();
    assert_eq!(rows.len(), 2);
    let create = serde_json::json!({ "action": "create", "email": PEOPLE[0] });
    assert_eq!(rows[0], create);
    let delete = serde_json::json!({
        "action": "remove", "email": PEOPLE[0], "id": ids[0], "provider": "confluent",
        "profile": "kafka", "reason": "once invited at the target",
    });
    assert_eq!(rows[1], delete);
    assert_eq!(fixture.sandbox.ledger().commits.len(), 1);
    let schema = fixture.run(&["schema", "plan"]).await.json();
    let valid = jsonschema::validator_for(&schema).unwrap();
    assert!(valid.is_valid(&serde_json::Value::from(rows)));
}

/// On Confluent, roles belong to the user, and the source's user goes with the invitation.
#[tokio::test(flavor = "multi_thread")]
async fn roles_of_users_are_copied_before_the_source_is_withdrawn() {
    let organization = |key| ConfluentOrganization::default().key(ConfluentKey::new(key, "secret"));
    let mut config = Config::default();
    config.confluent = vec![organization("old"), organization("new")];
    let fixture = Fixture::with(config).await;
    if !fixture.offers_members() {
        return;
    }
    let url = fixture.sandbox.url();
    let profile = |name: &str| {
        format!(
            "[profiles.{name}]\nprovider = \"confluent\"\napi_key = \"{name}\"\n\
             api_secret = \"secret\"\nbase_url = \"{url}\"\n"
        )
    };
    fixture.config(&(profile("old") + &profile("new")));
    // A key in the environment would stand for that of both profiles.
    let environment = fixture.empty_environment();
    let run = async |words: &[&str]| run(words, &environment).await;
    let create = ["--profile", "old", "create", "ann@example.com"];
    let role = ["--role", "EnvironmentAdmin@env-1"];
    run(&[&create[..], &role].concat()).await.success();
    let source = fixture.sandbox.role_bindings()[0].organization.clone();
    let words = ["copy", "--from", "old", "--to", "new", "--yes"];
    let moved = run(&[&words[..], &["--delete-source-after"]].concat()).await;
    moved.success().stderr_contains(&["withdrew 1"]);
    let bound = fixture.sandbox.role_bindings();
    assert_eq!(bound.len(), 1, "{bound:?}");
    assert_ne!(bound[0].organization, source);
    assert_eq!(bound[0].role_name, "EnvironmentAdmin");
}
