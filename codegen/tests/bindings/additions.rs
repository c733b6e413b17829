//! Additions to a document are in the bindings without a change of the library's code.

use serde_json::{Value, json};

use crate::{
    common::{Fixture, clickhouse_cloud, iam, output::Output, parsed},
    small_documents::output,
};

/// The bindings of a fixture, and those of its document with changes.
fn before_and_after(fixture: &Fixture, change: impl FnOnce(&mut Value)) -> (Output, Output) {
    let mut document = fixture.value.clone();
    change(&mut document);
    let generated = |value: &Value| output(&fixture.generate(&parsed("spec", value)).unwrap());
    (generated(&fixture.value), generated(&document))
}

fn at<'d>(document: &'d mut Value, pointer: &str) -> &'d mut Value {
    document
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("no {pointer}"))
}

fn add_property(document: &mut Value, schema: &str, name: &str) {
    let team = json!({ "type": "string", "description": "The team that the person joins." });
    at(
        document,
        &format!("/components/schemas/{schema}/properties"),
    )[name] = team;
}

fn add_query(document: &mut Value, operation: &str, name: &str) {
    let query = json!({
        "in": "query", "name": name, "schema": { "type": "integer" }, "description": "How old at most.",
    });
    let list = at(document, operation)
        .as_object_mut()
        .unwrap()
        .entry("parameters");
    list.or_insert(json!([]))
        .as_array_mut()
        .unwrap()
        .push(query);
}

fn add_value(document: &mut Value, set: &str, value: &str) {
    at(document, set).as_array_mut().unwrap().push(json!(value));
}

/// Copies an operation to a method of a selected path that has none yet.
fn add_operation(document: &mut Value, path: &str, (from, to): (&str, &str), id: &str) {
    let item = at(document, path);
    let mut operation = item[from].clone();
    operation["operationId"] = json!(id);
    assert!(item.get(to).is_none(), "{path} has {to} already");
    item[to] = operation;
}

const INVITATIONS: &str = "/paths/~1iam~1v2~1invitations";
const INVITATION: &str = "/paths/~1iam~1v2~1invitations~1{id}";
const STATUSES: &str = "/components/schemas/iam.v2.Invitation/properties/status/x-extensible-enum";

const CLOUD_INVITATIONS: &str = "/paths/~1v1~1organizations~1{organizationId}~1invitations";
const CLOUD_INVITATION: &str =
    "/paths/~1v1~1organizations~1{organizationId}~1invitations~1{invitationId}";
const ROLES: &str = "/components/schemas/Invitation/properties/role/enum";

#[track_caller]
fn assert_new_property((before, after): &(Output, Output)) {
    assert!(!before.object("Invitation").fields.contains_key("team_name"));
    let field = after.field("Invitation", "team_name");
    assert_eq!(field.of, "Option<String>");
    assert_eq!(field.docs, "The team that the person joins.");
}

#[track_caller]
fn assert_new_query((before, after): &(Output, Output), method: &str) {
    assert!(!before.call(method).setters.contains_key("max_age"));
    let call = after.call(method);
    assert_eq!(call.setters["max_age"], "i64");
    assert!(!call.required.contains("max_age"));
    assert!(call.docs.contains("How old at most."), "{}", call.docs);
}

#[track_caller]
fn assert_new_value((before, after): &(Output, Output), set: &str, variant: &str, value: &str) {
    let new = (variant.to_owned(), value.to_owned());
    assert!(!before.set(set).values.contains(&new));
    assert!(
        after.set(set).values.contains(&new),
        "{:?}",
        after.set(set).values
    );
}

#[track_caller]
fn assert_new_operation((before, after): &(Output, Output), method: &str, success: &str) {
    assert!(!before.methods().contains(method));
    let call = after.call(method);
    assert_eq!(call.success, success);
    assert!(call.setters.contains_key("body"));
}

#[test]
fn confluent_a_new_property_is_a_field() {
    let both = before_and_after(iam(), |document| {
        add_property(document, "iam.v2.Invitation", "team_name");
    });
    assert_new_property(&both);
    assert_eq!(both.1.field("Invitation", "team_name").wire, "team_name");
}

#[test]
fn confluent_a_new_parameter_is_a_setter() {
    let both = before_and_after(iam(), |document| {
        add_query(document, &format!("{INVITATIONS}/get"), "max_age");
    });
    assert_new_query(&both, "list_iam_v2_invitations");
    assert!(
        both.1
            .call("list_iam_v2_invitations")
            .texts
            .contains("max_age")
    );
}

#[test]
fn confluent_a_new_value_is_a_variant() {
    let both = before_and_after(iam(), |document| {
        add_value(document, STATUSES, "INVITE_STATUS_LOST");
    });
    let value = "INVITE_STATUS_LOST";
    assert_new_value(&both, "InvitationStatus", "InviteStatusLost", value);
}

