//! The printed form of steps and their outcomes.

use org_invitations::{Action, ApiKey, Error, NewInvitation, Step, StepOutcome, StepResult};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    bulk::OwnedKeys,
    output::{Cell, ERROR, Record, SUCCESS, WARNING},
    provider::ProviderContext,
    providers::Origin,
    roster::roles_cell,
};

/// A step of a plan.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Step")]
pub(crate) struct StepRecord {
    /// The line of the roster, from 1; none if the person is not in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(flatten)]
    step: Step,
    /// The provider, if several profiles are selected, or if it is not the one that people are invited to.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    /// The profile of that provider, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    /// The API keys that are deleted with a member, if they could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_keys: Option<Vec<ApiKey>>,
}

impl StepRecord {
    /// `lines` holds the line of each row.
    pub fn new(mut step: Step, lines: &[usize]) -> Self {
        let line = step.row.take().and_then(|row| lines.get(row).copied());
        Self {
            line,
            step,
            provider: None,
            profile: None,
            api_keys: None,
        }
    }

    /// The step as one of several organisations' steps, if several profiles are selected.
    pub fn of(mut self, origin: Option<&Origin>) -> Self {
        if let Some(origin) = origin.filter(|origin| origin.profile.is_some()) {
            self.provider = Some(origin.label.clone());
            self.profile.clone_from(&origin.profile);
        }
        self
    }

    /// Adds the keys that are deleted with the member whom the step removes.
    pub fn with_keys(mut self, keys: &OwnedKeys) -> Self {
        if let (Action::Remove, Some(member)) = (self.step.action, &self.step.member) {
            self.api_keys = keys.of(member);
        }
        self
    }

    /// A step at another provider than the one that people are invited to.
    pub fn at_provider(step: Step, provider: &ProviderContext) -> Self {
        Self {
            provider: Some(provider.label.clone()),
            profile: provider.profile.clone(),
            ..Self::new(step, &[])
        }
    }
}

impl Record for StepRecord {
    const TABLE: &'static [&'static str] = &["LINE", "ACTION", "EMAIL", "ROLES", "ID", "REASON"];
    const CSV: &'static [&'static str] = &[
        "line",
        "action",
        "email",
        "roles",
        "role_changes",
        "auth_type",
        "id",
        "reason",
    ];
    const WRAPPED: &'static [&'static str] = &["REASON"];
    const SHORTENED: &'static [&'static str] = &["ROLES"];
    const DROPPED: &'static [&'static str] = &["ID", "LINE"];

    fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    fn row(&self) -> Vec<Cell> {
        let style = match self.step.action {
            Action::Create => Some(SUCCESS),
            Action::Replace | Action::SetRoles | Action::Remove => Some(WARNING),
            Action::Invalid => Some(ERROR),
            _ => None,
        };
        let reason = self.step.reason.clone().unwrap_or_default();
        vec![
            Cell::new(number(self.line)),
            Cell::new(self.step.action.as_str()).styled(style),
            Cell::new(&self.step.email),
            Cell::new(match self.step.role_changes.is_empty() {
                true => roles_cell(self.step.roles.as_ref()),
                false => self.step.role_changes.join(" "),
            }),
            Cell::new(id(&self.step)),
            Cell::new(reason),
        ]
    }

    fn line(&self) -> Vec<String> {
        let auth_type = self.step.auth_type.as_ref();
        vec![
            number(self.line),
            self.step.action.to_string(),
            self.step.email.clone(),
            roles_cell(self.step.roles.as_ref()),
            self.step.role_changes.join(" "),
            auth_type.map(ToString::to_string).unwrap_or_default(),
            id(&self.step),
            self.step.reason.clone().unwrap_or_default(),
        ]
    }
}

/// The outcome of a step.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Outcome")]
pub(crate) struct OutcomeRecord {
    #[serde(flatten)]
    pub step: StepRecord,
    /// `invited`, `kept`, `changed` (the roles), `removed`, `invalid`, `failed`, `restored` (the new options were rejected, and the person is
    /// invited again with the old ones), `lost` (the old invitation is deleted and the new one failed; `invite`
    /// has what is missing), `skipped` (nothing was withdrawn, for the reason in `error`) or `not_attempted`.
    pub result: &'static str,
    /// The reason of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whether a failed step may have been carried out nevertheless.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub may_have_executed: Option<bool>,
    /// The invitation to create, if the old one was withdrawn and the new one failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite: Option<NewInvitation>,
}

impl OutcomeRecord {
    pub fn new(outcome: StepOutcome, lines: &[usize], keys: &OwnedKeys) -> Self {
        let StepOutcome {
            mut step, result, ..
        } = outcome;
        let failed = |error: &Error| (Some(error.to_string()), Some(error.may_have_executed()));
        let mut invite = None;
        let (word, (error, may_have_executed)) = match &result {
            StepResult::Invited(invitation) => {
                step.id = Some(invitation.id.clone());
                ("invited", (None, None))
            }
            StepResult::Kept => ("kept", (None, None)),
            StepResult::Changed(_) => ("changed", (None, None)),
            StepResult::Removed => ("removed", (None, None)),
            StepResult::Invalid => ("invalid", (step.reason.take(), None)),
            StepResult::Failed(error) => ("failed", failed(error)),
            StepResult::Restored { invitation, error } => {
                step.id = Some(invitation.id.clone());
                ("restored", (Some(error.to_string()), None))
            }
            StepResult::Lost(error) => {
                invite = Some(missing_invitation(&step));
                ("lost", failed(error))
            }
            StepResult::Skipped(why) => ("skipped", (Some(why.clone()), None)),
            _ => ("not_attempted", (None, None)),
        };
        Self {
            step: StepRecord::new(step, lines).with_keys(keys),
            result: word,
            error,
            may_have_executed,
            invite,
        }
    }

    /// The line and the address, for messages.
    pub fn location(&self) -> String {
        match self.step.line {
            Some(line) => format!("line {line}, {}", self.step.step.email),
            None => self.step.step.email.clone(),
        }
    }
}

impl Record for OutcomeRecord {
    const TABLE: &'static [&'static str] = &["LINE", "ACTION", "RESULT", "EMAIL", "ID", "ERROR"];
    const CSV: &'static [&'static str] = &[
        "line",
        "action",
        "result",
        "email",
        "roles",
        "role_changes",
        "auth_type",
        "id",
        "error",
    ];
    const WRAPPED: &'static [&'static str] = &["ERROR"];
    const DROPPED: &'static [&'static str] = &["ID", "LINE"];

    fn row(&self) -> Vec<Cell> {
        let line = self.line();
        [0, 1, 2, 3, 7, 8]
            .map(|column| Cell::new(&line[column]))
            .to_vec()
    }

    fn line(&self) -> Vec<String> {
        let mut cells = self.step.line();
        cells.pop();
        cells.insert(2, self.result.to_owned());
        cells.push(self.error.clone().unwrap_or_default());
        cells
    }
}

/// The invitation that restores the one that a step withdrew. It has the previous options, which the provider accepted
/// once.
pub(super) fn missing_invitation(step: &Step) -> NewInvitation {
    step.fallback().unwrap_or_else(|| step.invitation())
}

fn number(line: Option<usize>) -> String {
    line.map(|line| line.to_string()).unwrap_or_default()
}

/// The id of the invitation, or else of the member.
fn id(step: &Step) -> String {
    let member = step.member.as_ref().map(ToString::to_string);
    let id = step.id.as_ref().map(ToString::to_string);
    id.or(member).unwrap_or_default()
}
