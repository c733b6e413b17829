//! Users of the organisation and their roles.

use std::collections::HashMap;

use async_trait::async_trait;

use crate::{
    api_key::ApiKey,
    bindings::confluent::{offers, types},
    confluent::{Confluent, convert, role_bindings},
    decode::{ListBody, ObjectText, Text, extra_of, split},
    error::{ErrorKind, Operation, Result},
    http::Reply,
    invitation::RoleAssignment,
    list::{Page, PageToken},
    member::{Member, MemberId, MemberProvider, MembershipEvent},
    operation::{OperationContext, Success},
    reconcile::reconcile_delete,
    role::{Role, RoleChange, RoleGrant},
};

/// The properties of a user that the facade has fields for.
const FIELDS: &[&str] = &["auth_type", "email", "full_name", "id"];

#[async_trait]
impl MemberProvider for Confluent {
    /// `GET /iam/v2/users`
    async fn list_members_page(&self, token: Option<&PageToken>) -> Result<Page<Member>> {
        let context = self.context(Operation::ListMembers, None);
        context.require_supported(offers::LIST_IAM_V2_USERS, "list of members")?;
        self.check_token(&context, token)?;
        let api = self.api.within(&context.call);
        let request = api.list_iam_v2_users();
        let request = match token {
            Some(token) => request.page_token(token.as_str()),
            None => request.page_size(i64::from(super::SAFE_PAGE_SIZE)),
        };
        let reply = context.reply(request.send().await)?;
        page(&context, &reply)
    }

    /// `GET /iam/v2/users/{id}`
    async fn get_member(&self, id: &MemberId) -> Result<Member> {
        let context = self.context(Operation::GetMember, Some(id.as_str()));
        context.require_supported(offers::GET_IAM_V2_USER, "member")?;
        let api = self.api.within(&context.call);
        let sent = api.get_iam_v2_user().id(id.as_str()).send().await;
        one(&context, context.outcome(sent), id)
    }

    /// `GET /iam/v2/role-bindings`, within the organisation, of this user.
    async fn member_roles(&self, id: &MemberId) -> Result<Vec<RoleAssignment>> {
        let context = self.context(Operation::ListRoles, Some(id.as_str()));
        context.require_supported(role_bindings::OFFERED, "roles of members")?;
        self.roles_of(id).await
    }

    async fn membership_events(&self, email: &str) -> Result<Vec<MembershipEvent>> {
        let context = self.context(Operation::ListActivities, Some(email));
        context.unsupported("history of members")
    }

    /// `GET /iam/v2/role-bindings`, within the organisation.
    async fn list_member_roles(&self) -> Result<HashMap<MemberId, Vec<RoleAssignment>>> {
        let context = self.context(Operation::ListRoles, None);
        context.require_supported(role_bindings::OFFERED, "roles of members")?;
        self.all_roles().await
    }

    /// `POST /iam/v2/role-bindings` for each that lacks.
    async fn grant_roles(&self, id: &MemberId, grants: &[RoleGrant]) -> Result<RoleChange> {
        self.change_roles(id, grants, false).await
    }

    /// `POST /iam/v2/role-bindings` for each that lacks, then `DELETE /iam/v2/role-bindings/{id}` for each that is too
    /// much.
    async fn set_roles(&self, id: &MemberId, grants: &[RoleGrant]) -> Result<RoleChange> {
        self.change_roles(id, grants, true).await
    }

    /// `DELETE /iam/v2/users/{id}`
    async fn remove_member(&self, id: &MemberId) -> Result<()> {
        let context = self.context(Operation::RemoveMember, Some(id.as_str()));
        context.require_supported(offers::DELETE_IAM_V2_USER, "removal of members")?;
        let api = self.api.within(&context.call);
        let reply = context.reply(api.delete_iam_v2_user().id(id.as_str()).send().await);
        reconcile_delete(&context, reply)
    }

