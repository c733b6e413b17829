//! Normalising a schema: references resolved, `allOf` merged, 3.1 lowered to 3.0, cosmetics dropped.
//!
//! The result is one tree that says what values look like and nothing else, so that two documents
//! can be compared by it: it does not depend on schema names, on what is inline and what is not, on
//! the order of keys, or on the OpenAPI version. A place that cannot be resolved stays as the
//! `$ref` it was, and recursion becomes `x-recursion`; both are an error only where the library
//! reads that place.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    document::{Document, escape},
    merge::merge,
};

/// Which way a schema travels: `readOnly` properties are not sent, `writeOnly` ones not received.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Request,
    Response,
}

/// Keywords that say nothing about the values.
const COSMETIC: [&str; 9] = [
    "$ref",
    "description",
    "title",
    "example",
    "examples",
    "externalDocs",
    "xml",
    "$comment",
    "$id",
];

/// Keywords whose schemas count for themselves.
const NESTING: [&str; 7] = [
    "properties",
    "items",
    "additionalProperties",
    "not",
    "allOf",
    "anyOf",
    "oneOf",
];

/// How many bytes one document may expand to, pointers included; the largest vendor's surface takes a
/// few hundred thousand.
const MAX_BYTES: usize = 8 << 20;

/// Nesting beyond this is treated as recursion.
const MAX_DEPTH: usize = 64;

/// Normalises the schemas of one document.
pub(crate) struct Normaliser<'a> {
    document: &'a Document,
    /// Where each place of the normalised document came from.
    pub origins: BTreeMap<String, String>,
    /// Where each property is listed, which may be elsewhere than where its schema is.
    pub sites: BTreeMap<String, String>,
    spent: usize,
    /// The source pointers of the schemas that are being expanded, outermost first.
    open: Vec<String>,
}

impl<'a> Normaliser<'a> {
    pub fn new(document: &'a Document) -> Self {
        Self {
            document,
            origins: BTreeMap::new(),
            sites: BTreeMap::new(),
            spent: 0,
            open: Vec::new(),
        }
    }

    /// Whether the document expanded to more than [`MAX_BYTES`].
    pub fn exhausted(&self) -> bool {
        self.spent > MAX_BYTES
    }

    /// Takes from what the document may expand to; false when nothing is left.
    pub fn spend(&mut self, bytes: usize) -> bool {
        self.spent = self.spent.saturating_add(bytes);
        !self.exhausted()
    }

    /// Normalises the schema `node`, which stands at `source`, to stand at `at`.
    pub fn schema(&mut self, node: &Value, source: &str, at: &str, direction: Direction) -> Value {
        let mut schema = self.expand(node, source, at, direction);
        for flag in ["readOnly", "writeOnly"] {
            schema.remove(flag);
        }
        Value::Object(schema)
    }

    fn expand(
        &mut self,
        node: &Value,
        source: &str,
        at: &str,
        direction: Direction,
    ) -> Map<String, Value> {
        if !self.spend(64 + at.len() + source.len()) {
            return object(json!({ "x-recursion": true }));
        }
        self.origins
            .entry(at.to_owned())
            .or_insert_with(|| source.to_owned());
        if self.exhausted() || self.open.len() > MAX_DEPTH {
            return object(json!({ "x-recursion": true }));
        }
        let node = match node {
            Value::Object(node) => node,
            Value::Bool(false) => return object(json!({ "not": {} })),
            _ => return Map::new(),
        };
        if let Some(depth) = self.open.iter().rev().position(|pointer| pointer == source) {
            return object(json!({ "x-recursion": depth + 1 }));
        }
        self.open.push(source.to_owned());
        let schema = match node.get("$ref") {
            Some(reference) => self.reference(reference, node, source, at, direction),
            None => self.inline(node, source, at, direction),
        };
        self.open.pop();
        schema
    }

    /// A `$ref`; in 3.1 the keywords beside it count too.
    fn reference(
        &mut self,
        reference: &Value,
        node: &Map<String, Value>,
        source: &str,
        at: &str,
        direction: Direction,
    ) -> Map<String, Value> {
        let document = self.document;
        let target = reference
            .as_str()
            .and_then(|reference| document.target(reference));
        let Some((target, pointer)) = target else {
            return object(json!({ "$ref": reference }));
        };
        self.move_origin(at, source, &pointer);
        let target = self.expand(target, &pointer, at, direction);
        if !document.is_31() {
            return target;
        }
        let siblings = self.inline(node, source, at, direction);
        merge(target, siblings)
    }

