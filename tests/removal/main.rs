//! What withdraws invitations: how many, in which order, and what becomes of the people.

mod apply;
mod fake_provider;
mod prune;
mod renewal;
mod renewal_order;

use org_invitations::{
    ApplyOptions, BulkOptions, Capabilities, Invitation, InvitationStatus, NewInvitation, Plan,
    PlanOptions, RenewalOptions, RoleAssignment,
};

/// A provider that has everything.
fn everything() -> Capabilities {
    let mut capabilities = Capabilities::default();
    capabilities.auth_type = true;
    capabilities.roles = true;
    capabilities.legacy_role = true;
    capabilities.filter_email = true;
    capabilities
}

fn existing(id: &str, email: &str, status: InvitationStatus) -> Invitation {
    let mut invitation = Invitation::new(id.parse().unwrap(), email);
    invitation.status = Some(status);
    invitation
}

fn sent(id: &str, email: &str) -> Invitation {
    existing(id, email, InvitationStatus::Sent)
}

/// So many people who are invited.
fn crowd(count: usize) -> Vec<Invitation> {
    let one = |number| sent(&format!("i-{number}"), &format!("p{number}@example.com"));
    (0..count).map(one).collect()
}

fn with_roles(mut invitation: Invitation, roles: &[(&str, &str)]) -> Invitation {
    let role = |(id, name): &(&str, &str)| {
        let mut role = RoleAssignment::default();
        (role.id, role.name) = (Some((*id).to_owned()), Some((*name).to_owned()));
        role
    };
    invitation.roles = Some(roles.iter().map(role).collect());
    invitation
}

fn plan<'a>(
    roster: impl IntoIterator<Item = &'a NewInvitation>,
    invitations: &[Invitation],
    options: &PlanOptions,
) -> Plan {
    let (roster, invitations) = (roster.into_iter().cloned(), invitations.iter().cloned());
    Plan::new(roster, invitations, &everything(), options)
}

fn pruning() -> PlanOptions {
    PlanOptions::default().prune(true)
}

/// So many at once, and no waiting.
fn at_once(concurrency: usize) -> ApplyOptions {
    ApplyOptions::from(BulkOptions::default().concurrency(concurrency))
        .renewal(RenewalOptions::default().retry_delays([]))
}
