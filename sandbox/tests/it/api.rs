//! A sandbox and requests to it.

use org_invitations_sandbox::{Config, Provider, Sandbox, SandboxBuilder};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::documents;

pub struct Api {
    pub sandbox: Sandbox,
    pub http: Client,
}

/// A reply, read in full.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    /// Whether the status is documented, so that the form was validated.
    pub documented: bool,
}

impl Api {
    pub async fn start() -> Self {
        Self::with(Sandbox::builder()).await
    }

    pub async fn with(builder: SandboxBuilder) -> Self {
        Self {
            sandbox: builder.start().await.unwrap(),
            http: Client::new(),
        }
    }

    /// A sandbox with a configuration in JSON, as a file has it.
    pub async fn configured(config: Value) -> Self {
        let config: Config = serde_json::from_value(config).unwrap();
        Self::with(Sandbox::builder().config(config)).await
    }

    /// Sends a request to the admin API, whose answer must be as documented.
    pub async fn admin(&self, method: Method, path: &str, body: &Value) -> Reply {
        let request = self.http.request(method, self.url(path));
        let reply = send(request.json(body)).await;
        assert!(reply.documented, "{path}: {reply:?}");
        reply
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.url())
    }

    /// A request with the API key; `path` begins after `/iam/v2/invitations`.
    pub fn confluent(&self, method: Method, path: &str) -> RequestBuilder {
        self.confluent_at(method, &format!("/iam/v2/invitations{path}"))
    }

    /// A request with Confluent's API key.
    pub fn confluent_at(&self, method: Method, path: &str) -> RequestBuilder {
        let keys = &self.sandbox.credentials().confluent;
        self.http
            .request(method, self.url(path))
            .basic_auth(&keys.api_key, Some(&keys.api_secret))
    }

    /// A request with the API key; `path` begins after `/v1/organizations/{organizationId}/invitations`.
    pub fn clickhouse(&self, method: Method, path: &str) -> RequestBuilder {
        let organization = &self.sandbox.credentials().clickhouse.organization_id;
        self.clickhouse_in(organization, method, path)
    }

    pub fn clickhouse_in(&self, organization: &str, method: Method, path: &str) -> RequestBuilder {
        let path = format!("/v1/organizations/{organization}/invitations{path}");
        self.clickhouse_key(self.http.request(method, self.url(&path)))
    }

    /// A request with the API key; `path` begins after `/v1/organizations/{organizationId}`.
    pub fn clickhouse_at(&self, method: Method, path: &str) -> RequestBuilder {
        let organization = &self.sandbox.credentials().clickhouse.organization_id;
        let path = format!("/v1/organizations/{organization}{path}");
        self.clickhouse_key(self.http.request(method, self.url(&path)))
    }

    fn clickhouse_key(&self, request: RequestBuilder) -> RequestBuilder {
        let keys = &self.sandbox.credentials().clickhouse;
        request.basic_auth(&keys.api_key, Some(&keys.api_secret))
    }

    /// Invites on Confluent and returns the invitation.
    pub async fn invite_confluent(&self, email: &str) -> Value {
        let request = self.confluent(Method::POST, "");
        let reply = send(request.json(&json!({ "email": email }))).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.json()
    }

    /// Invites on ClickHouse and returns the invitation.
    pub async fn invite_clickhouse(&self, email: &str) -> Value {
        let request = self.clickhouse(Method::POST, "");
        let reply = send(request.json(&json!({ "email": email }))).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()["result"].clone()
    }
}

/// Sends a request and validates the reply against the document of its API.
pub async fn send(request: RequestBuilder) -> Reply {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let (method, path) = (request.method().clone(), request.url().path().to_owned());
    let response = client.execute(request).await.unwrap();
    let mut reply = Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
        documented: false,
    };
    let document = match path.split('/').nth(1) {
        Some("iam") if path.starts_with("/iam/v2/role-bindings") => documents::of_role_bindings(),
        Some("iam") if path.starts_with("/iam/v2/api-keys") => documents::of_api_keys(),
        Some("org") => documents::of_organizations(),
        Some("iam") => documents::of(Provider::Confluent),
        Some("sts") => documents::of_sts(),
        Some("v1") => documents::of(Provider::ClickHouse),
        Some("_sandbox") => documents::of_admin(),
        _ => return reply,
    };
    reply.documented = document
        .check(&method, &path, &reply)
        .unwrap_or_else(|problem| panic!("{method} {path}: {problem}\n{reply:#?}"));
    reply
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no header {name}: {self:?}"))
            .to_str()
            .unwrap()
    }

    /// The one error of a Confluent `Failure`.
    pub fn confluent_error(&self) -> Value {
        let body = self.json();
        let errors = body["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{self:?}");
        assert_eq!(errors[0]["status"], self.status.to_string(), "{self:?}");
        assert_eq!(errors[0]["id"], self.header("x-request-id"), "{self:?}");
        errors[0].clone()
    }

    /// The `error` of a ClickHouse envelope.
    pub fn clickhouse_error(&self) -> String {
        let body = self.json();
        assert_eq!(body["status"], self.status, "{self:?}");
        assert!(body["requestId"].is_string(), "{self:?}");
        assert!(body.get("result").is_none(), "{self:?}");
        body["error"].as_str().unwrap().to_owned()
    }
}
