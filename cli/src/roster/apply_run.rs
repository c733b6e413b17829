//! Carrying a plan out: asking, progress, journal, failed rows, and a summary.

use std::{
    collections::HashSet,
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clap::Args;
use futures::StreamExt;
use org_invitations::{
    Action, BulkOptions, ErrorKind, NewInvitation, OutageEvent, OutageOptions, Plan,
    RenewalOptions, Step, StepOutcome, StepResult, normalize_email,
};

use super::{
    failed_rows::FailedRows,
    journal::Journal,
    observer::RunObserver,
    progress::Progress,
    record::{OutcomeRecord, missing_invitation},
};
use crate::{
    bulk::{
        PauseOptions, RemovalOptions, RunSummary, print_removals, recovery_command,
        recovery_message, rerun_command,
    },
    failure::{Exit, Failure},
    interrupt::Interrupt,
    output::{Output, Shape, escape_control},
    prompt,
    provider::ProviderContext,
};

/// How to carry a plan out: what `apply` and `copy` share.
#[derive(Args, Debug)]
pub(crate) struct ApplyOptions {
    /// Only show what would be done, and whose invitations would be withdrawn.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
    /// Write the rows that fail to this file (.csv or .jsonl), ready to be given back to `apply`.
    #[arg(long, value_name = "FILE")]
    pub failed: Option<PathBuf>,
    /// Go on with a run that was interrupted; where there was none, start afresh.
    #[arg(long)]
    pub resume: bool,
    /// How many requests may be under way at once.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub concurrency: usize,
    #[command(flatten)]
    pub pause: PauseOptions,
}

impl ApplyOptions {
    /// What is wrong with the command line, before anything is read or sent.
    pub fn check(&self) -> Result<(), Failure> {
        if self.dry_run || self.yes || prompt::is_interactive() {
            return Ok(());
        }
        let message = "nobody is there to be asked, as this is not a terminal: give `--yes` to go \
                       ahead without a question. Nothing was sent";
        Err(Failure::Usage(message.to_owned()))
    }
}

/// A plan to be carried out.
pub(crate) struct ApplyRun<'a> {
    pub provider: &'a ProviderContext,
    pub plan: Plan,
    /// The line of each row; empty where rows have none.
    pub lines: &'a [usize],
    pub options: &'a ApplyOptions,
    pub removals: &'a RemovalOptions,
    pub journal: Option<Journal>,
    /// Whom the run of the journal withdrew, and nobody has invited since.
    pub withdrawn: Vec<NewInvitation>,
    /// What is withdrawn elsewhere afterwards.
    pub afterwards: Option<(&'a ProviderContext, &'a Plan)>,
}

/// How a run went.
#[derive(Debug)]
pub(crate) struct ApplyReport {
    /// Whether anything may have been sent.
    pub began: bool,
    /// Who was seen invited, or a member, by address as it is compared.
    pub seen: HashSet<String>,
    /// Why nothing more may be withdrawn.
    pub hold: Option<String>,
    /// What makes the exit code other than 0; the outcomes are printed by then.
    pub outcome: Result<(), Failure>,
}

const TICK: Duration = Duration::from_millis(200);

