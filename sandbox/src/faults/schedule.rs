//! Choosing the fault of each request as it arrives.

use super::{EffectiveFrom, Fault, Faults, Lag, LogicalTime, RandomFaults, Rule};
use crate::operation::Operation;
use crate::state::Provider;

/// The faults that are still to come.
#[derive(Debug, Default)]
pub(crate) struct FaultSchedule {
    script: Vec<RuleState>,
    random: Option<RandomSource>,
    clock_skew_seconds: i64,
    uniqueness_lag: Option<Lag>,
    list_lag: Option<Lag>,
}

/// A rule and how many requests have come to it.
#[derive(Debug)]
struct RuleState {
    rule: Rule,
    seen: u32,
}

/// Random faults and how many requests they have been drawn for.
#[derive(Debug)]
struct RandomSource {
    faults: RandomFaults,
    drawn: u64,
}

impl FaultSchedule {
    pub(crate) fn new(faults: Faults) -> Self {
        let rule = |rule| RuleState { rule, seen: 0 };
        Self {
            script: faults.script.into_iter().map(rule).collect(),
            random: faults
                .random
                .map(|faults| RandomSource { faults, drawn: 0 }),
            clock_skew_seconds: faults.clock_skew_seconds,
            uniqueness_lag: faults.uniqueness_lag,
            list_lag: faults.list_lag,
        }
    }

    /// The fault for the request that has just arrived.
    pub(crate) fn next_fault(&mut self, provider: Provider, operation: Operation) -> Option<Fault> {
        // Drawn in any case: what a script hits does not shift what chance hits later.
        let by_chance = self
            .random
            .as_mut()
            .and_then(|source| source.roll(provider, operation));
        let position = self
            .script
            .iter_mut()
            .position(|rule| rule.hits(provider, operation));
        let Some(rule) = position.and_then(|position| self.script.get(position)) else {
            return by_chance;
        };
        let fault = rule.rule.fault.clone();
        self.script.retain(|rule| rule.left().is_some());
        Some(fault)
    }

    /// When an invitation made now takes effect.
    pub(crate) fn in_effect(&self, now: LogicalTime) -> EffectiveFrom {
        EffectiveFrom {
            unique_from: self.uniqueness_lag.map(|lag| lag.end(now)),
            listed_from: self.list_lag.map(|lag| lag.end(now)),
        }
    }

    /// What has not happened yet, as if set now.
    pub(crate) fn left(&self) -> Faults {
        Faults {
            script: self.script.iter().filter_map(RuleState::left).collect(),
            random: self.random.as_ref().map(|source| source.faults.clone()),
            clock_skew_seconds: self.clock_skew_seconds,
            uniqueness_lag: self.uniqueness_lag,
            list_lag: self.list_lag,
        }
    }
}

impl RuleState {
    /// Counts a request, if it matches, and says whether it is one to hit.
    fn hits(&mut self, provider: Provider, operation: Operation) -> bool {
        let rule = &self.rule;
        let matches = rule.provider.is_none_or(|wanted| wanted == provider)
            && rule.operation.is_none_or(|wanted| wanted == operation)
            && rule.fault.applies_to(provider, operation);
        if matches {
            self.seen = self.seen.saturating_add(1);
        }
        matches && self.seen >= rule.nth
    }

    fn left(&self) -> Option<Rule> {
        let Rule { nth, times, .. } = self.rule;
        let hit = self.seen.saturating_sub(nth.max(1) - 1);
        if times != 0 && hit >= times {
            return None;
        }
        Some(Rule {
            nth: nth.saturating_sub(self.seen).max(1),
            times: times.saturating_sub(hit),
            ..self.rule.clone()
        })
    }
}

impl RandomSource {
    fn roll(&mut self, provider: Provider, operation: Operation) -> Option<Fault> {
        let RandomFaults {
            seed,
            rate,
            provider: only,
            operations,
            mix,
        } = &self.faults;
        if only.is_some_and(|wanted| wanted != provider)
            || !(operations.is_empty() || operations.contains(&operation))
        {
            return None;
        }
        let draw = self.drawn;
        self.drawn += 1;
        let hit = part(scramble(*seed, 2 * draw)) < *rate;
        if !hit {
            return None;
        }
        let possible = || {
            mix.iter()
                .filter(|weighted| weighted.fault.applies_to(provider, operation))
        };
        let total: u64 = possible().map(|weighted| u64::from(weighted.weight)).sum();
        let mut chosen = scramble(*seed, 2 * draw + 1).checked_rem(total)?;
        possible()
            .find(|weighted| {
                let weight = u64::from(weighted.weight);
                let found = chosen < weight;
                chosen = chosen.saturating_sub(weight);
                found
            })
            .map(|weighted| weighted.fault.clone())
    }
}

/// The `index`th number of the SplitMix64 sequence of a seed.
fn scramble(seed: u64, index: u64) -> u64 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut bits = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(STEP));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// From 0 to just under 1, by the upper 53 bits, which a float has room for.
fn part(bits: u64) -> f64 {
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
    fn rules_hit_in_order_and_are_used_up() {
        let first = Rule::new(Fault::reset_before()).on(CREATE).times(2);
        let second = Rule::new(Fault::reset_after());
        let mut schedule = FaultSchedule::new(Faults::script([first, second]));
        assert_eq!(
            next_fault(&mut schedule, CREATE),
            Some(Fault::reset_before())
        );
        assert_eq!(schedule.left().script[0].times, 1);
        assert_eq!(next_fault(&mut schedule, LIST), Some(Fault::reset_after()));
        assert_eq!(next_fault(&mut schedule, LIST), None);
        assert_eq!(
            next_fault(&mut schedule, CREATE),
            Some(Fault::reset_before())
        );
        assert_eq!(next_fault(&mut schedule, CREATE), None);
        assert_eq!(schedule.left(), Faults::default());
    }

    #[test]
    fn the_nth_is_counted_among_the_requests_that_match() {
        let rule = Rule::new(Fault::hang()).on(CREATE).nth(2).times(2);
        let mut schedule = FaultSchedule::new(Faults::script([rule]));
        assert_eq!(next_fault(&mut schedule, CREATE), None);
        assert_eq!(schedule.left().script[0].nth, 1);
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
        assert_eq!(schedule.left(), faults);
    }

    #[test]
    fn a_fault_of_lists_waits_for_a_list_of_confluent() {
        let mut schedule = FaultSchedule::new(Faults::script([Rule::new(Fault::NextRepeats)]));
        assert_eq!(next_fault(&mut schedule, CREATE), None);
        assert_eq!(schedule.next_fault(Provider::ClickHouse, LIST), None);
        assert_eq!(next_fault(&mut schedule, LIST), Some(Fault::NextRepeats));
    }

    #[test]
    fn chance_follows_from_the_seed_and_hits_its_part() {
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
        let one = run(1);
        assert_eq!(one, run(1));
        assert_ne!(one, run(2));
        let count = |fault: Fault| one.iter().filter(|it| it.as_ref() == Some(&fault)).count();
        let (hangs, refusals) = (count(Fault::hang()), count(Fault::ExpiredToken));
        assert!(
            (1800..2200).contains(&(hangs + refusals)),
            "{hangs} {refusals}"
        );
        assert!((2.5..3.5).contains(&(hangs as f64 / refusals as f64)));
        assert_eq!(count(Fault::EmptyPage), 0, "no fault of a create");
    }

    #[test]
    fn chance_is_not_shifted_by_the_script_or_by_other_operations() {
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
    fn a_rate_of_0_hits_nothing_and_of_1_everything() {
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
