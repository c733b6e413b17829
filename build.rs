//! The tables of the bindings: for each document the selected operations, the names of types that the facade uses, and
//! the parts that it requires or can do without.
//!
//! The tables contain no vendor's schema: the bindings have every part of the selected operations that a document
//! describes. Paths such as `GET /iam/v2/invitations#response/data/*` are explained at
//! `org_invitations_codegen::Source::name`.

use std::env;

use org_invitations_codegen::{
    Bindings, Source,
    Type::{DateTime, Integer, Named, Text, TextList},
};

fn main() {
    // Cargo sets a variable for each feature that is on.
    if env::var_os("CARGO_FEATURE_CONFLUENT").is_some() {
        confluent().generate();
    }
    if env::var_os("CARGO_FEATURE_CLICKHOUSE").is_some() {
        clickhouse().generate();
    }
}

/// The bindings of Confluent Cloud.
pub fn confluent() -> Bindings {
    Bindings::new("confluent")
        .title("Confluent Cloud")
        .module("crate::bindings::confluent")
        .support("crate::bindings::support")
        .env("ORG_INVITATIONS_CONFLUENT_SPEC")
        .source(confluent_iam())
        .source(confluent_api_keys())
        .source(confluent_role_bindings())
        .source(confluent_organizations())
        .source(confluent_tokens())
}

/// The bindings of ClickHouse Cloud.
pub fn clickhouse() -> Bindings {
    Bindings::new("clickhouse")
        .title("ClickHouse Cloud")
        .module("crate::bindings::clickhouse")
        .support("crate::bindings::support")
        .env("ORG_INVITATIONS_CLICKHOUSE_SPEC")
        .source(clickhouse_organization())
}

fn confluent_iam() -> Source {
    Source::new("specs/confluent-iam-v2.yaml")
        .title("Confluent Cloud IAM v2")
        .operation("GET /iam/v2/invitations", "listIamV2Invitations")
        .operation("POST /iam/v2/invitations", "createIamV2Invitation")
        .operation("GET /iam/v2/invitations/{id}", "getIamV2Invitation")
        .operation("DELETE /iam/v2/invitations/{id}", "deleteIamV2Invitation")
        .offer_operation("GET /iam/v2/users", "listIamV2Users")
        .offer_operation("GET /iam/v2/users/{id}", "getIamV2User")
        .offer_operation("PATCH /iam/v2/users/{id}", "updateIamV2User")
        .offer_operation("DELETE /iam/v2/users/{id}", "deleteIamV2User")
        .offer_operations(["* /iam/v2/invitations", "* /iam/v2/invitations/{id}"])
        .offer_operations(["* /iam/v2/users", "* /iam/v2/users/{id}"])
        .name("GET /iam/v2/invitations#response", "InvitationList")
        .name("GET /iam/v2/invitations#response/data/*", "Invitation")
        .name(
            "GET /iam/v2/invitations#response/data/*/user",
            "ResourceReference",
        )
        .name(
            "GET /iam/v2/invitations#response/data/*/creator",
            "ResourceReference",
        )
        .name("POST /iam/v2/invitations#request", "NewInvitation")
        .name("POST /iam/v2/invitations#response", "Invitation")
        .name("GET /iam/v2/invitations/{id}#response", "Invitation")
        .name("GET /iam/v2/users#response", "UserList")
        .name("GET /iam/v2/users#response/data/*", "User")
        .name("GET /iam/v2/users/{id}#response", "User")
        .name("PATCH /iam/v2/users/{id}#request", "UserUpdate")
        .name("PATCH /iam/v2/users/{id}#response", "User")
        .offer("GET /iam/v2/invitations?email", Text)
        .offer("GET /iam/v2/invitations?status", Text)
        .offer("GET /iam/v2/invitations?user", Text)
        .offer("GET /iam/v2/invitations?creator", Text)
        .require("GET /iam/v2/invitations?page_size", Integer)
        .require("GET /iam/v2/invitations?page_token", Text)
        .require("InvitationList.data", Named)
        .require("InvitationList.metadata.next", Text)
        .offer("InvitationList.metadata.total_size", Integer)
        .require("Invitation.id", Text)
        .require("Invitation.email", Text)
        .offer("Invitation.auth_type", Text)
        .offer("Invitation.status", Text)
        .offer("Invitation.accepted_at", DateTime)
        .offer("Invitation.expires_at", DateTime)
        .offer("Invitation.user", Named)
        .offer("Invitation.creator", Named)
        .offer("Invitation.metadata.created_at", DateTime)
        .require("ResourceReference.id", Text)
        .offer("ResourceReference.related", Text)
        .offer("ResourceReference.resource_name", Text)
        .require("NewInvitation.email", Text)
        .offer("NewInvitation.auth_type", Text)
        .require("GET /iam/v2/users?page_size", Integer)
        .require("GET /iam/v2/users?page_token", Text)
        .require("UserList.data", Named)
        .require("UserList.metadata.next", Text)
        .require("User.id", Text)
        .require("User.email", Text)
}

