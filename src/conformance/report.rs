//! How a provider did.

use std::fmt;

use crate::error::Error;

/// A behaviour that a provider does not have. `Display` is one line.
#[derive(Debug)]
#[non_exhaustive]
pub struct Violation {
    /// The function's name.
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

/// How a provider did in all. `Display` is a line for each behaviour.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// The behaviours that it has, by name.
    pub met: Vec<&'static str>,
    /// Those that it does not have.
    pub unmet: Vec<Violation>,
}

impl Report {
    /// Whether it has all of them.
    pub fn passed(&self) -> bool {
        self.unmet.is_empty()
    }

    pub(super) fn add(&mut self, behaviour: &'static str, outcome: Result<(), Violation>) {
        match outcome {
            Ok(()) => self.met.push(behaviour),
            Err(unmet) => self.unmet.push(unmet),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for behaviour in &self.met {
            writeln!(f, "met    {behaviour}")?;
        }
        for unmet in &self.unmet {
            writeln!(f, "UNMET  {unmet}")?;
        }
        write!(f, "{} met, {} not", self.met.len(), self.unmet.len())
    }
}

/// Why a behaviour is not met, before its name is known.
#[derive(Debug)]
pub(super) struct Why(pub String);

pub(super) type Verdict<T = ()> = Result<T, Why>;

/// An operation that should have succeeded.
impl From<Error> for Why {
    fn from(error: Error) -> Self {
        Self(format!("the provider failed: {error}"))
    }
}
