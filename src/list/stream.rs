//! The stream over all pages, with or without prefetch, and guarded against endless lists.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    ops::Deref,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{
    Stream, StreamExt,
    future::BoxFuture,
    stream::{BoxStream, FuturesUnordered},
};

use crate::{
    error::{Error, ErrorKind, Operation, Result},
    invitation::Invitation,
    list::{ListItem, ListQuery, Page, PageToken},
    provider::InvitationProvider,
};

/// The number of consecutive empty pages after which a list fails.
const MAX_EMPTY_PAGES: u32 = 1_000;

/// When the next page is requested.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Prefetch {
    /// When the reader requests the second item of the current page. At most one page is prefetched.
    OnePage,
    /// When every item of the current page was read.
    None,
}

/// The items of all pages. Ends after the error of a page, not after that of an item.
///
/// `provider` is a reference or another pointer, which a stream that outlives its caller owns.
pub(crate) fn stream<'a, D>(
    provider: D,
    query: ListQuery,
    prefetch: Prefetch,
) -> BoxStream<'a, Result<Invitation>>
where
    D: Deref<Target: InvitationProvider> + Clone + Send + Sync + Unpin + 'a,
{
    let query = Arc::new(query);
    let of = provider.clone();
    let fetch = move |token: Option<PageToken>| -> BoxFuture<'a, Result<Page>> {
        let (provider, query) = (of.clone(), Arc::clone(&query));
        Box::pin(async move { provider.list_page(&query, token.as_ref()).await })
    };
    pages(provider, fetch, prefetch)
}

/// The items of all pages that `fetch` gives; ends after an error of a page, not of an item. `provider` is who errors
/// name.
pub(crate) fn pages<'a, D, T, F>(
    provider: D,
    fetch: F,
    prefetch: Prefetch,
) -> BoxStream<'a, Result<T>>
where
    D: Deref<Target: fmt::Display> + Send + Unpin + 'a,
    T: ListItem + Send + Unpin + 'a,
    F: Fn(Option<PageToken>) -> BoxFuture<'a, Result<Page<T>>> + Send + Unpin + 'a,
{
    let mut items = PageStream {
        provider,
        prefetch,
        fetch,
        items: VecDeque::new(),
        next: Next::End,
        tokens: HashSet::new(),
        empty_pages: 0,
        read: 0,
        total: None,
    };
    items.next = items.fetch(None);
    items.boxed()
}

struct PageStream<'a, D, T, F> {
    provider: D,
    prefetch: Prefetch,
    fetch: F,
    /// The items of the current page that were not read yet.
    items: VecDeque<Result<T>>,
    next: Next<'a, T>,
    /// The tokens so far, to detect an endless list.
    tokens: HashSet<PageToken>,
    empty_pages: u32,
    /// The number of items of all pages so far.
    read: u64,
    /// The smallest total that a page reported: invitations may be created and deleted meanwhile.
    total: Option<u64>,
}

/// The next page.
enum Next<'a, T> {
    At(PageToken),
    /// One future in a set, which polls it only when it was woken, and not with every item.
    InFlight(FuturesUnordered<BoxFuture<'a, Result<Page<T>>>>),
    Ready(Result<Page<T>>),
    End,
}

impl<'a, D, T, F> PageStream<'a, D, T, F>
where
    D: Deref<Target: fmt::Display>,
    T: ListItem,
    F: Fn(Option<PageToken>) -> BoxFuture<'a, Result<Page<T>>>,
{
    fn fetch(&self, token: Option<PageToken>) -> Next<'a, T> {
        Next::InFlight(FuturesUnordered::from_iter([(self.fetch)(token)]))
    }

    /// Requests the next page, and polls the request.
    fn advance(&mut self, context: &mut Context<'_>) {
        if let Next::At(token) = &self.next {
            let token = token.clone();
            self.next = self.fetch(Some(token));
        }
        if let Next::InFlight(page) = &mut self.next
            && let Poll::Ready(Some(page)) = page.poll_next_unpin(context)
        {
            self.next = Next::Ready(page);
        }
    }

    /// Takes the items of a page, and adds an error if the list is endless or incomplete.
    fn take_page(&mut self, page: Result<Page<T>>) {
        let page = match page {
            Ok(page) => page,
            Err(error) => return self.items.push_back(Err(error)),
        };
        self.empty_pages = if page.items.is_empty() {
            self.empty_pages + 1
        } else {
            0
        };
        self.read += page.items.len() as u64;
        self.total = match (self.total, page.total) {
            (Some(total), Some(reported)) => Some(total.min(reported)),
            (total, reported) => total.or(reported),
        };
        // Every earlier item was read.
        self.items = page.items.into();
        let Some(next) = page.next else {
            if let Some(total) = self.total.filter(|total| *total > self.read) {
                let message = format!(
                    "the list ended after {} of {total} {}, so it is not complete",
                    self.read,
                    T::PLURAL
                );
                self.end_with(message, page.request_id);
            }
            return;
        };
        let problem = if !self.tokens.insert(next.clone()) {
            format!("the server sent the page token {next:?} twice")
        } else if self.empty_pages == MAX_EMPTY_PAGES {
            format!("the server sent {MAX_EMPTY_PAGES} empty pages in a row")
        } else {
            self.next = Next::At(next);
            return;
        };
        self.end_with(
            format!("{problem}, so the list has no end"),
            page.request_id,
        );
    }

    /// Ends the list with an error.
    fn end_with(&mut self, message: String, request_id: Option<String>) {
        let mut error = Error::new(ErrorKind::Unexpected, Operation::List, message)
            .with_provider(self.provider.to_string());
        if let Some(id) = request_id {
            error = error.with_request_id(id);
        }
        self.items.push_back(Err(error));
    }
}

impl<'a, D, T, F> Stream for PageStream<'a, D, T, F>
where
    D: Deref<Target: fmt::Display> + Unpin,
    T: ListItem + Unpin,
    F: Fn(Option<PageToken>) -> BoxFuture<'a, Result<Page<T>>> + Unpin,
{
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut is_first = false;
        loop {
            if self.items.is_empty() || (self.prefetch == Prefetch::OnePage && !is_first) {
                self.advance(context);
            }
            if let Some(item) = self.items.pop_front() {
                return Poll::Ready(Some(item));
            }
            match std::mem::replace(&mut self.next, Next::End) {
                Next::Ready(page) => {
                    self.take_page(page);
                    // A reader of the first item only needs no further page.
                    is_first = !self.items.is_empty();
                }
                Next::End => return Poll::Ready(None),
                next @ (Next::At(_) | Next::InFlight(_)) => {
                    self.next = next;
                    return Poll::Pending;
                }
            }
        }
    }
}
