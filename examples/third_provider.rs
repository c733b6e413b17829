//! A provider of one's own, and the proof that it is one:
//! `cargo run --example third_provider --features conformance,memory`.
//!
//! It keeps a rule of the house: nobody outside of one domain is invited. What it wraps is an organisation in memory
//! here, and would be `Confluent` or `ClickHouse`. The rest of the library (streams, `get_or_create`, `create_many`,
//! plans) comes with the trait.

use std::fmt;

use async_trait::async_trait;
use org_invitations::{
    Capabilities, Error, ErrorKind, Invitation, InvitationId, InvitationProvider, ListQuery,
    MemberProvider, NewInvitation, Operation, Page, PageToken, Result,
    conformance::{TestContext, run_all},
    memory::InMemory,
    normalize_email,
};

/// Invites people of one domain only.
#[derive(Debug)]
struct OneDomain<P> {
    inner: P,
    domain: &'static str,
}

impl<P> OneDomain<P> {
    fn check_domain(&self, new: &NewInvitation) -> Result<()> {
        new.validate()?;
        let email = normalize_email(&new.email);
        match email.rsplit_once('@') {
            Some((_, domain)) if domain == self.domain => Ok(()),
            _ => {
                let why = format!("only people at {} are invited", self.domain);
                let error = Error::new(ErrorKind::PermissionDenied, Operation::Create, why);
                Err(error.with_target(&new.email))
            }
        }
    }
}

impl<P: fmt::Display> fmt::Display for OneDomain<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl<P: InvitationProvider> InvitationProvider for OneDomain<P> {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn members(&self) -> Option<&dyn MemberProvider> {
        self.inner.members()
    }

    async fn create(&self, new: NewInvitation) -> Result<Invitation> {
        self.check_domain(&new)?;
        self.inner.create(new).await
    }

    async fn check(&self, new: &NewInvitation) -> Result<()> {
        self.check_domain(new)?;
        self.inner.check(new).await
    }

    async fn get(&self, id: &InvitationId) -> Result<Invitation> {
        self.inner.get(id).await
    }

    async fn list_page(&self, query: &ListQuery, token: Option<&PageToken>) -> Result<Page> {
        self.inner.list_page(query, token).await
    }

    async fn delete(&self, id: &InvitationId) -> Result<()> {
        self.inner.delete(id).await
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let organisation = InMemory::new();
    let provider = OneDomain {
        inner: organisation.clone(),
        domain: "example.com",
    };
    let outsider = NewInvitation::new("eve@example.org");
    println!("{}", provider.create(outsider).await.unwrap_err());

    let context = TestContext::new(&provider)
        .count_requests(|| organisation.calls().len())
        .accept(|email| drop(organisation.accept(email)))
        .roles(["Admin", "Developer"]);
    let report = run_all(&context).await;
    println!("{report}");
    assert!(report.passed());
}
