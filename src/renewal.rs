//! The renewal of one invitation: a delete and a create, of which the second must not be forgotten.
//!
//! The one mechanism of the library: [`Plan::apply`](crate::Plan::apply) and the command use it.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    capabilities::Capabilities,
    error::{Error, ErrorKind, Operation, Result},
    invitation::{
        AuthType, Invitation, InvitationId, InvitationStatus, NewInvitation, RoleAssignment, Roles,
    },
    lookup::{Sighting, Unseen, create_and_see, find},
    provider::InvitationProvider,
    role::RoleGrant,
};

/// An invitation that is to be withdrawn, and the one that is to be made in its place. No vendor can change an
/// invitation or send it again.
///
/// Two requests, and not atomic: between them the person is not invited. So whatever can be refused beforehand is;
/// the create is tried again with patience; where its options are refused, [`fallback`](Self::fallback) is
/// created; and nothing but an invitation that was seen counts as success.
///
/// ```
/// # async fn example() -> org_invitations::Result<()> {
/// use org_invitations::{
///     Confluent, InvitationProvider, InvitationProviderExt, NewInvitation, Renewal, RenewalOptions,
///     RenewalResult,
/// };
///
/// # let sandbox = org_invitations_sandbox::Sandbox::start().await.unwrap();
/// # let key = &sandbox.credentials().confluent.api_key;
/// # let secret = sandbox.credentials().confluent.api_secret.as_str();
/// # let confluent = Confluent::builder().api_key(key, secret).base_url(sandbox.url()).build()?;
/// let old = confluent.create(NewInvitation::new("ann@example.com")).await?;
/// let renewal = Renewal::of(&old, &confluent.capabilities())?;
/// match confluent.renew(&renewal, &RenewalOptions::default()).await {
///     RenewalResult::Renewed(new) => assert_ne!(new.id, old.id),
///     RenewalResult::Lost { invite, error } => panic!("{} is not invited: {error}", invite.email),
///     other => panic!("{other:?}"),
/// }
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Renewal {
    /// The invitation that is withdrawn.
    pub id: InvitationId,
    /// The invitation that is made in its place.
    pub new: NewInvitation,
    /// What is made where the provider refuses `new`: the old options, which it took before. Default: nothing.
    pub fallback: Option<NewInvitation>,
}

impl Renewal {
    /// Withdraws `id` and creates `new`.
    pub fn new(id: InvitationId, new: NewInvitation) -> Self {
        Self {
            id,
            new,
            fallback: None,
        }
    }

    /// Makes `old` again, with the same options.
    ///
    /// # Errors
    ///
    /// [`AlreadyAccepted`](ErrorKind::AlreadyAccepted), and [`Unsupported`](ErrorKind::Unsupported) when it was
    /// withdrawn, or when its roles cannot be given again.
    pub fn of(old: &Invitation, capabilities: &Capabilities) -> Result<Self> {
        let refuse = |kind, operation, message: &str| {
            Err(Error::new(kind, operation, message).with_target(old.id.as_str()))
        };
        match old.status {
            Some(InvitationStatus::Accepted) => {
                let message = "it was accepted, so there is nothing to renew";
                return refuse(ErrorKind::AlreadyAccepted, Operation::Delete, message);
            }
            Some(InvitationStatus::Deactivated) => {
                let message =
                    "it was withdrawn, so there is nothing to renew; create an invitation instead";
                return refuse(ErrorKind::Unsupported, Operation::Delete, message);
            }
            _ => {}
        }
        let roles = ReportedRoles::from(old.assigned_roles.clone());
        let auth_type = old.auth_type.as_ref();
        match same_options(
            &old.email,
            auth_type,
            old.role.as_deref(),
            &roles,
            capabilities,
        ) {
            Ok(new) => Ok(Self::new(old.id.clone(), new)),
            Err(why) => {
                let message = format!("{why}; it was not deleted");
                refuse(ErrorKind::Unsupported, Operation::Create, &message)
            }
        }
    }

