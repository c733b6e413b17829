//! Roles: what a person is to have, and what there is to have.

mod index;

use std::{borrow::Cow, convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) use self::index::RoleIndex;
use crate::{
    crn,
    error::{Error, ErrorKind, Operation, Result},
    extra::Extra,
    words::RoleKind,
};

/// A role that a person is to have, and where it applies.
///
/// As text: `NAME`, or `NAME@SCOPE`. Made from text, and read from data, in either form or as an object with `role` and
/// `scope`.
///
/// | | Confluent Cloud | ClickHouse Cloud |
/// |---|---|---|
/// | `role` | the name of a predefined role, such as `EnvironmentAdmin` | the name or the id of a system or custom role |
/// | `scope` | a CRN pattern, whole (`crn://…`) or short; default: the organisation | none |
///
/// Short scopes of Confluent leave out `crn://confluent.cloud/organization=…` and the kinds that an id shows:
/// `env-123`, `env-123/lkc-456`, `env-123/lkc-456/topic=orders`, `env-123/lsrc-789/subject=orders-value`.
///
/// ```
/// use org_invitations::RoleGrant;
///
/// let grant = RoleGrant::from("DeveloperRead@env-123/lkc-456/topic=orders");
/// assert_eq!(grant.role, "DeveloperRead");
/// assert_eq!(grant.scope.as_deref(), Some("env-123/lkc-456/topic=orders"));
/// assert_eq!(grant.to_string(), "DeveloperRead@env-123/lkc-456/topic=orders");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct RoleGrant {
    /// The role's name or id.
    pub role: String,
    /// Where it applies. Default: the whole organisation.
    pub scope: Option<String>,
}

impl RoleGrant {
    /// A role in the whole organisation.
    pub fn new(role: impl Into<String>) -> Self {
        Self {
            role: role.into(),
            scope: None,
        }
    }

    /// Sets where the role applies.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// Checks what can be checked without a provider.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for an empty role or scope, and for control characters.
    pub fn validate(&self) -> Result<()> {
        let parts = [("role", Some(&self.role)), ("scope", self.scope.as_ref())];
        for (name, text) in parts {
            let wrong = match text {
                Some(text) if text.trim().is_empty() => format!("the {name} of a grant is empty"),
                Some(text) if text.chars().any(char::is_control) => {
                    format!("the {name} of a grant has a control character")
                }
                _ => continue,
            };
            let error = Error::new(ErrorKind::InvalidInput, Operation::Validate, wrong);
            return Err(error.with_target(format!("{:?}", self.to_string())));
        }
        Ok(())
    }

    /// Whether this grant is what an assignment reports: the same role, by id or by name, in the same scope.
    pub fn is_met_by(&self, assignment: &RoleAssignment) -> bool {
        let same_id = assignment.id.as_ref() == Some(&self.role);
        let name = assignment.name.as_ref();
        let same_name = name.is_some_and(|name| name.eq_ignore_ascii_case(&self.role));
        (same_id || same_name) && short_scope(&self.scope) == short_scope(&assignment.scope)
    }
}

/// A scope in its short form, in which scopes compare: `env-1` for the whole CRN pattern of this environment, and `None`
/// for the whole organisation.
pub(crate) fn short_scope(scope: &Option<String>) -> Option<Cow<'_, str>> {
    let scope = scope.as_deref()?;
    match scope.starts_with("crn://") {
        true => crn::short(scope).map(Cow::Owned),
        false => Some(Cow::Borrowed(scope)),
    }
}

impl From<&str> for RoleGrant {
    fn from(text: &str) -> Self {
        match text.split_once('@') {
            Some((role, scope)) => Self::new(role).scope(scope),
            None => Self::new(text),
        }
    }
}

impl From<&Self> for RoleGrant {
    fn from(grant: &Self) -> Self {
        grant.clone()
    }
}

impl From<String> for RoleGrant {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&String> for RoleGrant {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl FromStr for RoleGrant {
    type Err = Infallible;

    fn from_str(text: &str) -> std::result::Result<Self, Infallible> {
        Ok(Self::from(text))
    }
}

impl fmt::Display for RoleGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            Some(scope) => write!(f, "{}@{scope}", self.role),
            None => f.write_str(&self.role),
        }
    }
}

