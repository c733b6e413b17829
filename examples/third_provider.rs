//! A provider of one's own, and the proof that it is one:
//! `cargo run --example third_provider --features conformance`.
//!
//! It keeps its invitations in memory. What a provider does not offer is a line that refuses it; the
//! rest of the library (streams, `get_or_create`, `create_many`) comes with the trait.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use org_invitations::{
    Capabilities, Error, ErrorKind, Invitation, InvitationId, InvitationProvider, InvitationStatus,
    ListQuery, NewInvitation, Operation, Page, PageToken, Result,
    conformance::{TestContext, run_all},
};

/// An organisation in memory. The number is the invitation's id.
#[derive(Debug, Default)]
struct Memory {
    all: Mutex<BTreeMap<u64, Invitation>>,
    /// The latest id. None is given twice.
    last: AtomicU64,
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("memory")
    }
}

fn refuse(kind: ErrorKind, operation: Operation, why: &str) -> Error {
    Error::new(kind, operation, why).with_provider("memory")
}

/// Refuses what was asked for and is not offered.
fn offered(asked: bool, operation: Operation, what: &str) -> Result<()> {
    let refusal = || refuse(ErrorKind::Unsupported, operation, what);
    (!asked).then_some(()).ok_or_else(refusal)
}

fn number(id: &InvitationId) -> Option<u64> {
    id.as_str().parse().ok()
}

#[async_trait]
impl InvitationProvider for Memory {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.filter_email = true;
        capabilities.filter_status = true;
        capabilities.reports_status = true;
        capabilities.max_page_size = Some(100);
        capabilities
    }

    async fn create(&self, new: NewInvitation) -> Result<Invitation> {
        new.validate()?;
        offered(
            new.auth_type.is_some(),
            Operation::Create,
            "it has no auth types",
        )?;
        offered(new.roles.is_some(), Operation::Create, "it has no roles")?;
        let mut all = self.all.lock().unwrap();
        let same = |one: &&Invitation| one.email.eq_ignore_ascii_case(&new.email);
        if let Some(there) = all.values().find(same) {
            let why = "this address is invited";
            let refusal = refuse(ErrorKind::AlreadyExists, Operation::Create, why);
            return Err(refusal.with_conflicting_id(there.id.clone()));
        }
        let next = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let mut made = Invitation::new(InvitationId::new(next.to_string())?, new.email);
        made.status = Some(InvitationStatus::Sent);
        all.insert(next, made.clone());
        Ok(made)
    }

    async fn get(&self, id: &InvitationId) -> Result<Invitation> {
        let all = self.all.lock().unwrap();
        let found = number(id).and_then(|number| all.get(&number).cloned());
        found.ok_or_else(|| refuse(ErrorKind::NotFound, Operation::Get, "there is none"))
    }

    async fn list_page(&self, query: &ListQuery, token: Option<&PageToken>) -> Result<Page> {
        query.validate(Some(100))?;
        offered(
            query.user.is_some(),
            Operation::List,
            "it has no user filter",
        )?;
        offered(
            query.creator.is_some(),
            Operation::List,
            "it has no creator filter",
        )?;
        let after = token.map_or(Ok(0), |token| token.as_str().parse());
        let after = after.map_err(|_| {
            refuse(
                ErrorKind::InvalidInput,
                Operation::List,
                "this token is not one of its own",
            )
        })?;
        let matches = |one: &Invitation| {
            let email = query
                .email
                .as_ref()
                .is_none_or(|email| one.email.eq_ignore_ascii_case(email));
            email && (query.status.is_none() || one.status == query.status)
        };
        let size = query.page_size.unwrap_or(100) as usize;
        let all = self.all.lock().unwrap();
        let mut rest = all.range(after + 1..).filter(|(_, one)| matches(one));
        let page: Vec<_> = rest.by_ref().take(size).collect();
        let last = page
            .last()
            .map(|(number, _)| PageToken::new(number.to_string()));
        let next = last.filter(|_| rest.next().is_some());
        let items = page.into_iter().map(|(_, one)| Ok(one.clone())).collect();
        Ok(Page::new(items, next))
    }

    async fn delete(&self, id: &InvitationId) -> Result<()> {
        let mut all = self.all.lock().unwrap();
        let gone = number(id).and_then(|number| all.remove(&number));
        gone.map(drop)
            .ok_or_else(|| refuse(ErrorKind::NotFound, Operation::Delete, "there is none"))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let provider = Memory::default();
    let report = run_all(&TestContext::new(&provider).count_requests(|| 0)).await;
    println!("{report}");
    assert!(report.passed());
}
