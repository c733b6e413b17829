//! What changed between two schemas, seen from the side that sends or the side that receives.
//!
//! In a request a narrower schema breaks, because values that were accepted no longer are; in a
//! response a wider one does, because values arrive that never did. The library reads responses
//! tolerantly (open enumerations, optional properties), so there only what it cannot do without breaks.

use serde_json::{Value, json};

use crate::{
    api::{Field, Kind, Need, Object},
    diff::{Changes, Class},
    document::escape,
    schema::Direction,
};

/// A schema and its place in the surface.
type Placed<'s> = (&'s str, &'s Value);

/// Compares schemas that travel in one direction.
pub(crate) struct SchemaDiff<'d, 'a> {
    changes: &'d mut Changes<'a>,
    direction: Direction,
}

impl<'d, 'a> SchemaDiff<'d, 'a> {
    pub fn new(changes: &'d mut Changes<'a>, direction: Direction) -> Self {
        Self { changes, direction }
    }

    /// A whole body, of which the library uses what `object` lists.
    pub fn body(&mut self, old: Placed, new: Placed, label: &str, object: Option<&'static Object>) {
        self.keywords(old, new, label, Need::Essential);
        self.nested(old, new, label, object.map(|object| object.fields), None);
    }

    /// A value, of which the library expects `kind`.
    pub fn schema(
        &mut self,
        old: Placed,
        new: Placed,
        label: &str,
        kind: Option<&'static Kind>,
        need: Need,
    ) {
        self.keywords(old, new, label, need);
        let (fields, item) = match kind {
            Some(Kind::Object(object)) => (Some(object.fields), None),
            Some(Kind::Verbatim(fields)) => (Some(*fields), None),
            Some(Kind::Array(item)) => (None, Some(*item)),
            _ => (None, None),
        };
        self.nested(old, new, label, fields, item);
    }

    fn nested(
        &mut self,
        (old_at, old): Placed,
        (new_at, new): Placed,
        label: &str,
        fields: Option<&'static [Field]>,
        item: Option<&'static Kind>,
    ) {
        self.properties(
            (old_at, old),
            (new_at, new),
            label,
            fields.unwrap_or_default(),
        );
        if let (Some(before), Some(after)) = (old.get("items"), new.get("items")) {
            let (old_at, new_at) = (format!("{old_at}/items"), format!("{new_at}/items"));
            let label = format!("each item of {label}");
            self.schema(
                (&old_at, before),
                (&new_at, after),
                &label,
                item,
                Need::Essential,
            );
        } else if old.get("items") != new.get("items") {
            let what = format!("the items of {label} changed");
            self.changes.record(
                Class::Breaking,
                (old_at, old["items"].clone()),
                (new_at, new["items"].clone()),
                what,
            );
        }
    }

    fn properties(
        &mut self,
        (old_at, old): Placed,
        (new_at, new): Placed,
        label: &str,
        fields: &'static [Field],
    ) {
        let names = |schema: &Value| -> Vec<String> {
            let properties = schema["properties"].as_object();
            properties
                .into_iter()
                .flat_map(|map| map.keys().cloned())
                .collect()
        };
        let place = |at: &str, name: &str| format!("{at}/properties/{}", escape(name));
        let requires = |schema: &Value, name: &str| {
            schema["required"]
                .as_array()
                .is_some_and(|list| list.iter().any(|each| each == name))
        };
        for name in names(old) {
            let field = fields.iter().find(|field| field.name == name);
            let before = &old["properties"][&name];
            let at = place(old_at, &name);
            let Some(after) = new["properties"].get(&name) else {
                // The library sends only its own fields, but its users read all that arrive.
                let harmless = self.direction == Direction::Request && field.is_none();
                let class = if harmless {
                    Class::Cosmetic
                } else {
                    Class::Breaking
                };
                let what = format!("the property `{name}` of {label} is gone");
                self.changes
                    .record(class, (&at, before.clone()), (new_at, Value::Null), what);
                continue;
            };
            let new_at = place(new_at, &name);
            let (demanded, demands) = (requires(old, &name), requires(new, &name));
            if demanded != demands {
                let class = self.requirement(demands, field);
                let what = format!("whether `{name}` of {label} is required changed");
                self.changes.record(
                    class,
                    (&at, json!({ "required": demanded })),
                    (&new_at, json!({ "required": demands })),
                    what,
                );
            }
            let label = format!("`{name}` of {label}");
            let need = field.map_or(Need::Optional, |field| field.need);
            let kind = field.map(|field| &field.kind);
            self.schema((&at, before), (&new_at, after), &label, kind, need);
        }
        self.required_only((old_at, old), (new_at, new), label);
        for name in names(new) {
            if old["properties"].get(&name).is_some() {
                continue;
            }
            let at = place(new_at, &name);
            let sent = fields
                .iter()
                .any(|field| field.name == name && field.need == Need::Essential);
            let demanded = self.direction == Direction::Request && requires(new, &name) && !sent;
            let class = if demanded {
                Class::Breaking
            } else {
                Class::Additive
            };
            let what = format!("there is a new property `{name}` of {label}");
            let after = new["properties"][&name].clone();
            self.changes
                .record(class, (old_at, Value::Null), (&at, after), what);
        }
    }

