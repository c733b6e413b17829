//! Lists: the query, a page, and the stream over all pages.

#[cfg(feature = "transport")]
mod cursor;
mod stream;

use std::{collections::BTreeMap, convert::Infallible, str::FromStr};

use futures_util::stream::{BoxStream, StreamExt};
use serde::{Deserialize, Serialize};

use crate::{
    address::same_email,
    capabilities::Capabilities,
    error::{Error, ErrorKind, Operation, Result},
    extra::Extra,
    invitation::{Invitation, InvitationStatus, ResourceReference},
};

#[cfg(feature = "transport")]
pub(crate) use self::cursor::{PageCursor, cut_page};
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

/// A query for the invitations that match every filter that is set.
///
/// The server or this crate applies a filter exactly, or the list fails with [`ErrorKind::Unsupported`] before anything
/// is sent:
///
/// | filter | Confluent Cloud | ClickHouse Cloud |
/// |---|---|---|
/// | `email` | by the server, in the spelling of the create | by this crate, ignoring case (stored in lower case) |
/// | `status` | by the server | by this crate, on the derived status |
/// | `user`, `creator` | by the server | `Unsupported` |
///
/// Deserialisation is strict: an unknown property is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListQuery {
    /// Selects the invitations of this address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Selects the invitations with this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<InvitationStatus>,
    /// Selects the invitations that created the user with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Selects the invitations that the user with this id sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    /// The largest number of invitations of a page: 1 to
    /// [`Capabilities::max_page_size`](crate::Capabilities::max_page_size).
    ///
    /// Confluent: at most 100, default 99; this crate never requests more than 99, because pages of 100 were observed to
    /// lose the rest of the list. ClickHouse: no limit, default one page with everything; this crate cuts smaller pages
    /// from the whole list, which it fetches for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_size: Option<u32>,
    /// Further query parameters of the provider's list, under its own names. See [`extra`](Self::extra()).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
}

impl ListQuery {
    /// Selects every invitation.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether an invitation matches the query. Addresses and statuses compare ignoring case. An invitation without the
    /// filtered property does not match.
    ///
    /// Providers apply it to the results of a server's filter, because a server may ignore a filter or match prefixes.
    pub fn matches(&self, invitation: &Invitation) -> bool {
        let same = |expected: &str, found: &str| expected.eq_ignore_ascii_case(found);
        let id = |reference: &Option<ResourceReference>| {
            reference.as_ref().map(|reference| reference.id.clone())
        };
        let email = self.email.as_ref();
        let status = self.status.as_ref();
        email.is_none_or(|expected| same_email(expected, &invitation.email))
            && status.is_none_or(|expected| {
                let found = invitation.status.as_ref();
                found.is_some_and(|found| same(expected.as_str(), found.as_str()))
            })
            && (self.user.is_none() || self.user == id(&invitation.user))
            && (self.creator.is_none() || self.creator == id(&invitation.creator))
    }

