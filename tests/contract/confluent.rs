//! Confluent Cloud, IAM v2: one invitation.

use std::sync::{Arc, Mutex};

use org_invitations::{
    AttemptEvent, AuthType, Confluent, ErrorKind, Invitation, InvitationProvider, InvitationStatus,
    NewInvitation, Operation, RateLimit, ResourceReference,
};
use serde_json::{Value, json};

use crate::{
    backend::{Backend, EMAIL, OPERATIONS, REQUEST_ID, Setup, refused, run},
    support::{Answer, Checks, Wire, time},
};

const BACKEND: Backend = Backend::Confluent;

/// Everything that the vendor documents, and what was observed beside it.
fn full_object() -> Value {
    let organization = "crn://confluent.cloud/organization=51c7e0d2-3b6f-4a19-8f5d-7e2a90b4c6d8";
    let user = |id: &str| {
        json!({
            "id": id,
            "related": format!("https://api.confluent.cloud/iam/v2/users/{id}"),
            "resource_name": format!("{organization}/user={id}"),
            "api_version": "iam/v2",
            "kind": "User",
        })
    };
    json!({
        "api_version": "iam/v2",
        "kind": "Invitation",
        "id": "i-7od91",
        "metadata": {
            "self": "https://api.confluent.cloud/iam/v2/invitations/i-7od91",
            "resource_name": format!("{organization}/invitation=i-7od91"),
            "created_at": "2026-03-01T10:00:00.123456789Z",
            "updated_at": "2026-03-02T11:00:00Z",
            "deleted_at": "2026-03-03T12:00:00.5Z",
        },
        "email": "Ann@Example.com",
        "auth_type": "AUTH_TYPE_SSO",
        "status": "INVITE_STATUS_ACCEPTED",
        "accepted_at": "2026-03-02T11:00:00.25Z",
        "expires_at": "2026-03-08T10:00:00.123456Z",
        "user": user("u-4r2k9x"),
        "creator": user("u-m2r9o7"),
        "locale": "de",
        "delivery": { "channel": "mail", "tries": [1, 2.5, { "at": null }] },
        "note": null,
    })
}

fn full_invitation() -> Invitation {
    let wire = full_object();
    let reference = |name: &str| {
        let text = |key: &str| wire[name][key].as_str().map(str::to_owned);
        let mut reference = ResourceReference::new(text("id").unwrap());
        reference.related = text("related");
        reference.resource_name = text("resource_name");
        for key in ["api_version", "kind"] {
            let value = wire[name][key].clone();
            reference.extra.insert(key.to_owned(), value);
        }
        reference
    };
    let mut invitation = Invitation::new(BACKEND.id(), "Ann@Example.com");
    invitation.status = Some(InvitationStatus::Accepted);
    invitation.auth_type = Some(AuthType::Sso);
    invitation.created_at = Some(time("2026-03-01T10:00:00.123456789Z"));
    invitation.expires_at = Some(time("2026-03-08T10:00:00.123456Z"));
    invitation.accepted_at = Some(time("2026-03-02T11:00:00.25Z"));
    invitation.user = Some(reference("user"));
    invitation.creator = Some(reference("creator"));
    for key in [
        "api_version",
        "kind",
        "metadata",
        "locale",
        "delivery",
        "note",
    ] {
        invitation.extra.insert(key.to_owned(), wire[key].clone());
    }
    invitation
}

async fn read(object: &Value) -> org_invitations::Result<Invitation> {
    let wire = Wire::always(Answer::json(200, object)).await;
    BACKEND.connect(&wire).get(&BACKEND.id()).await
}

/// What is made of the usual invitation with these properties besides.
async fn read_with(properties: Value) -> Invitation {
    let mut object = BACKEND.object();
    let (Value::Object(object_map), Value::Object(properties)) = (&mut object, properties) else {
        panic!("properties are an object");
    };
    object_map.extend(properties);
    read(&object)
        .await
        .unwrap_or_else(|error| panic!("{object}: {error}"))
}

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
async fn create_and_get_decode_every_field() {
    for (operation, status) in [(Operation::Create, 201), (Operation::Get, 200)] {
        let wire = Wire::always(Answer::json(status, &full_object())).await;
        let provider = BACKEND.connect(&wire);
        let invitation = match operation {
            Operation::Create => provider.create(NewInvitation::new(EMAIL)).await,
            _ => provider.get(&BACKEND.id()).await,
        };
        assert_eq!(invitation.unwrap(), full_invitation(), "{operation}");
    }
}

