//! InvitationSelector providers a command talks to, and with which profiles.

use clap::ValueEnum;
use org_invitations::ProviderKind;

use super::{ConfigFile, ConfigPath, Flags, ResolvedConfig, variable};
use crate::{
    cli::{GlobalOptions, ProviderName},
    failure::Failure,
    suggest::did_you_mean,
};

/// The configuration, and what was chosen from it.
#[derive(Debug)]
pub(crate) struct Selection {
    pub location: ConfigPath,
    pub file: Option<ConfigFile>,
    chosen: Vec<Selected>,
    flags: Flags,
}

/// A provider that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selected {
    /// The private one in memory.
    Sandbox,
    /// A real one.
    Vendor {
        kind: ProviderKind,
        /// The name of its profile, where it has one.
        profile: Option<String>,
        /// Who chose it.
        source: String,
    },
}

impl Selection {
    /// `--provider`, else the profile of `--profile`, else ORG_INVITATIONS_PROVIDER, else the profile of
    /// ORG_INVITATIONS_PROFILE, of `default_profile`, or the only one there is.
    pub(super) fn new(
        global: &GlobalOptions,
        location: ConfigPath,
        file: Option<ConfigFile>,
    ) -> Result<Self, Failure> {
        let mut selection = Self {
            location,
            file,
            chosen: Vec::new(),
            flags: Flags::default(),
        };
        selection.chosen = selection.choose(global)?;
        selection.flags = Flags::new(global, selection.chosen.len())?;
        Ok(selection)
    }

    /// The providers that were chosen, in order; none where nothing says which.
    pub fn chosen(&self) -> &[Selected] {
        &self.chosen
    }

    /// Both providers, each with what there is for it.
    pub fn everything(&self) -> Result<Vec<Selected>, Failure> {
        ProviderKind::ALL
            .into_iter()
            .map(|kind| self.vendor(kind, None, "set up".to_owned()))
            .collect()
    }

    /// The flags that say where a provider is, as they are given again in another command.
    pub fn repeated_flags(&self) -> String {
        self.flags.repeated()
    }

    /// The values of a provider, and where each comes from.
    pub fn layers(
        &self,
        kind: ProviderKind,
        profile: Option<&str>,
    ) -> Result<ResolvedConfig, Failure> {
        let profile = match (profile, &self.file) {
            (Some(name), Some(file)) => Some((name, file.profile(name)?, file.path.as_path())),
            _ => None,
        };
        ResolvedConfig::new(kind, &self.flags, profile, self.location.path.as_ref())
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
                // Of several, a profile is for the one that it is for.
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
            return Ok(vec![self.by_profile(&name, source)?]);
        }
        if let Some(word) = variable("ORG_INVITATIONS_PROVIDER")? {
            let name = ProviderName::from_str(&word, true).map_err(|_| {
                let known = ["confluent", "clickhouse", "sandbox"];
                let guess = did_you_mean(&word, known);
                let known = "the providers are confluent, clickhouse and sandbox";
                Failure::Usage(format!(
                    "ORG_INVITATIONS_PROVIDER is {word:?}; {known}{guess}"
                ))
            })?;
            let named = self.named_profile(global)?;
            let source = "environment ORG_INVITATIONS_PROVIDER";
            return Ok(vec![self.by_name(name, named.as_ref(), source)?]);
        }
        if let Some((name, source)) = self.named_profile(global)? {
            return Ok(vec![self.by_profile(&name, source)?]);
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

    /// The profile that was asked for by name, and by whom.
    fn named_profile(
        &self,
        global: &GlobalOptions,
    ) -> Result<Option<(String, &'static str)>, Failure> {
        let (name, source) = match (&global.profile, variable("ORG_INVITATIONS_PROFILE")?) {
            (Some(name), _) => (name.clone(), "flag --profile"),
            (None, Some(name)) => (name, "environment ORG_INVITATIONS_PROFILE"),
            (None, None) => return Ok(None),
        };
        match &self.file {
            Some(file) => file.profile(&name).map(|_| Some((name, source))),
            None => {
                let path = self.location.path.as_ref();
                let place = path.map_or_else(String::new, |path| format!(" {}", path.display()));
                let missing = format!(
                    "the profile `{name}` ({source}) is nowhere: there is no configuration file{place}"
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
        named: Option<&(String, &'static str)>,
        source: &str,
    ) -> Result<Selected, Failure> {
        match name.kind() {
            None => Ok(Selected::Sandbox),
            Some(kind) => self.vendor(kind, named, source.to_owned()),
        }
    }

    /// A provider with the profile that was named if it is for it, else the default, else the only one
    /// that is for it.
    fn vendor(
        &self,
        kind: ProviderKind,
        named: Option<&(String, &'static str)>,
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
        named: Option<&(String, &'static str)>,
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
