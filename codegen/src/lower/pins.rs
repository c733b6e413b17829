//! Pinned names: names of types that the builder gives to parts of bodies.

use super::{
    model::{Id, Model, Node, Operation, Shape},
    schema::Context,
    unify::Unifier,
};
use crate::{
    bindings::{Bindings, BodyKind, BodyPath},
    diagnostic::Diagnostic,
};

/// Gives types their pinned names, and unifies types that get the same name.
pub(super) fn pin(bindings: &Bindings, model: &mut Model) -> Result<(), Vec<Diagnostic>> {
    // Unified types have parts that are unified in turn, and some of those have pinned names.
    let mut pinned = pin_once(bindings, model)?;
    for _ in 0..MAX_UNIFICATION_ROUNDS {
        if !pinned.unified_any {
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

/// Each level of nesting takes one more round.
const MAX_UNIFICATION_ROUNDS: usize = 64;

#[derive(Default)]
struct Pinned {
    names: Vec<(String, Id)>,
    /// Pinned names for which the document has a plain type.
    aliases: Vec<(String, Node)>,
    /// Whether types were unified, so that pinned names may resolve differently now.
    unified_any: bool,
}

/// Finds the types of all pinned names, and unifies those with the same name.
fn pin_once(bindings: &Bindings, model: &mut Model) -> Result<Pinned, Vec<Diagnostic>> {
    let mut pinned = Pinned::default();
    let mut diagnostics = Vec::new();
    let mut plain: Vec<(&BodyPath, &String, Shape)> = Vec::new();
    for (body_path, name) in bindings.sources.iter().flat_map(|source| &source.names) {
        let Some(node) = node_at(model, body_path).cloned() else {
            continue;
        };
        let Some(id) = node.named() else {
            match plain.iter().find(|(_, known, _)| *known == name) {
                Some((other, _, shape)) if *shape != node.shape => {
                    diagnostics.push(conflict(String::new(), body_path, &other.to_string(), name));
                }
                Some(_) => {}
                None => {
                    plain.push((body_path, name, node.shape.clone()));
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
            in_request: matches!(body_path.body_kind, BodyKind::Request | BodyKind::Form),
            parent: None,
            fallback_name: name.clone(),
        };
        let unified = Unifier::new(model).unify(&Node::new(Shape::Named(other)), &node, &at);
        let Some(unified) = unified.named() else {
            let pointer_of = |id: Id| model.types[id].origin.pointer.clone();
            diagnostics.push(conflict(
                pointer_of(id),
                body_path,
                &pointer_of(other),
                name,
            ));
            continue;
        };
        redirect(model, &[other, id], unified);
        for (_, known) in &mut pinned.names {
            if *known == other || *known == id {
                *known = unified;
            }
        }
        pinned.unified_any = true;
    }
    for (body_path, name, _) in plain {
        if let Some((_, id)) = pinned.names.iter().find(|(known, _)| known == name) {
            let pointer = model.types[*id].origin.pointer.clone();
            diagnostics.push(conflict(pointer.clone(), body_path, &pointer, name));
        }
    }
    if diagnostics.is_empty() {
        Ok(pinned)
    } else {
        Err(diagnostics)
    }
}

/// The diagnostic for two types of different kinds with the same pinned name.
fn conflict(pointer: String, body_path: &BodyPath, other: &str, name: &str) -> Diagnostic {
    Diagnostic {
        pointer,
        expected: format!(
            "`{body_path}` to be of one kind with {other}, since both are called `{name}`"
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
    for node in model.operations.iter_mut().flat_map(Operation::nodes_mut) {
        node.map_ids(&mut change);
    }
    for (_, node) in &mut model.aliases {
        node.map_ids(&mut change);
    }
    // A recursive type now contains the unified type.
    if let Some((parent, _)) = &model.types[to].origin.parent
        && *parent == to
    {
        model.types[to].origin.parent = None;
    }
}

fn node_at<'m>(model: &'m Model, body_path: &BodyPath) -> Option<&'m Node> {
    let op = model.operation(&body_path.endpoint)?;
    let mut node = match body_path.body_kind {
        BodyKind::Request | BodyKind::Form => &op.request.as_ref()?.node,
        BodyKind::Response => &op.success.as_ref()?.node,
        BodyKind::Failure => op.failure.as_ref()?,
    };
    for step in &body_path.steps {
        node = match (&node.shape, step.as_str()) {
            (Shape::List(items), "*") | (Shape::Map(items), "*") => items,
            (Shape::Named(id), name) => &model.types[*id].property(name)?.node,
            _ => return None,
        };
    }
    Some(node)
}
