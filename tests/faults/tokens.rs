//! Access through Confluent's Security Token Service: where the subject token comes from, how often it
//! is exchanged, and when.

use std::{path::PathBuf, time::Duration};

use futures::future::join_all;
use org_invitations::{
    InvitationProvider, NewInvitation, RetryPolicy, StsCredentials, SubjectToken,
};
use org_invitations_sandbox::{Fault, Faults, Operation, Provider, Rule, Sandbox, StsSettings};

use crate::support::{commits, fixed, has_sts, impatient, list, requests, run_again, sts};

/// Names the sandbox to a process that was started for its environment.
const SANDBOX: &str = "FAULTS_SANDBOX";
const POOL: &str = "FAULTS_IDENTITY_POOL";
const TOKEN: &str = "FAULTS_SUBJECT_TOKEN";

fn exchanges(sandbox: &Sandbox) -> usize {
    requests(sandbox, "exchange")
}

/// Longer than any token lives.
fn let_tokens_expire(sandbox: &Sandbox) {
    sandbox.advance(Duration::from_secs(901));
}

async fn read(provider: &impl InvitationProvider) {
    list(provider).await.unwrap();
}

/// A file of this test alone.
fn file(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    folder.join(format!("{name}-{}", std::process::id()))
}

#[tokio::test]
async fn one_exchange_serves_every_operation() {
    if !has_sts() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let provider = sts(&sandbox, fixed(&sandbox)).build().unwrap();
    assert_eq!(exchanges(&sandbox), 0, "building sends nothing");
    let new = NewInvitation::new("ann@example.com");
    let made = provider.create(new).await.unwrap();
    assert_eq!(provider.get(&made.id).await.unwrap(), made);
    read(&provider).await;
    provider.clone().delete(&made.id).await.unwrap();
    for request in sandbox.ledger().requests {
        let scheme = request.headers.get("authorization").map(String::as_str);
        // The exchange itself is open; the subject token is in its body.
        let expected = (!request.path.starts_with("/sts/")).then_some("Bearer");
        assert_eq!(scheme, expected, "{request:?}");
        assert!(request.query.is_empty() || !request.query.contains("token"));
    }
    assert_eq!(exchanges(&sandbox), 1);
}

#[tokio::test]
async fn a_file_is_read_again_for_each_exchange() {
    if !has_sts() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let path = file("rotated-token");
    let provider = sts(&sandbox, SubjectToken::File(path.clone()))
        .build()
        .unwrap();
    // As projected: with a line end, and only one of them good at a time.
    for (count, token) in ["first.subject.token", "second.subject.token"]
        .into_iter()
        .enumerate()
    {
        std::fs::write(&path, format!("{token}\n")).unwrap();
        sandbox.set_sts(StsSettings::default().with_subject_tokens([token]));
        let_tokens_expire(&sandbox);
        read(&provider).await;
        assert_eq!(exchanges(&sandbox), count + 1);
    }
    std::fs::remove_file(path).unwrap();
}

