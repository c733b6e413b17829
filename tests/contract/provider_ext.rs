//! What every provider can do because it is one, over the wire and for providers of others.

use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use org_invitations::{
    Capabilities, Confluent, Error, ErrorKind, Invitation, InvitationId, InvitationProvider,
    InvitationProviderExt, ListQuery, NewInvitation, Operation, Page, PageToken, Result,
};
use serde_json::{Value, json};

use crate::{
    backend::{Backend, EMAIL, KEY, REQUEST_ID, SECRET, refused, walk},
    support::{Answer, Checks, Wire},
};

const CONFLUENT: Backend = Backend::Confluent;

fn page(names: &[&str], next: Option<&str>) -> Answer {
    let objects = names
        .iter()
        .map(|name| json!({ "id": format!("i-{name}"), "email": format!("{name}@example.com") }));
    let mut body = CONFLUENT.list(&objects.collect::<Vec<_>>());
    if let Some(token) = next {
        body["metadata"]["next"] = json!(format!("/iam/v2/invitations?page_token={token}"));
    }
    CONFLUENT.identified(Answer::json(200, &body))
}

fn conflict(location: Option<&str>) -> Answer {
    let answer = CONFLUENT.refusal(409);
    match location {
        Some(location) => answer.header("Location", location),
        None => answer,
    }
}

/// Method and path of every request, the query's page token aside.
fn calls(wire: &Wire) -> Vec<String> {
    let seen = wire.seen().into_iter();
    seen.map(|sent| format!("{} {}", sent.method, sent.path))
        .collect()
}

#[tokio::test]
async fn every_pointer_to_a_provider_is_one() {
    async fn first_email<P: InvitationProvider + ?Sized>(provider: &P) -> Option<String> {
        let found = provider.list(ListQuery::new()).try_next().await.unwrap();
        found.map(|invitation| invitation.email)
    }
    let wire = Wire::always(page(&["ann"], None)).await;
    let builder = Confluent::builder().api_key(KEY, SECRET);
    let direct = builder.base_url(wire.url()).build().unwrap();
    let shared: Arc<dyn InvitationProvider> = Arc::new(direct.clone());
    let boxed: Box<dyn InvitationProvider> = Box::new(direct.clone());
    let nested = Arc::new(Arc::clone(&shared));
    let leaked: &'static Confluent = Box::leak(Box::new(direct.clone()));
    let expected = Some(EMAIL.to_owned());
    assert_eq!(first_email(&direct).await, expected);
    assert_eq!(first_email(&shared).await, expected);
    assert_eq!(first_email(&*shared).await, expected);
    assert_eq!(first_email(&boxed).await, expected);
    assert_eq!(first_email(&nested).await, expected);
    assert_eq!(first_email(&leaked).await, expected);
    assert_eq!(shared.capabilities(), direct.capabilities());
    assert_eq!(boxed.to_string(), "confluent");
    // Calls outlive the place that they were made in.
    let task = tokio::spawn(async move { first_email(&shared).await });
    assert_eq!(task.await.unwrap(), expected);
}

#[tokio::test]
async fn a_repeated_token_ends_the_list_with_an_error() {
    for script in [
        vec![page(&["a"], Some("t1")), page(&["b"], Some("t1"))],
        vec![
            page(&["a"], Some("t1")),
            page(&["b"], Some("t2")),
            page(&["c"], Some("t1")),
        ],
    ] {
        let pages = script.len();
        let wire = Wire::script(script).await;
        let provider = CONFLUENT.connect(&wire);
        let items: Vec<_> = provider.list(ListQuery::new()).collect().await;
        let (last, items) = items.split_last().unwrap();
        assert_eq!(items.iter().filter(|item| item.is_ok()).count(), pages);
        let error = last.as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unexpected, "{error}");
        assert_eq!(error.operation(), Operation::List, "{error}");
        assert_eq!(error.provider(), Some("confluent"), "{error}");
        assert_eq!(error.request_id(), Some(REQUEST_ID), "{error}");
        assert_eq!(wire.seen().len(), pages, "it goes on after the repetition");
    }
}

#[tokio::test]
async fn a_page_that_fails_ends_the_list_with_its_error() {
    let wire = Wire::script([
        page(&["a", "b"], Some("t1")),
        CONFLUENT.refusal(403),
        page(&["c"], None),
    ])
    .await;
    let items = walk(&*CONFLUENT.connect(&wire), ListQuery::new()).await;
    assert_eq!(
        items,
        ["a@example.com", "b@example.com", "PermissionDenied"]
    );
    assert_eq!(wire.seen().len(), 2);
}

