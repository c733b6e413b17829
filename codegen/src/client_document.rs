//! The document that progenitor reads: what the facade needs, in a form that tolerates servers.
//!
//! It is built from the tables in [`crate::api`], after the vendor's document has been checked
//! against them, so it holds nothing that progenitor would misread:
//!
//! - No responses. Every reply, success or failure, then arrives whole (status, headers, body
//!   stream), and the library reads it under its own limits and decodes it with the generated types.
//! - Every response property is optional, enumerations are strings, and what the facade does not
//!   read is kept as an unknown property. So is what it only looks into; what it looks up there is a
//!   property of its own, `outer/inner`, of any type.
//! - Requests and responses share no type, and every object has a name.

use std::collections::BTreeMap;

use openapiv3::OpenAPI;
use serde_json::{Map, Value, json};

use crate::{
    api::{Api, Field, Kind, Need, Object, Operation, Response},
    problem::Problem,
};

/// Keywords that progenitor is known to read correctly.
const KNOWN_SCHEMA_KEYWORDS: [&str; 7] = [
    "$ref",
    "additionalProperties",
    "format",
    "items",
    "nullable",
    "properties",
    "type",
];

/// Between the names of a property and of one that is looked up in it; in no name of its own.
pub(crate) const WITHIN: char = '/';

/// Builds the document, and makes sure that nothing of it is lost on its way into progenitor.
pub(crate) fn client_document(api: &Api) -> Result<OpenAPI, Problem> {
    let mut schemas = Schemas(BTreeMap::new());
    let mut paths = Map::new();
    for operation in api.operations {
        let item = paths.entry(operation.path).or_insert_with(|| json!({}));
        item[operation.method] = schemas.operation(operation);
    }
    let document = json!({
        "openapi": "3.0.3",
        "info": { "title": api.title, "version": "1" },
        "paths": paths,
        "components": { "schemas": schemas.0 },
    });
    let lost = |what: String| Problem {
        pointer: String::new(),
        expected: "a client document that the generator reads in full".to_owned(),
        found: what,
        advice: "this is a defect of the code generator; report it with the document".to_owned(),
    };
    for (name, schema) in &schemas.0 {
        only_known_keywords(schema).map_err(|keyword| lost(format!("`{keyword}` in {name}")))?;
    }
    let parsed: OpenAPI =
        serde_json::from_value(document.clone()).map_err(|error| lost(error.to_string()))?;
    let kept = serde_json::to_value(&parsed).map_err(|error| lost(error.to_string()))?;
    match first_difference(&document, &kept, String::new()) {
        Some(place) => Err(lost(format!("{place} dropped"))),
        None => Ok(parsed),
    }
}

/// The named schemas, filled while the operations are written.
struct Schemas(BTreeMap<&'static str, Value>);

impl Schemas {
    fn operation(&mut self, operation: &Operation) -> Value {
        let parameters: Vec<Value> = operation
            .parameters
            .iter()
            .map(|parameter| {
                let mut entry = json!({
                    "in": parameter.location,
                    "name": parameter.name,
                    "schema": self.kind(&parameter.kind, Side::Request),
                });
                if parameter.location == "path" {
                    entry["required"] = json!(true);
                }
                entry
            })
            .collect();
        let mut entry = json!({ "operationId": operation.id, "responses": {} });
        if !parameters.is_empty() {
            entry["parameters"] = Value::Array(parameters);
        }
        if let Some(request) = &operation.request {
            let schema = self.object(request.body, Side::Request);
            entry["requestBody"] = json!({ "required": true, "content": { request.media_type: { "schema": schema } } });
        }
        match &operation.response {
            Response::Empty => {}
            Response::Body(object) => drop(self.object(object, Side::Response)),
            Response::Enveloped { envelope, .. } => drop(self.object(envelope, Side::Response)),
        }
        entry
    }

    fn object(&mut self, object: &'static Object, side: Side) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in object.fields {
            if let (Kind::Verbatim(looked_up), Side::Response) = (&field.kind, side) {
                let name = |inner: &Field| format!("{}{WITHIN}{}", field.name, inner.name);
                properties.extend(looked_up.iter().map(|inner| (name(inner), json!({}))));
                continue;
            }
            properties.insert(field.name.to_owned(), self.kind(&field.kind, side));
            if side == Side::Request && field.need == Need::Essential {
                required.push(field.name);
            }
        }
        let mut schema = json!({ "type": "object", "properties": properties });
        match side {
            Side::Request => schema["required"] = json!(required),
            Side::Response => schema["additionalProperties"] = json!({}),
        }
        self.0.insert(object.name, schema);
        json!({ "$ref": format!("#/components/schemas/{}", object.name) })
    }

    fn kind(&mut self, kind: &'static Kind, side: Side) -> Value {
        match (kind, side) {
            (Kind::String, _) => json!({ "type": "string" }),
            (Kind::DateTime, _) => json!({ "type": "string", "format": "date-time" }),
            (Kind::Integer, Side::Request) => json!({ "type": "integer" }),
            (Kind::Object(object), _) => self.object(object, side),
            (Kind::Array(item), _) => {
                json!({ "type": "array", "items": self.kind(item, side), "nullable": true })
            }
            (Kind::Integer, Side::Response) | (Kind::Verbatim(_), _) => json!({}),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Request,
    Response,
}

fn only_known_keywords(schema: &Value) -> Result<(), String> {
    for (keyword, value) in schema.as_object().into_iter().flatten() {
        match keyword.as_str() {
            "required" => {}
            "properties" => {
                value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .try_for_each(|(_, p)| only_known_keywords(p))?;
            }
            "items" => only_known_keywords(value)?,
            known if KNOWN_SCHEMA_KEYWORDS.contains(&known) => {}
            unknown => return Err(unknown.to_owned()),
        }
    }
    Ok(())
}

/// The pointer of the first thing in `sent` that is not in `kept`.
fn first_difference(sent: &Value, kept: &Value, at: String) -> Option<String> {
    match (sent, kept) {
        (Value::Object(sent), Value::Object(kept)) => sent.iter().find_map(|(key, value)| {
            let place = format!("{at}/{key}");
            match kept.get(key) {
                Some(kept) => first_difference(value, kept, place),
                // An absent empty collection means the same.
                None if *value == json!([]) || *value == json!({}) => None,
                None => Some(place),
            }
        }),
        (Value::Array(sent), Value::Array(kept)) if sent.len() == kept.len() => sent
            .iter()
            .zip(kept)
            .enumerate()
            .find_map(|(index, (sent, kept))| {
                first_difference(sent, kept, format!("{at}/{index}"))
            }),
        (sent, kept) => (sent != kept).then_some(at),
    }
}
