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
type Listed<'s> = BTreeMap<(&'s str, &'s str), (String, &'s Value)>;

impl Changes<'_> {
    pub(super) fn parameters(
        &mut self,
        operation: &Operation,
        (old_path, new_path): (&str, &str),
        (old_at, old): Located,
        (new_at, new): Located,
    ) {
        let (mut before, mut after) = (listed(old_at, old), listed(new_at, new));
        // Path variables are matched by position, because their names are not sent.
        for (name, other) in variables(old_path).zip(variables(new_path)) {
            match (
                before.remove(&("path", name)),
                after.remove(&("path", other)),
            ) {
                (Some(old), Some(new)) => self.parameter(old, new),
                (Some((at, entry)), None) => {
                    let what =
                        format!("the variable `{name}` of the path is not declared any more");
                    let before = (&*at, entry.clone());
                    self.record(Class::Breaking, before, (new_at, Value::Null), what);
                }
                (None, Some((at, entry))) => {
                    let what = format!("the variable `{other}` of the path is declared now");
                    let after = (&*at, entry.clone());
                    self.record(Class::Additive, (old_at, Value::Null), after, what);
                }
                (None, None) => {}
            }
        }
        for list in [&mut before, &mut after] {
            list.retain(|(location, _), _| *location != "path");
        }
        let mut gone = Vec::new();
        for (key, old) in before {
            match after.remove(&key) {
                Some(new) => self.parameter(old, new),
                None => gone.push((key.1, old)),
            }
        }
        // A remaining parameter of the same name moved to another location.
        let mut new: BTreeMap<&str, Vec<(String, &Value)>> = BTreeMap::new();
        for ((_, name), parameter) in after {
            new.entry(name).or_default().push(parameter);
        }
        for (name, (at, entry)) in gone {
            if let Some(moved) = new.get_mut(name).and_then(Vec::pop) {
                self.parameter((at, entry), moved);
                continue;
            }
            let mut sent = operation.parameters.iter();
            let sent = sent.any(|parameter| parameter.name == name);
            let class = Class::breaking_if(sent, Class::Cosmetic);
            let what = format!("the parameter \"{name}\" is gone");
            self.record(class, (&at, entry.clone()), (new_at, Value::Null), what);
        }
        for (name, added) in new {
            for (at, entry) in added {
                let demanded = entry["required"] == true;
                let pages = self.reads_whole_list && is_page_parameter(name);
                let class = Class::breaking_if(demanded || pages, Class::Additive);
                let kind = if demanded { "required" } else { "new" };
                let behaviour = if pages {
                    "; the list may come in pages now"
                } else {
                    ""
                };
                let what = format!("there is a {kind} parameter \"{name}\"{behaviour}");
                self.record(class, (old_at, Value::Null), (&at, entry.clone()), what);
            }
        }
    }

    fn parameter(&mut self, (old_at, old): (String, &Value), (new_at, new): (String, &Value)) {
        let (old, new) = ((&*old_at, old), (&*new_at, new));
        let name = &new.1["name"];
        let demanded = new.1["required"] == true;
        for (key, class, what) in [
            ("in", Class::Breaking, "the place"),
            (
                "required",
                Class::breaking_if(demanded, Class::Additive),
                "the requirement",
            ),
            ("deprecated", Class::Cosmetic, "the deprecation"),
            ("style", Class::Breaking, "the way of writing"),
            ("explode", Class::Breaking, "the way of writing"),
            ("content", Class::Breaking, "the way of writing"),
        ] {
            let what = format!("{what} of the parameter {name} changed");
            self.keyword(class, key, old, new, what);
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

fn listed<'s>(at: &str, operation: &'s Value) -> Listed<'s> {
    let entries = operation["parameters"].as_array().into_iter().flatten();
    let entry = |(index, entry): (usize, &'s Value)| {
        let key = (entry["in"].as_str()?, entry["name"].as_str()?);
        Some((key, (format!("{at}/parameters/{index}"), entry)))
    };
    entries.enumerate().filter_map(entry).collect()
}
