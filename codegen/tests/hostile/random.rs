//! Random changes of a document cause no panic, and check, comparison and generation agree with each other.

use org_invitations_codegen::Document;
use proptest::{prelude::*, sample::Index, test_runner::FileFailurePersistence};
use serde_json::{Value, json};

use crate::{
    common::{Fixture, fixtures, output::code},
    harness::{checked_outcome, compare, pointers, read, surface, vendored},
};

/// Texts that have a meaning somewhere in a document.
const MEANINGFUL: [&str; 24] = [
    "",
    "$ref",
    "#/components/schemas/iam.v2.Invitation",
    "#/paths",
    "string",
    "integer",
    "object",
    "array",
    "null",
    "allOf",
    "anyOf",
    "type",
    "properties",
    "required",
    "items",
    "nullable",
    "enum",
    "const",
    "in",
    "name",
    "schema",
    "200",
    "default",
    "\u{0}*/\u{202e}",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(&MEANINGFUL[..]).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let key = proptest::sample::select(&MEANINGFUL[..]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..4).prop_map(|entries| {
                entries
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect()
            }),
        ]
    })
}

/// A change of a node that is picked at random.
#[derive(Clone, Debug)]
enum Mutation {
    Delete,
    Replace(Value),
    /// Replaces the node with a copy of another one.
    Copy(Index),
    /// Repeats the node under another name, or at the end of its list.
    Duplicate,
}

fn any_mutation() -> impl Strategy<Value = (Index, Mutation)> {
    let mutation = prop_oneof![
        Just(Mutation::Delete),
        any_json().prop_map(Mutation::Replace),
        any::<Index>().prop_map(Mutation::Copy),
        Just(Mutation::Duplicate),
    ];
    (any::<Index>(), mutation)
}

fn mutate(document: &mut Value, (index, mutation): &(Index, Mutation)) {
    let mut places = Vec::new();
    pointers(document, "", &mut places);
    places.retain(|place| !place.ends_with("/description"));
    if places.is_empty() {
        return;
    }
    let place = index.get(&places);
    let copy = match mutation {
        Mutation::Copy(other) => document.pointer(other.get::<String>(&places)).cloned(),
        _ => document.pointer(place).cloned(),
    };
    let (holder, last) = place.rsplit_once('/').unwrap();
    let last = last.replace("~1", "/").replace("~0", "~");
    match (document.pointer_mut(holder).unwrap(), mutation) {
        (Value::Object(map), Mutation::Delete) => drop(map.remove(&last)),
        (Value::Object(map), Mutation::Replace(value)) => drop(map.insert(last, value.clone())),
        (Value::Object(map), Mutation::Copy(_)) => drop(map.insert(last, json!(copy))),
        (Value::Object(map), Mutation::Duplicate) => {
            drop(map.insert(format!("{last}2"), json!(copy)))
        }
        (Value::Array(list), Mutation::Delete) => drop(list.remove(last.parse().unwrap())),
        (Value::Array(list), Mutation::Replace(value)) => {
            list[last.parse::<usize>().unwrap()] = value.clone()
        }
        (Value::Array(list), Mutation::Copy(_)) => {
            list[last.parse::<usize>().unwrap()] = json!(copy)
        }
        (Value::Array(list), Mutation::Duplicate) => list.push(json!(copy)),
        _ => {}
    }
}

fn mutated(fixture: &'static Fixture, mutations: &[(Index, Mutation)]) -> String {
    let mut document = vendored(fixture);
    for mutation in mutations {
        mutate(&mut document, mutation);
    }
    document.to_string()
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::with_cases(cases)
    }
}

