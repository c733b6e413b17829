//! The requests that find invitations.

use std::{fmt, sync::Arc};

use futures::{
    StreamExt,
    stream::{BoxStream, TryStreamExt},
};
use org_invitations::{
    Capabilities, Invitation, InvitationId, InvitationProvider, InvitationProviderExt,
    InvitationStatus, ListQuery, NewInvitation, Result,
};

use crate::{
    columns::Column::{self, Creator, Email, Id, Status, User},
    pushdown::PushedFilters,
    request::{Call, Request, get_each, ids_to_get},
    resource::BoxRow,
};

/// With more values than this for a filter, a list of everything is cheaper than one for each.
const MAX_LISTS: usize = 20;

/// Returns requests that find every matching invitation exactly once.
pub(super) fn plan(
    provider: &Arc<dyn InvitationProvider>,
    filters: &PushedFilters,
) -> Vec<Request> {
    let capabilities = provider.capabilities();
    let ids = filters.values(Id);
    if let Some(ids) = ids_to_get(ids, &capabilities, |id| InvitationId::new(id)) {
        let provider = Arc::clone(provider);
        return match ids.is_empty() {
            true => Vec::new(),
            false => vec![Request::new(Gets { provider, ids }, filters)],
        };
    }
    let server_filters = server_filters(filters, &capabilities);
    let multi_valued = server_filters.iter().find(|filter| filter.values.len() > 1);
    let alternatives: Vec<PushedFilters> = match multi_valued {
        Some(filter) => filter
            .values
            .iter()
            .map(|value| filters.narrowed_to(filter.column, value))
            .collect(),
        None => vec![filters.clone()],
    };
    alternatives
        .iter()
        .map(|filters| {
            let provider = Arc::clone(provider);
            let query = query(filters, &server_filters);
            Request::new(List { provider, query }, filters)
        })
        .collect()
}

/// A filter that the server applies, with its values.
struct ServerFilter<'a> {
    column: Column,
    values: Vec<&'a str>,
}

/// Returns the filters that the server offers and that reduce the number of requests.
fn server_filters<'a>(
    filters: &'a PushedFilters,
    capabilities: &Capabilities,
) -> Vec<ServerFilter<'a>> {
    if !capabilities.server_side_filters {
        return Vec::new();
    }
    [
        (Email, capabilities.filter_email),
        (User, capabilities.filter_user),
        (Creator, capabilities.filter_creator),
        (Status, capabilities.filter_status),
    ]
    .into_iter()
    .filter(|(_, offered)| *offered)
    .filter_map(|(column, _)| {
        let values: Vec<&str> = filters.values(column)?.iter().map(String::as_str).collect();
        let is_valid = values.iter().all(|value| is_valid_filter(column, value));
        (values.len() <= MAX_LISTS && is_valid).then_some(ServerFilter { column, values })
    })
    .collect()
}

/// Whether a server accepts the value as a filter. Rows with other values are found in the whole list.
fn is_valid_filter(column: Column, value: &str) -> bool {
    match column {
        Email => NewInvitation::new(value).validate().is_ok(),
        Status => !matches!(InvitationStatus::from(value), InvitationStatus::Other(_)),
        // A user's id is made of the same letters as an invitation's.
        _ => InvitationId::new(value).is_ok(),
    }
}

/// Builds a list query from the filters with a single value.
fn query(filters: &PushedFilters, server_filters: &[ServerFilter<'_>]) -> ListQuery {
    let mut query = ListQuery::new();
    for filter in server_filters {
        let Some(values) = filters.values(filter.column) else {
            continue;
        };
        let mut values = values.iter();
        if let (Some(value), None) = (values.next(), values.next()) {
            query = match filter.column {
                Email => query.email(value),
                Status => query.status(value.as_str().into()),
                User => query.user(value),
                Creator => query.creator(value),
                _ => query,
            };
        }
    }
    query
}

/// A get for each of these ids.
#[derive(Debug)]
struct Gets {
    provider: Arc<dyn InvitationProvider>,
    ids: Vec<InvitationId>,
}

/// A list of all pages.
#[derive(Debug)]
struct List {
    provider: Arc<dyn InvitationProvider>,
    query: ListQuery,
}

fn boxed(invitation: Invitation) -> BoxRow {
    Box::new(invitation)
}

impl Call for Gets {
    fn rows(&self, limit: Option<usize>) -> BoxStream<'_, Result<BoxRow>> {
        let get = move |id| async move {
            let found = self.provider.get(id).await?;
            // The server may find the invitation by another spelling of its id.
            Ok((found.id == *id).then_some(found))
        };
        let found = get_each(&self.ids, limit, get);
        found
            .try_filter_map(|found| std::future::ready(Ok(found.map(boxed))))
            .boxed()
    }
}

impl Call for List {
    fn rows(&self, limit: Option<usize>) -> BoxStream<'_, Result<BoxRow>> {
        let query = self.query.clone();
        let list = match limit {
            None => self.provider.list(query),
            Some(limit) => {
                let query = with_page_size(query, &*self.provider, limit);
                self.provider.list_without_prefetch(query)
            }
        };
        list.map_ok(boxed).boxed()
    }
}

/// Limits the page size to `limit`, if the server has pages.
fn with_page_size(query: ListQuery, provider: &dyn InvitationProvider, limit: usize) -> ListQuery {
    let most = provider.capabilities().max_page_size;
    match (u32::try_from(limit), most) {
        (Ok(limit), Some(most)) if (1..most).contains(&limit) => query.page_size(limit),
        _ => query,
    }
}

/// `get i-1, i-2`
impl fmt::Display for Gets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.ids.iter().map(InvitationId::as_str).collect();
        write!(f, "get {}", ids.join(", "))
    }
}

/// `list email=ann@example.com`
impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = &self.query;
        let status = query.status.as_ref().map(InvitationStatus::as_str);
        write!(f, "list")?;
        for (name, value) in [
            ("email", query.email.as_deref()),
            ("status", status),
            ("user", query.user.as_deref()),
            ("creator", query.creator.as_deref()),
        ] {
            if let Some(value) = value {
                write!(f, " {name}={value}")?;
            }
        }
        Ok(())
    }
}
