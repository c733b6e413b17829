//! How a command ends that did not do what was asked.

use std::{fmt, io, process::ExitCode};

use org_invitations::{Error, ErrorKind};

/// Why a command stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The library refused or failed.
    Library(Error),
    /// The command line asks for something that cannot be.
    Usage(String),
    /// What was asked has the answer no, and that was printed already.
    Negative,
    /// The machine did not let us.
    Io(io::Error),
}

impl Failure {
    /// Says it on stderr, and gives the exit code.
    pub fn report(&self) -> ExitCode {
        match self {
            // Whoever reads the output has had enough.
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return ExitCode::SUCCESS;
            }
            Self::Negative => {}
            _ => eprintln!("{self}"),
        }
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Library(error) if error.kind() == ErrorKind::Config => ExitCode::from(2),
            _ => ExitCode::from(1),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Library(error) => {
                write!(f, "error: {error}")?;
                for detail in error.details().iter().filter(|_| error.details().len() > 1) {
                    let text = detail.detail.as_deref().or(detail.title.as_deref());
                    let place = detail.pointer.as_deref().or(detail.parameter.as_deref());
                    let (text, place) = (text.unwrap_or("no reason given"), place.unwrap_or("-"));
                    write!(f, "\n  {place}: {text}")?;
                }
                if let Some(body) = error.body_excerpt().filter(|body| !body.is_empty()) {
                    write!(f, "\n  the answer begins: {body:?}")?;
                }
                match hint(error) {
                    Some(hint) => write!(f, "\nhint: {hint}"),
                    None => Ok(()),
                }
            }
            Self::Usage(message) => write!(f, "error: {message}"),
            Self::Io(error) => write!(f, "error: {error}"),
            Self::Negative => Ok(()),
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
            "`org-invitations --help` names the variables; `org-invitations demo` needs none"
        }
        ErrorKind::Unauthenticated => {
            "check the API key and its secret, and that the key is active"
        }
        ErrorKind::PermissionDenied => "the key's owner lacks the right to manage users",
        ErrorKind::AlreadyExists => "`org-invitations list --email ADDRESS` shows the invitation",
        ErrorKind::AlreadyAccepted => "the person is a member now; remove the member instead",
        ErrorKind::QuotaExceeded => {
            "delete invitations that nobody needs, or ask for a larger quota"
        }
        ErrorKind::RateLimited => "wait a little and repeat",
        ErrorKind::Connect => "check the network and the base URL",
        _ => return None,
    })
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
