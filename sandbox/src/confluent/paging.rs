//! Pages of lists: sizes, tokens, links.

use axum::extract;
use axum::http::Uri;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::error;
use crate::error::ApiError;
use crate::faults::Fault;

const DEFAULT_PAGE_SIZE: usize = 10;
const MAX_PAGE_SIZE: usize = 100;

/// The parameters of a query that were not taken yet.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn from_uri(uri: &Uri) -> Self {
        let pairs = extract::Query::<Vec<(String, String)>>::try_from_uri(uri);
        Self(pairs.map(|extract::Query(pairs)| pairs).unwrap_or_default())
    }

    /// Takes the first parameter of a name.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let Self(pairs) = self;
        let index = pairs.iter().position(|(key, _)| key == name)?;
        Some(pairs.remove(index).1)
    }
}

/// The page that a list request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PageRequest {
    page_size: usize,
    /// The position at which the previous page ended; 0 on the first page, as positions begin at 1. A position stays
    /// valid when its item or any other is created or deleted.
    pub(super) after: u64,
    /// How many empty pages a fault has put in front of this one. They make tokens of the same page differ.
    empty_pages: u32,
}

/// One page of a list.
pub(super) struct Page<'a, T> {
    pub(super) items: Vec<&'a T>,
    /// The token of the next page.
    pub(super) next: Option<String>,
}

impl PageRequest {
    /// Takes the page size and the token.
    pub(super) fn take(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let token = parameters.take("page_token");
        let token = token.map(|token| Self::decode(&token)).transpose()?;
        let first = Self {
            page_size: page_size(parameters.take("page_size"))?,
            ..Self::default()
        };
        // A token contains the page size. A `page_size` beside it must be valid, and has no effect.
        Ok(token.unwrap_or(first))
    }

    /// Takes the page from the items after [`after`](Self::after).
    pub(super) fn select<'a, T>(
        &self,
        mut rest: impl Iterator<Item = &'a T>,
        position: impl Fn(&T) -> u64,
    ) -> Page<'a, T> {
        let items: Vec<_> = rest.by_ref().take(self.page_size).collect();
        // As observed on the real service: a page of the largest size has no link to the next one.
        let omits_next = self.page_size == MAX_PAGE_SIZE;
        let next = match (rest.next(), items.last()) {
            (Some(_), Some(last)) if !omits_next => Some(Self {
                page_size: self.page_size,
                after: position(last),
                empty_pages: 0,
            }),
            _ => None,
        };
        Page {
            items,
            next: next.map(|page| page.encode()),
        }
    }

    /// The token of this page; always the same but for the number of empty pages in front of it.
    fn token(&self, empty_pages: u32) -> String {
        // A token of the largest page size would be invalid.
        let page = Self {
            page_size: self.page_size.min(MAX_PAGE_SIZE - 1),
            after: self.after,
            empty_pages,
        };
        page.encode()
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
            .filter(|page| page.encode() == text)
            .ok_or_else(|| error::invalid_parameter("page_token", "The page token is invalid"))
    }

    fn decode_unchecked(text: &str) -> Option<Self> {
        let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let mut parts = plain.splitn(3, '.');
        let page = Self {
            page_size: parts.next()?.parse().ok()?,
            after: parts.next()?.parse().ok()?,
            empty_pages: parts.next().map_or(Some(0), |count| count.parse().ok())?,
        };
        (1..MAX_PAGE_SIZE).contains(&page.page_size).then_some(page)
    }
}

/// The link to the first page of a list, or to the page of a token, with these filters.
pub(super) fn link<'a>(
    list: &str,
    filters: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
    token: Option<&'a str>,
) -> String {
    let mut link = list.to_owned();
    let mut separator = '?';
    for (name, value) in filters.into_iter().chain([("page_token", token)]) {
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

/// Rewrites a page of a list as a fault demands. `url` is the base URL of its links, `uri` that of the request.
pub(crate) fn rewrite_page(page: &mut Value, fault: &Fault, url: &str, uri: &Uri) {
    let mut parameters = Parameters::from_uri(uri);
    let Ok(request) = PageRequest::take(&mut parameters) else {
        return;
    };
    let Parameters(filters) = parameters;
    let link_to = |empty_pages| {
        let filters = filters.iter();
        let filters = filters.map(|(name, value)| (name.as_str(), Some(value.as_str())));
        let list = format!("{url}{}", uri.path());
        link(&list, filters, Some(&request.token(empty_pages)))
    };
    let metadata = &mut page["metadata"];
    let is_last = metadata.get("next").is_none();
    match fault {
        Fault::NextRepeats => metadata["next"] = link_to(request.empty_pages).into(),
        Fault::NextElsewhere { origin } => {
            let next = metadata["next"].as_str();
            if let Some(path) = next.and_then(|link| link.strip_prefix(url)) {
                metadata["next"] = format!("{}{path}", origin.trim_end_matches('/')).into();
            }
        }
        Fault::NextEmpty if is_last => metadata["next"] = "".into(),
        Fault::NextNull if is_last => metadata["next"] = Value::Null,
        Fault::EmptyPage => {
            metadata["next"] = link_to(request.empty_pages.saturating_add(1)).into();
            page["data"] = Value::Array(Vec::new());
        }
        _ => {}
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
