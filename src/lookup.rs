//! Finding the invitation that is in the way of a new one, and what a create shows of its person.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use tokio::sync::OnceCell;

use crate::{
    address::{normalize_email, same_email},
    error::{Error, ErrorKind, Operation, Result},
    invitation::{Invitation, InvitationId, NewInvitation},
    list::ListQuery,
    provider::InvitationProvider,
    provider_ext::InvitationProviderExt,
};

/// The invitation that the refusal of a create names, or else the latest of the address that is not
/// over, in the spelling that was sent or in lower case.
pub(crate) async fn find_conflicting<P>(
    provider: &P,
    email: &str,
    refused: &Error,
) -> Result<Option<Invitation>>
where
    P: InvitationProvider + ?Sized,
{
    let named = named(provider, refused.conflicting_id()).await?;
    // A server that names another's is not taken at its word.
    if let Some(found) = named.filter(|found| same_email(&found.email, email)) {
        return Ok(Some(found));
    }
    for query in queries_of(provider, email) {
        // One that is over is not in the way of a new one, nor is it the new one.
        let found = latest(provider, query, |invitation| {
            same_email(&invitation.email, email) && !invitation.is_void()
        });
        if let Some(found) = found.await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The latest invitation of an address in any spelling, from the whole list; one that is not over
/// before one that is.
pub(crate) async fn find_by_email_ignore_case<P>(
    provider: &P,
    email: &str,
) -> Result<Option<Invitation>>
where
    P: InvitationProvider + ?Sized,
{
    latest(provider, ListQuery::new(), |invitation| {
        same_email(&invitation.email, email)
    })
    .await
}

/// What a create showed of its person.
#[derive(Debug)]
pub(crate) enum Sighting {
    /// Invited by this call; the answer says so of this address.
    Created(Invitation),
    /// Invited or a member before: the invitation was found.
    Exists(Invitation),
    /// A member, in the provider's own words.
    Member(Error),
}

/// A create that showed nobody.
#[derive(Debug)]
pub(crate) struct Unseen {
    pub error: Error,
    /// Whether the person may be invited or a member all the same.
    pub is_unexplained: bool,
}

/// The whole list, read at most once, for those who look for many people in any spelling.
#[derive(Debug, Default)]
pub(crate) struct SharedList(OnceCell<HashMap<String, Invitation>>);

impl SharedList {
    async fn find<P>(&self, provider: &P, email: &str) -> Result<Option<Invitation>>
    where
        P: InvitationProvider + ?Sized,
    {
        let read = async {
            let mut latest: HashMap<String, Invitation> = HashMap::new();
            let mut list = provider.list(ListQuery::new());
            while let Some(invitation) = list.next().await {
                let invitation = invitation?;
                let known = latest.get(&normalize_email(&invitation.email));
                if known.is_none_or(|known| rank(known) < rank(&invitation)) {
                    latest.insert(normalize_email(&invitation.email), invitation);
                }
            }
            Ok::<_, Error>(latest)
        };
        let list = self.0.get_or_try_init(|| read).await?;
        Ok(list.get(&normalize_email(email)).cloned())
    }
}

/// Looks for the invitations of people whose create was lost. Those who look at the same moment share one list, unless
/// it is so long that the provider's filter takes fewer requests.
#[derive(Debug, Default)]
pub(crate) struct SharedLooks {
    /// How many look at this moment.
    looking: AtomicUsize,
    /// How many requests the latest shared list took.
    pages: AtomicUsize,
    /// The list that has not begun, and may be joined.
    next: Mutex<Option<Arc<Round>>>,
    /// Held while a shared list is read.
    turn: tokio::sync::Mutex<()>,
}

/// What one look saw of a person.
#[derive(Debug)]
pub(crate) struct Look {
    /// The invitations that are not over.
    pub seen: Vec<Invitation>,
    /// Why there may be more: the list failed, or has an item that cannot be read.
    pub failed: Option<Error>,
}

/// One list, for those who joined before it began.
#[derive(Debug, Default)]
struct Round {
    /// The addresses, normalised.
    people: Mutex<HashSet<String>>,
    seen: OnceCell<Seen>,
}

/// The invitations of some people that are not over.
#[derive(Debug, Default)]
struct Seen {
    /// By normalised address.
    invitations: HashMap<String, Vec<Invitation>>,
    /// Why there may be more.
    failed: Option<Error>,
    /// How many invitations were read in all.
    read: usize,
}

impl SharedLooks {
    /// The invitations of an address in any spelling that are not over, from a list that begins after this call.
    pub async fn look<P>(&self, provider: &P, email: &str) -> Look
    where
        P: InvitationProvider + ?Sized,
    {
        let looking = Looking::begin(&self.looking);
        let capabilities = provider.capabilities();
        let filters = capabilities.filter_email && capabilities.server_side_filters;
        let person = normalize_email(email);
        if filters && looking.before < self.pages.load(Ordering::Relaxed).max(1) {
            let people = HashSet::from([person.clone()]);
            let mut seen = Seen::default();
            for query in queries_of(provider, email) {
                seen.read(provider, query, &people).await;
            }
            return seen.of(&person);
        }
        let round = {
            let mut next = lock(&self.next);
            let round = Arc::clone(next.get_or_insert_default());
            lock(&round.people).insert(person.clone());
            round
        };
        // Should whoever reads give up, the next one who waits reads.
        let read = || async {
            let _turn = self.turn.lock().await;
            lock(&self.next).take_if(|next| Arc::ptr_eq(next, &round));
            let people = lock(&round.people).clone();
            let mut seen = Seen::default();
            seen.read(provider, ListQuery::new(), &people).await;
            let page = capabilities
                .max_page_size
                .map_or(usize::MAX, |size| size as usize);
            self.pages
                .store(seen.read.div_ceil(page.max(1)), Ordering::Relaxed);
            seen
        };
        round.seen.get_or_init(read).await.of(&person)
    }
}

impl Seen {
    /// Reads what a list has of these people.
    async fn read<P>(&mut self, provider: &P, query: ListQuery, people: &HashSet<String>)
    where
        P: InvitationProvider + ?Sized,
    {
        let mut list = provider.list(query);
        while let Some(item) = list.next().await {
            let invitation = match item {
                Ok(invitation) => invitation,
                Err(error) => {
                    self.failed.get_or_insert(error);
                    continue;
                }
            };
            self.read += 1;
            let person = normalize_email(&invitation.email);
            if invitation.is_void() || !people.contains(&person) {
                continue;
            }
            let known = self.invitations.entry(person).or_default();
            if known.iter().all(|known| known.id != invitation.id) {
                known.push(invitation);
            }
        }
    }

    fn of(&self, person: &str) -> Look {
        Look {
            seen: self.invitations.get(person).cloned().unwrap_or_default(),
            failed: self.failed.clone(),
        }
    }
}

/// Counts one who looks, until it is dropped.
struct Looking<'a> {
    looking: &'a AtomicUsize,
    /// How many looked already.
    before: usize,
}

impl<'a> Looking<'a> {
    fn begin(looking: &'a AtomicUsize) -> Self {
        let before = looking.fetch_add(1, Ordering::Relaxed);
        Self { looking, before }
    }
}

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        self.looking.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The lists that have an address: in the spelling that was sent and, where a server may compare letter by letter, in
/// lower case.
fn queries_of<P>(provider: &P, email: &str) -> Vec<ListQuery>
where
    P: InvitationProvider + ?Sized,
{
    let capabilities = provider.capabilities();
    if !capabilities.filter_email {
        return vec![ListQuery::new()];
    }
    let lower = email.to_lowercase();
    let mut queries = vec![ListQuery::new().email(email)];
    if lower != email && capabilities.server_side_filters {
        queries.push(ListQuery::new().email(lower));
    }
    queries
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Invites a person, and looks for whoever the provider says is invited: a status code is no sighting. `list` is
/// read where nothing else finds the invitation, and is the whole list of this moment without one.
pub(crate) async fn create_and_see<P>(
    provider: &P,
    new: &NewInvitation,
    list: Option<&SharedList>,
) -> Result<Sighting, Unseen>
where
    P: InvitationProvider + ?Sized,
{
    let refused = match provider.create(new.clone()).await {
        Ok(created) if same_email(&created.email, &new.email) => {
            return Ok(Sighting::Created(created));
        }
        Ok(other) => {
            let message = format!("the answer is about another address, {:?}", other.email);
            let error = Error::new(ErrorKind::Unexpected, Operation::Create, message)
                .with_provider(provider.to_string())
                .with_target(&new.email)
                .with_may_have_executed(true);
            return Err(Unseen::from(error));
        }
        Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::Conflict) => {
            error
        }
        Err(error) => return Err(Unseen::from(error)),
    };
    if is_about_a_member(&refused) {
        return Ok(Sighting::Member(refused));
    }
    match find(provider, &new.email, &refused, list).await {
        Ok(Some(found)) if !found.is_void() => Ok(Sighting::Exists(found)),
        Ok(Some(over)) => Err(Unseen {
            error: refused.with_conflicting_id(over.id),
            is_unexplained: false,
        }),
        Ok(None) => Err(Unseen {
            error: refused,
            is_unexplained: true,
        }),
        Err(lookup) => Err(Unseen {
            error: refused.with_source(lookup),
            is_unexplained: true,
        }),
    }
}

/// The invitation of an address that the refusal of a create is about, in any spelling.
pub(crate) async fn find<P>(
    provider: &P,
    email: &str,
    refused: &Error,
    list: Option<&SharedList>,
) -> Result<Option<Invitation>>
where
    P: InvitationProvider + ?Sized,
{
    match (find_conflicting(provider, email, refused).await?, list) {
        (Some(found), _) => Ok(Some(found)),
        (None, Some(list)) => list.find(provider, email).await,
        (None, None) => find_by_email_ignore_case(provider, email).await,
    }
}

impl From<Error> for Unseen {
    fn from(error: Error) -> Self {
        let is_unexplained = error.may_have_executed();
        Self {
            error,
            is_unexplained,
        }
    }
}

/// Whether a refusal says, in the provider's documented form and in words, that the person is a member. Observed:
/// ClickHouse shows no invitation of a member, and Confluent says that "this user already exists within the
/// Organization", also of one who is invited: it then names the invitation. One that names an invitation is about that.
pub(crate) fn is_about_a_member(refused: &Error) -> bool {
    let message = refused.message().to_lowercase();
    let words = [
        "member of the organi",
        "already a member",
        "user already exists",
    ];
    refused.conflicting_id().is_none()
        && (refused.code().is_some() || !refused.details().is_empty())
        && words.iter().any(|words| message.contains(words))
}

async fn named<P>(provider: &P, id: Option<&InvitationId>) -> Result<Option<Invitation>>
where
    P: InvitationProvider + ?Sized,
{
    let Some(id) = id else { return Ok(None) };
    match provider.get(id).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        outcome => outcome.map(Some),
    }
}

/// The latest that matches; one that is not over before one that is. Without a match, one that cannot be
/// read is an error, because it may have been the one.
async fn latest<P>(
    provider: &P,
    query: ListQuery,
    matches: impl Fn(&Invitation) -> bool,
) -> Result<Option<Invitation>>
where
    P: InvitationProvider + ?Sized,
{
    let mut latest: Option<Invitation> = None;
    let mut unreadable = None;
    let mut list = provider.list(query);
    while let Some(item) = list.next().await {
        match item {
            Ok(invitation) if matches(&invitation) => {
                if latest
                    .as_ref()
                    .is_none_or(|latest| rank(latest) < rank(&invitation))
                {
                    latest = Some(invitation);
                }
            }
            Ok(_) => {}
            Err(error) => unreadable = unreadable.or(Some(error)),
        }
    }
    match (latest, unreadable) {
        (None, Some(error)) => Err(error),
        (latest, _) => Ok(latest),
    }
}

/// Those that are not over before those that are, and then the latest.
fn rank(invitation: &Invitation) -> (bool, Option<DateTime<Utc>>) {
    (!invitation.is_void(), invitation.created_at)
}
