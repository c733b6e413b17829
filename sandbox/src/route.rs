//! DuplicateAnswer API and which operation a request addresses.

use axum::http::Method;
use axum::response::Response;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::exchange::{self, ApiRequest};
use crate::operation::Operation;
use crate::state::{Provider, Shared};
use crate::{clickhouse, confluent};

/// Whose API a request addresses, and what it asks for.
#[derive(Clone, Debug)]
pub(crate) enum Route {
    Confluent(confluent::Route),
    ClickHouse(clickhouse::Route),
    Unknown,
}

impl Route {
    pub(crate) fn find(method: &Method, path: &str) -> Self {
        let segments: Vec<String> = path
            .split('/')
            .skip(1)
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            ["iam", rest @ ..] => Self::Confluent(confluent::Route::find(method, rest)),
            ["sts", rest @ ..] => Self::Confluent(confluent::Route::find_sts(method, rest)),
            ["v1", rest @ ..] => Self::ClickHouse(clickhouse::Route::find(method, rest)),
            _ => Self::Unknown,
        }
    }

    pub(crate) fn answer(&self, shared: &Shared, request: &ApiRequest) -> Response {
        match self {
            Self::Confluent(route) => confluent::answer(shared, route, request),
            Self::ClickHouse(route) => clickhouse::answer(shared, route, request),
            Self::Unknown => exchange::not_found_page(),
        }
    }

    pub(crate) fn provider(&self) -> Option<Provider> {
        match self {
            Self::Confluent(_) => Some(Provider::Confluent),
            Self::ClickHouse(_) => Some(Provider::ClickHouse),
            Self::Unknown => None,
        }
    }

    /// The `operationId` in the vendor's document.
    pub(crate) fn operation_id(&self) -> Option<&'static str> {
        match self {
            Self::Confluent(route) => route.operation(),
            Self::ClickHouse(route) => route.operation(),
            Self::Unknown => None,
        }
    }

    pub(crate) fn operation(&self) -> Option<Operation> {
        let (_, operation) = Operation::from_id(self.operation_id()?)?;
        Some(operation)
    }

    /// A new request id in the vendor's form.
    pub(crate) fn request_id(&self) -> String {
        let id = Uuid::new_v4();
        match self {
            Self::Confluent(_) => id.simple().to_string(),
            Self::ClickHouse(_) | Self::Unknown => id.to_string(),
        }
    }
}
