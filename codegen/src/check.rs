//! Checks whether a document meets the requirements of the library, and reports every mismatch.

use std::collections::HashSet;

use serde_json::Value;

use crate::{
    api::{Api, Field, Kind, Need, Object, Operation, Response},
    diagnostic::{Diagnostic, Report},
    document::escape,
    path::variables,
    surface::Surface,
};

/// Compares the surface of a document with the requirements of `api`.
///
/// # Errors
///
/// A [`Report`] that lists everything that is missing or of another type. An optional part (a filter, a newer
/// field) may be absent; using it then is refused at run time.
pub fn check(surface: &Surface, api: &Api) -> Result<(), Report> {
    let mut checker = Checker {
        surface,
        diagnostics: Vec::new(),
        seen: HashSet::new(),
    };
    for operation in &api.operations {
        checker.operation(operation);
    }
    if checker.diagnostics.is_empty() {
        return Ok(());
    }
    Err(Report {
        document: surface.name().to_owned(),
        diagnostics: checker.diagnostics,
    })
}

pub(crate) const ADVICE_MISSING: &str =
    "build from a document that has it, or use a version of this library made for the new one";

/// The media type of every reply that the library reads.
const JSON: &str = "application/json";

const ADVICE_REQUIRED: &str =
    "build from a document without it, or use a version of this library made for the new one";

struct Checker<'a> {
    surface: &'a Surface,
    diagnostics: Vec<Diagnostic>,
    seen: HashSet<Diagnostic>,
}

