//! Roles of members as rows: one for each role that somebody has, in each scope.

mod changes;
mod requests;

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use futures::{FutureExt, StreamExt, future::BoxFuture};
use org_invitations::{
    ItemOutcome, ItemResult, MemberId, MemberProvider, OrganizationProvider, Result,
    RoleAssignment, for_each_concurrent,
};
use serde_json::{Map, Value};

use super::{Kind, KindSpec, Resource, Row, RowResults};
use crate::{
    columns::Column,
    pushdown::PushedFilters,
    request::Request,
    write::{InsertedRow, RowError, RowOutcome, SelectedRow, WriteRun},
};

pub(super) const SPEC: KindSpec = KindSpec {
    plural: "role bindings",
    scan: "RoleBindingsExec",
    insert: "GrantRoles",
    delete: "RevokeRoles",
    filtered: &[
        Column::Provider,
        Column::Profile,
        Column::MemberId,
        Column::Email,
        Column::RoleId,
        Column::RoleName,
        Column::RoleKind,
        Column::Scope,
        Column::BindingId,
    ],
    settable: &[
        Column::Provider,
        Column::Profile,
        Column::MemberId,
        Column::Email,
        Column::RoleId,
        Column::RoleName,
        Column::Scope,
    ],
    identity: &[
        Column::MemberId,
        Column::RoleId,
        Column::RoleName,
        Column::Scope,
        Column::BindingId,
    ],
    // The address costs a list of members.
    address: None,
    listed: &[
        Column::MemberId,
        Column::Email,
        Column::RoleId,
        Column::RoleName,
        Column::Scope,
    ],
    hint: "use INSERT and DELETE with a condition",
};

pub(super) const COLUMNS: &[Column] = &[
    Column::MemberId,
    Column::Email,
    Column::RoleId,
    Column::RoleName,
    Column::RoleKind,
    Column::Scope,
    Column::BindingId,
    Column::Extra,
];

/// The roles of the members of one organisation.
#[derive(Clone, Debug)]
pub(crate) struct RoleBindings(pub Arc<dyn OrganizationProvider>);

/// A role that somebody has.
struct Binding {
    member: MemberId,
    /// The address, if it is needed and known.
    email: Option<String>,
    role: RoleAssignment,
}

#[async_trait]
impl Resource for RoleBindings {
    fn kind(&self) -> Kind {
        Kind::RoleBindings
    }

    fn provider(&self) -> String {
        self.0.to_string()
    }

    fn plan_requests(&self, filters: &PushedFilters, needed: &[Column]) -> Vec<Request> {
        requests::plan(&self.0, filters, needed)
    }

    async fn count(&self) -> Result<usize> {
        let roles = self.0.list_member_roles().await?;
        Ok(roles.values().map(Vec::len).sum())
    }

    async fn insert<'a>(
        &'a self,
        rows: Vec<InsertedRow>,
        run: WriteRun,
    ) -> std::result::Result<BoxFuture<'a, RowResults>, Vec<RowError>> {
        let provider = &*self.0;
        let by_member = changes::grants(provider, rows).await?;
        let key = |(member, _): &(MemberId, Vec<changes::Grant>)| Some(member.to_string());
        let grant = move |(member, grants): (MemberId, Vec<changes::Grant>)| async move {
            changes::grant(provider, &member, &grants).await
        };
        let granted = for_each_concurrent(provider, by_member, run.bulk.clone(), key, grant);
        Ok(granted
            .flat_map(
                move |ItemOutcome {
                          item: (_, grants),
                          result,
                          ..
                      }| {
                    let rows = grants.into_iter().map(|grant| (grant.number, grant.target));
                    futures::stream::iter(row_results(&run, rows, result))
                },
            )
            .collect()
            .boxed())
    }

    async fn delete(&self, rows: Vec<SelectedRow>, run: WriteRun) -> RowResults {
        let provider = &*self.0;
        let mut results = Vec::new();
        let mut by_member: BTreeMap<MemberId, Vec<SelectedRow>> = BTreeMap::new();
        for row in rows {
            match MemberId::new(row.id()) {
                Ok(member) => by_member.entry(member).or_default().push(row),
                Err(error) => results.push(Err(RowError::from_error(row.number, row.id(), error))),
            }
        }
        let key = |(member, _): &(MemberId, Vec<SelectedRow>)| Some(member.to_string());
        let take = move |(member, rows): (MemberId, Vec<SelectedRow>)| async move {
            changes::take(provider, &member, &rows).await
        };
        let mut taken = for_each_concurrent(provider, by_member, run.bulk.clone(), key, take);
        while let Some(outcome) = taken.next().await {
            let ItemOutcome {
                item: (member, rows),
                result,
                ..
            } = outcome;
            let rows = rows.iter().map(|row| (row.number, member.to_string()));
            results.extend(row_results(&run, rows, result));
        }
        results
    }
}

/// The results of the rows of one member, in their order.
fn row_results(
    run: &WriteRun,
    rows: impl Iterator<Item = (usize, String)>,
    result: ItemResult<Vec<Result<bool>>>,
) -> RowResults {
    let results: RowResults = match result {
        ItemResult::Finished(Ok(results)) => rows
            .zip(results)
            .map(|((number, target), result)| match result {
                Ok(changed) => Ok(RowOutcome::new(number, changed)),
                Err(error) => Err(RowError::from_error(number, target, error)),
            })
            .collect(),
        ItemResult::Finished(Err(error)) => rows
            .map(|(number, target)| Err(RowError::from_error(number, target, error.clone())))
            .collect(),
        // Every member is one item.
        _ => rows
            .map(|(number, target)| Err(RowError::not_attempted(number, target)))
            .collect(),
    };
    results.into_iter().map(|result| run.note(result)).collect()
}

impl Row for Binding {
    fn text(&self, column: Column) -> Option<Cow<'_, str>> {
        let text = match column {
            Column::MemberId => Some(self.member.as_str()),
            Column::Email => self.email.as_deref(),
            Column::RoleId => self.role.id.as_deref(),
            Column::RoleName => self.role.name.as_deref(),
            Column::RoleKind => self.role.kind.as_ref().map(|kind| kind.as_str()),
            Column::Scope => self.role.scope.as_deref(),
            Column::BindingId => self.role.binding_id.as_deref(),
            _ => None,
        };
        text.map(Cow::Borrowed)
    }

    fn extra(&self, _: &[Column]) -> Map<String, Value> {
        self.role.extra.clone().into()
    }
}
