//! The commands: one module each, named like the command, with its arguments and examples.

pub(crate) mod apply;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod copy;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod man;
#[cfg(feature = "mcp")]
pub(crate) mod mcp;
pub(crate) mod members;
pub(crate) mod plan;
pub(crate) mod remove;
pub(crate) mod renew;
pub(crate) mod roles;
pub(crate) mod sandbox;
pub(crate) mod schema;
pub(crate) mod spec;
#[cfg(feature = "sql")]
pub(crate) mod sql;

mod selector;
mod value_parsers;
pub(crate) mod who;
