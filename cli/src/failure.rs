//! How a command ends that did not do what was asked.

use std::{fmt, io, process::ExitCode};

use org_invitations::{Error, ErrorKind};

use crate::output::visible;

/// What the exit code of the command says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Refused, failed, or done only in part.
    Refused = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// The credential is wrong, or lacks the right.
    Authentication = 3,
    NotFound = 4,
    /// Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    /// What the exit code says after an error of the library.
    pub fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Config => Self::Usage,
            // What the server refuses may be right elsewhere; what we refuse was typed wrong.
            ErrorKind::InvalidInput if error.status().is_none() => Self::Usage,
            ErrorKind::Unauthenticated | ErrorKind::PermissionDenied => Self::Authentication,
            ErrorKind::NotFound => Self::NotFound,
            _ => Self::Refused,
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
    /// The library refused or failed.
    Library(Box<Error>),
    /// The command line or the configuration asks for something that cannot be.
    Usage(String),
    /// Something of ours failed.
    Other(String),
    /// What there is to say was said already.
    Said(Exit),
    /// The result cannot be printed.
    Io(io::Error),
    /// Ctrl-C, and what that left behind.
    Interrupted(String),
}

impl Failure {
    /// The sandbox does not start.
    pub fn no_sandbox(error: io::Error) -> Self {
        Self::Other(format!("cannot start the sandbox: {error}"))
    }

    /// What the exit code says; `None` when the reader of the output has had enough.
    pub fn exit(&self) -> Option<Exit> {
        Some(match self {
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => return None,
            Self::Library(error) => Exit::of(error),
            Self::Usage(_) => Exit::Usage,
            Self::Said(exit) => *exit,
            Self::Io(_) | Self::Other(_) => Exit::Refused,
            Self::Interrupted(_) => Exit::Interrupted,
        })
    }

    /// Says it on stderr.
    pub fn report(&self) {
        let text = self.to_string();
        if !text.is_empty() {
            eprintln!("{text}");
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Library(error) => {
                write!(f, "error: {}", visible(&error.to_string()))?;
                for detail in error.details().iter().filter(|_| error.details().len() > 1) {
                    let text = detail.detail.as_deref().or(detail.title.as_deref());
                    let place = detail.pointer.as_deref().or(detail.parameter.as_deref());
                    let (text, place) = (text.unwrap_or("no reason given"), place.unwrap_or("-"));
                    write!(f, "\n  {}: {}", visible(place), visible(text))?;
                }
                if let Some(body) = error.body_excerpt().filter(|body| !body.is_empty()) {
                    write!(
                        f,
                        "\n  the answer begins: {}",
                        visible(&format!("{body:?}"))
                    )?;
                }
                match hint(error) {
                    Some(hint) => write!(f, "\nhint: {hint}"),
                    None => Ok(()),
                }
            }
            Self::Usage(message) | Self::Other(message) => write!(f, "error: {message}"),
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Self::Io(error) => write!(f, "error: cannot print the result: {error}"),
            Self::Interrupted(left) if left.is_empty() => f.write_str("interrupted"),
            Self::Interrupted(left) => write!(f, "interrupted\n{left}"),
            Self::Said(_) => Ok(()),
        }
    }
}

fn hint(error: &Error) -> Option<&'static str> {
    Some(match error.kind() {
        _ if error.may_have_executed() => {
            "look with `org-invitations list` whether it was carried out before repeating it"
        }
        ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Transport => "repeat it later",
        ErrorKind::Config => {
            "`org-invitations demo` needs nothing; `org-invitations doctor` shows what is set up"
        }
        ErrorKind::Unauthenticated => {
            "check the credential, and that it is active; \
             `org-invitations doctor` shows where it comes from"
        }
        ErrorKind::PermissionDenied => "the key's owner lacks the right to manage users",
        ErrorKind::InvalidInput if error.message().contains("assignedRoleIds") => {
            "this organisation has custom roles: give roles by their ids, with --role-id"
        }
        ErrorKind::NotFound => "`org-invitations list` shows the invitations there are",
        ErrorKind::AlreadyExists => {
            "`org-invitations list --email ADDRESS` shows the invitation; `renew` sends it again, \
             and `create --if-absent` is content with it"
        }
        ErrorKind::AlreadyAccepted => "the person is a member now; remove the member instead",
        ErrorKind::QuotaExceeded => {
            "delete invitations that nobody needs, or ask for a larger quota"
        }
        ErrorKind::RateLimited => "wait a little and repeat",
        ErrorKind::Connect => "check the network and the base URL; `org-invitations doctor` tries",
        _ => return None,
    })
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
