//! Nothing is deleted before its successor is known to be possible.

use futures::StreamExt;
use org_invitations::{AuthType, BulkOptions, NewInvitation, Plan, PlanOptions};

use crate::matrix::{Cell, Finding, check};
use crate::oracle::{self, Reported};
use crate::provider::{Patience, connect};
use crate::scenarios::list;
use crate::server::{
    Answer, Body, Carried, Fault, Op, Organisation, ROLE_ADMIN, Seed, Server, Vendor, World,
};

const PEOPLE: usize = 12;

fn address(number: usize) -> String {
    format!("person{number}@example.com")
}

/// A roster that asks for other options than people have, or finds their invitations expired.
#[derive(Clone)]
struct Roster {
    name: &'static str,
    vendor: Vendor,
    seed: fn(&str) -> Seed,
    row: fn(String) -> NewInvitation,
    faults: Vec<Fault>,
    world: World,
    /// How many people may be without an invitation at the end of a run, and have to be named.
    at_risk: usize,
}

fn refused_rosters() -> Vec<Roster> {
    let refuse =
        |status, code, words| Answer::Status(status, Body::Vendor(code, words), Vec::new());
    let html = |status| Answer::Status(status, Body::Html, Vec::new());
    let always = |answer| vec![Fault::new(Op::Create, Carried::No, answer)];
    let mut rosters = vec![
        Roster {
            name: "a role that does not exist",
            vendor: Vendor::ClickHouse,
            seed: Seed::sent,
            row: |email| NewInvitation::new(email).roles(["Salesperson"]),
            faults: Vec::new(),
            world: World::default(),
            at_risk: 0,
        },
        Roster {
            name: "a role that may not be given (403)",
            vendor: Vendor::ClickHouse,
            seed: Seed::sent,
            row: |email| NewInvitation::new(email).roles([ROLE_ADMIN]),
            faults: vec![
                Fault::new(
                    Op::Create,
                    Carried::No,
                    refuse(403, "FORBIDDEN", "The key may not give this role"),
                )
                .body_has(ROLE_ADMIN),
            ],
            world: World::default(),
            at_risk: 0,
        },
        Roster {
            name: "a login that may not be given (403)",
            vendor: Vendor::Confluent,
            seed: Seed::sent,
            row: |email| NewInvitation::new(email).auth_type(AuthType::Local),
            faults: vec![
                Fault::new(
                    Op::Create,
                    Carried::No,
                    refuse(403, "FORBIDDEN", "Only an OrganizationAdmin may invite"),
                )
                .body_has("AUTH_TYPE_LOCAL"),
            ],
            world: World::default(),
            at_risk: 0,
        },
        Roster {
            name: "a login that is not accepted (422)",
            vendor: Vendor::Confluent,
            seed: Seed::sent,
            row: |email| NewInvitation::new(email).auth_type(AuthType::Local),
            faults: vec![
                Fault::new(
                    Op::Create,
                    Carried::No,
                    refuse(422, "INVALID", "auth_type is not accepted"),
                )
                .body_has("AUTH_TYPE_LOCAL"),
            ],
            world: World::default(),
            at_risk: 0,
        },
    ];
    for vendor in Vendor::BOTH {
        for (name, answer) in [
            (
                "every create is 402",
                refuse(
                    402,
                    "QUOTA_EXCEEDED",
                    "The request would exceed the quota: invitations_per_org",
                ),
            ),
            (
                "every create is 403",
                refuse(403, "FORBIDDEN", "The key may not invite"),
            ),
            (
                "every create is 400",
                refuse(400, "BAD_REQUEST", "The organization does not accept this"),
            ),
            ("every create is 403 HTML", html(403)),
            ("every create is 404 HTML", html(404)),
            ("every create is 409 HTML", html(409)),
            (
                "every create is 409 being modified",
                refuse(409, "CONFLICT", "is being modified by another request"),
            ),
            ("every create is 500 HTML", html(500)),
            (
                "every create is 429",
                Answer::Status(429, Body::Empty, Vec::new()),
            ),
        ] {
            rosters.push(Roster {
                name,
                vendor,
                seed: Seed::expired,
                row: |email| NewInvitation::new(email),
                faults: always(answer),
                world: World::default(),
                at_risk: 1,
            });
        }
        rosters.push(Roster {
            name: "the quota has become smaller",
            vendor,
            seed: Seed::expired,
            row: |email| NewInvitation::new(email),
            faults: Vec::new(),
            world: World {
                quota: PEOPLE / 2,
                ..World::default()
            },
            at_risk: 1,
        });
    }
    rosters
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_renewals_lose_one_person_at_most() {
    let mut cells: Vec<Cell> = Vec::new();
    for roster in refused_rosters() {
        for concurrency in [1, 4, 16] {
            for runs in [1, 3] {
                let label = format!(
                    "{:10} | apply            | {}, concurrency {concurrency}, runs {runs}",
                    roster.vendor.name(),
                    roster.name
                );
                cells.push(Cell::new(
                    label,
                    renew_all(roster.clone(), concurrency, runs),
                ));
            }
        }
    }
    check("rule 4, refusals", cells).await;
}

async fn renew_all(roster: Roster, concurrency: usize, runs: usize) -> Finding {
    let seeds = (0..PEOPLE)
        .map(|number| (roster.seed)(&address(number)))
        .collect();
    let organisation = Organisation::new(roster.vendor, roster.world.clone(), seeds);
    let server = Server::start(organisation, roster.faults.clone()).await;
    let mut finding = Finding::default();
    let mut named = Vec::new();
    for _ in 0..runs {
        let before = server.truth().clone();
        let provider = connect(
            &server,
            Patience {
                attempts: 2,
                ..Patience::default()
            },
        );
        let Ok(invitations) = list(provider.as_ref()).await else {
            continue;
        };
        let rows = (0..PEOPLE).map(|number| (roster.row)(address(number)));
        let plan = Plan::new(
            rows,
            invitations,
            &provider.capabilities(),
            &PlanOptions::default(),
        );
        let options = BulkOptions::default().concurrency(concurrency);
        let outcomes: Vec<_> = plan.apply(provider.as_ref(), options).collect().await;
        let truth = server.truth();
        for outcome in outcomes {
            let email = outcome.step.email.clone();
            let old = before
                .live_of(&email)
                .first()
                .map(|record| record.id.clone());
            let said = Reported::of_step(outcome.result);
            let Some(old) = old else { continue };
            // Whose old options were restored is invited, with a new id.
            let restored = truth.live_of(&email).iter().any(|record| record.id != old);
            if matches!(said, Reported::Withdrawn { .. }) {
                named.push(email.clone());
            }
            if !restored {
                finding
                    .wrong
                    .extend(oracle::renewal(&truth, &email, &old, &said));
            }
        }
    }
    finding.wrong.sort();
    finding.wrong.dedup();
    let truth = server.truth();
    let lost: Vec<String> = (0..PEOPLE)
        .map(address)
        .filter(|email| truth.live_of(email).is_empty())
        .collect();
    if lost.len() > roster.at_risk * runs {
        finding.wrong.push(format!(
            "{} people lost, {} may be at risk",
            lost.len(),
            roster.at_risk * runs
        ));
    }
    let unnamed = lost.iter().filter(|email| !named.contains(email)).count();
    if unnamed > 0 {
        finding
            .wrong
            .push(format!("{unnamed} lost people are not named"));
    }
    finding.reported = format!("{} named as withdrawn", named.len());
    finding.truth = format!("{} of {PEOPLE} without an invitation", lost.len());
    finding
}

/// What can be renewed is, at any concurrency.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renewals_that_are_possible_are_done() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for concurrency in [1, 4, 16] {
            let label = format!(
                "{:10} | apply            | no fault, concurrency {concurrency}",
                vendor.name()
            );
            cells.push(Cell::new(label, async move {
                let seeds = (0..PEOPLE)
                    .map(|number| Seed::expired(&address(number)))
                    .collect();
                let server = Server::start(
                    Organisation::new(vendor, World::default(), seeds),
                    Vec::new(),
                )
                .await;
                let provider = connect(&server, Patience::default());
                let invitations = list(provider.as_ref()).await.expect("a list");
                let rows = (0..PEOPLE).map(|number| NewInvitation::new(address(number)));
                let plan = Plan::new(
                    rows,
                    invitations,
                    &provider.capabilities(),
                    &PlanOptions::default(),
                );
                let options = BulkOptions::default().concurrency(concurrency);
                let outcomes: Vec<_> = plan.apply(provider.as_ref(), options).collect().await;
                let truth = server.truth();
                let done = outcomes.iter().filter(|outcome| {
                    matches!(outcome.result, org_invitations::StepResult::Invited(_))
                });
                let (done, made) = (
                    done.count(),
                    (0..PEOPLE)
                        .map(|number| truth.made(&address(number)))
                        .sum::<usize>(),
                );
                let wrong = if done == PEOPLE && made == PEOPLE {
                    vec![]
                } else {
                    vec!["not all renewed".to_owned()]
                };
                Finding {
                    reported: format!("{done} invited"),
                    truth: format!("{made} made"),
                    wrong,
                }
            }));
        }
    }
    check("rule 4, what is possible", cells).await;
}
