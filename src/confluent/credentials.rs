//! What a Confluent provider authenticates with.

use std::sync::Arc;

#[cfg(feature = "sts")]
use crate::confluent::StsCredentials;
use crate::{
    error::Result,
    http::{
        Authorization, ClientOptions, CredentialProvider, CredentialSource, Credentials, Endpoint,
        IssuedCredentials,
    },
};

/// What a [`Confluent`](crate::Confluent) provider authenticates with. `Debug` shows no secret.
///
/// [`credentials`](crate::ConfluentBuilder::credentials) takes what is one of them:
///
/// ```
/// use org_invitations::{Confluent, ConfluentCredentials, Credentials, StsCredentials, SubjectToken};
///
/// fn credentials(pool: Option<&str>) -> ConfluentCredentials {
///     match pool {
///         Some(pool) => StsCredentials::new(pool, SubjectToken::EnvVar("CI_TOKEN".into())).into(),
///         None => Credentials::api_key("KEY", "a-secret").into(),
///     }
/// }
///
/// let provider = Confluent::builder().credentials(credentials(None)).build()?;
/// # drop((provider, credentials(Some("pool-1"))));
/// # Ok::<(), org_invitations::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ConfluentCredentials {
    /// An API key or an access token, which may have an end.
    Issued(IssuedCredentials),
    /// Tokens of Confluent's Security Token Service, in exchange for those of an identity provider (feature `sts`).
    #[cfg(feature = "sts")]
    Sts(StsCredentials),
    /// What a source of the program's issues.
    Provider(Arc<dyn CredentialProvider>),
}

impl From<Credentials> for ConfluentCredentials {
    fn from(credentials: Credentials) -> Self {
        Self::Issued(credentials.into())
    }
}

impl From<IssuedCredentials> for ConfluentCredentials {
    fn from(credentials: IssuedCredentials) -> Self {
        Self::Issued(credentials)
    }
}

#[cfg(feature = "sts")]
impl From<StsCredentials> for ConfluentCredentials {
    fn from(credentials: StsCredentials) -> Self {
        Self::Sts(credentials)
    }
}

impl From<Arc<dyn CredentialProvider>> for ConfluentCredentials {
    fn from(provider: Arc<dyn CredentialProvider>) -> Self {
        Self::Provider(provider)
    }
}

impl ConfluentCredentials {
    /// How a client authenticates with them, and the id of the API key, if it is known before a request.
    ///
    /// # Errors
    ///
    /// No header can hold the credentials, or those of STS are invalid.
    #[cfg_attr(not(feature = "sts"), allow(unused_variables))]
    pub(super) fn authorization(
        self,
        endpoint: &Endpoint,
        options: &ClientOptions,
    ) -> Result<(Authorization, Option<Arc<str>>)> {
        let source = match self {
            Self::Issued(credentials) => CredentialSource::Issued(credentials),
            Self::Provider(provider) => CredentialSource::Provider(provider),
            #[cfg(feature = "sts")]
            Self::Sts(credentials) => {
                let provider = credentials.provider(endpoint, options)?;
                return Ok((Authorization::refreshed(provider), None));
            }
        };
        let key_id = source.key_id().map(Into::into);
        Ok((source.authorization()?, key_id))
    }
}
