//! `copy`: from one organisation to another.

use org_invitations_sandbox::{Change, Fault, Faults, Operation, Provider, Rule};

use super::{created, file};
use crate::world::World;

const PEOPLE: [&str; 3] = ["ann@example.com", "bob@example.com", "cid@example.com"];

const COPY: [&str; 5] = ["copy", "--from", "confluent", "--to", "clickhouse"];

#[tokio::test]
async fn what_the_target_cannot_express_is_refused_unless_told_to_leave_it_out() {
    let world = World::start().await;
    world.invite("confluent", &PEOPLE).await;
    let dry = [&COPY[..], &["--dry-run", "-o", "jsonl"]].concat();
    let planned = world.run(&dry).await;
    for row in planned.succeeded().lines() {
        assert_eq!(row["action"], "refuse", "{row}");
        assert_eq!(row["reason"], "the provider has no auth types", "{row}");
    }
    let dry = [&dry[..], &["--ignore", "auth-type"]].concat();
    let planned = world.run(&dry).await;
    for row in planned.succeeded().lines() {
        assert_eq!(row["action"], "create", "{row}");
    }
    assert!(created(&world.sandbox, Provider::ClickHouse).is_empty());
}

#[tokio::test]
async fn people_are_copied_and_the_source_is_left_alone_or_withdrawn() {
    let world = World::start().await;
    if !world.offers_role_ids().await {
        return;
    }
    world.invite("confluent", &PEOPLE).await;
    world.invite("clickhouse", &["Bob@example.com"]).await;
    world
        .sandbox
        .accept(Provider::Confluent, "cid@example.com")
        .unwrap();
    let copy = [&COPY[..], &["--ignore", "auth-type", "--yes"]].concat();
    let copied = world.run(&copy).await;
    copied
        .succeeded()
        .says(&["1 are over or accepted", "create 1, keep 1"]);
    assert_eq!(copied.stdout, "invited 1, kept 1, deleted 0\n");
    let created = created(&world.sandbox, Provider::ClickHouse);
    assert_eq!(
        created.into_iter().collect::<Vec<_>>(),
        [
            ("ann@example.com".to_owned(), 1),
            ("bob@example.com".to_owned(), 1),
        ]
    );
    let listed = |world| async move {
        let list = ["-p", "confluent", "list", "--status", "sent", "-o", "jsonl"];
        World::run(world, &list).await.lines().len()
    };
    assert_eq!(listed(&world).await, 2, "the source was changed");
    let moved = world
        .run(&[&copy[..], &["--delete-source-after"]].concat())
        .await;
    moved.succeeded().says(&["confluent: withdrew 2"]);
    assert_eq!(listed(&world).await, 0);
}

