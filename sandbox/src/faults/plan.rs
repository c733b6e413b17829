//! Choosing the fault of each request as it arrives.

use super::{Fault, Faults, InEffect, Lag, Moment, RandomFaults, Rule};
use crate::operation::Operation;
use crate::state::Provider;

/// The faults that are still to come.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    script: Vec<Counted>,
    random: Option<Dice>,
    clock_skew_seconds: i64,
    uniqueness_lag: Option<Lag>,
    list_lag: Option<Lag>,
}

/// A rule and how many requests have come to it.
#[derive(Debug)]
struct Counted {
    rule: Rule,
    seen: u32,
}

/// Random faults and how many requests they have been drawn for.
#[derive(Debug)]
struct Dice {
    faults: RandomFaults,
    drawn: u64,
}

impl Plan {
    pub(crate) fn new(faults: Faults) -> Self {
        let counted = |rule| Counted { rule, seen: 0 };
        Self {
            script: faults.script.into_iter().map(counted).collect(),
            random: faults.random.map(|faults| Dice { faults, drawn: 0 }),
            clock_skew_seconds: faults.clock_skew_seconds,
            uniqueness_lag: faults.uniqueness_lag,
            list_lag: faults.list_lag,
        }
    }

    /// The fault for the request that has just arrived.
    pub(crate) fn strike(&mut self, provider: Provider, operation: Operation) -> Option<Fault> {
        // Drawn in any case: what a script hits does not shift what chance hits later.
        let by_chance = self
            .random
            .as_mut()
            .and_then(|dice| dice.roll(provider, operation));
        let position = self
            .script
            .iter_mut()
            .position(|counted| counted.hits(provider, operation));
        let Some(counted) = position.and_then(|position| self.script.get(position)) else {
            return by_chance;
        };
        let fault = counted.rule.fault.clone();
        self.script.retain(|counted| counted.left().is_some());
        Some(fault)
    }

    /// When an invitation made now takes effect.
    pub(crate) fn in_effect(&self, now: Moment) -> InEffect {
        InEffect {
            unique_from: self.uniqueness_lag.map(|lag| lag.end(now)),
            listed_from: self.list_lag.map(|lag| lag.end(now)),
        }
    }

    /// What has not happened yet, as if set now.
    pub(crate) fn left(&self) -> Faults {
        Faults {
            script: self.script.iter().filter_map(Counted::left).collect(),
            random: self.random.as_ref().map(|dice| dice.faults.clone()),
            clock_skew_seconds: self.clock_skew_seconds,
            uniqueness_lag: self.uniqueness_lag,
            list_lag: self.list_lag,
        }
    }
}

impl Counted {
    /// Counts a request, if it matches, and says whether it is one to hit.
    fn hits(&mut self, provider: Provider, operation: Operation) -> bool {
        let rule = &self.rule;
        let matches = rule.provider.is_none_or(|wanted| wanted == provider)
            && rule.operation.is_none_or(|wanted| wanted == operation)
            && rule.fault.can_happen(provider, operation);
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

impl Dice {
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
                .filter(|weighted| weighted.fault.can_happen(provider, operation))
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

    fn strike(plan: &mut Plan, operation: Operation) -> Option<Fault> {
        plan.strike(Provider::Confluent, operation)
    }

    #[test]
    fn rules_hit_in_order_and_are_used_up() {
        let first = Rule::new(Fault::reset_before()).on(CREATE).times(2);
        let second = Rule::new(Fault::reset_after());
        let mut plan = Plan::new(Faults::script([first, second]));
        assert_eq!(strike(&mut plan, CREATE), Some(Fault::reset_before()));
        assert_eq!(plan.left().script[0].times, 1);
        assert_eq!(strike(&mut plan, LIST), Some(Fault::reset_after()));
        assert_eq!(strike(&mut plan, LIST), None);
        assert_eq!(strike(&mut plan, CREATE), Some(Fault::reset_before()));
        assert_eq!(strike(&mut plan, CREATE), None);
        assert_eq!(plan.left(), Faults::default());
    }

    #[test]
    fn the_nth_is_counted_among_the_requests_that_match() {
        let rule = Rule::new(Fault::hang()).on(CREATE).nth(2).times(2);
        let mut plan = Plan::new(Faults::script([rule]));
        assert_eq!(strike(&mut plan, CREATE), None);
        assert_eq!(plan.left().script[0].nth, 1);
        assert_eq!(strike(&mut plan, LIST), None);
        assert_eq!(strike(&mut plan, CREATE), Some(Fault::hang()));
        assert_eq!(strike(&mut plan, CREATE), Some(Fault::hang()));
        assert_eq!(strike(&mut plan, CREATE), None);
    }

    #[test]
    fn a_rule_without_end_stays() {
        let rule = Rule::new(Fault::hang()).always();
        let faults = Faults::script([rule]);
        let mut plan = Plan::new(faults.clone());
        for _ in 0..5 {
            assert_eq!(strike(&mut plan, CREATE), Some(Fault::hang()));
        }
        assert_eq!(plan.left(), faults);
    }

    #[test]
    fn a_fault_of_lists_waits_for_a_list_of_confluent() {
        let mut plan = Plan::new(Faults::script([Rule::new(Fault::NextRepeats)]));
        assert_eq!(strike(&mut plan, CREATE), None);
        assert_eq!(plan.strike(Provider::ClickHouse, LIST), None);
        assert_eq!(strike(&mut plan, LIST), Some(Fault::NextRepeats));
    }

    #[test]
    fn chance_follows_from_the_seed_and_hits_its_part() {
        let run = |seed| {
            let random = RandomFaults::new(seed, 0.2)
                .mix(3, Fault::hang())
                .mix(1, Fault::ExpiredToken)
                .mix(9, Fault::EmptyPage);
            let mut plan = Plan::new(Faults::random(random));
            (0..10_000)
                .map(|_| strike(&mut plan, CREATE))
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
        let mut plain = Plan::new(Faults::random(random.clone()));
        let mut mixed = Plan::new(Faults {
            random: Some(random),
            ..Faults::script([Rule::new(Fault::reset_after()).on(CREATE).times(3)])
        });
        for draw in 0..50 {
            assert_eq!(strike(&mut mixed, LIST), None);
            let (plain, mixed) = (strike(&mut plain, CREATE), strike(&mut mixed, CREATE));
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
            let mut plan = Plan::new(Faults::random(random));
            let hit = (0..100).filter_map(|_| strike(&mut plan, LIST)).count();
            assert_eq!(hit, expected, "{rate}");
        }
    }
}
