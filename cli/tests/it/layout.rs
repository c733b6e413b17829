//! Columns, headers and order of lists.

use org_invitations_sandbox::Provider;

use crate::fixture::Fixture;

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_chosen_and_sorted() {
    let fixture = Fixture::start().await;
    let people = ["cat@example.com", "ann@example.com", "bob@example.com"];
    fixture.invite("confluent", &people).await;
    let list = async |words: &[&str]| {
        let words = [&["-p", "confluent", "list"], words].concat();
        fixture.run(&words).await.success().stdout.clone()
    };
    let table = list(&["--columns", "email,STATUS", "--sort", "email"]).await;
    assert_eq!(
        table,
        "EMAIL            STATUS\nann@example.com  sent\nbob@example.com  sent\ncat@example.com  sent\n"
    );
    let bare = [
        "--columns",
        "email",
        "--no-headers",
        "--sort=-email",
        "--limit",
        "2",
    ];
    assert_eq!(list(&bare).await, "cat@example.com\nbob@example.com\n");
    let csv = [&bare[..], &["-o", "csv"]].concat();
    assert_eq!(list(&csv).await, "cat@example.com\nbob@example.com\n");
    let csv = [
        "-o",
        "csv",
        "--columns",
        "auth_type,email",
        "--sort",
        "created",
        "--limit",
        "1",
    ];
    assert_eq!(list(&csv).await, "auth_type,email\nlocal,cat@example.com\n");
    let json = list(&["-o", "json", "--sort", "email"]).await;
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(rows[0]["email"], "ann@example.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn layouts_that_cannot_be_are_rejected() {
    let fixture = Fixture::start().await;
    for (words, said) in [
        (
            &["--columns", "emial"][..],
            &["no column `emial`", "did you mean `email`?"][..],
        ),
        (&["--sort", "size"], &["--sort", "no column `size`"]),
        (&["--columns", "email", "-o", "json"], &["tables and CSV"]),
        (&["--no-headers", "-o", "yaml"], &["tables and CSV"]),
    ] {
        let words = [&["-p", "confluent", "list"], words].concat();
        fixture.run(&words).await.fails(2, said);
    }
    assert!(fixture.sandbox.ledger().requests.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_has_a_layout() {
    let fixture = Fixture::start().await;
    if !fixture.offers_members() {
        return;
    }
    fixture.invite("clickhouse", &["ann@example.com"]).await;
    let accepted = fixture
        .sandbox
        .accept(Provider::ClickHouse, "ann@example.com");
    accepted.unwrap();
    for words in [
        &["members", "list"][..],
        &["who", "bob@example.com", "ann@example.com"],
        &["roles", "list"],
    ] {
        let column = if words[0] == "roles" { "name" } else { "email" };
        let layout = ["--no-headers", "--columns", column, "--sort", column];
        let words = [&["-p", "clickhouse"], words, &layout].concat();
        let shown = fixture.run(&words).await;
        let lines: Vec<&str> = shown.success().stdout.lines().collect();
        assert!(
            !lines.is_empty() && lines.is_sorted_by_key(|line| line.to_lowercase()),
            "{lines:?}"
        );
    }
}
