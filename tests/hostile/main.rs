//! What the library reports against what is so, on servers that fail in every way that was seen or feared.
//!
//! The servers are written on raw sockets in `server/` and hold real state. A cell is a fault, a vendor and
//! a path through the library; it is wrong where what was reported and the server's own count differ:
//! somebody is lost and said to be there, something is said to be surely not done and was done, a success
//! stands for no invitation or for two, or somebody is deleted who was not asked for. Each test runs the
//! cells of one rule and prints those that are wrong.

mod deletions;
mod execution_claims;
mod filtered_lists;
mod identity;
mod lag;
mod list_completeness;
mod matrix;
mod oracle;
mod rate_limits;
mod removal_limits;
mod undocumented_responses;
// Measured by what Linux tells of a process.
mod malformed_items;
#[cfg(target_os = "linux")]
mod memory;
mod provider;
mod scenarios;
// The tests of the command use the same servers, and other parts of them.
mod conflicts;
mod replacements;
#[allow(dead_code)]
mod server;
mod strictness;