    /// Names that are required though no property of that name is described.
    fn required_only(&mut self, (old_at, old): Placed, (new_at, new): Placed, label: &str) {
        let required = |schema: &Value| schema["required"].as_array().cloned().unwrap_or_default();
        let described = |schema: &Value, name: &Value| {
            name.as_str()
                .is_some_and(|name| schema["properties"].get(name).is_some())
        };
        let request = self.direction == Direction::Request;
        let (before, after) = (required(old), required(new));
        let newly = |name: &&Value| !before.contains(name) && !described(new, name);
        for name in after.iter().filter(newly) {
            let class = if request {
                Class::Breaking
            } else {
                Class::Cosmetic
            };
            let what = format!("{name} of {label} is required, though it is not described");
            let after = json!({ "required": name });
            self.changes
                .record(class, (old_at, Value::Null), (new_at, after), what);
        }
        let no_longer = |name: &&Value| !after.contains(name) && !described(old, name);
        for name in before.iter().filter(no_longer) {
            let class = if request {
                Class::Additive
            } else {
                Class::Cosmetic
            };
            let what = format!("{name} of {label} is no longer required");
            let before = json!({ "required": name });
            self.changes
                .record(class, (old_at, before), (new_at, Value::Null), what);
        }
    }

    /// A property became required, or no longer is.
    fn requirement(&self, demands: bool, field: Option<&Field>) -> Class {
        let essential = field.is_some_and(|field| field.need == Need::Essential);
        match (self.direction, demands) {
            // What the library always sends may well be required.
            (Direction::Request, true) if essential => Class::Cosmetic,
            (Direction::Request, true) => Class::Breaking,
            (Direction::Request, false) => Class::Additive,
            (Direction::Response, true) => Class::Cosmetic,
            (Direction::Response, false) if essential => Class::Breaking,
            (Direction::Response, false) => Class::Additive,
        }
    }

    /// Everything that a schema says of the value itself.
    fn keywords(&mut self, (old_at, old): Placed, (new_at, new): Placed, label: &str, need: Need) {
        let mut keywords: Vec<&String> = [old, new]
            .into_iter()
            .filter_map(Value::as_object)
            .flat_map(|map| map.keys())
            .collect();
        keywords.sort();
        keywords.dedup();
        for keyword in keywords {
            if ["properties", "required", "items"].contains(&keyword.as_str()) {
                continue;
            }
            let (before, after) = (&old[keyword], &new[keyword]);
            if before == after {
                continue;
            }
            let class = self.keyword(keyword, before, after, need);
            let what = format!("`{keyword}` of {label} changed");
            // These are said where a schema is used, the others where it is defined.
            let at_use = ["nullable", "deprecated"].contains(&keyword.as_str());
            self.changes.record_at(
                at_use,
                class,
                (old_at, json!({ keyword.as_str(): before })),
                (new_at, json!({ keyword.as_str(): after })),
                what,
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
                (false, true) if need == Need::Essential => Class::Breaking,
                (false, true) => Class::Additive,
                (false, false) => Class::Cosmetic,
            },
            // An open set shuts nothing out by being written down, or by no longer being so.
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
            // Closing an object: the library sends only what is documented.
            _ => Class::Cosmetic,
        }
    }

    /// Values that were allowed and no longer are, or that are new.
    fn values(&self, before: &Value, after: &Value) -> Class {
        let gone = match (before.as_array(), after.as_array()) {
            (Some(before), Some(after)) => before.iter().any(|value| !after.contains(value)),
            // An enumeration where there was none shuts out the rest.
            (None, Some(_)) => true,
            _ => false,
        };
        match (self.direction, gone) {
            (Direction::Request, true) => Class::Breaking,
            (Direction::Request, false) | (Direction::Response, false) => Class::Additive,
            (Direction::Response, true) => {
                let wider = after.as_array().is_some_and(|after| {
                    before
                        .as_array()
                        .is_some_and(|before| after.iter().any(|value| !before.contains(value)))
                });
                if wider {
                    Class::Additive
                } else {
                    Class::Cosmetic
                }
            }
        }
    }
}

fn bound(value: &Value, none: f64) -> f64 {
    value.as_f64().unwrap_or(none)
}
