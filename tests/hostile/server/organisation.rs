//! What exists, and what the API says about it.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::fault::Body;
use super::http::{Reply, Request};
use super::wire::{role_name, user_of};
use super::world::{
    Event, Filters, ORGANIZATION, Op, Origin, ROLE_ADMIN, ROLE_CUSTOM, ROLE_DEVELOPER, Record,
    Seed, Status, Vendor, World,
};

/// A change that was accepted and is to be made later.
#[derive(Debug)]
pub enum Commit {
    Make(Box<Record>),
    Remove(String),
}

/// The state of one organisation.
#[derive(Clone, Debug)]
pub struct Organisation {
    pub vendor: Vendor,
    pub world: World,
    records: Vec<Record>,
    members: Vec<String>,
    events: Vec<Event>,
    /// When requests were let in, and how many were not, where the rate is limited.
    let_in: Vec<Instant>,
    pub turned_away: usize,
    last_id: u32,
    pub(super) last_request: u64,
}

impl Organisation {
    pub fn new(vendor: Vendor, world: World, seeds: Vec<Seed>) -> Self {
        let mut organisation = Self {
            vendor,
            world,
            records: Vec::new(),
            members: Vec::new(),
            events: Vec::new(),
            let_in: Vec::new(),
            turned_away: 0,
            last_id: 0,
            last_request: 0,
        };
        for seed in seeds {
            let created_at = organisation.now() - seed.age;
            let record = Record {
                id: organisation.next_id(),
                email: organisation.as_stored(&seed.email),
                origin: Origin::Seed,
                status: seed.status,
                auth_type: seed.auth_type.to_owned(),
                role: None,
                role_ids: seed.role_ids,
                creator: seed.creator.to_owned(),
                created_at,
                expires_at: created_at + seed.lifetime,
                made: Instant::now(),
                removed: None,
            };
            organisation.records.push(record);
        }
        organisation
    }

    /// Adds people who are members, with no invitation in the list.
    pub fn with_members(mut self, members: &[&str]) -> Self {
        self.members
            .extend(members.iter().map(|email| (self.world.stored)(email)));
        self
    }

    // The ground truth.

    /// The invitations of an address that exist now.
    pub fn live_of(&self, email: &str) -> Vec<Record> {
        let key = (self.world.stored)(email);
        self.live()
            .into_iter()
            .filter(|record| (self.world.stored)(&record.email) == key)
            .collect()
    }

    /// All invitations that exist now.
    pub fn live(&self) -> Vec<Record> {
        self.records
            .iter()
            .filter(|record| record.removed.is_none())
            .cloned()
            .collect()
    }

    /// Whether an address is a member's.
    pub fn is_member(&self, email: &str) -> bool {
        self.members.contains(&(self.world.stored)(email))
    }

    /// What changed so far, in order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// How many invitations of an address were made by requests.
    pub fn made(&self, email: &str) -> usize {
        let key = (self.world.stored)(email);
        let made = |event: &&Event| matches!(event, Event::Made { email, .. } if (self.world.stored)(email) == key);
        self.events.iter().filter(made).count()
    }

    /// The addresses of what was deleted, in order.
    pub fn removed(&self) -> Vec<String> {
        let removed = |event: &Event| match event {
            Event::Removed { email, .. } => Some(email.clone()),
            Event::Made { .. } => None,
        };
        self.events.iter().filter_map(removed).collect()
    }

    // The API.

    /// What a request asks for.
    pub fn operation(&self, request: &Request) -> Op {
        let collection = self.collection();
        let path = request.path();
        let item = path
            .strip_prefix(&collection)
            .and_then(|rest| rest.strip_prefix('/'));
        match (request.method.as_str(), item) {
            ("POST", None) if path == collection => Op::Create,
            ("GET", None) if path == collection => Op::List,
            ("GET", Some(id)) if !id.contains('/') => Op::Get,
            ("DELETE", Some(id)) if !id.contains('/') => Op::Delete,
            ("GET", None) if path == self.members_path() => Op::Members,
            ("GET", None) if self.vendor == Vendor::ClickHouse && path == self.roles_path() => {
                Op::Roles
            }
            ("GET", None) if self.vendor == Vendor::Confluent => match path {
                "/iam/v2/role-bindings" => Op::RoleBindings,
                "/org/v2/organizations" => Op::Organizations,
                _ => Op::Unknown,
            },
            _ => Op::Unknown,
        }
    }

