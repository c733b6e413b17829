//! Many at once: one outcome for each, and a credential that fails stops the rest.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::StreamExt;
use org_invitations::{
    BulkOptions, Confluent, CreateResult, DeleteOutcome, DeleteResult, InvitationId,
    InvitationProviderExt, NewInvitation, RemovalLimit,
};
use org_invitations_sandbox::{Change, Sandbox};
use serde_json::json;

use crate::{
    backend::{Backend, Setup},
    support::{Answer, Sent, Wire},
};

fn created(outcome: &CreateResult) -> String {
    match outcome {
        CreateResult::Created(invitation) => format!("created {}", invitation.email),
        CreateResult::AlreadyExists(error) => format!("existed {:?}", error.kind()),
        CreateResult::Failed(error) => format!("refused {:?}", error.kind()),
        CreateResult::NotAttempted => "not attempted".to_owned(),
        CreateResult::Duplicate(first) => format!("the same as {first}"),
        other => panic!("{other:?}"),
    }
}

fn deleted(outcome: &DeleteResult) -> String {
    match outcome {
        DeleteResult::Deleted => "deleted".to_owned(),
        DeleteResult::NotFound => "missing".to_owned(),
        DeleteResult::Failed(error) => format!("refused {:?}", error.kind()),
        DeleteResult::NotAttempted => "not attempted".to_owned(),
        DeleteResult::Duplicate(first) => format!("the same as {first}"),
        other => panic!("{other:?}"),
    }
}

/// Answers with the status that the subject begins with.
fn by_subject(backend: Backend) -> impl Fn(&Sent) -> Answer + Send + Sync + 'static {
    move |sent| {
        let email = sent.json()["email"].as_str().map(str::to_owned);
        let id = sent.path.rsplit('/').next().unwrap_or_default().to_owned();
        let subject = email.clone().unwrap_or(id);
        match subject
            .split('-')
            .next()
            .and_then(|status| status.parse().ok())
        {
            Some(204) => Answer::empty(204),
            Some(200) => {
                let object = json!({ "id": "i-1", "email": email });
                backend.identified(Answer::json(200, &backend.envelope(object)))
            }
            Some(status) => backend.refusal(status),
            None => Answer::empty(418),
        }
    }
}

#[tokio::test]
async fn create_many_has_one_outcome_for_each_item() {
    for backend in Backend::ALL {
        let wire = Wire::responding(by_subject(backend)).await;
        let emails = [
            "200-a@x.io",
            "409-b@x.io",
            "403-c@x.io",
            "no address",
            "200-d@x.io",
            "500-e@x.io",
        ];
        let items = emails.map(NewInvitation::new);
        let provider = backend.connect(&wire);
        for concurrency in [0, 1, 3, 100] {
            let options = BulkOptions::default().concurrency(concurrency);
            let outcomes: Vec<_> = provider.create_many(items.clone(), options).collect().await;
            let mut recorded = BTreeMap::new();
            for outcome in &outcomes {
                assert_eq!(outcome.new.email, emails[outcome.index]);
                recorded.insert(outcome.index, created(&outcome.result));
            }
            assert_eq!(outcomes.len(), emails.len());
            assert_eq!(
                recorded.into_values().collect::<Vec<_>>(),
                [
                    "created 200-a@x.io",
                    "existed AlreadyExists",
                    "refused PermissionDenied",
                    "refused InvalidInput",
                    "created 200-d@x.io",
                    "refused Unavailable",
                ],
                "{backend:?}, {concurrency} at a time"
            );
        }
        // The bad address is never sent.
        assert_eq!(wire.seen().len(), 4 * 5);
    }
}

#[tokio::test]
async fn a_401_leaves_the_rest_of_the_creates_unattempted() {
    for backend in Backend::ALL {
        let wire = Wire::responding(by_subject(backend)).await;
        let emails = ["200-a@x.io", "401-b@x.io", "200-c@x.io", "200-d@x.io"];
        let provider = backend.connect(&wire);
        let options = BulkOptions::default().concurrency(1);
        let outcomes = provider.create_many(emails.map(NewInvitation::new), options);
        let recorded: Vec<_> = outcomes
            .map(|outcome| created(&outcome.result))
            .collect()
            .await;
        assert_eq!(
            recorded,
            [
                "created 200-a@x.io",
                "refused Unauthenticated",
                "not attempted",
                "not attempted",
            ],
            "{backend:?}"
        );
        assert_eq!(wire.seen().len(), 2, "{backend:?}");
    }
}

const HOUR: Duration = Duration::from_secs(3_600);

