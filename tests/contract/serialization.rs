//! The public data types: to and from JSON, and their schemas.

use org_invitations::{
    AuthType, Capabilities, ClickHouseConfig, ConfluentConfig, Invitation, InvitationId,
    InvitationProvider, InvitationStatus, ListQuery, NewInvitation, PageToken, ProviderConfig,
    ProviderKind, ResourceReference, RoleAssignment, RoleKind, Roles,
};
use schemars::{JsonSchema, schema_for};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    backend::Backend,
    support::{Answer, Wire},
};

#[track_caller]
fn round_trip<T>(value: &T, expected: &Value)
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let written = serde_json::to_value(value).unwrap();
    assert_eq!(&written, expected);
    assert_eq!(&serde_json::from_value::<T>(written).unwrap(), value);
}

async fn read(backend: Backend, object: &Value) -> Invitation {
    let wire = Wire::always(Answer::json(200, &backend.envelope(object.clone()))).await;
    backend.connect(&wire).get(&backend.id()).await.unwrap()
}

#[tokio::test]
async fn an_invitation_survives_json() {
    let confluent = json!({
        "id": "i-7od91", "email": "ann@example.com", "status": "INVITE_STATUS_BOUNCED",
        "auth_type": "AUTH_TYPE_LOCAL", "expires_at": "2026-03-08T10:00:00.123456789Z",
        "metadata": { "created_at": "2026-03-01T10:00:00Z" }, "user": { "id": "u-1", "x": [null] },
        "new_thing": { "deep": 1 },
    });
    let clickhouse = json!({
        "id": Backend::ClickHouse.id_text(), "email": "ann@example.com", "role": "admin",
        "createdAt": "2026-03-01T10:00:00Z", "expireAt": "2199-03-08T10:00:00.5Z", "new_thing": null,
        "assignedRoles": [{ "roleId": "1", "roleName": "A", "roleType": "odd", "extra": true }],
    });
    for (backend, object) in [
        (Backend::Confluent, confluent),
        (Backend::ClickHouse, clickhouse),
    ] {
        let invitation = read(backend, &object).await;
        let text = serde_json::to_string(&invitation).unwrap();
        let again: Invitation = serde_json::from_str(&text).unwrap();
        assert_eq!(again, invitation, "{backend:?} by way of {text}");
        let from_slice: Invitation = serde_json::from_reader(text.as_bytes()).unwrap();
        assert_eq!(from_slice, invitation, "{backend:?} by way of a reader");
    }
}

#[tokio::test]
async fn json_has_the_librarys_fields_and_omits_unknown_ones() {
    let object = json!({
        "id": "i-7od91", "email": "ann@example.com", "status": "INVITE_STATUS_SENT",
        "auth_type": "AUTH_TYPE_SSO", "accepted_at": null, "expires_at": "2026-03-08T10:00:00Z",
        "colour": "red",
    });
    let invitation = read(Backend::Confluent, &object).await;
    let expected = json!({
        "id": "i-7od91", "email": "ann@example.com", "status": "sent", "auth_type": "sso",
        "expires_at": "2026-03-08T10:00:00Z", "extra": { "colour": "red" },
    });
    round_trip(&invitation, &expected);
}

#[test]
fn open_sets_are_words_and_keep_what_they_do_not_know() {
    for (status, word) in [
        (InvitationStatus::Sent, "sent"),
        (InvitationStatus::Staged, "staged"),
        (InvitationStatus::Accepted, "accepted"),
        (InvitationStatus::Expired, "expired"),
        (InvitationStatus::Deactivated, "deactivated"),
        (InvitationStatus::from("INVITE_X"), "INVITE_X"),
    ] {
        round_trip(&status, &json!(word));
        assert_eq!(status.to_string(), word);
    }
    round_trip(&AuthType::Local, &json!("local"));
    round_trip(&AuthType::Sso, &json!("sso"));
    round_trip(&AuthType::from("KEY"), &json!("KEY"));
    round_trip(&RoleKind::System, &json!("system"));
    round_trip(&RoleKind::Custom, &json!("custom"));
    round_trip(&RoleKind::from("odd"), &json!("odd"));
}

#[test]
fn requests_are_data_too() {
    let new = || NewInvitation::new("ann@example.com");
    round_trip(&new(), &json!({ "email": "ann@example.com" }));
    round_trip(
        &new().auth_type(AuthType::Sso),
        &json!({ "email": "ann@example.com", "auth_type": "sso" }),
    );
    round_trip(
        &new().roles(["a"]),
        &json!({ "email": "ann@example.com", "roles": { "grants": ["a"] } }),
    );
    round_trip(
        &new().legacy_role("admin"),
        &json!({ "email": "ann@example.com", "roles": { "legacy": "admin" } }),
    );
    round_trip(&ListQuery::new(), &json!({}));
    let query = ListQuery::new().email("a@b").status(InvitationStatus::Sent);
    round_trip(
        &query.user("u").creator("c").page_size(3),
        &json!({ "email": "a@b", "status": "sent", "user": "u", "creator": "c", "page_size": 3 }),
    );
    round_trip(&PageToken::new("a=="), &json!("a=="));
    let id = InvitationId::new("i-1").unwrap();
    round_trip(&id, &json!("i-1"));
}

