//! `who`: what the organisations know of addresses.

use clap::Args;
use org_invitations::{OrganizationProviderExt, People, Person};

use crate::{
    bulk::RunSummary,
    failure::Failure,
    interrupt::Interrupt,
    output::{Output, PersonRecord, Shape},
    provider::ProviderContext,
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations -p confluent -p clickhouse who ann@example.com
  org-invitations -p clickhouse who ann@example.com bob@example.com -o json

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
}

pub(crate) async fn run(
    providers: &[ProviderContext],
    args: &WhoArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut records = out.records(Shape::Many);
    records = match providers.len() {
        1 => records.without_first_column(),
        _ => records.with_min_widths(),
    };
    let mut summary = RunSummary::default();
    for provider in providers {
        match interrupt.or_interrupted(find(provider, args)).await {
            Ok(people) => {
                for person in people {
                    records.push(&PersonRecord {
                        provider: provider.label.clone(),
                        person,
                    })?;
                }
                summary.record_success();
            }
            Err(failure @ Failure::Interrupted(_)) => return Err(failure),
            // One organisation's failure hides none of the others.
            Err(failure) => summary.report_failure(&failure),
        }
    }
    records.finish()?;
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
