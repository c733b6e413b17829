//! Small documents, and bindings of all that is in them.

use org_invitations_codegen::{Bindings, Document, Generated, Report, Source};
use serde_json::{Value, json};

use crate::common::{output::Output, parsed};

/// A document with these paths and schemas.
pub fn document(version: &str, paths: Value, schemas: Value) -> Value {
    json!({
        "openapi": version,
        "info": { "title": "Small", "version": "1" },
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

/// One operation, `POST /x`, that sends and receives `schema`.
pub fn both_ways(version: &str, schema: Value, schemas: Value) -> Value {
    let body = json!({ "content": { "application/json": { "schema": schema } } });
    let mut response = body.clone();
    response["description"] = json!("");
    let operation = json!({
        "operationId": "exchange", "requestBody": body, "responses": { "200": response },
    });
    document(version, json!({ "/x": { "post": operation } }), schemas)
}

/// One operation, `GET /x`, that receives `schema`.
pub fn received(version: &str, schema: Value, schemas: Value) -> Value {
    let response =
        json!({ "description": "", "content": { "application/json": { "schema": schema } } });
    let operation = json!({ "operationId": "get_x", "responses": { "200": response } });
    document(version, json!({ "/x": { "get": operation } }), schemas)
}

/// One operation, `GET /x/{id}`, with these parameters.
pub fn with_parameters(parameters: Value) -> Value {
    let operation = json!({
        "operationId": "get_x", "parameters": parameters, "responses": { "200": { "description": "" } },
    });
    document(
        "3.0.3",
        json!({ "/x/{id}": { "get": operation } }),
        json!({}),
    )
}

/// An object with these properties.
pub fn object(properties: Value) -> Value {
    json!({ "type": "object", "properties": properties })
}

pub fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

pub fn generate(bindings: &Bindings, value: &Value) -> Result<Generated, Report> {
    bindings.generate_from(&[parsed("small.json", value)], &[])
}

/// Bindings of everything in a document.
pub fn all(value: &Value) -> Output {
    let bindings = Bindings::new("api").source(Source::new("small.json").all());
    of(&bindings, &[parsed("small.json", value)])
}

/// Generates these bindings from these documents.
pub fn of(bindings: &Bindings, documents: &[Document]) -> Output {
    let generated = bindings.generate_from(documents, &[]);
    output(&generated.unwrap_or_else(|report| panic!("{report}")))
}

pub fn output(generated: &Generated) -> Output {
    Output::new(&generated.rust)
}
