//! Normalises schemas: resolves references, merges `allOf`, lowers 3.1 to 3.0 and drops annotations.
//!
//! The result is a tree that describes values and nothing else, so that two documents can be compared: it does not
//! depend on schema names, on inlining, on the order of keys or on the OpenAPI version. A `$ref` that cannot be resolved
//! stays a `$ref`, and recursion becomes `x-recursion` with the number of levels to go up. Both are an error only where
//! the library reads that value.

mod keywords;
mod merge;
mod tree;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::document::{Document, escape};
use keywords::{
    ANNOTATIONS, COMBINATORS, SCHEMA, SCHEMA_COLLECTIONS, as_list, discriminator, holds_schemas,
    infer_type, insert_bounds, insert_enum, insert_types, into_map, normalize_numbers, sorted_set,
    union,
};
use merge::merge;
pub(crate) use tree::estimated_bytes;
use tree::remove_hidden;

/// The direction in which a value travels: `readOnly` properties are not sent, `writeOnly` ones not received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    Request,
    /// From the server to the client.
    Response,
}

/// How many bytes one document may expand to, pointers included; the largest vendor's surface takes a
/// few hundred thousand.
const MAX_BYTES: usize = 8 << 20;

/// Nesting beyond this is treated as recursion.
const MAX_DEPTH: usize = 64;

/// The result of a combinator: `allOf`, `anyOf` or `oneOf`.
#[derive(Default)]
struct Combined {
    /// Schemas of the same value, to be merged.
    parts: Vec<Map<String, Value>>,
    /// Keywords for the schema that contains the combinator.
    siblings: Map<String, Value>,
}

/// Normalises the schemas of one document.
pub(crate) struct SchemaNormalizer<'a> {
    document: &'a Document,
    /// Pointers of the normalised document, with the pointers of the original document that they come from.
    pub origins: BTreeMap<String, String>,
    /// Pointers of properties, with the pointer under which the original document lists the property. Its schema may be
    /// elsewhere.
    pub use_sites: BTreeMap<String, String>,
    spent: usize,
    /// The schemas that are being expanded, outermost first, each with its depth in the result.
    expanding: Vec<(&'a Map<String, Value>, usize)>,
}

impl<'a> SchemaNormalizer<'a> {
    pub fn new(document: &'a Document) -> Self {
        Self {
            document,
            origins: BTreeMap::new(),
            use_sites: BTreeMap::new(),
            spent: 0,
            expanding: Vec::new(),
        }
    }

    /// Whether the document expanded to more than [`MAX_BYTES`].
    pub fn exhausted(&self) -> bool {
        self.spent > MAX_BYTES
    }

    /// Adds to the size of the expansion. Returns false once the limit is exceeded.
    pub fn spend(&mut self, bytes: usize) -> bool {
        self.spent = self.spent.saturating_add(bytes);
        !self.exhausted()
    }

    /// Records that `at` of the normalised document comes from `source` of the original one.
    pub fn record_origin(&mut self, at: &str, source: &str) {
        if self.spend(at.len() + source.len()) {
            self.origins.insert(at.to_owned(), source.to_owned());
        }
    }

    /// Normalises the schema `node` at `source` of the original document, to be placed at `at` of the normalised one.
    pub fn schema(
        &mut self,
        node: &'a Value,
        source: &str,
        at: &str,
        direction: Direction,
    ) -> Value {
        let mut schema = self.part(node, source, at, direction);
        remove_hidden(&mut schema);
        schema
    }

    /// Normalises a schema within another one. The outer schema decides whether its properties are sent and received.
    fn part(&mut self, node: &'a Value, source: &str, at: &str, direction: Direction) -> Value {
        let mut schema = self.expand(node, source, at, direction);
        for flag in ["readOnly", "writeOnly"] {
            schema.remove(flag);
        }
        Value::Object(schema)
    }

