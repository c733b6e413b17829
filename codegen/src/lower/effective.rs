//! The effective schema of a value: references are followed and parts are merged.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::document::{Document, escape};

/// References and parts are followed to this depth.
const MAX_DEPTH: usize = 64;

/// A node of a document with its pointer.
#[derive(Clone, Debug)]
pub(super) struct Located<'a> {
    pub document: usize,
    pub pointer: String,
    pub node: &'a Value,
}

impl<'a> Located<'a> {
    pub fn child(&self, token: &str, node: &'a Value) -> Self {
        Self {
            document: self.document,
            pointer: format!("{}/{}", self.pointer, escape(token)),
            node,
        }
    }

    /// Returns the schemas in the list under `keyword`.
    fn list(&self, keyword: &str) -> Vec<Self> {
        let list = self.node.get(keyword).and_then(Value::as_array);
        let holder = || format!("{}/{keyword}", self.pointer);
        let list = list.into_iter().flatten().enumerate();
        list.map(|(index, node)| Self {
            document: self.document,
            pointer: format!("{}/{index}", holder()),
            node,
        })
        .collect()
    }
}

/// What all schemas that apply to one value say about it.
#[derive(Debug, Default)]
pub(super) struct EffectiveSchema<'a> {
    pub types: BTreeSet<&'a str>,
    pub nullable: bool,
    pub format: Option<&'a str>,
    pub properties: Vec<(&'a str, Vec<Located<'a>>)>,
    pub required: BTreeSet<&'a str>,
    pub items: Vec<Located<'a>>,
    /// The schemas of additional properties.
    pub additional: Vec<Located<'a>>,
    /// The listed texts.
    pub values: Vec<&'a str>,
    /// Whether values other than texts are listed.
    pub has_other_values: bool,
    pub unions: Vec<Vec<Located<'a>>>,
    pub discriminator: Option<&'a str>,
    pub mapping: Vec<(&'a str, &'a str)>,
    pub docs: Vec<&'a str>,
    pub deprecated: bool,
    pub read_only: bool,
    pub write_only: bool,
    /// References that do not resolve.
    pub dangling: Vec<String>,
    visited: BTreeSet<String>,
    /// The number of schemas that were visited.
    pub cost: usize,
}

/// Resolves schemas of several documents.
#[derive(Clone, Copy)]
pub(super) struct SchemaResolver<'a> {
    pub documents: &'a [&'a Document],
}

impl<'a> SchemaResolver<'a> {
    pub fn effective(&self, schemas: &[Located<'a>]) -> EffectiveSchema<'a> {
        let mut effective = EffectiveSchema::default();
        for located in schemas {
            self.collect(located, &mut effective, 0, true);
        }
        effective
    }

    /// Follows a chain of references to its end.
    pub fn resolve(&self, located: &Located<'a>) -> Option<Located<'a>> {
        let document = self.documents[located.document];
        let (node, pointer) = document.resolve(located.node, &located.pointer)?;
        Some(Located {
            document: located.document,
            pointer,
            node,
        })
    }

    /// Adds a schema. `is_direct` is false for a schema that a reference leads to.
    fn collect(
        &self,
        located: &Located<'a>,
        effective: &mut EffectiveSchema<'a>,
        depth: usize,
        is_direct: bool,
    ) {
        effective.cost += 1 + located.pointer.len() / 256;
        if depth > MAX_DEPTH || !effective.visited.insert(located.pointer.clone()) {
            return;
        }
        let Some(node) = located.node.as_object() else {
            return;
        };
        if let Some(Value::String(text)) = node.get("description") {
            effective.docs.push(text);
        }
        let is = |flag: &str| node.get(flag) == Some(&Value::Bool(true));
        effective.nullable |= is("nullable");
        effective.deprecated |= is_direct && is("deprecated");
        effective.read_only |= is("readOnly");
        effective.write_only |= is("writeOnly");
        if let Some(reference) = node.get("$ref") {
            let text = reference.as_str().unwrap_or_default();
            match self.documents[located.document].target(text) {
                Some((target, pointer)) => {
                    let target = Located {
                        document: located.document,
                        pointer,
                        node: target,
                    };
                    self.collect(&target, effective, depth + 1, false);
                }
                None => effective.dangling.push(text.to_owned()),
            }
        }
        match node.get("type") {
            Some(Value::String(name)) => effective.add_type(name),
            Some(Value::Array(names)) => names
                .iter()
                .filter_map(Value::as_str)
                .for_each(|name| effective.add_type(name)),
            _ => {}
        }
        if let Some(Value::String(format)) = node.get("format") {
            effective.format = effective.format.or(Some(format));
        }
        for keyword in ["enum", "x-extensible-enum"] {
            for value in node
                .get(keyword)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                effective.add_value(value);
            }
        }
        if let Some(value) = node.get("const") {
            effective.add_value(value);
        }
        for name in node
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            effective.required.extend(name.as_str());
        }
        for (name, property) in node
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let site = Located {
                document: located.document,
                pointer: format!("{}/properties/{}", located.pointer, escape(name)),
                node: property,
            };
            match effective
                .properties
                .iter_mut()
                .find(|(known, _)| known == name)
            {
                Some((_, schemas)) => schemas.push(site),
                None => effective.properties.push((name, vec![site])),
            }
        }
        if let Some(items) = node.get("items").filter(|items| items.is_object()) {
            effective.items.push(located.child("items", items));
        }
        if let Some(more) = node.get("additionalProperties") {
            let says_something = more.as_object().is_some_and(|more| !more.is_empty());
            if says_something {
                effective
                    .additional
                    .push(located.child("additionalProperties", more));
            }
        }
        if let Some(discriminator) = node.get("discriminator") {
            effective.discriminator = effective
                .discriminator
                .or(discriminator["propertyName"].as_str());
            let mapping = discriminator["mapping"].as_object().into_iter().flatten();
            effective.mapping.extend(
                mapping.filter_map(|(value, target)| Some((value.as_str(), target.as_str()?))),
            );
        }
        for part in located.list("allOf") {
            self.collect(&part, effective, depth + 1, is_direct);
        }
        for keyword in ["oneOf", "anyOf"] {
            let mut parts = located.list(keyword);
            if parts.is_empty() {
                continue;
            }
            let count = parts.len();
            parts.retain(|part| !self.is_null(part));
            effective.nullable |= parts.len() < count;
            match parts.as_slice() {
                [] => {}
                [one] => self.collect(one, effective, depth + 1, is_direct),
                _ => effective.unions.push(parts),
            }
        }
    }

