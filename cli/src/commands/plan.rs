//! `plan`: what applying a roster would change.

use std::path::PathBuf;

use clap::Args;
use futures::TryStreamExt;
use org_invitations::{Action, Invitation, InvitationProviderExt, ListQuery, Plan, PlanOptions};

use crate::{
    failure::Failure,
    interrupt::Interrupt,
    output::{Output, Shape},
    provider::Connected,
    roster::{self, RosterFormat, StepRecord},
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations -p clickhouse plan roster.csv
  org-invitations -p confluent plan roster.jsonl --prune -o json

A roster has the columns email, roles (ids with `;` between them, or
`legacy:admin`) and auth_type (local or sso); only email is needed. It is CSV
with a header, JSON (an array of objects) or JSON lines.

Nothing is sent but a request for the list. The actions:
  create   the person is not invited
  renew    the invitation has expired or has other roles or another login; it is
           withdrawn and made anew, as neither vendor can change or resend one
  keep     the person is invited as asked, or is a member
  delete   the person is not in the roster (with --prune); not after acceptance
  refuse   the row cannot be carried out, and the reason says why")]
pub(crate) struct PlanCommand {
    #[command(flatten)]
    pub roster: RosterOptions,
}

/// What `plan` and `apply` read.
#[derive(Args, Debug)]
pub(crate) struct RosterOptions {
    /// The people who should be invited; `-` is standard input.
    #[arg(value_name = "ROSTER")]
    pub path: PathBuf,
    /// How the roster is written. Default: by the end of its name.
    #[arg(long, value_enum)]
    pub format: Option<RosterFormat>,
    /// Withdraw the invitations of people who are not in the roster.
    #[arg(long)]
    pub prune: bool,
}

/// A plan, and the line of each row of its roster.
pub(super) struct Planned {
    pub plan: Plan,
    pub lines: Vec<usize>,
}

pub(super) async fn plan(
    provider: &Connected,
    options: &RosterOptions,
    interrupt: &Interrupt,
) -> Result<Planned, Failure> {
    let rows = roster::read(&options.path, options.format)?;
    let there = interrupt.stops(all(provider)).await?;
    let (lines, news): (Vec<_>, Vec<_>) = rows.into_iter().map(|row| (row.line, row.new)).unzip();
    let prune = PlanOptions::default().prune(options.prune);
    let mut plan = Plan::new(news, there, &provider.capabilities(), &prune);
    for step in &mut plan.steps {
        // The library counts rows, and people count lines.
        if let Some(line) = step.same_as.take().and_then(|row| lines.get(row)) {
            step.reason = Some(format!("line {line} has the same address"));
        }
    }
    Ok(Planned { plan, lines })
}

/// Every invitation there is, as far as a plan looks at it. One that cannot be read stops it: it may be
/// one that counts.
pub(super) async fn all(provider: &Connected) -> Result<Vec<Invitation>, Failure> {
    let slim = |mut invitation: Invitation| {
        invitation.extra = Default::default();
        (invitation.user, invitation.creator) = (None, None);
        invitation
    };
    let all = provider.list(ListQuery::new()).map_ok(slim);
    all.try_collect().await.map_err(Failure::from)
}

pub(crate) async fn run(
    provider: &Connected,
    options: PlanCommand,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let Planned { plan, lines } = plan(provider, &options.roster, interrupt).await?;
    let counts = Action::ALL.map(|action| format!("{action} {}", plan.count(action)));
    let mut records = out.records(Shape::Many);
    for step in plan.steps {
        // People want to see what changes.
        if !(records.is_table() && step.action == Action::Keep) {
            records.push(&StepRecord::new(step, &lines))?;
        }
    }
    records.finish()?;
    eprintln!("{}", counts.join(", "));
    Ok(())
}