    /// Selects the invitations of this address.
    #[must_use]
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self
    }

    /// Selects the invitations with this status.
    #[must_use]
    pub fn status(mut self, status: InvitationStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Selects the invitations that created the user with this id.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// Selects the invitations that the user with this id sent.
    #[must_use]
    pub fn creator(mut self, creator: impl Into<String>) -> Self {
        self.creator = Some(creator.into());
        self
    }

    /// Sets the largest number of invitations of a page.
    #[must_use]
    pub fn page_size(mut self, page_size: u32) -> Self {
        self.page_size = Some(page_size);
        self
    }

    /// Sets a query parameter of the provider's list that has no field here, under the provider's own name, for every
    /// page.
    ///
    /// The list fails before sending with [`ErrorKind::Unsupported`] if the document that this crate was built from has
    /// no such parameter, and with [`ErrorKind::InvalidInput`] if the parameter has a field here.
    #[must_use]
    pub fn extra(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extra.insert(name.into(), value.into());
        self
    }

    /// Checks the query for a provider whose pages have at most `maximum` invitations. Every provider does so before it
    /// sends.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a page size of 0 or above `maximum`, and for an empty filter, which a server might
    /// ignore.
    pub fn validate(&self, maximum: Option<u32>) -> Result<()> {
        let refuse = |message: String, target: String| {
            let error = Error::new(ErrorKind::InvalidInput, Operation::List, message);
            Err(error.with_target(target))
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

    /// Checks the query for a provider with these capabilities: its page size, and the filters that have a field here.
    ///
    /// # Errors
    ///
    /// Those of [`validate`](Self::validate), and [`ErrorKind::Unsupported`] for a filter that the provider does not have.
    pub(crate) fn check(&self, capabilities: &Capabilities) -> Result<()> {
        self.validate(capabilities.max_page_size)?;
        for (is_set, is_offered, name) in [
            (self.email.is_some(), capabilities.filter_email, "email"),
            (self.status.is_some(), capabilities.filter_status, "status"),
            (self.user.is_some(), capabilities.filter_user, "user"),
            (
                self.creator.is_some(),
                capabilities.filter_creator,
                "creator",
            ),
        ] {
            if is_set && !is_offered {
                let message = format!("the provider has no {name} filter");
                return Err(Error::new(ErrorKind::Unsupported, Operation::List, message));
            }
        }
        Ok(())
    }
}

/// The position of the next page. Opaque, and valid for the provider that created it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct PageToken(String);

impl PageToken {
    /// Wraps the token of a provider.
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// The token as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_traits!(PageToken);

impl From<&str> for PageToken {
    fn from(token: &str) -> Self {
        Self::new(token)
    }
}

impl From<String> for PageToken {
    fn from(token: String) -> Self {
        Self(token)
    }
}

impl FromStr for PageToken {
    type Err = Infallible;

    fn from_str(token: &str) -> std::result::Result<Self, Infallible> {
        Ok(Self::new(token))
    }
}

/// One page of a list: of invitations, unless it says otherwise.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Page<T = Invitation> {
    /// The items, in the provider's order. An item that cannot be decoded is an error
    /// ([`ErrorKind::Decode`]) and hides no other item.
    pub items: Vec<Result<T>>,
    /// The token of the next page; `None` on the last page. An empty page may have a next one.
    pub next: Option<PageToken>,
    /// The number of invitations of the whole list, if the provider reports it (Confluent: `metadata.total_size`).
    pub total: Option<u64>,
    /// The id of the request, for the provider's support.
    pub request_id: Option<String>,
    /// Every property of the provider's list that has no field here, as it came.
    pub extra: Extra,
}

impl<T> Page<T> {
    /// Creates a page of these items; the last page unless `next` is set.
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

/// Every match. Without one, an item that cannot be decoded is an error, because it may be the match.
pub(crate) async fn all_matches<T>(
    mut list: BoxStream<'_, Result<T>>,
    matches: impl Fn(&T) -> bool,
) -> Result<Vec<T>> {
    let (mut found, mut item_error) = (Vec::new(), None);
    while let Some(item) = list.next().await {
        match item {
            Ok(item) if matches(&item) => found.push(item),
            Ok(_) => {}
            Err(error) => item_error = item_error.or(Some(error)),
        }
    }
    match item_error {
        Some(error) if found.is_empty() => Err(error),
        _ => Ok(found),
    }
}

/// The first item that can be decoded. Without one, an item that cannot is an error.
pub(crate) async fn first<T>(mut list: BoxStream<'_, Result<T>>) -> Result<Option<T>> {
    let mut item_error = None;
    while let Some(item) = list.next().await {
        match item {
            Ok(item) => return Ok(Some(item)),
            Err(error) => item_error = item_error.or(Some(error)),
        }
    }
    item_error.map_or(Ok(None), Err)
}
