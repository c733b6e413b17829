//! Hand-written structs that keep properties without a field, by a flattened map in every struct.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};

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
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
pub struct AssignedRole {
    pub role_id: Option<String>,
    pub role_name: Option<String>,
    pub role_type: Option<String>,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
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
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
pub struct Metadata {
    pub created_at: Option<DateTime<Utc>>,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
pub struct Reference {
    pub id: String,
    pub related: Option<String>,
    pub resource_name: Option<String>,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}
