//! What behaviours expect, in words.

use std::fmt;

use super::report::{Verdict, Why};
use crate::error::{Error, ErrorKind, Result};

/// It holds, or `otherwise` says what does not.
pub(super) fn expect(holds: bool, otherwise: impl fmt::Display) -> Verdict {
    if holds {
        Ok(())
    } else {
        Err(Why(otherwise.to_string()))
    }
}

/// They are the same.
pub(super) fn same<T: PartialEq + fmt::Debug>(what: &str, got: T, wanted: T) -> Verdict {
    expect(
        got == wanted,
        format_args!("{what} is {got:?}, and should be {wanted:?}"),
    )
}

/// It is refused with this kind of error, which is handed back.
pub(super) fn refused<T>(what: &str, outcome: Result<T>, kind: ErrorKind) -> Verdict<Error> {
    match outcome {
        Err(error) if error.kind() == kind => Ok(error),
        Err(error) => Err(Why(format!(
            "{what} failed with {:?}, and should have with {kind:?}: {error}",
            error.kind()
        ))),
        Ok(_) => Err(Why(format!(
            "{what} succeeded, and should have failed with {kind:?}"
        ))),
    }
}
