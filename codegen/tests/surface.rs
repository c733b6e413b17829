//! Equivalent documents have equal surfaces.

mod common;

use common::clickhouse_cloud;
use org_invitations_codegen::{Document, Surface};
use serde_json::{Value, json};

/// A small document of the API in which one property of the list's items is `schema`.
fn document(version: &str, schema: Value, components: Value) -> Value {
    let responses = json!({ "200": { "description": "", "content": { "application/json": { "schema": {
        "type": "array",
        "items": { "type": "object", "properties": { "field": schema } },
    } } } } });
    json!({
        "openapi": version,
        "paths": { "/v1/organizations/{id}/invitations": { "get": {
            "operationId": "invitationGetList",
            "responses": responses,
        } } },
        "components": { "schemas": components },
    })
}

fn surface(document: &Value) -> Surface {
    clickhouse_cloud()
        .surface(&common::parsed("spec.json", document))
        .unwrap()
}

/// The normalised schema of the property.
fn normal(version: &str, schema: Value, components: Value) -> Value {
    let surface = surface(&document(version, schema, components));
    let place = "/paths/~1v1~1organizations~1{id}~1invitations/get/responses/200/content\
                 /application~1json/schema/items/properties/field";
    surface.value().pointer(place).unwrap().clone()
}

#[track_caller]
fn assert_31_becomes(schema: Value, expected: Value) {
    assert_eq!(
        normal("3.1.0", schema.clone(), json!({})),
        expected,
        "{schema}"
    );
}

#[test]
fn the_dialect_of_31_becomes_that_of_30() {
    let nullable = json!({ "type": "string", "nullable": true });
    assert_31_becomes(json!({ "type": ["string", "null"] }), nullable.clone());
    assert_31_becomes(
        json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] }),
        nullable.clone(),
    );
    assert_31_becomes(
        json!({ "oneOf": [{ "type": "null" }, { "type": "string" }] }),
        nullable,
    );
    assert_31_becomes(
        json!({ "const": "a" }),
        json!({ "type": "string", "enum": ["a"] }),
    );
    assert_31_becomes(
        json!({ "type": "integer", "exclusiveMinimum": 3 }),
        json!({ "type": "integer", "minimum": 3, "exclusiveMinimum": true }),
    );
    // The tighter one of an inclusive and an exclusive bound is kept.
    for (maximum, exclusive, kept, is_exclusive) in
        [(9, 5, 5, true), (5, 9, 5, false), (5, 5, 5, true)]
    {
        let mut expected = json!({ "type": "number", "maximum": kept });
        if is_exclusive {
            expected["exclusiveMaximum"] = json!(true);
        }
        let schema = |parts: &[Value]| json!({ "type": "number", "allOf": parts });
        let both = json!({ "type": "number", "maximum": maximum, "exclusiveMaximum": exclusive });
        assert_31_becomes(both, expected.clone());
        let parts = [
            json!({ "maximum": maximum }),
            json!({ "exclusiveMaximum": exclusive }),
        ];
        assert_31_becomes(schema(&parts), expected);
    }
    assert_31_becomes(
        json!({ "type": "string", "enum": ["b", "a", null] }),
        json!({ "type": "string", "enum": ["a", "b"], "nullable": true }),
    );
    assert_31_becomes(
        json!({ "type": ["integer", "string"] }),
        json!({ "type": ["integer", "string"] }),
    );
    assert_31_becomes(json!(true), json!({}));
}

#[test]
fn keywords_beside_a_reference_count_in_31_only() {
    let components = json!({ "Name": { "type": "string" } });
    let schema = json!({ "$ref": "#/components/schemas/Name", "maxLength": 9 });
    let both = json!({ "type": "string", "maxLength": 9 });
    assert_eq!(normal("3.1.0", schema.clone(), components.clone()), both);
    assert_eq!(
        normal("3.0.3", schema, components),
        json!({ "type": "string" })
    );
}

#[test]
fn all_of_is_one_schema() {
    let components = json!({
        "Meta": {
            "properties": { "self": { "type": "string", "description": "a link" } },
            "required": ["self"],
        },
    });
    let schema = json!({ "allOf": [
        { "$ref": "#/components/schemas/Meta" },
        { "properties": { "self": { "example": "x" }, "age": { "type": "integer" } } },
    ] });
    let expected = json!({
        "type": "object",
        "properties": { "self": { "type": "string" }, "age": { "type": "integer" } },
        "required": ["self"],
    });
    assert_eq!(normal("3.0.3", schema, components), expected);
}

#[test]
fn null_beside_all_of_applies_to_the_whole() {
    let components = json!({ "Meta": { "type": "object" } });
    let schema = json!({ "nullable": true, "allOf": [{ "$ref": "#/components/schemas/Meta" }] });
    assert_eq!(
        normal("3.0.3", schema, components),
        json!({ "type": "object", "nullable": true })
    );
}

#[test]
fn descriptions_and_extensions_are_dropped_open_sets_kept() {
    let schema = json!({
        "type": "string", "description": "d", "title": "t", "example": "e", "x-foo": 1,
        "x-extensible-enum": ["B", "A"], "nullable": false,
    });
    let expected = json!({ "type": "string", "x-extensible-enum": ["A", "B"] });
    assert_eq!(normal("3.0.3", schema, json!({})), expected);
}

#[test]
fn properties_may_have_the_names_of_keywords() {
    let schema = json!({ "type": "object", "properties": {
        "title": { "type": "string" }, "example": { "type": "integer" }, "$ref": { "type": "string" },
    } });
    assert_eq!(normal("3.0.3", schema.clone(), json!({})), schema);
}

