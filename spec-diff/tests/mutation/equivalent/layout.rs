//! Moves parts of a document to other places, and writes out defaults.

use org_invitations_codegen::Api;
use serde_json::{Map, Value, json};

use super::{Made, Transformation, map_at, used_items};
use crate::{
    navigator::{METHODS, find},
    walk::{Kind, walk},
};

pub const TRANSFORMATIONS: [Transformation; 13] = [
    ("parameters moved to the path item", parameters_up),
    (
        "parameters of the path item overridden",
        parameters_overridden,
    ),
    ("security schemes renamed", schemes_renamed),
    ("security moved into the operations", security_down),
    ("security of the document overridden", security_overridden),
    ("schemas split by allOf", |document, _| {
        split(document, false)
    }),
    (
        "schemas split by allOf, the other part first",
        |document, _| split(document, true),
    ),
    ("schemas alone in allOf", |document, _| {
        wrapped(document, &["allOf"])
    }),
    ("schemas alone in anyOf or oneOf", |document, _| {
        wrapped(document, &["anyOf", "oneOf"])
    }),
    ("header names in lower case", |document, _| {
        headers(document, str::to_ascii_lowercase)
    }),
    ("header names in upper case", |document, _| {
        headers(document, str::to_ascii_uppercase)
    }),
    ("defaults spelt out", defaults),
    ("HTTP schemes in other letters", |document, _| {
        let mut document = document.clone();
        for scheme in map_at(&mut document, "/components/securitySchemes").values_mut() {
            if let Some(Value::String(name)) = scheme.get_mut("scheme") {
                *name = name.replace("basic", "Basic");
            }
        }
        Made::Value(document)
    }),
];

