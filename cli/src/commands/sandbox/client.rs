//! A client of the admin API of a running sandbox.

use std::time::Duration;

use clap::Args;
use reqwest::{Client, Method, StatusCode, Url};
use serde_json::Value;

use crate::{config, failure::Failure, output::escape_control};

/// The variable that names the running sandbox.
pub(super) const URL_VARIABLE: &str = "ORG_INVITATIONS_SANDBOX_URL";

const TIMEOUT: Duration = Duration::from_secs(30);

/// The running sandbox.
#[derive(Args, Clone, Debug)]
pub(crate) struct Target {
    /// The running sandbox. Default: that of ORG_INVITATIONS_SANDBOX_URL, or else
    /// http://127.0.0.1:8787.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
}

/// A client of one sandbox.
pub(super) struct AdminClient {
    http: Client,
    url: Url,
}

/// Why the sandbox did not do what it was asked to.
pub(super) enum CallError {
    /// An answer of the sandbox: its status and its message.
    Refused(StatusCode, String),
    Failed(Failure),
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(_, message) => Self::Other(message),
            CallError::Failed(failure) => failure,
        }
    }
}

impl AdminClient {
    pub fn new(target: &Target) -> Result<Self, Failure> {
        let (text, source) = match &target.url {
            Some(url) => (url.clone(), "--url"),
            None => match config::variable(URL_VARIABLE)? {
                Some(url) => (url, URL_VARIABLE),
                None => (
                    format!("http://{}", super::serve::DEFAULT_ADDRESS),
                    "the default",
                ),
            },
        };
        let parsed = Url::parse(&text).ok();
        let url = parsed.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url = url.ok_or_else(|| {
            let text = escape_control(&text).to_string();
            Failure::Usage(format!(
                "{source}: {text:?} is not a URL such as http://127.0.0.1:8787"
            ))
        })?;
        // A sandbox is on this machine or next to it, and a proxy knows neither.
        let http = Client::builder().no_proxy().timeout(TIMEOUT).build();
        let http =
            http.map_err(|error| Failure::Other(format!("cannot send requests: {error}")))?;
        Ok(Self { http, url })
    }

    /// The base URL, without a trailing slash.
    pub fn url(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    pub async fn get(&self, endpoint: &str) -> Result<Value, Failure> {
        Ok(self.call(Method::GET, endpoint, None).await?)
    }

    /// Sends a request to an endpoint under `/_sandbox/`, and reads its answer.
    pub async fn call(
        &self,
        method: Method,
        endpoint: &str,
        body: Option<&Value>,
    ) -> Result<Value, CallError> {
        let mut request = self
            .http
            .request(method, format!("{}/_sandbox/{endpoint}", self.url()));
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let response = request
            .send()
            .await
            .map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let text = response
            .text()
            .await
            .map_err(|error| self.unreachable(&error))?;
        if status.is_success() {
            if text.is_empty() {
                return Ok(Value::Null);
            }
            return serde_json::from_str(&text).map_err(|_| self.no_sandbox(status));
        }
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        match body["error"].as_str() {
            Some(message) => {
                let message = escape_control(message).to_string();
                Err(CallError::Refused(status, message))
            }
            None => Err(self.no_sandbox(status)),
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> CallError {
        let mut cause: &dyn std::error::Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        CallError::Failed(Failure::Other(format!(
            "cannot reach a sandbox at {}: {cause}\nhint: start one with `org-invitations sandbox --detach`, or name \
             one with --url or {URL_VARIABLE}",
            self.url()
        )))
    }

    fn no_sandbox(&self, status: StatusCode) -> CallError {
        let message = format!(
            "{} is no sandbox: its answer has the status {} and is not that of a sandbox\nhint: --url or \
             {URL_VARIABLE} names one",
            self.url(),
            status.as_u16()
        );
        CallError::Failed(Failure::Other(message))
    }
}
