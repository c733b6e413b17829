//! Unifies types: finds one type for the values of two.

use std::collections::BTreeMap;

use super::{
    docs,
    model::{Body, Docs, Id, Model, NamedType, Node, Property, Shape, Union},
    schema::Context,
};

/// Unifies the types of a model.
pub(super) struct Unifier<'m> {
    pub model: &'m mut Model,
    unified: BTreeMap<(Id, Id), Id>,
}

impl<'m> Unifier<'m> {
    pub fn new(model: &'m mut Model) -> Self {
        Self {
            model,
            unified: BTreeMap::new(),
        }
    }

    /// Returns a type for the values of both; two objects become a new object with the properties of both.
    pub fn unify(&mut self, one: &Node, other: &Node, at: &Context) -> Node {
        let nullable = one.nullable || other.nullable;
        let shape = match (&one.shape, &other.shape) {
            (one, other) if one == other => one.clone(),
            (Shape::List(one), Shape::List(other)) => {
                Shape::List(Box::new(self.unify(one, other, at)))
            }
            (Shape::Map(one), Shape::Map(other)) => {
                Shape::Map(Box::new(self.unify(one, other, at)))
            }
            (Shape::Integer, Shape::Number) | (Shape::Number, Shape::Integer) => Shape::Number,
            (Shape::DateTime, Shape::Text) | (Shape::Text, Shape::DateTime) => Shape::Text,
            (Shape::Text, Shape::Named(set)) | (Shape::Named(set), Shape::Text)
                if self.is_enum(*set) =>
            {
                Shape::Named(*set)
            }
            (Shape::Named(one), Shape::Named(other)) => self.unify_named(*one, *other, at),
            _ => Shape::Any,
        };
        Node { shape, nullable }
    }

    fn is_enum(&self, id: Id) -> bool {
        matches!(self.model.types[id].body, Body::Enum(_))
    }

    fn unify_named(&mut self, one: Id, other: Id, at: &Context) -> Shape {
        if let Some(id) = self.unified.get(&(one, other)) {
            return Shape::Named(*id);
        }
        let (first, second) = (
            self.model.types[one].clone(),
            self.model.types[other].clone(),
        );
        let id = self.model.types.len();
        let mut origin = first.origin.clone();
        // The new type has the pointers of both, so that it is not taken for a component.
        origin.pointer = format!("{} {}", first.origin.pointer, second.origin.pointer);
        origin.pinned = None;
        origin.parent.clone_from(&at.parent);
        origin.fallback_name.clone_from(&at.fallback_name);
        let docs = Docs {
            text: docs::paragraphs(
                [&first.docs.text, &second.docs.text]
                    .into_iter()
                    .flatten()
                    .map(String::as_str),
            ),
            deprecated: first.docs.deprecated && second.docs.deprecated,
        };
        let named = |body| NamedType {
            name: String::new(),
            docs,
            body,
            origin,
        };
        match (first.body, second.body) {
            (Body::Object(ours), Body::Object(theirs)) => {
                self.model.types.push(named(Body::Object(Vec::new())));
                self.unified.insert((one, other), id);
                let properties = self.unify_properties(ours, theirs, id);
                self.model.types[id].body = Body::Object(properties);
                Shape::Named(id)
            }
            (Body::Enum(mut values), Body::Enum(others)) => {
                values.extend(
                    others
                        .into_iter()
                        .filter(|value| !values.contains(value))
                        .collect::<Vec<_>>(),
                );
                self.model.types.push(named(Body::Enum(values)));
                self.unified.insert((one, other), id);
                Shape::Named(id)
            }
            (Body::Union(union), Body::Object(_)) => self.flatten_union(union, other, at),
            (Body::Object(_), Body::Union(union)) => self.flatten_union(union, one, at),
            (Body::Union(union), Body::Union(others)) => {
                match self.flatten_union(others, other, at) {
                    Shape::Named(object) => self.flatten_union(union, object, at),
                    _ => Shape::Any,
                }
            }
            _ => Shape::Any,
        }
    }

    /// Unifies the arms of a union and `object` into one object.
    fn flatten_union(&mut self, union: Union, object: Id, at: &Context) -> Shape {
        let first = Node::new(Shape::Named(object));
        let first = match self.model.types[object].body {
            Body::Object(_) => first,
            _ => {
                return match union
                    .arms
                    .into_iter()
                    .map(|(_, arm)| arm)
                    .reduce(|one, other| self.unify(&one, &other, at))
                {
                    Some(node) => node.shape,
                    None => Shape::Any,
                };
            }
        };
        let arms = union.arms.into_iter().map(|(_, arm)| arm);
        arms.fold(first, |unified, arm| self.unify(&unified, &arm, at))
            .shape
    }

    pub fn unify_properties(
        &mut self,
        mut ours: Vec<Property>,
        theirs: Vec<Property>,
        id: Id,
    ) -> Vec<Property> {
        for theirs in theirs {
            let Some(known) = ours.iter_mut().find(|known| known.name == theirs.name) else {
                ours.push(theirs);
                continue;
            };
            let at = Context {
                in_request: self.model.types[id].origin.in_request,
                parent: Some((id, theirs.name.clone())),
                fallback_name: String::new(),
            };
            known.node = self.unify(&known.node, &theirs.node, &at);
            known.required &= theirs.required;
            known.offered |= theirs.offered;
            if known.docs.text.is_none() {
                known.docs = theirs.docs;
            }
        }
        ours
    }
}
