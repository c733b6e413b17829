//! "Surely not done" is a promise, and so is "invited by this call".

use std::time::Duration;

use chrono::TimeDelta;

use crate::matrix::{Cell, Finding, check};
use crate::provider::Patience;
use crate::scenarios::{ANN, Case, Expect, Path};
use crate::server::{Answer, Body, Carried, Fault, Op, Organisation, Seed, Server, Vendor, World};
use crate::undocumented_responses::{self, Named};

/// What the invitation and the clock tell about the time of a create.
fn worlds() -> Vec<(&'static str, World)> {
    let hour = TimeDelta::hours(1);
    vec![
        ("exact clock", World::default()),
        (
            "no creation time",
            World {
                created_at: false,
                ..World::default()
            },
        ),
        (
            "clock behind 1 h",
            World {
                clock: -hour,
                ..World::default()
            },
        ),
        (
            "clock ahead 1 h",
            World {
                clock: hour,
                ..World::default()
            },
        ),
        (
            "clock behind 1 h, no Date",
            World {
                clock: -hour,
                date: false,
                ..World::default()
            },
        ),
        (
            "no creation time, no Date",
            World {
                created_at: false,
                date: false,
                ..World::default()
            },
        ),
    ]
}

/// A fault that only silence makes slow gets a short timeout.
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

/// A second server of the vendor, to which redirects lead: it must get no request.
async fn elsewhere(vendor: Vendor) -> Server {
    Server::start(
        Organisation::new(vendor, World::default(), Vec::new()),
        Vec::new(),
    )
    .await
}

