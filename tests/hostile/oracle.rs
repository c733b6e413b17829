//! Compares what was reported about a person with what the server holds.

use std::fmt;

use org_invitations::{
    CreateResult, DeleteResult, Error, ErrorKind, Invitation, Result, StepResult,
};

use crate::server::{Organisation, Origin, Record, Status};

/// What the library reported about one person.
#[derive(Clone, Debug)]
pub enum Reported {
    /// Invited by this call.
    Created {
        id: String,
        email: String,
    },
    /// This invitation is there, whoever made it.
    Found {
        id: String,
        email: String,
    },
    /// Invited or a member already; `ambiguous` says that this call may have created it.
    AlreadyExists {
        ambiguous: bool,
    },
    /// Failed; `ambiguous` says that it may have been executed.
    Failed {
        kind: ErrorKind,
        ambiguous: bool,
    },
    /// Withdrawn on the way to being invited again.
    Withdrawn {
        ambiguous: bool,
    },
    Deleted,
    /// There was nothing to delete.
    NotFound,
    /// Nothing was sent.
    NotAttempted,
}

impl fmt::Display for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sure = |ambiguous: &bool| {
            if *ambiguous {
                "maybe"
            } else {
                "surely not done"
            }
        };
        match self {
            Self::Created { id, .. } => write!(f, "invited ({})", short(id)),
            Self::Found { id, .. } => write!(f, "found ({})", short(id)),
            Self::AlreadyExists { ambiguous: false } => write!(f, "there already"),
            Self::AlreadyExists { ambiguous: true } => {
                write!(f, "there already, maybe by this call")
            }
            Self::Failed { kind, ambiguous } => write!(f, "{kind:?}, {}", sure(ambiguous)),
            Self::Withdrawn { ambiguous } => write!(f, "withdrawn, create {}", sure(ambiguous)),
            Self::Deleted => write!(f, "deleted"),
            Self::NotFound => write!(f, "nothing to delete"),
            Self::NotAttempted => write!(f, "not attempted"),
        }
    }
}

/// The id without the tail that all ids of ClickHouse have.
fn short(id: &str) -> &str {
    id.split("-0000-").next().unwrap_or(id)
}

impl From<Error> for Reported {
    fn from(error: Error) -> Self {
        let ambiguous = error.may_have_executed();
        match error.kind() {
            ErrorKind::AlreadyExists => Self::AlreadyExists { ambiguous },
            kind => Self::Failed { kind, ambiguous },
        }
    }
}

impl Reported {
    /// Of a create.
    pub fn of_create(result: Result<Invitation>) -> Self {
        match result {
            Ok(invitation) => Self::Created {
                id: invitation.id.as_str().to_owned(),
                email: invitation.email,
            },
            Err(error) => error.into(),
        }
    }

    /// Of a call that returns what is there.
    pub fn of_find(result: Result<Invitation>) -> Self {
        match result {
            Ok(invitation) => Self::Found {
                id: invitation.id.as_str().to_owned(),
                email: invitation.email,
            },
            Err(error) => error.into(),
        }
    }

    /// Of a delete.
    pub fn of_delete(result: Result<()>) -> Self {
        match result {
            Ok(()) => Self::Deleted,
            Err(error) if error.kind() == ErrorKind::NotFound && !error.may_have_executed() => {
                Self::NotFound
            }
            Err(error) => error.into(),
        }
    }

    /// Of an item of `create_many`.
    pub fn of_created(created: CreateResult) -> Self {
        match created {
            CreateResult::Created(invitation) => Self::of_create(Ok(*invitation)),
            CreateResult::AlreadyExists(error) => Self::AlreadyExists {
                ambiguous: error.may_have_executed(),
            },
            CreateResult::Failed(error) => error.into(),
            _ => Self::NotAttempted,
        }
    }

    /// Of an item of `delete_many`.
    pub fn of_deleted(deleted: DeleteResult) -> Self {
        match deleted {
            DeleteResult::Deleted => Self::Deleted,
            DeleteResult::NotFound => Self::NotFound,
            DeleteResult::Failed(error) => error.into(),
            _ => Self::NotAttempted,
        }
    }

    /// Of a step of a plan.
    pub fn of_step(result: StepResult) -> Self {
        match result {
            StepResult::Invited(invitation) => Self::of_create(Ok(*invitation)),
            StepResult::Kept => Self::AlreadyExists { ambiguous: false },
            StepResult::Removed => Self::Deleted,
            StepResult::Failed(error) => Self::Failed {
                kind: error.kind(),
                ambiguous: error.may_have_executed(),
            },
            StepResult::Lost(error) => Self::Withdrawn {
                ambiguous: error.may_have_executed(),
            },
            _ => Self::NotAttempted,
        }
    }

    /// Whether a caller takes the person for invited, or for a member.
    pub fn is_there(&self) -> bool {
        matches!(
            self,
            Self::Created { .. } | Self::Found { .. } | Self::AlreadyExists { ambiguous: false }
        )
    }

    /// Whether the outcome is left open.
    pub fn is_ambiguous(&self) -> bool {
        matches!(
            self,
            Self::AlreadyExists { ambiguous: true }
                | Self::Failed {
                    ambiguous: true,
                    ..
                }
                | Self::Withdrawn { ambiguous: true }
        )
    }
}

/// The state of one person, as the server holds it.
pub fn truth(organisation: &Organisation, email: &str) -> String {
    let live = organisation.live_of(email);
    let ids: Vec<&str> = live.iter().map(|record| short(&record.id)).collect();
    let member = if organisation.is_member(email) {
        ", member"
    } else {
        ""
    };
    format!(
        "invitations [{}], made {}{member}",
        ids.join(" "),
        organisation.made(email)
    )
}

