//! DuplicateAnswer requests are hit by which faults.

use serde::{Deserialize, Serialize};

use super::{Fault, Lag};
use crate::operation::Operation;
use crate::state::Provider;

/// The faults to come.
///
/// A request is hit by the first rule of the script that is due for it, or else, perhaps, by a random fault. Only
/// requests for an operation are hit. In JSON:
///
/// ```
/// # use org_invitations_sandbox::Faults;
/// # let faults: Faults = serde_json::from_str(r#"
/// {
///   "script": [
///     { "operation": "create", "nth": 2, "fault": { "kind": "reset", "when": "after" } },
///     { "provider": "confluent", "operation": "list", "times": 3, "fault": { "kind": "empty_page" } }
///   ],
///   "random": {
///     "seed": 7,
///     "rate": 0.2,
///     "operations": ["create", "get"],
///     "mix": [
///       { "weight": 3, "fault": { "kind": "status", "status": 503 } },
///       { "fault": { "kind": "late_commit", "delay_ms": 50 } }
///     ]
///   },
///   "clock_skew_seconds": -90,
///   "uniqueness_lag": { "for_ms": 5000 },
///   "list_lag": { "requests": 3 }
/// }
/// # "#).unwrap();
/// # assert_eq!(faults.script.len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Faults {
    /// Faults for requests that are known in advance.
    pub script: Vec<Rule>,
    /// Faults that hit by chance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub random: Option<RandomFaults>,
    /// How far the servers' clock is ahead, in seconds; behind, when negative. It shows in the `Date` header and
    /// in every time that is answered, and decides what has expired.
    pub clock_skew_seconds: i64,
    /// How long the address of a new invitation can be invited again. Default not at all.
    ///
    /// An invitation keeps the lags that were set when it was made; other faults may hit the same request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uniqueness_lag: Option<Lag>,
    /// How long lists do not show a new invitation, which a get by its id answers at once. Default not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_lag: Option<Lag>,
}

/// A fault and the requests that it hits.
///
/// In JSON `operation` may also be an `operationId` of a vendor's document, which says the provider too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawRule")]
#[non_exhaustive]
pub struct Rule {
    /// Only requests to this API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// Only requests for this operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// The first one hit, counting from 1 those that come to this rule: those that match it and that no rule
    /// before it hits. Default 1.
    pub nth: u32,
    /// How many are hit, that one and those after it; 0 for no end. Default 1.
    pub times: u32,
    /// What happens to them.
    pub fault: Fault,
}

/// Faults that hit by chance: the same ones, given the seed and the order in which requests arrive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RandomFaults {
    /// What the chances follow from. Default 0.
    #[serde(default)]
    pub seed: u64,
    /// The part of the requests that is hit, from 0 to 1.
    pub rate: f64,
    /// Only requests to this API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// Only requests for these operations. Default all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<Operation>,
    /// The faults to choose from; those that cannot happen to a request are left out for it.
    pub mix: Vec<WeightedFault>,
}

/// A fault in a mix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WeightedFault {
    /// How often it is chosen, against the others. Default 1.
    #[serde(default = "one")]
    pub weight: u32,
    /// The fault.
    pub fault: Fault,
}

impl Faults {
    /// These rules, in this order.
    pub fn script(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self {
            script: rules.into_iter().collect(),
            ..Self::default()
        }
    }

    /// No script, only chance.
    pub fn random(random: RandomFaults) -> Self {
        Self {
            random: Some(random),
            ..Self::default()
        }
    }

    /// The same, with the servers' clock ahead by so many seconds.
    #[must_use]
    pub fn with_clock_skew(self, seconds: i64) -> Self {
        Self {
            clock_skew_seconds: seconds,
            ..self
        }
    }

    /// The same, and the address of a new invitation can be invited again for a while.
    #[must_use]
    pub fn with_uniqueness_lag(self, lag: Lag) -> Self {
        Self {
            uniqueness_lag: Some(lag),
            ..self
        }
    }

    /// The same, and lists do not show a new invitation for a while.
    #[must_use]
    pub fn with_list_lag(self, lag: Lag) -> Self {
        Self {
            list_lag: Some(lag),
            ..self
        }
    }

    /// What is wrong with them, if anything: a number out of its range, or a header that cannot be sent.
    pub(crate) fn problem(&self) -> Option<String> {
        let random = self.random.as_ref();
        let mixed = random.into_iter().flat_map(|random| &random.mix);
        let mut faults = self
            .script
            .iter()
            .map(|rule| &rule.fault)
            .chain(mixed.map(|weighted| &weighted.fault));
        if random.is_some_and(|random| !(0.0..=1.0).contains(&random.rate)) {
            return Some("`rate` is not a number from 0 to 1".to_owned());
        }
        if self.script.iter().any(|rule| rule.nth == 0) {
            return Some("`nth` counts from 1".to_owned());
        }
        faults.find_map(Fault::problem)
    }
}

impl Rule {
    /// The first request, whatever it is.
    pub fn new(fault: Fault) -> Self {
        Self {
            provider: None,
            operation: None,
            nth: 1,
            times: 1,
            fault,
        }
    }

    /// Only requests to this API.
    #[must_use]
    pub fn provider(self, provider: Provider) -> Self {
        Self {
            provider: Some(provider),
            ..self
        }
    }

    /// Only requests for this operation.
    #[must_use]
    pub fn on(self, operation: Operation) -> Self {
        Self {
            operation: Some(operation),
            ..self
        }
    }

    /// From the `nth` request on, counting from 1.
    #[must_use]
    pub fn nth(self, nth: u32) -> Self {
        Self { nth, ..self }
    }

    /// So many requests in place of one.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// Every request.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(0)
    }
}

impl RandomFaults {
    /// This part of the requests, from 0 to 1, with nothing in the mix yet.
    pub fn new(seed: u64, rate: f64) -> Self {
        Self {
            seed,
            rate,
            provider: None,
            operations: Vec::new(),
            mix: Vec::new(),
        }
    }

    /// Adds a fault to the mix.
    #[must_use]
    pub fn mix(mut self, weight: u32, fault: Fault) -> Self {
        self.mix.push(WeightedFault { weight, fault });
        self
    }

    /// Only requests to this API.
    #[must_use]
    pub fn provider(self, provider: Provider) -> Self {
        Self {
            provider: Some(provider),
            ..self
        }
    }

    /// Only requests for these operations.
    #[must_use]
    pub fn on(self, operations: impl IntoIterator<Item = Operation>) -> Self {
        Self {
            operations: operations.into_iter().collect(),
            ..self
        }
    }
}

/// A rule as JSON has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    provider: Option<Provider>,
    operation: Option<Name>,
    #[serde(default = "one")]
    nth: u32,
    #[serde(default = "one")]
    times: u32,
    fault: Fault,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Name {
    Operation(Operation),
    Id(String),
}

impl TryFrom<RawRule> for Rule {
    type Error = String;

    fn try_from(written: RawRule) -> Result<Self, String> {
        let (provider, operation) = match written.operation {
            None => (written.provider, None),
            Some(Name::Operation(operation)) => (written.provider, Some(operation)),
            Some(Name::Id(id)) => {
                let (provider, operation) =
                    Operation::from_id(&id).ok_or_else(|| format!("no operation {id:?}"))?;
                if written.provider.is_some_and(|wanted| wanted != provider) {
                    return Err(format!("{id} is an operation of the other provider"));
                }
                (Some(provider), Some(operation))
            }
        };
        Ok(Self {
            provider,
            operation,
            nth: written.nth,
            times: written.times,
            fault: written.fault,
        })
    }
}

fn one() -> u32 {
    1
}
