//! The contract between this crate and a provider of members.

use std::{collections::HashMap, fmt};

use async_trait::async_trait;
use auto_impl::auto_impl;

use crate::{
    api_key::ApiKey,
    error::Result,
    invitation::RoleAssignment,
    list::{Page, PageToken},
    member::{Member, MemberId, MembershipEvent},
    role::{Role, RoleChange, RoleGrant},
};

/// A service that tells who belongs to an organisation, and changes it.
///
/// Implemented by [`Confluent`](crate::Confluent) and [`ClickHouse`](crate::ClickHouse), and open to others. As
/// [`InvitationProvider`](crate::InvitationProvider), it is what an implementor provides, without default bodies;
/// callers find the rest in [`MemberProviderExt`](crate::MemberProviderExt). What a provider does not have is refused with
/// [`Unsupported`](crate::ErrorKind::Unsupported) before anything is sent: see
/// [`Capabilities`](crate::Capabilities).
#[async_trait]
#[auto_impl(&, Box, Arc)]
pub trait MemberProvider: fmt::Debug + fmt::Display + Send + Sync {
    /// Reads one page of the members, the first one without a `token`. Idempotent; the order is the provider's.
    ///
    /// ```
    #[doc = example!(member)]
    /// let page = provider.list_members_page(None).await?;
    /// for member in page.items {
    ///     println!("{}", member?.email);
    /// }
    /// assert!(page.next.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a token of somebody else's, and those of every call.
    async fn list_members_page(&self, token: Option<&PageToken>) -> Result<Page<Member>>;

    /// Reads one member. Idempotent.
    ///
    /// ```
    #[doc = example!(member)]
    /// assert_eq!(provider.get_member(&ann.id).await?.email, "ann@example.com");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound), and those of every call.
    async fn get_member(&self, id: &MemberId) -> Result<Member>;

    /// The roles that a member has, everywhere in the organisation. Idempotent.
    ///
    /// On Confluent the role bindings of the user, also of one who is invited and has not accepted.
    ///
    /// ```
    #[doc = example!(member)]
    /// let roles = provider.member_roles(&ann.id).await?;
    /// assert_eq!(roles[0].name.as_deref(), Some("Developer"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) where the provider tells that there is no such member, and those of
    /// every call.
    async fn member_roles(&self, id: &MemberId) -> Result<Vec<RoleAssignment>>;

    /// When the person of an address joined the organisation and left it, as far as the provider kept it, the oldest
    /// first. Idempotent. It tells somebody who accepted and left from somebody whose invitation ran out.
    ///
    /// On ClickHouse this reads the organisation's activities, which not every key may; the address is compared with the
    /// details of the actor. Confluent does not tell.
    ///
    /// ```
    /// use org_invitations::{InvitationProvider, MemberProvider, NewInvitation};
    ///
    #[doc = example!(clickhouse)]
    /// # if !provider.capabilities().membership_events { return Ok(()); }
    /// provider.create(NewInvitation::new("ann@example.com")).await?;
    /// assert!(provider.membership_events("ann@example.com").await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported), and those of every call.
    async fn membership_events(&self, email: &str) -> Result<Vec<MembershipEvent>>;

    /// The roles of everybody, invited people included where the provider knows theirs. Idempotent. For many people at
    /// once: on Confluent it reads all role bindings of users, on ClickHouse the list of members.
    ///
    /// ```
    #[doc = example!(member)]
    /// let roles = provider.list_member_roles().await?;
    /// assert_eq!(roles[&ann.id].len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of every call; one binding or member that cannot be read is an error, since a role may be missing.
    async fn list_member_roles(&self) -> Result<HashMap<MemberId, Vec<RoleAssignment>>>;

    /// Gives a member further roles. Idempotent: a role that is there already is success.
    ///
    /// On ClickHouse the roles are read and written as a whole, so that a change of somebody else's in between is lost.
    ///
    /// ```
    #[doc = example!(member)]
    /// let change = provider.grant_roles(&ann.id, &[RoleGrant::new("Billing")]).await?.complete()?;
    /// assert_eq!((change.added.len(), change.removed.len()), (1, 0));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a role or scope that does not exist, before anything is
    /// sent; and those of every call. What fails after that is in [`RoleChange::failed`].
    async fn grant_roles(&self, id: &MemberId, grants: &[RoleGrant]) -> Result<RoleChange>;

    /// Gives a member exactly these roles: adds what lacks, and then takes what is too much. Nothing is taken when
    /// something could not be added. Idempotent. [`grant_roles`](Self::grant_roles) says what else holds.
    ///
    /// ```
    #[doc = example!(member)]
    /// let change = provider.set_roles(&ann.id, &[RoleGrant::new("Billing")]).await?.complete()?;
    /// assert_eq!(change.removed[0].name.as_deref(), Some("Developer"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`grant_roles`](Self::grant_roles).
    async fn set_roles(&self, id: &MemberId, grants: &[RoleGrant]) -> Result<RoleChange>;

