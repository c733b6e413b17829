//! The response is about what was requested: an address or an id.

use org_invitations::NewInvitation;

use chrono::TimeDelta;

use crate::matrix::{Cell, Finding, check};
use crate::oracle;
use crate::provider::{Patience, connect};
use crate::scenarios::{ANN, BOB, Case, Expect, Path, list};
use crate::server::{
    Answer, Body, Carried, Fault, Filters, Op, Organisation, Seed, Server, Vendor, World,
};

pub const NOBODY: &str = "nobody@example.com";

/// Adds properties at the end of a body's object, though it may have them already.
fn append(addition: &'static str) -> Answer {
    Answer::rewrite(move |body| {
        let text = String::from_utf8(body).expect("text");
        let open = text.strip_suffix('}').expect("an object");
        format!("{open},{addition}}}").into_bytes()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn create_answered_about_another_address() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for path in Path::MAKING {
            for (when, carried) in [("committed", Carried::Yes), ("not committed", Carried::No)] {
                for (often, times) in [("once", 1), ("always", u32::MAX)] {
                    let fault = Fault::new(Op::Create, carried, Answer::Stranger)
                        .about(ANN)
                        .times(times);
                    let case = Case::new(
                        vendor,
                        path,
                        format!("success about another address, {when}, {often}"),
                    );
                    cells.push(case.faults(vec![fault]).cell());
                }
            }
            // A body that says two things is not about what was asked.
            let second = match vendor {
                Vendor::Confluent => append(r#""email":"mallory@example.com","id":"i-999""#),
                Vendor::ClickHouse => append(
                    r#""result":{"id":"99999999-0000-4000-8000-999999999999","email":"mallory@example.com"}"#,
                ),
            };
            let fault = Fault::new(Op::Create, Carried::Yes, second).about(ANN);
            cells.push(
                Case::new(vendor, path, "success about two addresses")
                    .faults(vec![fault])
                    .cell(),
            );
        }
    }
    check("rule 2, creates", cells).await;
}

/// A conflict names the invitation that is in the way, and it is somebody else's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conflict_names_somebody_elses_invitation() {
    let mut cells: Vec<Cell> = Vec::new();
    // The first seed of every path is Bob's, but for the renewal, where it is Ann's own.
    let bobs = "https://api.confluent.cloud/iam/v2/invitations/i-1".to_owned();
    for path in Path::CREATES {
        for (name, body) in [
            (
                "being modified",
                Body::Vendor(
                    "CONFLICT",
                    "The resource is being modified by another request",
                ),
            ),
            (
                "already exists",
                Body::Vendor("RESOURCE_ALREADY_EXISTS", "The resource already exists"),
            ),
        ] {
            let answer = Answer::Status(409, body, vec![("Location", bobs.clone())]);
            let fault = Fault::new(Op::Create, Carried::No, answer).about(ANN);
            let case = Case::new(
                Vendor::Confluent,
                path,
                format!("409 {name}, Location of another"),
            );
            cells.push(case.faults(vec![fault]).cell());
        }
    }
    check("rule 2, conflicts", cells).await;
}

/// The lookup of a lost create gets everybody, or whoever begins like Ann, made a moment ago.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lookup_that_ignores_its_filter() {
    let mut cells: Vec<Cell> = Vec::new();
    let lost = [
        ("500", Answer::Status(500, Body::Html, Vec::new())),
        ("429", Answer::Status(429, Body::Empty, Vec::new())),
        ("reset", Answer::Reset),
        (
            "409 being modified",
            Answer::Status(
                409,
                Body::Vendor("CONFLICT", "is being modified"),
                Vec::new(),
            ),
        ),
        ("409 HTML", Answer::Status(409, Body::Html, Vec::new())),
    ];
    for vendor in Vendor::BOTH {
        for path in Path::MAKING {
            for (filters_name, filters) in [
                ("filters ignored", Filters::Ignored),
                ("prefixes", Filters::Prefix),
            ] {
                for (name, answer) in &lost {
                    let world = World {
                        filters,
                        ..World::default()
                    };
                    let fault = Fault::new(Op::Create, Carried::No, answer.clone()).about(ANN);
                    let fresh = ["ann@example.com.fresh", "dan@example.com"];
                    let seeds = fresh
                        .map(|email| Seed::sent(email).age(TimeDelta::seconds(-1)))
                        .to_vec();
                    let case = Case::new(
                        vendor,
                        path,
                        format!("{name} before commit, {filters_name}"),
                    );
                    cells.push(case.world(world).faults(vec![fault]).seeds(seeds).cell());
                }
            }
        }
    }
    check("rule 2, lookups", cells).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn get_answered_with_another_id() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for (name, times) in [("once", 1), ("always", u32::MAX)] {
            let label = |path| {
                format!(
                    "{:10} | {path:16} | get answered with another id, {name}",
                    vendor.name()
                )
            };
            cells.push(Cell::new(label("get"), get(vendor, times)));
            cells.push(Cell::new(label("get, renew"), get_and_renew(vendor, times)));
        }
    }
    check("rule 2, gets", cells).await;
}

