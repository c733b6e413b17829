//! Lists: filters, page sizes, page tokens.

use axum::extract;
use axum::http::Uri;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Details, error, invitation_id, user_id, wire};
use crate::error::ApiError;
use crate::faults::LogicalTime;
use crate::invitations::{Invitation, Invitations};
use crate::request::{ApiRequest, FilterMode};

const DEFAULT_PAGE_SIZE: usize = 10;
const MAX_PAGE_SIZE: usize = 100;

/// The query of a list request.
#[derive(Debug, Default)]
pub(crate) struct Query {
    email: Option<String>,
    status: Option<String>,
    user: Option<String>,
    creator: Option<String>,
    page_size: usize,
    /// The position at which the previous page ended; 0 on the first page, as positions begin at 1.
    after: u64,
    /// How many empty pages a fault has put in front of this one.
    empty_pages: u32,
    filter_mode: FilterMode,
}

/// The time at which a list is read, by both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadTime {
    /// Decides which invitations have expired.
    pub(crate) clock: DateTime<Utc>,
    /// Decides which invitations have taken effect.
    pub(crate) logical: LogicalTime,
}

/// One page of a list.
pub(crate) struct Page<'a> {
    pub(crate) items: Vec<&'a Invitation<Details>>,
    /// How many invitations match on all pages.
    pub(crate) total: usize,
    /// The token of the next page.
    pub(crate) next: Option<String>,
}

impl Query {
    /// Parses the query of a request.
    pub(crate) fn from_request(request: &ApiRequest) -> Result<Self, ApiError> {
        let filter_mode = request.filter_mode;
        let query = Self::from_uri(&request.uri)?;
        Ok(Self {
            filter_mode,
            ..query
        })
    }

    /// Parses the query of a URI. Unknown parameters are ignored, and the first of a repeated parameter counts.
    pub(crate) fn from_uri(uri: &Uri) -> Result<Self, ApiError> {
        let mut pairs = extract::Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map(|extract::Query(pairs)| pairs)
            .unwrap_or_default();
        let mut take = |name: &str| {
            let index = pairs.iter().position(|(key, _)| key == name)?;
            Some(pairs.remove(index).1)
        };
        let token = take("page_token");
        let token = token.map(|token| PageToken::decode(&token)).transpose()?;
        let first = PageToken::new(page_size(take("page_size"))?, 0);
        // A token contains the page size. A `page_size` beside it must be valid, and has no effect.
        let PageToken {
            page_size,
            after,
            empty_pages,
        } = token.unwrap_or(first);
        Ok(Self {
            email: take("email"),
            status: take("status"),
            user: take("user"),
            creator: take("creator"),
            page_size,
            after,
            empty_pages,
            filter_mode: FilterMode::Exact,
        })
    }

