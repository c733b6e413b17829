//! ClickHouse's organisations, and the keys that act for them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::activities::Activities;
use super::{Details, roles};
use crate::config::normalize::{
    check_emails, check_unique, first_or_default, merge_first, organization_id,
};
use crate::config::{ClickHouseKey, ClickHouseOrganization, CustomRole};
use crate::credentials::Credentials;
use crate::invitations::Invitations;
use crate::members::Members;

/// An organisation and its people. Id and keys are fixed when a sandbox starts.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Organization {
    pub(super) id: String,
    pub(super) keys: Vec<ClickHouseKey>,
    pub(super) custom_roles: Vec<CustomRole>,
    pub(super) invitations: Invitations<Details>,
    pub(super) members: Members<Details>,
    pub(super) activities: Activities,
}

/// The configured organisations, one at least. The first one's id and first key are those of the credentials, which
/// get the id in hyphenated lower case.
///
/// # Errors
///
/// An id is not a uuid, or something that must be unique appears twice.
pub(super) fn organizations(
    mut configured: Vec<ClickHouseOrganization>,
    credentials: &mut Credentials,
) -> Result<Vec<Organization>, String> {
    let known = &mut credentials.clickhouse;
    let first = first_or_default(&mut configured);
    first.id = Some(known.organization_id.clone());
    let key = ClickHouseKey::new(known.api_key.clone(), known.api_secret.clone());
    merge_first(&mut first.keys, key, |key, configured| {
        key.rights(configured.rights)
    });
    let organizations = configured
        .into_iter()
        .map(|it| {
            check_members(&it)?;
            Ok(Organization {
                id: organization_id(it.id)?,
                keys: it.keys,
                custom_roles: it.custom_roles,
                invitations: Invitations::default(),
                members: Members::default(),
                activities: Activities::default(),
            })
        })
        .collect::<Result<Vec<_>, String>>()?;
    check(&organizations)?;
    if let Some(first) = organizations.first() {
        known.organization_id.clone_from(&first.id);
    }
    Ok(organizations)
}

/// Checks that the configured members can be added.
fn check_members(configured: &ClickHouseOrganization) -> Result<(), String> {
    let members = || configured.members.iter();
    let ids: Vec<String> = members().filter_map(|it| it.id.clone()).collect();
    check_emails(members().map(|it| it.email.as_str()))?;
    check_unique("member", ids.iter())?;
    if let Some(id) = ids.iter().find(|id| !is_canonical_uuid(id)) {
        return Err(format!(
            "the member {id:?} is not a uuid in hyphenated lower case"
        ));
    }
    let role_ids = members().flat_map(|it| &it.role_ids);
    for id in role_ids {
        if roles::by_id(id, &configured.custom_roles).is_none() {
            return Err(format!("no role has the id {id:?}"));
        }
    }
    Ok(())
}

fn is_canonical_uuid(text: &str) -> bool {
    Uuid::try_parse(text).is_ok_and(|uuid| uuid.to_string() == text)
}

fn check(organizations: &[Organization]) -> Result<(), String> {
    let keys = organizations.iter().flat_map(|it| &it.keys);
    check_unique("organisation", organizations.iter().map(|it| &it.id))?;
    check_unique("API key", keys.map(|key| &key.api_key))?;
    organizations
        .iter()
        .try_for_each(|it| roles::check(&it.custom_roles))
}
