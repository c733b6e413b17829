//! Transformations that mean nothing, none of which may be taken for a change.

mod layout;
mod references;
mod spelling;
mod writing;

use org_invitations_codegen::{Api, Document, Surface, diff, generate};
use serde_json::{Map, Value, json};

use crate::{
    navigator::find,
    specimens::{parsed, specimens},
};

/// What a transformation makes of a document: another value, or another text.
pub enum Made {
    Value(Value),
    Text(String),
}

/// A transformation and what it is called.
pub type Transformation = (&'static str, fn(&Value, &Api) -> Made);

/// Every transformation.
pub fn transformations() -> Vec<Transformation> {
    [
        &writing::TRANSFORMATIONS[..],
        &references::TRANSFORMATIONS[..],
        &layout::TRANSFORMATIONS[..],
        &spelling::TRANSFORMATIONS[..],
    ]
    .concat()
}

/// Applies every transformation to every document of `api`, as it is and with more in it than the
/// vendors use, and fails with all that was taken for a change.
pub fn run(api: &'static Api) {
    let mut cases = 0;
    let mut alarms = Vec::new();
    let transformations = transformations();
    let specimens = specimens(api);
    for specimen in &specimens {
        let richer = enriched(&specimen.value, api);
        for (variant, value) in [("as it is", &specimen.value), ("enriched", &richer)] {
            let before = parsed("before", value);
            let surface = Surface::new(&before, api).unwrap();
            let client = generate(&before, api).unwrap();
            for (what, transform) in &transformations {
                cases += 1;
                let alarm = alarm(&surface, &client, transform(value, api), api);
                let told = |alarm| format!("{what}, {}, {variant}: {alarm}", specimen.name);
                alarms.extend(alarm.map(told));
            }
        }
    }
    eprintln!(
        "{}: {} transformations of {} documents in 2 variants make {cases} cases; {} false alarms",
        api.title,
        transformations.len(),
        specimens.len(),
        alarms.len(),
    );
    assert!(alarms.is_empty(), "false alarms:\n{}", alarms.join("\n"));
}

fn alarm(before: &Surface, client: &str, made: Made, api: &Api) -> Option<String> {
    let text = match made {
        Made::Value(value) => value.to_string(),
        Made::Text(text) => text,
    };
    let after = Document::parse("after", text.as_bytes());
    let after = match after.and_then(|after| Surface::new(&after, api).map(|it| (after, it))) {
        Ok(after) => after,
        Err(report) => return Some(report.to_string()),
    };
    let forth = diff(before, &after.1, api);
    let back = diff(&after.1, before, api);
    for (direction, findings) in [("", forth), (", on the way back", back)] {
        if let Some(first) = findings.first() {
            let count = findings.len();
            let (pointer, message) = (&first.pointer, &first.message);
            let (before, after) = (&first.before, &first.after);
            return Some(format!(
                "{count} findings{direction}, the first of them at {pointer}: {message}\
                 \n    {before}\n    {after}"
            ));
        }
    }
    match generate(&after.0, api) {
        Ok(text) if text == client => None,
        Ok(_) => Some("another client was generated".to_owned()),
        Err(report) => Some(report.to_string()),
    }
}

/// The document with properties in a response that use what OpenAPI offers and the vendors do not.
pub fn enriched(document: &Value, api: &Api) -> Value {
    let address = match api.module {
        "confluent" => "getIamV2Invitation 200 @",
        "confluent_sts" => "exchangeStsV1OauthToken 200 @",
        _ => "invitationGet 200 .result @",
    };
    let mut document = document.clone();
    let place = find(&document, address).unwrap();
    let part = json!({ "$ref": "#/components/schemas/EnrichedPart" });
    let mut properties = json!({
        "xNullable": { "type": "string", "nullable": true, "description": "words" },
        "xNullablePart": { "nullable": true, "allOf": [part], "description": "words" },
        "xPart": { "allOf": [part], "description": "words", "deprecated": true },
        "xPlainPart": part,
        "xOnly": { "type": "string", "enum": ["only"] },
        "xAbove": { "type": "number", "minimum": 0, "exclusiveMinimum": true, "maximum": 9 },
        "xChoiceOrNull": { "type": "string", "nullable": true, "enum": ["b", "a", null] },
        "xAnything": {},
        "xClosed": { "type": "object", "additionalProperties": false, "properties": { "a": { "type": "string" } } },
        "xLabels": { "type": "object", "additionalProperties": { "type": "string", "nullable": true } },
        "xTags": { "type": "array", "items": { "type": "integer", "nullable": true, "example": 3 } },
        "xEither": { "oneOf": [{ "type": "string" }, part] },
        "xTree": { "$ref": "#/components/schemas/EnrichedTree" },
        "xSent": { "type": "string", "writeOnly": true },
        "xStamp": { "type": "string", "format": "date-time", "readOnly": true, "nullable": true },
        "xDefault": { "type": "integer", "default": 3, "multipleOf": 3 },
    });
    let schemas = json!({
        "EnrichedPart": {
            "type": "object",
            "required": ["b", "a"],
            "properties": { "a": { "type": "string" }, "b": { "type": "integer" }, "c": { "type": "boolean" } },
        },
        "EnrichedTree": {
            "type": "object",
            "properties": {
                "name": { "type": "string" },
                "children": { "type": "array", "items": { "$ref": "#/components/schemas/EnrichedTree" } },
            },
        },
    });
    if document["openapi"].as_str().unwrap().starts_with("3.1") {
        for property in properties.as_object_mut().unwrap().values_mut() {
            spelling::to_31(property);
        }
        properties["xPair"] = json!({ "type": "array", "prefixItems": [part, { "type": "string", "description": "words" }] });
        properties["xNamed"] = json!({ "type": "object", "patternProperties": { "^x": part } });
    }
    extend(
        &mut document,
        &format!("{}/properties", place.pointer),
        properties,
    );
    extend(&mut document, "/components/schemas", schemas);
    document
}

fn extend(document: &mut Value, pointer: &str, more: Value) {
    let map = document.pointer_mut(pointer).and_then(Value::as_object_mut);
    let (Some(map), Value::Object(more)) = (map, more) else {
        panic!("no {pointer}");
    };
    map.extend(more);
}

/// The map at `pointer`, made where there is none.
fn map_at<'a>(document: &'a mut Value, pointer: &str) -> &'a mut Map<String, Value> {
    let mut node = document;
    for token in pointer.split('/').skip(1) {
        if node.get(token).is_none() {
            node[token] = json!({});
        }
        node = &mut node[token];
    }
    node.as_object_mut().unwrap()
}

/// The items of the paths that have operations of `api`.
fn used_items<'a>(document: &'a mut Value, api: &Api) -> Vec<(String, &'a mut Value)> {
    let used = |item: &Value| {
        let methods = crate::navigator::METHODS.iter();
        let ids: Vec<&Value> = methods.map(|method| &item[method]["operationId"]).collect();
        api.operations
            .iter()
            .any(|operation| ids.iter().any(|id| **id == operation.id))
    };
    let paths = document["paths"].as_object_mut().unwrap();
    let items = paths.iter_mut().filter(|(_, item)| used(item));
    items.map(|(path, item)| (path.clone(), item)).collect()
}
