//! A service that invites whoever signs up: `cargo run --example invite_on_sign_up --features memory`.
//!
//! It runs offline against an organisation in memory, and ends after a few requests to itself. With an account,
//! `Confluent::from_env()?` takes the place of the organisation.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use futures::StreamExt;
use org_invitations::{
    Error, ErrorKind, InvitationProvider, InvitationProviderExt, ListQuery, NewInvitation,
    Operation,
    memory::{Failure, InMemory},
};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;

type Provider = Arc<dyn InvitationProvider>;

#[derive(Deserialize)]
struct SignUp {
    email: String,
}

fn service(provider: Provider) -> Router {
    let invitations = post(sign_up).get(list);
    let router = Router::new().route("/invitations", invitations);
    router.with_state(provider)
}

/// Invites a person. A second click on the button finds the invitation of the first.
async fn sign_up(
    State(provider): State<Provider>,
    Json(form): Json<SignUp>,
) -> Result<impl IntoResponse, Refusal> {
    let new = NewInvitation::new(form.email);
    let invitation = provider.get_or_create(new).await?;
    let body = json!({ "id": invitation.id, "expires_at": invitation.expires_at });
    Ok((StatusCode::ACCEPTED, Json(body)))
}

/// All invitations, a line of JSON each, as the pages arrive. The stream owns its provider, so the response outlives
/// this function; an error breaks the response off, so that nobody takes a part for the whole.
async fn list(State(provider): State<Provider>) -> Response {
    let lines = provider.into_list(ListQuery::new()).map(|invitation| {
        let line = serde_json::to_string(&invitation?)?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(format!("{line}\n"))
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    (kind, Body::from_stream(lines)).into_response()
}

/// What the person who signs up is told of an error; the log has the rest.
struct Refusal(Error);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let error = self.0;
        println!("   log: {error}");
        let (status, message) = match error.kind() {
            ErrorKind::InvalidInput => (StatusCode::UNPROCESSABLE_ENTITY, error.message()),
            ErrorKind::AlreadyExists => (StatusCode::CONFLICT, "You are a member already."),
            _ if error.is_retryable() => {
                (StatusCode::SERVICE_UNAVAILABLE, "Please try again soon.")
            }
            _ => (StatusCode::BAD_GATEWAY, "We could not invite you."),
        };
        let wait = error
            .retry_after()
            .unwrap_or(Duration::from_secs(5))
            .as_secs();
        let body = Json(json!({ "message": message }));
        match status {
            StatusCode::SERVICE_UNAVAILABLE => {
                (status, [(header::RETRY_AFTER, wait.to_string())], body).into_response()
            }
            _ => (status, body).into_response(),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let organisation = InMemory::builder()
        .member("root@example.com", ["Admin"])
        .build()?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/invitations", listener.local_addr()?);
    let provider: Provider = Arc::new(organisation.clone());
    let server = tokio::spawn(async move { axum::serve(listener, service(provider)).await });

    let client = reqwest::Client::builder().no_proxy().build()?;
    let sign_up = async |email: &str| {
        let form = json!({ "email": email }).to_string();
        let request = client
            .post(&url)
            .header(header::CONTENT_TYPE, "application/json");
        let response = request.body(form).send().await?;
        let status = response.status();
        println!("{email}: {status} {}", response.text().await?);
        Ok::<_, reqwest::Error>(status)
    };
    assert_eq!(sign_up("ann@example.com").await?, StatusCode::ACCEPTED);
    assert_eq!(sign_up("Ann@Example.com").await?, StatusCode::ACCEPTED);
    assert_eq!(sign_up("nobody").await?, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(sign_up("root@example.com").await?, StatusCode::CONFLICT);

    organisation.fail(Failure::new(ErrorKind::Unavailable).on(Operation::Create));
    assert_eq!(
        sign_up("bob@example.com").await?,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(sign_up("bob@example.com").await?, StatusCode::ACCEPTED);

    let all = client.get(&url).send().await?.text().await?;
    println!("{all}");
    assert_eq!(all.lines().count(), 2, "Ann once, and Bob");
    server.abort();
    Ok(())
}
