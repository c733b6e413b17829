//! A scheduler and two executors as processes on loopback, and 200 organisations.

mod organizations;
mod processes;

use std::{error::Error, time::Duration};

use datafusion::{
    arrow::{record_batch::RecordBatch, util::pretty::pretty_format_batches},
    prelude::SessionContext,
};
use org_invitations_ballista::{Profiles, connect, run};
use org_invitations_sql::{Table, session, sql};
use tokio::time::sleep;

use self::{organizations::Organizations, processes::Cluster};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// How long a loop waits before it looks again.
const AGAIN: Duration = Duration::from_millis(20);

#[test]
fn a_cluster_answers_as_one_process_does_and_survives_an_executor() {
    run(async {
        let organizations = Organizations::start().await;
        let mut cluster = Cluster::start(organizations.profiles()).await;
        let profiles = Profiles::read(organizations.profiles())?;
        let local = session();
        let members = profiles.table("confluent", Table::members)?;
        members.register(&local, "members")?;
        let invitations = profiles.table("confluent", |it| Table::invitations(it))?;
        invitations.register(&local, "invitations")?;
        let roster = organizations.write_roster(&local).await?;
        let remote = connect(&local, &cluster.url()).await?;

        joins_with_a_file(&organizations, &mut cluster, &local, &remote, &roster).await?;
        // One executor is left.
        functions_of_the_session(&local, &remote).await?;
        writes_are_refused(&organizations, &remote).await?;
        a_profile_that_executors_do_not_know(&organizations, &local, &remote).await?;
        Ok(())
    })
    .unwrap();
}

/// A join of the members of all organisations with a file; one executor is killed in the middle.
async fn joins_with_a_file(
    organizations: &Organizations,
    cluster: &mut Cluster,
    local: &SessionContext,
    remote: &SessionContext,
    roster: &str,
) -> Outcome<()> {
    let statement = format!(
        "SELECT m.profile, m.email, r.team FROM members m JOIN '{roster}' r ON r.email = m.email \
         ORDER BY m.profile, m.email"
    );
    let expected = rows(local, &statement).await?;
    assert_eq!(expected.lines().count(), 4 + organizations.in_roster());

    organizations.answer_slowly();
    let before = organizations.requests();
    let statement_of_task = (remote.clone(), statement.clone());
    let query = tokio::spawn(async move {
        let (remote, statement) = statement_of_task;
        rows(&remote, &statement).await
    });
    // Both executors have rows of some organisations, and are not done.
    while organizations.asked(&before) < 60 || !cluster.executors_have_rows() {
        assert!(!query.is_finished(), "{:?}", query.await?);
        sleep(AGAIN).await;
    }
    let asked = organizations.asked(&before);
    assert!(asked < organizations.count(), "no organisation was left");
    cluster.kill_executor().await;
    assert!(!query.is_finished(), "{:?}", query.await?);
    let found = query.await??;
    assert_eq!(found, expected);
    let after: usize = organizations.requests().iter().sum();
    println!(
        "{} rows of {} organisations; one of two executors was killed after {asked} of them, and {} requests were sent",
        organizations.in_roster(),
        organizations.count(),
        after - before.iter().sum::<usize>(),
    );
    organizations.answer_at_once();
    Ok(())
}

/// Functions that Ballista does not have, and filters of the vendor's.
async fn functions_of_the_session(local: &SessionContext, remote: &SessionContext) -> Outcome<()> {
    for statement in [
        "SELECT profile, json_length(extra) AS n, count(*) AS c FROM members GROUP BY 1, 2 ORDER BY 1, 2",
        "SELECT profile, email FROM invitations WHERE status = 'INVITE_STATUS_SENT' AND profile IN ('p-007', 'p-011') ORDER BY 1, 2",
        "SELECT count(*) AS n FROM members WHERE email NOT IN (SELECT email FROM invitations)",
        "SELECT profile, count(*) AS n FROM (SELECT profile FROM members UNION ALL SELECT profile FROM invitations) u GROUP BY 1 ORDER BY 1",
        "SELECT count(*) AS n FROM members a JOIN invitations b ON a.profile = b.profile",
        "EXPLAIN SELECT lpad(email, 40) FROM members",
    ] {
        let (expected, found) = (
            rows(local, statement).await?,
            rows(remote, statement).await?,
        );
        match statement.starts_with("EXPLAIN") {
            true => assert!(found.contains("MembersExec"), "{found}"),
            false => assert_eq!(found, expected, "{statement}"),
        }
    }
    Ok(())
}

async fn writes_are_refused(organizations: &Organizations, remote: &SessionContext) -> Outcome<()> {
    for statement in [
        "INSERT INTO invitations (profile, email) VALUES ('p-001', 'ann@example.com')",
        "DELETE FROM invitations WHERE profile = 'p-001' AND email LIKE 'user1@%'",
        "DELETE FROM invitations WHERE profile = 'p-001' DRY RUN",
    ] {
        let error = rows(remote, statement).await.unwrap_err().to_string();
        assert!(
            error.contains("a distributed session only reads"),
            "{statement}: {error}"
        );
    }
    assert_eq!(organizations.changes(), 0);
    Ok(())
}

async fn a_profile_that_executors_do_not_know(
    organizations: &Organizations,
    local: &SessionContext,
    remote: &SessionContext,
) -> Outcome<()> {
    let table = Table::members(organizations.provider(0)).profile("elsewhere");
    table.register(local, "others")?;
    let statement = "SELECT email FROM others";
    assert!(rows(local, statement).await.is_ok());
    let error = rows(remote, statement).await.unwrap_err().to_string();
    assert!(
        error.contains("the plan names confluent (profile elsewhere)"),
        "{error}"
    );
    Ok(())
}

async fn rows(context: &SessionContext, statement: &str) -> Outcome<String> {
    let batches: Vec<RecordBatch> = sql(context, statement).await?.collect().await?;
    Ok(pretty_format_batches(&batches)?.to_string())
}