/// What is wrong with a report about creating an invitation for a person who had none, or had `before`.
pub fn creation(organisation: &Organisation, email: &str, said: &Reported) -> Vec<String> {
    let live = organisation.live_of(email);
    let made = organisation.made(email);
    let member = organisation.is_member(email);
    let mut wrong = Vec::new();
    match said {
        Reported::Created { id, email: named } | Reported::Found { id, email: named } => {
            if !named.eq_ignore_ascii_case(email) {
                wrong.push(format!("success about {named}"));
            }
            match live.as_slice() {
                [] => wrong.push("success, none exists".to_owned()),
                [one] if one.id != *id => wrong.push("success about another id".to_owned()),
                [one] => {
                    if matches!(said, Reported::Created { .. }) && one.origin == Origin::Seed {
                        wrong.push("claims what somebody else made".to_owned());
                    }
                }
                more => wrong.push(format!("success, {} exist", more.len())),
            }
        }
        Reported::AlreadyExists { ambiguous } => {
            if live.is_empty() && !member {
                wrong.push("said there, is not invited".to_owned());
            }
            if !ambiguous && live.len() > 1 {
                wrong.push(format!("said there, {} exist", live.len()));
            }
        }
        Reported::Failed {
            ambiguous: false, ..
        } if made > 0 => {
            wrong.push("surely not done, committed".to_owned());
        }
        Reported::NotAttempted if made > 0 => wrong.push("not attempted, committed".to_owned()),
        Reported::Deleted | Reported::NotFound | Reported::Withdrawn { .. } => {
            wrong.push("not the report of a create".to_owned())
        }
        _ => {}
    }
    wrong
}

/// The same, for a call that reports `AlreadyExists` with a promise that it made nothing.
pub fn promised_creation(organisation: &Organisation, email: &str, said: &Reported) -> Vec<String> {
    let mut wrong = creation(organisation, email, said);
    let made = organisation.made(email);
    if matches!(said, Reported::AlreadyExists { ambiguous: false }) && made > 0 {
        wrong.push("said made by somebody else, made by this call".to_owned());
    }
    wrong
}

/// What is wrong with a report about deleting the invitation with this id.
pub fn deletion(organisation: &Organisation, id: &str, said: &Reported) -> Vec<String> {
    let live = organisation.live().iter().any(|record| record.id == id);
    match said {
        Reported::Deleted if live => vec!["said deleted, still there".to_owned()],
        Reported::NotFound if live => vec!["said missing, still there".to_owned()],
        Reported::Failed {
            ambiguous: false,
            kind,
        } if !live && *kind != ErrorKind::NotFound => {
            vec!["surely not done, deleted".to_owned()]
        }
        Reported::NotAttempted if !live => vec!["not attempted, deleted".to_owned()],
        Reported::Created { .. } | Reported::Found { .. } | Reported::AlreadyExists { .. } => {
            vec!["not the report of a delete".to_owned()]
        }
        _ => Vec::new(),
    }
}

/// What is wrong with a report about renewing the invitation with this id.
pub fn renewal(
    organisation: &Organisation,
    email: &str,
    old: &str,
    said: &Reported,
) -> Vec<String> {
    let live = organisation.live_of(email);
    let old_is_live = live.iter().any(|record| record.id == old);
    let made = organisation.made(email);
    let current = |record: &&Record| record.id != old && record.status != Status::Expired;
    let mut wrong = Vec::new();
    match said {
        Reported::Created { id, email: named } | Reported::Found { id, email: named } => {
            if !named.eq_ignore_ascii_case(email) {
                wrong.push(format!("success about {named}"));
            }
            match live.as_slice() {
                [] => wrong.push("said renewed, none exists".to_owned()),
                [one] if one.id == old => {
                    wrong.push("said renewed, only the old one exists".to_owned())
                }
                [one] if one.id != *id => wrong.push("success about another id".to_owned()),
                [_] => {}
                more => wrong.push(format!("said renewed, {} exist", more.len())),
            }
        }
        Reported::AlreadyExists { .. } => {
            if live.is_empty() && !organisation.is_member(email) {
                wrong.push("lost, said kept".to_owned());
            } else if live.iter().find(current).is_none() && !organisation.is_member(email) {
                wrong.push("said kept, only the old one exists".to_owned());
            }
        }
        Reported::Failed { ambiguous, .. } => {
            if !ambiguous && made > 0 {
                wrong.push("surely not done, committed".to_owned());
            }
            if !ambiguous && !old_is_live {
                wrong.push("surely not done, the old one is deleted".to_owned());
            }
        }
        Reported::Withdrawn { ambiguous } => {
            if !ambiguous && made > 0 {
                wrong.push("create surely not done, committed".to_owned());
            }
            if old_is_live {
                wrong.push("said withdrawn, still there".to_owned());
            }
        }
        Reported::NotAttempted => {
            if !old_is_live || made > 0 {
                wrong.push("said not attempted, changed".to_owned());
            }
        }
        Reported::Deleted | Reported::NotFound => {
            wrong.push("not the report of a renewal".to_owned())
        }
    }
    wrong
}

/// What happened to people who were not asked for.
pub fn bystanders(organisation: &Organisation, asked: &[&str]) -> Vec<String> {
    let is_asked = |email: &str| asked.iter().any(|asked| asked.eq_ignore_ascii_case(email));
    let mut wrong: Vec<String> = organisation
        .removed()
        .iter()
        .filter(|email| !is_asked(email))
        .map(|email| format!("deleted {email}, who was not asked for"))
        .collect();
    for record in organisation.live() {
        if record.origin == Origin::Request && !is_asked(&record.email) {
            wrong.push(format!("invited {}, who was not asked for", record.email));
        }
    }
    wrong
}
