use std::sync::atomic::{AtomicU32, Ordering};

use org_invitations::{AuthType, Capabilities, PlanOptions, ResourceReference};

use super::*;

/// A path that nobody else uses, with nothing there.
fn empty_path() -> PathBuf {
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
        names_organization: false,
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
fn refused(outcome: Result<Journal, Failure>, words: &[&str]) {
    let message = outcome.unwrap_err().to_string();
    for word in words {
        assert!(message.contains(word), "no {word:?} in {message}");
    }
}

#[test]
fn of_two_at_once_the_second_is_told_who_is_the_first() {
    let path = empty_path();
    let mut first = Journal::open(&path, &account("a"), false).unwrap();
    let pid = format!("the process {}", std::process::id());
    for resume in [true, false] {
        let second = Journal::open(&path, &account("a"), resume);
        refused(second, &[&pid, "in use"]);
    }
    first
        .invited("ann@example.com", &invitation("i-1", None))
        .unwrap();
    drop(first);
    refused(Journal::open(&path, &account("a"), false), &["--resume"]);
    let mut again = Journal::open(&path, &account("a"), true).unwrap();
    refused(Journal::open(&path, &account("a"), true), &[&pid]);
    again.close();
    drop(again);
    assert!(!path.exists());
}

#[test]
fn who_was_withdrawn_last_is_invited_again_and_who_was_invited_last_is_not() {
    let path = empty_path();
    let mut journal = Journal::open(&path, &account("a"), false).unwrap();
    journal
        .invited("ann@example.com", &invitation("i-1", None))
        .unwrap();
    drop(journal);
    let mut journal = Journal::open(&path, &account("a"), true).unwrap();
    let mut kept = plan();
    assert_eq!(journal.amend(&mut kept).invited, 1);
    assert_eq!(kept.steps[0].action, Action::Keep);
    journal.withdrawing(&renewal()).unwrap();
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
        .invited("ann@example.com", &invitation("i-2", None))
        .unwrap();
    drop(journal);

    let mut journal = Journal::open(&path, &account("a"), true).unwrap();
    assert_eq!(journal.amend(&mut plan()).invited, 1);
    journal.close();
}

#[test]
fn it_outlives_a_rotated_key_and_tells_organisations_apart() {
    for (written, here, same_key, fits) in [
        (Some("o-1"), Some("o-1"), false, true),
        (Some("o-1"), Some("o-2"), false, false),
        (Some("o-1"), Some("o-2"), true, false),
        (Some("o-1"), None, true, true),
        (Some("o-1"), None, false, false),
        (None, Some("o-1"), false, false),
        (None, Some("o-1"), true, true),
    ] {
        let path = empty_path();
        let mut journal = Journal::open(&path, &account("a"), false).unwrap();
        journal
            .invited("ann@example.com", &invitation("i-1", written))
            .unwrap();
        drop(journal);
        let account = account(if same_key { "a" } else { "b" });
        let mut journal = Journal::open(&path, &account, true).unwrap();
        let list = here.map(|here| invitation("i-2", Some(here)));
        let checked = journal.check_organization(&account, list.as_slice());
        assert_eq!(checked.is_ok(), fits, "{written:?} {here:?} {same_key}");
        // Where the configuration names the organisation, that is enough.
        let mut named = account;
        named.names_organization = true;
        if here.is_none() || written.is_none() {
            journal.check_organization(&named, list.as_slice()).unwrap();
        }
        journal.close();
    }
}

#[test]
fn the_invitations_of_the_beginning_tell_the_organisation() {
    for (here, fits) in [("i-7", true), ("i-8", false)] {
        let path = empty_path();
        let there = [invitation("i-1", None), invitation("i-7", None)];
        let mut journal = Journal::open(&path, &account("a"), false).unwrap();
        journal.check_organization(&account("a"), &there).unwrap();
        journal.withdrawing(&renewal()).unwrap();
        drop(journal);
        let mut journal = Journal::open(&path, &account("rotated"), true).unwrap();
        let list = [invitation(here, None)];
        let checked = journal.check_organization(&account("rotated"), &list);
        assert_eq!(checked.is_ok(), fits, "{here}");
        journal.close();
    }
    // Where nobody was invited or withdrawn, nothing is left of it.
    let path = empty_path();
    let mut journal = Journal::open(&path, &account("a"), false).unwrap();
    let there = [invitation("i-1", None)];
    journal.check_organization(&account("a"), &there).unwrap();
    drop(journal);
    assert!(!path.exists());
}

#[test]
fn a_line_that_was_cut_off_is_taken_back_and_not_built_upon() {
    let path = empty_path();
    let mut journal = Journal::open(&path, &account("a"), false).unwrap();
    journal
        .invited("ann@example.com", &invitation("i-1", None))
        .unwrap();
    drop(journal);
    let whole = fs::read(&path).unwrap();
    for length in [whole.len() - 1, whole.len() / 3, 5, 0] {
        fs::write(&path, &whole[..length]).unwrap();
        let mut journal = Journal::open(&path, &account("a"), true).unwrap();
        journal
            .invited("ann@example.com", &invitation("i-1", None))
            .unwrap();
        drop(journal);
        let mut journal = Journal::open(&path, &account("a"), true).unwrap();
        assert_eq!(journal.amend(&mut plan()).invited, 1, "{length}");
        journal.close();
    }
}

#[test]
fn control_and_bidi_characters_are_written_out() {
    let path = empty_path();
    let mut journal = Journal::open(&path, &account("a"), false).unwrap();
    let email = "ann\u{202e}\u{9b}@example.com";
    journal.invited(email, &invitation("i-1", None)).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("ann\\u202e\\u009b@example.com"), "{text}");
    journal.close();
}

