//! Behaviours of `create_many` and `delete_many`.

use futures_util::StreamExt;

use super::{TestContext, assertions::ensure_eq, report::CaseResult};
use crate::{
    bulk::{BulkOptions, CreateResult, DeleteResult},
    error::ErrorKind,
    invitation::NewInvitation,
    provider_ext::InvitationProviderExt,
};

pub(super) async fn create_many_has_one_outcome_per_item(context: &TestContext<'_>) -> CaseResult {
    let (known, first, second) = (context.address(), context.address(), context.address());
    context.create(NewInvitation::new(&known)).await?;
    let emails = [&first, &second, &first.to_uppercase(), "nobody", &known];
    let items = emails.map(NewInvitation::new);
    let outcomes = context.provider.create_many(items, BulkOptions::default());
    let mut outcomes: Vec<_> = outcomes.collect().await;
    outcomes.sort_by_key(|outcome| outcome.index);
    let mut results = Vec::new();
    for outcome in outcomes {
        let what = match outcome.result {
            CreateResult::Created(invitation) => {
                context.track(&invitation.id);
                "created".to_owned()
            }
            CreateResult::AlreadyExists(_) => "existed".to_owned(),
            CreateResult::Failed(error) if error.kind() == ErrorKind::InvalidInput => {
                "invalid".to_owned()
            }
            CreateResult::Duplicate(first) => format!("as {first}"),
            other => format!("{other:?}"),
        };
        results.push((outcome.index, what));
    }
    let expected = ["created", "created", "as 0", "invalid", "existed"];
    let expected = expected
        .map(str::to_owned)
        .into_iter()
        .enumerate()
        .collect();
    ensure_eq("the results", results, expected)
}

pub(super) async fn delete_many_has_one_outcome_per_item(context: &TestContext<'_>) -> CaseResult {
    let mut ids = Vec::new();
    for _ in 0..3 {
        let created = context.create_new().await?;
        ids.push(created.id);
    }
    context.provider.delete(&ids[1]).await?;
    ids.push(ids[0].clone());
    let outcomes = context.provider.delete_many(ids, BulkOptions::default());
    let mut outcomes: Vec<_> = outcomes.collect().await;
    outcomes.sort_by_key(|outcome| outcome.index);
    let results: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| {
            let what = match outcome.result {
                DeleteResult::Deleted => "deleted".to_owned(),
                DeleteResult::NotFound => "missing".to_owned(),
                DeleteResult::Duplicate(first) => format!("as {first}"),
                other => format!("{other:?}"),
            };
            (outcome.index, what)
        })
        .collect();
    let expected = ["deleted", "missing", "deleted", "as 0"];
    let expected = expected
        .map(str::to_owned)
        .into_iter()
        .enumerate()
        .collect();
    ensure_eq("the results", results, expected)
}
