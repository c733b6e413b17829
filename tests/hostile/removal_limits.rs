//! Removal has a measure.

use std::time::Duration;

use org_invitations::{AuthType, NewInvitation, PlanOptions};

use crate::matrix::{Cell, Finding, check};
use crate::oracle::{self, Reported};
use crate::provider::{Patience, connect};
use crate::scenarios::{ANN, apply};
use crate::server::{
    Answer, Body, Carried, Fault, Op, Organisation, ROLE_DEVELOPER, Seed, Server, Vendor, World,
};

fn address(number: usize) -> String {
    format!("person{number}@example.com")
}

fn people(count: usize) -> Vec<String> {
    (0..count).map(address).collect()
}

/// A prune: who is invited, who is in the roster and who may be deleted.
struct Prune {
    name: String,
    vendor: Vendor,
    world: World,
    faults: Vec<Fault>,
    invited: Vec<String>,
    roster: Vec<NewInvitation>,
    /// The addresses that may be deleted; all of them have to be if `all`.
    deleted: Vec<String>,
    all: bool,
    patience: Patience,
}

impl Prune {
    fn new(
        vendor: Vendor,
        name: impl Into<String>,
        invited: Vec<String>,
        roster: Vec<NewInvitation>,
    ) -> Self {
        Self {
            name: name.into(),
            vendor,
            world: World::default(),
            faults: Vec::new(),
            invited,
            roster,
            deleted: Vec::new(),
            all: false,
            patience: Patience::default(),
        }
    }

    fn deletes(self, deleted: Vec<String>) -> Self {
        Self {
            deleted,
            all: true,
            ..self
        }
    }

    fn cell(self) -> Cell {
        Cell::new(
            format!(
                "{:10} | prune            | {}",
                self.vendor.name(),
                self.name
            ),
            self.run(),
        )
    }

