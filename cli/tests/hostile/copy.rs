//! `copy --delete-source-after`: only people seen at the target are withdrawn at the source.

use crate::command::{ANN, ANN_ELSEWHERE, BOB, CAT, Run, Setup, ended, profile, serve, state};
use crate::fault_scripts::{self, Named};
use crate::matrix::{Cell, Finding, run};
use crate::server::{Fault, Filters, Seed, Server, Vendor, World};

const CONCURRENCY: usize = 8;

const PEOPLE: [&str; 3] = [ANN, BOB, CAT];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copy_loses_nobody() {
    let mut cells: Vec<Cell> = Vec::new();
    for target in Vendor::BOTH {
        for Named { name, fault } in fault_scripts::creates() {
            for (when, times) in [("once", 1), ("always", u32::MAX)] {
                let label = format!(
                    "to {:10} | copy          | create: {name}, {when}",
                    target.name()
                );
                let faults = vec![fault.clone().about(ANN).times(times)];
                cells.push(Cell::new(
                    label,
                    copy(target, World::default(), faults, Vec::new()),
                ));
            }
            let label = format!(
                "to {:10} | copy          | every create: {name}",
                target.name()
            );
            cells.push(Cell::new(
                label,
                copy(target, World::default(), vec![fault], Vec::new()),
            ));
        }
        for Named { name, fault } in fault_scripts::deletes() {
            let label = format!(
                "to {:10} | copy          | delete at the source: {name}",
                target.name()
            );
            cells.push(Cell::new(
                label,
                copy(target, World::default(), Vec::new(), vec![fault.about(ANN)]),
            ));
        }
        for filters in [Filters::Ignored, Filters::Prefix] {
            let label = format!(
                "to {:10} | copy          | filters {filters:?}",
                target.name()
            );
            cells.push(Cell::new(
                label,
                copy(
                    target,
                    World {
                        filters,
                        ..World::default()
                    },
                    Vec::new(),
                    Vec::new(),
                ),
            ));
        }
    }
    run("copy", cells, CONCURRENCY).await;
}

async fn pair(
    target: Vendor,
    world: World,
    at_target: Vec<Fault>,
    at_source: Vec<Fault>,
) -> (Server, Server) {
    let people = PEOPLE.map(Seed::sent).to_vec();
    let source = serve(target.other(), World::default(), people, at_source).await;
    let target = serve(target, world, vec![Seed::sent(ANN_ELSEWHERE)], at_target).await;
    (source, target)
}

fn arguments(target: Vendor) -> Vec<&'static str> {
    let mut arguments = vec![
        "-o",
        "json",
        "copy",
        "--from",
        profile(target.other()),
        "--to",
        profile(target),
    ];
    arguments.extend([
        "--ignore",
        "auth-type",
        "--ignore",
        "roles",
        "--delete-source-after",
    ]);
    arguments
}

async fn copy(
    vendor: Vendor,
    world: World,
    at_target: Vec<Fault>,
    at_source: Vec<Fault>,
) -> Finding {
    let no_fault = at_target.is_empty() && at_source.is_empty();
    let (source, target) = pair(vendor, world, at_target, at_source).await;
    let setup = Setup::new(&[&source, &target]);
    let mut arguments = arguments(vendor);
    arguments.push("--yes");
    let ran = setup.run(&arguments).await;
    source.settled().await;
    target.settled().await;
    let (source, target) = (source.truth(), target.truth());
    let mut wrong = ended(&ran);
    for email in PEOPLE {
        let (here, there) = (source.live_of(email).len(), target.live_of(email).len());
        if here == 0 && there == 0 && !target.is_member(email) {
            wrong.push(format!("lost {email}"));
        }
        if ran.code == Some(0) && (here != 0 || there != 1) {
            wrong.push(format!(
                "exit 0, {email}: {here} at the source, {there} at the target"
            ));
        }
    }
    if !target.removed().is_empty() {
        wrong.push("deletes at the target".to_owned());
    }
    if no_fault && ran.code != Some(0) {
        wrong.push("fails without a fault".to_owned());
    }
    let truth = format!(
        "target {}, source {}",
        state(&target, ANN),
        state(&source, ANN)
    );
    Finding {
        reported: ran.summary(),
        truth,
        wrong,
    }
}

/// A dry run lists the deletions with their provider and profile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dry_run_shows_what_is_withdrawn() {
    let mut cells: Vec<Cell> = Vec::new();
    for target in Vendor::BOTH {
        for format in ["table", "json"] {
            let label = format!("to {:10} | copy --dry-run | {format}", target.name());
            cells.push(Cell::new(label, async move {
                let (source, server) = pair(target, World::default(), Vec::new(), Vec::new()).await;
                let setup = Setup::new(&[&source, &server]);
                let mut arguments = arguments(target);
                arguments[1] = format;
                arguments.push("--dry-run");
                let ran: Run = setup.run(&arguments).await;
                let shown = format!("{}{}", ran.stdout, ran.stderr);
                let mut wrong = ended(&ran);
                if !source.truth().removed().is_empty() || !server.truth().events().is_empty() {
                    wrong.push("changes something".to_owned());
                }
                if !shown.to_lowercase().contains("withdraw")
                    && !shown.to_lowercase().contains("delete")
                {
                    wrong.push("does not say that the source is withdrawn".to_owned());
                }
                if !shown.contains(profile(target.other()))
                    && !shown.contains(target.other().name())
                {
                    wrong.push("does not name the source".to_owned());
                }
                Finding {
                    reported: ran.summary(),
                    truth: "3 people would be withdrawn".to_owned(),
                    wrong,
                }
            }));
        }
    }
    run("copy, dry run", cells, CONCURRENCY).await;
}
