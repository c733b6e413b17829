//! Lowers schemas to types.

use std::collections::{HashMap, HashSet};

use super::{
    docs,
    effective::{EffectiveSchema, Located, SchemaResolver},
    model::{Body, Docs, Id, Model, NamedType, Node, Origin, Property, Shape},
};

/// How many schemas one module of bindings may visit.
const MAX_COST: usize = 1_500_000;

/// How many types one module may have.
const MAX_TYPES: usize = 20_000;

/// How deep types may be nested, so that the stack does not overflow. Vendors' documents reach 13.
const MAX_DEPTH: usize = 128;

/// Creates the types of one module.
pub(super) struct Schemas<'a> {
    pub resolver: SchemaResolver<'a>,
    pub model: Model,
    pub(super) known: HashMap<(String, bool), Id>,
    /// Types that are being created and have no name, so that they cannot contain themselves.
    open: HashSet<(String, bool)>,
    depth: usize,
    cost: usize,
}

/// Where a schema is used.
#[derive(Clone, Debug)]
pub(super) struct Context {
    /// Whether the schema is part of a request.
    pub in_request: bool,
    /// The type that contains this one, and the property that does.
    pub parent: Option<(Id, String)>,
    /// The name of a type that has no other one.
    pub fallback_name: String,
}

impl Context {
    fn item(&self, suffix: &str) -> Self {
        let mut inner = self.clone();
        match &mut inner.parent {
            Some((_, member)) => member.push_str(suffix),
            None => inner.fallback_name.push_str(suffix),
        }
        inner
    }
}

impl<'a> Schemas<'a> {
    pub fn new(resolver: SchemaResolver<'a>) -> Self {
        Self {
            resolver,
            model: Model::default(),
            known: HashMap::new(),
            open: HashSet::new(),
            depth: 0,
            cost: 0,
        }
    }

    /// Whether the documents expand beyond the limits.
    pub fn exhausted(&self) -> bool {
        self.cost > MAX_COST || self.model.types.len() > MAX_TYPES
    }