    /// What stands at `at` is really said at `to`: where a person would mend it.
    fn move_origin(&mut self, at: &str, from: &str, to: &str) {
        if let Some(origin) = self.origins.get_mut(at).filter(|origin| *origin == from) {
            *origin = to.to_owned();
        }
    }

    fn inline(
        &mut self,
        node: &Map<String, Value>,
        source: &str,
        at: &str,
        direction: Direction,
    ) -> Map<String, Value> {
        let mut schema = Map::new();
        let mut parts = Vec::new();
        for (keyword, value) in node {
            if !NESTING.contains(&keyword.as_str()) && !self.spend(weight(value)) {
                break;
            }
            let below = |tail: &str| format!("{source}/{}{tail}", escape(keyword));
            match keyword.as_str() {
                keyword if COSMETIC.contains(&keyword) => {}
                "x-extensible-enum" => drop(schema.insert(keyword.clone(), sorted(value))),
                keyword if keyword.starts_with("x-") => {}
                "type" => self.types(value, &mut schema),
                "const" => drop(schema.insert("enum".to_owned(), json!([value]))),
                "enum" => enumeration(value, &mut schema),
                "exclusiveMinimum" | "exclusiveMaximum" => exclusive(keyword, value, &mut schema),
                "properties" => {
                    let properties = self.properties(value, &below(""), at, direction);
                    schema.insert(keyword.clone(), properties);
                }
                "required" => drop(schema.insert(keyword.clone(), sorted(value))),
                "items" | "not" => {
                    let inner =
                        self.schema(value, &below(""), &format!("{at}/{keyword}"), direction);
                    schema.insert(keyword.clone(), inner);
                }
                "additionalProperties" => {
                    let inner =
                        self.schema(value, &below(""), &format!("{at}/{keyword}"), direction);
                    // `true` and `{}` are the default.
                    let inner = if inner == json!({ "not": {} }) {
                        json!(false)
                    } else {
                        inner
                    };
                    if inner != json!({}) {
                        schema.insert(keyword.clone(), inner);
                    }
                }
                "allOf" => {
                    self.move_origin(at, source, &below("/0"));
                    for (index, part) in list(value).iter().enumerate() {
                        parts.push(self.expand(part, &below(&format!("/{index}")), at, direction));
                    }
                }
                "anyOf" | "oneOf" => {
                    let mut branches = Vec::new();
                    for (index, branch) in list(value).iter().enumerate() {
                        let tail = format!("/{index}");
                        let place = format!("{at}/{keyword}{tail}");
                        branches.push(self.schema(branch, &below(&tail), &place, direction));
                    }
                    union(keyword, branches, &mut schema, &mut parts);
                }
                _ => drop(schema.insert(keyword.clone(), whole(value))),
            }
        }
        for flag in [
            "nullable",
            "uniqueItems",
            "deprecated",
            "readOnly",
            "writeOnly",
        ] {
            if schema.get(flag) == Some(&json!(false)) {
                schema.remove(flag);
            }
        }
        if schema.get("required") == Some(&json!([])) {
            schema.remove("required");
        }
        // What an outer schema says of null holds for the whole; inside `allOf` every part has its say.
        let nullable = schema.get("nullable") == Some(&json!(true));
        if let Some(mut whole) = parts.into_iter().reduce(merge) {
            if nullable {
                whole.insert("nullable".to_owned(), json!(true));
            }
            schema.remove("nullable");
            schema = merge(whole, schema);
        }
        infer_type(&mut schema);
        schema
    }

    /// Properties that do not travel in this direction are left out.
    fn properties(&mut self, value: &Value, source: &str, at: &str, direction: Direction) -> Value {
        let hidden = match direction {
            Direction::Request => "readOnly",
            Direction::Response => "writeOnly",
        };
        let mut properties = Map::new();
        for (name, property) in value.as_object().into_iter().flatten() {
            let token = escape(name);
            if self.exhausted() {
                break;
            }
            let place = format!("{at}/properties/{token}");
            let site = format!("{source}/{token}");
            self.sites.entry(place.clone()).or_insert(site);
            let mut property =
                self.expand(property, &format!("{source}/{token}"), &place, direction);
            // An `allOf` part may say only later that a property does not travel.
            if property.get(hidden) != Some(&json!(true)) {
                property.remove("readOnly");
                property.remove("writeOnly");
            }
            properties.insert(name.clone(), Value::Object(property));
        }
        Value::Object(properties)
    }

