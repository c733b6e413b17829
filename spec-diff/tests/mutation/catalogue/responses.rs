//! The body of a success: envelope, fields, null, enumerations.

use org_invitations_spec_diff::Class::{Additive, Breaking, Cosmetic};
use serde_json::json;

use super::{Mutation, Row::*, line};
use crate::edit::Edit::*;

#[rustfmt::skip]
pub fn shape() -> Vec<Mutation> {
    let text = || json!({ "type": "string" });
    vec![
        line(ResponseEnvelope, "listIamV2Invitations 200 .data", Rename("items"), Breaking, Breaking),
        line(ResponseEnvelope, "listIamV2Invitations 200 .data", Set("type", json!("object")), Breaking, Breaking),
        line(ResponseEnvelope, "listIamV2Invitations 200 .data", Unset("items"), Breaking, Breaking),
        line(ResponseEnvelope, "listIamV2Invitations 200 .data", Unset("uniqueItems"), Cosmetic, Cosmetic),
        line(ResponseEnvelope, "listIamV2Invitations 200 .metadata", Remove, Breaking, Additive),
        line(ResponseEnvelope, "listIamV2Invitations 200 .metadata .next", Remove, Breaking, Additive),
        line(ResponseEnvelope, "listIamV2Invitations 200 .metadata .next", Rename("next_page"), Breaking, Breaking),
        line(ResponseEnvelope, "listIamV2Invitations 200", Unrequire("data"), Breaking, Cosmetic),
        line(ResponseEnvelope, "listIamV2Invitations 200", Unrequire("metadata"), Breaking, Cosmetic),
        line(ResponseEnvelope, "invitationGetList 200 .result", Rename("items"), Breaking, Breaking),
        line(ResponseEnvelope, "invitationGetList 200 .result", Set("type", json!("object")), Breaking, Breaking),
        line(ResponseEnvelope, "invitationGet 200 .result", Rename("invitation"), Breaking, Breaking),
        line(ResponseEnvelope, "invitationGet 200 .result", Remove, Breaking, Additive),
        line(ResponseEnvelope, "invitationCreate 200 .result @", Set("type", json!("string")), Breaking, Breaking),
        line(ResponseEnvelope, "invitationGetList 200 .requestId", Remove, Breaking, Additive),
        line(ResponseEnvelope, "invitationGet 200 .status", Remove, Breaking, Additive),
        line(ResponseEnvelope, "listIamV2Invitations 200 content", Rename("application/vnd.api+json"), Breaking, Additive),
        line(ResponseEnvelope, "createIamV2Invitation 201 content", Rename("text/plain"), Breaking, Additive),
        line(ResponseEnvelope, "exchangeStsV1OauthToken 200 content", Rename("application/jwt"), Breaking, Additive),
        line(ResponseEnvelope, "invitationCreate 200 content", Rename("application/hal+json"), Breaking, Additive),
        line(ResponseEnvelope, "getIamV2Invitation 200", Add("content", "text/csv", json!({ "schema": text() })), Additive, Cosmetic),
        line(ResponseEnvelope, "invitationGetList 200", Add("content", "text/csv", json!({ "schema": text() })), Additive, Cosmetic),
        line(ResponseEnvelope, "getIamV2Invitation 200", Unset("content"), Breaking, Additive),
        line(ResponseEnvelope, "invitationGet 200", Unset("content"), Breaking, Additive),
    ]
}

