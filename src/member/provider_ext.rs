//! What follows from the contract of members.

use std::{ops::Deref, sync::Arc};

use async_trait::async_trait;
use futures_util::{future::BoxFuture, stream::BoxStream};

use crate::{
    address::same_email,
    error::{Error, ErrorKind, Operation, Result},
    list::{self, Page, PageToken, Prefetch},
    member::{Member, MemberProvider},
};

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
