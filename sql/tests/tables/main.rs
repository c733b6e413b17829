//! Tests of the tables as a user of the crate: rows, and the requests and changes of a statement.

mod canned_server;
mod checks;
mod columns;
mod delete;
mod delete_guards;
mod discovery;
#[cfg(feature = "ballista")]
mod distributed;
mod dry_run;
mod errors;
mod explain;
mod fake_provider;
mod files;
mod fixture;
mod hostile_values;
mod insert;
mod insert_refusals;
mod members;
mod members_delete;
mod memory;
mod memory_tables;
mod paging;
mod profiles;
mod pushdown;
mod random;
mod returning;
mod role_bindings;
mod role_bindings_write;
mod rows;
mod select;
mod words;
