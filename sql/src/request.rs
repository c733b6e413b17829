//! The API calls that find the rows of pushed filters.

use std::{collections::BTreeSet, fmt, sync::Arc};

use futures::stream::{self, BoxStream, StreamExt};
use org_invitations::{Capabilities, ErrorKind, Result};

use crate::{pushdown::PushedFilters, resource::BoxRow};

/// An API call, and the filters that its rows have to match.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub call: Arc<dyn Call>,
    /// The filters are checked on every row, because a provider may compare less strictly than SQL.
    pub filters: PushedFilters,
}

impl Request {
    pub fn new(call: impl Call + 'static, filters: &PushedFilters) -> Self {
        Self {
            call: Arc::new(call),
            filters: filters.clone(),
        }
    }
}

/// API calls that find rows; as text, what `EXPLAIN` shows of them.
pub(crate) trait Call: fmt::Debug + fmt::Display + Send + Sync {
    /// Streams the rows. With a limit, nothing is prefetched.
    fn rows(&self, limit: Option<usize>) -> BoxStream<'_, Result<BoxRow>>;
}

/// With more ids than this, a list is cheaper than a get for each.
const MAX_GETS: usize = 100;
/// The same limit for a provider without pages, whose list is a single request.
const MAX_GETS_WITHOUT_PAGES: usize = 5;
/// The number of concurrent gets.
const CONCURRENT_GETS: usize = 4;

/// Returns the ids to get one by one; `None` if a list is cheaper. A text that is no valid id matches nothing.
pub(crate) fn ids_to_get<I>(
    ids: Option<&BTreeSet<String>>,
    capabilities: &Capabilities,
    parse: impl Fn(&str) -> Result<I>,
) -> Option<Vec<I>> {
    let max_gets = match capabilities.max_page_size {
        Some(_) => MAX_GETS,
        None => MAX_GETS_WITHOUT_PAGES,
    };
    let ids = ids.filter(|ids| ids.len() <= max_gets)?;
    Some(ids.iter().filter_map(|id| parse(id).ok()).collect())
}

/// Runs `get` on each id, a few at a time. What is not found is no row.
pub(crate) fn get_each<'a, I, T, Get>(
    ids: &'a [I],
    limit: Option<usize>,
    get: impl Fn(&'a I) -> Get + Send + 'a,
) -> BoxStream<'a, Result<T>>
where
    I: Sync,
    T: Send + 'a,
    Get: Future<Output = Result<T>> + Send + 'a,
{
    let concurrency = if limit.is_some() { 1 } else { CONCURRENT_GETS };
    stream::iter(ids)
        .map(get)
        .buffered(concurrency)
        .filter(|outcome| {
            let is_missing = |error: &org_invitations::Error| error.kind() == ErrorKind::NotFound;
            let is_row = !outcome.as_ref().is_err_and(is_missing);
            std::future::ready(is_row)
        })
        .boxed()
}
