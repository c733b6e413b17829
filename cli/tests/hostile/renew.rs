//! `renew`: only the requested person, once, and named if lost.

use std::time::Duration;

use crate::command::{
    ANN, ANN_ELSEWHERE, BOB, CAT, NOBODY, Setup, deleted_others, ended, invited, profile, serve,
    state,
};
use crate::fault_scripts::{self, Named};
use crate::matrix::{Cell, Finding, run};
use crate::server::{Answer, Body, Carried, Fault, Filters, Op, Seed, Vendor, World};

const CONCURRENCY: usize = 8;

/// How the command line selects the invitations to renew.
#[derive(Clone, Copy, Debug)]
enum By {
    Id,
    Email,
    Expired,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renew_reports_the_true_state() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for Named { name, fault } in fault_scripts::creates() {
            for (when, times) in [("once", 1), ("always", u32::MAX)] {
                let label = format!(
                    "{:10} | renew ID         | create: {name}, {when}",
                    vendor.name()
                );
                let faults = vec![fault.clone().about(ANN).times(times)];
                cells.push(Cell::new(
                    label,
                    renew(vendor, By::Id, World::default(), faults),
                ));
            }
        }
        for Named { name, fault } in fault_scripts::deletes() {
            let label = format!("{:10} | renew ID         | delete: {name}", vendor.name());
            cells.push(Cell::new(
                label,
                renew(vendor, By::Id, World::default(), vec![fault.about(ANN)]),
            ));
        }
        for (name, times) in [("once", 1), ("always", u32::MAX)] {
            let label = format!(
                "{:10} | renew ID         | get answered with another id, {name}",
                vendor.name()
            );
            let fault = Fault::new(Op::Get, Carried::Yes, Answer::Stranger).times(times);
            cells.push(Cell::new(
                label,
                renew(vendor, By::Id, World::default(), vec![fault]),
            ));
        }
        for (name, millis) in [("100 ms", 100), ("1 s", 1000), ("ever", 3_600_000)] {
            let label = format!(
                "{:10} | renew ID         | the address is refused for {name}",
                vendor.name()
            );
            let world = World {
                refuse_after_delete: Duration::from_millis(millis),
                ..World::default()
            };
            cells.push(Cell::new(label, renew(vendor, By::Id, world, Vec::new())));
        }
        for by in [By::Email, By::Expired] {
            for filters in [Filters::Exact, Filters::Ignored, Filters::Prefix] {
                let label = format!(
                    "{:10} | renew --{:8} | filters {filters:?}",
                    vendor.name(),
                    format!("{by:?}").to_lowercase()
                );
                cells.push(Cell::new(
                    label,
                    renew(
                        vendor,
                        by,
                        World {
                            filters,
                            ..World::default()
                        },
                        Vec::new(),
                    ),
                ));
            }
        }
        for filters in [Filters::Ignored, Filters::Prefix] {
            let label = format!(
                "{:10} | renew --email    | of nobody, filters {filters:?}",
                vendor.name()
            );
            cells.push(Cell::new(label, renew_nobody(vendor, filters)));
        }
    }
    run("renew", cells, CONCURRENCY).await;
}

async fn renew(vendor: Vendor, by: By, world: World, faults: Vec<Fault>) -> Finding {
    let no_fault = faults.is_empty() && world.refuse_after_delete.is_zero();
    let seeds = vec![
        Seed::expired(ANN),
        Seed::sent(BOB),
        Seed::sent(CAT),
        Seed::sent(ANN_ELSEWHERE),
    ];
    let server = serve(vendor, world, seeds, faults).await;
    let before = server.truth().clone();
    let id = before.live_of(ANN)[0].id.clone();
    let setup = Setup::new(&[&server]);
    let mut arguments = vec!["--profile", profile(vendor), "-o", "json", "renew"];
    match by {
        By::Id => arguments.push(&id),
        By::Email => arguments.extend(["--email", ANN]),
        By::Expired => arguments.push("--expired"),
    }
    arguments.push("--yes");
    let ran = setup.run(&arguments).await;
    server.settled().await;
    let truth = server.truth();
    let mut wrong = invited(&ran, &truth, &before, &[ANN]);
    wrong.extend(deleted_others(&truth, &[ANN]));
    if ran.code == Some(0) && truth.live_of(ANN).iter().any(|record| record.id == id) {
        wrong.push("exit 0, the old one is there".to_owned());
    }
    if no_fault && ran.code != Some(0) {
        wrong.push("fails without a fault".to_owned());
    }
    Finding {
        reported: ran.summary(),
        truth: state(&truth, ANN),
        wrong,
    }
}

