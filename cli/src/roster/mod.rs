//! Rosters: reading one, and writing the rows that fail as a roster again.

mod failed_rows;
mod origin;
mod read;
mod roles;
#[cfg(test)]
mod round_trip;

#[cfg(test)]
use self::read::RosterFormat;
pub(crate) use self::{
    failed_rows::FailedRows,
    read::{ReadOptions, Roster, read, read_bytes},
    roles::{RosterRoles, roles_cell},
};
