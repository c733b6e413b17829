//! Withdrawing the copied invitations at the source.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::StreamExt;
use org_invitations::{
    Action, BulkOptions, Invitation, Plan, PlanOptions, RemovalLimit, Step, StepOutcome,
    StepResult, Withdrawal, normalize_email,
};

use super::CopyArgs;
use crate::{
    apply::{ApplyReport, OpenSteps, STOPPING, exit_of},
    bulk::RunSummary,
    failure::{Exit, Failure},
    interrupt::Interrupt,
    provider::ProviderContext,
};

/// The plan that withdraws the copied invitations at the source.
pub(super) fn source_removal(
    source: &ProviderContext,
    existing: Vec<Invitation>,
    copied: &[Invitation],
    plan: &Plan,
) -> Plan {
    let steps = copied.iter().zip(&plan.steps);
    // If the source has two invitations of a person, the plan rejects the second one; it is withdrawn with the first.
    let is_withdrawn = |step: &Step| step.action != Action::Invalid || step.same_as.is_some();
    let withdraw = steps
        .filter(|(_, step)| is_withdrawn(step))
        .map(|(one, _)| Withdrawal::new(&one.email, Some(one.id.clone())));
    let options = PlanOptions::default().withdraw(withdraw);
    let mut removal = Plan::new([], existing, &source.capabilities(), &options);
    for step in &mut removal.steps {
        step.reason = Some("once invited at the target".to_owned());
    }
    removal
}

/// Withdraws the source's invitations of the people who were seen at the target.
pub(super) async fn delete_at_source(
    source: &ProviderContext,
    mut removal: Plan,
    report: &ApplyReport,
    args: &CopyArgs,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    if let Some(why) = &report.hold_reason {
        eprintln!(
            "{}: nothing was withdrawn, because {why}; repeat the command",
            source.name()
        );
        return Err(Failure::AlreadyReported(Exit::Failed));
    }
    let mut summary = RunSummary::default();
    let seen = |step: &Step| {
        report
            .seen_addresses
            .contains(&normalize_email(&step.email))
    };
    let total = removal.steps.len();
    removal.steps.retain(seen);
    let kept = total - removal.steps.len();
    if kept > 0 {
        let name = source.name();
        eprintln!("{name}: {kept} kept, because they were not seen at the target");
    }
    let stop = Arc::new(AtomicBool::new(false));
    let (mut deleted, mut not_attempted) = (0, 0);
    let println = |line: &str| eprintln!("{line}");
    let bulk = BulkOptions::default()
        .concurrency(args.apply.concurrency)
        .stop(Arc::clone(&stop))
        .outage(args.apply.pause.options(source.name(), println));
    // The limit was checked before the run started.
    let options = org_invitations::ApplyOptions::from(bulk).removals(RemovalLimit::none());
    let mut open = OpenSteps::of(&removal);
    let mut outcomes = removal.apply(&**source, options);
    let forced = loop {
        let outcome = tokio::select! {
            outcome = outcomes.next() => outcome,
            () = interrupt.signalled(1), if !stop.load(Ordering::Relaxed) => {
                stop.store(true, Ordering::Relaxed);
                eprintln!("{STOPPING}");
                continue;
            }
            () = interrupt.signalled(2) => break true,
        };
        let Some(outcome) = outcome else { break false };
        open.close(&outcome);
        match (exit_of(&outcome), outcome.result) {
            (Ok(()), _) => {
                deleted += 1;
                summary.record_success();
            }
            (Err(_), StepResult::Failed(error)) => summary.report_failure(&error.into()),
            (Err(exit), result) => {
                not_attempted += usize::from(matches!(result, StepResult::NotAttempted));
                summary.record_failure(exit);
            }
        }
    };
    drop(outcomes);
    if forced {
        let cut_off = open.cut_off(source, args.apply.concurrency, &HashSet::new());
        let not_sent = |one: &&StepOutcome| matches!(one.result, StepResult::NotAttempted);
        not_attempted += cut_off.iter().filter(not_sent).count();
    }
    eprintln!("{}: withdrew {deleted}", source.name());
    if interrupt.happened() && (forced || not_attempted > 0) {
        let message =
            format!("{not_attempted} are still invited at the source: repeat the command");
        return Err(Failure::Interrupted(message));
    }
    summary.finish()
}
