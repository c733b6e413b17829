use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::StreamExt;
use tokio::time::sleep;

use super::*;

const INTERACTIVE: CallPriority = CallPriority::Interactive;

/// How a server writes `X-RateLimit-Reset`.
#[derive(Clone, Copy, Debug)]
enum Style {
    WholeSeconds,
    WholeSecondsRoundedDown,
    Fraction,
    Silent,
}

/// A server that counts in fixed windows.
struct Server {
    rate: Rate,
    style: Style,
    start: Instant,
    /// The window's number, and what was counted in it.
    window: Mutex<(u128, usize)>,
    served: AtomicUsize,
    rejected: AtomicUsize,
}

impl Server {
    fn new(rate: Rate, style: Style) -> Self {
        // Its windows began before the client.
        let start = Instant::now() - rate.window.mul_f64(0.37);
        Self {
            rate,
            style,
            start,
            window: Mutex::new((0, 0)),
            served: AtomicUsize::new(0),
            rejected: AtomicUsize::new(0),
        }
    }

    /// Answers a request that arrives now; false is a 429.
    fn answer(&self) -> (bool, Option<RateLimit>) {
        let age = self.start.elapsed().as_nanos();
        let length = self.rate.window.as_nanos();
        let mut window = self.window.lock().unwrap();
        if window.0 != age / length {
            *window = (age / length, 0);
        }
        window.1 += 1;
        let served = window.1 <= self.rate.requests;
        let counter = if served { &self.served } else { &self.rejected };
        counter.fetch_add(1, Ordering::Relaxed);
        let left = Duration::from_nanos((length - age % length) as u64);
        let reset = match self.style {
            Style::Silent => return (served, None),
            Style::WholeSeconds => Duration::from_secs(left.as_secs_f64().ceil() as u64),
            Style::WholeSecondsRoundedDown => Duration::from_secs(left.as_secs()),
            Style::Fraction => Duration::from_millis(left.as_millis() as u64),
        };
        let reported = RateLimit {
            limit: Some(self.rate.requests as u64),
            remaining: Some(self.rate.requests.saturating_sub(window.1) as u64),
            reset: Some(reset),
        };
        (served, Some(reported))
    }
}

async fn call(server: &Server, limiter: &Limiter) {
    let permit = acquired(limiter).await;
    sleep(Duration::from_micros(200 + fastrand::u64(0..600))).await;
    let (served, reported) = server.answer();
    sleep(Duration::from_micros(200 + fastrand::u64(0..600))).await;
    permit.complete(reported, (!served).then_some(None));
}

/// The share of what was permitted that was used in 50 windows, and how many were rejected.
async fn fifty_windows(server: Server, limiter: Limiter) -> (f64, usize) {
    let (server, limiter) = (Arc::new(server), Arc::new(limiter));
    let run = futures_util::stream::repeat(()).for_each_concurrent(16, |()| {
        let (server, limiter) = (Arc::clone(&server), Arc::clone(&limiter));
        async move { call(&server, &limiter).await }
    });
    let length = server.rate.window * 50;
    let _ = tokio::time::timeout(length, run).await;
    let served = server.served.load(Ordering::Relaxed) as f64;
    let permitted = (server.rate.requests * 50) as f64;
    (served / permitted, server.rejected.load(Ordering::Relaxed))
}

/// A deadline that does not matter.
async fn acquired(limiter: &Limiter) -> Permit<'_> {
    limiter.acquire(never(), INTERACTIVE).await.unwrap()
}

fn never() -> Instant {
    Instant::now() + Duration::from_secs(365 * 86_400)
}

fn rate(requests: usize, millis: u64) -> Rate {
    Rate {
        requests,
        window: Duration::from_millis(millis),
    }
}

const PUBLISHED: Rate = Rate {
    requests: 10,
    window: Duration::from_secs(10),
};