    /// The address that a request is about.
    pub fn about(&self, op: Op, request: &Request) -> Option<String> {
        match op {
            Op::Create => {
                let body: Value = serde_json::from_str(&request.body).ok()?;
                body["email"].as_str().map(str::to_owned)
            }
            Op::Get | Op::Delete => {
                let id = request.path().rsplit('/').next()?;
                self.records
                    .iter()
                    .find(|record| record.id == id)
                    .map(|record| record.email.clone())
            }
            Op::List => request.query("email"),
            Op::Members | Op::Roles | Op::RoleBindings | Op::Organizations | Op::Unknown => None,
        }
    }

    /// The refusal of a request that comes too soon.
    pub fn too_soon(&mut self) -> Option<Reply> {
        let (requests, window, retry_after) = self.world.rate?;
        let now = Instant::now();
        self.let_in.retain(|at| now < *at + window);
        if self.let_in.len() < requests {
            self.let_in.push(now);
            return None;
        }
        self.turned_away += 1;
        let mut reply = Reply::empty(429);
        reply
            .headers
            .push(("Retry-After".to_owned(), retry_after.to_owned()));
        Some(reply)
    }

    /// Carries a request out and answers it.
    pub fn perform(&mut self, op: Op, request: &Request) -> Reply {
        match op {
            Op::Create | Op::Delete => match self.accept_later(op, request) {
                Ok((reply, commit)) => {
                    self.commit(commit);
                    reply
                }
                Err(refusal) => refusal,
            },
            Op::Get => self.get(request),
            Op::List => self.list(request),
            Op::Members => self.member_list(),
            Op::Roles => self.role_list(),
            Op::RoleBindings => Reply::json(200, &json!({"metadata": {}, "data": []})),
            Op::Organizations => Reply::json(
                200,
                &json!({"metadata": {}, "data": [{"id": ORGANIZATION}]}),
            ),
            Op::Unknown => self.faulty(404, Body::Html),
        }
    }

    /// Answers a request as if it was carried out.
    pub fn pretend(&mut self, op: Op, request: &Request) -> Reply {
        match op {
            Op::Create | Op::Delete => match self.accept_later(op, request) {
                Ok((reply, _)) => reply,
                Err(refusal) => refusal,
            },
            _ => self.perform(op, request),
        }
    }

    /// Checks a create or delete and answers it, with what is to be done.
    pub fn accept_later(&mut self, op: Op, request: &Request) -> Result<(Reply, Commit), Reply> {
        if request.header("authorization").is_none() {
            return Err(self.refusal(
                401,
                "UNAUTHORIZED",
                "Valid authentication credentials must be provided",
            ));
        }
        match op {
            Op::Create => {
                let record = self.check_create(request)?;
                let reply = self.created(&record);
                Ok((reply, Commit::Make(Box::new(record))))
            }
            _ => {
                let id = request.path().rsplit('/').next().unwrap_or_default();
                let Some(record) = self
                    .records
                    .iter()
                    .find(|record| record.id == id && record.removed.is_none())
                else {
                    return Err(self.refusal(404, "NOT_FOUND", "The invitation was not found."));
                };
                if record.status == Status::Accepted {
                    return Err(self.refusal(
                        400,
                        "BAD_REQUEST",
                        "The invitation was already accepted",
                    ));
                }
                let commit = Commit::Remove(record.id.clone());
                let reply = match self.vendor {
                    Vendor::Confluent => Reply::empty(204),
                    Vendor::ClickHouse => self.envelope(200, None),
                };
                Ok((reply, commit))
            }
        }
    }

    /// Makes a change that was accepted.
    pub fn commit(&mut self, commit: Commit) {
        match commit {
            Commit::Make(record) => {
                self.events.push(Event::Made {
                    id: record.id.clone(),
                    email: record.email.clone(),
                });
                self.records.push(Record {
                    made: Instant::now(),
                    ..*record
                });
            }
            Commit::Remove(id) => {
                let found = self
                    .records
                    .iter_mut()
                    .find(|record| record.id == id && record.removed.is_none());
                if let Some(record) = found {
                    record.removed = Some(Instant::now());
                    self.events.push(Event::Removed {
                        id,
                        email: record.email.clone(),
                    });
                }
            }
        }
    }

