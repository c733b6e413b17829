//! Compares an operation: its presence, its flags and its request.

use org_invitations_codegen::{Direction, api::Operation};
use serde_json::{Value, json};

use crate::{Class, Located, changes::Changes, paging::reads_whole_list};

impl Changes<'_> {
    pub(super) fn operation(&mut self, operation: &Operation) {
        self.operation.clone_from(&operation.id);
        self.reads_whole_list = reads_whole_list(operation);
        let (old, new) = (self.old, self.new);
        let name = |path: &str| json!(format!("{} {path}", operation.method.to_uppercase()));
        match (old.operation(operation), new.operation(operation)) {
            (None, None) => {}
            (Some(before), None) => {
                let (at, before) = (before.pointer.as_str(), name(before.path));
                let message = "the operation was removed";
                self.record(Class::Breaking, (at, before), (at, Value::Null), message);
            }
            (None, Some(after)) => {
                let (at, after) = (after.pointer.as_str(), name(after.path));
                let message = "the operation was added";
                self.record(Class::Additive, (at, Value::Null), (at, after), message);
            }
            (Some(before), Some(after)) => {
                let (old_at, new_at) = (before.pointer.as_str(), after.pointer.as_str());
                let paths = (before.path, after.path);
                if before.path != after.path {
                    let message = "a path variable was renamed";
                    let (before, after) = (name(before.path), name(after.path));
                    self.record(Class::Cosmetic, (old_at, before), (new_at, after), message);
                }
                let (old, new) = ((old_at, before.value), (new_at, after.value));
                self.flags(old, new);
                self.overriding_servers(old_at, new_at);
                self.security(old, new);
                self.parameters(operation, paths, old, new);
                self.request(operation, old, new);
                self.responses(operation, old, new);
            }
        }
    }

    fn flags(&mut self, old: Located, new: Located) {
        for (key, message) in [
            ("operationId", "the operationId changed"),
            ("deprecated", "the deprecation of the operation changed"),
        ] {
            self.keyword(Class::Cosmetic, key, old, new, message);
        }
    }

    fn request(&mut self, operation: &Operation, old: Located, new: Located) {
        let ((old_at, old), (new_at, new)) = (old, new);
        let (old_at, new_at) = (
            format!("{old_at}/requestBody"),
            format!("{new_at}/requestBody"),
        );
        let (before, after) = (&old["requestBody"], &new["requestBody"]);
        let Some(request) = &operation.request else {
            if before != after {
                let class = Class::breaking_if(after["required"] == true, Class::Additive);
                let message = "the request body changed, though the library sends none";
                let (before, after) = (before.clone(), after.clone());
                self.record(class, (&old_at, before), (&new_at, after), message);
            }
            return;
        };
        let (old, new) = ((&*old_at, before), (&*new_at, after));
        // The library always sends a body.
        let message = "the requirement of a request body changed";
        self.keyword(Class::Cosmetic, "required", old, new, message);
        let (media_type, body) = (request.media_type, Some(&*request.body));
        self.contents(old, new, media_type, Direction::Request, body, None);
    }
}
