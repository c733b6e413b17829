//! Roles that are given and taken. All changes of one member are one piece of work, because ClickHouse writes the roles
//! of a member as a whole.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures::StreamExt;
use org_invitations::{
    Error, ErrorKind, MemberId, MemberProviderExt, NewInvitation, Operation, OrganizationProvider,
    Result, RoleAssignment, RoleFailure, RoleGrant, normalize_email,
};

use crate::{
    columns::Column,
    write::{InsertedRow, RowError, SelectedRow},
};

/// A role to give.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub number: usize,
    /// What errors call the row.
    pub target: String,
    grant: RoleGrant,
}

/// Who is to have a role.
enum Who {
    Id(MemberId),
    /// The normalised address.
    Email(String),
}

/// The roles to give to each member: checked, also by the provider, before anything is changed.
pub(super) async fn grants(
    provider: &dyn OrganizationProvider,
    rows: Vec<InsertedRow>,
) -> std::result::Result<BTreeMap<MemberId, Vec<Grant>>, Vec<RowError>> {
    let (mut parsed, mut errors) = (Vec::new(), Vec::new());
    for row in rows {
        match parse(&row) {
            Ok(asked) => parsed.push((row, asked)),
            Err(reason) => errors.push(row.error(reason)),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let members = match parsed
        .iter()
        .any(|(_, (who, _))| matches!(who, Who::Email(_)))
    {
        true => members_by_email(provider).await,
        false => Ok(HashMap::new()),
    };
    let members = members.map_err(|error| whole(&parsed, error))?;
    let wrong = wrong_grants(provider, &parsed).await;
    let mut by_member: BTreeMap<MemberId, Vec<Grant>> = BTreeMap::new();
    for (row, (who, grant)) in parsed {
        let member = match who {
            Who::Id(id) => id,
            Who::Email(email) => match members.get(&email) {
                Some(id) => id.clone(),
                None => {
                    let reason = "no member has this address; give `member_id` if the person is \
                                  invited and has not accepted";
                    errors.push(row.error(reason));
                    continue;
                }
            },
        };
        if let Some(error) = wrong.get(&grant) {
            errors.push(RowError::from_error(
                row.number,
                row.target(),
                error.clone(),
            ));
            continue;
        }
        by_member.entry(member).or_default().push(Grant {
            number: row.number,
            target: row.target().to_owned(),
            grant,
        });
    }
    match errors.is_empty() {
        true => Ok(by_member),
        false => Err(errors),
    }
}

/// Who is to have which role, or why a row does not say.
fn parse(row: &InsertedRow) -> std::result::Result<(Who, RoleGrant), String> {
    let reason = |error: Error| error.message().to_owned();
    let who = match (row.text(Column::MemberId), row.text(Column::Email)) {
        (Some(_), Some(_)) => return Err("it has both `member_id` and `email`".to_owned()),
        (Some(id), None) => Who::Id(MemberId::new(id).map_err(reason)?),
        (None, Some(email)) => Who::Email(normalize_email(email)),
        (None, None) => return Err("it has neither `member_id` nor `email`".to_owned()),
    };
    let mut grant = match (row.text(Column::RoleId), row.text(Column::RoleName)) {
        (Some(_), Some(_)) => return Err("it has both `role_id` and `role_name`".to_owned()),
        (Some(role), None) | (None, Some(role)) => RoleGrant::new(role),
        (None, None) => return Err("it has neither `role_id` nor `role_name`".to_owned()),
    };
    grant.scope = row.text(Column::Scope).map(str::to_owned);
    grant.validate().map_err(reason)?;
    Ok((who, grant))
}

/// Reads the members, for their addresses.
async fn members_by_email(
    provider: &dyn OrganizationProvider,
) -> Result<HashMap<String, MemberId>> {
    let mut members = HashMap::new();
    let mut list = provider.list_members();
    while let Some(member) = list.next().await {
        let member = member?;
        members.insert(normalize_email(&member.email), member.id);
    }
    Ok(members)
}

/// The grants whose role or scope the provider does not have, as it checks those of an invitation. Changes nothing.
async fn wrong_grants(
    provider: &dyn OrganizationProvider,
    rows: &[(InsertedRow, (Who, RoleGrant))],
) -> HashMap<RoleGrant, Error> {
    let grants: HashSet<&RoleGrant> = rows.iter().map(|(_, (_, grant))| grant).collect();
    let anybody = NewInvitation::new("anybody@example.com");
    let together = anybody.clone().roles(grants.iter().copied());
    let mut wrong = HashMap::new();
    // One check of all is cheaper, but does not say which are wrong.
    if provider.check(&together).await.is_err() {
        for grant in grants {
            if let Err(error) = provider.check(&anybody.clone().roles([grant])).await {
                wrong.insert(grant.clone(), error);
            }
        }
    }
    wrong
}

/// The same error for every row.
fn whole<T>(rows: &[(InsertedRow, T)], error: Error) -> Vec<RowError> {
    let failed =
        |(row, _): &(InsertedRow, T)| RowError::from_error(row.number, row.target(), error.clone());
    rows.iter().map(failed).collect()
}

/// Gives a member roles. A role that is there already is success.
pub(super) async fn grant(
    provider: &dyn OrganizationProvider,
    member: &MemberId,
    grants: &[Grant],
) -> Result<Vec<Result<bool>>> {
    let asked: Vec<RoleGrant> = grants.iter().map(|row| row.grant.clone()).collect();
    let change = provider.grant_roles(member, &asked).await?;
    let result = |asked: &RoleGrant| {
        let failure = change.failed.iter().find(|failed| is_about(failed, asked));
        failure.map_or(Ok(true), |failed| Err(failed.error.clone()))
    };
    Ok(asked.iter().map(result).collect())
}

/// Whether a failure is about a grant. One scope may be written in two ways, so that a short and a whole one count as
/// the same.
fn is_about(failure: &RoleFailure, asked: &RoleGrant) -> bool {
    let is_whole = |grant: &RoleGrant| {
        let scope = grant.scope.as_ref();
        scope.is_some_and(|scope| scope.starts_with("crn://"))
    };
    let failed = &failure.grant;
    failed.role == asked.role
        && (failed.scope == asked.scope || is_whole(failed) != is_whole(asked))
}

/// Takes roles from a member: reads what the member has now, and sets what is left. A role that is not there any more
/// is `false`.
pub(super) async fn take(
    provider: &dyn OrganizationProvider,
    member: &MemberId,
    rows: &[SelectedRow],
) -> Result<Vec<Result<bool>>> {
    let present = match provider.member_roles(member).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        outcome => outcome?,
    };
    let is_taken = |role: &&RoleAssignment| rows.iter().any(|row| is_same(row, role));
    let (taken, left): (Vec<_>, Vec<_>) = present.iter().partition(is_taken);
    if taken.is_empty() {
        return Ok(rows.iter().map(|_| Ok(false)).collect());
    }
    let left: Option<Vec<RoleGrant>> = left.into_iter().map(RoleAssignment::grant).collect();
    let Some(left) = left else {
        let why = "a role of the member is reported without id and name, so that it would be taken \
                   too; nothing was changed";
        let error = Error::new(ErrorKind::Unsupported, Operation::RevokeRole, why);
        return Err(error.with_target(member.as_str()));
    };
    let change = provider.set_roles(member, &left).await?;
    let result = |row: &SelectedRow| {
        if !taken.iter().any(|role| is_same(row, role)) {
            return Ok(false);
        }
        let failed = change.failed.iter();
        let mut failed = failed.filter(|_| !change.removed.iter().any(|role| is_same(row, role)));
        failed
            .next()
            .map_or(Ok(true), |failed| Err(failed.error.clone()))
    };
    Ok(rows.iter().map(result).collect())
}

/// Whether a row is about this role: by the id of the binding, or else by role and scope.
fn is_same(row: &SelectedRow, role: &RoleAssignment) -> bool {
    let [_, id, name, scope, binding] = &row.values[..] else {
        return false;
    };
    if let (Some(one), Some(other)) = (binding, &role.binding_id) {
        return one == other;
    }
    let same_role = match (id, &role.id) {
        (Some(one), Some(other)) => one == other,
        _ => *name == role.name,
    };
    same_role && *scope == role.scope
}
