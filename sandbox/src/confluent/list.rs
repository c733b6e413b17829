//! Listing: filters, page sizes, page tokens.

use axum::extract;
use axum::http::Uri;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::wire::{self, Failure};
use super::{Details, invitation_of, user_of};
use crate::exchange::ApiRequest;
use crate::faults::{FilterMode, LogicalTime};
use crate::invitations::{Invitation, Invitations};

const DEFAULT_PAGE_SIZE: usize = 10;
const MAX_PAGE_SIZE: usize = 100;

/// What a list request asks for.
#[derive(Debug, Default)]
pub(crate) struct Query {
    email: Option<String>,
    status: Option<String>,
    user: Option<String>,
    creator: Option<String>,
    page_size: usize,
    /// Where the page before ended; 0 on the first page, as positions begin at 1.
    after: u64,
    /// How many empty pages, which a fault put in the way, came just before.
    detours: u32,
    filtering: FilterMode,
}

/// The time at which a list is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// For what has expired.
    pub(crate) time: DateTime<Utc>,
    /// For what has taken effect.
    pub(crate) logical_time: LogicalTime,
}

/// One page of the answer.
pub(crate) struct Page<'a> {
    pub(crate) items: Vec<&'a Invitation<Details>>,
    /// How many match on all pages.
    pub(crate) total: usize,
    /// The token of the page to follow.
    pub(crate) next: Option<String>,
}

impl Query {
    /// Reads the query of a request. Unknown parameters are ignored; of a repeated one the first counts.
    pub(crate) fn of(request: &ApiRequest) -> Result<Self, Failure> {
        let filtering = request.filtering;
        let query = Self::parse(&request.uri)?;
        Ok(Self { filtering, ..query })
    }

    /// Reads the query of a link.
    pub(crate) fn parse(uri: &Uri) -> Result<Self, Failure> {
        let mut pairs = extract::Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map(|extract::Query(pairs)| pairs)
            .unwrap_or_default();
        let mut take = |name: &str| {
            let index = pairs.iter().position(|(key, _)| key == name)?;
            Some(pairs.remove(index).1)
        };
        let token = take("page_token");
        let token = token.map(|token| Token::decode(&token)).transpose()?;
        let first = Token::new(page_size(take("page_size"))?, 0);
        // The token carries the page size: one sent along must be good, and changes nothing.
        let Token {
            page_size,
            after,
            detours,
        } = token.unwrap_or(first);
        Ok(Self {
            email: take("email"),
            status: take("status"),
            user: take("user"),
            creator: take("creator"),
            page_size,
            after,
            detours,
            filtering: FilterMode::Exact,
        })
    }