    pub fn effective(&mut self, schemas: &[Located<'a>]) -> EffectiveSchema<'a> {
        let effective = self.resolver.effective(schemas);
        self.cost += effective.cost;
        effective
    }

    /// Returns the type of a value to which all these schemas apply.
    pub fn node(&mut self, schemas: Vec<Located<'a>>, context: &Context) -> Node {
        if self.exhausted() {
            return Node::any();
        }
        let nullable = self.effective(&schemas).nullable;
        let resolver = self.resolver;
        let mut definitions: Vec<Located<'a>> = Vec::new();
        for located in schemas {
            let definition = resolver.definition(located, context.in_request);
            let known = |other: &Located| other.pointer == definition.pointer;
            if !definitions.iter().any(known) && is_constrained(&definition) {
                definitions.push(definition);
            }
        }
        let pointers = definitions
            .iter()
            .map(|it| format!("{}{}", it.document, it.pointer));
        let key = (pointers.collect::<Vec<_>>().join(" "), context.in_request);
        let shape = match self.known.get(&key) {
            Some(id) => Shape::Named(*id),
            None if definitions.is_empty() => Shape::Any,
            None if !self.open.insert(key.clone()) => {
                let pointer = &definitions[0].pointer;
                self.note(format!(
                    "{pointer}: it contains itself and has no properties; it is any JSON"
                ));
                Shape::Any
            }
            None if self.depth == MAX_DEPTH => {
                let pointer = &definitions[0].pointer;
                self.note(format!(
                    "{pointer}: it is nested too deeply; it is any JSON"
                ));
                self.open.remove(&key);
                Shape::Any
            }
            None => {
                self.depth += 1;
                let shape = self.shape(&definitions, &key, context);
                self.depth -= 1;
                self.open.remove(&key);
                shape
            }
        };
        Node { shape, nullable }
    }

    pub fn note(&mut self, note: String) {
        if !self.model.notes.contains(&note) {
            self.model.notes.push(note);
        }
    }

    fn shape(
        &mut self,
        definitions: &[Located<'a>],
        key: &(String, bool),
        context: &Context,
    ) -> Shape {
        let effective = self.effective(definitions);
        for reference in &effective.dangling {
            let pointer = &definitions[0].pointer;
            self.note(format!(
                "{pointer}: the reference {reference:?} leads nowhere inside the document; it is any JSON"
            ));
        }
        let is_object = effective.types.is_empty() || effective.is_only("object");
        if is_object && !effective.properties.is_empty() {
            return self.object(definitions, key, effective, context);
        }
        let union = effective.unions.first().cloned();
        let list =
            effective.is_only("array") || effective.types.is_empty() && !effective.items.is_empty();
        if list {
            let items = match effective.items.is_empty() {
                true => Node::any(),
                false => self.node(effective.items, &context.item("_item")),
            };
            return Shape::List(Box::new(items));
        }
        if effective.types.len() > 1
            && !effective
                .types
                .iter()
                .all(|name| ["integer", "number"].contains(name))
        {
            return Shape::Any;
        }
        if let Some(branches) = union {
            return self.union(branches, definitions, key, &effective, context);
        }
        if !effective.additional.is_empty() {
            let value = self.node(effective.additional, &context.item("_value"));
            return Shape::Map(Box::new(value));
        }
        match effective.types.first().copied() {
            Some("object") => Shape::Map(Box::new(Node::any())),
            Some("string") | None if effective.is_enum() => {
                let values = effective.values.iter().map(|value| (*value).to_owned());
                let body = Body::Enum(values.collect());
                Shape::Named(self.named(definitions, key, &effective, body, context))
            }
            Some("string") if effective.format == Some("date-time") => Shape::DateTime,
            Some("string") => Shape::Text,
            Some("integer") if effective.types.len() == 1 => Shape::Integer,
            Some("integer" | "number") => Shape::Number,
            Some("boolean") => Shape::Boolean,
            _ => Shape::Any,
        }
    }

    fn object(
        &mut self,
        definitions: &[Located<'a>],
        key: &(String, bool),
        mut effective: EffectiveSchema<'a>,
        context: &Context,
    ) -> Shape {
        let hidden = if context.in_request {
            EffectiveSchema::is_read_only
        } else {
            EffectiveSchema::is_write_only
        };
        let mut shown = Vec::new();
        for (name, schemas) in std::mem::take(&mut effective.properties) {
            let doc_text = self.effective(&schemas);
            if !hidden(&doc_text) {
                shown.push((name, schemas, doc_text));
            }
        }
        // None of the described properties is sent or received in this direction.
        if shown.is_empty() {
            return Shape::Map(Box::new(Node::any()));
        }
        if !effective.unions.is_empty()
            && effective
                .unions
                .iter()
                .flatten()
                .any(|branch| has_properties(branch))
        {
            let pointer = &definitions[0].pointer;
            self.note(format!(
                "{pointer}: what only one of several alternatives has is not typed; it is in `extra`"
            ));
        }
        // The type is registered before its properties, because it may contain itself.
        let id = self.named(
            definitions,
            key,
            &effective,
            Body::Object(Vec::new()),
            context,
        );
        let mut properties = Vec::new();
        for (name, schemas, doc_text) in shown {
            let inner = Context {
                in_request: context.in_request,
                parent: Some((id, name.to_owned())),
                fallback_name: String::new(),
            };
            let node = self.node(schemas, &inner);
            let text = self.own_docs(&doc_text.docs, &node);
            properties.push(Property {
                name: name.to_owned(),
                node,
                required: context.in_request && effective.required.contains(name),
                docs: Docs {
                    text,
                    deprecated: doc_text.deprecated,
                },
                offered: true,
            });
        }
        self.model.types[id].body = Body::Object(properties);
        Shape::Named(id)
    }

    /// Returns the documentation of a use, without what the documentation of its type repeats.
    pub fn own_docs(&self, doc_text: &[&str], node: &Node) -> Option<String> {
        let shared = node.named().map(|id| &self.model.types[id]);
        let is_new = |text: &&&str| {
            let shared = shared.filter(|named| component(&named.origin.pointer).is_some());
            let shared = shared.and_then(|named| named.docs.text.as_deref());
            !shared
                .is_some_and(|shared| docs::clean(text).is_some_and(|text| shared.contains(&text)))
        };
        docs::paragraphs(doc_text.iter().filter(is_new).copied())
    }

    pub(super) fn named(
        &mut self,
        definitions: &[Located<'a>],
        key: &(String, bool),
        effective: &EffectiveSchema<'a>,
        body: Body,
        context: &Context,
    ) -> Id {
        let id = self.model.types.len();
        // A schema that only extends one component is named after the component.
        let first = &definitions[0];
        let base = || {
            let parts = first.node.get("allOf")?.as_array()?;
            let mut references = parts.iter().filter_map(|part| part.get("$ref")?.as_str());
            let one = references.next()?;
            references
                .next()
                .is_none()
                .then(|| one.strip_prefix('#').map(str::to_owned))?
        };
        let is_component = component(&first.pointer).is_some();
        let pointer = match (is_component, base()) {
            (false, Some(base)) if context.in_request && component(&base).is_some() => base,
            _ => first.pointer.clone(),
        };
        self.model.types.push(NamedType {
            name: String::new(),
            docs: Docs {
                text: docs::paragraphs(effective.docs.iter().copied()),
                deprecated: effective.deprecated,
            },
            body,
            origin: Origin {
                document: first.document,
                pointer,
                in_request: context.in_request,
                pinned: None,
                parent: context.parent.clone(),
                fallback_name: context.fallback_name.clone(),
            },
        });
        self.known.insert(key.clone(), id);
        id
    }
}

impl EffectiveSchema<'_> {
    fn is_read_only(&self) -> bool {
        self.read_only
    }

    fn is_write_only(&self) -> bool {
        self.write_only
    }
}

/// Returns the name of the component at `pointer`.
pub(super) fn component(pointer: &str) -> Option<String> {
    let name = pointer.strip_prefix("/components/schemas/")?;
    (!name.contains('/')).then(|| name.replace("~1", "/").replace("~0", "~"))
}

/// Whether a schema has a keyword that restricts values.
fn is_constrained(located: &Located) -> bool {
    const ANNOTATIONS: [&str; 9] = [
        "description",
        "example",
        "examples",
        "title",
        "deprecated",
        "readOnly",
        "writeOnly",
        "nullable",
        "default",
    ];
    located.node.as_object().is_some_and(|node| {
        node.keys().any(|key| {
            !ANNOTATIONS.contains(&key.as_str())
                && (!key.starts_with("x-") || key == "x-extensible-enum")
        })
    })
}

fn has_properties(located: &Located) -> bool {
    ["properties", "$ref", "allOf"]
        .iter()
        .any(|keyword| located.node.get(keyword).is_some())
}
