//! What the sandbox shows of Confluent, whatever the API shows.

use chrono::{DateTime, Utc};

use super::Confluent;
use super::accounts::Organization;
use crate::provider::Provider;
use crate::snapshot::{
    InvitationSnapshot, MemberSnapshot, OrganizationSnapshot, RoleBindingSnapshot,
};

impl Confluent {
    /// All invitations, each organisation's in order of creation.
    pub(crate) fn snapshots(&self, now: DateTime<Utc>) -> impl Iterator<Item = InvitationSnapshot> {
        self.organizations.iter().flat_map(move |organization| {
            let invitations = organization.invitations.after(0);
            invitations.map(move |invitation| {
                InvitationSnapshot::new(Provider::Confluent, &organization.id, invitation, now)
            })
        })
    }

    /// All organisations.
    pub(crate) fn organization_snapshots(&self) -> impl Iterator<Item = OrganizationSnapshot> {
        self.organizations.iter().map(|it| OrganizationSnapshot {
            provider: Provider::Confluent,
            id: it.id.clone(),
            invitations: it.invitations.count(),
            members: it.users.count(),
        })
    }

    /// What must not be shown.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let organizations = self.organizations.iter();
        let of_organizations = organizations.flat_map(Organization::secrets);
        let tokens = self.tokens.settings().subject_tokens.iter().flatten();
        of_organizations.chain(tokens.map(String::as_str))
    }

    /// All users, each organisation's in order of joining.
    pub(crate) fn member_snapshots(&self) -> impl Iterator<Item = MemberSnapshot> {
        let organizations = self.organizations.iter();
        organizations.flat_map(Organization::member_snapshots)
    }

    /// All role bindings, each organisation's in order of creation.
    pub(crate) fn role_binding_snapshots(&self) -> impl Iterator<Item = RoleBindingSnapshot> {
        let organizations = self.organizations.iter();
        organizations.flat_map(Organization::role_binding_snapshots)
    }
}
