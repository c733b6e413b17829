//! A document that lacks what the library needs is refused with every place, and one that merely
//! offers less is not.

use org_invitations_codegen::{
    Api, Document, Report, Surface,
    api::{CLICKHOUSE, CONFLUENT, CONFLUENT_STS},
    check, generate,
};
use serde_json::{Value, json};

fn vendored(api: &Api) -> Value {
    let path = format!("{}/../specs/{}", env!("CARGO_MANIFEST_DIR"), api.document);
    let text = std::fs::read_to_string(path).unwrap();
    serde_norway::from_str(&text).unwrap()
}

fn report(api: &Api, document: &Value) -> Result<(), Report> {
    let document = Document::parse("spec.json", document.to_string().as_bytes())?;
    check(&Surface::new(&document, api)?, api)
}

/// The object at `pointer`, to take something out of it or put something in.
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
    for api in Api::ALL {
        assert_eq!(report(api, &vendored(api)), Ok(()), "{}", api.title);
    }
}

#[test]
fn every_mismatch_is_listed_with_place_expected_found_and_advice() {
    let mut document = vendored(&CONFLUENT);
    at(&mut document, CONFLUENT_INVITATION).remove("id");
    at(&mut document, &format!("{CONFLUENT_INVITATION}/email"))
        .insert("type".to_owned(), json!("integer"));
    at(&mut document, "/paths/~1iam~1v2~1invitations~1{id}").remove("delete");
    let report = report(&CONFLUENT, &document).unwrap_err();
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
    // Once each, though every operation but one meets them; a request is a need of its own.
    assert_eq!(report.problems.len(), 4, "{text}");
}

#[test]
fn what_the_library_can_do_without_is_not_offered() {
    let mut document = vendored(&CLICKHOUSE);
    at(
        &mut document,
        "/components/schemas/InvitationPostRequest/properties",
    )
    .remove("assignedRoleIds");
    at(&mut document, "/components/schemas/Invitation/properties").remove("assignedRoles");
    assert_eq!(report(&CLICKHOUSE, &document), Ok(()));
    let parsed = Document::parse("older.json", document.to_string().as_bytes()).unwrap();
    let client = generate(&parsed, &CLICKHOUSE).unwrap();
    assert!(client.contains("INVITATION_CREATE_ASSIGNED_ROLE_IDS: bool = false"));
    assert!(client.contains("INVITATION_CREATE_ROLE: bool = true"));
    // The facade compiles against the field all the same.
    assert!(client.contains("pub assigned_role_ids:"));
}

#[test]
fn what_the_library_does_not_know_does_no_harm() {
    let mut document = vendored(&CONFLUENT);
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
    assert_eq!(report(&CONFLUENT, &document), Ok(()));
}

#[test]
fn a_union_or_a_loop_where_the_library_reads_is_refused() {
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
        let mut document = vendored(&CONFLUENT);
        at(&mut document, CONFLUENT_INVITATION).insert("email".to_owned(), schema);
        let text = report(&CONFLUENT, &document).unwrap_err().to_string();
        assert!(text.contains(words), "no {words:?} in:\n{text}");
    }
    let mut document = vendored(&CONFLUENT);
    at(&mut document, CONFLUENT_INVITATION).insert(
        "user".to_owned(),
        json!({ "$ref": "#/components/schemas/iam.v2.Invitation" }),
    );
    let text = report(&CONFLUENT, &document).unwrap_err().to_string();
    assert!(text.contains("a schema that contains itself"), "{text}");
}

#[test]
fn what_the_server_would_newly_demand_is_refused() {
    let mut document = vendored(&CONFLUENT_STS);
    let schema = "/components/schemas/sts.v1.TokenExchangeRequest";
    at(&mut document, &format!("{schema}/properties"))
        .insert("tenant".to_owned(), json!({ "type": "string" }));
    at(&mut document, schema).insert("required".to_owned(), json!(["tenant"]));
    let text = report(&CONFLUENT_STS, &document).unwrap_err().to_string();
    assert!(
        text.contains("expected `tenant` not to be required in the request"),
        "{text}"
    );

    let mut document = vendored(&CLICKHOUSE);
    let list = at(
        &mut document,
        "/paths/~1v1~1organizations~1{organizationId}~1invitations/get",
    );
    list["parameters"].as_array_mut().unwrap().push(
        json!({ "in": "header", "name": "X-Tenant", "required": true, "schema": { "type": "string" } }),
    );
    let text = report(&CLICKHOUSE, &document).unwrap_err().to_string();
    assert!(
        text.contains("no further required parameter, found header `X-Tenant`"),
        "{text}"
    );
}

#[test]
fn documents_without_the_envelope_are_accepted() {
    let mut document = vendored(&CLICKHOUSE);
    let invitation = json!({ "$ref": "#/components/schemas/Invitation" });
    for item in document["paths"].as_object_mut().unwrap().values_mut() {
        for (method, operation) in item.as_object_mut().unwrap() {
            let id = operation["operationId"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let schema = match (method.as_str(), id.as_str()) {
                ("get", "invitationGetList") => json!({ "type": "array", "items": invitation }),
                ("get" | "post", _) => invitation.clone(),
                _ => continue,
            };
            operation["responses"]["200"] = json!({ "description": "", "content": { "application/json": { "schema": schema } } });
        }
    }
    assert_eq!(report(&CLICKHOUSE, &document), Ok(()));
}

#[test]
fn what_is_no_document_of_the_api_says_so() {
    for (bytes, words) in [
        (&b"{"[..], "expected a JSON document"),
        (b"a: [", "expected a YAML document"),
        (b"\xff\xfe", "expected UTF-8 text"),
        (b"", "found no `openapi` property"),
        (b"swagger: '2.0'", "`swagger: \"2.0\"`"),
        (
            b"openapi: 3.2.0",
            "expected OpenAPI 3.0 or 3.1, found `3.2.0`",
        ),
        (
            b"openapi: 3.0.0\npaths: {}",
            "the invitation operations of ClickHouse Cloud, found none",
        ),
        (
            b"openapi: 3.0.0",
            "the invitation operations of ClickHouse Cloud, found none",
        ),
    ] {
        let outcome = Document::parse("spec.yaml", bytes)
            .and_then(|document| Surface::new(&document, &CLICKHOUSE));
        let text = outcome.unwrap_err().to_string();
        assert!(text.contains(words), "no {words:?} in:\n{text}");
    }
    let missing = Document::read(std::path::Path::new("/no/such/file.json")).unwrap_err();
    assert!(
        missing.to_string().contains("/no/such/file.json"),
        "{missing}"
    );
}