    fn types(&self, value: &Value, schema: &mut Map<String, Value>) {
        let Value::Array(types) = value else {
            schema.insert("type".to_owned(), value.clone());
            return;
        };
        let mut types: Vec<&Value> = types.iter().collect();
        if types.iter().any(|name| *name == "null") {
            schema.insert("nullable".to_owned(), json!(true));
            types.retain(|name| *name != "null");
        }
        match types.as_slice() {
            [] => {}
            [one] => drop(schema.insert("type".to_owned(), (*one).clone())),
            _ => drop(schema.insert("type".to_owned(), sorted(&json!(types)))),
        }
    }
}

/// Leaves out the properties that do not travel in this direction, once everything is merged.
pub(crate) fn drop_hidden(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            let mut dropped = Vec::new();
            if let Some(Value::Object(properties)) = map.get_mut("properties") {
                properties.retain(|name, property| {
                    let hidden = ["readOnly", "writeOnly"]
                        .iter()
                        .any(|flag| property.get(flag).is_some());
                    if hidden {
                        dropped.push(name.clone());
                    }
                    !hidden
                });
            }
            if let Some(Value::Array(required)) = map.get_mut("required") {
                required.retain(|name| !dropped.iter().any(|dropped| name == dropped));
                if required.is_empty() {
                    map.remove("required");
                }
            }
            map.values_mut().for_each(drop_hidden);
        }
        Value::Array(values) => values.iter_mut().for_each(drop_hidden),
        _ => {}
    }
}

/// `100.0` is `100`.
fn whole(value: &Value) -> Value {
    match value.as_f64() {
        Some(number) if value.is_f64() && number.fract() == 0.0 && number.abs() < 9e15 => {
            json!(number as i64)
        }
        _ => value.clone(),
    }
}

/// How many bytes a value takes, roughly.
pub(crate) fn weight(value: &Value) -> usize {
    let inner = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| key.len() + weight(value))
            .sum(),
        Value::Array(values) => values.iter().map(weight).sum(),
        Value::String(text) => text.len(),
        _ => 0,
    };
    32 + inner
}

fn enumeration(value: &Value, schema: &mut Map<String, Value>) {
    let values: Vec<&Value> = list(value)
        .iter()
        .filter(|value| !value.is_null())
        .collect();
    if values.len() < list(value).len() {
        schema.insert("nullable".to_owned(), json!(true));
    }
    schema.insert("enum".to_owned(), sorted(&json!(values)));
}

/// 3.1 has the bound itself here, 3.0 a flag beside `minimum`.
fn exclusive(keyword: &str, value: &Value, schema: &mut Map<String, Value>) {
    match value {
        Value::Number(_) => {
            let bound = if keyword == "exclusiveMinimum" {
                "minimum"
            } else {
                "maximum"
            };
            schema.insert(bound.to_owned(), value.clone());
            schema.insert(keyword.to_owned(), json!(true));
        }
        Value::Bool(true) => drop(schema.insert(keyword.to_owned(), json!(true))),
        _ => {}
    }
}

/// A union with null is a nullable schema, and one of a single branch is that branch.
fn union(
    keyword: &str,
    mut branches: Vec<Value>,
    schema: &mut Map<String, Value>,
    parts: &mut Vec<Map<String, Value>>,
) {
    let count = branches.len();
    branches.retain(|branch| *branch != json!({ "type": "null" }));
    if branches.len() < count {
        schema.insert("nullable".to_owned(), json!(true));
    }
    match branches.as_slice() {
        [] => {}
        [Value::Object(only)] => parts.push(only.clone()),
        _ => drop(schema.insert(keyword.to_owned(), sorted(&Value::Array(branches)))),
    }
}

fn infer_type(schema: &mut Map<String, Value>) {
    if schema.contains_key("type") {
        return;
    }
    let has = |keyword: &str| schema.contains_key(keyword);
    let all_strings = schema.get("enum").is_some_and(|values| {
        !list(values).is_empty() && list(values).iter().all(Value::is_string)
    });
    let inferred = if has("properties") || has("required") || has("additionalProperties") {
        "object"
    } else if has("items") {
        "array"
    } else if all_strings {
        "string"
    } else {
        return;
    };
    schema.insert("type".to_owned(), json!(inferred));
}

/// The values of a set, in an order of their own, without repetition.
fn sorted(value: &Value) -> Value {
    let mut values = list(value).to_vec();
    values.sort_by_key(Value::to_string);
    values.dedup();
    Value::Array(values)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
