//! Shared by the commands and runs that work on several invitations or organisations: concurrency, outages, the limit on
//! deletions, and messages about people who are left without an invitation.

mod concurrent;
mod in_order;
mod outage;
mod owned_keys;
mod recovery;
mod removal;
mod summary;

pub(crate) use self::{
    concurrent::for_each_concurrent,
    in_order::{Results, for_each_provider, in_order},
    outage::{PauseOptions, never_pause, rerun_command},
    owned_keys::OwnedKeys,
    recovery::{Uninvited, create_command, recovery_command, recovery_message, set_roles_command},
    removal::{RemovalOptions, print_removals},
    summary::RunSummary,
};
