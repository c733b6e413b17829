//! Members of the organisation and their roles.

use std::collections::HashMap;

use async_trait::async_trait;

use crate::{
    api_key::ApiKey,
    bindings::clickhouse::{offers, types},
    clickhouse::{ClickHouse, convert},
    decode::{ListBody, ObjectText, PropertyText, extra_of, is_ambiguous, parse, split, time_of},
    error::{ErrorKind, Operation, Result},
    http::Reply,
    invitation::RoleAssignment,
    list::{Page, PageToken},
    member::{Member, MemberId, MemberProvider, MembershipEvent},
    operation::OperationContext,
    reconcile::reconcile_delete,
    role::{Role, RoleChange, RoleGrant},
};

/// The properties of a member that the facade has fields for.
const FIELDS: &[&str] = &[
    "assignedRoles",
    "email",
    "joinedAt",
    "name",
    "role",
    "userId",
];

#[async_trait]
impl MemberProvider for ClickHouse {
    /// `GET /v1/organizations/{organizationId}/members`, which sends everything at once.
    async fn list_members_page(&self, token: Option<&PageToken>) -> Result<Page<Member>> {
        let context = self.context(Operation::ListMembers, None);
        context.require_supported(offers::MEMBER_GET_LIST, "list of members")?;
        if token.is_some() {
            let wrong = "invalid page token: not issued by this provider";
            return Err(context.error(ErrorKind::InvalidInput, wrong));
        }
        let api = self.api.within(&context.call);
        let request = api.member_get_list().organization_id(&*self.organization);
        let sent = context.reply(request.send().await);
        page(&context, &sent?)
    }

    /// `GET /v1/organizations/{organizationId}/members/{userId}`
    async fn get_member(&self, id: &MemberId) -> Result<Member> {
        let context = self.context(Operation::GetMember, Some(id.as_str()));
        context.require_supported(offers::MEMBER_GET, "member")?;
        let api = self.api.within(&context.call);
        let request = api.member_get().organization_id(&*self.organization);
        let sent = request.user_id(id.as_str()).send().await;
        one(&context, context.reply(sent), id)
    }

    /// Those of [`get_member`](MemberProvider::get_member).
    async fn member_roles(&self, id: &MemberId) -> Result<Vec<RoleAssignment>> {
        let member = self.get_member(id).await?;
        member.roles.ok_or_else(|| {
            let context = self.context(Operation::ListRoles, Some(id.as_str()));
            context.error(
                ErrorKind::Decode,
                "the answer does not say which roles the member has",
            )
        })
    }

    /// `GET /v1/organizations/{organizationId}/activities`
    async fn membership_events(&self, email: &str) -> Result<Vec<MembershipEvent>> {
        self.membership_events_of(email).await
    }

    /// `GET /v1/organizations/{organizationId}/members`, without those of whom it has only the deprecated role.
    async fn list_member_roles(&self) -> Result<HashMap<MemberId, Vec<RoleAssignment>>> {
        let page = self.list_members_page(None).await?;
        let member = |member: Result<Member>| match member {
            Ok(member) => member.roles.map(|roles| Ok((member.id, roles))),
            Err(error) => Some(Err(error)),
        };
        page.items.into_iter().filter_map(member).collect()
    }

    /// `PATCH /v1/organizations/{organizationId}/members/{userId}` with `assignedRoleIds`.
    async fn grant_roles(&self, id: &MemberId, grants: &[RoleGrant]) -> Result<RoleChange> {
        self.change_roles(id, grants, false).await
    }

    /// `PATCH /v1/organizations/{organizationId}/members/{userId}` with `assignedRoleIds`.
    async fn set_roles(&self, id: &MemberId, grants: &[RoleGrant]) -> Result<RoleChange> {
        self.change_roles(id, grants, true).await
    }

    /// `DELETE /v1/organizations/{organizationId}/members/{userId}`
    async fn remove_member(&self, id: &MemberId) -> Result<()> {
        let context = self.context(Operation::RemoveMember, Some(id.as_str()));
        context.require_supported(offers::MEMBER_DELETE, "removal of members")?;
        let api = self.api.within(&context.call);
        let request = api.member_delete().organization_id(&*self.organization);
        let reply = context.reply(request.user_id(id.as_str()).send().await);
        reconcile_delete(&context, reply)
    }

    async fn list_roles(&self) -> Result<Vec<Role>> {
        self.roles_list().await
    }

    async fn api_keys(&self, member: &MemberId) -> Result<Vec<ApiKey>> {
        let context = self.context(Operation::ListApiKeys, Some(member.as_str()));
        context.unsupported("API keys of members")
    }

    async fn key_owner(&self) -> Result<Option<MemberId>> {
        Ok(None)
    }

    async fn key_roles(&self) -> Result<Option<Vec<RoleAssignment>>> {
        Ok(None)
    }
}

