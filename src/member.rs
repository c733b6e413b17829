//! Members of an organisation: the contract between this crate and a provider, and what follows from it.

use std::{collections::HashMap, fmt, ops::Deref, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::{future::BoxFuture, stream::BoxStream};
use serde::{Deserialize, Serialize};

use crate::{
    address::same_email,
    api_key::ApiKey,
    error::{Error, ErrorKind, Operation, Result},
    extra::Extra,
    id::resource_id,
    invitation::{AuthType, RoleAssignment},
    list::{self, ListItem, Page, PageToken, Prefetch},
    role::{Role, RoleChange, RoleGrant},
};

resource_id! {
    /// The identifier of a member: 1 to 255 characters that are safe in a URL's path, as those of an
    /// [`InvitationId`](crate::InvitationId).
    MemberId, "a member id"
}

/// Somebody who belongs to an organisation.
///
/// | field | Confluent Cloud (`/iam/v2/users`) | ClickHouse Cloud (`…/members`) |
/// |---|---|---|
/// | `id` | `id` (`u-…`) | `userId` |
/// | `name` | `full_name` | `name` |
/// | `auth_type` | `auth_type` | – |
/// | `joined_at` | `metadata.created_at` | `joinedAt` |
/// | `roles` | – (see [`MemberProvider::member_roles`]) | `assignedRoles` |
/// | `legacy_role` | – | `role` |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Member {
    /// The provider's id of the person.
    pub id: MemberId,
    /// The person's address.
    pub email: String,
    /// What the person is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How the person logs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<AuthType>,
    /// Since when the person is a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined_at: Option<DateTime<Utc>>,
    /// The person's roles, where the list of members tells them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<RoleAssignment>>,
    /// The deprecated single role, where the provider reports one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legacy_role: Option<String>,
    /// Every property that has no field here, as it came.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Member {
    /// A member of whom only id and address are known; the other fields are public.
    pub fn new(id: MemberId, email: impl Into<String>) -> Self {
        Self {
            id,
            email: email.into(),
            name: None,
            auth_type: None,
            joined_at: None,
            roles: None,
            legacy_role: None,
            extra: Extra::default(),
        }
    }
}

impl ListItem for Member {
    const PLURAL: &'static str = "members";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn email(&self) -> Option<&str> {
        Some(&self.email)
    }
}

/// A person joined an organisation or left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct MembershipEvent {
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: MembershipEventKind,
}

impl MembershipEvent {
    /// Something that happened at this time.
    pub fn new(at: DateTime<Utc>, kind: MembershipEventKind) -> Self {
        Self { at, kind }
    }
}

/// What happened to a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MembershipEventKind {
    /// The person accepted an invitation.
    Joined,
    /// The person left.
    Left,
}

/// A service that tells who belongs to an organisation, and changes it.
///
/// Implemented by [`Confluent`](crate::Confluent) and [`ClickHouse`](crate::ClickHouse), and open to others. As
/// [`InvitationProvider`](crate::InvitationProvider), it is what an implementor provides, without default bodies;
/// callers find the rest in [`MemberProviderExt`]. What a provider does not have is refused with
/// [`Unsupported`](crate::ErrorKind::Unsupported) before anything is sent: see
/// [`Capabilities`](crate::Capabilities).
#[async_trait]
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