    pub(crate) fn select<'a>(
        &'a self,
        invitations: &'a Invitations<Details>,
        time: ReadTime,
    ) -> Page<'a> {
        let total = if self.is_filtered() {
            self.matching(invitations, 0, time).count()
        } else {
            invitations.listed_count(time.logical)
        };
        let mut rest = self.matching(invitations, self.after, time);
        let items: Vec<_> = rest.by_ref().take(self.page_size).collect();
        // As observed on the real service: a page of the largest size has no link to the next one.
        let omits_next = self.page_size == MAX_PAGE_SIZE;
        let next = match (rest.next(), items.last()) {
            (Some(_), Some(last)) if !omits_next => {
                Some(PageToken::new(self.page_size, last.sequence))
            }
            _ => None,
        };
        Page {
            items,
            total,
            next: next.map(|token| token.encode()),
        }
    }

    /// The link to the first page, or to the page of a token, with the filters of this query.
    pub(crate) fn link(&self, base: &str, token: Option<&str>) -> String {
        let mut link = format!("{base}/iam/v2/invitations");
        let mut separator = '?';
        let token = ("page_token", token);
        for (name, value) in self.filters().into_iter().chain([token]) {
            if let Some(value) = value {
                link.push(separator);
                link.push_str(name);
                link.push('=');
                link.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
                separator = '&';
            }
        }
        link
    }

    /// The link to the page that this query asks for. The token is always the same.
    pub(crate) fn self_link(&self, base: &str) -> String {
        self.link_to(base, self.empty_pages)
    }

    /// A link to the page that this query asks for, with a token that no earlier page had.
    pub(crate) fn link_after_empty_page(&self, base: &str) -> String {
        self.link_to(base, self.empty_pages.saturating_add(1))
    }

    fn link_to(&self, base: &str, empty_pages: u32) -> String {
        // A token of the largest page size would be invalid.
        let token = PageToken {
            page_size: self.page_size.min(MAX_PAGE_SIZE - 1),
            after: self.after,
            empty_pages,
        };
        self.link(base, Some(&token.encode()))
    }

    /// The matching invitations after a position.
    fn matching<'a>(
        &'a self,
        invitations: &'a Invitations<Details>,
        after: u64,
        time: ReadTime,
    ) -> Box<dyn Iterator<Item = &'a Invitation<Details>> + 'a> {
        let matches = move |it: &&Invitation<Details>| {
            invitations.is_listed(it, time.logical) && self.matches(it, time.clock)
        };
        match self.index_lookup(invitations) {
            Some(candidate) => {
                let candidate = candidate.into_iter().filter(move |it| it.sequence > after);
                Box::new(candidate.filter(matches))
            }
            None => Box::new(invitations.after(after).filter(matches)),
        }
    }

    /// If an index decides which single invitation may match: that invitation, or `None` if there is none.
    fn index_lookup<'a>(
        &self,
        invitations: &'a Invitations<Details>,
    ) -> Option<Option<&'a Invitation<Details>>> {
        if self.filter_mode != FilterMode::Exact {
            return None;
        }
        if let Some(user) = &self.user {
            return Some(invitation_id(user).and_then(|id| invitations.get(&id)));
        }
        let email = self.email.as_ref()?;
        invitations
            .is_email_unique()
            .then(|| invitations.get_by_email(email))
    }

    fn matches(&self, invitation: &Invitation<Details>, now: DateTime<Utc>) -> bool {
        let passes = |filter: &Option<String>, value: &str| {
            let mut filter = filter.iter();
            filter.all(|filter| self.filter_mode.matches(filter, value))
        };
        let user = self.user.as_ref().map(|_| user_id(&invitation.id));
        passes(&self.email, &invitation.email)
            && passes(&self.status, wire::status(invitation, now))
            && passes(&self.user, user.as_deref().unwrap_or_default())
            && passes(&self.creator, &invitation.details.creator)
    }

    fn is_filtered(&self) -> bool {
        self.filters().iter().any(|(_, value)| value.is_some())
    }

    fn filters(&self) -> [(&'static str, Option<&str>); 4] {
        [
            ("email", self.email.as_deref()),
            ("status", self.status.as_deref()),
            ("user", self.user.as_deref()),
            ("creator", self.creator.as_deref()),
        ]
    }
}

/// The content of a page token: the page size and the position after which the page begins. A position stays valid
/// when its invitation or any other is created or deleted.
#[derive(Debug, PartialEq, Eq)]
struct PageToken {
    page_size: usize,
    after: u64,
    /// Makes tokens of the same page differ.
    empty_pages: u32,
}

impl PageToken {
    fn new(page_size: usize, after: u64) -> Self {
        Self {
            page_size,
            after,
            empty_pages: 0,
        }
    }

    fn encode(&self) -> String {
        let mut plain = format!("{}.{}", self.page_size, self.after);
        if self.empty_pages > 0 {
            plain.push_str(&format!(".{}", self.empty_pages));
        }
        URL_SAFE_NO_PAD.encode(plain)
    }

    fn decode(text: &str) -> Result<Self, ApiError> {
        Self::decode_unchecked(text)
            // Accepts only what `encode` writes: no leading zeros, no signs.
            .filter(|token| token.encode() == text)
            .ok_or_else(|| error::invalid_parameter("page_token", "The page token is invalid"))
    }

    fn decode_unchecked(text: &str) -> Option<Self> {
        let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let mut parts = plain.splitn(3, '.');
        let token = Self {
            page_size: parts.next()?.parse().ok()?,
            after: parts.next()?.parse().ok()?,
            empty_pages: parts.next().map_or(Some(0), |count| count.parse().ok())?,
        };
        (1..MAX_PAGE_SIZE)
            .contains(&token.page_size)
            .then_some(token)
    }
}

fn page_size(text: Option<String>) -> Result<usize, ApiError> {
    let Some(text) = text else {
        return Ok(DEFAULT_PAGE_SIZE);
    };
    match text.parse() {
        Ok(size) if (1..=MAX_PAGE_SIZE).contains(&size) => Ok(size),
        _ => Err(error::invalid_parameter(
            "page_size",
            format!("The page size is not a whole number from 1 to {MAX_PAGE_SIZE}"),
        )),
    }
}
