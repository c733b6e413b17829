//! A document that lacks required parts is refused with every mismatch, and one that lacks optional parts is accepted.

mod common;

use common::{Fixture, clickhouse_cloud, fixtures, iam, output::Output, sts};
use org_invitations_codegen::{Document, Report, check};
use serde_json::{Value, json};

fn report(fixture: &Fixture, document: &Value) -> Result<(), Report> {
    let document = Document::parse("spec.json", document.to_string().as_bytes())?;
    check(&fixture.surface(&document)?, &fixture.api)
}

/// The object at `pointer`, to be changed.
fn at<'a>(document: &'a mut Value, pointer: &str) -> &'a mut serde_json::Map<String, Value> {
    let place = document.pointer_mut(pointer);
    place
        .unwrap_or_else(|| panic!("no {pointer}"))
        .as_object_mut()
        .unwrap()
}

const CONFLUENT_INVITATION: &str = "/components/schemas/iam.v2.Invitation/properties";

#[test]
fn the_vendored_documents_have_what_the_library_needs() {
    for fixture in fixtures() {
        assert_eq!(report(fixture, &fixture.value), Ok(()), "{}", fixture.name);
    }
}

#[test]
fn every_mismatch_has_pointer_expected_found_and_advice() {
    let mut document = iam().value.clone();
    at(&mut document, CONFLUENT_INVITATION).remove("id");
    at(&mut document, &format!("{CONFLUENT_INVITATION}/email"))
        .insert("type".to_owned(), json!("integer"));
    at(&mut document, "/paths/~1iam~1v2~1invitations~1{id}").remove("delete");
    let report = report(iam(), &document).unwrap_err();
    let text = report.to_string();
    for expected in [
        "spec.json: ",
        "/components/schemas/iam.v2.Invitation/properties/email: expected a string for \
         `email` of Invitation, found integer;",
        "expected the property `id` of Invitation, found no such property;",
        "/paths: expected the operation `DELETE /iam/v2/invitations/{id}` (deleteIamV2Invitation), \
         found no such operation;",
        "build from a document that has it, or use a version of this library made for the new one",
    ] {
        assert!(text.contains(expected), "no {expected:?} in:\n{text}");
    }
    // Each mismatch is listed once, although several operations share it. The request is a requirement of its own.
    assert_eq!(report.diagnostics.len(), 4, "{text}");
}

#[test]
fn optional_parts_that_are_absent_are_not_offered() {
    let mut document = clickhouse_cloud().value.clone();
    at(
        &mut document,
        "/components/schemas/InvitationPostRequest/properties",
    )
    .remove("assignedRoleIds");
    at(&mut document, "/components/schemas/Invitation/properties").remove("assignedRoles");
    assert_eq!(report(clickhouse_cloud(), &document), Ok(()));
    let parsed = common::parsed("older.json", &document);
    let output = Output::new(&clickhouse_cloud().generate(&parsed).unwrap().rust);
    let offers = output.offers();
    assert!(!offers["NEW_INVITATION_ASSIGNED_ROLE_IDS"]);
    assert!(!offers["INVITATION_ASSIGNED_ROLES"]);
    assert!(offers["NEW_INVITATION_ROLE"]);
    // The facade compiles against the fields all the same.
    for (object, field) in [
        ("NewInvitation", "assigned_role_ids"),
        ("Invitation", "assigned_roles"),
    ] {
        let field = output.field(object, field);
        assert!(field.docs.contains("Not offered"), "{field:?}");
    }
}

#[test]
fn unknown_parts_do_no_harm() {
    let mut document = iam().value.clone();
    let properties = at(&mut document, CONFLUENT_INVITATION);
    properties.insert(
        "team".to_owned(),
        json!({ "oneOf": [{ "type": "string" }, { "type": "integer" }] }),
    );
    properties.insert(
        "parent".to_owned(),
        json!({ "$ref": "#/components/schemas/iam.v2.Invitation" }),
    );
    properties.insert(
        "elsewhere".to_owned(),
        json!({ "$ref": "https://example.com/schema.json" }),
    );
    let list = at(&mut document, "/paths/~1iam~1v2~1invitations/get");
    list["parameters"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "in": "query", "name": "order", "schema": { "type": "string" } }));
    assert_eq!(report(iam(), &document), Ok(()));
}

