//! ClickHouse Cloud: one invitation.

use std::sync::{Arc, Mutex};

use org_invitations::{
    AttemptEvent, ClickHouse, ErrorKind, Invitation, InvitationProvider, InvitationStatus,
    NewInvitation, Operation, RateLimit, RoleAssignment, RoleKind, Roles,
};
use serde_json::{Value, json};

use crate::{
    backend::{BASIC, Backend, EMAIL, KEY, OPERATIONS, ORGANIZATION, REQUEST_ID, SECRET, Setup},
    backend::{refused, run},
    support::{Answer, Checks, Wire, time},
};

const BACKEND: Backend = Backend::ClickHouse;

fn full_object() -> Value {
    json!({
        "id": BACKEND.id_text(),
        "email": EMAIL,
        "role": "developer",
        "createdAt": "2026-03-01T10:00:00.123Z",
        "expireAt": "2199-03-08T10:00:00Z",
        "assignedRoles": [
            { "roleId": "6a7c", "roleName": "Admin", "roleType": "system" },
            { "roleId": "9b01", "roleName": "On call", "roleType": "custom", "scope": { "a": null } },
            { "roleId": "11ff", "roleType": "partner" },
            {},
        ],
        "locale": "de",
        "delivery": { "tries": [1, 2.5] },
        "note": null,
    })
}

fn role(id: Option<&str>, name: Option<&str>, kind: Option<RoleKind>) -> RoleAssignment {
    let mut role = RoleAssignment::default();
    role.id = id.map(str::to_owned);
    role.name = name.map(str::to_owned);
    role.kind = kind;
    role
}

fn full_invitation() -> Invitation {
    let wire = full_object();
    let mut on_call = role(Some("9b01"), Some("On call"), Some(RoleKind::Custom));
    on_call
        .extra
        .insert("scope".to_owned(), json!({ "a": null }));
    let mut invitation = Invitation::new(BACKEND.id(), EMAIL);
    invitation.status = Some(InvitationStatus::Sent);
    invitation.role = Some("developer".to_owned());
    invitation.created_at = Some(time("2026-03-01T10:00:00.123Z"));
    invitation.expires_at = Some(time("2199-03-08T10:00:00Z"));
    invitation.roles = Some(vec![
        role(Some("6a7c"), Some("Admin"), Some(RoleKind::System)),
        on_call,
        role(Some("11ff"), None, Some(RoleKind::from("partner"))),
        role(None, None, None),
    ]);
    for key in ["locale", "delivery", "note"] {
        invitation.extra.insert(key.to_owned(), wire[key].clone());
    }
    invitation
}

async fn read(body: &Value) -> org_invitations::Result<Invitation> {
    let wire = Wire::always(Answer::json(200, body)).await;
    BACKEND.connect(&wire).get(&BACKEND.id()).await
}

const ROLE: &str = "5a1e0000-0000-4000-8000-000000000001";
const OTHER_ROLE: &str = "5a1e0000-0000-4000-8000-000000000002";

#[tokio::test]
async fn every_operation_sends_exactly_what_is_documented() {
    let mut checks = Checks::default();
    for operation in OPERATIONS {
        checks.case(format!("{operation}"));
        let wire = Wire::always(BACKEND.success(operation)).await;
        let outcome = run(&*BACKEND.connect(&wire), BACKEND, operation).await;
        checks.that(outcome.is_ok(), format!("{outcome:?}"));
        BACKEND.check_request(&mut checks, &wire.only(), operation);
    }
}

#[tokio::test]
async fn create_and_get_decode_every_field_with_or_without_envelope() {
    for operation in [Operation::Create, Operation::Get] {
        for body in [BACKEND.envelope(full_object()), full_object()] {
            for status in [200, 201] {
                let wire = Wire::always(Answer::json(status, &body)).await;
                let provider = BACKEND.connect(&wire);
                let invitation = match operation {
                    Operation::Create => provider.create(NewInvitation::new(EMAIL)).await,
                    _ => provider.get(&BACKEND.id()).await,
                };
                let invitation = invitation.unwrap_or_else(|error| panic!("{body}: {error}"));
                assert_eq!(
                    invitation,
                    full_invitation(),
                    "{operation} {status} of {body}"
                );
            }
        }
    }
}

