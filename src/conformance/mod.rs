//! What every [`InvitationProvider`] has to do, as a suite that any provider can be put through
//! (feature `conformance`).
//!
//! Each function is one behaviour. What a provider's [`Capabilities`](crate::Capabilities) offer has to
//! work; what they do not has to be refused as [`Unsupported`](crate::ErrorKind::Unsupported) without
//! a request, which is seen when the [`TestContext`] can [count requests](TestContext::count_requests). A
//! behaviour makes its own invitations, under addresses that no other run uses, and deletes them again,
//! also when it is not met; it touches nothing else, so the suite may run against an account in use.
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
//! [`for_each_behaviour`](crate::for_each_behaviour) makes one test of each.
//!
//! [`InvitationProvider`]: crate::InvitationProvider

mod bulk;
mod create;
mod delete;
mod expect;
mod input;
mod list;
mod options;
mod report;
mod test_context;

pub use self::{
    report::{Report, Violation},
    test_context::TestContext,
};

/// Makes a public function of each behaviour, and the lists of all of them.
macro_rules! behaviours {
    ($($(#[$doc:meta])* $module:ident :: $name:ident;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            ///
            /// What was expected of the provider and what it did.
            pub async fn $name(subject: &TestContext<'_>) -> Result<(), Violation> {
                subject.judge(stringify!($name), $module::$name(subject)).await
            }
        )*

        /// Puts a provider through every behaviour, one after the other.
        pub async fn run_all(subject: &TestContext<'_>) -> Report {
            let mut report = Report::default();
            $(report.add(stringify!($name), $name(subject).await);)*
            report
        }

        /// Calls a macro with the names of all behaviours, so that each can become a test of its own.
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
    /// A new invitation has an id and the address that was asked for, and is not over.
    create::create_gives_the_invitation;
    /// What was created can be read by its id, and is the same.
    create::what_was_created_can_be_read;
    /// What was created is in the list, once.
    create::what_was_created_is_listed_once;
    /// An address that is invited is refused as `AlreadyExists`.
    create::a_second_invitation_is_refused;
    /// An address that is invited is refused in capital letters too.
    create::a_second_invitation_in_capitals_is_refused;
    /// Of several creates of one address at once, at most one succeeds, and one invitation is made.
    create::creates_at_once_make_one_invitation;
    /// `get_or_create` gives the same invitation every time.
    create::get_or_create_is_idempotent;
    /// What was deleted can no longer be read, or is over.
    delete::what_was_deleted_is_gone;
    /// Deleting what was deleted is `NotFound`.
    delete::a_second_delete_is_not_found;
    /// `delete_if_exists` is true, then false.
    delete::delete_if_exists_is_idempotent;
    /// A person whose invitation was deleted can be invited again, as another invitation.
    delete::what_was_deleted_can_be_made_again;
    /// `find_by_email` finds an address that was invited, and none that was not.
    list::find_by_email_finds_the_invited;
    /// The email filter lists that address and no other.
    list::the_email_filter_is_exact;
    /// The status filter lists only what has that status, and all of it.
    list::the_status_filter_is_exact;
    /// The filter by user lists only the invitations of that user.
    list::the_user_filter_is_exact;
    /// The filter by creator lists only the invitations of that creator.
    list::the_creator_filter_is_exact;
    /// Pages are never larger than asked for, and together they are the list.
    list::pages_are_the_list;
    /// A page of the largest size that is offered is accepted.
    list::the_largest_page_is_accepted;
    /// A page size of 0, or beyond the largest, is refused as `InvalidInput` without a request.
    input::a_page_size_out_of_range_is_refused;
    /// An empty filter is refused as `InvalidInput` without a request.
    input::an_empty_filter_is_refused;
    /// What cannot be an address is refused as `InvalidInput` without a request.
    input::what_is_no_address_is_refused;
    /// An error names its provider and the operation.
    input::errors_say_who_failed_at_what;
    /// The capabilities do not change, and neither they nor the names cost a request.
    options::capabilities_are_fixed;
    /// An auth type is taken, or refused as `Unsupported`.
    options::an_auth_type_is_honoured_or_refused;
    /// Roles are given, or refused as `Unsupported`; see [`TestContext::roles`].
    options::roles_are_honoured_or_refused;
    /// The legacy role is taken, or refused as `Unsupported`; see [`TestContext::legacy_role`].
    options::a_legacy_role_is_honoured_or_refused;
    /// `create_many` has one outcome for each item, also for doubles and for what is refused.
    bulk::create_many_has_one_outcome_for_each;
    /// `delete_many` has one outcome for each item, also for what is missing.
    bulk::delete_many_has_one_outcome_for_each;
}
