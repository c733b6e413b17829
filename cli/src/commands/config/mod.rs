//! `config`: sets up the profiles of the configuration file.

mod init;
mod list;

use clap::{Args, Subcommand};

pub(crate) use self::list::ProfileRecord;
use self::{init::InitArgs, list::ListArgs};
use super::doctor;
use crate::{
    cli::GlobalOptions,
    completion,
    config::{ConfigEdit, ConfigFile, ConfigPath},
    failure::Failure,
    interrupt::Interrupt,
    output::{Output, escape_control, shell_quote},
};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Write a profile into the configuration file. On a terminal, asks for what is missing.
    #[command(after_help = "\
Examples:
  org-invitations config init               # asks
  org-invitations config init kafka -p confluent --api-key ABCDEFGH12345678 \\
    --secret-command 'pass show confluent/api-secret'
  org-invitations config init warehouse -p clickhouse \\
    --organization-id 11111111-2222-3333-4444-555555555555 \\
    --api-key abcdefgh --secret-file ~/clickhouse.secret

The secret itself is never written, nor is it a flag: the profile says where to find
it, which is the output of a command, a file or an environment variable. --base-url,
--ca-file, --proxy and --timeout become settings of the profile. Everything else in
the file stays as it is, comments too; only its owner may read it. Other ways to log
in (an access token, an identity pool) are keys that `schema config` describes.")]
    Init(InitArgs),
    /// List the profiles, with the source of each setting.
    #[command(after_help = "\
Examples:
  org-invitations config list
  org-invitations config list -o json | jq '.[] | {profile, values}'

The default profile has a star. A setting that does not come from the file has its
source behind it, such as a variable of the environment that overrides the profile;
json has the source of every setting. Secrets are never shown. Nothing is sent.")]
    List(ListArgs),
    /// Choose the default profile: the one that commands use without --profile.
    #[command(after_help = "Example:\n  org-invitations config use kafka")]
    Use(UseArgs),
    /// Test profiles: whether the server responds, accepts the key, and tells its rights.
    #[command(after_help = "\
Examples:
  org-invitations config test               # every profile
  org-invitations config test kafka -o json

Sends what `doctor` sends, which changes nothing, and prints what `doctor` prints.
Without profiles in the file, it tests what the environment sets up.

Exit codes: those of `doctor`.")]
    Test(TestArgs),
}

#[derive(Args, Debug)]
pub(crate) struct UseArgs {
    /// The profile.
    #[arg(value_name = "NAME", add = completion::profiles())]
    pub name: String,
}

#[derive(Args, Debug)]
pub(crate) struct TestArgs {
    /// The profiles; without one, every profile of the file.
    #[arg(value_name = "NAME", add = completion::profiles())]
    pub names: Vec<String>,
}

pub(crate) async fn run(
    global: &GlobalOptions,
    command: ConfigCommand,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    match command {
        ConfigCommand::Init(args) => init::run(global, args, interrupt).await,
        ConfigCommand::List(args) => {
            global.reject_connection_flags("`config list` shows every profile")?;
            list::run(global, &args, out)
        }
        ConfigCommand::Use(args) => {
            global.reject_connection_flags("`config use` takes the name of a profile")?;
            choose_default(global, &args.name)
        }
        ConfigCommand::Test(args) => test(global, args, interrupt, out).await,
    }
}

fn choose_default(global: &GlobalOptions, name: &str) -> Result<(), Failure> {
    let mut edit = ConfigEdit::open(&ConfigPath::find(global.config_file.clone())?)?;
    let path = edit.path().display().to_string();
    let Some(file) = &edit.file else {
        return Err(Failure::Usage(format!(
            "there is no profile {}: there is no configuration file {path}\nhint: `org-invitations \
             config init` writes one",
            shell_quote(name)
        )));
    };
    file.profile(name)?;
    if file.default_profile.as_deref() == Some(name) {
        eprintln!(
            "the profile {} is the default one already",
            escape_control(name)
        );
        return Ok(());
    }
    edit.set_default(name);
    edit.save()?;
    eprintln!(
        "the profile {} is the default one now, in {path}",
        escape_control(name)
    );
    Ok(())
}

/// `doctor` for the named profiles, else for every profile.
async fn test(
    global: &GlobalOptions,
    args: TestArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut global = global.clone();
    if !args.names.is_empty() {
        global.reject_selecting_flags("`config test` takes the names of profiles")?;
        global.profile = args.names;
    } else if global.profile.is_empty() && global.provider.is_empty() {
        let file = ConfigFile::read(&ConfigPath::find(global.config_file.clone())?)?;
        global.all_profiles |= file.is_some_and(|file| !file.profiles.is_empty());
    }
    doctor::run(&global, interrupt, out).await
}
