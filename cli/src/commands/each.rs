//! The same for each of several things: a few at a time, results in the order in which they were given,
//! one failure hiding none of the others.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    future::Future,
    io,
};

use futures::{StreamExt, stream};
use org_invitations::{Error, ErrorKind, Outage};

use crate::{
    failure::{Exit, Failure},
    interrupt::Interrupt,
    provider::Connected,
};

const AT_ONCE: usize = 4;

/// How a run over several things went.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    done: u64,
    failed: u64,
    /// The code of the failures; `Refused` once they differ.
    exit: Option<Exit>,
}

impl Tally {
    pub fn done(&mut self) {
        self.done += 1;
    }

    /// Reports a failure and counts it.
    pub fn failed(&mut self, failure: &Failure) {
        failure.report();
        self.counted(failure.exit().unwrap_or(Exit::Refused));
    }

    /// Counts a failure that was reported.
    pub fn counted(&mut self, exit: Exit) {
        self.failed += 1;
        self.exit = Some(match self.exit {
            Some(other) if other != exit => Exit::Refused,
            _ => exit,
        });
    }

    /// All of one kind is that kind; anything mixed is done in part.
    pub fn finish(self) -> Result<(), Failure> {
        match self.exit {
            None => Ok(()),
            Some(_) if self.done > 0 => Err(Failure::Said(Exit::Refused)),
            Some(exit) => Err(Failure::Said(exit)),
        }
    }
}

/// Runs `work` on each item and gives its results to `show`. A credential that does not work stops the
/// rest. When the command is asked to stop, that is the failure, and it says what is open. Where the server could
/// not be reached for too long, `go_on` gives the command for the items that are left.
#[allow(clippy::too_many_arguments)]
pub(super) async fn each<T, R, Work>(
    provider: &Connected,
    items: &[T],
    outage: &Outage,
    go_on: impl Fn(&[&T]) -> String,
    interrupt: &Interrupt,
    tally: &mut Tally,
    name: impl Fn(&T) -> String,
    work: impl Fn(usize) -> Work,
    mut show: impl FnMut(usize, R) -> io::Result<()>,
) -> Result<(), Failure>
where
    Work: Future<Output = Result<R, Error>>,
{
    let stopped = Cell::new(false);
    let mut left_over = Vec::new();
    let under_way = RefCell::new(BTreeSet::new());
    let begun = Cell::new(0);
    let (stopped, under_way, begun) = (&stopped, &under_way, &begun);
    let work = &work;
    let mut results = Box::pin(
        stream::iter(0..items.len())
            .map(|index| async move {
                if stopped.get() {
                    return (index, None);
                }
                let work = || {
                    // Repeated after a pause, it has begun once.
                    if under_way.borrow_mut().insert(index) {
                        begun.set(begun.get() + 1);
                    }
                    work(index)
                };
                let result = outage.call(&**provider, work).await;
                under_way.borrow_mut().remove(&index);
                if matches!(&result, Some(Err(error)) if stops_the_rest(error)) {
                    stopped.set(true);
                }
                (index, result)
            })
            .buffered(AT_ONCE),
    );
    loop {
        let next = tokio::select! {
            biased;
            next = results.next() => next,
            () = interrupt.times(1) => {
                let open = under_way.borrow();
                let open: Vec<String> = open.iter().map(|index| name(&items[*index])).collect();
                return Err(Failure::Interrupted(left(&open, items.len() - begun.get())));
            }
        };
        match next {
            None => break,
            Some((index, None)) => left_over.push(&items[index]),
            Some((index, Some(Ok(result)))) => {
                show(index, result)?;
                tally.done();
            }
            Some((index, Some(Err(error)))) => {
                if error.kind() == ErrorKind::Connect && !error.may_have_executed() {
                    left_over.push(&items[index]);
                }
                tally.failed(&error.into());
            }
        }
    }
    let skipped = items.len() - begun.get();
    if skipped > 0 {
        eprintln!("{skipped} more not attempted");
    }
    if outage.gave_up() {
        eprintln!(
            "{} of {} were done. To go on, run:\n  {}",
            tally.done,
            items.len(),
            go_on(&left_over)
        );
    }
    Ok(())
}

fn left(open: &[String], not_begun: usize) -> String {
    let mut lines = Vec::new();
    if !open.is_empty() {
        let open = open.join(", ");
        lines.push(format!(
            "under way, so look with `org-invitations list` whether it was carried out: {open}"
        ));
    }
    if not_begun > 0 {
        lines.push(format!("{not_begun} more not attempted"));
    }
    lines.join("\n")
}

/// A failure that every further item would meet too.
fn stops_the_rest(error: &Error) -> bool {
    error.ends_a_run() || error.kind() == ErrorKind::Unsupported
}
