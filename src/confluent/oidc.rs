//! A subject token by the OAuth 2.0 client-credentials grant.

use std::{sync::LazyLock, time::Duration};

use oauth2::{
    ClientId, ClientSecret, HttpRequest, HttpResponse, RequestTokenError, Scope, TokenResponse,
    TokenUrl,
    basic::{BasicClient, BasicErrorResponse},
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    client::{BaseUrl, Endpoint, read_body_of},
    confluent::Confluent,
    error::{Error, ErrorKind, Operation, Result},
};

/// The largest answer of an identity provider that is read.
const MAX_BODY: usize = 1 << 20;

/// How an identity provider gives a program its token (feature `oidc`).
///
/// `Debug` shows no secret. The token's URL has to be https, but for this machine's loopback, and
/// redirects are not followed.
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientCredentials {
    token_url: BaseUrl,
    client_id: String,
    client_secret: SecretString,
    scopes: Vec<String>,
}

impl ClientCredentials {
    /// Asks at `token_url`, as the client with this id and secret.
    pub fn new(
        token_url: impl Into<BaseUrl>,
        client_id: impl Into<String>,
        client_secret: impl Into<SecretString>,
    ) -> Self {
        Self {
            token_url: token_url.into(),
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            scopes: Vec::new(),
        }
    }

    /// Asks for this scope too. Default: none.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    pub(super) async fn fetch(&self) -> Result<SecretString> {
        // Checked as a base URL is, because a secret goes there.
        let endpoint = Endpoint::new(&self.token_url, None)
            .map_err(|error| self.named(error.with_operation(Operation::Authenticate)))?;
        let unusable = |_| self.error(ErrorKind::Config, "the token URL is not a URL");
        let url = TokenUrl::new(endpoint.as_base().to_owned()).map_err(unusable)?;
        let client = BasicClient::new(ClientId::new(self.client_id.clone()))
            .set_client_secret(ClientSecret::new(
                self.client_secret.expose_secret().to_owned(),
            ))
            .set_token_uri(url);
        let scopes = self.scopes.iter().cloned().map(Scope::new);
        let request = client.exchange_client_credentials().add_scopes(scopes);
        match request.request_async(&|request| send(request)).await {
            Ok(token) => Ok(token.access_token().secret().clone().into()),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Nothing that the identity provider answered goes into the error: it may hold a token.
    fn failed(&self, error: RequestTokenError<SendError, BasicErrorResponse>) -> Error {
        match error {
            RequestTokenError::ServerResponse(refusal) => self.error(
                ErrorKind::Unauthenticated,
                format!("the identity provider refused: {}", refusal.error()),
            ),
            RequestTokenError::Request(SendError::Http(error)) => {
                let kind = if error.is_timeout() {
                    ErrorKind::Timeout
                } else {
                    ErrorKind::Connect
                };
                let message = "the identity provider could not be reached";
                self.error(kind, message).with_source(error.without_url())
            }
            RequestTokenError::Request(_)
            | RequestTokenError::Parse(..)
            | RequestTokenError::Other(_) => self.error(
                ErrorKind::Decode,
                "the identity provider's answer has no token",
            ),
        }
    }

    fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        self.named(Error::new(kind, Operation::Authenticate, message))
    }

    fn named(&self, error: Error) -> Error {
        error
            .with_provider(Confluent::NAME)
            .with_subject("identity provider")
    }
}

#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error("the request failed")]
    Http(#[from] reqwest::Error),
    #[error("the answer cannot be read")]
    Answer,
}

static ANYWHERE: LazyLock<reqwest::Client> = LazyLock::new(|| client(|builder| builder));
static LOOPBACK: LazyLock<reqwest::Client> =
    LazyLock::new(|| client(reqwest::ClientBuilder::no_proxy));

fn client(set: fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder) -> reqwest::Client {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("org-invitations/", env!("CARGO_PKG_VERSION")))
        .timeout(Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none());
    set(builder).build().unwrap_or_default()
}

async fn send(request: HttpRequest) -> Result<HttpResponse, SendError> {
    // What is meant for this machine must not go through a proxy.
    let plain = request.uri().scheme_str() == Some("http");
    let client = if plain { &LOOPBACK } else { &ANYWHERE };
    let response = client.execute(request.try_into()?).await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = read_body_of(response, MAX_BODY)
        .await
        .ok_or(SendError::Answer)?;
    let mut answer = HttpResponse::new(body.to_vec());
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    Ok(answer)
}
