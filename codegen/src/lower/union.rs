//! Lowers unions: `oneOf` and `anyOf`.

use super::{
    effective::{EffectiveSchema, Located},
    model::{Body, Node, Shape, Union},
    schema::{Context, Schemas},
    unify::Unifier,
};

impl<'a> Schemas<'a> {
    /// Lowers a union to a set of values, to objects with a discriminator, or to any JSON.
    pub(super) fn union(
        &mut self,
        branches: Vec<Located<'a>>,
        definitions: &[Located<'a>],
        key: &(String, bool),
        effective: &EffectiveSchema<'a>,
        context: &Context,
    ) -> Shape {
        let effective_schemas: Vec<EffectiveSchema<'a>> = branches
            .iter()
            .map(|branch| self.effective(std::slice::from_ref(branch)))
            .collect();
        let plain = |effective: &EffectiveSchema| {
            effective.properties.is_empty()
                && effective.unions.is_empty()
                && effective.items.is_empty()
        };
        let all = |name: &str| {
            effective_schemas
                .iter()
                .all(|effective| plain(effective) && (effective.is_only(name)))
        };
        let texts = effective_schemas.iter().all(|effective| {
            plain(effective) && (effective.is_only("string") || effective.is_enum())
        });
        if texts {
            let mut values: Vec<String> = Vec::new();
            for value in effective.values.iter().chain(
                effective_schemas
                    .iter()
                    .flat_map(|effective| &effective.values),
            ) {
                if !values.iter().any(|known| known == value) {
                    values.push((*value).to_owned());
                }
            }
            if values.is_empty() {
                return Shape::Text;
            }
            return Shape::Named(self.named(
                definitions,
                key,
                effective,
                Body::Enum(values),
                context,
            ));
        }
        for (name, shape) in [
            ("boolean", Shape::Boolean),
            ("integer", Shape::Integer),
            ("number", Shape::Number),
        ] {
            if all(name) {
                return shape;
            }
        }
        match self.discriminate(&branches, &effective_schemas, effective) {
            Some((discriminator, values)) => {
                let body = Body::Union(Union {
                    discriminator: discriminator.clone(),
                    arms: Vec::new(),
                });
                let id = self.named(definitions, key, effective, body, context);
                let mut arms = Vec::new();
                for (value, branch) in values.into_iter().zip(branches) {
                    let inner = Context {
                        in_request: context.in_request,
                        parent: Some((id, value.clone())),
                        fallback_name: String::new(),
                    };
                    arms.push((value, self.node(vec![branch], &inner)));
                }
                self.model.types[id].body = Body::Union(Union {
                    discriminator,
                    arms,
                });
                Shape::Named(id)
            }
            // In a response, one object has the properties of all arms, none of which is required.
            None if !context.in_request
                && effective_schemas.iter().all(|effective| {
                    !effective.properties.is_empty() || !effective.unions.is_empty()
                }) =>
            {
                self.merged(branches, definitions, key, context)
            }
            None => {
                let pointer = &definitions[0].pointer;
                self.note(format!(
                    "{pointer}: nothing tells its alternatives apart; it is any JSON"
                ));
                Shape::Any
            }
        }
    }

    fn merged(
        &mut self,
        branches: Vec<Located<'a>>,
        definitions: &[Located<'a>],
        key: &(String, bool),
        context: &Context,
    ) -> Shape {
        let branches = branches
            .into_iter()
            .map(|branch| self.node(vec![branch], context));
        let branches: Vec<Node> = branches.collect();
        let mut unifier = Unifier::new(&mut self.model);
        let merged = branches
            .into_iter()
            .reduce(|one, other| unifier.unify(&one, &other, context));
        let merged = merged.unwrap_or_else(Node::any);
        if let Some(id) = merged.named() {
            let origin = &mut self.model.types[id].origin;
            if origin.pointer.contains(' ') {
                origin.pointer.clone_from(&definitions[0].pointer);
            }
            self.known.insert(key.clone(), id);
        } else if merged.shape == Shape::Any {
            let pointer = &definitions[0].pointer;
            self.note(format!(
                "{pointer}: its alternatives have no form in common; it is any JSON"
            ));
        }
        merged.shape
    }

    /// Returns the discriminator, and its value in each object.
    fn discriminate(
        &mut self,
        branches: &[Located<'a>],
        effective_schemas: &[EffectiveSchema<'a>],
        effective: &EffectiveSchema<'a>,
    ) -> Option<(String, Vec<String>)> {
        if effective_schemas
            .iter()
            .any(|effective| effective.properties.is_empty())
        {
            return None;
        }
        let candidates: Vec<&str> = match effective.discriminator {
            Some(discriminator) => vec![discriminator],
            None => effective_schemas[0]
                .properties
                .iter()
                .map(|(name, _)| *name)
                .collect(),
        };
        for discriminator in candidates {
            let mut values = Vec::new();
            for (branch, branch_schema) in branches.iter().zip(effective_schemas) {
                let mapped = branch.node["$ref"].as_str().and_then(|reference| {
                    let same = |target: &str| {
                        reference == target || reference.rsplit('/').next() == Some(target)
                    };
                    effective
                        .mapping
                        .iter()
                        .find(|(_, target)| same(target))
                        .map(|(value, _)| *value)
                });
                let own = || {
                    let (_, schemas) = branch_schema
                        .properties
                        .iter()
                        .find(|(name, _)| *name == discriminator)?;
                    let doc_text = self.resolver.effective(schemas);
                    match doc_text.values.as_slice() {
                        [one] => Some((*one).to_owned()),
                        _ => None,
                    }
                };
                let implied = || {
                    let name = branch.node["$ref"].as_str()?.rsplit('/').next()?;
                    effective
                        .discriminator
                        .filter(|_| effective.mapping.is_empty())
                        .map(|_| name.to_owned())
                };
                match mapped.map(str::to_owned).or_else(own).or_else(implied) {
                    Some(value) if !values.contains(&value) => values.push(value),
                    _ => break,
                }
            }
            if values.len() == branches.len() {
                return Some((discriminator.to_owned(), values));
            }
        }
        None
    }
}
