//! Guides: how the parts of this crate are used together.
//!
//! The modules hold documentation only. Their examples run offline, against the sandbox or on data.

#[doc = include_str!("custom_provider.md")]
pub mod custom_provider {}

#[doc = include_str!("errors.md")]
pub mod errors {}

#[doc = include_str!("many_people.md")]
pub mod many_people {}

#[doc = include_str!("regenerating.md")]
pub mod regenerating {}

#[doc = include_str!("switching_backends.md")]
pub mod switching_backends {}

#[doc = include_str!("testing.md")]
pub mod testing {}
