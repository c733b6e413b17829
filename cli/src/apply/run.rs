//! The run that applies a plan.

use std::{
    collections::HashSet,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::StreamExt;
use org_invitations::{
    Action, BulkOptions, NewInvitation, OutageEvent, OutageOptions, Plan, RenewalOptions, Step,
    StepOutcome, StepResult, normalize_email,
};

use super::{
    cut_off::{CUT_OFF, OpenSteps},
    journal::Journal,
    observer::RunObserver,
    options::ApplyOptions,
    progress::Progress,
    record::{OutcomeRecord, missing_invitation},
    report::{ApplyReport, OutcomeCounts, RunProblems, count_actions, exit_of},
};
use crate::{
    bulk::{
        OwnedKeys, RemovalOptions, RunSummary, Uninvited, print_removals, recovery_command,
        recovery_message, rerun_command,
    },
    failure::Failure,
    interrupt::Interrupt,
    output::{Output, escape_control},
    prompt,
    provider::ProviderContext,
    roster::FailedRows,
};

/// A plan, and everything that applying it needs.
pub(crate) struct ApplyRun<'a> {
    pub provider: &'a ProviderContext,
    pub plan: Plan,
    /// The line of each row; empty if the plan does not come from a roster.
    pub lines: &'a [usize],
    pub options: &'a ApplyOptions,
    pub removals: &'a RemovalOptions,
    pub journal: Option<Journal>,
    /// People whom the interrupted run withdrew and who have no invitation now.
    pub withdrawn: Vec<NewInvitation>,
    /// The API keys that are deleted with removed members.
    pub keys: OwnedKeys,
    /// What the caller withdraws at another provider after this run.
    pub source_removal: Option<(&'a ProviderContext, &'a Plan)>,
}

/// What the first Ctrl-C does.
pub(crate) const STOPPING: &str =
    "stopping after the requests in flight; press Ctrl-C again to stop at once";

/// How often the progress is updated.
const TICK: Duration = Duration::from_millis(200);

