//! `remove`: take people out of an organisation, whether they are invited or members.

use clap::Args;
use org_invitations::{Action, Plan, PlanOptions, Withdrawal};

use super::{
    apply::{check_owned, owned_keys, print_kept},
    plan::{Planned, print_plan, print_summary, without_invitation},
};
use crate::{
    apply::{ApplyOptions, ApplyRun, key_owner, load_people},
    bulk::{PauseOptions, RemovalOptions},
    failure::{Exit, Failure},
    interrupt::Interrupt,
    output::{Output, escape_control},
    provider::ProviderContext,
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations -p clickhouse remove ann@example.com
  org-invitations -p confluent remove ann@example.com bob@example.com --dry-run
  org-invitations -p confluent remove ann@example.com --yes --delete-owned

The command withdraws every invitation of a person that was not accepted, and
removes the person from the members. On Confluent that deletes everything that
the person owns, so it needs --delete-owned. Nobody is removed who is named by
--keep, or without whom fewer than --min-admins members would be administrators.")]
pub(crate) struct RemoveArgs {
    /// The addresses of the people to remove, in any spelling.
    #[arg(value_name = "EMAIL", required = true)]
    pub emails: Vec<String>,
    /// Show what would be removed, without removing anything.
    #[arg(long)]
    pub dry_run: bool,
    /// Skip the confirmation prompt.
    #[arg(long, short)]
    pub yes: bool,
    /// Accept that everything that removed members own is deleted too, API keys included (Confluent).
    #[arg(long)]
    pub delete_owned: bool,
    /// Never remove this person, such as the owner of the key in use; may be repeated.
    #[arg(long, value_name = "EMAIL|ID")]
    pub keep: Vec<String>,
    /// How many administrators have to remain among the members.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub min_admins: usize,
    #[command(flatten)]
    pub removals: RemovalOptions,
    #[command(flatten)]
    pub pause: PauseOptions,
}

impl RemoveArgs {
    fn apply_options(&self) -> ApplyOptions {
        ApplyOptions {
            dry_run: self.dry_run,
            yes: self.yes,
            delete_owned: self.delete_owned,
            failed: None,
            resume: false,
            concurrency: 1,
            pause: self.pause.clone(),
        }
    }
}

/// Checks the arguments before anything is sent.
pub(crate) fn check(args: &RemoveArgs) -> Result<(), Failure> {
    if let Some(id) = args.emails.iter().find(|email| !email.contains('@')) {
        return Err(Failure::Usage(format!(
            "{:?} is no address; `delete` takes the id of an invitation, and `members remove` that of a member",
            escape_control(id)
        )));
    }
    args.apply_options().check()
}

pub(crate) async fn run(
    provider: &ProviderContext,
    args: RemoveArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let has_members = provider.capabilities().members;
    let people = load_people(provider, &[], has_members, interrupt).await?;
    let withdraw: Vec<_> = args
        .emails
        .iter()
        .map(|email| Withdrawal::new(email, None))
        .collect();
    let missing = without_invitation(&withdraw, &people, has_members);
    for (email, _) in &missing {
        eprintln!(
            "{}: there is nothing of {} to remove",
            provider.name(),
            escape_control(email)
        );
    }
    let options = PlanOptions::default()
        .withdraw(withdraw)
        .prune_members(has_members)
        .keep(&args.keep)
        .min_admins(args.min_admins);
    let options = options.owner(key_owner(provider, interrupt).await?);
    let plan = Plan::of_people([], people, &provider.capabilities(), &options);
    print_kept(provider, &plan);
    let is_kept = plan.count(Action::Keep) > 0;
    let apply = args.apply_options();
    let keys = owned_keys(provider, &plan, interrupt).await?;
    let outcome = if args.dry_run {
        keys.print(provider);
        print_summary(provider, &args.removals, &plan);
        let (lines, withdrawn) = (Vec::new(), Vec::new());
        let planned = Planned {
            plan,
            lines,
            withdrawn,
        };
        print_plan(planned, &keys, out)
    } else {
        check_owned(provider, &plan, &apply)?;
        let run = ApplyRun {
            provider,
            plan,
            lines: &[],
            options: &apply,
            removals: &args.removals,
            keys,
            journal: None,
            withdrawn: Vec::new(),
            source_removal: None,
        };
        run.run(interrupt, out).await.outcome
    };
    outcome?;
    match (missing.is_empty(), is_kept) {
        (true, false) => Ok(()),
        (false, _) => Err(Failure::AlreadyReported(Exit::NotFound)),
        (true, true) => Err(Failure::AlreadyReported(Exit::Failed)),
    }
}