#[test]
fn a_union_or_recursion_where_it_is_read_is_refused() {
    for (schema, words) in [
        (
            json!({ "oneOf": [{ "type": "string" }, { "type": "integer" }] }),
            "a choice (`oneOf`)",
        ),
        (
            json!({ "$ref": "other.yaml#/Email" }),
            "does not resolve inside the document",
        ),
        (
            json!({ "$ref": "#/components/schemas/Nowhere" }),
            "does not resolve inside the document",
        ),
        (
            json!({ "allOf": [{ "type": "string" }, { "type": "integer" }] }),
            "contradict each other",
        ),
    ] {
        let mut document = iam().value.clone();
        at(&mut document, CONFLUENT_INVITATION).insert("email".to_owned(), schema);
        let text = report(iam(), &document).unwrap_err().to_string();
        assert!(text.contains(words), "no {words:?} in:\n{text}");
    }
    let mut document = iam().value.clone();
    at(&mut document, CONFLUENT_INVITATION).insert(
        "user".to_owned(),
        json!({ "$ref": "#/components/schemas/iam.v2.Invitation" }),
    );
    let text = report(iam(), &document).unwrap_err().to_string();
    assert!(text.contains("a schema that contains itself"), "{text}");
}

#[test]
fn new_required_parts_of_a_request_are_refused() {
    let mut document = sts().value.clone();
    let schema = "/components/schemas/sts.v1.TokenExchangeRequest";
    at(&mut document, &format!("{schema}/properties"))
        .insert("tenant".to_owned(), json!({ "type": "string" }));
    at(&mut document, schema).insert("required".to_owned(), json!(["tenant"]));
    let text = report(sts(), &document).unwrap_err().to_string();
    assert!(
        text.contains("expected `tenant` not to be required in the request"),
        "{text}"
    );

    let mut document = clickhouse_cloud().value.clone();
    let list = at(
        &mut document,
        "/paths/~1v1~1organizations~1{organizationId}~1invitations/get",
    );
    list["parameters"].as_array_mut().unwrap().push(
        json!({ "in": "header", "name": "X-Tenant", "required": true, "schema": { "type": "string" } }),
    );
    let text = report(clickhouse_cloud(), &document)
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("no further required parameter, found header `X-Tenant`"),
        "{text}"
    );
}

#[test]
fn documents_without_the_envelope_are_accepted() {
    let fixture = clickhouse_cloud();
    let mut document = fixture.value.clone();
    for item in document["paths"].as_object_mut().unwrap().values_mut() {
        let operations = item.as_object_mut().unwrap().values_mut();
        for operation in operations.filter(|it| it.get("responses").is_some()) {
            let schema =
                &mut operation["responses"]["200"]["content"]["application/json"]["schema"];
            let envelope = fixture
                .value
                .pointer(&schema["$ref"].as_str().unwrap()[1..])
                .unwrap();
            if let Some(result) = envelope["properties"].get("result") {
                *schema = result.clone();
            }
        }
    }
    assert!(!document["paths"].to_string().contains("InvitationReply"));
    assert_eq!(report(fixture, &document), Ok(()));
    let output = Output::new(
        &fixture
            .generate(&common::parsed("bare.json", &document))
            .unwrap()
            .rust,
    );
    assert_eq!(output.call("invitation_get").success, "InvitationResponse");
    assert_eq!(
        output.field("InvitationResponse", "result").of,
        "Option<Invitation>"
    );
    assert_eq!(
        output.field("InvitationListResponse", "result").of,
        "Option<Vec<Invitation>>"
    );
}

#[test]
fn a_document_of_another_api_is_refused() {
    for (bytes, words) in [
        (&b"{"[..], "expected a JSON document"),
        (b"a: [", "expected a YAML document"),
        (b"\xff\xfe", "expected UTF-8 text"),
        (b"", "found no `openapi` property"),
        (b"swagger: '2.0'", "`swagger: \"2.0\"`"),
        (
            b"openapi: 3.3.0",
            "expected OpenAPI 3.0, 3.1 or 3.2, found `3.3.0`",
        ),
        (
            b"openapi: 3.0.0\npaths: {}",
            "expected operations of ClickHouse Cloud, found none of them",
        ),
        (
            b"openapi: 3.0.0",
            "expected operations of ClickHouse Cloud, found none of them",
        ),
    ] {
        let outcome = Document::parse("spec.yaml", bytes)
            .and_then(|document| clickhouse_cloud().surface(&document));
        let text = outcome.unwrap_err().to_string();
        assert!(text.contains(words), "no {words:?} in:\n{text}");
    }
    let missing = Document::read(std::path::Path::new("/no/such/file.json")).unwrap_err();
    assert!(
        missing.to_string().contains("/no/such/file.json"),
        "{missing}"
    );
}

#[test]
fn every_variable_of_a_path_is_checked() {
    let path = "/v1/organizations/{a}/invitations/{b}";
    let variable = |name: &str, kind: &str| json!({ "in": "path", "name": name, "required": true, "schema": { "type": kind } });
    let document = json!({
        "openapi": "3.0.3",
        "paths": { path: { "delete": {
            "parameters": [variable("b", "integer"), variable("a", "string")],
            "responses": { "200": {} },
        } } },
    });
    let report = report(clickhouse_cloud(), &document)
        .unwrap_err()
        .to_string();
    assert!(
        report.contains("a string for parameter `invitationId`, found integer"),
        "{report}"
    );
    assert!(!report.contains("parameter `organizationId`"), "{report}");
}
