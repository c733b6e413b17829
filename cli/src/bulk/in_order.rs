//! Reads from several organisations at once, and prints what they answer in their order. A failure of one hides none of
//! the others.

use std::{future::Future, ops::ControlFlow};

use futures::{StreamExt, stream};
use tokio::sync::{Semaphore, mpsc};

use super::RunSummary;
use crate::{
    failure::Failure,
    interrupt::Interrupt,
    provider::ProviderContext,
    providers::{Origin, Providers},
};

/// How many organisations are read from at once. Each has its own connections and rate limit.
const CONCURRENCY: usize = 256;

/// Takes what is read.
pub(crate) struct Results<T>(mpsc::Sender<T>);

impl<T> Clone for Results<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Results<T> {
    /// Hands a result to the output. If only one organisation is read, this waits for the output to keep up.
    pub async fn send(&self, result: T) {
        // An output that has ended needs no more results.
        let _ = self.0.send(result).await;
    }
}

/// Reads from each provider, and passes the results to `show` in the order of the providers. Failures are reported,
/// those that `read` sends and the one that it ends with. `show` may end the run before all is read.
pub(crate) async fn for_each_provider<T, Work>(
    providers: Providers,
    interrupt: &Interrupt,
    summary: &mut RunSummary,
    read: impl Fn(ProviderContext, Results<Result<T, Failure>>) -> Work,
    mut show: impl FnMut(&Origin, T) -> Result<ControlFlow<()>, Failure>,
) -> Result<(), Failure>
where
    Work: Future<Output = Result<(), Failure>>,
{
    let (origins, providers) = providers.into_parts();
    summary.set_organizations(origins.len());
    let read = &read;
    let work = |provider: Result<ProviderContext, Failure>, results: Results<_>| async move {
        let end = results.clone();
        let outcome = match provider {
            Ok(provider) => read(provider, results).await,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = outcome {
            end.send(Err(failure)).await;
        }
    };
    let mut has_failed = false;
    let show = |index: usize, result: Option<Result<T, Failure>>| {
        let origin: &Origin = &origins[index];
        match result {
            Some(Ok(result)) => {
                let flow = show(origin, result)?;
                summary.record_success();
                return Ok(flow);
            }
            Some(Err(failure)) => {
                has_failed = true;
                summary.report_failure_of(origin.name.as_deref(), &failure);
            }
            // An organisation without a result succeeds too.
            None if !std::mem::take(&mut has_failed) => summary.record_success(),
            None => {}
        }
        Ok(ControlFlow::Continue(()))
    };
    interrupt
        .or_interrupted(in_order(providers, work, show))
        .await
}

/// Runs `work` on each item, [`CONCURRENCY`] at a time, and passes what it sends to `show` in the order of the items:
/// the position of the item with each result, and with `None` at its end.
pub(crate) async fn in_order<I, T, Work>(
    items: Vec<I>,
    work: impl Fn(I, Results<T>) -> Work,
    mut show: impl FnMut(usize, Option<T>) -> Result<ControlFlow<()>, Failure>,
) -> Result<(), Failure>
where
    Work: Future<Output = ()>,
{
    // What one of several organisations answers waits in memory for its turn, so that it slows none of the others.
    let capacity = match items.len() {
        1 => 1,
        _ => Semaphore::MAX_PERMITS,
    };
    let mut receivers = Vec::new();
    let mut waiting = Vec::new();
    for item in items {
        let (sender, receiver) = mpsc::channel(capacity);
        receivers.push(receiver);
        waiting.push((item, Results(sender)));
    }
    let work = stream::iter(waiting)
        .for_each_concurrent(CONCURRENCY, |(item, results)| work(item, results));
    let output = async {
        for (index, mut receiver) in receivers.into_iter().enumerate() {
            while let Some(result) = receiver.recv().await {
                if show(index, Some(result))?.is_break() {
                    return Ok(());
                }
            }
            if show(index, None)?.is_break() {
                return Ok(());
            }
        }
        Ok(())
    };
    let (mut work, mut output) = (std::pin::pin!(work), std::pin::pin!(output));
    tokio::select! {
        biased;
        outcome = &mut output => return outcome,
        () = &mut work => {}
    }
    output.await
}
