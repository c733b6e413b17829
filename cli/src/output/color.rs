//! Whether output is coloured, and with which styles.

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use org_invitations::InvitationStatus;

/// When output is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set or TERM is `dumb`.
    #[default]
    Auto,
    /// Always, even if NO_COLOR is set.
    Always,
    /// Never.
    Never,
}

impl ColorChoice {
    /// Whether to colour a stream.
    pub fn is_enabled(self, is_terminal: bool) -> bool {
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

    /// Finds `--color` on the unparsed command line, for the help that clap prints while it parses.
    pub fn from_args(args: impl Iterator<Item = String>) -> Self {
        let mut args = args.skip_while(|word| !word.starts_with("--color"));
        let given = args.next().unwrap_or_default();
        let value = match given.strip_prefix("--color=") {
            Some(value) => Some(value.to_owned()),
            None => args.next(),
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
