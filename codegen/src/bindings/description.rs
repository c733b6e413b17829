//! Bindings as JSON, so that a program can tell what a compiled library needs of its documents.

use serde_json::{Map, Value, json};

use super::{Bindings, Source, Type};
use crate::{
    api::Need,
    diagnostic::{Diagnostic, Report},
};

impl Bindings {
    /// Returns a description as JSON, which [`from_description`](Self::from_description) parses.
    pub fn description(&self) -> String {
        let need = |need: Need| need == Need::Required;
        let source = |source: &Source| {
            let selected = source.selected.iter().map(|each| {
                json!({ "call": each.endpoint.to_string(), "id": each.id, "required": need(each.need) })
            });
            let names = source.names.iter();
            let names = names
                .map(|(body_path, name)| json!({ "role": body_path.to_string(), "name": name }));
            let requirements = source.requirements.iter().map(|each| {
                json!({
                    "target": each.target.to_string(),
                    "type": each.kind.as_str(),
                    "required": need(each.need),
                    "always": each.always,
                })
            });
            json!({
                "title": source.title,
                "document": source.document,
                "all": source.all,
                "operations": selected.collect::<Value>(),
                "names": names.collect::<Value>(),
                "needs": requirements.collect::<Value>(),
                "envelope": source.envelope,
            })
        };
        json!({
            "name": self.name,
            "module": self.module,
            "title": self.title,
            "env": self.variable,
            "support": self.support,
            "sources": self.sources.iter().map(source).collect::<Value>(),
        })
        .to_string()
    }

    /// Parses a description.
    ///
    /// # Errors
    ///
    /// A [`Report`] with one problem if the text is not a description.
    pub fn from_description(text: &str) -> Result<Self, Report> {
        read_description(text).ok_or_else(|| {
            let diagnostic = Diagnostic {
                pointer: String::new(),
                expected: "a description of bindings".to_owned(),
                found: "something else".to_owned(),
                advice: "take it from the library's generated bindings".to_owned(),
            };
            Report::single("description", diagnostic)
        })
    }
}

fn read_description(text: &str) -> Option<Bindings> {
    let value: Value = serde_json::from_str(text).ok()?;
    let text = |value: &Map<String, Value>, key: &str| {
        value.get(key).and_then(Value::as_str).map(str::to_owned)
    };
    let root = value.as_object()?;
    let mut bindings = Bindings::new(text(root, "name")?).module(text(root, "module")?);
    bindings.title = text(root, "title");
    bindings.variable = text(root, "env");
    bindings.support = text(root, "support");
    for source in root.get("sources")?.as_array()? {
        let source = source.as_object()?;
        let list = |key: &str| source.get(key)?.as_array();
        let mut read = Source::new(text(source, "document")?);
        read.title = text(source, "title");
        read.all = source.get("all")?.as_bool()?;
        read.envelope = text(source, "envelope");
        let need = |entry: &Map<String, Value>| match entry.get("required")?.as_bool()? {
            true => Some(Need::Required),
            false => Some(Need::Optional),
        };
        for entry in list("operations")? {
            let entry = entry.as_object()?;
            read.select(
                &text(entry, "call")?,
                text(entry, "id").as_deref(),
                need(entry)?,
            );
        }
        for entry in list("names")? {
            let entry = entry.as_object()?;
            read = read.name(&text(entry, "role")?, &text(entry, "name")?);
        }
        for entry in list("needs")? {
            let entry = entry.as_object()?;
            let kind = text(entry, "type")?;
            let kind = Type::ALL.into_iter().find(|each| each.as_str() == kind)?;
            read = read.need(&text(entry, "target")?, kind, need(entry)?);
            if let Some(last) = read.requirements.last_mut() {
                last.always = entry.get("always")?.as_bool()?;
            }
        }
        bindings = bindings.source(read);
    }
    Some(bindings)
}