fn confluent_api_keys() -> Source {
    Source::new("specs/confluent-apikeys-v2.yaml")
        .title("Confluent Cloud API keys")
        .offer_operation("GET /iam/v2/api-keys", "listIamV2ApiKeys")
        .offer_operation("GET /iam/v2/api-keys/{id}", "getIamV2ApiKey")
        .name("GET /iam/v2/api-keys#response", "ApiKeyList")
        .name("GET /iam/v2/api-keys#response/data/*", "ApiKey")
        .name("GET /iam/v2/api-keys/{id}#response", "ApiKey")
        .require("GET /iam/v2/api-keys?spec.owner", Text)
        .require("GET /iam/v2/api-keys?page_size", Integer)
        .require("GET /iam/v2/api-keys?page_token", Text)
        .require("ApiKeyList.data", Named)
        .require("ApiKeyList.metadata.next", Text)
        .require("ApiKey.id", Text)
        .require("ApiKey.spec.owner.id", Text)
        .offer("ApiKey.spec.secret", Text)
        .offer("ApiKey.spec.owner.kind", Text)
        .offer("ApiKey.spec.display_name", Text)
        .offer("ApiKey.spec.description", Text)
        .offer("ApiKey.spec.resource.id", Text)
        .offer("ApiKey.spec.resource.kind", Text)
}

fn confluent_role_bindings() -> Source {
    Source::new("specs/confluent-mds-v2.yaml")
        .title("Confluent Cloud role bindings")
        .offer_operation("GET /iam/v2/role-bindings", "listIamV2RoleBindings")
        .offer_operation("POST /iam/v2/role-bindings", "createIamV2RoleBinding")
        .offer_operation("GET /iam/v2/role-bindings/{id}", "getIamV2RoleBinding")
        .offer_operation(
            "DELETE /iam/v2/role-bindings/{id}",
            "deleteIamV2RoleBinding",
        )
        .name("GET /iam/v2/role-bindings#response", "RoleBindingList")
        .name("GET /iam/v2/role-bindings#response/data/*", "RoleBinding")
        .name("POST /iam/v2/role-bindings#request", "NewRoleBinding")
        .name("POST /iam/v2/role-bindings#response", "RoleBinding")
        .name("GET /iam/v2/role-bindings/{id}#response", "RoleBinding")
        .require("GET /iam/v2/role-bindings?principal", Text)
        .send("GET /iam/v2/role-bindings?crn_pattern", Text)
        .require("GET /iam/v2/role-bindings?page_size", Integer)
        .require("GET /iam/v2/role-bindings?page_token", Text)
        .require("RoleBindingList.data", Named)
        .require("RoleBindingList.metadata.next", Text)
        .offer("RoleBindingList.metadata.total_size", Integer)
        .require("RoleBinding.id", Text)
        .require("RoleBinding.principal", Text)
        .require("RoleBinding.role_name", Text)
        .require("RoleBinding.crn_pattern", Text)
        .require("NewRoleBinding.principal", Text)
        .require("NewRoleBinding.role_name", Text)
        .require("NewRoleBinding.crn_pattern", Text)
}

fn confluent_organizations() -> Source {
    Source::new("specs/confluent-org-v2.yaml")
        .title("Confluent Cloud organizations")
        .offer_operation("GET /org/v2/organizations", "listOrgV2Organizations")
        .offer_operation("GET /org/v2/organizations/{id}", "getOrgV2Organization")
        .offer_operation(
            "PATCH /org/v2/organizations/{id}",
            "updateOrgV2Organization",
        )
        .name("GET /org/v2/organizations#response", "OrganizationList")
        .name("GET /org/v2/organizations#response/data/*", "Organization")
        .name("GET /org/v2/organizations/{id}#response", "Organization")
        .name(
            "PATCH /org/v2/organizations/{id}#request",
            "OrganizationUpdate",
        )
        .name("PATCH /org/v2/organizations/{id}#response", "Organization")
        .require("OrganizationList.data", Named)
        .require("Organization.id", Text)
}

/// The exchange of an identity provider's token for one of Confluent.
fn confluent_tokens() -> Source {
    Source::new("specs/confluent-sts-v1.yaml")
        .title("Confluent Cloud STS v1")
        .offer_operation("POST /sts/v1/oauth2/token", "exchangeStsV1OauthToken")
        .name("POST /sts/v1/oauth2/token#form", "TokenExchange")
        .name("POST /sts/v1/oauth2/token#response", "Token")
        .require("TokenExchange.grant_type", Text)
        .require("TokenExchange.subject_token", Text)
        .require("TokenExchange.subject_token_type", Text)
        .require("TokenExchange.requested_token_type", Text)
        .require("TokenExchange.identity_pool_id", Text)
        .offer("TokenExchange.expires_in", Integer)
        .require("Token.access_token", Text)
        .offer("Token.token_type", Text)
        .offer("Token.issued_token_type", Text)
        .require("Token.expires_in", Integer)
}

