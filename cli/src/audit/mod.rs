//! The audit log: a line of JSON for each change of an organisation.
//!
//! The log is kept by a provider around the provider, so that no command can leave a change out.
//!
//! | | |
//! |---|---|
//! | `setting` | where the log is, and what says so |
//! | `log` | the file: opening it, appending to it, and what becomes of lines that cannot be written |
//! | `record` | a line |
//! | `exchanges` | the answers to the requests of one change |
//! | `change` | one change: the lines that it becomes |
//! | `provider` | the provider that writes them |

mod change;
mod exchanges;
mod log;
mod provider;
mod record;
mod setting;

pub(crate) use self::{
    exchanges::observe,
    log::AuditLog,
    provider::Audited,
    record::{AuditRecord, Origin},
    setting::AuditSetting,
};
