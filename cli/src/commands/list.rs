//! `list`: print invitations page by page.

use std::{ops::ControlFlow, time::Duration};

use chrono::{DateTime, Utc};
use clap::Args;
use futures::StreamExt;
use org_invitations::{
    Capabilities, Error, ErrorKind, Invitation, InvitationProvider, InvitationProviderExt,
    InvitationStatus, ListQuery, Operation, normalize_email,
};

use super::value_parsers;
use crate::{
    bulk::{Results, RunSummary, for_each_provider},
    completion,
    failure::Failure,
    interrupt::Interrupt,
    output::{InvitationRecord, LayoutOptions, Output},
    provider::ProviderContext,
    providers::{Origin, Providers},
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations -p confluent list --status sent
  org-invitations -p clickhouse list --expiring-within 24h
  org-invitations -p clickhouse list --role developer --limit 20
  org-invitations -p confluent -p clickhouse list -o csv > invitations.csv
  org-invitations --all-profiles list -o csv > invitations.csv
  org-invitations -p confluent list --email-domain example.com --created-before 30d
  org-invitations -p confluent list --columns email,user --sort email --no-headers
  org-invitations -p confluent list --expired -o jsonl | jq -r .email

An invitation has to match every filter. A filter that the provider does not
support is rejected before anything is sent. Rows are printed as pages arrive.
On a terminal that is too narrow for a table, times are told as `3d ago` and roles
are shortened; then the columns CREATED, ROLES, EXPIRES and PROVIDER are left out,
in this order, until it fits.
In CSV, control characters are escaped, and a cell that a spreadsheet would
read as a formula starts with an apostrophe.")]
pub(crate) struct ListArgs {
    /// Only invitations for this address, in any spelling.
    #[arg(long, value_name = "ADDRESS", add = completion::addresses())]
    pub email: Option<String>,
    /// Only invitations for addresses of this domain, without its subdomains.
    #[arg(long, value_name = "DOMAIN")]
    pub email_domain: Option<String>,
    /// Only invitations with this status: sent, staged, accepted, expired, deactivated.
    #[arg(long, add = completion::words(&value_parsers::STATUSES))]
    pub status: Option<String>,
    /// Only the invitation that created the user with this id (Confluent).
    #[arg(long, value_name = "ID")]
    pub user: Option<String>,
    /// Only invitations sent by the user with this id (Confluent).
    #[arg(long, value_name = "ID")]
    pub creator: Option<String>,
    /// Only invitations with this role, by name or id (ClickHouse).
    #[arg(long, add = completion::roles())]
    pub role: Option<String>,
    /// Only expired invitations.
    #[arg(long, conflicts_with_all = ["status", "expiring_within"])]
    pub expired: bool,
    /// Only open invitations that expire within this time, such as 24h, 7d, "1h 30m".
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub expiring_within: Option<Duration>,
    /// Only invitations created before this time, such as 2026-10-31, 2026-10-31T12:00:00Z, or 30d
    /// for 30 days ago.
    #[arg(long, value_name = "TIME", value_parser = value_parsers::time)]
    pub created_before: Option<DateTime<Utc>>,
    /// The maximum number of invitations to print, over all providers.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// How many invitations to request per page.
    #[arg(long, value_name = "N")]
    pub page_size: Option<u32>,
    #[command(flatten)]
    pub layout: LayoutOptions,
}

/// How many rows are printed together at most, however large a page is.
const MAX_CHUNK_ROWS: usize = 1_000;

/// Prints every invitation that can be read. An unreadable item, or a list that breaks off, is a failure and hides no
/// other invitation.
pub(crate) async fn run(
    providers: Providers,
    args: ListArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let filter = Filter::new(&args);
    let is_several = providers.have_several_profiles();
    let mut records = args.layout.listing(providers.records(out), args.limit)?;
    let mut summary = RunSummary::default();
    let limit = args.limit.filter(|_| args.layout.sort.is_none());
    let read = |provider, results| read(provider, &args, limit, &filter, results);
    let mut remaining = limit.unwrap_or(u64::MAX);
    let show = |origin: &Origin, page: Vec<Invitation>| {
        for invitation in page {
            records.push(InvitationRecord::of_organization(origin, invitation))?;
            remaining -= 1;
            if remaining == 0 {
                return Ok(ControlFlow::Break(()));
            }
        }
        // Rows of many organisations arrive at once, so their table can wait for its widths.
        match is_several {
            true => records.flush_lines()?,
            false => records.show()?,
        }
        Ok(ControlFlow::Continue(()))
    };
    let outcome = for_each_provider(providers, interrupt, &mut summary, read, show).await;
    let none = records.count() == 0;
    let is_table = records.is_table();
    records.finish_after(outcome)?;
    summary.finish()?;
    if none && is_table {
        eprintln!("no invitations");
    }
    Ok(())
}

/// Reads the invitations of one organisation, no more than `limit` of them.
async fn read(
    provider: ProviderContext,
    args: &ListArgs,
    limit: Option<u64>,
    filter: &Filter,
    results: Results<Result<Vec<Invitation>, Failure>>,
) -> Result<(), Failure> {
    filter.check(&*provider)?;
    let mut query = with_page_size(query(args), limit, filter, provider.capabilities());
    let any_spelling = query.email.is_some();
    let is_found = read_matching(&provider, query.clone(), limit, filter, &results).await;
    if any_spelling && !is_found {
        // The server may compare addresses case-sensitively.
        query.email = None;
        query.page_size = args.page_size;
        read_matching(&provider, query, limit, filter, &results).await;
    }
    Ok(())
}

/// Reads the invitations of a query that match the filter; true if there is one, or a failure.
async fn read_matching(
    provider: &ProviderContext,
    query: ListQuery,
    limit: Option<u64>,
    filter: &Filter,
    results: &Results<Result<Vec<Invitation>, Failure>>,
) -> bool {
    let list = match limit {
        Some(_) => provider.list_without_prefetch(query),
        None => provider.list(query),
    };
    let mut is_found = false;
    let mut remaining = limit.unwrap_or(u64::MAX);
    // The items of a page are ready at once, so a chunk is a page or part of a large one.
    let mut pages = list.ready_chunks(MAX_CHUNK_ROWS);
    while let Some(page) = pages.next().await {
        let mut matching = Vec::new();
        for item in page {
            match item {
                Ok(invitation) if filter.matches(&invitation) && remaining > 0 => {
                    matching.push(invitation);
                    remaining -= 1;
                }
                Ok(_) => {}
                Err(_) if remaining == 0 => {}
                Err(error) => {
                    is_found = true;
                    results.send(Err(error.into())).await;
                }
            }
        }
        if !matching.is_empty() {
            is_found = true;
            results.send(Ok(matching)).await;
        }
        if remaining == 0 {
            break;
        }
    }
    is_found
}

fn query(args: &ListArgs) -> ListQuery {
    let mut query = ListQuery::new();
    query.email.clone_from(&args.email);
    query.status = args.status.as_deref().map(value_parsers::status);
    query.user.clone_from(&args.user);
    query.creator.clone_from(&args.creator);
    query.page_size = args.page_size;
    query
}

/// Limits the page size to `--limit` if the server paginates and applies every filter.
fn with_page_size(
    mut query: ListQuery,
    limit: Option<u64>,
    filter: &Filter,
    capabilities: Capabilities,
) -> ListQuery {
    if let (None, Some(limit), Some(most)) = (query.page_size, limit, capabilities.max_page_size)
        && filter.is_empty()
        && limit < u64::from(most)
    {
        query.page_size = u32::try_from(limit).ok();
    }
    query
}

/// The filters that the command applies itself.
#[derive(Debug)]
struct Filter {
    /// A normalised address.
    email: Option<String>,
    /// A normalised domain.
    domain: Option<String>,
    created_before: Option<DateTime<Utc>>,
    role: Option<String>,
    expired: bool,
    expires_before: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
}

impl Filter {
    fn new(args: &ListArgs) -> Self {
        let now = Utc::now();
        let before = |within: Duration| {
            let within = chrono::TimeDelta::from_std(within).ok();
            let end = within.and_then(|within| now.checked_add_signed(within));
            end.unwrap_or(DateTime::<Utc>::MAX_UTC)
        };
        let domain = args.email_domain.as_ref().map(|domain| {
            // An address with this domain is normalised as a whole.
            let address = format!("x@{}", domain.trim_start_matches('@'));
            domain_of(&normalize_email(&address)).to_owned()
        });
        Self {
            email: args.email.as_deref().map(normalize_email),
            domain,
            created_before: args.created_before,
            role: args.role.clone(),
            expired: args.expired,
            expires_before: args.expiring_within.map(before),
            now,
        }
    }

    fn is_empty(&self) -> bool {
        self.email.is_none()
            && self.domain.is_none()
            && self.created_before.is_none()
            && self.role.is_none()
            && !self.expired
            && self.expires_before.is_none()
    }

    /// Rejects filters that the provider does not support, before anything is sent.
    fn check(&self, provider: &dyn InvitationProvider) -> Result<(), Error> {
        let capabilities = provider.capabilities();
        if self.role.is_some() && !capabilities.list_roles && !capabilities.legacy_role {
            let message = "invitations of this provider have no roles, so there is no role filter";
            let error = Error::new(ErrorKind::Unsupported, Operation::List, message);
            return Err(error.with_provider(provider.to_string()));
        }
        Ok(())
    }

    fn matches(&self, invitation: &Invitation) -> bool {
        let address = || normalize_email(&invitation.email);
        self.email.as_ref().is_none_or(|email| address() == *email)
            && (self.domain.as_ref()).is_none_or(|domain| domain_of(&address()) == domain)
            && self
                .created_before
                .is_none_or(|end| invitation.created_at.is_some_and(|at| at < end))
            && (self.role.as_ref()).is_none_or(|role| has_role(invitation, role))
            && (!self.expired || is_expired(invitation, self.now))
            && self.expires_before.is_none_or(|end| {
                let open = is_open(invitation.status.as_ref());
                let expires = invitation.expires_at;
                open && expires.is_some_and(|expires| expires > self.now && expires <= end)
            })
    }
}

/// The domain of an address.
fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

fn has_role(invitation: &Invitation, role: &str) -> bool {
    let role = role.to_lowercase();
    let matches = |word: &Option<String>| {
        word.as_ref()
            .is_some_and(|word| word.to_lowercase() == role)
    };
    let mut roles = invitation.roles.iter().flatten();
    matches(&invitation.role) || roles.any(|role| matches(&role.id) || matches(&role.name))
}

/// Whether an invitation has expired: by its status, or by its expiry time if the status is not up to date.
pub(super) fn is_expired(invitation: &Invitation, now: DateTime<Utc>) -> bool {
    match &invitation.status {
        Some(InvitationStatus::Expired) => true,
        status => is_open(status.as_ref()) && invitation.expires_at.is_some_and(|at| at <= now),
    }
}

/// Whether the status lets the invitee accept.
fn is_open(status: Option<&InvitationStatus>) -> bool {
    matches!(
        status,
        None | Some(InvitationStatus::Sent | InvitationStatus::Staged)
    )
}
