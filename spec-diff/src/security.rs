//! Compares authentication: alternatives are compared by the definitions of their schemes.

use std::collections::BTreeMap;

use org_invitations_codegen::{Surface, escape};
use serde_json::{Map, Value, json};

use crate::{Class, Located, changes::Changes};

/// One alternative of authentication, which may combine several schemes.
struct AuthAlternative {
    schemes: Vec<Scheme>,
    /// The definitions and scopes of all schemes.
    value: Value,
}

struct Scheme {
    /// Where the document defines it.
    pointer: String,
    definition: Value,
    scopes: Value,
}

impl Changes<'_> {
    pub(super) fn security(&mut self, (old_at, old): Located, (new_at, new): Located) {
        let (old_at, new_at) = (format!("{old_at}/security"), format!("{new_at}/security"));
        let before = alternatives(self.old, &old_at, old);
        let mut after = alternatives(self.new, &new_at, new);
        let (had_any, has_any) = (!before.is_empty(), !after.is_empty());
        let mut removed = Vec::new();
        for (text, alternative) in before {
            if after.remove(&text).is_none() {
                removed.push(alternative);
            }
        }
        let mut added: BTreeMap<String, Vec<AuthAlternative>> = BTreeMap::new();
        for alternative in after.into_values() {
            added
                .entry(alternative.scheme_names())
                .or_default()
                .push(alternative);
        }
        for alternative in removed {
            // An alternative with the same names was redefined.
            if let Some(other) = added
                .get_mut(&alternative.scheme_names())
                .and_then(Vec::pop)
            {
                self.record_redefinition(alternative, other);
                continue;
            }
            let class = Class::breaking_if(has_any, Class::Additive);
            let message = "an alternative of authentication was removed";
            self.record(
                class,
                (&old_at, alternative.value),
                (&new_at, Value::Null),
                message,
            );
        }
        for alternative in added.into_values().flatten() {
            // The library does not authenticate where no alternative was listed before.
            let class = Class::breaking_if(!had_any, Class::Additive);
            let message = "an alternative of authentication was added";
            self.record(
                class,
                (&old_at, Value::Null),
                (&new_at, alternative.value),
                message,
            );
        }
    }

    fn record_redefinition(&mut self, before: AuthAlternative, after: AuthAlternative) {
        for (old, new) in before.schemes.into_iter().zip(after.schemes) {
            if old.definition != new.definition {
                let class = match canonical(&old.definition) == canonical(&new.definition) {
                    true => Class::Cosmetic,
                    false => Class::Breaking,
                };
                let message = "a security scheme was redefined";
                self.push(
                    class,
                    new.pointer,
                    (old.definition, new.definition),
                    message,
                );
            }
        }
    }
}

impl AuthAlternative {
    /// Returns the pointers and scopes of the schemes.
    fn scheme_names(&self) -> String {
        let schemes = self.schemes.iter();
        let names = schemes.map(|scheme| format!("{} {}", scheme.pointer, scheme.scopes));
        names.collect::<Vec<_>>().join(" ")
    }
}

/// Returns the alternatives of an operation by their definitions. An empty map stands for no authentication.
fn alternatives(
    surface: &Surface,
    at: &str,
    operation: &Value,
) -> BTreeMap<String, AuthAlternative> {
    let known = &surface.value()["components"]["securitySchemes"];
    let listed = operation["security"].as_array().into_iter().flatten();
    let alternative = |(index, alternative): (usize, &Value)| {
        let names = alternative.as_object().into_iter().flatten();
        let mut schemes: Vec<Scheme> = names
            .map(|(name, scopes)| Scheme {
                pointer: surface
                    .origin(&format!("{at}/{index}/{}", escape(name)))
                    .to_owned(),
                definition: known[name].clone(),
                scopes: scopes.clone(),
            })
            .collect();
        schemes.sort_by(|one, other| one.pointer.cmp(&other.pointer));
        let value: Map<String, Value> = alternative
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, scopes)| {
                let resolved = json!({ "scheme": known[name], "scopes": scopes });
                (name.clone(), resolved)
            })
            .collect();
        let mut definitions: Vec<String> = value.values().map(Value::to_string).collect();
        definitions.sort();
        let value = Value::Object(value);
        (definitions.join(" "), AuthAlternative { schemes, value })
    };
    listed.enumerate().map(alternative).collect()
}

/// Returns a scheme without keywords that only help people to use it.
fn canonical(scheme: &Value) -> Value {
    let Value::Object(map) = scheme else {
        return scheme.clone();
    };
    map.iter()
        .filter(|(key, _)| !["bearerFormat", "refreshUrl", "scopes"].contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), canonical(value)))
        .collect()
}
