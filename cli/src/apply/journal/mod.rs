//! The journal of a run: what an interrupted run did to each person.
//!
//! The journal has a line of JSON for each person. The run writes and syncs the line of a created invitation after the
//! provider's answer, and the line of a replaced invitation before the delete request. Requests that were in flight
//! when a run was cut off need no line: a resumed run lists the organisation again, and the provider rejects a second
//! invitation. So the journal adds only what a list cannot tell: that this run invited a person who is no longer
//! listed, because they accepted or declined meanwhile, or that it withdrew an invitation and did not create it again.
//!
//! A run locks the file for as long as it uses it, and only appends to it.

mod format;

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use fs4::{FileExt, TryLockError};
use org_invitations::{
    Action, Invitation, InvitationId, InvitationStatus, NewInvitation, Plan, Previous, Renewal,
    Roles, normalize_email,
};
use serde::Serialize;

pub(crate) use self::format::organization_of;
use self::format::{Entry, Event, Fingerprint, Header, Line, Resumed, is_partial_header};
use crate::{config::Account, failure::Failure, output::json_line, private_file};

/// The latest event of a person.
#[derive(Debug)]
enum State {
    Invited,
    Withdrawing(Option<NewInvitation>),
}

/// An open journal.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    /// By normalised address.
    people: HashMap<String, State>,
    /// Invitations of the organisation that the run is about.
    known_ids: HashSet<InvitationId>,
    organization: Option<String>,
    credential: Option<String>,
    /// Whether dropping the journal deletes the file: it names nobody, or the run is complete.
    delete_on_drop: bool,
    /// Whether the last line may be incomplete, so that no line may follow.
    is_broken: bool,
}

/// How often `open` tries again when other processes create and delete the file meanwhile.
const MAX_OPEN_ATTEMPTS: usize = 100;

/// How many steps of a plan the journal changed.
#[derive(Debug, Default)]
pub(super) struct Amended {
    /// People whom the interrupted run invited; the plan keeps their invitations.
    pub invited: usize,
    /// People whose invitation the interrupted run withdrew; the plan invites them again.
    pub withdrawn: usize,
}