/// Parameters that all operations of a path have.
fn parameters_up(document: &Value, api: &Api) -> Made {
    let mut moved = document.clone();
    for (_, item) in used_items(&mut moved, api) {
        let item = item.as_object_mut().unwrap();
        let own = |operation: &Value| {
            let list = operation["parameters"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let key = |parameter: Value| (key(document, &parameter), parameter);
            list.into_iter().map(key).collect::<Vec<_>>()
        };
        let lists: Vec<_> = METHODS
            .iter()
            .filter_map(|method| item.get(*method))
            .map(own)
            .collect();
        let shared: Vec<_> = lists[0]
            .iter()
            .filter(|(key, _)| {
                lists
                    .iter()
                    .all(|list| list.iter().any(|(other, _)| other == key))
            })
            .cloned()
            .collect();
        for method in METHODS {
            if let Some(list) = item
                .get_mut(method)
                .and_then(|operation| operation.get_mut("parameters"))
            {
                let list = list.as_array_mut().unwrap();
                list.retain(|parameter| {
                    shared
                        .iter()
                        .all(|(shared, _)| *shared != key(document, parameter))
                });
            }
        }
        let shared = shared.into_iter().map(|(_, parameter)| parameter).collect();
        item.insert("parameters".to_owned(), shared);
    }
    Made::Value(moved)
}

fn key(document: &Value, parameter: &Value) -> (Value, Value) {
    let parameter = match parameter["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap(),
        None => parameter,
    };
    (parameter["in"].clone(), parameter["name"].clone())
}

/// What the operation says of a parameter wins over what the path item says.
fn parameters_overridden(document: &Value, api: &Api) -> Made {
    let mut overridden = document.clone();
    for (_, item) in used_items(&mut overridden, api) {
        let item = item.as_object_mut().unwrap();
        let Some(all) = METHODS
            .iter()
            .find_map(|method| item.get(*method)?.get("parameters"))
        else {
            continue;
        };
        let everywhere = METHODS
            .iter()
            .filter_map(|method| item.get(*method))
            .all(|operation| operation.get("parameters") == Some(all));
        if !everywhere {
            continue;
        }
        let other = |parameter: &Value| {
            let (location, name) = key(document, parameter);
            json!({ "in": location, "name": name, "required": true, "schema": { "type": "boolean" } })
        };
        let others = all.as_array().unwrap().iter().map(other).collect();
        item.insert("parameters".to_owned(), others);
    }
    Made::Value(overridden)
}

fn schemes_renamed(document: &Value, _: &Api) -> Made {
    let mut document = document.clone();
    let schemes = map_at(&mut document, "/components/securitySchemes");
    let entries = std::mem::take(schemes).into_iter();
    schemes.extend(entries.map(|(name, scheme)| (format!("a/{name}"), scheme)));
    let rename = |requirements: &mut Value| {
        for requirement in requirements.as_array_mut().into_iter().flatten() {
            let map = requirement.as_object_mut().unwrap();
            let entries = std::mem::take(map).into_iter();
            map.extend(entries.map(|(name, scopes)| (format!("a/{name}"), scopes)));
        }
    };
    if let Some(requirements) = document.get_mut("security") {
        rename(requirements);
    }
    walk(&mut document, &mut |kind, node| {
        if let (Kind::Operation, Some(requirements)) = (kind, node.get_mut("security")) {
            rename(requirements);
        }
    });
    Made::Value(document)
}

fn security_down(document: &Value, _: &Api) -> Made {
    let mut document = document.clone();
    if let Some(security) = document.as_object_mut().unwrap().remove("security") {
        walk(&mut document, &mut |kind, node| {
            if kind == Kind::Operation && !node.contains_key("security") {
                node.insert("security".to_owned(), security.clone());
            }
        });
    }
    Made::Value(document)
}

fn security_overridden(document: &Value, api: &Api) -> Made {
    let Made::Value(mut document) = security_down(document, api) else {
        unreachable!()
    };
    walk(&mut document, &mut |kind, node| {
        if kind == Kind::Operation && !node.contains_key("security") {
            node.insert("security".to_owned(), json!([]));
        }
    });
    // An operation that needs nothing says so in either way.
    for (_, item) in used_items(&mut document, api) {
        for method in METHODS {
            assert!(
                item.get(method)
                    .is_none_or(|operation| operation.get("security").is_some())
            );
        }
    }
    document["security"] = json!([{ "unused": [] }]);
    Made::Value(document)
}

const CLOSING: [&str; 2] = ["additionalProperties", "patternProperties"];

/// Objects with two properties or more become an `allOf` of two.
fn split(document: &Value, other_first: bool) -> Made {
    let mut document = document.clone();
    walk(&mut document, &mut |kind, node| {
        let splits = kind == Kind::Schema
            && !node.contains_key("allOf")
            && !CLOSING.iter().any(|keyword| node.contains_key(*keyword))
            && node
                .get("properties")
                .and_then(Value::as_object)
                .is_some_and(|map| map.len() > 1);
        if !splits {
            return;
        }
        let Some(Value::Object(properties)) = node.remove("properties") else {
            return;
        };
        let half = properties.len() / 2;
        let (first, second): (Vec<_>, Vec<_>) = properties
            .into_iter()
            .enumerate()
            .partition(|(index, _)| *index < half);
        let map = |half: Vec<(usize, (String, Value))>| -> Value {
            half.into_iter().map(|(_, entry)| entry).collect()
        };
        let mut one = json!({ "type": "object", "properties": map(first) });
        if let Some(required) = node.remove("required") {
            one["required"] = required;
        }
        let other = json!({ "type": "object", "properties": map(second) });
        node.remove("type");
        let parts = if other_first {
            [other, one]
        } else {
            [one, other]
        };
        node.insert("allOf".to_owned(), json!(parts));
    });
    Made::Value(document)
}

/// A choice of one, and all of one, is that one.
fn wrapped(document: &Value, keywords: &[&str]) -> Made {
    let mut document = document.clone();
    let mut keywords = keywords.iter().cycle();
    walk(&mut document, &mut |kind, node| {
        let flags = ["readOnly", "writeOnly", "nullable"];
        let is_flagged = flags.iter().any(|flag| node.contains_key(*flag));
        if kind == Kind::Schema && !is_flagged && node.get("type") != Some(&json!("null")) {
            let schema = Value::Object(std::mem::take(node));
            node.insert((*keywords.next().unwrap()).to_owned(), json!([schema]));
        }
    });
    Made::Value(document)
}

fn headers(document: &Value, change: fn(&str) -> String) -> Made {
    let mut document = document.clone();
    walk(&mut document, &mut |kind, node| {
        if let (Kind::Response, Some(Value::Object(headers))) = (kind, node.get_mut("headers")) {
            let entries = std::mem::take(headers).into_iter();
            headers.extend(entries.map(|(name, header)| (change(&name), header)));
        }
    });
    Made::Value(document)
}

/// Everything that holds by itself is said as well.
fn defaults(document: &Value, api: &Api) -> Made {
    let is_31 = document["openapi"].as_str().unwrap().starts_with("3.1");
    let mut document = document.clone();
    walk(&mut document, &mut |kind, node| {
        if node.contains_key("$ref") {
            return;
        }
        let mut say = |key: &str, value: Value| {
            node.entry(key).or_insert(value);
        };
        match kind {
            Kind::Operation | Kind::RequestBody => say("deprecated", json!(false)),
            Kind::Parameter => {
                say("required", json!(false));
                say("deprecated", json!(false));
                say("allowEmptyValue", json!(false));
            }
            Kind::Header => {
                say("required", json!(false));
                say("style", json!("simple"));
                say("explode", json!(false));
            }
            Kind::Schema => {
                for flag in ["deprecated", "readOnly", "writeOnly", "uniqueItems"] {
                    say(flag, json!(false));
                }
                if !is_31 {
                    say("nullable", json!(false));
                }
            }
            _ => {}
        }
        if kind == Kind::Parameter {
            style(node);
        }
        if kind == Kind::Schema && node.contains_key("properties") {
            node.entry("required").or_insert(json!([]));
            node.entry("additionalProperties").or_insert(json!(true));
        }
    });
    assert!(find(&document, &api.operations[0].id).is_some());
    Made::Value(document)
}

fn style(parameter: &mut Map<String, Value>) {
    let form = parameter["in"] == "query" || parameter["in"] == "cookie";
    let style = if form { "form" } else { "simple" };
    parameter.entry("style").or_insert(json!(style));
    parameter.entry("explode").or_insert(json!(form));
}
