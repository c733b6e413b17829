//! Memory is bounded however long a list is, and pages that are not needed are not requested.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use org_invitations::{
    Capabilities, Error, ErrorKind, Invitation, InvitationId, InvitationProvider, ListQuery,
    NewInvitation, Operation, Page, PageToken, Result,
};
use org_invitations_sql::{register, session};

use crate::fake_provider::FakeProvider;

const ALL: usize = 1_000_000;
const PAGE: usize = 99;
/// The largest number of rows in a batch.
const BATCH: usize = 1_000;

/// A million invitations, made as they are asked for.
#[derive(Debug, Default)]
struct Million {
    made: AtomicUsize,
}

impl Million {
    fn made(&self) -> usize {
        self.made.load(Ordering::Relaxed)
    }
}

impl fmt::Display for Million {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("million")
    }
}

fn no<T>(operation: Operation) -> Result<T> {
    Err(Error::new(ErrorKind::Unsupported, operation, "no"))
}

#[async_trait]
impl InvitationProvider for Million {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    async fn create(&self, _: NewInvitation) -> Result<Invitation> {
        no(Operation::Create)
    }

    async fn get(&self, _: &InvitationId) -> Result<Invitation> {
        no(Operation::Get)
    }

    async fn list_page(&self, _: &ListQuery, token: Option<&PageToken>) -> Result<Page> {
        let start: usize = token.map_or(0, |token| token.as_str().parse().unwrap());
        let end = (start + PAGE).min(ALL);
        let make = |number: usize| {
            let id = InvitationId::new(number.to_string()).unwrap();
            Ok(Invitation::new(id, "ann@x.io"))
        };
        let items: Vec<_> = (start..end).map(make).collect();
        self.made.fetch_add(items.len(), Ordering::Relaxed);
        let next = (end < ALL).then(|| PageToken::new(end.to_string()));
        Ok(Page::new(items, next))
    }

    async fn delete(&self, _: &InvitationId) -> Result<()> {
        no(Operation::Delete)
    }
}

async fn stream(million: &Arc<Million>, sql: &str) -> SendableRecordBatchStream {
    let context = session();
    register(&context, "t", Arc::clone(million) as _).unwrap();
    let frame = context.sql(sql).await.unwrap();
    frame.execute_stream().await.unwrap()
}

/// What was made and did not come out yet is held somewhere.
#[tokio::test]
async fn of_a_million_invitations_a_batch_and_two_pages_are_held() {
    let million = Arc::<Million>::default();
    let mut stream = stream(&million, "SELECT id FROM t").await;
    let (mut read, mut most) = (0, 0);
    while let Some(batch) = stream.next().await {
        most = most.max(million.made() - read);
        read += batch.unwrap().num_rows();
    }
    assert_eq!(read, ALL);
    assert!(most <= BATCH + 2 * PAGE, "{most} were held");
}

#[tokio::test]
async fn a_million_invitations_are_counted() {
    let million = Arc::<Million>::default();
    let mut stream = stream(&million, "SELECT count(*) FROM t").await;
    let batch = stream.next().await.unwrap().unwrap();
    assert_eq!(crate::rows::render(&[batch]), [ALL.to_string()]);
    assert_eq!(million.made(), ALL);
}

/// Ctrl-C drops the stream.
#[tokio::test]
async fn nothing_more_is_asked_for_once_the_stream_is_dropped() {
    let million = Arc::<Million>::default();
    let mut stream = stream(&million, "SELECT id FROM t").await;
    assert_eq!(million.made(), 0, "nothing is sent before somebody reads");
    let first = stream.next().await.unwrap().unwrap().num_rows();
    drop(stream);
    let made = million.made();
    assert!(made <= first + 2 * PAGE, "{made} for {first} rows");
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(million.made(), made);
}

/// The engine reads in tasks of its own, which end with the stream, and so does what is under way.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_under_way_ends_with_the_stream() {
    for sql in [
        "SELECT id FROM t",
        "SELECT id, count(*) OVER (PARTITION BY id) FROM t WHERE email LIKE 'u%'",
        "SELECT count(*) FROM t AS a JOIN t AS b ON a.email = b.email",
        "DELETE FROM t WHERE email LIKE 'u%'",
    ] {
        let fake = FakeProvider::of(100).hanging_at(4).shared();
        let context = session();
        register(&context, "t", Arc::clone(&fake) as _).unwrap();
        let frame = org_invitations_sql::sql(&context, sql).await.unwrap();
        let reading = async {
            let mut stream = frame.execute_stream().await.unwrap();
            while stream.next().await.is_some() {}
        };
        let awaited = async {
            while !fake.is_awaited() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = reading => panic!("{sql}: it ended without the page that never came"),
            () = awaited => {}
        }
        while fake.is_awaited() {
            tokio::task::yield_now().await;
        }
        assert_eq!(fake.ids().len(), 100, "{sql}");
    }
}
