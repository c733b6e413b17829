//! The sources of the identity provider's token.

use std::{fs::File, io, io::Read, path::Path, path::PathBuf};

use secrecy::{ExposeSecret, SecretString};

#[cfg(feature = "client-credentials")]
use crate::confluent::client_credentials::IdentityProvider;
use crate::{
    confluent::Confluent,
    error::{Error, ErrorKind, Operation, Result},
    http::ClientOptions,
};

/// The largest token file, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// The source of the identity provider's token (a JWT). White space around the token is ignored.
///
/// Without a token, calls fail with [`ErrorKind::Config`], naming the source, and nothing is sent. `Debug` shows no
/// token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SubjectToken {
    /// A fixed token. Building a provider with an empty one fails.
    Fixed(SecretString),
    /// A file of at most 1 MiB, read again for each exchange, such as a token that the platform mounts and rotates.
    File(PathBuf),
    /// An environment variable, read again for each exchange.
    EnvVar(String),
    /// A token of the OAuth 2.0 client-credentials grant, fetched for each exchange.
    #[cfg(feature = "client-credentials")]
    ClientCredentials(crate::ClientCredentials),
}

/// A [`SubjectToken`] whose settings were checked.
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
                SubjectTokenProvider::IdentityProvider(client.build(options)?)
            }
        })
    }
}

impl SubjectTokenProvider {
    pub async fn read(&self) -> Result<SecretString> {
        match self {
            Self::Fixed(token) => Ok(token.clone()),
            Self::File(path) => {
                let source = format!("the file {}", path.display());
                let path = path.clone();
                // The file system may be slow, such as a network mount.
                let reading = tokio::task::spawn_blocking(move || read_file(&path)).await;
                let text = reading
                    .unwrap_or_else(|ended| Err(io::Error::other(ended)))
                    .map_err(|error| {
                        token_error(format!("cannot read {source}: {error}")).with_source(error)
                    })?;
                trimmed(&text, &source)
            }
            Self::EnvVar(name) => {
                let source = format!("the environment variable {name}");
                let text = std::env::var(name).map_err(|error| match error {
                    std::env::VarError::NotPresent => token_error(format!("{source} is not set")),
                    // The error is not a source: it shows the value.
                    std::env::VarError::NotUnicode(_) => {
                        token_error(format!("{source} is not UTF-8"))
                    }
                })?;
                trimmed(&text, &source)
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

fn trimmed(text: &str, source: &str) -> Result<SecretString> {
    let token = text.trim();
    if token.is_empty() {
        return Err(token_error(format!("{source} is empty")));
    }
    Ok(token.into())
}

fn token_error(message: String) -> Error {
    Error::new(ErrorKind::Config, Operation::Authenticate, message)
        .with_provider(Confluent::NAME)
        .with_target("subject token")
}
