//! Changes that are easily misclassified, in minimal documents.

#[path = "../../codegen/tests/common/mod.rs"]
mod common;

use common::clickhouse_cloud;
use org_invitations_codegen::{Surface, check};
use org_invitations_spec_diff::{
    Class::{Additive, Breaking, Cosmetic},
    Finding, diff,
};
use serde_json::{Value, json};

const PATH: &str = "/v1/organizations/{organizationId}/invitations";

/// A document of one operation, with one schema for each item of its list.
fn document(version: &str, item: Value) -> Value {
    json!({
        "openapi": version,
        "servers": [{ "url": "https://one.example" }],
        "paths": { PATH: { "get": {
            "operationId": "invitationGetList",
            "parameters": [{ "in": "path", "name": "organizationId", "required": true, "schema": { "type": "string" } }],
            "responses": { "200": { "content": { "application/json": { "schema": { "type": "array", "items": item } } } } },
        } } },
    })
}

fn plain() -> Value {
    document(
        "3.0.3",
        json!({ "type": "object", "properties": { "id": { "type": "string" } } }),
    )
}

fn changed(change: impl FnOnce(&mut Value)) -> Value {
    let mut document = plain();
    change(&mut document);
    document
}

fn operation(document: &mut Value) -> &mut Value {
    &mut document["paths"][PATH]["get"]
}

fn surface(document: &Value) -> Surface {
    clickhouse_cloud()
        .surface(&common::parsed("spec.json", document))
        .unwrap()
}

fn findings(old: &Value, new: &Value) -> Vec<Finding> {
    diff(&surface(old), &surface(new), &clickhouse_cloud().api)
}

#[track_caller]
fn assert_same(old: &Value, new: &Value) {
    assert_eq!(findings(old, new), []);
    assert_eq!(findings(new, old), []);
}

#[track_caller]
fn assert_one(old: &Value, new: &Value, class: org_invitations_spec_diff::Class, pointer: &str) {
    let found = findings(old, new);
    let seen: Vec<_> = found
        .iter()
        .map(|it| (it.class, it.pointer.as_str()))
        .collect();
    assert_eq!(seen, [(class, pointer)], "{found:?}");
}

#[test]
fn another_server_beside_the_used_one_is_additive() {
    let both = |urls: [&str; 2]| {
        changed(|document| {
            document["servers"] = urls.iter().map(|url| json!({ "url": url })).collect()
        })
    };
    let first = both(["https://one.example", "https://two.example"]);
    let last = both(["https://two.example", "https://one.example"]);
    assert_same(&first, &last);
    assert_one(&plain(), &last, Additive, "/servers/0/url");
    assert_one(&first, &plain(), Cosmetic, "/servers/1/url");
    let moved = changed(|document| document["servers"][0]["url"] = json!("https://two.example"));
    assert_one(&plain(), &moved, Breaking, "/servers/0/url");
}

#[test]
fn variables_of_a_server_are_resolved() {
    let spelt = |default: &str| {
        changed(|document| {
            document["servers"] = json!([{
                "url": "https://{name}.example/", "variables": { "name": { "default": default } },
            }]);
        })
    };
    assert_same(&plain(), &spelt("one"));
    assert_one(&spelt("one"), &spelt("two"), Breaking, "/servers/0/url");
}

#[test]
fn overriding_servers_that_are_equal_are_no_change() {
    let repeated = changed(|document| {
        operation(document)["servers"] = json!([{ "url": "https://one.example/" }]);
    });
    assert_same(&plain(), &repeated);
}

#[test]
fn schemes_of_one_kind_are_distinguished_by_definition() {
    let flows = |url: &str| json!({ "type": "oauth2", "flows": { "clientCredentials": { "tokenUrl": url, "scopes": { "read": "words" } } } });
    let with = |one: &str, other: &str, required: &[&str]| {
        changed(|document| {
            document["components"]["securitySchemes"] =
                json!({ one: flows("https://one.example"), other: flows("https://other.example") });
            operation(document)["security"] =
                required.iter().map(|name| json!({ *name: [] })).collect();
        })
    };
    let both = with("a", "b", &["a", "b"]);
    assert_same(&both, &with("z", "b", &["b", "z"]));
    let one = with("a", "b", &["a"]);
    let gone = &findings(&both, &one)[..];
    assert!(
        matches!(gone, [finding] if finding.class == Breaking),
        "{gone:?}"
    );
    let other = with("a", "b", &["b"]);
    assert!(
        findings(&one, &other)
            .iter()
            .any(|finding| finding.class == Breaking)
    );
}

