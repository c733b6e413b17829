//! An organisation that a plan names, and that the process which reads its rows finds in its own configuration.

use std::{fmt, sync::Arc};

use async_stream::try_stream;
use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use org_invitations::{Error, ErrorKind, Operation, OrganizationProvider, Result};

use super::Organizations;
use crate::{
    columns::{Column, ProviderInfo},
    pushdown::PushedFilters,
    request::{Call, Request},
    resource::{BoxRow, Invitations, Kind, Members, Resource, RoleBindings, Roles},
};

/// The rows of an organisation, by its name.
#[derive(Clone, Debug)]
pub(super) struct NamedOrganization {
    kind: Kind,
    info: ProviderInfo,
    organizations: Option<Arc<dyn Organizations>>,
}

impl NamedOrganization {
    pub fn new(
        kind: Kind,
        info: &ProviderInfo,
        organizations: Option<&Arc<dyn Organizations>>,
    ) -> Self {
        Self {
            kind,
            info: info.clone(),
            organizations: organizations.cloned(),
        }
    }

    fn find(&self) -> Result<Box<dyn Resource>> {
        let info = &self.info;
        let Some(organizations) = &self.organizations else {
            return Err(unknown(format!(
                "this process plans statements, and has no credentials to read {info} with"
            )));
        };
        let found = organizations.organization(&info.label, info.profile.as_deref())?;
        let provider: Arc<dyn OrganizationProvider> = found.ok_or_else(|| {
            unknown(format!(
                "the plan names {info}, which the configuration of this process does not have"
            ))
        })?;
        Ok(match self.kind {
            Kind::Invitations => Box::new(Invitations(provider)),
            Kind::Members => Box::new(Members(provider)),
            Kind::Roles => Box::new(Roles(provider)),
            Kind::RoleBindings => Box::new(RoleBindings(provider)),
        })
    }
}

fn unknown(message: String) -> Error {
    Error::new(ErrorKind::Config, Operation::Configure, message)
}

#[async_trait]
impl Resource for NamedOrganization {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn provider(&self) -> String {
        self.info.label.clone()
    }

    fn plan_requests(&self, filters: &PushedFilters, needed: &[Column]) -> Vec<Request> {
        let call = NamedCall {
            organization: self.clone(),
            filters: filters.clone(),
            needed: needed.to_vec(),
        };
        vec![Request::new(call, filters)]
    }

    fn is_elsewhere(&self) -> bool {
        true
    }

    async fn count(&self) -> Result<usize> {
        self.find()?.count().await
    }
}

/// The requests that the organisation plans once it is found.
#[derive(Debug)]
struct NamedCall {
    organization: NamedOrganization,
    filters: PushedFilters,
    needed: Vec<Column>,
}

impl Call for NamedCall {
    fn rows(&self, limit: Option<usize>) -> BoxStream<'_, Result<BoxRow>> {
        let rows = try_stream! {
            let resource = self.organization.find()?;
            for request in resource.plan_requests(&self.filters, &self.needed) {
                let mut rows = request.call.rows(limit);
                while let Some(row) = rows.next().await {
                    let row = row?;
                    if request.filters.matches(&*row) {
                        yield row;
                    }
                }
            }
        };
        rows.boxed()
    }
}

/// `by name`
impl fmt::Display for NamedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("by name")
    }
}
