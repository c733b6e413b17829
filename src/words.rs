//! Open sets: the words that are known, and any other word as the provider wrote it.

use std::{convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// How far an invitation has come.
///
/// An open set: a value that this version does not know is kept in [`Other`](Self::Other) as the
/// provider wrote it. Written in lower case (`sent`) wherever it is text.
///
/// ```
/// use org_invitations::InvitationStatus;
///
/// let status: InvitationStatus = "SENT".parse()?;
/// assert!(status == InvitationStatus::Sent && status == "sent");
/// assert_eq!("Paused".parse::<InvitationStatus>()?.as_str(), "Paused");
/// # Ok::<(), std::convert::Infallible>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InvitationStatus {
    /// The mail went out and the invitation can be accepted.
    Sent,
    /// Prepared, but the mail did not go out yet.
    Staged,
    /// The invitee is a member now.
    Accepted,
    /// Too late to accept.
    Expired,
    /// Withdrawn.
    Deactivated,
    /// Something newer than this version, verbatim.
    Other(UnknownValue),
}

impl InvitationStatus {
    /// Whether the invitee can still accept. A status that this version does not know counts as pending.
    pub fn is_pending(&self) -> bool {
        !self.is_void() && *self != Self::Accepted
    }

    /// Whether the invitee has not accepted and cannot any more: the invitation expired or was withdrawn.
    pub fn is_void(&self) -> bool {
        matches!(self, Self::Expired | Self::Deactivated)
    }

    /// Whether there is an invitation to withdraw: it was neither accepted nor withdrawn.
    pub fn is_deletable(&self) -> bool {
        !matches!(self, Self::Accepted | Self::Deactivated)
    }
}

/// How an invitee logs in.
///
/// An open set, as [`InvitationStatus`] is. Written `local` and `sso` wherever it is text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthType {
    /// With a password of the provider's own.
    Local,
    /// Through the organisation's identity provider.
    Sso,
    /// Something newer than this version, verbatim.
    Other(UnknownValue),
}

/// A value of an open set that this version does not know, as the provider wrote it.
///
/// Only conversion from text makes one (`InvitationStatus::from("paused")`), so that a known value is never hidden in
/// `Other`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnknownValue(Box<str>);

impl UnknownValue {
    /// The value as the provider wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UnknownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Who defined a role. An open set, as [`InvitationStatus`] is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RoleKind {
    /// The provider.
    System,
    /// The organisation.
    Custom,
    /// Something newer than this version, verbatim.
    Other(UnknownValue),
}

/// An open set of words: text for the known ones, anything else kept verbatim.
macro_rules! open_enum {
    ($name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        impl $name {
            /// The word for it; what the provider wrote, if this version does not know it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(other) => other.as_str(),
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                $(if text.eq_ignore_ascii_case($text) {
                    return Self::$variant;
                })+
                Self::Other(UnknownValue(text.into()))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::from(text.as_str())
            }
        }

        impl FromStr for $name {
            type Err = Infallible;

            fn from_str(text: &str) -> std::result::Result<Self, Infallible> {
                Ok(Self::from(text))
            }
        }

        /// Compares as [`From`] reads: without regard to case, for the known words.
        impl PartialEq<str> for $name {
            fn eq(&self, text: &str) -> bool {
                match self {
                    Self::Other(other) => other.as_str() == text,
                    known => known.as_str().eq_ignore_ascii_case(text),
                }
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, text: &&str) -> bool {
                *self == **text
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Ok(Self::from(text.as_ref()))
            }
        }

        #[cfg(feature = "schemars")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "examples": [$($text),+] })
            }
        }
    };
}

open_enum!(InvitationStatus {
    Sent = "sent",
    Staged = "staged",
    Accepted = "accepted",
    Expired = "expired",
    Deactivated = "deactivated",
});
open_enum!(AuthType { Local = "local", Sso = "sso" });
open_enum!(RoleKind { System = "system", Custom = "custom" });
