//! Applying a plan: the prompt, progress, the journal, and the report.

mod journal;
mod observer;
mod options;
mod people;
mod progress;
mod record;
mod report;
mod run;
mod saved;

pub(crate) use self::{
    journal::{Journal, organization_of},
    options::{ApplyOptions, PruneOptions},
    people::{gives_roles, key_owner, list_invitations, load_people},
    record::{OutcomeRecord, StepRecord},
    report::{ApplyReport, count_actions, exit_of, expected_outcome},
    run::ApplyRun,
    saved::{OrganizationFacts, SavedPlan},
};
