//! `plan`: show what applying a roster would change.

use std::{collections::HashSet, path::PathBuf};

use clap::Args;
use futures::TryStreamExt;
use org_invitations::{
    Action, Invitation, InvitationProviderExt, ListQuery, NewInvitation, Plan, PlanOptions,
    Withdrawal, normalize_email,
};

use crate::{
    apply::{Journal, StepRecord, count_actions},
    bulk::RemovalOptions,
    failure::Failure,
    interrupt::Interrupt,
    output::{Output, Shape, escape_control},
    provider::ProviderContext,
    roster::{self, Roster, RosterFormat},
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations -p clickhouse plan roster.csv
  org-invitations -p confluent plan roster.jsonl --prune -o json

A roster has the columns email, roles (ids with `;` between them, or
`legacy:admin`) and auth_type (local or sso); only email is needed. It is CSV
with a header, JSON (an array of objects) or JSON lines. A row with `delete`
in the column action withdraws the person's invitation, or the one with the id
in the column id.

The command only lists invitations. The actions:
  create   the person is not invited
  replace  the invitation has expired or has other roles or another login; it is
           withdrawn and created again, as neither vendor can change or resend one
  keep     the person is invited as requested, or is a member
  delete   the person is not in the roster (with --prune); not after acceptance
  invalid  the row cannot be applied, and the reason says why")]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub roster: RosterOptions,
}

/// The roster options of `plan` and `apply`.
#[derive(Args, Debug)]
pub(crate) struct RosterOptions {
    /// The file with the people to invite; `-` is standard input.
    #[arg(value_name = "ROSTER")]
    pub path: PathBuf,
    /// The format of the roster. Default: by its file extension.
    #[arg(long, value_enum)]
    pub format: Option<RosterFormat>,
    /// Withdraw the invitations of people who are not in the roster.
    #[arg(long)]
    pub prune: bool,
    /// Allow an empty roster to withdraw every invitation.
    #[arg(long, requires = "prune")]
    pub allow_empty: bool,
    #[command(flatten)]
    pub removals: RemovalOptions,
}

/// A plan with the details of its roster and journal.
pub(super) struct Planned {
    pub plan: Plan,
    /// The line of each row of the roster.
    pub lines: Vec<usize>,
    /// People whom the interrupted run withdrew and who have no invitation now.
    pub withdrawn: Vec<NewInvitation>,
}

impl RosterOptions {
    /// Reads the roster, and rejects one that would prune everybody.
    pub fn read(&self) -> Result<Roster, Failure> {
        let roster = roster::read(&self.path, self.format, self.prune)?;
        let news = roster.invite.iter().map(|(_, new)| new);
        self.plan_options().check_roster(news).map_err(|error| {
            let remedy = match roster.invite.is_empty() {
                true => ". To withdraw every invitation, pass `--allow-empty`",
                false => "",
            };
            Failure::Usage(format!(
                "{}: {}, so nothing was sent{remedy}",
                self.path.display(),
                error.message()
            ))
        })?;
        Ok(roster)
    }

    fn plan_options(&self) -> PlanOptions {
        let options = PlanOptions::default().prune(self.prune);
        options.allow_empty(self.allow_empty)
    }
}

/// Plans a roster against the existing invitations, and checks that the journal belongs to their organisation.
pub(super) async fn plan(
    provider: &ProviderContext,
    options: &RosterOptions,
    roster: Roster,
    journal: Option<&mut Journal>,
    interrupt: &Interrupt,
) -> Result<Planned, Failure> {
    let invitations = interrupt.or_interrupted(list_all(provider)).await?;
    let withdrawn = match journal {
        Some(journal) => {
            journal.check_organization(&provider.account, &invitations)?;
            journal.withdrawn(&invitations)
        }
        None => Vec::new(),
    };
    let (lines, news): (Vec<_>, Vec<_>) = roster.invite.into_iter().unzip();
    let missing = without_invitation(&roster.withdraw, &invitations);
    let options = options.plan_options().withdraw(roster.withdraw);
    let mut plan = Plan::new(news, invitations, &provider.capabilities(), &options);
    for step in &mut plan.steps {
        // The library numbers rows; people count lines.
        if let Some(line) = step.same_as.take().and_then(|row| lines.get(row)) {
            step.reason = Some(format!("line {line} has the same address"));
        }
    }
    for email in missing {
        eprintln!(
            "{}: there is no invitation of {} to delete",
            provider.name(),
            escape_control(&email)
        );
    }
    Ok(Planned {
        plan,
        lines,
        withdrawn,
    })
}

/// The addresses to withdraw that have no invitation.
fn without_invitation(withdraw: &[Withdrawal], invitations: &[Invitation]) -> Vec<String> {
    if withdraw.is_empty() {
        return Vec::new();
    }
    let invited: HashSet<String> = invitations
        .iter()
        .map(|one| normalize_email(&one.email))
        .collect();
    let emails = withdraw.iter().map(|one| &one.email);
    let missing = emails.filter(|email| !invited.contains(&normalize_email(email)));
    missing.cloned().collect()
}

/// Prints on stderr the summary of a plan, and a warning if `apply` would reject it.
pub(super) fn print_summary(provider: &ProviderContext, removals: &RemovalOptions, plan: &Plan) {
    eprintln!("{}: {}", provider.name(), count_actions(plan));
    if let Err(error) = plan.check_removals(&removals.limit()) {
        eprintln!("warning: the run would be rejected: {error}; see --max-deletes");
    }
}

/// Lists every invitation, without the fields that a plan does not need. An unreadable item fails the list, because it
/// may be one that the plan needs.
pub(super) async fn list_all(provider: &ProviderContext) -> Result<Vec<Invitation>, Failure> {
    // The first invitation identifies the organisation.
    let mut is_first = true;
    let reduce = move |mut invitation: Invitation| {
        invitation.extra = Default::default();
        if !std::mem::take(&mut is_first) {
            (invitation.user, invitation.creator) = (None, None);
        }
        invitation
    };
    let all = provider.list(ListQuery::new()).map_ok(reduce);
    all.try_collect().await.map_err(Failure::from)
}

pub(crate) async fn run(
    provider: &ProviderContext,
    options: PlanArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let roster = options.roster.read()?;
    let planned = plan(provider, &options.roster, roster, None, interrupt).await?;
    let counts = Action::ALL.iter();
    let counts = counts.map(|action| format!("{action} {}", planned.plan.count(*action)));
    let counts: Vec<String> = counts.collect();
    let checked = planned
        .plan
        .check_removals(&options.roster.removals.limit());
    print_plan(planned, out)?;
    eprintln!("{}", counts.join(", "));
    if let Err(error) = checked {
        eprintln!("warning: `apply` would reject the plan: {error}; see --max-deletes");
    }
    Ok(())
}

/// Prints the steps of a plan.
pub(super) fn print_plan(planned: Planned, out: &mut Output) -> Result<(), Failure> {
    let Planned { plan, lines, .. } = planned;
    let mut records = out.records(Shape::Many);
    for step in plan.steps {
        // A table shows the changes, and the invitations that are kept although they have no row.
        if !(records.is_table() && step.action == Action::Keep && step.row.is_some()) {
            records.push(&StepRecord::new(step, &lines))?;
        }
    }
    Ok(records.finish()?)
}
