//! Failures of a command: messages, hints and exit codes.

use std::{borrow::Cow, fmt, io, process::ExitCode, sync::OnceLock};

use org_invitations::{Error, ErrorKind};

use crate::output::escape_control;

/// The one organisation that the command works on, for messages of what went wrong there.
static SELECTED: OnceLock<Selected> = OnceLock::new();

struct Selected {
    /// The name of its profile.
    profile: String,
    /// The flags with which another command reaches it.
    flags: String,
}

/// From now on, errors of the library begin with this profile, and hints repeat its flags. For a command that works on
/// one organisation.
pub(crate) fn name_profile(profile: &str, flags: String) {
    let profile = profile.to_owned();
    // A command selects once.
    let _ = SELECTED.set(Selected { profile, flags });
}

/// The exit codes of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Refused, failed, or done only in part.
    Failed = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// The credential is wrong or lacks a permission.
    Authentication = 3,
    /// What was asked for does not exist.
    NotFound = 4,
    /// Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    /// The exit code for an error of the library.
    pub fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Config => Self::Usage,
            // Input that the library rejects before sending is wrong usage; input that the server rejects may be valid
            // for another organisation.
            ErrorKind::InvalidInput if error.status().is_none() => Self::Usage,
            ErrorKind::Unauthenticated | ErrorKind::PermissionDenied => Self::Authentication,
            ErrorKind::NotFound => Self::NotFound,
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The library returned an error.
    Library(Box<Error>),
    /// The command line or the configuration is wrong.
    Usage(String),
    /// Something of the command itself failed.
    Other(String),
    /// Every message was printed already; only the exit code is left.
    AlreadyReported(Exit),
    /// The result cannot be written to stdout.
    Io(io::Error),
    /// Ctrl-C, and what it leaves undone.
    Interrupted(String),
}

impl Failure {
    /// The sandbox could not be started.
    pub fn sandbox_start(error: io::Error) -> Self {
        Self::Other(format!("cannot start the sandbox: {error}"))
    }

    /// The exit code; `None` when the reader of stdout closed the pipe, which is a success.
    pub fn exit(&self) -> Option<Exit> {
        Some(match self {
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => return None,
            Self::Library(error) => Exit::of(error),
            Self::Usage(_) => Exit::Usage,
            Self::AlreadyReported(exit) => *exit,
            Self::Io(_) | Self::Other(_) => Exit::Failed,
            Self::Interrupted(_) => Exit::Interrupted,
        })
    }

    /// The failure with the name of the organisation where it happened, for a command that works on two.
    pub fn at(self, name: String) -> Self {
        match self {
            Self::Library(error) => Self::from(error.with_provider(name)),
            failure => failure,
        }
    }

    /// Prints the failure on stderr.
    pub fn report(&self) {
        self.report_of(None);
    }