fn clickhouse_organization() -> Source {
    const INVITATIONS: &str = "/v1/organizations/{organizationId}/invitations";
    const INVITATION: &str = "/v1/organizations/{organizationId}/invitations/{invitationId}";
    const ORGANIZATION: &str = "/v1/organizations/{organizationId}";
    const MEMBERS: &str = "/v1/organizations/{organizationId}/members";
    const MEMBER: &str = "/v1/organizations/{organizationId}/members/{userId}";
    const ROLES: &str = "/v1/organizations/{organizationId}/roles";
    const ROLE: &str = "/v1/organizations/{organizationId}/roles/{roleId}";
    const ACTIVITIES: &str = "/v1/organizations/{organizationId}/activities";
    const ACTIVITY: &str = "/v1/organizations/{organizationId}/activities/{activityId}";
    let get = |path: &str| format!("GET {path}");
    let post = |path: &str| format!("POST {path}");
    let patch = |path: &str| format!("PATCH {path}");
    let delete = |path: &str| format!("DELETE {path}");
    let response = |operation: String, path: &str| format!("{operation}#response{path}");
    Source::new("specs/clickhouse-cloud-v1.json")
        .title("ClickHouse Cloud")
        .envelope("result")
        .operation(&get(INVITATIONS), "invitationGetList")
        .operation(&post(INVITATIONS), "invitationCreate")
        .operation(&get(INVITATION), "invitationGet")
        .operation(&delete(INVITATION), "invitationDelete")
        .offer_operation(&get(ORGANIZATION), "organizationGet")
        .offer_operation(&patch(ORGANIZATION), "organizationUpdate")
        .offer_operation(&get(MEMBERS), "memberGetList")
        .offer_operation(&get(MEMBER), "memberGet")
        .offer_operation(&patch(MEMBER), "memberUpdate")
        .offer_operation(&delete(MEMBER), "memberDelete")
        .offer_operation(&get(ROLES), "organizationRolesGetList")
        .offer_operation(&post(ROLES), "organizationRolePost")
        .offer_operation(&get(ROLE), "organizationRoleGet")
        .offer_operation(&patch(ROLE), "organizationRolePatch")
        .offer_operation(&delete(ROLE), "organizationRoleDelete")
        .offer_operation(&get(ACTIVITIES), "activityGetList")
        .offer_operation(&get(ACTIVITY), "activityGet")
        .offer_operations(
            [
                ORGANIZATION,
                INVITATIONS,
                INVITATION,
                MEMBERS,
                MEMBER,
                ROLES,
                ROLE,
                ACTIVITIES,
                ACTIVITY,
            ]
            .map(|path| format!("* {path}")),
        )
        .name(&response(get(INVITATIONS), ""), "InvitationListResponse")
        .name(&response(get(INVITATIONS), "/result/*"), "Invitation")
        .name(
            &response(get(INVITATIONS), "/result/*/assignedRoles/*"),
            "AssignedRole",
        )
        .name(&format!("{}#request", post(INVITATIONS)), "NewInvitation")
        .name(&response(post(INVITATIONS), ""), "InvitationResponse")
        .name(&response(post(INVITATIONS), "/result"), "Invitation")
        .name(&response(get(INVITATION), ""), "InvitationResponse")
        .name(&response(get(INVITATION), "/result"), "Invitation")
        .name(&response(get(MEMBERS), ""), "MemberListResponse")
        .name(&response(get(MEMBERS), "/result/*"), "Member")
        .name(&response(get(MEMBER), ""), "MemberResponse")
        .name(&response(get(MEMBER), "/result"), "Member")
        .name(&format!("{}#request", patch(MEMBER)), "MemberUpdate")
        .name(&response(get(ROLES), ""), "RoleListResponse")
        .name(&response(get(ROLES), "/result/*"), "Role")
        .name(&response(get(ROLE), ""), "RoleResponse")
        .name(&response(get(ROLE), "/result"), "Role")
        .offer("InvitationListResponse.requestId", Text)
        .require("InvitationListResponse.result", Named)
        .offer("InvitationResponse.requestId", Text)
        .require("InvitationResponse.result", Named)
        .require("Invitation.id", Text)
        .require("Invitation.email", Text)
        .offer("Invitation.role", Text)
        .offer("Invitation.assignedRoles", Named)
        .offer("Invitation.createdAt", DateTime)
        .offer("Invitation.expireAt", DateTime)
        .offer("AssignedRole.roleId", Text)
        .offer("AssignedRole.roleName", Text)
        .offer("AssignedRole.roleType", Text)
        .require("NewInvitation.email", Text)
        .offer("NewInvitation.role", Text)
        .offer("NewInvitation.assignedRoleIds", TextList)
        .require("MemberListResponse.result", Named)
        .require("MemberResponse.result", Named)
        .require("Member.userId", Text)
        .require("Member.email", Text)
        .require("RoleListResponse.result", Named)
        .require("RoleResponse.result", Named)
        .require("Role.id", Text)
        .require("Role.name", Text)
}
