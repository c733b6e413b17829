//! Uniqueness is the server's business, and may lag.

use std::time::Duration;

use futures::StreamExt;
use org_invitations::{BulkOptions, InvitationProviderExt, NewInvitation};

use crate::matrix::{Cell, Finding, check_at_once};
use crate::oracle::{self, Reported};
use crate::provider::{Patience, connect};
use crate::scenarios::{ANN, Case, Path};
use crate::server::{Answer, Body, Carried, Fault, Op, Organisation, Seed, Server, Vendor, World};

fn lost() -> Vec<(&'static str, Answer)> {
    vec![
        ("500 HTML", Answer::Status(500, Body::Html, Vec::new())),
        ("504 HTML", Answer::Status(504, Body::Html, Vec::new())),
        ("502 HTML", Answer::Status(502, Body::Html, Vec::new())),
        ("202 empty", Answer::Status(202, Body::Empty, Vec::new())),
        ("408 empty", Answer::Status(408, Body::Empty, Vec::new())),
        ("429 empty", Answer::Status(429, Body::Empty, Vec::new())),
        ("empty success", Answer::EmptySuccess),
        ("reset", Answer::Reset),
        ("silence", Answer::Hang),
    ]
}

/// These cells wait more than they work.
const WAITING: usize = 80;

fn lost_as(names: &[&str]) -> Vec<(&'static str, Answer)> {
    lost()
        .into_iter()
        .filter(|(name, _)| names.contains(name))
        .collect()
}

fn patience(settle: Duration) -> Patience {
    Patience {
        timeout: Duration::from_millis(400),
        settle,
        deadline: Duration::from_secs(20),
        ..Patience::default()
    }
}

fn world(list: u64, uniqueness: u64) -> World {
    World {
        list_lag: Duration::from_millis(list),
        uniqueness_lag: Duration::from_millis(uniqueness),
        ..World::default()
    }
}

/// The cells of one lag; the library may look for `settle`, which is longer.
fn cells(paths: &[Path], lag: u64, settle: Duration, lost: &[(&'static str, Answer)]) -> Vec<Cell> {
    let late = Carried::Late(Duration::from_millis(lag));
    let worlds = [
        ("list lags", world(lag, 0), Carried::Yes),
        ("uniqueness lags", world(0, lag), Carried::Yes),
        ("both lag", world(lag, lag), Carried::Yes),
        ("commit is late", world(0, 0), late),
        (
            "commit is late, both lag",
            world(lag / 2, lag / 2),
            Carried::Late(Duration::from_millis(lag / 2)),
        ),
    ];
    let mut cells = Vec::new();
    for vendor in Vendor::BOTH {
        for &path in paths {
            for (world_name, world, carried) in &worlds {
                for (name, answer) in lost {
                    for (when, times) in [("once", 1), ("always", u32::MAX)] {
                        // Lost for ever is one path's business; it takes the longest.
                        if times > 1 && path != Path::Create {
                            continue;
                        }
                        let fault = Fault::new(Op::Create, *carried, answer.clone())
                            .about(ANN)
                            .times(times);
                        let case = Case::new(
                            vendor,
                            path,
                            format!("{name} {when}, {world_name} {lag} ms"),
                        );
                        cells.push(
                            case.world(world.clone())
                                .faults(vec![fault])
                                .patience(patience(settle))
                                .cell(),
                        );
                    }
                }
            }
        }
    }
    cells
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lag_doubles_nobody() {
    let settle = Duration::from_secs(2);
    let most = lost_as(&[
        "504 HTML",
        "202 empty",
        "408 empty",
        "429 empty",
        "empty success",
        "reset",
        "silence",
    ]);
    let mut cells = cells(&[Path::Create, Path::Apply], 800, settle, &most);
    let others = [
        Path::GetOrCreate,
        Path::CreateMany,
        Path::Renew,
        Path::CopyByPlan,
        Path::CopyByCalls,
    ];
    cells.extend(self::cells(
        &others,
        800,
        settle,
        &lost_as(&["504 HTML", "202 empty"]),
    ));
    check_at_once("rule 6, lag of 0.8 s", cells, WAITING).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lag_of_seconds_doubles_nobody() {
    let few = lost_as(&["504 HTML", "202 empty", "silence"]);
    let cells = cells(
        &[Path::Create, Path::Apply],
        1500,
        Duration::from_secs(4),
        &few,
    );
    check_at_once("rule 6, lag of 1.5 s", cells, WAITING).await;
}

/// Many people at once share the looks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lag_doubles_nobody_of_many() {
    let mut cells = Vec::new();
    for vendor in Vendor::BOTH {
        for (name, answer) in lost() {
            for (world_name, world, carried) in [
                ("both lag", world(800, 800), Carried::Yes),
                (
                    "commit is late",
                    world(0, 0),
                    Carried::Late(Duration::from_millis(800)),
                ),
            ] {
                let label = format!(
                    "{:10} | create_many of 12 | {name}, {world_name} 800 ms",
                    vendor.name()
                );
                cells.push(Cell::new(
                    label,
                    many(vendor, world, carried, answer.clone()),
                ));
            }
        }
    }
    check_at_once("rule 6, many", cells, WAITING).await;
}

async fn many(vendor: Vendor, world: World, carried: Carried, answer: Answer) -> Finding {
    let fault = Fault::new(Op::Create, carried, answer);
    let organisation = Organisation::new(vendor, world, vec![Seed::sent("bystander@example.com")]);
    let server = Server::start(organisation, vec![fault]).await;
    let provider = connect(&server, patience(Duration::from_secs(2)));
    let roster: Vec<_> = (0..12)
        .map(|number| NewInvitation::new(format!("person{number}@example.com")))
        .collect();
    let outcomes: Vec<_> = provider
        .create_many(roster, BulkOptions::default().concurrency(6))
        .collect()
        .await;
    server.settled().await;
    let truth = server.truth();
    let mut finding = Finding::default();
    let (mut sure, mut ambiguous) = (0, 0);
    for outcome in outcomes {
        let said = Reported::of_created(outcome.result);
        if said.is_ambiguous() {
            ambiguous += 1
        } else {
            sure += 1
        }
        finding
            .wrong
            .extend(oracle::promised_creation(&truth, &outcome.new.email, &said));
    }
    let count = finding.wrong.len();
    finding.wrong.sort();
    finding.wrong.dedup();
    if count > 0 {
        finding.wrong.push(format!("{count} of 12 people"));
    }
    finding.reported = format!("{sure} sure, {ambiguous} maybe");
    finding.truth = format!("{} invitations", truth.live().len() - 1);
    finding
}
