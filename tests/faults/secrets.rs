//! A secret with a recognisable text is looked for in everything that the library shows while all that
//! can go wrong goes wrong; and it goes to the configured origin only.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use futures::{StreamExt, future::join_all};
use org_invitations::{
    AttemptEvent, ClickHouse, Confluent, Error, Interceptor, InvitationProvider,
    InvitationProviderExt, ListQuery, NewInvitation, ProviderConfig, RetryPolicy, StsCredentials,
    SubjectToken,
};
use org_invitations_sandbox::{
    DuplicateAnswer, ErrorBody, Fault, Faults, Operation, Rule, Sandbox, When,
};
use serde_json::json;
use tracing::Level;

use crate::{
    capture::Capture,
    support::{both, has_sts, list, shown},
};

/// In every secret.
const MARK: &str = "canary-9f1c77e0";
const SECRET: &str = "canary-9f1c77e0-api-secret";
const BEARER: &str = "canary-9f1c77e0-access-token";
const SUBJECT: &str = "canary-9f1c77e0-subject-token";
#[cfg(feature = "client-credentials")]
const CLIENT: &str = "canary-9f1c77e0-client-secret";
const KEY: &str = "KEY123";
/// What every token begins with that the sandbox issues: `{"alg":"HS256","typ":"JWT"}`.
const JWT: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
const EMAIL: &str = "Ann.Lee@example.com";

const OPERATIONS: [Operation; 5] = [
    Operation::Create,
    Operation::Get,
    Operation::List,
    Operation::Delete,
    Operation::Exchange,
];

/// Fails when the text holds a secret, in the clear or as it is sent.
#[track_caller]
fn assert_clean(what: &str, text: &str) {
    let pair = BASE64_STANDARD.encode(format!("{KEY}:{SECRET}"));
    // Of the client's too, whose end is another.
    for secret in [MARK, JWT, pair.as_str(), &pair[..24]] {
        assert!(!text.contains(secret), "{what} shows a secret: {text}");
    }
}

async fn sandbox() -> Sandbox {
    let builder = Sandbox::builder();
    #[cfg(feature = "client-credentials")]
    let builder = builder.idp_client(KEY, CLIENT);
    builder
        .confluent_key(KEY, SECRET)
        .confluent_access_token(BEARER)
        .subject_token(SUBJECT)
        .clickhouse_key(KEY, SECRET)
        .start()
        .await
        .unwrap()
}

fn subject() -> SubjectToken {
    SubjectToken::Fixed(SUBJECT.into())
}

#[cfg(feature = "client-credentials")]
fn asked_for(sandbox: &Sandbox) -> SubjectToken {
    let url = sandbox.credentials().idp().token_url.as_str();
    SubjectToken::ClientCredentials(org_invitations::ClientCredentials::new(url, KEY, CLIENT))
}

/// A provider for each kind of credential; what their observer and their builders show goes into `seen`.
fn providers(sandbox: &Sandbox, seen: &Arc<Mutex<String>>) -> Vec<Arc<dyn InvitationProvider>> {
    let retry = RetryPolicy::default()
        .max_attempts(2)
        .initial_delay(Duration::from_millis(2))
        .max_delay(Duration::from_millis(4))
        .settle_for(Duration::from_millis(4))
        .deadline(Duration::from_millis(300));
    let note = Arc::clone(seen);
    let observer: Arc<dyn Interceptor> = Arc::new(move |event: &AttemptEvent<'_>| {
        note.lock().unwrap().push_str(&format!("{event:?} "));
    });
    let credentials = sandbox.credentials();
    let pool = credentials.identity_pool_id();
    let mut providers: Vec<Arc<dyn InvitationProvider>> = Vec::new();
    let mut builders = Vec::new();
    if has_sts() {
        builders.extend([
            Confluent::builder().sts(StsCredentials::new(pool, subject())),
            Confluent::builder().sts(StsCredentials::new(pool, subject())),
            #[cfg(feature = "client-credentials")]
            Confluent::builder().sts(StsCredentials::new(pool, asked_for(sandbox))),
        ]);
    }
    builders.extend([
        Confluent::builder().api_key(KEY, SECRET),
        Confluent::builder().access_token(BEARER),
    ]);
    for builder in builders {
        let builder = builder.base_url(sandbox.url()).retry(retry.clone());
        let builder = builder.timeout(Duration::from_millis(80));
        let builder = builder.interceptor(Arc::clone(&observer));
        seen.lock().unwrap().push_str(&format!("{builder:#?}"));
        providers.push(Arc::new(builder.build().unwrap()));
    }
    let builder = ClickHouse::builder(&credentials.clickhouse.organization_id);
    let builder = builder.api_key(KEY, SECRET).base_url(sandbox.url());
    let builder = builder.retry(retry).timeout(Duration::from_millis(80));
    let builder = builder.interceptor(observer);
    seen.lock().unwrap().push_str(&format!("{builder:#?}"));
    providers.push(Arc::new(builder.build().unwrap()));
    providers
}

