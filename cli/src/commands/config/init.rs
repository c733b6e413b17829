//! `config init`: writes a profile, with flags or with questions.

use std::path::Path;

use clap::{Args, ValueEnum};
use org_invitations::{BaseUrl, ProviderKind};

use crate::{
    cli::{GlobalOptions, ProviderName},
    config::{ConfigEdit, ConfigPath, NewProfile, SecretSource, connection_flags},
    failure::Failure,
    interrupt::Interrupt,
    output::{escape_control, shell_quote},
    prompt,
};

#[derive(Args, Debug)]
pub(crate) struct InitArgs {
    /// The name of the profile; --profile gives it too [default: the provider's name].
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// The id of the API key, which is no secret.
    #[arg(long, value_name = "ID")]
    pub api_key: Option<String>,
    #[command(flatten)]
    pub secret: SecretArgs,
    /// Make the profile the default one.
    #[arg(long)]
    pub default: bool,
    /// Replace the profile if it exists.
    #[arg(long)]
    pub force: bool,
}

/// Where the secret is found.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub(crate) struct SecretArgs {
    /// A command that prints the secret of the key.
    #[arg(long, value_name = "COMMAND")]
    pub secret_command: Option<String>,
    /// A file whose first line is the secret of the key.
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<String>,
    /// An environment variable that holds the secret of the key.
    #[arg(long, value_name = "VARIABLE")]
    pub secret_variable: Option<String>,
}

/// What Ctrl-C and a missing answer leave.
const UNCHANGED: &str = "nothing was written";

pub(super) async fn run(
    global: &GlobalOptions,
    args: InitArgs,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let mut edit = ConfigEdit::open(&ConfigPath::find(global.config_file.clone())?)?;
    let asks = prompt::is_interactive();
    let given_kind = given_kind(global)?;
    let given_name = given_name(global, args.name)?;
    if !asks {
        check_complete(global, given_kind, &args.api_key, &args.secret)?;
    }
    if let Some(name) = given_name.as_deref().filter(|_| !args.force) {
        refuse_existing(&edit, name)?;
    }
    let questions = Questions { interrupt };
    let path = edit.path().display().to_string();
    if given_kind.is_none() || args.api_key.is_none() || args.secret.source()?.is_none() {
        eprintln!("This writes a profile into {path}. Ctrl-C writes nothing.");
    }
    let kind = match given_kind {
        Some(kind) => kind,
        None => questions.provider().await?,
    };
    let name = match given_name {
        Some(name) => name,
        None if asks => questions.name(&edit, kind, args.force).await?,
        None => kind.to_string(),
    };
    if !args.force {
        refuse_existing(&edit, &name)?;
    }
    let organization_id = match (kind, &global.organization_id) {
        (ProviderKind::ClickHouse, None) => Some(
            questions
                .text("Id of the organisation (a UUID)", None)
                .await?,
        ),
        (ProviderKind::ClickHouse, given) => given.as_deref().map(|id| id.trim().to_owned()),
        (_, None) => None,
        (_, Some(_)) => {
            let message = "--organization-id has no effect on Confluent, where the API key belongs to one \
                           organisation; omit it";
            return Err(Failure::Usage(message.to_owned()));
        }
    };
    let api_key = match args.api_key {
        Some(key) => key.trim().to_owned(),
        None => {
            questions
                .text("Id of the API key (not its secret)", None)
                .await?
        }
    };
    let secret = match args.secret.source()? {
        Some(source) => source,
        None => questions.secret(&name).await?,
    };
    if let SecretSource::File(file) = &secret
        && !file.starts_with('~')
        && !Path::new(file).exists()
    {
        eprintln!("note: {} does not exist yet", escape_control(file));
    }
    if api_key.chars().any(char::is_control) {
        let message = "--api-key: the id of a key has no control characters. Nothing was written";
        return Err(Failure::Usage(message.to_owned()));
    }
    let profile = NewProfile {
        kind,
        organization_id,
        api_key,
        secret,
        base_url: base_url(global)?,
        connection: connection_flags(global)?,
    };
    let replaced = edit.has_profile(&name);
    let others = edit.file.as_ref().map_or(0, |file| file.profiles.len());
    edit.set_profile(&name, &profile)?;
    if args.default {
        edit.set_default(&name);
    }
    edit.save()?;
    let (done, quoted) = (
        if replaced { "replaced" } else { "wrote" },
        shell_quote(&name),
    );
    eprintln!("{done} the profile {} in {path}", escape_control(&name));
    let file = global.config_file.as_ref();
    let file = file.map_or_else(String::new, |file| {
        format!(" --config-file {}", shell_quote(&file.to_string_lossy()))
    });
    eprintln!("hint: `org-invitations{file} config test {quoted}` tests it");
    if others > usize::from(replaced) && !args.default {
        eprintln!("hint: `org-invitations{file} config use {quoted}` makes it the default one");
    }
    Ok(())
}