#[rustfmt::skip]
pub fn fields() -> Vec<Mutation> {
    let text = || json!({ "type": "string" });
    vec![
        line(ResponseField, "listIamV2Invitations 200 .data [] .id", Set("type", json!("integer")), Breaking, Breaking),
        line(ResponseField, "listIamV2Invitations 200 .data [] .id", Remove, Breaking, Additive),
        line(ResponseField, "listIamV2Invitations 200 .data [] .id", Set("maxLength", json!(10)), Cosmetic, Cosmetic),
        line(ResponseField, "listIamV2Invitations 200 .data []", Unrequire("id"), Breaking, Cosmetic),
        line(ResponseField, "listIamV2Invitations 200 .data []", Unrequire("metadata"), Additive, Cosmetic),
        line(ResponseField, "getIamV2Invitation 200", Unrequire("kind"), Additive, Cosmetic),
        line(ResponseField, "getIamV2Invitation 200 .user", Unrequire("related"), Additive, Cosmetic),
        line(ResponseField, "getIamV2Invitation 200 .user", Unrequire("id"), Breaking, Cosmetic),
        line(ResponseField, "getIamV2Invitation 200 .user", Remove, Breaking, Additive),
        line(ResponseField, "getIamV2Invitation 200 .user .id", Set("type", json!("integer")), Breaking, Breaking),
        line(ResponseField, "getIamV2Invitation 200 .user @", Add("properties", "kind", text()), Additive, Breaking),
        line(ResponseField, "getIamV2Invitation 200 .metadata .created_at", Remove, Breaking, Additive),
        line(ResponseField, "getIamV2Invitation 200 .metadata .created_at", Unset("format"), Breaking, Breaking),
        line(ResponseField, "getIamV2Invitation 200 .metadata .self", Set("format", json!("uri-reference")), Cosmetic, Cosmetic),
        line(ResponseField, "getIamV2Invitation 200 .expires_at", Set("format", json!("date")), Breaking, Breaking),
        line(ResponseField, "getIamV2Invitation 200 .expires_at", Set("type", json!("integer")), Breaking, Breaking),
        line(ResponseField, "getIamV2Invitation 200 .status", Rename("state"), Breaking, Breaking),
        line(ResponseField, "getIamV2Invitation 200 .status", Set("writeOnly", json!(true)), Breaking, Additive),
        line(ResponseField, "listIamV2Invitations 200 .metadata .total_size", Set("type", json!("string")), Breaking, Breaking),
        line(ResponseField, "listIamV2Invitations 200 .metadata .total_size", Set("minimum", json!(1)), Cosmetic, Cosmetic),
        line(ResponseField, "exchangeStsV1OauthToken 200 .access_token", Remove, Breaking, Additive),
        line(ResponseField, "exchangeStsV1OauthToken 200 .token_type", Remove, Breaking, Additive),
        line(ResponseField, "exchangeStsV1OauthToken 200 .expires_in", Set("type", json!("string")), Breaking, Breaking),
        line(ResponseField, "exchangeStsV1OauthToken 200 .expires_in", Set("format", json!("int64")), Cosmetic, Cosmetic),
        line(ResponseField, "exchangeStsV1OauthToken 200 @", Add("properties", "scope", text()), Additive, Breaking),
        line(ResponseField, "exchangeStsV1OauthToken 200", Unrequire("access_token"), Breaking, Cosmetic),
        line(ResponseField, "exchangeStsV1OauthToken 200", Unrequire("token_type"), Additive, Cosmetic),
        line(ResponseField, "invitationGet 200 .result .id", Unset("format"), Cosmetic, Cosmetic),
        line(ResponseField, "invitationGet 200 .result .id", Set("type", json!("integer")), Breaking, Breaking),
        line(ResponseField, "invitationGet 200 .result .email", Remove, Breaking, Additive),
        line(ResponseField, "invitationGet 200 .result .email", Set("writeOnly", json!(true)), Breaking, Additive),
        line(ResponseField, "invitationGet 200 .result", Require("id"), Cosmetic, Breaking),
        line(ResponseField, "invitationGet 200 .result @", Add("properties", "team", text()), Additive, Breaking),
        line(ResponseField, "invitationGet 200 .result .createdAt", Set("format", json!("date")), Breaking, Breaking),
        line(ResponseField, "invitationGet 200 .result .expireAt", Unset("format"), Breaking, Breaking),
        line(ResponseField, "invitationGet 200 .result .role", Set("default", json!("developer")), Cosmetic, Cosmetic),
        line(ResponseField, "invitationGet 200 .result .assignedRoles", Remove, Breaking, Additive),
        line(ResponseField, "invitationGet 200 .result .assignedRoles [] @", Set("type", json!("string")), Breaking, Breaking),
        line(ResponseField, "invitationGet 200 .result .assignedRoles [] .roleName", Remove, Breaking, Additive),
        line(ResponseField, "invitationGet 200 .status", Set("type", json!("string")), Breaking, Breaking),
        line(ResponseField, "invitationGet 200 .requestId", Set("type", json!("integer")), Breaking, Breaking),
    ]
}

