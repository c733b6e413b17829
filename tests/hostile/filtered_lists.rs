//! A filtered list has only matches, also if the server ignores the filter.

use futures::TryStreamExt;
use org_invitations::{InvitationProviderExt, InvitationStatus, ListQuery};

use crate::identity::NOBODY;
use crate::matrix::{Cell, Finding, check};
use crate::oracle;
use crate::provider::{Patience, connect};
use crate::scenarios::{ANN, ANN_ELSEWHERE, BOB, CAT};
use crate::server::{Filters, Organisation, Seed, Server, Vendor, World};

/// People for the filters: their ids and creators begin alike.
fn crowd() -> Vec<Seed> {
    let mut seeds = vec![
        Seed::sent(ANN),
        Seed::sent(ANN_ELSEWHERE).creator("u-creator2"),
        Seed::expired(BOB),
        Seed::sent(CAT).creator("u-creator22"),
    ];
    seeds.extend((0..10).map(|number| Seed::sent(&format!("person{number}@example.com"))));
    seeds
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filtered_list_has_only_what_matches() {
    let mut cells: Vec<Cell> = Vec::new();
    let others: Vec<String> = (0..10)
        .map(|number| format!("person{number}@example.com"))
        .collect();
    for vendor in Vendor::BOTH {
        let mut queries: Vec<(&str, ListQuery, Vec<&str>)> = vec![
            ("email of nobody", ListQuery::new().email(NOBODY), vec![]),
            ("email of Ann", ListQuery::new().email(ANN), vec![ANN]),
            (
                "email in other case",
                ListQuery::new().email("ANN@Example.com"),
                vec![ANN],
            ),
            (
                "email that others begin with",
                ListQuery::new().email("person@example.com"),
                vec![],
            ),
            (
                "status expired",
                ListQuery::new().status(InvitationStatus::Expired),
                vec![BOB],
            ),
            (
                "status accepted",
                ListQuery::new().status(InvitationStatus::Accepted),
                vec![],
            ),
            (
                "email and status",
                ListQuery::new()
                    .email(ANN)
                    .status(InvitationStatus::Expired),
                vec![],
            ),
        ];
        if vendor == Vendor::Confluent {
            let mut by_creator = vec![ANN, BOB];
            by_creator.extend(others.iter().map(String::as_str));
            queries.extend([
                (
                    "user that others begin with",
                    ListQuery::new().user("u-i-1"),
                    vec![ANN],
                ),
                ("user of nobody", ListQuery::new().user("u-i-99"), vec![]),
                (
                    "creator that others begin with",
                    ListQuery::new().creator("u-creator"),
                    by_creator,
                ),
                (
                    "creator of nobody",
                    ListQuery::new().creator("u-nobody"),
                    vec![],
                ),
                (
                    "email and creator",
                    ListQuery::new().email(ANN).creator("u-creator2"),
                    vec![],
                ),
            ]);
        }
        for (name, query, expected) in queries {
            for (filters_name, filters) in [
                ("exact", Filters::Exact),
                ("ignored", Filters::Ignored),
                ("prefixes", Filters::Prefix),
            ] {
                let label = format!(
                    "{:10} | list             | {name}, filters {filters_name}",
                    vendor.name()
                );
                let expected: Vec<String> =
                    expected.iter().map(|email| (*email).to_owned()).collect();
                cells.push(Cell::new(
                    label,
                    filtered(vendor, filters, query.clone(), expected),
                ));
            }
        }
        for filters in [Filters::Exact, Filters::Ignored, Filters::Prefix] {
            let label = |path: &str, about: &str| {
                format!(
                    "{:10} | {path:16} | {about}, filters {filters:?}",
                    vendor.name()
                )
            };
            for (email, found) in [
                (NOBODY, None),
                (ANN, Some(ANN)),
                ("ANN@EXAMPLE.COM", Some(ANN)),
                (CAT, Some(CAT)),
            ] {
                cells.push(Cell::new(
                    label("find_by_email", email),
                    find(vendor, filters, email, found),
                ));
            }
            cells.push(Cell::new(
                label("list, delete", NOBODY),
                delete_listed(vendor, filters, NOBODY),
            ));
            cells.push(Cell::new(
                label("list, delete", ANN),
                delete_listed(vendor, filters, ANN),
            ));
        }
    }
    check("rule 2, filters", cells).await;
}

async fn crowded(vendor: Vendor, filters: Filters) -> Server {
    let world = World {
        filters,
        ..World::default()
    };
    Server::start(Organisation::new(vendor, world, crowd()), Vec::new()).await
}

async fn filtered(
    vendor: Vendor,
    filters: Filters,
    query: ListQuery,
    expected: Vec<String>,
) -> Finding {
    let server = crowded(vendor, filters).await;
    let provider = connect(&server, Patience::default());
    let listed: Result<Vec<_>, _> = provider.list(query).try_collect().await;
    let mut finding = Finding {
        truth: format!("{expected:?}"),
        ..Finding::default()
    };
    match listed {
        Ok(listed) => {
            let mut emails: Vec<String> = listed
                .into_iter()
                .map(|invitation| invitation.email)
                .collect();
            let mut expected = expected;
            finding.reported = format!("{emails:?}");
            emails.sort();
            expected.sort();
            if emails.iter().any(|email| !expected.contains(email)) {
                finding.wrong.push("rows that do not match".to_owned());
            }
            if expected.iter().any(|email| !emails.contains(email)) {
                finding.wrong.push("rows are missing".to_owned());
            }
        }
        Err(error) => {
            finding.reported = error.to_string();
            finding
                .wrong
                .push("a list that ought to succeed".to_owned());
        }
    }
    finding
}

async fn find(vendor: Vendor, filters: Filters, email: &str, expected: Option<&str>) -> Finding {
    let server = crowded(vendor, filters).await;
    let provider = connect(&server, Patience::default());
    let found = provider
        .find_by_email(email)
        .await
        .map(|found| found.map(|invitation| invitation.email));
    let right = matches!(&found, Ok(found) if found.as_deref() == expected);
    let wrong = if right {
        Vec::new()
    } else {
        vec!["finds the wrong person, or nobody".to_owned()]
    };
    Finding {
        reported: format!("{found:?}"),
        truth: format!("{expected:?}"),
        wrong,
    }
}

/// `delete --email` as a program writes it.
async fn delete_listed(vendor: Vendor, filters: Filters, email: &str) -> Finding {
    let server = crowded(vendor, filters).await;
    let provider = connect(&server, Patience::default());
    let listed: Vec<_> = provider
        .list(ListQuery::new().email(email))
        .try_collect()
        .await
        .expect("a list");
    for invitation in &listed {
        let _ = provider.delete(&invitation.id).await;
    }
    let truth = server.truth();
    let wrong = oracle::bystanders(&truth, &[email]);
    Finding {
        reported: format!("{} listed", listed.len()),
        truth: format!("{} deleted", truth.removed().len()),
        wrong,
    }
}
