//! A provider that breaks the contract in one way is found out.

use async_trait::async_trait;
use org_invitations::{
    Capabilities, Confluent, Error, ErrorKind, Invitation, InvitationId, InvitationProvider,
    ListQuery, MemberProvider, NewInvitation, Operation, Page, PageToken, Result,
    conformance::{Report, run_all},
};
use org_invitations_sandbox::Sandbox;

use crate::{CONFLUENT_ROLES, confluent, context};

/// What is wrong with it.
#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    IgnoresFilters,
    LosesTheEndOfAPage,
    TakesDuplicatesForSuccess,
    DeletesNothing,
    HidesWhatIsMissing,
    IgnoresRoles,
    DeniesAuthTypes,
    SendsBeforeItChecks,
    NamesNobody,
    ForgetsMembers,
}

#[derive(Debug)]
struct Broken {
    inner: Confluent,
    fault: Fault,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.fault {
            Fault::NamesNobody => f.write_str("somebody"),
            _ => self.inner.fmt(f),
        }
    }
}

#[async_trait]
impl InvitationProvider for Broken {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.inner.capabilities();
        if let Fault::DeniesAuthTypes = self.fault {
            capabilities.auth_type = false;
        }
        capabilities
    }

    fn members(&self) -> Option<&dyn MemberProvider> {
        match self.fault {
            Fault::ForgetsMembers => None,
            _ => Some(&self.inner),
        }
    }

    async fn create(&self, mut new: NewInvitation) -> Result<Invitation> {
        if let Fault::IgnoresRoles = self.fault {
            new.roles = None;
        }
        if let Fault::SendsBeforeItChecks = self.fault {
            self.inner.list_page(&ListQuery::new(), None).await?;
        }
        let email = new.email.clone();
        match (self.fault, self.inner.create(new).await) {
            (Fault::TakesDuplicatesForSuccess, Err(error))
                if error.kind() == ErrorKind::AlreadyExists =>
            {
                Ok(Invitation::new(InvitationId::new("i-0").unwrap(), email))
            }
            (_, outcome) => outcome,
        }
    }

    async fn get(&self, id: &InvitationId) -> Result<Invitation> {
        self.inner.get(id).await
    }

    async fn list_page(&self, query: &ListQuery, token: Option<&PageToken>) -> Result<Page> {
        let all = ListQuery::new();
        let query = match self.fault {
            Fault::IgnoresFilters => &all,
            _ => query,
        };
        let mut page = self.inner.list_page(query, token).await?;
        if let Fault::LosesTheEndOfAPage = self.fault
            && page.next.is_some()
        {
            page.items.pop();
        }
        Ok(page)
    }

    async fn delete(&self, id: &InvitationId) -> Result<()> {
        match self.fault {
            Fault::DeletesNothing => Ok(()),
            Fault::HidesWhatIsMissing => match self.inner.delete(id).await {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                Err(error) => Err(Error::new(error.kind(), Operation::Delete, "no")),
                Ok(()) => Ok(()),
            },
            _ => self.inner.delete(id).await,
        }
    }
}

async fn report(fault: Fault) -> Report {
    let sandbox = Sandbox::start().await.unwrap();
    let inner = confluent(&sandbox);
    let provider = Broken { inner, fault };
    run_all(&context(&sandbox, &provider, CONFLUENT_ROLES)).await
}

#[tokio::test]
async fn each_fault_is_found_and_named() {
    assert!(report(Fault::None).await.passed());
    for (fault, behaviour) in [
        (Fault::IgnoresFilters, "the_email_filter_is_exact"),
        (Fault::IgnoresFilters, "the_status_filter_is_exact"),
        (Fault::IgnoresFilters, "the_user_filter_is_exact"),
        (Fault::IgnoresFilters, "the_creator_filter_is_exact"),
        (Fault::LosesTheEndOfAPage, "pages_add_up_to_the_list"),
        (
            Fault::TakesDuplicatesForSuccess,
            "a_second_invitation_is_refused",
        ),
        (Fault::DeletesNothing, "a_deleted_invitation_is_gone"),
        (Fault::HidesWhatIsMissing, "a_second_delete_is_not_found"),
        (Fault::IgnoresRoles, "roles_are_honoured_or_refused"),
        (
            Fault::DeniesAuthTypes,
            "an_auth_type_is_honoured_or_refused",
        ),
        (Fault::SendsBeforeItChecks, "an_invalid_address_is_refused"),
        (Fault::NamesNobody, "errors_name_provider_and_operation"),
        (Fault::ForgetsMembers, "members_are_listed_or_unsupported"),
    ] {
        let sandbox = Sandbox::start().await.unwrap();
        if matches!(fault, Fault::ForgetsMembers) && !confluent(&sandbox).capabilities().members {
            continue;
        }
        let report = report(fault).await;
        let found = report
            .violations
            .iter()
            .any(|violation| violation.behaviour == behaviour);
        assert!(found, "{fault:?}: {report}");
    }
}

#[tokio::test]
async fn nothing_is_left_behind() {
    let sandbox = Sandbox::start().await.unwrap();
    let provider = confluent(&sandbox);
    let known = NewInvitation::new("known@example.com");
    let known = provider.create(known).await.unwrap();
    let report = run_all(&context(&sandbox, &provider, CONFLUENT_ROLES)).await;
    assert!(report.passed(), "{report}");
    let left = provider.list_page(&ListQuery::new(), None).await.unwrap();
    let sent: Vec<_> = left
        .items
        .into_iter()
        .map(|item| item.unwrap().id)
        .collect();
    assert_eq!(sent, [known.id]);
}
