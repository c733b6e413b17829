//! Method, path, operationId and parameters.

use org_invitations_spec_diff::Class::{Additive, Breaking, Cosmetic};
use serde_json::json;

use super::{Mutation, Row::*, line};
use crate::edit::Edit::*;

#[rustfmt::skip]
pub fn operations() -> Vec<Mutation> {
    vec![
        line(Method, "*", Remove, Breaking, Additive),
        line(Method, "createIamV2Invitation", Rename("put"), Breaking, Additive),
        line(Method, "deleteIamV2Invitation", Rename("patch"), Breaking, Additive),
        line(Method, "exchangeStsV1OauthToken", Rename("get"), Breaking, Additive),
        line(Method, "invitationCreate", Rename("put"), Breaking, Additive),
        line(Path, "listIamV2Invitations item", MovePath("/v2/", "/v3/"), Breaking, Additive),
        line(Path, "getIamV2Invitation item", MovePath("invitations", "invites"), Breaking, Additive),
        line(Path, "exchangeStsV1OauthToken item", MovePath("/v1/", "/v2/"), Breaking, Additive),
        line(Path, "invitationGetList item", MovePath("/v1/", "/v2/"), Breaking, Additive),
        line(Path, "invitationGet item", MovePath("organizations", "organisations"), Breaking, Additive),
        line(Path, "getIamV2Invitation item", RenameVariable("id", "invitation_id"), Cosmetic, Cosmetic),
        line(Path, "invitationGet item", RenameVariable("invitationId", "id"), Cosmetic, Cosmetic),
        line(OperationId, "*", Set("operationId", json!("renamed")), Cosmetic, Cosmetic),
        line(OperationId, "*", Unset("operationId"), Cosmetic, Cosmetic),
    ]
}

