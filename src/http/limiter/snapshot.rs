//! The state of a limiter as it is stored: with times of the store's clock in place of those of the process.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{MAX_WINDOW, State, Window, shared::Shared};

/// How long a request counts as in flight whose process does not say what came of it.
const LEASE: Duration = MAX_WINDOW;

/// The state of a limiter, in microseconds since 1970.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Snapshot {
    windows: Vec<StoredWindow>,
    fixed: bool,
    rounds_down: bool,
    probed: bool,
    blocked_until: Option<u64>,
    spent_until: Option<u64>,
    rejections: u32,
    max_block: u64,
    leases: Vec<Lease>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct StoredWindow {
    limit: Option<usize>,
    length: u64,
    reserved_until: Vec<u64>,
}

/// A request in flight.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Lease {
    pub id: u64,
    pub granted_at: u64,
}

impl Snapshot {
    /// What nothing was sent with yet.
    pub fn fresh(state: &State) -> Self {
        let windows = state.windows.iter().map(|window| StoredWindow {
            limit: window.limit,
            length: micros(window.length),
            reserved_until: Vec::new(),
        });
        Self {
            windows: windows.collect(),
            fixed: state.fixed,
            rounds_down: false,
            probed: state.probed,
            blocked_until: None,
            spent_until: None,
            rejections: 0,
            max_block: micros(state.max_block),
            leases: Vec::new(),
        }
    }

    /// The stored state; a fresh one if nothing is stored, or what a process left half written.
    pub fn read(stored: &[u8], fresh: &Self) -> Self {
        let read: Option<Self> = serde_json::from_slice(stored).ok();
        let is_alike =
            |read: &Self| read.fixed == fresh.fixed && read.windows.len() == fresh.windows.len();
        read.filter(is_alike).unwrap_or_else(|| fresh.clone())
    }

    pub fn write(&self) -> Vec<u8> {
        // Numbers and lists of them cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The state at this time of the store, which is that of the process. Limits of the caller's are those of `fresh`.
    pub fn restore(self, fresh: &Self, now_stored: u64, now: Instant) -> Shared {
        let lease = micros(LEASE);
        let longest = |length: u64| length.max(micros(MAX_WINDOW));
        let here = |time: u64, length: u64| {
            let left = time.saturating_sub(now_stored).min(longest(length));
            now + Duration::from_micros(left)
        };
        let (live, ended): (Vec<_>, Vec<_>) = self
            .leases
            .into_iter()
            // Of a clock that was set back, too.
            .filter(|granted| granted.granted_at <= now_stored + lease)
            .partition(|granted| granted.granted_at + lease > now_stored);
        let windows = self.windows.into_iter().zip(&fresh.windows);
        let windows = windows.map(|(stored, own)| {
            let of = if fresh.fixed { own } else { &stored };
            let (limit, length) = (of.limit, of.length);
            let mut window = Window {
                limit,
                length: Duration::from_micros(length),
                reserved_until: Default::default(),
            };
            let ends = ended.iter().map(|granted| granted.granted_at + length);
            for end in stored.reserved_until.iter().copied().chain(ends) {
                if end > now_stored {
                    window.reserve(here(end, length), 1);
                }
            }
            window
        });
        let state = State {
            windows: windows.collect(),
            fixed: fresh.fixed,
            rounds_down: self.rounds_down,
            in_flight: live.len(),
            waiting: 0,
            interactive: 0,
            probed: self.probed,
            blocked_until: self.blocked_until.map(|until| here(until, 0)),
            spent_until: self.spent_until.map(|until| here(until, u64::MAX / 2)),
            rejections: self.rejections,
            max_block: Duration::from_micros(fresh.max_block),
        };
        Shared {
            state,
            leases: live,
            now,
            now_stored,
        }
    }

    /// The state as it is stored at this time.
    pub fn of(shared: &Shared, now_stored: u64, now: Instant) -> Self {
        let state = &shared.state;
        // Rounded up: an early request is a 429.
        let there = |time: Instant| now_stored + micros(time.saturating_duration_since(now)) + 1;
        let windows = state.windows.iter().map(|window| StoredWindow {
            limit: window.limit,
            length: micros(window.length),
            reserved_until: window.reserved_until.iter().copied().map(there).collect(),
        });
        let future = |time: Option<Instant>| time.filter(|time| *time > now).map(there);
        Self {
            windows: windows.collect(),
            fixed: state.fixed,
            rounds_down: state.rounds_down,
            probed: state.probed,
            blocked_until: future(state.blocked_until),
            spent_until: future(state.spent_until),
            rejections: state.rejections,
            max_block: micros(state.max_block),
            leases: shared.leases.clone(),
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::super::{Limiter, Rate};
    use super::*;

    const SECOND: u64 = 1_000_000;

    fn fresh(rates: &[Rate]) -> Snapshot {
        let limiter = Limiter::new(None, rates, 1, Duration::from_secs(30));
        limiter.with_state(|state| Snapshot::fresh(state))
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_stored_is_restored() {
        let rates = [
            Rate::at_most(2, Duration::from_secs(10)),
            Rate::at_most(5, Duration::from_secs(60)),
        ];
        let (fresh, now) = (fresh(&rates), Instant::now());
        let mut shared = fresh.clone().restore(&fresh, 5 * SECOND, now);
        assert_eq!(shared.state.admit(now), super::super::Admission::Granted);
        shared.leases.push(Lease {
            id: 1,
            granted_at: 5 * SECOND,
        });
        shared.state.finish(None, now);
        shared.state.reject(Some(Duration::from_secs(7)), now);
        let stored = Snapshot::of(&shared, 5 * SECOND, now).write();
        let read = Snapshot::read(&stored, &fresh).restore(&fresh, 6 * SECOND, now);
        assert_eq!((read.state.in_flight, read.leases.len()), (1, 1));
        let left = |until: Instant| until.saturating_duration_since(now).as_secs();
        assert_eq!(read.state.blocked_until.map(left), Some(6));
        let reserved = read.state.windows.iter();
        let reserved: Vec<_> = reserved
            .map(|window| left(window.reserved_until[0]))
            .collect();
        assert_eq!(reserved, [9, 59]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_process_left_in_flight_ends() {
        let rates = [
            Rate::at_most(2, Duration::from_secs(10)),
            Rate::at_most(2, Duration::from_secs(3_600)),
        ];
        let (mut fresh, now) = (fresh(&rates), Instant::now());
        let template = fresh.clone();
        fresh.leases.push(Lease {
            id: 1,
            granted_at: 0,
        });
        let restored = |at: u64| {
            let shared = fresh.clone().restore(&template, at * SECOND, now);
            let reserved = shared.state.windows.iter();
            let reserved: Vec<_> = reserved.map(|window| window.reserved_until.len()).collect();
            (shared.state.in_flight, reserved)
        };
        assert_eq!(restored(119), (1, vec![0, 0]));
        assert_eq!(
            restored(121),
            (0, vec![0, 1]),
            "an hour counts it for longer"
        );
        assert_eq!(restored(3_601), (0, vec![0, 0]));
    }

    #[test]
    fn what_cannot_be_read_begins_anew() {
        let one = fresh(&[Rate::at_most(2, Duration::from_secs(10))]);
        let none = fresh(&[]);
        for stored in [&b""[..], b"{\"windows\": [", b"[]", &none.write()] {
            let read = Snapshot::read(stored, &one);
            assert_eq!(read.write(), one.write());
        }
    }
}
