//! Pages of what is kept by number.

use super::organization::error;
use crate::{
    error::{ErrorKind, Result},
    list::{Page, PageToken},
};

/// The number after which a page begins.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`]: the token is another provider's.
pub(super) fn position(token: Option<&PageToken>) -> Result<u64> {
    let Some(token) = token else { return Ok(0) };
    let wrong = "invalid page token: not issued by this provider";
    let number = token.as_str().parse();
    number.map_err(|_| error(ErrorKind::InvalidInput, wrong))
}

/// One page of the items after `after`.
pub(super) fn page<T>(
    items: impl Iterator<Item = (u64, T)>,
    after: u64,
    size: Option<u32>,
) -> Page<T> {
    let size = size.and_then(|size| usize::try_from(size).ok());
    let mut total = 0;
    let items = items.inspect(|_| total += 1);
    let mut rest: Vec<_> = items.filter(|(number, _)| *number > after).collect();
    let is_last = size.is_none_or(|size| rest.len() <= size);
    rest.truncate(size.unwrap_or(usize::MAX));
    let last = rest.last().filter(|_| !is_last);
    let next = last.map(|(number, _)| PageToken::new(number.to_string()));
    let mut page = Page::new(rest.into_iter().map(|(_, item)| Ok(item)).collect(), next);
    page.total = Some(total);
    page
}
