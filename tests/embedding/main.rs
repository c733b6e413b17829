//! What a program that embeds the library relies on, by the public API alone and mostly in memory: streams that it owns,
//! references of any lifetime, data of its own, mocks, and errors in reports.

mod config;
mod memory;
mod mocks;
mod ownership;
mod reports;
mod runtime;
mod schemas;
mod text;
