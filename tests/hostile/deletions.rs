//! Deletes: said deleted, said missing, surely not done.

use std::time::Duration;

use crate::matrix::{Cell, check};
use crate::provider::Patience;
use crate::scenarios::{ANN, Case, Expect, Path};
use crate::server::{Answer, Body, Carried, Fault, Op, Organisation, Server, Vendor, World};
use crate::undocumented_responses::{self, Named};

fn patience(answer: &Answer) -> Patience {
    match answer {
        Answer::Hang => Patience {
            timeout: Duration::from_millis(300),
            attempts: 3,
            ..Patience::default()
        },
        _ => Patience::default(),
    }
}

/// Successes for a delete that say that it was not carried out, or not yet, or nothing.
fn not_deleted() -> Vec<Named> {
    let status = |name, status, body| Named {
        name,
        answer: Answer::Status(status, body, Vec::new()),
    };
    vec![
        status(
            "200 error",
            200,
            Body::Json(r#"{"error":"CONFLICT: the invitation is being modified"}"#),
        ),
        status(
            "200 errors",
            200,
            Body::Json(r#"{"errors":[{"status":"409","detail":"is being modified"}]}"#),
        ),
        status(
            "200 failed envelope",
            200,
            Body::Json(r#"{"status":500,"error":"INTERNAL_ERROR: try again"}"#),
        ),
        status("200 HTML", 200, Body::Html),
        status("201 HTML", 201, Body::Html),
        status("202 empty", 202, Body::Empty),
        status("202 accepted", 202, Body::Json(r#"{"status":"accepted"}"#)),
        status(
            "202 envelope",
            202,
            Body::Json(r#"{"status":202,"requestId":"1"}"#),
        ),
        status("203 HTML", 203, Body::Html),
        status(
            "207 failed within",
            207,
            Body::Json(r#"{"responses":[{"status":409,"error":"locked"}]}"#),
        ),
        status("207 HTML", 207, Body::Html),
        status("226 empty", 226, Body::Empty),
    ]
}

/// A server that confirms a delete that it does not carry out, and lets a second invitation in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renewal_beside_the_old_one_is_no_success() {
    let world = || World {
        accepts_duplicates: true,
        ..World::default()
    };
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        let late = Duration::from_millis(300);
        for (name, carried, expect) in [
            ("never", Carried::No, Expect::Truth),
            ("late", Carried::Late(late), Expect::Success),
        ] {
            let answer = match vendor {
                Vendor::Confluent => Answer::Status(204, Body::Empty, Vec::new()),
                Vendor::ClickHouse => Answer::Regular,
            };
            let fault = Fault::new(Op::Delete, carried, answer).about(ANN);
            let case = Case::new(vendor, Path::Renew, format!("delete is carried out {name}"));
            let case = case.world(world()).faults(vec![fault]).expect(expect);
            cells.push(case.cell());
        }
    }
    check("confirmed and not carried out", cells).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delete_not_carried_out_is_not_deleted() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for path in Path::DELETING {
            for Named { name, answer } in not_deleted() {
                let fault = Fault::new(Op::Delete, Carried::No, answer).about(ANN);
                cells.push(
                    Case::new(vendor, path, format!("{name}, not carried out"))
                        .faults(vec![fault])
                        .cell(),
                );
            }
        }
    }
    check("rule 3, deletes not carried out", cells).await;
}

async fn deletes(rule: &str, whens: &[(&str, Carried, u32)]) {
    let mut cells: Vec<Cell> = Vec::new();
    let mut traps = Vec::new();
    for vendor in Vendor::BOTH {
        let trap = Server::start(
            Organisation::new(vendor, World::default(), Vec::new()),
            Vec::new(),
        )
        .await;
        for path in Path::DELETING {
            for Named { name, answer } in undocumented_responses::open(&trap.url()) {
                for &(when, carried, times) in whens {
                    let fault = Fault::new(Op::Delete, carried, answer.clone())
                        .about(ANN)
                        .times(times);
                    let case = Case::new(vendor, path, format!("{name}, {when}"));
                    cells.push(case.faults(vec![fault]).patience(patience(&answer)).cell());
                }
            }
        }
        traps.push(trap);
    }
    check(rule, cells).await;
    for trap in traps {
        assert_eq!(
            trap.requests().len(),
            0,
            "a redirect to elsewhere was followed"
        );
    }
}

/// Once: afterwards the vendor says that there is no such invitation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delete_carried_out_is_not_surely_not_done() {
    deletes(
        "rule 3, deletes after commit",
        &[("after commit", Carried::Yes, u32::MAX)],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delete_refused_by_a_gateway_is_not_missing() {
    let whens = [
        ("before commit, once", Carried::No, 1),
        ("before commit, always", Carried::No, u32::MAX),
    ];
    deletes("rule 3, deletes before commit", &whens).await;
}

/// Late: accepted, and carried out a while after the answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delete_carried_out_late_is_told_as_it_is() {
    let mut cells: Vec<Cell> = Vec::new();
    let late = Carried::Late(Duration::from_millis(400));
    let answers = [
        ("202 empty", Answer::Status(202, Body::Empty, Vec::new())),
        ("504 HTML", Answer::Status(504, Body::Html, Vec::new())),
        ("500 HTML", Answer::Status(500, Body::Html, Vec::new())),
        ("408 empty", Answer::Status(408, Body::Empty, Vec::new())),
        ("reset", Answer::Reset),
        ("silence", Answer::Hang),
    ];
    for vendor in Vendor::BOTH {
        for path in Path::DELETING {
            for (name, answer) in &answers {
                let fault = Fault::new(Op::Delete, late, answer.clone())
                    .about(ANN)
                    .times(1);
                let case = Case::new(vendor, path, format!("{name}, carried out 400 ms later"));
                let patience = Patience {
                    settle: Duration::from_secs(2),
                    ..patience(answer)
                };
                cells.push(case.faults(vec![fault]).patience(patience).cell());
            }
        }
    }
    check("rule 3, late deletes", cells).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_makes_a_delete_certain() {
    let mut cells: Vec<Cell> = Vec::new();
    let refusals = [
        (
            "400 of the vendor",
            Answer::Status(
                400,
                Body::Vendor("BAD_REQUEST", "The key may not do this"),
                Vec::new(),
            ),
        ),
        (
            "403 of the vendor",
            Answer::Status(
                403,
                Body::Vendor("FORBIDDEN", "The key may not delete"),
                Vec::new(),
            ),
        ),
    ];
    let lost = [
        ("500 HTML", Answer::Status(500, Body::Html, Vec::new())),
        ("504 HTML", Answer::Status(504, Body::Html, Vec::new())),
        ("reset", Answer::Reset),
    ];
    for vendor in Vendor::BOTH {
        for path in [
            Path::Delete,
            Path::DeleteIfExists,
            Path::DeleteMany,
            Path::Prune,
        ] {
            for (name, answer) in &refusals {
                let fault = Fault::new(Op::Delete, Carried::No, answer.clone()).about(ANN);
                let case = Case::new(vendor, path, format!("{name}, before commit"));
                cells.push(case.faults(vec![fault]).expect(Expect::SurelyNot).cell());
            }
            for (name, answer) in &lost {
                let fault = Fault::new(Op::Delete, Carried::No, answer.clone())
                    .about(ANN)
                    .times(1);
                let case = Case::new(vendor, path, format!("{name}, before commit, once"));
                cells.push(case.faults(vec![fault]).expect(Expect::Success).cell());
            }
        }
    }
    check("rule 3, evidence of deletes", cells).await;
}
