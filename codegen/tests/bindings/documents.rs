//! Several documents: an operation is taken from the first that has it.

use org_invitations_codegen::{Bindings, Document, Source, Type};
use serde_json::{Value, json};

use crate::{
    common::{confluent, fixtures, output::Output, own_documents, parsed},
    small_documents::{document, object, of},
};

/// A document with these operations, each of which receives an object with one property, `from`.
fn operations(calls: &[(&str, &str)], from: &str) -> Document {
    let mut paths = json!({});
    for (method, path) in calls {
        let schema = object(json!({ from: { "type": "string" } }));
        let content = json!({ "application/json": { "schema": schema } });
        paths[*path][*method] = json!({
            "operationId": format!("{method}_{}", path.trim_start_matches('/').replace('/', "_")),
            "responses": { "200": { "description": "", "content": content } },
        });
    }
    parsed(from, &document("3.0.3", paths, json!({})))
}

fn source_of(output: &Output, method: &str) -> String {
    let fields = output.object(&output.call(method).success).fields;
    let mut names = fields.into_keys().filter(|name| name != "extra");
    names.next().unwrap()
}

#[test]
fn an_operation_is_taken_from_the_first_that_has_it() {
    let documents = [
        operations(&[("get", "/a")], "first"),
        operations(&[("get", "/a"), ("get", "/b")], "second"),
        operations(&[("get", "/b"), ("get", "/c")], "third"),
    ];
    let bindings =
        Bindings::new("api").source(Source::new("x").operations(["GET /a", "GET /b", "GET /c"]));
    let output = of(&bindings, &documents);
    let sources = ["get_a", "get_b", "get_c"].map(|method| source_of(&output, method));
    assert_eq!(sources, ["first", "second", "third"]);
    // Each operation of several documents occurs once.
    let output = of(
        &Bindings::new("api").source(Source::new("x").all()),
        &documents,
    );
    let sources = ["get_a", "get_b", "get_c"].map(|method| source_of(&output, method));
    assert_eq!(sources, ["first", "second", "third"]);
    assert_eq!(output.methods().len(), 3);
}

#[test]
fn every_method_of_a_path_may_be_in_another_document() {
    let documents = [
        operations(&[("get", "/a")], "first"),
        operations(&[("delete", "/a")], "second"),
    ];
    let bindings =
        Bindings::new("api").source(Source::new("x").operations(["GET /a", "DELETE /a"]));
    let output = of(&bindings, &documents);
    assert_eq!(source_of(&output, "get_a"), "first");
    assert_eq!(source_of(&output, "delete_a"), "second");
}

#[test]
fn components_of_one_name_in_two_documents_stay_apart() {
    let with_component = |path: &str, property: &str| {
        let content =
            json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } });
        let operation = json!({ "operationId": path[1..], "responses": { "200": { "description": "", "content": content } } });
        let schemas = json!({ "Error": object(json!({ property: { "type": "string" } })) });
        parsed(
            path,
            &document("3.0.3", json!({ path: { "get": operation } }), schemas),
        )
    };
    let bindings = Bindings::new("api").source(Source::new("x").all());
    let differing = of(
        &bindings,
        &[with_component("/a", "one"), with_component("/b", "two")],
    );
    assert_ne!(differing.call("a").success, differing.call("b").success);
    assert_eq!(
        (source_of(&differing, "a"), source_of(&differing, "b")),
        ("one".to_owned(), "two".to_owned())
    );
    let equal = of(
        &bindings,
        &[with_component("/a", "one"), with_component("/b", "one")],
    );
    assert_eq!(equal.call("a").success, "Error");
    assert_eq!(equal.call("b").success, "Error");
}