/// Every kind of fault there is.
fn every_fault(elsewhere: &str) -> Vec<Fault> {
    let status = |status, body, headers| Fault::Status {
        status,
        when: When::Before,
        body,
        headers,
    };
    let location = BTreeMap::from([("location".to_owned(), format!("{elsewhere}/iam/v2"))]);
    let mut faults = vec![
        Fault::Refuse { for_ms: 0 },
        Fault::Refuse { for_ms: 20 },
        Fault::reset_before(),
        Fault::reset_after(),
        Fault::hang(),
        Fault::slow_body(16, 15),
        Fault::truncated_body(),
        Fault::wrong_length(9),
        Fault::wrong_length(-9),
        Fault::rate_limited(1),
        Fault::bare_rate_limited(),
        status(200, ErrorBody::Empty, BTreeMap::new()),
        status(502, ErrorBody::Html, BTreeMap::new()),
        status(307, ErrorBody::Empty, location.clone()),
        status(303, ErrorBody::Html, location),
        Fault::HtmlBody { when: When::After },
        Fault::WrongContentType {
            content_type: "image/png".to_owned(),
        },
        Fault::ExpiredToken,
        Fault::NextRepeats,
        Fault::NextElsewhere {
            origin: elsewhere.to_owned(),
        },
        Fault::NextEmpty,
        Fault::NextNull,
        Fault::NextAbsent,
        Fault::EmptyPage,
        Fault::late_commit(1),
        Fault::FiltersIgnored,
        Fault::FiltersAsPrefixes,
        Fault::locked(),
        Fault::another_person(),
        Fault::another_id(),
        Fault::Duplicate {
            answer: DuplicateAnswer::First,
        },
    ];
    for refusal in [400, 401, 402, 403, 404, 409, 418, 422, 500, 503] {
        faults.push(status(refusal, ErrorBody::Vendor, BTreeMap::new()));
    }
    faults
}

#[test]
fn every_kind_of_fault_is_tried() {
    // The sandbox names all of them when it is asked for one that it does not have.
    let unknown = serde_json::from_value::<Fault>(json!({ "kind": "unheard_of" }));
    let recorded = unknown.unwrap_err().to_string();
    let known: Vec<&str> = recorded.split('`').skip(3).step_by(2).collect();
    assert!(known.len() > 10, "{recorded}");
    let tried = json!(every_fault("https://elsewhere.example"));
    for kind in known {
        let tried = tried.as_array().unwrap();
        assert!(tried.iter().any(|fault| fault["kind"] == kind), "{kind}");
    }
}

/// Every operation once; the errors that came of it.
async fn every_operation(provider: &dyn InvitationProvider, known: &NewInvitation) -> Vec<Error> {
    let mut errors = Vec::new();
    let new = NewInvitation::new(format!("{}.{EMAIL}", known.email.len()));
    errors.extend(provider.create(new).await.err());
    errors.extend(provider.create(known.clone()).await.err());
    let list = provider.list(ListQuery::new().page_size(1)).take(5);
    let items: Vec<_> = list.collect().await;
    let known = items.iter().flatten().next().map(|found| found.id.clone());
    errors.extend(items.into_iter().filter_map(Result::err));
    let id = known.unwrap_or_else(|| "3b9f1d9e-0c5b-4b0e-8d0a-7f6f4f0c1a11".parse().unwrap());
    errors.extend(provider.get(&id).await.err());
    errors.extend(provider.delete(&id).await.err());
    errors
}

