//! The lines of a journal. The first one is a [`Header`], every other one a [`Line`].

use org_invitations::{Invitation, InvitationId, NewInvitation};
use serde::{Deserialize, Serialize};

/// The first line: what the run is about.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    /// The version of this format.
    pub version: u32,
    /// Where people are invited: provider, organisation and endpoint.
    pub target: String,
    /// The id of the API key. Another key may belong to the same organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// The process that started the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
}

/// Any line but the first.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Line {
    Person(Box<Entry>),
    Resumed(Resumed),
    Fingerprint(Fingerprint),
}

/// What the run did to one person.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub email: String,
    pub id: InvitationId,
    #[serde(default, skip_serializing_if = "Event::is_invited")]
    pub event: Event,
    /// The invitation that restores the one that is withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<NewInvitation>,
    /// The organisation, where the provider's answer names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
}

/// Identifies the organisation of the run independently of the API key.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fingerprint {
    /// Some of the invitations that the organisation had when the run started.
    pub seen: Vec<InvitationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
}

impl Fingerprint {
    /// How many invitations a fingerprint has at most.
    pub const MAX_INVITATIONS: usize = 100;
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Event {
    /// The run created the invitation.
    #[default]
    Invited,
    /// The run is about to withdraw the invitation and create it again.
    Withdrawing,
}

impl Event {
    fn is_invited(&self) -> bool {
        *self == Self::Invited
    }
}

/// A process that resumes the run.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Resumed {
    pub pid: u32,
}

/// Whether an incomplete first line is the start of a [`Header`].
pub(super) fn is_partial_header(text: &[u8]) -> bool {
    const START: &[u8] = br#"{"version":1,"target":""#;
    let length = text.len().min(START.len());
    text[..length] == START[..length]
}

/// The organisation that an invitation names. Only Confluent names one, in the resource names of its users.
pub(crate) fn organization_of(invitation: &Invitation) -> Option<String> {
    let references = [&invitation.user, &invitation.creator]
        .into_iter()
        .flatten();
    let mut names = references.filter_map(|reference| reference.resource_name.as_deref());
    names.find_map(|name| {
        let (_, rest) = name.split_once("/organization=")?;
        let id = rest.split('/').next().filter(|id| !id.is_empty())?;
        Some(id.to_owned())
    })
}