    async fn list_roles(&self) -> Result<Vec<Role>> {
        let context = self.context(Operation::ListRoles, None);
        context.unsupported("list of roles; the vendor's documentation names the predefined ones")
    }

    /// `GET /iam/v2/api-keys?spec.owner=…`
    async fn api_keys(&self, member: &MemberId) -> Result<Vec<ApiKey>> {
        self.keys_of(member).await
    }

    /// `GET /iam/v2/api-keys/{id}`, of the key in use.
    async fn key_owner(&self) -> Result<Option<MemberId>> {
        let owner = self.owner_of_key_in_use().await?;
        Ok(owner
            .filter(|owner| !owner.is_service_account)
            .map(|owner| owner.id))
    }

    /// `GET /iam/v2/api-keys/{id}`, of the key in use, and `GET /iam/v2/role-bindings` of its owner.
    async fn key_roles(&self) -> Result<Option<Vec<RoleAssignment>>> {
        match self.owner_of_key_in_use().await? {
            Some(owner) if role_bindings::OFFERED => self.roles_of(&owner.id).await.map(Some),
            _ => Ok(None),
        }
    }
}

impl Confluent {
    /// Refuses a page token that cannot be one.
    pub(super) fn check_token(
        &self,
        context: &OperationContext<'_>,
        token: Option<&PageToken>,
    ) -> Result<()> {
        match token {
            Some(token)
                if !(1..=super::MAX_TOKEN_CHARS).contains(&token.as_str().chars().count()) =>
            {
                let wrong = "a page token has 1 to 255 characters";
                Err(context.error(ErrorKind::InvalidInput, wrong))
            }
            _ => Ok(()),
        }
    }
}

fn page(context: &OperationContext<'_>, reply: &Reply) -> Result<Page<Member>> {
    let list: ListBody<types::UserList, Member> =
        ListBody::read(context, reply, "data", member_from, |value| {
            let (wire, rest) = split(value, FIELDS)?;
            let mut member = member_from(wire, None)?;
            member.extra = rest.into();
            Ok(member)
        })?;
    let envelope = match &list.envelope {
        Ok(envelope) => envelope,
        // Whether it goes on is not known.
        Err(why) => return Err(context.decode_error(reply, why)),
    };
    let metadata = envelope.metadata.as_ref();
    let next = convert::next_token(metadata.and_then(|metadata| metadata.next.as_deref()));
    let total = metadata.and_then(|metadata| metadata.total_size);
    let total = total.and_then(|total| u64::try_from(total).ok());
    context.expect_whole(convert::page_of(context, reply, list, next, total))
}

/// One user, who was asked for by `id`.
fn one(
    context: &OperationContext<'_>,
    success: Result<Success<types::User>>,
    id: &MemberId,
) -> Result<Member> {
    let Success { value, reply } = success?;
    let odd = |why: &str| context.decode_error(&reply, why);
    let wire = value.map_err(|why| odd(&why))?;
    context.expect_no_failure(&reply, &wire.extra)?;
    let member = member_from(wire, Some(&Text(&reply.body))).map_err(|why| odd(&why))?;
    if member.id != *id {
        return Err(odd("the answer is about another user"));
    }
    Ok(member)
}

fn member_from(mut wire: types::User, text: Option<&dyn ObjectText>) -> Result<Member, String> {
    let id = wire.id.take().ok_or("it has no `id`")?;
    let id = MemberId::new(id).map_err(|error| error.to_string())?;
    let mut member = Member::new(id, wire.email.take().ok_or("it has no `email`")?);
    member.name = wire.full_name.take();
    let auth_type = wire.auth_type.take();
    member.auth_type = auth_type.map(|word| convert::auth_type_from_wire(word.as_str()));
    let metadata = wire.metadata.as_ref();
    let created_at = metadata.and_then(|metadata| metadata.created_at.as_ref());
    member.joined_at = created_at.and_then(|time| time.utc());
    member.extra = extra_of(&wire, text, FIELDS);
    Ok(member)
}
