//! Lowers parameters of operations.

use super::{
    docs,
    effective::Located,
    model::{Body, Docs, Node, Parameter, Shape},
    operation::Operations,
    schema::Context,
};
use crate::select::Found;

impl<'a> Operations<'_, 'a> {
    /// Lowers the parameters of the path item and of the operation, which override those of the path item.
    pub(super) fn parameters(
        &mut self,
        found: &Found<'a>,
        operation: &Located<'a>,
        id: &str,
        path: &str,
    ) -> Vec<Parameter> {
        let item = Located {
            document: self.document,
            pointer: found.pointer.clone(),
            node: found.item,
        };
        let mut listed: Vec<(&str, &str, Located<'a>)> = Vec::new();
        for holder in [&item, operation] {
            let list = holder.node["parameters"].as_array().into_iter().flatten();
            for (index, parameter) in list.enumerate() {
                let located = Located {
                    document: self.document,
                    pointer: format!("{}/parameters/{index}", holder.pointer),
                    node: parameter,
                };
                let Some(located) = self.schemas.resolver.resolve(&located) else {
                    self.schemas.note(format!(
                        "{}: the reference to a parameter leads nowhere; the parameter is left out",
                        located.pointer
                    ));
                    continue;
                };
                let (Some(location), Some(name)) =
                    (located.node["in"].as_str(), located.node["name"].as_str())
                else {
                    continue;
                };
                listed.retain(|(other, known, _)| (*other, *known) != (location, name));
                listed.push((location, name, located));
            }
        }
        let mut parameters = Vec::new();
        for variable in crate::path::every_variable(path) {
            let declared = listed
                .iter()
                .find(|(location, name, _)| *location == "path" && *name == variable);
            let parameter = match declared {
                Some((_, _, located)) => self.parameter("path", &variable, located.clone(), id),
                None => plain("path", &variable),
            };
            // A variable that occurs twice is one parameter.
            if !parameters
                .iter()
                .any(|known: &Parameter| known.name == variable)
            {
                parameters.push(parameter);
            }
        }
        for (location, name, located) in listed {
            match location {
                "query" => parameters.push(self.parameter("query", name, located, id)),
                "header" if is_header_name(name) => {
                    parameters.push(self.parameter("header", name, located, id))
                }
                "path" => {}
                _ => self.schemas.note(format!(
                    "{}: the {location} parameter {name:?} is left out",
                    located.pointer
                )),
            }
        }
        parameters
    }

    fn parameter(
        &mut self,
        location: &str,
        name: &str,
        located: Located<'a>,
        id: &str,
    ) -> Parameter {
        let node = located.node;
        let mut text = node["description"].as_str().and_then(docs::clean);
        let (schema, encoded) = match node.get("schema") {
            Some(schema) => (Some(located.child("schema", schema)), false),
            None => (None, node.get("content").is_some()),
        };
        let context = Context {
            in_request: true,
            parent: None,
            fallback_name: format!("{id}_{name}"),
        };
        let mut typed = match schema {
            Some(schema) => {
                let doc_text = self.schemas.effective(std::slice::from_ref(&schema)).docs;
                text = text.or_else(|| docs::paragraphs(doc_text));
                self.schemas.node(vec![schema], &context)
            }
            None => Node::new(Shape::Text),
        };
        let repeats = match node["style"].as_str() {
            None | Some("form") => node["explode"] != false,
            Some(_) => false,
        };
        // Parts of a URL and headers cannot be null.
        typed.nullable = false;
        let instead = match (location, &typed.shape) {
            _ if encoded => Some("It is sent as text that the caller encodes."),
            ("query", Shape::List(_)) if !repeats => {
                Some("Several values are one text, separated as the API has it (mostly by commas).")
            }
            ("path" | "header", Shape::List(_)) => {
                Some("Several values are one text, separated by commas.")
            }
            ("path" | "header", Shape::Map(_) | Shape::Any | Shape::DateTime) => {
                Some("It is sent as text.")
            }
            ("query", Shape::List(items)) if !self.is_scalar(items) => {
                Some("It is sent as text that the caller encodes.")
            }
            ("path" | "header", Shape::Named(named)) if !self.is_enum(*named) => {
                Some("It is sent as text.")
            }
            ("query", Shape::Named(named)) if !repeats && !self.is_enum(*named) => {
                Some("It is sent as text that the caller encodes.")
            }
            ("query", Shape::Map(_)) if !repeats => {
                Some("It is sent as text that the caller encodes.")
            }
            _ => None,
        };
        if let Some(instead) = instead {
            typed = Node::new(Shape::Text);
            text = docs::paragraphs(text.as_deref().into_iter().chain([instead]));
            self.schemas
                .note(format!("{}: {name}: {instead}", located.pointer));
        } else if location == "query" && self.is_object(&typed) {
            // Progenitor builds objects for bodies only.
            typed = Node::new(Shape::Map(Box::new(Node::any())));
            self.schemas.note(format!(
                "{}: {name}: its properties are sent as parameters; it is a map",
                located.pointer
            ));
        }
        Parameter {
            location: location.to_owned(),
            name: name.to_owned(),
            ident: String::new(),
            node: typed,
            required: location == "path" || node["required"] == true,
            docs: Docs {
                text,
                deprecated: node["deprecated"] == true,
            },
            offered: true,
        }
    }

    fn is_enum(&self, id: usize) -> bool {
        matches!(self.schemas.model.types[id].body, Body::Enum(_))
    }

    fn is_object(&self, node: &Node) -> bool {
        let body = node.named().map(|id| &self.schemas.model.types[id].body);
        matches!(body, Some(Body::Object(_)))
    }

    fn is_scalar(&self, node: &Node) -> bool {
        match node.shape {
            Shape::List(_) | Shape::Map(_) => false,
            Shape::Named(id) => self.is_enum(id),
            _ => true,
        }
    }
}

/// Renames the variables of a path to those of the selected path.
pub(super) fn rename_variables(path: &mut String, parameters: &mut [Parameter], pinned: &str) {
    let own = crate::path::every_variable(path);
    let pinned = crate::path::every_variable(pinned);
    if own == pinned || own.len() != pinned.len() {
        return;
    }
    for parameter in parameters.iter_mut().filter(|it| it.location == "path") {
        if let Some(index) = own.iter().position(|name| *name == parameter.name) {
            parameter.name.clone_from(&pinned[index]);
        }
    }
    let mut names = pinned.iter();
    let parts = path.split('{').enumerate().map(|(index, part)| {
        match (index, part.split_once('}'), names.as_slice().first()) {
            (1.., Some((_, after)), Some(name)) => {
                names.next();
                format!("{{{name}}}{after}")
            }
            _ => part.to_owned(),
        }
    });
    *path = parts.collect();
}

fn plain(location: &str, name: &str) -> Parameter {
    Parameter {
        location: location.to_owned(),
        name: name.to_owned(),
        ident: String::new(),
        node: Node::new(Shape::Text),
        required: true,
        docs: Docs::default(),
        offered: true,
    }
}

fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
