//! The limit on the invitations that one run may withdraw.

use std::{fmt, str::FromStr};

use crate::error::{Error, ErrorKind, Operation};

/// The limit on the invitations that one run may withdraw: a number, or a share of the existing ones.
///
/// The default is a quarter, but at least five. It protects against a truncated or wrong roster: a run that exceeds it
/// fails before it starts.
///
/// ```
/// use org_invitations::RemovalLimit;
///
/// let limit = RemovalLimit::default();
/// assert!(limit.check(5, 8).is_ok());
/// assert!(limit.check(25, 100).is_ok());
/// let error = limit.check(26, 100).unwrap_err();
/// assert_eq!((error.removals, error.existing, error.allowed), (26, 100, 25));
/// assert!("40%".parse::<RemovalLimit>().unwrap().check(40, 100).is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemovalLimit {
    percent: u8,
    minimum: usize,
    maximum: usize,
}

impl Default for RemovalLimit {
    fn default() -> Self {
        Self {
            percent: 25,
            minimum: 5,
            maximum: usize::MAX,
        }
    }
}

impl RemovalLimit {
    /// Allows at most this number.
    pub fn count(count: usize) -> Self {
        Self {
            percent: 0,
            minimum: count,
            maximum: usize::MAX,
        }
    }

    /// Allows at most this share of the existing invitations, in percent and rounded down; more than 100 counts as 100.
    pub fn percent(percent: u8) -> Self {
        Self {
            percent: percent.min(100),
            minimum: 0,
            maximum: usize::MAX,
        }
    }

    /// Allows any number.
    pub fn none() -> Self {
        Self {
            percent: 100,
            minimum: usize::MAX,
            maximum: usize::MAX,
        }
    }

    /// Allows no more than this number either.
    ///
    /// ```
    /// use org_invitations::RemovalLimit;
    ///
    /// let limit = RemovalLimit::percent(25).at_most(3);
    /// assert_eq!((limit.allowed(8), limit.allowed(100)), (2, 3));
    /// ```
    #[must_use]
    pub fn at_most(mut self, count: usize) -> Self {
        self.maximum = self.maximum.min(count);
        self
    }

    /// The number of invitations that may be withdrawn of `existing` ones.
    pub fn allowed(&self, existing: usize) -> usize {
        let share = existing / 100 * usize::from(self.percent)
            + existing % 100 * usize::from(self.percent) / 100;
        share.max(self.minimum).min(self.maximum)
    }

    /// Checks a run that withdraws `removals` of `existing` invitations.
    ///
    /// # Errors
    ///
    /// [`TooManyRemovals`] if that exceeds [`allowed`](Self::allowed).
    pub fn check(&self, removals: usize, existing: usize) -> Result<(), TooManyRemovals> {
        let allowed = self.allowed(existing);
        if removals <= allowed {
            return Ok(());
        }
        Err(TooManyRemovals {
            removals,
            existing,
            allowed,
            limit: *self,
            of: Removable::Invitations,
        })
    }
}

/// `25 %, and at least 5`
impl fmt::Display for RemovalLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.percent, self.minimum) {
            (_, usize::MAX) if self.maximum < usize::MAX => return write!(f, "{}", self.maximum),
            (_, usize::MAX) => f.write_str("no limit"),
            (0, count) => return write!(f, "{}", count.min(self.maximum)),
            (percent, 0) => write!(f, "{percent} %"),
            (percent, count) => write!(f, "{percent} %, and at least {count}"),
        }?;
        match self.maximum {
            usize::MAX => Ok(()),
            count => write!(f, ", and at most {count}"),
        }
    }
}

/// Parses a number (`10`) or a share (`25%`).
impl FromStr for RemovalLimit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let limit = match text.strip_suffix('%') {
            Some(percent) => {
                let percent = percent.trim_end().parse().ok();
                percent.filter(|percent| *percent <= 100).map(Self::percent)
            }
            None => text.parse().ok().map(Self::count),
        };
        limit.ok_or_else(|| {
            let message = "a limit is a number, such as 10, or a share from 0% to 100%";
            Error::new(ErrorKind::InvalidInput, Operation::Validate, message)
        })
    }
}

/// The error of a run that would withdraw more invitations than its [`RemovalLimit`] allows. Nothing was withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TooManyRemovals {
    /// The number of invitations that the run would withdraw.
    pub removals: usize,
    /// The number of existing invitations that can be withdrawn.
    pub existing: usize,
    /// The number of invitations that the run may withdraw.
    pub allowed: usize,
    /// The limit.
    pub limit: RemovalLimit,
    /// What is removed.
    pub of: Removable,
}

/// What a run would remove too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Removable {
    /// Invitations, which are withdrawn.
    Invitations,
    /// Members, who are removed or lose roles.
    Members,
    /// Both together.
    Both,
}

impl fmt::Display for TooManyRemovals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (removals, existing, allowed) = (self.removals, self.existing, self.allowed);
        let (verb, things) = match self.of {
            Removable::Invitations => ("withdraw", "invitations"),
            Removable::Members => ("remove, or take roles from,", "members"),
            Removable::Both => ("remove or change", "invitations and members"),
        };
        write!(
            f,
            "this would {verb} {removals} of {existing} {things}, and the limit is {allowed}"
        )?;
        match self.limit.percent {
            0 => Ok(()),
            _ => write!(f, " ({})", self.limit),
        }
    }
}

impl std::error::Error for TooManyRemovals {}

impl From<TooManyRemovals> for Error {
    fn from(error: TooManyRemovals) -> Self {
        let message = error.to_string();
        Self::new(ErrorKind::InvalidInput, Operation::Delete, message).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_a_quarter_and_at_least_five() {
        let limit = RemovalLimit::default();
        for (existing, allowed) in [
            (0, 5),
            (5, 5),
            (20, 5),
            (24, 6),
            (100, 25),
            (1_000_000, 250_000),
        ] {
            assert_eq!(limit.allowed(existing), allowed, "{existing}");
            assert!(limit.check(allowed, existing).is_ok());
            assert!(limit.check(allowed + 1, existing).is_err());
        }
        assert_eq!(
            RemovalLimit::percent(100).allowed(usize::MAX),
            usize::MAX / 100 * 100 + usize::MAX % 100
        );
    }

    #[test]
    fn a_limit_is_read_as_it_is_written() {
        for (text, limit) in [
            ("10", RemovalLimit::count(10)),
            ("0", RemovalLimit::count(0)),
            (" 30% ", RemovalLimit::percent(30)),
            ("100 %", RemovalLimit::percent(100)),
        ] {
            assert_eq!(text.parse::<RemovalLimit>().unwrap(), limit, "{text}");
        }
        for text in ["", "%", "-1", "101%", "1e3", "25 percent", "all"] {
            let error = text.parse::<RemovalLimit>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
        }
    }

    #[test]
    fn a_refusal_says_what_was_asked_and_what_is_allowed() {
        let said = |limit: RemovalLimit| limit.check(30, 40).unwrap_err().to_string();
        assert_eq!(
            said(RemovalLimit::default()),
            "this would withdraw 30 of 40 invitations, and the limit is 10 (25 %, and at least 5)"
        );
        assert_eq!(
            said(RemovalLimit::count(3)),
            "this would withdraw 30 of 40 invitations, and the limit is 3"
        );
        assert!(RemovalLimit::none().check(usize::MAX, 0).is_ok());
    }
}
