use std::{pin::pin, sync::atomic::AtomicUsize, time::Duration};

use super::*;
use crate::{
    error::{ErrorKind, Operation},
    outage::{OutageOptions, tests::UnreachableProvider},
};

fn reachable() -> UnreachableProvider {
    UnreachableProvider::new(0, Duration::ZERO)
}

#[tokio::test]
async fn of_many_items_no_more_are_held_than_are_under_way() {
    let taken = AtomicUsize::new(0);
    let items = (0..100_000).inspect(|_| {
        taken.fetch_add(1, Ordering::Relaxed);
    });
    let options = BulkOptions::default().concurrency(4);
    let provider = reachable();
    let key = |number: &usize| Some(number.to_string());
    let work = |_| async { Ok(()) };
    let mut outcomes = pin!(for_each_concurrent(&provider, items, options, key, work));
    let mut result = 0;
    while outcomes.next().await.is_some() {
        result += 1;
        let held = taken.load(Ordering::Relaxed) - result;
        assert!(held <= 4, "{held} after {result}");
    }
    assert_eq!(result, 100_000);
}

/// Runs items that take the given numbers of seconds; returns each outcome's position and whether it was attempted.
async fn run(seconds: &[u64], options: BulkOptions) -> Vec<(usize, bool)> {
    let provider = reachable();
    let work = |seconds: &u64| {
        let pause = Duration::from_secs(*seconds);
        async move {
            tokio::time::sleep(pause).await;
            match pause.is_zero() {
                true => Err(Error::new(
                    ErrorKind::Unauthenticated,
                    Operation::Get,
                    "401",
                )),
                false => Ok(()),
            }
        }
    };
    let run = for_each_concurrent(&provider, seconds, options, |_| None, work);
    let attempted = run.map(|outcome| {
        let attempted = matches!(outcome.result, ItemResult::Finished(_));
        (outcome.index, attempted)
    });
    attempted.collect().await
}

#[tokio::test(start_paused = true)]
async fn outcomes_are_in_the_order_of_items_if_asked() {
    let seconds = [3, 1, 2, 1];
    let options = BulkOptions::default().concurrency(3);
    let positions = |outcomes: Vec<(usize, bool)>| -> Vec<usize> {
        outcomes.into_iter().map(|(index, _)| index).collect()
    };
    let by_completion = positions(run(&seconds, options.clone()).await);
    assert_ne!(by_completion, [0, 1, 2, 3]);
    let ordered = positions(run(&seconds, options.ordered(true)).await);
    assert_eq!(ordered, [0, 1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn after_a_fatal_error_no_further_item_starts() {
    for ordered in [false, true] {
        let options = BulkOptions::default().concurrency(2).ordered(ordered);
        let mut outcomes = run(&[1, 0, 1, 1, 1], options).await;
        outcomes.sort_unstable();
        let attempted: Vec<_> = outcomes
            .into_iter()
            .map(|(_, attempted)| attempted)
            .collect();
        assert_eq!(attempted, [true, true, false, false, false], "{ordered}");
    }
}

#[tokio::test(start_paused = true)]
async fn items_are_in_flight_until_their_outcome_is_returned() {
    let provider = reachable();
    let work = |seconds: u64| async move {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        Ok(())
    };
    let options = BulkOptions::default().concurrency(2).ordered(true);
    let key = |seconds: &u64| Some(seconds.to_string());
    let mut run = for_each_concurrent(&provider, [5, 1, 5, 3], options, key, work);
    assert!(run.in_flight().is_empty());
    // The second item has finished by then, but its outcome waits for the first one.
    let next = tokio::time::timeout(Duration::from_secs(2), run.next()).await;
    assert!(next.is_err());
    assert_eq!(run.in_flight(), [0, 1]);
    assert_eq!(run.next().await.unwrap().index, 0);
    assert_eq!(run.in_flight(), [1]);
    assert_eq!(run.next().await.unwrap().index, 1);
    let duplicate = run.next().await.unwrap();
    assert!(
        matches!(duplicate.result, ItemResult::Duplicate(0)),
        "{duplicate:?}"
    );
    assert_eq!(run.next().await.unwrap().index, 3);
    assert!(run.next().await.is_none() && run.in_flight().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_run_says_that_it_gave_up() {
    let provider = UnreachableProvider::new(0, Duration::MAX / 4);
    let outage = OutageOptions::default().failures(2);
    let options = BulkOptions::default().concurrency(1).outage(outage);
    let work = |email: &'static str| {
        let provider = &provider;
        async move { provider.create(crate::NewInvitation::new(email)).await }
    };
    let emails = ["ann@example.com", "bob@example.com", "eve@example.com"];
    let mut run = for_each_concurrent(&provider, emails, options, |_| None, work);
    let first = run.next().await.unwrap();
    assert!(
        matches!(first.result, ItemResult::Finished(Err(_))),
        "{first:?}"
    );
    assert!(!run.gave_up());
    // The second item failed to connect, so the run paused; the third one never started.
    let second = run.next().await.unwrap();
    assert!(
        matches!(second.result, ItemResult::Finished(Err(_))),
        "{second:?}"
    );
    assert!(run.gave_up());
    let third = run.next().await.unwrap();
    assert!(
        matches!(third.result, ItemResult::NotAttempted),
        "{third:?}"
    );
}

#[test]
fn of_the_keys_only_the_latest_are_remembered() {
    let mut window = DedupWindow::default();
    for index in 0..3 * DedupWindow::CAPACITY {
        assert_eq!(window.position(index.to_string(), index), None);
        assert!(
            window.positions.len() <= DedupWindow::CAPACITY
                && window.order.len() <= DedupWindow::CAPACITY
        );
    }
    let latest = 3 * DedupWindow::CAPACITY - 1;
    assert_eq!(
        window.position(latest.to_string(), latest + 1),
        Some(latest)
    );
    assert_eq!(window.position("0".to_owned(), latest + 2), None);
}
