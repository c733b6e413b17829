//! A subject token by the OAuth 2.0 client-credentials grant.

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

/// The largest answer of an identity provider that is read.
const MAX_BODY: usize = 1 << 20;

/// How an identity provider gives a program its token (feature `client-credentials`).
///
/// Asked with the provider's time limits and as patiently as its [`RetryPolicy`](crate::RetryPolicy)
/// says, at each exchange. Redirects are not followed. `Debug` shows no secret.
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientCredentials {
    token_url: Result<TokenUrl>,
    client_id: String,
    client_secret: SecretString,
    scopes: Vec<String>,
}

impl ClientCredentials {
    /// Asks at `token_url`, as the client with this id and secret.
    ///
    /// The URL is used as it is, with its path and query. Building a provider is refused
    /// ([`ErrorKind::Config`]) when it is not https, but for this machine's loopback, when it has a
    /// user name, password or fragment, and when the id or the secret is empty.
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

    /// Asks for this scope too. Default: none.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Checks all of it. Sends nothing.
    pub(super) fn connect(self, options: &ClientOptions) -> Result<Arc<IdentityProvider>> {
        let refuse = |wrong: &str| {
            Error::new(ErrorKind::Config, Operation::Configure, wrong)
                .with_target("identity provider")
        };
        let url = self.token_url.clone()?.into_url();
        if self.client_id.is_empty() {
            return Err(refuse("the client's id is empty"));
        }
        if self.client_secret.expose_secret().is_empty() {
            return Err(refuse("the client's secret is empty"));
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
            max_body_bytes: MAX_BODY,
            // Those are for the API.
            rates: Vec::new(),
            observer: None,
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

/// An identity provider that can be asked.
pub(super) struct IdentityProvider {
    client: ClientCredentials,
    url: Url,
    http: Arc<HttpClient>,
}

impl IdentityProvider {
    /// A token, asked for again and again as far as the retry policy allows.
    pub async fn fetch(self: &Arc<Self>) -> Result<SecretString> {
        // Asking for a token changes nothing, although it is a POST.
        let call = Arc::new(self.http.start_call().safe());
        let token = self.ask(&call).await;
        token.map_err(|error| error.with_attempts(call.attempts()))
    }

    async fn ask(self: &Arc<Self>, call: &Arc<CallState>) -> Result<SecretString> {
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
            // Nothing of such an answer goes into the error: it may hold a token.
            _ => {
                let message = format!(
                    "{} answered with JSON that has no token of a known form",
                    self.place()
                );
                Err(self.error(ErrorKind::Decode, message).with_status(200))
            }
        }
    }

    /// Sends the request. Only an answer that may hold a token is passed on.
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
            // The pair of id and secret, as it is sent.
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
            return Err(self.unusable(&reply, json));
        }
        let mut answer = HttpResponse::new(reply.body.to_vec());
        // The media type was looked at: it is JSON, whatever its header says.
        *answer.status_mut() = StatusCode::OK;
        Ok(answer)
    }

    /// What an answer without a token means: a refusal in OAuth's form (RFC 6749, section 5.2), or
    /// something else.
    fn unusable(&self, reply: &Reply, json: Option<&Value>) -> Error {
        let (status, redactor) = (reply.status, self.http.authorization.redactor());
        let text = |value: &Value| value.as_str().map(|text| excerpt(&redactor.redact(text)));
        let code = json.and_then(|json| text(&json["error"]));
        let by_status = kind_of_status(status, Operation::Authenticate).filter(|kind| {
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
            let message = format!("{} refused: {code}{why}", self.place());
            let kind = by_status.unwrap_or(ErrorKind::Unauthenticated);
            self.error(kind, message).with_code(code)
        } else {
            let kind = match by_status {
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
                self.place()
            );
            self.error(kind, message)
        };
        if let Some(delay) = headers::retry_after(&reply.headers, chrono::Utc::now()) {
            error = error.with_retry_after(delay);
        }
        error.with_status(status.as_u16())
    }

    /// What it means that no complete answer came.
    fn transport_error(&self, error: &TransportError) -> Error {
        let (kind, what) = match error.kind() {
            TransportErrorKind::Connect => (ErrorKind::Connect, "could not be reached"),
            TransportErrorKind::Certificate => {
                let what = "has a certificate that is not accepted";
                (ErrorKind::Connect, what)
            }
            TransportErrorKind::BodyTooLarge => {
                let message = format!("{} answered more than {MAX_BODY} bytes", self.place());
                let status = error.status().unwrap_or_default();
                let error = self.error(ErrorKind::Decode, message);
                return error.with_status(status.as_u16());
            }
            TransportErrorKind::Transport => {
                let broke = "broke the connection before its answer was complete";
                (ErrorKind::Transport, broke)
            }
            _ => (ErrorKind::Timeout, "did not answer in time"),
        };
        self.error(kind, format!("{} {what}", self.place()))
            .with_shared_source(error.shared_source().cloned())
    }

    /// Where it is, without the query.
    fn place(&self) -> &str {
        &self.url[..Position::AfterPath]
    }

    fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(kind, Operation::Authenticate, message)
            .with_provider(Confluent::NAME)
            .with_target("identity provider")
    }
}
