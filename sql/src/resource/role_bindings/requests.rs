//! The requests that find the roles of members.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use async_stream::try_stream;
use futures::{
    StreamExt,
    stream::{self, BoxStream, TryStreamExt},
};
use org_invitations::{
    ErrorKind, InvitationProvider, MemberId, MemberProvider, MemberProviderExt,
    OrganizationProvider, Result, RoleAssignment,
};

use super::Binding;
use crate::{
    columns::Column,
    pushdown::PushedFilters,
    request::{Call, Request, get_each, ids_to_get},
    resource::BoxRow,
};

/// Returns requests that find every matching role once. Addresses are read only if they are needed.
pub(super) fn plan(
    provider: &Arc<dyn OrganizationProvider>,
    filters: &PushedFilters,
    needed: &[Column],
) -> Vec<Request> {
    let provider = Arc::clone(provider);
    let with_emails = needed.contains(&Column::Email);
    let ids = filters.values(Column::MemberId);
    match ids_to_get(ids, &provider.capabilities(), |id| MemberId::new(id)) {
        Some(ids) if ids.is_empty() => Vec::new(),
        Some(ids) => {
            let gets = Gets {
                provider,
                ids,
                with_emails,
            };
            vec![Request::new(gets, filters)]
        }
        None => {
            let list = List {
                provider,
                with_emails,
            };
            vec![Request::new(list, filters)]
        }
    }
}

/// The roles of each of these members.
#[derive(Debug)]
struct Gets {
    provider: Arc<dyn OrganizationProvider>,
    ids: Vec<MemberId>,
    with_emails: bool,
}

/// The roles of everybody.
#[derive(Debug)]
struct List {
    provider: Arc<dyn OrganizationProvider>,
    with_emails: bool,
}

impl Call for Gets {
    fn rows(&self, limit: Option<usize>) -> BoxStream<'_, Result<BoxRow>> {
        let get = move |id| async move {
            let (mut email, mut roles) = (None, None);
            if self.with_emails {
                match self.provider.get_member(id).await {
                    Ok(member) if member.id == *id => {
                        (email, roles) = (Some(member.email), member.roles);
                    }
                    Ok(_) => {}
                    // Somebody who is only invited may have roles.
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
            let roles = match roles {
                Some(roles) => roles,
                None => self.provider.member_roles(id).await?,
            };
            Ok(rows(id, email.as_deref(), roles))
        };
        get_each(&self.ids, limit, get)
            .map_ok(|rows| stream::iter(rows.into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }
}

impl Call for List {
    fn rows(&self, _: Option<usize>) -> BoxStream<'_, Result<BoxRow>> {
        let all = try_stream! {
            let (mut emails, mut known) = (HashMap::new(), Some(HashMap::new()));
            if self.with_emails {
                let mut members = self.provider.list_members();
                while let Some(member) = members.next().await {
                    let member = member?;
                    known = known.zip(member.roles).map(|(mut known, roles)| {
                        known.insert(member.id.clone(), roles);
                        known
                    });
                    emails.insert(member.id, member.email);
                }
            }
            // The list of members has the roles, or else a list of its own.
            let roles: BTreeMap<MemberId, Vec<RoleAssignment>> = match known {
                Some(known) if !emails.is_empty() => known.into_iter().collect(),
                _ => self.provider.list_member_roles().await?.into_iter().collect(),
            };
            for (id, roles) in roles {
                for row in rows(&id, emails.get(&id).map(String::as_str), roles) {
                    yield row;
                }
            }
        };
        all.boxed()
    }
}

fn rows(member: &MemberId, email: Option<&str>, roles: Vec<RoleAssignment>) -> Vec<BoxRow> {
    let row = |role| -> BoxRow {
        Box::new(Binding {
            member: member.clone(),
            email: email.map(str::to_owned),
            role,
        })
    };
    roles.into_iter().map(row).collect()
}

/// `roles of u-1, u-2 with emails`
impl fmt::Display for Gets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.ids.iter().map(MemberId::as_str).collect();
        let emails = if self.with_emails { " with emails" } else { "" };
        write!(f, "roles of {}{emails}", ids.join(", "))
    }
}

/// `list with emails`
impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("list")?;
        f.write_str(if self.with_emails { " with emails" } else { "" })
    }
}
