//! What the facade has no field for: sent, kept as it came, and read with the bindings' types.

use org_invitations::{
    Error, ErrorKind, Invitation, InvitationProvider, ListQuery, NewInvitation, bindings,
};
use serde_json::{Value, json};

use crate::{
    backend::{Backend, EMAIL, refused},
    support::{Answer, Wire},
};

#[tokio::test]
async fn what_no_document_has_is_refused_before_sending() {
    for backend in Backend::ALL {
        let wire = Wire::silent().await;
        let provider = backend.connect(&wire);
        let new = || NewInvitation::new(EMAIL);
        let query = || ListQuery::new();
        for (outcome, kind, name) in [
            (
                provider.create(new().extra("rank_9f1", 7)).await.map(drop),
                ErrorKind::Unsupported,
                "rank_9f1",
            ),
            (
                provider
                    .create(new().extra("email", "bob@example.com"))
                    .await
                    .map(drop),
                ErrorKind::InvalidInput,
                "email",
            ),
            (
                provider
                    .list_page(&query().extra("rank_9f1", "7"), None)
                    .await
                    .map(drop),
                ErrorKind::Unsupported,
                "rank_9f1",
            ),
            (
                provider
                    .list_page(&query().extra("rank_9f1", ""), None)
                    .await
                    .map(drop),
                ErrorKind::InvalidInput,
                "empty",
            ),
        ] {
            let error: Error = refused(outcome);
            assert_eq!(error.kind(), kind, "{backend:?}: {error}");
            assert!(error.to_string().contains(name), "{backend:?}: {error}");
            assert_eq!(
                (error.provider(), error.attempts()),
                (Some(backend.name()), 0)
            );
        }
        wire.assert_untouched(backend.name());
    }
    let wire = Wire::silent().await;
    let query = ListQuery::new().extra("page_size", "7");
    let error = refused(
        Backend::Confluent
            .connect(&wire)
            .list_page(&query, None)
            .await,
    );
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    wire.assert_untouched("a parameter with a field of its own");
}

async fn read(backend: Backend, properties: Value) -> Invitation {
    let mut object = backend.object();
    object
        .as_object_mut()
        .unwrap()
        .extend(properties.as_object().unwrap().clone());
    // The same in every way that an invitation comes.
    let one = Wire::always(Answer::json(200, &backend.envelope(object.clone()))).await;
    let one = backend.connect(&one).get(&backend.id()).await.unwrap();
    let list = Wire::always(Answer::json(200, &backend.list(&[object.clone()]))).await;
    let list = backend
        .connect(&list)
        .list_page(&ListQuery::new(), None)
        .await
        .unwrap();
    assert_eq!(list.items[0].as_ref().unwrap(), &one);
    // And beside an odd one.
    let list = backend.list(&[object, json!("odd")]);
    let list = Wire::always(Answer::json(200, &list)).await;
    let list = backend
        .connect(&list)
        .list_page(&ListQuery::new(), None)
        .await
        .unwrap();
    assert_eq!(list.items[0].as_ref().unwrap(), &one);
    one
}

#[tokio::test]
async fn what_has_no_field_is_kept_as_it_came() {
    for backend in Backend::ALL {
        for properties in [
            json!({ "colour": null }),
            json!({ "colour": { "r": 1.0, "g": 1, "b": [null, "x"] } }),
            json!({ "a\"b\\": "é\n" }),
        ] {
            let invitation = read(backend, properties.clone()).await;
            let extra = serde_json::to_value(&invitation.extra).unwrap();
            assert_eq!(extra, properties, "{backend:?}");
            // Numbers as they were written.
            assert_eq!(extra.to_string(), properties.to_string());
        }
        assert!(read(backend, json!({})).await.extra.is_empty());
    }
}

/// The document gives these a type, and the facade no field.
#[tokio::test]
async fn a_documented_property_that_is_odd_is_kept_too() {
    for properties in [
        json!({ "kind": 7, "api_version": ["iam/v2"] }),
        json!({ "metadata": "none", "kind": "Invitation" }),
        json!({ "metadata": { "self": 7, "updated_at": "soon", "deleted_at": null } }),
    ] {
        let invitation = read(Backend::Confluent, properties.clone()).await;
        assert_eq!(serde_json::to_value(&invitation.extra).unwrap(), properties);
    }
}

