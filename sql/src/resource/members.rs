//! Members as rows.

use std::{borrow::Cow, collections::HashMap, fmt, sync::Arc};

use async_stream::try_stream;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::{
    StreamExt,
    stream::{BoxStream, TryStreamExt},
};
use org_invitations::{
    ErrorKind, InvitationProvider, ItemOutcome, ItemResult, Member, MemberId, MemberProvider,
    MemberProviderExt, OrganizationProvider, Result, RoleAssignment, for_each_concurrent,
};
use serde_json::{Map, Value};

use super::{BoxRow, Kind, KindSpec, Resource, Row, RowResults};
use crate::{
    columns::Column,
    pushdown::PushedFilters,
    request::{Call, Request, get_each, ids_to_get},
    write::{RowError, RowOutcome, SelectedRow, WriteRun},
};

pub(super) const SPEC: KindSpec = KindSpec {
    plural: "members",
    scan: "MembersExec",
    insert: "InsertMembers",
    delete: "RemoveMembers",
    filtered: &[
        Column::Provider,
        Column::Profile,
        Column::Id,
        Column::Email,
        Column::Name,
        Column::AuthType,
        Column::LegacyRole,
    ],
    settable: &[],
    identity: &[Column::Id],
    address: Some(Column::Email),
    listed: &[Column::Id, Column::Email, Column::Name],
    hint: "INSERT INTO invitations invites people, and `role_bindings` has the roles of members",
};

pub(super) const COLUMNS: &[Column] = &[
    Column::Id,
    Column::Email,
    Column::Name,
    Column::AuthType,
    Column::JoinedAt,
    Column::Roles,
    Column::LegacyRole,
    Column::Extra,
];

/// The members of one organisation.
#[derive(Clone, Debug)]
pub(crate) struct Members(pub Arc<dyn OrganizationProvider>);

#[async_trait]
impl Resource for Members {
    fn kind(&self) -> Kind {
        Kind::Members
    }

    fn provider(&self) -> String {
        self.0.to_string()
    }

    fn plan_requests(&self, filters: &PushedFilters, needed: &[Column]) -> Vec<Request> {
        let provider = Arc::clone(&self.0);
        let with_roles = needed.contains(&Column::Roles);
        let ids = filters.values(Column::Id);
        match ids_to_get(ids, &self.0.capabilities(), |id| MemberId::new(id)) {
            Some(ids) if ids.is_empty() => Vec::new(),
            Some(ids) => {
                let gets = Gets {
                    provider,
                    ids,
                    with_roles,
                };
                vec![Request::new(gets, filters)]
            }
            None => {
                let list = List {
                    provider,
                    with_roles,
                };
                vec![Request::new(list, filters)]
            }
        }
    }

    async fn count(&self) -> Result<usize> {
        self.0
            .list_members()
            .try_fold(0, |count, _| std::future::ready(Ok(count + 1)))
            .await
    }

    async fn delete(&self, rows: Vec<SelectedRow>, run: WriteRun) -> RowResults {
        let key = |row: &SelectedRow| Some(row.id().to_owned());
        let remove = |row: SelectedRow| async move {
            let id = MemberId::new(row.id())?;
            self.0.remove_member(&id).await
        };
        let removed = for_each_concurrent(&*self.0, rows, run.bulk.clone(), key, remove);
        let results = removed.map(
            |ItemOutcome {
                 item: row, result, ..
             }| {
                let number = row.number;
                let done = |changed| Ok(RowOutcome::new(number, changed));
                run.note(match result {
                    ItemResult::Finished(Ok(())) => done(true),
                    // Somebody else removed the member, or the statement lists the id twice.
                    ItemResult::Duplicate(_) => done(false),
                    ItemResult::Finished(Err(error)) if error.kind() == ErrorKind::NotFound => {
                        done(false)
                    }
                    ItemResult::Finished(Err(error)) => {
                        Err(RowError::from_error(number, row.id(), error))
                    }
                    _ => Err(RowError::not_attempted(number, row.id())),
                })
            },
        );
        results.collect().await
    }
}

/// A get for each of these ids.
#[derive(Debug)]
struct Gets {
    provider: Arc<dyn OrganizationProvider>,
    ids: Vec<MemberId>,
    /// Whether the roles are read too, where the member comes without.
    with_roles: bool,
}

/// A list of all pages.
#[derive(Debug)]
struct List {
    provider: Arc<dyn OrganizationProvider>,
    /// Whether the roles of all are read too, where the members come without.
    with_roles: bool,
}

impl Call for Gets {
    fn rows(&self, limit: Option<usize>) -> BoxStream<'_, Result<BoxRow>> {
        let get = move |id| async move {
            let mut member = self.provider.get_member(id).await?;
            if self.with_roles && member.roles.is_none() {
                member.roles = Some(self.provider.member_roles(id).await?);
            }
            Ok((member.id == *id).then_some(member))
        };
        get_each(&self.ids, limit, get)
            .try_filter_map(|found| std::future::ready(Ok(found.map(boxed))))
            .boxed()
    }
}

impl Call for List {
    fn rows(&self, limit: Option<usize>) -> BoxStream<'_, Result<BoxRow>> {
        let mut members = match limit {
            None => self.provider.list_members(),
            Some(_) => self.provider.list_members_without_prefetch(),
        };
        let rows = try_stream! {
            let mut roles: Option<HashMap<MemberId, Vec<RoleAssignment>>> = None;
            while let Some(member) = members.next().await {
                let mut member = member?;
                if self.with_roles && member.roles.is_none() {
                    let all = match &mut roles {
                        Some(all) => all,
                        None => roles.insert(self.provider.list_member_roles().await?),
                    };
                    member.roles = Some(all.remove(&member.id).unwrap_or_default());
                }
                yield boxed(member);
            }
        };
        rows.boxed()
    }
}

fn boxed(member: Member) -> BoxRow {
    Box::new(member)
}

/// `get u-1, u-2 with roles`
impl fmt::Display for Gets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.ids.iter().map(MemberId::as_str).collect();
        let roles = if self.with_roles { " with roles" } else { "" };
        write!(f, "get {}{roles}", ids.join(", "))
    }
}

/// `list with roles`
impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("list")?;
        f.write_str(if self.with_roles { " with roles" } else { "" })
    }
}

impl Row for Member {
    fn text(&self, column: Column) -> Option<Cow<'_, str>> {
        let text = match column {
            Column::Id => Some(self.id.as_str()),
            Column::Email => Some(self.email.as_str()),
            Column::Name => self.name.as_deref(),
            Column::AuthType => self.auth_type.as_ref().map(|auth_type| auth_type.as_str()),
            Column::LegacyRole => self.legacy_role.as_deref(),
            _ => None,
        };
        text.map(Cow::Borrowed)
    }

    fn time(&self, column: Column) -> Option<DateTime<Utc>> {
        self.joined_at.filter(|_| column == Column::JoinedAt)
    }

    fn roles(&self) -> Option<&[RoleAssignment]> {
        self.roles.as_deref()
    }

    fn extra(&self, _: &[Column]) -> Map<String, Value> {
        self.extra.clone().into()
    }
}
