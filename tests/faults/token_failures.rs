//! Without a token, a call fails and nothing is sent in its place.

use std::time::Duration;

use futures::future::join_all;
use org_invitations::{
    Confluent, ConfluentBuilder, ErrorKind, InvitationProvider, NewInvitation, Operation,
    StsCredentials, SubjectToken,
};
use org_invitations_sandbox::{Fault, Faults, Operation as Request, Rule, Sandbox, StsSettings};

use crate::support::{fixed, has_sts, list, requests, run_again, shown, sts};

/// What every token of the sandbox begins with.
const JWT: &str = "eyJ";

/// Makes every exchange from now on go wrong.
fn break_exchanges(sandbox: &Sandbox, fault: Fault) {
    let rule = Rule::new(fault).on(Request::Exchange);
    sandbox.set_faults(Faults::script([rule.always()]));
}

/// Carries a create and a list out and holds what comes of them against what should.
pub async fn assert_closed(
    sandbox: &Sandbox,
    builder: ConfluentBuilder,
    kind: ErrorKind,
    case: &str,
) {
    let builder_shown = format!("{builder:?}");
    let provider = builder.build().unwrap();
    let new = NewInvitation::new("ann@example.com");
    let create = provider.create(new).await.map(drop).unwrap_err();
    let list = list(&provider).await;
    for error in [create, list.map(drop).unwrap_err()] {
        assert_eq!(error.kind(), kind, "{case}: {error}");
        assert_eq!(error.operation(), Operation::Authenticate, "{case}");
        assert_eq!(error.provider(), Some("confluent"), "{case}");
        assert!(!error.may_have_executed(), "{case}: {error}");
        let shown = shown(&error) + &builder_shown + &format!("{provider:?}");
        assert!(!shown.contains(JWT), "{case} shows a token: {shown}");
    }
    let sent = requests(sandbox, "invitation");
    assert_eq!(sent, 0, "{case}: something was sent without a token");
}

#[tokio::test]
async fn a_call_fails_as_its_exchange_does() {
    if !has_sts() {
        return;
    }
    for (fault, kind) in [
        (Fault::status_before(400), ErrorKind::Unauthenticated),
        (Fault::status_before(401), ErrorKind::Unauthenticated),
        (Fault::status_before(403), ErrorKind::Unauthenticated),
        (Fault::status_before(500), ErrorKind::Unavailable),
        (Fault::status_after(503), ErrorKind::Unavailable),
        (
            Fault::HtmlBody {
                when: Default::default(),
            },
            ErrorKind::Decode,
        ),
        (Fault::status_before(200), ErrorKind::Decode),
        (Fault::truncated_body(), ErrorKind::Transport),
        (Fault::reset_after(), ErrorKind::Transport),
        (Fault::hang(), ErrorKind::Timeout),
    ] {
        let sandbox = Sandbox::start().await.unwrap();
        break_exchanges(&sandbox, fault.clone());
        let builder = sts(&sandbox, fixed(&sandbox)).timeout(Duration::from_millis(150));
        assert_closed(&sandbox, builder, kind, &format!("{fault:?}")).await;
        let exchanges = requests(&sandbox, "exchange");
        assert!(
            (1..=10).contains(&exchanges),
            "{fault:?}: {exchanges} exchanges for two calls"
        );
    }
}

#[tokio::test]
async fn a_wrong_subject_token_or_pool_is_refused() {
    if !has_sts() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let refused = ErrorKind::Unauthenticated;
    let wrong = || SubjectToken::Fixed(format!("{JWT}-of-somebody-else").into());
    assert_closed(&sandbox, sts(&sandbox, wrong()), refused, "wrong token").await;
    let pool = StsCredentials::new("pool-nobody", fixed(&sandbox));
    let builder = sts(&sandbox, wrong()).sts(pool);
    assert_closed(&sandbox, builder, refused, "wrong pool").await;
}

#[tokio::test]
async fn a_missing_subject_token_is_a_config_error() {
    if !has_sts() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let empty = folder.join(format!("empty-token-{}", std::process::id()));
    std::fs::write(&empty, " \n").unwrap();
    let large = folder.join(format!("large-token-{}", std::process::id()));
    std::fs::write(&large, JWT.repeat(1 << 20)).unwrap();
    for (token, place) in [
        (
            SubjectToken::File(folder.join("no-such-token")),
            "no-such-token",
        ),
        (
            SubjectToken::File(folder.to_owned()),
            "cannot read the file",
        ),
        (SubjectToken::File(empty.clone()), "empty-token"),
        (SubjectToken::File(large.clone()), "large-token"),
        (
            SubjectToken::EnvVar("FAULTS_NO_SUCH_VARIABLE".to_owned()),
            "FAULTS_NO_SUCH_VARIABLE is not set",
        ),
    ] {
        let builder = sts(&sandbox, token);
        assert_closed(&sandbox, builder.clone(), ErrorKind::Config, place).await;
        let outcome = list(&builder.build().unwrap()).await;
        let error = outcome.unwrap_err();
        assert!(error.to_string().contains(place), "{place}: {error}");
        assert_eq!(error.attempts(), 0, "{error}");
        assert_eq!(requests(&sandbox, "exchange"), 0, "{place}");
    }
    for file in [empty, large] {
        std::fs::remove_file(file).unwrap();
    }
}

