//! Which invitations a command works on: addresses in place of ids, stdin, properties, and filters of `list`.

use std::{process::Stdio, time::Duration};

use tokio::io::AsyncWriteExt;

use crate::fixture::{Fixture, command, run, with_variables};

#[tokio::test(flavor = "multi_thread")]
async fn addresses_stand_for_ids() {
    let fixture = Fixture::start().await;
    for provider in ["confluent", "clickhouse"] {
        // An older document lacks the roles that an invitation has.
        if provider == "clickhouse" && !fixture.offers_role_ids().await {
            continue;
        }
        let ids = fixture.invite(provider, &["Ann@example.com"]).await;
        let get = ["-p", provider, "get", "ann@EXAMPLE.com", "-o", "json"];
        let found = fixture.run(&get).await.json();
        assert_eq!(found[0]["id"], ids[0].as_str(), "{found}");
        let missing = fixture
            .run(&["-p", provider, "get", "bob@example.com"])
            .await;
        missing.fails(4, &["bob@example.com", "no invitation for this address"]);
        let renew = ["-p", provider, "renew", "ann@example.com", "--yes"];
        fixture.run(&renew).await.success();
        let delete = ["-p", provider, "delete", "ann@example.com", "--yes"];
        fixture.run(&delete).await.success();
    }
    assert!(fixture.sandbox.invitations().is_empty());
}

/// Runs the command with this text on stdin.
async fn with_stdin(fixture: &Fixture, words: &[&str], text: &str) -> (Option<i32>, String) {
    let mut command = command(words, &fixture.variables());
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that refuses its arguments reads nothing.
    let _ = stdin.write_all(text.as_bytes()).await;
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_come_from_stdin() {
    let fixture = Fixture::start().await;
    let people = ["ann@example.com", "bob@example.com"];
    let ids = fixture.invite("confluent", &people).await;
    let text = format!("{}\r\n\n  bob@example.com \n{}\n", ids[0], ids[0]);
    let get = ["-p", "confluent", "get", "-", "-o", "jsonl"];
    let (code, said) = with_stdin(&fixture, &get, &text).await;
    assert_eq!((code, said.lines().count()), (Some(0), 2), "{said}");
    let delete = ["-p", "confluent", "delete", "-"];
    let (code, said) = with_stdin(&fixture, &delete, &text).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("pass --yes"), "{said}");
    let delete = ["-p", "confluent", "delete", "-", "--yes"];
    let (code, said) = with_stdin(&fixture, &delete, "i 1\n").await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("stdin, line 1"), "{said}");
    assert_eq!(with_stdin(&fixture, &delete, "\n").await.0, Some(0));
    let (code, said) = with_stdin(&fixture, &delete, &text).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(fixture.sandbox.invitations().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_selects_by_status_and_expiry() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["old@example.com"]).await;
    fixture.sandbox.advance(Duration::from_secs(14 * 86_400));
    fixture.invite("confluent", &["new@example.com"]).await;
    let delete =
        |selector: &[&'static str]| [&["-p", "confluent", "delete", "--yes"], selector].concat();
    let deleted = fixture.run(&delete(&["--expired"])).await;
    assert!(deleted.success().stdout.contains("old@example.com"));
    let none = fixture.run(&delete(&["--expired"])).await;
    none.success().stderr_contains(&["no such invitations"]);
    let both = fixture
        .run(&delete(&["--expired", "--status", "sent"]))
        .await;
    both.fails(2, &["--status"]);
    let deleted = fixture.run(&delete(&["--status", "Sent"])).await;
    assert!(deleted.success().stdout.contains("new@example.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn list_compares_addresses_in_any_spelling() {
    let fixture = Fixture::start().await;
    for provider in ["confluent", "clickhouse"] {
        fixture
            .invite(provider, &["Ann@example.com", "bob@example.org"])
            .await;
        let emails = async |filter: &[&str]| {
            let list = [&["-p", provider, "list", "-o", "jsonl"], filter].concat();
            let rows = fixture.run(&list).await;
            let rows = rows.success().lines();
            let emails = rows
                .iter()
                .map(|row| row["email"].as_str().unwrap().to_lowercase());
            emails.collect::<Vec<_>>()
        };
        assert_eq!(
            emails(&["--email", "aNN@Example.com"]).await,
            ["ann@example.com"]
        );
        assert!(emails(&["--email", "an@example.com"]).await.is_empty());
        assert_eq!(
            emails(&["--email-domain", "@EXAMPLE.org"]).await,
            ["bob@example.org"]
        );
        assert!(emails(&["--email-domain", "ample.org"]).await.is_empty());
        assert!(emails(&["--created-before", "2020-01-01"]).await.is_empty());
        assert_eq!(
            emails(&["--created-before", "2999-01-01T00:00:00Z"])
                .await
                .len(),
            2
        );
        assert!(emails(&["--created-before", "1d"]).await.is_empty());
    }
    let wrong = fixture
        .run(&["-p", "confluent", "list", "--created-before", "soon"])
        .await;
    wrong.fails(2, &["expected a date"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_organization_hints_at_the_id() {
    let fixture = Fixture::start().await;
    let other = [("CLICKHOUSE_ORG_ID", "11111111-2222-3333-4444-555555555555")];
    let variables = with_variables(fixture.variables(), &other);
    let refused = run(&["-p", "clickhouse", "list"], &variables).await;
    refused.fails(3, &["another organization", "hint: ", "CLICKHOUSE_ORG_ID"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn base_urls_may_have_the_version() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["ann@example.com"]).await;
    for path in ["/iam/v2", "/iam/v2/"] {
        let url = format!("{}{path}", fixture.sandbox.url());
        let variables = with_variables(fixture.variables(), &[("CONFLUENT_CLOUD_ENDPOINT", &url)]);
        let list = run(&["-p", "confluent", "list", "-o", "jsonl"], &variables).await;
        assert_eq!(list.success().lines().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_renewal_exits_with_4() {
    let fixture = Fixture::start().await;
    let missing = fixture
        .run(&["-p", "confluent", "renew", "i-nowhere"])
        .await;
    missing.fails(4, &["i-nowhere", "not found"]);
}
