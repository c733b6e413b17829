//! One renewal: what is checked before, what is retried, and what counts as success.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::StreamExt;
use org_invitations::{
    Error, ErrorKind, Invitation, InvitationProviderExt, InvitationStatus, NewInvitation,
    Operation, Plan, PlanOptions, RemovalLimit, Renewal, RenewalObserver, RenewalOptions,
    RenewalResult, Result, Roles, StepOutcome, StepResult,
};

use crate::{
    at_once, crowd, everything, existing,
    fake_provider::{Answer, Call, FakeProvider, refusal},
    plan, sent, with_roles,
};

pub const OLD: &str = "11111111-0000-4000-8000-000000000001";
pub const NEW: &str = "22222222-0000-4000-8000-000000000002";

/// People with the old role.
pub fn people(count: usize) -> Vec<Invitation> {
    let people = crowd(count).into_iter();
    people.map(|one| with_roles(one, &[(OLD, "Old")])).collect()
}

/// A plan that gives everybody this role.
pub fn giving(role: &str, invitations: &[Invitation]) -> Plan {
    let row = |one: &Invitation| NewInvitation::new(&one.email).roles([role]);
    let roster: Vec<_> = invitations.iter().map(row).collect();
    plan(&roster, invitations, &PlanOptions::default())
}

pub async fn applied(provider: &FakeProvider, plan: Plan, concurrency: usize) -> Vec<StepOutcome> {
    let options = at_once(concurrency).removals(RemovalLimit::none());
    let mut outcomes: Vec<_> = plan.apply(provider, options).collect().await;
    outcomes.sort_by_key(|outcome| outcome.index);
    outcomes
}

pub fn has_role(call: &Call, role: &str) -> bool {
    call.operation == Operation::Create && call.roles == Some(Roles::Grants(vec![role.into()]))
}

pub fn refused(kind: ErrorKind) -> Answer {
    Answer::Refuse(refusal(kind, Operation::Create, "there is no such role"))
}

fn lost_answer() -> Error {
    let error = refusal(ErrorKind::Timeout, Operation::Delete, "lost");
    error.with_may_have_executed(true)
}

