//! Takes people out of an organisation: `remove`, whether they are invited or members, and `members remove`, members only.

use clap::Args;
use org_invitations::{
    Action, Member, MemberId, People, Plan, PlanOptions, Withdrawal, normalize_email,
};

use super::{
    apply::{check_owned, owned_keys, print_kept},
    plan::{print_plan, print_summary, print_unknown_keeps, without_invitation},
};
use crate::{
    apply::{ApplyOptions, ApplyRun, expected_outcome, key_owner, load_people},
    bulk::{PauseOptions, RemovalOptions},
    completion,
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
the person owns, so it needs --delete-owned. Nobody is removed who owns the key in
use, who is named by --keep, or without whom fewer than --min-admins members would
be administrators.")]
pub(crate) struct RemoveArgs {
    /// The addresses of the people to remove, in any spelling.
    #[arg(value_name = "EMAIL", required = true)]
    pub emails: Vec<String>,
    #[command(flatten)]
    pub options: RemovePeopleOptions,
}

#[derive(Args, Debug)]
pub(crate) struct RemoveMembersArgs {
    /// The ids or addresses of members.
    #[arg(value_name = "ID|EMAIL", required = true, add = completion::members())]
    pub members: Vec<String>,
    #[command(flatten)]
    pub options: RemovePeopleOptions,
}

/// Who is kept nevertheless, and how to ask.
#[derive(Args, Debug)]
pub(crate) struct RemovePeopleOptions {
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

impl RemovePeopleOptions {
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

    /// Checks the options before anything is sent.
    pub fn check(&self) -> Result<(), Failure> {
        self.apply_options().check()
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
    args.options.check()
}

/// `remove`
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
        .prune_members(has_members);
    let removed = remove(provider, people, options, &args.options, interrupt, out).await;
    conclude(removed?, missing.is_empty())
}

/// `members remove`
pub(crate) async fn run_members(
    provider: &ProviderContext,
    args: RemoveMembersArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let people = load_people(provider, &[], true, interrupt).await?;
    let (mut members, mut are_known) = (Vec::new(), true);
    for wanted in &args.members {
        match find_member(&people.members, wanted) {
            Ok(member) => members.push(member.id.clone()),
            Err(why) => {
                are_known = false;
                eprintln!("{}: {}: {why}", provider.name(), escape_control(wanted));
            }
        }
    }
    let options = PlanOptions::default().remove_members(members);
    let removed = remove(provider, people, options, &args.options, interrupt, out).await;
    conclude(removed?, are_known)
}

/// Finds a member by id or address: ids have no `@`.
pub(super) fn find_member<'a>(members: &'a [Member], wanted: &str) -> Result<&'a Member, String> {
    let address = normalize_email(wanted);
    let is_wanted = |member: &&Member| match wanted.contains('@') {
        true => normalize_email(&member.email) == address,
        false => member.id.as_str() == wanted,
    };
    let mut found = members.iter().filter(is_wanted);
    let first = found.next();
    let first = first.ok_or_else(|| match wanted.contains('@') {
        true => "no member has this address".to_owned(),
        false => "no member has this id".to_owned(),
    })?;
    match found.find(|other| other.id != first.id) {
        None => Ok(first),
        Some(other) => Err(format!(
            "several members have this address ({}, {}); choose one by id",
            first.id, other.id
        )),
    }
}

/// Whether everybody was removed who was found.
fn conclude(all_removed: bool, all_found: bool) -> Result<(), Failure> {
    match (all_found, all_removed) {
        (true, true) => Ok(()),
        (false, _) => Err(Failure::AlreadyReported(Exit::NotFound)),
        (true, false) => Err(Failure::AlreadyReported(Exit::Failed)),
    }
}

/// Removes people by a plan; false if somebody is kept.
async fn remove(
    provider: &ProviderContext,
    people: People,
    chosen: PlanOptions,
    options: &RemovePeopleOptions,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<bool, Failure> {
    print_unknown_keeps(provider, &options.keep, &people);
    let owner: Option<MemberId> = key_owner(provider, interrupt).await?;
    let chosen = chosen
        .keep(&options.keep)
        .min_admins(options.min_admins)
        .owner(owner);
    let plan = Plan::of_people([], people, &provider.capabilities(), &chosen);
    print_kept(provider, &plan);
    let all_removed = plan.count(Action::Keep) == 0;
    let apply = options.apply_options();
    let keys = owned_keys(provider, &plan, interrupt).await?;
    if options.dry_run {
        keys.print(provider);
        print_summary(provider, &plan);
        let allowed = check_owned(provider, &plan, &apply)
            .and(options.removals.check_plan(provider, &plan))
            .and(expected_outcome(&plan));
        print_plan(plan, &[], &keys, out)?;
        return allowed.map(|()| all_removed);
    }
    check_owned(provider, &plan, &apply)?;
    let run = ApplyRun {
        provider,
        plan,
        lines: &[],
        options: &apply,
        removals: &options.removals,
        keys,
        journal: None,
        withdrawn: Vec::new(),
        source_removal: None,
    };
    run.run(interrupt, out).await.outcome?;
    Ok(all_removed)
}