    /// Sets what is made where the provider refuses the new options.
    #[must_use]
    pub fn fallback(mut self, fallback: NewInvitation) -> Self {
        self.fallback = Some(fallback);
        self
    }

    /// Checks what can be checked before anything is withdrawn: the address, the options against what the provider
    /// offers, and, where the ids of the old roles are UUIDs, that those of the new ones are too.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) and [`Unsupported`](ErrorKind::Unsupported).
    pub fn check(&self, capabilities: &Capabilities) -> Result<()> {
        self.new.validate()?;
        let refuse = |kind, message: String| {
            Err(Error::new(kind, Operation::Create, message).with_target(&self.new.email))
        };
        if let Some(missing) = missing_capability(&self.new, capabilities) {
            return refuse(ErrorKind::Unsupported, format!("it has no {missing}"));
        }
        // Where roles can be listed, `InvitationProvider::check` knows them.
        if capabilities.list_roles {
            return Ok(());
        }
        let ids = |new: &NewInvitation| match &new.roles {
            Some(Roles::Grants(grants)) => grants.iter().map(|grant| grant.role.clone()).collect(),
            _ => Vec::new(),
        };
        let old = self.fallback.as_ref().map(ids).unwrap_or_default();
        let odd = ids(&self.new).into_iter().find(|id| !is_uuid(id));
        if let Some(odd) = odd.filter(|_| !old.is_empty() && old.iter().all(|id| is_uuid(id))) {
            let message = format!(
                "{odd:?} does not look like the id of a role, which is a UUID here; nothing was \
                 withdrawn"
            );
            return refuse(ErrorKind::InvalidInput, message);
        }
        Ok(())
    }

    /// Carries it out. See [`InvitationProviderExt::renew`](crate::InvitationProviderExt::renew).
    pub(crate) async fn run<P>(&self, provider: &P, options: &RenewalOptions) -> RenewalResult
    where
        P: InvitationProvider + ?Sized,
    {
        if let Err(error) = self.check(&provider.capabilities()) {
            return RenewalResult::Failed(error.with_provider(provider.to_string()));
        }
        // Roles that were given once may be gone since.
        if let Err(error) = provider.check(&self.new).await {
            return RenewalResult::Failed(error);
        }
        if let Err(error) = options.observer.withdrawing(self) {
            return RenewalResult::Failed(error);
        }
        let withdrawn = match self.withdraw(provider, options).await {
            Ok(withdrawn) => withdrawn,
            Err(error) => return RenewalResult::Failed(error),
        };
        if withdrawn {
            options.observer.withdrawn(self);
        }
        self.create_again(provider, options, withdrawn).await
    }

    /// Withdraws the old invitation; `false` when it was not there, and that is no obstacle.
    async fn withdraw<P>(&self, provider: &P, options: &RenewalOptions) -> Result<bool>
    where
        P: InvitationProvider + ?Sized,
    {
        let error = match provider.delete(&self.id).await {
            Ok(()) => return Ok(true),
            Err(error) => error,
        };
        match error.kind() {
            // Not there for a second attempt is the work of the first, whose answer was lost.
            ErrorKind::NotFound if error.attempts() > 1 => Ok(true),
            // Not there for the first is not ours: somebody withdrew it, or the person accepted.
            ErrorKind::NotFound if options.create_if_missing => Ok(false),
            _ if error.may_have_executed() && !self.is_still_there(provider).await => Ok(true),
            _ => Err(error),
        }
    }

    /// Whether a delete whose answer was lost left it there. Where that cannot be learnt, the create that follows
    /// finds out, and harms nobody.
    async fn is_still_there<P>(&self, provider: &P) -> bool
    where
        P: InvitationProvider + ?Sized,
    {
        let found = provider.get(&self.id).await;
        found.is_ok_and(|found| {
            found.id == self.id && found.status != Some(InvitationStatus::Deactivated)
        })
    }

