//! The stream over all pages: when it asks for the next one.

use std::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use futures::StreamExt;
use org_invitations::{
    Capabilities, Error, ErrorKind, Invitation, InvitationId, InvitationProvider,
    InvitationProviderExt, ListQuery, NewInvitation, Operation, Page, PageToken, Result,
};

/// So many pages of three, each of which takes a while; counts how often it was asked.
#[derive(Debug)]
struct Pages {
    count: usize,
    latency: Duration,
    asked: AtomicUsize,
}

impl Pages {
    fn new(count: usize) -> Self {
        Self {
            count,
            latency: Duration::from_millis(50),
            asked: AtomicUsize::new(0),
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl fmt::Display for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("pages")
    }
}

#[async_trait]
impl InvitationProvider for Pages {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    async fn create(&self, _: NewInvitation) -> Result<Invitation> {
        Err(Error::new(ErrorKind::Unsupported, Operation::Create, "no"))
    }

    async fn get(&self, _: &InvitationId) -> Result<Invitation> {
        Err(Error::new(ErrorKind::Unsupported, Operation::Get, "no"))
    }

    async fn list_page(&self, _: &ListQuery, token: Option<&PageToken>) -> Result<Page> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(self.latency).await;
        let page: usize = token.map_or(0, |token| token.as_str().parse().unwrap());
        let item = |number| {
            let id = format!("i-{page}-{number}").parse().unwrap();
            Ok(Invitation::new(id, "ann@example.com"))
        };
        let next = page + 1;
        let next = (next < self.count).then(|| PageToken::new(next.to_string()));
        Ok(Page::new((0..3).map(item).collect(), next))
    }

    async fn delete(&self, _: &InvitationId) -> Result<()> {
        Err(Error::new(ErrorKind::Unsupported, Operation::Delete, "no"))
    }
}

#[tokio::test(start_paused = true)]
async fn one_page_is_prefetched_while_the_last_one_is_read() {
    let pages = Pages::new(3);
    let mut list = pages.list(ListQuery::new());
    assert_eq!(pages.asked(), 0, "nothing is sent before somebody reads");
    let mut asked = Vec::new();
    while let Some(item) = list.next().await {
        asked.push((item.unwrap().id.to_string(), pages.asked()));
    }
    let expected = [
        // Who wants the first item only costs one page.
        ("i-0-0", 1),
        ("i-0-1", 2),
        ("i-0-2", 2),
        ("i-1-0", 2),
        ("i-1-1", 3),
        ("i-1-2", 3),
        ("i-2-0", 3),
        ("i-2-1", 3),
        ("i-2-2", 3),
    ];
    assert_eq!(asked, expected.map(|(id, asked)| (id.to_owned(), asked)));
}

#[tokio::test(start_paused = true)]
async fn without_prefetch_a_page_is_fetched_when_the_last_is_read() {
    let pages = Pages::new(2);
    let mut list = pages.list_without_prefetch(ListQuery::new());
    let mut asked = Vec::new();
    while let Some(item) = list.next().await {
        asked.push((item.unwrap().id.to_string(), pages.asked()));
    }
    let expected = [
        ("i-0-0", 1),
        ("i-0-1", 1),
        ("i-0-2", 1),
        ("i-1-0", 2),
        ("i-1-1", 2),
        ("i-1-2", 2),
    ];
    assert_eq!(asked, expected.map(|(id, asked)| (id.to_owned(), asked)));
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_hides_the_latency_of_the_pages() {
    // The paused clock makes this exact.
    let pages = Pages::new(100);
    let mut list = pages.list(ListQuery::new());
    let start = tokio::time::Instant::now();
    let mut count = 0;
    while let Some(item) = list.next().await {
        item.unwrap();
        count += 1;
        if count % 3 == 0 {
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }
    let took = start.elapsed().as_secs_f64();
    let pages = 100.0 * 0.05;
    assert!(took <= 1.05 * pages, "{took} s for {pages} s of latency");
    assert_eq!(count, 300);
}
