//! Converts between the dialects of 3.0 and 3.1.

use org_invitations_codegen::Api;
use serde_json::{Map, Value, json};

use super::{Made, Transformation};
use crate::walk::{Kind, walk, walk_one};

pub const TRANSFORMATIONS: [Transformation; 5] = [
    ("the other version", |document, _| {
        Made::Value(other_version(document, to_31_schema))
    }),
    ("the other version, with unions for null", |document, _| {
        Made::Value(other_version(document, to_31_unions))
    }),
    ("the other version and back", |document, _| {
        let there = other_version(document, to_31_schema);
        Made::Value(other_version(&there, to_31_schema))
    }),
    ("objects that do not say so", untyped),
    ("another patch version", |document, _| {
        let mut document = document.clone();
        document["openapi"] = json!(if is_31(&document) { "3.1.0" } else { "3.0.4" });
        Made::Value(document)
    }),
];

fn is_31(document: &Value) -> bool {
    document["openapi"].as_str().unwrap().starts_with("3.1")
}

/// A single schema and all within, in the words of 3.1.
pub fn to_31(schema: &mut Value) {
    walk_one(Kind::Schema, schema, &mut |_, node| to_31_schema(node));
}

fn other_version(document: &Value, to_31: fn(&mut Map<String, Value>)) -> Value {
    let mut document = document.clone();
    let upwards = !is_31(&document);
    document["openapi"] = json!(if upwards { "3.1.1" } else { "3.0.3" });
    walk(&mut document, &mut |kind, node| match kind {
        Kind::Schema if upwards => to_31(node),
        Kind::Schema => to_30_schema(node),
        _ => {}
    });
    document
}

fn to_31_schema(node: &mut Map<String, Value>) {
    if node.contains_key("$ref") {
        // What stands beside a reference is nothing to 3.0.
        node.retain(|key, _| key == "$ref");
        return;
    }
    if node.remove("nullable") == Some(json!(true)) {
        if let Some(kind) = node.get("type").cloned() {
            node.insert("type".to_owned(), json!([kind, "null"]));
        } else {
            with_null(node);
        }
    }
    if let Some([only]) = node
        .get("enum")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
    {
        let only = only.clone();
        node.remove("enum");
        node.insert("const".to_owned(), only);
    }
    for (flag, bound) in [
        ("exclusiveMinimum", "minimum"),
        ("exclusiveMaximum", "maximum"),
    ] {
        if node.remove(flag) == Some(json!(true)) {
            let bound = node.remove(bound).unwrap();
            node.insert(flag.to_owned(), bound);
        }
    }
    if let Some(example) = node.remove("example") {
        node.insert("examples".to_owned(), json!([example]));
    }
    // An `allOf` of one reference is there for what stands beside it.
    if let Some([only]) = node
        .get("allOf")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        && only.get("$ref").is_some()
    {
        let reference = only["$ref"].clone();
        node.remove("allOf");
        node.insert("$ref".to_owned(), reference);
    }
}

/// The same with `anyOf` in place of a list of types.
fn to_31_unions(node: &mut Map<String, Value>) {
    if node.get("nullable") == Some(&json!(true)) && !node.contains_key("$ref") {
        node.remove("nullable");
        with_null(node);
    }
    to_31_schema(node);
}

/// What says how the schema is used stays outside of the union.
fn with_null(node: &mut Map<String, Value>) {
    let mut outside = Map::new();
    for key in ["description", "deprecated", "readOnly", "writeOnly"] {
        outside.extend(node.remove(key).map(|value| (key.to_owned(), value)));
    }
    let schema = Value::Object(std::mem::replace(node, outside));
    node.insert("anyOf".to_owned(), json!([schema, { "type": "null" }]));
}

fn to_30_schema(node: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = node.get("type").cloned() {
        let mut kinds: Vec<Value> = types
            .iter()
            .filter(|kind| *kind != "null")
            .cloned()
            .collect();
        if kinds.len() < types.len() {
            node.insert("nullable".to_owned(), json!(true));
        }
        node.remove("type");
        if kinds.len() == 1 {
            node.extend(kinds.pop().map(|kind| ("type".to_owned(), kind)));
        } else {
            let branches = kinds.iter().map(|kind| json!({ "type": kind })).collect();
            node.insert("anyOf".to_owned(), branches);
        }
    }
    if let Some(Value::Array(branches)) = node.get_mut("anyOf") {
        let count = branches.len();
        branches.retain(|branch| {
            *branch != json!({ "type": "null" })
                && *branch != json!({ "type": "null", "nullable": true })
        });
        if let ([only], true) = (branches.as_slice(), branches.len() < count) {
            let only = only.clone();
            node.remove("anyOf");
            node.insert("allOf".to_owned(), json!([only]));
            node.insert("nullable".to_owned(), json!(true));
        }
    }
    if let Some(only) = node.remove("const") {
        node.insert("enum".to_owned(), json!([only]));
    }
    for (flag, bound) in [
        ("exclusiveMinimum", "minimum"),
        ("exclusiveMaximum", "maximum"),
    ] {
        if let Some(value) = node.get(flag).filter(|value| value.is_number()).cloned() {
            node.insert(bound.to_owned(), value);
            node.insert(flag.to_owned(), json!(true));
        }
    }
    if let Some(Value::Array(examples)) = node.remove("examples") {
        node.extend(
            examples
                .into_iter()
                .next()
                .map(|example| ("example".to_owned(), example)),
        );
    }
    if node.len() > 1
        && let Some(reference) = node.remove("$ref")
    {
        node.insert("allOf".to_owned(), json!([{ "$ref": reference }]));
    }
}

/// A schema with properties is one of an object, and one with items is one of a list.
fn untyped(document: &Value, _: &Api) -> Made {
    let mut document = document.clone();
    walk(&mut document, &mut |kind, node| {
        let implied = kind == Kind::Schema
            && (node.contains_key("properties") && node.get("type") == Some(&json!("object"))
                || node.contains_key("items") && node.get("type") == Some(&json!("array")));
        if implied && !node.contains_key("nullable") {
            node.remove("type");
        }
    });
    Made::Value(document)
}
