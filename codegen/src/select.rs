//! Finds operations in a document.

use std::collections::{HashMap, hash_map::Entry};

use serde_json::Value;

use crate::{
    document::{Document, escape},
    path,
};

/// The methods that an operation can have.
pub(crate) const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// Methods for which no client can be generated.
pub(crate) const NOT_GENERATED: [&str; 4] = ["options", "trace", "query", "additionalOperations"];

/// Describes the operations of selected paths that are left out, because no client can be generated for them.
pub(crate) fn left_out(document: &Document, is_selected: impl Fn(&str) -> bool) -> Vec<String> {
    let base = base_path(document);
    let is_selected = |path: &str| is_selected(path) || is_selected(&format!("{base}{path}"));
    let paths = document.root().get("paths").and_then(Value::as_object);
    let mut found = Vec::new();
    let paths = paths.into_iter().flatten();
    for (path, item) in paths.filter(|(path, _)| is_selected(path)) {
        let pointer = format!("/paths/{}", escape(path));
        let Some((item, pointer)) = document.resolve(item, &pointer) else {
            found.push(format!(
                "{pointer}: the reference leads nowhere; the path is left out"
            ));
            continue;
        };
        let methods = NOT_GENERATED
            .iter()
            .filter(|method| item.get(method).is_some());
        found.extend(
            methods.map(|method| {
                format!("{pointer}/{method}: no client can be generated for this method; the operation is left out")
            }),
        );
    }
    let mut known = HashMap::new();
    let generated = generated(document).into_iter();
    for each in generated.filter(|each| is_selected(&each.path)) {
        let Found {
            path,
            method,
            pointer,
            ..
        } = each;
        match known.entry((method, path::template(&path))) {
            Entry::Occupied(other) => found.push(format!(
                "{pointer}/{method}: the operation is the same as {} and is left out",
                other.get()
            )),
            Entry::Vacant(free) => drop(free.insert(path)),
        }
    }
    found
}

fn is_generated(found: &Found<'_>) -> bool {
    !NOT_GENERATED.contains(&found.method)
}

/// An operation of a document.
#[derive(Clone, Debug)]
pub(crate) struct Found<'a> {
    /// The path, with the base path of the server if it was selected that way.
    pub path: String,
    pub method: &'static str,
    /// The path item and its pointer.
    pub item: &'a Value,
    pub pointer: String,
}

/// Returns every operation that can be generated, in the order of the paths.
pub(crate) fn generated(document: &Document) -> Vec<Found<'_>> {
    operations(document)
        .into_iter()
        .filter(is_generated)
        .collect()
}

/// Returns every operation of the document, in the order of the paths.
pub(crate) fn operations(document: &Document) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let paths = document.root().get("paths").and_then(Value::as_object);
    for (path, item) in paths.into_iter().flatten() {
        let pointer = format!("/paths/{}", escape(path));
        let Some((item, pointer)) = document.resolve(item, &pointer) else {
            continue;
        };
        let methods = METHODS
            .into_iter()
            .filter(|method| item.get(method).is_some_and(Value::is_object));
        found.extend(methods.map(|method| Found {
            path: path.clone(),
            method,
            item,
            pointer: pointer.clone(),
        }));
    }
    found
}

/// Returns the operations with this path and method; the method `*` stands for all methods of the path. The path is
/// matched as it is, or below the base path of the server.
pub(crate) fn find<'a>(document: &'a Document, method: &str, wanted: &str) -> Vec<Found<'a>> {
    let base = base_path(document);
    let all = operations(document);
    let matching = |prefix: &str| -> Vec<Found<'a>> {
        let found = all
            .iter()
            .filter(|each| each.method == method || method == "*" && is_generated(each));
        let found = found.map(|each| Found {
            path: format!("{prefix}{}", each.path),
            ..each.clone()
        });
        found
            .filter(|each| path::is_same(&each.path, wanted))
            .collect()
    };
    let mut found = matching("");
    if found.is_empty() && !base.is_empty() {
        found = matching(&base);
    }
    // Several templates that differ only in the names of variables are one operation.
    found.dedup_by(|one, other| one.method == other.method);
    found
}

/// The path of the first server: `/v1` of `https://api.example.com/v1`.
fn base_path(document: &Document) -> String {
    let url = document.root()["servers"][0]["url"]
        .as_str()
        .unwrap_or_default();
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |start| &rest[start..]),
        None => url,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = path.trim_end_matches('/');
    if path.starts_with('/') && !path.contains('{') {
        path.to_owned()
    } else {
        String::new()
    }
}
