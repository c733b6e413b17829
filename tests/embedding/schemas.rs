//! JSON Schemas accept what the types accept, and refuse what they refuse.

use jsonschema::validator_for;
use org_invitations::{
    Capabilities, InvitationId, ListQuery, MemberId, NewInvitation, Plan, ProviderConfig,
    SecretSource,
};
use schemars::{JsonSchema, schema_for};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

#[track_caller]
fn agree<T: DeserializeOwned + JsonSchema>(cases: &[(Value, bool)]) {
    let schema = schema_for!(T).to_value();
    let validator = validator_for(&schema).unwrap();
    let mut wrong = Vec::new();
    for (value, expected) in cases {
        let read = serde_json::from_value::<T>(value.clone());
        if read.is_ok() != *expected {
            wrong.push(format!("the type on {value}: {:?}", read.err()));
        }
        if validator.is_valid(value) != *expected {
            wrong.push(format!("the schema on {value}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?} {schema:#}");
}

#[test]
fn of_ids() {
    let long = "x".repeat(255);
    let cases = [
        (json!("i-1"), true),
        (json!("..."), true),
        (json!("ä"), true),
        (json!(long), true),
        (json!(format!("{long}x")), false),
        (json!(""), false),
        (json!("."), false),
        (json!(".."), false),
        (json!("a/b"), false),
        (json!("a\\b"), false),
        (json!("a?b"), false),
        (json!("a b"), false),
        (json!("a\u{7f}b"), false),
        (json!("a\nb"), false),
        (json!(1), false),
    ];
    agree::<InvitationId>(&cases);
    agree::<MemberId>(&cases);
}

#[test]
fn of_requests() {
    agree::<NewInvitation>(&[
        (json!({ "email": "ann@example.com" }), true),
        (
            json!({ "email": "a@b", "auth_type": "sso", "roles": { "grants": ["A", { "role": "B" }] } }),
            true,
        ),
        (
            json!({ "email": "a@b", "roles": { "legacy": "admin" } }),
            true,
        ),
        (
            json!({ "email": "a@b", "roles": { "legacy": "admin", "grants": [] } }),
            false,
        ),
        (
            json!({ "email": "a@b", "roles": { "grants": [{ "role": "B", "x": 1 }] } }),
            false,
        ),
        (json!({ "email": "a@b", "rolls": {} }), false),
        (json!({}), false),
    ]);
    agree::<ListQuery>(&[
        (json!({}), true),
        (json!({ "email": "a@b", "page_size": 5 }), true),
        (json!({ "page_size": -1 }), false),
        (json!({ "emial": "a@b" }), false),
    ]);
    agree::<Plan>(&[
        (json!({ "steps": [] }), true),
        (
            json!({ "steps": [{ "action": "keep", "email": "a@b" }] }),
            true,
        ),
        (
            json!({ "steps": [{ "action": "burn", "email": "a@b" }] }),
            false,
        ),
        (json!({ "steps": [], "x": 1 }), false),
        (json!({}), false),
    ]);
    let offers_nothing = serde_json::to_value(Capabilities::default()).unwrap();
    agree::<Capabilities>(&[(offers_nothing, true), (json!({}), false)]);
}

#[test]
fn of_configurations() {
    let confluent = |more: Value| {
        let mut config = json!({ "provider": "confluent" });
        let object = config.as_object_mut().unwrap();
        object.extend(more.as_object().unwrap().clone());
        config
    };
    agree::<ProviderConfig>(&[
        (
            confluent(json!({ "api_key": "K", "api_secret": "s" })),
            true,
        ),
        (confluent(json!({ "api_key": 12, "api_secret": 34 })), true),
        (confluent(json!({ "api_key": 1.5 })), false),
        (confluent(json!({ "api_key": null })), true),
        (confluent(json!({ "api_secret": { "file": "x" } })), true),
        (
            confluent(json!({ "api_secret": { "file": "x", "variable": "y" } })),
            false,
        ),
        (confluent(json!({ "api_secret": { "fiel": "x" } })), false),
        (confluent(json!({ "bogus": 1 })), false),
        (confluent(json!({ "organization_id": "x" })), false),
        (
            confluent(json!({ "base_url": "https://api.example.com" })),
            true,
        ),
        (
            confluent(json!({ "base_url": "http://127.0.0.1:8080" })),
            true,
        ),
        (
            confluent(json!({ "base_url": "http://api.example.com" })),
            false,
        ),
        (confluent(json!({ "base_url": "api.example.com" })), false),
        (
            confluent(json!({ "connection": { "timeout_seconds": 1.5 } })),
            true,
        ),
        (
            confluent(json!({ "connection": { "timeout": 1.5 } })),
            false,
        ),
        (
            confluent(json!({ "connection": { "proxy": "socks5://127.0.0.1" } })),
            true,
        ),
        (
            confluent(json!({ "connection": { "proxy": "ftp://127.0.0.1" } })),
            false,
        ),
        (
            confluent(json!({ "connection": { "retry": { "max_attempts": -1 } } })),
            false,
        ),
        (
            confluent(
                json!({ "sts": { "identity_pool_id": "p", "subject_token": { "file": "x" } } }),
            ),
            true,
        ),
        (
            confluent(json!({ "sts": { "identity_pool_id": "p", "subject_token": "x" } })),
            false,
        ),
        (
            confluent(json!({ "sts": { "subject_token": { "file": "x" } } })),
            false,
        ),
        (
            json!({ "provider": "clickhouse", "organization_id": "o" }),
            true,
        ),
        (
            json!({ "provider": "clickhouse", "access_token": "x" }),
            false,
        ),
        (json!({ "provider": "acme" }), false),
        (json!({ "api_key": "K" }), false),
    ]);
    agree::<SecretSource>(&[
        (json!("s"), true),
        (json!(7), true),
        (json!(true), false),
        (json!({ "command": ["a", "b"] }), true),
        (json!({ "command": "a b" }), false),
    ]);
}

#[test]
fn of_numbers_that_a_build_refuses() {
    let schema = schema_for!(ProviderConfig).to_value();
    let validator = validator_for(&schema).unwrap();
    for connection in [
        json!({ "timeout_seconds": -1 }),
        json!({ "retry": { "deadline_seconds": -0.5 } }),
        json!({ "rate_limit": { "requests": 1, "window_seconds": -60 } }),
    ] {
        let config = json!({
            "provider": "confluent", "access_token": "abc", "connection": connection,
        });
        assert!(!validator.is_valid(&config), "{config}");
        let config: ProviderConfig = serde_json::from_value(config).unwrap();
        config.build().unwrap_err();
    }
}
