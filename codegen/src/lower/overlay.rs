//! Adds from the project's own document what the code around the bindings names and a document lacks.

use std::collections::HashMap;

use super::model::{Body, Docs, Id, Model, Node, Operation, Parameter, Shape};
use crate::{
    api::Endpoint,
    bindings::{Bindings, Target},
};

/// Documentation of parts that no document has.
const NOT_OFFERED: &str =
    "Not offered by the document that this was built from: using it is refused.";

/// Wraps results that a document describes without their envelope in the envelope of the project's own document.
pub(super) fn wrap_in_envelopes(
    bindings: &Bindings,
    model: &mut Model,
    own: &Model,
    known: &mut Imported,
) {
    for source in &bindings.sources {
        let Some(property) = &source.envelope else {
            continue;
        };
        for each in &source.selected {
            let enveloped = |model: &Model| {
                let node = &model.operation(&each.endpoint)?.success.as_ref()?.node;
                node.named()
                    .map(|id| model.types[id].property(property).is_some())
            };
            let is_bare = enveloped(model) != Some(true) && enveloped(own) == Some(true);
            let bare = model
                .operation(&each.endpoint)
                .and_then(|op| op.success.as_ref());
            let Some(bare) = bare.filter(|_| is_bare).map(|payload| payload.node.clone()) else {
                continue;
            };
            let mut importer = Importer::new(own, model, known);
            let envelope = own
                .operation(&each.endpoint)
                .and_then(|op| op.success.as_ref());
            let Some(mut envelope) = envelope.map(|payload| importer.node(&payload.node)) else {
                continue;
            };
            let Some(id) = envelope.named() else { continue };
            for inner in model.types[id].properties_mut().into_iter().flatten() {
                if inner.name == *property {
                    inner.node = bare.clone();
                    inner.offered = true;
                } else {
                    mark_not_offered(&mut inner.docs);
                }
            }
            envelope.nullable = false;
            if let Some(success) = model
                .operation_mut(&each.endpoint)
                .and_then(|op| op.success.as_mut())
            {
                success.node = envelope;
            }
        }
    }
}

/// Adds operations, parameters and properties that the documents lack from the project's own document.
pub(super) fn overlay(bindings: &Bindings, model: &mut Model, own: &Model, known: &mut Imported) {
    for source in &bindings.sources {
        for each in &source.selected {
            if model.operation(&each.endpoint).is_none()
                && let Some(theirs) = own.operation(&each.endpoint)
            {
                let op = Importer::new(own, model, known).operation(theirs);
                model.operations.push(op);
            }
        }
        for need in &source.requirements {
            match &need.target {
                Target::Query(endpoint, name) => overlay_query(model, own, endpoint, name, known),
                Target::Property(name, steps) => overlay_property(model, own, name, steps, known),
            }
        }
    }
}

fn overlay_query(
    model: &mut Model,
    own: &Model,
    endpoint: &Endpoint,
    name: &str,
    imported: &mut Imported,
) {
    let is = |param: &&Parameter| param.location == "query" && param.name == name;
    let known = model
        .operation(endpoint)
        .is_none_or(|op| op.parameters.iter().any(|param| is(&param)));
    let Some(param) = own
        .operation(endpoint)
        .and_then(|op| op.parameters.iter().find(is))
        .filter(|_| !known)
    else {
        return;
    };
    let mut param = param.clone();
    param.node = Importer::new(own, model, imported).node(&param.node);
    param.required = false;
    param.offered = false;
    mark_not_offered(&mut param.docs);
    if let Some(op) = model.operation_mut(endpoint) {
        op.parameters.push(param);
    }
}

fn overlay_property(
    model: &mut Model,
    own: &Model,
    name: &str,
    steps: &[String],
    known: &mut Imported,
) {
    let (Some(mut id), Some(mut theirs)) = (model.pinned_type(name), own.pinned_type(name)) else {
        return;
    };
    for step in steps {
        let Some(source) = own.types[theirs].property(step) else {
            return;
        };
        if model.types[id].property(step).is_none() {
            let mut property = source.clone();
            property.node = Importer::new(own, model, known).node(&property.node);
            property.required = false;
            property.offered = false;
            mark_not_offered(&mut property.docs);
            if let Some(properties) = model.types[id].properties_mut() {
                properties.push(property);
            }
            return;
        }
        let next = model.types[id]
            .property(step)
            .and_then(|property| property.node.named());
        match (next, source.node.named()) {
            (Some(deeper), Some(other)) => (id, theirs) = (deeper, other),
            _ => return,
        }
    }
}

fn mark_not_offered(docs: &mut Docs) {
    let doc_text = docs.text.take().unwrap_or_default();
    docs.text = Some(format!("{doc_text}\n\n{NOT_OFFERED}").trim().to_owned());
}

/// Copies parts of one model into another.
struct Importer<'m> {
    from: &'m Model,
    into: &'m mut Model,
    known: &'m mut Imported,
}

/// The types that were copied: their ids in the source and in the target.
pub(super) type Imported = HashMap<Id, Id>;

impl<'m> Importer<'m> {
    fn new(from: &'m Model, into: &'m mut Model, known: &'m mut Imported) -> Self {
        Self { from, into, known }
    }

    fn node(&mut self, node: &Node) -> Node {
        let shape = match &node.shape {
            Shape::Named(id) => Shape::Named(self.named(*id)),
            Shape::List(inner) => Shape::List(Box::new(self.node(inner))),
            Shape::Map(inner) => Shape::Map(Box::new(self.node(inner))),
            other => other.clone(),
        };
        Node {
            shape,
            nullable: node.nullable,
        }
    }

    fn named(&mut self, id: Id) -> Id {
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        let theirs = &self.from.types[id];
        if let Some(name) = &theirs.origin.pinned
            && let Some(known) = self.into.pinned_type(name)
        {
            return known;
        }
        let new = self.into.types.len();
        self.known.insert(id, new);
        let mut named = theirs.clone();
        // The type is not from one of the target's documents.
        named.origin.document = usize::MAX;
        self.into.types.push(named);
        let mut named = theirs.clone();
        named.origin.document = usize::MAX;
        named.origin.parent = named
            .origin
            .parent
            .map(|(holder, member)| (self.named(holder), member));
        match &mut named.body {
            Body::Object(properties) => {
                for property in properties {
                    property.node = self.node(&property.node);
                    property.offered = false;
                }
            }
            Body::Union(union) => {
                for (_, arm) in &mut union.arms {
                    *arm = self.node(arm);
                }
            }
            Body::Enum(_) => {}
        }
        self.into.types[new] = named;
        new
    }

    fn operation(&mut self, op: &Operation) -> Operation {
        let mut op = op.clone();
        for node in op.nodes_mut() {
            *node = self.node(node);
        }
        op.offered = false;
        mark_not_offered(&mut op.docs);
        op
    }
}
