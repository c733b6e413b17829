//! `who`: what the organisations know of addresses.

use std::ops::ControlFlow;

use clap::Args;
use org_invitations::{Member, OrganizationProviderExt, People, Person};

use crate::{
    bulk::{Results, RunSummary, for_each_provider},
    failure::Failure,
    interrupt::Interrupt,
    output::{LayoutOptions, Output, PersonRecord},
    provider::ProviderContext,
    providers::{Origin, Providers},
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations -p confluent -p clickhouse who ann@example.com
  org-invitations -p clickhouse who ann@example.com bob@example.com -o json
  org-invitations --all-profiles who ann@example.com

A person is `invited` (can accept an invitation), `member`, `both` or `neither`.
INVITATION is the status of the latest invitation; JSON has all of them. On
ClickHouse an invitation disappears once it is accepted, and members tell who
has accepted. --roles also reads the roles (Confluent: all role bindings).")]
pub(crate) struct WhoArgs {
    /// The addresses to look for, in any spelling.
    #[arg(value_name = "EMAIL", required = true)]
    pub emails: Vec<String>,
    /// Read the roles too.
    #[arg(long)]
    pub roles: bool,
    #[command(flatten)]
    pub layout: LayoutOptions,
}

pub(crate) async fn run(
    providers: Providers,
    args: &WhoArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut records = args.layout.listing(providers.records(out), None)?;
    let mut summary = RunSummary::default();
    let read = async |provider: ProviderContext, results: Results<_>| {
        results.send(Ok(find(&provider, args).await?)).await;
        Ok(())
    };
    let show = |origin: &Origin, people: Vec<Person>| {
        for person in people.into_iter().flat_map(of_each_member) {
            records.push(PersonRecord::of_organization(origin, person))?;
        }
        Ok(ControlFlow::Continue(()))
    };
    let outcome = for_each_provider(providers, interrupt, &mut summary, read, show).await;
    records.finish_after(outcome)?;
    summary.finish()
}

/// Looks for one person by the filtered list, and for several in lists that are read once.
async fn find(provider: &ProviderContext, args: &WhoArgs) -> Result<Vec<Person>, Failure> {
    if let ([email], false) = (args.emails.as_slice(), args.roles) {
        return Ok(vec![provider.find_person(email).await?]);
    }
    let mut people = People::load(&**provider).await?;
    if args.roles {
        people.load_roles(&**provider).await?;
    }
    Ok(args.emails.iter().map(|email| people.find(email)).collect())
}

/// A person for each of several members of one address.
fn of_each_member(person: Person) -> Vec<Person> {
    if person.members.len() < 2 {
        return vec![person];
    }
    let of = |member: &Member| {
        let mut one = person.clone();
        one.members = vec![member.clone()];
        one
    };
    person.members.iter().map(of).collect()
}
