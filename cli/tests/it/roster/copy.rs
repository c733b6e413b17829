//! `copy`: from one organisation to another.

use org_invitations_sandbox::Provider;

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