#[tokio::test]
async fn what_can_be_checked_is_checked_before() {
    let invitations = people(1);
    let provider = FakeProvider::honest(&invitations);
    // No invitation has the role's name, so that only its form tells.
    let outcomes = applied(&provider, giving("Auditor", &invitations), 1).await;
    match &outcomes[0].result {
        StepResult::Failed(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.message().contains("does not look like"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(provider.calls(), 0);

    let mut without_roles = everything();
    without_roles.roles = false;
    let new = NewInvitation::new("ann@example.com").roles([NEW]);
    let renewal = Renewal::new("i-1".parse().unwrap(), new);
    let missing = renewal.check(&without_roles).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Unsupported);
    renewal.check(&everything()).unwrap();
}

#[tokio::test]
async fn a_server_that_frees_an_address_late_is_waited_for() {
    let invitations = people(1);
    let tries = Mutex::new(0);
    let provider = FakeProvider::new(&invitations, move |call| {
        let mut tries = tries.lock().unwrap();
        *tries += usize::from(call.operation == Operation::Create);
        match call.operation == Operation::Create && *tries < 3 {
            true => Answer::Refuse(refusal(
                ErrorKind::AlreadyExists,
                Operation::Create,
                "is invited",
            )),
            false => Answer::Honest,
        }
    });
    let renewal = Renewal::of(&invitations[0], &everything()).unwrap();
    let delays = [Duration::ZERO; 3];
    let options = RenewalOptions::default().retry_delays(delays);
    match provider.renew(&renewal, &options).await {
        RenewalResult::Renewed(new) => assert_ne!(new.id, invitations[0].id),
        other => panic!("{other:?}"),
    }
    assert_eq!(provider.emails().len(), 1);
}

#[tokio::test]
async fn a_conflict_that_stays_is_a_loss_and_no_success() {
    let invitations = people(1);
    let provider = FakeProvider::new(&invitations, |call| match call.operation {
        Operation::Create => Answer::Refuse(refusal(
            ErrorKind::AlreadyExists,
            Operation::Create,
            "is invited",
        )),
        _ => Answer::Honest,
    });
    let outcomes = applied(&provider, giving(NEW, &invitations), 1).await;
    assert!(
        matches!(outcomes[0].result, StepResult::Lost(_)),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn somebody_elses_invitation_is_seen_and_counts() {
    let invitations = people(1);
    let provider = FakeProvider::new(&invitations, |call| match call.operation {
        // Another process invites in the same moment.
        Operation::Create => Answer::DoAndFail(refusal(
            ErrorKind::AlreadyExists,
            Operation::Create,
            "is invited",
        )),
        _ => Answer::Honest,
    });
    let outcomes = applied(&provider, giving(NEW, &invitations), 1).await;
    match &outcomes[0].result {
        StepResult::Invited(found) => assert_ne!(found.id, invitations[0].id),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_for_good_is_looked_for() {
    let invitations = people(1);
    let provider = FakeProvider::new(&invitations, |call| match call.operation {
        Operation::Create => Answer::DoAndFail(lost_answer()),
        _ => Answer::Honest,
    });
    let outcomes = applied(&provider, giving(NEW, &invitations), 1).await;
    assert!(
        matches!(outcomes[0].result, StepResult::Invited(_)),
        "{outcomes:?}"
    );
}

/// The provider has looked for it already, as long as it may; another create may make a second invitation.
#[tokio::test(start_paused = true)]
async fn an_ambiguous_create_is_not_retried_with_other_options() {
    let invitations = people(1);
    let provider = FakeProvider::new(&invitations, |call| match call.operation {
        Operation::Create => Answer::Refuse(lost_answer()),
        _ => Answer::Honest,
    });
    let outcomes = applied(&provider, giving(NEW, &invitations), 1).await;
    match &outcomes[0].result {
        StepResult::Lost(error) => assert!(error.may_have_executed(), "{error}"),
        other => panic!("{other:?}"),
    }
    let writes = provider.writes();
    let creates = writes.iter().filter(|(it, _)| *it == Operation::Create);
    assert_eq!(creates.count(), 1, "{writes:?}");
}

/// It may be the invitation that was withdrawn just now, which the server still counts.
#[tokio::test(start_paused = true)]
async fn words_for_a_member_are_no_sighting_after_a_withdrawal() {
    let invitations = people(1);
    let provider = FakeProvider::new(&invitations, |call| match call.operation {
        Operation::Create => {
            let words = "This user already exists within the Organization";
            let refused = refusal(ErrorKind::AlreadyExists, Operation::Create, words);
            Answer::Refuse(refused.with_code("resource_already_exists"))
        }
        _ => Answer::Honest,
    });
    let outcomes = applied(&provider, giving(NEW, &invitations), 1).await;
    assert!(
        matches!(outcomes[0].result, StepResult::Lost(_)),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn a_delete_whose_answer_was_lost_is_looked_into() {
    // Carried out, or not.
    for (answer, renewed) in [
        (Answer::DoAndFail as fn(Error) -> Answer, true),
        (Answer::Refuse, false),
    ] {
        let invitations = people(1);
        let provider = FakeProvider::new(&invitations, move |call| match call.operation {
            Operation::Delete => answer(lost_answer()),
            _ => Answer::Honest,
        });
        let outcomes = applied(&provider, giving(NEW, &invitations), 1).await;
        match &outcomes[0].result {
            StepResult::Invited(_) => assert!(renewed),
            StepResult::Failed(error) => assert!(!renewed && error.may_have_executed()),
            other => panic!("{other:?}"),
        }
        assert_eq!(provider.emails().len(), 1);
    }
}

#[tokio::test]
async fn a_missing_invitation_is_renewed_by_a_plan_and_fails_alone() {
    let invitations = people(1);
    let provider = FakeProvider::honest(&[]);
    let renewal = Renewal::of(&invitations[0], &everything()).unwrap();
    match provider.renew(&renewal, &RenewalOptions::default()).await {
        RenewalResult::Failed(error) => assert_eq!(error.kind(), ErrorKind::NotFound),
        other => panic!("{other:?}"),
    }
    assert!(provider.emails().is_empty());
    let outcomes = applied(&provider, giving(NEW, &invitations), 1).await;
    assert!(matches!(outcomes[0].result, StepResult::Invited(_)));
}

#[tokio::test]
async fn a_member_is_kept() {
    let invitations = people(1);
    let provider = FakeProvider::new(&invitations, |call| match call.operation {
        Operation::Delete => Answer::Refuse(refusal(
            ErrorKind::AlreadyAccepted,
            Operation::Delete,
            "was accepted",
        )),
        _ => Answer::Honest,
    });
    let outcomes = applied(&provider, giving(NEW, &invitations), 1).await;
    assert!(matches!(outcomes[0].result, StepResult::Kept));
    assert_eq!(provider.calls(), 1);
}

#[test]
fn what_is_over_or_cannot_be_given_again_is_refused_before() {
    let refused = |old: &Invitation| Renewal::of(old, &everything()).unwrap_err().kind();
    let accepted = existing("i-1", "ann@example.com", InvitationStatus::Accepted);
    assert_eq!(refused(&accepted), ErrorKind::AlreadyAccepted);
    let gone = existing("i-1", "ann@example.com", InvitationStatus::Deactivated);
    assert_eq!(refused(&gone), ErrorKind::Unsupported);
    let mut nameless = with_roles(sent("i-1", "ann@example.com"), &[("r-1", "One")]);
    nameless.roles.as_mut().unwrap()[0].id = None;
    assert_eq!(refused(&nameless), ErrorKind::Unsupported);
}

/// Writes down what it is told, and may refuse.
#[derive(Default)]
struct Journal {
    lines: Mutex<Vec<String>>,
    is_full: bool,
}

impl RenewalObserver for Journal {
    fn withdrawing(&self, renewal: &Renewal) -> Result<()> {
        let line = format!("withdrawing {}", renewal.new.email);
        self.lines.lock().unwrap().push(line);
        let full = Error::new(
            ErrorKind::Unavailable,
            Operation::Delete,
            "the disk is full",
        );
        if self.is_full { Err(full) } else { Ok(()) }
    }

    fn withdrawn(&self, renewal: &Renewal) {
        let line = format!("withdrawn {}", renewal.id);
        self.lines.lock().unwrap().push(line);
    }

    fn retrying(&self, _: &Renewal, error: &Error, _: Duration) {
        self.lines
            .lock()
            .unwrap()
            .push(format!("retrying {:?}", error.kind()));
    }

    fn falling_back(&self, _: &Renewal, error: &Error) {
        let line = format!("falling back {:?}", error.kind());
        self.lines.lock().unwrap().push(line);
    }
}

#[tokio::test]
async fn an_observer_can_prevent_the_deletion() {
    let invitations = people(1);
    let mut new = Renewal::of(&invitations[0], &everything()).unwrap();
    new = Renewal::new(new.id, NewInvitation::new("p0@example.com").roles([NEW])).fallback(new.new);
    let script = |call: &Call| match has_role(call, NEW) {
        true => refused(ErrorKind::InvalidInput),
        false => Answer::Honest,
    };
    let journal = Arc::new(Journal::default());
    let options = RenewalOptions::default().observer(Arc::clone(&journal) as Arc<_>);
    let provider = FakeProvider::new(&invitations, script);
    let result = provider.renew(&new, &options).await;
    assert!(
        matches!(result, RenewalResult::Restored { .. }),
        "{result:?}"
    );
    assert_eq!(
        *journal.lines.lock().unwrap(),
        [
            "withdrawing p0@example.com",
            "withdrawn i-0",
            "falling back InvalidInput"
        ]
    );

    let full = Arc::new(Journal {
        is_full: true,
        ..Journal::default()
    });
    let options = RenewalOptions::default().observer(full);
    let provider = FakeProvider::new(&invitations, script);
    match provider.renew(&new, &options).await {
        RenewalResult::Failed(error) => assert!(error.message().contains("disk is full")),
        other => panic!("{other:?}"),
    }
    assert_eq!(provider.calls(), 0);
}

#[tokio::test]
async fn what_an_earlier_run_deleted_is_restored_as_it_was() {
    let provider = FakeProvider::new(&[], |call| match has_role(call, NEW) {
        true => refused(ErrorKind::InvalidInput),
        false => Answer::Honest,
    });
    let new = NewInvitation::new("ann@example.com").roles([NEW]);
    let mut plan = plan(&[new], &[], &PlanOptions::default());
    let old = NewInvitation::new("ann@example.com").roles([OLD]);
    plan.steps[0].previous = Some(org_invitations::Previous::new(old));
    let outcomes = applied(&provider, plan, 1).await;
    assert!(
        matches!(outcomes[0].result, StepResult::Restored { .. }),
        "{outcomes:?}"
    );
    assert_eq!(provider.emails(), ["ann@example.com"]);
}

#[tokio::test]
async fn each_renewal_asks_whether_its_roles_exist() {
    let invitations = people(6);
    let provider = FakeProvider::honest(&invitations);
    applied(&provider, giving(NEW, &invitations), 2).await;
    assert_eq!(provider.checked().len(), invitations.len());

    // The role disappears after the third.
    let asked = Mutex::new(0);
    let provider = FakeProvider::new(&invitations, move |call| {
        if call.operation != Operation::Validate {
            return Answer::Honest;
        }
        let mut asked = asked.lock().unwrap();
        *asked += 1;
        if *asked > 3 {
            refused(ErrorKind::InvalidInput)
        } else {
            Answer::Honest
        }
    });
    applied(&provider, giving(NEW, &invitations), 1).await;
    assert_eq!(provider.emails().len(), invitations.len());
    let withdrawn = provider.writes().into_iter();
    let withdrawn = withdrawn.filter(|(operation, _)| *operation == Operation::Delete);
    assert_eq!(withdrawn.count(), 3);
}

#[tokio::test]
async fn an_answer_with_the_withdrawn_id_is_no_renewal() {
    // The id that `Answer::About` has.
    let invitations = [with_roles(sent("i-1", "ann@example.com"), &[(OLD, "Old")])];
    let provider = FakeProvider::new(&invitations, |call| match call.operation {
        Operation::Create => Answer::About("ann@example.com"),
        _ => Answer::Honest,
    });
    let renewal = Renewal::of(&invitations[0], &everything()).unwrap();
    let options = RenewalOptions::default().retry_delays([Duration::from_millis(1)]);
    let result = provider.renew(&renewal, &options).await;
    assert!(matches!(result, RenewalResult::Lost { .. }), "{result:?}");
}

#[test]
fn a_role_whose_id_is_empty_cannot_be_given_again() {
    let old = with_roles(sent("i-1", "ann@example.com"), &[("", "Old")]);
    let error = Renewal::of(&old, &everything()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
}
