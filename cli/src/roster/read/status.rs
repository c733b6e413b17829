//! Rows of people whom nobody means to invite: those who left, as an output of this command says, and those who are switched
//! off, as a directory says.

use std::collections::BTreeMap;

use super::{
    Problem,
    row::{Row, RowAction},
};
use crate::output::escape_control;

/// How a column of a directory says that somebody is switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Switch {
    /// A word, such as `Suspended`.
    Status,
    /// No, such as `accountEnabled` False.
    Enabled,
    /// Yes, such as `suspended` true.
    Disabled,
}

impl Switch {
    /// The meaning of a column, by its name in small letters and digits only.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "status" | "userstatus" | "accountstatus" => Self::Status,
            "accountenabled" | "enabled" | "active" | "isactive" => Self::Enabled,
            "suspended" | "archived" | "disabled" | "accountdisabled" | "deactivated"
            | "blocksignin" | "blockcredential" => Self::Disabled,
            _ => return None,
        })
    }

    pub fn is_off(self, value: &str) -> bool {
        let value = value.trim().to_lowercase();
        match self {
            Self::Status => matches!(
                value.as_str(),
                "suspended"
                    | "deprovisioned"
                    | "deactivated"
                    | "disabled"
                    | "inactive"
                    | "archived"
                    | "deleted"
                    | "blocked"
            ),
            Self::Enabled => matches!(value.as_str(), "false" | "no" | "0"),
            Self::Disabled => matches!(value.as_str(), "true" | "yes" | "1"),
        }
    }
}

/// The statuses of invitations that say nothing of who is to be invited.
const PAST: [&str; 2] = ["accepted", "deactivated"];

/// Takes out the rows whose invitation was accepted or withdrawn, and returns a note that counts them.
///
/// Who accepted may have left since, so that a plan would invite the person again. Where the roster says who may stay, such
/// a row is an error, since a member without a row would be removed.
pub(super) fn skip_past(
    rows: Vec<Row>,
    says_who_stays: bool,
) -> Result<(Vec<Row>, Option<String>), Vec<Problem>> {
    let is_past = |row: &Row| {
        let status = row.status.as_deref();
        row.action == RowAction::Invite && status.is_some_and(|status| PAST.contains(&status))
    };
    let (past, rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(is_past);
    if says_who_stays && !past.is_empty() {
        let wrong = past.iter().map(|row| {
            let status = row.status.as_deref().unwrap_or_default();
            row.problem(format!(
                "the invitation is {status}, which does not tell whether --prune may remove the person; `export` writes the \
                 people of an organisation"
            ))
        });
        return Err(wrong.collect());
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &past {
        *counts
            .entry(row.status.as_deref().unwrap_or_default())
            .or_default() += 1;
    }
    let counted = counts
        .iter()
        .map(|(status, count)| format!("{count} {status}"));
    let note = (!past.is_empty()).then(|| {
        format!(
            "invitations that were accepted or withdrawn are skipped, since their people may have left: {}",
            counted.collect::<Vec<_>>().join(", ")
        )
    });
    Ok((rows, note))
}

/// A warning that counts the people who are switched off in the directory; in strict reading, a problem for each.
pub(super) fn switched_off(rows: &[Row], is_strict: bool) -> Result<Option<String>, Vec<Problem>> {
    const EXAMPLES: usize = 3;
    let off = rows.iter().filter(|row| row.action == RowAction::Invite);
    let off: Vec<(&Row, &str)> = off
        .filter_map(|row| Some((row, row.off.as_deref()?)))
        .collect();
    if is_strict && !off.is_empty() {
        let wrong = off.iter().map(|(row, off)| {
            row.problem(format!(
                "{off}, so the person is switched off in the directory, which --strict rejects"
            ))
        });
        return Err(wrong.collect());
    }
    let Some((first, _)) = off.first() else {
        return Ok(None);
    };
    let shown: Vec<String> = off
        .iter()
        .take(EXAMPLES)
        .map(|(row, off)| format!("{} {} ({off})", first.place.noun(), row.line))
        .collect();
    let more = match off.len().saturating_sub(EXAMPLES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let people = match off.len() {
        1 => "1 person of the roster is switched off in the directory, and invited",
        several => &format!(
            "{several} people of the roster are switched off in the directory, and invited"
        ),
    };
    let shown = shown.join(", ");
    Ok(Some(format!(
        "{people} all the same: {}{more}; delete the rows, \
         or pass --strict to reject them",
        escape_control(&shown)
    )))
}
