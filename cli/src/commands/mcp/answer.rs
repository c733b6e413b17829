//! What a tool answers.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use rmcp::model::CallToolResult;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    failure::{Exit, Failure},
    messages::Messages,
    output::{Format, Output},
};

/// The answer of a tool whose records are `R`. The schema is of this type; the values are what the command prints.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Answer")]
pub(super) struct Answer<R> {
    /// Whether nothing was changed because the call was a dry run; absent where the tool changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// The records: one for each invitation, person or role.
    pub records: Vec<R>,
    /// What the command says beside its records: counts, notes, warnings, failures and hints.
    pub messages: Vec<String>,
}

/// What a command prints, as it is captured.
#[derive(Clone, Default)]
pub(super) struct Printed {
    bytes: Arc<Mutex<Vec<u8>>>,
    pub messages: Messages,
}

impl Printed {
    /// The output of a command, a line of JSON for each record.
    pub fn output(&self) -> Output {
        Output::new(Format::Jsonl, false, self.clone())
    }

    /// The answer of a command. At most `limit` records are in it; the others are counted.
    pub fn answer(
        self,
        outcome: Result<(), Failure>,
        dry_run: Option<bool>,
        limit: Option<usize>,
    ) -> CallToolResult {
        let bytes = std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner));
        let lines = serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>();
        let records: Result<Vec<Value>, _> = lines.collect();
        let mut records = match records {
            Ok(records) => records,
            Err(error) => return refusal(format!("the records cannot be read: {error}")),
        };
        let mut messages = self.messages.take();
        if let Some(limit) = limit.filter(|limit| records.len() > *limit) {
            records.truncate(limit);
            messages.push(format!(
                "the answer has the first {limit} records only; raise `limit`, or filter"
            ));
        }
        let is_error = match &outcome {
            Ok(()) => false,
            Err(failure) => {
                let text = failure.to_string();
                match failure.exit() {
                    _ if !text.is_empty() => messages.push(text),
                    Some(exit) if messages.is_empty() => messages.push(why(exit).to_owned()),
                    _ => {}
                }
                true
            }
        };
        let answer = Answer {
            dry_run,
            records,
            messages,
        };
        match (serde_json::to_value(answer), is_error) {
            (Ok(value), false) => CallToolResult::structured(value),
            (Ok(value), true) => CallToolResult::structured_error(value),
            (Err(error), _) => refusal(format!("the answer cannot be written: {error}")),
        }
    }
}

/// An answer that only says why a call was refused.
pub(super) fn refusal(why: String) -> CallToolResult {
    CallToolResult::error(vec![rmcp::model::ContentBlock::text(why)])
}

fn why(exit: Exit) -> &'static str {
    match exit {
        Exit::NotFound => "something that was asked for does not exist",
        Exit::Interrupted => "interrupted",
        _ => "it failed, or was done only in part",
    }
}

impl io::Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
