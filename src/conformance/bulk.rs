//! Many at once.

use futures_util::StreamExt;

use super::{TestContext, expect::same, report::Verdict};
use crate::{
    bulk::{BulkOptions, CreateResult, DeleteResult},
    error::ErrorKind,
    invitation::NewInvitation,
    provider_ext::InvitationProviderExt,
};

pub(super) async fn create_many_has_one_outcome_for_each(subject: &TestContext<'_>) -> Verdict {
    let (known, first, second) = (subject.address(), subject.address(), subject.address());
    subject.create(NewInvitation::new(&known)).await?;
    let emails = [&first, &second, &first.to_uppercase(), "nobody", &known];
    let items = emails.map(NewInvitation::new);
    let outcomes = subject.provider.create_many(items, BulkOptions::default());
    let mut outcomes: Vec<_> = outcomes.collect().await;
    outcomes.sort_by_key(|outcome| outcome.index);
    let mut became = Vec::new();
    for outcome in outcomes {
        let what = match outcome.result {
            CreateResult::Created(invitation) => {
                subject.made(&invitation.id);
                "created".to_owned()
            }
            CreateResult::AlreadyExists(_) => "existed".to_owned(),
            CreateResult::Failed(error) if error.kind() == ErrorKind::InvalidInput => {
                "invalid".to_owned()
            }
            CreateResult::Duplicate(first) => format!("as {first}"),
            other => format!("{other:?}"),
        };
        became.push((outcome.index, what));
    }
    let wanted = ["created", "created", "as 0", "invalid", "existed"];
    let wanted = wanted.map(str::to_owned).into_iter().enumerate().collect();
    same("what became of them", became, wanted)
}

pub(super) async fn delete_many_has_one_outcome_for_each(subject: &TestContext<'_>) -> Verdict {
    let mut ids = Vec::new();
    for _ in 0..3 {
        let made = subject
            .create(NewInvitation::new(subject.address()))
            .await?;
        ids.push(made.id);
    }
    subject.provider.delete(&ids[1]).await?;
    ids.push(ids[0].clone());
    let outcomes = subject.provider.delete_many(ids, BulkOptions::default());
    let mut outcomes: Vec<_> = outcomes.collect().await;
    outcomes.sort_by_key(|outcome| outcome.index);
    let became: Vec<_> = outcomes
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
    let wanted = ["deleted", "missing", "deleted", "as 0"];
    let wanted = wanted.map(str::to_owned).into_iter().enumerate().collect();
    same("what became of them", became, wanted)
}