    fn check_create(&mut self, request: &Request) -> Result<Record, Reply> {
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let Some(email) = body["email"].as_str() else {
            return Err(self.refusal(400, "BAD_REQUEST", "email is required"));
        };
        let key = (self.world.stored)(email);
        if self.members.contains(&key) {
            let words = match self.vendor {
                Vendor::Confluent => "This user already exists within the Organization".to_owned(),
                Vendor::ClickHouse => format!("{email} is already a member of the organization"),
            };
            return Err(self.refusal(409, "CONFLICT", &words));
        }
        let now = Instant::now();
        let (uniqueness_lag, kept) = (self.world.uniqueness_lag, self.world.refuse_after_delete);
        let conflict = self.records.iter().find(|record| {
            (self.world.stored)(&record.email) == key
                && match record.removed {
                    None if self.world.accepts_duplicates => false,
                    None => record.origin == Origin::Seed || now >= record.made + uniqueness_lag,
                    Some(removed) => now < removed + kept,
                }
        });
        if let Some(conflict) = conflict {
            let location = conflict.removed.is_none().then(|| conflict.id.clone());
            let words = match (self.world.conflict, self.vendor) {
                (Some(words), _) => words.to_owned(),
                (None, Vendor::Confluent) => {
                    "This user already exists within the Organization".to_owned()
                }
                (None, Vendor::ClickHouse) => format!("An invitation for {email} already exists"),
            };
            let mut refusal = self.refusal(409, "CONFLICT", &words);
            if let (Vendor::Confluent, Some(id)) = (self.vendor, location) {
                let location = format!("https://api.confluent.cloud/iam/v2/invitations/{id}");
                refusal.headers.push(("Location".to_owned(), location));
            }
            return Err(refusal);
        }
        let role_ids: Vec<String> = body["assignedRoleIds"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|id| id.as_str().unwrap_or_default().to_owned())
            .collect();
        let unknown = role_ids
            .iter()
            .find(|id| ![ROLE_ADMIN, ROLE_DEVELOPER, ROLE_CUSTOM].contains(&id.as_str()));
        if let Some(id) = unknown {
            return Err(self.refusal(
                400,
                "BAD_REQUEST",
                &format!("Invalid role id string:\"{id}\""),
            ));
        }
        if self
            .records
            .iter()
            .filter(|record| record.removed.is_none())
            .count()
            >= self.world.quota
        {
            return Err(self.refusal(
                402,
                "QUOTA_EXCEEDED",
                "The request would exceed the quota: invitations_per_org",
            ));
        }
        let created_at = self.now();
        Ok(Record {
            id: self.next_id(),
            email: self.as_stored(email),
            origin: Origin::Request,
            status: Status::Sent,
            auth_type: body["auth_type"]
                .as_str()
                .unwrap_or("AUTH_TYPE_SSO")
                .to_owned(),
            role: body["role"].as_str().map(str::to_owned),
            role_ids,
            creator: "u-caller".to_owned(),
            created_at,
            expires_at: created_at + TimeDelta::days(7),
            made: Instant::now(),
            removed: None,
        })
    }

    pub(super) fn created(&mut self, record: &Record) -> Reply {
        match self.vendor {
            Vendor::Confluent => {
                let mut reply = Reply::json(201, &self.object(record));
                let location = format!(
                    "https://api.confluent.cloud/iam/v2/invitations/{}",
                    record.id
                );
                reply.headers.push(("Location".to_owned(), location));
                reply
            }
            Vendor::ClickHouse => {
                let object = self.object(record);
                self.envelope(200, Some(object))
            }
        }
    }

    fn get(&mut self, request: &Request) -> Reply {
        let id = request.path().rsplit('/').next().unwrap_or_default();
        let found = self
            .records
            .iter()
            .find(|record| record.id == id && record.removed.is_none())
            .cloned();
        match (found, self.vendor) {
            (None, _) => self.refusal(404, "NOT_FOUND", "The invitation was not found."),
            (Some(record), Vendor::Confluent) => Reply::json(200, &self.object(&record)),
            (Some(record), Vendor::ClickHouse) => {
                let object = self.object(&record);
                self.envelope(200, Some(object))
            }
        }
    }

