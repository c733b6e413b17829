//! Authentication by what the schemes are, whatever a document calls them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::operation::OperationNormalizer;
use crate::{document::escape, schema::estimated_bytes};

/// A security scheme that some operation requires.
pub(super) struct Scheme {
    /// What the normalised document calls it.
    name: String,
    meaning: Value,
}

impl<'a> OperationNormalizer<'a> {
    /// Names every scheme that one of `operations` requires.
    pub(super) fn collect_schemes(&mut self, operations: impl Iterator<Item = &'a Value>) {
        let root = self.document.root();
        let common = root.get("security");
        let required: BTreeSet<&'a str> = operations
            .filter_map(|operation| operation.get("security").or(common))
            .filter_map(Value::as_array)
            .flatten()
            .filter_map(Value::as_object)
            .flat_map(|requirement| requirement.keys().map(String::as_str))
            .collect();
        let mut meanings = BTreeMap::new();
        for name in required {
            let pointer = scheme_pointer(name);
            let scheme = root.pointer(&pointer);
            let resolved = scheme.and_then(|scheme| self.document.resolve(scheme, &pointer));
            if let Some((scheme, _)) = resolved
                && self.schemas.spend(estimated_bytes(scheme))
            {
                let meaning = canonical(scheme);
                let names: &mut Vec<&str> = meanings.entry(meaning.to_string()).or_default();
                names.push(name);
                self.schemes.insert(
                    name,
                    Scheme {
                        name: scheme_name(&meaning),
                        meaning,
                    },
                );
            }
        }
        // Schemes of one kind are told apart by a number, in the order of what they are.
        let mut taken: BTreeMap<String, u32> = BTreeMap::new();
        for names in meanings.into_values() {
            let Some(first) = names.first().and_then(|name| self.schemes.get(name)) else {
                continue;
            };
            let kind = first.name.clone();
            let count = taken.entry(kind.clone()).or_default();
            *count += 1;
            if *count > 1 {
                let numbered = format!("{kind}-{count}");
                for name in names {
                    if let Some(scheme) = self.schemes.get_mut(name) {
                        scheme.name.clone_from(&numbered);
                    }
                }
            }
        }
    }

    /// The schemes of the normalised document.
    pub(super) fn schemes(&self) -> Value {
        let schemes = self.schemes.values();
        schemes
            .map(|scheme| (scheme.name.clone(), scheme.meaning.clone()))
            .collect()
    }

    /// The ways to authenticate, in an order of their own.
    pub(super) fn security(&mut self, requirements: &'a Value, at: &str) -> Value {
        let mut ways = Vec::new();
        for requirement in requirements.as_array().into_iter().flatten() {
            if !self.schemas.spend(estimated_bytes(requirement)) {
                break;
            }
            let mut way = Map::new();
            let mut pointers = Vec::new();
            for (name, scopes) in requirement.as_object().into_iter().flatten() {
                let named = match self.schemes.get(name.as_str()) {
                    Some(scheme) => {
                        // Each way is compared with its schemes spelt out.
                        if !self.schemas.spend(estimated_bytes(&scheme.meaning)) {
                            break;
                        }
                        &scheme.name
                    }
                    None => name,
                };
                way.insert(named.clone(), scopes.clone());
                pointers.push((named.clone(), scheme_pointer(name)));
            }
            ways.push((Value::Object(way), pointers));
        }
        ways.sort_by_cached_key(|(way, _)| way.to_string());
        for (index, (_, pointers)) in ways.iter().enumerate() {
            for (name, pointer) in pointers {
                let place = format!("{at}/{index}/{}", escape(name));
                self.schemas.record_origin(&place, pointer);
            }
        }
        ways.into_iter().map(|(way, _)| way).collect()
    }
}

fn scheme_pointer(name: &str) -> String {
    format!("/components/securitySchemes/{}", escape(name))
}

/// A security scheme without its descriptions.
fn canonical(scheme: &Value) -> Value {
    let Value::Object(map) = scheme else {
        return scheme.clone();
    };
    let said = map
        .iter()
        .filter(|(key, _)| *key != "description" && !key.starts_with("x-"));
    let entry = |(key, value): (&String, &Value)| {
        let value = match (key.as_str(), value) {
            // The names of HTTP schemes have no case.
            ("scheme", Value::String(name)) => json!(name.to_ascii_lowercase()),
            // What a scope is called counts, not what it is said to be for.
            ("scopes", Value::Object(scopes)) => scopes
                .keys()
                .map(|name| (name.clone(), json!("")))
                .collect(),
            _ => canonical(value),
        };
        (key.clone(), value)
    };
    said.map(entry).collect()
}

fn scheme_name(scheme: &Value) -> String {
    let text = |key: &str| {
        scheme[key]
            .as_str()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    match text("type").as_str() {
        "http" => text("scheme"),
        "apikey" => format!("{}-{}", text("in"), text("name")),
        other => other.to_owned(),
    }
}