    fn is_null(&self, located: &Located<'a>) -> bool {
        self.resolve(located).is_some_and(|located| {
            let node = located.node;
            node["type"] == "null"
                || node["type"] == serde_json::json!(["null"])
                || node["enum"] == serde_json::json!([null])
                || node.get("const") == Some(&Value::Null)
        })
    }

    /// Returns the schema that `located` stands for, if `located` is only a reference, or a combinator of one part without
    /// structure of its own. In a request, `required` counts as structure.
    pub fn definition(&self, located: Located<'a>, in_request: bool) -> Located<'a> {
        let mut located = located;
        for _ in 0..MAX_DEPTH {
            match self.referenced_definition(&located, in_request) {
                Some(next) => located = next,
                None => break,
            }
        }
        located
    }

    fn referenced_definition(
        &self,
        located: &Located<'a>,
        in_request: bool,
    ) -> Option<Located<'a>> {
        if located.node.get("$ref").is_some() && !is_structure(located.node, in_request) {
            let reference = located.node["$ref"].as_str()?;
            let (node, pointer) = self.documents[located.document].target(reference)?;
            return Some(Located {
                document: located.document,
                pointer,
                node,
            });
        }
        if is_structure(located.node, in_request) {
            return None;
        }
        for keyword in ["allOf", "oneOf", "anyOf"] {
            if located.node.get(keyword).is_none() {
                continue;
            }
            let mut parts = located.list(keyword);
            match keyword {
                "allOf" => {
                    let count = parts.len();
                    parts.retain(|part| has_structure(part.node, in_request));
                    if parts.is_empty() && count > 0 {
                        parts = located.list(keyword);
                        parts.retain(|part| part.node.get("type").is_some());
                    }
                }
                _ => parts.retain(|part| !self.is_null(part)),
            }
            let mut others = ["allOf", "oneOf", "anyOf"]
                .into_iter()
                .filter(|other| *other != keyword);
            let alone = others.all(|other| located.node.get(other).is_none());
            return (alone && parts.len() == 1).then(|| parts.remove(0));
        }
        None
    }
}

/// Whether a schema has structure of its own, apart from references and parts.
fn is_structure(node: &Value, in_request: bool) -> bool {
    let Some(node) = node.as_object() else {
        return false;
    };
    let says = |keyword: &str| node.contains_key(keyword);
    ["properties", "items", "enum", "const", "x-extensible-enum"]
        .into_iter()
        .any(says)
        || node
            .get("additionalProperties")
            .is_some_and(|more| !more.is_boolean())
        || in_request
            && node
                .get("required")
                .and_then(Value::as_array)
                .is_some_and(|names| !names.is_empty())
}

/// Whether a schema has structure, of its own or by references or parts.
fn has_structure(node: &Value, in_request: bool) -> bool {
    is_structure(node, in_request)
        || ["$ref", "allOf", "oneOf", "anyOf"]
            .into_iter()
            .any(|keyword| node.get(keyword).is_some())
}

impl<'a> EffectiveSchema<'a> {
    fn add_type(&mut self, name: &'a str) {
        if name == "null" {
            self.nullable = true;
        } else {
            self.types.insert(name);
        }
    }

    fn add_value(&mut self, value: &'a Value) {
        match value {
            Value::String(text) if !self.values.contains(&text.as_str()) => self.values.push(text),
            Value::Null => self.nullable = true,
            Value::String(_) => {}
            _ => self.has_other_values = true,
        }
    }

    /// Whether the value is one of several texts.
    pub fn is_enum(&self) -> bool {
        let text = self.is_only("string") || self.types.is_empty() && !self.has_other_values;
        text && !self.values.is_empty()
    }

    pub fn is_only(&self, name: &str) -> bool {
        self.types.len() == 1 && self.types.contains(name)
    }
}
