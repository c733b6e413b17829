//! Both backends as the tests see them: how to connect, what each operation sends, how each answers.

use std::{fmt::Debug, sync::Arc, time::Duration};

use futures::StreamExt;
use org_invitations::{
    ClickHouse, Confluent, Error, Interceptor, InvitationId, InvitationProvider,
    InvitationProviderExt, ListQuery, NewInvitation, Operation, Result, RetryPolicy,
};
use serde_json::{Value, json};

use crate::support::{Answer, Checks, Sent, Wire};

pub const KEY: &str = "TESTKEYID";
pub const SECRET: &str = "marker-secret-7f3a";
/// `KEY:SECRET` in Base64.
pub const BASIC: &str = "Basic VEVTVEtFWUlEOm1hcmtlci1zZWNyZXQtN2YzYQ==";
pub const ORGANIZATION: &str = "6d3f8a7e-1c9b-4f0a-9d52-0b7c1e2f3a44";
pub const EMAIL: &str = "ann@example.com";
pub const REQUEST_ID: &str = "5a0f6b9c-77d1-4c55-8f0e-2d9f4b1a6c3e";
pub const OPERATIONS: [Operation; 4] = [
    Operation::Create,
    Operation::Get,
    Operation::List,
    Operation::Delete,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Confluent,
    ClickHouse,
}

/// What a provider is built with beside its credentials.
#[derive(Default)]
pub struct Setup {
    pub timeout: Option<Duration>,
    pub max_body_bytes: Option<usize>,
    pub interceptor: Option<Arc<dyn Interceptor>>,
    pub rate_limits: Vec<(usize, Duration)>,
}

macro_rules! set_up {
    ($builder:expr, $url:expr, $setup:expr) => {{
        // One call is one request here, sent at once.
        let mut builder = $builder
            .api_key(KEY, SECRET)
            .base_url($url)
            .retry(RetryPolicy::none())
            .rate_limit(1_000_000, Duration::from_secs(1));
        if !$setup.rate_limits.is_empty() {
            builder = builder.rate_limits($setup.rate_limits);
        }
        if let Some(timeout) = $setup.timeout {
            builder = builder.timeout(timeout);
        }
        if let Some(bytes) = $setup.max_body_bytes {
            builder = builder.max_body_bytes(bytes);
        }
        if let Some(interceptor) = $setup.interceptor {
            builder = builder.interceptor(interceptor);
        }
        Arc::new(builder.build().unwrap())
    }};
}

impl Backend {
    pub const ALL: [Self; 2] = [Self::Confluent, Self::ClickHouse];

