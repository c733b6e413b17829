//! Compares servers. The library uses the first one, and a change breaks it only if that server is no longer listed.

use std::collections::HashSet;

use org_invitations_codegen::Servers;
use serde_json::json;

use crate::{Class, changes::Changes};

impl Changes<'_> {
    /// Compares the servers of the documents.
    pub(super) fn servers(&mut self) {
        let (old, new) = (self.old.servers(""), self.new.servers(""));
        self.compare_servers(old, new, "/servers");
    }

    /// Compares the servers of an operation that overrides those of the document.
    pub(super) fn overriding_servers(&mut self, old_at: &str, new_at: &str) {
        let (old, new) = (self.old.servers(old_at), self.new.servers(new_at));
        if let Some(own) = new.or(old) {
            let (before, after) = (old.or(self.old.servers("")), new.or(self.new.servers("")));
            self.compare_servers(before, after, &own.pointer);
        }
    }

    fn compare_servers(
        &mut self,
        before: Option<&Servers>,
        after: Option<&Servers>,
        pointer: &str,
    ) {
        let first = |servers: Option<&Servers>| servers.and_then(|it| it.urls.first().cloned());
        let (Some(before), Some(after)) = (before, after) else {
            // A document without servers does not tell where the service is.
            if before.is_some() || after.is_some() {
                let pointer = format!("{pointer}/0/url");
                let urls = (json!(first(before)), json!(first(after)));
                self.push(Class::Cosmetic, pointer, urls, "the server moved");
            }
            return;
        };
        let (old, new) = (url_set(before), url_set(after));
        if !before.urls.first().is_some_and(|url| new.contains(url)) {
            let urls = (json!(before.urls.first()), json!(after.urls.first()));
            let pointer = format!("{pointer}/0/url");
            self.push(Class::Breaking, pointer, urls, "the server moved");
            return;
        }
        for (index, url) in after.urls.iter().enumerate() {
            if !old.contains(url) {
                let (pointer, urls) = (after.url_pointer(index), (json!(null), json!(url)));
                self.push(Class::Additive, pointer, urls, "a server was added");
            }
        }
        for (index, url) in before.urls.iter().enumerate() {
            if !new.contains(url) {
                let (pointer, urls) = (before.url_pointer(index), (json!(url), json!(null)));
                let message = "a server that the library does not use was removed";
                self.push(Class::Cosmetic, pointer, urls, message);
            }
        }
    }
}

fn url_set(servers: &Servers) -> HashSet<&String> {
    servers.urls.iter().collect()
}
