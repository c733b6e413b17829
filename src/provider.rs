//! The contract between this crate and a provider.

use std::fmt;

use async_trait::async_trait;
use auto_impl::auto_impl;

use crate::{
    capabilities::Capabilities,
    error::Result,
    invitation::{Invitation, InvitationId, NewInvitation},
    list::{ListQuery, Page, PageToken},
    member::MemberProvider,
};

/// A service that invites people to an organisation.
///
/// Implemented by [`Confluent`](crate::Confluent) and [`ClickHouse`](crate::ClickHouse), and open to others. The
/// trait is what an implementor provides; callers find the rest in
/// [`InvitationProviderExt`](crate::InvitationProviderExt). But for [`check`](Self::check) and
/// [`members`](Self::members), it has no default bodies, so a wrapper cannot forget to forward.
///
/// A request means the same on every provider: an option is honoured or refused, never ignored.
/// A reference, a `Box` and an `Arc` to a provider are providers too. The trait does not require `'static`, so that a
/// reference may have any lifetime; a generic function that spawns asks for `P: InvitationProvider + 'static`.
///
/// ```
/// use org_invitations::{InvitationProvider, InvitationProviderExt, NewInvitation, Result};
///
/// /// Takes any provider by value: also a reference, whatever its lifetime.
/// async fn invite<P: InvitationProvider>(provider: P, email: &str) -> Result<()> {
///     provider.get_or_create(NewInvitation::new(email)).await.map(drop)
/// }
///
#[doc = example!(confluent)]
/// invite(&provider, "ann@example.com").await?;
/// invite(&provider as &dyn InvitationProvider, "bob@example.com").await?;
/// # Ok(())
/// # }
/// ```
///
/// `Display` is the provider's short name (`confluent`), `Debug` must not show a secret. Dropping a
/// future cancels the call; whether the server carried it out is then unknown.
#[async_trait]
#[auto_impl(&, Box, Arc)]
pub trait InvitationProvider: fmt::Debug + fmt::Display + Send + Sync {
    /// What this provider offers, as far as providers differ. Sends nothing.
    ///
    /// ```
    /// use org_invitations::InvitationProvider;
    ///
    #[doc = example!(confluent)]
    /// let capabilities = provider.capabilities();
    /// assert!(capabilities.auth_type && !capabilities.legacy_role);
    /// # Ok(())
    /// # }
    /// ```
    fn capabilities(&self) -> Capabilities;

