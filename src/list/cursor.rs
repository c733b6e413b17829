//! The pages of a list that a server sends whole.

use crate::{
    error::{ErrorKind, Result},
    invitation::Invitation,
    list::{ListQuery, PageToken},
    operation::OperationContext,
};

/// Cuts the page that begins after `start` out of a whole list. Returns its items and the token of the next page.
///
/// Without a page size and a start, the page is the list in its own order.
pub(crate) fn cut_page(
    items: Vec<Result<Invitation>>,
    query: &ListQuery,
    start: Option<PageCursor>,
) -> (Vec<Result<Invitation>>, Option<PageToken>) {
    let size = query.page_size.and_then(|size| usize::try_from(size).ok());
    if size.is_none() && start.is_none() {
        return (items, None);
    }
    let mut positioned = PageCursor::assign(items);
    positioned.sort_by(|(first, _), (second, _)| first.cmp(second));
    if let Some(start) = start {
        positioned.retain(|(position, _)| *position > start);
    }
    let mut next = None;
    if let Some(size) = size
        && positioned.len() > size
    {
        positioned.truncate(size);
        next = positioned.last().map(|(position, _)| position.to_token());
    }
    let items = positioned.into_iter().map(|(_, item)| item).collect();
    (items, next)
}

/// The position of an item in the order of the pages: by creation time, then by id. It does not depend on other items,
/// so no item is lost or repeated when some are deleted between two pages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PageCursor {
    created_micros: u64,
    id: String,
    /// The number of undecodable items between the item with this id and this one.
    unreadable: usize,
}

impl PageCursor {
    /// Assigns a position to every item; an undecodable one stays behind the item before it.
    fn assign(items: Vec<Result<Invitation>>) -> Vec<(Self, Result<Invitation>)> {
        let mut last = Self {
            created_micros: 0,
            id: String::new(),
            unreadable: 0,
        };
        let assign = |item: Result<Invitation>| {
            match &item {
                Ok(invitation) => {
                    let micros = invitation
                        .created_at
                        .map_or(0, |time| time.timestamp_micros());
                    last = Self {
                        created_micros: micros.try_into().unwrap_or(0),
                        id: invitation.id.to_string(),
                        unreadable: 0,
                    };
                }
                Err(_) => last.unreadable += 1,
            }
            (last.clone(), item)
        };
        items.into_iter().map(assign).collect()
    }

    /// Reads a token, which is `<microseconds>:<unreadable>:<id>`.
    pub fn parse(context: &OperationContext<'_>, token: &PageToken) -> Result<Self> {
        let mut parts = token.as_str().splitn(3, ':');
        let mut number = || parts.next()?.parse::<u64>().ok();
        let parsed = number()
            .zip(number())
            .and_then(|(created_micros, unreadable)| {
                let unreadable = usize::try_from(unreadable).ok()?;
                Some(Self {
                    created_micros,
                    id: parts.next()?.to_owned(),
                    unreadable,
                })
            });
        parsed.ok_or_else(|| {
            let wrong = "invalid page token: not issued by this provider";
            context.error(ErrorKind::InvalidInput, wrong)
        })
    }

    fn to_token(&self) -> PageToken {
        PageToken::new(format!(
            "{}:{}:{}",
            self.created_micros, self.unreadable, self.id
        ))
    }
}
