//! The API and the operation that a request addresses, and the answers that depend on nothing else.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use uuid::Uuid;

use crate::operation::Operation;
use crate::provider::Provider;
use crate::{clickhouse, confluent, html};

/// The API that a request addresses, and the operation that it asks for.
#[derive(Clone, Debug)]
pub(super) enum Route {
    Confluent(confluent::Route),
    ClickHouse(clickhouse::Route),
    /// The path belongs to neither API.
    Unknown,
}

impl Route {
    pub(super) fn parse(method: &Method, path: &str) -> Self {
        let segments: Vec<String> = path
            .split('/')
            .skip(1)
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            ["iam", rest @ ..] => Self::Confluent(confluent::Route::parse_iam(method, rest)),
            ["org", rest @ ..] => Self::Confluent(confluent::Route::parse_org(method, rest)),
            ["sts", rest @ ..] => Self::Confluent(confluent::Route::parse_sts(method, rest)),
            ["v1", rest @ ..] => Self::ClickHouse(clickhouse::Route::parse(method, rest)),
            _ => Self::Unknown,
        }
    }

    pub(super) fn provider(&self) -> Option<Provider> {
        match self {
            Self::Confluent(_) => Some(Provider::Confluent),
            Self::ClickHouse(_) => Some(Provider::ClickHouse),
            Self::Unknown => None,
        }
    }

    /// The `operationId` in the vendor's document.
    pub(super) fn operation_id(&self) -> Option<&'static str> {
        match self {
            Self::Confluent(route) => route.operation_id(),
            Self::ClickHouse(route) => route.operation_id(),
            Self::Unknown => None,
        }
    }

    pub(super) fn operation(&self) -> Option<Operation> {
        let (_, operation) = Operation::from_id(self.operation_id()?)?;
        Some(operation)
    }

    /// A new request id in the vendor's form.
    pub(super) fn random_request_id(&self) -> String {
        let id = Uuid::new_v4();
        match self {
            Self::Confluent(_) => id.simple().to_string(),
            Self::ClickHouse(_) | Self::Unknown => id.to_string(),
        }
    }

    /// A new invitation id in the vendor's form.
    pub(super) fn random_invitation_id(&self) -> String {
        match self {
            Self::ClickHouse(_) => clickhouse::random_id(),
            Self::Confluent(_) | Self::Unknown => confluent::random_id(),
        }
    }

    /// The invitation in the body of a success.
    pub(super) fn invitation_in<'a>(&self, body: &'a mut Value) -> Option<&'a mut Value> {
        match self {
            Self::ClickHouse(_) => body.get_mut("result"),
            Self::Confluent(_) | Self::Unknown => Some(body),
        }
    }

    /// The vendor's error with this status.
    pub(super) fn error_response(&self, status: StatusCode, request_id: &str) -> Response {
        match self {
            Self::Confluent(_) => confluent::error_response(status, request_id),
            Self::ClickHouse(_) => clickhouse::error_response(status, request_id),
            Self::Unknown => html::gateway_page(status),
        }
    }

    pub(super) fn too_many_requests(&self, request_id: &str) -> Response {
        match self {
            Self::Confluent(_) => confluent::too_many_requests(request_id),
            Self::ClickHouse(_) => clickhouse::too_many_requests(),
            Self::Unknown => html::gateway_page(StatusCode::TOO_MANY_REQUESTS),
        }
    }

    pub(super) fn locked(&self, request_id: &str) -> Response {
        match self {
            Self::Confluent(_) => confluent::locked(request_id),
            Self::ClickHouse(_) => clickhouse::locked(request_id),
            Self::Unknown => html::gateway_page(StatusCode::CONFLICT),
        }
    }

    pub(super) fn expired_credentials(&self, request_id: &str) -> Response {
        match self {
            Self::Confluent(_) => confluent::expired_credentials(request_id),
            Self::ClickHouse(_) => clickhouse::expired_credentials(request_id),
            Self::Unknown => html::gateway_page(StatusCode::UNAUTHORIZED),
        }
    }
}
