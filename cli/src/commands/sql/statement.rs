//! Runs SQL statements.

use std::{collections::VecDeque, sync::atomic::Ordering};

use datafusion::{
    error::DataFusionError,
    logical_expr::LogicalPlan,
    prelude::{DataFrame, SessionContext},
    sql::parser::{DFParser, Statement},
};
use futures::StreamExt;
use org_invitations_sql::{message, provider_error, session};

use super::{
    rows::{Row, is_plan, names, rows},
    tables::{Writes, tables},
};
use crate::{
    failure::Failure,
    interrupt::Interrupt,
    output::{Format, Output, escape_control},
    provider::ProviderContext,
};

/// The query engine with its tables.
pub(super) struct Session {
    context: SessionContext,
    writes: Writes,
}

impl Session {
    pub fn new(providers: &[ProviderContext], writes: Writes) -> Result<Self, Failure> {
        let context = session();
        for (name, table) in tables(providers, &writes) {
            table.register(&context, name).map_err(failure)?;
        }
        Ok(Self { context, writes })
    }

    /// Runs statements until one fails. A syntax error anywhere stops all of them.
    pub async fn run_all(
        &self,
        text: &str,
        interrupt: &Interrupt,
        out: &mut Output,
    ) -> Result<(), Failure> {
        for statement in parse(text)? {
            self.run(statement, interrupt, out).await?;
        }
        Ok(())
    }

    async fn run(
        &self,
        statement: Statement,
        interrupt: &Interrupt,
        out: &mut Output,
    ) -> Result<(), Failure> {
        let state = self.context.state();
        let plan = interrupt
            .or_interrupted(async { state.statement_to_plan(statement).await.map_err(failure) })
            .await?;
        let writes = matches!(plan, LogicalPlan::Dml(_));
        let frame = self.context.execute_logical_plan(plan);
        let frame = interrupt
            .or_interrupted(async { frame.await.map_err(failure) })
            .await?;
        if writes {
            self.writes.stop.store(false, Ordering::Relaxed);
            return self.write(frame, interrupt, out).await;
        }
        print_rows(frame, interrupt, out).await
    }

    /// Runs a statement that writes. After the first Ctrl-C it finishes the rows in flight and starts no others.
    async fn write(
        &self,
        frame: DataFrame,
        interrupt: &Interrupt,
        out: &mut Output,
    ) -> Result<(), Failure> {
        let already = interrupt.count();
        let mut work = std::pin::pin!(print_rows(frame, interrupt, out));
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
            () = interrupt.signalled(already + 2) => Err(Failure::Interrupted(
                "the requests in flight may have been carried out".to_owned(),
            )),
        }
    }
}

/// Parses the statements of a text.
pub(super) fn parse(text: &str) -> Result<VecDeque<Statement>, Failure> {
    DFParser::parse_sql(text).map_err(failure)
}

/// Prints rows as they arrive.
async fn print_rows(
    frame: DataFrame,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let already = interrupt.count();
    let is_write = matches!(frame.logical_plan(), LogicalPlan::Dml(_));
    let mut batches = frame.execute_stream().await.map_err(failure)?;
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
            // `write` stops a statement that writes.
            () = interrupt.signalled(already + 1), if !is_write => {
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
