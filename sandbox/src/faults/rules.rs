//! Rules that decide which requests a fault affects.

use serde::{Deserialize, Serialize};

use super::{Fault, Lag};
use crate::operation::Operation;
use crate::provider::Provider;

/// The faults to inject.
///
/// The first rule of the script that is due decides the fault of a request; without one, a random fault may. Only
/// requests for an operation are affected. In JSON:
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
    /// Faults for the requests that rules select.
    pub script: Vec<Rule>,
    /// Faults for random requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub random: Option<RandomFaults>,
    /// How many seconds the servers' clock is ahead, or behind if negative. The clock decides the `Date` header, every
    /// time in a body, and what has expired.
    pub clock_skew_seconds: i64,
    /// How long the address of a new invitation can be invited again. Default never.
    ///
    /// An invitation keeps the lags that were set when it was created. Other faults may affect the same create.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uniqueness_lag: Option<Lag>,
    /// How long lists omit a new invitation, although a get of its id answers it at once. Default never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_lag: Option<Lag>,
    /// How long lists omit a new role binding on Confluent, although a get of its id answers it at once and a second
    /// create is answered with 409. Default never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binding_lag: Option<Lag>,
}

/// A fault and the requests that it affects.
///
/// In JSON, `operation` may also be an `operationId` of a vendor's document, which selects the provider too.
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
    /// The first request to affect, counted from 1. Requests count if they match this rule and no earlier rule affects
    /// them. Default 1.
    pub nth: u32,
    /// How many requests to affect, from that one on; 0 for all. Default 1.
    pub times: u32,
    /// The fault.
    pub fault: Fault,
}

/// Faults for random requests. The same seed and the same order of requests give the same faults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RandomFaults {
    /// The seed of the random numbers. Default 0.
    #[serde(default)]
    pub seed: u64,
    /// The share of requests to affect, from 0 to 1.
    pub rate: f64,
    /// Only requests to this API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// Only requests for these operations. Default all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<Operation>,
    /// The faults to choose from. A fault that makes no sense for a request is not chosen for it.
    pub mix: Vec<WeightedFault>,
}

/// A fault in a mix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WeightedFault {
    /// The weight of the fault among the others of the mix. Default 1.
    #[serde(default = "one")]
    pub weight: u32,
    /// The fault.
    pub fault: Fault,
}

impl Faults {
    /// Creates a script of rules.
    pub fn script(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self {
            script: rules.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Creates random faults without a script.
    pub fn random(random: RandomFaults) -> Self {
        Self {
            random: Some(random),
            ..Self::default()
        }
    }

    /// Sets how many seconds the servers' clock is ahead.
    #[must_use]
    pub fn with_clock_skew(self, seconds: i64) -> Self {
        Self {
            clock_skew_seconds: seconds,
            ..self
        }
    }

    /// Sets how long the address of a new invitation can be invited again.
    #[must_use]
    pub fn with_uniqueness_lag(self, lag: Lag) -> Self {
        Self {
            uniqueness_lag: Some(lag),
            ..self
        }
    }

    /// Sets how long lists omit a new invitation.
    #[must_use]
    pub fn with_list_lag(self, lag: Lag) -> Self {
        Self {
            list_lag: Some(lag),
            ..self
        }
    }

    /// Sets how long lists omit a new role binding.
    #[must_use]
    pub fn with_binding_lag(self, lag: Lag) -> Self {
        Self {
            binding_lag: Some(lag),
            ..self
        }
    }

    /// Checks that the faults can be injected.
    ///
    /// # Errors
    ///
    /// A number is out of range, or a header is invalid.
    pub(crate) fn validate(&self) -> Result<(), String> {
        let random = self.random.as_ref();
        let mixed = random.into_iter().flat_map(|random| &random.mix);
        let mut faults = self
            .script
            .iter()
            .map(|rule| &rule.fault)
            .chain(mixed.map(|weighted| &weighted.fault));
        if random.is_some_and(|random| !(0.0..=1.0).contains(&random.rate)) {
            return Err("`rate` is not a number from 0 to 1".to_owned());
        }
        if self.script.iter().any(|rule| rule.nth == 0) {
            return Err("`nth` counts from 1".to_owned());
        }
        faults.try_for_each(Fault::validate)
    }
}

impl Rule {
    /// Creates a rule for the next request, whatever it is.
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

    /// Affects requests from the `nth` on, counted from 1.
    #[must_use]
    pub fn nth(self, nth: u32) -> Self {
        Self { nth, ..self }
    }

    /// Sets how many requests to affect.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// Affects every request.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(0)
    }
}

impl RandomFaults {
    /// Creates random faults for a share of requests from 0 to 1, with an empty mix.
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

/// A rule in JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    provider: Option<Provider>,
    operation: Option<RawOperation>,
    #[serde(default = "one")]
    nth: u32,
    #[serde(default = "one")]
    times: u32,
    fault: Fault,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawOperation {
    Operation(Operation),
    Id(String),
}

impl TryFrom<RawRule> for Rule {
    type Error = String;

    fn try_from(raw: RawRule) -> Result<Self, String> {
        let (provider, operation) = match raw.operation {
            None => (raw.provider, None),
            Some(RawOperation::Operation(operation)) => (raw.provider, Some(operation)),
            Some(RawOperation::Id(id)) => {
                let (provider, operation) =
                    Operation::from_id(&id).ok_or_else(|| format!("unknown operation {id:?}"))?;
                if raw.provider.is_some_and(|only| only != provider) {
                    return Err(format!("the operation {id} belongs to the other provider"));
                }
                (Some(provider), Some(operation))
            }
        };
        Ok(Self {
            provider,
            operation,
            nth: raw.nth,
            times: raw.times,
            fault: raw.fault,
        })
    }
}

fn one() -> u32 {
    1
}