#[tokio::test]
async fn an_odd_item_does_not_end_the_list() {
    let mut first = CONFLUENT.list(&[json!("odd"), CONFLUENT.object()]);
    first["metadata"]["next"] = json!("?page_token=t1");
    let wire = Wire::script([Answer::json(200, &first), page(&["b"], None)]).await;
    let items = walk(&*CONFLUENT.connect(&wire), ListQuery::new()).await;
    assert_eq!(items, ["Decode", EMAIL, "b@example.com"]);
}

#[tokio::test]
async fn a_list_fetches_no_page_that_nobody_asked_for() {
    let wire = Wire::script([page(&["a", "b"], Some("t1")), page(&["c"], None)]).await;
    let provider = CONFLUENT.connect(&wire);
    let mut list = provider.list(ListQuery::new());
    assert_eq!(wire.seen().len(), 0, "making the stream sends something");
    list.next().await.unwrap().unwrap();
    list.next().await.unwrap().unwrap();
    assert_eq!(wire.seen().len(), 1);
}

#[tokio::test]
async fn find_by_email_gives_the_invitation_or_none() {
    for backend in Backend::ALL {
        let body = backend.list(&[backend.object()]);
        let wire = Wire::always(Answer::json(200, &body)).await;
        let found = backend.connect(&wire).find_by_email(EMAIL).await.unwrap();
        assert_eq!(
            found.map(|found| found.id),
            Some(backend.id()),
            "{backend:?}"
        );
        let wire = Wire::always(Answer::json(200, &backend.list(&[]))).await;
        let found = backend.connect(&wire).find_by_email(EMAIL).await.unwrap();
        assert_eq!(found, None, "{backend:?}");
        let wire = Wire::always(backend.refusal(403)).await;
        let error = refused(backend.connect(&wire).find_by_email(EMAIL).await);
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{backend:?}");
    }
}

#[tokio::test]
async fn an_odd_item_does_not_hide_the_invitation_that_is_looked_for() {
    let mut checks = Checks::default();
    for backend in Backend::ALL {
        checks.case(format!("{backend:?}"));
        let odd = json!({ "id": 7, "email": "bob@example.com" });
        let body = backend.list(&[odd.clone(), backend.object()]);
        let wire = Wire::always(Answer::json(200, &body)).await;
        match backend.connect(&wire).find_by_email(EMAIL).await {
            Ok(found) => checks.same("what is found", found.map(|it| it.id), Some(backend.id())),
            Err(error) => checks.that(false, error.to_string()),
        }
        // Without a match, nobody knows whether the odd one is it.
        let wire = Wire::always(Answer::json(200, &backend.list(&[odd]))).await;
        let outcome = backend.connect(&wire).find_by_email(EMAIL).await;
        checks.that(outcome.is_err(), format!("an odd item became {outcome:?}"));
    }
}

#[tokio::test]
async fn get_or_create_creates_when_there_is_none() {
    for backend in Backend::ALL {
        let wire = Wire::always(backend.success(Operation::Create)).await;
        let new = NewInvitation::new(EMAIL);
        let invitation = backend.connect(&wire).get_or_create(new).await.unwrap();
        assert_eq!(invitation.id, backend.id());
        assert_eq!(wire.only().method, "POST");
    }
}

#[tokio::test]
async fn get_or_create_gets_what_is_in_the_way() {
    let mut checks = Checks::default();
    let item = CONFLUENT.identified(Answer::json(200, &json!({ "id": "i-ann", "email": EMAIL })));
    let link = "https://api.confluent.cloud/iam/v2/invitations/i-ann";
    let (post, list) = ("POST /iam/v2/invitations", "GET /iam/v2/invitations");
    let get = "GET /iam/v2/invitations/i-ann";
    for (name, script, expected) in [
        (
            "by its location",
            vec![conflict(Some(link)), item],
            vec![post, get],
        ),
        (
            "by its email",
            vec![conflict(None), page(&["ann"], None)],
            vec![post, list],
        ),
        (
            "by its email when the location is stale",
            vec![
                conflict(Some(link)),
                CONFLUENT.refusal(404),
                page(&["ann"], None),
            ],
            vec![post, get, list],
        ),
        (
            "by its email in another spelling",
            vec![
                conflict(None),
                page(&[], None),
                page(&["bob"], Some("t1")),
                page(&["Ann"], None),
            ],
            vec![post, list, list, list],
        ),
    ] {
        checks.case(name);
        let wire = Wire::script(script).await;
        let new = NewInvitation::new(EMAIL);
        match CONFLUENT.connect(&wire).get_or_create(new).await {
            Ok(found) => checks.same("the email", found.email.to_lowercase(), EMAIL),
            Err(error) => checks.that(false, error.to_string()),
        }
        checks.same("the requests", calls(&wire), expected);
    }
}

