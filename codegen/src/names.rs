//! The names that programs can use of bindings.

use std::collections::BTreeMap;

use crate::{
    bindings::Bindings,
    diagnostic::Report,
    document::Document,
    lower::{
        self, Documents, idents,
        model::{Body, Model, Node, Parameter, Shape},
        variants,
    },
};

impl Bindings {
    /// Returns every name that programs can use of the bindings of `document`, with its meaning:
    /// `types::User::email` is `Option<String>`.
    ///
    /// # Errors
    ///
    /// A [`Report`] if the document expands without end, or if types with one pinned name are of different kinds.
    pub fn names(&self, document: &Document) -> Result<BTreeMap<String, String>, Report> {
        let sources = self.sources.iter().map(|_| Documents {
            documents: vec![document.clone()],
            own: None,
        });
        let model = lower::lower(self, &sources.collect::<Vec<_>>())?;
        Ok(names(&model))
    }
}

fn names(model: &Model) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for op in &model.operations {
        let success = match &op.success {
            Some(success) => rust_type(model, &success.node),
            None => "()".to_owned(),
        };
        let call = format!(
            "{} {} -> {success}",
            op.method.to_ascii_uppercase(),
            op.path
        );
        names.insert(format!("Client::{}", op.name), call);
        let builder = format!("builder::{}", idents::pascal(&op.name));
        for param in &op.parameters {
            names.insert(
                format!("{builder}::{}", param.ident),
                parameter(model, param),
            );
        }
        if let Some(request) = &op.request {
            names.insert(format!("{builder}::body"), rust_type(model, &request.node));
        }
    }
    for named in &model.types {
        let name = format!("types::{}", named.name);
        match &named.body {
            Body::Object(properties) => {
                for property in properties {
                    let plain = rust_type(model, &property.node);
                    let is_optional = !property.required || property.node.nullable;
                    let plain = if is_optional {
                        format!("Option<{plain}>")
                    } else {
                        plain
                    };
                    names.insert(format!("{name}::{}", idents::snake(&property.name)), plain);
                }
                names.insert(name, "struct".to_owned());
            }
            Body::Enum(values) => {
                for (variant, value) in variants(values).into_iter().zip(values) {
                    names.insert(format!("{name}::{variant}"), format!("{value:?}"));
                }
                names.insert(name, "enum".to_owned());
            }
            Body::Union(union) => {
                let values: Vec<String> =
                    union.arms.iter().map(|(value, _)| value.clone()).collect();
                for (variant, (_, node)) in variants(&values).into_iter().zip(&union.arms) {
                    names.insert(format!("{name}::{variant}"), rust_type(model, node));
                }
                names.insert(name, "enum".to_owned());
            }
        }
    }
    for (name, node) in &model.aliases {
        names.insert(format!("types::{name}"), rust_type(model, node));
    }
    names
}

fn parameter(model: &Model, param: &Parameter) -> String {
    let plain = rust_type(model, &param.node);
    if param.required {
        plain
    } else {
        format!("Option<{plain}>")
    }
}

fn rust_type(model: &Model, node: &Node) -> String {
    match &node.shape {
        Shape::Any => "Value".to_owned(),
        Shape::Text => "String".to_owned(),
        Shape::DateTime => "DateTime<Utc>".to_owned(),
        Shape::Integer => "i64".to_owned(),
        Shape::Number => "f64".to_owned(),
        Shape::Boolean => "bool".to_owned(),
        Shape::List(items) => format!("Vec<{}>", rust_type(model, items)),
        Shape::Map(values) => format!("HashMap<String, {}>", rust_type(model, values)),
        Shape::Named(id) => model.types[*id].name.clone(),
    }
}
