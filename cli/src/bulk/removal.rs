//! How many invitations a command may withdraw, and saying which before it does.

use std::error::Error as _;

use clap::Args;
use org_invitations::{Action, InvitationProviderExt, Plan, RemovalLimit, Step, TooManyRemovals};

use crate::{failure::Failure, output::escape_control, provider::ProviderContext};

#[derive(Args, Clone, Debug)]
pub(crate) struct RemovalOptions {
    /// Refuse to withdraw more invitations than this, or than this share of those that there are; default
    /// 25%, and at least 5.
    #[arg(long, value_name = "N|P%", value_parser = limit)]
    pub max_deletes: Option<RemovalLimit>,
}

fn limit(text: &str) -> Result<RemovalLimit, String> {
    let parsed = text.parse::<RemovalLimit>();
    parsed.map_err(|error| error.message().to_owned())
}

impl RemovalOptions {
    pub fn limit(&self) -> RemovalLimit {
        self.max_deletes.unwrap_or_default()
    }

    /// Checks what a plan withdraws.
    ///
    /// # Errors
    ///
    /// More than the limit; nothing was changed.
    pub fn check_plan(&self, provider: &ProviderContext, plan: &Plan) -> Result<(), Failure> {
        let checked = plan.check_removals(&self.limit());
        checked.map_err(|refused| too_many_removals(provider, &refused))
    }

    /// Checks how many invitations are withdrawn. Lists those that there are only where it depends on them.
    ///
    /// # Errors
    ///
    /// More than the limit; nothing was changed. A list that cannot be read.
    pub async fn check(&self, provider: &ProviderContext, removals: usize) -> Result<(), Failure> {
        let checked = provider.check_removals(removals, self.limit()).await;
        checked.map_err(|error| {
            let refused = error.source().and_then(|source| source.downcast_ref());
            match refused {
                Some(refused) => too_many_removals(provider, refused),
                None => error.into(),
            }
        })
    }
}

pub(crate) fn too_many_removals(provider: &ProviderContext, refused: &TooManyRemovals) -> Failure {
    let (name, removals) = (provider.name(), refused.removals);
    Failure::Usage(format!(
        "{name}: {refused}. Nothing was changed. If that is meant, give `--max-deletes {removals}`"
    ))
}

/// Whether a step withdraws anything at all, for good or to make it again.
fn withdraws(step: &Step) -> bool {
    matches!(step.action, Action::Delete | Action::Renew)
}

/// Says on stderr whose invitations are going to be withdrawn, where and why.
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
            (Action::Renew, Some(reason)) => format!(", and invited again: {reason}"),
            (Action::Renew, None) => ", and invited again".to_owned(),
            _ => String::new(),
        };
        eprintln!(
            "  {} ({id}){}",
            escape_control(&step.email),
            escape_control(&again)
        );
    }
}
