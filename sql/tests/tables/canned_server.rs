//! A server that answers every request with one body, for replies that the sandbox does not send.

use std::{sync::Arc, time::Duration};

use axum::{Router, http::header::CONTENT_TYPE};
use org_invitations::{ClickHouse, Confluent, OrganizationProvider, RetryPolicy};
use serde_json::Value;

pub struct CannedServer {
    url: String,
}

pub const ORGANIZATION: &str = "9a3f8d0e-1111-4222-8333-444455556666";

impl CannedServer {
    pub async fn answering(body: Value) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let text = body.to_string();
        let answer = move || {
            let body = text.clone();
            async move { ([(CONTENT_TYPE, "application/json")], body) }
        };
        tokio::spawn(async move {
            let router = Router::new().fallback(answer);
            axum::serve(listener, router).await.unwrap();
        });
        Self { url }
    }

    pub fn confluent(&self) -> Arc<dyn OrganizationProvider> {
        let builder = Confluent::builder().api_key("key", "secret");
        let builder = builder
            .base_url(self.url.as_str())
            .retry(RetryPolicy::none())
            .rate_limit(1_000, Duration::from_millis(100));
        Arc::new(builder.build().unwrap())
    }

    pub fn clickhouse(&self) -> Arc<dyn OrganizationProvider> {
        let builder = ClickHouse::builder(ORGANIZATION).api_key("key", "secret");
        let builder = builder
            .base_url(self.url.as_str())
            .retry(RetryPolicy::none())
            .rate_limit(1_000, Duration::from_millis(100));
        Arc::new(builder.build().unwrap())
    }
}