impl ApplyRun<'_> {
    /// Asks, and does it.
    pub async fn run(mut self, interrupt: &Interrupt, out: &mut Output) -> ApplyReport {
        let mut report = ApplyReport {
            began: false,
            seen: HashSet::new(),
            hold: None,
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
        let has_deletions = self.plan.count(Action::Delete) > 0;
        let failed = self.options.failed.as_deref();
        let mut failed = failed
            .map(|path| FailedRows::create(path, self.options.resume, has_deletions))
            .transpose()?;
        self.amend();
        if !self.confirmed(interrupt).await? {
            eprintln!("nothing was changed");
            return Err(Failure::AlreadyReported(Exit::Failed));
        }

        out.ignore_broken_pipe();
        report.began = true;
        let mut summary = RunSummary::default();
        let mut counts = Counts::default();
        let mut problems = Problems::default();
        let stop = Arc::new(AtomicBool::new(false));
        let plan = std::mem::take(&mut self.plan);
        let mut progress = Progress::start(plan.steps.len());
        let observer = RunObserver::new(self.journal.take(), progress.bar());
        let gave_up = Arc::new(AtomicBool::new(false));
        let bulk = BulkOptions::default()
            .concurrency(self.options.concurrency)
            .stop(Arc::clone(&stop))
            .outage(self.pause(&observer, &gave_up));
        let renewal = RenewalOptions::default().observer(Arc::clone(&observer) as Arc<_>);
        let options = org_invitations::ApplyOptions::from(bulk)
            .removals(self.removals.limit())
            .renewal(renewal);
        let mut records = out.records(Shape::Many);
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
                    progress.println("stopping after what is under way; Ctrl-C again to stop at once");
                    continue;
                }
                () = interrupt.signalled(2) => break true,
            };
            let Some(outcome) = outcome else { break false };
            progress.done();
            if let Some(why) = note(&outcome, &observer) {
                problems.note("the journal", why, &stop);
            }
            report.note(&outcome);
            counts.add(&outcome);
            problems.look_at(&outcome);
            let exit = exit_of(&outcome);
            let is_withheld = matches!(outcome.result, StepResult::Withheld(_));
            let (step, lost) = (outcome.step.clone(), self.recovery(&outcome));
            let record = OutcomeRecord::new(outcome, self.lines);
            match exit {
                Ok(()) => summary.record_success(),
                Err(exit) => {
                    let why = record.error.as_deref().unwrap_or("not attempted");
                    if let Some(failed) = &mut failed
                        && let Err(error) = failed.push(&step, why)
                    {
                        problems.note("the file of failed rows", error, &stop);
                    }
                    // Those that were not attempted are counted below.
                    if is_withheld && problems.is_news(why) {
                        progress.println(&escape_control(why));
                    } else if let Some(lost) = lost {
                        progress.println(&lost);
                    } else if record.error.is_some() && !is_withheld {
                        progress.println(&format!(
                            "{}: {}",
                            escape_control(&record.place()),
                            escape_control(why)
                        ));
                    }
                    summary.record_failure(exit);
                }
            }
            if !records.is_table()
                && problems.output_is_whole
                && let Err(error) = records.push(&record)
            {
                problems.output_is_whole = false;
                problems.note("the result", error, &stop);
            }
        };
        drop(outcomes);
        progress.finish();
        if problems.output_is_whole {
            let said = match records.is_table() {
                true => records.println(&counts.to_string()),
                false => Ok(()),
            };
            if let Err(error) = said.and_then(|()| records.finish()) {
                problems.note("the result", error, &stop);
            }
        }
        if let Some(mut failed) = failed {
            let path = failed.path().display().to_string();
            match failed.finish() {
                Ok(0) => {}
                Ok(count) => eprintln!("failed rows: {count}, in {path}"),
                Err(error) => problems.note("the file of failed rows", error, &stop),
            }
        }
        for renewal in observer.at_risk() {
            let invite = renewal.fallback.as_ref().unwrap_or(&renewal.new);
            let why = "stopped before it was invited again";
            eprintln!(
                "{}",
                recovery_message(self.provider, Some(&renewal.id), invite, why)
            );
        }
        if problems.broken.is_some() {
            report.hold = Some("the run was stopped".to_owned());
        }
        if forced || interrupt.happened() {
            report.hold = Some("the run was interrupted".to_owned());
        }
        problems.gave_up = gave_up.load(Ordering::Relaxed);
        if problems.gave_up {
            report.hold = Some("the server could not be reached".to_owned());
        }
        self.end(&observer, &counts, problems, forced, interrupt, summary)
    }

    /// What happens when the server cannot be reached any more.
    fn pause(&self, observer: &Arc<RunObserver>, gave_up: &Arc<AtomicBool>) -> OutageOptions {
        let said = Arc::clone(observer);
        let options = self
            .options
            .pause
            .options(self.provider.name(), move |line| said.println(line));
        let (tell, gave_up) = (Arc::clone(&options.observer), Arc::clone(gave_up));
        options.observer(move |event| {
            if matches!(event, OutageEvent::GaveUp(_)) {
                gave_up.store(true, Ordering::Relaxed);
            }
            tell(event);
        })
    }

    /// Brings what an earlier run did into the plan.
    fn amend(&mut self) {
        let Some(journal) = &self.journal else { return };
        let amended = journal.amend(&mut self.plan);
        let count = amended.invited;
        if count > 0 {
            eprintln!("{count} were invited before the interruption, and are left alone");
        }
        let count = amended.withdrawn;
        if count > 0 {
            eprintln!("{count} were withdrawn before the interruption, and are invited again");
        }
        let invites = |step: &&Step| step.action != Action::Refuse;
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

    /// What is to be said where a person is not invited any more.
    fn recovery(&self, outcome: &StepOutcome) -> Option<String> {
        let StepResult::Withdrawn(error) = &outcome.result else {
            return None;
        };
        let invite = missing_invitation(&outcome.step);
        let (id, why) = (outcome.step.id.as_ref(), error.to_string());
        Some(recovery_message(self.provider, id, &invite, &why))
    }

    /// Says how to go on, where something is left to be done.
    fn end(
        &self,
        observer: &RunObserver,
        counts: &Counts,
        problems: Problems,
        forced: bool,
        interrupt: &Interrupt,
        summary: RunSummary,
    ) -> Result<(), Failure> {
        let mut journal = observer.journal();
        let go_on = match &journal {
            Some(_) => format!("go on with:\n  {}", rerun_command("--resume")),
            None => format!("go on with:\n  {}", rerun_command("")),
        };
        if let Some((what, error)) = problems.broken {
            return Err(Failure::Other(format!(
                "cannot write {what}: {error}. The run was stopped; so far: {counts}. Mend that, \
                 then {go_on}"
            )));
        }
        if interrupt.happened() && (forced || counts.not_attempted > 0) {
            return Err(Failure::Interrupted(go_on));
        }
        if problems.gave_up {
            return Err(Failure::Other(format!(
                "the run was stopped, as the server could not be reached; so far: {counts}. Once it \
                 can be reached, {go_on}"
            )));
        }
        if counts.not_attempted > 0 && problems.refused_for_good.is_none() {
            eprintln!("{} were not attempted: {go_on}", counts.not_attempted);
            return summary.finish();
        }
        if let Some(email) = problems
            .refused_for_good
            .filter(|_| counts.not_attempted > 0)
        {
            eprintln!(
                "{} were not attempted, since what refused {} would refuse them too. Mend that, \
                 then apply the roster again",
                counts.not_attempted,
                escape_control(&email)
            );
        }
        if let Some(journal) = &mut journal {
            journal.close();
        }
        if interrupt.happened() {
            return Err(Failure::Interrupted("everything was done".to_owned()));
        }
        summary.finish()
    }

    /// Says what is going to happen, and asks.
    async fn confirmed(&self, interrupt: &Interrupt) -> Result<bool, Failure> {
        eprintln!("{}: {}", self.provider.name(), count_actions(&self.plan));
        let withdrawn = self.afterwards.map_or(0, |(_, plan)| plan.removals());
        if self.options.yes || (self.plan.is_empty() && withdrawn == 0) {
            return Ok(true);
        }
        print_removals(self.provider, &self.plan.steps, "");
        if let Some((source, plan)) = self.afterwards {
            let why = format!(" once they are seen at {}", self.provider.name());
            print_removals(source, &plan.steps, &why);
        }
        let question = match self.plan.count(Action::Renew) {
            0 => "Go ahead?",
            _ => {
                "Renewing withdraws an invitation and makes a new one, which is two steps. Go ahead?"
            }
        };
        prompt::confirm(question, interrupt).await
    }
}

