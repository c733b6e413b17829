//! Normalises authentication: schemes are named by what they are, not by their names in the document.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::operation::OperationNormalizer;
use crate::{document::escape, schema::estimated_bytes};

/// A security scheme that some operation requires.
pub(super) struct Scheme {
    /// The name in the normalised document.
    name: String,
    definition: Value,
}

impl<'a> OperationNormalizer<'a> {
    /// Collects and names every scheme that one of `operations` requires.
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
        let mut names_by_definition = BTreeMap::new();
        for name in required {
            let pointer = scheme_pointer(name);
            let scheme = root.pointer(&pointer);
            let resolved = scheme.and_then(|scheme| self.document.resolve(scheme, &pointer));
            if let Some((scheme, _)) = resolved
                && self.schema_normalizer.spend(estimated_bytes(scheme))
            {
                let definition = canonical(scheme);
                let names: &mut Vec<&str> = names_by_definition
                    .entry(definition.to_string())
                    .or_default();
                names.push(name);
                self.schemes.insert(
                    name,
                    Scheme {
                        name: scheme_name(&definition),
                        definition,
                    },
                );
            }
        }
        // Schemes of one kind are numbered, in the order of their definitions.
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for names in names_by_definition.into_values() {
            let Some(first) = names.first().and_then(|name| self.schemes.get(name)) else {
                continue;
            };
            let kind = first.name.clone();
            let count = counts.entry(kind.clone()).or_default();
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

    /// Returns the schemes of the normalised document.
    pub(super) fn schemes(&self) -> Value {
        let schemes = self.schemes.values();
        schemes
            .map(|scheme| (scheme.name.clone(), scheme.definition.clone()))
            .collect()
    }

    /// Normalises the alternatives of authentication, and sorts them.
    pub(super) fn security(&mut self, requirements: &'a Value, at: &str) -> Value {
        let mut alternatives = Vec::new();
        for requirement in requirements.as_array().into_iter().flatten() {
            if !self.schema_normalizer.spend(estimated_bytes(requirement)) {
                break;
            }
            let mut alternative = Map::new();
            let mut pointers = Vec::new();
            for (name, scopes) in requirement.as_object().into_iter().flatten() {
                let named = match self.schemes.get(name.as_str()) {
                    Some(scheme) => {
                        // A comparison resolves the schemes of each alternative.
                        if !self
                            .schema_normalizer
                            .spend(estimated_bytes(&scheme.definition))
                        {
                            break;
                        }
                        &scheme.name
                    }
                    None => name,
                };
                alternative.insert(named.clone(), scopes.clone());
                pointers.push((named.clone(), scheme_pointer(name)));
            }
            alternatives.push((Value::Object(alternative), pointers));
        }
        alternatives.sort_by_cached_key(|(alternative, _)| alternative.to_string());
        for (index, (_, pointers)) in alternatives.iter().enumerate() {
            for (name, pointer) in pointers {
                let normal_pointer = format!("{at}/{index}/{}", escape(name));
                self.schema_normalizer
                    .record_origin(&normal_pointer, pointer);
            }
        }
        alternatives
            .into_iter()
            .map(|(alternative, _)| alternative)
            .collect()
    }
}

fn scheme_pointer(name: &str) -> String {
    format!("/components/securitySchemes/{}", escape(name))
}

/// Returns a security scheme without its descriptions.
fn canonical(scheme: &Value) -> Value {
    let Value::Object(map) = scheme else {
        return scheme.clone();
    };
    let said = map
        .iter()
        .filter(|(key, _)| *key != "description" && !key.starts_with("x-"));
    let entry = |(key, value): (&String, &Value)| {
        let value = match (key.as_str(), value) {
            // The names of HTTP schemes are case-insensitive.
            ("scheme", Value::String(name)) => json!(name.to_ascii_lowercase()),
            // The names of scopes are kept, and their descriptions dropped.
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
