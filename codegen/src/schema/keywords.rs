//! Normalises single keywords, each to one form.

use serde_json::{Map, Value, json};

/// Keywords that do not restrict values.
pub(super) const ANNOTATIONS: [&str; 12] = [
    "$ref",
    "description",
    "title",
    "example",
    "examples",
    "externalDocs",
    "xml",
    "$comment",
    "$id",
    "$anchor",
    "$schema",
    "$defs",
];

/// Keywords whose value is a schema of another value.
pub(super) const SCHEMA: [&str; 10] = [
    "items",
    "additionalProperties",
    "not",
    "contains",
    "propertyNames",
    "if",
    "then",
    "else",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Keywords whose value is a list or a map of such schemas.
pub(super) const SCHEMA_COLLECTIONS: [&str; 3] =
    ["prefixItems", "patternProperties", "dependentSchemas"];

/// Keywords whose schemas apply to the same value.
pub(super) const COMBINATORS: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// Whether the value of the keyword contains schemas.
pub(super) fn holds_schemas(keyword: &str) -> bool {
    keyword == "properties"
        || SCHEMA.contains(&keyword)
        || SCHEMA_COLLECTIONS.contains(&keyword)
        || COMBINATORS.contains(&keyword)
}

/// Inserts `type`. Null becomes `nullable`, and a list of one type becomes that type.
pub(super) fn insert_types(value: &Value, schema: &mut Map<String, Value>) {
    let Value::Array(types) = value else {
        schema.insert("type".to_owned(), value.clone());
        return;
    };
    let mut types: Vec<&Value> = types.iter().collect();
    if types.iter().any(|name| *name == "null") {
        schema.insert("nullable".to_owned(), json!(true));
        types.retain(|name| *name != "null");
    }
    match types.as_slice() {
        [] => {}
        [one] => drop(schema.insert("type".to_owned(), (*one).clone())),
        _ => drop(schema.insert("type".to_owned(), sorted_set(&json!(types)))),
    }
}

/// Inserts `enum`. Null becomes `nullable`.
pub(super) fn insert_enum(values: &[Value], schema: &mut Map<String, Value>) {
    let others: Vec<Value> = values
        .iter()
        .filter(|value| !value.is_null())
        .map(normalize_numbers)
        .collect();
    if others.len() < values.len() {
        schema.insert("nullable".to_owned(), json!(true));
    }
    schema.insert("enum".to_owned(), sorted_set(&Value::Array(others)));
}

/// Inserts `minimum` and `maximum`. In 3.1 an exclusive bound is a keyword of its own, in 3.0 a flag beside the bound.
pub(super) fn insert_bounds(node: &Map<String, Value>, schema: &mut Map<String, Value>) {
    for (bound, exclusive, sign) in [
        ("minimum", "exclusiveMinimum", 1.0),
        ("maximum", "exclusiveMaximum", -1.0),
    ] {
        let inclusive = node.get(bound).filter(|value| !value.is_null());
        let number = |value: &Value| value.as_f64().map(|number| number * sign);
        let (kept, is_exclusive) = match node.get(exclusive) {
            Some(own) if own.is_number() => {
                let tighter = inclusive.is_none_or(|other| number(own) >= number(other));
                (if tighter { Some(own) } else { inclusive }, tighter)
            }
            flag => (inclusive, flag == Some(&json!(true))),
        };
        schema.extend(kept.map(|value| (bound.to_owned(), normalize_numbers(value))));
        if is_exclusive {
            schema.insert(exclusive.to_owned(), json!(true));
        }
    }
}

/// Returns a union as a schema; a union that only lists types becomes a list of types.
pub(super) fn union(keyword: &str, branches: Vec<Value>) -> Option<Map<String, Value>> {
    let Value::Array(mut branches) = sorted_set(&Value::Array(branches)) else {
        return None;
    };
    let only_type = |branch: &Value| {
        branch.as_object().is_some_and(|map| map.len() == 1) && branch["type"].is_string()
    };
    match branches.as_slice() {
        [] => None,
        [_] => branches.pop().map(into_map),
        many if keyword == "anyOf" && many.iter().all(only_type) => {
            let types = many.iter().map(|branch| branch["type"].clone()).collect();
            Some(into_map(json!({ "type": sorted_set(&types) })))
        }
        _ => Some(into_map(json!({ keyword: branches }))),
    }
}

/// Keeps the property name only, because the mapping contains names of schemas.
pub(super) fn discriminator(value: &Value) -> Value {
    json!({ "propertyName": value["propertyName"] })
}

pub(super) fn infer_type(schema: &mut Map<String, Value>) {
    if schema.contains_key("type") {
        return;
    }
    let has = |keyword: &str| schema.contains_key(keyword);
    let all_strings = schema.get("enum").is_some_and(|values| {
        !as_list(values).is_empty() && as_list(values).iter().all(Value::is_string)
    });
    let inferred = if has("properties") || has("required") || has("additionalProperties") {
        "object"
    } else if has("items") {
        "array"
    } else if all_strings {
        "string"
    } else {
        return;
    };
    schema.insert("type".to_owned(), json!(inferred));
}

/// Writes whole numbers without a fraction (`100.0` as `100`), at any depth.
pub(super) fn normalize_numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => match value.as_f64() {
            Some(number) if number.fract() == 0.0 && number.abs() < 9e15 => json!(number as i64),
            _ => value.clone(),
        },
        Value::Array(values) => values.iter().map(normalize_numbers).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), normalize_numbers(value)))
            .collect(),
        _ => value.clone(),
    }
}

/// Sorts the values of a set and removes duplicates.
pub(super) fn sorted_set(value: &Value) -> Value {
    let mut values = as_list(value).to_vec();
    values.sort_by_cached_key(Value::to_string);
    values.dedup();
    Value::Array(values)
}

pub(super) fn as_list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn into_map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
