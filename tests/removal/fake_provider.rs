//! A provider in memory whose answers a test can script, and which knows what it really did.

use std::{
    fmt,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use org_invitations::{
    Capabilities, Error, ErrorKind, Invitation, InvitationId, InvitationProvider, InvitationStatus,
    ListQuery, NewInvitation, Operation, Page, PageToken, Result, RoleAssignment, RoleGrant, Roles,
};

/// What a test makes of a call.
pub enum Answer {
    /// What the provider would do.
    Honest,
    /// Nothing is done.
    Refuse(Error),
    /// It is done, and the answer says otherwise.
    DoAndFail(Error),
    /// A create that is answered about another address, and not done.
    About(&'static str),
}

/// A call as a script sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub operation: Operation,
    /// An address or an id.
    pub target: String,
    pub roles: Option<Roles>,
}

type Script = Box<dyn Fn(&Call) -> Answer + Send + Sync>;

pub struct FakeProvider {
    invitations: Mutex<Vec<Invitation>>,
    calls: Mutex<Vec<Call>>,
    script: Script,
    last_id: AtomicUsize,
    /// Who was deleted and not created again.
    at_risk: Mutex<Vec<String>>,
    most_at_risk: AtomicUsize,
    latency: Duration,
}

impl FakeProvider {
    pub fn new(
        invitations: &[Invitation],
        script: impl Fn(&Call) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self {
            invitations: Mutex::new(invitations.to_vec()),
            calls: Mutex::default(),
            script: Box::new(script),
            last_id: AtomicUsize::new(1_000),
            at_risk: Mutex::default(),
            most_at_risk: AtomicUsize::new(0),
            latency: Duration::from_millis(1),
        }
    }

    pub fn honest(invitations: &[Invitation]) -> Self {
        Self::new(invitations, |_| Answer::Honest)
    }

    /// Who is invited, in order.
    pub fn emails(&self) -> Vec<String> {
        let mut emails: Vec<_> = self.all().into_iter().map(|one| one.email).collect();
        emails.sort();
        emails
    }

    pub fn all(&self) -> Vec<Invitation> {
        self.invitations.lock().unwrap().clone()
    }

    /// What was asked, without reads.
    pub fn writes(&self) -> Vec<(Operation, String)> {
        let calls = self.calls.lock().unwrap();
        let writes = calls
            .iter()
            .filter(|call| matches!(call.operation, Operation::Create | Operation::Delete));
        writes
            .map(|call| (call.operation, call.target.clone()))
            .collect()
    }

    /// The addresses of the checks.
    pub fn checked(&self) -> Vec<String> {
        let calls = self.calls.lock().unwrap();
        let checks = calls
            .iter()
            .filter(|call| call.operation == Operation::Validate);
        checks.map(|call| call.target.clone()).collect()
    }

    /// How many calls there were, without the checks.
    pub fn calls(&self) -> usize {
        let calls = self.calls.lock().unwrap();
        let calls = calls
            .iter()
            .filter(|call| call.operation != Operation::Validate);
        calls.count()
    }

    /// How many people were without an invitation in the same moment.
    pub fn most_at_risk(&self) -> usize {
        self.most_at_risk.load(Ordering::Relaxed)
    }

    async fn answer(&self, operation: Operation, target: &str, roles: Option<&Roles>) -> Answer {
        let call = Call {
            operation,
            target: target.to_owned(),
            roles: roles.cloned(),
        };
        let answer = (self.script)(&call);
        self.calls.lock().unwrap().push(call);
        tokio::time::sleep(self.latency).await;
        answer
    }

    fn do_create(&self, new: &NewInvitation) -> Result<Invitation> {
        let mut all = self.invitations.lock().unwrap();
        if all.iter().any(|one| one.email == new.email) {
            return Err(refusal(
                ErrorKind::AlreadyExists,
                Operation::Create,
                "is invited",
            ));
        }
        let id = self.last_id.fetch_add(1, Ordering::Relaxed);
        let id = InvitationId::new(format!("n-{id}")).unwrap();
        let mut made = Invitation::new(id, &new.email);
        made.status = Some(InvitationStatus::Sent);
        made.auth_type.clone_from(&new.auth_type);
        if let Some(Roles::Grants(grants)) = &new.roles {
            let role = |grant: &RoleGrant| {
                let mut role = RoleAssignment::default();
                role.id = Some(grant.role.clone());
                role
            };
            made.roles = Some(grants.iter().map(role).collect());
        }
        all.push(made.clone());
        self.at_risk.lock().unwrap().retain(|one| *one != new.email);
        Ok(made)
    }

    fn do_delete(&self, id: &InvitationId) -> Result<()> {
        let mut all = self.invitations.lock().unwrap();
        let Some(at) = all.iter().position(|one| one.id == *id) else {
            return Err(refusal(
                ErrorKind::NotFound,
                Operation::Delete,
                "is not there",
            ));
        };
        let gone = all.remove(at);
        let mut at_risk = self.at_risk.lock().unwrap();
        at_risk.push(gone.email);
        self.most_at_risk
            .fetch_max(at_risk.len(), Ordering::Relaxed);
        Ok(())
    }
}

/// An error of the provider's.
pub fn refusal(kind: ErrorKind, operation: Operation, why: &str) -> Error {
    Error::new(kind, operation, why).with_provider("fake")
}

impl fmt::Debug for FakeProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeProvider").finish_non_exhaustive()
    }
}

impl fmt::Display for FakeProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("fake")
    }
}

#[async_trait]
impl InvitationProvider for FakeProvider {
    fn capabilities(&self) -> Capabilities {
        super::everything()
    }

    async fn create(&self, new: NewInvitation) -> Result<Invitation> {
        let answer = self.answer(Operation::Create, &new.email, new.roles.as_ref());
        match answer.await {
            Answer::Honest => self.do_create(&new),
            Answer::Refuse(error) => Err(error),
            Answer::DoAndFail(error) => self.do_create(&new).and(Err(error)),
            Answer::About(email) => Ok(Invitation::new("i-1".parse()?, email)),
        }
    }

    async fn check(&self, new: &NewInvitation) -> Result<()> {
        let answer = self.answer(Operation::Validate, &new.email, new.roles.as_ref());
        match answer.await {
            Answer::Refuse(error) | Answer::DoAndFail(error) => Err(error),
            _ => Ok(()),
        }
    }

    async fn get(&self, id: &InvitationId) -> Result<Invitation> {
        match self.answer(Operation::Get, id.as_str(), None).await {
            Answer::Refuse(error) | Answer::DoAndFail(error) => Err(error),
            _ => {
                let found = self.all().into_iter().find(|one| one.id == *id);
                found.ok_or_else(|| refusal(ErrorKind::NotFound, Operation::Get, "is not there"))
            }
        }
    }

    async fn list_page(&self, query: &ListQuery, _: Option<&PageToken>) -> Result<Page> {
        let email = query.email.clone().unwrap_or_default();
        match self.answer(Operation::List, &email, None).await {
            Answer::Refuse(error) | Answer::DoAndFail(error) => Err(error),
            _ => {
                let all = self.all().into_iter();
                let matching = all.filter(|one| email.is_empty() || one.email == email);
                Ok(Page::new(matching.map(Ok).collect(), None))
            }
        }
    }

    async fn delete(&self, id: &InvitationId) -> Result<()> {
        match self.answer(Operation::Delete, id.as_str(), None).await {
            Answer::Honest | Answer::About(_) => self.do_delete(id),
            Answer::Refuse(error) => Err(error),
            Answer::DoAndFail(error) => self.do_delete(id).and(Err(error)),
        }
    }
}
