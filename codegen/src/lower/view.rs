//! What a schema says once its references are followed and its parts are merged.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::document::{Document, escape};

/// Nesting of references and parts beyond this is not followed.
const MAX_DEPTH: usize = 64;

/// A schema of a document.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    pub document: usize,
    pub pointer: String,
    pub node: &'a Value,
}

impl<'a> Place<'a> {
    pub fn child(&self, token: &str, node: &'a Value) -> Self {
        Self {
            document: self.document,
            pointer: format!("{}/{}", self.pointer, escape(token)),
            node,
        }
    }

    /// The schemas in the list under `keyword`.
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

/// One value, as all schemas say that apply to it.
#[derive(Debug, Default)]
pub(super) struct View<'a> {
    pub types: BTreeSet<&'a str>,
    pub nullable: bool,
    pub format: Option<&'a str>,
    pub properties: Vec<(&'a str, Vec<Place<'a>>)>,
    pub required: BTreeSet<&'a str>,
    pub items: Vec<Place<'a>>,
    /// The schema of further properties.
    pub additional: Vec<Place<'a>>,
    /// The values of its set.
    pub values: Vec<&'a str>,
    /// Whether there are values that are no texts.
    pub more_values: bool,
    pub unions: Vec<Vec<Place<'a>>>,
    pub tag: Option<&'a str>,
    pub mapping: Vec<(&'a str, &'a str)>,
    pub words: Vec<&'a str>,
    pub deprecated: bool,
    pub read_only: bool,
    pub write_only: bool,
    /// References that lead nowhere.
    pub dangling: Vec<String>,
    visited: BTreeSet<String>,
    /// How many schemas were looked at.
    pub cost: usize,
}

/// Reads schemas of several documents.
#[derive(Clone, Copy)]
pub(super) struct Viewer<'a> {
    pub documents: &'a [&'a Document],
}

impl<'a> Viewer<'a> {
    pub fn view(&self, places: &[Place<'a>]) -> View<'a> {
        let mut view = View::default();
        for place in places {
            self.gather(place, &mut view, 0, true);
        }
        view
    }

    /// The end of a chain of references.
    pub fn resolve(&self, place: &Place<'a>) -> Option<Place<'a>> {
        let document = self.documents[place.document];
        let (node, pointer) = document.resolve(place.node, &place.pointer)?;
        Some(Place {
            document: place.document,
            pointer,
            node,
        })
    }

    /// `here` is what is said at the place itself, and not of something that it refers to.
    fn gather(&self, place: &Place<'a>, view: &mut View<'a>, depth: usize, here: bool) {
        view.cost += 1 + place.pointer.len() / 256;
        if depth > MAX_DEPTH || !view.visited.insert(place.pointer.clone()) {
            return;
        }
        let Some(node) = place.node.as_object() else {
            return;
        };
        if let Some(Value::String(text)) = node.get("description") {
            view.words.push(text);
        }
        let is = |flag: &str| node.get(flag) == Some(&Value::Bool(true));
        view.nullable |= is("nullable");
        view.deprecated |= here && is("deprecated");
        view.read_only |= is("readOnly");
        view.write_only |= is("writeOnly");
        if let Some(reference) = node.get("$ref") {
            let text = reference.as_str().unwrap_or_default();
            match self.documents[place.document].target(text) {
                Some((target, pointer)) => {
                    let target = Place {
                        document: place.document,
                        pointer,
                        node: target,
                    };
                    self.gather(&target, view, depth + 1, false);
                }
                None => view.dangling.push(text.to_owned()),
            }
        }
        match node.get("type") {
            Some(Value::String(name)) => view.typed(name),
            Some(Value::Array(names)) => names
                .iter()
                .filter_map(Value::as_str)
                .for_each(|name| view.typed(name)),
            _ => {}
        }
        if let Some(Value::String(format)) = node.get("format") {
            view.format = view.format.or(Some(format));
        }
        for keyword in ["enum", "x-extensible-enum"] {
            for value in node
                .get(keyword)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                view.value(value);
            }
        }
        if let Some(value) = node.get("const") {
            view.value(value);
        }
        for name in node
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            view.required.extend(name.as_str());
        }
        for (name, property) in node
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let site = Place {
                document: place.document,
                pointer: format!("{}/properties/{}", place.pointer, escape(name)),
                node: property,
            };
            match view.properties.iter_mut().find(|(known, _)| known == name) {
                Some((_, places)) => places.push(site),
                None => view.properties.push((name, vec![site])),
            }
        }
        if let Some(items) = node.get("items").filter(|items| items.is_object()) {
            view.items.push(place.child("items", items));
        }
        if let Some(more) = node.get("additionalProperties") {
            let says_something = more.as_object().is_some_and(|more| !more.is_empty());
            if says_something {
                view.additional
                    .push(place.child("additionalProperties", more));
            }
        }
        if let Some(discriminator) = node.get("discriminator") {
            view.tag = view.tag.or(discriminator["propertyName"].as_str());
            let mapping = discriminator["mapping"].as_object().into_iter().flatten();
            view.mapping.extend(
                mapping.filter_map(|(value, target)| Some((value.as_str(), target.as_str()?))),
            );
        }
        for part in place.list("allOf") {
            self.gather(&part, view, depth + 1, here);
        }
        for keyword in ["oneOf", "anyOf"] {
            let mut parts = place.list(keyword);
            if parts.is_empty() {
                continue;
            }
            let count = parts.len();
            parts.retain(|part| !self.is_null(part));
            view.nullable |= parts.len() < count;
            match parts.as_slice() {
                [] => {}
                [one] => self.gather(one, view, depth + 1, here),
                _ => view.unions.push(parts),
            }
        }
    }

