//! `config list`: the profiles and where their settings come from.

use clap::Args;
use org_invitations::ProviderKind;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::GlobalOptions,
    commands::doctor::ValueReport,
    config::{self, ResolvedConfig},
    failure::Failure,
    output::{Cell, LayoutOptions, Output, Record, SUCCESS},
};

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub layout: LayoutOptions,
}

/// A profile, or what the environment sets up without one.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Profile")]
pub(crate) struct ProfileRecord {
    /// The name of the profile; none for what the environment sets up.
    profile: Option<String>,
    /// Whether commands use the profile without --profile: `default_profile` of the file names it, or it is the only one.
    is_default: bool,
    /// `confluent` or `clickhouse`.
    provider: String,
    /// Every value that is set.
    values: Vec<ValueReport>,
}

impl ProfileRecord {
    fn new(profile: Option<&str>, is_default: bool, resolved: &ResolvedConfig) -> Self {
        Self {
            profile: profile.map(str::to_owned),
            is_default,
            provider: resolved.kind.to_string(),
            values: resolved.values.iter().map(ValueReport::new).collect(),
        }
    }

    /// The value of the first of these keys that is set, with its source unless that is the file.
    fn shown(&self, names: &[&str]) -> String {
        let is_named = |value: &&ValueReport| names.contains(&value.name.as_str());
        let Some(value) = self.values.iter().find(is_named) else {
            return String::new();
        };
        let text = match value.value.strip_prefix("[redacted], from ") {
            Some(place) => place,
            None if value.value == "[redacted]" => "set",
            None => &value.value,
        };
        match value.source.starts_with("profile ") {
            true if text == "set" => "in this file".to_owned(),
            true => text.to_owned(),
            false => format!("{text} ({})", value.source),
        }
    }
}

impl Record for ProfileRecord {
    const TABLE: &'static [&'static str] = &[
        "PROFILE",
        "PROVIDER",
        "ORGANIZATION",
        "KEY",
        "SECRET",
        "BASE URL",
    ];
    const CSV: &'static [&'static str] = &[
        "profile",
        "provider",
        "organization",
        "key",
        "secret",
        "base_url",
        "is_default",
    ];
    const WRAPPED: &'static [&'static str] = &["SECRET", "BASE URL", "KEY", "ORGANIZATION"];
    const DROPPED: &'static [&'static str] = &["BASE URL"];

    fn row(&self) -> Vec<Cell> {
        let mut cells: Vec<Cell> = self
            .line()
            .into_iter()
            .take(Self::TABLE.len())
            .map(Cell::new)
            .collect();
        if let Some(name) = self.profile.as_deref().filter(|_| self.is_default) {
            cells[0] = Cell::new(format!("{name} *")).styled(SUCCESS);
        }
        cells
    }

    fn line(&self) -> Vec<String> {
        vec![
            self.profile.clone().unwrap_or_default(),
            self.provider.clone(),
            self.shown(&["organization_id"]),
            self.shown(&["api_key", "sts.identity_pool_id"]),
            self.shown(&["api_secret", "access_token"]),
            self.shown(&["base_url"]),
            self.is_default.to_string(),
        ]
    }
}

pub(super) fn run(
    global: &GlobalOptions,
    args: &ListArgs,
    out: &mut Output,
) -> Result<(), Failure> {
    let selection = config::load(global)?;
    let mut profiles = Vec::new();
    if let Some(file) = &selection.file {
        let default = match (&file.default_profile, file.profiles.len()) {
            (Some(name), _) => Some(name.as_str()),
            (None, 1) => file.profiles.keys().next().map(String::as_str),
            (None, _) => None,
        };
        for (name, profile) in &file.profiles {
            let resolved = selection.resolve(profile.kind, Some(name))?;
            let is_default = default == Some(name);
            profiles.push(ProfileRecord::new(Some(name), is_default, &resolved));
        }
        if let Some(warning) = &file.warning {
            eprintln!("warning: {warning}");
        }
    }
    for kind in ProviderKind::ALL {
        let resolved = selection.resolve(*kind, None)?;
        if resolved.has_credential() {
            profiles.push(ProfileRecord::new(None, false, &resolved));
        }
    }
    if profiles.is_empty() {
        eprintln!("no profile is set up\nhint: `org-invitations config init` writes one");
    }
    let mut records = args.layout.listing(out.records(), None)?;
    for profile in profiles {
        records.push(profile)?;
    }
    records.finish_after(Ok(()))
}
