//! The request body: required fields, types, formats, properties, media type.

use org_invitations_spec_diff::Class::{Additive, Breaking, Cosmetic};
use serde_json::json;

use super::{Mutation, Row::*, line};
use crate::edit::Edit::*;

#[rustfmt::skip]
pub fn required() -> Vec<Mutation> {
    let text = || json!({ "type": "string" });
    vec![
        // The library always sends the property.
        line(RequestRequired, "createIamV2Invitation body", Unrequire("email"), Additive, Cosmetic),
        line(RequestRequired, "exchangeStsV1OauthToken body", Unrequire("subject_token"), Additive, Cosmetic),
        line(RequestRequired, "invitationCreate body", Require("email"), Cosmetic, Additive),
        line(RequestRequired, "createIamV2Invitation body", Require("auth_type"), Breaking, Additive),
        line(RequestRequired, "exchangeStsV1OauthToken body", Require("expires_in"), Breaking, Additive),
        line(RequestRequired, "invitationCreate body", Require("role"), Breaking, Additive),
        line(RequestRequired, "invitationCreate body", Require("assignedRoleIds"), Breaking, Additive),
        line(RequestRequired, "exchangeStsV1OauthToken body @", AddRequired("tenant", text()), Breaking, Cosmetic),
        line(RequestRequired, "invitationCreate body @", AddRequired("tenant", text()), Breaking, Cosmetic),
        // The property is required but not described.
        line(RequestRequired, "exchangeStsV1OauthToken body @", Push("required", json!("tenant")), Breaking, Additive),
        line(RequestRequired, "invitationCreate body @", Push("required", json!("tenant")), Breaking, Additive),
        // Confluent's invitation is one schema: what a request gains, a response gains too.
        line(RequestRequired, "createIamV2Invitation body @", AddRequired("tenant", text()), Breaking, Breaking),
        line(RequestRequired, "createIamV2Invitation body", Set("required", json!(true)), Cosmetic, Cosmetic),
        line(RequestRequired, "exchangeStsV1OauthToken body", Set("required", json!(true)), Cosmetic, Cosmetic),
        line(RequestRequired, "invitationCreate body", Set("required", json!(true)), Cosmetic, Cosmetic),
    ]
}

#[rustfmt::skip]
pub fn values() -> Vec<Mutation> {
    let choice = || json!({ "oneOf": [{ "type": "string" }, { "type": "integer" }] });
    vec![
        line(RequestType, "createIamV2Invitation body .email", Set("type", json!("integer")), Breaking, Breaking),
        line(RequestType, "createIamV2Invitation body .auth_type", Set("type", json!("object")), Breaking, Breaking),
        line(RequestType, "exchangeStsV1OauthToken body .expires_in", Set("type", json!("string")), Breaking, Breaking),
        line(RequestType, "invitationCreate body .email", Set("type", json!("array")), Breaking, Breaking),
        line(RequestType, "invitationCreate body .assignedRoleIds", Set("type", json!("string")), Breaking, Breaking),
        line(RequestType, "invitationCreate body .assignedRoleIds []", Set("type", json!("integer")), Breaking, Breaking),
        line(RequestType, "invitationCreate body .assignedRoleIds []", Set("format", json!("uuid")), Breaking, Additive),
        line(RequestType, "invitationCreate body .assignedRoleIds", Set("maxItems", json!(5)), Breaking, Additive),
        line(RequestType, "invitationCreate body .assignedRoleIds", Set("minItems", json!(1)), Breaking, Additive),
        line(RequestType, "invitationCreate body .assignedRoleIds", Set("uniqueItems", json!(true)), Breaking, Additive),
        line(RequestType, "createIamV2Invitation body .email", Set("maxLength", json!(40)), Breaking, Additive),
        line(RequestType, "invitationCreate body .email", Set("pattern", json!("@example.com$")), Breaking, Additive),
        line(RequestType, "exchangeStsV1OauthToken body .expires_in", Set("maximum", json!(600)), Breaking, Additive),
        line(RequestType, "exchangeStsV1OauthToken body .expires_in", Unset("maximum"), Additive, Breaking),
        line(RequestType, "exchangeStsV1OauthToken body .expires_in", Set("default", json!(60)), Breaking, Breaking),
        line(RequestType, "invitationCreate body .role", Set("default", json!("admin")), Breaking, Breaking),
        line(RequestType, "invitationCreate body .email", Replace(choice()), Breaking, Breaking),
        line(RequestType, "exchangeStsV1OauthToken body .subject_token", Replace(choice()), Breaking, Breaking),
        line(RequestType, "invitationCreate body .email", Replace(json!({ "$ref": "#/components/schemas/Nowhere" })), Breaking, Breaking),
        line(RequestType, "createIamV2Invitation body .email", Replace(json!({ "$ref": "https://example.com/email.json" })), Breaking, Breaking),
        line(RequestFormat, "createIamV2Invitation body .email", Set("format", json!("uuid")), Breaking, Breaking),
        line(RequestFormat, "createIamV2Invitation body .email", Unset("format"), Additive, Breaking),
        line(RequestFormat, "invitationCreate body .email", Set("format", json!("uuid")), Breaking, Breaking),
        line(RequestFormat, "invitationCreate body .email", Unset("format"), Additive, Breaking),
        line(RequestFormat, "exchangeStsV1OauthToken body .subject_token", Set("format", json!("byte")), Breaking, Additive),
    ]
}