#[test]
fn a_hidden_property_is_left_out_wherever_it_is_marked() {
    let components = json!({ "Secret": { "type": "string", "writeOnly": true } });
    let schema = json!({
        "type": "object",
        "required": ["hidden", "shown"],
        "properties": {
            "hidden": { "allOf": [{ "$ref": "#/components/schemas/Secret" }, { "maxLength": 3 }] },
            "shown": { "type": "string", "readOnly": true },
        },
    });
    let expected = json!({
        "type": "object", "required": ["shown"], "properties": { "shown": { "type": "string" } },
    });
    assert_eq!(normal("3.0.3", schema, components), expected);
}

#[test]
fn a_hidden_union_of_one_is_left_out() {
    for keyword in ["anyOf", "oneOf", "allOf"] {
        let schema = json!({
            "type": "object",
            "properties": { "hidden": { keyword: [{ "type": "string", "writeOnly": true }] } },
        });
        let expected = json!({ "type": "object", "properties": {} });
        assert_eq!(normal("3.0.3", schema, json!({})), expected, "{keyword}");
    }
}

#[test]
fn whole_numbers_are_equal_with_and_without_a_fraction() {
    let schema = |one: Value, zero: Value| {
        json!({
            "type": "number", "minimum": zero, "multipleOf": one, "default": one, "enum": [one, zero],
        })
    };
    let plain = normal("3.0.3", schema(json!(1), json!(0)), json!({}));
    assert_eq!(
        normal("3.0.3", schema(json!(1.0), json!(0.0)), json!({})),
        plain
    );
}

#[test]
fn a_choice_between_types_is_a_list_of_types() {
    let choice =
        json!({ "anyOf": [{ "type": "string" }, { "type": "integer" }, { "type": "null" }] });
    let list = json!({ "type": ["string", "null", "integer"] });
    let expected = json!({ "type": ["integer", "string"], "nullable": true });
    assert_31_becomes(choice, expected.clone());
    assert_31_becomes(list, expected);
}

#[test]
fn parts_that_contradict_each_other_are_all_kept() {
    let parts = ["a", "b", "c"].map(|pattern| json!({ "type": "string", "pattern": pattern }));
    let expected = json!({
        "type": "string", "pattern": "a", "allOf": [{ "pattern": "b" }, { "pattern": "c" }],
    });
    assert_eq!(
        normal("3.0.3", json!({ "allOf": parts }), json!({})),
        expected
    );
}

#[test]
fn yaml_scalars_are_what_yaml_says() {
    let yaml = "
        [~, null, true, False, 1, -2, 0x1F, 1.50, 1e3, 007, 1.2.3, 'true', \"1\", !!str 5, yes, x: y, a b]
    ";
    let text = format!(
        "openapi: 3.0.3\npaths: {{/v1/organizations/{{a}}/invitations: {{get: {{responses: {{}}, operationId: {}}}}}}}",
        yaml.trim()
    );
    let text = text.replace("/{a}/", "/~a~/").replace(
        "/v1/organizations/~a~/invitations:",
        "\"/v1/organizations/{a}/invitations\":",
    );
    let document = Document::parse("spec.yaml", text.as_bytes()).unwrap();
    let surface = clickhouse_cloud().surface(&document).unwrap();
    let value = surface
        .value()
        .pointer("/paths/~1v1~1organizations~1{a}~1invitations/get/operationId");
    assert_eq!(
        value.unwrap(),
        &json!([
            null, null, true, false, 1, -2, 31, 1.5, 1000.0, "007", "1.2.3", "true", "1", "5", "yes",
            { "x": "y" }, "a b",
        ])
    );
}

#[test]
fn a_yaml_alias_is_expanded() {
    let text = "
openapi: 3.0.3
x-item: &item {type: object, properties: {id: &id {type: string}, other: *id}}
paths:
  /v1/organizations/{id}/invitations:
    get:
      operationId: invitationGetList
      responses: {200: {description: '', content: {application/json: {schema: {type: array, items: *item}}}}}
";
    let parsed = Document::parse("spec.yaml", text.as_bytes()).unwrap();
    let item = json!({ "properties": { "id": { "type": "string" }, "other": { "type": "string" } }, "type": "object" });
    let surface = clickhouse_cloud().surface(&parsed).unwrap();
    let place = "/paths/~1v1~1organizations~1{id}~1invitations/get/responses/200/content/application~1json/schema/items";
    assert_eq!(surface.value().pointer(place), Some(&item));
}

#[test]
fn recursion_ends() {
    let components = json!({ "Tree": {
        "type": "object",
        "properties": { "children": { "type": "array", "items": { "$ref": "#/components/schemas/Tree" } } },
    } });
    let tree = normal(
        "3.0.3",
        json!({ "$ref": "#/components/schemas/Tree" }),
        components,
    );
    assert!(
        tree["properties"]["children"]["items"]["x-recursion"].is_number(),
        "{tree}"
    );
}

#[test]
fn yaml_and_json_are_one_document() {
    let json = document("3.0.3", json!({ "type": "string" }), json!({}));
    let yaml = serde_norway::to_string(&json).unwrap();
    // Unquoted statuses are numbers in YAML and names in OpenAPI.
    let yaml = yaml.replace("'200':", "200:");
    assert!(yaml.contains(" 200:"), "{yaml}");
    let parsed = Document::parse("spec.yaml", yaml.as_bytes()).unwrap();
    let from_yaml = clickhouse_cloud().surface(&parsed).unwrap();
    assert_eq!(from_yaml.value(), surface(&json).value());
}