/// No test may change its own environment, so this one starts itself with another.
#[tokio::test]
async fn a_variable_that_is_empty_is_named() {
    if !has_sts() {
        return;
    }
    const VARIABLE: &str = "FAULTS_EMPTY_SUBJECT_TOKEN";
    if std::env::var_os(VARIABLE).is_none() {
        let name = "token_failures::a_variable_that_is_empty_is_named";
        return run_again(name, &[(VARIABLE, "  ")]).await;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let token = SubjectToken::EnvVar(VARIABLE.to_owned());
    let error = list(&sts(&sandbox, token).build().unwrap()).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert!(error.message().contains(VARIABLE), "{error}");
}

#[tokio::test]
async fn a_file_that_appears_is_used_by_the_next_call() {
    if !has_sts() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("late-token-{}", std::process::id()));
    let provider = sts(&sandbox, SubjectToken::File(path.clone()))
        .build()
        .unwrap();
    let error = list(&provider).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    std::fs::write(&path, sandbox.credentials().subject_token()).unwrap();
    list(&provider).await.unwrap();
    std::fs::remove_file(path).unwrap();
}

#[test]
fn what_cannot_be_right_is_refused_when_a_provider_is_built() {
    if !has_sts() {
        return;
    }
    let fixed = |token: &str| SubjectToken::Fixed(token.into());
    let pool = |token| StsCredentials::new("pool-1", token);
    let lives = |lifetime| pool(fixed(JWT)).expires_in(lifetime);
    for (credentials, why) in [
        (pool(fixed("")), "the fixed subject token is empty"),
        (pool(fixed(" \n")), "the fixed subject token is empty"),
        (
            StsCredentials::new(" ", fixed(JWT)),
            "the id of the identity pool is empty",
        ),
        (lives(Duration::ZERO), "from 1 s to 900 s"),
        (lives(Duration::from_millis(999)), "from 1 s to 900 s"),
        (lives(Duration::from_secs(901)), "from 1 s to 900 s"),
        (lives(Duration::MAX), "from 1 s to 900 s"),
    ] {
        let error = Confluent::builder().sts(credentials).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert_eq!(error.operation(), Operation::Configure, "{error}");
        assert_eq!(error.provider(), Some("confluent"), "{error}");
        assert!(error.message().contains(why), "{error}");
        assert!(!shown(&error).contains(JWT), "{error:?}");
    }
    let whole = lives(Duration::from_millis(1_900));
    Confluent::builder().sts(whole).build().unwrap();
}

#[tokio::test]
async fn a_token_that_expired_is_not_sent_when_it_cannot_be_renewed() {
    if !has_sts() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.set_sts(StsSettings::default().with_lifetime_seconds(1));
    let provider = sts(&sandbox, fixed(&sandbox)).build().unwrap();
    list(&provider).await.unwrap();
    break_exchanges(&sandbox, Fault::status_before(400));
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let outcome = list(&provider).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
    assert_eq!(requests(&sandbox, "list"), 1, "{error}");
}

#[tokio::test]
async fn a_valid_token_serves_while_its_refresh_fails() {
    if !has_sts() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.set_sts(StsSettings::default().with_lifetime_seconds(8));
    let provider = sts(&sandbox, fixed(&sandbox)).build().unwrap();
    list(&provider).await.unwrap();
    break_exchanges(&sandbox, Fault::status_before(500));
    // Past half its life, when it would be renewed.
    tokio::time::sleep(Duration::from_millis(4_100)).await;
    let calls = (0..100).map(|_| list(&provider));
    for outcome in join_all(calls).await {
        outcome.unwrap();
    }
    let exchanges = requests(&sandbox, "exchange");
    assert!(
        exchanges <= 1 + 5,
        "{} exchanges for 100 calls at once, where one would try 5 times",
        exchanges - 1
    );
}

#[tokio::test]
async fn a_refused_token_whose_renewal_fails_is_not_sent_again() {
    if !has_sts() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let provider = sts(&sandbox, fixed(&sandbox)).build().unwrap();
    list(&provider).await.unwrap();
    break_exchanges(&sandbox, Fault::status_before(400));
    sandbox.advance(Duration::from_secs(901));
    for sent in [2, 2] {
        let outcome = list(&provider).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.operation(), Operation::Authenticate, "{error}");
        assert_eq!(requests(&sandbox, "list"), sent, "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_calls_share_an_exchange_that_fails() {
    if !has_sts() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    break_exchanges(&sandbox, Fault::status_before(400));
    let provider = sts(&sandbox, fixed(&sandbox)).build().unwrap();
    let calls = (0..100).map(|_| list(&provider));
    for outcome in join_all(calls).await {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
    }
    let exchanges = requests(&sandbox, "exchange");
    assert!(
        exchanges <= 2,
        "{exchanges} exchanges for 100 calls at once"
    );
}