impl Journal {
    /// Creates the journal of a new run or, with `resume`, opens the one of an interrupted run.
    ///
    /// # Errors
    ///
    /// Another process uses the journal; it exists although `resume` is not set; or it belongs to another target.
    pub fn open(path: &Path, account: &Account, resume: bool) -> Result<Self, Failure> {
        let header = Header {
            version: 1,
            target: account.target.clone(),
            credential: account.credential.clone(),
            pid: Some(std::process::id()),
        };
        for _ in 0..MAX_OPEN_ATTEMPTS {
            let mut options = OpenOptions::new();
            let made = private_file::open(path, options.append(true).create_new(true));
            let (file, is_new) = match made {
                Ok(file) => (file, true),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    let mut options = OpenOptions::new();
                    match private_file::open(path, options.read(true).append(true)) {
                        Ok(file) => (file, false),
                        Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                        Err(error) => return Err(io_failure("write", path, &error)),
                    }
                }
                Err(error) => return Err(io_failure("write", path, &error)),
            };
            let lock = |error: &io::Error| io_failure("lock", path, error);
            match FileExt::try_lock(&file) {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(in_use_error(path)),
                Err(TryLockError::Error(error)) => return Err(lock(&error)),
            }
            // Between opening and locking, another run may have completed and deleted the file.
            if !private_file::is_at(&file, path).map_err(|error| lock(&error))? {
                continue;
            }
            let journal = Self {
                path: path.to_owned(),
                file,
                people: HashMap::new(),
                known_ids: HashSet::new(),
                organization: None,
                credential: None,
                delete_on_drop: is_new,
                is_broken: false,
            };
            return match (is_new, resume) {
                (true, _) => journal.start(&header),
                (false, true) => journal.resume(&header),
                (false, false) => Err(Failure::Usage(format!(
                    "{} is the journal of an interrupted run: resume it with `--resume`, or delete it",
                    path.display()
                ))),
            };
        }
        let gone = io::Error::other("the file appears and disappears; is it a dangling link?");
        Err(io_failure("open", path, &gone))
    }

    fn start(mut self, header: &Header) -> Result<Self, Failure> {
        let started = self.append(header);
        started.map_err(|error| io_failure("write", &self.path, &error))?;
        Ok(self)
    }

    fn resume(mut self, header: &Header) -> Result<Self, Failure> {
        let path = self.path.clone();
        let wrong = |why: &str| {
            Failure::Usage(format!(
                "{}: {why}; to start a new run, delete it",
                path.display()
            ))
        };
        let is_file = self
            .file
            .metadata()
            .is_ok_and(|metadata| metadata.is_file());
        if !is_file {
            return Err(wrong("this is not a journal"));
        }
        let mut text = Vec::new();
        let read = self.file.read_to_end(&mut text);
        read.map_err(|error| io_failure("read", &path, &error))?;
        // The last line may be incomplete.
        let complete = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        if complete == 0 && !is_partial_header(&text) {
            return Err(wrong("this is not a journal"));
        }
        let lines = &text[..complete];
        let lines = std::str::from_utf8(lines).map_err(|_| wrong("this is not a journal"))?;
        let mut lines = lines.lines();
        if let Some(first) = lines.next() {
            let known: Header =
                serde_json::from_str(first).map_err(|_| wrong("this is not a journal"))?;
            if (known.version, &known.target) != (header.version, &header.target) {
                let target = &known.target;
                return Err(wrong(&format!(
                    "it belongs to {target}, not to {}",
                    header.target
                )));
            }
            self.credential = known.credential;
        }
        for (index, line) in lines.enumerate() {
            let unreadable = |_| wrong(&format!("line {} cannot be read", index + 2));
            match serde_json::from_str(line).map_err(unreadable)? {
                Line::Resumed(_) => {}
                Line::Fingerprint(fingerprint) => {
                    self.known_ids.extend(fingerprint.seen);
                    self.organization = self.organization.take().or(fingerprint.organization);
                }
                Line::Person(entry) => {
                    let state = match entry.event {
                        Event::Invited => State::Invited,
                        Event::Withdrawing => State::Withdrawing(entry.previous),
                    };
                    self.people.insert(normalize_email(&entry.email), state);
                    self.known_ids.insert(entry.id);
                    self.organization = self.organization.take().or(entry.organization);
                }
            }
        }
        self.delete_on_drop = self.people.is_empty();
        let pid = std::process::id();
        let started = self
            .file
            .set_len(complete as u64)
            .and_then(|()| match complete {
                0 => self.append(header),
                _ => self.append(&Resumed { pid }),
            });
        started.map_err(|error| io_failure("write", &path, &error))?;
        Ok(self)
    }

    /// Checks that the resumed run is about the organisation that has these invitations, and writes down which one
    /// that is.
    ///
    /// # Errors
    ///
    /// The run is about another organisation or, where nothing identifies its organisation, was started with another
    /// key; or the journal cannot be written.
    pub fn check_organization(
        &mut self,
        account: &Account,
        invitations: &[Invitation],
    ) -> Result<(), Failure> {
        let here = invitations.iter().find_map(organization_of);
        let wrong = match (&self.organization, &here) {
            (Some(known), Some(here)) if known != here => {
                format!("it belongs to the organisation {known}, not to {here}")
            }
            (Some(_), Some(_)) => return Ok(()),
            _ if self.people.is_empty()
                || account.names_organization()
                || self.credential == account.credential
                || invitations
                    .iter()
                    .any(|one| self.known_ids.contains(&one.id)) =>
            {
                self.organization = self.organization.take().or(here);
                return self.write_fingerprint(invitations);
            }
            _ => "it was written with another key, and nothing shows that both keys belong to the same \
                  organisation"
                .to_owned(),
        };
        let path = self.path.display();
        Err(Failure::Usage(format!(
            "{path}: {wrong}; to start a new run, delete it"
        )))
    }

    fn write_fingerprint(&mut self, invitations: &[Invitation]) -> Result<(), Failure> {
        if !self.known_ids.is_empty() {
            return Ok(());
        }
        let ids = invitations.iter().map(|one| one.id.clone());
        let seen: Vec<InvitationId> = ids.take(Fingerprint::MAX_INVITATIONS).collect();
        if seen.is_empty() && self.organization.is_none() {
            return Ok(());
        }
        self.known_ids.extend(seen.iter().cloned());
        let organization = self.organization.clone();
        let noted = self.append(&Fingerprint { seen, organization });
        noted.map_err(|error| io_failure("write", &self.path, &error))
    }

    /// Applies what the interrupted run did to a plan. Whoever it invited is kept; whoever it withdrew is invited
    /// again, with the previous options if the provider rejects the new ones.
    pub(super) fn amend(&self, plan: &mut Plan) -> Amended {
        let mut amended = Amended::default();
        for step in &mut plan.steps {
            let state = self.people.get(&normalize_email(&step.email));
            // The roles of a user are given after the create, so whoever is invited again may lack some.
            if let (Action::Keep, Some(State::Withdrawing(Some(previous)))) = (step.action, state)
                && let (Some(_), None, Some(Roles::Grants(roles))) =
                    (&step.member, &step.roles, &previous.roles)
                && !roles.is_empty()
            {
                step.action = Action::SetRoles;
                step.role_changes = roles.iter().map(|role| format!("+{role}")).collect();
                step.roles.clone_from(&previous.roles);
                step.reason = Some("withdrawn before the interruption".to_owned());
                amended.withdrawn += 1;
            }
            if step.action != Action::Create {
                continue;
            }
            match state {
                Some(State::Invited) => {
                    step.action = Action::Keep;
                    step.reason = Some("invited before the interruption".to_owned());
                    amended.invited += 1;
                }
                Some(State::Withdrawing(previous)) => {
                    let roles = previous
                        .as_ref()
                        .and_then(|previous| previous.roles.clone());
                    step.roles = step.roles.take().or(roles);
                    step.previous = previous.clone().map(Previous::new);
                    step.reason = Some("withdrawn before the interruption".to_owned());
                    amended.withdrawn += 1;
                }
                None => {}
            }
        }
        amended
    }

    /// People whom the interrupted run withdrew and who have no invitation now.
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
        // Some servers keep listing withdrawn invitations.
        let is_open = |one: &&Invitation| one.status != Some(InvitationStatus::Deactivated);
        for one in invitations.iter().filter(is_open) {
            withdrawn.remove(normalize_email(&one.email).as_str());
        }
        withdrawn.into_values().cloned().collect()
    }

    /// Writes down that a person was invited.
    pub fn record_invited(&mut self, email: &str, invitation: &Invitation) -> io::Result<()> {
        let organization = organization_of(invitation).filter(|_| self.organization.is_none());
        self.organization = self.organization.take().or_else(|| organization.clone());
        self.record(&Entry {
            email: email.to_owned(),
            id: invitation.id.clone(),
            event: Event::Invited,
            previous: None,
            organization,
        })
    }

    /// Writes down that an invitation is about to be withdrawn and created again.
    pub fn record_withdrawing(&mut self, renewal: &Renewal) -> io::Result<()> {
        let previous = renewal.fallback.as_ref().unwrap_or(&renewal.new);
        self.record(&Entry {
            email: renewal.new.email.clone(),
            id: renewal.id.clone(),
            event: Event::Withdrawing,
            previous: Some(previous.clone()),
            organization: None,
        })
    }

    fn record(&mut self, entry: &Entry) -> io::Result<()> {
        if self.is_broken {
            return Err(io::Error::other("an earlier line could not be written"));
        }
        self.delete_on_drop = false;
        self.append(entry)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Marks the run as complete, so that the file is deleted.
    pub fn complete(&mut self) {
        self.delete_on_drop = true;
    }

    /// Appends one line and syncs it to the disk.
    fn append(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = Vec::new();
        json_line(&mut text, line)?;
        let written = self.file.write_all(&text);
        let written = written.and_then(|()| self.file.sync_data());
        self.is_broken = written.is_err();
        written
    }
}

fn in_use_error(path: &Path) -> Failure {
    // Some systems do not allow to read a locked file.
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
        "{} is in use by {who}: wait for its end, or stop it and use `--resume`. Nothing was changed",
        path.display()
    ))
}

impl Drop for Journal {
    fn drop(&mut self) {
        // The file is still locked, so no other process can use it.
        if self.delete_on_drop {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn io_failure(what: &str, path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    Failure::Usage(format!("cannot {what} the journal {path}: {error}"))
}

#[cfg(test)]
mod tests;
