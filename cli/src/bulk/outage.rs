//! Outages: the option that limits a pause, its messages, and the command that resumes a run.

use std::time::Duration;

use clap::Args;
use org_invitations::{OutageEvent, OutageOptions};

use crate::{
    messages,
    output::{escape_control, shell_quote},
    provider::ProviderContext,
};

#[derive(Args, Clone, Debug)]
pub(crate) struct PauseOptions {
    /// How long the run pauses while the server cannot be reached, before it gives up.
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = humantime::parse_duration,
        default_value = "10m"
    )]
    pub give_up_after: Duration,
}

impl PauseOptions {
    /// The options for a run of the library. `println` prints a line on stderr.
    pub fn options(
        &self,
        name: impl Into<String>,
        println: impl Fn(&str) + Send + Sync + 'static,
    ) -> OutageOptions {
        let (name, pause) = (name.into(), self.duration_text());
        let options = OutageOptions::default().give_up_after(self.give_up_after);
        options.observer(move |event| match event {
            OutageEvent::Paused(error) => println(&format!(
                "{name}: the server cannot be reached; pausing for up to {pause}: {}",
                escape_control(&error.to_string())
            )),
            OutageEvent::Resumed => {
                println(&format!("{name}: the server is reachable again; resuming"))
            }
            OutageEvent::GaveUp(_) => println(&format!(
                "{name}: the server could not be reached for {pause}; stopping"
            )),
            _ => {}
        })
    }

    /// The options for a run on one provider, whose messages go to stderr.
    pub fn outage(&self, provider: &ProviderContext) -> OutageOptions {
        self.options(provider.name(), |line| eprintln!("{line}"))
    }

    fn duration_text(&self) -> String {
        humantime::format_duration(self.give_up_after).to_string()
    }
}

/// A run that never pauses, for read-only work.
pub(crate) fn never_pause() -> OutageOptions {
    OutageOptions::default().failures(usize::MAX)
}

/// This command line with one more flag, to resume a run.
pub(crate) fn rerun_command(flag: &str) -> String {
    // The command line of a server is not that of the command.
    if messages::are_captured() {
        return "the same call".to_owned();
    }
    let arguments = std::env::args_os().skip(1);
    let mut words: Vec<String> = arguments
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    // A URL may contain a password or a token.
    if words.iter().any(|word| word.contains("://")) {
        return match flag {
            "" => "the same command".to_owned(),
            flag => format!("the same command with `{flag}`"),
        };
    }
    if !flag.is_empty() && !words.iter().any(|word| word == flag) {
        words.push(flag.to_owned());
    }
    let words = words.iter().map(|word| match word.starts_with('-') {
        true => escape_control(word).into_owned(),
        false => shell_quote(word),
    });
    format!("org-invitations {}", words.collect::<Vec<_>>().join(" "))
}