/// The server answers everybody but the first with a wait until the next day; or the caller's own quota is spent.
#[tokio::test]
async fn a_spent_quota_ends_the_run_with_the_date_on_which_to_go_on() {
    for backend in Backend::ALL {
        for own in [false, true] {
            let wire = Wire::responding(move |sent| match by_subject(backend)(sent) {
                answer if answer.status == 429 => answer.header("Retry-After", "40000"),
                answer => answer,
            })
            .await;
            let second = if own { "200-b@x.io" } else { "429-b@x.io" };
            let quota = own.then(|| vec![(100, HOUR), (1, 24 * HOUR)]);
            let setup = Setup {
                rate_limits: quota.unwrap_or_default(),
                ..Setup::default()
            };
            let provider = backend.connect_with(wire.url(), setup);
            let emails = ["200-a@x.io", second, "200-c@x.io", "200-d@x.io"];
            let options = BulkOptions::default().concurrency(1);
            let outcomes: Vec<_> = provider
                .create_many(emails.map(NewInvitation::new), options)
                .collect()
                .await;
            let recorded: Vec<_> = outcomes.iter().map(|it| created(&it.result)).collect();
            let refused = "refused RateLimited";
            let expected = [
                "created 200-a@x.io",
                refused,
                "not attempted",
                "not attempted",
            ];
            assert_eq!(recorded, expected, "{backend:?}");
            let CreateResult::Failed(error) = &outcomes[1].result else {
                panic!("{outcomes:?}");
            };
            assert!(!error.may_have_executed() && error.is_fatal(), "{error}");
            let wait = error.retry_after().unwrap();
            let date = chrono::Utc::now() + wait;
            let hour = date.format("%Y-%m-%dT%H:").to_string();
            let earlier = date - chrono::TimeDelta::minutes(1);
            let earlier = earlier.format("%Y-%m-%dT%H:").to_string();
            let says = |hour: &String| error.message().contains(&format!("go on after {hour}"));
            assert!(says(&hour) || says(&earlier), "{error}");
            assert_eq!(wire.seen().len(), if own { 1 } else { 2 }, "{backend:?}");
        }
    }
}

#[tokio::test]
async fn a_short_wait_does_not_end_the_run() {
    for backend in Backend::ALL {
        let wire = Wire::responding(move |sent| match by_subject(backend)(sent) {
            answer if answer.status == 429 => answer.header("Retry-After", "59"),
            answer => answer,
        })
        .await;
        let provider = backend.connect(&wire);
        let emails = ["429-a@x.io", "409-b@x.io"];
        let options = BulkOptions::default().concurrency(1);
        let outcomes = provider.create_many(emails.map(NewInvitation::new), options);
        let first: Vec<_> = outcomes.take(1).collect().await;
        let CreateResult::Failed(error) = &first[0].result else {
            panic!("{first:?}");
        };
        assert!(!error.is_fatal(), "{error}");
        assert!(!error.message().contains("go on after"), "{error}");
    }
}

#[tokio::test]
async fn delete_many_has_one_outcome_for_each_item() {
    for backend in Backend::ALL {
        let wire = Wire::responding(by_subject(backend)).await;
        let ids = ["204-a", "404-b", "403-c", "204-d", "401-e", "204-f"];
        let ids = ids.map(|id| InvitationId::new(id).unwrap());
        let provider = backend.connect(&wire);
        let options = BulkOptions::default().concurrency(1);
        let outcomes: Vec<_> = provider.delete_many(ids.clone(), options).collect().await;
        for (index, outcome) in outcomes.iter().enumerate() {
            assert_eq!((outcome.index, &outcome.id), (index, &ids[index]));
        }
        let recorded: Vec<_> = outcomes
            .iter()
            .map(|outcome| deleted(&outcome.result))
            .collect();
        assert_eq!(
            recorded,
            [
                "deleted",
                "missing",
                "refused PermissionDenied",
                "deleted",
                "refused Unauthenticated",
                "not attempted",
            ],
            "{backend:?}"
        );
        assert_eq!(wire.seen().len(), 5, "{backend:?}");
    }
}

