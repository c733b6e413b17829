//! What is created, listed and deleted.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    address::{is_invisible, is_unseen},
    capabilities::Capabilities,
    error::{Error, ErrorKind, Operation, Result, excerpt},
    extra::Extra,
    id::resource_id,
    member::MemberId,
    renewal::missing_capability,
    role::RoleGrant,
};
pub use crate::{
    role::{RoleAssignment, Roles},
    words::{AuthType, InvitationStatus, RoleKind, UnknownValue},
};

/// An invitation, as any provider reports it.
///
/// A provider fills what it knows. What has no field of its own here is in [`extra`](Self::extra), so
/// nothing that the server said is lost.
///
/// | field | Confluent Cloud | ClickHouse Cloud |
/// |---|---|---|
/// | `id` | `id` (`i-…`) | `id` (a UUID) |
/// | `email` | as it was sent | in lower case |
/// | `status` | `status` | derived from `expireAt`: [`Sent`](InvitationStatus::Sent) or [`Expired`](InvitationStatus::Expired) |
/// | `auth_type` | `auth_type` | never |
/// | `role` | never | `role` |
/// | `roles` | those that a create gave; later, the role bindings of the user tell them | `assignedRoles` |
/// | `created_at` | `metadata.created_at` | `createdAt` |
/// | `expires_at` | `expires_at` | `expireAt` |
/// | `accepted_at`, `user`, `creator` | the same names | never |
/// | `extra` | `api_version`, `kind`, `metadata`, anything else | anything else |
///
/// [`wire`](Self::wire) is the vendor's object with all its types.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Invitation {
    /// The provider's identifier.
    pub id: InvitationId,
    /// The invited address.
    pub email: String,
    /// How far the invitation has come; `None` when the provider left it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<InvitationStatus>,
    /// How the invitee will log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<AuthType>,
    /// The single role of older ClickHouse organisations, `admin` or `developer` so far. Frozen once
    /// the organisation has custom roles: read `roles` then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The roles that the invitee gets on acceptance; `None` when the provider did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<RoleAssignment>>,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it stops being acceptable; observed to be seven days after creation on Confluent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was accepted; `None` while it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<DateTime<Utc>>,
    /// The user that the invitation created. Role bindings go on this id, not on the invitation's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<ResourceReference>,
    /// Who invited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<ResourceReference>,
    /// Every property of the provider's object that has no field here, as it came.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Invitation {
    /// The user whom the invitation created, whom roles are bound to. The id of an invitation is no user's.
    pub(crate) fn invited_user(&self) -> Option<MemberId> {
        let id = self.user.as_ref()?.id.as_str();
        let is_user = !id.starts_with("i-");
        is_user.then(|| MemberId::new(id).ok()).flatten()
    }

    /// Whether the invitee can still accept, as far as is known: an invitation without a status counts as pending.
    pub fn is_pending(&self) -> bool {
        self.status
            .as_ref()
            .is_none_or(InvitationStatus::is_pending)
    }

    /// Whether the invitee has not accepted and cannot any more: it expired or was withdrawn.
    pub fn is_void(&self) -> bool {
        self.status.as_ref().is_some_and(InvitationStatus::is_void)
    }

    /// Whether it can be withdrawn, as far as is known: it was neither accepted nor withdrawn.
    pub fn is_deletable(&self) -> bool {
        self.status
            .as_ref()
            .is_none_or(InvitationStatus::is_deletable)
    }

    /// An invitation of which only the id and the email are known; the other fields are public.
    pub fn new(id: InvitationId, email: impl Into<String>) -> Self {
        Self {
            id,
            email: email.into(),
            status: None,
            auth_type: None,
            role: None,
            roles: None,
            created_at: None,
            expires_at: None,
            accepted_at: None,
            user: None,
            creator: None,
            extra: Extra::default(),
        }
    }

    /// The vendor's own object, with the types of the [bindings](crate::bindings): for a property that the bindings
    /// know and this type does not.
    ///
    /// Made from the fields and [`extra`](Self::extra), so it has what the server sent. `T` is
    /// [`bindings::confluent::types::Invitation`](crate::bindings::confluent::types::Invitation) or
    /// [`bindings::clickhouse::types::Invitation`](crate::bindings::clickhouse::types::Invitation).
    ///
    /// # Errors
    ///
    /// A property in `extra` is not of the type that the bindings give it.
    ///
    /// ```
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use org_invitations::{ClickHouse, Confluent, InvitationProvider, NewInvitation, bindings};
    ///
    /// # let sandbox = org_invitations_sandbox::Sandbox::start().await?;
    /// # let endpoint = sandbox.url();
    /// # let key = &sandbox.credentials().confluent;
    /// # let confluent = Confluent::builder().api_key(&key.api_key, key.api_secret.as_str());
    /// # let confluent = confluent.base_url(endpoint).build()?;
    /// # let key = &sandbox.credentials().clickhouse;
    /// # let clickhouse = ClickHouse::builder(&key.organization_id);
    /// # let clickhouse = clickhouse.api_key(&key.api_key, key.api_secret.as_str());
    /// # let clickhouse = clickhouse.base_url(endpoint).build()?;
    /// let invitation = confluent.create(NewInvitation::new("ann@example.com")).await?;
    /// let wire = invitation.wire::<bindings::confluent::types::Invitation>()?;
    /// println!("{:?}", wire.metadata);
    ///
    /// let invitation = clickhouse.create(NewInvitation::new("ann@example.com")).await?;
    /// let wire = invitation.wire::<bindings::clickhouse::types::Invitation>()?;
    /// println!("{:?}", wire.expire_at);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
    /// ```
    pub fn wire<T: WireInvitation>(&self) -> serde_json::Result<T> {
        let mut object = Map::from(self.extra.clone());
        object.extend(T::properties(self));
        serde_json::from_value(Value::Object(object))
    }
}

