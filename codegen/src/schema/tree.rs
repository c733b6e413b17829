//! Functions over whole trees: hidden properties and sizes.

use std::collections::HashSet;

use serde_json::Value;

/// Removes properties that are not sent or received in this direction, after everything is merged.
pub(super) fn remove_hidden(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            let mut dropped = HashSet::new();
            if let Some(Value::Object(properties)) = map.get_mut("properties") {
                properties.retain(|name, property| {
                    let flags = ["readOnly", "writeOnly"];
                    let hidden = flags.iter().any(|flag| property.get(flag).is_some());
                    if hidden {
                        dropped.insert(name.clone());
                    }
                    !hidden
                });
            }
            if let Some(Value::Array(required)) = map.get_mut("required") {
                required.retain(|name| name.as_str().is_none_or(|name| !dropped.contains(name)));
                if required.is_empty() {
                    map.remove("required");
                }
            }
            map.values_mut().for_each(remove_hidden);
        }
        Value::Array(values) => values.iter_mut().for_each(remove_hidden),
        _ => {}
    }
}

/// Estimates how many bytes a value takes.
pub(crate) fn estimated_bytes(value: &Value) -> usize {
    let inner = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| key.len() + estimated_bytes(value))
            .sum(),
        Value::Array(values) => values.iter().map(estimated_bytes).sum(),
        Value::String(text) => text.len(),
        _ => 0,
    };
    32 + inner
}
