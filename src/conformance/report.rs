//! The result of the suite.

use std::fmt;

use crate::error::Error;

/// A behaviour that a provider violates. `Display` is one line.
#[derive(Debug)]
#[non_exhaustive]
pub struct Violation {
    /// The name of the behaviour's function.
    pub behaviour: &'static str,
    /// What was expected and what happened.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.behaviour, self.message)
    }
}

impl std::error::Error for Violation {}

/// The results of all behaviours. `Display` has one line per behaviour.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// The names of the behaviours that the provider has.
    pub satisfied: Vec<&'static str>,
    /// The behaviours that the provider violates.
    pub violations: Vec<Violation>,
}

impl Report {
    /// Whether the provider has every behaviour.
    pub fn passed(&self) -> bool {
        self.violations.is_empty()
    }

    pub(super) fn add(&mut self, behaviour: &'static str, outcome: Result<(), Violation>) {
        match outcome {
            Ok(()) => self.satisfied.push(behaviour),
            Err(violation) => self.violations.push(violation),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for behaviour in &self.satisfied {
            writeln!(f, "ok      {behaviour}")?;
        }
        for violation in &self.violations {
            writeln!(f, "FAILED  {violation}")?;
        }
        write!(
            f,
            "{} ok, {} failed",
            self.satisfied.len(),
            self.violations.len()
        )
    }
}

/// Why a behaviour failed; [`Violation`] adds the name of the behaviour.
#[derive(Debug)]
pub(super) struct FailReason(pub String);

pub(super) type CaseResult<T = ()> = Result<T, FailReason>;

/// The error of an operation that has to succeed.
impl From<Error> for FailReason {
    fn from(error: Error) -> Self {
        Self(format!("the provider failed: {error}"))
    }
}
