//! What the code around the bindings names: types by the places they have in operations, and parameters and
//! properties that a document may lack.

use std::collections::HashMap;

use super::{
    model::{Body, Id, Model, Named, Node, Op, Param, Shape, Words},
    schema::{Context, Mixer},
};
use crate::{
    api::{Call, Need},
    bindings::{Bindings, Role, Side, Source, Target, Type},
    diagnostic::Diagnostic,
    path,
};

/// What is said of something that no document has.
const NOT_OFFERED: &str =
    "Not offered by the document that this was built from: using it is refused.";

/// Gives the types at pinned places their names, and makes one type of those that get the same.
pub(super) fn pin(bindings: &Bindings, model: &mut Model) -> Result<(), Vec<Diagnostic>> {
    // What is united has parts that are united in turn, some of which have names of their own.
    let mut pinned = pin_once(bindings, model)?;
    for _ in 0..MAX_ROUNDS {
        if !pinned.united {
            break;
        }
        pinned = pin_once(bindings, model)?;
    }
    model.aliases = pinned.aliases;
    for (name, id) in pinned.names {
        match &model.types[id].origin.pinned {
            Some(first) if *first != name => {
                model.aliases.push((name, Node::new(Shape::Named(id))));
            }
            _ => model.types[id].origin.pinned = Some(name),
        }
    }
    Ok(())
}

/// A structure within a structure is united one round later than that.
const MAX_ROUNDS: usize = 64;

#[derive(Default)]
struct Pinned {
    names: Vec<(String, Id)>,
    /// Names of types that the document has plain ones in place of.
    aliases: Vec<(String, Node)>,
    /// Whether types were united, so that names may lead to others than before.
    united: bool,
}

/// Finds the types at all places that have names, and unites those that are to have the same.
fn pin_once(bindings: &Bindings, model: &mut Model) -> Result<Pinned, Vec<Diagnostic>> {
    let mut pinned = Pinned::default();
    let mut diagnostics = Vec::new();
    let mut plain: Vec<(&Role, &String, Shape)> = Vec::new();
    for (role, name) in bindings.sources.iter().flat_map(|source| &source.names) {
        let Some(node) = at_role(model, role).cloned() else {
            continue;
        };
        let Some(id) = node.named() else {
            match plain.iter().find(|(_, known, _)| *known == name) {
                Some((other, _, shape)) if *shape != node.shape => {
                    diagnostics.push(differing(String::new(), role, &other.to_string(), name));
                }
                Some(_) => {}
                None => {
                    plain.push((role, name, node.shape.clone()));
                    pinned.aliases.push((name.clone(), node));
                }
            }
            continue;
        };
        let known = pinned.names.iter().find(|(known, _)| known == name);
        let other = match known {
            None => {
                pinned.names.push((name.clone(), id));
                continue;
            }
            Some((_, other)) if *other == id => continue,
            Some((_, other)) => *other,
        };
        let at = Context {
            sent: matches!(role.side, Side::Request | Side::Form),
            within: None,
            fallback: name.clone(),
        };
        let mixed = Mixer::new(model).mix(&Node::new(Shape::Named(other)), &node, &at);
        let Some(mixed) = mixed.named() else {
            let place = |id: Id| model.types[id].origin.pointer.clone();
            diagnostics.push(differing(place(id), role, &place(other), name));
            continue;
        };
        redirect(model, &[other, id], mixed);
        for (_, known) in &mut pinned.names {
            if *known == other || *known == id {
                *known = mixed;
            }
        }
        pinned.united = true;
    }
    for (role, name, _) in plain {
        if let Some((_, id)) = pinned.names.iter().find(|(known, _)| known == name) {
            let place = model.types[*id].origin.pointer.clone();
            diagnostics.push(differing(place.clone(), role, &place, name));
        }
    }
    if diagnostics.is_empty() {
        Ok(pinned)
    } else {
        Err(diagnostics)
    }
}

/// A place that is of another kind than another one of its name.
fn differing(pointer: String, role: &Role, other: &str, name: &str) -> Diagnostic {
    Diagnostic {
        pointer,
        expected: format!(
            "`{role}` to be of one kind with {other}, since both are called `{name}`"
        ),
        found: "types of different kinds".to_owned(),
        advice: "give the places different names".to_owned(),
    }
}

fn redirect(model: &mut Model, from: &[Id], to: Id) {
    let mut change = |id: Id| if from.contains(&id) { to } else { id };
    for (id, named) in model.types.iter_mut().enumerate() {
        if !from.contains(&id) {
            named.map_ids(&mut change);
        }
    }
    for node in model.operations.iter_mut().flat_map(Op::nodes_mut) {
        node.map_ids(&mut change);
    }
    for (_, node) in &mut model.aliases {
        node.map_ids(&mut change);
    }
    // A type that holds itself holds the one that stands for it.
    if let Some((within, _)) = &model.types[to].origin.within
        && *within == to
    {
        model.types[to].origin.within = None;
    }
}

