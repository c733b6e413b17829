//! An in-memory provider whose filters can be loose or absent.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use org_invitations::{
    Capabilities, Error, ErrorKind, Invitation, InvitationId, InvitationProvider, ListQuery,
    NewInvitation, Operation, Page, PageToken, Result,
};

/// How the provider applies filters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Filters {
    /// The provider has no filters.
    Absent,
    Exact,
    WithoutCase,
    /// A value that contains the filter matches, in any case.
    Containing,
    /// Filters are accepted and ignored.
    Ignored,
}

#[derive(Debug)]
pub struct FakeProvider {
    filters: Filters,
    page_size: usize,
    /// The pages from this one on fail.
    fails_at: Option<usize>,
    /// The request for this page never completes.
    hangs_at: Option<usize>,
    /// Shared with every request that never completes.
    hanging: Arc<()>,
    invitations: Mutex<Vec<Invitation>>,
    calls: Mutex<Vec<String>>,
    pages: AtomicUsize,
}

impl FakeProvider {
    pub fn new(invitations: Vec<Invitation>, filters: Filters) -> Self {
        Self {
            filters,
            page_size: 10,
            fails_at: None,
            hangs_at: None,
            hanging: Arc::default(),
            invitations: Mutex::new(invitations),
            calls: Mutex::default(),
            pages: AtomicUsize::new(0),
        }
    }

    /// Creates `count` invitations with only an id and an address.
    pub fn of(count: usize) -> Self {
        let new = |number| {
            let id = InvitationId::new(format!("i-{number}")).unwrap();
            Invitation::new(id, format!("user{number}@example.com"))
        };
        Self::new((0..count).map(new).collect(), Filters::Exact)
    }

    pub fn page_size(mut self, size: usize) -> Self {
        self.page_size = size;
        self
    }

    pub fn failing_at(mut self, page: usize) -> Self {
        self.fails_at = Some(page);
        self
    }

    pub fn hanging_at(mut self, page: usize) -> Self {
        self.hangs_at = Some(page);
        self
    }

    /// Whether a request that never completes is awaited.
    pub fn is_awaited(&self) -> bool {
        Arc::strong_count(&self.hanging) > 1
    }

    pub fn shared(self) -> Arc<Self> {
        Arc::new(self)
    }

    /// The number of requested pages.
    pub fn pages(&self) -> usize {
        self.pages.load(Ordering::Relaxed)
    }

    /// Every call except those of pages after the first.
    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    pub fn ids(&self) -> Vec<String> {
        let invitations = self.invitations.lock().unwrap();
        invitations.iter().map(|it| it.id.to_string()).collect()
    }

    fn note(&self, call: String) {
        self.calls.lock().unwrap().push(call);
    }

    fn is_same(&self, expected: Option<&str>, value: Option<&str>) -> bool {
        let (Some(expected), value) = (expected, value.unwrap_or_default()) else {
            return true;
        };
        match self.filters {
            Filters::Exact | Filters::Absent => expected == value,
            Filters::WithoutCase => expected.to_lowercase() == value.to_lowercase(),
            Filters::Containing => value.to_lowercase().contains(&expected.to_lowercase()),
            Filters::Ignored => true,
        }
    }

    fn matches(&self, query: &ListQuery, it: &Invitation) -> bool {
        let status = |it: &Invitation| it.status.as_ref().map(ToString::to_string);
        let expected = query.status.as_ref().map(ToString::to_string);
        self.is_same(query.email.as_deref(), Some(&it.email))
            && self.is_same(expected.as_deref(), status(it).as_deref())
            && self.is_same(
                query.user.as_deref(),
                it.user.as_ref().map(|it| it.id.as_str()),
            )
            && self.is_same(
                query.creator.as_deref(),
                it.creator.as_ref().map(|it| it.id.as_str()),
            )
    }
}

impl fmt::Display for FakeProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("stock")
    }
}

#[async_trait]
impl InvitationProvider for FakeProvider {
    fn capabilities(&self) -> Capabilities {
        let has = self.filters != Filters::Absent;
        let mut capabilities = Capabilities::default();
        capabilities.filter_email = has;
        capabilities.filter_status = has;
        capabilities.filter_user = has;
        capabilities.filter_creator = has;
        capabilities.server_side_filters = has;
        capabilities.reports_status = true;
        capabilities.max_page_size = Some(1_000);
        capabilities
    }

    async fn create(&self, new: NewInvitation) -> Result<Invitation> {
        self.note(format!("create {}", new.email));
        let mut invitations = self.invitations.lock().unwrap();
        let id = InvitationId::new(format!("i-{}", invitations.len())).unwrap();
        let invitation = Invitation::new(id, new.email);
        invitations.push(invitation.clone());
        Ok(invitation)
    }

    async fn get(&self, id: &InvitationId) -> Result<Invitation> {
        self.note(format!("get {id}"));
        let invitations = self.invitations.lock().unwrap();
        let exact = invitations.iter().find(|it| it.id == *id);
        let loose = || {
            let id = Some(id.as_str());
            invitations
                .iter()
                .find(|it| self.is_same(id, Some(it.id.as_str())))
        };
        let found = exact.or_else(loose).cloned();
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, Operation::Get, "no such invitation"))
    }

    async fn list_page(&self, query: &ListQuery, token: Option<&PageToken>) -> Result<Page> {
        let page = self.pages.fetch_add(1, Ordering::Relaxed) + 1;
        query.validate(self.capabilities().max_page_size)?;
        if token.is_none() {
            self.note(format!("list {query:?}"));
        }
        if self.fails_at.is_some_and(|first| page >= first) {
            let error = Error::new(ErrorKind::Unavailable, Operation::List, "out of order");
            return Err(error.with_status(503).with_request_id("r-503"));
        }
        if self.hangs_at == Some(page) {
            let _hanging = Arc::clone(&self.hanging);
            std::future::pending::<()>().await;
        }
        let size = query.page_size.map_or(usize::MAX, |size| size as usize);
        let size = size.min(self.page_size);
        let start: usize = token.map_or(0, |token| token.as_str().parse().unwrap());
        let invitations = self.invitations.lock().unwrap();
        let mut matching = invitations.iter().filter(|it| self.matches(query, it));
        let items: Vec<_> = matching.by_ref().skip(start).take(size).cloned().collect();
        let next = start + items.len();
        let next = matching.next().map(|_| PageToken::new(next.to_string()));
        Ok(Page::new(items.into_iter().map(Ok).collect(), next))
    }

    async fn delete(&self, id: &InvitationId) -> Result<()> {
        self.note(format!("delete {id}"));
        let mut invitations = self.invitations.lock().unwrap();
        match invitations.iter().position(|it| it.id == *id) {
            Some(place) => {
                invitations.remove(place);
                Ok(())
            }
            None => Err(Error::new(ErrorKind::NotFound, Operation::Delete, "gone")),
        }
    }
}
