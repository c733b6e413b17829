//! Data that steers is read strictly, words of sets compare without case, and clocks are the server's.

use chrono::TimeDelta;
use futures::TryStreamExt;
use org_invitations::{
    Action, AuthType, ConnectionConfig, InvitationProviderExt, InvitationStatus, ListQuery,
    NewInvitation, Plan, PlanOptions, ProviderConfig, RetryConfig,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::matrix::{Cell, Finding, check};
use crate::provider::{Patience, connect};
use crate::scenarios::{ANN, list};
use crate::server::{Organisation, Seed, Server, Vendor, World};

fn read<T: DeserializeOwned>(value: Value) -> Result<(), String> {
    serde_json::from_value::<T>(value)
        .map(|_| ())
        .map_err(|error| error.to_string())
}

#[tokio::test]
async fn unknown_field_of_input_is_an_error() {
    let key = json!({"provider": "confluent", "api_key": "k", "api_secret": "s"});
    let with = |mut value: Value, name: &str, more: Value| {
        value[name] = more;
        value
    };
    let inputs: Vec<(&str, Result<(), String>)> = vec![
        ("ListQuery emial", read::<ListQuery>(json!({"emial": ANN}))),
        (
            "ListQuery stats",
            read::<ListQuery>(json!({"email": ANN, "stats": "sent"})),
        ),
        (
            "ListQuery page-size",
            read::<ListQuery>(json!({"page-size": 3})),
        ),
        (
            "NewInvitation rolez",
            read::<NewInvitation>(json!({"email": ANN, "rolez": {"ids": ["r"]}})),
        ),
        (
            "NewInvitation auth-type",
            read::<NewInvitation>(json!({"email": ANN, "auth-type": "sso"})),
        ),
        (
            "NewInvitation role",
            read::<NewInvitation>(json!({"email": ANN, "role": "developer"})),
        ),
        (
            "ProviderConfig api_sekret",
            read::<ProviderConfig>(with(key.clone(), "api_sekret", json!("x"))),
        ),
        (
            "ProviderConfig base-url",
            read::<ProviderConfig>(with(key, "base-url", json!("https://example.com"))),
        ),
        (
            "ConnectionConfig timeout",
            read::<ConnectionConfig>(json!({"timeout": 3})),
        ),
        (
            "RetryConfig attempts",
            read::<RetryConfig>(json!({"attempts": 3})),
        ),
    ];
    let cells = inputs.into_iter().map(|(name, outcome)| {
        let wrong = if outcome.is_ok() {
            vec!["read as if it was not there".to_owned()]
        } else {
            Vec::new()
        };
        Cell::new(name, async move {
            Finding {
                reported: format!("{outcome:?}"),
                truth: "an unknown field".to_owned(),
                wrong,
            }
        })
    });
    check("manners, strict input", cells.collect()).await;
}

#[tokio::test]
async fn words_of_sets_compare_without_case() {
    let mut cells: Vec<Cell> = Vec::new();
    for (word, expected) in [
        ("SENT", InvitationStatus::Sent),
        ("Sent", InvitationStatus::Sent),
        ("EXPIRED", InvitationStatus::Expired),
        ("Accepted", InvitationStatus::Accepted),
        ("STAGED", InvitationStatus::Staged),
        ("Deactivated", InvitationStatus::Deactivated),
    ] {
        let read: InvitationStatus = serde_json::from_value(json!(word)).expect("a status");
        let wrong = if read == expected {
            vec![]
        } else {
            vec!["another value".to_owned()]
        };
        let finding = Finding {
            reported: format!("{read:?}"),
            truth: format!("{expected:?}"),
            wrong,
        };
        cells.push(Cell::new(format!("status {word}"), async move { finding }));
    }
    for (word, expected) in [
        ("SSO", AuthType::Sso),
        ("Sso", AuthType::Sso),
        ("LOCAL", AuthType::Local),
    ] {
        let read: AuthType = serde_json::from_value(json!(word)).expect("an auth type");
        let wrong = if read == expected {
            vec![]
        } else {
            vec!["another value".to_owned()]
        };
        let finding = Finding {
            reported: format!("{read:?}"),
            truth: format!("{expected:?}"),
            wrong,
        };
        cells.push(Cell::new(
            format!("auth type {word}"),
            async move { finding },
        ));
    }
    for vendor in Vendor::BOTH {
        for word in ["SENT", "Sent", "sent"] {
            let label = format!("{:10} | list             | status {word}", vendor.name());
            cells.push(Cell::new(label, async move {
                let seeds = vec![Seed::sent(ANN), Seed::expired("bob@example.com")];
                let server = Server::start(
                    Organisation::new(vendor, World::default(), seeds),
                    Vec::new(),
                )
                .await;
                let provider = connect(&server, Patience::default());
                let query: ListQuery =
                    serde_json::from_value(json!({"status": word})).expect("a query");
                let listed: Result<Vec<_>, _> = provider.list(query).try_collect().await;
                let listed = listed
                    .map(|listed| listed.into_iter().map(|row| row.email).collect::<Vec<_>>());
                let right = matches!(&listed, Ok(listed) if listed == &[ANN]);
                let wrong = if right {
                    vec![]
                } else {
                    vec!["not the invitations that were sent".to_owned()]
                };
                Finding {
                    reported: format!("{listed:?}"),
                    truth: ANN.to_owned(),
                    wrong,
                }
            }));
        }
    }
    check("manners, words", cells).await;
}

/// The status is by the server's clock, wherever it stands and whatever this machine's says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn derived_status_is_by_the_servers_clock() {
    let mut cells: Vec<Cell> = Vec::new();
    let hours = TimeDelta::hours;
    for (clock_name, clock) in [
        ("exact", 0),
        ("3 h ahead", 3),
        ("3 h behind", -3),
        ("20 h ahead", 20),
        ("20 h behind", -20),
    ] {
        for (name, left, expected) in [
            ("1 h left", 1, InvitationStatus::Sent),
            ("over for 1 h", -1, InvitationStatus::Expired),
        ] {
            for first in ["list", "get", "plan"] {
                let label = format!("clickhouse | {first:16} | clock {clock_name}, {name}");
                let expected = expected.clone();
                cells.push(Cell::new(label, async move {
                    // Sent two days ago by the server's clock, for two days and what is left.
                    let seed = Seed::sent(ANN).age(hours(48)).lifetime(hours(48 + left));
                    let world = World {
                        clock: hours(clock),
                        ..World::default()
                    };
                    let server = Server::start(
                        Organisation::new(Vendor::ClickHouse, world, vec![seed]),
                        Vec::new(),
                    )
                    .await;
                    let id = server.truth().live_of(ANN)[0].id.clone();
                    let provider = connect(&server, Patience::default());
                    let (reported, right) = match first {
                        "get" => {
                            let read = provider
                                .get(&id.parse().expect("an id"))
                                .await
                                .expect("an invitation");
                            (
                                format!("{:?}", read.status),
                                read.status == Some(expected.clone()),
                            )
                        }
                        "list" => {
                            let read = list(provider.as_ref()).await.expect("a list").remove(0);
                            (
                                format!("{:?}", read.status),
                                read.status == Some(expected.clone()),
                            )
                        }
                        _ => {
                            let there = list(provider.as_ref()).await.expect("a list");
                            let rows = [NewInvitation::new(ANN)];
                            let plan = Plan::new(
                                rows,
                                there,
                                &provider.capabilities(),
                                &PlanOptions::default(),
                            );
                            let action = plan.steps[0].action;
                            let keep = expected == InvitationStatus::Sent;
                            (
                                format!("{action:?}"),
                                action == if keep { Action::Keep } else { Action::Replace },
                            )
                        }
                    };
                    let wrong = if right {
                        vec![]
                    } else {
                        vec!["by this machine's clock".to_owned()]
                    };
                    Finding {
                        reported,
                        truth: format!("{expected:?}"),
                        wrong,
                    }
                }));
            }
        }
    }
    check("manners, derived status", cells).await;
}
