//! Compares two OpenAPI documents of one API, and classifies the changes by what they mean for a library that is built
//! from them.
//!
//! | module | compares |
//! |---|---|
//! | `operation` | the operation itself and its request body |
//! | `paging` | whether a list that was complete may now come in pages |
//! | `parameters` | path variables by position, other parameters by name |
//! | `responses` | statuses and headers |
//! | `content` | bodies by media type |
//! | `schema` | schemas of values |
//! | `security`, `servers` | authentication and servers |
//! | `names` | the Rust names of the bindings |
//!
//! `changes` collects the changes; a change that several operations share is one finding.

mod changes;
mod content;
mod names;
mod operation;
mod paging;
mod parameters;
mod responses;
mod schema;
mod security;
mod servers;

use std::fmt;

use changes::Changes;
pub use names::diff_names;
use org_invitations_codegen::{Api, Surface};
use serde_json::Value;

/// The impact of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Behaviour does not change.
    Cosmetic,
    /// A part was added, and everything that existed still works.
    Additive,
    /// A Rust name of the bindings was added, removed or changed.
    Bindings,
    /// The library or its users would fail or lose data.
    Breaking,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The impact.
    pub class: Class,
    /// JSON pointer into the newer document, or into the older one for a part that was removed.
    pub pointer: String,
    /// The old value; null for a part that was added.
    pub before: Value,
    /// The new value; null for a part that was removed.
    pub after: Value,
    /// A description of the change, with the affected operations.
    pub message: String,
}

impl Class {
    /// Returns `breaking`, `bindings`, `additive` or `cosmetic`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cosmetic => "cosmetic",
            Self::Additive => "additive",
            Self::Bindings => "bindings",
            Self::Breaking => "breaking",
        }
    }

    /// Returns `Breaking` if `breaks`, and otherwise `other`.
    fn breaking_if(breaks: bool, other: Self) -> Self {
        if breaks { Self::Breaking } else { other }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Compares two surfaces of `api`; the worst changes come first.
///
/// Moving or renaming a schema, inlining a reference, and changing descriptions or the OpenAPI version are not changes.
/// A change of a part that several operations share is one finding.
pub fn diff(old: &Surface, new: &Surface, api: &Api) -> Vec<Finding> {
    let mut changes = Changes::new(old, new);
    changes.servers();
    for operation in &api.operations {
        changes.operation(operation);
    }
    changes.into_findings()
}

/// A part of a surface: its pointer and its value.
type Located<'s> = (&'s str, &'s Value);