#[rustfmt::skip]
pub fn parameters() -> Vec<Mutation> {
    let query = |name, required| json!({
        "in": "query", "name": name, "required": required, "schema": { "type": "string" },
    });
    let header = |required| json!({
        "in": "header", "name": "X-Tenant", "required": required, "schema": { "type": "string" },
    });
    vec![
        line(ParameterName, "listIamV2Invitations ?page_token", Set("name", json!("cursor")), Breaking, Additive),
        line(ParameterName, "listIamV2Invitations ?email", Set("name", json!("mail")), Breaking, Additive),
        line(ParameterPlace, "listIamV2Invitations ?page_size", Set("in", json!("header")), Breaking, Breaking),
        line(ParameterPlace, "listIamV2Invitations ?status", Set("in", json!("cookie")), Breaking, Breaking),
        line(ParameterPlace, "getIamV2Invitation ?id", Set("in", json!("query")), Breaking, Breaking),
        line(ParameterPlace, "getIamV2Invitation ?id", Set("style", json!("matrix")), Breaking, Breaking),
        line(ParameterPlace, "invitationGet ?invitationId", Set("style", json!("label")), Breaking, Breaking),
        line(ParameterPlace, "listIamV2Invitations ?page_token", Replace(json!({
            "in": "query", "name": "page_token", "content": { "application/json": { "schema": { "type": "string", "maxLength": 255 } } },
        })), Breaking, Breaking),
        line(ParameterRequired, "listIamV2Invitations ?page_size", Set("required", json!(true)), Breaking, Additive),
        line(ParameterRequired, "listIamV2Invitations ?email", Set("required", json!(true)), Breaking, Additive),
        line(ParameterType, "listIamV2Invitations ?page_size schema", Set("type", json!("string")), Breaking, Breaking),
        line(ParameterType, "listIamV2Invitations ?page_token schema", Set("type", json!("integer")), Breaking, Breaking),
        line(ParameterType, "listIamV2Invitations ?creator schema", Set("type", json!("boolean")), Breaking, Breaking),
        line(ParameterType, "deleteIamV2Invitation ?id schema", Set("type", json!("integer")), Breaking, Breaking),
        line(ParameterType, "invitationGetList ?organizationId schema", Set("type", json!("integer")), Breaking, Breaking),
        line(ParameterType, "listIamV2Invitations ?page_token schema", Set("format", json!("uuid")), Breaking, Additive),
        line(ParameterType, "invitationDelete ?invitationId schema", Unset("format"), Additive, Breaking),
        line(ParameterType, "invitationGet ?invitationId schema", Set("format", json!("ulid")), Breaking, Breaking),
        line(ParameterType, "listIamV2Invitations ?status schema", AllowNull, Additive, Breaking),
        line(ParameterEnum, "listIamV2Invitations ?status schema", Set("enum", json!(["INVITE_STATUS_SENT"])), Breaking, Additive),
        line(ParameterEnum, "listIamV2Invitations ?status schema", Set("x-extensible-enum", json!(["INVITE_STATUS_SENT"])), Additive, Additive),
        line(ParameterEnum, "getIamV2Invitation ?id schema", Set("pattern", json!("^i-")), Breaking, Additive),
        line(ParameterDefault, "listIamV2Invitations ?page_size schema", Set("default", json!(20)), Breaking, Breaking),
        line(ParameterDefault, "listIamV2Invitations ?page_size schema", Unset("default"), Breaking, Breaking),
        line(ParameterDefault, "listIamV2Invitations ?page_token schema", Set("default", json!("first")), Breaking, Breaking),
        line(ParameterMaximum, "listIamV2Invitations ?page_size schema", Set("maximum", json!(50)), Breaking, Additive),
        line(ParameterMaximum, "listIamV2Invitations ?page_size schema", Set("maximum", json!(500)), Additive, Breaking),
        line(ParameterMaximum, "listIamV2Invitations ?page_size schema", Unset("maximum"), Additive, Breaking),
        line(ParameterMaximum, "listIamV2Invitations ?page_size schema", Set("minimum", json!(5)), Breaking, Additive),
        line(ParameterMaximum, "listIamV2Invitations ?page_size schema", Set("exclusiveMaximum", json!(true)), Breaking, Additive),
        line(ParameterMaximum, "listIamV2Invitations ?page_size schema", Set("multipleOf", json!(10)), Breaking, Additive),
        line(ParameterMaximum, "listIamV2Invitations ?page_token schema", Set("maxLength", json!(64)), Breaking, Additive),
        line(ParameterMaximum, "listIamV2Invitations ?page_token schema", Unset("maxLength"), Additive, Breaking),
        line(ParameterMaximum, "listIamV2Invitations ?page_token schema", Set("minLength", json!(8)), Breaking, Additive),
        line(ParameterAddedOrRemoved, "*", AddParameter(query("order", false)), Additive, Cosmetic),
        line(ParameterAddedOrRemoved, "*", AddParameter(query("order", true)), Breaking, Cosmetic),
        line(ParameterAddedOrRemoved, "*", AddParameter(header(false)), Additive, Cosmetic),
        line(ParameterAddedOrRemoved, "*", AddParameter(header(true)), Breaking, Cosmetic),
        line(ParameterAddedOrRemoved, "* item", AddParameter(query("order", false)), Additive, Cosmetic),
        line(ParameterAddedOrRemoved, "* item", AddParameter(header(true)), Breaking, Cosmetic),
        // A parameter that cannot be resolved may be required.
        line(ParameterAddedOrRemoved, "*", AddParameter(json!({ "$ref": "parameters.yaml#/tenant" })), Breaking, Cosmetic),
        line(ParameterAddedOrRemoved, "listIamV2Invitations ?page_token", Replace(json!({ "$ref": "#/components/parameters/Nowhere" })), Breaking, Additive),
        line(ParameterAddedOrRemoved, "listIamV2Invitations ?page_token", Remove, Breaking, Additive),
        line(ParameterAddedOrRemoved, "listIamV2Invitations ?page_size", Remove, Breaking, Additive),
        line(ParameterAddedOrRemoved, "getIamV2Invitation ?id", Remove, Breaking, Additive),
        line(ParameterAddedOrRemoved, "invitationGetList ?organizationId", Remove, Breaking, Additive),
        line(ParameterAddedOrRemoved, "invitationGet ?invitationId", Remove, Breaking, Additive),
        line(ParameterAddedOrRemoved, "listIamV2Invitations ?email", Remove, Breaking, Additive),
    ]
}