    pub fn name(self) -> &'static str {
        match self {
            Self::Confluent => "confluent",
            Self::ClickHouse => "clickhouse",
        }
    }

    pub fn connect(self, wire: &Wire) -> Arc<dyn InvitationProvider> {
        self.connect_with(wire.url(), Setup::default())
    }

    pub fn connect_with(self, url: impl Into<String>, setup: Setup) -> Arc<dyn InvitationProvider> {
        let url = url.into();
        match self {
            Self::Confluent => set_up!(Confluent::builder(), url, setup),
            Self::ClickHouse => set_up!(ClickHouse::builder(ORGANIZATION), url, setup),
        }
    }

    pub fn id_text(self) -> &'static str {
        match self {
            Self::Confluent => "i-7od91",
            Self::ClickHouse => "0c1d7c52-5a3e-4b11-8e0c-3f6f7d1a9b20",
        }
    }

    pub fn id(self) -> InvitationId {
        InvitationId::new(self.id_text()).unwrap()
    }

    pub fn collection(self) -> String {
        match self {
            Self::Confluent => "/iam/v2/invitations".to_owned(),
            Self::ClickHouse => format!("/v1/organizations/{ORGANIZATION}/invitations"),
        }
    }

    pub fn method_and_path(self, operation: Operation) -> (&'static str, String) {
        let collection = self.collection();
        let item = format!("{collection}/{}", self.id_text());
        match operation {
            Operation::Create => ("POST", collection),
            Operation::List => ("GET", collection),
            Operation::Get => ("GET", item),
            Operation::Delete => ("DELETE", item),
            other => panic!("{other:?} sends nothing"),
        }
    }

    /// An invitation with the fewest properties that make sense.
    pub fn object(self) -> Value {
        json!({ "id": self.id_text(), "email": EMAIL })
    }

    /// A list of these objects, the last page.
    pub fn list(self, items: &[Value]) -> Value {
        match self {
            Self::Confluent => json!({
                "api_version": "iam/v2", "kind": "InvitationList", "metadata": {}, "data": items,
            }),
            Self::ClickHouse => self.envelope(json!(items)),
        }
    }

    pub fn envelope(self, result: Value) -> Value {
        match self {
            Self::Confluent => result,
            Self::ClickHouse => {
                json!({ "status": 200, "requestId": REQUEST_ID, "result": result })
            }
        }
    }

    /// The documented success of an operation.
    pub fn success(self, operation: Operation) -> Answer {
        let answer = match (self, operation) {
            (Self::Confluent, Operation::Delete) => Answer::empty(204),
            (Self::ClickHouse, Operation::Delete) => {
                Answer::json(200, &json!({ "status": 200, "requestId": REQUEST_ID }))
            }
            (Self::Confluent, Operation::Create) => Answer::json(201, &self.object()),
            (_, Operation::List) => Answer::json(200, &self.list(&[self.object()])),
            _ => Answer::json(200, &self.envelope(self.object())),
        };
        self.identified(answer)
    }

    /// A failure in the vendor's own form.
    pub fn refusal(self, status: u16) -> Answer {
        let text = match status {
            409 => "the user is already a member",
            _ => "something about this request",
        };
        let body = match self {
            Self::Confluent => json!({
                "errors": [{ "id": "f00", "status": status.to_string(), "code": "why", "detail": text }],
            }),
            Self::ClickHouse => {
                json!({ "status": status, "error": format!("WHY: {text}"), "requestId": REQUEST_ID })
            }
        };
        self.identified(Answer::json(status, &body))
    }

    /// Whether an answer is a refusal in the vendor's documented form, so that nothing was executed.
    pub fn refuses(self, answer: &Answer) -> bool {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        // A gateway's 429 without a body has no more than that.
        let tells_of_a_limit = answer.headers.iter().any(|(name, _)| {
            let name = name.to_ascii_lowercase();
            name == "retry-after" || name.starts_with("x-ratelimit-")
        });
        let own_form = match self {
            Self::Confluent => {
                let listed = body["errors"].as_array();
                listed.is_some_and(|list| list.iter().any(Value::is_object))
                    || answer.status == 429 && answer.body.is_empty() && tells_of_a_limit
            }
            Self::ClickHouse => match body["error"].as_str() {
                // A framework's answer to an unknown URL looks alike.
                Some(text) => {
                    // A code alone is one too.
                    let code = text.split([':', ' ']).next().unwrap_or_default();
                    let is_code = code.len() > 1
                        && code.chars().all(|it| it.is_ascii_uppercase() || it == '_');
                    answer.status != 404 || is_code
                }
                None => false,
            },
        };
        own_form && [400, 401, 402, 403, 404, 409, 422, 429].contains(&answer.status)
    }

    /// Adds the header with the id of the request, for the vendor that has one.
    pub fn identified(self, answer: Answer) -> Answer {
        match self {
            Self::Confluent => answer.header("X-Request-Id", REQUEST_ID),
            Self::ClickHouse => answer,
        }
    }

    /// Compares a request with the one that the operation of [`run`] has to send.
    pub fn check_request(self, checks: &mut Checks, sent: &Sent, operation: Operation) {
        let (method, path) = self.method_and_path(operation);
        checks.same("the method", sent.method.as_str(), method);
        checks.same("the path", &sent.path, &path);
        let query: &[(&str, &str)] = match (self, operation) {
            (Self::Confluent, Operation::List) => &[("page_size", "99")],
            _ => &[],
        };
        checks.same("the query", sent.sorted_query(), query);
        let agent = concat!("org-invitations/", env!("CARGO_PKG_VERSION"));
        let is_create = operation == Operation::Create;
        let content_type: &[&str] = if is_create {
            &["application/json"]
        } else {
            &[]
        };
        for (name, wanted) in [
            ("authorization", &[BASIC][..]),
            ("accept", &["application/json"]),
            ("user-agent", &[agent]),
            ("content-type", content_type),
            ("api-version", &[]),
            ("cookie", &[]),
        ] {
            checks.same(&format!("the header {name}"), sent.header(name), wanted);
        }
        let body = if is_create {
            json!({ "email": EMAIL })
        } else {
            Value::Null
        };
        checks.same("the body", sent.json(), body);
    }
}

pub fn changes_state(operation: Operation) -> bool {
    matches!(operation, Operation::Create | Operation::Delete)
}

/// Carries an operation out on the usual subject. An item of a list that cannot be read is an error.
pub async fn run(
    provider: &dyn InvitationProvider,
    backend: Backend,
    operation: Operation,
) -> Result<()> {
    match operation {
        Operation::Create => provider.create(NewInvitation::new(EMAIL)).await.map(drop),
        Operation::Get => provider.get(&backend.id()).await.map(drop),
        Operation::Delete => provider.delete(&backend.id()).await,
        Operation::List => {
            let page = provider.list_page(&ListQuery::new(), None).await?;
            page.items.into_iter().try_for_each(|item| item.map(drop))
        }
        other => panic!("{other:?} sends nothing"),
    }
}

/// The error that an operation ends with.
#[track_caller]
pub fn refused<T: Debug>(outcome: Result<T>) -> Error {
    match outcome {
        Err(error) => error,
        Ok(value) => panic!("a refusal was expected, not {value:?}"),
    }
}

/// Every item of the stream over all pages: emails, and kinds of errors.
pub async fn walk(provider: &dyn InvitationProvider, query: ListQuery) -> Vec<String> {
    let items = provider.list(query).map(|item| match item {
        Ok(invitation) => invitation.email,
        Err(error) => format!("{:?}", error.kind()),
    });
    items.collect().await
}