/// Text made of tokens of YAML.
fn any_yaml() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(
        &[
            "[",
            "]",
            "{",
            "}",
            ":",
            ": ",
            ",",
            "- ",
            "? ",
            "&a ",
            "*a ",
            "!t ",
            "!!int ",
            "|",
            ">",
            "'",
            "\"",
            "%",
            "@",
            "#",
            "\n",
            "\n ",
            "\n  ",
            "\t",
            "a",
            "b",
            "1",
            "<<",
            "---\n",
            "...\n",
            "\\x",
            "\u{feff}",
            "\r",
            "~",
            "openapi: 3.0.3\n",
        ][..],
    );
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// Names with a meaning in Rust, YAML or comments, and any other.
fn any_name() -> impl Strategy<Value = String> {
    let meaningful = [
        "type", "self", "Self", "crate", "async", "r#fn", "_", "1st", "*/", "//!", "#[evil]",
        "\"#", "{}", "{0}", "'", "\\", "\n", "\u{202e}", "\u{0}", "é", "日本", "a-b", "a b", "A",
        "a",
    ];
    prop_oneof![
        proptest::sample::select(meaningful.to_vec()).prop_map(str::to_owned),
        any::<String>(),
    ]
}

/// Adds names to every map, and replaces every description.
fn named(fixture: &'static Fixture, names: &[String], words: &str) -> Value {
    let mut document = vendored(fixture);
    let text = json!({ "type": "string", "description": words, "title": words, "example": words });
    let mut places = Vec::new();
    pointers(&document, "", &mut places);
    for place in places.iter().filter(|place| *place != "/info") {
        let Some(node) = document.pointer_mut(place).and_then(Value::as_object_mut) else {
            continue;
        };
        let map = place.rsplit('/').next().unwrap_or_default();
        let of_names =
            matches!(map, "properties" | "schemas" | "headers") && !node.contains_key("type");
        if of_names {
            for name in names {
                let entry = match map {
                    "headers" => json!({ "schema": text }),
                    _ => text.clone(),
                };
                node.entry(name.clone()).or_insert(entry);
            }
        } else if ["description", "summary", "operationId"]
            .iter()
            .any(|key| node.contains_key(*key))
        {
            for key in ["description", "summary", "title", "operationId"] {
                node.insert(key.to_owned(), json!(words));
            }
        }
    }
    document
}

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn descriptions_change_no_code_and_names_do_no_harm(
        which in any::<Index>(),
        names in prop::collection::vec(any_name(), 0..6),
        words in any::<String>(),
    ) {
        let fixture = which.get(fixtures());
        let generated = |words: &str| {
            let document = named(fixture, &names, words).to_string();
            checked_outcome(document.as_bytes(), fixture).map(|outcome| outcome.map(|client| code(&client)))
        };
        let (plain, hostile) = (generated("words"), generated(&words));
        prop_assert!(matches!(plain, Ok(Ok(_))), "{:?}", plain);
        prop_assert_eq!(hostile, plain);
    }
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn a_mutated_document_is_refused_or_makes_a_client(
        which in any::<Index>(),
        mutations in prop::collection::vec(any_mutation(), 1..4),
        // Generating takes longest.
        generates in prop::bool::weighted(0.2),
    ) {
        let fixture = which.get(fixtures());
        let text = mutated(fixture, &mutations);
        let outcome = read(text.as_bytes(), fixture);
        let outcome = outcome.and_then(|checked| match checked {
            Ok(checked) if generates => checked.generated(fixture).map(drop),
            _ => Ok(()),
        });
        prop_assert!(outcome.is_ok(), "{:?}", outcome);
    }

    #[test]
    fn what_stops_the_build_is_found_as_breaking(
        which in any::<Index>(),
        mutation in any_mutation(),
    ) {
        let fixture = which.get(fixtures());
        let outcome = compare(&surface(&vendored(fixture), fixture), mutated(fixture, &[mutation]).as_bytes(), fixture);
        prop_assert!(outcome.is_ok(), "{:?}", outcome);
    }
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn any_bytes_are_refused_or_parsed(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        drop(Document::parse("bytes", &bytes));
    }

    #[test]
    fn any_yaml_is_refused_or_parsed(text in any_yaml()) {
        drop(Document::parse("text", text.as_bytes()));
        drop(Document::parse("text", format!("openapi: 3.0.3\na: {text}").as_bytes()));
    }

    #[test]
    fn any_json_is_refused_or_parsed(value in any_json(), cut in any::<Index>()) {
        let text = json!({ "openapi": "3.0.3", "paths": value }).to_string();
        drop(Document::parse("text", text.as_bytes()));
        let bytes = text.as_bytes();
        drop(Document::parse("text", &bytes[..cut.index(bytes.len())]));
    }
}
