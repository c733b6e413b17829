//! What the commands and the roster runs share that work on several invitations: concurrency, outages, the limit
//! on deletions, and the messages that name who is left.

mod concurrent;
mod outage;
mod recovery;
mod removal;
mod summary;

pub(crate) use self::{
    concurrent::for_each_concurrent,
    outage::{PauseOptions, never_pause, rerun_command},
    recovery::{create_command, recovery_command, recovery_message},
    removal::{RemovalOptions, print_removals},
    summary::RunSummary,
};
