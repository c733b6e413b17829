//! Builds the providers that a command works on: one, or several of which the failure of one hides none of the others.

use org_invitations::ProviderKind;
use unicode_width::UnicodeWidthStr;

use crate::{
    cli::GlobalOptions,
    config::{self, PROVIDER_VARIABLE, Selected, Selection, name_some, required_variables},
    failure::{self, Failure},
    output::{Output, Record, Records},
    provider::{self, ProviderContext, selection_flags},
};

/// The providers that a command reads from: at least one.
pub(crate) struct Providers {
    /// Where the results of each provider come from.
    origins: Vec<Origin>,
    /// Each provider, or why it cannot be used.
    providers: Vec<Result<ProviderContext, Failure>>,
}

/// Where a result comes from.
pub(crate) struct Origin {
    /// The name of the provider in the output.
    pub label: String,
    /// The profile as a column of the output, where several profiles are selected.
    pub profile: Option<String>,
    /// What messages begin with, where several profiles are selected.
    pub name: Option<String>,
}

impl Providers {
    /// One provider that is built already.
    #[cfg(feature = "mcp")]
    pub fn of(provider: ProviderContext) -> Self {
        let origin = Origin {
            label: provider.label.clone(),
            profile: None,
            name: None,
        };
        Self {
            origins: vec![origin],
            providers: vec![Ok(provider)],
        }
    }

    /// The providers, and where the results of each come from.
    pub fn into_parts(self) -> (Vec<Origin>, Vec<Result<ProviderContext, Failure>>) {
        (self.origins, self.providers)
    }

    /// Whether several profiles are selected, whose rows begin with the profile.
    pub fn have_several_profiles(&self) -> bool {
        self.origins.iter().any(|origin| origin.name.is_some())
    }

    /// Begins tables and CSV with the profile, where several profiles are selected.
    pub fn with_profiles<'o, R: Record>(&self, records: Records<'o, R>) -> Records<'o, R> {
        let names = self
            .origins
            .iter()
            .filter_map(|origin| origin.profile.as_ref());
        match names.map(|name| name.width()).max() {
            Some(width) => records.with_profiles(width),
            None => records,
        }
    }

    /// Starts to print the records of all providers, with the columns that tell them apart.
    pub fn records<'o, R: Record>(&self, out: &'o mut Output) -> Records<'o, R> {
        let mut records = out.records();
        let first = self.origins.first().map(|origin| &origin.label);
        let is_one_vendor = self
            .origins
            .iter()
            .all(|origin| Some(&origin.label) == first);
        if is_one_vendor {
            records = records.without_first_column();
        } else if !self.have_several_profiles() {
            records = records.with_min_widths();
        }
        self.with_profiles(records)
    }

    /// Every provider.
    ///
    /// # Errors
    ///
    /// That of the first provider that cannot be used.
    pub fn all(self) -> Result<Vec<ProviderContext>, Failure> {
        self.providers.into_iter().collect()
    }
}

/// The commands that accept several profiles.
const SEVERAL: &str = "`list`, `members list`, `who`, `plan` and `doctor` accept several";

/// The one provider of a command, which is not built yet.
pub(crate) struct One {
    selection: Selection,
    chosen: Vec<Selected>,
}

/// Selects the provider of a command that works on one organisation.
///
/// # Errors
///
/// Several are selected, or the configuration is wrong.
pub(crate) fn select_one(global: &GlobalOptions) -> Result<One, Failure> {
    let selection = load(global)?;
    let chosen = selection.chosen_or_only_vendor()?;
    if chosen.len() > 1 {
        return Err(too_many(&selection, &chosen));
    }
    Ok(One { selection, chosen })
}

impl One {
    /// Builds the provider, whose profile later messages name.
    pub async fn connect(&self) -> Result<ProviderContext, Failure> {
        name_profile(&self.selection, &self.chosen);
        self.connect_one_of_two().await
    }

    /// Builds the provider of a command that works on two.
    pub async fn connect_one_of_two(&self) -> Result<ProviderContext, Failure> {
        let mut all = connect(&self.selection, &self.chosen).await?.all()?;
        let none = || Failure::Usage(no_provider_message(&self.selection));
        all.pop().ok_or_else(none)
    }
}

/// Builds the one provider that the command line selects.
pub(crate) async fn single(global: &GlobalOptions) -> Result<ProviderContext, Failure> {
    select_one(global)?.connect().await
}

fn too_many(selection: &Selection, chosen: &[Selected]) -> Failure {
    if !selection.has_several_profiles() {
        return Failure::Usage(
            "this command takes one provider; only `list`, `members list`, `who` and `doctor` accept \
             --provider more than once"
                .to_owned(),
        );
    }
    let profiles: Vec<&str> = chosen.iter().filter_map(Selected::profile).collect();
    Failure::Usage(format!(
        "this command works on one organisation, and {} profiles are selected: {}\nhint: choose one of them \
         with --profile; {SEVERAL}",
        profiles.len(),
        name_some(&profiles)
    ))
}

/// Builds every provider that the command line or the configuration selects. Of several, those that cannot be built
/// hide none of the others.
pub(crate) async fn selected(global: &GlobalOptions) -> Result<Providers, Failure> {
    let selection = load(global)?;
    let chosen = selection.chosen_or_only_vendor()?;
    name_profile(&selection, &chosen);
    connect(&selection, &chosen).await
}

