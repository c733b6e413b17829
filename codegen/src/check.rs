//! Does a document have what the library needs? Every mismatch, not the first one.

use std::collections::HashSet;

use serde_json::Value;

use crate::{
    api::{Api, Field, Kind, Need, Object, Operation, Response},
    document::escape,
    path::variables,
    problem::{Problem, Report},
    surface::Surface,
};

/// Compares the surface of a document with what the library needs of `api`.
///
/// # Errors
///
/// A [`Report`] that lists everything that is missing or of another type. What is merely not offered
/// (an optional filter, a newer field) is no problem here: it is refused at run time.
pub fn check(surface: &Surface, api: &Api) -> Result<(), Report> {
    let mut checker = Checker {
        surface,
        problems: Vec::new(),
        known: HashSet::new(),
    };
    for operation in &api.operations {
        checker.operation(operation);
    }
    if checker.problems.is_empty() {
        return Ok(());
    }
    Err(Report {
        document: surface.name().to_owned(),
        problems: checker.problems,
    })
}

pub(crate) const NEWER_LIBRARY: &str =
    "build from a document that has it, or use a version of this library made for the new one";

/// The media type of every reply that the library reads.
const JSON: &str = "application/json";

const LESS_DEMANDING: &str =
    "build from a document without it, or use a version of this library made for the new one";

struct Checker<'a> {
    surface: &'a Surface,
    problems: Vec<Problem>,
    known: HashSet<Problem>,
}