async fn stranger_on_get(vendor: Vendor, times: u32) -> (Server, String) {
    let organisation = Organisation::new(
        vendor,
        World::default(),
        vec![Seed::sent(ANN), Seed::sent(BOB)],
    );
    let fault = Fault::new(Op::Get, Carried::Yes, Answer::Stranger).times(times);
    let server = Server::start(organisation, vec![fault]).await;
    let id = server.truth().live_of(ANN)[0].id.clone();
    (server, id)
}

async fn get(vendor: Vendor, times: u32) -> Finding {
    let (server, id) = stranger_on_get(vendor, times).await;
    let provider = connect(&server, Patience::default());
    let answer = provider.get(&id.parse().expect("an id")).await;
    let mut finding = Finding {
        truth: format!("{id} is {ANN}'s"),
        ..Finding::default()
    };
    match answer {
        Ok(invitation) => {
            finding.reported = format!("{} is {}'s", invitation.id, invitation.email);
            if invitation.id.as_str() != id || invitation.email != ANN {
                finding
                    .wrong
                    .push("an answer about another invitation".to_owned());
            }
        }
        Err(error) => finding.reported = format!("{:?}", error.kind()),
    }
    finding
}

/// Renews by an id as a program does it: what the get returned is deleted and made again.
async fn get_and_renew(vendor: Vendor, times: u32) -> Finding {
    let (server, id) = stranger_on_get(vendor, times).await;
    let provider = connect(&server, Patience::default());
    let mut reported = "get failed".to_owned();
    if let Ok(invitation) = provider.get(&id.parse().expect("an id")).await {
        let deleted = provider.delete(&invitation.id).await;
        let created = provider.create(NewInvitation::new(&invitation.email)).await;
        reported = format!(
            "deleted {:?}, created {:?}",
            deleted.is_ok(),
            created.is_ok()
        );
    }
    let truth = server.truth();
    let wrong = oracle::bystanders(&truth, &[ANN]);
    Finding {
        reported,
        truth: format!("deleted {:?}", truth.removed()),
        wrong,
    }
}

/// What is right stays right: the address compares without case, and lists end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answer_in_other_case_is_about_the_same_person() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for path in Path::MAKING {
            let upper = Answer::rewrite(|body| {
                String::from_utf8(body)
                    .expect("text")
                    .replace(ANN, "Ann@EXAMPLE.com")
                    .into_bytes()
            });
            let fault = Fault::new(Op::Create, Carried::Yes, upper).about(ANN);
            let case = Case::new(vendor, path, "success in other case");
            cells.push(case.faults(vec![fault]).expect(Expect::Success).cell());
        }
        for people in [0, 1, 98, 99, 100, 250] {
            let label = format!(
                "{:10} | list             | {people} people, no fault",
                vendor.name()
            );
            cells.push(Cell::new(label, async move {
                let seeds = (0..people)
                    .map(|number| Seed::sent(&format!("person{number}@example.com")))
                    .collect();
                let server = Server::start(
                    Organisation::new(vendor, World::default(), seeds),
                    Vec::new(),
                )
                .await;
                let provider = connect(&server, Patience::default());
                let listed = list(provider.as_ref()).await.map(|listed| listed.len());
                let wrong = if matches!(listed, Ok(count) if count == people) {
                    vec![]
                } else {
                    vec!["not all".into()]
                };
                Finding {
                    reported: format!("{listed:?}"),
                    truth: people.to_string(),
                    wrong,
                }
            }));
        }
    }
    check("rule 2, what is right", cells).await;
}
