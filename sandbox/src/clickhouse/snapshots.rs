//! What the sandbox shows of ClickHouse, whatever the API shows.

use chrono::{DateTime, Utc};

use super::ClickHouse;
use crate::provider::Provider;
use crate::snapshot::{InvitationSnapshot, OrganizationSnapshot};

impl ClickHouse {
    /// All invitations, each organisation's in order of creation.
    pub(crate) fn snapshots(&self, now: DateTime<Utc>) -> impl Iterator<Item = InvitationSnapshot> {
        self.organizations.iter().flat_map(move |organization| {
            let invitations = organization.invitations.after(0);
            invitations.map(move |invitation| {
                InvitationSnapshot::new(Provider::ClickHouse, &organization.id, invitation, now)
            })
        })
    }

    /// All organisations.
    pub(crate) fn organization_snapshots(&self) -> impl Iterator<Item = OrganizationSnapshot> {
        self.organizations.iter().map(|it| OrganizationSnapshot {
            provider: Provider::ClickHouse,
            id: it.id.clone(),
            invitations: it.invitations.count(),
            members: it.members.count(),
        })
    }

    /// What must not be shown.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let keys = self.organizations.iter().flat_map(|it| &it.keys);
        keys.map(|key| key.api_secret.as_str())
    }
}
