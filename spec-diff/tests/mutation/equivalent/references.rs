//! Inlines components, extracts them and renames them.

use org_invitations_codegen::Api;
use serde_json::{Map, Value, json};

use super::{Made, Transformation, map_at, used_items};
use crate::walk::{Kind, walk_one};

pub const TRANSFORMATIONS: [Transformation; 9] = [
    ("schemas renamed", |document, _| {
        Made::Value(renamed(document, "schemas"))
    }),
    (
        "parameters, responses and headers renamed",
        |document, _| {
            let document = renamed(document, "parameters");
            Made::Value(renamed(&renamed(&document, "responses"), "headers"))
        },
    ),
    ("references to schemas inlined", |document, api| {
        inlined(document, api, &[Kind::Schema])
    }),
    (
        "references to parameters, responses and headers inlined",
        |document, api| {
            inlined(
                document,
                api,
                &[
                    Kind::Parameter,
                    Kind::Response,
                    Kind::Header,
                    Kind::RequestBody,
                ],
            )
        },
    ),
    ("every schema hoisted", |document, api| {
        hoisted(document, api, &[(Kind::Schema, "schemas")])
    }),
    (
        "parameters, bodies, responses and headers hoisted",
        |document, api| {
            let kinds = [
                (Kind::Parameter, "parameters"),
                (Kind::RequestBody, "requestBodies"),
                (Kind::Response, "responses"),
                (Kind::Header, "headers"),
            ];
            hoisted(document, api, &kinds)
        },
    ),
    ("path items hoisted", path_items),
    ("references to references", chained),
    ("references with escapes", |document, _| {
        let mut document = document.clone();
        references(&mut document, &|reference| {
            reference.replace('.', "%2E").replace('I', "%49")
        });
        Made::Value(document)
    }),
];

/// Changes every reference of the document.
fn references(node: &mut Value, change: &dyn Fn(&str) -> String) {
    match node {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get_mut("$ref") {
                *reference = change(reference);
            }
            map.values_mut().for_each(|inner| references(inner, change));
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| references(inner, change)),
        _ => {}
    }
}

fn renamed(document: &Value, map: &str) -> Value {
    let mut document = document.clone();
    let prefix = format!("#/components/{map}/");
    references(
        &mut document,
        &|reference| match reference.strip_prefix(&prefix) {
            Some(name) => format!("{prefix}Renamed.{name}_2"),
            None => reference.to_owned(),
        },
    );
    let components = map_at(&mut document, &format!("/components/{map}"));
    let entries = std::mem::take(components).into_iter();
    components.extend(entries.map(|(name, value)| (format!("Renamed.{name}_2"), value)));
    document
}

fn inlined(document: &Value, api: &Api, kinds: &[Kind]) -> Made {
    let mut inlined = document.clone();
    for (_, item) in used_items(&mut inlined, api) {
        // Whatever is put in place of a reference may hold references again.
        for _ in 0..8 {
            walk_one(Kind::PathItem, item, &mut |kind, node| {
                if kinds.contains(&kind) {
                    inline(document, node);
                }
            });
        }
    }
    Made::Value(inlined)
}

fn inline(document: &Value, node: &mut Map<String, Value>) {
    let Some(Value::String(reference)) = node.get("$ref") else {
        return;
    };
    let target = document.pointer(&reference[1..]).unwrap().clone();
    // A schema that contains itself cannot be written in place of all its mentions.
    if target.to_string().contains(reference.as_str()) {
        return;
    }
    // In 3.1 what stands beside a reference counts, and has to stay.
    let is_31 = document["openapi"].as_str().unwrap().starts_with("3.1");
    node.remove("$ref");
    if is_31 && !node.is_empty() {
        node.insert("allOf".to_owned(), json!([target]));
    } else {
        *node = target.as_object().unwrap().clone();
    }
}

fn hoisted(document: &Value, api: &Api, kinds: &[(Kind, &str)]) -> Made {
    let mut document = document.clone();
    let mut moved: Vec<(String, String, Value)> = Vec::new();
    let mut hoist = |kind: Kind, node: &mut Map<String, Value>| {
        let Some((_, map)) = kinds.iter().find(|(each, _)| *each == kind) else {
            return;
        };
        if node.contains_key("$ref") {
            return;
        }
        let name = format!("Hoisted{}", moved.len());
        let reference = json!({ "$ref": format!("#/components/{map}/{name}") });
        let value = Value::Object(std::mem::take(node));
        moved.push(((*map).to_owned(), name, value));
        node.extend(reference.as_object().unwrap().clone());
    };
    for (_, item) in used_items(&mut document, api) {
        walk_one(Kind::PathItem, item, &mut hoist);
    }
    if let Some(schemas) = document["components"].get_mut("schemas") {
        for name in [
            "EnrichedPart",
            "EnrichedTree",
            "Invitation",
            "iam.v2.Invitation",
            "iam.v2.User",
            "iam.v2.RoleBinding",
            "org.v2.Organization",
            "Member",
            "Role",
            "AssignedRole",
        ] {
            if let Some(schema) = schemas.get_mut(name) {
                walk_one(Kind::Schema, schema, &mut hoist);
            }
        }
    }
    for (map, name, value) in moved {
        map_at(&mut document, &format!("/components/{map}")).insert(name, value);
    }
    Made::Value(document)
}

fn path_items(document: &Value, api: &Api) -> Made {
    let mut document = document.clone();
    let mut moved = Vec::new();
    for (index, (_, item)) in used_items(&mut document, api).into_iter().enumerate() {
        let reference = json!({ "$ref": format!("#/components/pathItems/Item{index}") });
        moved.push((format!("Item{index}"), std::mem::replace(item, reference)));
    }
    map_at(&mut document, "/components/pathItems").extend(moved);
    Made::Value(document)
}

fn chained(document: &Value, _: &Api) -> Made {
    let mut document = document.clone();
    for map in ["schemas", "parameters", "responses", "headers"] {
        let components = map_at(&mut document, &format!("/components/{map}"));
        let names: Vec<String> = components.keys().cloned().collect();
        for name in names {
            let value = components.insert(
                name.clone(),
                json!({ "$ref": format!("#/components/{map}/{name}_end") }),
            );
            components.insert(format!("{name}_end"), value.unwrap());
        }
    }
    Made::Value(document)
}
