//! Incomplete lists, long messages, and secrets that servers echo.

use crate::command::{ANN, BOB, CAT, SECRET, Setup, ended, profile, serve};
use crate::matrix::{Cell, Finding, run};
use crate::server::{Answer, Body, Carried, Fault, Op, Organisation, Seed, Server, Vendor, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incomplete_list_fails() {
    let mut cells: Vec<Cell> = Vec::new();
    let cut = World {
        total_size: Some(500),
        next: false,
        ..World::default()
    };
    let twice = Answer::rewrite(|body| {
        let text = String::from_utf8(body).expect("text");
        format!(
            "{},\"result\":[]}}",
            text.strip_suffix('}').expect("an object")
        )
        .into_bytes()
    });
    for (vendor, name, world, answer) in [
        (
            Vendor::Confluent,
            "total_size 500, 99 rows, no next",
            cut,
            None,
        ),
        (
            Vendor::ClickHouse,
            "a second, empty result",
            World::default(),
            Some(twice),
        ),
    ] {
        for command in ["list", "plan"] {
            let (world, answer) = (world.clone(), answer.clone());
            let label = format!("{:10} | {command:16} | {name}", vendor.name());
            cells.push(Cell::new(label, async move {
                let seeds = (0..150)
                    .map(|number| Seed::sent(&format!("person{number}@example.com")))
                    .collect();
                let faults = answer
                    .map(|answer| Fault::new(Op::List, Carried::No, answer))
                    .into_iter()
                    .collect();
                let server = serve(vendor, world, seeds, faults).await;
                let setup = Setup::new(&[&server]);
                let roster = setup.folder.write("roster.csv", format!("email\n{ANN}\n"));
                let mut arguments = vec!["--profile", profile(vendor), "-o", "json", command];
                if command == "plan" {
                    arguments.push(&roster);
                }
                let ran = setup.run(&arguments).await;
                let mut wrong = ended(&ran);
                if ran.code == Some(0) && (command == "plan" || ran.rows().len() != 150) {
                    wrong.push("exit 0, the list is not whole".to_owned());
                }
                let reported = format!("exit {:?}, {} rows", ran.code, ran.rows().len());
                Finding {
                    reported,
                    truth: "150 invitations".to_owned(),
                    wrong,
                }
            }));
        }
    }
    run("output, lists", cells, 8).await;
}

/// An unreadable item is an error, and the other items are printed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreadable_list_item_hides_no_other() {
    let mut cells: Vec<Cell> = Vec::new();
    let items: [(&str, Vec<u8>); 4] = [
        (
            "lone surrogate",
            br#"{"id":"odd-1","email":"\ud800@example.com","metadata":{}}"#.to_vec(),
        ),
        (
            "1e400",
            br#"{"id":"odd-1","email":"odd@example.com","metadata":{},"extra":1e400}"#.to_vec(),
        ),
        (
            "invalid UTF-8",
            b"{\"id\":\"odd-1\",\"email\":\"\xff@example.com\",\"metadata\":{}}".to_vec(),
        ),
        (
            "200 levels",
            format!(
                "{{\"id\":\"odd-1\",\"email\":\"odd@example.com\",\"extra\":{}{}}}",
                "[".repeat(200),
                "]".repeat(200)
            )
            .into_bytes(),
        ),
    ];
    for vendor in Vendor::BOTH {
        for (name, item) in items.clone() {
            let label = format!("{:10} | list             | {name}", vendor.name());
            cells.push(Cell::new(label, async move {
                let key: &[u8] = if vendor == Vendor::Confluent {
                    b"\"data\":["
                } else {
                    b"\"result\":["
                };
                let odd = Answer::rewrite(move |body| {
                    let at = body
                        .windows(key.len())
                        .position(|window| window == key)
                        .expect("a list")
                        + key.len();
                    [&body[..at], &item[..], b",", &body[at..]].concat()
                });
                let seeds = [ANN, BOB, CAT].map(Seed::sent).to_vec();
                let server = serve(
                    vendor,
                    World::default(),
                    seeds,
                    vec![Fault::new(Op::List, Carried::No, odd)],
                )
                .await;
                let setup = Setup::new(&[&server]);
                let ran = setup
                    .run(&["--profile", profile(vendor), "-o", "json", "list"])
                    .await;
                let rows = ran.rows();
                let mut wrong = ended(&ran);
                for email in [ANN, BOB, CAT] {
                    if !rows.contains_key(email) {
                        wrong.push(format!("hides {email}"));
                    }
                }
                Finding {
                    reported: ran.summary(),
                    truth: "3 good items".to_owned(),
                    wrong,
                }
            }));
        }
    }
    run("output, odd items", cells, 8).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_messages_are_truncated() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for (name, command) in [("list", vec!["list"]), ("create", vec!["create", ANN])] {
            for what in ["a message of 8 MiB", "50 000 details"] {
                let command = command.clone();
                let label = format!("{:10} | {name:16} | {what}", vendor.name());
                cells.push(Cell::new(label, async move {
                    let long =
                        Answer::Status(400, Body::Made(long_failure(vendor, what)), Vec::new());
                    let op = if name == "list" { Op::List } else { Op::Create };
                    let server = serve(
                        vendor,
                        World::default(),
                        vec![Seed::sent(BOB)],
                        vec![Fault::new(op, Carried::No, long)],
                    )
                    .await;
                    let setup = Setup::new(&[&server]);
                    let mut arguments = vec!["--profile", profile(vendor)];
                    arguments.extend(command);
                    let ran = setup.run(&arguments).await;
                    let mut wrong = ended(&ran);
                    let printed = ran.stdout.len() + ran.stderr.len();
                    if printed > 64 * 1024 {
                        wrong.push("printed uncut".to_owned());
                    }
                    Finding {
                        reported: format!("exit {:?}, {printed} bytes", ran.code),
                        truth: what.to_owned(),
                        wrong,
                    }
                }));
            }
        }
    }
    run("output, messages", cells, 4).await;
}