#[test]
fn a_problem_names_the_document_that_has_it() {
    let documents = [
        operations(&[("get", "/a")], "first.json"),
        operations(&[("get", "/b")], "second.json"),
    ];
    let bindings = Bindings::new("api").source(
        Source::new("x")
            .operations(["GET /a", "GET /b"])
            .name("GET /b#response", "B")
            .require("B.id", Type::Text),
    );
    let report = bindings.generate_from(&documents, &[]).unwrap_err();
    assert_eq!(report.document, "first.json, second.json");
    let [diagnostic] = &report.diagnostics[..] else {
        panic!("{report}")
    };
    assert!(
        diagnostic
            .pointer
            .starts_with("second.json#/paths/~1b/get/responses/200"),
        "{diagnostic}"
    );
}

/// The documents of the vendor's groups, in any order, are equivalent to one document.
#[test]
fn documents_of_groups_combine_in_any_order() {
    let own = own_documents(&confluent());
    let generated = |documents: &[Document]| {
        let generated = confluent().generate_from(documents, &own).unwrap();
        Output::new(&generated.rust)
    };
    let forth = generated(&own);
    let mut reversed = own.clone();
    reversed.reverse();
    let back = generated(&reversed);
    assert_eq!(forth.methods(), back.methods());
    assert_eq!(forth.offers(), back.offers());
    assert!(
        forth.offers().values().all(|offered| *offered),
        "{:?}",
        forth.offers()
    );
    let whole = generated(&[merged()]);
    assert_eq!(forth.methods(), whole.methods());
    assert_eq!(forth.offers(), whole.offers());
}

/// All documents of Confluent as one, as the vendor publishes its whole API.
fn merged() -> Document {
    let mut whole: Value = fixtures()[0].value.clone();
    for (index, fixture) in fixtures().iter().enumerate().take(5).skip(1) {
        // Components of different groups may have the same name.
        let text = fixture.value.to_string();
        let text = ["schemas", "parameters", "responses", "headers"]
            .iter()
            .fold(text, |text, map| {
                text.replace(
                    &format!("#/components/{map}/"),
                    &format!("#/components/{map}/g{index}."),
                )
            });
        let part: Value = serde_json::from_str(&text).unwrap();
        for (path, item) in part["paths"].as_object().unwrap() {
            whole["paths"][path] = item.clone();
        }
        for (map, entries) in part["components"].as_object().unwrap() {
            for (name, entry) in entries.as_object().unwrap() {
                let name = if map == "securitySchemes" {
                    name.clone()
                } else {
                    format!("g{index}.{name}")
                };
                whole["components"][map][name] = entry.clone();
            }
        }
    }
    parsed("whole.json", &whole)
}

/// Groups that a user's documents lack are taken from the project's own documents.
#[test]
fn parts_that_no_document_has_are_the_projects_own() {
    let own = own_documents(&confluent());
    let iam = &own[..1];
    let output = Output::new(&confluent().generate_from(iam, &own).unwrap().rust);
    let offers = output.offers();
    for absent in [
        "LIST_IAM_V2_ROLE_BINDINGS",
        "LIST_ORG_V2_ORGANIZATIONS",
        "EXCHANGE_STS_V1_OAUTH_TOKEN",
    ] {
        assert!(!offers[absent], "{absent}");
    }
    for present in [
        "LIST_IAM_V2_USERS",
        "LIST_IAM_V2_INVITATIONS_EMAIL",
        "INVITATION_STATUS",
    ] {
        assert!(offers[present], "{present}");
    }
    for method in [
        "list_iam_v2_role_bindings",
        "get_org_v2_organization",
        "exchange_sts_v1_oauth_token",
    ] {
        let docs = output.call(method).docs;
        assert!(docs.contains("Not offered"), "{method}: {docs}");
    }
    assert!(
        !output
            .call("list_iam_v2_users")
            .docs
            .contains("Not offered")
    );
}

#[test]
fn required_operations_have_to_be_in_some_document() {
    let own = own_documents(&confluent());
    let report = confluent().generate_from(&own[1..], &own).unwrap_err();
    let text = report.to_string();
    for call in ["GET /iam/v2/invitations", "DELETE /iam/v2/invitations/{id}"] {
        assert!(text.contains(&format!("the operation `{call}`")), "{text}");
    }
}
