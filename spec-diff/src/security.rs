//! Authentication: each way by what it is, with its schemes spelt out.

use std::collections::BTreeMap;

use org_invitations_codegen::{Surface, escape};
use serde_json::{Map, Value, json};

use crate::{Class, Placed, changes::Changes};

/// One way to authenticate: every scheme that it takes.
struct Way {
    schemes: Vec<Scheme>,
    /// All that it means.
    value: Value,
}

struct Scheme {
    /// Where the document defines it.
    pointer: String,
    meaning: Value,
    scopes: Value,
}

impl Changes<'_> {
    pub(super) fn security(&mut self, (old_at, old): Placed, (new_at, new): Placed) {
        let (old_at, new_at) = (format!("{old_at}/security"), format!("{new_at}/security"));
        let before = ways(self.old, &old_at, old);
        let mut after = ways(self.new, &new_at, new);
        let (had_any, has_any) = (!before.is_empty(), !after.is_empty());
        let mut gone = Vec::new();
        for (text, way) in before {
            if after.remove(&text).is_none() {
                gone.push(way);
            }
        }
        let mut added: BTreeMap<String, Vec<Way>> = BTreeMap::new();
        for way in after.into_values() {
            added.entry(way.named()).or_default().push(way);
        }
        for way in gone {
            // The same schemes by their names: one of them is another one now.
            if let Some(other) = added.get_mut(&way.named()).and_then(Vec::pop) {
                self.redefined(way, other);
                continue;
            }
            let class = Class::breaking_if(has_any, Class::Additive);
            let what = "a way to authenticate is gone";
            self.record(class, (&old_at, way.value), (&new_at, Value::Null), what);
        }
        for way in added.into_values().flatten() {
            // Where there was no need to, the library does not authenticate.
            let class = Class::breaking_if(!had_any, Class::Additive);
            let what = "there is a new way to authenticate";
            self.record(class, (&old_at, Value::Null), (&new_at, way.value), what);
        }
    }

    fn redefined(&mut self, before: Way, after: Way) {
        for (old, new) in before.schemes.into_iter().zip(after.schemes) {
            if old.meaning != new.meaning {
                let class = match told_apart(&old.meaning) == told_apart(&new.meaning) {
                    true => Class::Cosmetic,
                    false => Class::Breaking,
                };
                let what = "a way to authenticate means something else";
                self.push(class, new.pointer, (old.meaning, new.meaning), what);
            }
        }
    }
}

impl Way {
    /// What the document calls it.
    fn named(&self) -> String {
        let schemes = self.schemes.iter();
        let named = schemes.map(|scheme| format!("{} {}", scheme.pointer, scheme.scopes));
        named.collect::<Vec<_>>().join(" ")
    }
}

/// The ways of an operation by all that they mean; none is no need to authenticate.
fn ways(surface: &Surface, at: &str, operation: &Value) -> BTreeMap<String, Way> {
    let known = &surface.value()["components"]["securitySchemes"];
    let listed = operation["security"].as_array().into_iter().flatten();
    let way = |(index, way): (usize, &Value)| {
        let named = way.as_object().into_iter().flatten();
        let mut schemes: Vec<Scheme> = named
            .map(|(name, scopes)| Scheme {
                pointer: surface
                    .origin(&format!("{at}/{index}/{}", escape(name)))
                    .to_owned(),
                meaning: known[name].clone(),
                scopes: scopes.clone(),
            })
            .collect();
        schemes.sort_by(|one, other| one.pointer.cmp(&other.pointer));
        let value: Map<String, Value> = way
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, scopes)| {
                let spelt = json!({ "scheme": known[name], "scopes": scopes });
                (name.clone(), spelt)
            })
            .collect();
        let mut meant: Vec<String> = value.values().map(Value::to_string).collect();
        meant.sort();
        let value = Value::Object(value);
        (meant.join(" "), Way { schemes, value })
    };
    listed.enumerate().map(way).collect()
}

/// A scheme without what only helps people to use it.
fn told_apart(scheme: &Value) -> Value {
    let Value::Object(map) = scheme else {
        return scheme.clone();
    };
    map.iter()
        .filter(|(key, _)| !["bearerFormat", "refreshUrl", "scopes"].contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), told_apart(value)))
        .collect()
}
