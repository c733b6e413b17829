//! Nothing goes to another origin than the configured one: no redirect, link or proxy takes it there.

use std::{collections::BTreeMap, net::TcpListener, sync::Arc, time::Duration};

use futures::TryStreamExt;
use org_invitations::{
    Confluent, ErrorKind, InvitationProvider, InvitationProviderExt, ListQuery, NewInvitation,
    StsCredentials, SubjectToken,
};
use org_invitations_sandbox::{ErrorBody, Fault, Faults, Operation, Rule, Sandbox, When};

use crate::support::{both, confluent, fixed, has_sts, impatient, list, run_again, sts};

const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];

fn redirect(status: u16, location: String) -> Fault {
    Fault::Status {
        status,
        when: When::Before,
        body: ErrorBody::Empty,
        headers: BTreeMap::from([("Location".to_owned(), location)]),
    }
}

/// Fails when anything has arrived there.
#[track_caller]
fn assert_untouched(elsewhere: &Sandbox, case: &str) {
    let requests = elsewhere.ledger().requests;
    assert!(requests.is_empty(), "{case}: {requests:#?}");
}

#[tokio::test]
async fn an_operation_redirected_to_another_origin_is_not_sent() {
    let elsewhere = Sandbox::start().await.unwrap();
    for status in STATUSES {
        let sandbox = Sandbox::start().await.unwrap();
        let mut providers: Vec<Arc<dyn InvitationProvider>> = Vec::new();
        providers.extend(both(&sandbox).map(|(_, provider)| provider));
        if has_sts() {
            providers.push(Arc::new(sts(&sandbox, fixed(&sandbox)).build().unwrap()));
        }
        for provider in providers {
            let new = |name| NewInvitation::new(format!("{name}-{status}@{provider}.example"));
            sandbox.set_faults(Faults::default());
            let known = provider.get_or_create(new("known")).await.unwrap();
            let location = format!("{}/iam/v2/invitations/{}", elsewhere.url(), known.id);
            let rule = Rule::new(redirect(status, location));
            sandbox.set_faults(Faults::script([rule.always()]));
            let errors = [
                provider.create(new("new")).await.map(drop),
                provider.get(&known.id).await.map(drop),
                list(&provider).await.map(drop),
                provider.delete(&known.id).await,
            ];
            for outcome in errors {
                let error = outcome.unwrap_err();
                assert_eq!(error.status(), Some(status), "{provider}: {error}");
            }
            assert_untouched(&elsewhere, &format!("{provider} {status}"));
        }
    }
}

#[tokio::test]
async fn an_exchange_of_tokens_that_is_redirected_is_not_sent_there() {
    if !has_sts() {
        return;
    }
    let elsewhere = Sandbox::start().await.unwrap();
    for status in STATUSES {
        let sandbox = Sandbox::start().await.unwrap();
        let location = format!("{}/sts/v1/oauth2/token", elsewhere.url());
        let rule = Rule::new(redirect(status, location)).on(Operation::Exchange);
        sandbox.set_faults(Faults::script([rule.always()]));
        let provider = sts(&sandbox, fixed(&sandbox)).build().unwrap();
        let error = list(&provider).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unexpected, "{error}");
        assert_untouched(&elsewhere, &status.to_string());
    }
}

#[tokio::test]
async fn a_next_page_elsewhere_is_asked_for_here() {
    let (sandbox, elsewhere) = (
        Sandbox::start().await.unwrap(),
        Sandbox::start().await.unwrap(),
    );
    let provider = confluent(&sandbox, impatient());
    for number in 0..5 {
        let new = NewInvitation::new(format!("user{number}@example.com"));
        provider.create(new).await.unwrap();
    }
    let origin = elsewhere.url().to_owned();
    let rule = Rule::new(Fault::NextElsewhere { origin });
    sandbox.set_faults(Faults::script([rule.always()]));
    let all = provider.list(ListQuery::new().page_size(2));
    let all: Vec<_> = all.try_collect().await.unwrap();
    assert_eq!(all.len(), 5);
    assert_untouched(&elsewhere, "a link");
}

#[cfg(feature = "client-credentials")]
#[tokio::test]
async fn an_identity_provider_that_redirects_gets_no_secret_out() {
    if !has_sts() {
        return;
    }
    let (sandbox, elsewhere) = (
        Sandbox::start().await.unwrap(),
        httpmock::MockServer::start_async().await,
    );
    let witness = elsewhere
        .mock_async(|when, then| {
            when.any_request();
            then.status(200);
        })
        .await;
    let idp = httpmock::MockServer::start_async().await;
    for status in STATUSES {
        let path = format!("/{status}");
        let location = elsewhere.url("/elsewhere");
        idp.mock_async(|when, then| {
            when.path(&path);
            then.status(status).header("Location", location);
        })
        .await;
        let client = org_invitations::ClientCredentials::new(idp.url(&path), "id", "secret");
        let token = SubjectToken::ClientCredentials(client);
        let error = list(&sts(&sandbox, token).build().unwrap()).await;
        let error = error.unwrap_err();
        assert_eq!(error.operation(), org_invitations::Operation::Authenticate);
        assert_eq!(witness.calls_async().await, 0, "{status}: {error}");
    }
}

const PROXIED: &str = "FAULTS_PROXIED_SANDBOX";

/// What is meant for this machine, over plain http, is not shown to a proxy.
///
/// The environment names a proxy only in a process of its own, which this test starts for itself.
#[tokio::test]
async fn plain_http_goes_past_a_proxy() {
    if !has_sts() {
        return;
    }
    if let Ok(credentials) = std::env::var(PROXIED) {
        let credentials: Vec<_> = credentials.split(' ').collect();
        return list_past_a_proxy(&credentials).await;
    }
    let sandbox = Sandbox::start().await.unwrap();
    // It answers nothing: who asks it, fails.
    let proxy = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let credentials = sandbox.credentials();
    let idp = credentials.idp();
    let child = [
        sandbox.url(),
        credentials.identity_pool_id(),
        credentials.subject_token(),
        &idp.token_url,
        &idp.client_id,
        &idp.client_secret,
    ]
    .join(" ");
    let mut variables = vec![(PROXIED, child.as_str())];
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        variables.push((name, &url));
    }
    run_again("origins::plain_http_goes_past_a_proxy", &variables).await;
    proxy.set_nonblocking(true).unwrap();
    assert!(proxy.accept().is_err(), "the proxy was asked");
}

async fn list_past_a_proxy(credentials: &[&str]) {
    let [url, pool, subject, token_url, id, secret] = *credentials else {
        panic!("{credentials:?}");
    };
    let mut tokens = vec![SubjectToken::Fixed(subject.into())];
    if cfg!(feature = "client-credentials") {
        tokens.push(client(token_url, id, secret));
    }
    for token in tokens {
        let case = format!("{token:?}");
        let builder = Confluent::builder()
            .sts(StsCredentials::new(pool, token))
            .base_url(url)
            .retry(impatient().deadline(Duration::from_secs(2)));
        let outcome = list(&builder.build().unwrap()).await;
        outcome.unwrap_or_else(|error| panic!("{case}: {error}"));
    }
}

#[cfg(feature = "client-credentials")]
fn client(url: &str, id: &str, secret: &str) -> SubjectToken {
    SubjectToken::ClientCredentials(org_invitations::ClientCredentials::new(url, id, secret))
}

#[cfg(not(feature = "client-credentials"))]
fn client(_: &str, _: &str, _: &str) -> SubjectToken {
    unreachable!("only with the feature")
}