/// The form of a grant as an object.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

impl Serialize for RoleGrant {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        if self.role.contains('@') {
            let (role, scope) = (self.role.clone(), self.scope.clone());
            return Object { role, scope }.serialize(serializer);
        }
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RoleGrant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            Object(Object),
        }

        Ok(match Form::deserialize(deserializer)? {
            Form::Text(text) => Self::from(text),
            Form::Object(Object { role, scope }) => Self { role, scope },
        })
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for RoleGrant {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RoleGrant".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [
                { "type": "string", "examples": ["Developer", "EnvironmentAdmin@env-123"] },
                {
                    "type": "object",
                    "properties": { "role": { "type": "string" }, "scope": { "type": ["string", "null"] } },
                    "required": ["role"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}

/// Roles for an invitee: grants, or the one legacy role; the provider accepts one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Roles {
    /// Roles by name or id, and where they apply; an empty list is accepted and means no role.
    #[serde(alias = "ids")]
    Grants(Vec<RoleGrant>),
    /// The deprecated single role, `admin` or `developer`. Refused by organisations that have custom
    /// roles.
    Legacy(String),
}

/// A role that a member has, or that an invitee gets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RoleAssignment {
    /// The id to use in [`NewInvitation::roles`](crate::NewInvitation::roles()).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether the provider or the organisation defined it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<RoleKind>,
    /// Where it applies, if not everywhere in the organisation: a CRN pattern (Confluent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The provider's id of the assignment itself: of the role binding (Confluent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding_id: Option<String>,
    /// Every property that has no field here, as it came.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl RoleAssignment {
    /// The grant that gives this role again; `None` where neither an id nor a name of it is known.
    pub fn grant(&self) -> Option<RoleGrant> {
        let id = self.id.as_ref().filter(|id| !id.is_empty());
        let role = id.or(self.name.as_ref().filter(|name| !name.is_empty()))?;
        let mut grant = RoleGrant::new(role);
        grant.scope.clone_from(&self.scope);
        Some(grant)
    }
}

/// A role that an organisation has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Role {
    /// The provider's id of it.
    pub id: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether the provider or the organisation defined it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<RoleKind>,
    /// Every property that has no field here, as it came.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Role {
    /// A role of which only the id is known; the other fields are public.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            ..Self::default()
        }
    }
}

/// What became of a change of somebody's roles. No vendor changes several roles in one step, so some may have been
/// changed where others failed.
#[derive(Clone, Debug, Default, Serialize)]
#[must_use]
#[non_exhaustive]
pub struct RoleChange {
    /// The roles that the person has and did not have before.
    pub added: Vec<RoleAssignment>,
    /// The roles that the person had and has no more.
    pub removed: Vec<RoleAssignment>,
    /// What failed. The same call again completes it.
    pub failed: Vec<RoleFailure>,
}

/// A role that could not be given or taken.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RoleFailure {
    /// The role.
    pub grant: RoleGrant,
    /// Why, and whether it may have been done all the same.
    pub error: Error,
}

impl RoleFailure {
    /// The failure of one grant.
    pub fn new(grant: RoleGrant, error: Error) -> Self {
        Self { grant, error }
    }
}

impl RoleChange {
    /// Whether the person had all of it before.
    pub fn is_noop(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.failed.is_empty()
    }

    /// The change, if nothing failed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Incomplete`], naming every role that could not be given or taken, with the first failure as its
    /// source.
    pub fn complete(self) -> Result<Self> {
        let Some(first) = self.failed.first() else {
            return Ok(self);
        };
        let failed = self.failed.iter();
        let failed: Vec<_> = failed
            .map(|failure| format!("{}: {}", failure.grant, failure.error.message()))
            .collect();
        let message = format!(
            "{} of {} changes of roles failed ({}); giving the roles again completes it",
            failed.len(),
            failed.len() + self.added.len() + self.removed.len(),
            failed.join("; ")
        );
        let error = &first.error;
        let incomplete = Error::new(ErrorKind::Incomplete, error.operation(), message)
            .with_may_have_executed(true)
            .with_source(error.clone());
        Err(match error.provider() {
            Some(provider) => incomplete.with_provider(provider.to_owned()),
            None => incomplete,
        })
    }
}
