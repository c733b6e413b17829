//! The surface of an API: the operations that the library uses, normalised.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    api::{Api, Operation},
    document::{Document, escape},
    problem::{Problem, Report},
    schema::{Direction, Normaliser, drop_hidden, weight},
};

/// Parameters other than these are not part of an OpenAPI surface.
const LOCATIONS: [&str; 4] = ["path", "query", "header", "cookie"];

/// The operations of one [`Api`] as a document describes them, in a form that can be compared.
///
/// It is an OpenAPI 3.0 document without `$ref`s, names of schemas, descriptions and examples. Two
/// documents of one API have equal surfaces exactly when they mean the same for this library.
#[derive(Clone, Debug)]
pub struct Surface {
    name: String,
    value: Value,
    origins: BTreeMap<String, String>,
    sites: BTreeMap<String, String>,
}

impl Api {
    /// The APIs that a document describes at least one operation of, recognised by its paths.
    pub fn recognise(document: &Document) -> Vec<&'static Api> {
        let reader = Reader::new(document);
        let described = |api: &&Api| {
            api.operations
                .iter()
                .any(|operation| reader.find(operation).is_some())
        };
        Api::ALL.into_iter().filter(described).collect()
    }
}

impl Surface {
    /// Selects and normalises the operations of `api` from `document`.
    ///
    /// An operation that the document lacks is left out; [`check`](crate::check()) reports it.
    ///
    /// # Errors
    ///
    /// A [`Report`] with one problem when the document describes none of the operations, or when
    /// its references expand without end.
    pub fn new(document: &Document, api: &Api) -> Result<Self, Report> {
        let mut reader = Reader::new(document);
        let mut paths = Map::new();
        for operation in api.operations {
            let Some((path, item, pointer)) = reader.find(operation) else {
                continue;
            };
            let normal = reader.operation(path, item, &pointer, operation.method);
            let methods = paths.entry(path.to_owned()).or_insert_with(|| json!({}));
            methods[operation.method] = normal;
        }
        let fail = |pointer: &str, expected: &str, found: &str, advice: &str| {
            let problem = Problem {
                pointer: pointer.to_owned(),
                expected: expected.to_owned(),
                found: found.to_owned(),
                advice: advice.to_owned(),
            };
            Err(Report::single(document.name(), problem))
        };
        if paths.is_empty() {
            return fail(
                "/paths",
                &format!("the invitation operations of {}", api.title),
                "none of them",
                "name a document of that API",
            );
        }
        if reader.normaliser.exhausted() {
            return fail(
                "/components",
                "references that expand to a bounded number of schemas",
                "too many of them",
                "cut the document down to the part of the API that is used",
            );
        }
        let server = document
            .root()
            .pointer("/servers/0/url")
            .and_then(Value::as_str);
        let server = server.map(|url| url.trim_end_matches('/'));
        let value = json!({
            "openapi": "3.0.3",
            "info": { "title": api.title, "version": "1" },
            "servers": server.map(|url| json!({ "url": url })).into_iter().collect::<Value>(),
            "paths": paths,
            "components": { "securitySchemes": reader.schemes },
        });
        let Normaliser { origins, sites, .. } = reader.normaliser;
        Ok(Self {
            name: document.name().to_owned(),
            value: ordered(value),
            origins,
            sites,
        })
    }

    /// The name of the document it came from.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The normalised document.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Where the place at `pointer` of the normalised document stands in the original one.
    pub fn origin(&self, pointer: &str) -> &str {
        let mut place = pointer;
        loop {
            if let Some(origin) = self.origins.get(place) {
                return origin;
            }
            match place.rfind('/') {
                Some(end) => place = &place[..end],
                None => return "",
            }
        }
    }

    /// Where a property of the normalised document is listed in the original one; for other places, where
    /// they stand.
    pub(crate) fn site(&self, pointer: &str) -> &str {
        self.sites
            .get(pointer)
            .map_or_else(|| self.origin(pointer), String::as_str)
    }

    /// The operation with the method and path of `operation`, and its pointer.
    pub(crate) fn operation(&self, operation: &Operation) -> Option<(String, &str, &Value)> {
        let (path, item) = self.value["paths"]
            .as_object()?
            .iter()
            .find(|(path, _)| same_path(path, operation.path))?;
        let found = item.get(operation.method)?;
        Some((
            format!("/paths/{}/{}", escape(path), operation.method),
            path,
            found,
        ))
    }
}

struct Reader<'a> {
    document: &'a Document,
    normaliser: Normaliser<'a>,
    schemes: Map<String, Value>,
}

impl<'a> Reader<'a> {
    fn new(document: &'a Document) -> Self {
        Self {
            document,
            normaliser: Normaliser::new(document),
            schemes: Map::new(),
        }
    }

    /// The path item that has `operation`.
    fn find(&self, operation: &Operation) -> Option<(&'a str, &'a Value, String)> {
        let paths = self.document.root().get("paths")?.as_object()?;
        paths
            .iter()
            .filter(|(path, _)| same_path(path, operation.path))
            .find_map(|(path, item)| {
                let pointer = format!("/paths/{}", escape(path));
                let (item, pointer) = self.document.resolve(item, &pointer)?;
                item.get(operation.method)?
                    .is_object()
                    .then_some((path.as_str(), item, pointer))
            })
    }

    /// What stands at `at` of the surface came from `source` of the document.
    fn came(&mut self, at: &str, source: &str) {
        if !self.normaliser.spend(at.len() + source.len()) {
            return;
        }
        self.normaliser
            .origins
            .insert(at.to_owned(), source.to_owned());
    }

