//! Answers that do not say what they seem to say, held against the ledger: a status is no sighting, an answer
//! counts only for what was asked, and what is new takes effect late.

use std::{collections::HashSet, time::Duration};

use futures::{StreamExt, TryStreamExt};
use org_invitations::{
    BulkOptions, CreateResult, ErrorKind, InvitationProvider, InvitationProviderExt, ListQuery,
    NewInvitation, RetryPolicy,
};
use org_invitations_sandbox::{
    Fault, Faults, Lag, Limit, Limits, Operation, Provider, Rule, Sandbox, When,
};

use crate::support::{both, both_with, commits, confluent, impatient, requests};

const EMAIL: &str = "ann@example.com";
const OTHER: &str = "ann@example.com.au";
/// Longer than any test.
const HOUR: Duration = Duration::from_secs(3_600);

fn new() -> NewInvitation {
    NewInvitation::new(EMAIL)
}

fn on_create(fault: Fault) -> Faults {
    Faults::script([Rule::new(fault).on(Operation::Create)])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_a_conflict_with_nobody() {
    let sandbox = Sandbox::start().await.unwrap();
    for (name, provider) in both(&sandbox) {
        sandbox.set_faults(on_create(Fault::locked()));
        let error = provider.create(new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        assert_eq!(error.conflicting_id(), None, "{error}");
        assert!(error.message().contains("is being modified"), "{error}");
        assert_eq!(commits(&sandbox, name, EMAIL).0, 0);
        provider.create(new()).await.unwrap();
        assert_eq!(commits(&sandbox, name, EMAIL).0, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_answered_after_the_commit_is_said_to_be_open() {
    let after = Fault::Locked { when: When::After };
    let sandbox = Sandbox::start().await.unwrap();
    for (name, provider) in both(&sandbox) {
        sandbox.set_faults(on_create(after.clone()));
        let error = provider.create(new()).await.unwrap_err();
        assert_eq!(commits(&sandbox, name, EMAIL).0, 1);
        assert!(error.may_have_executed(), "{provider} {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_that_meets_a_lock_is_an_error_until_it_is_done() {
    let sandbox = Sandbox::start().await.unwrap();
    for (name, provider) in both(&sandbox) {
        let invitation = provider.create(new()).await.unwrap();
        let rule = Rule::new(Fault::locked()).on(Operation::Delete);
        sandbox.set_faults(Faults::script([rule]));
        let error = provider.delete(&invitation.id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        assert!(error.message().contains("is being modified"), "{error}");
        assert_eq!(commits(&sandbox, name, EMAIL), (1, 0));
        provider.delete(&invitation.id).await.unwrap();
        assert_eq!(commits(&sandbox, name, EMAIL), (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_page_after_the_commit_is_ambiguous() {
    for status in [403, 408, 502, 504] {
        let sandbox = Sandbox::start().await.unwrap();
        for (name, provider) in both(&sandbox) {
            sandbox.set_faults(on_create(Fault::page_after(status)));
            let outcome = provider.create(new()).await;
            let made = commits(&sandbox, name, EMAIL).0;
            assert_eq!(made, 1, "{provider} {status} {outcome:?}");
            match outcome {
                Ok(invitation) => assert_eq!(invitation.email, EMAIL),
                Err(error) => assert!(error.may_have_executed(), "{provider} {status} {error}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_create_is_found_though_lists_show_it_late() {
    let sandbox = Sandbox::start().await.unwrap();
    let retry = impatient().settle_for(Duration::from_millis(300));
    for (name, provider) in both_with(&sandbox, &retry) {
        // A second create would be accepted at any time.
        let faults = on_create(Fault::reset_after())
            .with_uniqueness_lag(Lag::time(HOUR))
            .with_list_lag(Lag::requests(3));
        sandbox.set_faults(faults);
        let invitation = provider.create(new()).await.unwrap();
        let ledger = sandbox.ledger();
        let made = ledger.commits.iter().filter(|it| it.provider == name);
        let ids: Vec<_> = made.map(|commit| commit.id.as_str()).collect();
        assert_eq!(ids, [invitation.id.as_str()], "{provider}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_invitations_of_one_address_are_said_to_be_there() {
    let sandbox = Sandbox::start().await.unwrap();
    // One look, which does not see what the lost request made.
    let retry = impatient().settle_for(Duration::ZERO);
    for (name, provider) in both_with(&sandbox, &retry) {
        // It is hidden from that look and from the second create, and shown to the next look.
        let faults = on_create(Fault::reset_after())
            .with_uniqueness_lag(Lag::time(HOUR))
            .with_list_lag(Lag::requests(2));
        sandbox.set_faults(faults);
        let error = provider.create(new()).await.unwrap_err();
        assert_eq!(commits(&sandbox, name, EMAIL).0, 2, "{provider}");
        assert!(error.may_have_executed(), "{provider} {error}");
        let ledger = sandbox.ledger();
        for commit in ledger.commits.iter().filter(|it| it.provider == name) {
            assert!(error.message().contains(&commit.id), "{provider} {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_about_an_invitation_that_lists_do_not_show_yet() {
    let sandbox = Sandbox::start().await.unwrap();
    for (name, provider) in both(&sandbox) {
        sandbox.set_faults(Faults::default().with_list_lag(Lag::time(HOUR)));
        provider.create(new()).await.unwrap();
        let error = provider.create(new()).await.unwrap_err();
        let refused = [ErrorKind::AlreadyExists, ErrorKind::Conflict];
        assert!(refused.contains(&error.kind()), "{provider} {error}");
        assert_eq!(commits(&sandbox, name, EMAIL).0, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_with_ignored_filters_has_only_matches() {
    for fault in [Fault::FiltersIgnored, Fault::FiltersAsPrefixes] {
        let sandbox = Sandbox::start().await.unwrap();
        let provider = confluent(&sandbox, impatient());
        for number in 0..30 {
            let email = format!("{EMAIL}.{number}");
            provider.create(NewInvitation::new(email)).await.unwrap();
        }
        let loose = || Rule::new(fault.clone()).on(Operation::List).always();
        sandbox.set_faults(Faults::script([loose()]));
        let found = async || -> Vec<_> {
            let list = provider.list(ListQuery::new().email(EMAIL));
            list.try_collect().await.unwrap()
        };
        assert!(found().await.is_empty(), "{fault:?}");
        assert_eq!(provider.find_by_email(EMAIL).await.unwrap(), None);

        // A lost create is neither taken for one of those nor overlooked among them.
        for (lost, sent) in [(Fault::reset_before(), 2), (Fault::reset_after(), 1)] {
            let before = requests(&sandbox, "create");
            let lost = Rule::new(lost).on(Operation::Create);
            sandbox.set_faults(Faults::script([lost, loose()]));
            let created = provider.create(new()).await.unwrap();
            assert_eq!(requests(&sandbox, "create") - before, sent, "{fault:?}");
            assert_eq!(found().await, std::slice::from_ref(&created), "{fault:?}");
            provider.delete(&created.id).await.unwrap();
        }
        assert_eq!(commits(&sandbox, Provider::Confluent, EMAIL), (2, 2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_about_another_person_is_not_accepted() {
    let sandbox = Sandbox::start().await.unwrap();
    for (name, provider) in both(&sandbox) {
        let someone = Fault::AnotherPerson {
            email: OTHER.to_owned(),
        };
        sandbox.set_faults(on_create(someone));
        match provider.create(new()).await {
            Ok(invitation) => assert_eq!(invitation.email, EMAIL, "{provider}"),
            Err(error) => assert!(error.may_have_executed(), "{provider} {error}"),
        }
        assert_eq!(commits(&sandbox, name, EMAIL).0, 1, "{provider}");
        assert_eq!(commits(&sandbox, name, OTHER).0, 0, "{provider}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_that_names_another_person_is_not_trusted() {
    let sandbox = Sandbox::start().await.unwrap();
    for (name, provider) in both(&sandbox) {
        let first = provider.create(new()).await.unwrap();
        let rule = Rule::new(Fault::another_person()).on(Operation::Get);
        sandbox.set_faults(Faults::script([rule.always()]));
        let error = provider.create(new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
        assert_eq!(error.conflicting_id(), Some(&first.id), "{error}");
        assert_eq!(commits(&sandbox, name, EMAIL).0, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_another_id_is_no_answer_to_a_get() {
    let sandbox = Sandbox::start().await.unwrap();
    for (_, provider) in both(&sandbox) {
        let invitation = provider.create(new()).await.unwrap();
        let rule = Rule::new(Fault::another_id()).on(Operation::Get);
        sandbox.set_faults(Faults::script([rule.always()]));
        let error = provider.get(&invitation.id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{provider} {error}");
        sandbox.set_faults(Faults::default());
        assert_eq!(provider.get(&invitation.id).await.unwrap(), invitation);
    }
}

/// Creates more than a day has room for; the addresses that are said to be created.
async fn more_than_a_day(provider: &impl InvitationProvider, known: bool) -> HashSet<String> {
    let items = (0..20).map(|number| NewInvitation::new(format!("user{number}@example.com")));
    let outcomes = provider.create_many(items, BulkOptions::default().concurrency(4));
    let outcomes: Vec<_> = outcomes.collect().await;
    let mut created = HashSet::new();
    for outcome in outcomes {
        match outcome.result {
            CreateResult::Created(invitation) => drop(created.insert(invitation.email)),
            CreateResult::Failed(error) => {
                assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
                assert!(!error.may_have_executed(), "{error}");
                // A window of a day that nobody set is learned as a long one.
                assert!(error.is_fatal() || !known, "{error}");
            }
            CreateResult::NotAttempted => {}
            other => panic!("{other:?}"),
        }
    }
    created
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_ends_where_the_longer_of_two_windows_is_spent() {
    let sandbox = Sandbox::start().await.unwrap();
    let short = Duration::from_millis(200);
    let limit = || Limit::new(5, short).and(12, 24 * HOUR);
    let set = || sandbox.set_limits(Limits::default().confluent(limit()).clickhouse(limit()));
    for known in [false, true] {
        let keys = &sandbox.credentials();
        let rates = if known {
            vec![(5, short), (12, 24 * HOUR)]
        } else {
            vec![]
        };
        let (key, other) = (&keys.confluent, &keys.clickhouse);
        let confluent = org_invitations::Confluent::builder()
            .api_key(&key.api_key, key.api_secret.as_str())
            .base_url(sandbox.url())
            .rate_limits(rates.clone())
            .retry(RetryPolicy::default().deadline(Duration::from_secs(5)));
        let clickhouse = org_invitations::ClickHouse::builder(&other.organization_id)
            .api_key(&other.api_key, other.api_secret.as_str())
            .base_url(sandbox.url())
            .rate_limits(rates)
            .retry(RetryPolicy::default().deadline(Duration::from_secs(5)));
        let providers: [(_, Box<dyn InvitationProvider>); 2] = [
            (Provider::Confluent, Box::new(confluent.build().unwrap())),
            (Provider::ClickHouse, Box::new(clickhouse.build().unwrap())),
        ];
        for (name, provider) in providers {
            sandbox.reset();
            set();
            let created = more_than_a_day(&provider, known).await;
            let ledger = sandbox.ledger();
            let made: HashSet<_> = ledger.commits.iter().map(|it| it.email.clone()).collect();
            assert_eq!(made.len(), ledger.commits.len(), "{name:?}");
            assert_eq!(created, made, "{name:?}");
            assert_eq!(created.len(), 12, "{name:?} known: {known}");
            if known {
                assert_eq!(ledger.count_status(429), 0, "{name:?}");
            }
        }
    }
}
