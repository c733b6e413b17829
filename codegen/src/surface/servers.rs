//! Normalises servers.

use serde_json::{Value, json};

use super::operation::OperationNormalizer;

/// The servers that one part of a document names.
#[derive(Clone, Debug)]
pub struct Servers {
    /// JSON pointer to the list in the document.
    pub pointer: String,
    /// The URLs, with the defaults of their variables; the library uses the first.
    pub urls: Vec<String>,
}

impl Servers {
    /// JSON pointer to one of the URLs.
    pub fn url_pointer(&self, index: usize) -> String {
        format!("{}/{index}/url", self.pointer)
    }

    /// Returns the list for the normalised document.
    pub(super) fn to_value(&self) -> Value {
        let first = self.urls.iter().take(1);
        first.map(|url| json!({ "url": url })).collect()
    }
}

impl<'a> OperationNormalizer<'a> {
    pub(super) fn document_servers(&mut self) {
        let servers = self.servers_of(self.document.root(), "");
        self.servers
            .extend(servers.map(|servers| (String::new(), servers)));
    }

    /// Returns the servers of the first of `holders` that names some, if they differ from those of the document.
    pub(super) fn overriding_servers(
        &mut self,
        at: &str,
        holders: [(&'a Value, String); 2],
    ) -> Option<Value> {
        let own = holders
            .into_iter()
            .find_map(|(holder, source)| self.servers_of(holder, &source))?;
        let common = self.servers.get("");
        if common.is_some_and(|common| common.urls == own.urls) {
            return None;
        }
        let shown = own.to_value();
        self.servers.insert(at.to_owned(), own);
        Some(shown)
    }

    fn servers_of(&mut self, holder: &'a Value, source: &str) -> Option<Servers> {
        let listed = holder.get("servers")?.as_array()?;
        let urls: Vec<String> = listed
            .iter()
            .filter_map(|server| self.resolved_url(server))
            .collect();
        let pointer = format!("{source}/servers");
        (!urls.is_empty()).then_some(Servers { pointer, urls })
    }

    /// Returns the URL of a server with the defaults of its variables.
    fn resolved_url(&mut self, server: &Value) -> Option<String> {
        let mut url = server["url"].as_str()?.to_owned();
        for (name, variable) in server["variables"].as_object().into_iter().flatten() {
            let default = variable["default"].as_str().unwrap_or_default();
            let variable = format!("{{{name}}}");
            let longer = url.matches(&variable).count() * default.len();
            if !self.schema_normalizer.spend(url.len() + longer) {
                break;
            }
            url = url.replace(&variable, default);
        }
        self.schema_normalizer.spend(url.len());
        Some(url.trim_end_matches('/').to_owned())
    }
}