    /// Removes a member from the organisation.
    ///
    /// **On Confluent everything that the user owns is deleted too, API keys included.**
    ///
    /// ```
    #[doc = example!(member)]
    /// provider.remove_member(&ann.id).await?;
    /// assert!(provider.find_member("ann@example.com").await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound), and those of every call.
    async fn remove_member(&self, id: &MemberId) -> Result<()>;

    /// The roles that the organisation has. Idempotent.
    ///
    /// ```
    #[doc = example!(member)]
    /// let roles = provider.list_roles().await?;
    /// assert!(roles.iter().any(|role| role.name.as_deref() == Some("Developer")));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) on Confluent, whose documented API does not list roles; and those
    /// of every call.
    async fn list_roles(&self) -> Result<Vec<Role>>;

    /// The API keys that a member owns, as far as the credential may see them: those that
    /// [`remove_member`](Self::remove_member) deletes with the member. Idempotent. No key has its secret.
    ///
    /// ```
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # use org_invitations::{Confluent, InvitationProvider, MemberId, MemberProvider};
    /// # use org_invitations_sandbox::{Config, ConfluentKey, ConfluentMember, ConfluentOrganization, Sandbox};
    /// # let organization = ConfluentOrganization::default()
    /// #     .member(ConfluentMember::new("ann@example.com").id("u-ann"))
    /// #     .key(ConfluentKey::new("KEY", "a-secret").user("u-ann").display_name("Nightly export"));
    /// # let mut config = Config::default();
    /// # config.confluent = vec![organization];
    /// # let sandbox = Sandbox::builder().config(config).start().await?;
    /// # let provider = Confluent::builder().api_key("KEY", "a-secret").base_url(sandbox.url()).build()?;
    /// # if !provider.capabilities().api_keys { return Ok(()); }
    /// let ann = MemberId::new("u-ann")?;
    /// let keys = provider.api_keys(&ann).await?;
    /// assert_eq!(keys[0].name.as_deref(), Some("Nightly export"));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) on ClickHouse, which does not tell whose a key is; and those of
    /// every call. One key that cannot be read is an error, since it may be the member's.
    async fn api_keys(&self, member: &MemberId) -> Result<Vec<ApiKey>>;

    /// The member who owns the API key in use, and who is not to be removed with it. Idempotent.
    ///
    /// `None` where nobody does, or where it is not known: the key is a service account's (Confluent), the credential is
    /// a token, or the provider does not tell (ClickHouse, or a document without the operation).
    ///
    /// ```
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # use org_invitations::{Confluent, InvitationProvider, MemberId, MemberProvider};
    /// # use org_invitations_sandbox::{Config, ConfluentKey, ConfluentMember, ConfluentOrganization, Sandbox};
    /// # let organization = ConfluentOrganization::default()
    /// #     .member(ConfluentMember::new("ann@example.com").id("u-ann"))
    /// #     .key(ConfluentKey::new("KEY", "a-secret").user("u-ann").display_name("Nightly export"));
    /// # let mut config = Config::default();
    /// # config.confluent = vec![organization];
    /// # let sandbox = Sandbox::builder().config(config).start().await?;
    /// # let provider = Confluent::builder().api_key("KEY", "a-secret").base_url(sandbox.url()).build()?;
    /// # if !provider.capabilities().api_keys { return Ok(()); }
    /// let owner = provider.key_owner().await?.ok_or("no owner")?;
    /// assert_eq!(provider.get_member(&owner).await?.email, "ann@example.com");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// Those of every call, such as [`PermissionDenied`](crate::ErrorKind::PermissionDenied) where the key may not read
    /// itself.
    async fn key_owner(&self) -> Result<Option<MemberId>>;

    /// The roles of whoever owns the API key in use, a person or a service account: what the key may do, as far as roles
    /// tell it. Idempotent. `None` where the provider does not tell: with a token, on ClickHouse, or with a document
    /// without the operations.
    ///
    /// ```
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # use org_invitations::{Confluent, InvitationProvider, MemberProvider};
    /// # use org_invitations_sandbox::{Config, ConfluentKey, ConfluentMember, ConfluentOrganization, Sandbox};
    /// # let organization = ConfluentOrganization::default()
    /// #     .member(ConfluentMember::new("ann@example.com").id("u-ann"))
    /// #     .key(ConfluentKey::new("KEY", "a-secret").user("u-ann"));
    /// # let mut config = Config::default();
    /// # config.confluent = vec![organization];
    /// # let sandbox = Sandbox::builder().config(config).start().await?;
    /// # let provider = Confluent::builder().api_key("KEY", "a-secret").base_url(sandbox.url()).build()?;
    /// # if !provider.capabilities().api_keys || !provider.capabilities().role_scopes { return Ok(()); }
    /// let change = provider.grant_roles(&"u-ann".parse()?, &["MetricsViewer".parse()?]).await?;
    /// assert!(change.failed.is_empty());
    /// let roles = provider.key_roles().await?.ok_or("no roles")?;
    /// assert!(roles.iter().any(|role| role.name.as_deref() == Some("MetricsViewer")));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// Those of every call, such as [`PermissionDenied`](crate::ErrorKind::PermissionDenied) where the key may read
    /// neither itself nor roles.
    async fn key_roles(&self) -> Result<Option<Vec<RoleAssignment>>>;
}