#[tokio::test]
async fn create_sends_the_role_or_the_role_ids_or_neither() {
    let new = || NewInvitation::new("Ann@Example.com");
    let email = "Ann@Example.com";
    for (new, body) in [
        (new(), json!({ "email": email })),
        (
            new().legacy_role("developer"),
            json!({ "email": email, "role": "developer" }),
        ),
        (
            new().legacy_role("auditor"),
            json!({ "email": email, "role": "auditor" }),
        ),
        (
            new().roles([ROLE, OTHER_ROLE]),
            json!({ "email": email, "assignedRoleIds": [ROLE, OTHER_ROLE] }),
        ),
        (
            new().roles(Vec::<String>::new()),
            json!({ "email": email, "assignedRoleIds": [] }),
        ),
        // The last one wins; never both.
        (
            new().legacy_role("admin").roles([ROLE]),
            json!({ "email": email, "assignedRoleIds": [ROLE] }),
        ),
    ] {
        let wire = Wire::always(BACKEND.success(Operation::Create)).await;
        let provider = BACKEND.connect(&wire);
        if matches!(new.roles, Some(Roles::Grants(_))) && !provider.capabilities().roles {
            let error = refused(provider.create(new).await);
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
            wire.assert_untouched("role ids");
            continue;
        }
        provider.create(new.clone()).await.unwrap();
        assert_eq!(wire.only().json(), body, "{new:?}");
    }
}

#[tokio::test]
async fn the_status_follows_from_the_time_of_expiry() {
    for (expire_at, status) in [
        (json!("2199-03-08T10:00:00Z"), Some(InvitationStatus::Sent)),
        (
            json!("2020-03-08T10:00:00.000Z"),
            Some(InvitationStatus::Expired),
        ),
        (Value::Null, None),
    ] {
        let mut object = BACKEND.object();
        object["expireAt"] = expire_at.clone();
        let invitation = read(&BACKEND.envelope(object)).await.unwrap();
        assert_eq!(invitation.status, status, "{expire_at}");
    }
}

#[tokio::test]
async fn times_have_up_to_nine_fractional_digits() {
    for text in [
        "2199-03-08T10:00:00Z",
        "2199-03-08T10:00:00.123Z",
        "2199-03-08T10:00:00.123456789Z",
    ] {
        let mut object = BACKEND.object();
        object["createdAt"] = json!(text);
        object["expireAt"] = json!(text);
        let invitation = read(&BACKEND.envelope(object)).await.unwrap();
        assert_eq!(
            (invitation.created_at, invitation.expires_at),
            (Some(time(text)), Some(time(text)))
        );
    }
}

#[tokio::test]
async fn every_optional_property_may_be_absent_or_null() {
    let bare = Invitation::new(BACKEND.id(), EMAIL);
    let read_bare = read(&BACKEND.envelope(BACKEND.object())).await.unwrap();
    assert_eq!(read_bare, bare);
    let mut object = BACKEND.object();
    for name in ["role", "createdAt", "expireAt", "assignedRoles"] {
        object[name] = Value::Null;
    }
    let invitation = read(&BACKEND.envelope(object.clone())).await;
    let invitation = invitation.unwrap_or_else(|error| panic!("{object}: {error}"));
    assert_eq!((invitation.role, invitation.status), (None, None));
    // No roles and no word about roles are different.
    object["assignedRoles"] = json!([]);
    let invitation = read(&BACKEND.envelope(object)).await.unwrap();
    assert_eq!(invitation.roles, Some(vec![]));
}

#[tokio::test]
async fn delete_takes_200_and_204() {
    for answer in [
        Answer::json(200, &json!({ "status": 200, "requestId": REQUEST_ID })),
        Answer::json(200, &json!({})),
        Answer::empty(200),
        Answer::empty(204),
    ] {
        let status = answer.status;
        let wire = Wire::always(answer).await;
        let outcome = BACKEND.connect(&wire).delete(&BACKEND.id()).await;
        assert!(outcome.is_ok(), "{status}: {outcome:?}");
        wire.only();
    }
}

