//! Rosters: reading one, carrying a plan out with a journal beside it, and writing what failed.

mod carry_out;
mod failed;
mod journal;
mod progress;
mod read;
mod record;

pub(crate) use self::{
    carry_out::{ApplyOptions, CarryOut},
    read::{LEGACY, RosterFormat, read},
    record::{OutcomeRecord, StepRecord},
};
