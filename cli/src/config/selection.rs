//! Selects the providers of a command and their profiles.

use clap::ValueEnum;
use org_invitations::ProviderKind;

use super::{
    ConfigFile, ConfigPath, Flags, ResolvedConfig,
    keys::{PROFILE_VARIABLE, PROVIDER_VARIABLE},
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
    /// Selects by `--provider`, else `--profile`, else ORG_INVITATIONS_PROVIDER, else ORG_INVITATIONS_PROFILE, else
    /// `default_profile`, else the only profile.
    pub(super) fn new(
        global: &GlobalOptions,
        config_path: ConfigPath,
        file: Option<ConfigFile>,
    ) -> Result<Self, Failure> {
        let mut selection = Self {
            config_path,
            file,
            chosen: Vec::new(),
            flags: Flags::default(),
        };
        selection.chosen = selection.choose(global)?;
        selection.flags = Flags::new(global, selection.chosen.len())?;
        Ok(selection)
    }

    /// The selected providers in order; none if nothing selects one.
    pub fn chosen(&self) -> &[Selected] {
        &self.chosen
    }

    /// Every provider, each with its profile.
    pub fn all_providers(&self) -> Result<Vec<Selected>, Failure> {
        ProviderKind::ALL
            .iter()
            .map(|kind| self.vendor(*kind, None, "configured".to_owned()))
            .collect()
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
        let named = self.named_profile(global)?;
        if !global.provider.is_empty() {
            let mut chosen: Vec<Selected> = Vec::new();
            let several = global
                .provider
                .iter()
                .any(|name| *name != global.provider[0]);
            for name in &global.provider {
                // Among several providers, a profile applies to the one that it configures.
                let named = named
                    .as_ref()
                    .filter(|(profile, _)| !several || self.kind_of(profile) == name.kind());
                let next = self.by_name(*name, named, "flag --provider")?;
                if !chosen.contains(&next) {
                    chosen.push(next);
                }
            }
            return Ok(chosen);
        }
        if let Some((name, source)) = named.filter(|_| global.profile.is_some()) {
            return Ok(vec![self.by_profile(&name, &source)?]);
        }
        if let Some(word) = variable(PROVIDER_VARIABLE)? {
            let name = ProviderName::from_str(&word, true).map_err(|_| {
                let known = ["confluent", "clickhouse", "sandbox"];
                let guess = did_you_mean(&word, known);
                let known = "the providers are confluent, clickhouse and sandbox";
                Failure::Usage(format!("{PROVIDER_VARIABLE} is {word:?}; {known}{guess}"))
            })?;
            let named = self.named_profile(global)?;
            let source = format!("environment {PROVIDER_VARIABLE}");
            return Ok(vec![self.by_name(name, named.as_ref(), &source)?]);
        }
        if let Some((name, source)) = self.named_profile(global)? {
            return Ok(vec![self.by_profile(&name, &source)?]);
        }
        let Some(file) = &self.file else {
            return Ok(Vec::new());
        };
        if let Some(name) = &file.default_profile {
            return Ok(vec![self.by_profile(name, "default_profile")?]);
        }
        let mut names = file.profiles.keys();
        match (names.next(), names.next()) {
            (Some(only), None) => Ok(vec![self.by_profile(only, "the only profile")?]),
            _ => Ok(Vec::new()),
        }
    }

    /// The profile that a flag or a variable names, with its source.
    fn named_profile(&self, global: &GlobalOptions) -> Result<Option<(String, String)>, Failure> {
        let (name, source) = match (&global.profile, variable(PROFILE_VARIABLE)?) {
            (Some(name), _) => (name.clone(), "flag --profile".to_owned()),
            (None, Some(name)) => (name, format!("environment {PROFILE_VARIABLE}")),
            (None, None) => return Ok(None),
        };
        match &self.file {
            Some(file) => file.profile(&name).map(|_| Some((name, source))),
            None => {
                let path = self.config_path.path.as_ref();
                let place = path.map_or_else(String::new, |path| format!(" {}", path.display()));
                let missing = format!(
                    "the profile `{name}` ({source}) does not exist: there is no configuration file{place}"
                );
                Err(Failure::Usage(missing))
            }
        }
    }

    fn kind_of(&self, profile: &str) -> Option<ProviderKind> {
        let profile = self.file.as_ref()?.profiles.get(profile)?;
        Some(profile.kind)
    }

    fn by_profile(&self, name: &str, source: &str) -> Result<Selected, Failure> {
        let kind = match &self.file {
            Some(file) => file.profile(name)?.kind,
            None => return Err(Failure::Usage(format!("there is no profile `{name}`"))),
        };
        Ok(Selected::Vendor {
            kind,
            profile: Some(name.to_owned()),
            source: source.to_owned(),
        })
    }

    fn by_name(
        &self,
        name: ProviderName,
        named: Option<&(String, String)>,
        source: &str,
    ) -> Result<Selected, Failure> {
        match name.kind() {
            None => Ok(Selected::Sandbox),
            Some(kind) => self.vendor(kind, named, source.to_owned()),
        }
    }

    /// Selects a provider with the named profile, else the default one, else the only one that configures it.
    fn vendor(
        &self,
        kind: ProviderKind,
        named: Option<&(String, String)>,
        source: String,
    ) -> Result<Selected, Failure> {
        let profile = match &self.file {
            Some(file) => self.profile_for(kind, named, file, &source)?,
            None => None,
        };
        Ok(Selected::Vendor {
            kind,
            profile,
            source,
        })
    }

    fn profile_for(
        &self,
        kind: ProviderKind,
        named: Option<&(String, String)>,
        file: &ConfigFile,
        source: &str,
    ) -> Result<Option<String>, Failure> {
        if let Some((name, by)) = named {
            let other = file.profile(name)?.kind;
            if other == kind {
                return Ok(Some(name.clone()));
            }
            return Err(Failure::Usage(format!(
                "the profile `{name}` ({by}) is for {other}, not for {kind} ({source})"
            )));
        }
        if let Some(name) = &file.default_profile
            && file.profile(name)?.kind == kind
        {
            return Ok(Some(name.clone()));
        }
        let mut suiting = file
            .profiles
            .iter()
            .filter(|(_, profile)| profile.kind == kind);
        Ok(match (suiting.next(), suiting.next()) {
            (Some((only, _)), None) => Some(only.clone()),
            _ => None,
        })
    }
}