fn long_failure(vendor: Vendor, what: &str) -> String {
    let details = r#"{"status":"400","detail":"something is wrong with this"}"#;
    match (vendor, what) {
        (Vendor::Confluent, "50 000 details") => {
            format!("{{\"errors\":[{}]}}", vec![details; 50_000].join(","))
        }
        (Vendor::Confluent, _) => format!(
            "{{\"errors\":[{{\"status\":\"400\",\"detail\":\"{}\"}}]}}",
            "x".repeat(8 << 20)
        ),
        (Vendor::ClickHouse, "50 000 details") => format!(
            "{{\"status\":400,\"error\":[{}]}}",
            vec![details; 50_000].join(",")
        ),
        (Vendor::ClickHouse, _) => format!(
            "{{\"status\":400,\"error\":\"BAD_REQUEST: {}\"}}",
            "x".repeat(8 << 20)
        ),
    }
}

/// A server or gateway echoes the secret of the key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn echoed_secrets_are_redacted() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for name in [
            "request id",
            "message",
            "code",
            "HTML entities",
            "percent-encoding",
            "Basic credentials",
        ] {
            for verbose in [false, true] {
                let label = format!(
                    "{:10} | create           | {name}{}",
                    vendor.name(),
                    if verbose { ", -vv" } else { "" }
                );
                cells.push(Cell::new(label, async move {
                    let (body, headers) = echo(vendor, name);
                    let answer = Answer::Status(400, Body::Made(body), headers);
                    let organisation =
                        Organisation::new(vendor, World::default(), vec![Seed::sent(BOB)]);
                    let server = Server::start(
                        organisation,
                        vec![Fault::new(Op::Create, Carried::No, answer)],
                    )
                    .await;
                    let setup = Setup::new(&[&server]);
                    let mut arguments = vec!["--profile", profile(vendor), "create", ANN];
                    if verbose {
                        arguments.push("-vv");
                    }
                    let ran = setup.run(&arguments).await;
                    let shown = format!("{}{}", ran.stdout, ran.stderr);
                    let mut wrong = ended(&ran);
                    for form in secret_forms() {
                        if shown.contains(&form) {
                            wrong.push("shows the secret".to_owned());
                        }
                    }
                    wrong.dedup();
                    Finding {
                        reported: ran.summary(),
                        truth: "a secret".to_owned(),
                        wrong,
                    }
                }));
            }
        }
    }
    run("output, secrets", cells, 8).await;
}

const BASIC: &str = "S0VZOmhvc3RpbGUtc2VjcmV0LTAxMjM0NTY3ODk=";

fn secret_forms() -> Vec<String> {
    vec![
        SECRET.to_owned(),
        SECRET.replace('-', "&hyphen;"),
        SECRET.replace('-', "&#45;"),
        SECRET.replace('-', "%2D"),
        SECRET.replace('-', "%252D"),
        BASIC.trim_end_matches('=').to_owned(),
    ]
}