#[tokio::test]
async fn a_role_map_says_which_role_is_which() {
    let world = World::start().await;
    if !world.offers_role_ids().await {
        return;
    }
    let config = {
        let key = &world.sandbox.credentials().clickhouse;
        let (url, id) = (world.sandbox.url(), &key.organization_id);
        let (api_key, secret) = (&key.api_key, &key.api_secret);
        let profile = |name: &str, provider: &str| {
            format!(
                "[profiles.{name}]\nprovider = \"{provider}\"\norganization_id = \"{id}\"\n\
                 api_key = \"{api_key}\"\napi_secret = \"{secret}\"\nbase_url = \"{url}\"\n"
            )
        };
        profile("old", "clickhouse") + &profile("new", "clickhouse")
    };
    world.config(&config);
    world
        .run(&[
            "-p",
            "clickhouse",
            "create",
            "ann@example.com",
            "--role",
            "developer",
        ])
        .await
        .succeeded();
    let map = file(
        &world,
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
    let mut variables = world.no_variables();
    variables.retain(|name, _| !name.starts_with("CLICKHOUSE"));
    let mut words = copy(&["--role-map"]);
    words.push(&map);
    let planned = crate::world::run(&words, &variables).await;
    let row = &planned.succeeded().lines()[0];
    // Both profiles are of one organisation here, so the person is there already, with other roles.
    assert_eq!(row["action"], "renew", "{row}");
    assert_eq!(row["roles"]["ids"][0], "r-9", "{row}");
    let empty = file(&world, "empty.toml", "[roles]\n");
    let mut words = copy(&["--role-map"]);
    words.push(&empty);
    let planned = crate::world::run(&words, &variables).await;
    let row = &planned.succeeded().lines()[0];
    let kept_or_refused = row["action"] == "keep"
        || row["reason"]
            .as_str()
            .is_some_and(|why| why.contains("the role map has nothing"));
    assert!(kept_or_refused, "{row}");
}

#[tokio::test]
async fn wrong_words_are_refused_before_anything_is_sent() {
    let world = World::start().await;
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
        world.run(&words).await.fails(2, &[said]);
    }
    assert!(world.sandbox.ledger().requests.is_empty());
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

/// Who is invited at a provider.
async fn listed(world: &World, provider: &str) -> Vec<String> {
    let list = ["-p", provider, "list", "-o", "jsonl"];
    let rows = world.run(&list).await.lines();
    let emails = rows.iter().map(|row| crate::world::text(&row["email"]));
    emails.collect()
}

fn on_create(fault: Fault) -> Rule {
    Rule::new(fault)
        .on(Operation::Create)
        .provider(Provider::ClickHouse)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_withdrawn_at_the_source_who_was_not_seen_at_the_target() {
    let world = World::start().await;
    world.invite("confluent", &PEOPLE).await;
    // Every create is refused as if the person were there; or one of them is.
    for rule in [
        on_create(Fault::status_before(409)).always(),
        on_create(Fault::status_before(409)).nth(2),
    ] {
        world.sandbox.set_faults(Faults::script([rule]));
        let moved = world.run(&MOVE).await;
        let why = "confluent: nothing was withdrawn, because it is open whether";
        if moved.stdout.starts_with("invited 0") {
            assert_ne!(moved.code, Some(0));
        } else {
            moved.fails(1, &[why]);
        }
        assert_eq!(listed(&world, "confluent").await.len(), 3);
    }
    assert_eq!(listed(&world, "clickhouse").await.len(), 2);
    world.sandbox.set_faults(Faults::default());
    // Once nothing is open, all of them go.
    world
        .run(&MOVE)
        .await
        .succeeded()
        .says(&["confluent: withdrew 3"]);
    assert!(listed(&world, "confluent").await.is_empty());
    assert_eq!(listed(&world, "clickhouse").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_at_the_target_stays_at_the_source() {
    let world = World::start().await;
    world.invite("confluent", &PEOPLE).await;
    let refused = on_create(Fault::status_before(403)).times(1);
    world.sandbox.set_faults(Faults::script([refused]));
    let moved = world
        .run(&[&MOVE[..], &["--concurrency", "1"]].concat())
        .await;
    moved.fails(1, &["status 403", "confluent: withdrew 2"]);
    assert_eq!(listed(&world, "confluent").await, [PEOPLE[0]]);
    // A member there is told in the vendor's words, and was not seen.
    world.invite("clickhouse", &[PEOPLE[0]]).await;
    world
        .sandbox
        .accept(Provider::ClickHouse, PEOPLE[0])
        .unwrap();
    let moved = world.run(&MOVE).await;
    moved
        .succeeded()
        .says(&["confluent: 1 stay, because they were not seen"]);
    assert_eq!(listed(&world, "confluent").await, [PEOPLE[0]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn moving_more_than_was_agreed_to_is_refused_before_anything_is_changed() {
    let world = World::start().await;
    let emails: Vec<_> = (0..6)
        .map(|number| format!("p{number}@example.com"))
        .collect();
    let emails: Vec<_> = emails.iter().map(String::as_str).collect();
    world.invite("confluent", &emails).await;
    let refused = world.run(&MOVE).await;
    refused.fails(
        2,
        &[
            "confluent: this would withdraw 6 of 6 invitations",
            "--max-deletes 6",
        ],
    );
    assert_eq!(world.sandbox.ledger().commits.len(), 6);
    let moved = world
        .run(&[&MOVE[..], &["--max-deletes", "100%"]].concat())
        .await;
    moved.succeeded().says(&["confluent: withdrew 6"]);
    let commits = world.sandbox.ledger().commits;
    let deletions = commits
        .iter()
        .filter(|commit| commit.operation == Change::Delete);
    assert_eq!(deletions.count(), 6);
}

#[tokio::test]
async fn a_dry_run_shows_what_is_withdrawn_where() {
    let world = World::start().await;
    let key = &world.sandbox.credentials().confluent;
    let (url, api_key, secret) = (world.sandbox.url(), &key.api_key, &key.api_secret);
    let profile = format!(
        "[profiles.kafka]\nprovider = \"confluent\"\napi_key = \"{api_key}\"\n\
         api_secret = \"{secret}\"\nbase_url = \"{url}\"\n"
    );
    world.config(&profile);
    let ids = world.invite("confluent", &PEOPLE[..1]).await;
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
    let shown = world.run(&dry).await;
    shown.succeeded().says(&[
        "clickhouse: create 1",
        "confluent (profile kafka): delete 1",
    ]);
    let rows = shown.lines();
    assert_eq!(rows.len(), 2);
    let create = serde_json::json!({ "action": "create", "email": PEOPLE[0] });
    assert_eq!(rows[0], create);
    let delete = serde_json::json!({
        "action": "delete", "email": PEOPLE[0], "id": ids[0], "provider": "confluent",
        "profile": "kafka", "reason": "once invited at the target",
    });
    assert_eq!(rows[1], delete);
    assert_eq!(world.sandbox.ledger().commits.len(), 1);
    let schema = world.run(&["schema", "plan"]).await.json();
    let valid = jsonschema::validator_for(&schema).unwrap();
    assert!(valid.is_valid(&serde_json::Value::from(rows)));
}