#[tokio::test]
async fn create_sends_an_auth_type_in_the_vendors_words() {
    for (auth_type, word) in [
        (AuthType::Local, "AUTH_TYPE_LOCAL"),
        (AuthType::Sso, "AUTH_TYPE_SSO"),
        (AuthType::from("AUTH_TYPE_PASSKEY"), "AUTH_TYPE_PASSKEY"),
    ] {
        let wire = Wire::always(BACKEND.success(Operation::Create)).await;
        let new = NewInvitation::new("Ann@Example.com").auth_type(auth_type);
        BACKEND.connect(&wire).create(new).await.unwrap();
        let expected = json!({ "email": "Ann@Example.com", "auth_type": word });
        assert_eq!(wire.only().json(), expected);
    }
}

#[tokio::test]
async fn an_access_token_is_sent_as_bearer() {
    for operation in OPERATIONS {
        let wire = Wire::always(BACKEND.success(operation)).await;
        let builder = Confluent::builder().access_token("eyJhbGciOi.x.y");
        let provider = builder.base_url(wire.url()).build().unwrap();
        run(&provider, BACKEND, operation).await.unwrap();
        let sent = wire.only();
        assert_eq!(
            sent.header("authorization"),
            ["Bearer eyJhbGciOi.x.y"],
            "{operation}"
        );
    }
}

#[tokio::test]
async fn statuses_are_read_and_unknown_ones_kept() {
    let mut checks = Checks::default();
    for (word, status) in [
        ("INVITE_STATUS_SENT", InvitationStatus::Sent),
        ("INVITE_STATUS_STAGED", InvitationStatus::Staged),
        ("INVITE_STATUS_ACCEPTED", InvitationStatus::Accepted),
        ("INVITE_STATUS_EXPIRED", InvitationStatus::Expired),
        ("INVITE_STATUS_DEACTIVATED", InvitationStatus::Deactivated),
        (
            "INVITE_STATUS_BOUNCED",
            InvitationStatus::from("INVITE_STATUS_BOUNCED"),
        ),
    ] {
        let invitation = read_with(json!({ "status": word })).await;
        checks.same(word, invitation.status, Some(status));
    }
}

#[tokio::test]
async fn auth_types_are_read_and_unknown_ones_kept() {
    let mut checks = Checks::default();
    for (word, auth_type) in [
        ("AUTH_TYPE_LOCAL", AuthType::Local),
        ("AUTH_TYPE_SSO", AuthType::Sso),
        ("AUTH_TYPE_PASSKEY", AuthType::from("AUTH_TYPE_PASSKEY")),
    ] {
        let invitation = read_with(json!({ "auth_type": word })).await;
        checks.same(word, invitation.auth_type, Some(auth_type));
    }
}

#[tokio::test]
async fn accepted_at_may_be_absent_or_null_or_set() {
    for (properties, expected) in [
        (json!({}), None),
        (json!({ "accepted_at": null }), None),
        (
            json!({ "accepted_at": "2026-03-02T11:00:00Z" }),
            Some(time("2026-03-02T11:00:00Z")),
        ),
    ] {
        let invitation = read_with(properties.clone()).await;
        assert_eq!(invitation.accepted_at, expected, "{properties}");
    }
}

#[tokio::test]
async fn times_have_up_to_nine_fractional_digits_and_any_offset() {
    let mut checks = Checks::default();
    for (text, expected) in [
        ("2026-03-08T10:00:00Z", "2026-03-08T10:00:00Z"),
        ("2026-03-08T10:00:00.123Z", "2026-03-08T10:00:00.123Z"),
        (
            "2026-03-08T10:00:00.123456789Z",
            "2026-03-08T10:00:00.123456789Z",
        ),
        ("2026-03-08T03:00:00-07:00", "2026-03-08T10:00:00Z"),
        // How the document writes its example.
        ("2026-03-08 10:00:00+00:00", "2026-03-08T10:00:00Z"),
    ] {
        checks.case(text);
        let mut object = BACKEND.object();
        object["expires_at"] = json!(text);
        object["metadata"] = json!({ "self": "https://x.invalid", "created_at": text });
        match read(&object).await {
            Ok(invitation) => {
                checks.same("expires_at", invitation.expires_at, Some(time(expected)));
                checks.same("created_at", invitation.created_at, Some(time(expected)));
            }
            Err(error) => checks.that(false, error.to_string()),
        }
    }
}