fn operation<'m>(model: &'m Model, call: &Call) -> Option<&'m Op> {
    model
        .operations
        .iter()
        .find(|op| op.method == call.method && path::is_same(&op.path, &call.path))
}

fn operation_mut<'m>(model: &'m mut Model, call: &Call) -> Option<&'m mut Op> {
    model
        .operations
        .iter_mut()
        .find(|op| op.method == call.method && path::is_same(&op.path, &call.path))
}

fn at_role<'m>(model: &'m Model, role: &Role) -> Option<&'m Node> {
    let op = operation(model, &role.call)?;
    let mut node = match role.side {
        Side::Request | Side::Form => &op.request.as_ref()?.node,
        Side::Response => &op.success.as_ref()?.node,
        Side::Failure => op.failure.as_ref()?,
    };
    for step in &role.steps {
        node = match (&node.shape, step.as_str()) {
            (Shape::List(items), "*") | (Shape::Map(items), "*") => items,
            (Shape::Named(id), name) => &model.types[*id].property(name)?.node,
            _ => return None,
        };
    }
    Some(node)
}

fn pinned_type(model: &Model, name: &str) -> Option<Id> {
    let is = |named: &Named| named.origin.pinned.as_deref() == Some(name);
    let alias = || {
        let (_, node) = model.aliases.iter().find(|(alias, _)| alias == name)?;
        node.named()
    };
    model.types.iter().position(is).or_else(alias)
}

/// Where a source's results are in an envelope and the document describes them without it, puts the envelope of
/// the project's own document around them.
pub(super) fn unwrap(bindings: &Bindings, model: &mut Model, own: &Model, known: &mut Imported) {
    for source in &bindings.sources {
        let Some(property) = &source.envelope else {
            continue;
        };
        for each in &source.selected {
            let enveloped = |model: &Model| {
                let node = &operation(model, &each.call)?.success.as_ref()?.node;
                node.named()
                    .map(|id| model.types[id].property(property).is_some())
            };
            let is_bare = enveloped(model) != Some(true) && enveloped(own) == Some(true);
            let bare = operation(model, &each.call).and_then(|op| op.success.as_ref());
            let Some(bare) = bare.filter(|_| is_bare).map(|payload| payload.node.clone()) else {
                continue;
            };
            let mut import = Import::new(own, model, known);
            let envelope = operation(own, &each.call).and_then(|op| op.success.as_ref());
            let Some(mut envelope) = envelope.map(|payload| import.node(&payload.node)) else {
                continue;
            };
            let Some(id) = envelope.named() else { continue };
            for inner in model.types[id].properties_mut().into_iter().flatten() {
                if inner.name == *property {
                    inner.node = bare.clone();
                    inner.offered = true;
                } else {
                    not_offered(&mut inner.words);
                }
            }
            envelope.nullable = false;
            if let Some(success) =
                operation_mut(model, &each.call).and_then(|op| op.success.as_mut())
            {
                success.node = envelope;
            }
        }
    }
}

/// Adds what the code around the bindings names and the documents lack, from the project's own document.
pub(super) fn overlay(bindings: &Bindings, model: &mut Model, own: &Model, known: &mut Imported) {
    for source in &bindings.sources {
        for each in &source.selected {
            if operation(model, &each.call).is_none()
                && let Some(theirs) = operation(own, &each.call)
            {
                let op = Import::new(own, model, known).operation(theirs);
                model.operations.push(op);
            }
        }
        for need in &source.needs {
            match &need.target {
                Target::Query(call, name) => overlay_query(model, own, call, name, known),
                Target::Property(name, steps) => overlay_property(model, own, name, steps, known),
            }
        }
    }
}

