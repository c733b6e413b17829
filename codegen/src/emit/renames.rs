//! Placeholders for names that collide in Rust.
//!
//! Progenitor derives a Rust name from the name on the wire and has no setting for another one. Where two names would
//! become one identifier, or would collide with an identifier of the generated code, the document that progenitor reads
//! has a unique placeholder instead. Afterwards the name on the wire replaces the placeholder in the output.

use std::collections::{HashMap, HashSet};

use proc_macro2::{Group, Literal, TokenStream, TokenTree};
use serde_json::Value;

use crate::lower::{
    idents,
    model::{Body, Model},
};

/// The first of the characters that mark a placeholder. They are for private use, so that no document's name contains
/// them, and they are not part of an identifier.
const FIRST_MARK: u32 = 0xE000;
const MARKS: u32 = 0x1900;

#[derive(Default)]
pub(super) struct Renames {
    /// Type, name on the wire, and placeholder.
    properties: Vec<(String, String, String)>,
    /// Path, method, location and name on the wire, and the placeholder.
    parameters: Vec<([String; 4], String)>,
    /// Placeholders, and the names on the wire.
    wire: HashMap<String, String>,
}

impl Renames {
    pub fn new(model: &Model) -> Self {
        let mut renames = Self::default();
        for named in &model.types {
            let Body::Object(properties) = &named.body else {
                continue;
            };
            let mut taken = HashSet::from(["extra".to_owned()]);
            for property in properties {
                let plain = idents::snake(&property.name);
                let longer = format!("{}_property", plain.trim_end_matches('_'));
                let ident = idents::first_free(&taken, &[plain.clone(), longer], |name, count| {
                    format!("{name}_{count}")
                });
                taken.insert(ident.clone());
                if ident != plain || has_mark(&property.name) {
                    let placeholder = renames.placeholder(&ident, &property.name);
                    renames.properties.push((
                        named.name.clone(),
                        property.name.clone(),
                        placeholder,
                    ));
                }
            }
        }
        for op in &model.operations {
            for param in &op.parameters {
                if param.ident != idents::snake(&param.name) || has_mark(&param.name) {
                    let placeholder = renames.placeholder(&param.ident, &param.name);
                    let key =
                        [&op.path, &op.method, &param.location, &param.name].map(String::clone);
                    renames.parameters.push((key, placeholder));
                }
            }
        }
        renames
    }

    fn placeholder(&mut self, ident: &str, wire: &str) -> String {
        let mut number = u32::try_from(self.wire.len()).unwrap_or(u32::MAX);
        let mut placeholder = ident.to_owned();
        loop {
            placeholder.extend(char::from_u32(FIRST_MARK + number % MARKS));
            number /= MARKS;
            if number == 0 {
                break;
            }
        }
        self.wire.insert(placeholder.clone(), wire.to_owned());
        placeholder
    }

    /// Puts the placeholders into the document that progenitor reads.
    pub fn apply(&self, document: &mut Value) {
        for (name, wire, placeholder) in &self.properties {
            let component = &mut document["components"]["schemas"][name];
            if let Some(properties) = component["properties"].as_object_mut()
                && let Some(property) = properties.remove(wire)
            {
                properties.insert(placeholder.clone(), property);
            }
            for required in component
                .get_mut("required")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                if required == wire {
                    *required = Value::from(placeholder.as_str());
                }
            }
        }
        let mut paths: Vec<(String, String)> = Vec::new();
        for ([path, method, location, name], placeholder) in &self.parameters {
            let list = document["paths"][path][method]["parameters"].as_array_mut();
            for parameter in list.into_iter().flatten() {
                if parameter["in"] == location.as_str() && parameter["name"] == name.as_str() {
                    parameter["name"] = Value::from(placeholder.as_str());
                }
            }
            if location == "path" {
                paths.push((
                    path.clone(),
                    path.replace(&format!("{{{name}}}"), &format!("{{{placeholder}}}")),
                ));
            }
        }
        // A path has one template, although its methods may name the variables differently.
        for (path, _) in &paths {
            let mut template = path.clone();
            for ([other, _, location, name], placeholder) in &self.parameters {
                if other == path && location == "path" {
                    template =
                        template.replace(&format!("{{{name}}}"), &format!("{{{placeholder}}}"));
                }
            }
            let Some(paths) = document["paths"].as_object_mut() else {
                continue;
            };
            if let Some(item) = paths.remove(path) {
                paths.insert(template, item);
            }
        }
    }

    /// Replaces the placeholders with the names on the wire.
    pub fn restore(&self, tokens: TokenStream) -> TokenStream {
        if self.wire.is_empty() {
            return tokens;
        }
        tokens.into_iter().map(|token| self.token(token)).collect()
    }

    fn token(&self, token: TokenTree) -> TokenTree {
        match token {
            TokenTree::Group(group) => {
                let mut restored = Group::new(group.delimiter(), self.restore(group.stream()));
                restored.set_span(group.span());
                TokenTree::Group(restored)
            }
            TokenTree::Literal(literal) => {
                match syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                    Ok(text) if has_mark(&text.value()) => {
                        TokenTree::Literal(self.literal(&text.value()))
                    }
                    _ => TokenTree::Literal(literal),
                }
            }
            other => other,
        }
    }

    fn literal(&self, text: &str) -> Literal {
        match self.wire.get(text) {
            Some(wire) => Literal::string(wire),
            None => {
                // The placeholder is part of a longer text, such as a message or a path.
                let plain: String = text.chars().filter(|letter| !is_mark(*letter)).collect();
                Literal::string(&plain)
            }
        }
    }
}

fn is_mark(letter: char) -> bool {
    (FIRST_MARK..FIRST_MARK + MARKS).contains(&u32::from(letter))
}

fn has_mark(text: &str) -> bool {
    text.contains(is_mark)
}