#[cfg(unix)]
#[test]
fn nobody_but_its_owner_reads_it() {
    use std::os::unix::fs::PermissionsExt;

    let path = empty_path();
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    let mut journal = Journal::open(&path, &account("a"), false).unwrap();
    assert_eq!(mode(), 0o600);
    journal
        .invited("ann@example.com", &invitation("i-1", None))
        .unwrap();
    drop(journal);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let mut journal = Journal::open(&path, &account("a"), true).unwrap();
    assert_eq!(mode(), 0o600);
    journal.close();
}

#[cfg(target_os = "linux")]
#[test]
fn after_a_full_disk_nothing_more_is_written() {
    let mut journal = Journal {
        path: empty_path(),
        file: OpenOptions::new().append(true).open("/dev/full").unwrap(),
        people: HashMap::new(),
        known: HashSet::new(),
        organization: None,
        credential: None,
        is_of_no_use: true,
        is_broken: false,
    };
    let full = journal.withdrawing(&renewal()).unwrap_err();
    assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    // Even when there is room again, it would follow a part of a line.
    let path = journal.path.clone();
    journal.file = private_file::open(&path, OpenOptions::new().append(true).create(true)).unwrap();
    journal
        .invited("ann@example.com", &invitation("i-1", None))
        .unwrap_err();
    assert_eq!(fs::read(&path).unwrap(), b"");
    assert!(!journal.is_of_no_use);
    journal.close();
}

#[test]
fn another_kind_of_file_is_refused() {
    let path = empty_path();
    fs::write(&path, "email\nann@example.com\n").unwrap();
    refused(
        Journal::open(&path, &account("a"), true),
        &["it is no journal"],
    );
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, "email\nann@example.com\n");
    fs::remove_file(&path).unwrap();
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_an_error_and_no_loop() {
    let path = empty_path();
    std::os::unix::fs::symlink("/nowhere/at/all", &path).unwrap();
    refused(
        Journal::open(&path, &account("a"), true),
        &["leads nowhere"],
    );
    fs::remove_file(&path).unwrap();
}
