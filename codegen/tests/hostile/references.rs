//! References that do not resolve, are circular, or expand exponentially.

use serde_json::{Map, Value, json};

use crate::{
    common::iam,
    harness::{self, guarded, put, vendored},
};

const INVITATION: &str = "/components/schemas/iam.v2.Invitation/properties";
const LIST: &str = "/paths/~1iam~1v2~1invitations/get";

/// The vendored document with `value` at `pointer`, and these schemas besides.
fn with(pointer: &str, value: Value, schemas: Value) -> Value {
    let mut document = vendored(iam());
    put(&mut document, pointer, value);
    if let (Some(known), Value::Object(schemas)) =
        (document["components"]["schemas"].as_object_mut(), schemas)
    {
        known.extend(schemas);
    }
    document
}

/// Checks in both dialects that the result is a clear error or a client.
fn assert_sound(what: &str, document: Value) -> Vec<bool> {
    let dialects = ["3.0.3", "3.1.0"].into_iter();
    let run = |version: &str| {
        let mut document = document.clone();
        document["openapi"] = json!(version);
        let label = format!("{what}, {version}");
        guarded(&label, move || {
            harness::assert_sound(document.to_string().as_bytes(), iam()).is_ok()
        })
    };
    dialects.map(run).collect()
}

fn refused(what: &str, document: Value) {
    assert_eq!(
        assert_sound(what, document),
        [false, false],
        "{what} was accepted"
    );
}

