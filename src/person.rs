//! People: what an organisation knows of an address, as invitations and as a member.

use std::{collections::HashMap, sync::OnceLock};

use async_trait::async_trait;
use futures_util::{TryStreamExt, stream::BoxStream};
use serde::{Deserialize, Serialize};

use crate::{
    address::{normalize_email, same_email},
    error::{ErrorKind, Result},
    invitation::{Invitation, RoleAssignment},
    list::{self, ListQuery},
    member::{Member, MemberId, MemberProvider, MemberProviderExt, MembershipEvent},
    provider::InvitationProvider,
    provider_ext::InvitationProviderExt,
    watch::{self, PersonEvent, WaitResult, WatchOptions},
};

/// A provider of invitations and members: what the built-in ones are, and
/// [`ProviderConfig::build`](crate::ProviderConfig::build) gives. Every type that is both is one.
pub trait OrganizationProvider: InvitationProvider + MemberProvider {}

impl<P: InvitationProvider + MemberProvider + ?Sized> OrganizationProvider for P {}

/// What an organisation knows of one address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Person {
    /// The address, as it was asked for.
    pub email: String,
    /// Whether the person is invited, a member, both or neither.
    pub state: PersonState,
    /// The person's invitations, those that can be accepted first, and then the latest.
    pub invitations: Vec<Invitation>,
    /// The person as a member; several where several members have the address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Member>,
    /// When the person joined and left, if the person is neither invited nor a member and the provider tells; see
    /// [`membership_events`](MemberProvider::membership_events).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<Vec<MembershipEvent>>,
}

/// Whether a person is invited, a member, both or neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PersonState {
    /// Can accept an invitation, and is no member.
    Invited,
    /// A member, without an invitation that can be accepted.
    Member,
    /// A member who can accept an invitation besides.
    Both,
    /// No member, and without an invitation that can be accepted: never invited, expired, or withdrawn; see
    /// [`Person::invitations`].
    Neither,
}

impl PersonState {
    /// The state in a word, as data and the command have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Member => "member",
            Self::Both => "both",
            Self::Neither => "neither",
        }
    }
}

word_traits!(PersonState: &[Self::Invited, Self::Member, Self::Both, Self::Neither]);

impl Person {
    /// What is known of an address from these invitations and members.
    pub fn new(
        email: impl Into<String>,
        mut invitations: Vec<Invitation>,
        members: Vec<Member>,
    ) -> Self {
        invitations.sort_by_key(|one| (!one.is_pending(), std::cmp::Reverse(one.created_at)));
        let is_invited = invitations.iter().any(Invitation::is_pending);
        let state = match (is_invited, members.is_empty()) {
            (true, true) => PersonState::Invited,
            (true, false) => PersonState::Both,
            (false, false) => PersonState::Member,
            (false, true) => PersonState::Neither,
        };
        Self {
            email: email.into(),
            state,
            invitations,
            members,
            history: None,
        }
    }
}

/// Everybody whom an organisation knows, read once: for many addresses at once.
///
/// ```
/// use org_invitations::{InvitationProvider, NewInvitation, People, PersonState};
///
#[doc = example!(clickhouse)]
/// # if !provider.capabilities().members { return Ok(()); }
/// provider.create(NewInvitation::new("ann@example.com")).await?;
/// let people = People::load(&provider).await?;
/// assert_eq!(people.find("Ann@Example.com").state, PersonState::Invited);
/// assert_eq!(people.find("bob@example.com").state, PersonState::Neither);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct People {
    /// All invitations.
    pub invitations: Vec<Invitation>,
    /// All members.
    pub members: Vec<Member>,
    index: OnceLock<PeopleIndex>,
}

/// Where the people of an address are, by normalised address.
#[derive(Clone, Debug)]
struct PeopleIndex {
    invited: HashMap<String, Vec<usize>>,
    joined: HashMap<String, Vec<usize>>,
}

