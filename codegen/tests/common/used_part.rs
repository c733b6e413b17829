//! Reduces a document to the part that one API uses: whole documents are megabytes, and tests read them thousands of
//! times.

use std::collections::BTreeSet;

use org_invitations_codegen::Api;
use serde_json::{Value, json};

/// Removes the paths of other APIs, and the components that are then unused.
pub fn used_part(document: &Value, api: &Api) -> Value {
    let mut kept = document.as_object().unwrap().clone();
    for unused in ["components", "tags", "x-tagGroups"] {
        kept.remove(unused);
    }
    let is_used = |path: &str| {
        let mut operations = api.operations.iter();
        operations.any(|operation| template(&operation.path) == template(path))
    };
    let paths = document["paths"].as_object().unwrap();
    let paths = paths.iter().filter(|(path, _)| is_used(path));
    let paths = paths.map(|(path, item)| (path.clone(), item.clone()));
    kept.insert("paths".to_owned(), paths.collect());
    let mut components = json!({});
    if let Some(schemes) = document["components"].get("securitySchemes") {
        components["securitySchemes"] = schemes.clone();
    }
    let mut open = BTreeSet::new();
    references(&Value::Object(kept.clone()), &mut open);
    while let Some(reference) = open.pop_first() {
        let Some((map, name)) = component(&reference) else {
            continue;
        };
        let target = &document["components"][&map][&name];
        let entries = components.as_object_mut().unwrap().entry(map);
        let entries = entries.or_insert(json!({})).as_object_mut().unwrap();
        if entries.insert(name, target.clone()).is_none() {
            references(target, &mut open);
        }
    }
    kept.insert("components".to_owned(), components);
    Value::Object(kept)
}

/// A path template without the names of variables.
fn template(path: &str) -> Vec<&str> {
    let parts = path.split('/');
    parts
        .map(|part| if part.starts_with('{') { "{}" } else { part })
        .collect()
}

fn component(reference: &str) -> Option<(String, String)> {
    let mut tokens = reference.strip_prefix("#/components/")?.split('/');
    let mut token = || Some(tokens.next()?.replace("~1", "/").replace("~0", "~"));
    Some((token()?, token()?))
}

fn references(node: &Value, found: &mut BTreeSet<String>) {
    match node {
        Value::Object(map) => {
            let own = map.get("$ref").and_then(Value::as_str);
            found.extend(own.map(str::to_owned));
            map.values().for_each(|inner| references(inner, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| references(inner, found)),
        _ => {}
    }
}
