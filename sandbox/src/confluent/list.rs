//! Lists of invitations: filters.

use chrono::{DateTime, Utc};

use super::paging::{self, Page, PageRequest, Parameters};
use super::{Details, invitation_id, user_id, wire};
use crate::error::ApiError;
use crate::faults::LogicalTime;
use crate::invitations::{Invitation, Invitations};
use crate::request::{ApiRequest, FilterMode};

/// The query of a list request.
#[derive(Debug, Default)]
pub(crate) struct Query {
    email: Option<String>,
    status: Option<String>,
    user: Option<String>,
    creator: Option<String>,
    page: PageRequest,
    filter_mode: FilterMode,
}

/// The time at which a list is read, by both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadTime {
    /// Decides which invitations have expired.
    pub(crate) clock: DateTime<Utc>,
    /// Decides which invitations have taken effect.
    pub(crate) logical: LogicalTime,
}

impl Query {
    /// Parses the query of a request.
    pub(crate) fn from_request(request: &ApiRequest) -> Result<Self, ApiError> {
        let mut parameters = Parameters::from_uri(&request.uri);
        Ok(Self {
            page: PageRequest::take(&mut parameters)?,
            email: parameters.take("email"),
            status: parameters.take("status"),
            user: parameters.take("user"),
            creator: parameters.take("creator"),
            filter_mode: request.filter_mode,
        })
    }

    /// The page, and how many invitations match on all pages.
    pub(super) fn select<'a>(
        &'a self,
        invitations: &'a Invitations<Details>,
        time: ReadTime,
    ) -> (Page<'a, Invitation<Details>>, usize) {
        let total = if self.is_filtered() {
            self.matching(invitations, 0, time).count()
        } else {
            invitations.listed_count(time.logical)
        };
        let rest = self.matching(invitations, self.page.after, time);
        (self.page.select(rest, |it| it.sequence), total)
    }

    /// The link to the first page, or to the page of a token, with the filters of this query.
    pub(super) fn link(&self, url: &str, token: Option<&str>) -> String {
        let list = format!("{url}/iam/v2/invitations");
        paging::link(&list, self.filters(), token)
    }

    /// The matching invitations after a position.
    fn matching<'a>(
        &'a self,
        invitations: &'a Invitations<Details>,
        after: u64,
        time: ReadTime,
    ) -> Box<dyn Iterator<Item = &'a Invitation<Details>> + 'a> {
        let matches = move |it: &&Invitation<Details>| {
            invitations.is_listed(it, time.logical) && self.matches(it, time.clock)
        };
        match self.index_lookup(invitations) {
            Some(candidate) => {
                let candidate = candidate.into_iter().filter(move |it| it.sequence > after);
                Box::new(candidate.filter(matches))
            }
            None => Box::new(invitations.after(after).filter(matches)),
        }
    }

    /// If an index decides which single invitation may match: that invitation, or `None` if there is none.
    fn index_lookup<'a>(
        &self,
        invitations: &'a Invitations<Details>,
    ) -> Option<Option<&'a Invitation<Details>>> {
        if self.filter_mode != FilterMode::Exact {
            return None;
        }
        if let Some(user) = &self.user {
            return Some(invitation_id(user).and_then(|id| invitations.get(&id)));
        }
        let email = self.email.as_ref()?;
        invitations
            .is_email_unique()
            .then(|| invitations.get_by_email(email))
    }

    fn matches(&self, invitation: &Invitation<Details>, now: DateTime<Utc>) -> bool {
        let passes = |filter: &Option<String>, value: &str| {
            let mut filter = filter.iter();
            filter.all(|filter| self.filter_mode.matches(filter, value))
        };
        let user = self.user.as_ref().map(|_| user_id(&invitation.id));
        passes(&self.email, &invitation.email)
            && passes(&self.status, wire::status(invitation, now))
            && passes(&self.user, user.as_deref().unwrap_or_default())
            && passes(&self.creator, &invitation.details.creator)
    }

    fn is_filtered(&self) -> bool {
        self.filters().iter().any(|(_, value)| value.is_some())
    }

    fn filters(&self) -> [(&'static str, Option<&str>); 4] {
        [
            ("email", self.email.as_deref()),
            ("status", self.status.as_deref()),
            ("user", self.user.as_deref()),
            ("creator", self.creator.as_deref()),
        ]
    }
}
