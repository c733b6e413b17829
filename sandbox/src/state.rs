//! What changes while a sandbox runs and belongs to no vendor: time, ledger, faults, rate limits.

use chrono::{DateTime, Utc};

use crate::clock::Clock;
use crate::config::Config;
use crate::faults::{FaultSchedule, Faults, LogicalTime};
use crate::ledger::Recorder;
use crate::limits::Limiter;
use crate::state_file::SavedState;

/// The state that both emulated APIs share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) ledger: Recorder,
    pub(crate) faults: FaultSchedule,
    pub(crate) limits: Limiter,
    /// How many resets there were. A request of an earlier generation changes nothing in this one.
    pub(crate) generation: u64,
}

impl State {
    /// The state at the start, without faults.
    pub(crate) fn new(config: &Config) -> Self {
        Self::with_ledger(config, Recorder::new(config.ledger_limit), 0)
    }

    /// The state that another process left.
    pub(crate) fn continue_from(config: &Config, saved: &SavedState) -> Self {
        let mut state = Self::new(config);
        state.ledger.continue_from(saved.numbering);
        state.clock = Clock::continue_from(saved.clock);
        state.limits.set(saved.limits.clone());
        state.set_faults(saved.faults.clone());
        state
    }

    /// The state after a reset, without faults: as at the start, but for the numbers of the ledger.
    pub(crate) fn reset(&self, config: &Config) -> Self {
        Self::with_ledger(config, self.ledger.cleared(), self.generation + 1)
    }

    fn with_ledger(config: &Config, ledger: Recorder, generation: u64) -> Self {
        let mut limits = Limiter::default();
        limits.set(config.limits.clone());
        Self {
            clock: Clock::default(),
            ledger,
            faults: FaultSchedule::default(),
            limits,
            generation,
        }
    }

    /// The sandbox's time, in the microseconds that travel on the wire.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The present, as lags are measured.
    pub(crate) fn logical_time(&self) -> LogicalTime {
        LogicalTime {
            elapsed: self.clock.elapsed(),
            requests: self.ledger.received_count(),
        }
    }

    /// Schedules faults in place of those scheduled before.
    pub(crate) fn set_faults(&mut self, faults: Faults) {
        self.clock.set_skew(faults.clock_skew_seconds);
        self.faults = FaultSchedule::new(faults);
    }
}