#[tokio::test]
async fn no_fault_makes_anything_show_a_secret() {
    let elsewhere = Sandbox::start().await.unwrap();
    let sandbox = sandbox().await;
    let setups = both(&sandbox).map(|(_, provider)| provider);
    let capture = Capture::start();
    let (mut failures, mut traced) = (0, 0);
    for fault in every_fault(elsewhere.url()) {
        sandbox.reset();
        let seen = Arc::default();
        let providers = providers(&sandbox, &seen);
        let known = NewInvitation::new(EMAIL);
        for setup in &setups {
            setup.create(known.clone()).await.unwrap();
        }
        // One of the two with an identity pool has its token before anything goes wrong.
        list(&providers[0]).await.unwrap();
        // Not without end, because of the empty pages.
        let rule = Rule::new(fault.clone()).times(30);
        sandbox.set_faults(Faults::script(OPERATIONS.map(|it| rule.clone().on(it))));
        let calls = providers
            .iter()
            .map(|provider| every_operation(&**provider, &known));
        for error in join_all(calls).await.into_iter().flatten() {
            assert_clean(&format!("after {fault:?} an error"), &shown(&error));
            failures += 1;
        }
        assert_clean("Debug", &format!("{providers:#?}"));
        assert_clean("an observer or a builder", &seen.lock().unwrap());
        for record in capture.all() {
            let text = format!("{record:?}");
            assert_clean(&format!("after {fault:?} a trace"), &text);
            let lower = text.to_lowercase().replace("%40", "@");
            let recorded = lower.contains(&EMAIL.to_lowercase());
            assert!(
                record.level > Level::INFO || !recorded,
                "{fault:?}: an address at {text}"
            );
            traced += 1;
        }
        capture.clear();
    }
    assert!(failures > 100 && traced > 1_000, "{failures} {traced}");
    let requests = elsewhere.ledger().requests;
    assert!(requests.is_empty(), "{requests:?}");
}

#[test]
fn nothing_that_is_set_up_shows_a_secret() {
    let sts = StsCredentials::new("pool-1", subject());
    assert_clean("STS credentials", &format!("{sts:?} {sts:#?}"));
    let builder = Confluent::builder().sts(sts);
    assert_clean("a builder", &format!("{builder:?} {builder:#?}"));
    if has_sts() {
        let provider = builder.build().unwrap();
        assert_clean("a provider", &format!("{provider:?} {provider:#?}"));
    }
    for config in [
        json!({ "provider": "confluent", "api_key": KEY, "api_secret": SECRET }),
        json!({ "provider": "confluent", "access_token": BEARER }),
        json!({
            "provider": "clickhouse", "organization_id": "o-1", "api_key": KEY, "api_secret": SECRET,
        }),
    ] {
        let config: ProviderConfig = serde_json::from_value(config).unwrap();
        let built = config.clone().build().unwrap();
        assert_clean("a configuration", &format!("{config:#?} {built:#?}"));
    }
    // Of a text that cannot be a header, and of credentials that replace others.
    let odd = Confluent::builder().access_token(format!("{BEARER}\n"));
    assert_clean("an error", &shown(&odd.build().unwrap_err()));
    let both = Confluent::builder().api_key(KEY, SECRET);
    let both = both.credentials(StsCredentials::new("pool-1", subject()));
    assert_clean("a builder", &format!("{both:#?} {both:?}"));
}

/// A gateway that shows in its page what it was sent, as debugging ones do.
#[tokio::test]
async fn an_html_page_that_echoes_the_credential_leaks_nothing() {
    let pair = BASE64_STANDARD.encode(format!("{KEY}:{SECRET}"));
    for (status, header) in [
        (502, format!("Basic {pair}")),
        (400, format!("Basic {pair}")),
        (200, format!("Basic {pair}")),
        (502, format!("Bearer {BEARER}")),
    ] {
        let server = httpmock::MockServer::start_async().await;
        let page = format!("<pre>authorization: {header}</pre>");
        server
            .mock_async(|when, then| {
                when.any_request();
                then.status(status).body(page);
            })
            .await;
        let builder = Confluent::builder()
            .base_url(server.base_url())
            .retry(RetryPolicy::none());
        let builder = match header.starts_with("Basic") {
            true => builder.api_key(KEY, SECRET),
            false => builder.access_token(BEARER),
        };
        let provider = builder.build().unwrap();
        let id = "i-1".parse().unwrap();
        let error = provider.get(&id).await.unwrap_err();
        assert_clean(&format!("after a {status} the error"), &shown(&error));
    }
}

#[cfg(feature = "client-credentials")]
#[tokio::test]
async fn what_an_identity_provider_repeats_is_in_no_error() {
    if !has_sts() {
        return;
    }
    use org_invitations::ClientCredentials;

    let idp = httpmock::MockServer::start_async().await;
    let repeated = format!("no client with the secret {SECRET}");
    let refusal = json!({ "error": "invalid_client", "error_description": repeated });
    idp.mock_async(|when, then| {
        when.any_request();
        then.status(401).json_body(refusal);
    })
    .await;
    let client = ClientCredentials::new(idp.url("/token"), KEY, SECRET);
    assert_clean("Debug", &format!("{client:?} {client:#?}"));
    let token = SubjectToken::ClientCredentials(client);
    let builder = Confluent::builder().base_url(idp.base_url());
    let builder = builder.sts(StsCredentials::new("pool-1", token));
    let provider = builder.retry(RetryPolicy::none()).build().unwrap();
    let error = list(&provider).await.unwrap_err();
    assert_clean("the error", &shown(&error));
}
