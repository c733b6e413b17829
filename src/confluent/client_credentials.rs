//! Subject tokens by the OAuth 2.0 client-credentials grant.

use std::sync::Arc;

use oauth2::{
    ClientId, ClientSecret, HttpRequest, HttpResponse, RequestTokenError, Scope, TokenResponse,
    basic::BasicClient,
};
use reqwest::{StatusCode, header::AUTHORIZATION};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::{Position, Url};

use crate::{
    confluent::Confluent,
    error::{Error, ErrorKind, Operation, Result, excerpt},
    http::{
        Authorization, CallState, ClientOptions, Endpoint, HttpClient, Outgoing, Reply, Service,
        TokenUrl, TransportError, TransportErrorKind, headers,
    },
    operation::kind_of_status,
};

/// The largest response of an identity provider, in bytes.
const MAX_BODY_BYTES: usize = 1 << 20;

/// The OAuth 2.0 client-credentials grant of an identity provider (feature `client-credentials`).
///
/// A token is requested for each exchange, with the timeouts and the [`RetryPolicy`](crate::RetryPolicy) of the
/// provider. Redirects are not followed. `Debug` shows no secret.
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientCredentials {
    token_url: Result<TokenUrl>,
    client_id: String,
    client_secret: SecretString,
    scopes: Vec<String>,
}

impl ClientCredentials {
    /// Requests tokens at `token_url`, as the client with this id and secret.
    ///
    /// The URL keeps its path and query. Building a provider fails with [`ErrorKind::Config`] if the URL is invalid (see
    /// [`TokenUrl`]), or if the id or the secret is empty.
    pub fn new<U>(
        token_url: U,
        client_id: impl Into<String>,
        client_secret: impl Into<SecretString>,
    ) -> Self
    where
        U: TryInto<TokenUrl>,
        U::Error: Into<Error>,
    {
        Self {
            token_url: token_url.try_into().map_err(Into::into),
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            scopes: Vec::new(),
        }
    }

    /// Adds a requested scope. Default: none.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Checks the settings and builds the HTTP client. Sends nothing.
    pub(super) fn build(self, options: &ClientOptions) -> Result<Arc<IdentityProvider>> {
        let config_error = |wrong: &str| {
            Error::new(ErrorKind::Config, Operation::Configure, wrong)
                .with_target("identity provider")
        };
        let url = self.token_url.clone()?.into_url();
        if self.client_id.is_empty() {
            return Err(config_error("the client's id is empty"));
        }
        if self.client_secret.expose_secret().is_empty() {
            return Err(config_error("the client's secret is empty"));
        }
        let service = Service {
            name: Confluent::NAME,
            published_rate: None,
            request_id: |_, _| None,
            is_own_refusal: |_, _| true,
        };
        let authorization = Authorization::none();
        let redactor = authorization.redactor();
        redactor.register_secret(self.client_secret.expose_secret());
        let options = ClientOptions {
            max_body_bytes: MAX_BODY_BYTES,
            // The caller's rate limits are those of the API.
            rates: Vec::new(),
            #[cfg(feature = "shared-limits")]
            shared_rate_limit: None,
            interceptors: Vec::new(),
            ..options.clone()
        };
        let http = HttpClient::new(service, Endpoint::at(url.clone()), authorization, options)?;
        Ok(Arc::new(IdentityProvider {
            client: self,
            url,
            http,
        }))
    }
}

/// An identity provider with its HTTP client.
pub(super) struct IdentityProvider {
    client: ClientCredentials,
    url: Url,
    http: Arc<HttpClient>,
}

impl IdentityProvider {
    /// Requests a token, with retries.
    pub async fn fetch(self: &Arc<Self>) -> Result<SecretString> {
        // A token request is safe, although it is a POST.
        let call = Arc::new(self.http.start_call().safe());
        let token = self.request_token(&call).await;
        token.map_err(|error| error.with_attempts(call.attempts()))
    }

    async fn request_token(self: &Arc<Self>, call: &Arc<CallState>) -> Result<SecretString> {
        let client = &self.client;
        let secret = client.client_secret.expose_secret().to_owned();
        let oauth = BasicClient::new(ClientId::new(client.client_id.clone()))
            .set_client_secret(ClientSecret::new(secret))
            .set_token_uri(oauth2::TokenUrl::from_url(self.url.clone()));
        let scopes = client.scopes.iter().cloned().map(Scope::new);
        let scopes: Vec<_> = scopes.collect();
        let request = oauth.exchange_client_credentials().add_scopes(scopes);
        let (provider, call) = (Arc::clone(self), Arc::clone(call));
        let send = move |request| Arc::clone(&provider).send(request, Arc::clone(&call));
        match request.request_async(&send).await {
            Ok(token) if !token.access_token().secret().trim().is_empty() => {
                Ok(token.access_token().secret().trim().into())
            }
            Err(RequestTokenError::Request(error)) => Err(error),
            // The response may hold a token, so the error does not quote it.
            _ => {
                let message = format!(
                    "{} answered with JSON that has no token of a known form",
                    self.url_without_query()
                );
                Err(self.error(ErrorKind::Decode, message).with_status(200))
            }
        }
    }

