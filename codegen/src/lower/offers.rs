//! Applies the types that the code around the bindings expects, and records what a document offers.

use super::model::{Model, Node, Shape};
use crate::{
    api::Need,
    bindings::{Bindings, Source, Target, Type},
};

/// Sets types that a document leaves open to those that the code around the bindings expects.
pub(super) fn coerce(bindings: &Bindings, model: &mut Model) {
    for need in bindings
        .sources
        .iter()
        .flat_map(|source| &source.requirements)
    {
        match &need.target {
            Target::Query(endpoint, name) => {
                if let Some(op) = model.operation_mut(endpoint) {
                    let parameters = op.parameters.iter_mut();
                    for param in
                        parameters.filter(|param| param.location == "query" && param.name == *name)
                    {
                        coerce_node(&mut param.node, need.kind);
                    }
                }
            }
            Target::Property(name, steps) => {
                let Some(mut id) = model.pinned_type(name) else {
                    continue;
                };
                let Some((last, parents)) = steps.split_last() else {
                    continue;
                };
                let deeper = parents
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

/// Records which optional parts the documents have.
pub(super) fn offers(bindings: &Bindings, model: &mut Model) {
    let mut offers = Vec::new();
    for source in &bindings.sources {
        for each in &source.selected {
            let Some(op) = model.operation(&each.endpoint) else {
                continue;
            };
            if each.need == Need::Optional {
                offers.push((constant(&op.id), op.offered));
            }
            for param in &op.parameters {
                let asked = source.requirements.iter().any(|need| {
                    need.need == Need::Optional
                        && matches!(&need.target, Target::Query(endpoint, name) if *endpoint == each.endpoint && *name == param.name)
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
        .requirements
        .iter()
        .filter(|need| need.need == Need::Optional)
    {
        let Target::Property(name, steps) = &need.target else {
            continue;
        };
        let mut offered = true;
        let mut id = model.pinned_type(name);
        for step in steps {
            let property = id.and_then(|id| model.types[id].property(step));
            offered &= property.is_some_and(|property| property.offered);
            id = property.and_then(|property| property.node.named());
        }
        let parts = steps.iter().map(|step| constant(step));
        let parts: Vec<String> = std::iter::once(constant(name)).chain(parts).collect();
        offers.push((parts.join("_"), offered));
    }
    offers
}

/// Returns the name of a constant: `ASSIGNED_ROLE_IDS` for `assignedRoleIds`.
fn constant(name: &str) -> String {
    super::idents::snake(name).to_ascii_uppercase()
}
