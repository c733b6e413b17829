//! Ids and sets as text.

use std::collections::{BTreeSet, HashMap, HashSet};

use org_invitations::{
    Action, AuthType, ErrorKind, InvitationId, InvitationStatus, MemberId, PageToken, PersonState,
    RoleKind,
};

#[test]
fn ids_compare_with_text_and_are_found_by_it() {
    let id = InvitationId::try_from("i-1").unwrap();
    assert!(id == "i-1" && id == *"i-1" && id != "i-2");
    let by_id = HashMap::from([(id.clone(), 1)]);
    assert_eq!(by_id.get("i-1"), Some(&1));
    assert!(BTreeSet::from([id]).contains("i-1"));
    let member: MemberId = "u-1".try_into().unwrap();
    assert!(HashSet::from([member]).contains("u-1"));
    let token = PageToken::from("next");
    assert!(token == "next" && "next".parse::<PageToken>().unwrap() == token);
    assert!(HashSet::from([token]).contains("next"));
}

#[test]
fn what_is_no_id_is_refused_by_every_conversion() {
    for text in ["", "..", "a/b", "a b"] {
        let kinds = [
            InvitationId::try_from(text).unwrap_err().kind(),
            InvitationId::try_from(text.to_owned()).unwrap_err().kind(),
            text.parse::<InvitationId>().unwrap_err().kind(),
            MemberId::try_from(text).unwrap_err().kind(),
        ];
        assert_eq!(kinds, [ErrorKind::InvalidInput; 4], "{text:?}");
    }
}

#[test]
fn sets_are_parsed_and_compare_without_case() {
    let status: InvitationStatus = "Sent".parse().unwrap();
    assert!(status == InvitationStatus::Sent && status == "SENT" && status != "expired");
    let newer = InvitationStatus::from("Paused".to_owned());
    assert!(
        newer == "Paused" && newer != "paused",
        "an unknown word is kept as it is"
    );
    assert_eq!("sso".parse(), Ok(AuthType::Sso));
    assert_eq!("CUSTOM".parse(), Ok(RoleKind::Custom));
}

#[test]
fn words_of_closed_sets_are_parsed() {
    for action in Action::ALL {
        assert_eq!(action.as_str().parse::<Action>().unwrap(), *action);
    }
    assert_eq!("both".parse::<PersonState>().unwrap(), PersonState::Both);
    let error = "gone".parse::<PersonState>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(
        error.message().contains("invited, member, both, neither"),
        "{error}"
    );
}
