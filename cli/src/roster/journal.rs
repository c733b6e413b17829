//! What an interrupted run did to whom, kept beside the roster.
//!
//! A line of JSON for each person, written and synced: after the provider's answer for who was invited, and before
//! the request for whose invitation is withdrawn to be made again. What was under way when a run was cut off is
//! found out by resuming: it lists the organisation again, and the provider refuses a second invitation. So the
//! journal adds only what a list cannot say: that a person who is not listed was invited by this run, having
//! accepted or declined meanwhile, or was withdrawn by it and is to be invited again.
//!
//! The file is locked as long as a run uses it, and is only ever added to.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use fs4::{FileExt, TryLockError};
use org_invitations::{
    Action, Invitation, InvitationId, InvitationStatus, NewInvitation, Plan, Previous, Renewal,
    normalize_email,
};
use serde::{Deserialize, Serialize};

use super::private_file;
use crate::{config::Account, failure::Failure, output::json_line};

/// The first line: what the run was about.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    /// Of this form.
    version: u32,
    /// Where people are invited: provider, organisation and endpoint.
    target: String,
    /// The id of the key. Another one may be of the same organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credential: Option<String>,
    /// The process that began the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
}

/// Any other line.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Person(Box<Entry>),
    Resumed(Resumed),
    Place(Place),
}

/// A person to whom something happened.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    email: String,
    id: InvitationId,
    #[serde(default, skip_serializing_if = "Event::is_invited")]
    event: Event,
    /// What makes the invitation again that is withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<NewInvitation>,
    /// The organisation, where the provider's answer names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
}

/// What tells the organisation of the run from others, whatever key asks for it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    /// Some of the invitations that were there at the beginning.
    seen: Vec<InvitationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
}

/// How many invitations of the beginning are noted.
const SEEN: usize = 100;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Event {
    /// The invitation was made.
    #[default]
    Invited,
    /// The invitation is about to be withdrawn, to be made again.
    Withdrawing,
}

impl Event {
    fn is_invited(&self) -> bool {
        *self == Self::Invited
    }
}

/// A process that goes on with the run.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resumed {
    pid: u32,
}

/// What the latest line of a person says.
#[derive(Debug)]
enum State {
    Invited,
    Withdrawing(Option<NewInvitation>),
}

/// A journal that is written.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    /// By address, as it is compared.
    people: HashMap<String, State>,
    /// Invitations of the organisation that the run is about.
    known: HashSet<InvitationId>,
    organization: Option<String>,
    credential: Option<String>,
    /// Whether it is to be deleted: it has nobody in it, or the run came to its end.
    is_of_no_use: bool,
    /// Whether a line may be there in part, so that none may follow.
    is_broken: bool,
}

/// How often a journal is looked for that others begin and delete meanwhile.
const ATTEMPTS: usize = 100;

/// What a journal changed in a plan.
#[derive(Debug, Default)]
pub(crate) struct Amended {
    /// How many were invited before the interruption, and are left alone.
    pub invited: usize,
    /// How many were withdrawn before the interruption, and are invited again.
    pub withdrawn: usize,
}