/// No test may change its own environment, so this one starts itself with another.
#[tokio::test]
async fn an_environment_variable_holds_the_subject_token() {
    if !has_sts() {
        return;
    }
    if let (Ok(url), Ok(pool)) = (std::env::var(SANDBOX), std::env::var(POOL)) {
        let token = SubjectToken::EnvVar(TOKEN.to_owned());
        let builder = org_invitations::Confluent::builder().base_url(url);
        let builder = builder.sts(StsCredentials::new(pool, token));
        return read(&builder.build().unwrap()).await;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let name = "tokens::an_environment_variable_holds_the_subject_token";
    let credentials = sandbox.credentials();
    let variables = [
        (SANDBOX, sandbox.url()),
        (POOL, credentials.identity_pool_id()),
        (TOKEN, credentials.subject_token()),
    ];
    run_again(name, &variables).await;
    assert_eq!(exchanges(&sandbox), 1);
    assert_eq!(requests(&sandbox, "list"), 1);
}

#[cfg(feature = "client-credentials")]
#[tokio::test]
async fn client_credentials_are_used_for_each_exchange() {
    if !has_sts() {
        return;
    }
    use org_invitations::ClientCredentials;

    let sandbox = Sandbox::start().await.unwrap();
    let idp = sandbox.credentials().idp();
    let secret = idp.client_secret.as_str();
    let client = ClientCredentials::new(&idp.token_url, &idp.client_id, secret);
    let token = SubjectToken::ClientCredentials(client.scope("invitations"));
    let provider = sts(&sandbox, token).build().unwrap();
    for count in 1..=2 {
        read(&provider).await;
        read(&provider).await;
        let seen = (sandbox.idp_tokens_issued(), exchanges(&sandbox));
        assert_eq!(seen, (count, usize::try_from(count).unwrap()));
        let_tokens_expire(&sandbox);
    }
}

/// Reads until tokens were exchanged so often, and holds that no read was refused.
async fn read_until(sandbox: &Sandbox, provider: &impl InvitationProvider, expected: usize) {
    for _ in 0..1_000 {
        read(provider).await;
        if exchanges(sandbox) >= expected {
            assert_eq!(sandbox.ledger().count_status(401), 0);
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{} exchanges", exchanges(sandbox));
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires() {
    if !has_sts() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    // At half its life, since that is less than a minute.
    sandbox.set_sts(StsSettings::default().with_lifetime_seconds(2));
    let provider = sts(&sandbox, fixed(&sandbox)).build().unwrap();
    read_until(&sandbox, &provider, 3).await;
}

#[tokio::test]
async fn a_lifetime_in_text_is_understood() {
    if !has_sts() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let short = StsSettings::default().with_lifetime_seconds(2);
    sandbox.set_sts(short.with_expires_in_as_text());
    let provider = sts(&sandbox, fixed(&sandbox)).build().unwrap();
    read_until(&sandbox, &provider, 2).await;
}

#[tokio::test]
async fn a_service_whose_clock_is_wrong_makes_no_difference() {
    if !has_sts() {
        return;
    }
    for seconds in [-86_400, 86_400] {
        let sandbox = Sandbox::start().await.unwrap();
        sandbox.set_faults(Faults::default().with_clock_skew(seconds));
        let provider = sts(&sandbox, fixed(&sandbox)).build().unwrap();
        read(&provider).await;
        read(&provider).await;
        let seen = (exchanges(&sandbox), sandbox.ledger().count_status(401));
        assert_eq!(seen, (1, 0), "{seconds} s");
    }
}

#[tokio::test]
async fn a_clock_that_jumps_costs_one_renewal() {
    if !has_sts() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let provider = sts(&sandbox, fixed(&sandbox)).build().unwrap();
    read(&provider).await;
    sandbox.set_faults(Faults::default().with_clock_skew(86_400));
    read(&provider).await;
    // Back again: the token seems to be from the future, which is no reason to refuse it.
    sandbox.set_faults(Faults::default());
    read(&provider).await;
    assert_eq!((requests(&sandbox, "list"), exchanges(&sandbox)), (4, 2));
}

#[tokio::test]
async fn the_lifetime_that_is_asked_for_is_given() {
    if !has_sts() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let pool = sandbox.credentials().identity_pool_id();
    let credentials = StsCredentials::new(pool, fixed(&sandbox));
    let provider = sts(&sandbox, fixed(&sandbox))
        .sts(credentials.expires_in(Duration::from_secs(60)))
        .build()
        .unwrap();
    read(&provider).await;
    sandbox.advance(Duration::from_secs(59));
    read(&provider).await;
    assert_eq!(sandbox.ledger().count_status(401), 0);
    sandbox.advance(Duration::from_secs(2));
    read(&provider).await;
    assert_eq!(sandbox.ledger().count_status(401), 1);
}

/// Slow enough for all who need a token to be waiting.
fn slow_exchanges(sandbox: &Sandbox) {
    let slow = Rule::new(Fault::slow_body(32, 5)).on(Operation::Exchange);
    sandbox.set_faults(Faults::script([slow.always()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_first_calls_make_one_exchange() {
    if !has_sts() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    slow_exchanges(&sandbox);
    let provider = sts(&sandbox, fixed(&sandbox)).build().unwrap();
    join_all((0..100).map(|_| read(&provider))).await;
    assert_eq!(exchanges(&sandbox), 1);
    assert_eq!(sandbox.ledger().count_status(401), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_calls_with_an_expired_token_make_one_exchange() {
    if !has_sts() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    slow_exchanges(&sandbox);
    let provider = sts(&sandbox, fixed(&sandbox)).build().unwrap();
    read(&provider).await;
    let_tokens_expire(&sandbox);
    let create = async |number: usize| {
        let new = NewInvitation::new(format!("user{number}@example.com"));
        provider.create(new).await.unwrap().email
    };
    let emails = join_all((0..100).map(create)).await;
    for email in emails {
        assert_eq!(commits(&sandbox, Provider::Confluent, &email), (1, 0));
    }
    assert_eq!(exchanges(&sandbox), 2, "the first one, and one for all");
    let refused = sandbox.ledger().count_status(401);
    assert!((1..=100).contains(&refused), "{refused} refusals");
}

#[tokio::test(flavor = "multi_thread")]
async fn unsent_calls_do_not_use_a_rejected_token() {
    if !has_sts() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let builder = sts(&sandbox, fixed(&sandbox)).max_concurrency(4);
    let provider = builder.build().unwrap();
    read(&provider).await;
    let_tokens_expire(&sandbox);
    join_all((0..100).map(|_| read(&provider))).await;
    let refused = sandbox.ledger().count_status(401);
    assert!(
        refused <= 8,
        "{refused} requests went out with a refused token, 4 at a time"
    );
}

#[tokio::test]
async fn a_queued_call_is_sent_with_a_token_that_is_valid_then() {
    if !has_sts() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.set_sts(StsSettings::default().with_lifetime_seconds(1));
    let builder = sts(&sandbox, fixed(&sandbox));
    let provider = builder
        .rate_limit(1, Duration::from_millis(1_300))
        .build()
        .unwrap();
    let calls = (0..2).map(|_| list(&provider));
    for outcome in join_all(calls).await {
        outcome.unwrap();
    }
    assert_eq!(sandbox.ledger().count_status(401), 0);
}

/// Also without retries: a refused request was not carried out.
#[tokio::test]
async fn a_refused_token_is_renewed_once_for_a_call() {
    if !has_sts() {
        return;
    }
    for policy in [impatient(), RetryPolicy::none()] {
        let sandbox = Sandbox::start().await.unwrap();
        let builder = sts(&sandbox, fixed(&sandbox)).retry(policy);
        let provider = builder.build().unwrap();
        read(&provider).await;
        let refused = Rule::new(Fault::ExpiredToken);
        sandbox.set_faults(Faults::script([refused.clone()]));
        read(&provider).await;
        assert_eq!((requests(&sandbox, "list"), exchanges(&sandbox)), (3, 2));

        sandbox.set_faults(Faults::script([refused.always()]));
        let before = (requests(&sandbox, "invitation"), exchanges(&sandbox));
        let new = NewInvitation::new("ann@example.com");
        let error = provider.create(new).await.unwrap_err();
        let kind = org_invitations::ErrorKind::Unauthenticated;
        assert_eq!((error.kind(), error.status()), (kind, Some(401)), "{error}");
        assert_eq!((error.attempts(), error.may_have_executed()), (2, false));
        let after = (requests(&sandbox, "invitation"), exchanges(&sandbox));
        assert_eq!(after, (before.0 + 2, before.1 + 1), "{error}");
    }
}

/// What is fixed cannot be renewed, so the same request would be refused again.
#[tokio::test]
async fn a_fixed_credential_that_is_refused_is_not_sent_again() {
    let sandbox = Sandbox::start().await.unwrap();
    let builder = org_invitations::Confluent::builder().base_url(sandbox.url());
    let provider = builder.access_token("of-somebody-else").build().unwrap();
    let error = list(&provider).await.unwrap_err();
    assert_eq!(
        (error.status(), error.attempts()),
        (Some(401), 1),
        "{error}"
    );
    assert_eq!(requests(&sandbox, "list"), 1);
}
