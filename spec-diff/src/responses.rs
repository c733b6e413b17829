//! Compares responses: statuses, headers and bodies.

use org_invitations_codegen::{
    Direction,
    api::{Field, Need, Object, Operation, Response},
    escape,
};
use serde_json::{Map, Value, json};

use crate::{Class, Located, changes::Changes, schema::SchemaDiff};

/// Headers that the library reads. The removal of another one does not break it.
const HEADERS_READ: [&str; 7] = [
    "location",
    "retry-after",
    "www-authenticate",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
];

impl Changes<'_> {
    pub(super) fn responses(
        &mut self,
        operation: &Operation,
        (old_at, old): Located,
        (new_at, new): Located,
    ) {
        let none = Map::new();
        let before = old["responses"].as_object().unwrap_or(&none);
        let after = new["responses"].as_object().unwrap_or(&none);
        let pointer = |at: &str, status: &str| format!("{at}/responses/{}", escape(status));
        // The library accepts any 2xx, so the first successes without a counterpart are compared with each other.
        let (lost, gained) = (unmatched(before, after), unmatched(after, before));
        let shared = before
            .keys()
            .any(|status| is_success(status) && after.contains_key(status));
        let renamed = lost.zip(gained).filter(|_| !shared);
        for (status, response) in before {
            let at = pointer(old_at, status);
            let other = match renamed {
                Some((one, other)) if one == status => other,
                _ => status,
            };
            if let Some(counterpart) = after.get(other) {
                let new_at = pointer(new_at, other);
                if other != status {
                    let message = "the status of a success changed";
                    let (before, after) = (json!(status), json!(other));
                    self.record(Class::Cosmetic, (&at, before), (&new_at, after), message);
                }
                self.response(operation, status, (&at, response), (&new_at, counterpart));
            } else if is_success(status) && !after.keys().any(|status| is_success(status)) {
                let message = "no successful response is documented any more";
                let before = (&*at, json!(status));
                self.record(Class::Breaking, before, (new_at, Value::Null), message);
            } else {
                let message = "a status is no longer documented";
                let before = (&*at, json!(status));
                self.record(Class::Cosmetic, before, (new_at, Value::Null), message);
            }
        }
        for status in after.keys() {
            let is_other = renamed.is_some_and(|(_, other)| other == status);
            if !is_other && !before.contains_key(status) {
                let at = pointer(new_at, status);
                let after = (&*at, json!(status));
                let message = "a status was added";
                self.record(Class::Additive, (old_at, Value::Null), after, message);
            }
        }
    }

    fn response(&mut self, operation: &Operation, status: &str, old: Located, new: Located) {
        let message = format!("the reference of the response {status} changed");
        self.keyword(Class::Cosmetic, "$ref", old, new, message);
        self.headers(old, new, status);
        let (object, bare) = match is_success(status) {
            true => read_parts(operation),
            false => (None, None),
        };
        self.contents(
            old,
            new,
            "application/json",
            Direction::Response,
            object,
            bare,
        );
    }

    fn headers(&mut self, (old_at, old): Located, (new_at, new): Located, status: &str) {
        let none = Map::new();
        let before = old["headers"].as_object().unwrap_or(&none);
        let after = new["headers"].as_object().unwrap_or(&none);
        let pointer = |at: &str, name: &str| format!("{at}/headers/{}", escape(name));
        for (name, header) in before {
            let at = pointer(old_at, name);
            let label = format!("the header `{name}` of {status}");
            let Some(other) = after.get(name) else {
                let read = HEADERS_READ.contains(&name.as_str());
                let class = Class::breaking_if(read, Class::Cosmetic);
                let message = format!("{label} was removed");
                self.record(class, (&at, header.clone()), (new_at, Value::Null), message);
                continue;
            };
            self.header((&at, header), (&pointer(new_at, name), other), &label);
        }
        for (name, header) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
            let message = format!("the header `{name}` of {status} was added");
            let after = (&*pointer(new_at, name), header.clone());
            self.record(Class::Additive, (old_at, Value::Null), after, message);
        }
    }

    fn header(&mut self, old: Located, new: Located, label: &str) {
        if [old, new]
            .iter()
            .any(|(_, header)| header.get("$ref").is_some())
        {
            // A header that cannot be resolved may be anything.
            if old.1 != new.1 {
                let (before, after) = ((old.0, old.1.clone()), (new.0, new.1.clone()));
                let message = format!("the reference of {label} changed");
                self.record(Class::Breaking, before, after, message);
            }
            return;
        }
        for (key, class) in [
            ("required", Class::Cosmetic),
            ("deprecated", Class::Cosmetic),
            ("style", Class::Breaking),
            ("explode", Class::Breaking),
            ("content", Class::Breaking),
        ] {
            self.keyword(class, key, old, new, format!("`{key}` of {label} changed"));
        }
        SchemaDiff::new(self, Direction::Response).schema(
            (&format!("{}/schema", old.0), &old.1["schema"]),
            (&format!("{}/schema", new.0), &new.1["schema"]),
            label,
            None,
            Need::Optional,
        );
    }
}

fn is_success(status: &str) -> bool {
    status.starts_with('2')
}

/// Returns the first success of `responses` that `others` lack.
fn unmatched<'s>(
    responses: &'s Map<String, Value>,
    others: &Map<String, Value>,
) -> Option<&'s String> {
    let mut successes = responses.keys().filter(|status| is_success(status));
    successes.find(|status| !others.contains_key(*status))
}

/// Returns the object that the library reads of a success, and the property that it reads if there is no envelope.
fn read_parts(operation: &Operation) -> (Option<&Object>, Option<&Field>) {
    match &operation.response {
        Response::Empty => (None, None),
        Response::Body(object) => (Some(object), None),
        Response::Enveloped { envelope, property } => {
            let field = envelope.fields.iter().find(|field| field.name == *property);
            (Some(envelope), field)
        }
    }
}
