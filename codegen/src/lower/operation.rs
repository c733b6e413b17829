//! Lowers operations: requests, successes and failures.

use super::{
    Pin, docs,
    effective::Located,
    media_type::{choose, essence, is_json},
    model::{Docs, Media, Node, Operation, Payload, Shape},
    parameter::rename_variables,
    schema::{Context, Schemas},
    unify::Unifier,
};
use crate::{document::escape, select::Found};

/// Lowers the operations of one document.
pub(super) struct Operations<'s, 'a> {
    pub schemas: &'s mut Schemas<'a>,
    pub document: usize,
}

impl<'a> Operations<'_, 'a> {
    /// Lowers one operation. `pin` overrides its operationId and the variables of its path.
    pub fn read(&mut self, found: &Found<'a>, pin: Option<Pin<'_>>) -> Operation {
        let pointer = format!("{}/{}", found.pointer, found.method);
        let operation = Located {
            document: self.document,
            pointer,
            node: &found.item[found.method],
        };
        let own = operation.node["operationId"]
            .as_str()
            .filter(|id| !id.is_empty());
        let id = pin.map(|pin| pin.id).or(own);
        let id = id.map_or_else(|| id_of(found), str::to_owned);
        let text = |key: &str| operation.node[key].as_str().and_then(docs::clean);
        let mut path = found.path.clone();
        let mut parameters = self.parameters(found, &operation, &id, &path);
        if let Some(pin) = pin {
            rename_variables(&mut path, &mut parameters, pin.path);
        }
        let request = self.request(&operation, &id);
        let success = self.success(&operation, &id);
        let (failures, failure) = self.failure(&operation, &id);
        let (summary, description) = (text("summary"), text("description"));
        Operation {
            name: String::new(),
            method: found.method.to_owned(),
            path,
            summary: summary.clone(),
            docs: Docs {
                text: description.filter(|text| Some(text) != summary.as_ref()),
                deprecated: operation.node["deprecated"] == true,
            },
            parameters,
            request,
            success,
            failures,
            failure,
            offered: true,
            id,
        }
    }

    fn request(&mut self, operation: &Located<'a>, id: &str) -> Option<Payload> {
        let body = operation.node.get("requestBody")?;
        let body = operation.child("requestBody", body);
        let body = self.schemas.resolver.resolve(&body)?;
        let content = body.node["content"].as_object()?;
        let chosen = choose(content.keys().map(String::as_str))?;
        let (media_type, media) = chosen;
        let mut text = body.node["description"].as_str().and_then(docs::clean);
        let context = Context {
            in_request: true,
            parent: None,
            fallback_name: format!("{id}_request"),
        };
        let node = match media {
            Media::Json | Media::Form => {
                let holder = body.child("content", &body.node["content"]);
                let holder = holder.child(media_type, &content[media_type]);
                match content[media_type].get("schema") {
                    Some(schema) => self
                        .schemas
                        .node(vec![holder.child("schema", schema)], &context),
                    None => Node::any(),
                }
            }
            Media::Text => Node::new(Shape::Text),
            Media::Octets => {
                let doc_text = format!(
                    "The body is sent as it is given, as `application/octet-stream`; the API documents `{media_type}`."
                );
                if media_type != "application/octet-stream" {
                    self.schemas.note(format!("{}: {doc_text}", body.pointer));
                    text = docs::paragraphs(text.as_deref().into_iter().chain([doc_text.as_str()]));
                }
                Node::new(Shape::Text)
            }
        };
        if content.len() > 1 {
            self.schemas.note(format!(
                "{}: of {} media types only `{media_type}` is generated",
                body.pointer,
                content.len()
            ));
        }
        Some(Payload {
            media,
            node,
            docs: text,
        })
    }

    /// Returns the bodies of the responses with these statuses.
    fn bodies(
        &mut self,
        operation: &Located<'a>,
        wanted: impl Fn(&str) -> bool,
    ) -> Vec<Response<'a>> {
        let mut found = Vec::new();
        let holder = format!("{}/responses", operation.pointer);
        for (status, response) in operation.node["responses"]
            .as_object()
            .into_iter()
            .flatten()
        {
            if !wanted(status) {
                continue;
            }
            let located = Located {
                document: self.document,
                pointer: format!("{holder}/{}", escape(status)),
                node: response,
            };
            let Some(located) = self.schemas.resolver.resolve(&located) else {
                continue;
            };
            let content = located.node["content"].as_object().into_iter().flatten();
            let mut types: Vec<_> = content.map(|(name, body)| (name.as_str(), body)).collect();
            types.sort_by_key(|(name, _)| essence(name) != "application/json");
            let json = types.iter().find(|(name, _)| is_json(name));
            let json = json.map(|(name, body)| {
                let at = Located {
                    document: self.document,
                    pointer: format!("{}/content/{}", located.pointer, escape(name)),
                    node: body,
                };
                body.get("schema").map(|schema| at.child("schema", schema))
            });
            found.push(Response {
                status: status.clone(),
                json,
                other: types.iter().any(|(name, _)| !is_json(name)),
            });
        }
        found
    }

    fn success(&mut self, operation: &Located<'a>, id: &str) -> Option<Payload> {
        let is_success = |status: &str| status.starts_with('2');
        let mut responses = self.bodies(operation, is_success);
        if responses.is_empty() {
            responses = self.bodies(operation, |status| status == "default");
        }
        let fallback_name = format!("{id}_response");
        let json = responses
            .iter()
            .filter_map(|response| response.json.clone())
            .collect::<Vec<_>>();
        let payload = |media, node| Payload {
            media,
            node,
            docs: None,
        };
        match self.one_of(json, &fallback_name) {
            Some(node) => Some(payload(Media::Json, node)),
            None if responses.iter().any(|response| response.other) => {
                Some(payload(Media::Octets, Node::new(Shape::Text)))
            }
            None => None,
        }
    }

    fn failure(&mut self, operation: &Located<'a>, id: &str) -> (Vec<String>, Option<Node>) {
        let has_success = operation.node["responses"]
            .as_object()
            .is_some_and(|responses| responses.keys().any(|status| status.starts_with('2')));
        let is_failure =
            |status: &str| status.starts_with(['4', '5']) || status == "default" && has_success;
        let responses = self.bodies(operation, is_failure);
        let context = received(&format!("{id}_error"));
        let mut nodes = Vec::new();
        for response in responses {
            let node = match response.json {
                Some(Some(schema)) => self.schemas.node(vec![schema], &context),
                Some(None) => Node::any(),
                None => continue,
            };
            nodes.push((response.status, node));
        }
        // One failure that is any JSON does not make all failures any JSON.
        let is_any = |node: &Node| node.shape == Shape::Any;
        let all_any = nodes.iter().all(|(_, node)| is_any(node));
        let mut statuses: Vec<String> = Vec::new();
        let mut unlike = Vec::new();
        let mut failure: Option<Node> = None;
        for (status, node) in nodes {
            let unified = match &failure {
                Some(known) => Unifier::new(&mut self.schemas.model).unify(known, &node, &context),
                None => node,
            };
            if is_any(&unified) && !all_any {
                unlike.push(status);
                continue;
            }
            failure = Some(unified);
            statuses.push(status);
        }
        for status in unlike {
            // A range or the default matches the status too, and cannot parse its body.
            let range = format!("{}XX", &status[..1]);
            let is_read = |other: &String| other == "default" || other.eq_ignore_ascii_case(&range);
            let error = match statuses.iter().any(is_read) {
                true => "InvalidResponsePayload",
                false => "UnexpectedResponse",
            };
            self.schemas.note(format!(
                "{}: the body of {status} is unlike those of other failures; it arrives as \
                 `Error::{error}`",
                operation.pointer
            ));
        }
        (statuses, failure)
    }

    /// Returns one type for the values of all these schemas.
    fn one_of(&mut self, schemas: Vec<Option<Located<'a>>>, fallback_name: &str) -> Option<Node> {
        let context = received(fallback_name);
        let mut nodes: Vec<Node> = Vec::new();
        for schema in schemas {
            let node = match schema {
                Some(schema) => self.schemas.node(vec![schema], &context),
                None => Node::any(),
            };
            if !nodes.contains(&node) {
                nodes.push(node);
            }
        }
        let mut unifier = Unifier::new(&mut self.schemas.model);
        nodes
            .into_iter()
            .reduce(|one, other| unifier.unify(&one, &other, &context))
    }
}

struct Response<'a> {
    status: String,
    /// Some if the response has a JSON body, with its schema if there is one.
    json: Option<Option<Located<'a>>>,
    /// Whether the response has a body of another media type.
    other: bool,
}

/// The context of a response.
fn received(fallback_name: &str) -> Context {
    Context {
        in_request: false,
        parent: None,
        fallback_name: fallback_name.to_owned(),
    }
}

/// Derives an operationId: `get_users_by_id` for `GET /users/{id}`.
fn id_of(found: &Found) -> String {
    let parts = found
        .path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| {
            match part
                .strip_prefix('{')
                .and_then(|part| part.strip_suffix('}'))
            {
                Some(variable) => format!("by_{variable}"),
                None => part.to_owned(),
            }
        });
    let parts: Vec<String> = parts.collect();
    format!("{}_{}", found.method, parts.join("_"))
}
