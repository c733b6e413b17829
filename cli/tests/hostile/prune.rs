//! `apply --prune`: the limit on deletions, and the rows that protect a person.

use crate::command::{ANN, Run, Setup, deleted_others, ended, profile, serve};
use crate::matrix::{Cell, Finding, run};
use crate::server::{Answer, Body, Carried, Fault, Op, ROLE_DEVELOPER, Seed, Vendor, World};

const CONCURRENCY: usize = 8;

fn people(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("person{number}@example.com"))
        .collect()
}

/// A roster as a file, or on standard input.
#[derive(Clone)]
enum Roster {
    File(&'static str, Vec<u8>),
    Input(&'static str, &'static [u8]),
}

fn csv(emails: &[String]) -> Roster {
    Roster::File(
        "roster.csv",
        format!("email\n{}\n", emails.join("\n")).into_bytes(),
    )
}

struct Prune {
    name: String,
    vendor: Vendor,
    world: World,
    faults: Vec<Fault>,
    invited: Vec<String>,
    roster: Roster,
    /// Who may be deleted, and has to be if `all`.
    deleted: Vec<String>,
    all: bool,
}

impl Prune {
    fn new(vendor: Vendor, name: impl Into<String>, invited: Vec<String>, roster: Roster) -> Self {
        let world = World::default();
        Self {
            name: name.into(),
            vendor,
            world,
            faults: vec![],
            invited,
            roster,
            deleted: vec![],
            all: false,
        }
    }

    fn cell(self) -> Cell {
        Cell::new(
            format!(
                "{:10} | apply --prune    | {}",
                self.vendor.name(),
                self.name
            ),
            self.run(),
        )
    }