    fn expand(
        &mut self,
        node: &'a Value,
        source: &str,
        at: &str,
        direction: Direction,
    ) -> Map<String, Value> {
        if !self.spend(64 + at.len() + source.len()) {
            return into_map(json!({ "x-recursion": true }));
        }
        self.origins
            .entry(at.to_owned())
            .or_insert_with(|| source.to_owned());
        if self.exhausted() || self.expanding.len() > MAX_DEPTH {
            return into_map(json!({ "x-recursion": true }));
        }
        let node = match node {
            Value::Object(node) => node,
            Value::Bool(false) => return into_map(json!({ "not": {} })),
            _ => return Map::new(),
        };
        // A schema within an equal schema is a recursion, wherever each of them is written.
        let level = at.matches('/').count();
        let same = |(other, _): &&(&Map<String, Value>, usize)| {
            std::ptr::eq(*other, node) || *other == node
        };
        if let Some((_, outer)) = self.expanding.iter().rev().find(same) {
            return into_map(json!({ "x-recursion": level.saturating_sub(*outer) }));
        }
        self.expanding.push((node, level));
        let schema = match node.get("$ref") {
            Some(reference) => self.reference(reference, node, source, at, direction),
            None => self.inline(node, source, at, direction),
        };
        self.expanding.pop();
        schema
    }

    /// Resolves a `$ref`. In 3.1 the keywords beside it apply too.
    fn reference(
        &mut self,
        reference: &'a Value,
        node: &'a Map<String, Value>,
        source: &str,
        at: &str,
        direction: Direction,
    ) -> Map<String, Value> {
        let document = self.document;
        let target = reference
            .as_str()
            .and_then(|reference| document.target(reference));
        let Some((target, pointer)) = target else {
            // A null would look like an absent reference.
            let text = reference
                .as_str()
                .map_or_else(|| reference.to_string(), str::to_owned);
            return into_map(json!({ "$ref": text }));
        };
        self.move_origin(at, source, &pointer);
        let target = self.expand(target, &pointer, at, direction);
        if !document.is_31() {
            return target;
        }
        let siblings = self.inline(node, source, at, direction);
        merge(target, siblings)
    }

    /// Moves the origin of `at` to `to`, where a person would correct the document.
    fn move_origin(&mut self, at: &str, from: &str, to: &str) {
        if let Some(origin) = self.origins.get_mut(at).filter(|origin| *origin == from) {
            *origin = to.to_owned();
        }
    }