    fn is_null(&self, place: &Place<'a>) -> bool {
        self.resolve(place).is_some_and(|place| {
            let node = place.node;
            node["type"] == "null"
                || node["type"] == serde_json::json!(["null"])
                || node["enum"] == serde_json::json!([null])
                || node.get("const") == Some(&Value::Null)
        })
    }

    /// The schema that `place` stands for, when it only mentions it: a reference, or a part beside which
    /// nothing is said of the structure. In a request, what is required is structure.
    pub fn definition(&self, place: Place<'a>, sent: bool) -> Place<'a> {
        let mut place = place;
        for _ in 0..MAX_DEPTH {
            match self.mentioned(&place, sent) {
                Some(next) => place = next,
                None => break,
            }
        }
        place
    }

    fn mentioned(&self, place: &Place<'a>, sent: bool) -> Option<Place<'a>> {
        if place.node.get("$ref").is_some() && !is_structure(place.node, sent) {
            let reference = place.node["$ref"].as_str()?;
            let (node, pointer) = self.documents[place.document].target(reference)?;
            return Some(Place {
                document: place.document,
                pointer,
                node,
            });
        }
        if is_structure(place.node, sent) {
            return None;
        }
        for keyword in ["allOf", "oneOf", "anyOf"] {
            if place.node.get(keyword).is_none() {
                continue;
            }
            let mut parts = place.list(keyword);
            match keyword {
                "allOf" => {
                    let count = parts.len();
                    parts.retain(|part| says_structure(part.node, sent));
                    if parts.is_empty() && count > 0 {
                        parts = place.list(keyword);
                        parts.retain(|part| part.node.get("type").is_some());
                    }
                }
                _ => parts.retain(|part| !self.is_null(part)),
            }
            let mut others = ["allOf", "oneOf", "anyOf"]
                .into_iter()
                .filter(|other| *other != keyword);
            let alone = others.all(|other| place.node.get(other).is_none());
            return (alone && parts.len() == 1).then(|| parts.remove(0));
        }
        None
    }
}

/// Whether a schema says something of the structure itself, beside its references and parts.
fn is_structure(node: &Value, sent: bool) -> bool {
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
        || sent
            && node
                .get("required")
                .and_then(Value::as_array)
                .is_some_and(|names| !names.is_empty())
}

/// As [`is_structure`], or by its references or parts.
fn says_structure(node: &Value, sent: bool) -> bool {
    is_structure(node, sent)
        || ["$ref", "allOf", "oneOf", "anyOf"]
            .into_iter()
            .any(|keyword| node.get(keyword).is_some())
}

impl<'a> View<'a> {
    fn typed(&mut self, name: &'a str) {
        if name == "null" {
            self.nullable = true;
        } else {
            self.types.insert(name);
        }
    }

    fn value(&mut self, value: &'a Value) {
        match value {
            Value::String(text) if !self.values.contains(&text.as_str()) => self.values.push(text),
            Value::Null => self.nullable = true,
            Value::String(_) => {}
            _ => self.more_values = true,
        }
    }

    /// Whether it is one of several texts.
    pub fn is_set(&self) -> bool {
        let text = self.is_only("string") || self.types.is_empty() && !self.more_values;
        text && !self.values.is_empty()
    }

    pub fn is_only(&self, name: &str) -> bool {
        self.types.len() == 1 && self.types.contains(name)
    }
}