    async fn run(self) -> Finding {
        let seeds = self.invited.iter().map(|email| Seed::sent(email)).collect();
        let server = serve(self.vendor, self.world, seeds, self.faults).await;
        let setup = Setup::new(&[&server]);
        let apply = [
            "--profile",
            profile(self.vendor),
            "-o",
            "json",
            "apply",
            "--prune",
            "--yes",
        ];
        let ran: Run = match &self.roster {
            Roster::File(name, content) => {
                let path = setup.folder.write(name, content);
                setup.run(&[&apply[..], &[&path]].concat()).await
            }
            Roster::Input(format, content) => {
                setup
                    .run_with_input(&[&apply[..], &["-", "--format", format]].concat(), content)
                    .await
            }
        };
        server.settled().await;
        let truth = server.truth();
        let deleted: Vec<&str> = self.deleted.iter().map(String::as_str).collect();
        let mut wrong = ended(&ran);
        wrong.extend(deleted_others(&truth, &deleted));
        if self.all && (truth.removed().len() != deleted.len() || ran.code != Some(0)) {
            wrong.push("not deleted, though within the measure".to_owned());
        }
        Finding {
            reported: ran.summary(),
            truth: format!("{} deleted", truth.removed().len()),
            wrong,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prune_has_a_limit() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        let mut add = |prune: Prune| cells.push(prune.cell());
        for (name, roster) in [
            ("zero bytes, CSV", Roster::File("roster.csv", Vec::new())),
            (
                "header only",
                Roster::File("roster.csv", b"email\n".to_vec()),
            ),
            (
                "header and empty lines",
                Roster::File("roster.csv", b"email\n\n\n".to_vec()),
            ),
            ("[]", Roster::File("roster.json", b"[]".to_vec())),
            ("zero bytes, JSON", Roster::File("roster.json", Vec::new())),
            (
                "zero bytes, JSON lines",
                Roster::File("roster.jsonl", Vec::new()),
            ),
            ("empty standard input, CSV", Roster::Input("csv", b"")),
            (
                "empty standard input, JSON lines",
                Roster::Input("jsonl", b""),
            ),
            (
                "header only on standard input",
                Roster::Input("csv", b"email\n"),
            ),
        ] {
            for invited in [3, 20] {
                add(Prune::new(
                    vendor,
                    format!("{name}, {invited} invited"),
                    people(invited),
                    roster.clone(),
                ));
            }
        }
        add(Prune::new(
            vendor,
            "1 row, 40 invited",
            people(40),
            csv(&people(1)),
        ));
        add(Prune::new(
            vendor,
            "20 rows, 40 invited",
            people(40),
            csv(&people(20)),
        ));
        let gone = people(40)[35..].to_vec();
        let within = Prune::new(vendor, "35 rows, 40 invited", people(40), csv(&people(35)));
        add(Prune {
            deleted: gone,
            all: true,
            ..within
        });
        let column = match vendor {
            Vendor::Confluent => ("roles", ROLE_DEVELOPER),
            Vendor::ClickHouse => ("auth_type", "sso"),
        };
        let refused: String = people(20)
            .iter()
            .map(|email| format!("{email},{}\n", column.1))
            .collect();
        let roster = Roster::File(
            "roster.csv",
            format!("email,{}\n{refused}", column.0).into_bytes(),
        );
        add(Prune::new(
            vendor,
            "20 rows refused for an option",
            people(20),
            roster,
        ));
        // An incomplete or invalid list deletes nobody.
        let page = |status, body| {
            vec![Fault::new(
                Op::List,
                Carried::No,
                Answer::Status(status, body, Vec::new()),
            )]
        };
        let prune = Prune::new(vendor, "list is {}", people(20), csv(&people(10)));
        add(Prune {
            faults: page(200, Body::Json("{}")),
            ..prune
        });
    }
    run("prune, measures", cells, CONCURRENCY).await;
}

/// A name, the address of a row, the same as the server stores it, and how it makes one of the other.
type Form = (&'static str, &'static str, &'static str, fn(&str) -> String);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_in_another_form_protects() {
    let forms: [Form; 5] = [
        (
            "IDNA",
            "ann@müller.example",
            "ann@xn--mller-kva.example",
            |email| email.to_lowercase().replace("müller", "xn--mller-kva"),
        ),
        (
            "NFD",
            "rene\u{301}e@example.com",
            "ren\u{e9}e@example.com",
            |email| email.to_lowercase().replace("e\u{301}", "\u{e9}"),
        ),
        (
            "case beyond ASCII",
            "J\u{dc}RGEN@example.com",
            "j\u{fc}rgen@example.com",
            |email| email.to_lowercase(),
        ),
        ("dots", "a.n.n@example.com", "ann@example.com", |email| {
            email.to_lowercase().replace("a.n.n@", "ann@")
        }),
        (
            "plus",
            "ann+cloud@example.com",
            "ann@example.com",
            |email| email.to_lowercase().replace("+cloud", ""),
        ),
    ];
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for (name, row, stored, form) in &forms {
            let mut invited = people(10);
            invited.push((*stored).to_owned());
            let mut roster = people(10);
            roster.push((*row).to_owned());
            let prune = Prune::new(
                vendor,
                format!("{name}: {row} is stored as {stored}"),
                invited,
                csv(&roster),
            );
            cells.push(
                Prune {
                    world: World {
                        stored: *form,
                        ..World::default()
                    },
                    ..prune
                }
                .cell(),
            );
        }
    }
    run("prune, forms", cells, CONCURRENCY).await;
}

/// After a create with an unknown outcome, nothing is deleted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prune_is_withheld_after_unknown_creates() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for (name, answer) in [
            ("504 HTML", Answer::Status(504, Body::Html, Vec::new())),
            ("reset", Answer::Reset),
            ("403 HTML", Answer::Status(403, Body::Html, Vec::new())),
            ("409 HTML", Answer::Status(409, Body::Html, Vec::new())),
        ] {
            let faults = vec![
                Fault::new(Op::Create, Carried::Yes, answer).about(ANN),
                Fault::new(
                    Op::List,
                    Carried::No,
                    Answer::Status(503, Body::Empty, Vec::new()),
                )
                .skip(1),
                Fault::new(
                    Op::Get,
                    Carried::No,
                    Answer::Status(503, Body::Empty, Vec::new()),
                ),
            ];
            let mut roster = people(10);
            roster.push(ANN.to_owned());
            let prune = Prune::new(
                vendor,
                format!("a create is open: {name}, lookups fail"),
                people(11),
                csv(&roster),
            );
            cells.push(Prune { faults, ..prune }.cell());
        }
    }
    run("prune, open creates", cells, CONCURRENCY).await;
}