/// The names of the properties that a schema has.
fn properties<T: JsonSchema>() -> Vec<String> {
    let schema = schema_for!(T).to_value();
    let properties = schema["properties"].as_object();
    properties.map_or_else(Vec::new, |map| map.keys().cloned().collect())
}

#[tokio::test]
async fn the_schema_of_an_invitation_has_every_serialized_field() {
    let object = json!({
        "id": "i-7od91", "email": "a@b", "status": "INVITE_STATUS_SENT", "auth_type": "x",
        "accepted_at": "2026-03-08T10:00:00Z", "expires_at": "2026-03-08T10:00:00Z",
        "metadata": { "created_at": "2026-03-08T10:00:00Z" }, "user": { "id": "u" },
        "creator": { "id": "u" },
    });
    let mut invitation = read(Backend::Confluent, &object).await;
    invitation.role = Some("admin".to_owned());
    invitation.roles = Some(vec![RoleAssignment::default()]);
    let written = serde_json::to_value(&invitation).unwrap();
    let mut written: Vec<_> = written.as_object().unwrap().keys().cloned().collect();
    let mut described = properties::<Invitation>();
    written.sort();
    described.sort();
    assert_eq!(written, described);
    let schema = schema_for!(Invitation).to_value();
    assert_eq!(schema["required"], json!(["id", "email"]), "{schema}");
}

#[test]
fn every_public_data_type_has_a_schema() {
    let schemas = [
        schema_for!(Invitation),
        schema_for!(InvitationId),
        schema_for!(InvitationStatus),
        schema_for!(AuthType),
        schema_for!(RoleAssignment),
        schema_for!(RoleKind),
        schema_for!(Roles),
        schema_for!(ResourceReference),
        schema_for!(NewInvitation),
        schema_for!(ListQuery),
        schema_for!(PageToken),
        schema_for!(Capabilities),
        schema_for!(ProviderKind),
        schema_for!(ProviderConfig),
        schema_for!(ConfluentConfig),
        schema_for!(ClickHouseConfig),
    ];
    for schema in schemas {
        let schema = schema.to_value();
        let recorded = ["type", "oneOf", "anyOf", "enum", "properties"];
        assert!(
            recorded.iter().any(|key| schema.get(key).is_some()),
            "{schema}"
        );
    }
    for word in ["sent", "staged", "accepted", "expired", "deactivated"] {
        let schema = schema_for!(InvitationStatus).to_value();
        // An open set: the known words are examples, not the only ones.
        assert!(
            schema.to_string().contains(word) && schema.get("enum").is_none(),
            "{schema}"
        );
    }
}

#[test]
fn the_schema_of_the_configuration_names_its_fields() {
    let schema = schema_for!(ProviderConfig).to_value().to_string();
    for name in [
        "provider",
        "confluent",
        "clickhouse",
        "api_key",
        "api_secret",
        "access_token",
        "organization_id",
        "base_url",
        "sts",
        "identity_pool_id",
        "subject_token",
        "connection",
        "timeout_seconds",
        "connect_timeout_seconds",
        "read_timeout_seconds",
        "max_body_bytes",
        "max_concurrency",
        "rate_limit",
        "retry",
        "max_attempts",
        "retry_budget",
        "per_success",
        "shared_rate_limit",
        "redis",
    ] {
        assert!(
            schema.contains(&format!("\"{name}\"")),
            "{name} is not in {schema}"
        );
    }
}

#[test]
fn a_misspelt_property_of_what_steers_is_an_error() {
    for (what, outcome) in [
        (
            "a query",
            serde_json::from_value::<ListQuery>(json!({ "emial": "a@b.c" })).err(),
        ),
        (
            "an invitation",
            serde_json::from_value::<NewInvitation>(json!({ "email": "a@b.c", "rolez": {} })).err(),
        ),
    ] {
        assert!(outcome.is_some(), "{what} was read");
    }
}

#[test]
fn words_of_sets_compare_without_case() {
    assert_eq!(InvitationStatus::from("SENT"), InvitationStatus::Sent);
    assert_eq!(AuthType::from("Sso"), AuthType::Sso);
    assert_eq!(InvitationStatus::from("Newer").as_str(), "Newer");
}
