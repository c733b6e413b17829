//! The limit on how many invitations a command withdraws, and the list of them for the prompt.

use std::error::Error as _;

use clap::Args;
use org_invitations::{Action, InvitationProviderExt, Plan, RemovalLimit, Step, TooManyRemovals};

use crate::{failure::Failure, output::escape_control, provider::ProviderContext};

#[derive(Args, Clone, Debug)]
pub(crate) struct RemovalOptions {
    /// Fail if more invitations than this number, or this share of the existing ones, would be
    /// withdrawn. Default: 25%, and at least 5.
    #[arg(long, value_name = "N|P%", value_parser = parse_limit)]
    pub max_deletes: Option<RemovalLimit>,
}

fn parse_limit(text: &str) -> Result<RemovalLimit, String> {
    let parsed = text.parse::<RemovalLimit>();
    parsed.map_err(|error| error.message().to_owned())
}

impl RemovalOptions {
    pub fn limit(&self) -> RemovalLimit {
        self.max_deletes.unwrap_or_default()
    }

    /// Checks the number of invitations that a plan withdraws.
    ///
    /// # Errors
    ///
    /// The plan exceeds the limit. Nothing was changed.
    pub fn check_plan(&self, provider: &ProviderContext, plan: &Plan) -> Result<(), Failure> {
        let checked = plan.check_removals(&self.limit());
        checked.map_err(|error| too_many_removals(provider, &error))
    }

    /// Checks a number of removals. Lists the existing invitations only if the limit is a share of them.
    ///
    /// # Errors
    ///
    /// The number exceeds the limit, or the list cannot be read. Nothing was changed.
    pub async fn check(&self, provider: &ProviderContext, removals: usize) -> Result<(), Failure> {
        let checked = provider.check_removals(removals, self.limit()).await;
        checked.map_err(|error| {
            let too_many = error.source().and_then(|source| source.downcast_ref());
            match too_many {
                Some(too_many) => too_many_removals(provider, too_many),
                None => error.into(),
            }
        })
    }
}

fn too_many_removals(provider: &ProviderContext, error: &TooManyRemovals) -> Failure {
    let (name, removals) = (provider.name(), error.removals);
    Failure::Usage(format!(
        "{name}: {error}. Nothing was changed. To allow it, pass `--max-deletes {removals}`"
    ))
}

/// Whether a step withdraws an invitation, permanently or to create it again.
fn withdraws(step: &Step) -> bool {
    matches!(step.action, Action::Remove | Action::Replace)
}

/// Lists on stderr whose invitations the steps withdraw.
pub(crate) fn print_removals<'a>(
    provider: &ProviderContext,
    steps: impl IntoIterator<Item = &'a Step>,
    why: &str,
) {
    let withdrawn: Vec<_> = steps.into_iter().filter(|step| withdraws(step)).collect();
    if withdrawn.is_empty() {
        return;
    }
    eprintln!("{}: to be withdrawn{why}:", provider.name());
    for step in withdrawn {
        let id = step.id.as_ref().map_or("-", |id| id.as_str());
        let again = match (step.action, &step.reason) {
            (Action::Replace, Some(reason)) => format!(", and invited again: {reason}"),
            (Action::Replace, None) => ", and invited again".to_owned(),
            _ => String::new(),
        };
        eprintln!(
            "  {} ({id}){}",
            escape_control(&step.email),
            escape_control(&again)
        );
    }
}
