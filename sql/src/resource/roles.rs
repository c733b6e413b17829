//! The roles that an organisation has, as rows.

use std::{borrow::Cow, fmt, sync::Arc};

use async_stream::try_stream;
use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use org_invitations::{MemberProvider, OrganizationProvider, Result, Role};
use serde_json::{Map, Value};

use super::{BoxRow, Kind, KindSpec, Resource, Row};
use crate::{
    columns::Column,
    pushdown::PushedFilters,
    request::{Call, Request},
};

pub(super) const SPEC: KindSpec = KindSpec {
    plural: "roles",
    scan: "RolesExec",
    insert: "InsertRoles",
    delete: "DeleteRoles",
    filtered: &[
        Column::Provider,
        Column::Profile,
        Column::Id,
        Column::Name,
        Column::Kind,
    ],
    settable: &[],
    identity: &[],
    address: None,
    listed: &[],
    hint: "the table is read-only; INSERT INTO and DELETE FROM role_bindings change who has a role",
};

pub(super) const COLUMNS: &[Column] = &[Column::Id, Column::Name, Column::Kind, Column::Extra];

/// The roles of one organisation.
#[derive(Clone, Debug)]
pub(crate) struct Roles(pub Arc<dyn OrganizationProvider>);

#[async_trait]
impl Resource for Roles {
    fn kind(&self) -> Kind {
        Kind::Roles
    }

    fn provider(&self) -> String {
        self.0.to_string()
    }

    fn plan_requests(&self, filters: &PushedFilters, _: &[Column]) -> Vec<Request> {
        vec![Request::new(List(Arc::clone(&self.0)), filters)]
    }

    async fn count(&self) -> Result<usize> {
        Ok(self.0.list_roles().await?.len())
    }
}

/// The list of all roles, which no provider filters.
#[derive(Debug)]
struct List(Arc<dyn OrganizationProvider>);

impl Call for List {
    fn rows(&self, _: Option<usize>) -> BoxStream<'_, Result<BoxRow>> {
        let rows = try_stream! {
            for role in self.0.list_roles().await? {
                let row: BoxRow = Box::new(role);
                yield row;
            }
        };
        rows.boxed()
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("list")
    }
}

impl Row for Role {
    fn text(&self, column: Column) -> Option<Cow<'_, str>> {
        let text = match column {
            Column::Id => Some(self.id.as_str()),
            Column::Name => self.name.as_deref(),
            Column::Kind => self.kind.as_ref().map(|kind| kind.as_str()),
            _ => None,
        };
        text.map(Cow::Borrowed)
    }

    fn extra(&self, _: &[Column]) -> Map<String, Value> {
        self.extra.clone().into()
    }
}