#[tokio::test]
async fn delete_many_beyond_the_limit_is_refused_before_it_begins() {
    for backend in Backend::ALL {
        let wire = Wire::responding(by_subject(backend)).await;
        let provider = backend.connect(&wire);
        let ids = ["204-a", "204-b", "204-c"].map(|id| InvitationId::new(id).unwrap());
        let within = BulkOptions::default().removals(RemovalLimit::count(3));
        let twice = ids.iter().chain(&ids[..1]).cloned().collect::<Vec<_>>();
        let outcomes: Vec<_> = provider.delete_many(twice, within).collect().await;
        assert_eq!(outcomes.len(), 4);
        assert_eq!(wire.seen().len(), 3, "{backend:?}");
    }
    let sandbox = Sandbox::builder().seed(20).start().await.unwrap();
    let key = &sandbox.credentials().confluent;
    let provider = Confluent::builder()
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url())
        .build()
        .unwrap();
    let ids = || (1..=6).map(|number| InvitationId::new(format!("i-seed-{number}")).unwrap());
    // A quarter of 20, and at least 5.
    let limited = BulkOptions::default().removals(RemovalLimit::default());
    let outcomes: Vec<_> = provider.delete_many(ids(), limited.clone()).collect().await;
    for outcome in &outcomes {
        assert_eq!(deleted(&outcome.result), "refused InvalidInput");
        let DeleteResult::Failed(error) = &outcome.result else {
            panic!("{outcome:?}");
        };
        assert!(!error.may_have_executed(), "{error}");
        assert!(error.message().contains("6 of 20"), "{error}");
    }
    assert_eq!(outcomes.len(), 6);
    let commits = sandbox.ledger().commits;
    assert!(
        !commits
            .iter()
            .any(|commit| commit.operation == Change::Delete)
    );
    let outcomes: Vec<_> = provider.delete_many(ids().take(5), limited).collect().await;
    let done = |outcome: &&DeleteOutcome| matches!(outcome.result, DeleteResult::Deleted);
    assert_eq!(outcomes.iter().filter(done).count(), 5);
}

#[tokio::test]
async fn what_is_there_twice_is_sent_once() {
    for backend in Backend::ALL {
        let wire = Wire::responding(by_subject(backend)).await;
        let provider = backend.connect(&wire);
        let emails = ["200-a@x.io", "200-b@x.io", "200-A@X.io", "200-a@x.io"];
        let options = BulkOptions::default().concurrency(1);
        let outcomes = provider.create_many(emails.map(NewInvitation::new), options.clone());
        let recorded: Vec<_> = outcomes
            .map(|outcome| created(&outcome.result))
            .collect()
            .await;
        let same = "the same as 0";
        assert_eq!(recorded[2..], [same, same], "{backend:?}: {recorded:?}");
        let ids = ["204-a", "204-a"].map(|id| InvitationId::new(id).unwrap());
        let outcomes = provider.delete_many(ids, options);
        let recorded: Vec<_> = outcomes
            .map(|outcome| deleted(&outcome.result))
            .collect()
            .await;
        assert_eq!(recorded, ["deleted", same], "{backend:?}");
        assert_eq!(wire.seen().len(), 3, "{backend:?}");
    }
}

#[tokio::test]
async fn dropping_the_stream_stops_it() {
    let backend = Backend::Confluent;
    let wire = Wire::responding(by_subject(backend)).await;
    let provider = backend.connect(&wire);
    let items = (0..50).map(|n| NewInvitation::new(format!("200-{n}@x.io")));
    let mut outcomes = provider.create_many(items, BulkOptions::default().concurrency(1));
    let first = outcomes.next().await.unwrap();
    drop(outcomes);
    assert!(
        matches!(first.result, CreateResult::Created(_)),
        "{first:?}"
    );
    let sent = wire.seen().len();
    assert!(sent <= 2, "{sent} requests");
}

#[tokio::test]
async fn nothing_to_do_is_done() {
    let wire = Wire::silent().await;
    let provider = Backend::ClickHouse.connect(&wire);
    let none: [NewInvitation; 0] = [];
    assert_eq!(
        provider
            .create_many(none, BulkOptions::default())
            .count()
            .await,
        0
    );
    wire.assert_untouched("an empty batch");
}

#[tokio::test]
async fn a_run_that_is_told_to_stop_begins_nothing_more() {
    for backend in Backend::ALL {
        let wire = Wire::responding(by_subject(backend)).await;
        let provider = backend.connect(&wire);
        let stop = Arc::new(AtomicBool::new(false));
        let options = BulkOptions::default().concurrency(1).stop(stop.clone());
        let items = ["200-a@x.io", "200-b@x.io", "200-c@x.io"].map(NewInvitation::new);
        let mut outcomes = provider.create_many(items, options);
        let first = outcomes.next().await.unwrap();
        stop.store(true, Ordering::Relaxed);
        assert_eq!(created(&first.result), "created 200-a@x.io");
        let rest: Vec<_> = outcomes.collect().await;
        assert_eq!(rest.len(), 2);
        for outcome in rest {
            assert_eq!(created(&outcome.result), "not attempted");
        }
        wire.only();
    }
}
