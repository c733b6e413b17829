//! `plan`: its output, and that it changes nothing.

use std::time::Duration;

use serde_json::{Value, json};

use super::file;
use crate::fixture::Fixture;

const ROSTER: &str = "\
email,roles,auth_type
ann@example.com,,
Bob@Example.com,,
bob@example.com,,
nobody,,
cid@example.com,r-1,
";

#[tokio::test]
async fn a_plan_has_lines_actions_and_reasons() {
    let fixture = Fixture::start().await;
    if !fixture.offers_role_ids().await {
        return;
    }
    fixture
        .invite("confluent", &["bob@example.com", "dan@example.com"])
        .await;
    let roster = file(&fixture, "roster.csv", ROSTER);
    let plan = ["-p", "confluent", "plan", &roster, "--prune", "-o", "jsonl"];
    let planned = fixture.run(&plan).await;
    planned
        .success()
        .stderr_contains(&["create 2, replace 0, keep 1, set-roles 0, remove 1, invalid 2"]);
    let mut rows = planned.lines();
    for row in &mut rows {
        row.as_object_mut().unwrap().remove("id");
        row.as_object_mut().unwrap().remove("member");
    }
    assert_eq!(
        Value::from(rows),
        json!([
            { "line": 2, "action": "create", "email": "ann@example.com" },
            { "line": 3, "action": "keep", "email": "Bob@Example.com" },
            {
                "line": 4, "action": "invalid", "email": "bob@example.com",
                "reason": "line 3 has the same address",
            },
            {
                "line": 5, "action": "invalid", "email": "nobody",
                "reason": "an email address needs an `@`",
            },
            {
                "line": 6, "action": "create", "email": "cid@example.com",
                "roles": { "grants": ["r-1"] },
            },
            { "action": "remove", "email": "dan@example.com" },
        ])
    );
    assert_eq!(
        fixture.sandbox.ledger().commits.len(),
        2,
        "it changed something"
    );
}

#[tokio::test]
async fn a_table_shows_the_changes() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["bob@example.com"]).await;
    let roster = file(&fixture, "roster.csv", ROSTER);
    let planned = fixture.run(&["-p", "confluent", "plan", &roster]).await;
    let shown = &planned.success().stdout;
    assert!(shown.starts_with("LINE  ACTION   EMAIL"), "{shown}");
    assert!(shown.contains("2     create   ann@example.com"), "{shown}");
    assert!(!shown.contains("keep"), "{shown}");
}

#[tokio::test]
async fn expired_invitations_are_planned_for_renewal() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["ann@example.com"]).await;
    fixture.sandbox.advance(Duration::from_secs(8 * 86_400));
    let roster = file(&fixture, "roster.json", r#"[{"email": "ann@example.com"}]"#);
    let planned = fixture
        .run(&["-p", "confluent", "plan", &roster, "-o", "json"])
        .await
        .json();
    assert_eq!(planned[0]["action"], "replace");
    assert_eq!(planned[0]["reason"], "expired");
}

#[tokio::test]
async fn an_invalid_roster_fails_with_its_lines() {
    let fixture = Fixture::start().await;
    for (name, text, words) in [
        (
            "a.csv",
            "emial\nann@example.com\n",
            vec!["line 1", "unknown column \"emial\""],
        ),
        (
            "b.csv",
            "email,auth_type\nann@example.com,pigeon\nbob@example.com\n",
            vec![
                "line 2: unknown auth type \"pigeon\"",
                "line 3: the row has 1 cells",
            ],
        ),
        (
            "c.jsonl",
            "{\"email\": 7}\n",
            vec!["line 1: \"email\" is 7; it has to be text"],
        ),
        ("d.json", "{", vec!["line 1"]),
        ("e.xlsx", "", vec!["--format csv|json|jsonl|yaml"]),
    ] {
        let roster = file(&fixture, name, text);
        for command in [vec!["plan", &roster], vec!["apply", &roster, "--yes"]] {
            let refused = fixture
                .run(&[&["-p", "confluent"], &command[..]].concat())
                .await;
            refused.fails(2, &words);
        }
    }
    let missing = fixture
        .run(&["-p", "confluent", "plan", "/nowhere.csv"])
        .await;
    missing.fails(2, &["cannot read /nowhere.csv"]);
    assert!(fixture.sandbox.ledger().requests.is_empty());
}
