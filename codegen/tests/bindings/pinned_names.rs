//! The bindings have every name that the tables of the library pin, however a document is written, and mark the parts
//! that the document lacks.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use org_invitations_codegen::{Bindings, Document};
use serde_json::{Map, Value, json};

use crate::common::{
    Fixture, clickhouse, clickhouse_cloud, confluent, fixtures, iam, output::Output, own_documents,
    parsed, root,
};

/// All names that the tables pin: of types, and of methods.
fn pins(bindings: &Bindings) -> (BTreeSet<String>, BTreeSet<String>) {
    let description: Value = serde_json::from_str(&bindings.description()).unwrap();
    let sources = description["sources"].as_array().unwrap();
    let all = |list: &str, key: &str| -> BTreeSet<String> {
        let entries = sources
            .iter()
            .flat_map(|source| source[list].as_array().unwrap());
        entries
            .filter_map(|entry| entry[key].as_str().map(str::to_owned))
            .collect()
    };
    let methods = all("operations", "id")
        .iter()
        .map(|id| snake_case(id))
        .collect();
    (all("names", "name"), methods)
}

/// The method name for an operationId such as `listIamV2Users`.
fn snake_case(id: &str) -> String {
    let mut snake = String::new();
    for letter in id.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// Generates bindings from these documents, and checks that they have every pinned name.
#[track_caller]
fn with(bindings: &Bindings, documents: &[Document]) -> Output {
    let own = own_documents(bindings);
    let generated = bindings.generate_from(documents, &own);
    let output = Output::new(&generated.unwrap_or_else(|report| panic!("{report}")).rust);
    let (types, methods) = pins(bindings);
    let lacking: Vec<_> = types.difference(&output.types()).cloned().collect();
    assert_eq!(lacking, [""; 0], "types");
    let lacking: Vec<_> = methods.difference(&output.methods()).cloned().collect();
    assert_eq!(lacking, [""; 0], "methods");
    output
}

fn bindings_of(fixture: &Fixture) -> Bindings {
    if fixture.name == clickhouse_cloud().name {
        clickhouse()
    } else {
        confluent()
    }
}

/// The documents of a vendor, each changed.
fn changed(bindings: &Bindings, change: impl Fn(&Value) -> Value) -> Vec<Document> {
    let apis = bindings.apis();
    let of_vendor = fixtures()
        .iter()
        .filter(|fixture| apis.iter().any(|api| api.document == fixture.api.document));
    of_vendor
        .map(|fixture| parsed(fixture.name, &change(&fixture.value)))
        .collect()
}

/// The fields of the pinned types, with their names on the wire.
fn fields(bindings: &Bindings, output: &Output) -> BTreeMap<String, BTreeMap<String, String>> {
    let (types, _) = pins(bindings);
    let objects = output
        .objects()
        .into_iter()
        .filter(|(name, _)| types.contains(name));
    objects
        .map(|(name, object)| {
            let fields = object
                .fields
                .into_iter()
                .map(|(name, field)| (name, field.wire));
            (name, fields.collect())
        })
        .collect()
}

/// Checks that a rewritten document gives the same names, fields and offers.
#[track_caller]
fn assert_no_difference(change: impl Fn(&Value) -> Value) {
    for bindings in [confluent(), clickhouse()] {
        let plain = with(&bindings, &changed(&bindings, Value::clone));
        let other = with(&bindings, &changed(&bindings, &change));
        assert_eq!(fields(&bindings, &plain), fields(&bindings, &other));
        assert_eq!(plain.offers(), other.offers());
        assert!(
            plain.offers().values().all(|offered| *offered),
            "{:?}",
            plain.offers()
        );
        assert_eq!(plain.methods(), other.methods());
        for (name, call) in plain.calls() {
            let setters: Vec<_> = call.setters.keys().cloned().collect();
            let others: Vec<_> = other.call(&name).setters.keys().cloned().collect();
            assert_eq!(setters, others, "{name}");
        }
    }
}

/// The document with every reference expanded, and without components.
fn inlined(document: &Value) -> Value {
    let mut whole = resolved(document, document, &mut Vec::new());
    let components = whole["components"].as_object_mut().unwrap();
    components.retain(|map, _| map == "securitySchemes");
    whole
}

fn resolved(document: &Value, node: &Value, open: &mut Vec<String>) -> Value {
    match node {
        Value::Object(map) => {
            let Some(Value::String(reference)) = map.get("$ref") else {
                let entries = map
                    .iter()
                    .map(|(key, inner)| (key.clone(), resolved(document, inner, open)));
                return Value::Object(entries.collect());
            };
            assert!(!open.contains(reference), "{reference} holds itself");
            open.push(reference.clone());
            let target = resolved(document, document.pointer(&reference[1..]).unwrap(), open);
            open.pop();
            let beside: Map<String, Value> = map
                .iter()
                .filter(|(key, _)| *key != "$ref")
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            if beside.is_empty() {
                return target;
            }
            let mut whole = Value::Object(beside);
            whole["allOf"] = json!([target]);
            whole
        }
        Value::Array(list) => list
            .iter()
            .map(|inner| resolved(document, inner, open))
            .collect(),
        other => other.clone(),
    }
}

#[test]
fn everything_inline_has_the_same_names() {
    assert_no_difference(inlined);
}

#[test]
fn renamed_components_have_the_same_names() {
    assert_no_difference(|document| {
        let text = document.to_string();
        let text = ["schemas", "parameters", "responses", "headers"]
            .iter()
            .fold(text, |text, map| {
                text.replace(
                    &format!("#/components/{map}/"),
                    &format!("#/components/{map}/renamed-"),
                )
            });
        let mut renamed: Value = serde_json::from_str(&text).unwrap();
        for (map, entries) in renamed["components"].as_object_mut().unwrap() {
            if map != "securitySchemes" {
                let entries = entries.as_object_mut().unwrap();
                *entries = std::mem::take(entries)
                    .into_iter()
                    .map(|(name, entry)| (format!("renamed-{name}"), entry))
                    .collect();
            }
        }
        renamed
    });
}

#[test]
fn other_operation_ids_have_the_same_names() {
    for id in [json!("theirs"), json!("new"), json!(""), Value::Null] {
        assert_no_difference(|document| {
            let mut renamed = document.clone();
            for item in renamed["paths"].as_object_mut().unwrap().values_mut() {
                for operation in item
                    .as_object_mut()
                    .unwrap()
                    .values_mut()
                    .filter(|it| it.is_object())
                {
                    operation["operationId"] = id.clone();
                }
            }
            renamed
        });
    }
}

#[test]
fn components_with_pinned_names_are_renamed() {
    // The document uses pinned names for other components.
    for fixture in [iam(), clickhouse_cloud()] {
        let bindings = bindings_of(fixture);
        let documents = changed(&bindings, |document| {
            let mut document = document.clone();
            let schemas = document["components"]["schemas"].as_object_mut().unwrap();
            for holder in schemas.values_mut() {
                if let Some(properties) =
                    holder.get_mut("properties").and_then(Value::as_object_mut)
                {
                    properties.insert(
                        "theirs".to_owned(),
                        json!({ "$ref": "#/components/schemas/Token" }),
                    );
                }
            }
            let theirs =
                json!({ "type": "object", "properties": { "of_theirs": { "type": "string" } } });
            schemas.insert("Token".to_owned(), theirs.clone());
            schemas.insert("NewInvitation2".to_owned(), theirs);
            document
        });
        let output = with(&bindings, &documents);
        let invitation = output.field("Invitation", "theirs").of;
        let other = invitation
            .trim_start_matches("Option<")
            .trim_end_matches('>');
        assert!(
            output.object(other).fields.contains_key("of_theirs"),
            "{other}"
        );
        assert_eq!(other == "Token", fixture.name == clickhouse_cloud().name);
    }
}

/// Without sets of values, the properties are plain texts.
#[test]
fn sets_may_be_plain_texts() {
    for bindings in [confluent(), clickhouse()] {
        let documents = changed(&bindings, |document| {
            let mut document = document.clone();
            without_sets(&mut document);
            document
        });
        let plain = with(&bindings, &changed(&bindings, Value::clone));
        let output = with(&bindings, &documents);
        assert_eq!(output.sets().len(), 0, "{:?}", output.sets().keys());
        assert!(!plain.sets().is_empty());
        assert_eq!(plain.offers(), output.offers());
        assert_eq!(fields(&bindings, &plain), fields(&bindings, &output));
    }
    let output = with(
        &clickhouse(),
        &changed(&clickhouse(), |document| {
            let mut document = document.clone();
            without_sets(&mut document);
            document
        }),
    );
    assert_eq!(output.field("Invitation", "role").of, "Option<String>");
}

fn without_sets(node: &mut Value) {
    match node {
        Value::Object(map) => {
            if map
                .get("type")
                .is_some_and(|it| *it == "string" || it.is_array())
            {
                map.retain(|key, _| {
                    !["enum", "x-extensible-enum", "const"].contains(&key.as_str())
                });
            }
            map.values_mut().for_each(without_sets);
        }
        Value::Array(list) => list.iter_mut().for_each(without_sets),
        _ => {}
    }
}

/// A document of OpenAPI 3.0 without envelope, with a single role, and with invitations only.
fn older() -> Document {
    Document::read(&root().join("tests/documents/clickhouse-cloud-older.yaml")).unwrap()
}

#[test]
fn an_older_document_has_the_same_names() {
    let output = with(&clickhouse(), &[older()]);
    let offers = output.offers();
    let mut absent: Vec<&str> = Vec::new();
    for (name, offered) in &offers {
        if !offered {
            absent.push(name);
        }
    }
    for present in [
        "NEW_INVITATION_ROLE",
        "INVITATION_ROLE",
        "INVITATION_CREATED_AT",
        "INVITATION_EXPIRE_AT",
    ] {
        assert!(offers[present], "{present}");
    }
    for gone in [
        "ACTIVITY_GET",
        "ACTIVITY_GET_LIST",
        "ASSIGNED_ROLE_ROLE_ID",
        "INVITATION_ASSIGNED_ROLES",
        "INVITATION_LIST_RESPONSE_REQUEST_ID",
        "INVITATION_RESPONSE_REQUEST_ID",
        "MEMBER_DELETE",
        "MEMBER_GET",
        "NEW_INVITATION_ASSIGNED_ROLE_IDS",
        "ORGANIZATION_GET",
        "ORGANIZATION_ROLES_GET_LIST",
    ] {
        assert!(absent.contains(&gone), "{gone} in {absent:?}");
    }
    // The envelope comes from the project's own document.
    assert_eq!(
        output.field("InvitationListResponse", "result").of,
        "Option<Vec<Invitation>>"
    );
    assert_eq!(
        output.field("InvitationResponse", "result").of,
        "Option<Invitation>"
    );
    for (object, field) in [
        ("Invitation", "assigned_roles"),
        ("NewInvitation", "assigned_role_ids"),
        ("InvitationResponse", "request_id"),
        ("InvitationListResponse", "request_id"),
    ] {
        let docs = output.field(object, field).docs;
        assert!(docs.contains("Not offered"), "{object}.{field}: {docs}");
    }
    for (object, field) in [
        ("Invitation", "role"),
        ("NewInvitation", "email"),
        ("InvitationResponse", "result"),
    ] {
        let docs = output.field(object, field).docs;
        assert!(!docs.contains("Not offered"), "{object}.{field}: {docs}");
    }
    for method in ["member_get_list", "organization_get", "activity_get"] {
        assert!(output.call(method).docs.contains("Not offered"), "{method}");
    }
    for method in ["invitation_get_list", "invitation_create"] {
        assert!(
            !output.call(method).docs.contains("Not offered"),
            "{method}"
        );
    }
}

#[test]
fn a_document_of_one_group_has_the_same_names() {
    let output = with(&confluent(), &[parsed("iam.json", &iam().value)]);
    let offers = output.offers();
    let is_of_others = |name: &str| {
        ["ROLE_BINDING", "API_KEY", "ORG", "TOKEN", "STS"]
            .iter()
            .any(|word| name.contains(word))
    };
    for (name, offered) in &offers {
        assert_eq!(*offered, !is_of_others(name), "{name}");
    }
}

/// A filter may be absent.
#[test]
fn filters_that_are_absent_are_marked() {
    let documents = changed(&confluent(), |document| {
        let mut document = document.clone();
        if let Some(list) = document.pointer_mut("/paths/~1iam~1v2~1invitations/get/parameters") {
            let list = list.as_array_mut().unwrap();
            list.retain(|parameter| {
                !parameter["$ref"]
                    .as_str()
                    .unwrap_or_default()
                    .ends_with("status")
            });
        }
        document
    });
    let output = with(&confluent(), &documents);
    let offers = output.offers();
    assert!(!offers["LIST_IAM_V2_INVITATIONS_STATUS"]);
    assert!(offers["LIST_IAM_V2_INVITATIONS_EMAIL"]);
    let call = output.call("list_iam_v2_invitations");
    assert!(call.setters.contains_key("status"));
    let said = call
        .docs
        .split("- `status`:")
        .nth(1)
        .unwrap()
        .split("- `")
        .next()
        .unwrap()
        .to_owned();
    assert!(said.contains("Not offered"), "{said}");
    let specs = output.constant("OPERATIONS").unwrap().to_string();
    assert!(specs.contains("absent_queries : & [\"status\"]"), "{specs}");
}

/// Every document that the project keeps for its tests is read.
#[test]
fn documents_of_the_projects_tests_generate() {
    let folder = root().join("tests/documents");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Some(bindings) = vendor_of(&path) else {
            continue;
        };
        with(&bindings, &[Document::read(&path).unwrap()]);
    }
}

fn vendor_of(path: &Path) -> Option<Bindings> {
    let name = path.file_name()?.to_str()?;
    match name.split('-').next()? {
        "clickhouse" => Some(clickhouse()),
        "confluent" => Some(confluent()),
        _ => None,
    }
}