impl Checker<'_> {
    /// Something is missing, or of another kind.
    fn report(&mut self, at: &str, expected: String, found: impl Into<String>) {
        self.problem(at, expected, found.into(), NEWER_LIBRARY);
    }

    /// Something is demanded that the library does not send.
    fn demanded(&mut self, at: &str, expected: String, found: impl Into<String>) {
        self.problem(at, expected, found.into(), LESS_DEMANDING);
    }

    fn problem(&mut self, at: &str, expected: String, found: String, advice: &str) {
        let problem = Problem {
            pointer: self.surface.origin(at).to_owned(),
            expected: shortened(expected),
            found: shortened(found),
            advice: advice.to_owned(),
        };
        // Several operations share most of their schemas.
        if self.known.insert(problem.clone()) {
            self.problems.push(problem);
        }
    }

    fn operation(&mut self, operation: &Operation) {
        let surface = self.surface;
        let Some(found) = surface.operation(operation) else {
            if operation.need == Need::Optional {
                return;
            }
            let call = format!("{} {}", operation.method.to_uppercase(), operation.path);
            self.problems.push(Problem {
                pointer: "/paths".to_owned(),
                expected: format!("the operation `{call}` ({})", operation.id),
                found: "no such operation".to_owned(),
                advice: NEWER_LIBRARY.to_owned(),
            });
            return;
        };
        let at = found.pointer.as_str();
        self.parameters(operation, found.path, at, found.value);
        self.request(operation, at, found.value);
        self.response(operation, at, found.value);
    }

    fn parameters(&mut self, operation: &Operation, path: &str, at: &str, found: &Value) {
        let listed = found["parameters"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        for parameter in &operation.parameters {
            let (location, name) = (parameter.location, parameter.name.as_str());
            // The names of path variables do not travel, only their order counts.
            let mut renamed = variables(&operation.path).zip(variables(path));
            let found = match renamed.find(|(ours, _)| location == "path" && *ours == name) {
                Some((_, theirs)) => theirs,
                None => name,
            };
            let named = |entry: &Value, name| entry["in"] == location && entry["name"] == name;
            let entry = listed.iter().position(|entry| named(entry, found));
            // One that names no variable is taken for one that is not declared.
            let stray = |entry: &Value| {
                location == "path" && !variables(path).any(|name| named(entry, name))
            };
            let entry = entry.or_else(|| {
                listed
                    .iter()
                    .position(|entry| entry["in"] == "path" && stray(entry))
            });
            let Some(position) = entry else {
                if parameter.need == Need::Essential {
                    let expected = format!("a {location} parameter `{name}`");
                    self.report(at, expected, "no such parameter");
                }
                continue;
            };
            let entry = &listed[position];
            let place = format!("{at}/parameters/{position}");
            if !parameter.always && entry["required"] == true {
                let expected = format!("the query parameter `{name}` to be optional");
                self.demanded(&place, expected, "a required one");
            }
            if entry.get("style").is_some() || entry.get("content").is_some() {
                let expected = format!("the parameter `{name}` in the default style");
                self.report(&place, expected, "another way of writing it");
            }
            let schema = format!("{place}/schema");
            self.kind(
                &parameter.kind,
                &entry["schema"],
                &schema,
                &format!("parameter `{name}`"),
            );
        }
        for (position, entry) in listed.iter().enumerate() {
            let sent = operation
                .parameters
                .iter()
                .any(|parameter| entry["name"] == parameter.name);
            if entry["required"] == true && entry["in"] != "path" && !sent {
                let found = format!("{} `{}`", text(&entry["in"]), text(&entry["name"]));
                let place = format!("{at}/parameters/{position}");
                self.demanded(&place, "no further required parameter".to_owned(), found);
            }
        }
    }

    fn request(&mut self, operation: &Operation, at: &str, found: &Value) {
        let body = &found["requestBody"];
        let place = format!("{at}/requestBody");
        let Some(request) = &operation.request else {
            if body["required"] == true {
                let expected = format!("no request body for {}", operation.id);
                self.demanded(&place, expected, "a required one");
            }
            return;
        };
        let media_type = request.media_type;
        let Some(content) = body["content"].get(media_type) else {
            let found = match body["content"].as_object() {
                Some(content) if !content.is_empty() => {
                    content.keys().cloned().collect::<Vec<_>>().join(", ")
                }
                _ => "no request body".to_owned(),
            };
            self.report(&place, format!("a request body of {media_type}"), found);
            return;
        };
        let place = format!("{place}/content/{}/schema", escape(media_type));
        let schema = &content["schema"];
        self.object(&request.body, schema, &place);
        for name in schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            let sent = request.body.fields.iter().find(|field| field.name == name);
            if sent.is_none_or(|field| field.need == Need::Optional) {
                let expected = format!("`{name}` not to be required in the request");
                self.demanded(&place, expected, "a required property");
            }
        }
    }

    fn response(&mut self, operation: &Operation, at: &str, found: &Value) {
        let responses = found["responses"].as_object();
        let successes = || {
            let responses = responses.into_iter().flatten();
            responses.filter(|(status, _)| status.starts_with('2'))
        };
        // One with a body, if there is one.
        let with_body = successes().find(|(_, success)| success["content"].get(JSON).is_some());
        let Some((status, success)) = with_body.or_else(|| successes().next()) else {
            let expected = format!("a successful response of {}", operation.id);
            self.report(at, expected, "none");
            return;
        };
        let place = format!("{at}/responses/{}", escape(status));
        let (object, bare) = match &operation.response {
            Response::Empty => return,
            Response::Body(object) => (object, None),
            Response::Enveloped { envelope, property } => (
                envelope,
                envelope.fields.iter().find(|field| field.name == *property),
            ),
        };
        let Some(content) = success["content"].get(JSON) else {
            self.report(&place, format!("a response of {JSON}"), "none");
            return;
        };
        let place = format!("{place}/content/application~1json/schema");
        let schema = &content["schema"];
        match bare {
            Some(field) if field.is_bare(schema) => {
                self.kind(&field.kind, schema, &place, "response");
            }
            _ => self.object(object, schema, &place),
        }
    }

    fn object(&mut self, object: &Object, schema: &Value, at: &str) {
        if self.readable(schema, at, &object.name) && self.typed(schema, "object", at, &object.name)
        {
            self.fields(&object.fields, schema, at, &object.name);
        }
    }

    fn fields(&mut self, fields: &[Field], schema: &Value, at: &str, owner: &str) {
        for field in fields {
            let place = format!("{at}/properties/{}", escape(&field.name));
            let label = format!("`{}` of {owner}", field.name);
            match schema["properties"].get(&field.name) {
                Some(found) => self.kind(&field.kind, found, &place, &label),
                None if field.need == Need::Essential => {
                    self.report(at, format!("the property {label}"), "no such property");
                }
                None => {}
            }
        }
    }

    fn kind(&mut self, kind: &Kind, schema: &Value, at: &str, label: &str) {
        if !self.readable(schema, at, label) {
            return;
        }
        match kind {
            Kind::Text | Kind::DateTime => drop(self.typed(schema, "string", at, label)),
            Kind::Integer => drop(self.typed(schema, "integer", at, label)),
            Kind::Object(object) => self.object(object, schema, at),
            Kind::TextList => self.kind(&Kind::Array(Box::new(Kind::Text)), schema, at, label),
            Kind::Array(item) => {
                if self.typed(schema, "array", at, label) {
                    let label = format!("each item of {label}");
                    self.kind(item, &schema["items"], &format!("{at}/items"), &label);
                }
            }
            Kind::Nested(fields) => {
                if self.typed(schema, "object", at, label) {
                    self.fields(fields, schema, at, label);
                }
            }
        }
    }

    /// Whether the schema is one that the library can look into at all.
    fn readable(&mut self, schema: &Value, at: &str, label: &str) -> bool {
        let found = if let Some(reference) = schema.get("$ref") {
            format!("a reference that does not resolve inside the document: {reference}")
        } else if schema.get("x-recursion").is_some() {
            "a schema that contains itself".to_owned()
        } else if let Some(union) = ["oneOf", "anyOf"]
            .iter()
            .find(|key| schema.get(**key).is_some())
        {
            format!("a choice (`{union}`)")
        } else if let Some(conflict) = schema.get("allOf") {
            format!("`allOf` parts that contradict each other: {conflict}")
        } else {
            return true;
        };
        self.report(at, format!("one plain schema for {label}"), found);
        false
    }

    /// Whether the type is the expected one; a schema that names none allows any.
    fn typed(&mut self, schema: &Value, expected: &str, at: &str, label: &str) -> bool {
        let found = match schema.get("type") {
            None => return true,
            Some(found) if found == expected => return true,
            Some(Value::String(found)) => found.clone(),
            Some(found) => found.to_string(),
        };
        let article = if ["object", "array", "integer"].contains(&expected) {
            "an"
        } else {
            "a"
        };
        self.report(at, format!("{article} {expected} for {label}"), found);
        false
    }
}

/// What a document says may be of any length, or nothing at all.
fn shortened(text: String) -> String {
    const LONGEST: usize = 1000;
    if text.trim().is_empty() {
        return format!("{text:?}");
    }
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
