//! Bad input, which is refused before anything is sent.

use org_invitations::{
    AuthType, Error, ErrorKind, InvitationId, InvitationProvider, InvitationStatus, ListQuery,
    NewInvitation, Operation,
};
use serde_json::json;

use crate::{
    backend::{Backend, EMAIL, refused},
    support::{Answer, Checks, Wire},
};

fn check_unsent(checks: &mut Checks, error: &Error, kind: ErrorKind, operation: Operation) {
    checks.same("the kind", error.kind(), kind);
    checks.same("the operation", error.operation(), operation);
    checks.same("the status", error.status(), None);
    checks.same("the attempts", error.attempts(), 0);
    checks.same("may_have_executed", error.may_have_executed(), false);
}

fn bad_ids() -> Vec<String> {
    let mut ids: Vec<String> = ["", ".", "..", " ", "../members/u1", "i-1/..", "%2e%2e"]
        .map(str::to_owned)
        .into();
    let letters = [
        '/', '\\', '?', '#', '%', ' ', '\t', '\0', '\n', '\r', '\u{7f}', '\u{85}', '\u{a0}',
        '\u{2028}',
    ];
    for letter in letters {
        ids.extend([
            format!("{letter}i-1"),
            format!("i{letter}1"),
            format!("i-1{letter}"),
        ]);
    }
    ids.push("i".repeat(256));
    ids
}

#[test]
fn bad_ids_are_refused_wherever_they_come_from() {
    let mut checks = Checks::default();
    for id in bad_ids() {
        checks.case(format!("{id:?}"));
        match InvitationId::new(id.as_str()) {
            Ok(id) => checks.that(false, format!("it became {id:?}")),
            Err(error) => checks.same("the kind", error.kind(), ErrorKind::InvalidInput),
        }
        checks.that(id.parse::<InvitationId>().is_err(), "it was parsed");
        checks.that(
            InvitationId::try_from(id.clone()).is_err(),
            "it was converted",
        );
        let from_json = serde_json::from_value::<InvitationId>(json!(id));
        checks.that(from_json.is_err(), "serde took it");
        let invitation = json!({ "id": id, "email": EMAIL });
        let from_json = serde_json::from_value::<org_invitations::Invitation>(invitation);
        checks.that(from_json.is_err(), "serde took it in an invitation");
    }
}

/// What is refused may be anything: a whole file in the wrong place, too.
#[tokio::test]
async fn a_refusal_repeats_only_the_beginning_of_long_input() {
    let mut checks = Checks::default();
    let long = "i".repeat(100_000);
    let wire = Wire::silent().await;
    let new = NewInvitation::new(long.as_str());
    let email = refused(Backend::Confluent.connect(&wire).create(new).await);
    for (what, error) in [
        ("id", refused(InvitationId::new(long.as_str()))),
        ("email", email),
    ] {
        let shown = format!("{error} {error:?}").len();
        checks.that(
            shown < 2_000,
            format!("the error about the {what} has {shown} bytes"),
        );
    }
}

#[test]
fn good_ids_are_kept_as_they_are() {
    let longest = "i".repeat(255);
    for id in [
        "i-7od91",
        "0c1d7c52-5a3e-4b11-8e0c-3f6f7d1a9b20",
        "dlz-f3a90de",
        "a.b",
        "...",
        "ä",
        longest.as_str(),
    ] {
        let made = InvitationId::new(id).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!((made.as_str(), made.to_string().as_str()), (id, id));
    }
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).filter(|_| first == b'%');
        let byte = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn an_odd_but_good_id_stays_one_step_of_the_path() {
    let mut checks = Checks::default();
    for backend in Backend::ALL {
        for id in [
            "...", "a+b", "a&b=c;d", "a\"b<c>", "{id}", "a|b^c`", "i-ä€", "a:b@c", "~!*'()",
        ] {
            checks.case(format!("{backend:?} {id}"));
            let mut object = backend.object();
            object["id"] = json!(id);
            let wire = Wire::always(Answer::json(200, &backend.envelope(object))).await;
            let outcome = backend
                .connect(&wire)
                .get(&InvitationId::new(id).unwrap())
                .await;
            checks.that(outcome.is_ok(), format!("{outcome:?}"));
            let sent = wire.only();
            let expected = format!("{}/{id}", backend.collection());
            checks.same("the path", decoded(&sent.path), expected);
            checks.same("the query", sent.query, vec![]);
        }
    }
}

#[tokio::test]
async fn bad_emails_are_refused() {
    let mut checks = Checks::default();
    let too_long = format!("{}@example.com", "a".repeat(243));
    let too_many_bytes = format!("{}@example.com", "ä".repeat(122));
    assert_eq!((too_long.len(), too_many_bytes.len()), (255, 256));
    for backend in Backend::ALL {
        for email in [
            "",
            "ann",
            "ann.example.com",
            "@example.com",
            "ann@",
            "ann\u{7}@example.com",
            "ann@example.com\n",
            "ann\r\nbcc@example.com",
            "ann\0@example.com",
            "ann\u{7f}@example.com",
            &too_long,
            &too_many_bytes,
        ] {
            checks.case(format!("{backend:?} {email:?}"));
            let wire = Wire::silent().await;
            let outcome = backend
                .connect(&wire)
                .create(NewInvitation::new(email))
                .await;
            let error = refused(outcome);
            check_unsent(
                &mut checks,
                &error,
                ErrorKind::InvalidInput,
                Operation::Create,
            );
            checks.same("the provider", error.provider(), Some(backend.name()));
            checks.same("what was sent", wire.seen().len(), 0);
        }
    }
}

