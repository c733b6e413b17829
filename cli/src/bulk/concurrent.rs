//! One operation on each of several items: a few at a time, with the results in the order of the items. A failure
//! of one item hides none of the others.

use std::{future::Future, io, sync::atomic::Ordering};

use futures::StreamExt;
use org_invitations::{BulkOptions, Error, ErrorKind, ItemResult, OutageOptions};

use super::RunSummary;
use crate::{failure::Failure, interrupt::Interrupt, provider::ProviderContext};

/// Runs `work` on each item and passes its results to `show`.
///
/// An error that every further item would meet, such as a wrong credential, stops the run. Ctrl-C ends it with
/// [`Failure::Interrupted`], which names the items in flight. After an outage, `resume_command` gives the command
/// for the items that remain.
#[allow(clippy::too_many_arguments)]
pub(crate) async fn for_each_concurrent<'a, T: Sync, R: Send, Work>(
    provider: &ProviderContext,
    items: &'a [T],
    outage: OutageOptions,
    resume_command: impl Fn(&[&T]) -> String,
    interrupt: &Interrupt,
    summary: &mut RunSummary,
    name: impl Fn(&T) -> String,
    work: impl Fn(&'a T) -> Work + Send + Sync,
    mut show: impl FnMut(&T, R) -> io::Result<()>,
) -> Result<(), Failure>
where
    Work: Future<Output = Result<R, Error>> + Send,
{
    let options = BulkOptions::default().ordered(true).outage(outage);
    let stop = options.stop.clone();
    let mut run = org_invitations::for_each_concurrent(&**provider, items, options, |_| None, work);
    let (mut finished, mut remaining) = (0, Vec::new());
    loop {
        let outcome = tokio::select! {
            biased;
            outcome = run.next() => outcome,
            () = interrupt.signalled(1) => {
                let open = run.in_flight();
                let not_started = items.len() - finished - open.len();
                let open: Vec<String> = open.into_iter().map(|index| name(&items[index])).collect();
                let message = interruption_message(provider, &open, not_started);
                return Err(Failure::Interrupted(message));
            }
        };
        let Some(outcome) = outcome else { break };
        let ItemResult::Finished(result) = outcome.result else {
            remaining.push(outcome.item);
            continue;
        };
        finished += 1;
        match result {
            Ok(result) => {
                show(outcome.item, result)?;
                summary.record_success();
            }
            Err(error) => {
                if error.kind() == ErrorKind::Connect && !error.may_have_executed() {
                    remaining.push(outcome.item);
                }
                // All items have the same options.
                if error.kind() == ErrorKind::Unsupported {
                    stop.store(true, Ordering::Relaxed);
                }
                summary.report_failure(&error.into());
            }
        }
    }
    if finished < items.len() {
        eprintln!("{} more not attempted", items.len() - finished);
    }
    if run.gave_up() {
        eprintln!(
            "{} of {} succeeded. To continue, run:\n  {}",
            summary.successes(),
            items.len(),
            resume_command(&remaining)
        );
    }
    Ok(())
}

fn interruption_message(
    provider: &ProviderContext,
    in_flight: &[String],
    not_started: usize,
) -> String {
    let mut lines = Vec::new();
    if !in_flight.is_empty() {
        let in_flight = in_flight.join(", ");
        lines.push(format!(
            "outcome unknown, check with `org-invitations {} list`: {in_flight}",
            provider.selection_flags()
        ));
    }
    if not_started > 0 {
        lines.push(format!("{not_started} more not attempted"));
    }
    lines.join("\n")
}
