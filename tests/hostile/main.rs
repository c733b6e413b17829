//! What the library reports against what is so, on servers that fail in every way that was seen or feared.
//!
//! The servers are written on raw sockets in `server/` and hold real state. A cell is a fault, a vendor and
//! a path through the library; it is wrong where what was reported and the server's own count differ:
//! somebody is lost and said to be there, something is said to be surely not done and was done, a success
//! stands for no invitation or for two, or somebody is deleted who was not asked for. Each test runs the
//! cells of one rule and prints those that are wrong.

mod answers;
mod certainty;
mod deletions;
mod identity;
mod judge;
mod lag;
mod limits;
mod matrix;
mod measure;
// Measured by what Linux tells of a process.
#[cfg(target_os = "linux")]
mod memory;
mod odd_items;
mod paths;
mod provider;
// The tests of the command use the same servers, and other parts of them.
#[allow(dead_code)]
mod server;
mod sightings;
mod strictness;
mod succession;
