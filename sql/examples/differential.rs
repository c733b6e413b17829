//! Answers the statements of `.ci/sql-differential`, which compares the rows with those of another engine.
//!
//! Standard input has a message a line: first the rows, then statements. Standard output has an answer a line. A `DELETE` is of
//! rows of its own.

use std::{
    error::Error as StdError,
    fmt,
    io::{self, BufRead, Write},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, NaiveDateTime, Utc};
use datafusion::{arrow::array::AsArray, prelude::SessionContext};
use org_invitations::{
    Capabilities, Error, ErrorKind, Invitation, InvitationId, InvitationProvider, ListQuery,
    NewInvitation, Operation, Page, PageToken, RemovalLimit, ResourceReference, Result,
};
use org_invitations_sql::{Table, WriteOptions, message, session, sql};
use serde_json::{Value, json};

type Failure = Box<dyn StdError>;

/// Rows in memory. The filters of a list are ignored, as the crate expects of some servers.
#[derive(Debug)]
struct Rows(Mutex<Vec<Invitation>>);

impl Rows {
    fn with<T>(&self, work: impl FnOnce(&mut Vec<Invitation>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("rows")
    }
}

#[async_trait]
impl InvitationProvider for Rows {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.reports_status = true;
        capabilities.max_page_size = Some(1_000);
        capabilities
    }

    async fn create(&self, _: NewInvitation) -> Result<Invitation> {
        let message = "rows are not created";
        Err(Error::new(
            ErrorKind::Unsupported,
            Operation::Create,
            message,
        ))
    }

    async fn get(&self, id: &InvitationId) -> Result<Invitation> {
        let found = self.with(|rows| rows.iter().find(|row| row.id == *id).cloned());
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, Operation::Get, "no such row"))
    }

    async fn list_page(&self, _: &ListQuery, _: Option<&PageToken>) -> Result<Page> {
        let items = self.with(|rows| rows.iter().cloned().map(Ok).collect());
        Ok(Page::new(items, None))
    }

    async fn delete(&self, id: &InvitationId) -> Result<()> {
        self.with(|rows| rows.retain(|row| row.id != *id));
        Ok(())
    }
}

fn parse_time(text: &str) -> std::result::Result<DateTime<Utc>, chrono::ParseError> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").map(|time| time.and_utc())
}

fn invitation(row: &Value) -> std::result::Result<Invitation, Failure> {
    let text = |name: &str| row[name].as_str();
    let time = |name: &str| text(name).map(parse_time).transpose();
    let mut it = Invitation::new(
        text("id").ok_or("no id")?.parse()?,
        text("email").ok_or("no email")?,
    );
    it.status = text("status").map(Into::into);
    it.auth_type = text("auth_type").map(Into::into);
    it.user = text("user").map(ResourceReference::new);
    it.creator = text("creator").map(ResourceReference::new);
    it.created_at = time("created_at")?;
    it.expires_at = time("expires_at")?;
    it.accepted_at = time("accepted_at")?;
    Ok(it)
}

/// A session with the rows as `c`, and the leavers as `l`.
async fn context(data: &Value) -> std::result::Result<(SessionContext, Arc<Rows>), Failure> {
    let rows = data["rows"].as_array().ok_or("no rows")?;
    let rows: std::result::Result<Vec<Invitation>, Failure> = rows.iter().map(invitation).collect();
    let rows = Arc::new(Rows(Mutex::new(rows?)));
    let context = session();
    let options = WriteOptions::default().max_deletes(RemovalLimit::none());
    let provider = Arc::clone(&rows) as Arc<dyn InvitationProvider>;
    let table = Table::invitations(provider).write_options(options);
    table.register(&context, "c")?;
    let value = |value: &Value| match value {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    };
    let leavers = data["leavers"].as_array().ok_or("no leavers")?;
    let leavers = leavers.iter().filter_map(Value::as_array).map(|row| {
        let values: Vec<String> = row.iter().map(value).collect();
        format!("({})", values.join(", "))
    });
    let leavers: Vec<String> = leavers.collect();
    let create = format!(
        "CREATE TABLE l AS SELECT * FROM (VALUES {}) AS v(email, status, days)",
        leavers.join(", ")
    );
    sql(&context, &create).await?.collect().await?;
    Ok((context, rows))
}

async fn run(context: &SessionContext, text: &str) -> datafusion::error::Result<Vec<String>> {
    let batches = sql(context, text).await?.collect().await?;
    let ids = batches
        .iter()
        .filter_map(|batch| batch.column(0).as_string_opt::<i32>());
    let ids = ids.flat_map(|ids| ids.iter().flatten().map(str::to_owned).collect::<Vec<_>>());
    Ok(ids.collect())
}

#[tokio::main]
async fn main() -> std::result::Result<(), Failure> {
    let mut lines = io::stdin().lock().lines();
    let data: Value = serde_json::from_str(&lines.next().ok_or("no rows")??)?;
    let (shared, _) = context(&data).await?;
    let mut out = io::stdout();
    writeln!(out, "{}", json!({}))?;
    out.flush()?;
    for line in lines {
        let asked: Value = serde_json::from_str(&line?)?;
        let answer = match (asked["select"].as_str(), asked["delete"].as_str()) {
            (Some(text), _) => run(&shared, text).await,
            (_, Some(text)) => {
                let (context, rows) = context(&data).await?;
                let before = rows.with(|rows| rows.clone());
                let done = run(&context, text).await;
                let left: Vec<InvitationId> =
                    rows.with(|rows| rows.iter().map(|row| row.id.clone()).collect());
                done.map(|_| {
                    let deleted = before.iter().filter(|row| !left.contains(&row.id));
                    deleted.map(|row| row.id.to_string()).collect()
                })
            }
            _ => return Err("a message is a select or a delete".into()),
        };
        let answer = match answer {
            Ok(ids) => json!({ "ids": ids }),
            Err(error) => json!({ "error": message(&error) }),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
