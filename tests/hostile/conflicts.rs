//! A person is there only if seen: a 409 by itself is no sighting.

use std::time::Duration;

use crate::matrix::{Cell, Finding, check};
use crate::oracle::{self, Reported};
use crate::provider::{Patience, connect};
use crate::scenarios::{ANN, ANN_ELSEWHERE, BOB, Case, Expect, Path};
use crate::server::{Answer, Body, Carried, Fault, Op, Organisation, Seed, Server, Vendor, World};
use crate::undocumented_responses::Named;
use org_invitations::{InvitationProviderExt, NewInvitation};

/// Conflicts that are about something else than the person.
fn conflicts() -> Vec<Named> {
    let status = |name, body| Named {
        name,
        answer: Answer::Status(409, body, Vec::new()),
    };
    vec![
        status("409 HTML", Body::Html),
        status("409 empty", Body::Empty),
        status(
            "409 being modified",
            Body::Vendor(
                "CONFLICT",
                "The organization is being modified by another request",
            ),
        ),
        status(
            "409 locked",
            Body::Vendor(
                "LOCKED",
                "Another operation is in progress, try again later",
            ),
        ),
        status(
            "409 a role of that name",
            Body::Vendor("CONFLICT", "A role with this name already exists"),
        ),
        status(
            "409 JSON of a gateway",
            Body::Json(r#"{"message":"conflict"}"#),
        ),
        status("409 {}", Body::Json("{}")),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conflict_about_something_else_is_no_sighting() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for path in Path::MAKING {
            for conflict in conflicts() {
                for (when, times) in [("once", 1), ("always", u32::MAX)] {
                    let fault = Fault::new(Op::Create, Carried::No, conflict.answer.clone())
                        .about(ANN)
                        .times(times);
                    let name = format!("{} {when}", conflict.name);
                    cells.push(Case::new(vendor, path, name).faults(vec![fault]).cell());
                }
            }
        }
    }
    check("rule 1, conflicts", cells).await;
}

/// The list and the get fail too, so that nobody can be seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conflict_without_a_lookup_is_no_sighting() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for path in [Path::Create, Path::GetOrCreate, Path::CreateMany] {
            for conflict in conflicts() {
                let failed = || Answer::Status(500, Body::Html, Vec::new());
                let faults = vec![
                    Fault::new(Op::Create, Carried::No, conflict.answer.clone()).about(ANN),
                    Fault::new(Op::List, Carried::No, failed()),
                    Fault::new(Op::Get, Carried::No, failed()),
                ];
                let name = format!("{} always, lookups fail", conflict.name);
                cells.push(Case::new(vendor, path, name).faults(faults).cell());
            }
        }
    }
    check("rule 1, conflicts without a lookup", cells).await;
}

/// What is a sighting stays one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn duplicate_and_member_are_there() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for path in Path::CREATES {
            let case = Case::new(vendor, path, "409, the invitation is listed");
            cells.push(
                case.seeds(vec![Seed::sent(ANN)])
                    .expect(Expect::There)
                    .cell(),
            );
            let case = Case::new(vendor, path, "409, listed in other case");
            cells.push(
                case.seeds(vec![Seed::sent("Ann@Example.com")])
                    .expect(Expect::There)
                    .cell(),
            );
            let case = Case::new(vendor, path, "409 a member, in the vendor's words");
            cells.push(case.members(vec![ANN]).expect(Expect::There).cell());
        }
    }
    check("rule 1, sightings", cells).await;
}

/// The address of a deleted invitation is refused for a while, in the words for a duplicate or for a member.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renewed_person_is_not_kept_by_the_old_conflict() {
    let mut cells: Vec<Cell> = Vec::new();
    let worlds = [
        ("address refused for 100 ms", 100, 0),
        ("address refused for 1 s", 1000, 0),
        ("address refused for ever", 3_600_000, 0),
        (
            "address refused for 1 s, old one listed for 1 s",
            1000,
            1000,
        ),
        (
            "address refused for ever, old one listed for ever",
            3_600_000,
            3_600_000,
        ),
        ("old one listed for ever", 0, 3_600_000),
    ];
    let words = [
        ("exists", "The invitation already exists"),
        (
            "user exists",
            "This user already exists within the Organization",
        ),
        (
            "is a member",
            "ann@example.com is already a member of the organization",
        ),
    ];
    for vendor in Vendor::BOTH {
        for (name, refused, listed) in worlds {
            for (words_name, words) in words {
                let world = World {
                    refuse_after_delete: Duration::from_millis(refused),
                    list_keeps: Duration::from_millis(listed),
                    conflict: Some(words),
                    ..World::default()
                };
                for (patience_name, patience) in [
                    ("", Patience::default()),
                    (
                        ", patient",
                        Patience {
                            settle: Duration::from_secs(2),
                            attempts: 8,
                            ..Patience::default()
                        },
                    ),
                ] {
                    let case = Case::new(
                        vendor,
                        Path::Renew,
                        format!("{name}, \"{words_name}\"{patience_name}"),
                    );
                    cells.push(case.world(world.clone()).patience(patience).cell());
                }
            }
            // A single call does not know of the delete, and may believe the words for a member.
            if listed == 0 {
                let world = World {
                    refuse_after_delete: Duration::from_millis(refused),
                    conflict: Some("The invitation already exists"),
                    ..World::default()
                };
                let name = format!("{:10} | delete, get_or_create | {name}", vendor.name());
                cells.push(Cell::new(name, delete_then_get_or_create(vendor, world)));
            }
        }
    }
    check("rule 1, renewals", cells).await;
}

/// A renewal as a program writes it that has no plan.
async fn delete_then_get_or_create(vendor: Vendor, world: World) -> Finding {
    let seeds = vec![Seed::sent(ANN), Seed::sent(BOB), Seed::sent(ANN_ELSEWHERE)];
    let server = Server::start(Organisation::new(vendor, world, seeds), Vec::new()).await;
    let old = server.truth().live_of(ANN)[0].id.clone();
    let provider = connect(&server, Patience::default());
    let deleted = provider.delete(&old.parse().expect("an id")).await;
    assert!(deleted.is_ok(), "{deleted:?}");
    let said = Reported::of_find(provider.get_or_create(NewInvitation::new(ANN)).await);
    let truth = server.truth();
    let mut wrong = oracle::creation(&truth, ANN, &said);
    wrong.extend(oracle::bystanders(&truth, &[ANN]));
    Finding {
        reported: said.to_string(),
        truth: oracle::truth(&truth, ANN),
        wrong,
    }
}
