//! The commands that drive a running sandbox.

use org_invitations_sandbox::{Fault, Faults, InvitationStatus, Operation, Provider, Rule};

use crate::fixture::{
    CommandOutput, Fixture, Variables, empty_environment, run, text, with_variables,
};

pub(crate) const URL: &str = "ORG_INVITATIONS_SANDBOX_URL";

fn variables(fixture: &Fixture) -> Variables {
    with_variables(fixture.variables(), &[(URL, fixture.sandbox.url())])
}

pub(crate) async fn control(fixture: &Fixture, line: &str) -> CommandOutput {
    let words: Vec<&str> = line.split_whitespace().collect();
    run(&words, &variables(fixture)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn accept_works_where_an_invitation_is_open() {
    let fixture = Fixture::start().await;
    fixture
        .invite("confluent", &["ann@example.com", "bob@example.com"])
        .await;
    fixture.invite("clickhouse", &["ann@example.com"]).await;
    let accepted = control(
        &fixture,
        "sandbox accept Ann@example.com bob@example.com -o json",
    )
    .await;
    let accepted = accepted.json();
    let rows: Vec<_> = accepted
        .as_array()
        .unwrap()
        .iter()
        .map(|row| text(&row["provider"]))
        .collect();
    assert_eq!(rows, ["confluent", "clickhouse", "confluent"], "{accepted}");
    assert_eq!(fixture.sandbox.members().len(), 3);

    control(&fixture, "sandbox accept ann@example.com")
        .await
        .fails(1, &["cannot accept ann@example.com", "accepted before"]);
    let unknown = control(&fixture, "sandbox accept nobody@example.com").await;
    unknown.fails(
        4,
        &[
            "cannot accept nobody@example.com",
            "confluent: no invitation",
        ],
    );

    fixture.invite("clickhouse", &["cy@example.com"]).await;
    fixture.invite("confluent", &["cy@example.com"]).await;
    control(&fixture, "-p clickhouse sandbox accept cy@example.com")
        .await
        .success();
    let invitations = fixture.sandbox.invitations();
    let of_cy = |provider| {
        let mut all = invitations.iter();
        all.find(|it| it.email == "cy@example.com" && it.provider == provider)
            .unwrap()
    };
    assert_eq!(
        of_cy(Provider::ClickHouse).status,
        InvitationStatus::Accepted
    );
    assert_eq!(of_cy(Provider::Confluent).status, InvitationStatus::Sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_moves_and_a_reset_sets_it_back() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["ann@example.com"]).await;
    let shown = control(&fixture, "sandbox clock").await;
    assert!(
        shown.success().stdout.contains("as on its machine"),
        "{}",
        shown.stdout
    );
    for by in ["+6d", "25h"] {
        control(&fixture, &format!("sandbox clock {by}"))
            .await
            .success();
    }
    assert_eq!(
        fixture.sandbox.invitations()[0].status,
        InvitationStatus::Expired
    );
    let shown = control(&fixture, "sandbox clock").await;
    let words = "7 days 1 h ahead of its machine";
    assert!(shown.success().stdout.contains(words), "{}", shown.stdout);
    let shown = control(&fixture, "sandbox clock -o json").await.json();
    assert_eq!(shown[0]["advanced_seconds"], 169 * 3600);
    for by in ["soon", "0s", "10ms"] {
        control(&fixture, &format!("sandbox clock {by}"))
            .await
            .fails(2, &["DURATION"]);
    }

    let reset = control(&fixture, "sandbox reset").await;
    reset.success().stderr_contains(&[fixture.sandbox.url()]);
    assert!(fixture.sandbox.invitations().is_empty());
    let shown = control(&fixture, "sandbox clock -o json").await.json();
    assert_eq!(shown[0]["advanced_seconds"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_added_shown_and_cleared() {
    let fixture = Fixture::start().await;
    control(&fixture, "sandbox faults")
        .await
        .success()
        .stderr_contains(&["no fault is set"]);
    control(
        &fixture,
        "sandbox faults add reset when=after --on create --nth 2",
    )
    .await
    .success();
    let add = "-p confluent sandbox faults add status status=503 body=html --on list --times 0";
    control(&fixture, add).await.success();
    let lost = Rule::new(Fault::reset_after()).on(Operation::Create).nth(2);
    let set = fixture.sandbox.faults();
    assert_eq!(set.script[0], lost);
    assert_eq!(set.script[1].provider, Some(Provider::Confluent));
    assert_eq!(set.script[1].times, 0);

    let table = control(&fixture, "sandbox faults").await;
    let rows: Vec<Vec<&str>> = table
        .stdout
        .lines()
        .map(|it| it.split_whitespace().collect())
        .collect();
    assert_eq!(rows[1], ["reset", "when=after", "create", "any", "2", "1"]);
    assert_eq!(rows[2][4..], ["list", "confluent", "1", "all"]);
    let document = control(&fixture, "sandbox faults -o json").await.json();
    let shown: Vec<Rule> = serde_json::from_value(document).unwrap();
    assert_eq!(shown, set.script, "what is shown can be set");

    // The third create meets the fault, and what remains is shown.
    fixture
        .invite("clickhouse", &["ann@example.com", "bob@example.com"])
        .await;
    assert_eq!(fixture.sandbox.faults().script.len(), 1);

    for (add, words) in [
        (
            "rset",
            &["unknown variant `rset`", "did you mean `reset`?"][..],
        ),
        ("reset", &["missing field `when`"]),
        ("reset when", &["NAME=VALUE"]),
        ("hang --on invite", &["unknown operation"]),
        ("-p confluent -p clickhouse hang", &["one API"]),
    ] {
        control(&fixture, &format!("sandbox faults add {add}"))
            .await
            .fails(2, words);
    }
    let refused = control(&fixture, "sandbox faults add status status=99").await;
    refused.fails(1, &["99 is not a status"]);
    assert_eq!(fixture.sandbox.faults().script.len(), 1);
    control(&fixture, "sandbox faults clear").await.success();
    assert_eq!(fixture.sandbox.faults(), Faults::default());
}

#[tokio::test]
async fn the_help_names_every_fault_and_operation() {
    let none = empty_environment();
    let unknown = run(&["sandbox", "faults", "add", "x"], &none).await;
    let help = run(&["sandbox", "faults", "add", "--help"], &none)
        .await
        .stdout;
    let kinds: Vec<&str> = unknown.stderr.split('`').skip(3).step_by(2).collect();
    assert!(kinds.len() >= 24, "{}", unknown.stderr);
    let words: Vec<&str> = help
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .collect();
    let operations = [
        "create",
        "get",
        "list",
        "delete",
        "exchange",
        "update_member",
        "list_activities",
    ];
    for word in kinds.into_iter().chain(operations) {
        assert!(words.contains(&word), "no {word} in {help}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_running_sandbox_is_found_by_flag_or_variable() {
    let (one, two) = (Fixture::start().await, Fixture::start().await);
    let exported = control(&one, "sandbox --export-env").await;
    let line = format!("export {URL}='{}'\n", one.sandbox.url());
    assert!(
        exported.success().stdout.contains(&line),
        "{}",
        exported.stdout
    );
    let by_flag = format!("sandbox --export-env --url {}", two.sandbox.url());
    let exported = control(&one, &by_flag).await;
    assert!(
        exported.stdout.contains(two.sandbox.url()),
        "{}",
        exported.stdout
    );

    let nothing = ["sandbox", "reset", "--url", "http://127.0.0.1:9"];
    let failed = run(&nothing, &variables(&one)).await;
    failed.fails(
        1,
        &[
            "cannot reach a sandbox at http://127.0.0.1:9",
            "--detach",
            URL,
        ],
    );
    let elsewhere = format!("{}/iam", one.sandbox.url());
    let failed = run(&["sandbox", "clock", "--url", &elsewhere], &variables(&one)).await;
    failed.fails(1, &["is no sandbox", "status 404"]);
    let invalid = run(
        &["sandbox", "clock", "--url", "localhost:8787"],
        &variables(&one),
    )
    .await;
    invalid.fails(2, &["--url", "is not a URL"]);
    for (line, words) in [
        (
            "sandbox --export-env --seed 3",
            &["--seed has no effect", "--detach"][..],
        ),
        ("sandbox --detach --url http://127.0.0.1:1", &["--url"]),
        ("sandbox --seed 3 reset", &["--seed"]),
        ("-p confluent sandbox reset", &["--provider has no effect"]),
        (
            "-p sandbox sandbox accept a@example.com",
            &["confluent or clickhouse"],
        ),
    ] {
        control(&one, line).await.fails(2, words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_accept_leaves_a_closed_array() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["ann@example.com"]).await;
    let accept = "sandbox accept ann@example.com nobody@example.com -o json";
    let accepted = control(&fixture, accept).await;
    accepted.fails(4, &["cannot accept nobody@example.com"]);
    assert_eq!(accepted.one()["email"], "ann@example.com");
}