#[test]
fn descriptions_of_scopes_and_bearer_formats_are_cosmetic() {
    let with = |scheme: Value| {
        changed(|document| {
            document["components"]["securitySchemes"]["key"] = scheme;
            operation(document)["security"] = json!([{ "key": [] }]);
        })
    };
    let flows = |words: &str| json!({ "type": "oauth2", "flows": { "implicit": { "authorizationUrl": "https://a.example", "scopes": { "read": words } } } });
    assert_same(&with(flows("words")), &with(flows("other words")));
    assert_one(
        &with(json!({ "type": "http", "scheme": "bearer" })),
        &with(json!({ "type": "http", "scheme": "Bearer", "bearerFormat": "JWT" })),
        Cosmetic,
        "/components/securitySchemes/key",
    );
}

#[test]
fn a_name_in_two_locations_is_two_parameters() {
    let with = |places: &[&str]| {
        changed(|document| {
            let parameters = operation(document)["parameters"].as_array_mut().unwrap();
            parameters.extend(places.iter().map(|place| {
                json!({ "in": place, "name": "filter", "required": *place == "header", "schema": { "type": "string" } })
            }));
        })
    };
    let pointer = format!("/paths/{}/get/parameters/2", PATH.replace('/', "~1"));
    assert_one(
        &with(&["query"]),
        &with(&["query", "header"]),
        Breaking,
        &pointer,
    );
    let moved = findings(&with(&["query"]), &with(&["header"]));
    assert!(
        moved
            .iter()
            .all(|finding| finding.message.contains("changed")),
        "{moved:?}"
    );
}

#[test]
fn two_changed_flags_of_a_parameter_are_two_findings() {
    let new = changed(|document| {
        operation(document)["parameters"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "in": "query", "name": "filter", "schema": { "type": "string" } }));
    });
    let mut flagged = new.clone();
    operation(&mut flagged)["parameters"][1]["required"] = json!(true);
    operation(&mut flagged)["parameters"][1]["deprecated"] = json!(true);
    let classes: Vec<_> = findings(&new, &flagged).iter().map(|it| it.class).collect();
    assert_eq!(classes, [Breaking, Cosmetic]);
}

#[test]
fn media_types_are_compared_without_case_and_charset() {
    let new = changed(|document| {
        let content = operation(document)["responses"]["200"]["content"]
            .as_object_mut()
            .unwrap();
        let body = content.remove("application/json").unwrap();
        content.insert("Application/JSON; charset=utf-8".to_owned(), body);
    });
    assert_same(&plain(), &new);
}

#[test]
fn a_schema_that_contains_itself_may_be_written_out_once() {
    let tree = || json!({ "type": "object", "properties": { "next": { "$ref": "#/components/schemas/Tree" } } });
    let with = |item: Value| {
        let mut document = document("3.0.3", item);
        document["components"]["schemas"]["Tree"] = tree();
        document
    };
    assert_same(
        &with(json!({ "$ref": "#/components/schemas/Tree" })),
        &with(tree()),
    );
    assert_same(
        &with(tree()),
        &with(json!({ "anyOf": [{ "allOf": [{ "$ref": "#/components/schemas/Tree" }] }] })),
    );
}

#[test]
fn names_of_schemas_in_a_discriminator_are_ignored() {
    let with = |name: &str| {
        let choice = json!({
            "oneOf": [{ "type": "object" }, { "type": "string" }],
            "discriminator": { "propertyName": "kind", "mapping": { "a": format!("#/components/schemas/{name}") } },
        });
        document("3.0.3", choice)
    };
    assert_same(&with("A"), &with("B"));
}

#[test]
fn additional_properties_are_compared() {
    let labels = |kind: &str| {
        document(
            "3.0.3",
            json!({ "type": "object", "properties": { "labels": {
            "type": "object", "additionalProperties": { "type": kind },
        } } }),
        )
    };
    let found = findings(&labels("string"), &labels("integer"));
    assert!(
        matches!(&found[..], [finding] if finding.class == Breaking),
        "{found:?}"
    );
}

#[test]
fn a_reference_that_is_not_a_string_is_a_change() {
    let new = document(
        "3.0.3",
        json!({ "type": "object", "properties": { "id": { "$ref": null } } }),
    );
    let old = document(
        "3.0.3",
        json!({ "type": "object", "properties": { "id": {} } }),
    );
    assert!(
        findings(&old, &new)
            .iter()
            .any(|finding| finding.class == Breaking)
    );
    assert!(check(&surface(&new), &clickhouse_cloud().api).is_err());
}

#[test]
fn a_second_success_is_an_addition() {
    let new = changed(|document| {
        let responses = &mut operation(document)["responses"];
        responses["202"] = responses["200"].clone();
    });
    let pointer = format!("/paths/{}/get/responses/202", PATH.replace('/', "~1"));
    assert_one(&plain(), &new, Additive, &pointer);
    assert_one(&new, &plain(), Cosmetic, &pointer);
}