impl Journal {
    /// Begins a run, or goes on with the one that `path` is about.
    ///
    /// # Errors
    ///
    /// A journal that another process uses, that is there when it should not be, or that is about something else.
    pub fn open(path: &Path, account: &Account, resume: bool) -> Result<Self, Failure> {
        let header = Header {
            version: 1,
            target: account.target.clone(),
            credential: account.credential.clone(),
            pid: Some(std::process::id()),
        };
        for _ in 0..ATTEMPTS {
            let mut options = OpenOptions::new();
            let made = private_file::open(path, options.append(true).create_new(true));
            let (file, is_new) = match made {
                Ok(file) => (file, true),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    let mut options = OpenOptions::new();
                    match private_file::open(path, options.read(true).append(true)) {
                        Ok(file) => (file, false),
                        Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                        Err(error) => return Err(failed("write", path, &error)),
                    }
                }
                Err(error) => return Err(failed("write", path, &error)),
            };
            let lock = |error: &io::Error| failed("lock", path, error);
            match FileExt::try_lock(&file) {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(in_use(path)),
                Err(TryLockError::Error(error)) => return Err(lock(&error)),
            }
            // Between opening and locking, a run may have come to its end and deleted it.
            if !private_file::is_at(&file, path).map_err(|error| lock(&error))? {
                continue;
            }
            let journal = Self {
                path: path.to_owned(),
                file,
                people: HashMap::new(),
                known: HashSet::new(),
                organization: None,
                credential: None,
                is_of_no_use: is_new,
                is_broken: false,
            };
            return match (is_new, resume) {
                (true, _) => journal.begin(&header),
                (false, true) => journal.resume(&header),
                (false, false) => Err(Failure::Usage(format!(
                    "{} is the journal of a run that was interrupted: go on with `--resume`, or \
                     delete it",
                    path.display()
                ))),
            };
        }
        let gone = io::Error::other("it comes and goes; is it a link that leads nowhere?");
        Err(failed("open", path, &gone))
    }

    fn begin(mut self, header: &Header) -> Result<Self, Failure> {
        let begun = self.append(header);
        begun.map_err(|error| failed("write", &self.path, &error))?;
        Ok(self)
    }

    fn resume(mut self, header: &Header) -> Result<Self, Failure> {
        let path = self.path.clone();
        let wrong = |why: &str| {
            Failure::Usage(format!(
                "{}: {why}; to start afresh, delete it",
                path.display()
            ))
        };
        let is_file = self
            .file
            .metadata()
            .is_ok_and(|metadata| metadata.is_file());
        if !is_file {
            return Err(wrong("it is no journal"));
        }
        let mut text = Vec::new();
        let read = self.file.read_to_end(&mut text);
        read.map_err(|error| failed("read", &path, &error))?;
        // The last line may have been cut off.
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        if whole == 0 && !is_beginning_of_header(&text) {
            return Err(wrong("it is no journal"));
        }
        let cut = &text[..whole];
        let lines = std::str::from_utf8(cut).map_err(|_| wrong("it is no journal"))?;
        let mut lines = lines.lines();
        if let Some(first) = lines.next() {
            let known: Header =
                serde_json::from_str(first).map_err(|_| wrong("it is no journal"))?;
            if (known.version, &known.target) != (header.version, &header.target) {
                let target = &known.target;
                return Err(wrong(&format!(
                    "it is about {target}, not {}",
                    header.target
                )));
            }
            self.credential = known.credential;
        }
        for (index, line) in lines.enumerate() {
            let unreadable = |_| wrong(&format!("line {} cannot be read", index + 2));
            match serde_json::from_str(line).map_err(unreadable)? {
                Line::Resumed(_) => {}
                Line::Place(place) => {
                    self.known.extend(place.seen);
                    self.organization = self.organization.take().or(place.organization);
                }
                Line::Person(entry) => {
                    let state = match entry.event {
                        Event::Invited => State::Invited,
                        Event::Withdrawing => State::Withdrawing(entry.previous),
                    };
                    self.people.insert(normalize_email(&entry.email), state);
                    self.known.insert(entry.id);
                    self.organization = self.organization.take().or(entry.organization);
                }
            }
        }
        self.is_of_no_use = self.people.is_empty();
        let pid = std::process::id();
        let begun = self.file.set_len(whole as u64).and_then(|()| match whole {
            0 => self.append(header),
            _ => self.append(&Resumed { pid }),
        });
        begun.map_err(|error| failed("write", &path, &error))?;
        Ok(self)
    }

    /// Checks that the run that is gone on with was about the organisation in which these invitations are, and notes
    /// which it is.
    ///
    /// # Errors
    ///
    /// Another organisation; or, where nothing tells which it was, another key. A line that cannot be written.
    pub fn check_organization(
        &mut self,
        account: &Account,
        invitations: &[Invitation],
    ) -> Result<(), Failure> {
        let here = invitations.iter().find_map(organization_of);
        let wrong = match (&self.organization, &here) {
            (Some(known), Some(here)) if known != here => {
                format!("it is about the organisation {known}, not {here}")
            }
            (Some(_), Some(_)) => return Ok(()),
            _ if self.people.is_empty()
                || account.names_organization
                || self.credential == account.credential
                || invitations.iter().any(|one| self.known.contains(&one.id)) =>
            {
                self.organization = self.organization.take().or(here);
                return self.note_place(invitations);
            }
            _ => "it was written with another key, and nothing tells whether that is of the same \
                  organisation"
                .to_owned(),
        };
        let path = self.path.display();
        Err(Failure::Usage(format!(
            "{path}: {wrong}; to start afresh, delete it"
        )))
    }

    fn note_place(&mut self, invitations: &[Invitation]) -> Result<(), Failure> {
        if !self.known.is_empty() {
            return Ok(());
        }
        let ids = invitations.iter().map(|one| one.id.clone());
        let seen: Vec<InvitationId> = ids.take(SEEN).collect();
        if seen.is_empty() && self.organization.is_none() {
            return Ok(());
        }
        self.known.extend(seen.iter().cloned());
        let organization = self.organization.clone();
        let noted = self.append(&Place { seen, organization });
        noted.map_err(|error| failed("write", &self.path, &error))
    }

    /// Brings what an earlier run did into a plan: who was invited is left alone, and who was withdrawn is invited
    /// again, with the old options where the new ones are refused.
    pub fn amend(&self, plan: &mut Plan) -> Amended {
        let mut amended = Amended::default();
        for step in &mut plan.steps {
            if step.action != Action::Create {
                continue;
            }
            match self.people.get(&normalize_email(&step.email)) {
                Some(State::Invited) => {
                    step.action = Action::Keep;
                    step.reason = Some("invited before the interruption".to_owned());
                    amended.invited += 1;
                }
                Some(State::Withdrawing(previous)) => {
                    step.previous = previous.clone().map(Previous::new);
                    step.reason = Some("withdrawn before the interruption".to_owned());
                    amended.withdrawn += 1;
                }
                None => {}
            }
        }
        amended
    }

    /// Whom an earlier run withdrew, and nobody has invited since.
    pub fn withdrawn(&self, invitations: &[Invitation]) -> Vec<NewInvitation> {
        let mut withdrawn: HashMap<&str, &NewInvitation> = HashMap::new();
        for (address, state) in &self.people {
            if let State::Withdrawing(Some(previous)) = state {
                withdrawn.insert(address, previous);
            }
        }
        if withdrawn.is_empty() {
            return Vec::new();
        }
        // Some servers keep showing what was withdrawn.
        let is_open = |one: &&Invitation| one.status != Some(InvitationStatus::Deactivated);
        for one in invitations.iter().filter(is_open) {
            withdrawn.remove(normalize_email(&one.email).as_str());
        }
        withdrawn.into_values().cloned().collect()
    }

    /// Notes that a person was invited.
    pub fn invited(&mut self, email: &str, invitation: &Invitation) -> io::Result<()> {
        let organization = organization_of(invitation).filter(|_| self.organization.is_none());
        self.organization = self.organization.take().or_else(|| organization.clone());
        self.note(&Entry {
            email: email.to_owned(),
            id: invitation.id.clone(),
            event: Event::Invited,
            previous: None,
            organization,
        })
    }

    /// Notes that an invitation is about to be withdrawn, to be made again.
    pub fn withdrawing(&mut self, renewal: &Renewal) -> io::Result<()> {
        let previous = renewal.fallback.as_ref().unwrap_or(&renewal.new);
        self.note(&Entry {
            email: renewal.new.email.clone(),
            id: renewal.id.clone(),
            event: Event::Withdrawing,
            previous: Some(previous.clone()),
            organization: None,
        })
    }

    fn note(&mut self, entry: &Entry) -> io::Result<()> {
        if self.is_broken {
            return Err(io::Error::other("an earlier line could not be written"));
        }
        self.is_of_no_use = false;
        self.append(entry)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run is over: nothing is left to go on with.
    pub fn close(&mut self) {
        self.is_of_no_use = true;
    }

    /// One line, which is on the disk when this returns.
    fn append(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = Vec::new();
        json_line(&mut text, line)?;
        let written = self.file.write_all(&text);
        let written = written.and_then(|()| self.file.sync_data());
        self.is_broken = written.is_err();
        written
    }
}

