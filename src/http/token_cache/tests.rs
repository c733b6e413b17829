//! When tokens are asked for, and who waits; by a paused clock and by counting.

use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::{FutureExt, future::join_all};
use tokio::time::{advance, sleep};

use super::*;

const LIFE: Duration = Duration::from_secs(900);
/// How long asking takes.
const ASKING: Duration = Duration::from_millis(50);

/// Gives `token-1`, `token-2` and so on.
struct Service {
    asked: AtomicU32,
    answer: Mutex<Answer>,
}

#[derive(Clone, Copy)]
enum Answer {
    Token(Duration),
    Never,
    /// How long the service asks to be left alone.
    Fails(Option<Duration>),
}

#[async_trait]
impl TokenProvider for Service {
    async fn fetch(&self) -> Result<Token, TransportError> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let answer = *self.answer.lock().unwrap();
        sleep(ASKING).await;
        match answer {
            Answer::Never => std::future::pending().await,
            Answer::Token(lifetime) => Ok(Token {
                credentials: Credentials::bearer(format!("token-{number}")),
                lifetime,
            }),
            Answer::Fails(_) => Err(self.token_error(&number.to_string())),
        }
    }

    fn token_error(&self, why: &str) -> TransportError {
        TransportError::new(TransportErrorKind::Credentials, why)
    }

    fn hold_off(&self, _: &TransportError) -> Option<Duration> {
        match *self.answer.lock().unwrap() {
            Answer::Fails(asked_for) => asked_for,
            _ => Some(Duration::ZERO),
        }
    }
}

impl Service {
    fn new(answer: Answer) -> (Arc<Self>, Authorization) {
        let service = Arc::new(Self {
            asked: AtomicU32::new(0),
            answer: Mutex::new(answer),
        });
        let authorization = Authorization::refreshed(service.clone());
        (service, authorization)
    }

    fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

fn token(header: Result<Option<HeaderValue>, TransportError>) -> String {
    let header = header.unwrap().unwrap();
    header.to_str().unwrap().replace("Bearer ", "")
}

/// The token that is there without waiting.
fn at_once(authorization: &Authorization) -> Option<String> {
    authorization.header().now_or_never().map(token)
}

const DOWN: Answer = Answer::Fails(Some(Duration::ZERO));

#[tokio::test(start_paused = true)]
async fn however_many_wait_one_fetch_serves_them_all() {
    for answer in [Answer::Token(LIFE), DOWN] {
        let (service, authorization) = Service::new(answer);
        let all = join_all((0..100).map(|_| authorization.header())).await;
        assert_eq!(service.asked(), 1);
        for outcome in all {
            match answer {
                Answer::Token(_) => assert_eq!(token(outcome), "token-1"),
                _ => assert_eq!(outcome.unwrap_err().message(), "1"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_answers_for_a_second_and_not_for_longer() {
    let (service, authorization) = Service::new(DOWN);
    for (pause, asked) in [(0, 1), (900, 1), (200, 2), (1_001, 3)] {
        sleep(Duration::from_millis(pause)).await;
        let error = authorization.header().await.unwrap_err();
        assert_eq!(
            (service.asked(), error.message()),
            (asked, &*asked.to_string())
        );
    }
    service.answers(Answer::Token(LIFE));
    sleep(Duration::from_millis(1_001)).await;
    assert_eq!(token(authorization.header().await), "token-4");
}

#[tokio::test(start_paused = true)]
async fn a_fetch_error_is_held_off_as_long_as_asked_within_limits() {
    for (asked_for, least, most) in [(0, 0, 2), (20, 19, 21), (86_400, 29, 31)] {
        let delay = Duration::from_secs(asked_for);
        let (service, authorization) = Service::new(Answer::Fails(Some(delay)));
        authorization.header().await.unwrap_err();
        sleep(Duration::from_secs(least)).await;
        authorization.header().await.unwrap_err();
        assert_eq!(service.asked(), 1, "{asked_for}");
        sleep(Duration::from_secs(most - least)).await;
        authorization.header().await.unwrap_err();
        assert_eq!(service.asked(), 2, "{asked_for}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_sent_nothing_is_not_remembered() {
    let (service, authorization) = Service::new(Answer::Fails(None));
    authorization.header().await.unwrap_err();
    service.answers(Answer::Token(LIFE));
    assert_eq!(token(authorization.header().await), "token-2");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_a_minute_ahead_or_at_half_its_life() {
    for (life, ahead) in [(900, 60), (121, 60), (100, 50), (2, 1)] {
        let life = Duration::from_secs(life);
        let (service, authorization) = Service::new(Answer::Token(life));
        authorization.header().await.unwrap();
        // It is as old as the fetch took already.
        sleep(life - Duration::from_secs(ahead) - ASKING * 2).await;
        assert_eq!(at_once(&authorization).unwrap(), "token-1");
        sleep(ASKING * 2).await;
        assert_eq!(service.asked(), 1, "{life:?}");
        assert_eq!(at_once(&authorization).unwrap(), "token-1");
        sleep(ASKING * 2).await;
        assert_eq!(at_once(&authorization).unwrap(), "token-2", "{life:?}");
        assert_eq!(service.asked(), 2, "{life:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_refresh_delays_no_call_while_the_token_is_valid() {
    let (service, authorization) = Service::new(Answer::Token(LIFE));
    authorization.header().await.unwrap();
    service.answers(Answer::Never);
    sleep(Duration::from_secs(841)).await;
    while let Some(token) = at_once(&authorization) {
        assert_eq!(token, "token-1");
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(service.asked(), 2, "one renewal, that hangs");
}

#[tokio::test(start_paused = true)]
async fn a_good_token_serves_while_its_renewal_fails_now_and_then() {
    let (service, authorization) = Service::new(Answer::Token(LIFE));
    authorization.header().await.unwrap();
    service.answers(DOWN);
    sleep(Duration::from_secs(841)).await;
    for _ in 0..50 {
        assert_eq!(at_once(&authorization).unwrap(), "token-1");
        sleep(Duration::from_secs(1)).await;
    }
    let tries = service.asked() - 1;
    assert!(
        (3..=8).contains(&tries),
        "{tries} tries in most of a minute"
    );
    service.answers(Answer::Token(LIFE));
    sleep(Duration::from_secs(5)).await;
    at_once(&authorization).unwrap();
    sleep(ASKING * 2).await;
    assert_ne!(at_once(&authorization).unwrap(), "token-1");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expired_is_not_given() {
    let (service, authorization) = Service::new(Answer::Token(LIFE));
    authorization.header().await.unwrap();
    service.answers(DOWN);
    // As after a long sleep of the machine, by a clock that counts it.
    advance(LIFE * 50).await;
    let error = authorization.header().await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Credentials);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_comes_too_late_is_an_error() {
    let (_service, authorization) = Service::new(Answer::Token(ASKING));
    let error = authorization.header().await.unwrap_err();
    assert!(
        error.message().contains("expired before it arrived"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_after_an_hour_whatever_it_claims() {
    let (service, authorization) = Service::new(Answer::Token(Duration::MAX));
    authorization.header().await.unwrap();
    sleep(Duration::from_secs(3_601)).await;
    assert_eq!(at_once(&authorization), None);
    assert_eq!(token(authorization.header().await), "token-2");
    assert_eq!(service.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_replaced_once_for_all_who_had_it() {
    let (service, authorization) = Service::new(Answer::Token(LIFE));
    let first = authorization.header().await.unwrap();
    let again = (0..100).map(|_| async {
        authorization.invalidate(first.as_ref());
        token(authorization.header().await)
    });
    for token in join_all(again).await {
        assert_eq!(token, "token-2");
    }
    // Whoever comes late with the first does no harm to the second.
    authorization.invalidate(first.as_ref());
    assert_eq!(at_once(&authorization).unwrap(), "token-2");
    assert_eq!(service.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_outlives_the_call_that_began_it() {
    let (service, authorization) = Service::new(Answer::Token(LIFE));
    assert_eq!(at_once(&authorization), None, "begun, and dropped");
    assert_eq!(token(authorization.header().await), "token-1");
    assert_eq!(service.asked(), 1);
}

#[test]
fn a_fetch_that_ended_with_its_runtime_starts_again() {
    let (service, authorization) = Service::new(Answer::Never);
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().unwrap()
    };
    runtime().block_on(async {
        assert_eq!(at_once(&authorization), None);
        sleep(ASKING * 2).await;
    });
    service.answers(Answer::Token(LIFE));
    let outcome = runtime().block_on(authorization.header());
    assert_eq!((token(outcome).as_str(), service.asked()), ("token-2", 2));
}

#[test]
fn what_was_sent_is_redacted_also_after_it_was_replaced() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.unwrap().block_on(async {
        let (_service, authorization) = Service::new(Answer::Token(LIFE));
        let first = authorization.header().await.unwrap();
        authorization.invalidate(first.as_ref());
        authorization.header().await.unwrap();
        let clean = authorization
            .redactor()
            .redact("neither token-1 nor token-2 is known");
        assert_eq!(clean, "neither [REDACTED] nor [REDACTED] is known");
    });
    let key = Credentials::api_key("key-1", "hush+hush");
    let fixed = Authorization::fixed(&key, None).unwrap();
    let said = "key-1 with hush%2Bhush, a2V5LTE6aHVzaCtodXNo";
    assert_eq!(
        fixed.redactor().redact(said),
        "key-1 with [REDACTED], [REDACTED]"
    );
}
