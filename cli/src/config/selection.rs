//! Selects the providers of a command and their profiles.

use org_invitations::ProviderKind;

use super::{ConfigFile, ConfigPath, Flags, ResolvedConfig, keys::replacing_variables};
use crate::{audit::AuditLog, cli::GlobalOptions, failure::Failure};

/// The configuration, and the providers that a command selects from it.
#[derive(Debug)]
pub(crate) struct Selection {
    pub config_path: ConfigPath,
    pub file: Option<ConfigFile>,
    /// The audit log that the changes of every provider are written to.
    pub audit: AuditLog,
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
            audit: global.audit.clone(),
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
        let file = self.file.as_ref();
        let secrets = file.map(ConfigFile::secret_variables).unwrap_or_default();
        let default = self.config_path.path.as_ref();
        ResolvedConfig::new(kind, &self.flags, profile, default, secrets)
    }

    pub(super) fn kind_of(&self, profile: &str) -> Result<ProviderKind, Failure> {
        match &self.file {
            Some(file) => Ok(file.profile(profile)?.kind),
            None => Err(Failure::Usage(format!("there is no profile `{profile}`"))),
        }
    }

    /// Selects a provider with its only profile.
    pub(super) fn vendor(&self, kind: ProviderKind, source: &str) -> Result<Selected, Failure> {
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
    pub(super) fn profiles_of(&self, kind: ProviderKind) -> Vec<&String> {
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

pub(super) fn selected(kind: ProviderKind, profile: Option<String>, source: &str) -> Selected {
    Selected::Vendor {
        kind,
        profile,
        source: source.to_owned(),
    }
}

pub(super) fn join<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
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
