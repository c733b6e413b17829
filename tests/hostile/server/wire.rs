//! The replies of both vendors.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::fault::Body;
use super::http::Reply;
use super::organisation::Organisation;
use super::world::{Op, ROLE_ADMIN, ROLE_CUSTOM, ROLE_DEVELOPER, Record, Status, Vendor};

impl Organisation {
    pub(super) fn status(&self, record: &Record) -> &'static str {
        match record.status {
            Status::Accepted => "INVITE_STATUS_ACCEPTED",
            Status::Sent if self.now() < record.expires_at => "INVITE_STATUS_SENT",
            Status::Sent | Status::Expired => "INVITE_STATUS_EXPIRED",
        }
    }

    pub(super) fn object(&self, record: &Record) -> Value {
        let mut object = match self.vendor {
            Vendor::Confluent => json!({
                "api_version": "iam/v2", "kind": "Invitation", "id": record.id, "email": record.email,
                "metadata": {"self": format!("https://api.confluent.cloud/iam/v2/invitations/{}", record.id)},
                "auth_type": record.auth_type, "status": self.status(record), "accepted_at": null,
                "expires_at": record.expires_at.to_rfc3339_opts(SecondsFormat::Micros, true),
                "user": {"id": user_of(record)}, "creator": {"id": record.creator},
            }),
            Vendor::ClickHouse => json!({
                "id": record.id, "email": record.email, "role": record.role.as_deref().unwrap_or("developer"),
                "expireAt": record.expires_at.to_rfc3339_opts(SecondsFormat::Millis, true),
                "assignedRoles": record.role_ids.iter().map(|id| json!({
                    "roleId": id, "roleName": role_name(id),
                    "roleType": if id == ROLE_CUSTOM { "custom" } else { "system" },
                })).collect::<Vec<_>>(),
            }),
        };
        if self.world.created_at {
            let created_at = record
                .created_at
                .to_rfc3339_opts(SecondsFormat::Millis, true);
            match self.vendor {
                Vendor::Confluent => object["metadata"]["created_at"] = created_at.into(),
                Vendor::ClickHouse => object["createdAt"] = created_at.into(),
            }
        }
        object
    }

    pub(super) fn envelope(&mut self, status: u16, result: Option<Value>) -> Reply {
        let mut body = json!({"status": status, "requestId": self.request_id()});
        if let Some(result) = result {
            body["result"] = result;
        }
        Reply::json(status, &body)
    }

    pub(super) fn refusal(&mut self, status: u16, code: &str, words: &str) -> Reply {
        let body = match self.vendor {
            Vendor::Confluent => json!({"errors": [{
                "id": format!("{:032x}", self.last_request), "status": status.to_string(),
                "code": code.to_lowercase(), "detail": words, "source": {},
            }]}),
            Vendor::ClickHouse => {
                json!({"status": status, "error": format!("{code}: {words}"), "requestId": self.request_id()})
            }
        };
        Reply::json(status, &body)
    }

    /// An answer of this status that the API does not give by itself.
    pub fn faulty(&mut self, status: u16, body: Body) -> Reply {
        match body {
            Body::Empty => Reply::empty(status),
            Body::Html => Reply {
                content_type: Some("text/html"),
                body: format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>")
                    .into_bytes(),
                ..Reply::empty(status)
            },
            Body::Vendor(code, words) => self.refusal(status, code, words),
            Body::Json(text) => json_text(status, text.to_owned()),
            Body::Made(text) => json_text(status, text),
        }
    }

    /// A success about somebody else than the person asked for.
    pub fn about_stranger(&mut self, op: Op, about: Option<&str>) -> Reply {
        let other = self.live().into_iter().find(|record| {
            about.is_none_or(|about| {
                (self.world.stored)(&record.email) != (self.world.stored)(about)
            })
        });
        let record = other.expect("somebody else is invited");
        match (op, self.vendor) {
            (Op::Create, _) => self.created(&record),
            (_, Vendor::Confluent) => Reply::json(200, &self.object(&record)),
            (_, Vendor::ClickHouse) => {
                let object = self.object(&record);
                self.envelope(200, Some(object))
            }
        }
    }

    /// The bytes of a reply, with the fields that every reply has.
    pub fn write(&mut self, reply: &Reply) -> Vec<u8> {
        let mut reply = reply.clone();
        if !reply.headers.iter().any(|(name, _)| name == "X-Request-Id") {
            reply
                .headers
                .push(("X-Request-Id".to_owned(), self.request_id()));
        }
        if self.world.date {
            let date = self.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            reply.headers.push(("Date".to_owned(), date));
        }
        reply.bytes()
    }
}

pub(super) fn user_of(record: &Record) -> String {
    format!("u-{}", record.id)
}

pub(super) fn role_name(id: &str) -> &'static str {
    match id {
        ROLE_ADMIN => "Admin",
        ROLE_DEVELOPER => "Developer",
        _ => "Auditor",
    }
}

fn json_text(status: u16, text: String) -> Reply {
    Reply {
        content_type: Some("application/json"),
        body: text.into_bytes(),
        ..Reply::empty(status)
    }
}