impl People {
    /// Reads all invitations and all members.
    ///
    /// # Errors
    ///
    /// Those of the two lists, also of a single item: what is not complete does not tell who is not there.
    pub async fn load<P>(provider: &P) -> Result<Self>
    where
        P: InvitationProvider + MemberProvider + ?Sized,
    {
        let invitations = provider.list(ListQuery::new()).try_collect().await?;
        let members = provider.list_members().try_collect().await?;
        Ok(Self::new(invitations, members))
    }

    /// These invitations and members.
    pub fn new(invitations: Vec<Invitation>, members: Vec<Member>) -> Self {
        Self {
            invitations,
            members,
            index: OnceLock::new(),
        }
    }

    /// Reads the roles of everybody, where the lists did not tell them: on Confluent, the role bindings of all users.
    ///
    /// # Errors
    ///
    /// Those of [`list_member_roles`](MemberProvider::list_member_roles).
    pub async fn load_roles<P>(&mut self, provider: &P) -> Result<()>
    where
        P: MemberProvider + ?Sized,
    {
        let is_told = self.members.iter().all(|member| member.roles.is_some())
            && self.invitations.iter().all(|one| one.roles.is_some());
        if is_told {
            return Ok(());
        }
        let mut roles = provider.list_member_roles().await?;
        let mut take =
            |id: &MemberId| -> Vec<RoleAssignment> { roles.remove(id).unwrap_or_default() };
        for member in &mut self.members {
            // Of whom a provider reports the deprecated role alone, it does not tell the others.
            if member.roles.is_none() && member.legacy_role.is_none() {
                member.roles = Some(take(&member.id));
            }
        }
        for invitation in &mut self.invitations {
            let user = invitation.invited_user();
            if let Some(user) = user.filter(|_| invitation.roles.is_none()) {
                invitation.roles = Some(take(&user));
            }
        }
        Ok(())
    }

    /// What is known of an address, which compares as [`normalize_email`] has it.
    pub fn find(&self, email: &str) -> Person {
        let address = normalize_email(email);
        let invitations = self.index().invited.get(&address).into_iter().flatten();
        let invitations = invitations.map(|index| self.invitations[*index].clone());
        let members = self.index().joined.get(&address).into_iter().flatten();
        let members = members.map(|index| self.members[*index].clone());
        Person::new(email, invitations.collect(), members.collect())
    }

    fn index(&self) -> &PeopleIndex {
        self.index.get_or_init(|| PeopleIndex {
            invited: positions(self.invitations.iter().map(|one| &one.email)),
            joined: positions(self.members.iter().map(|one| &one.email)),
        })
    }
}

/// The positions of each address, by its normalised form.
fn positions<'a>(emails: impl Iterator<Item = &'a String>) -> HashMap<String, Vec<usize>> {
    let mut positions: HashMap<String, Vec<usize>> = HashMap::new();
    for (position, email) in emails.enumerate() {
        let same = positions.entry(normalize_email(email)).or_default();
        same.push(position);
    }
    positions
}

/// What follows from being a provider of invitations and of members.
#[async_trait]
pub trait OrganizationProviderExt: OrganizationProvider {
    /// What the organisation knows of an address: invited, member, both or neither.
    ///
    /// Costs the list of the address's invitations (on ClickHouse, and on Confluent for another spelling, the whole
    /// list) and the list of members. On ClickHouse, who has accepted is no invitation any more; the members tell that from an
    /// invitation that expired. Of somebody who is neither invited nor a member it also reads, where the key may,
    /// [when the person joined and left](MemberProvider::membership_events).
    ///
    /// ```
    /// use org_invitations::{
    ///     InvitationProvider, NewInvitation, OrganizationProviderExt, PersonState,
    /// };
    ///
    #[doc = example!(clickhouse)]
    /// # if !provider.capabilities().members { return Ok(()); }
    /// provider.create(NewInvitation::new("ann@example.com")).await?;
    /// let ann = provider.find_person("ann@example.com").await?;
    /// assert_eq!((ann.state, ann.invitations.len()), (PersonState::Invited, 1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of the two lists, also of a single item.
    async fn find_person(&self, email: &str) -> Result<Person> {
        let filtered = ListQuery::new().email(email);
        let mut invitations = Vec::new();
        // A server may compare spellings, so without a match the whole list follows.
        for query in [filtered, ListQuery::new()] {
            if query.email.is_some() && !self.capabilities().filter_email {
                continue;
            }
            let mut list = self.list(query);
            while let Some(invitation) = list.try_next().await? {
                if same_email(&invitation.email, email) {
                    invitations.push(invitation);
                }
            }
            if !invitations.is_empty() || !self.capabilities().server_side_filters {
                break;
            }
        }
        let matches = |member: &Member| same_email(&member.email, email);
        let members = list::all_matches(self.list_members(), matches).await?;
        let mut person = Person::new(email, invitations, members);
        if person.state == PersonState::Neither && self.capabilities().membership_events {
            person.history = match self.membership_events(email).await {
                Ok(events) => Some(events),
                // Not every key may read them.
                Err(error) if error.kind() == ErrorKind::PermissionDenied => None,
                Err(error) if error.status() == Some(404) => None,
                Err(error) => return Err(error),
            };
        }
        Ok(person)
    }

