//! A create or delete whose answer is lost is neither lost nor doubled.

use std::time::Duration;

use org_invitations::{
    ErrorKind, InvitationProvider, InvitationProviderExt, ListQuery, NewInvitation, RetryPolicy,
};
use org_invitations_sandbox::{Fault, Faults, Operation, Rule, Sandbox};

use crate::support::{both, commits, confluent, impatient, requests};

const EMAIL: &str = "Ann.Lee@example.com";

fn once(fault: Fault, operation: Operation) -> Faults {
    Faults::script([Rule::new(fault).on(operation)])
}

/// Every way to lose the answer to a create, on a fresh address.
#[tokio::test(flavor = "multi_thread")]
async fn a_create_whose_answer_is_lost_makes_one_invitation() {
    for fault in [
        Fault::reset_before(),
        Fault::reset_after(),
        Fault::hang(),
        Fault::truncated_body(),
        Fault::status_before(500),
        Fault::status_after(500),
        Fault::status_before(503),
        Fault::status_after(502),
        Fault::status_after(504),
        Fault::late_commit(30),
        Fault::Refuse { for_ms: 0 },
    ] {
        let sandbox = Sandbox::start().await.unwrap();
        for (name, provider) in both(&sandbox) {
            sandbox.set_faults(once(fault.clone(), Operation::Create));
            let outcome = provider.create(NewInvitation::new(EMAIL)).await;
            let made = commits(&sandbox, name, EMAIL).0;
            match outcome {
                Ok(invitation) => {
                    assert!(invitation.email.eq_ignore_ascii_case(EMAIL));
                    assert_eq!(made, 1, "{provider} {fault:?}");
                }
                // What is committed late may stay open, and is then said to be.
                Err(error) => {
                    assert!(
                        matches!(fault, Fault::LateCommit { .. }),
                        "{fault:?} {error}"
                    );
                    assert!(error.may_have_executed(), "{provider} {fault:?} {error}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_that_was_refused_for_its_rate_is_sent_again() {
    for fault in [Fault::rate_limited(40), Fault::bare_rate_limited()] {
        let sandbox = Sandbox::start().await.unwrap();
        for (name, provider) in both(&sandbox) {
            sandbox.set_faults(once(fault.clone(), Operation::Create));
            provider.create(NewInvitation::new(EMAIL)).await.unwrap();
            assert_eq!(commits(&sandbox, name, EMAIL).0, 1, "{provider} {fault:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_was_there_before_is_no_success() {
    for fault in [
        Fault::reset_after(),
        Fault::status_after(500),
        Fault::truncated_body(),
    ] {
        let sandbox = Sandbox::start().await.unwrap();
        for (name, provider) in both(&sandbox) {
            let first = provider.create(NewInvitation::new(EMAIL)).await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
            sandbox.set_faults(once(fault.clone(), Operation::Create));
            let error = provider
                .create(NewInvitation::new(EMAIL))
                .await
                .unwrap_err();
            assert_eq!(
                error.kind(),
                ErrorKind::AlreadyExists,
                "{provider} {fault:?} {error}"
            );
            assert_eq!(
                error.conflicting_id(),
                Some(&first.id),
                "{provider} {error}"
            );
            assert!(!error.may_have_executed(), "{provider} {fault:?} {error}");
            assert_eq!(commits(&sandbox, name, EMAIL).0, 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_lookup_fails_too_the_error_says_that_it_is_open() {
    let sandbox = Sandbox::start().await.unwrap();
    for (_, provider) in both(&sandbox) {
        sandbox.set_faults(Faults::script([
            Rule::new(Fault::reset_after()).on(Operation::Create),
            Rule::new(Fault::status_before(503))
                .on(Operation::List)
                .always(),
        ]));
        let error = provider
            .create(NewInvitation::new(EMAIL))
            .await
            .unwrap_err();
        assert!(error.may_have_executed(), "{error}");
        assert!(
            matches!(error.kind(), ErrorKind::Transport | ErrorKind::Connect),
            "{error}"
        );
        assert!(
            error.to_string().contains("it may have been carried out"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_whose_lookup_fails_may_have_executed() {
    let sandbox = Sandbox::start().await.unwrap();
    for (name, provider) in both(&sandbox) {
        let down = || Rule::new(Fault::status_before(503)).always();
        sandbox.set_faults(Faults::script([
            Rule::new(Fault::duplicate()).on(Operation::Create),
            down().on(Operation::List),
            down().on(Operation::Get),
        ]));
        let outcome = provider.create(NewInvitation::new(EMAIL)).await;
        let error = outcome.unwrap_err();
        let refused = [ErrorKind::AlreadyExists, ErrorKind::Conflict];
        assert!(refused.contains(&error.kind()), "{error}");
        assert!(error.may_have_executed(), "{error}");
        assert_eq!(commits(&sandbox, name, EMAIL).0, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_delivered_twice_may_have_executed() {
    let sandbox = Sandbox::start().await.unwrap();
    for (name, provider) in both(&sandbox) {
        sandbox.set_faults(once(Fault::duplicate(), Operation::Create));
        match provider.create(NewInvitation::new(EMAIL)).await {
            Ok(_) => {}
            Err(error) => assert!(error.may_have_executed(), "{provider} {error}"),
        }
        assert_eq!(commits(&sandbox, name, EMAIL).0, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_concurrent_creates_exactly_one_succeeds() {
    let sandbox = Sandbox::start().await.unwrap();
    for (name, provider) in both(&sandbox) {
        let attempts = (0..8).map(|_| provider.create(NewInvitation::new(EMAIL)));
        let outcomes = futures::future::join_all(attempts).await;
        let made = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(made, 1, "{outcomes:?}");
        for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
        }
        assert_eq!(commits(&sandbox, name, EMAIL).0, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_skewed_server_clock_changes_nothing() {
    for skew in [-7_200, -30, 30, 7_200] {
        let sandbox = Sandbox::start().await.unwrap();
        for (name, provider) in both(&sandbox) {
            let faults = Faults::script([]).with_clock_skew(skew);
            sandbox.set_faults(faults);
            let warm = provider
                .create(NewInvitation::new("warm@example.com"))
                .await
                .unwrap();
            let rules = [Rule::new(Fault::reset_after())
                .on(Operation::Create)
                .times(2)];
            sandbox.set_faults(Faults::script(rules).with_clock_skew(skew));
            let made = provider.create(NewInvitation::new(EMAIL)).await.unwrap();
            assert_eq!(
                commits(&sandbox, name, EMAIL).0,
                1,
                "{provider} {skew} {made:?}"
            );
            let again = NewInvitation::new("warm@example.com");
            let error = provider.create(again).await.unwrap_err();
            assert_eq!(
                error.kind(),
                ErrorKind::AlreadyExists,
                "{provider} {skew} {error}"
            );
            assert_eq!(error.conflicting_id(), Some(&warm.id));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_that_is_repeated_after_a_lost_answer_succeeds() {
    for fault in [
        Fault::reset_after(),
        Fault::status_after(500),
        Fault::reset_before(),
    ] {
        let sandbox = Sandbox::start().await.unwrap();
        for (name, provider) in both(&sandbox) {
            let invitation = provider.create(NewInvitation::new(EMAIL)).await.unwrap();
            sandbox.set_faults(once(fault.clone(), Operation::Delete));
            provider.delete(&invitation.id).await.unwrap();
            assert_eq!(
                commits(&sandbox, name, EMAIL),
                (1, 1),
                "{provider} {fault:?}"
            );
            let error = provider.delete(&invitation.id).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{provider} {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_are_repeated_and_the_last_error_survives_whole() {
    let sandbox = Sandbox::start().await.unwrap();
    for (_, provider) in both(&sandbox) {
        let invitation = provider.create(NewInvitation::new(EMAIL)).await.unwrap();
        let rule = Rule::new(Fault::status_before(503)).on(Operation::Get);
        sandbox.set_faults(Faults::script([rule.clone().times(4)]));
        assert_eq!(provider.get(&invitation.id).await.unwrap(), invitation);
        sandbox.set_faults(Faults::script([rule.always()]));
        let error = provider.get(&invitation.id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert_eq!(
            (error.status(), error.attempts()),
            (Some(503), 5),
            "{error}"
        );
        assert!(
            error.request_id().is_some() && !error.may_have_executed(),
            "{error}"
        );
        sandbox.set_faults(Faults::default());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_retries_every_call_is_one_request() {
    let sandbox = Sandbox::start().await.unwrap();
    let provider = confluent(&sandbox, RetryPolicy::none());
    sandbox.set_faults(Faults::script([Rule::new(Fault::reset_after()).always()]));
    let error = provider
        .create(NewInvitation::new(EMAIL))
        .await
        .unwrap_err();
    assert_eq!(
        (error.attempts(), error.may_have_executed()),
        (1, true),
        "{error}"
    );
    provider
        .list_page(&ListQuery::new(), None)
        .await
        .unwrap_err();
    assert_eq!(sandbox.ledger().requests.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_ends_a_call_that_hangs() {
    let sandbox = Sandbox::start().await.unwrap();
    let policy = impatient().deadline(Duration::from_millis(600));
    let provider = confluent(&sandbox, policy);
    sandbox.set_faults(Faults::script([Rule::new(Fault::hang()).always()]));
    let error = provider
        .list_page(&ListQuery::new(), None)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    // Each of them takes 400 ms of the 600.
    let sent = requests(&sandbox, "list");
    assert!(sent <= 2, "{sent} requests");
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_links_between_pages_neither_lose_nor_repeat_anything() {
    let sandbox = Sandbox::start().await.unwrap();
    let provider = confluent(&sandbox, impatient());
    for number in 0..7 {
        let new = NewInvitation::new(format!("user{number}@example.com"));
        provider.create(new).await.unwrap();
    }
    let all = async || -> org_invitations::Result<Vec<String>> {
        use futures::TryStreamExt;
        let list = provider.list(ListQuery::new().page_size(3));
        list.map_ok(|invitation| invitation.email)
            .try_collect()
            .await
    };
    for fault in [
        Fault::NextEmpty,
        Fault::NextNull,
        Fault::NextAbsent,
        Fault::EmptyPage,
    ] {
        sandbox.set_faults(once(fault.clone(), Operation::List));
        assert_eq!(all().await.unwrap().len(), 7, "{fault:?}");
    }
    let elsewhere = Fault::NextElsewhere {
        origin: "https://elsewhere.invalid".to_owned(),
    };
    sandbox.set_faults(Faults::script([Rule::new(elsewhere).always()]));
    assert_eq!(all().await.unwrap().len(), 7);
    for (fault, words) in [
        (Fault::NextRepeats, "twice"),
        (Fault::EmptyPage, "empty pages"),
    ] {
        sandbox.set_faults(Faults::script([Rule::new(fault).always()]));
        let error = all().await.unwrap_err();
        assert!(error.message().contains(words), "{error}");
    }
    assert!(requests(&sandbox, "list") > 1_000);
}
