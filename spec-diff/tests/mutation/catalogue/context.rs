//! Everything but bodies and parameters: statuses, errors, headers, authentication, servers, deprecation.

use org_invitations_spec_diff::Class::{Additive, Breaking, Cosmetic};
use serde_json::json;

use super::{Mutation, Row::*, line};
use crate::edit::Edit::*;

#[rustfmt::skip]
pub fn statuses() -> Vec<Mutation> {
    let words = || json!({ "description": "words" });
    vec![
        line(SuccessStatus, "* 2xx", Rename("202"), Cosmetic, Cosmetic),
        line(SuccessStatus, "* 2xx", Rename("2XX"), Cosmetic, Cosmetic),
        line(SuccessStatus, "* 2xx", Rename("default"), Breaking, Additive),
        line(SuccessStatus, "* 2xx", Rename("302"), Breaking, Additive),
        line(SuccessStatus, "* 2xx", Remove, Breaking, Additive),
        line(SuccessStatus, "exchangeStsV1OauthToken 200", Replace(json!({ "$ref": "responses.yaml#/Token" })), Breaking, Additive),
        line(SuccessStatus, "invitationGet 200", Replace(json!({ "$ref": "#/components/responses/Nowhere" })), Breaking, Additive),
        line(SuccessStatus, "*", Add("responses", "206", words()), Additive, Cosmetic),
        // A second success, whether its number is the greater or the smaller one.
        line(SuccessStatus, "createIamV2Invitation 201", Copy("202"), Additive, Cosmetic),
        line(SuccessStatus, "createIamV2Invitation 201", Copy("200"), Additive, Cosmetic),
        line(SuccessStatus, "deleteIamV2Invitation 204", Copy("200"), Additive, Cosmetic),
    ]
}

#[rustfmt::skip]
pub fn errors() -> Vec<Mutation> {
    let words = || json!({ "description": "words" });
    let text = || json!({ "type": "string" });
    vec![
        line(ErrorBody, "* 400", Remove, Cosmetic, Additive),
        line(ErrorBody, "* 500", Rename("503"), Additive, Additive),
        line(ErrorBody, "*", Add("responses", "418", words()), Additive, Cosmetic),
        line(ErrorBody, "*", Add("responses", "default", words()), Additive, Cosmetic),
        line(ErrorBody, "* 400 content", Rename("application/problem+json"), Breaking, Additive),
        line(ErrorBody, "* 400", Unset("content"), Breaking, Additive),
        line(ErrorBody, "* 400", Add("content", "text/html", json!({ "schema": text() })), Additive, Cosmetic),
        line(ErrorBody, "* 429", Add("content", "application/json", json!({ "schema": text() })), Additive, Breaking),
        line(ErrorBody, "createIamV2Invitation 409 .errors", Set("type", json!("object")), Breaking, Breaking),
        line(ErrorBody, "createIamV2Invitation 409 .errors", Rename("problems"), Breaking, Breaking),
        line(ErrorBody, "createIamV2Invitation 409 .errors [] .detail", Remove, Breaking, Additive),
        line(ErrorBody, "createIamV2Invitation 422 .errors [] .source .pointer", Set("type", json!("array")), Breaking, Breaking),
        line(ErrorBody, "getIamV2Invitation 404 .errors [] .code", Set("enum", json!(["gone"])), Cosmetic, Additive),
        line(ErrorBody, "getIamV2Invitation 404 .errors [] @", Add("properties", "help", text()), Additive, Breaking),
        line(ErrorBody, "getIamV2Invitation 404", Unrequire("errors"), Additive, Cosmetic),
        line(ErrorBody, "exchangeStsV1OauthToken 400 .errors [] .code", Set("type", json!("integer")), Breaking, Breaking),
        line(ErrorBody, "exchangeStsV1OauthToken 400 .errors", AllowNull, Additive, Cosmetic),
        line(ErrorBody, "invitationCreate 400 .error", Remove, Breaking, Additive),
        line(ErrorBody, "invitationCreate 400 .error", Set("type", json!("object")), Breaking, Breaking),
        line(ErrorBody, "invitationCreate 400 .error", AllowNull, Additive, Cosmetic),
        line(ErrorBody, "invitationDelete 500 .status", Set("type", json!("string")), Breaking, Breaking),
        line(ErrorBody, "invitationGet 400 @", Add("properties", "help", text()), Additive, Breaking),
    ]
}

#[rustfmt::skip]
pub fn headers() -> Vec<Mutation> {
    let text = || json!({ "schema": { "type": "string" } });
    vec![
        line(ResponseHeader, "* 2xx #X-Request-Id", Remove, Breaking, Additive),
        line(ResponseHeader, "* 429 #Retry-After", Remove, Breaking, Additive),
        line(ResponseHeader, "* 401 #WWW-Authenticate", Remove, Breaking, Additive),
        line(ResponseHeader, "* 2xx #X-RateLimit-Remaining", Remove, Breaking, Additive),
        line(ResponseHeader, "createIamV2Invitation 201 #Location", Remove, Breaking, Additive),
        line(ResponseHeader, "* 2xx #X-Request-Id", Rename("X-Correlation-Id"), Breaking, Additive),
        line(ResponseHeader, "* 429 #Retry-After schema", Set("type", json!("string")), Breaking, Breaking),
        line(ResponseHeader, "* 2xx #X-RateLimit-Reset schema", Set("type", json!("string")), Breaking, Breaking),
        line(ResponseHeader, "createIamV2Invitation 201 #Location schema", Unset("format"), Cosmetic, Cosmetic),
        line(ResponseHeader, "listIamV2Invitations 200 #X-RateLimit-Limit", Set("required", json!(true)), Cosmetic, Cosmetic),
        line(ResponseHeader, "* 2xx #X-Request-Id", Replace(json!({ "$ref": "#/components/headers/Nowhere" })), Breaking, Breaking),
        line(ResponseHeader, "* 2xx", Add("headers", "X-Cache", text()), Additive, Cosmetic),
        line(ResponseHeader, "* 400", Add("headers", "X-Cache", text()), Additive, Cosmetic),
        line(ResponseHeader, "* 400", Add("headers", "Retry-After", text()), Additive, Breaking),
    ]
}

