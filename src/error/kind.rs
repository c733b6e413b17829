//! The kinds of errors, and the operations.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of an error, the same on every provider. As data, `already_exists` and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is invalid. This crate found that before sending (an empty id, an email without `@`), or the server
    /// did (400, 422). The request was not executed. Correct the input; `details` may name the field.
    InvalidInput,
    /// The provider does not have this option or filter. Nothing was sent. Leave the option out, or check
    /// [`capabilities`](crate::InvitationProvider::capabilities) first.
    Unsupported,
    /// The configuration of the provider is invalid: a missing credential, an invalid base URL; or the call runs outside of
    /// a Tokio runtime. Nothing was sent.
    Config,
    /// The credential is missing, invalid or expired (401). The request was not executed. Replace the credential.
    Unauthenticated,
    /// The credential is valid and lacks the permission (403). The request was not executed. Confluent may also send a
    /// 403 for a resource that does not exist; it is never reported as [`NotFound`](Self::NotFound). Also a request that an
    /// [`Interceptor`](crate::Interceptor) of the program's refused, whose error is the source.
    PermissionDenied,
    /// The invitation does not exist (404 in the provider's own form): it was deleted, or never created.
    NotFound,
    /// The person is already invited, or already a member: the vendor said so with a 409, or the invitation was found. The
    /// create was not executed, unless [`may_have_executed`](crate::Error::may_have_executed) is set: then an attempt
    /// without a response may have created the conflicting invitation. `conflicting_id` is its id, if known.
    AlreadyExists,
    /// A conflict (409) that is not known to be about the invitation of this address: a lock, a concurrent request, a
    /// gateway, or an invitation that no lookup found. After a create, the person is not known to be invited; after a
    /// delete, the invitation may still exist. Look before repeating the request.
    Conflict,
    /// A part of it was done and a part was not: the person is invited, and a role could not be bound (Confluent).
    /// `conflicting_id` names the invitation; the message names what failed, and the [cause](crate::Error::cause) says why. The same through
    /// [`get_or_create`](crate::InvitationProviderExt::get_or_create) or
    /// [`grant_roles`](crate::MemberProvider::grant_roles) completes it.
    Incomplete,
    /// The invitation was accepted, so it cannot be deleted. Remove the member instead.
    AlreadyAccepted,
    /// The organisation's quota of invitations is exhausted (402, or a 400 that says so). Delete some, or ask the vendor
    /// for a larger quota.
    QuotaExceeded,
    /// Too many requests: the server said so (429), or the client-side rate limit admits no request before the deadline of
    /// the call, and nothing was sent. The request was not executed, unless
    /// [`may_have_executed`](crate::Error::may_have_executed) is set. Wait for `retry_after`, then repeat the request.
    RateLimited,
    /// The server failed (500, 502, 503, 504). The request may have been executed. Repeat a get, list or delete; look
    /// before repeating a create.
    Unavailable,
    /// No response within the time limit. The request may have been executed. Proceed as for `Unavailable`.
    Timeout,
    /// No connection: name resolution failed, the port is closed, TLS failed. The request was not executed and can be
    /// repeated.
    Connect,
    /// The connection broke after the request was sent. The request may have been executed. Proceed as for `Unavailable`.
    Transport,
    /// The response of a successful request is not in the documented form; `body_excerpt` has its beginning. The request
    /// was executed.
    Decode,
    /// A response that the provider does not document for this operation, such as an HTML page. Check the base URL and any
    /// proxy or gateway. Also an address with two invitations, because the provider accepted a second create after one
    /// without a response: the message has their ids.
    Unexpected,
}

/// An attempted operation. As data, `create`, `list_members` and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operation {
    /// Building a provider.
    Configure,
    /// Checking a value before it is used.
    Validate,
    /// Fetching an access token.
    Authenticate,
    /// Creating an invitation.
    Create,
    /// Reading one invitation.
    Get,
    /// Reading a page of invitations.
    List,
    /// Deleting an invitation.
    Delete,
    /// Reading a page of members.
    ListMembers,
    /// Reading what happened in the organisation.
    ListActivities,
    /// Reading one member.
    GetMember,
    /// Removing a member.
    RemoveMember,
    /// Reading the roles that there are, or those of a member.
    ListRoles,
    /// Giving a person a role.
    GrantRole,
    /// Taking a role from a person.
    RevokeRole,
    /// Reading the API keys of a member.
    ListApiKeys,
    /// Reading the API key in use.
    GetApiKey,
}

impl ErrorKind {
    /// The description of the kind in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid input",
            Self::Unsupported => "not supported by this provider",
            Self::Config => "bad configuration",
            Self::Unauthenticated => "not authenticated",
            Self::PermissionDenied => "permission denied",
            Self::NotFound => "not found",
            Self::AlreadyExists => "already exists",
            Self::Conflict => "conflict",
            Self::Incomplete => "done in part",
            Self::AlreadyAccepted => "already accepted",
            Self::QuotaExceeded => "quota exceeded",
            Self::RateLimited => "rate limited",
            Self::Unavailable => "the service failed",
            Self::Timeout => "no answer in time",
            Self::Connect => "cannot connect",
            Self::Transport => "the connection broke",
            Self::Decode => "unreadable answer",
            Self::Unexpected => "unexpected answer",
        }
    }
}

impl Operation {
    /// Whether the operation changes something at the server.
    pub(crate) fn is_mutating(self) -> bool {
        matches!(
            self,
            Self::Create | Self::Delete | Self::RemoveMember | Self::GrantRole | Self::RevokeRole
        )
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Configure => "configure",
            Self::Validate => "check",
            Self::Authenticate => "authenticate",
            Self::Create => "create",
            Self::Get => "get",
            Self::List => "list",
            Self::Delete => "delete",
            Self::ListMembers => "list members",
            Self::ListActivities => "list activities",
            Self::GetMember => "get member",
            Self::RemoveMember => "remove member",
            Self::ListRoles => "list roles",
            Self::GrantRole => "grant role",
            Self::RevokeRole => "revoke role",
            Self::ListApiKeys => "list API keys",
            Self::GetApiKey => "get API key",
        })
    }
}
