//! The answer is about what was asked: an address, an id, a filter, the whole of a list.

use futures::{StreamExt, TryStreamExt};
use org_invitations::{InvitationProviderExt, InvitationStatus, ListQuery, NewInvitation};

use chrono::TimeDelta;

use crate::judge;
use crate::matrix::{Cell, Finding, check};
use crate::paths::{ANN, ANN_ELSEWHERE, BOB, CAT, Case, Expect, Path, list};
use crate::provider::{Patience, connect};
use crate::server::{
    Answer, Body, Carried, Fault, Filters, Op, Organisation, Seed, Server, Vendor, World,
};

const NOBODY: &str = "nobody@example.com";

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
    let wrong = judge::bystanders(&truth, &[ANN]);
    Finding {
        reported,
        truth: format!("deleted {:?}", truth.removed()),
        wrong,
    }
}

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
    let wrong = judge::bystanders(&truth, &[email]);
    Finding {
        reported: format!("{} listed", listed.len()),
        truth: format!("{} deleted", truth.removed().len()),
        wrong,
    }
}

/// Lists that are not the whole, and do not look so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn list_without_an_error_is_complete() {
    let mut cells: Vec<Cell> = Vec::new();
    let mut add =
        |vendor: Vendor, name: &str, people: usize, world: World, fault: Option<Fault>| {
            let label = format!("{:10} | list             | {name}", vendor.name());
            cells.push(Cell::new(label, complete(vendor, people, world, fault)));
        };
    let cut = |total| World {
        total_size: Some(total),
        next: false,
        ..World::default()
    };
    add(
        Vendor::Confluent,
        "total_size 500, 99 rows, no next",
        500,
        cut(500),
        None,
    );
    add(
        Vendor::Confluent,
        "total_size 100, 99 rows, no next",
        100,
        cut(100),
        None,
    );
    let on_list = |skip, answer| Some(Fault::new(Op::List, Carried::No, answer).skip(skip));
    let always = World::default;
    add(
        Vendor::Confluent,
        "second page is a gateway's",
        150,
        always(),
        on_list(1, Answer::Status(502, Body::Html, vec![])),
    );
    add(
        Vendor::Confluent,
        "second page is empty 200",
        150,
        always(),
        on_list(1, Answer::Status(200, Body::Empty, vec![])),
    );
    add(
        Vendor::Confluent,
        "second page is 404 HTML",
        150,
        always(),
        on_list(1, Answer::Status(404, Body::Html, vec![])),
    );
    add(
        Vendor::Confluent,
        "second page is {}",
        150,
        always(),
        on_list(1, Answer::Status(200, Body::Json("{}"), vec![])),
    );
    let first_again = Answer::rewrite(|body| {
        let mut body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        body["metadata"]["next"] =
            "https://api.confluent.cloud/iam/v2/invitations?page_token=t99".into();
        body.to_string().into_bytes()
    });
    add(
        Vendor::Confluent,
        "token repeats",
        300,
        always(),
        on_list(0, first_again),
    );
    let no_token = Answer::rewrite(|body| {
        let mut body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        body["metadata"]["next"] =
            "https://api.confluent.cloud/iam/v2/invitations?cursor=abc".into();
        body.to_string().into_bytes()
    });
    add(
        Vendor::Confluent,
        "next without a token",
        150,
        always(),
        on_list(0, no_token),
    );
    for (name, key) in [
        ("second empty data", "data"),
        ("data is null", "data"),
        ("data is missing", "data"),
    ] {
        let name_of = name.to_owned();
        let answer = Answer::rewrite(move |body| spoil_list(body, key, &name_of));
        add(Vendor::Confluent, name, 5, always(), on_list(0, answer));
    }
    for name in [
        "second empty result",
        "first empty result",
        "result is null",
        "result is missing",
        "result is an object",
        "result has a cursor",
        "envelope of a failure",
    ] {
        let answer = Answer::rewrite(move |body| spoil_list(body, "result", name));
        add(Vendor::ClickHouse, name, 5, always(), on_list(0, answer));
    }
    for vendor in Vendor::BOTH {
        let status = |status, body| on_list(0, Answer::Status(status, body, vec![]));
        add(vendor, "200 empty", 5, always(), status(200, Body::Empty));
        add(vendor, "200 HTML", 5, always(), status(200, Body::Html));
        add(vendor, "200 {}", 5, always(), status(200, Body::Json("{}")));
        add(
            vendor,
            "200 null",
            5,
            always(),
            status(200, Body::Json("null")),
        );
        add(
            vendor,
            "200 error",
            5,
            always(),
            status(200, Body::Json(r#"{"error":"INTERNAL_ERROR: try again"}"#)),
        );
        add(vendor, "202 {}", 5, always(), status(202, Body::Json("{}")));
        add(vendor, "204", 5, always(), status(204, Body::Empty));
        add(vendor, "304", 5, always(), status(304, Body::Empty));
        add(vendor, "404 HTML", 5, always(), status(404, Body::Html));
        add(
            vendor,
            "truncated",
            50,
            always(),
            on_list(0, Answer::Truncated),
        );
        add(vendor, "closed", 5, always(), on_list(0, Answer::Close));
        add(
            vendor,
            "two documents in one body",
            5,
            always(),
            on_list(0, Answer::rewrite(|body| [body.clone(), body].concat())),
        );
    }
    check("rule 2, whole lists", cells).await;
}

/// Spoils the list of a body in the way that `how` says.
fn spoil_list(body: Vec<u8>, key: &str, how: &str) -> Vec<u8> {
    let mut value: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    let object = value.as_object_mut().expect("an object");
    let rows = object.remove(key).expect("the rows");
    let rest = serde_json::to_string(object).expect("JSON");
    let rest = rest
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .expect("an object");
    match how {
        "second empty data" | "second empty result" => {
            format!("{{{rest},\"{key}\":{rows},\"{key}\":[]}}")
        }
        "first empty result" => format!("{{{rest},\"{key}\":[],\"{key}\":{rows}}}"),
        "data is null" | "result is null" => format!("{{{rest},\"{key}\":null}}"),
        "result is an object" => format!("{{{rest},\"{key}\":{{}}}}"),
        "result has a cursor" => {
            let some = serde_json::Value::from(rows.as_array().expect("rows")[..2].to_vec());
            format!("{{{rest},\"nextCursor\":\"abc\",\"{key}\":{some}}}")
        }
        "envelope of a failure" => {
            r#"{"status":500,"error":"INTERNAL_ERROR: try again","result":[]}"#.to_owned()
        }
        _ => format!("{{{rest}}}"),
    }
    .into_bytes()
}

async fn complete(vendor: Vendor, people: usize, world: World, fault: Option<Fault>) -> Finding {
    let seeds = (0..people)
        .map(|number| Seed::sent(&format!("person{number}@example.com")))
        .collect();
    let server = Server::start(
        Organisation::new(vendor, world, seeds),
        fault.into_iter().collect(),
    )
    .await;
    let provider = connect(&server, Patience::default());
    let rows: Vec<_> = provider.list(ListQuery::new()).collect().await;
    let (read, failed) = (
        rows.iter().filter(|row| row.is_ok()).count(),
        rows.iter().filter(|row| row.is_err()).count(),
    );
    let mut wrong = Vec::new();
    if failed == 0 && read != people {
        wrong.push("said complete, is not".to_owned());
    }
    Finding {
        reported: format!("{read} rows, {failed} errors"),
        truth: format!("{people} invitations"),
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