    /// Waits until an invitation is accepted, or cannot be any more: it expired, or was withdrawn.
    ///
    /// It looks once per [`interval`](WatchOptions::interval), after other calls where the rate limit is short. On
    /// ClickHouse an accepted invitation disappears, and the members tell it from a withdrawn one. A look that fails for a
    /// while ([`is_retryable`](crate::Error::is_retryable)) is repeated.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use org_invitations::{
    ///     InvitationProvider, NewInvitation, OrganizationProviderExt, WaitResult, WatchOptions,
    /// };
    ///
    #[doc = example!(clickhouse)]
    /// # if !provider.capabilities().members { return Ok(()); }
    /// let invited = provider.create(NewInvitation::new("ann@example.com")).await?;
    /// # sandbox.accept(org_invitations_sandbox::Provider::ClickHouse, "ann@example.com")?;
    /// let options = WatchOptions::default().interval(Duration::from_secs(30));
    /// # let options = options.interval(Duration::from_millis(1));
    /// match provider.wait_until_accepted(&invited, &options).await? {
    ///     WaitResult::Accepted(Some(member)) => assert_eq!(member.email, "ann@example.com"),
    ///     other => panic!("{other:?}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of the calls, if they are not retryable.
    async fn wait_until_accepted(
        &self,
        invitation: &Invitation,
        options: &WatchOptions,
    ) -> Result<WaitResult> {
        watch::wait_until_accepted(self, invitation, options).await
    }

    /// What changes from now on, looked at once per [`interval`](WatchOptions::interval): who is invited, accepts, joins and
    /// leaves, and whose invitation expires or is withdrawn. What happens and is undone between two looks is not seen.
    ///
    /// Each look costs the two lists, after other calls where the rate limit is short. A look that fails for a while is an
    /// error in the stream, and the next one goes on from the last that succeeded; any other error ends the stream.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use futures::TryStreamExt;
    /// use org_invitations::{InvitationProvider, NewInvitation, OrganizationProviderExt, PersonEvent, WatchOptions};
    ///
    #[doc = example!(clickhouse)]
    /// # if !provider.capabilities().members { return Ok(()); }
    /// let options = WatchOptions::default();
    /// # let options = options.interval(Duration::from_millis(200));
    /// let mut events = provider.watch(options);
    /// let invite = async {
    ///     # tokio::time::sleep(Duration::from_millis(100)).await;
    ///     provider.create(NewInvitation::new("ann@example.com")).await
    /// };
    /// let (event, invited) = futures::try_join!(events.try_next(), invite)?;
    /// assert_eq!(event, Some(PersonEvent::Invited(Box::new(invited))));
    /// # Ok(())
    /// # }
    /// ```
    fn watch(&self, options: WatchOptions) -> BoxStream<'_, Result<PersonEvent>> {
        watch::watch(self, options)
    }
}

impl<P: OrganizationProvider + ?Sized> OrganizationProviderExt for P {}