    /// Sends the request. Returns successful JSON responses only.
    async fn send(
        self: Arc<Self>,
        request: HttpRequest,
        call: Arc<CallState>,
    ) -> Result<HttpResponse> {
        let mut request = reqwest::Request::try_from(request).map_err(|error| {
            self.error(ErrorKind::Config, "the request cannot be built")
                .with_source(error)
        })?;
        if let Some(header) = request.headers_mut().get_mut(AUTHORIZATION) {
            header.set_sensitive(true);
            // The encoded pair of id and secret.
            if let Some((_, pair)) = header.to_str().ok().and_then(|text| text.split_once(' ')) {
                self.http.authorization.redactor().register_secret(pair);
            }
        }
        let mut request = Outgoing::new(request).without_redirects();
        let sent = self
            .http
            .send(&call, "client_credentials", &mut request)
            .await;
        let reply = sent.map_err(|error| self.transport_error(&error))?;
        let json = reply.json().filter(|json| json.is_object());
        if !reply.status.is_success() || json.is_none() {
            return Err(self.response_error(&reply, json));
        }
        let mut answer = HttpResponse::new(reply.body.to_vec());
        // The body is JSON, whatever its media type.
        *answer.status_mut() = StatusCode::OK;
        Ok(answer)
    }

    /// The error for a response without a token: an OAuth error (RFC 6749, section 5.2), or something else.
    fn response_error(&self, reply: &Reply, json: Option<&Value>) -> Error {
        let (status, redactor) = (reply.status, self.http.authorization.redactor());
        let text = |value: &Value| value.as_str().map(|text| excerpt(&redactor.redact(text)));
        let code = json.and_then(|json| text(&json["error"]));
        let status_kind = kind_of_status(status, Operation::Authenticate).filter(|kind| {
            matches!(
                kind,
                ErrorKind::Unauthenticated
                    | ErrorKind::Timeout
                    | ErrorKind::RateLimited
                    | ErrorKind::Unavailable
            )
        });
        let mut error = if let Some(code) = code.filter(|_| !status.is_success()) {
            let why = json.and_then(|json| text(&json["error_description"]));
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            let message = format!("{} refused: {code}{why}", self.url_without_query());
            let kind = status_kind.unwrap_or(ErrorKind::Unauthenticated);
            self.error(kind, message).with_code(code)
        } else {
            let kind = match status_kind {
                Some(kind) => kind,
                None if status.is_success() => ErrorKind::Decode,
                None => ErrorKind::Unexpected,
            };
            let what = match reply.header("content-type") {
                _ if status.is_redirection() => "a redirect, which was not followed".to_owned(),
                Some(media) => excerpt(&redactor.redact(media)),
                None => "no media type".to_owned(),
            };
            let message = format!(
                "{} answered {status} with {what} in place of a token; check the token URL and any \
                 proxy",
                self.url_without_query()
            );
            self.error(kind, message)
        };
        if let Some(delay) = headers::retry_after(&reply.headers, chrono::Utc::now()) {
            error = error.with_retry_after(delay);
        }
        error.with_status(status.as_u16())
    }

    /// The error for a request without a complete response.
    fn transport_error(&self, error: &TransportError) -> Error {
        let (kind, what) = match error.kind() {
            TransportErrorKind::Connect => (ErrorKind::Connect, "could not be reached"),
            TransportErrorKind::Certificate => {
                let what = "has a certificate that is not accepted";
                (ErrorKind::Connect, what)
            }
            TransportErrorKind::BodyTooLarge => {
                let message = format!(
                    "{} answered more than {MAX_BODY_BYTES} bytes",
                    self.url_without_query()
                );
                let status = error.status().unwrap_or_default();
                let error = self.error(ErrorKind::Decode, message);
                return error.with_status(status.as_u16());
            }
            TransportErrorKind::Transport => {
                let what = "broke the connection before its answer was complete";
                (ErrorKind::Transport, what)
            }
            _ => (ErrorKind::Timeout, "did not answer in time"),
        };
        self.error(kind, format!("{} {what}", self.url_without_query()))
            .with_shared_source(error.shared_source().cloned())
    }

    /// The token URL without its query.
    fn url_without_query(&self) -> &str {
        &self.url[..Position::AfterPath]
    }

    fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(kind, Operation::Authenticate, message)
            .with_provider(Confluent::NAME)
            .with_target("identity provider")
    }
}
