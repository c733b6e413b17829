//! One operation on each of several items: a few at a time, with the results in the order of the items. A failure
//! of one item hides none of the others.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    future::Future,
    io,
};

use futures::{StreamExt, stream};
use org_invitations::{Error, ErrorKind, Outage};

use super::RunSummary;
use crate::{failure::Failure, interrupt::Interrupt, provider::ProviderContext};

const CONCURRENCY: usize = 4;

/// Runs `work` on each item and passes its results to `show`.
///
/// An error that every further item would meet, such as a wrong credential, stops the run. Ctrl-C ends it with
/// [`Failure::Interrupted`], which names the items in flight. After an outage, `resume_command` gives the command
/// for the items that remain.
#[allow(clippy::too_many_arguments)]
pub(crate) async fn for_each_concurrent<T, R, Work>(
    provider: &ProviderContext,
    items: &[T],
    outage: &Outage,
    resume_command: impl Fn(&[&T]) -> String,
    interrupt: &Interrupt,
    summary: &mut RunSummary,
    name: impl Fn(&T) -> String,
    work: impl Fn(usize) -> Work,
    mut show: impl FnMut(usize, R) -> io::Result<()>,
) -> Result<(), Failure>
where
    Work: Future<Output = Result<R, Error>>,
{
    let stopped = Cell::new(false);
    let mut remaining = Vec::new();
    let in_flight = RefCell::new(BTreeSet::new());
    let started = Cell::new(0);
    let (stopped, in_flight, started) = (&stopped, &in_flight, &started);
    let work = &work;
    let mut results = Box::pin(
        stream::iter(0..items.len())
            .map(|index| async move {
                if stopped.get() {
                    return (index, None);
                }
                let work = || {
                    // After a pause, `work` may run again for an item that has started.
                    if in_flight.borrow_mut().insert(index) {
                        started.set(started.get() + 1);
                    }
                    work(index)
                };
                let result = outage.call(&**provider, work).await;
                in_flight.borrow_mut().remove(&index);
                if matches!(&result, Some(Err(error)) if is_fatal(error)) {
                    stopped.set(true);
                }
                (index, result)
            })
            .buffered(CONCURRENCY),
    );
    loop {
        let next = tokio::select! {
            biased;
            next = results.next() => next,
            () = interrupt.signalled(1) => {
                let open = in_flight.borrow();
                let open: Vec<String> = open.iter().map(|index| name(&items[*index])).collect();
                return Err(Failure::Interrupted(interruption_message(&open, items.len() - started.get())));
            }
        };
        match next {
            None => break,
            Some((index, None)) => remaining.push(&items[index]),
            Some((index, Some(Ok(result)))) => {
                show(index, result)?;
                summary.record_success();
            }
            Some((index, Some(Err(error)))) => {
                if error.kind() == ErrorKind::Connect && !error.may_have_executed() {
                    remaining.push(&items[index]);
                }
                summary.report_failure(&error.into());
            }
        }
    }
    let skipped = items.len() - started.get();
    if skipped > 0 {
        eprintln!("{skipped} more not attempted");
    }
    if outage.gave_up() {
        eprintln!(
            "{} of {} succeeded. To continue, run:\n  {}",
            summary.successes(),
            items.len(),
            resume_command(&remaining)
        );
    }
    Ok(())
}

fn interruption_message(in_flight: &[String], not_started: usize) -> String {
    let mut lines = Vec::new();
    if !in_flight.is_empty() {
        let in_flight = in_flight.join(", ");
        lines.push(format!(
            "outcome unknown, check with `org-invitations list`: {in_flight}"
        ));
    }
    if not_started > 0 {
        lines.push(format!("{not_started} more not attempted"));
    }
    lines.join("\n")
}

/// Whether every further item would fail in the same way.
fn is_fatal(error: &Error) -> bool {
    error.is_fatal() || error.kind() == ErrorKind::Unsupported
}
