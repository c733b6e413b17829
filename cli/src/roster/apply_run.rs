//! Carrying a plan out: asking, progress, journal, failed rows, and a summary.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clap::Args;
use futures::StreamExt;
use org_invitations::{Action, BulkOptions, Plan, StepOutcome, StepResult};

use super::{failed::FailedRows, journal::Journal, progress::Progress, record::OutcomeRecord};
use crate::{
    commands::{ask, each::Tally},
    failure::{Exit, Failure},
    interrupt::Interrupt,
    output::{Output, Shape, visible},
    provider::Connected,
};

/// How to carry a plan out: what `apply` and `copy` share.
#[derive(Args, Debug)]
pub(crate) struct ApplyOptions {
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
    /// Write the rows that fail to this file (.csv or .jsonl), ready to be given back.
    #[arg(long, value_name = "FILE")]
    pub failed: Option<PathBuf>,
    /// Go on with a run that was interrupted; where there was none, start afresh.
    #[arg(long)]
    pub resume: bool,
    /// How many requests may be under way at once.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub concurrency: usize,
}

impl ApplyOptions {
    /// What is wrong with the command line, before anything is read or sent.
    pub fn check(&self) -> Result<(), Failure> {
        if self.yes || ask::somebody_is_there() {
            return Ok(());
        }
        let message = "nobody is there to be asked, as this is not a terminal: give `--yes` to go \
                       ahead without a question. Nothing was sent";
        Err(Failure::Usage(message.to_owned()))
    }
}

/// A plan to be carried out.
pub(crate) struct CarryOut<'a> {
    pub provider: &'a Connected,
    pub plan: Plan,
    /// The line of each row; empty where rows have none.
    pub lines: &'a [usize],
    pub options: &'a ApplyOptions,
    /// Where the journal is, if there is to be one.
    pub journal: Option<PathBuf>,
}

const TICK: Duration = Duration::from_millis(200);