/// How often each action is in a plan.
pub(crate) fn count_actions(plan: &Plan) -> String {
    let counts: Vec<String> = Action::ALL
        .into_iter()
        .map(|action| (action, plan.count(action)))
        .filter(|(_, count)| *count > 0)
        .map(|(action, count)| format!("{action} {count}"))
        .collect();
    if counts.is_empty() {
        return "nothing to do".to_owned();
    }
    counts.join(", ")
}

/// Writes down what became of a step; gives why that failed.
fn note(outcome: &StepOutcome, observer: &RunObserver) -> Option<io::Error> {
    if outcome.step.action == Action::Renew {
        observer.ended(&outcome.step.email);
    }
    let invitation = match &outcome.result {
        StepResult::Invited(invitation) | StepResult::Restored { invitation, .. } => invitation,
        _ => return None,
    };
    let noted = observer.journal()?.invited(&outcome.step.email, invitation);
    noted.err()
}

impl ApplyReport {
    fn note(&mut self, outcome: &StepOutcome) {
        let step = &outcome.step;
        let is_seen = match &outcome.result {
            StepResult::Invited(_) | StepResult::Restored { .. } => true,
            StepResult::Kept => step.id.is_some(),
            _ => false,
        };
        if is_seen {
            self.seen.insert(normalize_email(&step.email));
        }
        if outcome.result.is_unexplained() {
            let email = escape_control(&step.email);
            let why = format!("it is open whether {email} is invited");
            self.hold.get_or_insert(why);
        }
    }
}

