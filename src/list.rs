//! Listing: what to list, one page of it, and the stream over all pages.

use std::{collections::HashSet, fmt};

use futures::stream::{self, BoxStream, StreamExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    error::{Error, ErrorKind, Operation, Result},
    invitation::{Invitation, InvitationStatus},
    provider::InvitationProvider,
};

/// Which invitations to list: those that match every filter that is set.
///
/// A filter is honoured by the server, honoured exactly by the library, or refused with
/// [`ErrorKind::Unsupported`] before anything is sent:
///
/// | filter | Confluent Cloud | ClickHouse Cloud |
/// |---|---|---|
/// | `email` | by the server, as spelt when invited | by the library, without regard to case (stored in lower case) |
/// | `status` | by the server | by the library, on the derived status |
/// | `user`, `creator` | by the server | refused |
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ListQuery {
    /// Only the invitations of this address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Only the invitations with this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<InvitationStatus>,
    /// Only the invitations that created the user with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Only the invitations that the user with this id sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    /// How many invitations a page has at most: 1 to
    /// [`Capabilities::max_page_size`](crate::Capabilities::max_page_size).
    ///
    /// Confluent: at most 100, default 99, and never more than 99 are asked for, because pages of
    /// 100 were observed to lose the rest of the list. ClickHouse: no limit and everything in one page
    /// by default; a smaller page is cut by the library, which fetches the whole list for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_size: Option<u32>,
}

impl ListQuery {
    /// Every invitation.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only the invitations of this address.
    #[must_use]
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self
    }

    /// Only the invitations with this status.
    #[must_use]
    pub fn status(mut self, status: InvitationStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Only the invitations that created the user with this id.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// Only the invitations that the user with this id sent.
    #[must_use]
    pub fn creator(mut self, creator: impl Into<String>) -> Self {
        self.creator = Some(creator.into());
        self
    }

    /// How many invitations to ask for at a time.
    #[must_use]
    pub fn page_size(mut self, page_size: u32) -> Self {
        self.page_size = Some(page_size);
        self
    }

    /// Checks what can be checked without a provider whose pages have at most `maximum` invitations;
    /// every provider does so before it sends.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a page size of 0 or more than `maximum`, and for an empty filter,
    /// which a server might take for none.
    pub fn validate(&self, maximum: Option<u32>) -> Result<()> {
        let refuse = |message: String, subject: String| {
            let error = Error::new(ErrorKind::InvalidInput, Operation::List, message);
            Err(error.with_subject(subject))
        };
        let limit = maximum.unwrap_or(u32::MAX);
        if let Some(size) = self.page_size.filter(|size| !(1..=limit).contains(size)) {
            let message = format!("a page size is between 1 and {limit}");
            return refuse(message, format!("page_size {size}"));
        }
        for (name, filter) in [
            ("email", self.email.as_deref()),
            ("status", self.status.as_ref().map(InvitationStatus::as_str)),
            ("user", self.user.as_deref()),
            ("creator", self.creator.as_deref()),
        ] {
            if filter == Some("") {
                return refuse("a filter must not be empty".to_owned(), name.to_owned());
            }
        }
        Ok(())
    }
}

/// Where the next page begins: opaque, made by a provider, given back to the same one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PageToken(String);

impl PageToken {
    /// Wraps a token that a provider made.
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// The token as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One page of a list.
#[derive(Debug)]
#[non_exhaustive]
pub struct Page {
    /// The invitations, in the provider's order. An item that cannot be read is an error of its own
    /// ([`ErrorKind::Decode`]) and hides none of the others.
    pub items: Vec<Result<Invitation>>,
    /// The token of the next page; `None` on the last one. A page may be empty and still have a next.
    pub next: Option<PageToken>,
    /// How many there are in all, where the provider says so (Confluent: `metadata.total_size`).
    pub total: Option<u64>,
    /// The id of the request, for the provider's support.
    pub request_id: Option<String>,
    /// Every property of the provider's list that has no field here, as it came.
    pub extra: Map<String, Value>,
}

impl Page {
    /// A page of these items, the last one unless `next` is set.
    pub fn new(items: Vec<Result<Invitation>>, next: Option<PageToken>) -> Self {
        Self {
            items,
            next,
            total: None,
            request_id: None,
            extra: Map::new(),
        }
    }
}

/// The first invitation that matches. One that cannot be read hides none of the others; without a
/// match, it is an error, because it may have been the one.
pub(crate) async fn first_match(
    mut list: BoxStream<'_, Result<Invitation>>,
    matches: impl Fn(&Invitation) -> bool,
) -> Result<Option<Invitation>> {
    let mut unreadable = None;
    while let Some(item) = list.next().await {
        match item {
            Ok(invitation) if matches(&invitation) => return Ok(Some(invitation)),
            Ok(_) => {}
            Err(error) => unreadable = unreadable.or(Some(error)),
        }
    }
    unreadable.map_or(Ok(None), Err)
}

/// So many empty pages in a row have no end.
const MAX_EMPTY_PAGES: u32 = 1_000;

/// Where the stream is: the token of the page to fetch, and what guards against a list without end.
struct Position {
    token: Option<PageToken>,
    seen: HashSet<PageToken>,
    empty_pages: u32,
    query: ListQuery,
}

/// The items of all pages, one page at a time; ends after an error of a page, not of an item.
pub(crate) fn stream<'a, P>(provider: &'a P, query: ListQuery) -> BoxStream<'a, Result<Invitation>>
where
    P: InvitationProvider + ?Sized,
{
    let start = Position {
        token: None,
        seen: HashSet::new(),
        empty_pages: 0,
        query,
    };
    stream::unfold(Some(start), move |position| async move {
        let position = position?;
        let page = provider
            .list_page(&position.query, position.token.as_ref())
            .await;
        let (items, position) = match page {
            Ok(page) => position.after(page, provider),
            Err(error) => (vec![Err(error)], None),
        };
        Some((stream::iter(items), position))
    })
    .flatten()
    .boxed()
}

impl Position {
    /// The items of a page, and the position after it; an error among them when the list has no end.
    fn after<P>(mut self, page: Page, provider: &P) -> (Vec<Result<Invitation>>, Option<Self>)
    where
        P: InvitationProvider + ?Sized,
    {
        let mut items = page.items;
        let Some(next) = page.next else {
            return (items, None);
        };
        self.empty_pages = if items.is_empty() {
            self.empty_pages + 1
        } else {
            0
        };
        let wrong = if !self.seen.insert(next.clone()) {
            format!("the server sent the page token {next:?} twice")
        } else if self.empty_pages == MAX_EMPTY_PAGES {
            format!("the server sent {MAX_EMPTY_PAGES} empty pages in a row")
        } else {
            self.token = Some(next);
            return (items, Some(self));
        };
        let message = format!("{wrong}, so the list has no end");
        let mut error = Error::new(ErrorKind::Unexpected, Operation::List, message)
            .with_provider(provider.to_string());
        if let Some(id) = page.request_id {
            error = error.with_request_id(id);
        }
        items.push(Err(error));
        (items, None)
    }
}
