//! Rosters: reading one, carrying a plan out with a journal beside it, and writing what failed.

mod apply_run;
mod failed_rows;
mod journal;
mod observer;
mod private_file;
mod progress;
mod read;
mod record;

pub(crate) use self::{
    apply_run::{ApplyOptions, ApplyReport, ApplyRun, count_actions, exit_of},
    journal::Journal,
    read::{LEGACY, Roster, RosterFormat, read},
    record::{OutcomeRecord, StepRecord},
};
