//! WorkOS as far as the provider needs it: an environment with several organisations, in memory.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

pub const API_KEY: &str = "sk_test_0123456789";
pub const ORGANIZATION: &str = "org_1";

/// What goes wrong with the next request that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is executed, and a gateway answers.
    AnswerLost,
    /// The gateway answers in its place.
    NotExecuted,
    /// The invitation is to this organisation.
    Elsewhere(&'static str),
    /// This invitee accepts before it arrives.
    AcceptedMeanwhile(&'static str),
}

#[derive(Default)]
pub struct Environment {
    invitations: Mutex<Vec<Value>>,
    members: Mutex<HashSet<String>>,
    fault: Mutex<Option<Fault>>,
    elsewhere: Mutex<Option<&'static str>>,
    requests: AtomicUsize,
    /// How many requests changed something.
    pub changes: AtomicUsize,
    ignores_filters: bool,
}

/// The answer of a refused request.
type Refusal = (StatusCode, Json<Value>);

impl Environment {
    /// Starts the server, and returns its URL.
    pub async fn serve(self: &Arc<Self>) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let path = "/user_management/invitations";
        let router = Router::new()
            .route(path, get(list).post(create))
            .route(&format!("{path}/{{id}}"), get(read))
            .route(&format!("{path}/{{id}}/revoke"), post(revoke))
            .fallback(|| async {
                let framework = json!({ "statusCode": 404, "message": "Cannot GET it" });
                (StatusCode::NOT_FOUND, Json(framework))
            })
            .with_state(Arc::clone(self));
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    /// Whether lists ignore their filters.
    pub fn ignoring_filters(mut self, ignores: bool) -> Self {
        self.ignores_filters = ignores;
        self
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    pub fn inject(&self, fault: Fault) {
        *lock(&self.fault) = Some(fault);
    }

    /// Accepts the invitation of an address.
    pub fn accept(&self, email: &str) {
        for invitation in lock(&self.invitations).iter_mut() {
            if is_of(invitation, email) && invitation["state"] == "pending" {
                invitation["state"] = "accepted".into();
                invitation["accepted_at"] = now();
                invitation["accepted_user_id"] = "user_1".into();
            }
        }
        lock(&self.members).insert(email.to_lowercase());
    }

    /// Changes every invitation.
    pub fn change(&self, change: impl Fn(&mut Value)) {
        lock(&self.invitations).iter_mut().for_each(change);
    }

    /// Adds an invitation, and returns it.
    pub fn add(&self, organization: &str, email: &str, role: Option<&str>) -> Value {
        let mut invitations = lock(&self.invitations);
        let number = invitations.len();
        let ends = Utc::now() + TimeDelta::days(7);
        let invitation = json!({
            "object": "invitation",
            "id": format!("invitation_{number:04}"),
            "email": email.to_lowercase(),
            "state": "pending",
            "organization_id": organization,
            "role_slug": role,
            "inviter_user_id": null,
            "accepted_user_id": null,
            "created_at": now(),
            "updated_at": now(),
            "expires_at": ends.to_rfc3339_opts(SecondsFormat::Millis, true),
            "accepted_at": null,
            "revoked_at": null,
            "token": format!("token-{number}"),
            "accept_invitation_url": format!("https://app.example/accept?token=token-{number}"),
        });
        invitations.push(invitation.clone());
        invitation
    }

    fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let key = headers.get("authorization");
        if key.is_some_and(|key| *key == format!("Bearer {API_KEY}")) {
            return Ok(());
        }
        let message = json!({ "message": "Unauthorized" });
        Err((StatusCode::UNAUTHORIZED, Json(message)))
    }

    /// Makes a change, unless a fault is due.
    fn perform(&self, change: impl FnOnce() -> Response) -> Response {
        let gateway = || (StatusCode::SERVICE_UNAVAILABLE, "<html>busy</html>").into_response();
        let fault = lock(&self.fault).take();
        match fault {
            Some(Fault::NotExecuted) => return gateway(),
            Some(Fault::AcceptedMeanwhile(email)) => self.accept(email),
            Some(Fault::Elsewhere(organization)) => *lock(&self.elsewhere) = Some(organization),
            _ => {}
        }
        let response = change();
        if response.status().is_success() {
            self.changes.fetch_add(1, Ordering::SeqCst);
        }
        match fault {
            Some(Fault::AnswerLost) => gateway(),
            _ => response,
        }
    }
}

async fn create(
    State(environment): State<Arc<Environment>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Response, Refusal> {
    environment.admit(&headers)?;
    Ok(environment.perform(|| {
        let (email, organization) = (text(&body["email"]), text(&body["organization_id"]));
        let organization = lock(&environment.elsewhere).take().unwrap_or(organization);
        let is_open = |found: &Value| {
            is_of(found, email)
                && found["state"] == "pending"
                && found["organization_id"] == organization
        };
        if lock(&environment.members).contains(&email.to_lowercase()) {
            return refused("user_already_organization_member");
        }
        if lock(&environment.invitations).iter().any(is_open) {
            return refused("email_already_invited_to_organization");
        }
        let made = environment.add(organization, email, body["role_slug"].as_str());
        (StatusCode::CREATED, Json(made)).into_response()
    }))
}

async fn read(
    State(environment): State<Arc<Environment>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    environment.admit(&headers)?;
    let invitations = lock(&environment.invitations);
    let found = invitations.iter().find(|found| found["id"] == *id);
    found.cloned().map(Json).ok_or_else(|| not_found(&id))
}

async fn revoke(
    State(environment): State<Arc<Environment>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    environment.admit(&headers)?;
    Ok(environment.perform(|| {
        let mut invitations = lock(&environment.invitations);
        let found = invitations.iter_mut().find(|found| found["id"] == *id);
        match found {
            None => not_found(&id).into_response(),
            Some(found) if found["state"] != "pending" => refused("invite_not_pending"),
            Some(found) => {
                found["state"] = "revoked".into();
                found["revoked_at"] = now();
                Json(found.clone()).into_response()
            }
        }
    }))
}

async fn list(
    State(environment): State<Arc<Environment>>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Json<Value>, Refusal> {
    environment.admit(&headers)?;
    let parameter = |name: &str| {
        let found = query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };
    let limit = parameter("limit").map_or(10, |limit| limit.parse().unwrap());
    assert!((1..=100).contains(&limit) && parameter("order") == Some("asc"));
    let invitations = lock(&environment.invitations);
    let after = parameter("after").map(|after| {
        let position = invitations.iter().position(|found| found["id"] == *after);
        position.unwrap() + 1
    });
    let matches = |found: &&Value| {
        environment.ignores_filters
            || parameter("organization_id").is_none_or(|id| found["organization_id"] == *id)
                && parameter("email").is_none_or(|email| is_of(found, email))
    };
    let rest = &invitations[after.unwrap_or_default()..];
    let mut data: Vec<&Value> = rest.iter().filter(matches).collect();
    let goes_on = data.len() > limit;
    data.truncate(limit);
    let last = data.last().filter(|_| goes_on).map(|last| &last["id"]);
    Ok(Json(json!({
        "object": "list",
        "data": data,
        "list_metadata": { "before": null, "after": last },
    })))
}

fn refused(code: &str) -> Response {
    let body = json!({ "code": code, "message": "Request could not be processed." });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

fn not_found(id: &str) -> Refusal {
    let body = json!({ "message": format!("Invitation not found: '{id}'.") });
    (StatusCode::NOT_FOUND, Json(body))
}

fn is_of(invitation: &Value, email: &str) -> bool {
    text(&invitation["email"]).eq_ignore_ascii_case(email)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn now() -> Value {
    let now = Utc::now();
    now.to_rfc3339_opts(SecondsFormat::Millis, true).into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}
