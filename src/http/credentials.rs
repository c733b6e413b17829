//! The credentials of a service and the `Authorization` header made from them.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::http::{Authorization, Redactor, SetupError};

/// The credentials of a provider. `Debug` shows no secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credentials {
    /// An API key and its secret, sent as HTTP Basic.
    ApiKey {
        /// The id of the key.
        id: String,
        /// The secret of the key.
        secret: SecretString,
    },
    /// An access token, sent as HTTP Bearer.
    Bearer(SecretString),
}

impl Credentials {
    /// Authenticates with an API key and its secret.
    pub fn api_key(id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        Self::ApiKey {
            id: id.into(),
            secret: secret.into(),
        }
    }

    /// Authenticates with an access token.
    pub fn bearer(token: impl Into<SecretString>) -> Self {
        Self::Bearer(token.into())
    }

    /// The value of the `Authorization` header, marked as sensitive; its secrets are registered with
    /// `redactor`.
    ///
    /// # Errors
    ///
    /// A part of the credentials is empty or does not fit into a header.
    pub(crate) fn authorization(&self, redactor: &Redactor) -> Result<HeaderValue, SetupError> {
        let text = match self {
            Self::ApiKey { id, .. } if id.is_empty() => {
                return Err(invalid("the id of the API key is empty"));
            }
            Self::ApiKey { secret, .. } if secret.expose_secret().is_empty() => {
                return Err(invalid("the secret of the API key is empty"));
            }
            Self::Bearer(token) if token.expose_secret().is_empty() => {
                return Err(invalid("the token is empty"));
            }
            Self::ApiKey { id, .. } if id.contains(':') => {
                return Err(invalid("the id of an API key has no colon"));
            }
            Self::ApiKey { id, secret } => {
                let secret = secret.expose_secret();
                let pair = BASE64_STANDARD.encode(format!("{id}:{secret}"));
                redactor.register_secret(secret);
                redactor.register_secret(&pair);
                format!("Basic {pair}")
            }
            Self::Bearer(token) => {
                redactor.register_secret(token.expose_secret());
                format!("Bearer {}", token.expose_secret())
            }
        };
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| invalid("the token has characters that no header can hold"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// A source of credentials that change while the program runs: a vault, a secret manager, a keyring.
///
/// A provider that was built with one asks for credentials before its first request, before they expire, and once more
/// when the server rejects them (401). Calls that need them at the same time share one question, and keep the present
/// ones while it is open. After an error, the source is asked again at the next call, a second later at the earliest.
///
/// ```
/// use std::{error::Error, time::Duration};
///
/// use org_invitations::{
///     Confluent, CredentialProvider, Credentials, InvitationProvider, IssuedCredentials, ListQuery,
/// };
///
/// /// Reads the secret from a file that something else rotates.
/// #[derive(Debug)]
/// struct Mounted(std::path::PathBuf);
///
/// #[async_trait::async_trait]
/// impl CredentialProvider for Mounted {
///     async fn credentials(&self) -> Result<IssuedCredentials, Box<dyn Error + Send + Sync>> {
///         let secret = std::fs::read_to_string(&self.0)?;
///         let key = Credentials::api_key("KEY", secret.trim());
///         Ok(IssuedCredentials::new(key).lifetime(Duration::from_secs(60)))
///     }
/// }
///
/// # async fn example() -> Result<(), Box<dyn Error>> {
/// # let sandbox = org_invitations_sandbox::Sandbox::builder().confluent_key("KEY", "a-secret").start().await?;
/// # let folder = std::env::temp_dir().join(format!("org-invitations-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("secret");
/// # std::fs::write(&path, "a-secret\n")?;
/// let builder = Confluent::builder().credential_provider(Mounted(path));
/// # let builder = builder.base_url(sandbox.url());
/// let provider = builder.build()?;
/// assert!(provider.list_page(&ListQuery::new(), None).await?.items.is_empty());
/// # std::fs::remove_dir_all(folder)?;
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
#[async_trait]
pub trait CredentialProvider: fmt::Debug + Send + Sync + 'static {
    /// The credentials to use from now on.
    ///
    /// # Errors
    ///
    /// Why there are none. The calls that wait for them fail as [`Unavailable`](crate::ErrorKind::Unavailable), with this
    /// error as their source, and nothing is sent.
    async fn credentials(&self) -> Result<IssuedCredentials, Box<dyn Error + Send + Sync>>;
}

#[async_trait]
impl<P: CredentialProvider + ?Sized> CredentialProvider for Arc<P> {
    async fn credentials(&self) -> Result<IssuedCredentials, Box<dyn Error + Send + Sync>> {
        (**self).credentials().await
    }
}

/// Credentials that may have an end, as a [`CredentialProvider`] issues them or a builder takes them.
///
/// A provider that was built with them sends nothing once they have ended: its calls fail as
/// [`Unauthenticated`](crate::ErrorKind::Unauthenticated). With a `CredentialProvider`, the next ones are asked for.
///
/// ```
/// use std::time::Duration;
///
/// use org_invitations::{Confluent, Credentials, IssuedCredentials};
///
/// let key = Credentials::api_key("KEY", "a-secret");
/// let for_an_hour = IssuedCredentials::new(key).lifetime(Duration::from_secs(3_600));
/// let provider = Confluent::builder().credentials(for_an_hour).build()?;
/// # drop(provider);
/// # Ok::<(), org_invitations::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IssuedCredentials {
    /// The credentials.
    pub credentials: Credentials,
    /// How long they are valid: from the question to a [`CredentialProvider`] on, of which at most an hour counts; or from
    /// building a provider with them on. Default: an hour, or without an end.
    pub lifetime: Option<Duration>,
}

impl IssuedCredentials {
    /// Credentials without a known end.
    pub fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            lifetime: None,
        }
    }

    /// Sets how long they are valid.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }
}

impl From<Credentials> for IssuedCredentials {
    fn from(credentials: Credentials) -> Self {
        Self::new(credentials)
    }
}

/// Where a client has its credentials from.
#[derive(Clone, Debug)]
pub(crate) enum CredentialSource {
    Issued(IssuedCredentials),
    Provider(Arc<dyn CredentialProvider>),
}

impl CredentialSource {
    /// How a client authenticates with them.
    ///
    /// # Errors
    ///
    /// No header can hold the credentials.
    pub fn authorization(self) -> Result<Authorization, SetupError> {
        match self {
            Self::Issued(issued) => Authorization::fixed(&issued.credentials, issued.lifetime),
            Self::Provider(provider) => Ok(Authorization::refreshed(Arc::new(provider))),
        }
    }

    /// The id of the API key, if it is known before a request.
    pub fn key_id(&self) -> Option<&str> {
        match self {
            Self::Issued(IssuedCredentials {
                credentials: Credentials::ApiKey { id, .. },
                ..
            }) => Some(id),
            _ => None,
        }
    }
}

fn invalid(wrong: &str) -> SetupError {
    SetupError::new(wrong).about("credentials")
}
