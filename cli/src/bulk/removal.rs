//! The limit on how many invitations a command withdraws, and the list of them for the prompt.

use clap::Args;
use org_invitations::{Action, InvitationProviderExt, Plan, RemovalLimit, Step, TooManyRemovals};

use crate::{failure::Failure, output::escape_control, provider::ProviderContext};

#[derive(Args, Clone, Debug)]
pub(crate) struct RemovalOptions {
    /// Fail if more invitations or members than this number, or this share of the existing ones,
    /// would be removed. Default: 25%, and at least 5.
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
        checked.map_err(|error| too_many_removals(provider, &error, plan.removals()))
    }

    /// Checks a number of removals. Lists the existing invitations only if the limit is a share of them.
    ///
    /// # Errors
    ///
    /// The number exceeds the limit, or the list cannot be read. Nothing was changed.
    pub async fn check(&self, provider: &ProviderContext, removals: usize) -> Result<(), Failure> {
        let checked = provider.check_removals(removals, self.limit()).await;
        checked.map_err(|error| {
            let too_many = error.cause().and_then(|cause| cause.downcast_ref());
            match too_many {
                Some(too_many) => too_many_removals(provider, too_many, removals),
                None => error.into(),
            }
        })
    }
}

fn too_many_removals(
    provider: &ProviderContext,
    error: &TooManyRemovals,
    removals: usize,
) -> Failure {
    let name = provider.name();
    Failure::Usage(format!(
        "{name}: {error}. Nothing was changed. To allow it, pass `--max-deletes {removals}`"
    ))
}

/// Whether a step takes something from a person: an invitation, also to create it again, the membership, or a role.
fn takes(step: &Step) -> bool {
    matches!(step.action, Action::Remove | Action::Replace) || step.withdraws()
}

/// Lists on stderr from whom the steps take something.
pub(crate) fn print_removals<'a>(
    provider: &ProviderContext,
    steps: impl IntoIterator<Item = &'a Step>,
    why: &str,
) {
    let (from_members, withdrawn): (Vec<_>, Vec<_>) = steps
        .into_iter()
        .filter(|step| takes(step))
        .partition(|step| step.member.is_some());
    if !withdrawn.is_empty() {
        eprintln!("{}: to be withdrawn{why}:", provider.name());
    }
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
    if !from_members.is_empty() {
        let owned = match provider.capabilities().removal_deletes_owned {
            true => "; whoever is removed loses everything that they own, API keys included",
            false => "",
        };
        eprintln!(
            "{}: members to be removed or changed{owned}:",
            provider.name()
        );
    }
    for step in from_members {
        let id = step.member.as_ref().map_or("-", |id| id.as_str());
        let what = match step.action {
            Action::SetRoles => step.role_changes.join(" "),
            _ => "removed".to_owned(),
        };
        let email = escape_control(&step.email);
        eprintln!("  {email} ({id}): {}", escape_control(&what));
    }
}
