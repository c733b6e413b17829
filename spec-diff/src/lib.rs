//! What changed between two documents of one API, and what that means for the library and its users.
//!
//! | module | compares |
//! |---|---|
//! | `operation` | the operation itself and its request body |
//! | `paging` | whether a list that came at once may come in pages |
//! | `parameters` | path variables, and what travels under a name |
//! | `responses` | statuses and headers |
//! | `content` | bodies by media type |
//! | `schema` | what values look like |
//! | `security`, `servers` | how to authenticate, and where |
//!
//! `changes` collects what they find: the same change met by several operations is one finding.

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

/// What a change means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Nothing behaves differently.
    Cosmetic,
    /// There is something new, and all that was there still works.
    Additive,
    /// A Rust name of the bindings comes, goes or stands for something else.
    Bindings,
    /// The library or its users would fail or lose data.
    Breaking,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it means.
    pub class: Class,
    /// JSON pointer to the place in the newer document, or in the older one for what is gone.
    pub pointer: String,
    /// What was there; null when there was nothing.
    pub before: Value,
    /// What is there now; null when it is gone.
    pub after: Value,
    /// The change in words, with the operations that it concerns.
    pub message: String,
}

impl Class {
    /// The word for it: `breaking`, `bindings`, `additive` or `cosmetic`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cosmetic => "cosmetic",
            Self::Additive => "additive",
            Self::Bindings => "bindings",
            Self::Breaking => "breaking",
        }
    }

    /// Breaking if so, and otherwise `other`.
    fn breaking_if(breaks: bool, other: Self) -> Self {
        if breaks { Self::Breaking } else { other }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Compares what two documents say of `api`; the worst changes come first.
///
/// Moving a schema, inlining a reference, renaming a schema, changing words or the OpenAPI version is
/// no change. A change in a place that several operations share is one finding.
pub fn diff(old: &Surface, new: &Surface, api: &Api) -> Vec<Finding> {
    let mut changes = Changes::new(old, new);
    changes.servers();
    for operation in &api.operations {
        changes.operation(operation);
    }
    changes.into_findings()
}

/// A part of a surface: its pointer, and what stands there.
type Located<'s> = (&'s str, &'s Value);
