//! Writes a model as an OpenAPI 3.0 document, for progenitor and for people.

use serde_json::{Map, Value, json};

use super::model::{Body, Docs, Media, Model, Node, Operation, Parameter, Payload, Shape};

/// Options of the document.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Form<'a> {
    /// The component that represents timestamps, if there is one.
    pub timestamp: Option<&'a str>,
}

/// Writes the model.
pub(crate) fn document(model: &Model, form: Form) -> Value {
    let mut paths = Map::new();
    for op in &model.operations {
        let item = paths.entry(op.path.clone()).or_insert_with(|| json!({}));
        item[&op.method] = operation(model, op, form);
    }
    let schemas = model.types.iter().map(|named| {
        (
            named.name.clone(),
            component(model, &named.body, &named.docs, form),
        )
    });
    let mut schemas: Map<String, Value> = schemas.collect();
    if let Some(name) = form.timestamp {
        let time = json!({ "type": "string", "format": "date-time" });
        schemas.insert(name.to_owned(), time);
    }
    let mut info = json!({ "title": model.title, "version": model.version });
    if let Some(description) = &model.description {
        info["description"] = json!(description);
    }
    json!({
        "openapi": "3.0.3",
        "info": info,
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

fn operation(model: &Model, op: &Operation, form: Form) -> Value {
    let mut written = json!({ "operationId": op.name });
    if let Some(summary) = &op.summary {
        written["summary"] = json!(summary);
    }
    set_docs(&mut written, &op.docs);
    let parameters = op
        .parameters
        .iter()
        .map(|param| parameter(model, param, form));
    written["parameters"] = parameters.collect();
    if let Some(request) = &op.request {
        let mut body = json!({ "required": true, "content": content(model, request, form) });
        if let Some(docs) = &request.docs {
            body["description"] = json!(docs);
        }
        written["requestBody"] = body;
    }
    let mut success = json!({ "description": "" });
    if let Some(payload) = &op.success {
        success["content"] = content(model, payload, form);
    }
    let mut responses = json!({ "2XX": success });
    if let Some(failure) = &op.failure {
        for status in &op.failures {
            let status = status.to_ascii_uppercase();
            let status = if status == "DEFAULT" {
                "default".to_owned()
            } else {
                status
            };
            responses[status] = json!({
                "description": "",
                "content": { "application/json": { "schema": schema(model, failure, form) } },
            });
        }
    }
    written["responses"] = responses;
    written
}

fn parameter(model: &Model, param: &Parameter, form: Form) -> Value {
    let mut written = json!({
        "in": param.location,
        "name": param.name,
        "required": param.required,
        "schema": schema(model, &param.node, form),
    });
    set_docs(&mut written, &param.docs);
    written
}

fn content(model: &Model, payload: &Payload, form: Form) -> Value {
    let (media_type, schema) = match payload.media {
        Media::Json => ("application/json", schema(model, &payload.node, form)),
        Media::Form => (
            "application/x-www-form-urlencoded",
            schema(model, &payload.node, form),
        ),
        Media::Text => ("text/plain", json!({ "type": "string" })),
        Media::Octets => (
            "application/octet-stream",
            json!({ "type": "string", "format": "binary" }),
        ),
    };
    json!({ media_type: { "schema": schema } })
}

fn component(model: &Model, body: &Body, docs: &Docs, form: Form) -> Value {
    let mut written = match body {
        Body::Object(properties) => {
            let mut listed = Map::new();
            for property in properties {
                let mut node = property.node.clone();
                // `nullable` distinguishes an absent list from an empty one.
                node.nullable = !property.required
                    && matches!(node.shape, Shape::List(_) | Shape::Map(_))
                    || property.required && node.nullable;
                let mut written = schema(model, &node, form);
                if property.docs != Docs::default() {
                    if written.get("$ref").is_some() {
                        written = json!({ "allOf": [written] });
                    }
                    set_docs(&mut written, &property.docs);
                }
                listed.insert(property.name.clone(), written);
            }
            let required = properties.iter().filter(|property| property.required);
            let required: Vec<&str> = required.map(|property| property.name.as_str()).collect();
            // The empty schema keeps properties that are not listed.
            let mut written =
                json!({ "type": "object", "properties": listed, "additionalProperties": {} });
            if !required.is_empty() {
                written["required"] = json!(required);
            }
            written
        }
        Body::Enum(values) => json!({ "type": "string", "enum": values }),
        Body::Union(union) => {
            let arms: Vec<Value> = union
                .arms
                .iter()
                .map(|(_, node)| schema(model, node, form))
                .collect();
            json!({ "oneOf": arms, "discriminator": { "propertyName": union.discriminator } })
        }
    };
    set_docs(&mut written, docs);
    written
}

fn set_docs(written: &mut Value, docs: &Docs) {
    if let Some(text) = doc_text(docs) {
        written["description"] = json!(text);
    }
    if docs.deprecated {
        written["deprecated"] = json!(true);
    }
}

/// Returns the text, followed by a mark if the item is deprecated.
pub(crate) fn doc_text(docs: &Docs) -> Option<String> {
    let deprecated = docs.deprecated.then_some("**Deprecated.**");
    let parts: Vec<&str> = docs.text.as_deref().into_iter().chain(deprecated).collect();
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

fn schema(model: &Model, node: &Node, form: Form) -> Value {
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let mut written = match &node.shape {
        Shape::Any => return json!({}),
        Shape::Text => json!({ "type": "string" }),
        Shape::DateTime => match form.timestamp {
            Some(name) => reference(name),
            None => json!({ "type": "string", "format": "date-time" }),
        },
        Shape::Integer => json!({ "type": "integer" }),
        Shape::Number => json!({ "type": "number" }),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::List(items) => json!({ "type": "array", "items": schema(model, items, form) }),
        Shape::Map(values) => {
            json!({ "type": "object", "additionalProperties": schema(model, values, form) })
        }
        Shape::Named(id) => reference(&model.types[*id].name),
    };
    if node.nullable {
        if written.get("$ref").is_some() {
            written = json!({ "allOf": [written] });
        }
        written["nullable"] = json!(true);
    }
    written
}
