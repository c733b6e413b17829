//! The identity of an organisation.

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
