//! Merging the parts of an `allOf`: a value has to satisfy both.

use std::{cmp::Ordering, collections::HashSet};

use serde_json::{Map, Value, json};

/// Merges two parts into the schema that both describe together.
///
/// Keywords that contradict each other, or that have no merged form, stay under `allOf`. This is an error only
/// where the library reads that value.
pub(super) fn merge(
    mut left: Map<String, Value>,
    mut right: Map<String, Value>,
) -> Map<String, Value> {
    if left.is_empty() {
        return right;
    }
    if right.is_empty() {
        return left;
    }
    let nullable = both_allow_null(&left, &right);
    left.remove("nullable");
    intersect_bounds(&mut left, &mut right);
    let mut rest = Vec::new();
    for part in [&mut left, &mut right] {
        if let Some(Value::Array(parts)) = part.remove("allOf") {
            rest.extend(parts);
        }
    }
    let mut conflicts = Map::new();
    for (keyword, theirs) in right {
        let Some(ours) = left.remove(&keyword) else {
            if keyword != "nullable" {
                left.insert(keyword, theirs);
            }
            continue;
        };
        match combine(&keyword, ours, theirs) {
            Ok(both) => drop(left.insert(keyword, both)),
            Err((ours, theirs)) => {
                left.insert(keyword.clone(), ours);
                conflicts.insert(keyword, theirs);
            }
        }
    }
    if nullable {
        left.insert("nullable".to_owned(), json!(true));
    }
    if !conflicts.is_empty() {
        rest.push(Value::Object(conflicts));
    }
    if !rest.is_empty() {
        left.insert("allOf".to_owned(), Value::Array(rest));
    }
    left
}

/// Keeps the tighter of two bounds, with its `exclusive` flag, and removes the other one.
fn intersect_bounds(left: &mut Map<String, Value>, right: &mut Map<String, Value>) {
    for (bound, exclusive, sign) in [
        ("minimum", "exclusiveMinimum", 1.0),
        ("maximum", "exclusiveMaximum", -1.0),
    ] {
        let number = |part: &Map<String, Value>| Some(part.get(bound)?.as_f64()? * sign);
        let (Some(ours), Some(theirs)) = (number(left), number(right)) else {
            continue;
        };
        let looser = match ours.partial_cmp(&theirs) {
            Some(Ordering::Greater) => &mut *right,
            Some(Ordering::Less) => &mut *left,
            _ => continue,
        };
        looser.remove(bound);
        looser.remove(exclusive);
    }
}

/// Whether both parts allow null. A part without a type does not restrict null.
fn both_allow_null(left: &Map<String, Value>, right: &Map<String, Value>) -> bool {
    let allows = |part: &Map<String, Value>| {
        let says_so = part.get("nullable") == Some(&json!(true));
        if part.contains_key("type") {
            Some(says_so)
        } else {
            says_so.then_some(true)
        }
    };
    match (allows(left), allows(right)) {
        (Some(left), Some(right)) => left && right,
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => false,
    }
}

fn combine(keyword: &str, ours: Value, theirs: Value) -> Result<Value, (Value, Value)> {
    if ours == theirs {
        return Ok(ours);
    }
    let number = |value: &Value| value.as_f64();
    match (keyword, ours, theirs) {
        ("properties" | "patternProperties", Value::Object(mut ours), Value::Object(theirs)) => {
            for (name, theirs) in theirs {
                let both = match (ours.remove(&name), theirs) {
                    (Some(Value::Object(ours)), Value::Object(theirs)) => {
                        Value::Object(merge(ours, theirs))
                    }
                    (_, theirs) => theirs,
                };
                ours.insert(name, both);
            }
            Ok(Value::Object(ours))
        }
        ("items" | "additionalProperties", Value::Object(ours), Value::Object(theirs)) => {
            Ok(Value::Object(merge(ours, theirs)))
        }
        ("additionalProperties", Value::Bool(false), _)
        | ("additionalProperties", _, Value::Bool(false)) => Ok(json!(false)),
        ("required" | "x-extensible-enum", Value::Array(ours), Value::Array(theirs)) => {
            let mut both = [ours, theirs].concat();
            both.sort_by_cached_key(Value::to_string);
            both.dedup();
            Ok(Value::Array(both))
        }
        ("enum", Value::Array(ours), Value::Array(theirs)) => {
            let theirs: HashSet<String> = theirs.iter().map(Value::to_string).collect();
            let both = ours.into_iter();
            Ok(both
                .filter(|value| theirs.contains(&value.to_string()))
                .collect())
        }
        ("type", ours, theirs) if ours == "integer" && theirs == "number" => Ok(ours),
        ("type", ours, theirs) if ours == "number" && theirs == "integer" => Ok(theirs),
        ("minLength" | "minItems" | "minProperties", ours, theirs) => {
            Ok(if number(&theirs) > number(&ours) {
                theirs
            } else {
                ours
            })
        }
        ("maxLength" | "maxItems" | "maxProperties", ours, theirs) => {
            Ok(if number(&theirs) < number(&ours) {
                theirs
            } else {
                ours
            })
        }
        // The outer schema is merged last, and its default overrides the others.
        ("default", _, theirs) => Ok(theirs),
        (_, ours, theirs) => Err((ours, theirs)),
    }
}
