//! The tables, as somebody sees them who uses the crate: rows, and what was sent and changed for them.

mod columns;
mod delete;
mod delete_guards;
mod errors;
mod explain;
mod files;
mod hostile;
mod insert;
mod insert_refusals;
mod memory;
mod paging;
mod pushdown;
mod random;
mod reference;
mod select;
mod shown;
mod stock;
mod wire;
mod world;