impl ApplyRun<'_> {
    /// Asks for confirmation and applies the plan.
    pub async fn run(mut self, interrupt: &Interrupt, out: &mut Output) -> ApplyReport {
        let mut report = ApplyReport {
            started: false,
            seen_addresses: HashSet::new(),
            uninvited: Uninvited::default(),
            hold_reason: None,
            outcome: Ok(()),
        };
        report.outcome = self.try_run(interrupt, out, &mut report).await;
        report
    }

    async fn try_run(
        &mut self,
        interrupt: &Interrupt,
        out: &mut Output,
        report: &mut ApplyReport,
    ) -> Result<(), Failure> {
        self.removals.check_plan(self.provider, &self.plan)?;
        let has_deletions = self.plan.count(Action::Remove) > 0;
        let failed = self.options.failed.as_deref();
        let mut failed = failed
            .map(|path| FailedRows::create(path, self.options.resume, has_deletions))
            .transpose()?;
        self.amend();
        self.confirm(interrupt).await?;

        out.ignore_broken_pipe();
        report.started = true;
        let mut summary = RunSummary::default();
        let mut counts = OutcomeCounts::default();
        let mut problems = RunProblems::default();
        let stop = Arc::new(AtomicBool::new(false));
        let plan = std::mem::take(&mut self.plan);
        let mut open = OpenSteps::of(&plan);
        let mut progress = Progress::start(plan.steps.len());
        let observer = RunObserver::new(self.journal.take(), progress.bar());
        let gave_up = Arc::new(AtomicBool::new(false));
        let bulk = BulkOptions::default()
            .concurrency(self.options.concurrency)
            .stop(Arc::clone(&stop))
            .outage(self.outage_options(&observer, &gave_up));
        let renewal = RenewalOptions::default().observer(Arc::clone(&observer) as Arc<_>);
        let options = org_invitations::ApplyOptions::from(bulk)
            .removals(self.removals.limit())
            .renewal(renewal);
        let mut records = out.records();
        let mut outcomes = plan.apply(&**self.provider, options);
        let mut ticks = tokio::time::interval(TICK);
        let forced = loop {
            let outcome = tokio::select! {
                outcome = outcomes.next() => outcome,
                _ = ticks.tick() => {
                    progress.tick(&self.provider.rate);
                    continue;
                }
                () = interrupt.signalled(1), if !stop.load(Ordering::Relaxed) => {
                    stop.store(true, Ordering::Relaxed);
                    progress.println(STOPPING);
                    continue;
                }
                () = interrupt.signalled(2) => break true,
            };
            let Some(outcome) = outcome else { break false };
            progress.increment();
            open.close(&outcome);
            if let Some(error) = record_in_journal(&outcome, &observer) {
                problems.stop_on_write_error("the journal", error, &stop);
            }
            report.add(&outcome);
            counts.add(&outcome);
            problems.check(&outcome);
            let exit = exit_of(&outcome);
            let is_withheld = matches!(outcome.result, StepResult::Skipped(_));
            let (step, recovery) = (outcome.step.clone(), self.recovery_text(&outcome));
            let record = OutcomeRecord::new(outcome, self.lines, &self.keys);
            match exit {
                Ok(()) => summary.record_success(),
                Err(exit) => {
                    let why = record.error.as_deref().unwrap_or("not attempted");
                    if let Some(failed) = &mut failed
                        && let Err(error) = failed.push(&step, why)
                    {
                        problems.stop_on_write_error("the file of failed rows", error, &stop);
                    }
                    // Steps that were not attempted are only counted.
                    if is_withheld && problems.is_first_mention(why) {
                        progress.println(&escape_control(why));
                    } else if let Some(recovery) = recovery {
                        progress.println(&recovery);
                    } else if record.error.is_some() && !is_withheld {
                        progress.println(&format!(
                            "{}: {}",
                            escape_control(&record.location()),
                            escape_control(why)
                        ));
                    }
                    summary.record_failure(exit);
                }
            }
            problems.print(&mut records, &record, &stop);
        };
        drop(outcomes);
        progress.finish();
        if forced {
            let renewing: HashSet<String> = observer
                .at_risk()
                .into_iter()
                .map(|renewal| renewal.new.email)
                .collect();
            let cut_off = open.cut_off(self.provider, self.options.concurrency, &renewing);
            for outcome in cut_off {
                counts.add(&outcome);
                let record = OutcomeRecord::new(outcome, self.lines, &self.keys);
                problems.print(&mut records, &record, &stop);
            }
        }
        if problems.output_is_complete {
            let printed = match records.is_table() {
                true => records.println(&counts.to_string()),
                false => Ok(()),
            };
            if let Err(error) = printed.and_then(|()| records.finish()) {
                problems.stop_on_write_error("the result", error, &stop);
            }
        }
        if let Some(mut failed) = failed {
            let path = failed.path().display().to_string();
            match failed.finish() {
                Ok(0) => {}
                Ok(count) => eprintln!("failed rows: {count}, in {path}"),
                Err(error) => problems.stop_on_write_error("the file of failed rows", error, &stop),
            }
        }
        for renewal in observer.at_risk() {
            let invite = renewal.fallback.as_ref().unwrap_or(&renewal.new);
            eprintln!(
                "{}",
                recovery_message(self.provider, Some(&renewal.id), invite, CUT_OFF, true)
            );
            report.uninvited.push(&invite.email, true);
        }
        report.uninvited.print();
        if problems.write_error.is_some() {
            report.hold_reason = Some("the run was stopped".to_owned());
        }
        if forced || interrupt.happened() {
            report.hold_reason = Some("the run was interrupted".to_owned());
        }
        problems.gave_up = gave_up.load(Ordering::Relaxed);
        if problems.gave_up {
            report.hold_reason = Some("the server could not be reached".to_owned());
        }
        self.conclude(&observer, &counts, problems, forced, interrupt, summary)
    }

    /// The options that pause the run while the server cannot be reached.
    fn outage_options(
        &self,
        observer: &Arc<RunObserver>,
        gave_up: &Arc<AtomicBool>,
    ) -> OutageOptions {
        let printer = Arc::clone(observer);
        let options = self
            .options
            .pause
            .options(self.provider.name(), move |line| printer.println(line));
        let (print, gave_up) = (Arc::clone(&options.observer), Arc::clone(gave_up));
        options.observer(move |event| {
            if matches!(event, OutageEvent::GaveUp(_)) {
                gave_up.store(true, Ordering::Relaxed);
            }
            print(event);
        })
    }

    /// Applies what the interrupted run did to the plan.
    fn amend(&mut self) {
        let Some(journal) = &self.journal else { return };
        let amended = journal.amend(&mut self.plan);
        let count = amended.invited;
        if count > 0 {
            eprintln!("{count} were invited before the interruption, and are kept");
        }
        let count = amended.withdrawn;
        if count > 0 {
            eprintln!("{count} were withdrawn before the interruption, and are invited again");
        }
        let invites = |step: &&Step| step.action != Action::Invalid;
        let invited: HashSet<String> = match self.withdrawn.is_empty() {
            true => HashSet::new(),
            false => {
                let invited = self.plan.steps.iter().filter(invites);
                invited.map(|step| normalize_email(&step.email)).collect()
            }
        };
        for person in &self.withdrawn {
            if invited.contains(&normalize_email(&person.email)) {
                continue;
            }
            let email = escape_control(&person.email);
            eprintln!(
                "warning: {email} was withdrawn before the interruption, and the roster does not \
                 invite {email} again; to do so, run:\n  {}",
                recovery_command(self.provider, person)
            );
        }
    }

    /// The message that names a person who is not invited any more.
    fn recovery_text(&self, outcome: &StepOutcome) -> Option<String> {
        let StepResult::Lost(error) = &outcome.result else {
            return None;
        };
        let invite = missing_invitation(&outcome.step);
        let (id, why) = (outcome.step.id.as_ref(), error.to_string());
        let may_be_invited = error.may_have_executed();
        Some(recovery_message(
            self.provider,
            id,
            &invite,
            &why,
            may_be_invited,
        ))
    }

    /// Says how to resume if steps are left, and completes the journal otherwise.
    fn conclude(
        &self,
        observer: &RunObserver,
        counts: &OutcomeCounts,
        problems: RunProblems,
        forced: bool,
        interrupt: &Interrupt,
        summary: RunSummary,
    ) -> Result<(), Failure> {
        let mut journal = observer.journal();
        let resume_hint = match &journal {
            Some(_) => format!("continue with:\n  {}", rerun_command("--resume")),
            None => format!("continue with:\n  {}", rerun_command("")),
        };
        if let Some((what, error)) = problems.write_error {
            return Err(Failure::Other(format!(
                "cannot write {what}: {error}. The run was stopped; so far: {counts}. Fix that, \
                 then {resume_hint}"
            )));
        }
        if interrupt.happened() && (forced || counts.not_attempted > 0) {
            return Err(Failure::Interrupted(resume_hint));
        }
        if problems.gave_up {
            return Err(Failure::Other(format!(
                "the run stopped because the server could not be reached; so far: {counts}. Once it \
                 is reachable, {resume_hint}"
            )));
        }
        if counts.not_attempted > 0 && problems.permanently_rejected.is_none() {
            eprintln!("{} were not attempted: {resume_hint}", counts.not_attempted);
            return summary.finish();
        }
        if let Some(email) = problems
            .permanently_rejected
            .filter(|_| counts.not_attempted > 0)
        {
            eprintln!(
                "{} were not attempted, because they would be rejected like {}. Fix the cause, then \
                 apply the roster again",
                counts.not_attempted,
                escape_control(&email)
            );
        }
        if let Some(journal) = &mut journal {
            journal.complete();
        }
        if interrupt.happened() {
            return Err(Failure::Interrupted("everything was done".to_owned()));
        }
        summary.finish()
    }

    /// Shows what the plan withdraws and asks for confirmation.
    async fn confirm(&self, interrupt: &Interrupt) -> Result<(), Failure> {
        let name = self.provider.name();
        let counts = count_actions(&self.plan);
        eprintln!("{name}: {counts}");
        let withdrawn = self.source_removal.map_or(0, |(_, plan)| plan.removals());
        self.keys.print(self.provider);
        if self.options.yes || (self.plan.is_noop() && withdrawn == 0) {
            return Ok(());
        }
        print_removals(self.provider, &self.plan.steps, "");
        if let Some((source, plan)) = self.source_removal {
            let why = format!(" once they are seen at {name}");
            print_removals(source, &plan.steps, &why);
        }
        let why = match self.plan.count(Action::Replace) {
            0 => "",
            _ => "Renewing withdraws an invitation and creates a new one, in two steps. ",
        };
        let question = format!("{why}Apply this to {name} ({counts})?");
        prompt::require(&question, "nothing was changed", interrupt).await
    }
}

/// Writes the outcome of a step to the journal. Returns the error if that fails.
fn record_in_journal(outcome: &StepOutcome, observer: &RunObserver) -> Option<io::Error> {
    if outcome.step.action == Action::Replace {
        observer.finished(&outcome.step.email);
    }
    let invitation = match &outcome.result {
        StepResult::Invited(invitation) | StepResult::Restored { invitation, .. } => invitation,
        _ => return None,
    };
    let recorded = observer
        .journal()?
        .record_invited(&outcome.step.email, invitation);
    recorded.err()
}