/// What went wrong that more than one row meets.
#[derive(Debug)]
struct Problems {
    /// What could not be written, first.
    broken: Option<(&'static str, io::Error)>,
    /// Whether all that was printed arrived.
    output_is_whole: bool,
    /// Whose invitation was withdrawn and is refused, and would be again.
    refused_for_good: Option<String>,
    /// Whether the server could not be reached for too long.
    gave_up: bool,
    /// The reasons that were said.
    said: HashSet<String>,
}

impl Default for Problems {
    fn default() -> Self {
        Self {
            broken: None,
            output_is_whole: true,
            refused_for_good: None,
            gave_up: false,
            said: HashSet::new(),
        }
    }
}

impl Problems {
    /// Something cannot be written: nothing more is begun.
    fn note(&mut self, what: &'static str, error: io::Error, stop: &AtomicBool) {
        stop.store(true, Ordering::Relaxed);
        self.broken.get_or_insert((what, error));
    }

    fn look_at(&mut self, outcome: &StepOutcome) {
        if let StepResult::Withdrawn(error) = &outcome.result
            && !matches!(
                error.kind(),
                ErrorKind::Unavailable
                    | ErrorKind::Timeout
                    | ErrorKind::Transport
                    | ErrorKind::Connect
                    | ErrorKind::RateLimited
                    | ErrorKind::Unauthenticated
            )
        {
            let email = outcome.step.email.clone();
            self.refused_for_good.get_or_insert(email);
        }
    }

    /// Whether a reason was not said yet.
    fn is_news(&mut self, why: &str) -> bool {
        self.said.insert(why.to_owned())
    }
}

/// What a step says about the exit code.
pub(crate) fn exit_of(outcome: &StepOutcome) -> Result<(), Exit> {
    match &outcome.result {
        StepResult::Invited(_) | StepResult::Kept | StepResult::Deleted => Ok(()),
        StepResult::Failed(error)
        | StepResult::Withdrawn(error)
        | StepResult::Restored { error, .. } => Err(Exit::of(error)),
        _ => Err(Exit::Failed),
    }
}

/// How often each thing happened.
#[derive(Default)]
struct Counts {
    invited: usize,
    kept: usize,
    deleted: usize,
    refused: usize,
    restored: usize,
    failed: usize,
    lost: usize,
    withheld: usize,
    not_attempted: usize,
}

impl Counts {
    fn add(&mut self, outcome: &StepOutcome) {
        *match outcome.result {
            StepResult::Invited(_) => &mut self.invited,
            StepResult::Kept => &mut self.kept,
            StepResult::Deleted => &mut self.deleted,
            StepResult::Refused => &mut self.refused,
            StepResult::Restored { .. } => &mut self.restored,
            StepResult::Failed(_) => &mut self.failed,
            StepResult::Withdrawn(_) => &mut self.lost,
            StepResult::Withheld(_) => &mut self.withheld,
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
            ("restored", self.restored),
            ("failed", self.failed),
            ("lost", self.lost),
            ("withheld", self.withheld),
            ("not attempted", self.not_attempted),
        ] {
            if count > 0 {
                write!(f, ", {word} {count}")?;
            }
        }
        Ok(())
    }
}
