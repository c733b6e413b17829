//! Invitations as rows.

mod requests;
mod row;

use std::sync::Arc;

use async_trait::async_trait;
use futures::{FutureExt, StreamExt, future::BoxFuture};
use org_invitations::{
    ClickHouse, Confluent, CreateResult, DeleteResult, InvitationId, InvitationProvider,
    InvitationProviderExt, NewInvitation, Result,
};

use super::{BoxRow, Kind, KindSpec, Resource, RowResults};
use crate::{
    columns::Column,
    pushdown::PushedFilters,
    request::Request,
    words,
    write::{InsertedRow, RowError, RowOutcome, SelectedRow, WriteRun},
};

pub(super) const SPEC: KindSpec = KindSpec {
    plural: "invitations",
    scan: "InvitationsExec",
    insert: "CreateInvitations",
    delete: "DeleteInvitations",
    filtered: &[
        Column::Provider,
        Column::Profile,
        Column::Id,
        Column::Email,
        Column::Status,
        Column::User,
        Column::Creator,
    ],
    settable: &[
        Column::Provider,
        Column::Profile,
        Column::Email,
        Column::AuthType,
        Column::Role,
        Column::RoleIds,
    ],
    identity: &[Column::Id],
    address: Some(Column::Email),
    listed: &[Column::Id, Column::Email, Column::Status],
    hint: "use INSERT and DELETE with a condition",
};

use Column::{
    AcceptedAt, ApiVersion, AssignedRoles, AuthType, CreatedAt, Creator, Email, ExpiresAt, Extra,
    Id, Metadata, OrganizationId, Role, RoleIds, Status, User,
};

/// The columns of StackQL's resource, in its order, and two more.
const CONFLUENT: &[Column] = &[
    Id,
    AcceptedAt,
    ApiVersion,
    AuthType,
    Creator,
    Email,
    ExpiresAt,
    Column::Kind,
    Metadata,
    Status,
    User,
    CreatedAt,
    Extra,
];

const CLICKHOUSE: &[Column] = &[
    Id,
    Email,
    Status,
    Role,
    RoleIds,
    AssignedRoles,
    OrganizationId,
    CreatedAt,
    ExpiresAt,
    Extra,
];

/// The fields of the library's `Invitation`.
const ANY: &[Column] = &[
    Id,
    Email,
    Status,
    AuthType,
    Role,
    RoleIds,
    AssignedRoles,
    CreatedAt,
    ExpiresAt,
    AcceptedAt,
    User,
    Creator,
    Extra,
];

pub(super) fn columns(provider: Option<&str>) -> &'static [Column] {
    match provider {
        Some(Confluent::NAME) => CONFLUENT,
        Some(ClickHouse::NAME) => CLICKHOUSE,
        _ => ANY,
    }
}

/// The invitations of one provider.
#[derive(Clone, Debug)]
pub(crate) struct Invitations(pub Arc<dyn InvitationProvider>);

#[async_trait]
impl Resource for Invitations {
    fn kind(&self) -> Kind {
        Kind::Invitations
    }

    fn provider(&self) -> String {
        self.0.to_string()
    }

    fn plan_requests(&self, filters: &PushedFilters, _: &[Column]) -> Vec<Request> {
        requests::plan(&self.0, filters)
    }

    async fn count(&self) -> Result<usize> {
        self.0.count_removable().await
    }

    async fn insert<'a>(
        &'a self,
        rows: Vec<InsertedRow>,
        run: WriteRun,
    ) -> std::result::Result<BoxFuture<'a, RowResults>, Vec<RowError>> {
        let numbers: Vec<usize> = rows.iter().map(|row| row.number).collect();
        let (mut new, mut errors) = (Vec::new(), Vec::new());
        for row in rows {
            match new_invitation(&row) {
                Ok(invitation) => new.push(invitation),
                Err(reason) => errors.push(row.error(reason)),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let outcomes = self.0.create_many(new, run.bulk.clone());
        let results = outcomes.map(move |outcome| {
            let number = numbers[outcome.index];
            let email = outcome.new.email;
            run.note(match outcome.result {
                CreateResult::Created(invitation) => Ok(RowOutcome {
                    row: run.keeps_rows.then_some(invitation as BoxRow),
                    ..RowOutcome::new(number, true)
                }),
                CreateResult::AlreadyExists(error) | CreateResult::Failed(error) => {
                    Err(RowError::from_error(number, email, error))
                }
                CreateResult::Duplicate(first) => {
                    let reason = format!("the same address as row {}", numbers[first]);
                    Err(RowError::new(number, email, reason))
                }
                _ => Err(RowError::not_attempted(number, email)),
            })
        });
        Ok(results.collect().boxed())
    }

    async fn delete(&self, rows: Vec<SelectedRow>, run: WriteRun) -> RowResults {
        let (mut numbers, mut ids, mut results) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            match InvitationId::new(row.id()) {
                Ok(id) => {
                    numbers.push(row.number);
                    ids.push(id);
                }
                Err(error) => results.push(Err(RowError::from_error(row.number, row.id(), error))),
            }
        }
        let mut outcomes = self.0.delete_many(ids, run.bulk.clone());
        while let Some(outcome) = outcomes.next().await {
            let (number, id) = (numbers[outcome.index], outcome.id.to_string());
            results.push(run.note(match outcome.result {
                DeleteResult::Deleted => Ok(RowOutcome::new(number, true)),
                // Another client deleted the invitation, or the statement lists it twice.
                DeleteResult::NotFound | DeleteResult::Duplicate(_) => {
                    Ok(RowOutcome::new(number, false))
                }
                DeleteResult::Failed(error) => Err(RowError::from_error(number, id, error)),
                _ => Err(RowError::not_attempted(number, id)),
            }));
        }
        results
    }
}

/// The invitation that a row asks for, or why there is none.
fn new_invitation(row: &InsertedRow) -> std::result::Result<NewInvitation, String> {
    let Some(email) = row.text(Email) else {
        return Err("it has no email".to_owned());
    };
    let mut new = NewInvitation::new(email);
    if let Some(auth_type) = row.text(AuthType) {
        new = new.auth_type(words::own(AuthType, auth_type).unwrap_or(auth_type).into());
    }
    match (row.text(Role), row.texts(RoleIds)) {
        (Some(_), Some(_)) => return Err("it has both `role` and `role_ids`".to_owned()),
        (Some(role), None) => new = new.legacy_role(role),
        (None, Some(ids)) => new = new.roles(ids),
        (None, None) => {}
    }
    new.validate()
        .map_err(|error| error.message().to_owned())
        .map(|()| new)
}