    async fn create_again<P>(
        &self,
        provider: &P,
        options: &RenewalOptions,
        withdrawn: bool,
    ) -> RenewalResult
    where
        P: InvitationProvider + ?Sized,
    {
        let refused = match self.create(provider, &self.new, options, withdrawn).await {
            Ok(sighting) => return seen(sighting, None),
            Err(unseen) => unseen.error,
        };
        // It may have been carried out, so what another create would find may be its work.
        if refused.may_have_executed()
            && let Ok(Some(found)) = find(provider, &self.new.email, &refused, None).await
            && !found.is_void()
            && found.id != self.id
        {
            return seen(Sighting::Exists(found), None);
        }
        let fallback = self.fallback.as_ref().filter(|old| **old != self.new);
        let mut error = refused.clone();
        if let Some(old) = fallback.filter(|_| is_about_options(&refused) && !is_open(&refused)) {
            options.observer.falling_back(self, &refused);
            match self.create(provider, old, options, withdrawn).await {
                Ok(sighting) => return seen(sighting, Some(refused)),
                Err(unseen) => error = unseen.error.with_source(refused),
            }
        }
        // Whatever the answers were, it is what can be seen that counts.
        match find(provider, &self.new.email, &error, None).await {
            Ok(Some(found)) if !found.is_void() && found.id != self.id => {
                seen(Sighting::Exists(found), None)
            }
            Ok(Some(found)) if !found.is_void() => RenewalResult::Failed(error),
            _ if withdrawn => RenewalResult::Lost {
                invite: Box::new(fallback.unwrap_or(&self.new).clone()),
                error,
            },
            _ => RenewalResult::Failed(error),
        }
    }

    /// Creates an invitation, with patience: a server may take a while to see that the old one is gone.
    async fn create<P>(
        &self,
        provider: &P,
        new: &NewInvitation,
        options: &RenewalOptions,
        withdrawn: bool,
    ) -> Result<Sighting, Unseen>
    where
        P: InvitationProvider + ?Sized,
    {
        let mut delays = options.retry_delays.iter();
        loop {
            let unseen = match create_and_see(provider, new, None).await {
                // Whose invitation was withdrawn a moment ago was no member, whatever the words.
                Ok(Sighting::Member(refused)) if withdrawn => Unseen::from(refused),
                Ok(Sighting::Created(found) | Sighting::Exists(found)) if found.id == self.id => {
                    let message = "the provider still has the invitation that was withdrawn";
                    let error = Error::new(ErrorKind::AlreadyExists, Operation::Create, message);
                    let error = error.with_provider(provider.to_string());
                    Unseen::from(error.with_target(&new.email).with_conflicting_id(found.id))
                }
                Err(unseen) => unseen,
                seen => return seen,
            };
            let again = may_pass(&unseen.error) && !is_open(&unseen.error);
            let Some(delay) = delays.next().filter(|_| again) else {
                return Err(unseen);
            };
            let delay = (*delay).max(unseen.error.retry_after().unwrap_or_default());
            options.observer.retrying(self, &unseen.error, delay);
            tokio::time::sleep(delay).await;
        }
    }
}

/// What became of a renewal whose person was seen; `refused` says that the old options were created.
fn seen(sighting: Sighting, refused: Option<Error>) -> RenewalResult {
    match (sighting, refused) {
        (Sighting::Created(old), Some(error)) => RenewalResult::Restored {
            invitation: Box::new(old),
            error,
        },
        (Sighting::Created(new) | Sighting::Exists(new), _) => {
            RenewalResult::Renewed(Box::new(new))
        }
        (Sighting::Member(error), _) => {
            RenewalResult::Failed(error.with_kind(ErrorKind::AlreadyAccepted))
        }
    }
}

