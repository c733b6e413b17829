//! Transformations to equivalent documents, none of which may count as a change.

mod layout;
mod references;
mod spelling;
mod writing;

use std::collections::{BTreeMap, BTreeSet};

use org_invitations_codegen::{Api, Document, Surface};
use org_invitations_spec_diff::diff;
use serde_json::{Map, Value, json};

use crate::{
    common::{Fixture, output::Output, parsed},
    navigator::find,
    samples::samples,
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

/// Applies every transformation to every document of an API, as it is and with more in it than the
/// vendors use, and fails with all that was taken for a change. Each transformation generates for one of them.
pub fn run(fixture: &'static Fixture) {
    let mut cases = 0;
    let mut alarms = Vec::new();
    let transformations = transformations();
    let samples = samples(fixture);
    let variants = samples.iter().flat_map(|sample| {
        let richer = enriched(&sample.value, fixture);
        [
            ("as it is", sample, sample.value.clone()),
            ("enriched", sample, richer),
        ]
    });
    let variants: Vec<_> = variants.collect();
    for (number, (variant, sample, value)) in variants.iter().enumerate() {
        let before = parsed("before", value);
        let surface = fixture.surface(&before).unwrap();
        let client = Client::new(fixture, &before).unwrap();
        for (index, (what, transform)) in transformations.iter().enumerate() {
            cases += 1;
            let made = transform(value, &fixture.api);
            let generates = index % variants.len() == number;
            let alarm = alarm(fixture, &surface, generates.then_some(&client), made);
            let labelled = |alarm| format!("{what}, {}, {variant}: {alarm}", sample.name);
            alarms.extend(alarm.map(labelled));
        }
    }
    eprintln!(
        "{}: {} transformations of {} documents in 2 variants make {cases} cases; {} false alarms",
        fixture.name,
        transformations.len(),
        samples.len(),
        alarms.len(),
    );
    assert!(alarms.is_empty(), "false alarms:\n{}", alarms.join("\n"));
}

fn alarm(
    fixture: &Fixture,
    before: &Surface,
    client: Option<&Client>,
    made: Made,
) -> Option<String> {
    let text = match made {
        Made::Value(value) => value.to_string(),
        Made::Text(text) => text,
    };
    let after = Document::parse("after", text.as_bytes());
    let after = match after.and_then(|after| fixture.surface(&after).map(|it| (after, it))) {
        Ok(after) => after,
        Err(report) => return Some(report.to_string()),
    };
    different(before, &after.1, &fixture.api).or_else(|| {
        let client = client?;
        match Client::new(fixture, &after.0) {
            Ok(other) => client.different(&other, &fixture.api),
            Err(report) => Some(report),
        }
    })
}

fn different(before: &Surface, after: &Surface, api: &Api) -> Option<String> {
    let forth = diff(before, after, api);
    let back = diff(after, before, api);
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
    None
}

/// What stays of a client, whatever its document calls things: all but the words and the names of types that
/// nobody pinned.
struct Client {
    /// The document that says the same, as a surface.
    surface: Surface,
    methods: BTreeMap<String, BTreeSet<String>>,
    /// The fields of the types that the tables pin, and their names on the wire.
    pinned: BTreeMap<String, BTreeMap<String, String>>,
    offers: BTreeMap<String, bool>,
}

impl Client {
    fn new(fixture: &Fixture, document: &Document) -> Result<Self, String> {
        let generated = fixture
            .generate(document)
            .map_err(|report| report.to_string())?;
        let output = Output::new(&generated.rust);
        let description: Value = serde_json::from_str(&fixture.bindings.description()).unwrap();
        let names = description["sources"][0]["names"]
            .as_array()
            .unwrap()
            .iter();
        let names: BTreeSet<&str> = names.map(|pin| pin["name"].as_str().unwrap()).collect();
        let lacking: Vec<_> = names
            .iter()
            .filter(|name| !output.types().contains(**name))
            .collect();
        if !lacking.is_empty() {
            return Err(format!("the client has no {lacking:?}"));
        }
        let objects = output
            .objects()
            .into_iter()
            .filter(|(name, _)| names.contains(name.as_str()));
        let fields = |fields: BTreeMap<_, crate::common::output::Field>| {
            fields
                .into_iter()
                .map(|(name, field)| (name, field.wire))
                .collect()
        };
        let calls = output.calls().into_iter();
        let lowered = parsed("lowered", &generated.document);
        Ok(Self {
            surface: fixture
                .surface(&lowered)
                .map_err(|report| report.to_string())?,
            methods: calls
                .map(|(name, call)| (name, call.setters.into_keys().collect()))
                .collect(),
            pinned: objects
                .map(|(name, object)| (name, fields(object.fields)))
                .collect(),
            offers: output.offers(),
        })
    }

    fn different(&self, other: &Self, api: &Api) -> Option<String> {
        if self.methods != other.methods {
            return Some(format!(
                "other methods: {:?}\n    {:?}",
                self.methods, other.methods
            ));
        }
        if self.pinned != other.pinned {
            return Some(format!(
                "other fields: {:?}\n    {:?}",
                self.pinned, other.pinned
            ));
        }
        if self.offers != other.offers {
            return Some(format!(
                "other offers: {:?}\n    {:?}",
                self.offers, other.offers
            ));
        }
        different(&self.surface, &other.surface, api).map(|what| format!("the client has {what}"))
    }
}

/// The document with properties in a response that use what OpenAPI offers and the vendors do not.
pub fn enriched(document: &Value, fixture: &Fixture) -> Value {
    let address = match fixture.name {
        "confluent-iam-v2" => "getIamV2Invitation 200 @",
        "confluent-apikeys-v2" => "getIamV2ApiKey 200 @",
        "confluent-mds-v2" => "getIamV2RoleBinding 200 @",
        "confluent-org-v2" => "getOrgV2Organization 200 @",
        "confluent-sts-v1" => "exchangeStsV1OauthToken 200 @",
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
            .any(|operation| ids.iter().any(|id| **id == operation.id.as_str()))
    };
    let paths = document["paths"].as_object_mut().unwrap();
    let items = paths.iter_mut().filter(|(_, item)| used(item));
    items.map(|(path, item)| (path.clone(), item)).collect()
}
