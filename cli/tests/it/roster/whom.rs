//! Rosters with people whom nobody means: of another organisation, who left, who are switched off, or whose address only
//! looks like somebody's.

use super::file;
use crate::fixture::Fixture;

const PAST: [(&str, &str); 2] = [
    (
        "own.csv",
        "provider,id,email,status\nconfluent,i-1,ann@example.com,accepted\nconfluent,i-2,bob@example.com,deactivated\n\
         confluent,i-3,cid@example.com,deactivated\nconfluent,i-4,dan@example.com,sent\n",
    ),
    (
        "own.jsonl",
        "{\"provider\":\"confluent\",\"email\":\"ann@example.com\",\"status\":\"accepted\"}\n\
         {\"provider\":\"confluent\",\"email\":\"bob@example.com\",\"status\":\"deactivated\"}\n\
         {\"provider\":\"confluent\",\"email\":\"cid@example.com\",\"status\":\"deactivated\"}\n\
         {\"provider\":\"confluent\",\"email\":\"dan@example.com\",\"status\":\"sent\"}\n",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_list_invites_nobody_who_may_have_left() {
    let fixture = Fixture::start().await;
    for (name, text) in PAST {
        let roster = file(&fixture, name, text);
        let plan = ["-p", "confluent", "-o", "jsonl", "plan", &roster];
        let planned = fixture.run(&plan).await;
        planned
            .success()
            .stderr_contains(&["note: ", "are skipped", "1 accepted, 2 deactivated"]);
        let rows = planned.lines();
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(rows[0]["email"], "dan@example.com");
        // Who has no row may be removed.
        let pruned = fixture.run(&[&plan[..], &["--prune"]].concat()).await;
        let line = if name == "own.csv" {
            "line 2: "
        } else {
            "line 1: "
        };
        pruned.fails(2, &[line, "accepted", "deactivated", "`export`"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_another_organisation_is_refused() {
    let fixture = Fixture::start().await;
    fixture.config(
        "[profiles.one]\nprovider = \"confluent\"\n[profiles.two]\nprovider = \"confluent\"\n",
    );
    for (roster, words) in [
        (
            "profile,provider,email\none,confluent,ann@example.com\ntwo,confluent,bob@example.com\n",
            &["several profiles: one, two", "nothing was sent"][..],
        ),
        (
            "profile,provider,email\ntwo,confluent,ann@example.com\n",
            &["the profile two", "this is the profile one"],
        ),
        (
            "provider,email\nclickhouse,ann@example.com\n",
            &["the provider clickhouse", "this is the provider confluent"],
        ),
        (
            "provider,email\nclickhouse,ann@example.com\nconfluent,bob@example.com\n",
            &["several providers: clickhouse, confluent"],
        ),
    ] {
        let roster = file(&fixture, "roster.csv", roster);
        let plan = fixture.run(&["--profile", "one", "plan", &roster]).await;
        plan.fails(2, words);
        let apply = ["--profile", "one", "apply", &roster, "--yes"];
        fixture.run(&apply).await.fails(2, words);
    }
    assert!(fixture.sandbox.invitations().is_empty());
    // The columns of others have the same names.
    for roster in [
        "profile,provider,email\none,confluent,ann@example.com\n",
        "profile,provider,email\nannlee,okta,ann@example.com\n",
    ] {
        let roster = file(&fixture, "roster.csv", roster);
        let plan = fixture.run(&["--profile", "one", "plan", &roster]).await;
        assert!(plan.success().stdout.contains("create"), "{}", plan.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_switched_off_in_a_directory_are_counted() {
    let fixture = Fixture::start().await;
    for (name, text, words) in [
        (
            "google.csv",
            "Email Address [Required],Status [READ ONLY]\nann@example.com,Active\nbob@example.com,Suspended\n",
            "1 person of the roster",
        ),
        (
            "okta.csv",
            "login,status\nann@example.com,DEPROVISIONED\nbob@example.com,PROVISIONED\n",
            "\"status\" is \"DEPROVISIONED\"",
        ),
        (
            "entra.csv",
            "mail,accountEnabled\nann@example.com,False\nbob@example.com,False\ncid@example.com,True\n",
            "2 people of the roster",
        ),
        (
            "google.json",
            r#"[{"primaryEmail":"ann@example.com","suspended":false},{"primaryEmail":"bob@example.com","suspended":true}]"#,
            "row 2 (\"suspended\" is \"true\")",
        ),
    ] {
        let roster = file(&fixture, name, text);
        let plan = ["-p", "confluent", "plan", &roster];
        let planned = fixture.run(&plan).await;
        planned
            .success()
            .stderr_contains(&["warning: ", words, "switched off in the directory"]);
        let strict = fixture.run(&[&plan[..], &["--strict"]].concat()).await;
        strict.fails(2, &["which --strict rejects", "nothing was sent"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invisible_character_removes_nobody() {
    let fixture = Fixture::start().await;
    let people = ["ann@example.com", "bob@example.com", "cid@example.com"];
    fixture.invite("confluent", &people).await;
    let roster = file(
        &fixture,
        "roster.csv",
        "email\n\u{200b}ann@example.com\nbob@example.com\u{200e}\nc\u{ad}i\u{2060}d@example.com\ndan@example.com\n",
    );
    let apply = ["-p", "confluent", "apply", &roster, "--prune", "--yes"];
    let applied = fixture.run(&apply).await;
    applied.fails(
        1,
        &[
            "line 2, \\u{200b}ann@example.com",
            "character 1 of this one is U+200B",
            "character 16 of this one is U+200E",
            "U+00AD",
            "ann@example.com is kept",
        ],
    );
    let mut left: Vec<String> = fixture
        .sandbox
        .invitations()
        .into_iter()
        .map(|one| one.email)
        .collect();
    left.sort();
    let dan = ["dan@example.com"];
    assert_eq!(left, [&people[..], &dan].concat());
    let create = ["-p", "confluent", "create", "ann\u{feff}@example.com"];
    fixture.run(&create).await.fails(2, &["U+FEFF"]);
}
