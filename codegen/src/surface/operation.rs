//! Normalises operations: parameters, request bodies and responses.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{security::Scheme, servers::Servers};
use crate::{
    document::{Document, escape},
    schema::{Direction, SchemaNormalizer},
};

/// The locations of parameters. Parameters elsewhere are ignored.
const LOCATIONS: [&str; 4] = ["path", "query", "header", "cookie"];

/// Normalises the operations of one document.
pub(super) struct OperationNormalizer<'a> {
    pub(super) document: &'a Document,
    pub(super) schema_normalizer: SchemaNormalizer<'a>,
    /// The security schemes in use, by their names in the document.
    pub(super) schemes: BTreeMap<&'a str, Scheme>,
    /// Servers by the pointer of the operation that overrides them; those of the document are under the empty pointer.
    pub(super) servers: BTreeMap<String, Servers>,
}

impl<'a> OperationNormalizer<'a> {
    pub(super) fn new(document: &'a Document) -> Self {
        Self {
            document,
            schema_normalizer: SchemaNormalizer::new(document),
            schemes: BTreeMap::new(),
            servers: BTreeMap::new(),
        }
    }

    pub(super) fn operation(
        &mut self,
        path: &str,
        item: &'a Value,
        source: &str,
        method: &str,
    ) -> Value {
        let at = format!("/paths/{}/{method}", escape(path));
        let operation = &item[method];
        self.schema_normalizer
            .origins
            .insert(at.clone(), format!("{source}/{method}"));
        let mut normal = Map::new();
        if let Some(id) = operation.get("operationId") {
            normal.insert("operationId".to_owned(), id.clone());
        }
        if operation.get("deprecated") == Some(&json!(true)) {
            normal.insert("deprecated".to_owned(), json!(true));
        }
        let parameters = self.parameters(item, operation, source, method, &at);
        normal.insert("parameters".to_owned(), parameters);
        if let Some(body) = operation.get("requestBody") {
            let source = format!("{source}/{method}/requestBody");
            let body = self.request_body(body, &source, &format!("{at}/requestBody"));
            normal.insert("requestBody".to_owned(), body);
        }
        let mut responses = Map::new();
        for (status, response) in operation["responses"].as_object().into_iter().flatten() {
            let source = format!("{source}/{method}/responses/{}", escape(status));
            let pointer = format!("{at}/responses/{}", escape(status));
            responses.insert(status.clone(), self.response(response, &source, &pointer));
        }
        normal.insert("responses".to_owned(), Value::Object(responses));
        let own = operation.get("security");
        if let Some(security) = own.or_else(|| self.document.root().get("security")) {
            let source = own.map_or_else(String::new, |_| format!("{source}/{method}"));
            let pointer = format!("{at}/security");
            self.schema_normalizer
                .record_origin(&pointer, &format!("{source}/security"));
            normal.insert("security".to_owned(), self.security(security, &pointer));
        }
        let nearest = [
            (operation, format!("{source}/{method}")),
            (item, source.to_owned()),
        ];
        if let Some(servers) = self.overriding_servers(&at, nearest) {
            normal.insert("servers".to_owned(), servers);
        }
        Value::Object(normal)
    }

    /// Normalises the parameters of the path item and of the operation, which override those of the path item.
    fn parameters(
        &mut self,
        item: &'a Value,
        operation: &'a Value,
        source: &str,
        method: &str,
        at: &str,
    ) -> Value {
        let mut sorted = BTreeMap::new();
        let mut unknown = Vec::new();
        for (list, source) in [
            (&item["parameters"], format!("{source}/parameters")),
            (
                &operation["parameters"],
                format!("{source}/{method}/parameters"),
            ),
        ] {
            for (index, parameter) in list.as_array().into_iter().flatten().enumerate() {
                let source = format!("{source}/{index}");
                let Some((parameter, source)) = self.document.resolve(parameter, &source) else {
                    unknown.push((parameter, source));
                    continue;
                };
                let (Some(location), Some(name)) =
                    (parameter["in"].as_str(), parameter["name"].as_str())
                else {
                    continue;
                };
                if let Some(order) = LOCATIONS.iter().position(|known| *known == location) {
                    sorted.insert((order, name), (parameter, source));
                }
            }
        }
        let mut normal = Vec::new();
        for ((order, name), (parameter, source)) in sorted {
            let pointer = format!("{at}/parameters/{}", normal.len());
            self.schema_normalizer
                .origins
                .insert(pointer.clone(), source.clone());
            let mut entry = Map::new();
            entry.insert("in".to_owned(), json!(LOCATIONS[order]));
            entry.insert("name".to_owned(), json!(name));
            entry.extend(self.described_value(parameter, &source, &pointer, Direction::Request));
            normal.push(Value::Object(entry));
        }
        // A parameter that cannot be resolved may be required.
        for (parameter, source) in unknown {
            self.schema_normalizer
                .record_origin(&format!("{at}/parameters/{}", normal.len()), &source);
            let name = parameter["$ref"].to_string();
            normal.push(json!({ "in": "query", "name": name, "required": true, "schema": {} }));
        }
        Value::Array(normal)
    }

