//! The identity of an organisation.

use org_invitations::ProviderKind;

use super::ResolvedConfig;

/// An organisation as the configuration identifies it, without a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// Provider, organisation and endpoint, without the API key, which may be rotated.
    pub target: String,
    /// The vendor; `None` for a sandbox in memory.
    pub vendor: Option<ProviderKind>,
    /// The id of the organisation, which no other one of the vendor has. On Confluent only the API key identifies it.
    pub organization: Option<String>,
    /// The id of the API key or identity pool, which is no secret.
    pub credential: Option<String>,
}

impl Account {
    /// Whether `target` identifies the organisation.
    pub fn names_organization(&self) -> bool {
        self.organization.is_some() || self.vendor.is_none()
    }

    /// Whether both are one organisation by what the configuration has, whatever the endpoints: one server may have
    /// several names. Two keys of one organisation of Confluent are not recognised without its invitations.
    pub fn is_known_to_be(&self, other: &Self) -> bool {
        let same = |one: &Option<String>, other: &Option<String>| one.is_some() && one == other;
        self.vendor == other.vendor
            && match (&self.organization, &other.organization) {
                (Some(one), Some(other)) => one == other,
                _ => same(&self.credential, &other.credential),
            }
    }
}

impl ResolvedConfig {
    /// The organisation, as far as the values identify it.
    pub fn account(&self) -> Account {
        let display = |name: &str| {
            let value = self.values.iter().find(|value| value.name == name);
            value.map(|value| value.display.as_str())
        };
        let mut target = self.kind.to_string();
        let organization = display("organization_id").map(str::to_lowercase);
        if let Some(id) = &organization {
            target.push_str(&format!(" organization_id={id}"));
        }
        if let Some(url) = display("base_url") {
            let url = url.trim_end_matches('/');
            let version = match self.kind {
                ProviderKind::ClickHouse => "/v1",
                _ => "/iam/v2",
            };
            let url = url.strip_suffix(version).unwrap_or(url);
            target.push_str(&format!(" base_url={url}"));
        }
        Account {
            target,
            vendor: Some(self.kind),
            organization,
            credential: display("api_key")
                .or_else(|| display("sts.identity_pool_id"))
                // The name of a file or command does not identify the credential.
                .filter(|text| !text.starts_with("[redacted]"))
                .map(str::to_owned),
        }
    }
}