#[tokio::test]
async fn every_optional_property_may_be_absent_or_null() {
    let bare = Invitation::new(BACKEND.id(), EMAIL);
    assert_eq!(read(&BACKEND.object()).await.unwrap(), bare);
    let names = [
        "metadata",
        "auth_type",
        "status",
        "accepted_at",
        "expires_at",
        "user",
        "creator",
    ];
    let nulls = names.iter().map(|name| ((*name).to_owned(), Value::Null));
    let invitation = read_with(Value::Object(nulls.collect())).await;
    assert_eq!(
        (invitation.status, invitation.expires_at, invitation.user),
        (None, None, None)
    );
}

#[tokio::test]
async fn a_reference_without_an_id_loses_nothing() {
    let invitation = read_with(json!({ "user": { "kind": "User", "related": "x" } })).await;
    let recorded = serde_json::to_string(&invitation).unwrap();
    for word in ["User", "related"] {
        assert!(recorded.contains(word), "{word} is not in {recorded}");
    }
}

#[tokio::test]
async fn a_success_with_another_2xx_is_a_success() {
    for (operation, answer) in [
        (Operation::Create, Answer::json(200, &BACKEND.object())),
        (Operation::Create, Answer::json(202, &BACKEND.object())),
        (Operation::Delete, Answer::json(200, &BACKEND.object())),
        (Operation::Delete, Answer::empty(204)),
    ] {
        let status = answer.status;
        let wire = Wire::always(answer).await;
        let outcome = run(&*BACKEND.connect(&wire), BACKEND, operation).await;
        assert!(outcome.is_ok(), "{operation} {status}: {outcome:?}");
        wire.only();
    }
}

#[tokio::test]
async fn an_id_of_another_resource_does_not_pass_for_an_invitations() {
    for id in ["../members/u1", "", "a/b", "..", "i-1?x"] {
        let error = refused(read(&json!({ "id": id, "email": EMAIL })).await);
        assert_eq!(error.kind(), ErrorKind::Decode, "{id:?}: {error}");
    }
}

/// The name of an operation in the bindings.
fn name_of(operation: Operation) -> &'static str {
    match operation {
        Operation::Create => "create_iam_v2_invitation",
        Operation::Get => "get_iam_v2_invitation",
        Operation::List => "list_iam_v2_invitations",
        _ => "delete_iam_v2_invitation",
    }
}

#[tokio::test]
async fn the_observer_sees_the_headers_of_every_reply() {
    type Seen = (
        &'static str,
        u16,
        Option<String>,
        Option<RateLimit>,
        Option<String>,
    );
    let location = "https://api.confluent.cloud/iam/v2/invitations/i-7od91";
    let mut checks = Checks::default();
    for (operation, status) in [
        (Operation::Create, 201),
        (Operation::Create, 409),
        (Operation::Get, 200),
        (Operation::List, 200),
        (Operation::Delete, 204),
        (Operation::Get, 500),
    ] {
        let answer = if status < 300 {
            BACKEND.success(operation)
        } else {
            BACKEND.refusal(status)
        };
        let answer = answer
            .header("X-RateLimit-Limit", "30")
            .header("X-RateLimit-Remaining", "29")
            .header("X-RateLimit-Reset", "7")
            .header("Location", location);
        let wire = Wire::always(answer).await;
        let replies: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let record = Arc::clone(&replies);
        let setup = Setup {
            interceptor: Some(Arc::new(move |reply: &AttemptEvent<'_>| {
                assert_eq!(reply.provider, "confluent");
                record.lock().unwrap().push((
                    reply.operation,
                    reply.status().unwrap(),
                    reply.request_id(),
                    reply.rate_limit(),
                    reply.location().map(str::to_owned),
                ));
            })),
            ..Setup::default()
        };
        let provider = BACKEND.connect_with(wire.url(), setup);
        let _ = run(&*provider, BACKEND, operation).await;
        let mut limit = RateLimit::default();
        limit.limit = Some(30);
        limit.remaining = Some(29);
        limit.reset = Some(std::time::Duration::from_secs(7));
        let expected = (
            name_of(operation),
            status,
            Some(REQUEST_ID.to_owned()),
            Some(limit),
            Some(location.to_owned()),
        );
        checks.case(format!("{operation} {status}"));
        checks.same(
            "what was observed",
            replies.lock().unwrap().clone(),
            vec![expected],
        );
    }
}