    /// Normalises what parameters and headers have in common.
    fn described_value(
        &mut self,
        node: &'a Value,
        source: &str,
        at: &str,
        direction: Direction,
    ) -> Map<String, Value> {
        let mut normal = Map::new();
        for flag in ["required", "deprecated"] {
            if node.get(flag) == Some(&json!(true)) {
                normal.insert(flag.to_owned(), json!(true));
            }
        }
        // A style is kept only if it differs from the default.
        let (style, explode) = match node["in"].as_str() {
            Some("query" | "cookie") => ("form", true),
            _ => ("simple", false),
        };
        let custom_style = node.get("style").is_some_and(|found| found != style);
        if custom_style {
            normal.insert("style".to_owned(), node["style"].clone());
        }
        if custom_style || node.get("explode").is_some_and(|found| *found != explode) {
            normal.insert("explode".to_owned(), node["explode"].clone());
        }
        let (schema, tail) = match node.get("schema") {
            Some(schema) => (schema, "/schema".to_owned()),
            // In place of `schema` there may be `content` with exactly one media type.
            None => match node["content"]
                .as_object()
                .and_then(|content| content.iter().next())
            {
                Some((media_type, content)) => {
                    normal.insert("content".to_owned(), json!(media_type));
                    (
                        &content["schema"],
                        format!("/content/{}/schema", escape(media_type)),
                    )
                }
                None => return normal,
            },
        };
        let source = format!("{source}{tail}");
        let schema =
            self.schema_normalizer
                .schema(schema, &source, &format!("{at}/schema"), direction);
        normal.insert("schema".to_owned(), schema);
        normal
    }

    fn request_body(&mut self, body: &'a Value, source: &str, at: &str) -> Value {
        let Some((body, source)) = self.document.resolve(body, source) else {
            self.schema_normalizer.record_origin(at, source);
            return body.clone();
        };
        self.schema_normalizer.record_origin(at, &source);
        let mut normal = Map::new();
        if body.get("required") == Some(&json!(true)) {
            normal.insert("required".to_owned(), json!(true));
        }
        normal.insert(
            "content".to_owned(),
            self.content(body, &source, at, Direction::Request),
        );
        Value::Object(normal)
    }

    fn response(&mut self, response: &'a Value, source: &str, at: &str) -> Value {
        let Some((response, source)) = self.document.resolve(response, source) else {
            self.schema_normalizer.record_origin(at, source);
            return response.clone();
        };
        self.schema_normalizer.record_origin(at, &source);
        let mut normal = Map::new();
        let mut headers = Map::new();
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            if self.schema_normalizer.exhausted() {
                break;
            }
            let lower = name.to_ascii_lowercase();
            let pointer = format!("{at}/headers/{}", escape(&lower));
            let source = format!("{source}/headers/{}", escape(name));
            let Some((header, source)) = self.document.resolve(header, &source) else {
                self.schema_normalizer.record_origin(&pointer, &source);
                headers.insert(lower, header.clone());
                continue;
            };
            self.schema_normalizer.record_origin(&pointer, &source);
            let described = self.described_value(header, &source, &pointer, Direction::Response);
            headers.insert(lower, Value::Object(described));
        }
        if !headers.is_empty() {
            normal.insert("headers".to_owned(), Value::Object(headers));
        }
        let content = self.content(response, &source, at, Direction::Response);
        if content != json!({}) {
            normal.insert("content".to_owned(), content);
        }
        Value::Object(normal)
    }

    fn content(&mut self, node: &'a Value, source: &str, at: &str, direction: Direction) -> Value {
        let mut content = Map::new();
        for (media_type, body) in node["content"].as_object().into_iter().flatten() {
            let source = format!("{source}/content/{}", escape(media_type));
            // Media types are compared without case and parameters.
            let (essence, _) = media_type.split_once(';').unwrap_or((media_type, ""));
            let essence = essence.trim().to_ascii_lowercase();
            let pointer = format!("{at}/content/{}", escape(&essence));
            self.schema_normalizer.record_origin(&pointer, &source);
            let schema = body.get("schema").unwrap_or(&Value::Bool(true));
            let schema = self.schema_normalizer.schema(
                schema,
                &format!("{source}/schema"),
                &format!("{pointer}/schema"),
                direction,
            );
            content.insert(essence, json!({ "schema": schema }));
        }
        Value::Object(content)
    }
}