#[rustfmt::skip]
pub fn shape() -> Vec<Mutation> {
    let text = || json!({ "type": "string" });
    let body = |required| json!({
        "required": required, "content": { "application/json": { "schema": { "type": "object" } } },
    });
    vec![
        line(RequestProperty, "createIamV2Invitation body .email", Remove, Breaking, Additive),
        line(RequestProperty, "createIamV2Invitation body .auth_type", Remove, Breaking, Additive),
        line(RequestProperty, "exchangeStsV1OauthToken body .expires_in", Remove, Breaking, Additive),
        line(RequestProperty, "exchangeStsV1OauthToken body .identity_pool_id", Remove, Breaking, Additive),
        line(RequestProperty, "invitationCreate body .assignedRoleIds", Remove, Breaking, Additive),
        line(RequestProperty, "invitationCreate body .role", Remove, Breaking, Additive),
        line(RequestProperty, "invitationCreate body .assignedRoleIds", Rename("roleIds"), Breaking, Additive),
        line(RequestProperty, "exchangeStsV1OauthToken body .identity_pool_id", Rename("pool"), Breaking, Additive),
        line(RequestProperty, "createIamV2Invitation body .auth_type", Rename("sign_in"), Breaking, Breaking),
        line(RequestProperty, "createIamV2Invitation body .email", Set("readOnly", json!(true)), Breaking, Additive),
        line(RequestProperty, "invitationCreate body .role", Set("readOnly", json!(true)), Breaking, Additive),
        line(RequestProperty, "exchangeStsV1OauthToken body @", Add("properties", "tenant", text()), Additive, Cosmetic),
        line(RequestProperty, "invitationCreate body @", Add("properties", "tenant", text()), Additive, Cosmetic),
        line(RequestProperty, "createIamV2Invitation body @", Add("properties", "tenant", text()), Additive, Breaking),
        line(RequestProperty, "invitationCreate body @", Set("additionalProperties", json!(false)), Cosmetic, Cosmetic),
        line(RequestMediaType, "createIamV2Invitation body content", Rename("application/merge-patch+json"), Breaking, Additive),
        line(RequestMediaType, "exchangeStsV1OauthToken body content", Rename("application/json"), Breaking, Additive),
        line(RequestMediaType, "invitationCreate body content", Rename("multipart/form-data"), Breaking, Additive),
        line(RequestMediaType, "createIamV2Invitation body", Add("content", "application/xml", json!({ "schema": text() })), Additive, Cosmetic),
        line(RequestMediaType, "exchangeStsV1OauthToken body", Add("content", "application/json", json!({ "schema": text() })), Additive, Cosmetic),
        line(RequestMediaType, "invitationCreate body", Add("content", "application/xml", json!({ "schema": text() })), Additive, Cosmetic),
        line(RequestMediaType, "createIamV2Invitation body", Remove, Breaking, Additive),
        line(RequestMediaType, "invitationCreate body", Remove, Breaking, Additive),
        line(RequestMediaType, "createIamV2Invitation body", Replace(json!({ "$ref": "#/components/requestBodies/Nowhere" })), Breaking, Additive),
        line(RequestMediaType, "deleteIamV2Invitation", Put("requestBody", body(true)), Breaking, Additive),
        line(RequestMediaType, "invitationDelete", Put("requestBody", body(true)), Breaking, Additive),
        line(RequestMediaType, "invitationGet", Put("requestBody", body(false)), Additive, Additive),
    ]
}
