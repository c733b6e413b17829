//! Choosing the fault of each request as it arrives.

use super::{EffectiveFrom, Fault, Faults, Lag, LogicalTime, RandomFaults, Rule};
use crate::operation::Operation;
use crate::provider::Provider;

/// The faults that are still to come.
#[derive(Debug, Default)]
pub(crate) struct FaultSchedule {
    script: Vec<RuleState>,
    random: Option<RandomSource>,
    clock_skew_seconds: i64,
    uniqueness_lag: Option<Lag>,
    list_lag: Option<Lag>,
    binding_lag: Option<Lag>,
}

/// A rule and the number of requests that it has matched.
#[derive(Debug)]
struct RuleState {
    rule: Rule,
    matched: u32,
}

/// Random faults and the number of draws so far.
#[derive(Debug)]
struct RandomSource {
    faults: RandomFaults,
    draws: u64,
}

impl FaultSchedule {
    pub(crate) fn new(faults: Faults) -> Self {
        let rule_state = |rule| RuleState { rule, matched: 0 };
        Self {
            script: faults.script.into_iter().map(rule_state).collect(),
            random: faults
                .random
                .map(|faults| RandomSource { faults, draws: 0 }),
            clock_skew_seconds: faults.clock_skew_seconds,
            uniqueness_lag: faults.uniqueness_lag,
            list_lag: faults.list_lag,
            binding_lag: faults.binding_lag,
        }
    }

    /// The fault for the request that has just arrived.
    pub(crate) fn next_fault(&mut self, provider: Provider, operation: Operation) -> Option<Fault> {
        // Drawn in any case, so that the script does not shift later random faults.
        let random = self
            .random
            .as_mut()
            .and_then(|source| source.draw(provider, operation));
        let due = self
            .script
            .iter_mut()
            .position(|it| it.is_due(provider, operation));
        let Some(due) = due.and_then(|position| self.script.get(position)) else {
            return random;
        };
        let fault = due.rule.fault.clone();
        self.script.retain(|it| it.remaining().is_some());
        Some(fault)
    }

    /// When an invitation that is created now takes effect.
    pub(crate) fn effective_from(&self, now: LogicalTime) -> EffectiveFrom {
        EffectiveFrom {
            unique: self.uniqueness_lag.map(|lag| lag.ends_at(now)),
            listed: self.list_lag.map(|lag| lag.ends_at(now)),
        }
    }

    /// From when on lists show a role binding that is created now; `None` for at once.
    pub(crate) fn binding_listed_from(&self, now: LogicalTime) -> Option<LogicalTime> {
        self.binding_lag.map(|lag| lag.ends_at(now))
    }

    /// The faults that have not happened yet, as if they were set now.
    pub(crate) fn remaining(&self) -> Faults {
        Faults {
            script: self
                .script
                .iter()
                .filter_map(RuleState::remaining)
                .collect(),
            random: self.random.as_ref().map(|source| source.faults.clone()),
            clock_skew_seconds: self.clock_skew_seconds,
            uniqueness_lag: self.uniqueness_lag,
            list_lag: self.list_lag,
            binding_lag: self.binding_lag,
        }
    }
}

impl RuleState {
    /// Counts a request if the rule matches it, and returns whether the rule's fault is due.
    fn is_due(&mut self, provider: Provider, operation: Operation) -> bool {
        let rule = &self.rule;
        let matches = rule.provider.is_none_or(|only| only == provider)
            && rule.operation.is_none_or(|only| only == operation)
            && rule.fault.applies_to(provider, operation);
        if matches {
            self.matched = self.matched.saturating_add(1);
        }
        matches && self.matched >= rule.nth
    }

    /// The rule without what has happened; `None` if it is used up.
    fn remaining(&self) -> Option<Rule> {
        let Rule { nth, times, .. } = self.rule;
        let injected = self.matched.saturating_sub(nth.max(1) - 1);
        if times != 0 && injected >= times {
            return None;
        }
        Some(Rule {
            nth: nth.saturating_sub(self.matched).max(1),
            times: times.saturating_sub(injected),
            ..self.rule.clone()
        })
    }
}

impl RandomSource {
    fn draw(&mut self, provider: Provider, operation: Operation) -> Option<Fault> {
        let RandomFaults {
            seed,
            rate,
            provider: only,
            operations,
            mix,
        } = &self.faults;
        if only.is_some_and(|only| only != provider)
            || !(operations.is_empty() || operations.contains(&operation))
        {
            return None;
        }
        let index = self.draws;
        self.draws += 1;
        if unit_float(split_mix_64(*seed, 2 * index)) >= *rate {
            return None;
        }
        let applicable = || {
            mix.iter()
                .filter(|weighted| weighted.fault.applies_to(provider, operation))
        };
        let total: u64 = applicable().map(|it| u64::from(it.weight)).sum();
        let mut chosen = split_mix_64(*seed, 2 * index + 1).checked_rem(total)?;
        applicable()
            .find(|it| {
                let weight = u64::from(it.weight);
                let is_chosen = chosen < weight;
                chosen = chosen.saturating_sub(weight);
                is_chosen
            })
            .map(|it| it.fault.clone())
    }
}

