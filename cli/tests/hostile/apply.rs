//! `apply`: who is invited, kept and renewed, and what a rejection costs.

use std::time::Duration;

use crate::command::{
    ANN, ANN_ELSEWHERE, BOB, CAT, Setup, deleted_others, ended, invited, profile, serve, state,
};
use crate::fault_scripts::{self, Named};
use crate::matrix::{Cell, Finding, run};
use crate::server::{Answer, Body, Carried, Fault, Op, ROLE_ADMIN, Seed, Vendor, World};

/// How many commands run concurrently.
const CONCURRENCY: usize = 8;

/// A roster of one who is new, one who is invited and one whose invitation has expired.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apply_reports_the_true_state() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for (who, about) in [("create", ANN), ("renewal", CAT)] {
            for Named { name, fault } in fault_scripts::creates() {
                for (when, times) in [("once", 1), ("always", u32::MAX)] {
                    let label = format!(
                        "{:10} | apply            | {who}: {name}, {when}",
                        vendor.name()
                    );
                    let faults = vec![fault.clone().about(about).times(times)];
                    cells.push(Cell::new(label, apply(vendor, World::default(), faults)));
                }
            }
        }
        for Named { name, fault } in fault_scripts::deletes() {
            let label = format!(
                "{:10} | apply            | delete of a renewal: {name}",
                vendor.name()
            );
            cells.push(Cell::new(
                label,
                apply(vendor, World::default(), vec![fault.about(CAT)]),
            ));
        }
        for (name, millis) in [("100 ms", 100), ("1 s", 1000), ("ever", 3_600_000)] {
            let label = format!(
                "{:10} | apply            | a renewed address is refused for {name}",
                vendor.name()
            );
            let world = World {
                refuse_after_delete: Duration::from_millis(millis),
                ..World::default()
            };
            cells.push(Cell::new(label, apply(vendor, world, Vec::new())));
        }
        let label = format!(
            "{:10} | apply            | 429 after commit, no creation time",
            vendor.name()
        );
        let fault = Fault::new(
            Op::Create,
            Carried::Yes,
            Answer::Status(429, Body::Empty, Vec::new()),
        )
        .about(ANN);
        cells.push(Cell::new(
            label,
            apply(
                vendor,
                World {
                    created_at: false,
                    ..World::default()
                },
                vec![fault],
            ),
        ));
        let label = format!("{:10} | apply            | no fault", vendor.name());
        cells.push(Cell::new(
            label,
            apply(vendor, World::default(), Vec::new()),
        ));
    }
    run("apply", cells, CONCURRENCY).await;
}

async fn apply(vendor: Vendor, world: World, faults: Vec<Fault>) -> Finding {
    let no_fault = faults.is_empty() && world.refuse_after_delete.is_zero();
    let seeds = vec![
        Seed::sent(BOB),
        Seed::expired(CAT),
        Seed::sent(ANN_ELSEWHERE),
    ];
    let server = serve(vendor, world, seeds, faults).await;
    let before = server.truth().clone();
    let setup = Setup::new(&[&server]);
    let roster = setup
        .folder
        .write("roster.csv", format!("email\n{ANN}\n{BOB}\n{CAT}\n"));
    let ran = setup
        .run(&[
            "--profile",
            profile(vendor),
            "-o",
            "json",
            "apply",
            &roster,
            "--yes",
        ])
        .await;
    server.settled().await;
    let truth = server.truth();
    let mut wrong = invited(&ran, &truth, &before, &[ANN, BOB, CAT]);
    wrong.extend(deleted_others(&truth, &[CAT]));
    if no_fault && ran.code != Some(0) {
        wrong.push("fails without a fault".to_owned());
    }
    let states: Vec<String> = [ANN, BOB, CAT]
        .iter()
        .map(|email| state(&truth, email))
        .collect();
    Finding {
        reported: ran.summary(),
        truth: states.join(", "),
        wrong,
    }
}