fn overlay_query(model: &mut Model, own: &Model, call: &Call, name: &str, imported: &mut Imported) {
    let is = |param: &&Param| param.location == "query" && param.name == name;
    let known =
        operation(model, call).is_none_or(|op| op.parameters.iter().any(|param| is(&param)));
    let Some(param) = operation(own, call)
        .and_then(|op| op.parameters.iter().find(is))
        .filter(|_| !known)
    else {
        return;
    };
    let mut param = param.clone();
    param.node = Import::new(own, model, imported).node(&param.node);
    param.required = false;
    param.offered = false;
    not_offered(&mut param.words);
    if let Some(op) = operation_mut(model, call) {
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
    let (Some(mut id), Some(mut theirs)) = (pinned_type(model, name), pinned_type(own, name))
    else {
        return;
    };
    for step in steps {
        let Some(source) = own.types[theirs].property(step) else {
            return;
        };
        if model.types[id].property(step).is_none() {
            let mut property = source.clone();
            property.node = Import::new(own, model, known).node(&property.node);
            property.required = false;
            property.offered = false;
            not_offered(&mut property.words);
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

fn not_offered(words: &mut Words) {
    let said = words.text.take().unwrap_or_default();
    words.text = Some(format!("{said}\n\n{NOT_OFFERED}").trim().to_owned());
}

/// Takes parts of one model into another.
struct Import<'m> {
    from: &'m Model,
    into: &'m mut Model,
    known: &'m mut Imported,
}

/// What was taken so far: the type there, and the type here.
pub(super) type Imported = HashMap<Id, Id>;

impl<'m> Import<'m> {
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
            && let Some(known) = pinned_type(self.into, name)
        {
            return known;
        }
        let new = self.into.types.len();
        self.known.insert(id, new);
        let mut named = theirs.clone();
        // Of another document than the rest.
        named.origin.document = usize::MAX;
        self.into.types.push(named);
        let mut named = theirs.clone();
        named.origin.document = usize::MAX;
        named.origin.within = named
            .origin
            .within
            .map(|(holder, way)| (self.named(holder), way));
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
            Body::Set(_) => {}
        }
        self.into.types[new] = named;
        new
    }

    fn operation(&mut self, op: &Op) -> Op {
        let mut op = op.clone();
        for node in op.nodes_mut() {
            *node = self.node(node);
        }
        op.offered = false;
        not_offered(&mut op.words);
        op
    }
}

/// Where the code around the bindings expects a type and the document leaves it open, the type is that.
pub(super) fn coerce(bindings: &Bindings, model: &mut Model) {
    for need in bindings.sources.iter().flat_map(|source| &source.needs) {
        match &need.target {
            Target::Query(call, name) => {
                if let Some(op) = operation_mut(model, call) {
                    let parameters = op.parameters.iter_mut();
                    for param in
                        parameters.filter(|param| param.location == "query" && param.name == *name)
                    {
                        coerce_node(&mut param.node, need.kind);
                    }
                }
            }
            Target::Property(name, steps) => {
                let Some(mut id) = pinned_type(model, name) else {
                    continue;
                };
                let Some((last, way)) = steps.split_last() else {
                    continue;
                };
                let deeper = way
                    .iter()
                    .try_fold(id, |id, step| model.types[id].property(step)?.node.named());
                match deeper {
                    Some(deeper) => id = deeper,
                    None => continue,
                }
                if let Some(properties) = model.types[id].properties_mut() {
                    for property in properties
                        .iter_mut()
                        .filter(|property| property.name == *last)
                    {
                        coerce_node(&mut property.node, need.kind);
                    }
                }
            }
        }
    }
}

fn coerce_node(node: &mut Node, kind: Type) {
    let shape = match (kind, &node.shape) {
        (Type::DateTime, Shape::Text | Shape::Any) => Shape::DateTime,
        (Type::Text, Shape::Any | Shape::DateTime) => Shape::Text,
        (Type::Integer, Shape::Any | Shape::Number) => Shape::Integer,
        (Type::TextList, Shape::Any) => Shape::List(Box::new(Node::new(Shape::Text))),
        (Type::TextList, Shape::List(items)) if items.shape == Shape::Any => {
            Shape::List(Box::new(Node::new(Shape::Text)))
        }
        _ => return,
    };
    node.shape = shape;
}

/// Says what the documents have of what the code around the bindings can do without.
pub(super) fn offers(bindings: &Bindings, model: &mut Model) {
    let mut offers = Vec::new();
    for source in &bindings.sources {
        for each in &source.selected {
            let Some(op) = operation(model, &each.call) else {
                continue;
            };
            if each.need == Need::Optional {
                offers.push((constant(&op.id), op.offered));
            }
            for param in &op.parameters {
                let asked = source.needs.iter().any(|need| {
                    need.need == Need::Optional
                        && matches!(&need.target, Target::Query(call, name) if *call == each.call && *name == param.name)
                });
                if asked {
                    let name = format!("{}_{}", constant(&op.id), constant(&param.name));
                    offers.push((name, op.offered && param.offered));
                }
            }
        }
        offers.extend(offered_properties(source, model));
    }
    model.offers = offers;
}

fn offered_properties(source: &Source, model: &Model) -> Vec<(String, bool)> {
    let mut offers = Vec::new();
    for need in source
        .needs
        .iter()
        .filter(|need| need.need == Need::Optional)
    {
        let Target::Property(name, steps) = &need.target else {
            continue;
        };
        let mut offered = true;
        let mut id = pinned_type(model, name);
        for step in steps {
            let property = id.and_then(|id| model.types[id].property(step));
            offered &= property.is_some_and(|property| property.offered);
            id = property.and_then(|property| property.node.named());
        }
        let words = steps.iter().map(|step| constant(step));
        let words: Vec<String> = std::iter::once(constant(name)).chain(words).collect();
        offers.push((words.join("_"), offered));
    }
    offers
}

/// `assignedRoleIds` and `page_size` as constants are written.
fn constant(name: &str) -> String {
    super::idents::snake(name).to_ascii_uppercase()
}
