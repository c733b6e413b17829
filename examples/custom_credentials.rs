//! Credentials from a secret manager, which rotates them while the program runs:
//! `cargo run --example custom_credentials`.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use httpmock::{HttpMockResponse, MockServer};
use org_invitations::{
    Confluent, CredentialProvider, Credentials, InvitationProvider, IssuedCredentials, ListQuery,
};

/// A secret manager: each version of the secret replaces the one before at once.
#[derive(Debug, Default)]
struct SecretManager {
    version: AtomicU64,
    asked: AtomicU64,
}

impl SecretManager {
    fn secret(&self) -> String {
        format!("secret-{}", self.version.load(Ordering::SeqCst))
    }
}

/// What a program writes for its own manager: a request to Vault, a keyring, a mounted file.
#[async_trait::async_trait]
impl CredentialProvider for SecretManager {
    async fn credentials(&self) -> Result<IssuedCredentials, Box<dyn Error + Send + Sync>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let key = Credentials::api_key("KEY", self.secret());
        // Asked again a minute before this is over, and whenever the server rejects the key.
        Ok(IssuedCredentials::new(key).lifetime(Duration::from_secs(600)))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let manager = Arc::new(SecretManager::default());

    // An API that accepts the latest version only.
    let server = MockServer::start_async().await;
    let accepts = Arc::clone(&manager);
    server
        .mock_async(move |when, then| {
            when.any_request();
            then.respond_with(move |request: &httpmock::HttpMockRequest| {
                let expected = format!("Basic {}", base64(&format!("KEY:{}", accepts.secret())));
                let is_accepted = request
                    .headers_vec()
                    .iter()
                    .any(|(name, value)| name == "authorization" && *value == expected);
                let (status, body) = match is_accepted {
                    true => (200, r#"{"data": [], "metadata": {}}"#),
                    false => (401, ""),
                };
                HttpMockResponse::builder()
                    .status(status)
                    .header("content-type", "application/json")
                    .body(body)
                    .build()
            });
        })
        .await;

    let provider = Confluent::builder()
        .credential_provider(Arc::clone(&manager))
        .base_url(server.base_url())
        .build()?;
    let query = ListQuery::new();
    provider.list_page(&query, None).await?;
    provider.list_page(&query, None).await?;
    println!(
        "two calls, {} question",
        manager.asked.load(Ordering::SeqCst)
    );

    manager.version.fetch_add(1, Ordering::SeqCst);
    provider.list_page(&query, None).await?;
    println!(
        "the secret was rotated: {} questions, and no call failed",
        manager.asked.load(Ordering::SeqCst)
    );
    Ok(())
}

fn base64(text: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(text)
}
