//! From operations of documents to calls with typed parameters and bodies.

use super::{
    Pin,
    model::{Media, Node, Op, Param, Payload, Shape, Words},
    schema::{Context, Mixer, Schemas},
    view::Place,
    words,
};
use crate::{document::escape, select::Found};

/// Reads the operations of one document.
pub(super) struct Operations<'s, 'a> {
    pub schemas: &'s mut Schemas<'a>,
    pub document: usize,
}

impl<'a> Operations<'_, 'a> {
    /// `pin` is what it is called in place of its own names.
    pub fn read(&mut self, found: &Found<'a>, pin: Option<Pin<'_>>) -> Op {
        let pointer = format!("{}/{}", found.pointer, found.method);
        let operation = Place {
            document: self.document,
            pointer,
            node: &found.item[found.method],
        };
        let own = operation.node["operationId"]
            .as_str()
            .filter(|id| !id.is_empty());
        let id = pin.map(|pin| pin.id).or(own);
        let id = id.map_or_else(|| id_of(found), str::to_owned);
        let text = |key: &str| operation.node[key].as_str().and_then(words::clean);
        let mut path = found.path.clone();
        let mut parameters = self.parameters(found, &operation, &id, &path);
        if let Some(pin) = pin {
            rename_variables(&mut path, &mut parameters, pin.path);
        }
        let request = self.request(&operation, &id);
        let success = self.success(&operation, &id);
        let (failures, failure) = self.failure(&operation, &id);
        let (summary, description) = (text("summary"), text("description"));
        Op {
            name: String::new(),
            method: found.method.to_owned(),
            path,
            summary: summary.clone(),
            words: Words {
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

    /// The parameters of the path item and of the operation, which wins.
    fn parameters(
        &mut self,
        found: &Found<'a>,
        operation: &Place<'a>,
        id: &str,
        path: &str,
    ) -> Vec<Param> {
        let item = Place {
            document: self.document,
            pointer: found.pointer.clone(),
            node: found.item,
        };
        let mut listed: Vec<(&str, &str, Place<'a>)> = Vec::new();
        for holder in [&item, operation] {
            let list = holder.node["parameters"].as_array().into_iter().flatten();
            for (index, parameter) in list.enumerate() {
                let place = Place {
                    document: self.document,
                    pointer: format!("{}/parameters/{index}", holder.pointer),
                    node: parameter,
                };
                let Some(place) = self.schemas.viewer.resolve(&place) else {
                    self.schemas.note(format!(
                        "{}: the reference to a parameter leads nowhere; the parameter is left out",
                        place.pointer
                    ));
                    continue;
                };
                let (Some(location), Some(name)) =
                    (place.node["in"].as_str(), place.node["name"].as_str())
                else {
                    continue;
                };
                listed.retain(|(other, known, _)| (*other, *known) != (location, name));
                listed.push((location, name, place));
            }
        }
        let mut parameters = Vec::new();
        for variable in crate::path::every_variable(path) {
            let declared = listed
                .iter()
                .find(|(location, name, _)| *location == "path" && *name == variable);
            let parameter = match declared {
                Some((_, _, place)) => self.parameter("path", &variable, place.clone(), id),
                None => plain("path", &variable),
            };
            // The same variable twice is one parameter.
            if !parameters
                .iter()
                .any(|known: &Param| known.name == variable)
            {
                parameters.push(parameter);
            }
        }
        for (location, name, place) in listed {
            match location {
                "query" => parameters.push(self.parameter("query", name, place, id)),
                "header" if is_header_name(name) => {
                    parameters.push(self.parameter("header", name, place, id))
                }
                "path" => {}
                _ => self.schemas.note(format!(
                    "{}: the {location} parameter {name:?} is left out",
                    place.pointer
                )),
            }
        }
        parameters
    }

    fn parameter(&mut self, location: &str, name: &str, place: Place<'a>, id: &str) -> Param {
        let node = place.node;
        let mut text = node["description"].as_str().and_then(words::clean);
        let (schema, encoded) = match node.get("schema") {
            Some(schema) => (Some(place.child("schema", schema)), false),
            None => (None, node.get("content").is_some()),
        };
        let context = Context {
            sent: true,
            within: None,
            fallback: format!("{id}_{name}"),
        };
        let mut typed = match schema {
            Some(schema) => {
                let said = self.schemas.view(std::slice::from_ref(&schema)).words;
                text = text.or_else(|| words::paragraphs(said));
                self.schemas.node(vec![schema], &context)
            }
            None => Node::new(Shape::Text),
        };
        let repeats = match node["style"].as_str() {
            None | Some("form") => node["explode"] != false,
            Some(_) => false,
        };
        // Nothing of an address or a header is null.
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
            ("path" | "header", Shape::Named(named)) if !self.is_set(*named) => {
                Some("It is sent as text.")
            }
            ("query", Shape::Named(named)) if !repeats && !self.is_set(*named) => {
                Some("It is sent as text that the caller encodes.")
            }
            ("query", Shape::Map(_)) if !repeats => {
                Some("It is sent as text that the caller encodes.")
            }
            _ => None,
        };
        if let Some(instead) = instead {
            typed = Node::new(Shape::Text);
            text = words::paragraphs(text.as_deref().into_iter().chain([instead]));
            self.schemas
                .note(format!("{}: {name}: {instead}", place.pointer));
        } else if location == "query" && self.is_object(&typed) {
            // Progenitor has builders of objects for bodies only.
            typed = Node::new(Shape::Map(Box::new(Node::any())));
            self.schemas.note(format!(
                "{}: {name}: its properties are sent as parameters; it is a map",
                place.pointer
            ));
        }
        Param {
            location: location.to_owned(),
            name: name.to_owned(),
            ident: String::new(),
            node: typed,
            required: location == "path" || node["required"] == true,
            words: Words {
                text,
                deprecated: node["deprecated"] == true,
            },
            offered: true,
        }
    }

    fn is_set(&self, id: usize) -> bool {
        matches!(
            self.schemas.model.types[id].body,
            super::model::Body::Set(_)
        )
    }

    fn is_object(&self, node: &Node) -> bool {
        let body = node.named().map(|id| &self.schemas.model.types[id].body);
        matches!(body, Some(super::model::Body::Object(_)))
    }

    fn is_scalar(&self, node: &Node) -> bool {
        match node.shape {
            Shape::List(_) | Shape::Map(_) => false,
            Shape::Named(id) => self.is_set(id),
            _ => true,
        }
    }

    fn request(&mut self, operation: &Place<'a>, id: &str) -> Option<Payload> {
        let body = operation.node.get("requestBody")?;
        let body = operation.child("requestBody", body);
        let body = self.schemas.viewer.resolve(&body)?;
        let content = body.node["content"].as_object()?;
        let chosen = choose(content.keys().map(String::as_str))?;
        let (media_type, media) = chosen;
        let mut text = body.node["description"].as_str().and_then(words::clean);
        let context = Context {
            sent: true,
            within: None,
            fallback: format!("{id}_request"),
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
                let said = format!(
                    "The body is sent as it is given, as `application/octet-stream`; the API documents `{media_type}`."
                );
                if media_type != "application/octet-stream" {
                    self.schemas.note(format!("{}: {said}", body.pointer));
                    text = words::paragraphs(text.as_deref().into_iter().chain([said.as_str()]));
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
            words: text,
        })
    }

    /// The bodies of JSON that responses with these statuses have.
    fn bodies(
        &mut self,
        operation: &Place<'a>,
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
            let place = Place {
                document: self.document,
                pointer: format!("{holder}/{}", escape(status)),
                node: response,
            };
            let Some(place) = self.schemas.viewer.resolve(&place) else {
                continue;
            };
            let content = place.node["content"].as_object().into_iter().flatten();
            let mut types: Vec<_> = content.map(|(name, body)| (name.as_str(), body)).collect();
            types.sort_by_key(|(name, _)| essence(name) != "application/json");
            let json = types.iter().find(|(name, _)| is_json(name));
            let json = json.map(|(name, body)| {
                let at = Place {
                    document: self.document,
                    pointer: format!("{}/content/{}", place.pointer, escape(name)),
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

    fn success(&mut self, operation: &Place<'a>, id: &str) -> Option<Payload> {
        let is_success = |status: &str| status.starts_with('2');
        let mut responses = self.bodies(operation, is_success);
        if responses.is_empty() {
            responses = self.bodies(operation, |status| status == "default");
        }
        let fallback = format!("{id}_response");
        let json = responses
            .iter()
            .filter_map(|response| response.json.clone())
            .collect::<Vec<_>>();
        let payload = |media, node| Payload {
            media,
            node,
            words: None,
        };
        match self.one_of(json, &fallback) {
            Some(node) => Some(payload(Media::Json, node)),
            None if responses.iter().any(|response| response.other) => {
                Some(payload(Media::Octets, Node::new(Shape::Text)))
            }
            None => None,
        }
    }

    fn failure(&mut self, operation: &Place<'a>, id: &str) -> (Vec<String>, Option<Node>) {
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
        // What is any JSON in one failure does not make all of them so.
        let is_any = |node: &Node| node.shape == Shape::Any;
        let all_any = nodes.iter().all(|(_, node)| is_any(node));
        let mut statuses: Vec<String> = Vec::new();
        let mut unlike = Vec::new();
        let mut failure: Option<Node> = None;
        for (status, node) in nodes {
            let mixed = match &failure {
                Some(known) => Mixer::new(&mut self.schemas.model).mix(known, &node, &context),
                None => node,
            };
            if is_any(&mixed) && !all_any {
                unlike.push(status);
                continue;
            }
            failure = Some(mixed);
            statuses.push(status);
        }
        for status in unlike {
            // A range or the default has it too, and reads it as what it is not.
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

    /// One type for the values of all these schemas.
    fn one_of(&mut self, schemas: Vec<Option<Place<'a>>>, fallback: &str) -> Option<Node> {
        let context = received(fallback);
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
        let mut mixer = Mixer::new(&mut self.schemas.model);
        nodes
            .into_iter()
            .reduce(|one, other| mixer.mix(&one, &other, &context))
    }
}

struct Response<'a> {
    status: String,
    /// Whether it has a body of JSON, and the schema of that.
    json: Option<Option<Place<'a>>>,
    /// Whether it has a body of something else.
    other: bool,
}

/// The context of what comes back.
fn received(fallback: &str) -> Context {
    Context {
        sent: false,
        within: None,
        fallback: fallback.to_owned(),
    }
}

/// Calls the variables of a path what they are called in the path that was asked for.
fn rename_variables(path: &mut String, parameters: &mut [Param], pinned: &str) {
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

fn plain(location: &str, name: &str) -> Param {
    Param {
        location: location.to_owned(),
        name: name.to_owned(),
        ident: String::new(),
        node: Node::new(Shape::Text),
        required: true,
        words: Words::default(),
        offered: true,
    }
}

/// `get_users_by_id` for `GET /users/{id}`.
fn id_of(found: &Found) -> String {
    let words = found
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
    let words: Vec<String> = words.collect();
    format!("{}_{}", found.method, words.join("_"))
}

/// The media type of a request that is generated: JSON where there is some.
fn choose<'t>(types: impl Iterator<Item = &'t str>) -> Option<(&'t str, Media)> {
    let rank = |name: &str| match essence(name).as_str() {
        "application/json" => (0, Media::Json),
        _ if is_json(name) => (1, Media::Json),
        "application/x-www-form-urlencoded" => (2, Media::Form),
        "text/plain" => (3, Media::Text),
        "application/octet-stream" => (4, Media::Octets),
        _ => (5, Media::Octets),
    };
    let best = types.min_by_key(|name| rank(name).0)?;
    Some((best, rank(best).1))
}

/// The media type without its parameters.
fn essence(name: &str) -> String {
    let essence = name.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

fn is_json(name: &str) -> bool {
    let essence = essence(name);
    essence == "*/*"
        || essence == "application/*"
        || essence
            .strip_prefix("application/")
            .is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
