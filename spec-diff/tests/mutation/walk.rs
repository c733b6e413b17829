//! Visits every object of a document with its kind.

use serde_json::{Map, Value};

use crate::navigator::METHODS;

/// The kind of an object of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    PathItem,
    Operation,
    Parameter,
    RequestBody,
    Response,
    Header,
    Schema,
}

/// Visits every object after all that it holds; references are not followed.
pub fn walk(document: &mut Value, visit: &mut dyn FnMut(Kind, &mut Map<String, Value>)) {
    each(document, "paths", Kind::PathItem, visit);
    let components = &mut document["components"];
    for (map, kind) in [
        ("pathItems", Kind::PathItem),
        ("parameters", Kind::Parameter),
        ("requestBodies", Kind::RequestBody),
        ("responses", Kind::Response),
        ("headers", Kind::Header),
        ("schemas", Kind::Schema),
    ] {
        each(components, map, kind, visit);
    }
}

/// Visits the object `node` after all that it holds.
pub fn walk_one(
    kind: Kind,
    node: &mut Value,
    visit: &mut dyn FnMut(Kind, &mut Map<String, Value>),
) {
    match kind {
        Kind::PathItem => {
            each(node, "parameters", Kind::Parameter, visit);
            for method in METHODS {
                one(node, method, Kind::Operation, visit);
            }
        }
        Kind::Operation => {
            each(node, "parameters", Kind::Parameter, visit);
            one(node, "requestBody", Kind::RequestBody, visit);
            each(node, "responses", Kind::Response, visit);
        }
        Kind::Parameter | Kind::Header => {
            one(node, "schema", Kind::Schema, visit);
            content(node, visit);
        }
        Kind::RequestBody => content(node, visit),
        Kind::Response => {
            each(node, "headers", Kind::Header, visit);
            content(node, visit);
        }
        Kind::Schema => {
            for map in ["properties", "patternProperties"] {
                each(node, map, Kind::Schema, visit);
            }
            for list in ["allOf", "anyOf", "oneOf", "prefixItems"] {
                each(node, list, Kind::Schema, visit);
            }
            for schema in ["items", "not", "additionalProperties"] {
                one(node, schema, Kind::Schema, visit);
            }
        }
    }
    if let Value::Object(map) = node {
        visit(kind, map);
    }
}

fn content(node: &mut Value, visit: &mut dyn FnMut(Kind, &mut Map<String, Value>)) {
    let media_types = node.get_mut("content").and_then(Value::as_object_mut);
    for media_type in media_types.into_iter().flat_map(Map::values_mut) {
        one(media_type, "schema", Kind::Schema, visit);
    }
}

fn one(
    node: &mut Value,
    key: &str,
    kind: Kind,
    visit: &mut dyn FnMut(Kind, &mut Map<String, Value>),
) {
    if let Some(inner) = node.get_mut(key) {
        walk_one(kind, inner, visit);
    }
}

/// Every element of the map or list under `key`.
fn each(
    node: &mut Value,
    key: &str,
    kind: Kind,
    visit: &mut dyn FnMut(Kind, &mut Map<String, Value>),
) {
    match node.get_mut(key) {
        Some(Value::Object(map)) => {
            for inner in map.values_mut() {
                walk_one(kind, inner, visit);
            }
        }
        Some(Value::Array(list)) => {
            for inner in list {
                walk_one(kind, inner, visit);
            }
        }
        _ => {}
    }
}