impl SecretArgs {
    /// The source that a flag names.
    fn source(&self) -> Result<Option<SecretSource>, Failure> {
        let command = self.secret_command.clone().map(SecretSource::Command);
        let file = self.secret_file.as_deref().map(secret_file).transpose()?;
        let variable = self.secret_variable.as_deref();
        let variable = variable.map(|name| variable_name(name).map(SecretSource::Variable));
        Ok(command.or(file).or(variable.transpose()?))
    }
}

/// A path as typed, made independent of the current folder.
fn secret_file(path: &str) -> Result<SecretSource, Failure> {
    if path.starts_with("~/") {
        return Ok(SecretSource::File(path.to_owned()));
    }
    let absolute = std::path::absolute(path)?;
    let text = absolute
        .to_str()
        .ok_or_else(|| Failure::Usage(format!("{}: the path is not UTF-8", absolute.display())))?;
    Ok(SecretSource::File(text.to_owned()))
}

/// Checks the name of a variable. The message does not quote it: it may be the secret itself.
fn variable_name(name: &str) -> Result<String, Failure> {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let is_name =
        name.chars().all(is_letter) && !name.starts_with(|letter: char| letter.is_ascii_digit());
    if name.is_empty() || !is_name {
        let message = "this is not the name of an environment variable, which has letters, digits and `_`; the \
                       secret itself is not written";
        return Err(Failure::Usage(message.to_owned()));
    }
    Ok(name.to_owned())
}

fn given_kind(global: &GlobalOptions) -> Result<Option<ProviderKind>, Failure> {
    if global.all_profiles {
        let message = "--all-profiles has no effect: `config init` writes one profile";
        return Err(Failure::Usage(message.to_owned()));
    }
    match global.provider.as_slice() {
        [] => Ok(None),
        [ProviderName::Sandbox] => {
            let message = "the sandbox needs no profile: `-p sandbox` uses it";
            Err(Failure::Usage(message.to_owned()))
        }
        [one] => Ok(one.kind()),
        _ => {
            let message = "a profile has one provider; pass --provider once";
            Err(Failure::Usage(message.to_owned()))
        }
    }
}

fn given_name(global: &GlobalOptions, name: Option<String>) -> Result<Option<String>, Failure> {
    let name = match (name, global.profile.as_slice()) {
        (None, []) => return Ok(None),
        (Some(name), []) => name,
        (None, [one]) => one.clone(),
        _ => {
            let message = "the name of the profile is given more than once";
            return Err(Failure::Usage(message.to_owned()));
        }
    };
    check_name(&name).map_err(|wrong| Failure::Usage(wrong.to_owned()))?;
    Ok(Some(name))
}

fn check_name(name: &str) -> Result<(), &'static str> {
    match name {
        "" => Err("the name of the profile is empty"),
        _ if name.starts_with('-') => Err("the name of a profile does not begin with `-`"),
        _ if name.chars().any(char::is_control) || name.trim() != name => {
            Err("the name of a profile has no control characters and no blanks around it")
        }
        _ => Ok(()),
    }
}

fn refuse_existing(edit: &ConfigEdit, name: &str) -> Result<(), Failure> {
    match edit.has_profile(name) {
        true => Err(Failure::Usage(format!(
            "{} has a profile {} already; choose another name, or pass --force to replace it. Nothing was written",
            edit.path().display(),
            escape_control(name)
        ))),
        false => Ok(()),
    }
}