/// Builds the provider, or the providers of several profiles, that the command line or the configuration selects.
pub(crate) async fn selected_by_profile(global: &GlobalOptions) -> Result<Providers, Failure> {
    let selection = load(global)?;
    let chosen = selection.chosen_or_only_vendor()?;
    if chosen.len() > 1 && !selection.has_several_profiles() {
        return Err(too_many(&selection, &chosen));
    }
    name_profile(&selection, &chosen);
    connect(&selection, &chosen).await
}

/// Names the profile of the only provider in later messages. Of several, each message has its own.
fn name_profile(selection: &Selection, chosen: &[Selected]) {
    if let [one] = chosen
        && let Some(profile) = one.profile()
    {
        let flags = selection_flags(profile, &selection.repeated_flags());
        failure::name_profile(profile, flags);
    }
}

fn load(global: &GlobalOptions) -> Result<Selection, Failure> {
    let selection = config::load(global)?;
    let file = selection.file.as_ref();
    if let Some(warning) = file.and_then(|file| file.warning.as_ref()) {
        eprintln!("warning: {warning}");
    }
    Ok(selection)
}

/// Builds every provider that the command line selects or, where it selects none, every configured one.
#[cfg(feature = "sql")]
pub(crate) async fn all_configured(
    global: &GlobalOptions,
) -> Result<Vec<ProviderContext>, Failure> {
    let is_selected =
        !global.provider.is_empty() || !global.profile.is_empty() || global.all_profiles;
    let (selection, chosen) = if is_selected {
        let selection = load(global)?;
        let chosen = selection.chosen_or_only_vendor()?;
        (selection, chosen)
    } else {
        let selection = config::load(global)?;
        let mut configured = Vec::new();
        for one in selection.all_providers()? {
            if let Some(kind) = one.kind()
                && !selection.resolve(kind, one.profile())?.is_empty()
            {
                configured.push(one);
            }
        }
        (selection, configured)
    };
    for one in &chosen {
        let same = chosen.iter().filter(|other| other.kind() == one.kind());
        let profiles: Vec<&str> = same.filter_map(Selected::profile).collect();
        if profiles.len() > 1 {
            return Err(Failure::Usage(format!(
                "`sql` takes one profile of each provider: choose --profile: {}",
                name_some(&profiles)
            )));
        }
    }
    connect(&selection, &chosen).await?.all()
}

async fn connect(selection: &Selection, chosen: &[Selected]) -> Result<Providers, Failure> {
    if chosen.is_empty() {
        return Err(Failure::Usage(no_provider_message(selection)));
    }
    let has_several_profiles = selection.has_several_profiles();
    let (mut origins, mut providers) = (Vec::new(), Vec::new());
    for one in chosen {
        let label = match one.kind() {
            Some(kind) => kind.to_string(),
            None => "sandbox".to_owned(),
        };
        let name = match one.profile() {
            Some(profile) => format!("profile {profile}"),
            None => label.clone(),
        };
        let name = Some(name).filter(|_| has_several_profiles);
        let mut provider = connect_one(selection, one, name.as_deref()).await;
        if chosen.len() == 1 {
            provider = Ok(provider?);
        }
        providers.push(provider);
        origins.push(Origin {
            label,
            profile: one
                .profile()
                .map(str::to_owned)
                .filter(|_| has_several_profiles),
            name,
        });
    }
    Ok(Providers { origins, providers })
}

async fn connect_one(
    selection: &Selection,
    selected: &Selected,
    name: Option<&str>,
) -> Result<ProviderContext, Failure> {
    let Selected::Vendor { kind, profile, .. } = selected else {
        return Ok(provider::sandbox().await?.audited(&selection.audit));
    };
    let resolved = selection.resolve(*kind, profile.as_deref())?;
    for warning in &resolved.warnings {
        match name {
            Some(name) => eprintln!("warning: {name}: {warning}"),
            None => eprintln!("warning: {warning}"),
        }
    }
    let mut context = provider::build(&resolved)?;
    context.profile.clone_from(profile);
    context.flags = selection.repeated_flags();
    Ok(context.audited(&selection.audit))
}

fn no_provider_message(selection: &Selection) -> String {
    let profiles = selection
        .file
        .as_ref()
        .filter(|file| !file.profiles.is_empty());
    let profiles = profiles.map_or_else(String::new, |file| {
        let names: Vec<&str> = file.profiles.keys().map(String::as_str).collect();
        let (path, names) = (file.path.display(), name_some(&names));
        format!("\n  or choose a profile of {path} with --profile: {names}")
    });
    let choose = format!(
        "pass `--provider confluent` or `--provider clickhouse`, or set {PROVIDER_VARIABLE}{profiles}"
    );
    if selection
        .vendors_set_up()
        .is_ok_and(|kinds| kinds.len() > 1)
    {
        return format!("no provider selected, and both vendors are set up\nhint: {choose}");
    }
    let confluent = required_variables(ProviderKind::Confluent);
    let clickhouse = required_variables(ProviderKind::ClickHouse);
    format!(
        "no provider selected\nhint: {choose}\n  credentials for Confluent are in {confluent}\n  \
         credentials for ClickHouse are in {clickhouse}\n  or write them into a profile with \
         `org-invitations config init`\n  without an account, try `org-invitations demo`"
    )
}