fn echo(vendor: Vendor, name: &str) -> (String, Vec<(&'static str, String)>) {
    let value = match name {
        "HTML entities" => format!(
            "{} {}",
            SECRET.replace('-', "&hyphen;"),
            SECRET.replace('-', "&#45;")
        ),
        "percent-encoding" => format!(
            "{} {}",
            SECRET.replace('-', "%2D"),
            SECRET.replace('-', "%252D")
        ),
        "Basic credentials" => BASIC.to_owned(),
        _ => SECRET.to_owned(),
    };
    let failure = |message: &str, code: &str, id: &str| match vendor {
        Vendor::Confluent => {
            format!(
                r#"{{"errors":[{{"id":"{id}","status":"400","code":"{code}","detail":"{message}"}}]}}"#
            )
        }
        Vendor::ClickHouse => {
            format!(r#"{{"status":400,"error":"{code}: {message}","requestId":"{id}"}}"#)
        }
    };
    match name {
        "request id" => (
            failure("no", "BAD_REQUEST", &value),
            vec![("X-Request-Id", value)],
        ),
        "code" => (failure("no", &value, "1"), Vec::new()),
        _ => (
            failure(&format!("no: {value}"), "BAD_REQUEST", "1"),
            Vec::new(),
        ),
    }
}

/// Configuration errors and `doctor` do not quote values that may be secret.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn configured_secrets_are_redacted() {
    const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl";
    let mut cells: Vec<Cell> = Vec::new();
    let profiles: [(&str, String); 6] = [
        (
            "a token for a table",
            format!("sts = {{ identity_pool_id = \"pool-1\", subject_token = \"{TOKEN}\" }}"),
        ),
        (
            "a number beside a token",
            format!("api_key = 7\naccess_token = \"{TOKEN}\""),
        ),
        ("an unknown name", format!("api_sekret = \"{TOKEN}\"")),
        ("broken TOML", format!("api_secret = \"{TOKEN}")),
        (
            "a literal in a secret command",
            format!("api_key = \"KEY\"\napi_secret_command = \"echo {TOKEN}\""),
        ),
        (
            "a query of a base URL",
            format!(
                "api_key = \"KEY\"\napi_secret = \"s\"\nbase_url = \"http://127.0.0.1:9/?token={TOKEN}\""
            ),
        ),
    ];
    for (name, lines) in profiles {
        for command in ["list", "doctor"] {
            let lines = lines.clone();
            cells.push(Cell::new(
                format!("confluent  | {command:16} | {name}"),
                async move {
                    let setup = Setup::new(&[]);
                    let text = format!(
                        "default_profile = \"p\"\n[profiles.p]\nprovider = \"confluent\"\n{lines}\n"
                    );
                    setup.folder.write("config.toml", text);
                    let ran = setup.run(&[command]).await;
                    let shown = format!("{}{}", ran.stdout, ran.stderr);
                    let mut wrong = ended(&ran);
                    if shown.contains(TOKEN) || shown.contains(&TOKEN[..30]) {
                        wrong.push("shows the token".to_owned());
                    }
                    Finding {
                        reported: ran.summary(),
                        truth: "a token".to_owned(),
                        wrong,
                    }
                },
            ));
        }
    }
    run("output, configuration", cells, 8).await;
}

/// A member is not invited, and gets no hint to use `--if-not-exists`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_needs_no_invitation() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for command in ["create", "apply"] {
            let label = format!("{:10} | {command:16} | a member", vendor.name());
            cells.push(Cell::new(label, async move {
                let organisation =
                    Organisation::new(vendor, World::default(), Vec::new()).with_members(&[ANN]);
                let server = Server::start(organisation, Vec::new()).await;
                let setup = Setup::new(&[&server]);
                let roster = setup.folder.write("roster.csv", format!("email\n{ANN}\n"));
                let ran = match command {
                    "create" => {
                        setup
                            .run(&[
                                "--profile",
                                profile(vendor),
                                "create",
                                ANN,
                                "--if-not-exists",
                            ])
                            .await
                    }
                    _ => {
                        setup
                            .run(&[
                                "--profile",
                                profile(vendor),
                                "-o",
                                "json",
                                "apply",
                                &roster,
                                "--yes",
                            ])
                            .await
                    }
                };
                let mut wrong = ended(&ran);
                if ran.stderr.contains("--if-not-exists") {
                    wrong.push("hints at what was given".to_owned());
                }
                if ran.code != Some(0) {
                    wrong.push("fails, though the person is there".to_owned());
                }
                Finding {
                    reported: ran.summary(),
                    truth: "a member".to_owned(),
                    wrong,
                }
            }));
        }
    }
    run("output, members", cells, 8).await;
}