/// The types that [`Invitation::wire`] makes: the bindings' own of each vendor.
pub trait WireInvitation: DeserializeOwned + sealed::Properties {}

pub(crate) mod sealed {
    use serde_json::{Map, Value};

    use super::Invitation;

    /// The fields of an invitation as the vendor writes them.
    pub trait Properties {
        fn properties(invitation: &Invitation) -> Map<String, Value>;
    }
}

resource_id! {
    /// The identifier of an invitation: 1 to 255 characters that are safe in a URL's path.
    ///
    /// Empty, `.`, `..`, and anything with `/`, `\\`, `?`, `#`, `%`, white space or a control character is
    /// refused when the value is made, so that no request can go to another resource than the one meant.
    ///
    /// It compares with text, and a map with ids as keys is looked up by text:
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// use org_invitations::InvitationId;
    ///
    /// let id = InvitationId::try_from("i-1")?;
    /// assert!(id == "i-1" && "i-1".parse::<InvitationId>()? == id);
    /// let emails = HashMap::from([(id, "ann@example.com")]);
    /// assert_eq!(emails.get("i-1"), Some(&"ann@example.com"));
    /// # Ok::<(), org_invitations::Error>(())
    /// ```
    InvitationId, "an invitation id"
}

/// An invitation to be created.
///
/// Options that a provider does not have are refused with [`ErrorKind::Unsupported`] before anything
/// is sent: `auth_type` on ClickHouse, the legacy role on Confluent.
///
/// As data that steers, it is read strictly: a property that it does not have is an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct NewInvitation {
    /// The address to invite. ClickHouse stores it in lower case.
    pub email: String,
    /// How the invitee will log in. Default: SSO where the organisation has it, else local. Only an
    /// organisation administrator may invite local users into an SSO organisation (Confluent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<AuthType>,
    /// What the invitee may do. Default: what the provider gives to someone without roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Roles>,
    /// Further properties of the provider's request, under its own names. See [`extra`](Self::extra()).
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl NewInvitation {
    /// Invites `email` with the provider's defaults.
    pub fn new(email: impl Into<String>) -> Self {
        Self {
            email: email.into(),
            auth_type: None,
            roles: None,
            extra: Extra::default(),
        }
    }

    /// Sets a property of the provider's request that has no field here, under the provider's own name.
    ///
    /// Refused before sending: [`ErrorKind::Unsupported`] where the document that this crate was built from has no
    /// such property, and [`ErrorKind::InvalidInput`] where the value is not of its type, or where it has a field
    /// here. A property that the document requires and nobody set is `InvalidInput` too.
    #[must_use]
    pub fn extra(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(name, value.into());
        self
    }

    /// Sets how the invitee will log in.
    #[must_use]
    pub fn auth_type(mut self, auth_type: AuthType) -> Self {
        self.auth_type = Some(auth_type);
        self
    }

    /// Gives the invitee these roles, by name or id, as `NAME` or `NAME@SCOPE`.
    ///
    /// ClickHouse creates the invitation with them. On Confluent they are bound to the invited user afterwards, one
    /// request each; see [`ErrorKind::Incomplete`] for what happens when one of them fails.
    #[must_use]
    pub fn roles<I>(mut self, grants: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<RoleGrant>,
    {
        self.roles = Some(Roles::Grants(grants.into_iter().map(Into::into).collect()));
        self
    }

    /// Gives the invitee the deprecated single role.
    #[must_use]
    pub fn legacy_role(mut self, role: impl Into<String>) -> Self {
        self.roles = Some(Roles::Legacy(role.into()));
        self
    }

    /// Checks what can be checked without a provider; every provider does so before it sends.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for an email without `@` or without anything on one side of it,
    /// with white space, control characters or invisible characters, or longer than 254 bytes.
    pub fn validate(&self) -> Result<()> {
        validate_email(&self.email)
    }

    /// Checks what can be checked with the capabilities of a provider, without the provider: for a form, or a roster
    /// that is written before it is used. What the provider's document has to say of [`extra`](Self::extra()), and
    /// whether a role exists, only [`InvitationProvider::check`](crate::InvitationProvider::check) and the create
    /// itself can tell.
    ///
    /// # Errors
    ///
    /// Those of [`validate`](Self::validate), [`ErrorKind::InvalidInput`] for an invalid grant, and
    /// [`ErrorKind::Unsupported`] for an option that the capabilities do not offer.
    ///
    /// ```
    /// use org_invitations::{Capabilities, ErrorKind, NewInvitation};
    ///
    /// let capabilities = Capabilities::default().roles(true);
    /// let ann = NewInvitation::new("ann@example.com");
    /// assert!(ann.clone().roles(["Developer"]).check(&capabilities).is_ok());
    /// let error = ann.roles(["Developer@env-123"]).check(&capabilities).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Unsupported);
    /// ```
    pub fn check(&self, capabilities: &Capabilities) -> Result<()> {
        self.validate()?;
        if let Some(Roles::Grants(grants)) = &self.roles {
            grants.iter().try_for_each(RoleGrant::validate)?;
        }
        let Some(option) = missing_capability(self, capabilities) else {
            return Ok(());
        };
        let message = format!("the provider has no {option}");
        let error = Error::new(ErrorKind::Unsupported, Operation::Validate, message);
        Err(error.with_target(excerpt(&self.email)))
    }
}

pub(crate) fn validate_email(email: &str) -> Result<()> {
    let mut letters = email.chars().enumerate();
    let found = letters.find(|(_, letter)| is_unseen(*letter));
    let wrong = match (found, email.rsplit_once('@')) {
        _ if email.len() > 254 => "an email address has at most 254 bytes".to_owned(),
        (Some((index, letter)), _) => {
            let code = u32::from(letter);
            let kind = match is_invisible(letter) {
                true => "invisible characters",
                false => "white space or control characters",
            };
            let place = index + 1;
            format!(
                "an email address has no {kind}, and character {place} of this one is U+{code:04X}"
            )
        }
        (None, Some((local, domain))) if !local.is_empty() && !domain.is_empty() => return Ok(()),
        (None, Some(_)) => "an email address needs something on both sides of its `@`".to_owned(),
        (None, None) => "an email address needs an `@`".to_owned(),
    };
    Err(
        Error::new(ErrorKind::InvalidInput, Operation::Validate, wrong)
            .with_target(excerpt(&format!("{email:?}"))),
    )
}

/// A pointer to another resource of the provider, such as a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ResourceReference {
    /// The resource's id, such as `u-…` for a user.
    pub id: String,
    /// Its URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub related: Option<String>,
    /// Its name across the provider (`crn://…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// Every property that has no field here, as it came.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl ResourceReference {
    /// A reference of which only the id is known; the other fields are public.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            related: None,
            resource_name: None,
            extra: Extra::default(),
        }
    }
}