/// A roster of people with other options, whose creates are refused, and the same run again with `--resume`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejections_cost_one_person_at_most() {
    let mut cells: Vec<Cell> = Vec::new();
    let refuse =
        |status, code, words| Answer::Status(status, Body::Vendor(code, words), Vec::new());
    let forbidden = refuse(403, "FORBIDDEN", "The key may not invite");
    let quota = refuse(
        402,
        "QUOTA_EXCEEDED",
        "The request would exceed the quota: invitations_per_org",
    );
    let html = Answer::Status(403, Body::Html, Vec::new());
    let always = |answer: &Answer| Fault::new(Op::Create, Carried::No, answer.clone());
    let mut add = |refusal: Refusal| cells.push(refusal.cell());
    for concurrency in ["1", "4", "16"] {
        let refusal = |name, vendor, seed, columns, fault, at_risk| Refusal {
            name,
            vendor,
            seed,
            columns,
            fault,
            at_risk,
            concurrency,
        };
        let (confluent, clickhouse) = (Vendor::Confluent, Vendor::ClickHouse);
        add(refusal(
            "a role that does not exist",
            clickhouse,
            Seed::sent,
            ("roles", "Developper"),
            None,
            0,
        ));
        add(refusal(
            "a role as the table shows it",
            clickhouse,
            Seed::sent,
            ("roles", "Developer"),
            None,
            0,
        ));
        let role = Some(always(&forbidden).body_has(ROLE_ADMIN));
        add(refusal(
            "a role that may not be given",
            clickhouse,
            Seed::sent,
            ("roles", ROLE_ADMIN),
            role,
            0,
        ));
        let login = Some(always(&forbidden).body_has("AUTH_TYPE_LOCAL"));
        add(refusal(
            "a login that may not be given",
            confluent,
            Seed::sent,
            ("auth_type", "local"),
            login,
            0,
        ));
        for vendor in Vendor::BOTH {
            for (name, answer) in [
                ("every create is 403", &forbidden),
                ("every create is 402", &quota),
                ("every create is 403 HTML", &html),
            ] {
                add(refusal(
                    name,
                    vendor,
                    Seed::expired,
                    ("", ""),
                    Some(always(answer)),
                    1,
                ));
            }
        }
    }
    run("apply, refusals", cells, CONCURRENCY).await;
}

const PEOPLE: usize = 8;

fn address(number: usize) -> String {
    format!("person{number}@example.com")
}

struct Refusal {
    name: &'static str,
    vendor: Vendor,
    seed: fn(&str) -> Seed,
    /// A column of the roster and its value in each row.
    columns: (&'static str, &'static str),
    fault: Option<Fault>,
    at_risk: usize,
    concurrency: &'static str,
}

impl Refusal {
    fn cell(self) -> Cell {
        let label = format!(
            "{:10} | apply, resume    | {}, concurrency {}",
            self.vendor.name(),
            self.name,
            self.concurrency
        );
        Cell::new(label, self.run())
    }

    async fn run(self) -> Finding {
        let seeds = (0..PEOPLE)
            .map(|number| (self.seed)(&address(number)))
            .collect();
        let server = serve(
            self.vendor,
            World::default(),
            seeds,
            self.fault.into_iter().collect(),
        )
        .await;
        let setup = Setup::new(&[&server]);
        let (column, value) = self.columns;
        let mut roster = if column.is_empty() {
            "email\n".to_owned()
        } else {
            format!("email,{column}\n")
        };
        for number in 0..PEOPLE {
            let cell = if column.is_empty() {
                String::new()
            } else {
                format!(",{value}")
            };
            roster.push_str(&format!("{}{cell}\n", address(number)));
        }
        let roster = setup.folder.write("roster.csv", roster);
        let profile = profile(self.vendor);
        let arguments = [
            "--profile",
            profile,
            "-o",
            "json",
            "apply",
            &roster,
            "--yes",
            "--concurrency",
            self.concurrency,
        ];
        let mut wrong = Vec::new();
        let mut lost_after = Vec::new();
        let mut last = None;
        for turn in 0..3 {
            let mut arguments = arguments.to_vec();
            if turn > 0 {
                arguments.push("--resume");
            }
            let ran = setup.run(&arguments).await;
            wrong.extend(ended(&ran));
            let truth = server.truth();
            let lost: Vec<String> = (0..PEOPLE)
                .map(address)
                .filter(|email| truth.live_of(email).is_empty())
                .collect();
            lost_after.push(lost.len());
            let unnamed = lost.iter().filter(|email| !ran.names(email)).count();
            if unnamed > 0 {
                wrong.push(format!(
                    "run {}: {unnamed} lost people are not named",
                    turn + 1
                ));
            }
            if !lost.is_empty() && ran.code == Some(0) {
                wrong.push(format!("run {}: exit 0", turn + 1));
            }
            if turn == 0 && ran.stderr.contains("--resume") {
                wrong.push("advises to resume what is refused again".to_owned());
            }
            last.get_or_insert(ran);
        }
        if lost_after[0] > self.at_risk {
            wrong.push(format!("the first run loses {}", lost_after[0]));
        }
        if lost_after[2] > 3 * self.at_risk {
            wrong.push(format!("three runs lose {}", lost_after[2]));
        }
        let reported = last.expect("a run").summary();
        Finding {
            reported,
            truth: format!("without an invitation after each run: {lost_after:?}"),
            wrong,
        }
    }
}
