//! The identity of an organisation.

use org_invitations::ProviderKind;

use super::ResolvedConfig;

/// An organisation as the configuration identifies it, without a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// Provider, organisation and endpoint, without the API key, which may be rotated.
    pub target: String,
    /// Whether `target` identifies the organisation. On Confluent only the API key does.
    pub names_organization: bool,
    /// The id of the API key or identity pool, which is no secret.
    pub credential: Option<String>,
}

impl Account {
    /// Whether both are surely one organisation. Two keys of one organisation of Confluent are not recognised.
    pub fn is_known_to_be(&self, other: &Self) -> bool {
        let same_credential = self.credential.is_some() && self.credential == other.credential;
        self.target == other.target && (self.names_organization || same_credential)
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
        let organization = display("organization_id");
        if let Some(id) = organization {
            target.push_str(&format!(" organization_id={}", id.to_lowercase()));
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
            names_organization: organization.is_some(),
            credential: display("api_key")
                .or_else(|| display("sts.identity_pool_id"))
                // The name of a file or command does not identify the credential.
                .filter(|text| !text.starts_with("[redacted]"))
                .map(str::to_owned),
        }
    }
}
