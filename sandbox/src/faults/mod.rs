//! Faults: what can go wrong, and which requests are affected. The server injects them.

mod fault;
mod lag;
mod rules;
mod schedule;

pub use fault::{DuplicateAnswer, ErrorBody, Fault, When};
pub use lag::Lag;
pub use rules::{Faults, RandomFaults, Rule, WeightedFault};

pub(crate) use lag::{EffectiveFrom, LogicalTime};
pub(crate) use schedule::FaultSchedule;