/// What every provider can do because it is a [`MemberProvider`].
#[async_trait]
pub trait MemberProviderExt: MemberProvider {
    /// All members, page after page, as they arrive. As [`list`](crate::InvitationProviderExt::list) otherwise.
    ///
    /// ```
    #[doc = example!(member)]
    /// use futures::TryStreamExt;
    ///
    /// let members: Vec<_> = provider.list_members().try_collect().await?;
    /// assert_eq!(members, [ann]);
    /// # Ok(())
    /// # }
    /// ```
    fn list_members(&self) -> BoxStream<'_, Result<Member>> {
        list_members(self, Prefetch::OnePage)
    }

    /// The same as [`list_members`](Self::list_members), by a stream that owns its provider. As
    /// [`into_list`](crate::InvitationProviderExt::into_list) otherwise.
    ///
    /// ```
    #[doc = example!(member)]
    /// use futures::TryStreamExt;
    ///
    /// let list = provider.clone().into_list_members();
    /// let members: Vec<_> = tokio::spawn(list.try_collect()).await??;
    /// assert_eq!(members, [ann]);
    /// # Ok(())
    /// # }
    /// ```
    fn into_list_members(self) -> BoxStream<'static, Result<Member>>
    where
        Self: Sized + 'static,
    {
        list_members(Arc::new(self), Prefetch::OnePage)
    }

    /// All members, where a page is requested only once every member of the page before was read: for a reader that
    /// may stop early. As [`list_members`](Self::list_members) otherwise.
    ///
    /// ```
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # use org_invitations::{Confluent, InvitationProvider, MemberProviderExt};
    /// # let sandbox = org_invitations_sandbox::Sandbox::builder().seed_members(120).start().await?;
    /// # let key = &sandbox.credentials().confluent;
    /// # let builder = Confluent::builder().api_key(&key.api_key, key.api_secret.as_str());
    /// # let provider = builder.base_url(sandbox.url()).build()?;
    /// # if !provider.capabilities().members { return Ok(()); }
    /// use futures::{StreamExt, TryStreamExt};
    ///
    /// let members = provider.list_members_without_prefetch().take(50);
    /// assert_eq!(members.try_collect::<Vec<_>>().await?.len(), 50);
    /// assert_eq!(sandbox.ledger().requests.len(), 1, "one page of two");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
    /// ```
    fn list_members_without_prefetch(&self) -> BoxStream<'_, Result<Member>> {
        list_members(self, Prefetch::None)
    }

    /// The member of this address, or `None`. Addresses compare as
    /// [`normalize_email`](crate::normalize_email) has them. No vendor filters members, so this reads their whole list.
    ///
    /// ```
    #[doc = example!(member)]
    /// assert_eq!(provider.find_member("Ann@Example.com").await?, Some(ann));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`list_members_page`](MemberProvider::list_members_page), also of a single item where nobody matches; and
    /// [`Conflict`](ErrorKind::Conflict) where several members have the address, which names their ids.
    async fn find_member(&self, email: &str) -> Result<Option<Member>> {
        let matches = |member: &Member| same_email(&member.email, email);
        let mut found = list::all_matches(self.list_members(), matches).await?;
        if found.len() > 1 {
            let ids: Vec<&str> = found.iter().map(|member| member.id.as_str()).collect();
            let message = format!(
                "several members have this address ({}); choose one by id",
                ids.join(", ")
            );
            let error = Error::new(ErrorKind::Conflict, Operation::ListMembers, message);
            let error = error.with_provider(self.to_string());
            return Err(error.with_target(email));
        }
        Ok(found.pop())
    }
}

impl<P: MemberProvider + ?Sized> MemberProviderExt for P {}

fn list_members<'a, D>(provider: D, prefetch: Prefetch) -> BoxStream<'a, Result<Member>>
where
    D: Deref<Target: MemberProvider> + Clone + Send + Sync + Unpin + 'a,
{
    let of = provider.clone();
    let fetch = move |token: Option<PageToken>| -> BoxFuture<'a, Result<Page<Member>>> {
        let provider = of.clone();
        Box::pin(async move { provider.list_members_page(token.as_ref()).await })
    };
    list::pages(provider, fetch, prefetch)
}

/// A pointer to a provider is a provider.
macro_rules! forward {
    ($($pointer:tt)+) => {
        #[deny(clippy::missing_trait_methods)]
        #[async_trait]
        impl<P: MemberProvider + ?Sized> MemberProvider for $($pointer)+ {
            async fn list_members_page(&self, token: Option<&PageToken>) -> Result<Page<Member>> {
                (**self).list_members_page(token).await
            }

            async fn get_member(&self, id: &MemberId) -> Result<Member> {
                (**self).get_member(id).await
            }

            async fn member_roles(&self, id: &MemberId) -> Result<Vec<RoleAssignment>> {
                (**self).member_roles(id).await
            }

            async fn membership_events(&self, email: &str) -> Result<Vec<MembershipEvent>> {
                (**self).membership_events(email).await
            }

            async fn list_member_roles(&self) -> Result<HashMap<MemberId, Vec<RoleAssignment>>> {
                (**self).list_member_roles().await
            }

            async fn grant_roles(&self, id: &MemberId, grants: &[RoleGrant]) -> Result<RoleChange> {
                (**self).grant_roles(id, grants).await
            }

            async fn set_roles(&self, id: &MemberId, grants: &[RoleGrant]) -> Result<RoleChange> {
                (**self).set_roles(id, grants).await
            }

            async fn remove_member(&self, id: &MemberId) -> Result<()> {
                (**self).remove_member(id).await
            }

            async fn list_roles(&self) -> Result<Vec<Role>> {
                (**self).list_roles().await
            }

            async fn api_keys(&self, member: &MemberId) -> Result<Vec<ApiKey>> {
                (**self).api_keys(member).await
            }

            async fn key_owner(&self) -> Result<Option<MemberId>> {
                (**self).key_owner().await
            }

            async fn key_roles(&self) -> Result<Option<Vec<RoleAssignment>>> {
                (**self).key_roles().await
            }
        }
    };
}

forward!(&P);
forward!(Box<P>);
forward!(Arc<P>);