/// Whether a first line that was cut off is one of a journal.
fn is_beginning_of_header(text: &[u8]) -> bool {
    const START: &[u8] = br#"{"version":1,"target":""#;
    let length = text.len().min(START.len());
    text[..length] == START[..length]
}

/// The organisation that an invitation names: Confluent's are in the resource names of its users.
fn organization_of(invitation: &Invitation) -> Option<String> {
    let references = [&invitation.user, &invitation.creator]
        .into_iter()
        .flatten();
    let mut names = references.filter_map(|reference| reference.resource_name.as_deref());
    names.find_map(|name| {
        let (_, rest) = name.split_once("/organization=")?;
        let id = rest.split('/').next().filter(|id| !id.is_empty())?;
        Some(id.to_owned())
    })
}

fn in_use(path: &Path) -> Failure {
    // On some systems what is locked cannot be read.
    let text = fs::read_to_string(path).unwrap_or_default();
    let latest = text.lines().rev().find_map(|line| {
        if let Ok(header) = serde_json::from_str::<Header>(line) {
            return header.pid;
        }
        let resumed = serde_json::from_str::<Resumed>(line).ok();
        resumed.map(|resumed| resumed.pid)
    });
    let who = latest.map_or("another process".to_owned(), |pid| {
        format!("the process {pid}")
    });
    Failure::Usage(format!(
        "{} is in use by {who}: let it come to its end, or stop it and go on with `--resume`. \
         Nothing was changed",
        path.display()
    ))
}

impl Drop for Journal {
    fn drop(&mut self) {
        // While it is locked, nobody else can have begun to use it.
        if self.is_of_no_use {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    Failure::Usage(format!("cannot {what} the journal {path}: {error}"))
}

#[cfg(test)]
mod tests;