/// The number at `index` in the SplitMix64 sequence of a seed.
fn split_mix_64(seed: u64, index: u64) -> u64 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut bits = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(STEP));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Maps the upper 53 bits, the precision of a float, to 0 up to but not including 1.
fn unit_float(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATE: Operation = Operation::Create;
    const LIST: Operation = Operation::List;

    fn next_fault(schedule: &mut FaultSchedule, operation: Operation) -> Option<Fault> {
        schedule.next_fault(Provider::Confluent, operation)
    }

    #[test]
    fn rules_apply_in_order_and_are_used_up() {
        let first = Rule::new(Fault::reset_before()).on(CREATE).times(2);
        let second = Rule::new(Fault::reset_after());
        let mut schedule = FaultSchedule::new(Faults::script([first, second]));
        assert_eq!(
            next_fault(&mut schedule, CREATE),
            Some(Fault::reset_before())
        );
        assert_eq!(schedule.remaining().script[0].times, 1);
        assert_eq!(next_fault(&mut schedule, LIST), Some(Fault::reset_after()));
        assert_eq!(next_fault(&mut schedule, LIST), None);
        assert_eq!(
            next_fault(&mut schedule, CREATE),
            Some(Fault::reset_before())
        );
        assert_eq!(next_fault(&mut schedule, CREATE), None);
        assert_eq!(schedule.remaining(), Faults::default());
    }

    #[test]
    fn the_nth_counts_matching_requests_only() {
        let rule = Rule::new(Fault::hang()).on(CREATE).nth(2).times(2);
        let mut schedule = FaultSchedule::new(Faults::script([rule]));
        assert_eq!(next_fault(&mut schedule, CREATE), None);
        assert_eq!(schedule.remaining().script[0].nth, 1);
        assert_eq!(next_fault(&mut schedule, LIST), None);
        assert_eq!(next_fault(&mut schedule, CREATE), Some(Fault::hang()));
        assert_eq!(next_fault(&mut schedule, CREATE), Some(Fault::hang()));
        assert_eq!(next_fault(&mut schedule, CREATE), None);
    }

    #[test]
    fn a_rule_without_end_stays() {
        let rule = Rule::new(Fault::hang()).always();
        let faults = Faults::script([rule]);
        let mut schedule = FaultSchedule::new(faults.clone());
        for _ in 0..5 {
            assert_eq!(next_fault(&mut schedule, CREATE), Some(Fault::hang()));
        }
        assert_eq!(schedule.remaining(), faults);
    }

    #[test]
    fn a_list_fault_waits_for_a_list_of_confluent() {
        let mut schedule = FaultSchedule::new(Faults::script([Rule::new(Fault::NextRepeats)]));
        assert_eq!(next_fault(&mut schedule, CREATE), None);
        assert_eq!(schedule.next_fault(Provider::ClickHouse, LIST), None);
        assert_eq!(next_fault(&mut schedule, LIST), Some(Fault::NextRepeats));
    }

    #[test]
    fn random_faults_follow_the_seed_and_the_rate() {
        let run = |seed| {
            let random = RandomFaults::new(seed, 0.2)
                .mix(3, Fault::hang())
                .mix(1, Fault::ExpiredToken)
                .mix(9, Fault::EmptyPage);
            let mut schedule = FaultSchedule::new(Faults::random(random));
            (0..10_000)
                .map(|_| next_fault(&mut schedule, CREATE))
                .collect::<Vec<_>>()
        };
        let first = run(1);
        assert_eq!(first, run(1));
        assert_ne!(first, run(2));
        let count = |fault: Fault| {
            first
                .iter()
                .filter(|it| it.as_ref() == Some(&fault))
                .count()
        };
        let (hangs, expired) = (count(Fault::hang()), count(Fault::ExpiredToken));
        assert!(
            (1800..2200).contains(&(hangs + expired)),
            "{hangs} {expired}"
        );
        assert!((2.5..3.5).contains(&(hangs as f64 / expired as f64)));
        assert_eq!(count(Fault::EmptyPage), 0, "not a fault of creates");
    }

    #[test]
    fn neither_script_nor_other_operations_shift_random_faults() {
        let random = RandomFaults::new(5, 0.5).mix(1, Fault::hang()).on([CREATE]);
        let mut plain = FaultSchedule::new(Faults::random(random.clone()));
        let mut mixed = FaultSchedule::new(Faults {
            random: Some(random),
            ..Faults::script([Rule::new(Fault::reset_after()).on(CREATE).times(3)])
        });
        for draw in 0..50 {
            assert_eq!(next_fault(&mut mixed, LIST), None);
            let (plain, mixed) = (
                next_fault(&mut plain, CREATE),
                next_fault(&mut mixed, CREATE),
            );
            match draw {
                0..3 => assert_eq!(mixed, Some(Fault::reset_after())),
                _ => assert_eq!(mixed, plain, "{draw}"),
            }
        }
    }

    #[test]
    fn a_rate_of_0_affects_no_request_and_of_1_every_one() {
        for (rate, expected) in [(0.0, 0), (1.0, 100)] {
            let random = RandomFaults::new(3, rate).mix(1, Fault::hang());
            let mut schedule = FaultSchedule::new(Faults::random(random));
            let hit = (0..100)
                .filter_map(|_| next_fault(&mut schedule, LIST))
                .count();
            assert_eq!(hit, expected, "{rate}");
        }
    }
}