fn accepted(what: &str, document: Value) {
    assert_eq!(
        assert_sound(what, document),
        [true, true],
        "{what} was refused"
    );
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Circles of schemas, entered at `A`.
fn circles() -> Vec<(&'static str, Value)> {
    let a = || reference("A");
    let b = || reference("B");
    vec![
        ("direct", json!({ "A": a() })),
        ("mutual", json!({ "A": b(), "B": a() })),
        ("through allOf", json!({ "A": { "allOf": [a()] } })),
        (
            "through allOf, mutual",
            json!({ "A": { "allOf": [b()] }, "B": { "allOf": [{ "type": "string" }, a()] } }),
        ),
        (
            "through oneOf",
            json!({ "A": { "oneOf": [a(), { "type": "string" }] } }),
        ),
        ("through anyOf alone", json!({ "A": { "anyOf": [a()] } })),
        (
            "through not",
            json!({ "A": { "type": "string", "not": a() } }),
        ),
        (
            "through a property",
            json!({ "A": { "type": "string", "properties": { "a": a() } } }),
        ),
        (
            "through items",
            json!({ "A": { "type": "string", "items": { "items": a() } } }),
        ),
        (
            "through additionalProperties",
            json!({ "A": { "additionalProperties": a() } }),
        ),
        (
            "beside a reference",
            json!({ "A": { "$ref": "#/components/schemas/B", "properties": { "a": a() } }, "B": { "$ref": "#/components/schemas/A", "items": b() } }),
        ),
        (
            "into a part of itself",
            json!({ "A": { "properties": { "a": { "$ref": "#/components/schemas/A/properties/a/properties/a" } } } }),
        ),
    ]
}

#[test]
fn circles_of_schemas_end() {
    for (what, schemas) in circles() {
        let essential = with(
            &format!("{INVITATION}/email"),
            reference("A"),
            schemas.clone(),
        );
        assert_sound(&format!("{what}, where the library reads"), essential);
        let unknown = with(&format!("{INVITATION}/unknown"), reference("A"), schemas);
        accepted(&format!("{what}, where it does not"), unknown);
    }
}

#[test]
fn a_circle_without_a_value_is_refused_where_it_is_read() {
    for (what, schemas) in circles().into_iter().take(4) {
        let document = with(&format!("{INVITATION}/email"), reference("A"), schemas);
        refused(what, document);
    }
}

#[test]
fn circles_of_other_components_end() {
    let circle = |map: &str| {
        let mut document = vendored(iam());
        let to = |name: &str| json!({ "$ref": format!("#/components/{map}/{name}") });
        document["components"][map]["A"] = to("B");
        document["components"][map]["B"] = to("A");
        (document, to("A"))
    };
    for (map, pointer) in [
        ("parameters", format!("{LIST}/parameters/4")),
        ("responses", format!("{LIST}/responses/200")),
        (
            "requestBodies",
            "/paths/~1iam~1v2~1invitations/post/requestBody".to_owned(),
        ),
        ("pathItems", "/paths/~1iam~1v2~1invitations".to_owned()),
    ] {
        let (mut document, to) = circle(map);
        put(&mut document, &pointer, to);
        refused(map, document);
    }
    for (map, pointer) in [
        ("responses", format!("{LIST}/responses/400")),
        (
            "headers",
            format!("{LIST}/responses/200/headers/X-Request-Id"),
        ),
        (
            "securitySchemes",
            "/components/securitySchemes/cloud-api-key".to_owned(),
        ),
    ] {
        let (mut document, to) = circle(map);
        put(&mut document, &pointer, to);
        accepted(map, document);
    }
    let mut document = vendored(iam());
    put(
        &mut document,
        "/paths/~1iam~1v2~1invitations",
        json!({ "$ref": "#/paths/~1iam~1v2~1invitations" }),
    );
    refused("a path item that is itself", document);
}

#[test]
fn references_out_of_the_document_are_refused_where_read() {
    for target in [
        "https://example.com/schema.json",
        "file:///etc/passwd",
        "../other.yaml#/Email",
        "other.yaml",
        "",
        "#anchor",
        "#/components/schemas/Nowhere",
        "#/components/schemas/%",
        "#/components/schemas/%zz",
        "#/components/schemas/%FF%FE",
        "#/components/schemas/é%C3",
        "#//",
        "#/paths/0",
        "\u{0}\u{202e}\u{1b}[31m",
    ] {
        let schema = json!({ "$ref": target });
        let essential = with(&format!("{INVITATION}/email"), schema.clone(), json!({}));
        refused(target, essential);
        let unknown = with(&format!("{INVITATION}/unknown"), schema, json!({}));
        accepted(target, unknown);
        let success = with(
            &format!("{LIST}/responses/200"),
            json!({ "$ref": target }),
            json!({}),
        );
        refused(target, success);
        // An unresolved parameter may be required.
        let parameter = with(
            &format!("{LIST}/parameters/0"),
            json!({ "$ref": target }),
            json!({}),
        );
        assert_sound(target, parameter);
    }
}

#[test]
fn a_reference_to_the_whole_document_ends() {
    for pointer in [
        format!("{INVITATION}/email"),
        format!("{INVITATION}/unknown"),
    ] {
        assert_sound("#", with(&pointer, json!({ "$ref": "#" }), json!({})));
        assert_sound(
            "#/paths",
            with(&pointer, json!({ "$ref": "#/paths" }), json!({})),
        );
    }
    assert_sound(
        "as a response",
        with(
            &format!("{LIST}/responses/200"),
            json!({ "$ref": "#" }),
            json!({}),
        ),
    );
}

/// Wraps a schema in another one.
type Wrap = fn(Value) -> Value;

/// `S0` to `S40`, each of which refers to the next one twice.
fn doubling(schema: Wrap) -> Value {
    let mut schemas = Map::new();
    for level in 0..40 {
        let next = reference(&format!("S{}", level + 1));
        schemas.insert(format!("S{level}"), schema(next));
    }
    schemas.insert("S40".to_owned(), json!({ "type": "string" }));
    Value::Object(schemas)
}

#[test]
fn schemas_that_double_at_each_level_are_refused() {
    let cases: [(&str, Wrap); 6] = [
        (
            "properties",
            |next| json!({ "properties": { "a": next, "b": next } }),
        ),
        ("allOf", |next| json!({ "allOf": [next, next] })),
        ("oneOf", |next| json!({ "oneOf": [next, next] })),
        (
            "items and additionalProperties",
            |next| json!({ "items": next, "additionalProperties": next }),
        ),
        (
            "a reference and what is beside it",
            |next| json!({ "$ref": next["$ref"], "allOf": [next, next] }),
        ),
        (
            "property names of a kilobyte",
            |next| json!({ "properties": { "a".repeat(1024): next, "b".repeat(1024): next } }),
        ),
    ];
    for (what, schema) in cases {
        let document = with(
            &format!("{INVITATION}/unknown"),
            reference("S0"),
            doubling(schema),
        );
        assert_sound(what, document);
    }
}

#[test]
fn chains_of_ten_thousand_references_end() {
    let chain = |schema: Wrap| {
        let mut schemas = Map::new();
        for level in 0..10_000 {
            let next = reference(&format!("S{}", level + 1));
            schemas.insert(format!("S{level}"), schema(next));
        }
        schemas.insert("S10000".to_owned(), json!({ "type": "string" }));
        Value::Object(schemas)
    };
    let cases: [(&str, Wrap); 4] = [
        ("references", |next| next),
        ("allOf", |next| json!({ "allOf": [next] })),
        (
            "anyOf",
            |next| json!({ "anyOf": [next, { "type": "null" }] }),
        ),
        (
            "properties",
            |next| json!({ "properties": { "next": next } }),
        ),
    ];
    for (what, schema) in cases {
        let document = with(
            &format!("{INVITATION}/unknown"),
            reference("S0"),
            chain(schema),
        );
        accepted(what, document);
    }
}