/// How a renewal goes about it.
#[derive(Clone)]
#[non_exhaustive]
pub struct RenewalOptions {
    /// The waits before the tries to create after the first one, which come after the provider's own retries.
    /// Default: 0.5 s, 2 s and 5 s.
    pub retry_delays: Vec<Duration>,
    /// Invites the person also where the old invitation is not there any more. Default: no, since somebody
    /// withdrew it, or the person accepted.
    pub create_if_missing: bool,
    /// Who is told what happens. Default: nobody.
    pub observer: Arc<dyn RenewalObserver>,
}

impl Default for RenewalOptions {
    fn default() -> Self {
        Self {
            retry_delays: [500, 2_000, 5_000].map(Duration::from_millis).to_vec(),
            create_if_missing: false,
            observer: Arc::new(Nobody),
        }
    }
}

impl RenewalOptions {
    /// Sets the waits before the tries to create after the first one.
    #[must_use]
    pub fn retry_delays(mut self, delays: impl IntoIterator<Item = Duration>) -> Self {
        self.retry_delays = delays.into_iter().collect();
        self
    }

    /// Sets whether the person is invited also where the old invitation is not there any more.
    #[must_use]
    pub fn create_if_missing(mut self, create: bool) -> Self {
        self.create_if_missing = create;
        self
    }

    /// Sets who is told what happens.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn RenewalObserver>) -> Self {
        self.observer = observer;
        self
    }
}

impl fmt::Debug for RenewalOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenewalOptions")
            .field("retry_delays", &self.retry_delays)
            .field("create_if_missing", &self.create_if_missing)
            .finish_non_exhaustive()
    }
}

/// Told what happens in renewals, in the moment in which it happens: to write it down, or to show it.
pub trait RenewalObserver: Send + Sync {
    /// The old invitation is about to be withdrawn. Whoever has to be able to make it good after a crash writes it
    /// down here, before the request is sent.
    ///
    /// # Errors
    ///
    /// An error ends the renewal before anything is sent: it is [`RenewalResult::Failed`].
    fn withdrawing(&self, _renewal: &Renewal) -> Result<()> {
        Ok(())
    }

    /// The old invitation was withdrawn; the person is not invited now.
    fn withdrawn(&self, _renewal: &Renewal) {}

    /// Creating failed, and is tried again after `delay`.
    fn retrying(&self, _renewal: &Renewal, _error: &Error, _delay: Duration) {}

    /// The new options were refused, and the old ones are tried.
    fn falling_back(&self, _renewal: &Renewal, _error: &Error) {}
}

struct Nobody;

impl RenewalObserver for Nobody {}

/// What became of a [`Renewal`].
#[derive(Debug)]
#[non_exhaustive]
pub enum RenewalResult {
    /// Invited again: the answer, or a list, has the new invitation. Somebody else may have made it meanwhile.
    Renewed(Box<Invitation>),
    /// The provider refused the new options, and the person is invited again with the old ones.
    Restored {
        /// The invitation that there is now.
        invitation: Box<Invitation>,
        /// Why the new options were refused.
        error: Error,
    },
    /// Nothing was withdrawn as far as is known, or the person was seen all the same; the error says why. Of the
    /// kind [`AlreadyAccepted`](ErrorKind::AlreadyAccepted), the person is a member.
    Failed(Error),
    /// The old invitation was withdrawn, and the person is not invited now, unless the error's
    /// [`may_have_executed`](Error::may_have_executed) leaves that open.
    Lost {
        /// What to create so that the person is invited.
        invite: Box<NewInvitation>,
        /// Why it could not be created.
        error: Error,
    },
}

/// The roles of an invitation, as far as they can be given again.
#[derive(Clone, Debug)]
pub(crate) enum ReportedRoles {
    NotReported,
    Ids(Vec<String>),
    /// At least one of them has no id.
    WithoutIds,
}

