//! The organisation in memory, as it offers everything and as vendors offer less.

use org_invitations::{Capabilities, conformance::TestContext, memory::InMemory};

/// Organisations with their roles: all capabilities; roles without scopes and statuses that are derived; and next to
/// nothing.
pub fn organisations() -> Vec<(InMemory, &'static [&'static str])> {
    let of = |capabilities: Capabilities| {
        let builder = InMemory::builder().capabilities(capabilities);
        builder.build().unwrap()
    };
    let derived = Capabilities::default()
        .roles(true)
        .list_roles(true)
        .members(true)
        .legacy_role(true)
        .filter_email(true)
        .filter_status(true);
    let bare = Capabilities::default()
        .filter_email(true)
        .reports_status(true);
    vec![
        (InMemory::new(), &["Admin", "Developer@env-1"]),
        (of(derived), &["Admin", "r-2"]),
        (of(bare), &[]),
    ]
}

pub fn context<'a>(organisation: &'a InMemory, roles: &[&str]) -> TestContext<'a> {
    TestContext::new(organisation)
        .count_requests(|| organisation.calls().len())
        .accept(|email| {
            organisation.accept(email).unwrap();
        })
        .roles(roles.iter().copied())
}
