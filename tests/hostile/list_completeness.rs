//! A list without an error is complete.

use futures::StreamExt;
use org_invitations::{InvitationProviderExt, ListQuery};

use crate::matrix::{Cell, Finding, check};
use crate::provider::{Patience, connect};
use crate::server::{Answer, Body, Carried, Fault, Op, Organisation, Seed, Server, Vendor, World};

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
