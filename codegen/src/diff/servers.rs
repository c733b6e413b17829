//! Servers: the library talks to the first one, and whatever else is listed is no matter.

use serde_json::json;

use super::{Class, changes::Changes};
use crate::surface::Servers;

impl Changes<'_> {
    /// The servers of the documents.
    pub(super) fn servers(&mut self) {
        let (old, new) = (self.old.servers(""), self.new.servers(""));
        self.moved(old, new, "/servers");
    }

    /// The servers of an operation, where it has its own before or after.
    pub(super) fn own_servers(&mut self, old_at: &str, new_at: &str) {
        let (old, new) = (self.old.servers(old_at), self.new.servers(new_at));
        if let Some(own) = new.or(old) {
            let (before, after) = (old.or(self.old.servers("")), new.or(self.new.servers("")));
            self.moved(before, after, &own.pointer);
        }
    }

    fn moved(&mut self, before: Option<&Servers>, after: Option<&Servers>, pointer: &str) {
        let first = |servers: Option<&Servers>| servers.and_then(|it| it.urls.first().cloned());
        let (old, new) = (first(before), first(after));
        let stays = match (&old, after) {
            (Some(old), Some(after)) => after.urls.contains(old),
            (old, after) => old.is_none() && after.is_none(),
        };
        if stays {
            return;
        }
        // A document that names none says nothing of where the service is.
        let class = Class::breaking_if(old.is_some() && new.is_some(), Class::Cosmetic);
        let pointer = format!("{pointer}/0/url");
        self.push(class, pointer, (json!(old), json!(new)), "the server moved");
    }
}