    /// Prints the failure on stderr, with the name of what failed.
    pub fn report_of(&self, name: Option<&str>) {
        let text = self.to_string();
        match (name, text.strip_prefix("error: ")) {
            (Some(name), Some(message)) => eprintln!("error: {}: {message}", escape_control(name)),
            _ if text.is_empty() => {}
            _ => eprintln!("{text}"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Library(error) => {
                write!(f, "error: ")?;
                if let Some(selected) = SELECTED.get() {
                    write!(f, "profile {}: ", escape_control(&selected.profile))?;
                }
                write!(f, "{}", escape_control(&error.to_string()))?;
                for detail in error.details().iter().filter(|_| error.details().len() > 1) {
                    let text = detail.detail.as_deref().or(detail.title.as_deref());
                    let place = detail.pointer.as_deref().or(detail.parameter.as_deref());
                    let (text, place) = (text.unwrap_or("no reason given"), place.unwrap_or("-"));
                    write!(f, "\n  {}: {}", escape_control(place), escape_control(text))?;
                }
                if let Some(body) = error.body_excerpt().filter(|body| !body.is_empty()) {
                    write!(
                        f,
                        "\n  the response starts with: {}",
                        escape_control(&format!("{body:?}"))
                    )?;
                }
                match hint(error) {
                    Some(hint) => write!(f, "\nhint: {}", with_flags(hint)),
                    None => Ok(()),
                }
            }
            Self::Usage(message) | Self::Other(message) => write!(f, "error: {message}"),
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Self::Io(error) => write!(f, "error: cannot print the result: {error}"),
            Self::Interrupted(left) if left.is_empty() => f.write_str("interrupted"),
            Self::Interrupted(left) => write!(f, "interrupted\n{left}"),
            Self::AlreadyReported(_) => Ok(()),
        }
    }
}

/// A hint whose commands reach the selected organisation.
fn with_flags(hint: &str) -> Cow<'_, str> {
    match SELECTED.get() {
        // `demo` needs no organisation.
        Some(Selected { flags, .. }) => {
            let commands = ["list", "doctor"];
            let with = |hint: String, command: &&str| {
                let own = format!("`org-invitations {command}");
                hint.replace(&own, &format!("`org-invitations {flags} {command}"))
            };
            Cow::Owned(commands.iter().fold(hint.to_owned(), with))
        }
        None => Cow::Borrowed(hint),
    }
}

fn hint(error: &Error) -> Option<&'static str> {
    Some(match error.kind() {
        _ if error.may_have_executed() => {
            "the outcome is unknown: check with `org-invitations list` before you repeat the command"
        }
        ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Transport => "try again later",
        ErrorKind::Config => {
            "`org-invitations doctor` shows the configuration; `org-invitations demo` needs none"
        }
        ErrorKind::Unauthenticated => {
            "check that the credential is right and active; \
             `org-invitations doctor` shows its source"
        }
        ErrorKind::PermissionDenied if is_about_another_organization(error) => {
            "check the organisation's id (`organization_id` of the profile, CLICKHOUSE_ORG_ID or \
             --organization-id), and that the key belongs to it; `org-invitations doctor` shows the sources"
        }
        ErrorKind::PermissionDenied => "the owner of the key lacks the permission to manage users",
        ErrorKind::InvalidInput if error.message().contains("assignedRoleIds") => {
            "this organisation has custom roles: pass roles by name or id with --role"
        }
        ErrorKind::NotFound => "`org-invitations list` shows the existing invitations",
        ErrorKind::AlreadyExists if error.message().contains("`") => return None,
        ErrorKind::AlreadyExists if is_about_a_member(error) => {
            "`org-invitations members get ADDRESS` shows the member; `members set-roles` changes the roles"
        }
        ErrorKind::AlreadyExists => {
            "`org-invitations list --email ADDRESS` shows the invitation; `renew` sends it again, \
             and `create --if-not-exists` succeeds with it"
        }
        ErrorKind::AlreadyAccepted => "the person is a member now; remove the member instead",
        ErrorKind::QuotaExceeded => {
            "delete invitations that are not needed, or request a larger quota"
        }
        ErrorKind::RateLimited => "wait and try again",
        ErrorKind::Connect => {
            "check the network and the base URL; `org-invitations doctor` tests the connection"
        }
        _ => return None,
    })
}

/// Whether the server says that the person exists, and not that there is an invitation.
fn is_about_a_member(error: &Error) -> bool {
    let message = error.message().to_lowercase();
    let says = |words: &str| message.contains(words);
    !says("invit") && (says("member") || says("user already exists"))
}

/// Whether the server says that what was asked for belongs to another organisation than the key.
fn is_about_another_organization(error: &Error) -> bool {
    let message = error
        .message()
        .to_lowercase()
        .replace("organisation", "organization");
    [
        "another organization",
        "different organization",
        "other organization",
    ]
    .iter()
    .any(|words| message.contains(words))
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Library(Box::new(error))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