    pub(crate) fn select<'a>(
        &'a self,
        invitations: &'a Invitations<Details>,
        now: Now,
    ) -> Page<'a> {
        let total = if self.is_filtered() {
            self.matching(invitations, 0, now).count()
        } else {
            invitations.listed(now.logical_time)
        };
        let mut rest = self.matching(invitations, self.after, now);
        let items: Vec<_> = rest.by_ref().take(self.page_size).collect();
        // As observed: a request for the largest page gets no link to what lies behind it.
        let cut_short = self.page_size == MAX_PAGE_SIZE;
        let next = match (rest.next(), items.last()) {
            (Some(_), Some(last)) if !cut_short => Some(Token::new(self.page_size, last.sequence)),
            _ => None,
        };
        Page {
            items,
            total,
            next: next.map(|token| token.encode()),
        }
    }

    /// The link to this collection's first page, or to the page of a token, with the same filters.
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

    /// The link to the page that this query asks for, always with the same token.
    pub(crate) fn link_to_same(&self, base: &str) -> String {
        self.link_to(base, self.detours)
    }

    /// A link to the page that this query asks for, with a token not used on the way here.
    pub(crate) fn link_after_detour(&self, base: &str) -> String {
        self.link_to(base, self.detours.saturating_add(1))
    }

    fn link_to(&self, base: &str, detours: u32) -> String {
        // TokenStore of the largest page size are not accepted.
        let token = Token {
            page_size: self.page_size.min(MAX_PAGE_SIZE - 1),
            after: self.after,
            detours,
        };
        self.link(base, Some(&token.encode()))
    }

    /// The invitations that match, after a position.
    fn matching<'a>(
        &'a self,
        invitations: &'a Invitations<Details>,
        after: u64,
        now: Now,
    ) -> Box<dyn Iterator<Item = &'a Invitation<Details>> + 'a> {
        let matches = move |it: &&Invitation<Details>| {
            invitations.is_listed(it, now.logical_time) && self.matches(it, now.time)
        };
        match self.only_candidate(invitations) {
            Some(one) => {
                let one = one.into_iter().filter(move |it| it.sequence > after);
                Box::new(one.filter(matches))
            }
            None => Box::new(invitations.after(after).filter(matches)),
        }
    }

    /// The one that may match, if there is one, when no other may: a user or an address leads to it at once.
    fn only_candidate<'a>(
        &self,
        invitations: &'a Invitations<Details>,
    ) -> Option<Option<&'a Invitation<Details>>> {
        if self.filtering != FilterMode::Exact {
            return None;
        }
        if let Some(user) = &self.user {
            return Some(invitation_of(user).and_then(|id| invitations.get(&id)));
        }
        let email = self.email.as_ref()?;
        let all_found = invitations.email_finds_all();
        all_found.then(|| invitations.get_by_email(email))
    }

    fn matches(&self, invitation: &Invitation<Details>, now: DateTime<Utc>) -> bool {
        let passes = |filter: &Option<String>, value: &str| {
            let passes = |filter: &String| self.filtering.passes(filter, value);
            filter.as_ref().is_none_or(passes)
        };
        let user = self.user.as_ref().map(|_| user_of(&invitation.id));
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

/// What a page token says: how large the pages are, and after which position this one begins. A position stays
/// good when its invitation, or any other, comes or goes.
#[derive(Debug, PartialEq, Eq)]
struct Token {
    page_size: usize,
    after: u64,
    /// Nothing to do with where the page is: it makes tokens for one page differ.
    detours: u32,
}

impl Token {
    fn new(page_size: usize, after: u64) -> Self {
        Self {
            page_size,
            after,
            detours: 0,
        }
    }

    fn encode(&self) -> String {
        let mut plain = format!("{}.{}", self.page_size, self.after);
        if self.detours > 0 {
            plain.push_str(&format!(".{}", self.detours));
        }
        URL_SAFE_NO_PAD.encode(plain)
    }

    fn decode(text: &str) -> Result<Self, Failure> {
        Self::read(text)
            // Only what `encode` writes: no leading zeros, no signs.
            .filter(|token| token.encode() == text)
            .ok_or_else(|| Failure::invalid_parameter("page_token", "No page has this token"))
    }

    fn read(text: &str) -> Option<Self> {
        let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let mut parts = plain.splitn(3, '.');
        let token = Self {
            page_size: parts.next()?.parse().ok()?,
            after: parts.next()?.parse().ok()?,
            detours: parts.next().map_or(Some(0), |count| count.parse().ok())?,
        };
        (1..MAX_PAGE_SIZE)
            .contains(&token.page_size)
            .then_some(token)
    }
}

fn page_size(text: Option<String>) -> Result<usize, Failure> {
    let Some(text) = text else {
        return Ok(DEFAULT_PAGE_SIZE);
    };
    match text.parse() {
        Ok(size) if (1..=MAX_PAGE_SIZE).contains(&size) => Ok(size),
        _ => Err(Failure::invalid_parameter(
            "page_size",
            &format!("The page size is not a whole number from 1 to {MAX_PAGE_SIZE}"),
        )),
    }
}
