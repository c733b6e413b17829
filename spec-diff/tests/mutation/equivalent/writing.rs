//! Changes the order, the format and the descriptions of a document.

use org_invitations_codegen::Api;
use serde_json::{Map, Value, json};

use super::{Made, Transformation, map_at, used_items};
use crate::walk::{Kind, walk};

pub const TRANSFORMATIONS: [Transformation; 12] = [
    ("nothing", |document, _| Made::Value(document.clone())),
    (
        "keys in reverse order, escaped and indented",
        |document, _| {
            let mut text = String::from("\u{feff}\r\n");
            write(document, 0, &mut text);
            Made::Text(text)
        },
    ),
    ("YAML", |document, _| {
        Made::Text(serde_norway::to_string(document).unwrap())
    }),
    ("YAML with bare statuses", |document, _| {
        let text = serde_norway::to_string(document).unwrap();
        Made::Text(bare_statuses(&text))
    }),
    ("numbers with a fraction of zero", |document, _| {
        Made::Text(fractions(document).to_string())
    }),
    ("other words everywhere", other_words),
    ("no words anywhere", no_words),
    ("extensions everywhere", extensions),
    (
        "unrelated paths, operations, schemas and schemes",
        unrelated,
    ),
    ("lists that are sets in another order", reordered),
    ("another title, version, and more servers", |document, _| {
        let mut document = document.clone();
        document["info"] = json!({ "title": "another", "version": "99" });
        document["tags"] = json!([{ "name": "other" }]);
        document["servers"][0]["description"] = json!("other words");
        Made::Value(document)
    }),
    ("a slash at the end of the server", |document, _| {
        let mut document = document.clone();
        let url = document["servers"][0]["url"].as_str().unwrap();
        document["servers"][0]["url"] = json!(format!("{url}/"));
        Made::Value(document)
    }),
];

/// Pretty-printed with tabs, keys backwards, and every letter `e` escaped.
fn write(value: &Value, depth: usize, text: &mut String) {
    let indent = format!("\n{}", "\t".repeat(depth + 1));
    match value {
        Value::Object(map) => {
            text.push('{');
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            for (index, key) in keys.iter().rev().enumerate() {
                text.push_str(if index == 0 { "" } else { " ," });
                text.push_str(&format!("{indent}{} : ", escaped(key)));
                write(&map[*key], depth + 1, text);
            }
            text.push('}');
        }
        Value::Array(list) => {
            text.push('[');
            for (index, item) in list.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { " ," });
                text.push_str(&indent);
                write(item, depth + 1, text);
            }
            text.push(']');
        }
        Value::String(string) => text.push_str(&escaped(string)),
        other => text.push_str(&other.to_string()),
    }
}

fn escaped(string: &str) -> String {
    json!(string).to_string().replace('e', "\\u0065")
}

/// `'200':` as people write it, which is a number to YAML.
fn bare_statuses(text: &str) -> String {
    let bare = |line: &str| {
        let trimmed = line.trim_start();
        let status = trimmed
            .strip_prefix('\'')
            .and_then(|rest| rest.split_once('\''));
        match status {
            Some((status, rest)) if status.len() == 3 && status.parse::<u16>().is_ok() => {
                format!("{}{status}{rest}", &line[..line.len() - trimmed.len()])
            }
            _ => line.to_owned(),
        }
    };
    text.lines().map(bare).collect::<Vec<_>>().join("\n")
}

/// `100` and `100.0` are one number.
fn fractions(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(list) => list.iter().map(fractions).collect(),
        Value::Object(map) => {
            let entries = map
                .iter()
                .map(|(key, value)| (key.clone(), fractions(value)));
            entries.collect()
        }
        other => other.clone(),
    }
}

const WORDS: [&str; 6] = [
    "description",
    "summary",
    "title",
    "example",
    "examples",
    "externalDocs",
];

fn other_words(document: &Value, _: &Api) -> Made {
    let mut document = document.clone();
    walk(&mut document, &mut |kind, node| {
        if node.contains_key("$ref") && kind != Kind::Schema {
            return;
        }
        node.insert("description".to_owned(), json!("other words"));
        if matches!(kind, Kind::Schema | Kind::Parameter | Kind::Header) {
            node.insert(
                "example".to_owned(),
                json!({ "type": "integer", "enum": [1] }),
            );
        }
        if kind == Kind::Schema {
            node.insert("title".to_owned(), json!("Other"));
            node.insert(
                "externalDocs".to_owned(),
                json!({ "url": "https://example.com" }),
            );
        }
        if kind == Kind::Operation {
            node.insert("summary".to_owned(), json!("other words"));
            node.insert("tags".to_owned(), json!(["other"]));
        }
    });
    for scheme in map_at(&mut document, "/components/securitySchemes").values_mut() {
        scheme["description"] = json!("other words");
    }
    Made::Value(document)
}

fn no_words(document: &Value, _: &Api) -> Made {
    let mut document = document.clone();
    walk(&mut document, &mut |kind, node| {
        node.retain(|key, _| !WORDS.contains(&key.as_str()) && key != "tags");
        if kind == Kind::Response {
            node.insert("description".to_owned(), json!(""));
        }
    });
    for scheme in map_at(&mut document, "/components/securitySchemes").values_mut() {
        scheme.as_object_mut().unwrap().remove("description");
    }
    Made::Value(document)
}

fn extensions(document: &Value, _: &Api) -> Made {
    let mut document = document.clone();
    walk(&mut document, &mut |_, node| {
        node.insert("x-vendor".to_owned(), json!({ "type": "integer" }));
    });
    document["x-vendor"] = json!([1]);
    Made::Value(document)
}

fn unrelated(document: &Value, api: &Api) -> Made {
    let mut document = document.clone();
    let operation = json!({
        "operationId": "unrelated",
        "security": [{ "unrelated": [] }],
        "requestBody": { "required": true, "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Unrelated" } } } },
        "responses": { "200": { "description": "", "content": { "application/json": { "schema": { "$ref": "elsewhere.yaml" } } } } },
    });
    for (_, item) in used_items(&mut document, api) {
        item["summary"] = json!("words");
    }
    for path in [
        "/",
        "/iam/v2/invitations/{id}/more",
        "/v1/organizations",
        "/a/{b}",
    ] {
        map_at(&mut document, "/paths").insert(
            path.to_owned(),
            json!({ "post": operation, "get": operation }),
        );
    }
    let schema = json!({ "type": "object", "properties": { "me": { "$ref": "#/components/schemas/Unrelated" } } });
    map_at(&mut document, "/components/schemas").insert("Unrelated".to_owned(), schema);
    let scheme = json!({ "type": "mutualTLS" });
    map_at(&mut document, "/components/securitySchemes").insert("unrelated".to_owned(), scheme);
    Made::Value(document)
}

fn reordered(document: &Value, _: &Api) -> Made {
    let mut document = document.clone();
    walk(&mut document, &mut |kind, node| {
        let lists = match kind {
            Kind::Schema => &[
                "enum",
                "x-extensible-enum",
                "required",
                "type",
                "oneOf",
                "anyOf",
            ][..],
            Kind::Operation => &["parameters", "security", "tags"],
            Kind::PathItem => &["parameters"],
            _ => &[],
        };
        for list in lists {
            reverse(node, list);
        }
    });
    reverse(document.as_object_mut().unwrap(), "security");
    Made::Value(document)
}

fn reverse(node: &mut Map<String, Value>, key: &str) {
    if let Some(Value::Array(list)) = node.get_mut(key) {
        list.reverse();
    }
}