#[tokio::test]
async fn get_or_create_refuses_a_member_and_passes_other_failures_on() {
    for backend in Backend::ALL {
        let empty = Answer::json(200, &backend.list(&[]));
        let refusal = backend.refusal(409);
        let wire = Wire::responding(move |sent| match sent.method.as_str() {
            "POST" => refusal.clone(),
            _ => empty.clone(),
        })
        .await;
        let new = || NewInvitation::new(EMAIL);
        let error = refused(backend.connect(&wire).get_or_create(new()).await);
        assert_eq!(
            error.kind(),
            ErrorKind::AlreadyExists,
            "{backend:?}: {error}"
        );
        assert_eq!(error.status(), Some(409), "{backend:?}: {error}");
        for status in [403, 500] {
            let wire = Wire::always(backend.refusal(status)).await;
            let error = refused(backend.connect(&wire).get_or_create(new()).await);
            assert_eq!(error.status(), Some(status), "{backend:?}: {error}");
            assert_eq!(wire.only().method, "POST");
        }
    }
}

#[tokio::test]
async fn a_conflict_whose_list_fails_shows_nobody() {
    for backend in Backend::ALL {
        let (refusal, failure) = (backend.refusal(409), backend.refusal(500));
        let wire = Wire::responding(move |sent| match sent.method.as_str() {
            "POST" => refusal.clone(),
            _ => failure.clone(),
        })
        .await;
        let new = NewInvitation::new(EMAIL);
        let error = refused(backend.connect(&wire).get_or_create(new).await);
        assert_eq!(error.kind(), ErrorKind::Conflict, "{backend:?}: {error}");
        assert!(error.may_have_executed(), "{backend:?}: {error}");
    }
}

#[tokio::test]
async fn delete_if_exists_tells_whether_there_was_one() {
    for backend in Backend::ALL {
        let run = async |answer: Answer| {
            let wire = Wire::always(answer).await;
            backend.connect(&wire).delete_if_exists(&backend.id()).await
        };
        assert!(run(backend.success(Operation::Delete)).await.unwrap());
        assert!(!run(backend.refusal(404)).await.unwrap());
        for answer in [
            Answer::html(404),
            backend.refusal(403),
            backend.refusal(500),
        ] {
            let status = answer.status;
            let error = refused(run(answer).await);
            assert_eq!(error.status(), Some(status), "{backend:?}: {error}");
        }
    }
}

/// A provider made outside the library, with nothing but its public API.
#[derive(Debug)]
struct Shelf(Vec<&'static str>);

impl std::fmt::Display for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("shelf")
    }
}

#[async_trait]
impl InvitationProvider for Shelf {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    async fn create(&self, new: NewInvitation) -> Result<Invitation> {
        new.validate()?;
        let error = Error::new(ErrorKind::AlreadyExists, Operation::Create, "full");
        Err(error.with_provider(self.to_string()).with_target(new.email))
    }

    async fn get(&self, id: &InvitationId) -> Result<Invitation> {
        Ok(Invitation::new(id.clone(), format!("{id}@example.com")))
    }

    async fn list_page(&self, query: &ListQuery, token: Option<&PageToken>) -> Result<Page> {
        query.validate(Some(10))?;
        let at: usize = token.map_or(0, |token| token.as_str().parse().unwrap());
        let mut items = Vec::new();
        if let Some(name) = self.0.get(at) {
            items.push(self.get(&InvitationId::new(*name)?).await);
        }
        let next = (at + 1 < self.0.len()).then(|| PageToken::new((at + 1).to_string()));
        Ok(Page::new(items, next))
    }

    async fn delete(&self, id: &InvitationId) -> Result<()> {
        Err(Error::new(ErrorKind::NotFound, Operation::Delete, "none").with_target(id.as_str()))
    }
}

#[tokio::test]
async fn a_provider_of_others_gets_everything_else() {
    let shelf: Arc<dyn InvitationProvider> = Arc::new(Shelf(vec!["ann", "bob", "cem"]));
    let emails = walk(&shelf, ListQuery::new()).await;
    assert_eq!(emails, [EMAIL, "bob@example.com", "cem@example.com"]);
    let id = InvitationId::new("ann").unwrap();
    assert!(!shelf.delete_if_exists(&id).await.unwrap());
    let found = shelf
        .get_or_create(NewInvitation::new(EMAIL))
        .await
        .unwrap();
    assert_eq!(json!(found)["id"], Value::from("ann"));
    let refused = refused(shelf.list_page(&ListQuery::new().page_size(11), None).await);
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
}
