//! `demo`: the same code on both providers, against the built-in sandbox.

use std::sync::Arc;

use futures::TryStreamExt;
use org_invitations::{
    ClickHouse, Confluent, Error, Invitation, InvitationProvider, InvitationProviderExt, ListQuery,
    NewInvitation,
};
use org_invitations_sandbox::Sandbox;

use crate::{
    failure::Failure,
    output::{InvitationRecord, Output},
};

/// Runs the demonstration on each provider.
pub(crate) async fn run(out: &mut Output) -> Result<(), Failure> {
    let sandbox = Sandbox::start().await.map_err(Failure::sandbox_start)?;
    out.line(&format!(
        "The sandbox speaks both vendors' APIs at {}.",
        sandbox.url()
    ))?;
    for provider in providers(&sandbox)? {
        out.line("")?;
        show(&*provider, out).await?;
    }
    Ok(())
}

/// The providers of the sandbox. The rest of the demonstration does not depend on the provider.
fn providers(sandbox: &Sandbox) -> Result<[Arc<dyn InvitationProvider>; 2], Error> {
    let confluent = &sandbox.credentials().confluent;
    let clickhouse = &sandbox.credentials().clickhouse;
    Ok([
        Arc::new(
            Confluent::builder()
                .api_key(&confluent.api_key, confluent.api_secret.as_str())
                .base_url(sandbox.url())
                .build()?,
        ),
        Arc::new(
            ClickHouse::builder(&clickhouse.organization_id)
                .api_key(&clickhouse.api_key, clickhouse.api_secret.as_str())
                .base_url(sandbox.url())
                .build()?,
        ),
    ])
}

/// Creates, reads, lists and deletes invitations.
async fn show(provider: &dyn InvitationProvider, out: &mut Output) -> Result<(), Failure> {
    out.line(&format!("== {provider}"))?;
    let mut created = Vec::new();
    for email in ["ann@example.com", "bob@example.com", "eve@example.com"] {
        created.push(provider.create(NewInvitation::new(email)).await?);
    }
    let [ann, bob, ..] = created.as_slice() else {
        return Ok(());
    };
    out.line(&format!(
        "created {} invitations, the first is {}",
        created.len(),
        ann.id
    ))?;

    let read = provider.get(&ann.id).await?;
    out.line(&format!(
        "got {}: {} {}",
        read.id,
        read.email,
        status(&read)
    ))?;

    let query = ListQuery::new().email("bob@example.com");
    let found: Vec<Invitation> = provider.list(query).try_collect().await?;
    out.line(&format!(
        "listed by email bob@example.com: {} found",
        found.len()
    ))?;

    let (mut pages, mut rows, mut token) = (0, Vec::new(), None);
    let query = ListQuery::new().page_size(2);
    loop {
        let page = provider.list_page(&query, token.as_ref()).await?;
        pages += 1;
        for item in page.items {
            rows.push(item?);
        }
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    out.line(&format!(
        "listed all: {} on {pages} pages of at most 2",
        rows.len()
    ))?;
    out.line("")?;
    let mut records = out.records().without_first_column();
    for row in rows {
        records.push(&InvitationRecord::new(&provider.to_string(), row))?;
    }
    records.finish()?;
    out.line("")?;

    match provider.create(NewInvitation::new("Ann@Example.com")).await {
        Ok(duplicate) => {
            return Err(unexpected(&format!(
                "ann was invited twice: {}",
                duplicate.id
            )));
        }
        Err(error) => {
            out.line(&format!(
                "a duplicate is refused as {:?}: {}",
                error.kind(),
                error.message()
            ))?;
            let request = error.request_id().unwrap_or("unknown");
            out.line(&format!("  request id {request}"))?;
        }
    }

    provider.delete(&bob.id).await?;
    out.line(&format!("deleted {} ({})", bob.id, bob.email))?;
    let Err(error) = provider.get(&bob.id).await else {
        return Err(unexpected("what was deleted is still there"));
    };
    {
        let request = error.request_id().unwrap_or("unknown");
        out.line(&format!(
            "getting it again is refused as {:?}",
            error.kind()
        ))?;
        out.line(&format!("  request id {request}"))?;
    }
    let left: Vec<Invitation> = provider.list(ListQuery::new()).try_collect().await?;
    let emails: Vec<&str> = left
        .iter()
        .map(|invitation| invitation.email.as_str())
        .collect();
    out.line(&format!("left: {}", emails.join(", ")))?;
    Ok(())
}

fn status(invitation: &Invitation) -> String {
    invitation
        .status
        .as_ref()
        .map_or_else(|| "no status".to_owned(), ToString::to_string)
}

fn unexpected(what: &str) -> Failure {
    Failure::Other(what.to_owned())
}