impl Checker<'_> {
    /// Reports a part that is missing or of another type.
    fn report(&mut self, at: &str, expected: String, found: impl Into<String>) {
        self.push(at, expected, found.into(), ADVICE_MISSING);
    }

    /// Reports a required part that the library does not send.
    fn report_unsent(&mut self, at: &str, expected: String, found: impl Into<String>) {
        self.push(at, expected, found.into(), ADVICE_REQUIRED);
    }

    fn push(&mut self, at: &str, expected: String, found: String, advice: &str) {
        let diagnostic = Diagnostic {
            pointer: self.surface.origin(at).to_owned(),
            expected: truncated(expected),
            found: truncated(found),
            advice: advice.to_owned(),
        };
        // Several operations share most of their schemas.
        if self.seen.insert(diagnostic.clone()) {
            self.diagnostics.push(diagnostic);
        }
    }

    fn operation(&mut self, operation: &Operation) {
        let surface = self.surface;
        let Some(found) = surface.operation(operation) else {
            if operation.need == Need::Optional {
                return;
            }
            let call = format!("{} {}", operation.method.to_uppercase(), operation.path);
            self.diagnostics.push(Diagnostic {
                pointer: "/paths".to_owned(),
                expected: format!("the operation `{call}` ({})", operation.id),
                found: "no such operation".to_owned(),
                advice: ADVICE_MISSING.to_owned(),
            });
            return;
        };
        let at = found.pointer.as_str();
        self.parameters(operation, found.path, at, found.value);
        self.request(operation, at, found.value);
        self.response(operation, at, found.value);
    }

    fn parameters(&mut self, operation: &Operation, path: &str, at: &str, found: &Value) {
        let declared = found["parameters"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        for parameter in &operation.parameters {
            let (location, name) = (parameter.location, parameter.name.as_str());
            // Path variables are matched by position, because their names are not sent.
            let mut renamed = variables(&operation.path).zip(variables(path));
            let found = match renamed.find(|(ours, _)| location == "path" && *ours == name) {
                Some((_, theirs)) => theirs,
                None => name,
            };
            let named = |entry: &Value, name| entry["in"] == location && entry["name"] == name;
            let entry = declared.iter().position(|entry| named(entry, found));
            // A path parameter that names no variable may stand for an undeclared one.
            let undeclared = |entry: &Value| {
                location == "path" && !variables(path).any(|name| named(entry, name))
            };
            let entry = entry.or_else(|| {
                declared
                    .iter()
                    .position(|entry| entry["in"] == "path" && undeclared(entry))
            });
            let Some(position) = entry else {
                if parameter.need == Need::Required {
                    let expected = format!("a {location} parameter `{name}`");
                    self.report(at, expected, "no such parameter");
                }
                continue;
            };
            let entry = &declared[position];
            let pointer = format!("{at}/parameters/{position}");
            if !parameter.always && entry["required"] == true {
                let expected = format!("the query parameter `{name}` to be optional");
                self.report_unsent(&pointer, expected, "a required one");
            }
            if entry.get("style").is_some() || entry.get("content").is_some() {
                let expected = format!("the parameter `{name}` in the default style");
                self.report(&pointer, expected, "another way of writing it");
            }
            let schema = format!("{pointer}/schema");
            self.kind(
                &parameter.kind,
                &entry["schema"],
                &schema,
                &format!("parameter `{name}`"),
            );
        }
        for (position, entry) in declared.iter().enumerate() {
            let sent = operation
                .parameters
                .iter()
                .any(|parameter| entry["name"] == parameter.name);
            if entry["required"] == true && entry["in"] != "path" && !sent {
                let found = format!("{} `{}`", text(&entry["in"]), text(&entry["name"]));
                let pointer = format!("{at}/parameters/{position}");
                self.report_unsent(&pointer, "no further required parameter".to_owned(), found);
            }
        }
    }

    fn request(&mut self, operation: &Operation, at: &str, found: &Value) {
        let body = &found["requestBody"];
        let pointer = format!("{at}/requestBody");
        let Some(request) = &operation.request else {
            if body["required"] == true {
                let expected = format!("no request body for {}", operation.id);
                self.report_unsent(&pointer, expected, "a required one");
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
            self.report(&pointer, format!("a request body of {media_type}"), found);
            return;
        };
        let pointer = format!("{pointer}/content/{}/schema", escape(media_type));
        let schema = &content["schema"];
        self.object(&request.body, schema, &pointer);
        for name in schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            let sent = request.body.fields.iter().find(|field| field.name == name);
            if sent.is_none_or(|field| field.need == Need::Optional) {
                let expected = format!("`{name}` not to be required in the request");
                self.report_unsent(&pointer, expected, "a required property");
            }
        }
    }

    fn response(&mut self, operation: &Operation, at: &str, found: &Value) {
        let responses = found["responses"].as_object();
        let successes = || {
            let responses = responses.into_iter().flatten();
            responses.filter(|(status, _)| status.starts_with('2'))
        };
        // A success with a body takes precedence.
        let with_body = successes().find(|(_, success)| success["content"].get(JSON).is_some());
        let Some((status, success)) = with_body.or_else(|| successes().next()) else {
            let expected = format!("a successful response of {}", operation.id);
            self.report(at, expected, "none");
            return;
        };
        let pointer = format!("{at}/responses/{}", escape(status));
        let (object, bare) = match &operation.response {
            Response::Empty => return,
            Response::Body(object) => (object, None),
            Response::Enveloped { envelope, property } => (
                envelope,
                envelope.fields.iter().find(|field| field.name == *property),
            ),
        };
        let Some(content) = success["content"].get(JSON) else {
            self.report(&pointer, format!("a response of {JSON}"), "none");
            return;
        };
        let pointer = format!("{pointer}/content/application~1json/schema");
        let schema = &content["schema"];
        match bare {
            Some(field) if field.is_bare(schema) => {
                self.kind(&field.kind, schema, &pointer, "response");
            }
            _ => self.object(object, schema, &pointer),
        }
    }

    fn object(&mut self, object: &Object, schema: &Value, at: &str) {
        if self.expect_plain_schema(schema, at, &object.name)
            && self.expect_type(schema, "object", at, &object.name)
        {
            self.fields(&object.fields, schema, at, &object.name);
        }
    }

    fn fields(&mut self, fields: &[Field], schema: &Value, at: &str, owner: &str) {
        for field in fields {
            let pointer = format!("{at}/properties/{}", escape(&field.name));
            let label = format!("`{}` of {owner}", field.name);
            match schema["properties"].get(&field.name) {
                Some(found) => self.kind(&field.kind, found, &pointer, &label),
                None if field.need == Need::Required => {
                    self.report(at, format!("the property {label}"), "no such property");
                }
                None => {}
            }
        }
    }

    fn kind(&mut self, kind: &Kind, schema: &Value, at: &str, label: &str) {
        if !self.expect_plain_schema(schema, at, label) {
            return;
        }
        match kind {
            Kind::Text | Kind::DateTime => drop(self.expect_type(schema, "string", at, label)),
            Kind::Integer => drop(self.expect_type(schema, "integer", at, label)),
            Kind::Object(object) => self.object(object, schema, at),
            Kind::TextList => self.kind(&Kind::Array(Box::new(Kind::Text)), schema, at, label),
            Kind::Array(item) => {
                if self.expect_type(schema, "array", at, label) {
                    let label = format!("each item of {label}");
                    self.kind(item, &schema["items"], &format!("{at}/items"), &label);
                }
            }
            Kind::Nested(fields) => {
                if self.expect_type(schema, "object", at, label) {
                    self.fields(fields, schema, at, label);
                }
            }
        }
    }

    /// Reports a schema that the library cannot read: an unresolved reference, a recursion, a union or a contradiction.
    fn expect_plain_schema(&mut self, schema: &Value, at: &str, label: &str) -> bool {
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

    /// Reports a type other than the expected one. A schema without a type allows any.
    fn expect_type(&mut self, schema: &Value, expected: &str, at: &str, label: &str) -> bool {
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

/// Limits the length of a text from a document, and quotes a blank one.
fn truncated(text: String) -> String {
    const MAX_CHARS: usize = 1000;
    if text.trim().is_empty() {
        return format!("{text:?}");
    }
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
