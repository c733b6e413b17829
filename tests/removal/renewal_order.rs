//! The renewals of a plan: one person at risk at a time.

use org_invitations::{ErrorKind, Invitation, NewInvitation, Operation, PlanOptions, StepResult};

use crate::renewal::{NEW, OLD, applied, giving, has_role, people, refused};
use crate::{
    fake_provider::{Answer, FakeProvider},
    plan, pruning,
};

#[tokio::test]
async fn renewals_run_one_at_a_time_until_one_succeeded() {
    let invitations = people(20);
    for kind in [
        ErrorKind::InvalidInput,
        ErrorKind::PermissionDenied,
        ErrorKind::QuotaExceeded,
        ErrorKind::Unavailable,
    ] {
        let provider = FakeProvider::new(&invitations, move |call| match call.operation {
            Operation::Create => refused(kind),
            _ => Answer::Honest,
        });
        let outcomes = applied(&provider, giving(NEW, &invitations), 16).await;
        let lost: Vec<_> = outcomes
            .iter()
            .filter(|outcome| matches!(outcome.result, StepResult::Lost(_)))
            .collect();
        assert_eq!(lost.len(), 1, "{kind:?}");
        let rest = outcomes
            .iter()
            .filter(|outcome| matches!(outcome.result, StepResult::NotAttempted));
        assert_eq!(rest.count(), 19, "{kind:?}");
        assert_eq!((provider.most_at_risk(), provider.emails().len()), (1, 19));
    }
}

#[tokio::test]
async fn once_one_succeeded_they_run_beside_each_other() {
    let invitations = people(20);
    let provider = FakeProvider::honest(&invitations);
    let outcomes = applied(&provider, giving(NEW, &invitations), 8).await;
    for outcome in &outcomes {
        assert!(
            matches!(outcome.result, StepResult::Invited(_)),
            "{outcome:?}"
        );
    }
    assert!(provider.most_at_risk() > 1);
    assert_eq!(provider.writes()[0].0, Operation::Delete);
    assert_eq!(provider.writes()[1].0, Operation::Create);
    assert_eq!(provider.emails().len(), 20);
}

#[tokio::test]
async fn a_refused_role_costs_nobody_and_is_tried_on_one_person() {
    let invitations = people(20);
    let provider = FakeProvider::new(&invitations, |call| match has_role(call, NEW) {
        true => refused(ErrorKind::InvalidInput),
        false => Answer::Honest,
    });
    let outcomes = applied(&provider, giving(NEW, &invitations), 16).await;
    match &outcomes[0].result {
        StepResult::Restored { invitation, error } => {
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            let roles = invitation.roles.as_ref().unwrap();
            assert_eq!(roles[0].id.as_deref(), Some(OLD));
        }
        other => panic!("{other:?}"),
    }
    for outcome in &outcomes[1..] {
        match &outcome.result {
            StepResult::Skipped(why) => assert!(why.contains("p0@example.com"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(provider.writes().len(), 3);
    assert_eq!(provider.emails().len(), 20);
}

#[tokio::test]
async fn options_are_proven_one_by_one() {
    let invitations = people(6);
    let bad = "33333333-0000-4000-8000-000000000003";
    let row = |(index, one): (usize, &Invitation)| {
        NewInvitation::new(&one.email).roles([if index % 2 == 0 { NEW } else { bad }])
    };
    let roster: Vec<_> = invitations.iter().enumerate().map(row).collect();
    let provider = FakeProvider::new(&invitations, move |call| match has_role(call, bad) {
        true => refused(ErrorKind::InvalidInput),
        false => Answer::Honest,
    });
    let plan = plan(&roster, &invitations, &PlanOptions::default());
    let outcomes = applied(&provider, plan, 4).await;
    let count = |matches: fn(&StepResult) -> bool| {
        let results = outcomes.iter().map(|outcome| &outcome.result);
        results.filter(|result| matches(result)).count()
    };
    assert_eq!(count(|result| matches!(result, StepResult::Invited(_))), 3);
    assert_eq!(
        count(|result| matches!(result, StepResult::Restored { .. })),
        1
    );
    assert_eq!(count(|result| matches!(result, StepResult::Skipped(_))), 2);
    assert_eq!(provider.emails().len(), 6);
}

#[tokio::test]
async fn after_a_person_was_lost_nothing_else_is_withdrawn() {
    let invitations = people(3);
    let row = |one: &Invitation| NewInvitation::new(&one.email).roles([NEW]);
    let roster: Vec<_> = invitations.iter().take(1).map(row).collect();
    let provider = FakeProvider::new(&invitations, |call| match call.operation {
        Operation::Create => refused(ErrorKind::PermissionDenied),
        _ => Answer::Honest,
    });
    let outcomes = applied(&provider, plan(&roster, &invitations, &pruning()), 4).await;
    assert!(matches!(outcomes[0].result, StepResult::Lost(_)));
    for outcome in &outcomes[1..] {
        match &outcome.result {
            StepResult::Skipped(why) => assert!(why.contains("p0@example.com"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(provider.emails().len(), 2);
}
