//! Applying a plan: the prompt, progress, the journal, and the report.

mod cut_off;
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
    cut_off::{CUT_OFF, OpenSteps},
    journal::{Journal, organization_of},
    options::{ApplyOptions, PruneOptions},
    people::{gives_roles, key_owner, list_invitations, load_people},
    record::{OutcomeRecord, StepRecord},
    report::{ApplyReport, count_actions, exit_of, expected_outcome},
    run::{ApplyRun, STOPPING},
    saved::{OrganizationFacts, SavedPlan},
};
