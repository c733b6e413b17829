//! `delete`: only the requested invitations, reported as deleted only if they are gone.

use crate::command::{
    ANN, ANN_ELSEWHERE, BOB, CAT, NOBODY, Setup, deleted_others, ended, profile, serve, state,
};
use crate::fault_scripts::{self, Named};
use crate::matrix::{Cell, Finding, run};
use crate::server::{Answer, Carried, Fault, Filters, Op, Seed, Vendor, World};

const CONCURRENCY: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delete_removes_only_the_requested_people() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for filters in [Filters::Exact, Filters::Ignored, Filters::Prefix] {
            for email in [NOBODY, ANN, "ANN@example.com", "ann@example.co"] {
                let label = format!(
                    "{:10} | delete --email   | {email}, filters {filters:?}",
                    vendor.name()
                );
                cells.push(Cell::new(label, by_email(vendor, filters, email)));
            }
        }
        let label = format!(
            "{:10} | delete ID        | get answered with another id",
            vendor.name()
        );
        let fault = Fault::new(Op::Get, Carried::Yes, Answer::Stranger);
        cells.push(Cell::new(label, by_id(vendor, vec![fault])));
        for Named { name, fault } in fault_scripts::deletes() {
            let label = format!("{:10} | delete ID        | {name}", vendor.name());
            cells.push(Cell::new(label, by_id(vendor, vec![fault])));
        }
    }
    run("delete", cells, CONCURRENCY).await;
}

fn people() -> Vec<Seed> {
    [ANN, BOB, CAT, ANN_ELSEWHERE].map(Seed::sent).to_vec()
}

async fn by_email(vendor: Vendor, filters: Filters, email: &'static str) -> Finding {
    let server = serve(
        vendor,
        World {
            filters,
            ..World::default()
        },
        people(),
        Vec::new(),
    )
    .await;
    let setup = Setup::new(&[&server]);
    let ran = setup
        .run(&[
            "--profile",
            profile(vendor),
            "-o",
            "json",
            "delete",
            "--email",
            email,
            "--yes",
        ])
        .await;
    let truth = server.truth();
    let mut wrong = ended(&ran);
    wrong.extend(deleted_others(&truth, &[email]));
    let is_invited = email.eq_ignore_ascii_case(ANN);
    if is_invited && !truth.live_of(ANN).is_empty() {
        wrong.push("not deleted".to_owned());
    }
    if is_invited != (ran.code == Some(0)) {
        wrong.push(format!("exit {:?}", ran.code));
    }
    Finding {
        reported: ran.summary(),
        truth: format!("deleted {:?}", truth.removed()),
        wrong,
    }
}

async fn by_id(vendor: Vendor, faults: Vec<Fault>) -> Finding {
    let server = serve(vendor, World::default(), people(), faults).await;
    let id = server.truth().live_of(ANN)[0].id.clone();
    let setup = Setup::new(&[&server]);
    let ran = setup
        .run(&[
            "--profile",
            profile(vendor),
            "-o",
            "json",
            "delete",
            &id,
            "--yes",
        ])
        .await;
    let truth = server.truth();
    let mut wrong = ended(&ran);
    wrong.extend(deleted_others(&truth, &[ANN]));
    let live = !truth.live_of(ANN).is_empty();
    if live && ran.code == Some(0) {
        wrong.push("exit 0, still there".to_owned());
    }
    if live && ran.stdout.contains("\"deleted\":true") {
        wrong.push("said deleted, still there".to_owned());
    }
    if live && ran.code == Some(4) {
        wrong.push("said missing, still there".to_owned());
    }
    Finding {
        reported: ran.summary(),
        truth: state(&truth, ANN),
        wrong,
    }
}
