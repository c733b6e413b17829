//! Candidates for shell completion.
//!
//! The scripts of `completions` run this command with [`VARIABLE`] for each completion. What cannot be known at once and
//! without a prompt has no candidates; a failure prints nothing, since the user is in the middle of a command line.
//! Bash inserts a candidate as it is, so a name or an address that a shell could read as anything but one plain word is
//! never offered.

mod bash;

use std::{ffi::OsStr, future, time::Duration};

use clap::{CommandFactory, FromArgMatches};
use clap_complete::{
    CompleteEnv,
    engine::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate},
    env::{Elvish, Fish, Powershell, Shells, Zsh},
};
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use org_invitations::{InvitationProviderExt, ListQuery, MemberProviderExt, ProviderKind};

use crate::{
    cli::{Cli, GlobalOptions},
    config::{self, ConfigFile, ConfigPath},
    output::escape_control,
    provider::{self, ProviderContext},
};

/// The variable in which a shell's script names the shell that asks for candidates.
pub(crate) const VARIABLE: &str = "ORG_INVITATIONS_COMPLETE";

/// How long a provider may take to answer.
const TIME_LIMIT: Duration = Duration::from_secs(1);

/// The shells that have completion.
pub(crate) const SHELLS: Shells<'static> =
    Shells(&[&bash::Bash, &Elvish, &Fish, &Powershell, &Zsh]);

/// If a shell asks for candidates, prints them and ends the process.
pub(crate) fn answer() {
    CompleteEnv::with_factory(Cli::command)
        .var(VARIABLE)
        .shells(SHELLS)
        .complete();
}

/// Words that are known beforehand.
pub(crate) fn words(words: &'static [&'static str]) -> ArgValueCandidates {
    ArgValueCandidates::new(move || words.iter().map(CompletionCandidate::new).collect())
}

/// The names of the profiles.
pub(crate) fn profiles() -> ArgValueCandidates {
    ArgValueCandidates::new(profile_candidates)
}

/// The providers, and the names of the profiles.
pub(crate) fn providers_and_profiles() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let kinds = ProviderKind::ALL.iter().map(|kind| kind.as_str());
        let providers = kinds.chain(["sandbox"]).map(CompletionCandidate::new);
        providers.chain(profile_candidates()).collect()
    })
}

/// The ids and addresses of invitations.
pub(crate) fn invitations() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        ask(current, |provider| {
            let list = provider.list(ListQuery::new());
            let found = list.filter_map(|one| future::ready(one.ok()));
            let described = found.map(|one| {
                let id = one.id.to_string();
                vec![(id.clone(), one.email.clone()), (one.email, id)]
            });
            described.boxed()
        })
    })
}

/// The addresses of invitations.
pub(crate) fn addresses() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        ask(current, |provider| {
            let list = provider.list(ListQuery::new());
            let found = list.filter_map(|one| future::ready(one.ok()));
            let described = found.map(|one| vec![(one.email, one.id.to_string())]);
            described.boxed()
        })
    })
}

/// The ids and addresses of members.
pub(crate) fn members() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        ask(current, |provider| {
            let list = provider.list_members();
            let found = list.filter_map(|one| future::ready(one.ok()));
            let described = found.map(|one| {
                let id = one.id.to_string();
                vec![(id.clone(), one.email.clone()), (one.email, id)]
            });
            described.boxed()
        })
    })
}

/// The roles of the organisation, if its provider lists them.
pub(crate) fn roles() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        ask(current, |provider| {
            let roles = stream::once(provider.list_roles()).map(Result::unwrap_or_default);
            let described = roles.map(|roles| {
                let described = roles.into_iter().map(|role| match role.name {
                    Some(name) if is_plain(&name) => (name, role.id),
                    name => (role.id, name.unwrap_or_default()),
                });
                described.collect()
            });
            described.boxed()
        })
    })
}

fn profile_candidates() -> Vec<CompletionCandidate> {
    let config_file = typed_options().and_then(|global| global.config_file);
    let file = ConfigPath::find(config_file).and_then(|path| ConfigFile::read(&path));
    let profiles = file.ok().flatten().map(|file| file.profiles);
    let profiles = profiles.into_iter().flatten();
    let plain = profiles.filter(|(name, _)| is_plain(name));
    let named = plain.map(|(name, profile)| {
        CompletionCandidate::new(name).help(Some(profile.kind.to_string().into()))
    });
    named.collect()
}

/// The global options of the command line that is being typed.
fn typed_options() -> Option<GlobalOptions> {
    let words = std::env::args_os().skip_while(|word| word != "--").skip(1);
    let words: Vec<_> = words.collect();
    let command = Cli::command().ignore_errors(true);
    let matches = command.try_get_matches_from(&words).ok()?;
    let global = GlobalOptions::from_arg_matches(&matches).ok()?;
    Some(global.with_options_before_command(words))
}

/// Values that a provider lists, each with its description.
type Listed<'a> = BoxStream<'a, Vec<(String, String)>>;

/// Asks the provider of the typed command line. Only what the provider answers within [`TIME_LIMIT`] is offered, and
/// nothing if several providers are selected or a command would have to be run for the secret.
fn ask(
    current: &OsStr,
    list: impl FnOnce(&ProviderContext) -> Listed<'_>,
) -> Vec<CompletionCandidate> {
    let mut candidates = Vec::new();
    let (Some(current), Some(provider)) = (current.to_str(), typed_provider()) else {
        return candidates;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        return candidates;
    };
    let read = async {
        let mut listed = list(&provider);
        while let Some(values) = listed.next().await {
            let matching = values
                .into_iter()
                .filter(|(value, _)| value.starts_with(current) && is_plain(value));
            candidates.extend(matching.map(|(value, description)| {
                let description = escape_control(&description).into_owned();
                CompletionCandidate::new(value).help(Some(description.into()))
            }));
        }
    };
    // What was listed until then is offered.
    let _ = runtime.block_on(async { tokio::time::timeout(TIME_LIMIT, read).await });
    runtime.shutdown_background();
    candidates
}

/// Whether every shell reads this as one word and nothing else, without quotation marks.
fn is_plain(word: &str) -> bool {
    let first = word.chars().next();
    first.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
        && escape_control(word) == word
        && word
            .chars()
            .all(|letter| letter.is_alphanumeric() || "@._-+:/=%".contains(letter))
}

fn typed_provider() -> Option<ProviderContext> {
    let selection = config::load(&typed_options()?).ok()?;
    let chosen = selection.chosen_or_only_vendor().ok()?;
    let [one] = chosen.as_slice() else {
        return None;
    };
    let resolved = selection.resolve(one.kind()?, one.profile()).ok()?;
    let is_silent = resolved.is_read_silently();
    is_silent.then(|| provider::build(&resolved).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn only_plain_words_are_offered() {
        for word in [
            "ann+hr@example.com",
            "u-1",
            "jürgen@bücher.example",
            "a_b:c/d=e%",
        ] {
            assert!(is_plain(word), "{word}");
        }
        for mark in "$`;&|<>(){}[]*?!~#^\\\"' ,\t\n\u{200b}\u{a0}\u{202e}\u{3164}".chars() {
            assert!(!is_plain(&format!("ann{mark}@example.com")), "{mark:?}");
        }
        // What options, `=COMMAND` of zsh and jobs begin with.
        for word in ["", "-rf", "=ls", "%1", "~ann", "+1", "@file"] {
            assert!(!is_plain(word), "{word}");
        }
    }
}
