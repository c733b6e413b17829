//! A server that answers every request with one body, for what the sandbox does not send.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, http::Uri, http::header::CONTENT_TYPE};
use org_invitations::{ClickHouse, Confluent, InvitationProvider, RetryPolicy};
use serde_json::Value;

pub struct Wire {
    url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

pub const ORGANIZATION: &str = "9a3f8d0e-1111-4222-8333-444455556666";

impl Wire {
    pub async fn answering(body: Value) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let (text, log) = (body.to_string(), Arc::clone(&seen));
        let answer = move |uri: Uri| {
            log.lock().unwrap().push(uri.to_string());
            let body = text.clone();
            async move { ([(CONTENT_TYPE, "application/json")], body) }
        };
        tokio::spawn(async move {
            let router = Router::new().fallback(answer);
            axum::serve(listener, router).await.unwrap();
        });
        Self { url, seen }
    }

    /// The target of every request, as it came.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    pub fn confluent(&self) -> Arc<dyn InvitationProvider> {
        let builder = Confluent::builder().api_key("key", "secret");
        let builder = builder
            .base_url(self.url.as_str())
            .retry(RetryPolicy::off())
            .rate_limit(1_000, Duration::from_millis(100));
        Arc::new(builder.build().unwrap())
    }

    pub fn clickhouse(&self) -> Arc<dyn InvitationProvider> {
        let builder = ClickHouse::builder(ORGANIZATION).api_key("key", "secret");
        let builder = builder
            .base_url(self.url.as_str())
            .retry(RetryPolicy::off())
            .rate_limit(1_000, Duration::from_millis(100));
        Arc::new(builder.build().unwrap())
    }
}
