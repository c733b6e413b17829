//! `list`, `get`, `create` and `delete`, on any provider.

use std::io::Write;

use futures::StreamExt;
use org_invitations::{
    AuthType, InvitationId, InvitationProvider, InvitationProviderExt, InvitationStatus, ListQuery,
    NewInvitation,
};
use serde_json::json;

use crate::{
    arguments::{CreateOptions, Format, ListOptions},
    failure::Failure,
    output::Output,
};

/// Prints every invitation that can be read; the others, and a list that breaks off, are errors.
pub(crate) async fn list<W: Write>(
    provider: &dyn InvitationProvider,
    options: ListOptions,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    let mut query = ListQuery::new();
    query.email = options.email;
    query.status = options.status.as_deref().map(status);
    query.user = options.user;
    query.creator = options.creator;
    query.page_size = options.page_size;
    let mut stream = provider.list(query);
    let mut failures = Vec::new();
    match out.format() {
        Format::Json => {
            let mut array = out.array();
            while let Some(item) = stream.next().await {
                match item {
                    Ok(invitation) => array.push(&invitation)?,
                    Err(error) => failures.push(error),
                }
            }
            array.end()?;
        }
        Format::Table | Format::Markdown => {
            let mut rows = Vec::new();
            while let Some(item) = stream.next().await {
                match item {
                    Ok(invitation) => rows.push(invitation),
                    Err(error) => failures.push(error),
                }
            }
            if rows.is_empty() {
                if failures.is_empty() {
                    eprintln!("no invitations");
                }
            } else {
                out.table(&rows)?;
            }
        }
    }
    out.flush()?;
    let Some(last) = failures.pop() else {
        return Ok(());
    };
    for failure in failures {
        Failure::from(failure).report();
    }
    Err(last.into())
}

pub(crate) async fn get<W: Write>(
    provider: &dyn InvitationProvider,
    id: &str,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    let invitation = provider.get(&InvitationId::new(id)?).await?;
    Ok(out.invitation(&invitation)?)
}

pub(crate) async fn create<W: Write>(
    provider: &dyn InvitationProvider,
    options: CreateOptions,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    let mut new = NewInvitation::new(options.email);
    if let Some(auth_type) = options.auth_type {
        new = new.auth_type(self::auth_type(&auth_type));
    }
    if !options.role_id.is_empty() {
        new = new.role_ids(options.role_id);
    }
    if let Some(role) = options.role {
        new = new.legacy_role(role);
    }
    let invitation = provider.create(new).await?;
    Ok(out.invitation(&invitation)?)
}

pub(crate) async fn delete<W: Write>(
    provider: &dyn InvitationProvider,
    id: &str,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    let id = InvitationId::new(id)?;
    provider.delete(&id).await?;
    match out.format() {
        Format::Table | Format::Markdown => out.line(&format!("deleted {id}"))?,
        Format::Json => out.line(&json!({ "id": id, "deleted": true }).to_string())?,
    }
    Ok(())
}

/// A known word in any case, or what was written.
fn status(word: &str) -> InvitationStatus {
    match InvitationStatus::from(word.to_lowercase().as_str()) {
        InvitationStatus::Other(_) => InvitationStatus::from(word),
        known => known,
    }
}

fn auth_type(word: &str) -> AuthType {
    match AuthType::from(word.to_lowercase().as_str()) {
        AuthType::Other(_) => AuthType::from(word),
        known => known,
    }
}
