//! The roles of the organisation.

use std::collections::BTreeMap;

use reqwest::StatusCode;

use crate::{
    bindings::clickhouse::offers,
    clickhouse::{ClickHouse, convert},
    error::{Error, ErrorKind, Operation, Result, excerpt},
    extra::Extra,
    invitation::{NewInvitation, Roles},
};

impl ClickHouse {
    /// Fails if the organisation does not have a role of the invitation.
    pub(super) async fn check_roles(&self, new: &NewInvitation) -> Result<()> {
        let Some(Roles::Ids(requested)) = &new.roles else {
            return Ok(());
        };
        if requested.is_empty() {
            return Ok(());
        }
        let Some(roles) = self.roles().await else {
            return Ok(());
        };
        let Some(unknown) = requested.iter().find(|id| !roles.contains_key(*id)) else {
            return Ok(());
        };
        let by_name = roles.iter().find(|(_, name)| *name == unknown);
        let unknown = excerpt(unknown);
        let message = match by_name {
            Some((id, _)) => {
                format!("{unknown:?} is the name of a role; its id is {id}")
            }
            None => {
                let known = roles.iter().map(|(id, name)| format!("{id} ({name})"));
                let known = known.take(20).collect::<Vec<_>>().join(", ");
                format!("the organisation has no role with the id {unknown:?}; it has {known}")
            }
        };
        let error = Error::new(ErrorKind::InvalidInput, Operation::Create, message);
        Err(error.with_provider(Self::NAME).with_target(&new.email))
    }

    /// The names of all roles by id; `None` if the document does not offer the list, the key may not read it, or a part of
    /// it cannot be decoded.
    async fn roles(&self) -> Option<BTreeMap<String, String>> {
        if !offers::ORGANIZATION_ROLES_GET_LIST {
            return None;
        }
        let context = self.context(Operation::List, None);
        let api = self.api.within(&context.call);
        let request = api.organization_roles_get_list();
        let sent = request.organization_id(&*self.organization).send().await;
        let success = context.outcome(sent).ok()?;
        let list = (success.reply.status == StatusCode::OK).then_some(success.value)?;
        let list = list.ok()?;
        let rest = Extra::from(list.extra);
        if convert::cursor_in(&rest).is_some() {
            return None;
        }
        let known = list.result?.into_iter();
        let known: Option<BTreeMap<_, _>> = known
            .map(|role| Some((role.id?, role.name.unwrap_or_default())))
            .collect();
        known.filter(|known| !known.is_empty())
    }
}