#[rustfmt::skip]
pub fn authentication() -> Vec<Mutation> {
    let key = || json!({ "type": "apiKey", "in": "header", "name": "X-Api-Key" });
    let flows = || json!({ "clientCredentials": { "tokenUrl": "https://elsewhere.example/token", "scopes": {} } });
    vec![
        line(Authentication, "listIamV2Invitations security/1", Remove, Breaking, Additive),
        line(Authentication, "createIamV2Invitation security/0", Remove, Breaking, Additive),
        line(Authentication, "getIamV2Invitation security", Append(json!({ "mutual-tls": [] })), Additive, Breaking),
        line(Authentication, "getIamV2Invitation security", Append(json!({})), Additive, Breaking),
        line(Authentication, "listIamV2Invitations security/0", Set("mutual-tls", json!([])), Breaking, Breaking),
        line(Authentication, "listIamV2Invitations security/1", Set("confluent-sts-access-token", json!(["read"])), Breaking, Breaking),
        line(Authentication, "listIamV2Invitations scheme/0", Set("scheme", json!("bearer")), Breaking, Breaking),
        line(Authentication, "listIamV2Invitations scheme/0", Replace(key()), Breaking, Breaking),
        line(Authentication, "listIamV2Invitations scheme/1", Set("flows", flows()), Breaking, Breaking),
        line(Authentication, "invitationGetList security", Append(json!({ "token": [] })), Additive, Breaking),
        line(Authentication, "invitationGetList security/0", Replace(json!({ "token": [] })), Breaking, Breaking),
        line(Authentication, "invitationGetList scheme/0", Set("scheme", json!("bearer")), Breaking, Breaking),
        line(Authentication, "invitationGetList scheme/0", Replace(key()), Breaking, Breaking),
        line(Authentication, "invitationGet", Put("security", json!([{ "token": [] }])), Breaking, Breaking),
        // Where no credentials were needed, the library sends none.
        Mutation {
            back: None,
            ..line(Authentication, "exchangeStsV1OauthToken", Put("security", json!([{ "token": [] }])), Breaking, Breaking)
        },
    ]
}

#[rustfmt::skip]
pub fn servers() -> Vec<Mutation> {
    let elsewhere = || json!([{ "url": "https://elsewhere.example" }]);
    vec![
        line(Server, "document server", Put("url", json!("https://elsewhere.example")), Breaking, Breaking),
        line(Server, "document server", Put("url", json!("https://api.confluent.cloud/eu")), Breaking, Breaking),
        // A document without servers does not tell where the service is.
        line(Server, "document servers", Remove, Cosmetic, Cosmetic),
        // Servers of an operation override those of the document.
        line(Server, "*", Put("servers", elsewhere()), Breaking, Breaking),
        line(Server, "* item", Put("servers", elsewhere()), Breaking, Breaking),
    ]
}

#[rustfmt::skip]
pub fn deprecation() -> Vec<Mutation> {
    let yes = || Set("deprecated", json!(true));
    vec![
        line(Deprecation, "*", yes(), Cosmetic, Cosmetic),
        line(Deprecation, "listIamV2Invitations ?page_size", yes(), Cosmetic, Cosmetic),
        line(Deprecation, "listIamV2Invitations ?email", yes(), Cosmetic, Cosmetic),
        line(Deprecation, "getIamV2Invitation ?id", yes(), Cosmetic, Cosmetic),
        line(Deprecation, "invitationGet ?invitationId", yes(), Cosmetic, Cosmetic),
        line(Deprecation, "createIamV2Invitation body .auth_type", yes(), Cosmetic, Cosmetic),
        line(Deprecation, "getIamV2Invitation 200 .status", yes(), Cosmetic, Cosmetic),
        // Said of the property, not of the schema that it shares with others.
        line(Deprecation, "getIamV2Invitation 200 .user", yes(), Cosmetic, Cosmetic),
        line(Deprecation, "exchangeStsV1OauthToken body .expires_in", yes(), Cosmetic, Cosmetic),
        line(Deprecation, "exchangeStsV1OauthToken 200 .issued_token_type", yes(), Cosmetic, Cosmetic),
        line(Deprecation, "invitationCreate body .assignedRoleIds", yes(), Cosmetic, Cosmetic),
        line(Deprecation, "invitationCreate body .role", Unset("deprecated"), Cosmetic, Cosmetic),
        line(Deprecation, "invitationGet 200 .result .createdAt", yes(), Cosmetic, Cosmetic),
        line(Deprecation, "invitationGet 200 .result", yes(), Cosmetic, Cosmetic),
        line(Deprecation, "createIamV2Invitation 201 #Location", yes(), Cosmetic, Cosmetic),
    ]
}