async fn renew_nobody(vendor: Vendor, filters: Filters) -> Finding {
    let seeds = [ANN, BOB, CAT].map(Seed::sent).to_vec();
    let server = serve(
        vendor,
        World {
            filters,
            ..World::default()
        },
        seeds,
        Vec::new(),
    )
    .await;
    let setup = Setup::new(&[&server]);
    let ran = setup
        .run(&[
            "--profile",
            profile(vendor),
            "renew",
            "--email",
            NOBODY,
            "--yes",
        ])
        .await;
    let truth = server.truth();
    let mut wrong = ended(&ran);
    wrong.extend(deleted_others(&truth, &[]));
    if ran.code == Some(0) {
        wrong.push("exit 0, there is nobody".to_owned());
    }
    Finding {
        reported: ran.summary(),
        truth: format!("deleted {:?}", truth.removed()),
        wrong,
    }
}

/// Rejected creates cost one person, who is named with the command that invites them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejected_renewals_cost_one_person() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for (name, answer) in [
            (
                "402 of the vendor",
                Answer::Status(
                    402,
                    Body::Vendor("QUOTA_EXCEEDED", "invitations_per_org"),
                    Vec::new(),
                ),
            ),
            (
                "403 of the vendor",
                Answer::Status(
                    403,
                    Body::Vendor("FORBIDDEN", "The key may not invite"),
                    Vec::new(),
                ),
            ),
            ("403 HTML", Answer::Status(403, Body::Html, Vec::new())),
            ("409 HTML", Answer::Status(409, Body::Html, Vec::new())),
        ] {
            let label = format!(
                "{:10} | renew --expired  | 6 people, every create is {name}",
                vendor.name()
            );
            cells.push(Cell::new(label, async move {
                let people: Vec<String> = (0..6)
                    .map(|number| format!("person{number}@example.com"))
                    .collect();
                let seeds = people.iter().map(|email| Seed::expired(email)).collect();
                let fault = Fault::new(Op::Create, Carried::No, answer);
                let server = serve(vendor, World::default(), seeds, vec![fault]).await;
                let setup = Setup::new(&[&server]);
                let ran = setup
                    .run(&[
                        "--profile",
                        profile(vendor),
                        "-o",
                        "json",
                        "renew",
                        "--expired",
                        "--yes",
                    ])
                    .await;
                let truth = server.truth();
                let lost: Vec<_> = people
                    .iter()
                    .filter(|email| truth.live_of(email).is_empty())
                    .collect();
                let mut wrong = ended(&ran);
                if lost.len() > 1 {
                    wrong.push(format!("{} people lost", lost.len()));
                }
                for email in &lost {
                    if !ran.names(email) {
                        wrong.push(format!("{email} is not named"));
                    } else if !ran.stderr.contains("create") {
                        wrong.push("no command that invites again".to_owned());
                    }
                }
                if ran.code == Some(0) {
                    wrong.push("exit 0".to_owned());
                }
                Finding {
                    reported: ran.summary(),
                    truth: format!("{} lost", lost.len()),
                    wrong,
                }
            }));
        }
    }
    run("renew, refusals", cells, CONCURRENCY).await;
}
