//! One file a command, named as the command is; and what several of them share.

pub(crate) mod apply;
pub(crate) mod ask;
pub(crate) mod completions;
pub(crate) mod copy;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod each;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod outage;
pub(crate) mod plan;
pub(crate) mod recovery;
pub(crate) mod removal;
pub(crate) mod renew;
pub(crate) mod sandbox;
pub(crate) mod schema;
pub(crate) mod spec;
#[cfg(feature = "sql")]
pub(crate) mod sql;

mod which;
mod words;
