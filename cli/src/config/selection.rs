//! Selects the providers of a command and their profiles.

use clap::ValueEnum;
use org_invitations::ProviderKind;

use super::{
    ConfigFile, ConfigPath, Flags, ResolvedConfig,
    keys::{PROFILE_VARIABLE, PROVIDER_VARIABLE, replacing_variables},
    variable,
};
use crate::{
    cli::{GlobalOptions, ProviderName},
    failure::Failure,
    suggest::did_you_mean,
};

/// The configuration, and the providers that a command selects from it.
#[derive(Debug)]
pub(crate) struct Selection {
    pub config_path: ConfigPath,
    pub file: Option<ConfigFile>,
    chosen: Vec<Selected>,
    /// Whether `--profile` or `--all-profiles` selects several profiles.
    has_several_profiles: bool,
    flags: Flags,
}

/// A selected provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selected {
    /// The sandbox in memory.
    Sandbox,
    /// A provider at its vendor.
    Vendor {
        kind: ProviderKind,
        /// The name of its profile, if it has one.
        profile: Option<String>,
        /// What selects the provider: a flag, a variable or a profile.
        source: String,
    },
}

/// A profile that a flag or a variable names, with its source.
type Named = (String, &'static str);

impl Selection {
    /// Selects by `--all-profiles`, else `--provider`, else `--profile`, else ORG_INVITATIONS_PROVIDER, else
    /// ORG_INVITATIONS_PROFILE, else `default_profile`, else the only profile.
    pub(super) fn new(
        global: &GlobalOptions,
        config_path: ConfigPath,
        file: Option<ConfigFile>,
    ) -> Result<Self, Failure> {
        let mut selection = Self {
            config_path,
            file,
            chosen: Vec::new(),
            has_several_profiles: false,
            flags: Flags::new(global),
        };
        selection.chosen = selection.choose(global)?;
        let profiles = selection.chosen.iter().filter_map(Selected::profile);
        let is_by_profile = global.all_profiles || !global.profile.is_empty();
        selection.has_several_profiles = is_by_profile && profiles.count() > 1;
        selection.check(&selection.chosen)?;
        Ok(selection)
    }

    /// The selected providers in order; none if nothing selects one.
    pub fn chosen(&self) -> &[Selected] {
        &self.chosen
    }

    /// The selected providers or, if nothing selects one, the only vendor that is set up.
    pub fn chosen_or_only_vendor(&self) -> Result<Vec<Selected>, Failure> {
        if !self.chosen.is_empty() {
            return Ok(self.chosen.clone());
        }
        match self.vendors_set_up()?.as_slice() {
            [only] => {
                let only = vec![self.vendor(*only, "the only provider that is set up")?];
                self.check(&only)?;
                Ok(only)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Whether the rows of the output need the column `profile`.
    pub fn has_several_profiles(&self) -> bool {
        self.has_several_profiles
    }

    /// Every provider, with the profile that `-p` would give it; each profile of a provider that has several.
    pub fn all_providers(&self) -> Result<Vec<Selected>, Failure> {
        let mut all = Vec::new();
        for kind in ProviderKind::ALL {
            for profile in self.profiles_for(*kind)? {
                all.push(Selected::Vendor {
                    kind: *kind,
                    profile,
                    source: "configured".to_owned(),
                });
            }
        }
        self.check(&all)?;
        Ok(all)
    }

    /// The vendors that a profile or the environment has a credential for.
    pub fn vendors_set_up(&self) -> Result<Vec<ProviderKind>, Failure> {
        let mut kinds = Vec::new();
        for kind in ProviderKind::ALL {
            if !self.profiles_of(*kind).is_empty() || self.resolve(*kind, None)?.has_credential() {
                kinds.push(*kind);
            }
        }
        Ok(kinds)
    }

    /// The connection flags, as a follow-up command repeats them.
    pub fn repeated_flags(&self) -> String {
        self.flags.repeated()
    }

    /// Resolves the configuration of a provider.
    pub fn resolve(
        &self,
        kind: ProviderKind,
        profile: Option<&str>,
    ) -> Result<ResolvedConfig, Failure> {
        let profile = match (profile, &self.file) {
            (Some(name), Some(file)) => Some((name, file.profile(name)?, file.path.as_path())),
            _ => None,
        };
        ResolvedConfig::new(kind, &self.flags, profile, self.config_path.path.as_ref())
    }

    fn choose(&self, global: &GlobalOptions) -> Result<Vec<Selected>, Failure> {
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
                "--all-profiles selects nothing: {}\nhint: `org-invitations --help` shows how to write a profile",
                self.no_file()
            )));
        };
        if file.profiles.is_empty() {
            return Err(Failure::Usage(format!(
                "--all-profiles selects nothing: {} has no profile\nhint: `org-invitations --help` \
                 shows how to write one",
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

    fn kind_of(&self, profile: &str) -> Result<ProviderKind, Failure> {
        match &self.file {
            Some(file) => Ok(file.profile(profile)?.kind),
            None => Err(Failure::Usage(format!("there is no profile `{profile}`"))),
        }
    }

    fn by_profile(&self, (name, source): &Named) -> Result<Selected, Failure> {
        Ok(selected(self.kind_of(name)?, Some(name.clone()), source))
    }

    /// Selects a provider with its only profile.
    fn vendor(&self, kind: ProviderKind, source: &str) -> Result<Selected, Failure> {
        let mut profiles = self.profiles_for(kind)?;
        match (profiles.pop(), profiles.is_empty(), &self.file) {
            (Some(only), true, _) => Ok(selected(kind, only, source)),
            (_, _, file) => {
                let path = file.as_ref().map(|file| file.path.display().to_string());
                Err(Failure::Usage(format!(
                    "{} has several profiles for {kind} ({source}): choose --profile: {}",
                    path.unwrap_or_default(),
                    join(self.profiles_of(kind))
                )))
            }
        }
    }

    /// The profiles that a provider may mean: the default one, else the only one, else none if the environment
    /// configures the provider or nothing does, else each one.
    fn profiles_for(&self, kind: ProviderKind) -> Result<Vec<Option<String>>, Failure> {
        let profiles = self.profiles_of(kind);
        let default = self
            .file
            .as_ref()
            .and_then(|file| file.default_profile.as_ref());
        if let Some(default) = default.filter(|name| profiles.contains(name)) {
            return Ok(vec![Some(default.clone())]);
        }
        let is_ambiguous = profiles.len() > 1 && !self.resolve(kind, None)?.is_complete();
        Ok(match profiles.as_slice() {
            [only] => vec![Some((*only).clone())],
            several if is_ambiguous => several.iter().map(|name| Some((*name).clone())).collect(),
            _ => vec![None],
        })
    }

    /// The names of the profiles of a provider.
    fn profiles_of(&self, kind: ProviderKind) -> Vec<&String> {
        let profiles = self.file.iter().flat_map(|file| &file.profiles);
        let suiting = profiles.filter(|(_, profile)| profile.kind == kind);
        suiting.map(|(name, _)| name).collect()
    }

    /// Rejects flags that have no effect on the selected providers, and variables that would give several profiles the
    /// same key.
    fn check(&self, selected: &[Selected]) -> Result<(), Failure> {
        self.flags.check(selected)?;
        for kind in ProviderKind::ALL {
            let of_kind = selected.iter().filter(|one| one.kind() == Some(*kind));
            let profiles: Vec<&str> = of_kind.filter_map(Selected::profile).collect();
            if profiles.len() < 2 {
                continue;
            }
            if let Some(name) = replacing_variables(*kind)?.first() {
                return Err(Failure::Usage(format!(
                    "{name} is set in the environment and would replace the value of each profile: {}\n\
                     hint: unset it, or select one profile",
                    name_some(&profiles)
                )));
            }
        }
        Ok(())
    }
}

const PROFILE_FLAG: &str = "flag --profile";
const PROFILE_SOURCE: &str = "environment ORG_INVITATIONS_PROFILE";

impl Selected {
    /// The vendor; `None` for the sandbox.
    pub fn kind(&self) -> Option<ProviderKind> {
        match self {
            Self::Sandbox => None,
            Self::Vendor { kind, .. } => Some(*kind),
        }
    }

    /// The name of the profile, if there is one.
    pub fn profile(&self) -> Option<&str> {
        match self {
            Self::Sandbox => None,
            Self::Vendor { profile, .. } => profile.as_deref(),
        }
    }
}

fn selected(kind: ProviderKind, profile: Option<String>, source: &str) -> Selected {
    Selected::Vendor {
        kind,
        profile,
        source: source.to_owned(),
    }
}

fn no_profile_of_sandbox(flag: &str) -> Failure {
    Failure::Usage(format!(
        "the sandbox (flag --provider) has no profiles, so {flag} has no effect; pass one of them"
    ))
}

fn join<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    name_some(&names.into_iter().map(String::as_str).collect::<Vec<_>>())
}

/// The first names of a list, and the number of the others.
pub(crate) fn name_some(names: &[&str]) -> String {
    const MAX: usize = 12;
    match names.len().saturating_sub(MAX) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..MAX].join(", ")),
    }
}