impl From<Option<Vec<RoleAssignment>>> for ReportedRoles {
    fn from(roles: Option<Vec<RoleAssignment>>) -> Self {
        let Some(roles) = roles else {
            return Self::NotReported;
        };
        let id = |role: RoleAssignment| role.id.filter(|id| !id.is_empty());
        let ids: Option<_> = roles.into_iter().map(id).collect();
        ids.map_or(Self::WithoutIds, Self::Ids)
    }
}

/// What makes an invitation again as it was; an error says why nothing does.
pub(crate) fn same_options(
    email: &str,
    auth_type: Option<&AuthType>,
    role: Option<&str>,
    roles: &ReportedRoles,
    capabilities: &Capabilities,
) -> Result<NewInvitation, &'static str> {
    let mut new = NewInvitation::new(email);
    new.auth_type = auth_type.filter(|_| capabilities.auth_type).cloned();
    let (ids, reported) = match roles {
        ReportedRoles::NotReported => (Some(&[][..]), false),
        ReportedRoles::Ids(ids) => (Some(&ids[..]), true),
        ReportedRoles::WithoutIds => (None, true),
    };
    new.roles = match (ids, role) {
        (Some([]), None) => (reported && capabilities.roles).then(|| Roles::Grants(Vec::new())),
        (Some([]), Some(role)) if capabilities.legacy_role => Some(Roles::Legacy(role.to_owned())),
        (Some(ids @ [_, ..]), _) if capabilities.roles => {
            Some(Roles::Grants(ids.iter().map(RoleGrant::new).collect()))
        }
        _ => return Err("its roles cannot be given again, because their ids are not known"),
    };
    Ok(new)
}

/// The option of an invitation that a provider does not have.
pub(crate) fn missing_capability(
    new: &NewInvitation,
    capabilities: &Capabilities,
) -> Option<&'static str> {
    match &new.roles {
        Some(Roles::Grants(_)) if !capabilities.roles => Some("roles"),
        Some(Roles::Grants(grants))
            if !capabilities.role_scopes && grants.iter().any(|grant| grant.scope.is_some()) =>
        {
            Some("scopes of roles")
        }
        Some(Roles::Legacy(_)) if !capabilities.legacy_role => Some("legacy roles"),
        _ if new.auth_type.is_some() && !capabilities.auth_type => Some("auth types"),
        _ => None,
    }
}

/// Whether an invitation has the options that were asked for, as far as it reports them.
pub(crate) fn has_options(invitation: &Invitation, asked: &NewInvitation) -> bool {
    let same_login = match (&asked.auth_type, &invitation.auth_type) {
        (Some(asked), Some(given)) => asked == given,
        _ => true,
    };
    let same_roles = match (&asked.roles, &invitation.assigned_roles) {
        (Some(Roles::Grants(asked)), Some(given)) => asked
            .iter()
            .all(|grant| given.iter().any(|role| grant.is_met_by(role))),
        _ => true,
    };
    same_login && same_roles
}

/// Whether it is open that a create was carried out. The provider has looked for it as long as it may; another create
/// may make a second invitation. A conflict is an answer.
fn is_open(error: &Error) -> bool {
    let answered = matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::Conflict);
    error.may_have_executed() && !answered
}

/// Whether a later try may go better.
fn may_pass(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unavailable
            | ErrorKind::Timeout
            | ErrorKind::Transport
            | ErrorKind::Connect
            | ErrorKind::RateLimited
            | ErrorKind::Decode
            | ErrorKind::Unexpected
            | ErrorKind::AlreadyExists
            | ErrorKind::Conflict
    )
}

/// Whether other options may be taken where these were not.
fn is_about_options(error: &Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::Unauthenticated
            | ErrorKind::Config
            | ErrorKind::Connect
            | ErrorKind::RateLimited
            | ErrorKind::AlreadyExists
            | ErrorKind::Conflict
    )
}

/// `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