#[test]
fn confluent_a_new_operation_is_a_method() {
    let both = before_and_after(iam(), |document| {
        let methods = ("get", "patch");
        add_operation(document, INVITATION, methods, "updateIamV2Invitation");
        at(document, INVITATION)["patch"]["requestBody"] =
            document_body(&json!({ "$ref": "#/components/schemas/iam.v2.UserUpdate" }));
    });
    assert_new_operation(&both, "update_iam_v2_invitation", "Invitation");
}

fn document_body(schema: &Value) -> Value {
    json!({ "required": true, "content": { "application/json": { "schema": schema } } })
}

#[test]
fn confluent_several_additions_combine() {
    let both = before_and_after(iam(), |document| {
        add_property(document, "iam.v2.Invitation", "team_name");
        add_query(document, &format!("{INVITATIONS}/get"), "max_age");
        add_value(document, STATUSES, "INVITE_STATUS_LOST");
        add_operation(
            document,
            INVITATION,
            ("get", "put"),
            "replaceIamV2Invitation",
        );
        at(document, INVITATION)["put"]["requestBody"] =
            document_body(&json!({ "$ref": "#/components/schemas/iam.v2.UserUpdate" }));
    });
    assert_new_property(&both);
    assert_new_query(&both, "list_iam_v2_invitations");
    let value = "INVITE_STATUS_LOST";
    assert_new_value(&both, "InvitationStatus", "InviteStatusLost", value);
    assert_new_operation(&both, "replace_iam_v2_invitation", "Invitation");
    // Everything else is unchanged.
    assert!(both.0.types().is_subset(&both.1.types()));
    assert_eq!(both.0.offers(), both.1.offers());
}

#[test]
fn clickhouse_a_new_property_is_a_field() {
    let both = before_and_after(clickhouse_cloud(), |document| {
        add_property(document, "Invitation", "teamName");
    });
    assert_new_property(&both);
    assert_eq!(both.1.field("Invitation", "team_name").wire, "teamName");
}

#[test]
fn clickhouse_a_new_parameter_is_a_setter() {
    let both = before_and_after(clickhouse_cloud(), |document| {
        add_query(document, &format!("{CLOUD_INVITATIONS}/get"), "maxAge");
    });
    assert_new_query(&both, "invitation_get_list");
    assert!(both.1.call("invitation_get_list").texts.contains("maxAge"));
}

#[test]
fn clickhouse_a_new_value_is_a_variant() {
    let both = before_and_after(clickhouse_cloud(), |document| {
        add_value(document, ROLES, "billing-admin");
    });
    assert_new_value(&both, "InvitationRole", "BillingAdmin", "billing-admin");
}

#[test]
fn clickhouse_a_new_operation_is_a_method() {
    let both = before_and_after(clickhouse_cloud(), |document| {
        add_operation(
            document,
            CLOUD_INVITATION,
            ("get", "patch"),
            "invitationUpdate",
        );
        at(document, CLOUD_INVITATION)["patch"]["requestBody"] =
            document_body(&json!({ "$ref": "#/components/schemas/MemberPatchRequest" }));
    });
    assert_new_operation(&both, "invitation_update", "InvitationResponse");
}

#[test]
fn clickhouse_several_additions_combine() {
    let both = before_and_after(clickhouse_cloud(), |document| {
        add_property(document, "Invitation", "teamName");
        add_query(document, &format!("{CLOUD_INVITATIONS}/get"), "maxAge");
        add_value(document, ROLES, "billing-admin");
        add_operation(
            document,
            CLOUD_INVITATION,
            ("get", "put"),
            "invitationReplace",
        );
        at(document, CLOUD_INVITATION)["put"]["requestBody"] =
            document_body(&json!({ "$ref": "#/components/schemas/MemberPatchRequest" }));
    });
    assert_new_property(&both);
    assert_new_query(&both, "invitation_get_list");
    assert_new_value(&both, "InvitationRole", "BillingAdmin", "billing-admin");
    assert_new_operation(&both, "invitation_replace", "InvitationResponse");
    assert!(both.0.types().is_subset(&both.1.types()));
    assert_eq!(both.0.offers(), both.1.offers());
}

/// A new property of a request can be sent.
#[test]
fn a_new_property_of_a_request_can_be_sent() {
    for (fixture, schema) in [
        (iam(), "NewInvitation"),
        (clickhouse_cloud(), "InvitationPostRequest"),
    ] {
        let (before, after) = before_and_after(fixture, |document| {
            let schema = at(document, &format!("/components/schemas/{schema}"));
            let holder = if schema.get("properties").is_some() {
                schema
            } else {
                &mut schema["allOf"][1]
            };
            holder["properties"]["note"] = json!({ "type": "string" });
        });
        assert!(!before.object("NewInvitation").fields.contains_key("note"));
        assert_eq!(after.field("NewInvitation", "note").of, "Option<String>");
    }
}
