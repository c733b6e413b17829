//! What a failure means, and what was attempted.

use std::fmt;

/// What a failure means for the caller, the same on every provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request cannot be right: refused before sending (an empty id, an email without `@`) or by
    /// the server (400, 422). It did not execute. Mend the input; `details` may name the field.
    InvalidInput,
    /// This provider has no such option or filter. Refused before any request was sent. Leave it out,
    /// or ask [`capabilities`](crate::InvitationProvider::capabilities) first.
    Unsupported,
    /// The provider was not set up right: a missing credential, a bad base URL. Nothing was sent.
    Config,
    /// The credential is missing, wrong or expired (401). It did not execute. Mend the credential.
    Unauthenticated,
    /// The credential is good but may not do this (403). It did not execute. On Confluent a 403 may
    /// also hide that the thing does not exist; it is never taken for that.
    PermissionDenied,
    /// There is no such invitation (404 in the provider's own form). Deleted, or never there.
    NotFound,
    /// The email is already invited, or already a member: a 409 in the vendor's own words, or the invitation was seen.
    /// The create did not execute, unless
    /// [`may_have_executed`](crate::Error::may_have_executed) says that an attempt whose answer was lost may have
    /// made the very invitation that is in the way; `conflicting_id` names it where it is known.
    AlreadyExists,
    /// The server refused with a conflict (409) that is about something else than this address: a lock, another
    /// request that is under way, a gateway, or an invitation that was looked for and not found. After a create,
    /// nobody is known to be invited; after a delete, the invitation may still exist. Look again before repeating.
    Conflict,
    /// A part of it was done and a part was not: the person is invited, and a role could not be bound (Confluent).
    /// `conflicting_id` names the invitation; the message names what failed, and the source says why. The same through
    /// [`get_or_create`](crate::InvitationProviderExt::get_or_create) or
    /// [`grant_roles`](crate::MemberProvider::grant_roles) completes it.
    Incomplete,
    /// The invitation was accepted, so it can no longer be deleted. Remove the member instead.
    AlreadyAccepted,
    /// The organisation may not have more invitations (402, or a 400 that says so). Delete some, or
    /// ask the provider for more.
    QuotaExceeded,
    /// Too many requests: the server said so (429), or the provider's own rate limit leaves no room before the deadline
    /// of the call, in which case nothing was sent. It did not execute, unless
    /// [`may_have_executed`](crate::Error::may_have_executed) says otherwise. Wait for `retry_after`, then repeat.
    RateLimited,
    /// The server failed (500, 502, 503, 504). It may have executed. Repeat a get, list or delete;
    /// look before repeating a create.
    Unavailable,
    /// No answer within the time limit. It may have executed. As for `Unavailable`.
    Timeout,
    /// No connection: name resolution, refused, TLS. It did not execute; it is safe to repeat.
    Connect,
    /// The connection broke after the request went out. It may have executed. As for `Unavailable`.
    Transport,
    /// The server answered success with something that cannot be read. It executed, but what came
    /// back is not what the provider documents; `body_excerpt` has its beginning.
    Decode,
    /// A status that no provider documents for this operation, an HTML page for example. Check the
    /// base URL and what stands between here and there (a proxy, a gateway). Or an address that has two invitations,
    /// because the provider took a second one after the answer to the first was lost: the message names them.
    Unexpected,
}

/// What was attempted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Building a provider.
    Configure,
    /// Checking a value before it is used.
    Validate,
    /// Getting a token to authenticate with.
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
}

impl ErrorKind {
    /// The kind in words, as messages have it.
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
            Self::GetMember => "get member",
            Self::RemoveMember => "remove member",
            Self::ListRoles => "list roles",
            Self::GrantRole => "grant role",
            Self::RevokeRole => "revoke role",
        })
    }
}
