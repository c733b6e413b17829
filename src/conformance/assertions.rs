//! The assertions of the behaviours.

use std::fmt;

use super::report::{CaseResult, FailReason};
use crate::error::{Error, ErrorKind, Result};

/// Fails with `otherwise` unless `holds`.
pub(super) fn ensure(holds: bool, otherwise: impl fmt::Display) -> CaseResult {
    if holds {
        Ok(())
    } else {
        Err(FailReason(otherwise.to_string()))
    }
}

/// Fails unless `actual` equals `expected`; `what` names the value.
pub(super) fn ensure_eq<T: PartialEq + fmt::Debug>(
    what: &str,
    actual: T,
    expected: T,
) -> CaseResult {
    ensure(
        actual == expected,
        format_args!("{what} is {actual:?}, expected {expected:?}"),
    )
}

/// Returns the error of an operation that has to fail with this kind.
pub(super) fn ensure_fails<T>(
    what: &str,
    outcome: Result<T>,
    kind: ErrorKind,
) -> CaseResult<Error> {
    match outcome {
        Err(error) if error.kind() == kind => Ok(error),
        Err(error) => Err(FailReason(format!(
            "{what} failed with {:?}, expected {kind:?}: {error}",
            error.kind()
        ))),
        Ok(_) => Err(FailReason(format!("{what} succeeded, expected {kind:?}"))),
    }
}
