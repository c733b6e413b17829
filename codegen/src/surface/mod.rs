//! The surface of an API: the selected operations, normalised.

mod operation;
mod security;
mod servers;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    api::{Api, Operation},
    diagnostic::{Diagnostic, Report},
    document::{Document, escape},
    path::is_same,
    schema::SchemaNormalizer,
    select,
};
use operation::OperationNormalizer;
pub use servers::Servers;

/// The operations of one [`Api`] as a document describes them, in a normalised form that can be compared.
///
/// A surface is an OpenAPI 3.0 document without `$ref`s, names of schemas, descriptions and examples. Two
/// documents of one API have equal surfaces exactly if they are equivalent for the library.
#[derive(Clone, Debug)]
pub struct Surface {
    name: String,
    value: Value,
    origins: BTreeMap<String, String>,
    use_sites: BTreeMap<String, String>,
    /// Servers by the pointer of the operation that overrides them; those of the document are under the empty pointer.
    servers: BTreeMap<String, Servers>,
}

/// An operation of a [`Surface`].
#[derive(Clone, Debug)]
pub struct SurfaceOperation<'s> {
    /// JSON pointer to the operation in the normalised document.
    pub pointer: String,
    /// The path template, as the document has it.
    pub path: &'s str,
    /// The operation object.
    pub value: &'s Value,
}

impl Api {
    /// Whether the document describes at least one of the operations.
    pub fn is_described_by(&self, document: &Document) -> bool {
        let mut operations = self.operations.iter();
        operations
            .any(|operation| !select::find(document, &operation.method, &operation.path).is_empty())
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
        let mut normalizer = OperationNormalizer::new(document);
        let found = api.operations.iter().filter_map(|operation| {
            let mut found = select::find(document, &operation.method, &operation.path);
            (!found.is_empty()).then(|| found.remove(0))
        });
        let found: Vec<_> = found.collect();
        normalizer.document_servers();
        normalizer.collect_schemes(found.iter().map(|found| &found.item[found.method]));
        let mut paths = Map::new();
        for found in found {
            let normal =
                normalizer.operation(&found.path, found.item, &found.pointer, found.method);
            let methods = paths.entry(found.path).or_insert_with(|| json!({}));
            methods[found.method] = normal;
        }
        let fail = |pointer: &str, expected: &str, found: &str, advice: &str| {
            let diagnostic = Diagnostic {
                pointer: pointer.to_owned(),
                expected: expected.to_owned(),
                found: found.to_owned(),
                advice: advice.to_owned(),
            };
            Err(Report::single(document.name(), diagnostic))
        };
        if paths.is_empty() {
            return fail(
                "/paths",
                &format!("operations of {}", api.title),
                "none of them",
                "name a document of that API",
            );
        }
        if normalizer.schema_normalizer.exhausted() {
            return fail(
                "/components",
                "references that expand to a bounded number of schemas",
                "too many of them",
                "cut the document down to the part of the API that is used",
            );
        }
        let servers = normalizer.servers.get("").map(Servers::to_value);
        let value = json!({
            "openapi": "3.0.3",
            "info": { "title": api.title, "version": "1" },
            "servers": servers.unwrap_or(json!([])),
            "paths": paths,
            "components": { "securitySchemes": normalizer.schemes() },
        });
        let servers = normalizer.servers;
        let SchemaNormalizer {
            origins, use_sites, ..
        } = normalizer.schema_normalizer;
        Ok(Self {
            name: document.name().to_owned(),
            value: sort_keys(value),
            origins,
            use_sites,
            servers,
        })
    }

    /// Returns the name of the original document.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the normalised document.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Returns the pointer in the original document for a `pointer` in the normalised one.
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

    /// Returns the pointer under which the original document lists a property; for other parts, as [`origin`](Self::origin).
    pub fn use_site(&self, pointer: &str) -> &str {
        self.use_sites
            .get(pointer)
            .map_or_else(|| self.origin(pointer), String::as_str)
    }

    /// Returns the servers that the operation at `pointer` overrides, or with "" those of the document.
    pub fn servers(&self, pointer: &str) -> Option<&Servers> {
        self.servers.get(pointer)
    }

    /// Returns the operation with the method and path of `operation`.
    pub fn operation(&self, operation: &Operation) -> Option<SurfaceOperation<'_>> {
        let (path, item) = self.value["paths"]
            .as_object()?
            .iter()
            .find(|(path, _)| is_same(path, &operation.path))?;
        Some(SurfaceOperation {
            pointer: format!("/paths/{}/{}", escape(path), operation.method),
            path,
            value: item.get(&operation.method)?,
        })
    }
}

/// Sorts the keys of every object, whatever map type `serde_json` is built with.
fn sort_keys(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<_, _> = map
                .into_iter()
                .map(|(key, value)| (key, sort_keys(value)))
                .collect();
            sorted.into_iter().collect()
        }
        Value::Array(values) => values.into_iter().map(sort_keys).collect(),
        other => other,
    }
}
