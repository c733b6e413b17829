//! Where statements run: threads of their own, so that all cores work, and that a busy one does not keep Ctrl-C waiting.

use std::{io, sync::Arc, thread};

use datafusion::{
    arrow::{datatypes::SchemaRef, record_batch::RecordBatch},
    error::{DataFusionError, Result},
    prelude::DataFrame,
};
use futures::StreamExt;
use tokio::{
    runtime::{Builder, Runtime},
    sync::mpsc,
    task::JoinHandle,
};

/// Batches that are ready before they are printed.
const AHEAD: usize = 2;
/// Plans are trees, and the engine walks them recursively.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// The threads.
pub(super) struct Engine(Option<Runtime>);

impl Engine {
    pub fn start() -> io::Result<Self> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("sql")
            .thread_stack_size(STACK_BYTES)
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Runs work on one of the threads.
    pub fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Running<T> {
        Running(self.0.as_ref().map(|runtime| runtime.spawn(work)))
    }

    /// Starts a statement, and returns its columns and its rows as they arrive.
    pub async fn start_statement(&self, frame: DataFrame) -> Result<Batches> {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let stream = self.spawn(async move { frame.execute_stream().await });
        let mut stream = stream.finish().await?;
        let schema = stream.schema();
        let running = self.spawn(async move {
            while let Some(batch) = stream.next().await {
                let failed = batch.is_err();
                if sender.send(batch).await.is_err() || failed {
                    break;
                }
            }
            Ok(())
        });
        Ok(Batches {
            schema,
            receiver,
            running: Some(running),
        })
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // A thread that computes cannot be stopped, and must not keep the command from ending.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Work that is aborted when it is dropped.
pub(super) struct Running<T>(Option<JoinHandle<Result<T>>>);

impl<T> Running<T> {
    pub async fn finish(mut self) -> Result<T> {
        let Some(handle) = &mut self.0 else {
            return Err(ended());
        };
        match handle.await {
            Ok(outcome) => outcome,
            Err(error) if error.is_panic() => Err(DataFusionError::Execution(
                "the engine failed on this statement".to_owned(),
            )),
            Err(_) => Err(ended()),
        }
    }
}

fn ended() -> DataFusionError {
    DataFusionError::Execution("the statement was stopped".to_owned())
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        if let Some(handle) = &self.0 {
            handle.abort();
        }
    }
}

/// The rows of a statement. Dropping them stops it.
pub(super) struct Batches {
    schema: SchemaRef,
    receiver: mpsc::Receiver<Result<RecordBatch>>,
    running: Option<Running<()>>,
}

impl Batches {
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Returns the next rows; `None` at the end. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Result<RecordBatch>> {
        if let Some(batch) = self.receiver.recv().await {
            return Some(batch);
        }
        // The rows end also where the work panics.
        match self.running.take()?.finish().await {
            Ok(()) => None,
            Err(error) => Some(Err(error)),
        }
    }
}
