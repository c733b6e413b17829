//! Faults: what they are, which requests they hit, and what they do to them.

mod body;
mod fault;
mod inflict;
mod lag;
mod plan;
mod rules;

pub use fault::{ErrorBody, Fault, When, Which};
pub use lag::Lag;
pub use rules::{Faults, RandomFaults, Rule, Weighted};

pub(crate) use fault::Filtering;
pub(crate) use inflict::{inflict, refuse};
pub(crate) use lag::{InEffect, Moment};
pub(crate) use plan::Plan;
