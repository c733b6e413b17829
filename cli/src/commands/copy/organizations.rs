//! The two organisations of a copy.

use std::collections::HashSet;

use clap::ValueEnum;
use org_invitations::{Invitation, ProviderKind};

use super::CopyArgs;
use crate::{
    apply::organization_of,
    cli::{GlobalOptions, ProviderName},
    failure::Failure,
    output::escape_control,
    provider::ProviderContext,
    providers,
    suggest::did_you_mean,
};

/// The provider with this name, or of the profile with this name.
pub(super) async fn provider_or_profile(
    global: &GlobalOptions,
    flag: &str,
    name: &str,
) -> Result<ProviderContext, Failure> {
    let provider = ProviderName::from_str(name, true).ok();
    let is_sandbox = provider == Some(ProviderName::Sandbox);
    let chosen = GlobalOptions {
        // The sandbox runs in memory, so the way to the other side is not its own.
        ca_file: global.ca_file.clone().filter(|_| !is_sandbox),
        proxy: global.proxy.clone().filter(|_| !is_sandbox),
        timeout: global.timeout.filter(|_| !is_sandbox),
        profile: provider
            .is_none()
            .then(|| name.to_owned())
            .into_iter()
            .collect(),
        all_profiles: false,
        provider: provider.into_iter().collect(),
        ..global.clone()
    };
    let context = match providers::select_one(&chosen) {
        Ok(one) => one.connect_one_of_two().await,
        Err(failure) => Err(failure),
    };
    let Err(Failure::Usage(message)) = context else {
        return context;
    };
    // The name may be a misspelt provider.
    let names = ProviderKind::ALL.iter().map(|kind| kind.as_str());
    let guess = match provider {
        None => did_you_mean(name, names),
        Some(_) => String::new(),
    };
    Err(Failure::Usage(format!("{flag} {name}: {message}{guess}")))
}

/// Refuses a copy of an organisation to itself, which would withdraw everybody whom it keeps.
pub(super) fn refuse_same(args: &CopyArgs, why: &str) -> Failure {
    Failure::Usage(format!(
        "--from {} and --to {} are the same organisation, {why}\nhint: a variable of the environment may replace \
         the keys of both; `org-invitations doctor` shows the sources",
        args.from, args.to
    ))
}

/// Checks by their invitations that two organisations of one vendor are not the same: an API key does not tell to which
/// one it belongs, and neither does a base URL.
///
/// # Errors
///
/// Both name the same organisation, or have the same invitation.
pub(super) fn check_different(
    args: &CopyArgs,
    source: &[Invitation],
    target: &[Invitation],
) -> Result<(), Failure> {
    let ids: HashSet<_> = source.iter().map(|one| &one.id).collect();
    if let Some(both) = target.iter().find(|one| ids.contains(&one.id)) {
        let id = escape_control(both.id.as_str());
        return Err(refuse_same(
            args,
            &format!("as both have the invitation {id}. Nothing was changed"),
        ));
    }
    let named = |all: &[Invitation]| all.iter().find_map(organization_of);
    match (named(source), named(target)) {
        (Some(one), Some(other)) if one == other => {
            let one = escape_control(&one);
            Err(refuse_same(
                args,
                &format!("which is {one}. Nothing was changed"),
            ))
        }
        _ => Ok(()),
    }
}
