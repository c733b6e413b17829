//! Carrying a plan out: what is withdrawn when, and what has to be known before.

use futures::StreamExt;
use org_invitations::{
    BulkOptions, ErrorKind, InvitationProvider, NewInvitation, Operation, Plan, RemovalLimit,
    StepOutcome, StepResult,
};

use crate::{
    at_once, crowd,
    fake_provider::{Answer, Call, FakeProvider, refusal},
    plan, pruning, sent,
};

async fn applied(provider: &dyn InvitationProvider, plan: Plan) -> Vec<StepOutcome> {
    let mut outcomes: Vec<_> = plan.apply(provider, at_once(4)).collect().await;
    outcomes.sort_by_key(|outcome| outcome.index);
    outcomes
}

fn words(outcomes: &[StepOutcome]) -> Vec<&'static str> {
    let word = |outcome: &StepOutcome| match &outcome.result {
        StepResult::Invited(_) => "invited",
        StepResult::Kept => "kept",
        StepResult::Removed => "deleted",
        StepResult::Invalid => "refused",
        StepResult::Failed(_) => "failed",
        StepResult::Skipped(_) => "withheld",
        StepResult::NotAttempted => "not attempted",
        other => panic!("{other:?}"),
    };
    outcomes.iter().map(word).collect()
}

fn is_create(call: &Call, email: &str) -> bool {
    call.operation == Operation::Create && call.target == email
}

const ANN: &str = "ann@example.com";
const BOB: &str = "bob@example.com";

/// Ann and Bob are to be invited, and the two who are there are to go.
fn two_for_two() -> (Vec<org_invitations::Invitation>, Plan) {
    let there = crowd(2);
    let roster = [ANN, BOB].map(NewInvitation::new);
    let plan = plan(&roster, &there, &pruning());
    (there, plan)
}

