//! Faults: what they are, which requests they hit, and what they do to them.

mod fault;
mod inject;
mod lag;
mod rules;
mod schedule;
mod throttled_body;

pub use fault::{DuplicateAnswer, ErrorBody, Fault, When};
pub use lag::Lag;
pub use rules::{Faults, RandomFaults, Rule, WeightedFault};

pub(crate) use fault::FilterMode;
pub(crate) use inject::{inject, refuse};
pub(crate) use lag::{EffectiveFrom, LogicalTime};
pub(crate) use schedule::FaultSchedule;
