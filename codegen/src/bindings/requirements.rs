//! Builds an [`Api`], the requirements on a document, from a source.

use std::{collections::BTreeMap, sync::Arc};

use super::{BodyKind, BodyPath, Requirement, Selection, Source, Target, Type};
use crate::{
    api::{Api, Endpoint, Field, Kind, Need, Object, Operation, Parameter, Request, Response},
    path,
};

impl Source {
    /// Returns what the code around the bindings requires of the document.
    pub(crate) fn api(&self) -> Api {
        let mut assembler = ApiAssembler {
            source: self,
            objects: BTreeMap::new(),
        };
        let selected = self
            .selected
            .iter()
            .filter(|each| each.endpoint.method != "*");
        Api {
            title: self.display_title(),
            document: self.document.clone(),
            operations: selected.map(|each| assembler.operation(each)).collect(),
        }
    }
}

/// Builds the required types from the names and requirements of a source.
struct ApiAssembler<'a> {
    source: &'a Source,
    objects: BTreeMap<&'a str, Arc<Object>>,
}

impl<'a> ApiAssembler<'a> {
    fn operation(&mut self, selected: &Selection) -> Operation {
        let Selection { endpoint, id, need } = selected;
        let variables = path::variables(&endpoint.path).map(|name| Parameter {
            location: "path",
            name: name.to_owned(),
            kind: Kind::Text,
            need: Need::Required,
            always: true,
        });
        let query = |requirement: &Requirement| match &requirement.target {
            Target::Query(of, name) if of == endpoint => Some(Parameter {
                location: "query",
                name: name.clone(),
                kind: requirement.kind.to_kind(),
                need: requirement.need,
                always: requirement.always,
            }),
            _ => None,
        };
        let parameters = variables.chain(self.source.requirements.iter().filter_map(query));
        let parameters = parameters.collect();
        let request = [
            (BodyKind::Request, "application/json"),
            (BodyKind::Form, "application/x-www-form-urlencoded"),
        ];
        let request = request.into_iter().find_map(|(body_kind, media_type)| {
            let body = self.object_at(endpoint, body_kind, &[])?;
            Some(Request { media_type, body })
        });
        let response = match (
            self.object_at(endpoint, BodyKind::Response, &[]),
            self.source.envelope.clone(),
        ) {
            (None, _) => Response::Empty,
            (Some(envelope), Some(property))
                if envelope.fields.iter().any(|field| field.name == property) =>
            {
                Response::Enveloped { envelope, property }
            }
            (Some(object), _) => Response::Body(object),
        };
        Operation {
            id: id.clone().unwrap_or_else(|| endpoint.to_string()),
            method: endpoint.method.clone(),
            path: endpoint.path.clone(),
            need: *need,
            parameters,
            request,
            response,
        }
    }

    /// Returns the named type of a part of a body.
    fn object_at(
        &mut self,
        endpoint: &Endpoint,
        body_kind: BodyKind,
        steps: &[String],
    ) -> Option<Arc<Object>> {
        let names = &self.source.names;
        let is_here = |body_path: &BodyPath| {
            body_path.endpoint == *endpoint
                && body_path.body_kind == body_kind
                && body_path.steps == steps
        };
        let (_, name) = names.iter().find(|(body_path, _)| is_here(body_path))?;
        Some(self.object(name))
    }

    fn object(&mut self, name: &'a str) -> Arc<Object> {
        if let Some(objects) = self.objects.get(name) {
            return Arc::clone(objects);
        }
        let source = self.source;
        let needed = source
            .requirements
            .iter()
            .filter_map(|need| match &need.target {
                Target::Property(of, steps) if of == name => Some((&steps[..], need)),
                _ => None,
            });
        let needed: Vec<_> = needed.collect();
        let fields = self.fields(name, &needed);
        let object = Arc::new(Object {
            name: name.to_owned(),
            fields,
        });
        self.objects.insert(name, Arc::clone(&object));
        object
    }

    fn fields(&mut self, owner: &'a str, needed: &[(&'a [String], &'a Requirement)]) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::new();
        for (steps, need) in needed {
            let Some((first, deeper)) = steps.split_first() else {
                continue;
            };
            if fields.iter().any(|field| field.name == *first) {
                continue;
            }
            let kind = if deeper.is_empty() {
                match need.kind {
                    Type::Named => self.named(owner, first),
                    kind => kind.to_kind(),
                }
            } else {
                let below = needed
                    .iter()
                    .filter(|(steps, _)| steps.first() == Some(first));
                let below: Vec<_> = below.map(|(steps, need)| (&steps[1..], *need)).collect();
                Kind::Nested(self.fields("", &below))
            };
            // A property that contains a required one is required.
            let is_required = needed
                .iter()
                .any(|(steps, need)| steps.first() == Some(first) && need.need == Need::Required);
            fields.push(Field {
                name: first.clone(),
                kind,
                need: if is_required {
                    Need::Required
                } else {
                    Need::Optional
                },
            });
        }
        fields
    }

    /// Returns the kind of a property whose type, or the type of whose items, is named.
    fn named(&mut self, owner: &str, property: &str) -> Kind {
        let names = &self.source.names;
        for (holder, _) in names.iter().filter(|(_, name)| name == owner) {
            for (body_path, name) in names {
                if body_path.endpoint != holder.endpoint || body_path.body_kind != holder.body_kind
                {
                    continue;
                }
                match body_path.steps.strip_prefix(&holder.steps[..]) {
                    Some([one]) if one == property => return Kind::Object(self.object(name)),
                    Some([one, item]) if one == property && item == "*" => {
                        return Kind::Array(Box::new(Kind::Object(self.object(name))));
                    }
                    _ => {}
                }
            }
        }
        Kind::Nested(Vec::new())
    }
}

impl Type {
    fn to_kind(self) -> Kind {
        match self {
            Self::Text => Kind::Text,
            Self::DateTime => Kind::DateTime,
            Self::Integer => Kind::Integer,
            Self::TextList => Kind::TextList,
            Self::Named => Kind::Nested(Vec::new()),
        }
    }
}