/// Without a terminal, everything has to be given.
fn check_complete(
    global: &GlobalOptions,
    kind: Option<ProviderKind>,
    api_key: &Option<String>,
    secret: &SecretArgs,
) -> Result<(), Failure> {
    let is_clickhouse = kind == Some(ProviderKind::ClickHouse);
    let flags = [
        ("--provider", kind.is_none()),
        (
            "--organization-id",
            is_clickhouse && global.organization_id.is_none(),
        ),
        ("--api-key", api_key.is_none()),
        (
            "one of --secret-command, --secret-file and --secret-variable",
            secret.source()?.is_none(),
        ),
    ];
    let missing: Vec<&str> = flags
        .iter()
        .filter(|(_, is_missing)| *is_missing)
        .map(|(flag, _)| *flag)
        .collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Failure::Usage(format!(
            "cannot prompt: not a terminal; pass {}. Nothing was written",
            missing.join(", ")
        ))),
    }
}

fn base_url(global: &GlobalOptions) -> Result<Option<String>, Failure> {
    let Some(text) = global.base_url.as_deref() else {
        return Ok(None);
    };
    match BaseUrl::try_from(text) {
        Ok(_) => Ok(Some(text.trim().to_owned())),
        Err(error) => Err(Failure::Usage(format!("--base-url: {}", error.message()))),
    }
}

/// A variable for the secret of a profile, named after it: the vendor's own one would replace that of every profile.
fn default_variable(profile: &str) -> String {
    let letter = |letter: char| match letter.is_ascii_alphanumeric() {
        true => letter.to_ascii_uppercase(),
        false => '_',
    };
    let name: String = profile.chars().map(letter).collect();
    match name.starts_with(|first: char| first.is_ascii_digit()) {
        true => format!("P{name}_API_SECRET"),
        false => format!("{name}_API_SECRET"),
    }
}

/// The questions on a terminal.
struct Questions<'a> {
    interrupt: &'a Interrupt,
}

impl Questions<'_> {
    /// Asks until there is an answer; an empty one is the default.
    async fn text(&self, question: &str, default: Option<&str>) -> Result<String, Failure> {
        let shown = match default {
            Some(default) => format!("{question} [{default}]: "),
            None => format!("{question}: "),
        };
        loop {
            let answer = prompt::ask(&shown, UNCHANGED, self.interrupt).await?;
            match (answer.trim(), default) {
                ("", None) => {}
                ("", Some(default)) => return Ok(default.to_owned()),
                (answer, _) => return Ok(answer.to_owned()),
            }
        }
    }

    async fn provider(&self) -> Result<ProviderKind, Failure> {
        loop {
            let answer = self
                .text("Provider (confluent or clickhouse)", None)
                .await?;
            match ProviderName::from_str(&answer, true).map(ProviderName::kind) {
                Ok(Some(kind)) => return Ok(kind),
                _ => eprintln!("the providers are confluent and clickhouse"),
            }
        }
    }

    async fn name(
        &self,
        edit: &ConfigEdit,
        kind: ProviderKind,
        force: bool,
    ) -> Result<String, Failure> {
        let default = kind.as_str();
        let default = Some(default).filter(|name| force || !edit.has_profile(name));
        loop {
            let name = self.text("Name of the profile", default).await?;
            match check_name(&name) {
                Err(wrong) => eprintln!("{wrong}"),
                Ok(()) if !force && edit.has_profile(&name) => {
                    eprintln!("there is a profile {} already", escape_control(&name));
                }
                Ok(()) => return Ok(name),
            }
        }
    }

    async fn secret(&self, name: &str) -> Result<SecretSource, Failure> {
        let variable = default_variable(name);
        eprintln!(
            "Where is the secret of the key? Only its place is written.\n  \
             1  a command prints it, such as `pass show {}`\n  \
             2  a file holds it\n  \
             3  an environment variable holds it, such as {variable}",
            escape_control(name)
        );
        loop {
            match self.text("Choice", Some("1")).await?.as_str() {
                "1" => return Ok(SecretSource::Command(self.text("Command", None).await?)),
                "2" => return secret_file(&self.text("File", None).await?),
                "3" => break,
                _ => eprintln!("type 1, 2 or 3"),
            }
        }
        loop {
            let name = self.text("Variable", Some(&variable)).await?;
            match variable_name(&name) {
                Ok(name) => return Ok(SecretSource::Variable(name)),
                Err(Failure::Usage(wrong)) => eprintln!("{wrong}"),
                Err(failure) => return Err(failure),
            }
        }
    }
}
