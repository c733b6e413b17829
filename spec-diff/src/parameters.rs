//! Compares parameters: path variables by position, the others by name.

use std::collections::BTreeMap;

use org_invitations_codegen::{
    Direction,
    api::{Need, Operation},
    path::variables,
};
use serde_json::Value;

use crate::{Class, Located, changes::Changes, paging::is_page_parameter, schema::SchemaDiff};

/// Parameters with their pointers, by location and name.
type Parameters<'s> = BTreeMap<(&'s str, &'s str), (String, &'s Value)>;

impl Changes<'_> {
    pub(super) fn parameters(
        &mut self,
        operation: &Operation,
        (old_path, new_path): (&str, &str),
        (old_at, old): Located,
        (new_at, new): Located,
    ) {
        let (mut before, mut after) = (parameters_of(old_at, old), parameters_of(new_at, new));
        // Path variables are matched by position, because their names are not sent.
        for (name, other) in variables(old_path).zip(variables(new_path)) {
            match (
                before.remove(&("path", name)),
                after.remove(&("path", other)),
            ) {
                (Some(old), Some(new)) => self.parameter(old, new),
                (Some((at, entry)), None) => {
                    let message = format!("the path variable `{name}` is no longer declared");
                    let before = (&*at, entry.clone());
                    self.record(Class::Breaking, before, (new_at, Value::Null), message);
                }
                (None, Some((at, entry))) => {
                    let message = format!("the path variable `{other}` is now declared");
                    let after = (&*at, entry.clone());
                    self.record(Class::Additive, (old_at, Value::Null), after, message);
                }
                (None, None) => {}
            }
        }
        for list in [&mut before, &mut after] {
            list.retain(|(location, _), _| *location != "path");
        }
        let mut removed = Vec::new();
        for (key, old) in before {
            match after.remove(&key) {
                Some(new) => self.parameter(old, new),
                None => removed.push((key.1, old)),
            }
        }
        // A remaining parameter of the same name moved to another location.
        let mut new: BTreeMap<&str, Vec<(String, &Value)>> = BTreeMap::new();
        for ((_, name), parameter) in after {
            new.entry(name).or_default().push(parameter);
        }
        for (name, (at, entry)) in removed {
            if let Some(moved) = new.get_mut(name).and_then(Vec::pop) {
                self.parameter((at, entry), moved);
                continue;
            }
            let mut is_sent = operation.parameters.iter();
            let is_sent = is_sent.any(|parameter| parameter.name == name);
            let class = Class::breaking_if(is_sent, Class::Cosmetic);
            let message = format!("the parameter \"{name}\" was removed");
            self.record(class, (&at, entry.clone()), (new_at, Value::Null), message);
        }
        for (name, added) in new {
            for (at, entry) in added {
                let is_required = entry["required"] == true;
                let pages = self.reads_whole_list && is_page_parameter(name);
                let class = Class::breaking_if(is_required || pages, Class::Additive);
                let kind = if is_required { "required" } else { "optional" };
                let behaviour = if pages {
                    "; the list may come in pages now"
                } else {
                    ""
                };
                let message = format!("a {kind} parameter \"{name}\" was added{behaviour}");
                self.record(class, (old_at, Value::Null), (&at, entry.clone()), message);
            }
        }
    }

    fn parameter(&mut self, (old_at, old): (String, &Value), (new_at, new): (String, &Value)) {
        let (old, new) = ((&*old_at, old), (&*new_at, new));
        let name = &new.1["name"];
        let is_required = new.1["required"] == true;
        for (key, class, message) in [
            ("in", Class::Breaking, "the location"),
            (
                "required",
                Class::breaking_if(is_required, Class::Additive),
                "the requirement",
            ),
            ("deprecated", Class::Cosmetic, "the deprecation"),
            ("style", Class::Breaking, "the style"),
            ("explode", Class::Breaking, "the style"),
            ("content", Class::Breaking, "the style"),
        ] {
            let message = format!("{message} of the parameter {name} changed");
            self.keyword(class, key, old, new, message);
        }
        SchemaDiff::new(self, Direction::Request).schema(
            (&format!("{old_at}/schema"), &old.1["schema"]),
            (&format!("{new_at}/schema"), &new.1["schema"]),
            &format!("the parameter {name}"),
            None,
            Need::Optional,
        );
    }
}

fn parameters_of<'s>(at: &str, operation: &'s Value) -> Parameters<'s> {
    let entries = operation["parameters"].as_array().into_iter().flatten();
    let entry = |(index, entry): (usize, &'s Value)| {
        let key = (entry["in"].as_str()?, entry["name"].as_str()?);
        Some((key, (format!("{at}/parameters/{index}"), entry)))
    };
    entries.enumerate().filter_map(entry).collect()
}
