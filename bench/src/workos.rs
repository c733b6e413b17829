//! Calls of WorkOS: by the example provider, which the kit made, and by hand.

use std::{error::Error, hint::black_box};

use chrono::{DateTime, Utc};
use org_invitations::Credentials;
use org_invitations_workos::WorkOs;
use reqwest::{Client, RequestBuilder};
use serde::{Deserialize, Serialize};

use crate::{
    canned_server::{EMAIL, ID, WORKOS_INVITATIONS, WORKOS_ORGANIZATION},
    workload::{Measurement, RATE, calls, http, single_calls},
};

/// Makes a call by the provider of `examples/workos`.
pub async fn by_the_kit(
    case: &str,
    times: usize,
    base: &str,
) -> Result<Measurement, Box<dyn Error>> {
    let connection = WorkOs::connection()
        .credentials(Credentials::bearer("secret"))
        .base_url(base)
        .rate_limit(RATE.0, RATE.1)
        .build()?;
    let provider = WorkOs::new(WORKOS_ORGANIZATION, connection)?;
    single_calls(&provider, case, ID, times).await
}

/// Makes the same call by `reqwest` and structs.
pub async fn by_hand(case: &str, times: usize, base: &str) -> Result<Measurement, Box<dyn Error>> {
    let client = ByHand {
        http: http()?,
        invitations: format!("{base}{WORKOS_INVITATIONS}"),
    };
    Ok(match case {
        "get" => calls!(times, black_box(client.get(ID).await?)),
        "create" => calls!(times, {
            let new = NewInvitation {
                email: EMAIL,
                organization_id: WORKOS_ORGANIZATION,
                role_slug: "developer",
            };
            black_box(client.create(&new).await?)
        }),
        _ => return Err(format!("WorkOS by hand has no {case}").into()),
    })
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Invitation {
    id: String,
    email: String,
    state: Option<String>,
    organization_id: Option<String>,
    role_slug: Option<String>,
    inviter_user_id: Option<String>,
    accepted_user_id: Option<String>,
    created_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    accepted_at: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
struct NewInvitation<'a> {
    email: &'a str,
    organization_id: &'a str,
    role_slug: &'a str,
}

struct ByHand {
    http: Client,
    /// The URL of all invitations.
    invitations: String,
}

impl ByHand {
    async fn get(&self, id: &str) -> reqwest::Result<Invitation> {
        send(self.http.get(format!("{}/{id}", self.invitations))).await
    }

    async fn create(&self, new: &NewInvitation<'_>) -> reqwest::Result<Invitation> {
        send(self.http.post(&self.invitations).json(new)).await
    }
}

async fn send(request: RequestBuilder) -> reqwest::Result<Invitation> {
    let request = request.bearer_auth("secret");
    request.send().await?.error_for_status()?.json().await
}
