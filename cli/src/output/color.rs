//! Whether to print in colours, and which.

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use org_invitations::InvitationStatus;

/// When there are colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set or TERM is `dumb`.
    #[default]
    Auto,
    /// Always: what is asked for here counts more than NO_COLOR.
    Always,
    /// Never.
    Never,
}

impl ColorChoice {
    /// Whether a stream that is a terminal, or is not, gets colours.
    pub fn on(self, is_terminal: bool) -> bool {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                is_terminal
                    && !is_set("NO_COLOR")
                    && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }

    /// What the words on the command line say, for the help that is printed before they are parsed.
    pub fn among(words: impl Iterator<Item = String>) -> Self {
        let mut words = words.skip_while(|word| !word.starts_with("--color"));
        let given = words.next().unwrap_or_default();
        let value = match given.strip_prefix("--color=") {
            Some(value) => Some(value.to_owned()),
            None => words.next(),
        };
        value
            .and_then(|value| Self::from_str(&value, true).ok())
            .unwrap_or_default()
    }
}

impl From<ColorChoice> for clap::ColorChoice {
    fn from(choice: ColorChoice) -> Self {
        match choice {
            ColorChoice::Auto => Self::Auto,
            ColorChoice::Always => Self::Always,
            ColorChoice::Never => Self::Never,
        }
    }
}

/// The header of a table.
pub(super) const HEADER: Style = Style::new().bold();

/// Success, or nothing to worry about.
pub(crate) const SUCCESS: Style = AnsiColor::Green.on_default();

/// Something that needs attention.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default();

/// A failure, or something that no longer works.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default();

/// The style of a status.
pub(super) fn of_status(status: &InvitationStatus) -> Option<Style> {
    Some(match status {
        InvitationStatus::Sent => SUCCESS,
        InvitationStatus::Staged => WARNING,
        InvitationStatus::Expired => ERROR,
        InvitationStatus::Deactivated => Style::new().dimmed(),
        InvitationStatus::Accepted => AnsiColor::Blue.on_default(),
        _ => return None,
    })
}