    fn operation(&mut self, path: &str, item: &'a Value, source: &str, method: &str) -> Value {
        let at = format!("/paths/{}/{method}", escape(path));
        let operation = &item[method];
        self.normaliser
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
            let place = format!("{at}/responses/{}", escape(status));
            responses.insert(status.clone(), self.response(response, &source, &place));
        }
        normal.insert("responses".to_owned(), Value::Object(responses));
        let own = operation.get("security");
        if let Some(security) = own.or_else(|| self.document.root().get("security")) {
            let source = own.map_or_else(String::new, |_| format!("{source}/{method}"));
            self.came(&format!("{at}/security"), &format!("{source}/security"));
            normal.insert("security".to_owned(), self.security(security));
        }
        Value::Object(normal)
    }

    /// The parameters of the path item and of the operation, which wins.
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
            let place = format!("{at}/parameters/{}", normal.len());
            self.normaliser
                .origins
                .insert(place.clone(), source.clone());
            let mut entry = Map::new();
            entry.insert("in".to_owned(), json!(LOCATIONS[order]));
            entry.insert("name".to_owned(), json!(name));
            entry.extend(self.described_value(parameter, &source, &place, Direction::Request));
            normal.push(Value::Object(entry));
        }
        // What cannot be looked at may be required.
        for (parameter, source) in unknown {
            self.came(&format!("{at}/parameters/{}", normal.len()), &source);
            let name = parameter["$ref"].to_string();
            normal.push(json!({ "in": "query", "name": name, "required": true, "schema": {} }));
        }
        Value::Array(normal)
    }

    /// What parameters and headers have in common.
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
        // Only a way of writing values that is not the default one means something.
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
            // The other form names a media type, of which there is exactly one.
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
        let mut schema =
            self.normaliser
                .schema(schema, &source, &format!("{at}/schema"), direction);
        drop_hidden(&mut schema);
        normal.insert("schema".to_owned(), schema);
        normal
    }

    fn request_body(&mut self, body: &'a Value, source: &str, at: &str) -> Value {
        let Some((body, source)) = self.document.resolve(body, source) else {
            return body.clone();
        };
        self.came(at, &source);
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
            return response.clone();
        };
        self.came(at, &source);
        let mut normal = Map::new();
        let mut headers = Map::new();
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            if self.normaliser.exhausted() {
                break;
            }
            let token = escape(name);
            let lower = name.to_ascii_lowercase();
            let Some((header, source)) = self
                .document
                .resolve(header, &format!("{source}/headers/{token}"))
            else {
                headers.insert(lower, header.clone());
                continue;
            };
            let place = format!("{at}/headers/{}", escape(&lower));
            self.came(&place, &source);
            let described = self.described_value(header, &source, &place, Direction::Response);
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
            let tail = format!("/content/{}", escape(media_type));
            self.came(&format!("{at}{tail}"), &format!("{source}{tail}"));
            let schema = body.get("schema").unwrap_or(&Value::Bool(true));
            let mut schema = self.normaliser.schema(
                schema,
                &format!("{source}{tail}/schema"),
                &format!("{at}{tail}/schema"),
                direction,
            );
            drop_hidden(&mut schema);
            content.insert(media_type.clone(), json!({ "schema": schema }));
        }
        Value::Object(content)
    }

    /// Requirements by what the schemes are, not by what the document calls them.
    fn security(&mut self, requirements: &'a Value) -> Value {
        let mut alternatives = Vec::new();
        for requirement in requirements.as_array().into_iter().flatten() {
            if !self.normaliser.spend(weight(requirement)) {
                break;
            }
            let mut schemes = Map::new();
            for (name, scopes) in requirement.as_object().into_iter().flatten() {
                let pointer = format!("/components/securitySchemes/{}", escape(name));
                let scheme = self.document.root().pointer(&pointer);
                let resolved = scheme.and_then(|scheme| self.document.resolve(scheme, &pointer));
                let Some((scheme, _)) = resolved else {
                    schemes.insert(name.clone(), scopes.clone());
                    continue;
                };
                if !self.normaliser.spend(weight(scheme)) {
                    break;
                }
                let scheme = meaning(scheme);
                let name = scheme_name(&scheme);
                self.schemes.insert(name.clone(), scheme);
                schemes.insert(name, scopes.clone());
            }
            alternatives.push(Value::Object(schemes));
        }
        alternatives.sort_by_key(Value::to_string);
        Value::Array(alternatives)
    }
}

/// `GET /x/{id}` and `GET /x/{name}` are one operation.
fn same_path(one: &str, other: &str) -> bool {
    let is_variable = |part: &str| part.starts_with('{') && part.ends_with('}');
    let mut others = other.split('/');
    one.split('/').all(|part| {
        others
            .next()
            .is_some_and(|other| part == other || is_variable(part) && is_variable(other))
    }) && others.next().is_none()
}

/// A security scheme without its descriptions.
fn meaning(scheme: &Value) -> Value {
    match scheme {
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| *key != "description" && !key.starts_with("x-"))
            .map(|(key, value)| match value {
                // The names of HTTP schemes have no case.
                Value::String(name) if key == "scheme" => {
                    (key.clone(), json!(name.to_ascii_lowercase()))
                }
                _ => (key.clone(), meaning(value)),
            })
            .collect(),
        other => other.clone(),
    }
}

fn scheme_name(scheme: &Value) -> String {
    let text = |key: &str| {
        scheme[key]
            .as_str()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    match text("type").as_str() {
        "http" => text("scheme"),
        "apikey" => format!("{}-{}", text("in"), text("name")),
        other => other.to_owned(),
    }
}

/// The same value with the keys of every object in order, whatever map type the build chose.
fn ordered(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<_, _> = map
                .into_iter()
                .map(|(key, value)| (key, ordered(value)))
                .collect();
            sorted.into_iter().collect()
        }
        Value::Array(values) => values.into_iter().map(ordered).collect(),
        other => other,
    }
}
