//! Listing: what to list, one page of it, and the stream over all pages.

mod stream;

use std::{collections::BTreeMap, fmt};

use futures_util::stream::{BoxStream, StreamExt};
use serde::{Deserialize, Serialize};

use crate::{
    address::same_email,
    error::{Error, ErrorKind, Operation, Result},
    extra::Extra,
    invitation::{Invitation, InvitationStatus, ResourceReference},
};

pub(crate) use self::stream::{Prefetch, pages, stream};

/// What the lists of the providers have as items.
pub(crate) trait ListItem {
    /// What messages call several of them.
    const PLURAL: &'static str;

    /// The provider's id of it.
    fn id(&self) -> &str;

    /// Whose it is, where it says so.
    fn email(&self) -> Option<&str>;
}

impl ListItem for Invitation {
    const PLURAL: &'static str = "invitations";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn email(&self) -> Option<&str> {
        Some(&self.email)
    }
}

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
///
/// As data that steers, it is read strictly: a property that it does not have is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
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
    /// Further query parameters of the provider's list, under its own names. See [`extra`](Self::extra()).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
}

impl ListQuery {
    /// Every invitation.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether an invitation is one that the query asks for. Addresses and statuses compare without regard to case.
    /// An invitation that does not say what is asked for is none.
    ///
    /// Providers apply it to what a server returned for a filter, because a server may ignore one or match
    /// beginnings.
    pub fn matches(&self, invitation: &Invitation) -> bool {
        let same = |asked: &str, found: &str| asked.eq_ignore_ascii_case(found);
        let id = |reference: &Option<ResourceReference>| {
            reference.as_ref().map(|reference| reference.id.clone())
        };
        let email = self.email.as_ref();
        let status = self.status.as_ref();
        email.is_none_or(|asked| same_email(asked, &invitation.email))
            && status.is_none_or(|asked| {
                let found = invitation.status.as_ref();
                found.is_some_and(|found| same(asked.as_str(), found.as_str()))
            })
            && (self.user.is_none() || self.user == id(&invitation.user))
            && (self.creator.is_none() || self.creator == id(&invitation.creator))
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

    /// Sets a query parameter of the provider's list that has no field here, under the provider's own name. It is
    /// sent with every page.
    ///
    /// Refused before sending: [`ErrorKind::Unsupported`] where the document that this crate was built from has no
    /// such parameter, and [`ErrorKind::InvalidInput`] where it has a field here.
    #[must_use]
    pub fn extra(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extra.insert(name.into(), value.into());
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
            Err(error.with_target(subject))
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
        if let Some((name, _)) = self.extra.iter().find(|(_, value)| value.is_empty()) {
            return refuse("a filter must not be empty".to_owned(), name.clone());
        }
        Ok(())
    }
}

/// Where the next page begins: opaque, made by a provider, given back to the same one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
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

/// One page of a list: of invitations, unless it says otherwise.
#[derive(Debug)]
#[non_exhaustive]
pub struct Page<T = Invitation> {
    /// The items, in the provider's order. An item that cannot be read is an error of its own
    /// ([`ErrorKind::Decode`]) and hides none of the others.
    pub items: Vec<Result<T>>,
    /// The token of the next page; `None` on the last one. A page may be empty and still have a next.
    pub next: Option<PageToken>,
    /// How many there are in all, where the provider says so (Confluent: `metadata.total_size`).
    pub total: Option<u64>,
    /// The id of the request, for the provider's support.
    pub request_id: Option<String>,
    /// Every property of the provider's list that has no field here, as it came.
    pub extra: Extra,
}

impl<T> Page<T> {
    /// A page of these items, the last one unless `next` is set.
    pub fn new(items: Vec<Result<T>>, next: Option<PageToken>) -> Self {
        Self {
            items,
            next,
            total: None,
            request_id: None,
            extra: Extra::default(),
        }
    }
}

/// The first item that matches. One that cannot be read hides none of the others; without a
/// match, it is an error, because it may have been the one.
pub(crate) async fn first_match<T>(
    mut list: BoxStream<'_, Result<T>>,
    matches: impl Fn(&T) -> bool,
) -> Result<Option<T>> {
    let mut unreadable = None;
    while let Some(item) = list.next().await {
        match item {
            Ok(item) if matches(&item) => return Ok(Some(item)),
            Ok(_) => {}
            Err(error) => unreadable = unreadable.or(Some(error)),
        }
    }
    unreadable.map_or(Ok(None), Err)
}