impl CarryOut<'_> {
    /// Asks, and does it; gives the addresses that are invited now.
    ///
    /// # Errors
    ///
    /// What makes the exit code other than 0; the outcomes are printed by then.
    pub async fn run(
        mut self,
        interrupt: &Interrupt,
        out: &mut Output,
    ) -> (Vec<String>, Result<(), Failure>) {
        let mut invited = Vec::new();
        let outcome = self.try_run(interrupt, out, &mut invited).await;
        (invited, outcome)
    }

    async fn try_run(
        &mut self,
        interrupt: &Interrupt,
        out: &mut Output,
        invited: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let resume = self.options.resume;
        let failed = self.options.failed.as_deref();
        let mut failed = failed
            .map(|path| FailedRows::create(path, resume))
            .transpose()?;
        let mut journal = match &self.journal {
            Some(path) => Some(Journal::open(path, &self.provider.account, resume)?),
            None => None,
        };
        if let Some(journal) = &journal {
            let skipped = journal.skip_invited(&mut self.plan);
            if skipped > 0 {
                eprintln!("{skipped} were invited before the interruption, and are left alone");
            }
        }
        if !self.confirmed(interrupt).await? {
            eprintln!("nothing was changed");
            return Err(Failure::Said(Exit::Refused));
        }

        out.outlives_its_reader();
        let mut tally = Tally::default();
        let mut counts = Counts::default();
        let stop = Arc::new(AtomicBool::new(false));
        let plan = std::mem::take(&mut self.plan);
        let mut progress = Progress::start(plan.steps.len());
        let options = BulkOptions::default();
        let options = options
            .concurrency(self.options.concurrency)
            .stop(Arc::clone(&stop));
        let mut records = out.records(Shape::Many);
        let mut outcomes = plan.apply(&**self.provider, options);
        let mut ticks = tokio::time::interval(TICK);
        let insisted = loop {
            let outcome = tokio::select! {
                outcome = outcomes.next() => outcome,
                _ = ticks.tick() => {
                    progress.tick(&self.provider.rate);
                    continue;
                }
                () = interrupt.times(1), if !stop.load(Ordering::Relaxed) => {
                    stop.store(true, Ordering::Relaxed);
                    progress.say("stopping after what is under way; Ctrl-C again to stop at once");
                    continue;
                }
                () = interrupt.times(2) => break true,
            };
            let Some(outcome) = outcome else { break false };
            progress.done();
            if let Some(journal) = &mut journal {
                journal.record(&outcome)?;
            }
            if matches!(outcome.result, StepResult::Invited(_) | StepResult::Kept) {
                invited.push(outcome.step.email.clone());
            }
            counts.add(&outcome);
            let exit = exit_of(&outcome);
            let step = outcome.step.clone();
            let record = OutcomeRecord::new(outcome, self.lines);
            match exit {
                Ok(()) => tally.done(),
                Err(exit) => {
                    let why = record.error.as_deref().unwrap_or("not attempted");
                    if let Some(failed) = &mut failed {
                        failed.push(&step, why)?;
                    }
                    // Those that were not attempted are counted below.
                    if record.error.is_some() {
                        progress.say(&format!("{}: {}", visible(&record.place()), visible(why)));
                    }
                    tally.counted(exit);
                }
            }
            if !records.is_table() {
                records.push(&record)?;
            }
        };
        drop(outcomes);
        progress.finish();
        if records.is_table() {
            records.say(&counts.to_string())?;
        }
        records.finish()?;
        if let Some(mut failed) = failed {
            let path = failed.path().display().to_string();
            let count = failed.finish()?;
            if count > 0 {
                eprintln!("failed rows: {count}, in {path}");
            }
        }
        if stop.load(Ordering::Relaxed) || insisted || counts.not_attempted > 0 {
            let left = match &journal {
                Some(_) => "go on with the same command and `--resume`".to_owned(),
                None => "the same command goes on where this one stopped".to_owned(),
            };
            if interrupt.happened() {
                return Err(Failure::Interrupted(left));
            }
            eprintln!("{} were not attempted: {left}", counts.not_attempted);
            return tally.finish();
        }
        if let Some(journal) = journal {
            journal.close();
        }
        tally.finish()
    }

    /// Says what is going to happen, and asks.
    async fn confirmed(&self, interrupt: &Interrupt) -> Result<bool, Failure> {
        let counts: Vec<String> = Action::ALL
            .into_iter()
            .map(|action| (action, self.plan.count(action)))
            .filter(|(_, count)| *count > 0)
            .map(|(action, count)| format!("{action} {count}"))
            .collect();
        let counts = if counts.is_empty() {
            "nothing to do".to_owned()
        } else {
            counts.join(", ")
        };
        eprintln!("{}: {counts}", self.provider.label);
        if self.options.yes || self.plan.is_empty() {
            return Ok(true);
        }
        let question = match self.plan.count(Action::Renew) {
            0 => "Go ahead?",
            _ => {
                "Renewing withdraws an invitation and makes a new one, which is two steps. Go ahead?"
            }
        };
        ask::yes(question, interrupt).await
    }
}

/// What a step says about the exit code.
fn exit_of(outcome: &StepOutcome) -> Result<(), Exit> {
    match &outcome.result {
        StepResult::Invited(_) | StepResult::Kept | StepResult::Deleted => Ok(()),
        StepResult::Failed(error) | StepResult::Withdrawn(error) => Err(Exit::of(error)),
        _ => Err(Exit::Refused),
    }
}

/// How often each thing happened.
#[derive(Default)]
struct Counts {
    invited: usize,
    kept: usize,
    deleted: usize,
    refused: usize,
    failed: usize,
    not_attempted: usize,
}

impl Counts {
    fn add(&mut self, outcome: &StepOutcome) {
        *match outcome.result {
            StepResult::Invited(_) => &mut self.invited,
            StepResult::Kept => &mut self.kept,
            StepResult::Deleted => &mut self.deleted,
            StepResult::Refused => &mut self.refused,
            StepResult::Failed(_) | StepResult::Withdrawn(_) => &mut self.failed,
            _ => &mut self.not_attempted,
        } += 1;
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "invited {}, kept {}, deleted {}",
            self.invited, self.kept, self.deleted
        )?;
        for (word, count) in [
            ("refused", self.refused),
            ("failed", self.failed),
            ("not attempted", self.not_attempted),
        ] {
            if count > 0 {
                write!(f, ", {word} {count}")?;
            }
        }
        Ok(())
    }
}
