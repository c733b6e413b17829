//! Role bindings: the roles of users, each in a scope.

mod change;
mod list;
mod scopes;

use crate::{
    bindings::confluent::offers, invitation::RoleAssignment, list::ListItem, member::MemberId,
    role::RoleGrant,
};

/// Whether the document has what roles take: role bindings, organisations, and the user of an invitation.
pub(in crate::confluent) const OFFERED: bool = offers::LIST_IAM_V2_ROLE_BINDINGS
    && offers::CREATE_IAM_V2_ROLE_BINDING
    && offers::DELETE_IAM_V2_ROLE_BINDING
    && offers::LIST_ORG_V2_ORGANIZATIONS
    && offers::INVITATION_USER;

/// A role that a user has.
pub(in crate::confluent) struct Binding {
    /// `User:u-…`
    principal: String,
    /// The CRN pattern.
    pattern: String,
    assignment: RoleAssignment,
}

impl ListItem for Binding {
    const PLURAL: &'static str = "role bindings";

    fn id(&self) -> &str {
        self.assignment.binding_id.as_deref().unwrap_or_default()
    }

    fn email(&self) -> Option<&str> {
        None
    }
}

/// A grant whose scope is known.
#[derive(Clone, Debug)]
pub(in crate::confluent) struct Resolved {
    grant: RoleGrant,
    pattern: String,
}

impl Resolved {
    fn is_met_by(&self, binding: &Binding) -> bool {
        binding.pattern == self.pattern
            && binding.assignment.name.as_deref() == Some(self.grant.role.as_str())
    }
}

/// `User:u-…`: bindings go on the user, never on the invitation.
fn principal(user: &MemberId) -> String {
    format!("User:{user}")
}