#[rustfmt::skip]
pub fn null() -> Vec<Mutation> {
    vec![
        line(Nullability, "getIamV2Invitation 200 .accepted_at", Unset("nullable"), Cosmetic, Additive),
        line(Nullability, "getIamV2Invitation 200 .expires_at", AllowNull, Additive, Cosmetic),
        line(Nullability, "getIamV2Invitation 200 .id", AllowNull, Breaking, Cosmetic),
        // Beside `allOf` null is said of this property, not of what it refers to.
        line(Nullability, "getIamV2Invitation 200 .user", AllowNull, Additive, Cosmetic),
        line(Nullability, "listIamV2Invitations 200 .data", AllowNull, Breaking, Cosmetic),
        line(Nullability, "listIamV2Invitations 200 .metadata .next", Unset("nullable"), Cosmetic, Breaking),
        line(Nullability, "exchangeStsV1OauthToken 200 .access_token", AllowNull, Breaking, Cosmetic),
        line(Nullability, "exchangeStsV1OauthToken 200 .token_type", AllowNull, Additive, Cosmetic),
        line(Nullability, "exchangeStsV1OauthToken body .subject_token", AllowNull, Additive, Breaking),
        // Sent and received: the worse of the two.
        line(Nullability, "createIamV2Invitation body .email", AllowNull, Breaking, Breaking),
        line(Nullability, "invitationCreate body .email", AllowNull, Additive, Breaking),
        line(Nullability, "invitationGet 200 .result .id", AllowNull, Breaking, Cosmetic),
        line(Nullability, "invitationGet 200 .result .role", AllowNull, Additive, Cosmetic),
        line(Nullability, "invitationGet 200 .result", AllowNull, Breaking, Cosmetic),
    ]
}

#[rustfmt::skip]
pub fn enumerations() -> Vec<Mutation> {
    vec![
        line(EnumValues, "createIamV2Invitation body .auth_type", Push("x-extensible-enum", json!("AUTH_TYPE_KEY")), Additive, Breaking),
        line(EnumValues, "createIamV2Invitation body .auth_type", Drop("x-extensible-enum", json!("AUTH_TYPE_SSO")), Breaking, Additive),
        line(EnumValues, "createIamV2Invitation body .auth_type", Unset("x-extensible-enum"), Additive, Additive),
        line(EnumValues, "createIamV2Invitation body .auth_type", Set("enum", json!(["AUTH_TYPE_SSO"])), Breaking, Additive),
        line(EnumValues, "getIamV2Invitation 200 .status", Push("x-extensible-enum", json!("INVITE_STATUS_LOST")), Additive, Cosmetic),
        line(EnumValues, "getIamV2Invitation 200 .status", Drop("x-extensible-enum", json!("INVITE_STATUS_STAGED")), Cosmetic, Additive),
        line(EnumValues, "getIamV2Invitation 200 .status", Set("enum", json!(["INVITE_STATUS_SENT"])), Cosmetic, Additive),
        line(EnumValues, "listIamV2Invitations 200 .kind", Push("enum", json!("InvitationPage")), Additive, Cosmetic),
        line(EnumValues, "exchangeStsV1OauthToken body .subject_token_type", Push("x-extensible-enum", json!("urn:x")), Additive, Breaking),
        line(EnumValues, "exchangeStsV1OauthToken 200 .token_type", Push("x-extensible-enum", json!("DPoP")), Additive, Cosmetic),
        line(EnumValues, "invitationCreate body .role", Push("enum", json!("auditor")), Additive, Breaking),
        line(EnumValues, "invitationCreate body .role", Drop("enum", json!("developer")), Breaking, Additive),
        line(EnumValues, "invitationCreate body .role", Unset("enum"), Additive, Breaking),
        line(EnumValues, "invitationGet 200 .result .role", Push("enum", json!("auditor")), Additive, Cosmetic),
        line(EnumValues, "invitationGet 200 .result .role", Drop("enum", json!("admin")), Cosmetic, Additive),
        line(EnumValues, "invitationGet 200 .result .role", Unset("enum"), Additive, Cosmetic),
        line(EnumValues, "invitationGetList 200 .result [] .assignedRoles [] .roleType", Push("enum", json!("partner")), Additive, Cosmetic),
    ]
}