    fn list(&mut self, request: &Request) -> Reply {
        let now = Instant::now();
        let visible = |record: &Record| {
            let begun = record.origin == Origin::Seed || now >= record.made + self.world.list_lag;
            begun
                && record
                    .removed
                    .is_none_or(|removed| now < removed + self.world.list_keeps)
        };
        if self.vendor == Vendor::ClickHouse {
            let rows = self
                .records
                .iter()
                .filter(|record| visible(record))
                .map(|record| self.object(record));
            let rows = rows.collect();
            return self.envelope(200, Some(Value::Array(rows)));
        }
        let begins = |filter: &str, value: &str| match self.world.filters {
            Filters::Exact => filter.eq_ignore_ascii_case(value),
            Filters::Ignored => true,
            Filters::Prefix => value.to_lowercase().starts_with(&filter.to_lowercase()),
        };
        let email = request.query("email");
        let status = request.query("status");
        let user = request.query("user");
        let creator = request.query("creator");
        let matches = |record: &Record| {
            email
                .as_deref()
                .is_none_or(|filter| begins(filter, &record.email))
                && status
                    .as_deref()
                    .is_none_or(|filter| begins(filter, self.status(record)))
                && user
                    .as_deref()
                    .is_none_or(|filter| begins(filter, &user_of(record)))
                && creator
                    .as_deref()
                    .is_none_or(|filter| begins(filter, &record.creator))
        };
        let size = request
            .query("page_size")
            .and_then(|size| size.parse().ok())
            .unwrap_or(10);
        let start = request
            .query("page_token")
            .and_then(|token| token.trim_start_matches('t').parse().ok());
        let found: Vec<(usize, &Record)> = self
            .records
            .iter()
            .enumerate()
            .filter(|(_, record)| visible(record) && matches(record))
            .collect();
        let total = found.len() as u64;
        let rest: Vec<_> = found
            .into_iter()
            .filter(|(at, _)| *at >= start.unwrap_or(0))
            .collect();
        let next = (self.world.next && rest.len() > size).then(|| {
            format!(
                "https://api.confluent.cloud/iam/v2/invitations?page_token=t{}",
                rest[size].0
            )
        });
        let data: Vec<Value> = rest
            .iter()
            .take(size)
            .map(|(_, record)| self.object(record))
            .collect();
        Reply::json(
            200,
            &json!({
                "api_version": "iam/v2", "kind": "InvitationList", "data": data,
                "metadata": {"next": next, "total_size": self.world.total_size.unwrap_or(total)},
            }),
        )
    }

    fn member_list(&mut self) -> Reply {
        let members = self.members.iter().enumerate();
        match self.vendor {
            Vendor::Confluent => {
                let data: Vec<Value> = members
                    .map(|(number, email)| {
                        json!({
                            "api_version": "iam/v2", "kind": "User", "id": format!("u-member{number}"), "email": email,
                            "metadata": {}, "full_name": "A member", "auth_type": "AUTH_TYPE_SSO",
                        })
                    })
                    .collect();
                let metadata = json!({"next": null, "total_size": data.len()});
                Reply::json(
                    200,
                    &json!({"api_version": "iam/v2", "kind": "UserList", "data": data, "metadata": metadata}),
                )
            }
            Vendor::ClickHouse => {
                let result = members
                    .map(|(number, email)| {
                        json!({
                            "userId": format!("{number:08x}-0000-4000-a000-000000000000"), "name": "A member",
                            "email": email, "role": "developer", "joinedAt": "2024-01-01T00:00:00Z",
                            "assignedRoles": [],
                        })
                    })
                    .collect();
                self.envelope(200, Some(result))
            }
        }
    }

    fn role_list(&mut self) -> Reply {
        let roles = [
            (ROLE_ADMIN, "system"),
            (ROLE_DEVELOPER, "system"),
            (ROLE_CUSTOM, "custom"),
        ];
        let roles = roles.map(|(id, kind)| {
            json!({"id": id, "name": role_name(id), "type": kind, "actors": [], "policies": []})
        });
        self.envelope(200, Some(Value::Array(roles.to_vec())))
    }

    // Helpers.

    fn collection(&self) -> String {
        match self.vendor {
            Vendor::Confluent => "/iam/v2/invitations".to_owned(),
            Vendor::ClickHouse => format!("/v1/organizations/{ORGANIZATION}/invitations"),
        }
    }

    fn members_path(&self) -> String {
        match self.vendor {
            Vendor::Confluent => "/iam/v2/users".to_owned(),
            Vendor::ClickHouse => format!("/v1/organizations/{ORGANIZATION}/members"),
        }
    }

    fn roles_path(&self) -> String {
        format!("/v1/organizations/{ORGANIZATION}/roles")
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        Utc::now() + self.world.clock
    }

    /// ClickHouse stores lower case, Confluent what it is given, unless addresses are normalised.
    fn as_stored(&self, email: &str) -> String {
        let stored = (self.world.stored)(email);
        if self.vendor == Vendor::Confluent && stored == email.to_lowercase() {
            email.to_owned()
        } else {
            stored
        }
    }

    fn next_id(&mut self) -> String {
        self.last_id += 1;
        match self.vendor {
            Vendor::Confluent => format!("i-{}", self.last_id),
            Vendor::ClickHouse => {
                format!("{:08x}-0000-4000-8000-{:012x}", self.last_id, self.last_id)
            }
        }
    }

    pub(super) fn request_id(&mut self) -> String {
        self.last_request += 1;
        format!(
            "{:08x}-0000-4000-9000-{:012x}",
            self.last_request, self.last_request
        )
    }
}
