//! The names of the bindings: which of them a change of a document adds, removes or changes.

use org_invitations_codegen::{Bindings, Document, Report};
use serde_json::Value;

use crate::{Class, Finding};

/// Compares the names that a program can use of the bindings of `old` and of `new`.
///
/// Each difference is a finding of the class [`Class::Bindings`]; its pointer is the name.
///
/// # Errors
///
/// As [`Bindings::names`].
pub fn diff_names(
    bindings: &Bindings,
    old: &Document,
    new: &Document,
) -> Result<Vec<Finding>, Report> {
    let (old, new) = (bindings.names(old)?, bindings.names(new)?);
    let text =
        |value: Option<&String>| value.map_or(Value::Null, |text| Value::from(text.as_str()));
    let all = old
        .keys()
        .chain(new.keys().filter(|name| !old.contains_key(*name)));
    let changed = all.filter(|name| old.get(*name) != new.get(*name));
    let finding = |name: &String| {
        let (before, after) = (old.get(name), new.get(name));
        let change = match (before, after) {
            (None, _) => "was added to",
            (_, None) => "was removed from",
            _ => "changed in",
        };
        Finding {
            class: Class::Bindings,
            pointer: name.clone(),
            before: text(before),
            after: text(after),
            message: format!("the name {change} the bindings"),
        }
    };
    Ok(changed.map(finding).collect())
}
