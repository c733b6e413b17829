//! Setting up in a pseudo-terminal: questions, widths, Ctrl-C and the names of profiles.

use std::time::Duration;

use org_invitations_sandbox::{Fault, Faults, Operation, Provider, Rule};

use crate::{
    fixture::Fixture,
    terminal::{end, start, start_in_width},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_and_members_fit_the_terminal() {
    let fixture = Fixture::start().await;
    if !fixture.offers_members() {
        return;
    }
    let email = "somebody.with.a.rather.long.name@subsidiary.example.com";
    fixture.invite("clickhouse", &[email]).await;
    let accepted = fixture.sandbox.accept(Provider::ClickHouse, email);
    accepted.unwrap();
    let widest = |shown: &str| {
        let lines = shown.lines().map(|line| line.trim_end().chars().count());
        lines.max().unwrap()
    };
    let clickhouse = "-p clickhouse --color never";
    let roles = format!("{clickhouse} members set-roles {email} --role Developer --role Billing");
    let remove = format!("{clickhouse} members remove --min-admins 0 --dry-run {email}");
    for (arguments, width, words) in [
        (
            "doctor --color never --timeout 30s",
            80,
            &["flag --timeout", "the credential may list invitations"][..],
        ),
        (&format!("{roles} --dry-run"), 76, &[email, "+Billing"]),
        (&remove, 84, &[email]),
    ] {
        let (shown, code) = end(&mut start_in_width(&fixture, width, arguments));
        assert_eq!(code, 0, "{shown}");
        let table: String = shown
            .lines()
            // Lines that are no table: headings, and notes on stderr.
            .filter(|line| {
                !["configuration file:", "bindings generated", "note: "]
                    .iter()
                    .any(|start| line.starts_with(start))
            })
            .map(|line| format!("{line}\n"))
            .collect();
        assert!(widest(&table) <= width, "{width}: {shown}");
        // A wrapped cell is whole: without the line breaks it reads as before.
        let whole = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in words {
            assert!(whole.contains(words), "no {words:?} in {shown}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn config_init_asks_for_what_is_missing() {
    let fixture = Fixture::start().await;
    let path = fixture.home.join("org-invitations/config.toml");
    let mut session = start(&fixture, &["config", "init"], &[]);
    let answers = [
        ("Provider (confluent or clickhouse): ", "kafka"),
        ("the providers are confluent and clickhouse", ""),
        ("Provider (confluent or clickhouse): ", "ClickHouse"),
        ("Name of the profile [clickhouse]: ", "warehouse"),
        ("Id of the organisation (a UUID): ", "o-1"),
        ("Id of the API key (not its secret): ", "KEY"),
        ("Choice [1]: ", "3"),
        ("Variable [WAREHOUSE_API_SECRET]: ", "WAREHOUSE_SECRET"),
    ];
    for (question, answer) in answers {
        session.exp_string(question).unwrap();
        if !answer.is_empty() {
            session.send_line(answer).unwrap();
        }
    }
    let (said, code) = end(&mut session);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("config test warehouse"), "{said}");
    let written = std::fs::read_to_string(&path).unwrap();
    let expected = "[profiles.warehouse]\nprovider = \"clickhouse\"\norganization_id = \"o-1\"\n\
                    api_key = \"KEY\"\napi_secret_variable = \"WAREHOUSE_SECRET\"\n";
    assert_eq!(written, expected);

    // A name that is taken is asked for again, and Ctrl-C writes nothing.
    let mut session = start(&fixture, &["config", "init", "-p", "confluent"], &[]);
    session
        .exp_string("Name of the profile [confluent]: ")
        .unwrap();
    session.send_line("warehouse").unwrap();
    session
        .exp_string("there is a profile warehouse already")
        .unwrap();
    session.exp_string("Name of the profile").unwrap();
    session.send_control('c').unwrap();
    let (said, code) = end(&mut session);
    assert_eq!(code, 130, "{said}");
    assert!(said.contains("nothing was written"), "{said}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_while_reading_says_that_nothing_was_changed() {
    let fixture = Fixture::start().await;
    let roster = fixture.home.join("roster.csv");
    std::fs::write(&roster, "email\nann@example.com\n").unwrap();
    let roster = roster.to_str().unwrap();
    let hang = |operation| Rule::new(Fault::hang()).on(operation).always();
    for arguments in [
        &["list"][..],
        &["get", "i-1"],
        &["plan", roster],
        &["apply", roster],
        &["export"],
        &["members", "get", "ann@example.com"],
        &["doctor"],
    ] {
        let reads = [Operation::List, Operation::Get, Operation::ListMembers];
        fixture.sandbox.set_faults(Faults::script(reads.map(hang)));
        let before = fixture.sandbox.ledger().requests.len();
        // Not every document has members.
        if arguments[0] == "members" && !fixture.offers_members() {
            continue;
        }
        let arguments = [&["-p", "confluent"], arguments].concat();
        let mut session = start(&fixture, &arguments, &[]);
        while fixture.sandbox.ledger().requests.len() == before {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        session.send_control('c').unwrap();
        let (said, code) = end(&mut session);
        assert_eq!(code, 130, "{arguments:?}: {said}");
        let words = "interrupted\r\nnothing was changed";
        assert!(said.contains(words), "{arguments:?}: {said}");
        assert!(!said.contains("outcome unknown"), "{arguments:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_is_named_in_every_message() {
    let fixture = Fixture::start().await;
    let key = &fixture.sandbox.credentials().confluent;
    let url = fixture.sandbox.url();
    fixture.config(&format!(
        "[profiles.kafka]\nprovider = \"confluent\"\napi_key = \"{}\"\napi_secret = \"{}\"\nbase_url = \"{url}\"\n",
        key.api_key, key.api_secret
    ));
    let ids = fixture.invite("confluent", &["ann@example.com"]).await;
    // The profile that is the only one is named as the one of a flag.
    let clean = [
        ("CONFLUENT_CLOUD_API_KEY", ""),
        ("CONFLUENT_CLOUD_API_SECRET", ""),
    ];
    for (arguments, words) in [
        (
            &["get", "i-none"][..],
            &[
                "error: profile kafka: confluent get i-none",
                "`org-invitations --profile kafka list`",
            ][..],
        ),
        (
            &["create", "ann@example.com"],
            &[
                "error: profile kafka: ",
                "`org-invitations --profile kafka list --email",
            ],
        ),
        (
            &["delete", &ids[0]],
            &["Delete this invitation at confluent (profile kafka)? [y/N]"],
        ),
    ] {
        let arguments = [&["-p", "confluent"], arguments].concat();
        let mut session = start(&fixture, &arguments, &clean);
        if arguments.contains(&"delete") {
            session.exp_string(words[0]).unwrap();
            session.send_line("n").unwrap();
            end(&mut session);
            continue;
        }
        let (said, _) = end(&mut session);
        for words in words {
            assert!(said.contains(words), "no {words:?} in {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copy_names_the_profile_of_a_failure() {
    let fixture = Fixture::start().await;
    let (keys, url) = (fixture.sandbox.credentials(), fixture.sandbox.url());
    let (one, other) = (&keys.confluent, &keys.clickhouse);
    let profiles = |secrets: [&str; 2]| {
        format!(
            "[profiles.kafka]\nprovider = \"confluent\"\napi_key = \"{}\"\napi_secret = \"{}\"\n\
             base_url = \"{url}\"\n[profiles.warehouse]\nprovider = \"clickhouse\"\napi_key = \"{}\"\n\
             api_secret = \"{}\"\norganization_id = \"{}\"\nbase_url = \"{url}\"\n",
            one.api_key, secrets[0], other.api_key, secrets[1], other.organization_id
        )
    };
    let ignore = ["--ignore", "auth-type", "--ignore", "roles", "--dry-run"];
    let copy = [
        &["copy", "--from", "kafka", "--to", "warehouse"][..],
        &ignore,
    ]
    .concat();
    for (secrets, said) in [
        (
            ["wrong", &other.api_secret],
            "confluent (profile kafka) list",
        ),
        (
            [one.api_secret.as_str(), "wrong"],
            "clickhouse (profile warehouse) list",
        ),
    ] {
        fixture.config(&profiles(secrets));
        let copied = crate::fixture::run(&copy, &fixture.empty_environment()).await;
        copied.fails(3, &[said]);
    }
}
