//! A hand-written client of the same calls: `reqwest`, and structs with the required properties.

use chrono::{DateTime, Utc};
use reqwest::{Client, RequestBuilder};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[derive(Deserialize)]
struct Envelope<T> {
    result: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
pub struct ClickHouseInvitation {
    pub id: String,
    pub email: String,
    pub role: Option<String>,
    pub created_at: Option<DateTime<Utc>>,
    pub expire_at: Option<DateTime<Utc>>,
    pub assigned_roles: Option<Vec<AssignedRole>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
pub struct AssignedRole {
    pub role_id: Option<String>,
    pub role_name: Option<String>,
    pub role_type: Option<String>,
}

#[derive(Serialize)]
struct NewClickHouseInvitation<'a> {
    email: &'a str,
    role: &'a str,
}

#[derive(Deserialize)]
struct ConfluentList<T> {
    metadata: ListMetadata,
    data: Vec<T>,
}

#[derive(Deserialize)]
struct ListMetadata {
    next: Option<String>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
pub struct ConfluentInvitation {
    pub id: String,
    pub email: String,
    pub auth_type: Option<String>,
    pub status: Option<String>,
    pub metadata: Option<Metadata>,
    pub accepted_at: Option<DateTime<Utc>>,
    pub expires_at: Option<DateTime<Utc>>,
    pub user: Option<Reference>,
    pub creator: Option<Reference>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
pub struct Metadata {
    pub created_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
pub struct Reference {
    pub id: String,
    pub related: Option<String>,
    pub resource_name: Option<String>,
}

pub struct ByHand {
    http: Client,
    base: String,
}

impl ByHand {
    pub fn new(http: Client, base: &str) -> Self {
        Self {
            http,
            base: base.to_owned(),
        }
    }

    async fn send<T: DeserializeOwned>(&self, request: RequestBuilder) -> reqwest::Result<T> {
        let request = request.basic_auth("key", Some("secret"));
        request.send().await?.error_for_status()?.json().await
    }

    pub async fn get(&self, organization: &str, id: &str) -> reqwest::Result<ClickHouseInvitation> {
        let base = &self.base;
        let url = format!("{base}/v1/organizations/{organization}/invitations/{id}");
        let envelope: Envelope<_> = self.send(self.http.get(url)).await?;
        Ok(envelope.result)
    }

    pub async fn create(
        &self,
        organization: &str,
        email: &str,
        role: &str,
    ) -> reqwest::Result<ClickHouseInvitation> {
        let base = &self.base;
        let url = format!("{base}/v1/organizations/{organization}/invitations");
        let body = NewClickHouseInvitation { email, role };
        let envelope: Envelope<_> = self.send(self.http.post(url).json(&body)).await?;
        Ok(envelope.result)
    }

    pub async fn delete(&self, organization: &str, id: &str) -> reqwest::Result<()> {
        let base = &self.base;
        let url = format!("{base}/v1/organizations/{organization}/invitations/{id}");
        let request = self.http.delete(url).basic_auth("key", Some("secret"));
        // The connection is reused only if the body is read.
        request.send().await?.error_for_status()?.bytes().await?;
        Ok(())
    }

    pub async fn list<T: DeserializeOwned>(&self, organization: &str) -> reqwest::Result<Vec<T>> {
        let base = &self.base;
        let url = format!("{base}/v1/organizations/{organization}/invitations");
        let envelope: Envelope<_> = self.send(self.http.get(url)).await?;
        Ok(envelope.result)
    }

    /// One page, and the token of the next.
    pub async fn page<T: DeserializeOwned>(
        &self,
        token: Option<&str>,
    ) -> reqwest::Result<(Vec<T>, Option<String>)> {
        let request = self.http.get(format!("{}/iam/v2/invitations", self.base));
        let request = match token {
            Some(token) => request.query(&[("page_token", token)]),
            None => request.query(&[("page_size", "99")]),
        };
        let list: ConfluentList<T> = self.send(request).await?;
        let token = |link: &String| Some(link.split_once("page_token=")?.1.to_owned());
        Ok((list.data, list.metadata.next.as_ref().and_then(token)))
    }
}