#[tokio::test]
async fn an_email_may_have_254_bytes() {
    let longest = format!("{}@example.com", "a".repeat(242));
    assert_eq!(longest.len(), 254);
    for backend in Backend::ALL {
        for email in [
            longest.as_str(),
            "o'neil+tag@sub.example.co",
            "\"a@b\"@example.com",
            "jörg@exämple.de",
        ] {
            let mut object = backend.object();
            object["email"] = json!(email);
            let wire = Wire::always(Answer::json(201, &backend.envelope(object))).await;
            let new = NewInvitation::new(email);
            let outcome = backend.connect(&wire).create(new).await;
            assert!(outcome.is_ok(), "{backend:?} {email}: {outcome:?}");
            assert_eq!(wire.only().json()["email"], email);
        }
    }
}

#[tokio::test]
async fn what_a_provider_does_not_have_is_refused() {
    let mut checks = Checks::default();
    let new = || NewInvitation::new(EMAIL);
    let creates = [
        (Backend::Confluent, new().legacy_role("admin")),
        (Backend::ClickHouse, new().roles(["Admin@env-1"])),
        (Backend::ClickHouse, new().auth_type(AuthType::Sso)),
        (Backend::ClickHouse, new().auth_type(AuthType::Local)),
        (
            Backend::ClickHouse,
            new().auth_type(AuthType::from("x")).legacy_role("admin"),
        ),
    ];
    for (backend, new) in creates {
        checks.case(format!("{backend:?} {new:?}"));
        let wire = Wire::silent().await;
        let error = refused(backend.connect(&wire).create(new).await);
        check_unsent(
            &mut checks,
            &error,
            ErrorKind::Unsupported,
            Operation::Create,
        );
        checks.same("the provider", error.provider(), Some(backend.name()));
        checks.same("what was sent", wire.seen().len(), 0);
    }
    for query in [
        ListQuery::new().user("u-1"),
        ListQuery::new().creator("u-1"),
    ] {
        checks.case(format!("{query:?}"));
        let wire = Wire::silent().await;
        let provider = Backend::ClickHouse.connect(&wire);
        let error = refused(provider.list_page(&query, None).await);
        check_unsent(&mut checks, &error, ErrorKind::Unsupported, Operation::List);
        checks.same("what was sent", wire.seen().len(), 0);
    }
}

#[tokio::test]
async fn capabilities_say_what_is_refused() {
    for backend in Backend::ALL {
        let wire = Wire::always(Answer::empty(500)).await;
        let provider = backend.connect(&wire);
        let can = provider.capabilities();
        wire.assert_untouched("capabilities");
        let new = || NewInvitation::new(EMAIL);
        let creates = [
            (can.auth_type, new().auth_type(AuthType::Local)),
            (can.roles, new().roles(["6a7c"])),
            (can.legacy_role, new().legacy_role("admin")),
        ];
        for (offered, new) in creates {
            let error = refused(provider.create(new.clone()).await);
            let refused = error.kind() == ErrorKind::Unsupported;
            assert_eq!(offered, !refused, "{backend:?} {new:?}: {error}");
        }
        let lists = [
            (can.filter_user, ListQuery::new().user("u-1")),
            (can.filter_creator, ListQuery::new().creator("u-1")),
            (can.filter_email, ListQuery::new().email(EMAIL)),
            (
                can.filter_status,
                ListQuery::new().status(InvitationStatus::Sent),
            ),
            (
                true,
                ListQuery::new().page_size(can.max_page_size.unwrap_or(u32::MAX)),
            ),
        ];
        for (offered, query) in lists {
            let error = refused(provider.list_page(&query, None).await);
            let refused = error.kind() == ErrorKind::Unsupported;
            assert_eq!(offered, !refused, "{backend:?} {query:?}: {error}");
        }
    }
}

#[tokio::test]
async fn a_page_size_out_of_range_is_refused() {
    let mut checks = Checks::default();
    for (backend, size) in [
        (Backend::Confluent, 0),
        (Backend::Confluent, 101),
        (Backend::Confluent, u32::MAX),
        (Backend::ClickHouse, 0),
    ] {
        checks.case(format!("{backend:?} {size}"));
        let wire = Wire::silent().await;
        let query = ListQuery::new().page_size(size);
        let error = refused(backend.connect(&wire).list_page(&query, None).await);
        check_unsent(
            &mut checks,
            &error,
            ErrorKind::InvalidInput,
            Operation::List,
        );
        checks.same("the provider", error.provider(), Some(backend.name()));
        checks.same("what was sent", wire.seen().len(), 0);
    }
}