impl ClickHouse {
    /// Writes the roles of a member as a whole: those that are granted, and the present ones unless they are `replaced`.
    async fn change_roles(
        &self,
        id: &MemberId,
        grants: &[RoleGrant],
        replaced: bool,
    ) -> Result<RoleChange> {
        let context = self.context(Operation::GrantRole, Some(id.as_str()));
        context.require_supported(offers::MEMBER_UPDATE, "roles of members")?;
        let granted = self.role_ids(&context, grants).await?;
        let before = self.member_roles(id).await?;
        let mut wanted: Vec<String> = Vec::new();
        let kept = before.iter().filter(|_| !replaced);
        let kept = kept.filter_map(|role| role.id.clone());
        for role in kept.chain(granted) {
            if !wanted.contains(&role) {
                wanted.push(role);
            }
        }
        if !replaced && before.iter().any(|role| role.id.is_none()) {
            let why = "a role of the member is reported without its id, so that it would be taken away; nothing was \
                       changed; set the roles instead";
            return Err(context.error(ErrorKind::Unsupported, why));
        }
        let has = |roles: &[RoleAssignment], id: &String| {
            roles.iter().any(|role| role.id.as_ref() == Some(id))
        };
        let same_number = before.len() == wanted.len();
        if same_number && wanted.iter().all(|id| has(&before, id)) {
            return Ok(RoleChange::default());
        }
        let body = types::MemberUpdate::builder().assigned_role_ids(wanted.clone());
        let api = self.api.within(&context.call);
        let request = api.member_update().organization_id(&*self.organization);
        let sent = request.user_id(id.as_str()).body(body).send().await;
        let after = match one(&context, context.reply(sent), id) {
            Ok(after) => after.roles,
            // The whole is written, so what is there afterwards tells whether it was.
            Err(error) if error.may_have_executed() => {
                let there = self.member_roles(id).await;
                let there = there.map_err(|look| error.clone().with_source(look))?;
                if there.len() != wanted.len() || !wanted.iter().all(|id| has(&there, id)) {
                    return Err(error);
                }
                Some(there)
            }
            Err(error) => return Err(error),
        };
        // An answer without the roles says nothing of them.
        let after = match after {
            Some(roles) => roles,
            None => self.member_roles(id).await?,
        };
        if let Some(lacking) = wanted.iter().find(|id| !has(&after, id)) {
            let why = format!("after the change the member does not have the role {lacking}");
            return Err(context
                .error(ErrorKind::Unexpected, why)
                .with_may_have_executed(true));
        }
        let mut change = RoleChange::default();
        let (known, left) = (|role: &RoleAssignment| role.id.clone(), &after);
        let is_new = |role: &&RoleAssignment| known(role).is_none_or(|id| !has(&before, &id));
        let is_gone = |role: &&RoleAssignment| known(role).is_none_or(|id| !has(left, &id));
        change.added = after.iter().filter(is_new).cloned().collect();
        change.removed = before.iter().filter(is_gone).cloned().collect();
        Ok(change)
    }
}

/// The whole list.
fn page(context: &OperationContext<'_>, reply: &Reply) -> Result<Page<Member>> {
    let list: ListBody<types::MemberListResponse, Member> =
        ListBody::read(context, reply, "result", member_from, |value| {
            let (wire, rest) = split(value, FIELDS)?;
            let mut member = member_from(wire, None)?;
            member.extra = rest.into();
            Ok(member)
        })?;
    let request_id = match &list.envelope {
        Ok(envelope) => envelope.request_id.clone(),
        Err(why) if is_ambiguous(why) => return Err(context.decode_error(reply, why)),
        Err(_) => None,
    };
    let extra = list.extra(&["requestId"]);
    let total = u64::try_from(list.items.len()).ok();
    let mut page = convert::page_of(context, reply, list.items, request_id, extra);
    page.total = total;
    context.expect_whole(page)
}

/// One member, who was asked for by `id`.
fn one(context: &OperationContext<'_>, reply: Result<Reply>, id: &MemberId) -> Result<Member> {
    let reply = reply?;
    let odd = |why: &str| context.decode_error(&reply, why);
    // Documents may give a read and a change types of their own; the envelope is the same.
    let envelope: types::MemberResponse =
        parse(&reply.body).map_err(|error| odd(&error.to_string()))?;
    context.expect_no_failure(&reply, &envelope.extra)?;
    let wire = envelope.result.ok_or_else(|| odd("it has no `result`"))?;
    let text = PropertyText(&reply, "result");
    let member = member_from(wire, Some(&text)).map_err(|why| odd(&why))?;
    if member.id != *id {
        context.mark_ambiguous();
        return Err(odd("the answer is about another member"));
    }
    Ok(member)
}

fn member_from(mut wire: types::Member, text: Option<&dyn ObjectText>) -> Result<Member, String> {
    let id = wire.user_id.take().ok_or("it has no `userId`")?;
    let id = MemberId::new(id).map_err(|error| error.to_string())?;
    let mut member = Member::new(id, wire.email.take().ok_or("it has no `email`")?);
    member.name = wire.name.take();
    member.legacy_role = wire.role.take().map(|role| role.as_str().to_owned());
    let roles = wire.assigned_roles.take();
    member.roles = roles.map(|roles| roles.into_iter().map(convert::assignment).collect());
    member.joined_at = time_of(wire.joined_at.take(), "joinedAt")?;
    member.extra = extra_of(&wire, text, FIELDS);
    Ok(member)
}