#[tokio::test]
async fn an_invitation_gives_back_the_vendors_own_object() {
    let object = json!({
        "id": "i-7od91", "email": EMAIL, "status": "INVITE_STATUS_SENT", "auth_type": "AUTH_TYPE_NEW",
        "expires_at": "2026-03-08T10:00:00.120Z", "kind": "Invitation", "api_version": "iam/v2",
        "metadata": { "created_at": "2026-03-01T10:00:00Z", "self": "https://x.example" },
        "user": { "id": "u-1", "related": "https://y.example", "kind": "User" }, "colour": { "r": 1 },
    });
    let invitation = read(Backend::Confluent, object.clone()).await;
    let wire = invitation
        .wire::<bindings::confluent::types::Invitation>()
        .unwrap();
    assert_eq!(wire.id.as_deref(), Some("i-7od91"));
    assert_eq!(wire.extra["colour"], json!({ "r": 1 }));
    let created = wire.metadata.as_ref().unwrap().created_at.as_ref().unwrap();
    assert_eq!(created.utc(), invitation.created_at);
    assert_eq!(serde_json::to_value(&wire).unwrap(), object);

    let object = json!({
        "id": Backend::ClickHouse.id_text(), "email": EMAIL, "role": "developer",
        "createdAt": "2026-03-01T10:00:00Z", "expireAt": "2199-03-08T10:00:00.500Z",
        "assignedRoles": [{ "roleId": "1", "roleName": "A", "roleType": "odd", "scope": 1 }, {}],
        "colour": 7,
    });
    let invitation = read(Backend::ClickHouse, object.clone()).await;
    let wire = invitation
        .wire::<bindings::clickhouse::types::Invitation>()
        .unwrap();
    assert_eq!(serde_json::to_value(&wire).unwrap(), object);
    assert_eq!(invitation.extra.get_as::<u8>("colour").unwrap().unwrap(), 7);

    // Also of one that was made by hand.
    let invitation = Invitation::new(Backend::Confluent.id(), EMAIL);
    let wire = invitation
        .wire::<bindings::confluent::types::Invitation>()
        .unwrap();
    assert_eq!(
        serde_json::to_value(wire).unwrap(),
        json!({ "id": "i-7od91", "email": EMAIL })
    );
}

#[tokio::test]
async fn a_list_with_a_cursor_is_not_complete() {
    for cursor in [
        json!({ "nextCursor": "later" }),
        json!({ "next_page_token": "later" }),
        json!({ "pagination": { "next-cursor": "later" } }),
        json!({ "hasMore": true }),
    ] {
        let mut body = Backend::ClickHouse.list(&[Backend::ClickHouse.object()]);
        body.as_object_mut()
            .unwrap()
            .extend(cursor.as_object().unwrap().clone());
        let wire = Wire::always(Answer::json(200, &body)).await;
        let provider = Backend::ClickHouse.connect(&wire);
        let page = provider.list_page(&ListQuery::new(), None).await.unwrap();
        assert_eq!(page.items.len(), 2, "{cursor}");
        let error = page.items[1].as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{cursor}: {error}");
        assert!(
            error.message().contains("does not follow"),
            "{cursor}: {error}"
        );
    }
    for end in [
        json!({ "nextCursor": null }),
        json!({ "nextCursor": "" }),
        json!({ "hasMore": false }),
        json!({ "previousCursor": "before", "pagination": {} }),
    ] {
        let mut body = Backend::ClickHouse.list(&[Backend::ClickHouse.object()]);
        body.as_object_mut()
            .unwrap()
            .extend(end.as_object().unwrap().clone());
        let wire = Wire::always(Answer::json(200, &body)).await;
        let provider = Backend::ClickHouse.connect(&wire);
        let page = provider.list_page(&ListQuery::new(), None).await.unwrap();
        assert_eq!(page.items.len(), 1, "{end}: {page:?}");
    }
}
