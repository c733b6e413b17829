//! The wrong kind of JSON in every place of a document.

use std::collections::BTreeMap;

use org_invitations_codegen::Surface;
use serde_json::{Value, json};

use crate::{
    common::{Fixture, api_keys, clickhouse_cloud, iam, organizations, role_bindings, sts},
    harness::{guarded, outcome, pointers, put, read, surface, vendored},
};

/// Values of unexpected types.
fn junk() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!("x"),
        json!([]),
        json!({}),
        json!({ "$ref": 5 }),
    ]
}

/// One in so many cases is also compared and generated, which takes longest and depends least on the case.
const COMPARED: usize = 3;
const GENERATED: usize = 15;

/// Junk in every `step`-th place, beginning with the `first` one; `each` kinds of it.
fn everywhere(fixture: &'static Fixture, depth: usize, each: usize, (first, step): (usize, usize)) {
    let original = vendored(fixture);
    let mut places = Vec::new();
    pointers(&original, "", &mut places);
    let words = ["description", "summary", "example", "title", "tags"];
    places.retain(|place| {
        let deep = place.matches('/').count() > depth;
        !deep && !place.split('/').any(|token| words.contains(&token))
    });
    assert!(places.len() > 50, "{} places", places.len());
    let places: Vec<String> = places.into_iter().skip(first).step_by(step).collect();
    let mut wrong = BTreeMap::new();
    // The cases run in small groups, so that one that hangs can be identified.
    for (number, some) in places.chunks(40).enumerate() {
        let (some, original) = (some.to_vec(), original.clone());
        let first = number * 40;
        let label = format!("{}, places from {first}", fixture.name);
        let found = guarded(&label, move || {
            let before = surface(&original, fixture);
            let mut wrong = Vec::new();
            for (index, place) in (first..).zip(some) {
                for (kind, value) in junk()
                    .into_iter()
                    .enumerate()
                    .cycle()
                    .skip(index * each)
                    .take(each)
                {
                    let mut document = original.clone();
                    put(&mut document, &place, value.clone());
                    let outcome = tried(
                        document.to_string().as_bytes(),
                        &before,
                        fixture,
                        index / 6 + kind,
                    );
                    wrong.extend(
                        outcome
                            .err()
                            .map(|what| (what, format!("{value} at {place}"))),
                    );
                }
            }
            wrong
        });
        // Each mismatch has one pointer.
        wrong.extend(found);
    }
    let lines: Vec<String> = wrong
        .iter()
        .map(|(what, place)| format!("{place}: {what}"))
        .collect();
    let shown = lines
        .iter()
        .take(20)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(wrong.is_empty(), "{} failures:\n{shown}", wrong.len());
}

fn tried(bytes: &[u8], before: &Surface, fixture: &Fixture, number: usize) -> Result<(), String> {
    let Ok(checked) = read(bytes, fixture)? else {
        return Ok(());
    };
    if number.is_multiple_of(COMPARED) {
        checked.assert_compared(before, fixture)?;
    }
    if number.is_multiple_of(GENERATED) {
        checked.generated(fixture)?.ok();
    }
    Ok(())
}

#[test]
fn wrong_types_in_the_iam_document_do_not_panic() {
    everywhere(iam(), 6, 1, (0, 3));
}

#[test]
fn wrong_types_in_the_apikeys_document_do_not_panic() {
    everywhere(api_keys(), 8, 1, (1, 2));
}

#[test]
fn wrong_types_in_the_mds_document_do_not_panic() {
    everywhere(role_bindings(), 8, 1, (1, 2));
}

#[test]
fn wrong_types_in_the_org_document_do_not_panic() {
    everywhere(organizations(), 8, 1, (0, 2));
}

#[test]
fn wrong_types_in_the_sts_document_do_not_panic() {
    everywhere(sts(), 10, 6, (0, 1));
}

#[test]
fn wrong_types_in_the_clickhouse_document_do_not_panic() {
    everywhere(clickhouse_cloud(), 7, 1, (0, 2));
}

#[test]
fn an_almost_empty_document_reports_what_is_missing() {
    let mut wrong = Vec::new();
    for (text, found) in [
        ("", "no `openapi` property"),
        ("\u{feff}", "no `openapi` property"),
        ("# only a comment", "no `openapi` property"),
        ("null", "no `openapi` property"),
        ("42", "no `openapi` property"),
        ("[]", "no `openapi` property"),
        ("{}", "no `openapi` property"),
        ("just words", "no `openapi` property"),
        ("openapi:", "`null`"),
        ("openapi: []", "`[]`"),
        ("openapi: {3.0: 1}", "OpenAPI 3.0, 3.1 or 3.2"),
        ("openapi: 2.0", "`2.0`"),
        ("openapi: 3.10.0", "`3.10.0`"),
        ("openapi: 3.0", "none of them"),
        ("openapi: 3.1", "none of them"),
        ("openapi: 3.0.3", "none of them"),
        ("openapi: 3.0.3\npaths:", "none of them"),
        ("openapi: 3.0.3\npaths: []", "none of them"),
        (
            "openapi: 3.0.3\npaths: {/iam/v2/invitations: }",
            "none of them",
        ),
        (
            "openapi: 3.0.3\npaths: {/iam/v2/invitations: {get: []}}",
            "none of them",
        ),
        ("{\"openapi\": \"3.0.3\",}", "a JSON document"),
        ("openapi: 3.0.3\n---\nopenapi: 3.0.3", "a YAML document"),
        ("openapi: 3.0.3\n\tpaths: {}", "a YAML document"),
        ("openapi: *nowhere", "a YAML document"),
        ("<html><body>404</body></html>", "no `openapi` property"),
    ] {
        let report = outcome(text.as_bytes(), iam()).unwrap_err().to_string();
        if !report.contains(found) {
            wrong.push(format!("no {found:?} for {text:?} in {report}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_empty_operation_is_refused_with_every_missing_part() {
    let document = json!({ "openapi": "3.0.3", "paths": { "/iam/v2/invitations": { "get": {} } } });
    let report = outcome(document.to_string().as_bytes(), iam()).unwrap_err();
    // Two parameters and a response of this operation, and three operations.
    assert_eq!(report.diagnostics.len(), 6, "{report}");
}

#[test]
fn what_is_named_twice_is_no_matter() {
    let mut document = vendored(iam());
    for item in document["paths"].as_object_mut().unwrap().values_mut() {
        for operation in item.as_object_mut().unwrap().values_mut() {
            operation["operationId"] = json!("same");
        }
    }
    // One path twice, in other words for its variable.
    let copy = document["paths"]["/iam/v2/invitations/{id}"].clone();
    document["paths"]["/iam/v2/invitations/{aaa}"] = copy;
    assert!(outcome(document.to_string().as_bytes(), iam()).is_ok());
}

#[test]
fn schemas_whose_names_are_one_in_rust_stay_apart() {
    let mut document = vendored(iam());
    let names = [
        "Invitation",
        "invitation",
        "INVITATION",
        "in_vitation",
        "InvitationList",
        "Self",
        "self",
        "",
        "1",
        "-",
    ];
    for (index, name) in names.iter().enumerate() {
        let schema = json!({ "type": "object", "properties": { "own": { "type": "string", "maxLength": index } } });
        document["components"]["schemas"][*name] = schema;
        let property = format!("unknown{index}");
        document["components"]["schemas"]["iam.v2.Invitation"]["properties"][property] =
            json!({ "$ref": format!("#/components/schemas/{name}") });
    }
    assert!(outcome(document.to_string().as_bytes(), iam()).is_ok());
}
