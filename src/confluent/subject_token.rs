//! Where the identity provider's token comes from.

use std::{fs::File, io, io::Read, path::Path, path::PathBuf};

use secrecy::{ExposeSecret, SecretString};

#[cfg(feature = "client-credentials")]
use crate::confluent::client_credentials::IdentityProvider;
use crate::{
    confluent::Confluent,
    error::{Error, ErrorKind, Operation, Result},
    http::ClientOptions,
};

/// No token is longer.
const MAX_BYTES: u64 = 1 << 20;

/// Where the identity provider's token (a JWT) comes from. White space around it is no part of it.
///
/// When there is none, calls fail with [`ErrorKind::Config`], naming the place, and nothing is sent.
/// `Debug` shows no token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SubjectToken {
    /// Always this one. Building a provider with an empty one is refused.
    Fixed(SecretString),
    /// A file of at most 1 MiB that is read again for each exchange, as for tokens that a platform
    /// projects and renews.
    File(PathBuf),
    /// An environment variable, read again for each exchange.
    EnvVar(String),
    /// A token of the OAuth 2.0 client-credentials grant, asked for at each exchange.
    #[cfg(feature = "client-credentials")]
    ClientCredentials(crate::ClientCredentials),
}

/// The same, checked.
pub(super) enum SubjectTokenProvider {
    Fixed(SecretString),
    File(PathBuf),
    EnvVar(String),
    #[cfg(feature = "client-credentials")]
    IdentityProvider(std::sync::Arc<IdentityProvider>),
}

impl SubjectToken {
    #[cfg_attr(not(feature = "client-credentials"), allow(unused_variables))]
    pub(super) fn check(self, options: &ClientOptions) -> Result<SubjectTokenProvider> {
        Ok(match self {
            Self::Fixed(token) => {
                let token = trimmed(token.expose_secret(), "the fixed subject token");
                SubjectTokenProvider::Fixed(
                    token.map_err(|error| error.with_operation(Operation::Configure))?,
                )
            }
            Self::File(path) => SubjectTokenProvider::File(path),
            Self::EnvVar(name) => SubjectTokenProvider::EnvVar(name),
            #[cfg(feature = "client-credentials")]
            Self::ClientCredentials(client) => {
                SubjectTokenProvider::IdentityProvider(client.connect(options)?)
            }
        })
    }
}

impl SubjectTokenProvider {
    pub async fn read(&self) -> Result<SecretString> {
        match self {
            Self::Fixed(token) => Ok(token.clone()),
            Self::File(path) => {
                let place = format!("the file {}", path.display());
                let path = path.clone();
                // It may be on a disk that is slow or away.
                let reading = tokio::task::spawn_blocking(move || read_file(&path)).await;
                let text = reading
                    .unwrap_or_else(|ended| Err(io::Error::other(ended)))
                    .map_err(|error| {
                        refuse(format!("cannot read {place}: {error}")).with_source(error)
                    })?;
                trimmed(&text, &place)
            }
            Self::EnvVar(name) => {
                let place = format!("the environment variable {name}");
                let text = std::env::var(name).map_err(|error| match error {
                    std::env::VarError::NotPresent => refuse(format!("{place} is not set")),
                    // Its source shows the value.
                    std::env::VarError::NotUnicode(_) => refuse(format!("{place} is not UTF-8")),
                })?;
                trimmed(&text, &place)
            }
            #[cfg(feature = "client-credentials")]
            Self::IdentityProvider(provider) => provider.fetch().await,
        }
    }
}

fn read_file(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let length = File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)?;
    if length as u64 > MAX_BYTES {
        let why = format!("it has more than {MAX_BYTES} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    Ok(text)
}

fn trimmed(text: &str, place: &str) -> Result<SecretString> {
    let token = text.trim();
    if token.is_empty() {
        return Err(refuse(format!("{place} is empty")));
    }
    Ok(token.into())
}

fn refuse(what: String) -> Error {
    Error::new(ErrorKind::Config, Operation::Authenticate, what)
        .with_provider(Confluent::NAME)
        .with_target("subject token")
}
