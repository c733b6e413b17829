use std::sync::atomic::{AtomicU32, Ordering};

use org_invitations::{AuthType, Capabilities, PlanOptions, ResourceReference};

use super::*;

/// A unique path without a file.
fn unused_path() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("journal-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let _ = fs::remove_file(&path);
    path
}

fn account(credential: &str) -> Account {
    Account {
        target: "confluent base_url=http://here".to_owned(),
        vendor: Some(org_invitations::ProviderKind::Confluent),
        organization: None,
        credential: Some(credential.to_owned()),
    }
}

fn invitation(id: &str, organization: Option<&str>) -> Invitation {
    let mut invitation = Invitation::new(id.parse().unwrap(), "ann@example.com");
    invitation.user = organization.map(|organization| {
        let mut user = ResourceReference::new("u-1");
        user.resource_name = Some(format!(
            "crn://confluent.cloud/organization={organization}/user=u-1"
        ));
        user
    });
    invitation
}

fn renewal() -> Renewal {
    let ann = || NewInvitation::new("Ann@example.com");
    Renewal::new("i-1".parse().unwrap(), ann().auth_type(AuthType::Sso))
        .fallback(ann().auth_type(AuthType::Local))
}

/// A plan that invites Ann.
fn plan() -> Plan {
    let roster = [NewInvitation::new("ANN@example.com")];
    Plan::new(
        roster,
        [],
        &Capabilities::default(),
        &PlanOptions::default(),
    )
}

#[track_caller]
fn assert_rejected(outcome: Result<Journal, Failure>, words: &[&str]) {
    let message = outcome.unwrap_err().to_string();
    for word in words {
        assert!(message.contains(word), "no {word:?} in {message}");
    }
}

#[test]
fn a_second_process_is_rejected_and_told_the_pid_of_the_first() {
    let path = unused_path();
    let mut first = Journal::open(&path, &account("a"), false).unwrap();
    let pid = format!("the process {}", std::process::id());
    for resume in [true, false] {
        let second = Journal::open(&path, &account("a"), resume);
        assert_rejected(second, &[&pid, "in use"]);
    }
    first
        .record_invited("ann@example.com", &invitation("i-1", None))
        .unwrap();
    drop(first);
    assert_rejected(Journal::open(&path, &account("a"), false), &["--resume"]);
    let mut again = Journal::open(&path, &account("a"), true).unwrap();
    assert_rejected(Journal::open(&path, &account("a"), true), &[&pid]);
    again.complete();
    drop(again);
    assert!(!path.exists());
}

#[test]
fn resuming_follows_the_latest_event_of_a_person() {
    let path = unused_path();
    let mut journal = Journal::open(&path, &account("a"), false).unwrap();
    journal
        .record_invited("ann@example.com", &invitation("i-1", None))
        .unwrap();
    drop(journal);
    let mut journal = Journal::open(&path, &account("a"), true).unwrap();
    let mut kept = plan();
    assert_eq!(journal.amend(&mut kept).invited, 1);
    assert_eq!(kept.steps[0].action, Action::Keep);
    journal.record_withdrawing(&renewal()).unwrap();
    drop(journal);

    let mut journal = Journal::open(&path, &account("a"), true).unwrap();
    let mut again = plan();
    assert_eq!(journal.amend(&mut again).withdrawn, 1);
    assert_eq!(again.steps[0].action, Action::Create);
    let old = renewal().fallback;
    assert_eq!(again.steps[0].previous.clone().unwrap().invitation, old);
    assert_eq!(journal.withdrawn(&[]), [old.unwrap()]);
    assert!(journal.withdrawn(&[invitation("i-1", None)]).is_empty());
    let mut gone = invitation("i-1", None);
    gone.status = Some(InvitationStatus::Deactivated);
    assert_eq!(journal.withdrawn(&[gone]).len(), 1);
    journal
        .record_invited("ann@example.com", &invitation("i-2", None))
        .unwrap();
    drop(journal);

    let mut journal = Journal::open(&path, &account("a"), true).unwrap();
    assert_eq!(journal.amend(&mut plan()).invited, 1);
    journal.complete();
}

#[test]
fn a_rotated_key_resumes_and_another_organisation_does_not() {
    for (written, here, same_key, fits) in [
        (Some("o-1"), Some("o-1"), false, true),
        (Some("o-1"), Some("o-2"), false, false),
        (Some("o-1"), Some("o-2"), true, false),
        (Some("o-1"), None, true, true),
        (Some("o-1"), None, false, false),
        (None, Some("o-1"), false, false),
        (None, Some("o-1"), true, true),
    ] {
        let path = unused_path();
        let mut journal = Journal::open(&path, &account("a"), false).unwrap();
        journal
            .record_invited("ann@example.com", &invitation("i-1", written))
            .unwrap();
        drop(journal);
        let account = account(if same_key { "a" } else { "b" });
        let mut journal = Journal::open(&path, &account, true).unwrap();
        let list = here.map(|here| invitation("i-2", Some(here)));
        let checked = journal.check_organization(&account, list.as_slice());
        assert_eq!(checked.is_ok(), fits, "{written:?} {here:?} {same_key}");
        // Where the configuration names the organisation, that is enough.
        let mut named = account;
        named.organization = Some("o-1".to_owned());
        if here.is_none() || written.is_none() {
            journal.check_organization(&named, list.as_slice()).unwrap();
        }
        journal.complete();
    }
}