    /// Invites a person. Not idempotent: the second call for an email is refused.
    ///
    /// A create is one request, as a rule. When its answer is lost, or the server refuses it because the email is
    /// invited, this crate's providers look for the invitation to find out who made it, unless their retries are
    /// switched off. That costs a get, or a list of the address (on ClickHouse the whole list).
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) when the email is invited or a member,
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for an option this provider does not have,
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput), [`QuotaExceeded`](crate::ErrorKind::QuotaExceeded), and
    /// those of every call: see [`ErrorKind`](crate::ErrorKind). When
    /// [`may_have_executed`](crate::Error::may_have_executed) is true, look before repeating it.
    ///
    /// ```
    /// use org_invitations::{AuthType, InvitationProvider, NewInvitation};
    ///
    #[doc = example!(confluent)]
    /// let new = NewInvitation::new("ann@example.com").auth_type(AuthType::Sso);
    /// let ann = provider.create(new).await?;
    /// assert!(ann.is_pending());
    /// # Ok(())
    /// # }
    /// ```
    async fn create(&self, new: NewInvitation) -> Result<Invitation>;

    /// Checks whether this invitation could be created, and changes nothing. On ClickHouse it checks that the
    /// organisation has the roles; on Confluent, that the scopes of the roles are valid. A [renewal](crate::Renewal)
    /// calls it before it withdraws anything. Where the server does not say, the check passes. Default: it passes.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput), when the invitation would be refused.
    ///
    /// ```
    /// use org_invitations::{InvitationProvider, NewInvitation};
    ///
    #[doc = example!(clickhouse)]
    /// # if !provider.capabilities().list_roles { return Ok(()); }
    /// let known = NewInvitation::new("ann@example.com").roles(["5a1e9b6c-3f0d-4c1b-9a57-0d2f4f1c6a02"]);
    /// provider.check(&known).await?;
    /// let unknown = NewInvitation::new("ann@example.com").roles(["00000000-0000-4000-8000-000000000000"]);
    /// println!("{}", provider.check(&unknown).await.unwrap_err());
    /// # Ok(())
    /// # }
    /// ```
    async fn check(&self, new: &NewInvitation) -> Result<()> {
        let _ = new;
        Ok(())
    }

    /// The provider of the organisation's members, if it is known: a [plan](crate::Plan) changes roles and removes
    /// members through it, and a [renewal](crate::Renewal) reads the roles that it has to keep. Sends nothing. Default:
    /// none. A wrapper that wraps one has to forward it.
    ///
    /// ```
    /// use org_invitations::{InvitationProvider, MemberProvider};
    ///
    #[doc = example!(confluent)]
    /// let members = provider.members().ok_or("this provider has no members")?;
    /// # if !provider.capabilities().members { return Ok(()); }
    /// println!("{} members", members.list_members_page(None).await?.items.len());
    /// # Ok(())
    /// # }
    /// ```
    fn members(&self) -> Option<&dyn MemberProvider> {
        None
    }

    /// Reads one invitation. Idempotent.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound), and those of every call.
    ///
    /// ```
    /// use org_invitations::{ErrorKind, InvitationId, InvitationProvider, NewInvitation};
    ///
    #[doc = example!(confluent)]
    /// let ann = provider.create(NewInvitation::new("ann@example.com")).await?;
    /// assert_eq!(provider.get(&ann.id).await?.email, "ann@example.com");
    ///
    /// let error = provider.get(&InvitationId::new("i-00000")?).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::NotFound);
    /// # Ok(())
    /// # }
    /// ```
    async fn get(&self, id: &InvitationId) -> Result<Invitation>;

    /// Reads one page of the invitations that match `query`, the first one without a `token`.
    /// Idempotent; the order is the provider's. Give the same `query` with every token.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a filter this provider does not have,
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a page size or token that is out of range, and
    /// those of every call.
    ///
    /// ```
    /// use org_invitations::{InvitationProvider, ListQuery, NewInvitation};
    ///
    #[doc = example!(confluent)]
    /// for email in ["ann@example.com", "bob@example.com", "eve@example.com"] {
    ///     provider.create(NewInvitation::new(email)).await?;
    /// }
    /// let query = ListQuery::new().page_size(2);
    /// let first = provider.list_page(&query, None).await?;
    /// let second = provider.list_page(&query, first.next.as_ref()).await?;
    /// assert_eq!((first.items.len(), second.items.len()), (2, 1));
    /// assert!(second.next.is_none());
    /// # Ok(())
    /// # }
    /// ```
    async fn list_page(&self, query: &ListQuery, token: Option<&PageToken>) -> Result<Page>;

    /// Withdraws an invitation. The second call for an id reports
    /// [`NotFound`](crate::ErrorKind::NotFound); [`delete_if_exists`](crate::InvitationProviderExt::delete_if_exists)
    /// does not.
    ///
    /// On Confluent this also deactivates the user that the invitation created.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound), [`AlreadyAccepted`](crate::ErrorKind::AlreadyAccepted), and those
    /// of every call.
    ///
    /// ```
    /// use org_invitations::{ErrorKind, InvitationProvider, NewInvitation};
    ///
    #[doc = example!(confluent)]
    /// let ann = provider.create(NewInvitation::new("ann@example.com")).await?;
    /// provider.delete(&ann.id).await?;
    /// let error = provider.delete(&ann.id).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::NotFound);
    /// # Ok(())
    /// # }
    /// ```
    async fn delete(&self, id: &InvitationId) -> Result<()>;
}
