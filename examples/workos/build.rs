//! Which operations of the document become bindings, and what the provider needs of them.

use org_invitations_codegen::{
    Bindings, Source,
    Type::{DateTime, Integer, Named, Text},
};

fn main() {
    Bindings::new("workos")
        .title("WorkOS")
        .module("crate::bindings")
        .support("::org_invitations::kit")
        .env("WORKOS_SPEC")
        .source(user_management())
        .generate();
}

fn user_management() -> Source {
    Source::new("specs/workos.yaml")
        .title("WorkOS user management")
        .operation("GET /user_management/invitations", "listInvitations")
        .operation("POST /user_management/invitations", "createInvitation")
        .operation("GET /user_management/invitations/{id}", "getInvitation")
        .operation(
            "POST /user_management/invitations/{id}/revoke",
            "revokeInvitation",
        )
        // The names of the types, whatever the document calls them.
        .name(
            "GET /user_management/invitations#response",
            "InvitationList",
        )
        .name(
            "GET /user_management/invitations#response/data/*",
            "Invitation",
        )
        .name("POST /user_management/invitations#request", "NewInvitation")
        .name("POST /user_management/invitations#response", "Invitation")
        .name(
            "GET /user_management/invitations/{id}#response",
            "Invitation",
        )
        .name(
            "POST /user_management/invitations/{id}/revoke#response",
            "Invitation",
        )
        // What the provider names. It can do without what is offered.
        .require("GET /user_management/invitations?organization_id", Text)
        .require("GET /user_management/invitations?email", Text)
        .require("GET /user_management/invitations?after", Text)
        .require("GET /user_management/invitations?limit", Integer)
        .require("GET /user_management/invitations?order", Text)
        .require("InvitationList.data", Named)
        .require("InvitationList.list_metadata.after", Text)
        .require("Invitation.id", Text)
        .require("Invitation.email", Text)
        .require("Invitation.organization_id", Text)
        .require("Invitation.state", Text)
        .offer("Invitation.role_slug", Text)
        .offer("Invitation.created_at", DateTime)
        .offer("Invitation.expires_at", DateTime)
        .offer("Invitation.accepted_at", DateTime)
        .offer("Invitation.accepted_user_id", Text)
        .offer("Invitation.inviter_user_id", Text)
        .require("NewInvitation.email", Text)
        .require("NewInvitation.organization_id", Text)
        .offer("NewInvitation.role_slug", Text)
}
