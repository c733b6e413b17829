//! Streams that own their provider, references of any lifetime, and streams as input.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures::{Stream, StreamExt, TryStreamExt, stream};
use org_invitations::{
    BulkOptions, CreateResult, DeleteResult, ErrorKind, InvitationProvider, InvitationProviderExt,
    ItemResult, ListQuery, MemberProvider, MemberProviderExt, NewInvitation, OrganizationProvider,
    RemovalLimit, for_each_concurrent_from_stream, memory::InMemory,
};

fn organisation(invitations: usize) -> InMemory {
    let capabilities = InMemory::new().capabilities().max_page_size(Some(2));
    let builder = InMemory::builder().capabilities(capabilities);
    let builder = builder.member("root@example.com", ["Admin"]);
    let new = |number| NewInvitation::new(format!("p{number}@example.com"));
    let builder = (0..invitations).fold(builder, |builder, number| builder.invitation(new(number)));
    builder.build().unwrap()
}

/// What `Body::from_stream` and `spawn` ask for.
fn owned<S: Stream + Send + 'static>(stream: S) -> S {
    stream
}

#[tokio::test]
async fn a_list_outlives_the_variable_of_its_provider() {
    let organisation = organisation(5);
    let list = {
        let provider: Arc<dyn InvitationProvider> = Arc::new(organisation.clone());
        owned(provider.into_list(ListQuery::new()))
    };
    let all: Vec<_> = tokio::spawn(list.try_collect()).await.unwrap().unwrap();
    assert_eq!(all.len(), 5);
    let provider: Arc<dyn OrganizationProvider> = Arc::new(organisation.clone());
    let members = owned(Arc::clone(&provider).into_list_members());
    assert_eq!(members.try_collect::<Vec<_>>().await.unwrap().len(), 1);
    assert_eq!(provider.into_list(ListQuery::new()).count().await, 5);
}

#[tokio::test]
async fn an_owned_list_is_a_page_ahead_and_no_more() {
    let organisation = organisation(6);
    let mut list = organisation.clone().into_list(ListQuery::new());
    list.try_next().await.unwrap().unwrap();
    assert_eq!(
        organisation.calls().len(),
        1,
        "who reads one needs one page"
    );
    list.try_next().await.unwrap().unwrap();
    assert_eq!(organisation.calls().len(), 2, "one ahead");
}

/// `check` and `members` have default bodies, which a pointer must not fall back to.
async fn assert_forwards<P: InvitationProvider>(pointer: P) {
    assert!(pointer.members().is_some());
    let unknown = NewInvitation::new("ann@example.com").roles(["Nobody"]);
    let error = pointer.check(&unknown).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
}

#[tokio::test]
async fn a_pointer_forwards_what_has_a_default_body() {
    let organisation = organisation(0);
    assert_forwards(&organisation).await;
    assert_forwards(Box::new(organisation.clone())).await;
    assert_forwards(Arc::new(organisation) as Arc<dyn InvitationProvider>).await;
}

/// Takes its provider by value, as many functions of other crates do.
async fn count<P: InvitationProvider>(provider: P) -> usize {
    provider.list(ListQuery::new()).count().await
}

async fn count_members<P: MemberProvider>(provider: P) -> usize {
    provider.list_members().count().await
}

#[tokio::test]
async fn a_reference_of_any_lifetime_is_a_provider() {
    let organisation = organisation(3);
    assert_eq!(count(&organisation).await, 3);
    let object: &dyn InvitationProvider = &organisation;
    assert_eq!(count(object).await, 3);
    assert_eq!(count(&object).await, 3);
    assert_eq!(count_members(&organisation).await, 1);
}

#[tokio::test]
async fn a_stream_is_taken_as_it_is_needed() {
    let organisation = organisation(0);
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    let people = stream::iter(0..1_000).map(move |number| {
        counter.fetch_add(1, Ordering::Relaxed);
        NewInvitation::new(format!("p{number}@example.com"))
    });
    let options = BulkOptions::default().concurrency(3);
    let mut outcomes = organisation.create_many_from_stream(people, options);
    let first = outcomes.next().await.unwrap();
    assert!(matches!(first.result, CreateResult::Created(_)));
    let taken = taken.load(Ordering::Relaxed);
    assert!(taken <= 4, "{taken} were taken for the first outcome");
}

#[tokio::test]
async fn a_stream_of_ids_is_counted_before_it_is_withdrawn() {
    let organisation = organisation(4);
    let ids = || {
        let list = organisation.clone().into_list(ListQuery::new());
        list.map(|invitation| invitation.unwrap().id)
    };
    let refused = BulkOptions::default().removals(RemovalLimit::count(3));
    let outcomes: Vec<_> = organisation
        .delete_many_from_stream(ids(), refused)
        .collect()
        .await;
    assert_eq!(outcomes.len(), 4);
    for outcome in outcomes {
        match outcome.result {
            DeleteResult::Failed(error) => assert_eq!(error.kind(), ErrorKind::InvalidInput),
            other => panic!("{other:?}"),
        }
    }
    let known: Vec<_> = ids().collect().await;
    let allowed = BulkOptions::default().removals(RemovalLimit::count(4));
    let known = stream::iter(known);
    let outcomes: Vec<_> = organisation
        .delete_many_from_stream(known, allowed)
        .collect()
        .await;
    let is_deleted =
        |outcome: &&org_invitations::DeleteOutcome| matches!(outcome.result, DeleteResult::Deleted);
    assert_eq!(outcomes.iter().filter(is_deleted).count(), 4);
}

#[tokio::test]
async fn any_work_runs_on_a_stream() {
    let organisation = organisation(3);
    let listed = organisation.clone().into_list(ListQuery::new());
    let ids = listed.map(|invitation| invitation.unwrap().id);
    let get = |id| {
        let organisation = &organisation;
        async move { organisation.get(&id).await }
    };
    let options = BulkOptions::default().ordered(true);
    let run = for_each_concurrent_from_stream(&organisation, ids, options, |_| None, get);
    let results: Vec<_> = run.collect().await;
    assert_eq!(results.len(), 3);
    for outcome in results {
        assert!(
            matches!(outcome.result, ItemResult::Finished(Ok(_))),
            "{outcome:?}"
        );
    }
}
