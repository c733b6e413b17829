//! `roles`: the roles that an organisation has.

use clap::Subcommand;

use crate::{
    failure::Failure,
    interrupt::Interrupt,
    output::{LayoutOptions, Output, RoleRecord},
    provider::ProviderContext,
};

#[derive(Debug, Subcommand)]
pub(crate) enum RolesCommand {
    /// List the roles that the organisation has (ClickHouse).
    #[command(after_help = "\
Examples:
  org-invitations -p clickhouse roles list
  org-invitations -p clickhouse roles list -o csv > roles.csv

Confluent's API has no list of roles; its documentation names the predefined
ones, such as OrganizationAdmin and EnvironmentAdmin.")]
    List(LayoutOptions),
}

pub(crate) async fn run(
    provider: &ProviderContext,
    command: &RolesCommand,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let RolesCommand::List(layout) = command;
    let list = async { provider.list_roles().await.map_err(Failure::from) };
    let roles = interrupt.or_interrupted(list).await?;
    let records = out.records().without_first_column();
    let mut records = layout.listing(records, None)?;
    for role in roles {
        records.push(RoleRecord {
            provider: provider.label.clone(),
            role,
        })?;
    }
    records.finish_after(Ok(()))
}