#[tokio::test(start_paused = true)]
async fn the_allowance_is_spent_without_rejections() {
    for (server, style, published, fixed) in [
        (rate(10, 200), Style::Fraction, Some(PUBLISHED), None),
        (rate(10, 10_000), Style::Fraction, Some(PUBLISHED), None),
        (rate(60, 1_000), Style::WholeSeconds, None, None),
        (rate(60, 1_000), Style::WholeSecondsRoundedDown, None, None),
        (rate(300, 60_000), Style::WholeSeconds, None, None),
        (rate(10, 10_000), Style::Silent, Some(PUBLISHED), None),
        (
            rate(25, 500),
            Style::Silent,
            Some(PUBLISHED),
            Some(rate(25, 500)),
        ),
    ] {
        for seed in 0..5 {
            fastrand::seed(seed);
            let limiter = Limiter::new(published, fixed.as_slice(), 16, MAX_WINDOW);
            let (share, rejected) = fifty_windows(Server::new(server, style), limiter).await;
            assert_eq!(rejected, 0, "{server:?} {style:?} seed {seed}: {share}");
            assert!(share >= 0.97, "{server:?} {style:?} seed {seed}: {share}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_single_request_does_not_wait_behind_a_bulk_run() {
    let limiter = Arc::new(Limiter::new(None, &[rate(10, 1_000)], 16, MAX_WINDOW));
    let server = Arc::new(Server::new(rate(10, 1_000), Style::Silent));
    let bulk = futures_util::stream::repeat(()).for_each_concurrent(4, |()| {
        let (server, limiter) = (Arc::clone(&server), Arc::clone(&limiter));
        async move { call(&server, &limiter).await }
    });
    let single = async {
        sleep(Duration::from_millis(4_321)).await;
        let start = Instant::now();
        call(&server, &limiter).await;
        start.elapsed()
    };
    let waited = tokio::select! {
        waited = single => waited,
        () = bulk => unreachable!("it has no end"),
    };
    assert!(waited <= Duration::from_millis(1_100), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_request_releases_its_slot() {
    let limiter = Limiter::new(None, &[rate(1, 1_000)], 1, MAX_WINDOW);
    drop(acquired(&limiter).await);
    let start = Instant::now();
    drop(acquired(&limiter).await);
    assert_eq!(start.elapsed().as_millis(), 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_blocks_everything_for_as_long_as_it_says() {
    let limiter = Limiter::new(None, &[], 16, MAX_WINDOW);
    acquired(&limiter).await.complete(None, None);
    acquired(&limiter)
        .await
        .complete(None, Some(Some(Duration::from_secs(7))));
    let start = Instant::now();
    drop(acquired(&limiter).await);
    assert_eq!(start.elapsed().as_secs(), 7);
}

/// The headers of a response.
fn reported(limit: u64, remaining: u64, reset: Duration) -> Option<RateLimit> {
    Some(RateLimit {
        limit: Some(limit),
        remaining: Some(remaining),
        reset: Some(reset),
    })
}

/// How long the next request has to wait.
async fn wait(limiter: &Limiter) -> Duration {
    let start = Instant::now();
    drop(acquired(limiter).await);
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn what_others_spent_of_the_same_allowance_is_spent() {
    for reset in [Duration::from_secs(4), Duration::from_millis(4_321)] {
        let limiter = Limiter::new(None, &[], 16, MAX_WINDOW);
        let first = acquired(&limiter).await;
        first.complete(reported(10, 1, reset), None);
        assert_eq!(wait(&limiter).await, Duration::ZERO, "one was left");
        assert_eq!(wait(&limiter).await, reset + ROUNDING);
    }
}

#[tokio::test(start_paused = true)]
async fn an_absurd_figure_affects_its_response_only() {
    let limiter = Limiter::new(None, &[], 16, MAX_WINDOW);
    let second = Duration::from_secs(1);
    let first = acquired(&limiter).await;
    first.complete(reported(2, 1, Duration::MAX), None);
    let others = async {
        for _ in 0..60 {
            acquired(&limiter)
                .await
                .complete(reported(2, 1, second), None);
        }
    };
    let start = Instant::now();
    others.await;
    // One of two slots is left meanwhile.
    assert_eq!(start.elapsed().as_secs(), 59);
    sleep(MAX_WINDOW).await;
    assert_eq!(wait(&limiter).await, Duration::ZERO);
    assert_eq!(wait(&limiter).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn figures_beyond_all_bounds_are_survived() {
    let limiter = Limiter::new(None, &[], 16, MAX_WINDOW);
    for (limit, remaining) in [(u64::MAX, 0), (u64::MAX, u64::MAX), (1, u64::MAX), (0, 0)] {
        let permit = acquired(&limiter).await;
        permit.complete(reported(limit, remaining, Duration::MAX), None);
    }
    let permit = acquired(&limiter).await;
    permit.complete(None, Some(Some(Duration::MAX)));
    assert!(wait(&limiter).await <= MAX_WINDOW + ROUNDING);
}

#[tokio::test(start_paused = true)]
async fn rejections_without_headers_back_off_exponentially() {
    let limiter = Limiter::new(None, &[], 16, Duration::from_secs(30));
    let mut waits = Vec::new();
    for _ in 0..7 {
        let start = Instant::now();
        acquired(&limiter).await.complete(None, Some(None));
        waits.push(start.elapsed().as_secs());
    }
    assert_eq!(waits, [0, 1, 2, 4, 8, 16, 30]);
    acquired(&limiter).await.complete(None, None);
    acquired(&limiter).await.complete(None, Some(None));
    assert_eq!(wait(&limiter).await.as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_rejection_one_request_probes_alone() {
    let limiter = Limiter::new(None, &[], 16, MAX_WINDOW);
    acquired(&limiter).await.complete(None, Some(None));
    let ahead = acquired(&limiter).await;
    let mut next = Box::pin(limiter.acquire(never(), INTERACTIVE));
    assert!(futures_util::poll!(&mut next).is_pending());
    ahead.complete(None, None);
    next.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn all_windows_hold_at_once() {
    let rates = [rate(10, 10_000), rate(25, 3_600_000), rate(60, 86_400_000)];
    let limiter = Limiter::new(None, &rates, 16, MAX_WINDOW);
    let begun = Instant::now();
    let mut sent = Vec::new();
    for _ in 0..70 {
        drop(acquired(&limiter).await);
        sent.push(begun.elapsed());
    }
    for rate in rates {
        for pair in sent.windows(rate.requests + 1) {
            let passed = pair[rate.requests] - pair[0];
            assert!(passed >= rate.window, "{rate:?}: {passed:?}");
        }
    }
    // And no longer than they ask for.
    assert_eq!(sent[24].as_secs(), 20);
    assert_eq!(sent[49].as_secs(), 3_620);
    assert_eq!(sent[60].as_secs(), 86_400);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_would_miss_its_deadline_fails_at_once() {
    let limiter = Limiter::new(None, &[rate(2, 600_000)], 16, MAX_WINDOW);
    for _ in 0..2 {
        drop(acquired(&limiter).await);
    }
    let begun = Instant::now();
    let soon = || Instant::now() + Duration::from_secs(30);
    let late = limiter.acquire(soon(), INTERACTIVE).await.unwrap_err();
    assert_eq!(late.wait, Some(Duration::from_secs(600)));
    assert_eq!(begun.elapsed(), Duration::ZERO);
    // Also behind somebody who has the time.
    let patient = limiter.acquire(never(), INTERACTIVE);
    let rejected = async {
        tokio::task::yield_now().await;
        let late = limiter.acquire(soon(), INTERACTIVE).await.unwrap_err();
        (late, begun.elapsed())
    };
    let (_patient, (late, waited)) = tokio::join!(patient, rejected);
    assert_eq!(
        (late.wait, waited.as_secs()),
        (Some(Duration::from_secs(600)), 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_spent_quota_is_reported_with_its_end() {
    let limiter = Limiter::new(None, &[], 16, MAX_WINDOW);
    let day = Duration::from_secs(86_400);
    let first = acquired(&limiter).await;
    first.complete(reported(1, 0, day), None);
    let soon = || Instant::now() + Duration::from_secs(30);
    let late = limiter.acquire(soon(), INTERACTIVE).await.unwrap_err();
    assert_eq!(late.wait, Some(day));
    // A request that has the time probes earlier, since the figure may be wrong.
    let probe = acquired(&limiter).await;
    probe.complete(reported(1, 1, Duration::from_secs(10)), None);
    assert!(limiter.acquire(soon(), INTERACTIVE).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_connection_is_not_told_of_the_rate() {
    let limiter = Limiter::new(None, &[], 1, MAX_WINDOW);
    let _only = acquired(&limiter).await;
    let soon = Instant::now() + Duration::from_secs(3);
    assert_eq!(
        limiter.acquire(soon, INTERACTIVE).await.unwrap_err().wait,
        None
    );
    assert_eq!(Instant::now(), soon);
}

#[tokio::test(start_paused = true)]
async fn a_429_that_asks_for_no_wait_blocks_as_one_that_says_nothing() {
    for requested_delay in [None, Some(Duration::ZERO)] {
        let limiter = Limiter::new(None, &[], 16, MAX_WINDOW);
        let begun = Instant::now();
        for _ in 0..3 {
            let permit = acquired(&limiter).await;
            permit.complete(None, Some(requested_delay));
        }
        drop(acquired(&limiter).await);
        assert_eq!(begun.elapsed().as_secs(), 1 + 2 + 4, "{requested_delay:?}");
    }
}