#[tokio::test]
async fn a_run_that_withdraws_too_many_is_not_begun() {
    let there = crowd(40);
    let roster = [ANN, "p0@example.com", "nobody"].map(NewInvitation::new);
    let provider = FakeProvider::honest(&there);
    let whole = || plan(&roster, &there, &pruning());
    for options in [at_once(4), BulkOptions::default().into()] {
        let outcomes: Vec<_> = whole().apply(&provider, options).collect().await;
        assert_eq!(outcomes.len(), 42);
        assert_eq!(words(&outcomes)[..3], ["withheld", "kept", "refused"]);
        for outcome in &outcomes[3..] {
            match &outcome.result {
                StepResult::Skipped(why) => {
                    assert!(why.contains("39 of 40 invitations"), "{why}")
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(provider.calls(), 0);
    // What was agreed to is done.
    let agreed = at_once(4).removals(RemovalLimit::count(39));
    let outcomes: Vec<_> = whole().apply(&provider, agreed).collect().await;
    assert_eq!(outcomes.len(), 42);
    assert_eq!(provider.emails(), [ANN, "p0@example.com"]);
}

#[tokio::test]
async fn deletions_come_after_creates() {
    let (there, plan) = two_for_two();
    let provider = FakeProvider::honest(&there);
    let outcomes: Vec<_> = plan.apply(&provider, at_once(4)).collect().await;
    assert_eq!(
        words(&outcomes),
        ["invited", "invited", "deleted", "deleted"]
    );
    let order: Vec<_> = provider
        .writes()
        .into_iter()
        .map(|(operation, _)| operation)
        .collect();
    let expected = [Operation::Create, Operation::Delete].map(|operation| [operation; 2]);
    assert_eq!(order, expected.concat());
}

#[tokio::test]
async fn nothing_is_deleted_while_a_create_is_unexplained() {
    type Make = fn() -> Answer;
    let cases: [(&str, Make); 4] = [
        ("may have been carried out", || {
            let error = refusal(ErrorKind::Timeout, Operation::Create, "lost");
            Answer::Refuse(error.with_may_have_executed(true))
        }),
        ("may have been carried out", || {
            let error = refusal(ErrorKind::Timeout, Operation::Create, "lost");
            Answer::DoAndFail(error.with_may_have_executed(true))
        }),
        ("no invitation was found", || {
            let why = "is being modified by another request";
            Answer::Refuse(refusal(ErrorKind::AlreadyExists, Operation::Create, why))
        }),
        ("may have been carried out", || {
            Answer::About("someone@example.com")
        }),
    ];
    for (words_of_reason, make) in cases {
        let (there, plan) = two_for_two();
        let provider = FakeProvider::new(&there, move |call| match is_create(call, BOB) {
            true => make(),
            false => Answer::Honest,
        });
        let outcomes = applied(&provider, plan).await;
        assert_eq!(
            words(&outcomes),
            ["invited", "failed", "withheld", "withheld"]
        );
        match &outcomes[2].result {
            StepResult::Skipped(why) => {
                assert!(why.contains(BOB) && why.contains(words_of_reason), "{why}");
            }
            other => panic!("{other:?}"),
        }
        let deletions = provider.writes();
        assert!(
            deletions
                .iter()
                .all(|(operation, _)| *operation == Operation::Create)
        );
    }
}

#[tokio::test]
async fn a_create_that_was_refused_for_a_reason_holds_nothing_up() {
    let (there, plan) = two_for_two();
    let provider = FakeProvider::new(&there, |call| match is_create(call, BOB) {
        true => Answer::Refuse(refusal(
            ErrorKind::PermissionDenied,
            Operation::Create,
            "no",
        )),
        false => Answer::Honest,
    });
    let outcomes = applied(&provider, plan).await;
    assert_eq!(
        words(&outcomes),
        ["invited", "failed", "deleted", "deleted"]
    );
}

#[tokio::test]
async fn kept_is_who_was_seen() {
    // Bob was invited by somebody else since the plan was made.
    let (there, plan) = two_for_two();
    let now = [&there[..], &[sent("i-9", "Bob@Example.com")]].concat();
    let provider = FakeProvider::new(&now, |call| match is_create(call, BOB) {
        true => Answer::Refuse(refusal(
            ErrorKind::AlreadyExists,
            Operation::Create,
            "invited",
        )),
        false => Answer::Honest,
    });
    let outcomes = applied(&provider, plan).await;
    assert_eq!(words(&outcomes), ["invited", "kept", "deleted", "deleted"]);
    assert_eq!(outcomes[1].step.id.as_ref().unwrap().as_str(), "i-9");
}

#[tokio::test]
async fn a_member_in_the_providers_own_words_is_kept() {
    let member = || {
        let why = "This email address belongs to a member of the organization";
        refusal(ErrorKind::AlreadyExists, Operation::Create, why)
    };
    for (code, said) in [(Some("CONFLICT"), "kept"), (None, "failed")] {
        let (there, plan) = two_for_two();
        let provider = FakeProvider::new(&there, move |call| match is_create(call, BOB) {
            true => Answer::Refuse(match code {
                Some(code) => member().with_code(code),
                None => member(),
            }),
            false => Answer::Honest,
        });
        let outcomes = applied(&provider, plan).await;
        assert_eq!(words(&outcomes)[1], said, "{code:?}");
        assert_eq!(outcomes[1].step.id, None);
    }
}

#[tokio::test]
async fn a_step_that_names_no_invitation_is_no_success() {
    let there = crowd(1);
    let plan = plan(&[NewInvitation::new(ANN)], &there, &pruning());
    let mut json = serde_json::to_value(&plan).unwrap();
    json["steps"][1].as_object_mut().unwrap().remove("id");
    let plan: Plan = serde_json::from_value(json).unwrap();
    let provider = FakeProvider::honest(&there);
    let outcomes = applied(&provider, plan).await;
    assert_eq!(words(&outcomes), ["invited", "failed"]);
}

#[tokio::test]
async fn a_credential_that_fails_in_the_creates_stops_the_deletions() {
    let (there, plan) = two_for_two();
    let provider = FakeProvider::new(&there, |call| match call.operation {
        Operation::Create => {
            Answer::Refuse(refusal(ErrorKind::Unauthenticated, Operation::Create, "no"))
        }
        _ => Answer::Honest,
    });
    let outcomes = applied(&provider, plan).await;
    assert_eq!(words(&outcomes)[2..], ["not attempted", "not attempted"]);
    assert_eq!(provider.emails().len(), 2);
}

#[tokio::test]
async fn many_conflicts_share_one_whole_list() {
    let roster: Vec<_> = (0..50)
        .map(|number| NewInvitation::new(format!("new{number}@example.com")))
        .collect();
    let plan = plan(&roster, &[], &pruning());
    let provider = FakeProvider::new(&[], |call| match call.operation {
        Operation::Create => Answer::Refuse(refusal(
            ErrorKind::AlreadyExists,
            Operation::Create,
            "is there",
        )),
        _ => Answer::Honest,
    });
    let outcomes = applied(&provider, plan).await;
    assert!(words(&outcomes).iter().all(|word| *word == "failed"));
    // A create and a list of the address for each, and one whole list.
    assert_eq!(provider.calls(), 50 + 50 + 1);
}
