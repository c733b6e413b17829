//! Collects changes, and merges them into findings.

use std::{
    cmp::Reverse,
    collections::{HashMap, hash_map::Entry},
};

use org_invitations_codegen::Surface;
use serde_json::{Value, json};

use crate::{Class, Finding, Located};

/// Two surfaces, and the changes between them.
pub(super) struct Changes<'a> {
    pub old: &'a Surface,
    pub new: &'a Surface,
    /// The operation that is being compared; empty for changes of the whole document.
    pub operation: String,
    /// Whether the library reads the list of the operation without asking for pages.
    pub reads_whole_list: bool,
    found: Vec<Change>,
}

/// A change of one operation.
struct Change {
    class: Class,
    pointer: String,
    before: Value,
    after: Value,
    message: String,
    operation: String,
}

impl<'a> Changes<'a> {
    pub fn new(old: &'a Surface, new: &'a Surface) -> Self {
        Self {
            old,
            new,
            operation: String::new(),
            reads_whole_list: false,
            found: Vec::new(),
        }
    }

    /// Records a change between `before` of the old surface and `after` of the new one, each a pointer and a value.
    pub fn record(
        &mut self,
        class: Class,
        before: (&str, Value),
        after: (&str, Value),
        message: impl Into<String>,
    ) {
        let is_addition_or_removal = before.1.is_null() || after.1.is_null();
        self.record_at(is_addition_or_removal, class, before, after, message);
    }

    /// As [`record`](Self::record); with `at_use`, the finding points to the use of a schema, and not to its definition.
    pub fn record_at(
        &mut self,
        at_use: bool,
        class: Class,
        (old_at, before): (&str, Value),
        (new_at, after): (&str, Value),
        message: impl Into<String>,
    ) {
        let gone = after.is_null() && !before.is_null();
        let pointer = match (gone, at_use) {
            (true, _) => self.old.use_site(old_at),
            (false, true) => self.new.use_site(new_at),
            (false, false) => self.new.origin(new_at),
        };
        self.push(class, pointer.to_owned(), (before, after), message);
    }

    /// Records a keyword that changed.
    pub fn keyword(
        &mut self,
        class: Class,
        keyword: &str,
        (old_at, old): Located,
        (new_at, new): Located,
        message: impl Into<String>,
    ) {
        let (before, after) = (&old[keyword], &new[keyword]);
        if before != after {
            let before = (old_at, json!({ keyword: before }));
            self.record(class, before, (new_at, json!({ keyword: after })), message);
        }
    }

    /// Records a change at a pointer of one of the original documents.
    pub fn push(
        &mut self,
        class: Class,
        pointer: String,
        (before, after): (Value, Value),
        message: impl Into<String>,
    ) {
        self.found.push(Change {
            class,
            pointer,
            before,
            after,
            message: message.into(),
            operation: self.operation.clone(),
        });
    }

    /// Merges equal changes of several operations into one finding of the worst class.
    pub fn into_findings(self) -> Vec<Finding> {
        let mut merged: Vec<(Change, Vec<String>)> = Vec::new();
        let mut known: HashMap<(String, String, String), usize> = HashMap::new();
        for change in self.found {
            let (before, after) = (change.before.to_string(), change.after.to_string());
            match known.entry((change.pointer.clone(), before, after)) {
                Entry::Occupied(entry) => {
                    let (other, operations) = &mut merged[*entry.get()];
                    if !operations.contains(&change.operation) {
                        operations.push(change.operation.clone());
                    }
                    if change.class > other.class {
                        *other = change;
                    }
                }
                Entry::Vacant(entry) => {
                    entry.insert(merged.len());
                    let operation = change.operation.clone();
                    merged.push((change, vec![operation]));
                }
            }
        }
        // The sort is stable: changes of one class stay in the order of the operations.
        merged.sort_by_key(|(change, _)| Reverse(change.class));
        let finding = |(change, operations): (Change, Vec<String>)| Finding {
            class: change.class,
            pointer: change.pointer,
            before: change.before,
            after: change.after,
            message: match operations.as_slice() {
                [none] if none.is_empty() => change.message,
                operations => format!("{} ({})", change.message, operations.join(", ")),
            },
        };
        merged.into_iter().map(finding).collect()
    }
}
