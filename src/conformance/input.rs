//! What is refused before anything is sent, and how.

use super::{
    TestContext,
    expect::{refused, same},
    report::Verdict,
};
use crate::{
    error::{ErrorKind, Operation},
    invitation::{InvitationStatus, NewInvitation},
    list::ListQuery,
};

pub(super) async fn a_page_size_out_of_range_is_refused(subject: &TestContext<'_>) -> Verdict {
    let largest = subject.provider.capabilities().max_page_size;
    let beyond = largest.and_then(|largest| largest.checked_add(1));
    for size in [Some(0), beyond].into_iter().flatten() {
        refuses_to_list(subject, ListQuery::new().page_size(size)).await?;
    }
    Ok(())
}

pub(super) async fn an_empty_filter_is_refused(subject: &TestContext<'_>) -> Verdict {
    let capabilities = subject.provider.capabilities();
    for (offered, query) in [
        (capabilities.filter_email, ListQuery::new().email("")),
        (
            capabilities.filter_status,
            ListQuery::new().status(InvitationStatus::from("")),
        ),
        (capabilities.filter_user, ListQuery::new().user("")),
        (capabilities.filter_creator, ListQuery::new().creator("")),
    ] {
        if offered {
            refuses_to_list(subject, query).await?;
        }
    }
    Ok(())
}

pub(super) async fn what_is_no_address_is_refused(subject: &TestContext<'_>) -> Verdict {
    let long = format!("{}@example.com", "x".repeat(254));
    for email in ["", "nobody", "a\nb@example.com", &long] {
        let create = subject.create(NewInvitation::new(email));
        let outcome = subject.without_a_request(create).await?;
        let what = format!("creating {email:?}");
        let error = refused(&what, outcome, ErrorKind::InvalidInput)?;
        same("`may_have_executed`", error.may_have_executed(), false)?;
    }
    Ok(())
}

pub(super) async fn errors_say_who_failed_at_what(subject: &TestContext<'_>) -> Verdict {
    let made = subject
        .create(NewInvitation::new(subject.address()))
        .await?;
    subject.provider.delete(&made.id).await?;
    let outcome = subject.provider.delete(&made.id).await;
    let error = refused("the second delete", outcome, ErrorKind::NotFound)?;
    let name = subject.provider.to_string();
    same("the provider", error.provider(), Some(name.as_str()))?;
    same("the operation", error.operation(), Operation::Delete)
}

async fn refuses_to_list(subject: &TestContext<'_>, query: ListQuery) -> Verdict {
    let outcome = subject
        .without_a_request(subject.provider.list_page(&query, None))
        .await?;
    refused(&format!("{query:?}"), outcome, ErrorKind::InvalidInput).map(drop)
}
