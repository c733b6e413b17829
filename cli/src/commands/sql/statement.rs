//! Runs SQL statements.

use std::sync::atomic::Ordering;

use datafusion::{
    error::DataFusionError,
    prelude::{DataFrame, SessionContext},
};
use org_invitations_sql::{
    RowDone, Statement, is_write, message, parse, plan, provider_error, session_with_memory_limit,
};

use super::{
    engine::{Batches, Engine},
    rows::{Row, is_plan, names, rows},
    tables::{Writes, tables},
};
use crate::{
    failure::Failure,
    interrupt::{Interrupt, UNCHANGED},
    output::{Format, Output, escape_control},
    provider::ProviderContext,
};

/// The query engine with its tables.
pub(super) struct Session {
    context: SessionContext,
    writes: Writes,
    engine: Engine,
}

impl Session {
    pub fn new(
        providers: &[ProviderContext],
        writes: Writes,
        memory_limit: usize,
    ) -> Result<Self, Failure> {
        let context = session_with_memory_limit(memory_limit).map_err(failure)?;
        for (name, table) in tables(providers, &writes) {
            table.register(&context, name).map_err(failure)?;
        }
        Ok(Self {
            context,
            writes,
            engine: Engine::start()?,
        })
    }

    /// Runs statements until one fails. A statement that is refused or cannot be parsed stops all of them.
    pub async fn run_all(
        &self,
        text: &str,
        interrupt: &Interrupt,
        out: &mut Output,
    ) -> Result<(), Failure> {
        // At a prompt, an earlier text may have been stopped.
        let already = interrupt.count();
        for statement in parse(text).map_err(failure)? {
            self.run(statement, interrupt, already, out).await?;
        }
        Ok(())
    }

    async fn run(
        &self,
        statement: Statement,
        interrupt: &Interrupt,
        already: u32,
        out: &mut Output,
    ) -> Result<(), Failure> {
        let context = self.context.clone();
        let planned = self.engine.spawn(async move {
            let plan = plan(&context, statement).await?;
            let writes = is_write(&plan);
            Ok((context.execute_logical_plan(plan).await?, writes))
        });
        let (frame, writes) = tokio::select! {
            biased;
            planned = planned.finish() => planned.map_err(failure)?,
            () = interrupt.signalled(already + 1) => {
                return Err(Failure::Interrupted(UNCHANGED.to_owned()));
            }
        };
        if writes {
            self.writes.stop.store(false, Ordering::Relaxed);
            self.writes.report.clear();
            return self.write(frame, interrupt, already, out).await;
        }
        let stopped = interrupt.signalled(already + 1);
        let mut stopped = std::pin::pin!(stopped);
        let batches = tokio::select! {
            biased;
            batches = self.engine.start_statement(frame) => batches.map_err(failure)?,
            () = &mut stopped => return Err(Failure::Interrupted(String::new())),
        };
        print_rows(batches, stopped, out).await
    }

    /// Runs a statement that writes. After the first Ctrl-C it finishes the rows in flight and starts no others.
    async fn write(
        &self,
        frame: DataFrame,
        interrupt: &Interrupt,
        already: u32,
        out: &mut Output,
    ) -> Result<(), Failure> {
        let work = async {
            let batches = self.engine.start_statement(frame).await.map_err(failure)?;
            print_rows(batches, std::future::pending(), out).await
        };
        let mut work = std::pin::pin!(work);
        tokio::select! {
            biased;
            outcome = &mut work => return outcome,
            () = interrupt.signalled(already + 1) => {}
        }
        eprintln!("stopping after the requests in flight; press Ctrl-C again to stop at once");
        self.writes.stop.store(true, Ordering::Relaxed);
        tokio::select! {
            biased;
            outcome = &mut work => {
                outcome?;
                Err(Failure::Interrupted(String::new()))
            }
            () = interrupt.signalled(already + 2) => Err(Failure::Interrupted(self.abandoned())),
        }
    }

    /// What a write has done that is abandoned.
    fn abandoned(&self) -> String {
        let report = &self.writes.report;
        let mut text = "the requests in flight may have been carried out".to_owned();
        for (title, rows) in [
            ("went through", report.done()),
            ("not known, or not sent", report.pending()),
        ] {
            if rows.is_empty() {
                continue;
            }
            let line = |row: &RowDone| format!("\n  {}", escape_control(&row.to_string()));
            let rows: String = rows.iter().map(line).collect();
            text.push_str(&format!("\n{title}:{rows}"));
        }
        text
    }
}

/// Prints rows as they arrive, until `stopped` completes.
async fn print_rows(
    mut batches: Batches,
    stopped: impl Future<Output = ()>,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut stopped = std::pin::pin!(stopped);
    let schema = batches.schema();
    if schema.fields().is_empty() {
        // A definition has no rows, but only polling the stream runs it.
        while let Some(batch) = batches.next().await {
            batch.map_err(failure)?;
        }
        return Ok(());
    }
    let names = names(&schema);
    let plan = is_plan(&schema) && out.format() == Format::Table;
    let mut records = out.records_with_columns::<Row<'_>>(&names);
    loop {
        let batch = tokio::select! {
            biased;
            batch = batches.next() => batch,
            () = &mut stopped => {
                records.show()?;
                return Err(Failure::Interrupted(String::new()));
            }
        };
        let Some(batch) = batch else { break };
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                // The rows so far are printed, but the document stays incomplete.
                records.show()?;
                return Err(failure(error));
            }
        };
        for row in rows(&batch, &names).map_err(failure)? {
            match plan {
                true => records.println(&row.plan())?,
                false => records.push(&row)?,
            }
        }
        records.flush_lines()?;
    }
    let none = records.count() == 0 && records.is_table() && !plan;
    records.finish()?;
    if none {
        eprintln!("no rows");
    }
    Ok(())
}

/// Converts an error: a provider's keeps its meaning; the engine's is wrong usage or an internal failure.
pub(super) fn failure(error: DataFusionError) -> Failure {
    if let Some(error) = provider_error(&error) {
        return Failure::from(error.clone());
    }
    let text = message(&error);
    // The message has a line for each rejected row.
    let lines: Vec<String> = text
        .lines()
        .map(|line| escape_control(line).into_owned())
        .collect();
    let text = lines.join("\n");
    match error.find_root() {
        DataFusionError::Plan(_)
        | DataFusionError::SQL(..)
        | DataFusionError::SchemaError(..)
        | DataFusionError::NotImplemented(_) => Failure::Usage(text),
        _ => Failure::Other(text),
    }
}