#[test]
fn known_invitations_identify_the_organisation() {
    for (here, fits) in [("i-7", true), ("i-8", false)] {
        let path = unused_path();
        let existing = [invitation("i-1", None), invitation("i-7", None)];
        let mut journal = Journal::open(&path, &account("a"), false).unwrap();
        journal
            .check_organization(&account("a"), &existing)
            .unwrap();
        journal.record_withdrawing(&renewal()).unwrap();
        drop(journal);
        let mut journal = Journal::open(&path, &account("rotated"), true).unwrap();
        let list = [invitation(here, None)];
        let checked = journal.check_organization(&account("rotated"), &list);
        assert_eq!(checked.is_ok(), fits, "{here}");
        journal.complete();
    }
    // Where nobody was invited or withdrawn, nothing is left of it.
    let path = unused_path();
    let mut journal = Journal::open(&path, &account("a"), false).unwrap();
    let existing = [invitation("i-1", None)];
    journal
        .check_organization(&account("a"), &existing)
        .unwrap();
    drop(journal);
    assert!(!path.exists());
}

#[test]
fn an_incomplete_last_line_is_truncated() {
    let path = unused_path();
    let mut journal = Journal::open(&path, &account("a"), false).unwrap();
    journal
        .record_invited("ann@example.com", &invitation("i-1", None))
        .unwrap();
    drop(journal);
    let whole = fs::read(&path).unwrap();
    for length in [whole.len() - 1, whole.len() / 3, 5, 0] {
        fs::write(&path, &whole[..length]).unwrap();
        let mut journal = Journal::open(&path, &account("a"), true).unwrap();
        journal
            .record_invited("ann@example.com", &invitation("i-1", None))
            .unwrap();
        drop(journal);
        let mut journal = Journal::open(&path, &account("a"), true).unwrap();
        assert_eq!(journal.amend(&mut plan()).invited, 1, "{length}");
        journal.complete();
    }
}

#[test]
fn control_and_bidi_characters_are_escaped() {
    let path = unused_path();
    let mut journal = Journal::open(&path, &account("a"), false).unwrap();
    let email = "ann\u{202e}\u{9b}@example.com";
    journal
        .record_invited(email, &invitation("i-1", None))
        .unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("ann\\u202e\\u009b@example.com"), "{text}");
    journal.complete();
}

#[cfg(unix)]
#[test]
fn the_file_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let path = unused_path();
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    let mut journal = Journal::open(&path, &account("a"), false).unwrap();
    assert_eq!(mode(), 0o600);
    journal
        .record_invited("ann@example.com", &invitation("i-1", None))
        .unwrap();
    drop(journal);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let mut journal = Journal::open(&path, &account("a"), true).unwrap();
    assert_eq!(mode(), 0o600);
    journal.complete();
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_written_after_a_full_disk() {
    let mut journal = Journal {
        path: unused_path(),
        file: OpenOptions::new().append(true).open("/dev/full").unwrap(),
        people: HashMap::new(),
        known_ids: HashSet::new(),
        organization: None,
        credential: None,
        delete_on_drop: true,
        is_broken: false,
    };
    let full = journal.record_withdrawing(&renewal()).unwrap_err();
    assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    // Even when there is room again, it would follow a part of a line.
    let path = journal.path.clone();
    journal.file = private_file::open(&path, OpenOptions::new().append(true).create(true)).unwrap();
    journal
        .record_invited("ann@example.com", &invitation("i-1", None))
        .unwrap_err();
    assert_eq!(fs::read(&path).unwrap(), b"");
    assert!(!journal.delete_on_drop);
    journal.complete();
}

#[test]
fn a_file_that_is_no_journal_is_rejected() {
    let path = unused_path();
    fs::write(&path, "email\nann@example.com\n").unwrap();
    assert_rejected(
        Journal::open(&path, &account("a"), true),
        &["this is not a journal"],
    );
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, "email\nann@example.com\n");
    fs::remove_file(&path).unwrap();
}

#[cfg(unix)]
#[test]
fn a_dangling_link_is_an_error() {
    let path = unused_path();
    std::os::unix::fs::symlink("/nowhere/at/all", &path).unwrap();
    assert_rejected(
        Journal::open(&path, &account("a"), true),
        &["dangling link"],
    );
    fs::remove_file(&path).unwrap();
}
