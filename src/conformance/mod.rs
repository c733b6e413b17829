//! A test suite for every [`InvitationProvider`] (feature `conformance`).
//!
//! Each function checks one behaviour. An option that the provider's [`Capabilities`](crate::Capabilities) offer has
//! to work; any other option has to fail with [`Unsupported`](crate::ErrorKind::Unsupported) before a request is sent,
//! which the suite checks if the [`TestContext`] can [count requests](TestContext::count_requests). Each behaviour
//! creates its own invitations and, where it can [accept](TestContext::accept) them, members, under addresses that no other
//! run uses, and deletes them afterwards, also when it fails. The suite touches nobody else, so it can run against an account that is in use.
//!
//! ```
//! use org_invitations::conformance::{self, TestContext};
//! # use org_invitations::{Confluent, Result};
//! # use org_invitations_sandbox::Sandbox;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let sandbox = Sandbox::start().await.unwrap();
//! # let key = &sandbox.credentials().confluent;
//! # let provider = Confluent::builder()
//! #     .api_key(&key.api_key, key.api_secret.as_str())
//! #     .base_url(sandbox.url())
//! #     .build()?;
//! let report = conformance::run_all(&TestContext::new(&provider)).await;
//! assert!(report.passed(), "{report}");
//! # Ok::<(), org_invitations::Error>(())
//! # }).unwrap();
//! ```
//!
//! [`for_each_behaviour`](crate::for_each_behaviour) turns each behaviour into a test of its own.
//!
//! [`InvitationProvider`]: crate::InvitationProvider

mod assertions;
mod bulk;
mod create;
mod delete;
mod input;
mod list;
mod members;
mod options;
mod report;
mod test_context;

pub use self::{
    report::{Report, Violation},
    test_context::TestContext,
};

/// Defines a public function for each behaviour, `run_all` and `for_each_behaviour`.
macro_rules! behaviours {
    ($($(#[$doc:meta])* $module:ident :: $name:ident;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            ///
            /// The expected and the actual result.
            pub async fn $name(context: &TestContext<'_>) -> Result<(), Violation> {
                context.run_case(stringify!($name), $module::$name(context)).await
            }
        )*

        /// Runs every behaviour, one after the other.
        pub async fn run_all(context: &TestContext<'_>) -> Report {
            let mut report = Report::default();
            $(report.add(stringify!($name), $name(context).await);)*
            report
        }

        /// Calls a macro with the names of all behaviours.
        ///
        /// ```
        /// macro_rules! count {
        ///     ($($name:ident)*) => { [$(stringify!($name)),*].len() };
        /// }
        /// assert!(org_invitations::for_each_behaviour!(count) > 20);
        /// ```
        #[macro_export]
        macro_rules! for_each_behaviour {
            ($callback:ident) => { $callback! { $($name)* } };
        }
    };
}

behaviours! {
    /// A new invitation has an id and the requested address, and is pending.
    create::create_returns_the_invitation;
    /// `get` returns a created invitation unchanged.
    create::a_created_invitation_can_be_read;
    /// The list has a created invitation exactly once.
    create::a_created_invitation_is_listed_once;
    /// Creating a second invitation of an address fails with `AlreadyExists`.
    create::a_second_invitation_is_refused;
    /// The same holds for the address in capital letters.
    create::a_second_invitation_in_capitals_is_refused;
    /// Of several concurrent creates of one address at most one succeeds, and one invitation exists afterwards.
    create::concurrent_creates_make_one_invitation;
    /// `get_or_create` returns the same invitation every time.
    create::get_or_create_is_idempotent;
    /// A deleted invitation is `NotFound`, or has the status `Deactivated`.
    delete::a_deleted_invitation_is_gone;
    /// Deleting an invitation twice is `NotFound`.
    delete::a_second_delete_is_not_found;
    /// `delete_if_exists` returns true, then false.
    delete::delete_if_exists_is_idempotent;
    /// After a delete, the address can be invited again and gets another invitation id.
    delete::a_deleted_address_can_be_invited_again;
    /// `find_by_email` finds an invited address and no other.
    list::find_by_email_finds_the_invitation;
    /// The email filter lists that address and no other.
    list::the_email_filter_is_exact;
    /// The status filter lists exactly the invitations with that status.
    list::the_status_filter_is_exact;
    /// The filter by user lists only the invitations of that user.
    list::the_user_filter_is_exact;
    /// The filter by creator lists only the invitations of that creator.
    list::the_creator_filter_is_exact;
    /// Pages are no larger than requested, and together they have every item once.
    list::pages_add_up_to_the_list;
    /// A page size of `max_page_size` is accepted.
    list::the_largest_page_is_accepted;
    /// A page size of 0, or above the maximum, fails with `InvalidInput` before a request is sent.
    input::a_page_size_out_of_range_is_refused;
    /// An empty filter fails with `InvalidInput` before a request is sent.
    input::an_empty_filter_is_refused;
    /// An invalid address fails with `InvalidInput` before a request is sent.
    input::an_invalid_address_is_refused;
    /// An error names its provider and the operation.
    input::errors_name_provider_and_operation;
    /// The capabilities do not change, and reading them and the provider's name sends no request.
    options::capabilities_are_fixed;
    /// An auth type is accepted, or fails with `Unsupported`.
    options::an_auth_type_is_honoured_or_refused;
    /// Roles are accepted, or fail with `Unsupported`; see [`TestContext::roles`].
    options::roles_are_honoured_or_refused;
    /// The legacy role is accepted, or fails with `Unsupported`; see [`TestContext::legacy_role`].
    options::a_legacy_role_is_honoured_or_refused;
    /// Members can be listed, each once, or the list fails with `Unsupported`.
    members::members_are_listed_or_unsupported;
    /// Who accepts an invitation is a member, who can be read and found in any spelling of the address.
    members::who_accepts_is_a_member;
    /// Inviting a member fails with `AlreadyExists`.
    members::a_member_cannot_be_invited;
    /// A removed member is `NotFound`, and the address can be invited again.
    members::a_removed_member_is_gone;
    /// Roles are granted and set, and the same call again changes nothing; see [`TestContext::roles`].
    members::roles_of_a_member_are_set;
    /// The roles of the organisation are listed, or the list fails with `Unsupported`.
    members::roles_are_listed_or_unsupported;
    /// `create_many` has one outcome per item, also for duplicates and failures.
    bulk::create_many_has_one_outcome_per_item;
    /// `delete_many` has one outcome per item, also for missing invitations.
    bulk::delete_many_has_one_outcome_per_item;
}
