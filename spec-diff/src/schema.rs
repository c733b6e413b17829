//! Compares schemas, depending on the direction in which values are sent.
//!
//! In a request a narrower schema breaks the library, because values that were accepted no longer are. In a response a
//! wider schema might, because new values arrive; but the library reads responses tolerantly (open enumerations, optional
//! properties), so that only changes of required parts break it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use org_invitations_codegen::{
    Direction,
    api::{Field, Kind, Need, Object},
    escape,
};
use serde_json::{Map, Value, json};

use crate::{
    Class, Located,
    changes::Changes,
    paging::{RESPONSE, is_next_page_property},
};

/// Keywords other than `properties` whose schemas describe values within the value.
const NESTED: [&str; 4] = [
    "items",
    "additionalProperties",
    "patternProperties",
    "prefixItems",
];

/// Compares schemas of one direction.
pub(super) struct SchemaDiff<'d, 'a> {
    changes: &'d mut Changes<'a>,
    direction: Direction,
}

impl<'d, 'a> SchemaDiff<'d, 'a> {
    pub(super) fn new(changes: &'d mut Changes<'a>, direction: Direction) -> Self {
        Self { changes, direction }
    }

    /// Compares a whole body, of which the library uses the properties of `object`.
    pub(super) fn body(
        &mut self,
        old: Located,
        new: Located,
        label: &str,
        object: Option<&Object>,
    ) {
        self.keywords(old, new, label, Need::Required);
        self.nested(
            old,
            new,
            label,
            object.map(|object| object.fields.as_slice()),
            None,
        );
    }

    /// Compares the schemas of a value, of which the library expects `kind`.
    pub(super) fn schema(
        &mut self,
        old: Located,
        new: Located,
        label: &str,
        kind: Option<&Kind>,
        need: Need,
    ) {
        self.keywords(old, new, label, need);
        let (fields, item) = match kind {
            Some(Kind::Object(object)) => (Some(object.fields.as_slice()), None),
            Some(Kind::Nested(fields)) => (Some(fields.as_slice()), None),
            Some(Kind::Array(item)) => (None, Some(&**item)),
            _ => (None, None),
        };
        self.nested(old, new, label, fields, item);
    }

    fn nested(
        &mut self,
        (old_at, old): Located,
        (new_at, new): Located,
        label: &str,
        fields: Option<&[Field]>,
        item: Option<&Kind>,
    ) {
        self.properties(
            (old_at, old),
            (new_at, new),
            label,
            fields.unwrap_or_default(),
        );
        let (before, after) = (nested_schemas(old), nested_schemas(new));
        let tails: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for tail in tails {
            let is_items = tail == "items";
            match (before.get(tail), after.get(tail)) {
                (Some(before), Some(after)) => {
                    let label = match is_items {
                        true => format!("each item of {label}"),
                        false => format!("`{tail}` of {label}"),
                    };
                    let (old_at, new_at) = (format!("{old_at}/{tail}"), format!("{new_at}/{tail}"));
                    let item = item.filter(|_| is_items);
                    let (before, after) = ((&*old_at, *before), (&*new_at, *after));
                    self.schema(before, after, &label, item, Need::Required);
                }
                (before, after) => {
                    // In a closed object, no such values were or will be sent.
                    let closed = [old, new].iter().any(|it| it[tail.as_str()] == false);
                    let class = Class::breaking_if(!closed, Class::Cosmetic);
                    let message = format!("`{tail}` of {label} changed");
                    let (before, after) = (json!(before), json!(after));
                    self.changes
                        .record(class, (old_at, before), (new_at, after), message);
                }
            }
        }
    }

