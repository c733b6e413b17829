//! Makes an organisation match a roster, as a nightly job would: `cargo run --example nightly_sync --features memory`.
//!
//! It runs offline against an organisation in memory. With an account, `ProviderConfig` builds the provider. What may
//! be removed is limited: nobody by an empty roster, no owner of the key in use, nobody whom the job is told to keep,
//! and no more at once than a share of the organisation.

use futures::StreamExt;
use org_invitations::{
    ApplyOptions, BulkOptions, Invitation, NewInvitation, OrganizationProvider, People, Plan,
    PlanOptions, RemovalLimit, Result, StepOutcome, StepResult, memory::InMemory,
};

/// What the night changed.
#[derive(Debug, Default, PartialEq)]
struct Summary {
    changed: usize,
    kept: usize,
    failed: usize,
}

/// Compares the roster with the organisation, prints what differs, and applies it.
async fn sync(
    provider: &dyn OrganizationProvider,
    roster: &[NewInvitation],
    limit: RemovalLimit,
) -> Result<Summary> {
    let options = PlanOptions::default()
        .prune(true)
        .prune_members(true)
        .min_admins(1)
        .owner(provider.key_owner().await?)
        .roles(provider.list_roles().await?)
        .keep(["break-glass@example.com"]);
    // A roster that is empty or the wrong file removes nobody.
    options.check_roster(roster)?;
    let people = People::load(provider).await?;
    let roster = roster.iter().cloned();
    let plan = Plan::of_people(roster, people, &provider.capabilities(), &options);
    for step in &plan.steps {
        let reason = step.reason.as_deref().unwrap_or_default();
        println!("  {:<9} {:<26} {reason}", step.action, step.email);
    }
    // Refused before anything is sent. `apply` checks it too, and skips every step then.
    plan.check_removals(&limit)?;

    let options = ApplyOptions::default()
        .bulk(BulkOptions::default().concurrency(2))
        .removals(limit);
    let mut summary = Summary::default();
    let mut outcomes = plan.apply(provider, options);
    while let Some(StepOutcome { step, result, .. }) = outcomes.next().await {
        match result {
            StepResult::Kept => summary.kept += 1,
            StepResult::Invited(_) | StepResult::Removed => summary.changed += 1,
            StepResult::Changed(change) if change.failed.is_empty() => summary.changed += 1,
            // A job reports these; the next night tries again what can be tried.
            other => {
                println!("  {}: {other:?}", step.email);
                summary.failed += 1;
            }
        }
    }
    Ok(summary)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let organisation = InMemory::builder()
        .member("root@example.com", ["Admin"])
        .member("break-glass@example.com", ["Admin"])
        .member("ann@example.com", ["Developer"])
        .member("left@example.com", ["Developer"])
        .key_owner("root@example.com")
        .invitation(NewInvitation::new("withdrawn@example.com"))
        .build()?;
    // The directory of the company, as of tonight.
    let roster = [
        NewInvitation::new("ann@example.com").roles(["Admin"]),
        NewInvitation::new("bob@example.com").roles(["Developer"]),
    ];
    // A quarter of what there is, but at least five.
    let limit = RemovalLimit::default();

    println!("the first night:");
    let first = sync(&organisation, &roster, limit).await?;
    println!("{first:?}");
    assert_eq!(
        (first.changed, first.failed),
        (4, 0),
        "one role, one invited, two removed"
    );

    println!("the second night:");
    organisation.accept("bob@example.com")?;
    let second = sync(&organisation, &roster, limit).await?;
    println!("{second:?}");
    assert_eq!(
        (second.changed, second.failed),
        (0, 0),
        "it has come to rest"
    );

    println!("a night with a truncated roster:");
    let refused = sync(&organisation, &[], limit).await.unwrap_err();
    println!("  {refused}");
    let refused = sync(&organisation, &roster[..1], RemovalLimit::percent(10)).await;
    println!("  {}", refused.unwrap_err());
    let people: Vec<Invitation> = People::load(&organisation).await?.invitations;
    assert_eq!(people.len(), 1, "nothing was changed");
    Ok(())
}