    fn inline(
        &mut self,
        node: &'a Map<String, Value>,
        source: &str,
        at: &str,
        direction: Direction,
    ) -> Map<String, Value> {
        let mut schema = Map::new();
        for (keyword, value) in node {
            let keyword = keyword.as_str();
            if !holds_schemas(keyword) && !self.spend(estimated_bytes(value)) {
                break;
            }
            let source = format!("{source}/{}", escape(keyword));
            match keyword {
                _ if value.is_null() && keyword != "const" => {}
                _ if ANNOTATIONS.contains(&keyword) || COMBINATORS.contains(&keyword) => {}
                "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {}
                "x-extensible-enum" => {
                    schema.insert(keyword.to_owned(), sorted_set(&normalize_numbers(value)));
                }
                _ if keyword.starts_with("x-") => {}
                "type" => insert_types(value, &mut schema),
                "const" => insert_enum(std::slice::from_ref(value), &mut schema),
                "enum" if node.contains_key("const") => {}
                "enum" => insert_enum(as_list(value), &mut schema),
                "required" => drop(schema.insert(keyword.to_owned(), sorted_set(value))),
                "discriminator" => {
                    schema.insert(keyword.to_owned(), discriminator(value));
                }
                "properties" => {
                    let properties = self.properties(value, &source, at, direction);
                    schema.insert(keyword.to_owned(), properties);
                }
                _ if SCHEMA.contains(&keyword) => {
                    let inner = self.part(value, &source, &format!("{at}/{keyword}"), direction);
                    let inner = match keyword {
                        // `true` and `{}` are the defaults.
                        "additionalProperties" if inner == json!({}) => continue,
                        "additionalProperties" if inner == json!({ "not": {} }) => json!(false),
                        _ => inner,
                    };
                    schema.insert(keyword.to_owned(), inner);
                }
                _ if SCHEMA_COLLECTIONS.contains(&keyword) => {
                    let inner = self.schema_collection(
                        value,
                        &source,
                        &format!("{at}/{keyword}"),
                        direction,
                    );
                    schema.insert(keyword.to_owned(), inner);
                }
                _ => drop(schema.insert(keyword.to_owned(), normalize_numbers(value))),
            }
        }
        insert_bounds(node, &mut schema);
        // A schema's own keywords are merged last.
        let mut parts = Vec::new();
        for keyword in COMBINATORS {
            if let Some(value) = node.get(keyword) {
                let branches = as_list(value);
                let combined = self.combinator(keyword, branches, source, at, direction);
                parts.extend(combined.parts);
                schema.extend(combined.siblings);
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
        // `nullable` of an outer schema applies to the whole; inside `allOf` every part has to allow null.
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

    /// Normalises `allOf`, `anyOf` or `oneOf`. A combinator with one branch is that branch, and a branch of null is `nullable`.
    fn combinator(
        &mut self,
        keyword: &str,
        branches: &'a [Value],
        holder: &str,
        at: &str,
        direction: Direction,
    ) -> Combined {
        let branches = branches.iter().enumerate();
        let mut branches: Vec<(String, &'a Value)> = branches
            .map(|(index, branch)| (format!("{holder}/{keyword}/{index}"), branch))
            .collect();
        let mut combined = Combined::default();
        if keyword != "allOf" {
            let count = branches.len();
            branches.retain(|(source, branch)| !self.is_null(branch, source));
            if branches.len() < count {
                combined.siblings.insert("nullable".to_owned(), json!(true));
            }
        }
        if keyword == "allOf" || branches.len() == 1 {
            if let Some((source, _)) = branches.first() {
                self.move_origin(at, holder, source);
            }
            for (source, branch) in branches {
                let part = self.expand(branch, &source, at, direction);
                combined.parts.push(part);
            }
            return combined;
        }
        let mut choice = Vec::new();
        for (index, (source, branch)) in branches.into_iter().enumerate() {
            let place = format!("{at}/{keyword}/{index}");
            choice.push(self.part(branch, &source, &place, direction));
        }
        combined.parts.extend(union(keyword, choice));
        combined
    }

    /// Whether a branch of a union allows only null.
    fn is_null(&self, branch: &Value, source: &str) -> bool {
        let resolved = self.document.resolve(branch, source);
        resolved.is_some_and(|(branch, _)| {
            branch["type"] == "null"
                || branch["type"] == json!(["null"])
                || branch["enum"] == json!([null])
                || branch.get("const") == Some(&Value::Null)
        })
    }

    /// Normalises a list or a map of schemas.
    fn schema_collection(
        &mut self,
        value: &'a Value,
        source: &str,
        at: &str,
        direction: Direction,
    ) -> Value {
        let mut part = |token: &str, inner: &'a Value| {
            let (source, at) = (format!("{source}/{token}"), format!("{at}/{token}"));
            self.part(inner, &source, &at, direction)
        };
        match value {
            Value::Array(values) => values
                .iter()
                .enumerate()
                .map(|(index, inner)| part(&index.to_string(), inner))
                .collect(),
            Value::Object(map) => map
                .iter()
                .map(|(name, inner)| (name.clone(), part(&escape(name), inner)))
                .collect(),
            _ => Value::Null,
        }
    }

    /// Normalises properties. Those that are not sent or received keep their flag, and `remove_hidden` drops them at the end.
    fn properties(
        &mut self,
        value: &'a Value,
        source: &str,
        at: &str,
        direction: Direction,
    ) -> Value {
        let hidden = match direction {
            Direction::Request => "readOnly",
            Direction::Response => "writeOnly",
        };
        let mut properties = Map::new();
        for (name, property) in value.as_object().into_iter().flatten() {
            if self.exhausted() {
                break;
            }
            let token = escape(name);
            let place = format!("{at}/properties/{token}");
            let use_site = format!("{source}/{token}");
            let mut property = self.expand(property, &use_site, &place, direction);
            self.use_sites.entry(place).or_insert(use_site);
            // A later part of `allOf` may still mark the property as `readOnly` or `writeOnly`.
            if property.get(hidden) != Some(&json!(true)) {
                property.remove("readOnly");
                property.remove("writeOnly");
            }
            properties.insert(name.clone(), Value::Object(property));
        }
        Value::Object(properties)
    }
}