    fn properties(
        &mut self,
        (old_at, old): Located,
        (new_at, new): Located,
        label: &str,
        fields: &[Field],
    ) {
        let none = Map::new();
        let before = old["properties"].as_object().unwrap_or(&none);
        let after = new["properties"].as_object().unwrap_or(&none);
        let (was_required, is_required) = (required(old), required(new));
        let pointer = |at: &str, name: &str| format!("{at}/properties/{}", escape(name));
        for (name, property) in before {
            let field = fields.iter().find(|field| field.name == *name);
            let at = pointer(old_at, name);
            let Some(counterpart) = after.get(name) else {
                // The library sends only its own fields, but its users may read every property of a response.
                let escape_control = self.direction == Direction::Request && field.is_none();
                let class = Class::breaking_if(!escape_control, Class::Cosmetic);
                let message = format!("the property `{name}` of {label} was removed");
                let before = (&*at, property.clone());
                self.changes
                    .record(class, before, (new_at, Value::Null), message);
                continue;
            };
            let new_at = pointer(new_at, name);
            let (old_required, new_required) = (
                was_required.contains(&**name),
                is_required.contains(&**name),
            );
            if old_required != new_required {
                let class = self.requirement(new_required, field);
                let message = format!("the requirement of `{name}` of {label} changed");
                // The finding points to the property and not to the list of required names.
                self.changes.record_at(
                    true,
                    class,
                    (&at, json!({ "required": old_required })),
                    (&new_at, json!({ "required": new_required })),
                    message,
                );
            }
            let label = format!("`{name}` of {label}");
            let need = field.map_or(Need::Optional, |field| field.need);
            let kind = field.map(|field| &field.kind);
            self.schema((&at, property), (&new_at, counterpart), &label, kind, need);
        }
        self.required_only((old_at, old), (new_at, new), label);
        for (name, property) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
            let at = pointer(new_at, name);
            let mut essential = fields.iter().filter(|field| field.need == Need::Required);
            let sent = essential.any(|field| field.name == *name);
            let required = is_required.contains(&**name);
            let needs_unsent = self.direction == Direction::Request && required && !sent;
            let pages = self.direction == Direction::Response
                && self.changes.reads_whole_list
                && label == RESPONSE
                && is_next_page_property(name);
            let class = Class::breaking_if(needs_unsent || pages, Class::Additive);
            let behaviour = if pages {
                "; the list may come in pages now"
            } else {
                ""
            };
            let message = format!("the property `{name}` of {label} was added{behaviour}");
            let after = (&*at, property.clone());
            self.changes
                .record(class, (old_at, Value::Null), after, message);
        }
    }

    /// Compares required names without a described property.
    fn required_only(&mut self, (old_at, old): Located, (new_at, new): Located, label: &str) {
        let described = |schema: &Value, name: &str| schema["properties"].get(name).is_some();
        let request = self.direction == Direction::Request;
        let (before, after) = (required(old), required(new));
        let newly = |name: &&&str| !described(new, name);
        for name in after.difference(&before).filter(newly) {
            let class = Class::breaking_if(request, Class::Cosmetic);
            let message = format!("\"{name}\" of {label} is required, though it is not described");
            let after = json!({ "required": name });
            self.changes
                .record(class, (old_at, Value::Null), (new_at, after), message);
        }
        let no_longer = |name: &&&str| !described(old, name);
        for name in before.difference(&after).filter(no_longer) {
            let class = if request {
                Class::Additive
            } else {
                Class::Cosmetic
            };
            let message = format!("\"{name}\" of {label} is no longer required");
            let before = json!({ "required": name });
            self.changes
                .record(class, (old_at, before), (new_at, Value::Null), message);
        }
    }

    /// Classifies a property that became required, or no longer is.
    fn requirement(&self, is_required: bool, field: Option<&Field>) -> Class {
        let essential = field.is_some_and(|field| field.need == Need::Required);
        match (self.direction, is_required) {
            // The library always sends the property.
            (Direction::Request, true) if essential => Class::Cosmetic,
            (Direction::Request, true) => Class::Breaking,
            (Direction::Request, false) => Class::Additive,
            (Direction::Response, true) => Class::Cosmetic,
            (Direction::Response, false) if essential => Class::Breaking,
            (Direction::Response, false) => Class::Additive,
        }
    }

    /// Compares the keywords of the value itself.
    fn keywords(
        &mut self,
        (old_at, old): Located,
        (new_at, new): Located,
        label: &str,
        need: Need,
    ) {
        let mut keywords: Vec<&String> = [old, new]
            .into_iter()
            .filter_map(Value::as_object)
            .flat_map(|map| map.keys())
            .collect();
        keywords.sort();
        keywords.dedup();
        for keyword in keywords {
            let (before, after) = (&old[keyword], &new[keyword]);
            // Nested schemas are compared on their own, except for a boolean that closes an object.
            let apart = ["properties", "required"].contains(&keyword.as_str())
                || NESTED.contains(&keyword.as_str())
                    && [before, after]
                        .iter()
                        .any(|it| it.is_object() || it.is_array());
            if apart || before == after {
                continue;
            }
            let class = self.keyword(keyword, before, after, need);
            let message = format!("`{keyword}` of {label} changed");
            // Findings of these keywords point to the use of a schema, the others to its definition.
            let at_use = ["nullable", "deprecated"].contains(&keyword.as_str());
            self.changes.record_at(
                at_use,
                class,
                (old_at, json!({ keyword.as_str(): before })),
                (new_at, json!({ keyword.as_str(): after })),
                message,
            );
        }
    }

    fn keyword(&self, keyword: &str, before: &Value, after: &Value, need: Need) -> Class {
        let request = self.direction == Direction::Request;
        let narrower_breaks = |narrower: bool| match (request, narrower) {
            (true, true) => Class::Breaking,
            (true, false) => Class::Additive,
            (false, _) => Class::Cosmetic,
        };
        match keyword {
            "type" | "oneOf" | "anyOf" | "allOf" | "not" | "$ref" | "x-recursion" => {
                Class::Breaking
            }
            "format" if [before, after].iter().any(|format| **format == "date-time") => {
                Class::Breaking
            }
            "format" | "pattern" => narrower_breaks(!after.is_null()),
            "nullable" => match (request, *after == true) {
                (true, nullable) => narrower_breaks(!nullable),
                (false, true) if need == Need::Required => Class::Breaking,
                (false, true) => Class::Additive,
                (false, false) => Class::Cosmetic,
            },
            // An open set excludes no value, whether it is listed or not.
            "x-extensible-enum" if before.is_null() || after.is_null() => Class::Additive,
            "enum" | "x-extensible-enum" => self.values(before, after),
            "default" if request => Class::Breaking,
            "maximum" | "maxLength" | "maxItems" | "maxProperties" => {
                narrower_breaks(bound(after, f64::INFINITY) < bound(before, f64::INFINITY))
            }
            "minimum" | "minLength" | "minItems" | "minProperties" => {
                narrower_breaks(bound(after, f64::NEG_INFINITY) > bound(before, f64::NEG_INFINITY))
            }
            "exclusiveMinimum" | "exclusiveMaximum" | "uniqueItems" => {
                narrower_breaks(*after == true)
            }
            "multipleOf" => narrower_breaks(!after.is_null()),
            // Closing an object changes nothing, because the library sends documented properties only.
            _ => Class::Cosmetic,
        }
    }

    /// Classifies values that were added to or removed from a set.
    fn values(&self, before: &Value, after: &Value) -> Class {
        // A new enumeration excludes all other values.
        let (Some(before), Some(after)) = (before.as_array(), after.as_array()) else {
            return match (self.direction, after.is_null()) {
                (_, true) => Class::Additive,
                (Direction::Request, false) => Class::Breaking,
                (Direction::Response, false) => Class::Cosmetic,
            };
        };
        let set = |values: &[Value]| values.iter().map(Value::to_string).collect::<HashSet<_>>();
        let (before, after) = (set(before), set(after));
        match (
            self.direction,
            before.is_subset(&after),
            after.is_subset(&before),
        ) {
            (Direction::Request, false, _) => Class::Breaking,
            (Direction::Response, false, true) => Class::Cosmetic,
            _ => Class::Additive,
        }
    }
}

/// Returns the nested schemas other than properties, by their pointers relative to the schema.
fn nested_schemas(schema: &Value) -> BTreeMap<String, &Value> {
    let mut found = BTreeMap::new();
    for keyword in NESTED {
        match (keyword, schema.get(keyword)) {
            ("patternProperties", Some(Value::Object(map))) => found.extend(
                map.iter()
                    .map(|(name, inner)| (format!("{keyword}/{}", escape(name)), inner)),
            ),
            (_, Some(Value::Array(list))) => found.extend(
                list.iter()
                    .enumerate()
                    .map(|(index, inner)| (format!("{keyword}/{index}"), inner)),
            ),
            (_, Some(inner @ Value::Object(_))) => drop(found.insert(keyword.to_owned(), inner)),
            _ => {}
        }
    }
    found
}

fn required(schema: &Value) -> BTreeSet<&str> {
    let names = schema["required"].as_array().into_iter().flatten();
    names.filter_map(Value::as_str).collect()
}

fn bound(value: &Value, none: f64) -> f64 {
    value.as_f64().unwrap_or(none)
}