#[tokio::test]
async fn the_base_url_may_have_a_version_a_slash_or_a_prefix() {
    let mut checks = Checks::default();
    let path = BACKEND.collection();
    for (end, expected) in [
        ("", path.clone()),
        ("/", path.clone()),
        ("/v1", path.clone()),
        ("/v1/", path.clone()),
        ("/proxy/clickhouse", format!("/proxy/clickhouse{path}")),
        ("/proxy/clickhouse/v1", format!("/proxy/clickhouse{path}")),
    ] {
        checks.case(format!("a base URL that ends with {end:?}"));
        let wire = Wire::always(BACKEND.success(Operation::List)).await;
        let url = format!("{}{end}", wire.url());
        let provider = BACKEND.connect_with(url, Setup::default());
        let outcome = run(&*provider, BACKEND, Operation::List).await;
        checks.that(outcome.is_ok(), format!("{outcome:?}"));
        let sent = wire.only();
        checks.same("the path", &sent.path, &expected);
        checks.same("authorization", sent.header("authorization"), [BASIC]);
    }
}

#[tokio::test]
async fn an_organization_that_cannot_be_in_a_path_is_refused() {
    for id in ["", ".", "..", "a/b", "a?b", "a#b", "a%2Fb", "a b", "a\nb"] {
        let builder = ClickHouse::builder(id).api_key(KEY, SECRET);
        let error = refused(builder.base_url("http://127.0.0.1:1").build());
        assert_eq!(error.kind(), ErrorKind::Config, "{id:?}: {error}");
    }
    let good = ClickHouse::builder(ORGANIZATION).api_key(KEY, SECRET);
    assert_eq!(good.build().unwrap().organization_id(), ORGANIZATION);
}

#[tokio::test]
async fn an_id_of_another_resource_does_not_pass_for_an_invitations() {
    for id in ["../members/u1", "", "a/b", ".."] {
        let object = json!({ "id": id, "email": EMAIL });
        let error = refused(read(&BACKEND.envelope(object)).await);
        assert_eq!(error.kind(), ErrorKind::Decode, "{id:?}: {error}");
    }
}

/// The name of an operation in the bindings.
fn name_of(operation: Operation) -> &'static str {
    match operation {
        Operation::Create => "invitation_create",
        Operation::Get => "invitation_get",
        Operation::List => "invitation_get_list",
        _ => "invitation_delete",
    }
}

#[tokio::test]
async fn the_observer_sees_the_bodys_request_id_and_the_rate_limit() {
    type Seen = (&'static str, u16, Option<String>, Option<RateLimit>);
    let mut checks = Checks::default();
    let cases = OPERATIONS.map(|operation| (operation, BACKEND.success(operation)));
    let failures = OPERATIONS.map(|operation| (operation, BACKEND.refusal(500)));
    for (operation, answer) in cases.into_iter().chain(failures) {
        let status = answer.status;
        checks.case(format!("{operation} {status}"));
        let answer = answer
            .header("X-RateLimit-Limit", "10")
            .header("X-RateLimit-Remaining", "9")
            .header("X-RateLimit-Reset", "2.5")
            .header("X-RateLimit-Policy", "10;w=10");
        let wire = Wire::always(answer).await;
        let replies: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let record = Arc::clone(&replies);
        let setup = Setup {
            interceptor: Some(Arc::new(move |reply: &AttemptEvent<'_>| {
                assert_eq!(reply.provider, "clickhouse");
                record.lock().unwrap().push((
                    reply.operation,
                    reply.status().unwrap(),
                    reply.request_id(),
                    reply.rate_limit(),
                ));
            })),
            ..Setup::default()
        };
        let _ = run(
            &*BACKEND.connect_with(wire.url(), setup),
            BACKEND,
            operation,
        )
        .await;
        let mut limit = RateLimit::default();
        limit.limit = Some(10);
        limit.remaining = Some(9);
        limit.reset = Some(std::time::Duration::from_millis(2500));
        let expected = (
            name_of(operation),
            status,
            Some(REQUEST_ID.to_owned()),
            Some(limit),
        );
        checks.same(
            "what was observed",
            replies.lock().unwrap().clone(),
            vec![expected],
        );
    }
}