    async fn run(self) -> Finding {
        let seeds = self.invited.iter().map(|email| Seed::sent(email)).collect();
        let organisation = Organisation::new(self.vendor, self.world, seeds);
        let server = Server::start(organisation, self.faults).await;
        let provider = connect(&server, self.patience);
        let outcomes = apply(
            provider.as_ref(),
            self.roster,
            &PlanOptions::default().prune(true),
        )
        .await;
        let outcomes = outcomes.unwrap_or_default();
        server.settled().await;
        let truth = server.truth();
        let removed = truth.removed();
        let mut wrong = Vec::new();
        for email in &removed {
            if !self.deleted.contains(email) {
                wrong.push(format!("deleted {email}"));
            }
        }
        if wrong.len() > 3 {
            wrong = vec![format!("deleted {} people who were not to be", wrong.len())];
        }
        if self.all && removed.len() != self.deleted.len() {
            wrong.push(format!(
                "deleted {} of {}",
                removed.len(),
                self.deleted.len()
            ));
        }
        let said = outcomes
            .iter()
            .filter(|(_, _, said)| matches!(said, Reported::Deleted))
            .count();
        let ambiguous = outcomes
            .iter()
            .filter(|(_, _, said)| said.is_ambiguous())
            .count();
        if said != removed.len() {
            wrong.push("said deleted and deleted differ".to_owned());
        }
        Finding {
            reported: format!("{said} deleted, {ambiguous} open"),
            truth: format!("{} deleted", removed.len()),
            wrong,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prune_removes_no_more_than_was_agreed_to() {
    let mut cells: Vec<Cell> = Vec::new();
    let rows = |emails: &[String]| emails.iter().map(NewInvitation::new).collect::<Vec<_>>();
    for vendor in Vendor::BOTH {
        let mut add = |prune: Prune| cells.push(prune.cell());
        for invited in [1, 3, 20] {
            add(Prune::new(
                vendor,
                format!("empty roster, {invited} invited"),
                people(invited),
                Vec::new(),
            ));
        }
        add(Prune::new(
            vendor,
            "roster of 1, 40 invited",
            people(40),
            rows(&people(1)),
        ));
        add(Prune::new(
            vendor,
            "roster of 1 new person, 40 invited",
            people(40),
            vec![NewInvitation::new(ANN)],
        ));
        add(Prune::new(
            vendor,
            "roster of 20, 40 invited",
            people(40),
            rows(&people(20)),
        ));
        add(Prune::new(
            vendor,
            "roster of 2, 8 invited",
            people(8),
            rows(&people(2)),
        ));
        // What is within the measure is done: 25 %, and at least 5.
        let gone = |from: usize, to: usize| (from..to).map(address).collect::<Vec<_>>();
        add(Prune::new(
            vendor,
            "roster of 31, 40 invited",
            people(40),
            rows(&people(31)),
        )
        .deletes(gone(31, 40)));
        add(Prune::new(
            vendor,
            "roster of 3, 8 invited",
            people(8),
            rows(&people(3)),
        )
        .deletes(gone(3, 8)));
        add(Prune::new(
            vendor,
            "roster of 1, 2 invited",
            people(2),
            rows(&people(1)),
        )
        .deletes(gone(1, 2)));
    }
    check("rule 5, measures", cells).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_protects_its_person() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        // Options that the vendor does not have make a row refused.
        let refused = |email: &String| match vendor {
            Vendor::Confluent => NewInvitation::new(email).roles([ROLE_DEVELOPER]),
            Vendor::ClickHouse => NewInvitation::new(email).auth_type(AuthType::Sso),
        };
        for count in [1, 3, 20] {
            let roster = people(count).iter().map(refused).collect();
            cells.push(
                Prune::new(
                    vendor,
                    format!("{count} rows refused for an option"),
                    people(count),
                    roster,
                )
                .cell(),
            );
        }
        let mut roster: Vec<_> = people(19).iter().map(NewInvitation::new).collect();
        roster.push(refused(&address(19)));
        cells.push(
            Prune::new(
                vendor,
                "1 of 20 rows refused for an option",
                people(20),
                roster,
            )
            .cell(),
        );
        let mut roster: Vec<_> = people(19).iter().map(NewInvitation::new).collect();
        roster.push(NewInvitation::new(format!("{} ", address(19))));
        cells.push(
            Prune::new(
                vendor,
                "a row with a space after the address",
                people(20),
                roster,
            )
            .cell(),
        );
        let mut roster: Vec<_> = people(19).iter().map(NewInvitation::new).collect();
        roster.extend([refused(&address(19)), NewInvitation::new(address(0))]);
        cells.push(
            Prune::new(
                vendor,
                "a refused row and a repeated one",
                people(20),
                roster,
            )
            .cell(),
        );
        let roster = people(20)
            .iter()
            .map(|email| NewInvitation::new(email.to_uppercase()))
            .collect();
        cells.push(Prune::new(vendor, "all rows in upper case", people(20), roster).cell());
    }
    check("rule 5, refused rows", cells).await;
}

/// A name, the address of a row, the same as the server stores it, and how it makes one of the other.
type Form = (&'static str, &'static str, &'static str, fn(&str) -> String);

/// The server stores an address in another form than the roster has it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn address_in_another_form_protects_too() {
    let forms: [Form; 7] = [
        (
            "IDNA",
            "ann@müller.example",
            "ann@xn--mller-kva.example",
            |email| email.to_lowercase().replace("müller", "xn--mller-kva"),
        ),
        (
            "IDNA, the other way",
            "ann@xn--mller-kva.example",
            "ann@müller.example",
            |email| email.to_lowercase().replace("xn--mller-kva", "müller"),
        ),
        (
            "NFD in the roster",
            "rene\u{301}e@example.com",
            "ren\u{e9}e@example.com",
            |email| email.to_lowercase().replace("e\u{301}", "\u{e9}"),
        ),
        (
            "NFD on the server",
            "ren\u{e9}e@example.com",
            "rene\u{301}e@example.com",
            |email| email.to_lowercase().replace('\u{e9}', "e\u{301}"),
        ),
        (
            "upper case beyond ASCII",
            "J\u{dc}RGEN@example.com",
            "j\u{fc}rgen@example.com",
            |email| email.to_lowercase(),
        ),
        ("dots", "a.n.n@example.com", "ann@example.com", |email| {
            let (user, domain) = email.split_once('@').unwrap_or((email, ""));
            format!("{}@{domain}", user.replace('.', "")).to_lowercase()
        }),
        (
            "plus",
            "ann+cloud@example.com",
            "ann@example.com",
            |email| {
                let (user, domain) = email.split_once('@').unwrap_or((email, ""));
                format!("{}@{domain}", user.split('+').next().unwrap_or(user)).to_lowercase()
            },
        ),
    ];
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for (name, row, stored, form) in forms {
            let mut invited = people(10);
            invited.push(stored.to_owned());
            let mut roster: Vec<_> = people(10).iter().map(NewInvitation::new).collect();
            roster.push(NewInvitation::new(row));
            let prune = Prune::new(
                vendor,
                format!("{name}: {row} is stored as {stored}"),
                invited,
                roster,
            );
            cells.push(
                Prune {
                    world: World {
                        stored: form,
                        ..World::default()
                    },
                    ..prune
                }
                .cell(),
            );
        }
    }
    check("rule 5, forms of addresses", cells).await;
}

/// Nothing is removed while a create of the same run is unexplained.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prune_waits_for_creates_that_are_open() {
    let mut cells: Vec<Cell> = Vec::new();
    let lost = [
        ("504 HTML", Answer::Status(504, Body::Html, Vec::new())),
        ("reset", Answer::Reset),
        ("silence", Answer::Hang),
        ("403 HTML", Answer::Status(403, Body::Html, Vec::new())),
        ("409 HTML", Answer::Status(409, Body::Html, Vec::new())),
        (
            "409 being modified",
            Answer::Status(
                409,
                Body::Vendor("CONFLICT", "is being modified"),
                Vec::new(),
            ),
        ),
    ];
    for vendor in Vendor::BOTH {
        for (name, answer) in &lost {
            for carried in [Carried::Yes, Carried::No] {
                let faults = vec![
                    Fault::new(Op::Create, carried, answer.clone()).about(ANN),
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
                let mut roster: Vec<_> = people(10).iter().map(NewInvitation::new).collect();
                roster.push(NewInvitation::new(ANN));
                let name =
                    format!("a create is open: {name}, carried out: {carried:?}, lookups fail");
                let prune = Prune::new(vendor, name, people(11), roster);
                let patience = Patience {
                    timeout: Duration::from_millis(300),
                    attempts: 2,
                    ..Patience::default()
                };
                cells.push(
                    Prune {
                        faults,
                        patience,
                        ..prune
                    }
                    .cell(),
                );
            }
        }
    }
    check("rule 5, open creates", cells).await;
}

/// What a prune reports of its deletes is judged person by person elsewhere; this one checks the totals.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prune_after_a_conflict_leaves_who_resembles() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        let label = format!(
            "{:10} | prune            | a row ends in a conflict, a typing error apart",
            vendor.name()
        );
        cells.push(Cell::new(label, async move {
            // The server takes the two forms for one person, and nothing in the list says so.
            let world = World {
                stored: |email| email.to_lowercase().replace("anne@", "ann@"),
                ..World::default()
            };
            let mut seeds: Vec<_> = people(10).iter().map(|email| Seed::sent(email)).collect();
            seeds.push(Seed::sent(ANN));
            let server = Server::start(Organisation::new(vendor, world, seeds), Vec::new()).await;
            let provider = connect(&server, Patience::default());
            let mut roster: Vec<_> = people(10).iter().map(NewInvitation::new).collect();
            roster.push(NewInvitation::new("anne@example.com"));
            let outcomes = apply(
                provider.as_ref(),
                roster,
                &PlanOptions::default().prune(true),
            )
            .await;
            let truth = server.truth();
            let wrong = oracle::bystanders(&truth, &[]);
            Finding {
                reported: format!("{} steps", outcomes.map_or(0, |steps| steps.len())),
                truth: oracle::truth(&truth, ANN),
                wrong,
            }
        }));
    }
    check("rule 5, conflicts", cells).await;
}
