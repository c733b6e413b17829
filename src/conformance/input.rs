//! Behaviours for invalid input and errors.

use super::{
    TestContext,
    assertions::{ensure_eq, ensure_fails},
    report::CaseResult,
};
use crate::{
    error::{ErrorKind, Operation},
    invitation::{InvitationStatus, NewInvitation},
    list::ListQuery,
};

pub(super) async fn a_page_size_out_of_range_is_refused(context: &TestContext<'_>) -> CaseResult {
    let largest = context.provider.capabilities().max_page_size;
    let beyond = largest.and_then(|largest| largest.checked_add(1));
    for size in [Some(0), beyond].into_iter().flatten() {
        refuses_to_list(context, ListQuery::new().page_size(size)).await?;
    }
    Ok(())
}

pub(super) async fn an_empty_filter_is_refused(context: &TestContext<'_>) -> CaseResult {
    let capabilities = context.provider.capabilities();
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
            refuses_to_list(context, query).await?;
        }
    }
    Ok(())
}

pub(super) async fn an_invalid_address_is_refused(context: &TestContext<'_>) -> CaseResult {
    let long = format!("{}@example.com", "x".repeat(254));
    for email in ["", "nobody", "a\nb@example.com", &long] {
        let create = context.create(NewInvitation::new(email));
        let outcome = context.without_a_request(create).await?;
        let what = format!("creating {email:?}");
        let error = ensure_fails(&what, outcome, ErrorKind::InvalidInput)?;
        ensure_eq("`may_have_executed`", error.may_have_executed(), false)?;
    }
    Ok(())
}

pub(super) async fn errors_name_provider_and_operation(context: &TestContext<'_>) -> CaseResult {
    let created = context.create_new().await?;
    context.provider.delete(&created.id).await?;
    let outcome = context.provider.delete(&created.id).await;
    let error = ensure_fails("the second delete", outcome, ErrorKind::NotFound)?;
    let name = context.provider.to_string();
    ensure_eq("the provider", error.provider(), Some(name.as_str()))?;
    ensure_eq("the operation", error.operation(), Operation::Delete)
}

async fn refuses_to_list(context: &TestContext<'_>, query: ListQuery) -> CaseResult {
    let outcome = context
        .without_a_request(context.provider.list_page(&query, None))
        .await?;
    ensure_fails(&format!("{query:?}"), outcome, ErrorKind::InvalidInput).map(drop)
}
