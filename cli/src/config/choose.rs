//! What flags, environment variables and the configuration file select.

use clap::ValueEnum;

use super::{
    Selected, Selection,
    keys::{PROFILE_VARIABLE, PROVIDER_VARIABLE},
    selection::{join, selected},
    variable,
};
use crate::{
    cli::{GlobalOptions, ProviderName},
    failure::Failure,
    suggest::did_you_mean,
};

/// A profile that a flag or a variable names, with its source.
type Named = (String, &'static str);

const PROFILE_FLAG: &str = "flag --profile";
const PROFILE_SOURCE: &str = "environment ORG_INVITATIONS_PROFILE";

impl Selection {
    /// The providers that flags, variables and the file select; none if nothing selects one.
    pub(super) fn choose(&self, global: &GlobalOptions) -> Result<Vec<Selected>, Failure> {
        if global.all_profiles {
            return self.all_profiles(global);
        }
        let named = self.named_profiles(global)?;
        if !global.provider.is_empty() {
            return self.by_providers(&global.provider, &named, "flag --provider");
        }
        if !global.profile.is_empty() {
            return named.iter().map(|named| self.by_profile(named)).collect();
        }
        if let Some(word) = variable(PROVIDER_VARIABLE)? {
            let name = ProviderName::from_str(&word, true).map_err(|_| {
                let known = ["confluent", "clickhouse", "sandbox"];
                let guess = did_you_mean(&word, known);
                let known = "the providers are confluent, clickhouse and sandbox";
                Failure::Usage(format!("{PROVIDER_VARIABLE} is {word:?}; {known}{guess}"))
            })?;
            let source = format!("environment {PROVIDER_VARIABLE}");
            return self.by_providers(&[name], &named, &source);
        }
        if !named.is_empty() {
            return named.iter().map(|named| self.by_profile(named)).collect();
        }
        let Some(file) = &self.file else {
            return Ok(Vec::new());
        };
        if let Some(name) = &file.default_profile {
            return Ok(vec![self.by_profile(&(name.clone(), "default_profile"))?]);
        }
        let mut names = file.profiles.keys();
        match (names.next(), names.next()) {
            (Some(only), None) => Ok(vec![self.by_profile(&(only.clone(), "the only profile"))?]),
            _ => Ok(Vec::new()),
        }
    }

    /// Every profile, or every one of the given providers.
    fn all_profiles(&self, global: &GlobalOptions) -> Result<Vec<Selected>, Failure> {
        if !global.profile.is_empty() {
            let message = "--all-profiles selects what --profile selects too; pass one of them";
            return Err(Failure::Usage(message.to_owned()));
        }
        let Some(file) = &self.file else {
            return Err(Failure::Usage(format!(
                "--all-profiles selects nothing: {}\nhint: `org-invitations config init` writes a profile",
                self.no_file()
            )));
        };
        if file.profiles.is_empty() {
            return Err(Failure::Usage(format!(
                "--all-profiles selects nothing: {} has no profile\nhint: `org-invitations config init` \
                 writes one",
                file.path.display()
            )));
        }
        let mut kinds = Vec::new();
        for name in &global.provider {
            let Some(kind) = name.kind() else {
                return Err(no_profile_of_sandbox("--all-profiles"));
            };
            if self.profiles_of(kind).is_empty() {
                return Err(Failure::Usage(format!(
                    "{} has no profile for {kind} (flag --provider): it has {}",
                    file.path.display(),
                    join(file.profiles.keys())
                )));
            }
            kinds.push(kind);
        }
        let selected = file
            .profiles
            .iter()
            .filter(|(_, profile)| kinds.is_empty() || kinds.contains(&profile.kind));
        selected
            .map(|(name, _)| self.by_profile(&(name.clone(), "flag --all-profiles")))
            .collect()
    }

    /// The providers in order, each with the named profiles that configure it, else with its own one.
    fn by_providers(
        &self,
        names: &[ProviderName],
        named: &[Named],
        source: &str,
    ) -> Result<Vec<Selected>, Failure> {
        let kinds: Vec<_> = names.iter().map(|name| name.kind()).collect();
        let is_one = kinds.iter().all(|kind| *kind == kinds[0]);
        for (profile, by) in named {
            let kind = self.kind_of(profile)?;
            // Among several providers, the profile of the environment applies to the one that it configures.
            if kinds.contains(&Some(kind)) || (*by != PROFILE_FLAG && !is_one) {
                continue;
            }
            match kinds[0] {
                None if *by == PROFILE_FLAG => return Err(no_profile_of_sandbox("--profile")),
                None => {}
                Some(other) => {
                    let others = match is_one {
                        true => format!("not for {other} ({source})"),
                        false => format!("and {kind} is not selected ({source})"),
                    };
                    return Err(Failure::Usage(format!(
                        "the profile `{profile}` ({by}) is for {kind}, {others}"
                    )));
                }
            }
        }
        let mut chosen: Vec<Selected> = Vec::new();
        for kind in kinds {
            let mut next = Vec::new();
            match kind {
                None => next.push(Selected::Sandbox),
                Some(kind) => {
                    for (profile, _) in named {
                        if self.kind_of(profile)? == kind {
                            next.push(selected(kind, Some(profile.clone()), source));
                        }
                    }
                    if next.is_empty() {
                        next.push(self.vendor(kind, source)?);
                    }
                }
            }
            next.retain(|next| !chosen.contains(next));
            chosen.append(&mut next);
        }
        Ok(chosen)
    }

    /// The profiles that flags or a variable name, each once, with their source.
    fn named_profiles(&self, global: &GlobalOptions) -> Result<Vec<Named>, Failure> {
        let (names, source) = match (global.profile.as_slice(), variable(PROFILE_VARIABLE)?) {
            ([], Some(name)) => (vec![name], PROFILE_SOURCE),
            (names, _) => (names.to_vec(), PROFILE_FLAG),
        };
        let mut named: Vec<Named> = Vec::new();
        for name in names {
            let Some(file) = &self.file else {
                return Err(Failure::Usage(format!(
                    "the profile `{name}` ({source}) does not exist: {}",
                    self.no_file()
                )));
            };
            file.profile(&name)?;
            if !named.iter().any(|(known, _)| *known == name) {
                named.push((name, source));
            }
        }
        Ok(named)
    }

    fn no_file(&self) -> String {
        let path = self.config_path.path.as_ref();
        let path = path.map_or_else(String::new, |path| format!(" {}", path.display()));
        format!("there is no configuration file{path}")
    }

    fn by_profile(&self, (name, source): &Named) -> Result<Selected, Failure> {
        Ok(selected(self.kind_of(name)?, Some(name.clone()), source))
    }
}

fn no_profile_of_sandbox(flag: &str) -> Failure {
    Failure::Usage(format!(
        "the sandbox (flag --provider) has no profiles, so {flag} has no effect; pass one of them"
    ))
}