async fn creates(
    rule: &str,
    paths: &[Path],
    whens: &[(&str, Carried, u32)],
    worlds: &[(&str, World)],
) {
    let mut cells: Vec<Cell> = Vec::new();
    let mut traps = Vec::new();
    for vendor in Vendor::BOTH {
        let trap = elsewhere(vendor).await;
        for &path in paths {
            for Named { name, answer } in undocumented_responses::open(&trap.url())
                .into_iter()
                .chain(undocumented_responses::hollow())
            {
                for &(when, carried, times) in whens {
                    for (world_name, world) in worlds {
                        let fault = Fault::new(Op::Create, carried, answer.clone())
                            .about(ANN)
                            .times(times);
                        let case = Case::new(vendor, path, format!("{name}, {when}, {world_name}"))
                            .world(world.clone())
                            .faults(vec![fault])
                            .patience(patience(&answer));
                        cells.push(case.cell());
                    }
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn create_committed_is_not_surely_not_done() {
    let whens = [("after commit", Carried::Yes, u32::MAX)];
    creates(
        "rule 3, creates after commit",
        &Path::MAKING,
        &whens,
        &worlds()[..1],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn create_committed_under_odd_clocks_stays_open() {
    let whens = [("after commit", Carried::Yes, u32::MAX)];
    creates(
        "rule 3, creates after commit, clocks",
        &[Path::Create, Path::Apply],
        &whens,
        &worlds()[1..],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn create_not_committed_is_not_a_success() {
    let whens = [
        ("before commit, once", Carried::No, 1),
        ("before commit, always", Carried::No, u32::MAX),
    ];
    creates(
        "rule 3, creates before commit",
        &Path::MAKING,
        &whens,
        &worlds()[..1],
    )
    .await;
}

/// The lookup after a lost answer fails too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn create_without_a_lookup_stays_open() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for path in [Path::Create, Path::GetOrCreate, Path::CreateMany] {
            for Named { name, answer } in undocumented_responses::open("http://127.0.0.1:9")
                .into_iter()
                .chain(undocumented_responses::hollow())
            {
                let failed = || Answer::Status(503, Body::Empty, Vec::new());
                let faults = vec![
                    Fault::new(Op::Create, Carried::Yes, answer.clone()).about(ANN),
                    Fault::new(Op::List, Carried::No, failed()),
                    Fault::new(Op::Get, Carried::No, failed()),
                ];
                let case = Case::new(vendor, path, format!("{name}, after commit, lookups fail"));
                cells.push(case.faults(faults).patience(patience(&answer)).cell());
            }
        }
    }
    check("rule 3, creates without a lookup", cells).await;
}

/// Somebody else's invitation is not claimed, whatever the server's clock says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invitation_of_somebody_else_is_not_claimed() {
    let mut cells: Vec<Cell> = Vec::new();
    let lost = [
        (
            "500 before commit",
            Answer::Status(500, Body::Html, Vec::new()),
        ),
        (
            "504 before commit",
            Answer::Status(504, Body::Html, Vec::new()),
        ),
        ("reset before commit", Answer::Reset),
        (
            "429 before commit",
            Answer::Status(429, Body::Empty, Vec::new()),
        ),
        (
            "408 before commit",
            Answer::Status(408, Body::Empty, Vec::new()),
        ),
        (
            "empty 200 before commit",
            Answer::Status(200, Body::Empty, Vec::new()),
        ),
        ("silence before commit", Answer::Hang),
    ];
    let clocks = [
        ("exact clock", 0),
        ("clock ahead 1 h", 60),
        ("clock behind 1 h", -60),
        ("clock ahead 12 h", 720),
    ];
    let ages = [("10 minutes old", 600), ("40 s old", 40)];
    for vendor in Vendor::BOTH {
        for path in [Path::Create, Path::CreateMany, Path::GetOrCreate] {
            for (lost_name, answer) in &lost {
                for (clock_name, minutes) in clocks {
                    for (age_name, seconds) in ages {
                        // Without a Date nothing tells the skew.
                        for (date_name, date) in [("", true), (", no Date", false)] {
                            for (when, times) in [("once", 1), ("always", u32::MAX)] {
                                if (seconds == 40 || !date) && times > 1 {
                                    continue;
                                }
                                let world = World {
                                    clock: TimeDelta::minutes(minutes),
                                    date,
                                    ..World::default()
                                };
                                let name = format!(
                                    "{lost_name} {when}, {age_name}, {clock_name}{date_name}"
                                );
                                let fault = Fault::new(Op::Create, Carried::No, answer.clone())
                                    .about(ANN)
                                    .times(times);
                                let case = Case::new(vendor, path, name)
                                    .world(world)
                                    .seeds(vec![Seed::sent(ANN).age(TimeDelta::seconds(seconds))])
                                    .faults(vec![fault])
                                    .patience(patience(answer));
                                cells.push(case.cell());
                            }
                        }
                    }
                }
            }
        }
    }
    check("rule 3, claims", cells).await;
}

/// What the vendor refuses in its own form is surely not done, and a lost answer with evidence is a success.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_makes_a_create_certain() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for path in Path::MAKING {
            for Named { name, answer } in undocumented_responses::refused_creates() {
                let fault = Fault::new(Op::Create, Carried::No, answer).about(ANN);
                let case = Case::new(vendor, path, format!("{name}, before commit"));
                cells.push(case.faults(vec![fault]).expect(Expect::SurelyNot).cell());
            }
            let lost = [
                (
                    "500 of the vendor",
                    Answer::Status(500, Body::Vendor("INTERNAL_ERROR", "Oops"), Vec::new()),
                ),
                ("502 HTML", Answer::Status(502, Body::Html, Vec::new())),
                ("504 HTML", Answer::Status(504, Body::Html, Vec::new())),
                ("connection reset", Answer::Reset),
                ("connection closed", Answer::Close),
                ("success without a body", Answer::EmptySuccess),
                ("truncated success", Answer::Truncated),
            ];
            for (name, answer) in lost {
                for (when, carried, times) in [
                    ("after commit", Carried::Yes, u32::MAX),
                    ("before commit, once", Carried::No, 1),
                ] {
                    if carried == Carried::No
                        && matches!(answer, Answer::EmptySuccess | Answer::Truncated)
                    {
                        continue;
                    }
                    let fault = Fault::new(Op::Create, carried, answer.clone())
                        .about(ANN)
                        .times(times);
                    let case = Case::new(vendor, path, format!("{name}, {when}"));
                    cells.push(case.faults(vec![fault]).expect(Expect::Success).cell());
                }
            }
        }
    }
    check("rule 3, evidence", cells).await;
}

/// A success that is cut or empty after commit is one of many lost answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_success_is_not_surely_not_done() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for path in Path::MAKING {
            for (name, answer) in [
                ("truncated success", Answer::Truncated),
                ("empty success", Answer::EmptySuccess),
            ] {
                for (world_name, world) in worlds() {
                    let fault = Fault::new(Op::Create, Carried::Yes, answer.clone()).about(ANN);
                    let case =
                        Case::new(vendor, path, format!("{name}, after commit, {world_name}"));
                    cells.push(case.world(world).faults(vec![fault]).cell());
                }
            }
        }
    }
    check("rule 3, cut successes", cells).await;
}

/// Pages of a gateway say nothing about whether an invitation exists.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn get_answered_by_a_gateway_is_not_missing() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for Named { name, answer } in undocumented_responses::open("http://127.0.0.1:9")
            .into_iter()
            .chain(undocumented_responses::hollow())
        {
            let label = format!("{:10} | get              | {name}", vendor.name());
            cells.push(Cell::new(label, get(vendor, answer)));
        }
    }
    check("rule 3, gets", cells).await;
}

async fn get(vendor: Vendor, answer: Answer) -> Finding {
    let fault = Fault::new(Op::Get, Carried::No, answer.clone());
    let organisation = Organisation::new(vendor, World::default(), vec![Seed::sent(ANN)]);
    let server = Server::start(organisation, vec![fault]).await;
    let id = server.truth().live_of(ANN)[0].id.clone();
    let provider = crate::provider::connect(&server, patience(&answer));
    let (reported, wrong) = match provider.get(&id.parse().expect("an id")).await {
        Ok(invitation) => (
            format!("{invitation:?}"),
            vec!["made up an invitation".to_owned()],
        ),
        Err(error) => {
            let missing = error.kind() == org_invitations::ErrorKind::NotFound;
            (
                format!("{:?}", error.kind()),
                missing
                    .then(|| "said missing, still there".to_owned())
                    .into_iter()
                    .collect(),
            )
        }
    };
    Finding {
        reported,
        truth: "1 invitation".to_owned(),
        wrong,
    }
}
