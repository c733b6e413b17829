//! Plans the API calls that find the rows of pushed filters.

use std::fmt;

use org_invitations::{Capabilities, InvitationId, InvitationStatus, ListQuery, NewInvitation};

use crate::{columns::Column, pushdown::PushedFilters};

/// An API call, and the filters that its rows have to match.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub call: ApiCall,
    /// The filters are checked on every row, because a provider may compare less strictly than SQL.
    pub filters: PushedFilters,
}

/// The API calls of a request.
#[derive(Clone, Debug)]
pub(crate) enum ApiCall {
    /// A get for each of these ids.
    Get(Vec<InvitationId>),
    /// A list of all pages.
    List(ListQuery),
}

/// With more ids than this, a list is cheaper than a get for each.
const MAX_GETS: usize = 100;
/// The same limit for a provider without pages, whose list is a single request.
const MAX_GETS_WITHOUT_PAGES: usize = 5;
/// With more values than this for a filter, a list of everything is cheaper than one for each.
const MAX_LISTS: usize = 20;

/// Returns requests that find every matching row exactly once.
pub(crate) fn plan_requests(filters: &PushedFilters, capabilities: &Capabilities) -> Vec<Request> {
    if filters.matches_nothing() {
        return Vec::new();
    }
    if let Some(ids) = filters.values(Column::Id) {
        let max_gets = match capabilities.max_page_size {
            Some(_) => MAX_GETS,
            None => MAX_GETS_WITHOUT_PAGES,
        };
        if ids.len() <= max_gets {
            // A text that is not a valid id matches no invitation.
            let ids: Vec<_> = ids
                .iter()
                .filter_map(|id| InvitationId::new(id).ok())
                .collect();
            if ids.is_empty() {
                return Vec::new();
            }
            return vec![Request {
                call: ApiCall::Get(ids),
                filters: filters.clone(),
            }];
        }
    }
    let server_filters = server_filters(filters, capabilities);
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
        .into_iter()
        .map(|filters| Request {
            call: ApiCall::List(query(&filters, &server_filters)),
            filters,
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
        (Column::Email, capabilities.filter_email),
        (Column::User, capabilities.filter_user),
        (Column::Creator, capabilities.filter_creator),
        (Column::Status, capabilities.filter_status),
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
        Column::Email => NewInvitation::new(value).validate().is_ok(),
        Column::Status => !matches!(InvitationStatus::from(value), InvitationStatus::Other(_)),
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
                Column::Email => query.email(value),
                Column::Status => query.status(value.as_str().into()),
                Column::User => query.user(value),
                Column::Creator => query.creator(value),
                _ => query,
            };
        }
    }
    query
}

/// Writes the call as in `get i-1, i-2` or `list email=ann@example.com`.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.call {
            ApiCall::Get(ids) => {
                let ids: Vec<&str> = ids.iter().map(InvitationId::as_str).collect();
                write!(f, "get {}", ids.join(", "))
            }
            ApiCall::List(query) => {
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
    }
}
