//! From what is wanted to what a provider is asked.

use std::fmt;

use org_invitations::{Capabilities, InvitationId, InvitationStatus, ListQuery, NewInvitation};

use crate::{columns::Column, wanted::Wanted};

/// One way of asking a provider, and which of the rows that it gives are wanted.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub ask: Ask,
    /// Checked on every row, because a provider may compare more loosely than SQL does.
    pub wanted: Wanted,
}

/// What a provider is asked.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    /// A request for each of these ids.
    Get(Vec<InvitationId>),
    /// As many pages as there are.
    List(ListQuery),
}

/// With more ids than this, a list is cheaper than a get for each.
const MOST_GETS: usize = 100;
/// The same where a list is a single request.
const MOST_GETS_WITHOUT_PAGES: usize = 5;
/// With more values than this for a filter, a list of everything is cheaper than one for each.
const MOST_LISTS: usize = 20;

/// The requests that find every wanted row, and none of them twice.
pub(crate) fn requests(wanted: &Wanted, capabilities: &Capabilities) -> Vec<Request> {
    if wanted.is_nothing() {
        return Vec::new();
    }
    if let Some(ids) = wanted.values(Column::Id) {
        let most = match capabilities.max_page_size {
            Some(_) => MOST_GETS,
            None => MOST_GETS_WITHOUT_PAGES,
        };
        if ids.len() <= most {
            // What cannot be an id is none of an invitation.
            let ids: Vec<_> = ids
                .iter()
                .filter_map(|id| InvitationId::new(id).ok())
                .collect();
            if ids.is_empty() {
                return Vec::new();
            }
            return vec![Request {
                ask: Ask::Get(ids),
                wanted: wanted.clone(),
            }];
        }
    }
    let filters = filters(wanted, capabilities);
    let several = filters.iter().find(|filter| filter.values.len() > 1);
    let alternatives: Vec<Wanted> = match several {
        Some(filter) => filter
            .values
            .iter()
            .map(|value| wanted.only(filter.column, value))
            .collect(),
        None => vec![wanted.clone()],
    };
    alternatives
        .into_iter()
        .map(|wanted| Request {
            ask: Ask::List(query(&wanted, &filters)),
            wanted,
        })
        .collect()
}

/// A filter that the server applies, and the values to ask it for.
struct Filter<'a> {
    column: Column,
    values: Vec<&'a str>,
}

/// The filters that the server has and that are worth asking it for.
fn filters<'a>(wanted: &'a Wanted, capabilities: &Capabilities) -> Vec<Filter<'a>> {
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
        let values: Vec<&str> = wanted.values(column)?.iter().map(String::as_str).collect();
        let can_be_asked = values.iter().all(|value| can_be_asked(column, value));
        (values.len() <= MOST_LISTS && can_be_asked).then_some(Filter { column, values })
    })
    .collect()
}

/// Whether a server would take it for a filter; a row with any other value is looked for in the whole list.
fn can_be_asked(column: Column, value: &str) -> bool {
    match column {
        Column::Email => NewInvitation::new(value).validate().is_ok(),
        Column::Status => !matches!(InvitationStatus::from(value), InvitationStatus::Other(_)),
        // A user's id is made of the same letters as an invitation's.
        _ => InvitationId::new(value).is_ok(),
    }
}

/// The filters of which one value is wanted.
fn query(wanted: &Wanted, filters: &[Filter<'_>]) -> ListQuery {
    let mut query = ListQuery::new();
    for filter in filters {
        let Some(values) = wanted.values(filter.column) else {
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

/// `get i-1, i-2`, `list email=ann@example.com`, and what is checked on every row.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.ask {
            Ask::Get(ids) => {
                let ids: Vec<&str> = ids.iter().map(InvitationId::as_str).collect();
                write!(f, "get {}", ids.join(", "))
            }
            Ask::List(query) => {
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
