//! Scopes of Confluent's roles: CRN patterns, whole and short.
//!
//! From the vendor's documents: the pattern of a role binding begins with `crn://`, names the authority, and then one
//! `kind=id` after another, from the organisation down to a resource.

const AUTHORITY: &str = "crn://confluent.cloud/";

/// The pattern of everything in an organisation.
pub(crate) fn of_organization(organization: &str) -> String {
    format!("{AUTHORITY}organization={organization}")
}

/// Whether a scope stands for itself, so that the organisation need not be known.
pub(crate) fn is_whole(scope: Option<&str>) -> bool {
    scope.is_some_and(|scope| scope.starts_with("crn://"))
}

/// The organisation that a whole CRN pattern of Confluent Cloud names.
pub(crate) fn organization_of(scope: Option<&str>) -> Option<&str> {
    let rest = scope?.strip_prefix(AUTHORITY)?;
    let first = rest.split('/').next()?;
    first.strip_prefix("organization=")
}

/// The pattern that a scope stands for.
///
/// # Errors
///
/// Why the scope stands for none, with the forms that do.
pub(crate) fn pattern(organization: &str, scope: Option<&str>) -> Result<String, String> {
    let Some(scope) = scope else {
        return Ok(of_organization(organization));
    };
    let wrong = |why: String| {
        format!(
            "{why}; a scope is a CRN pattern (crn://…), or short: env-1, env-1/lkc-2, env-1/lkc-2/topic=NAME (or group=, \
             transactional-id=), env-1/lsrc-3/subject=NAME"
        )
    };
    if is_whole(Some(scope)) {
        // Another authority may be another kind of cluster.
        let rest = scope.strip_prefix("crn://").unwrap_or_default();
        let mut parts = rest.split('/').skip(1);
        let is_pair = |part: &str| {
            part.split_once('=')
                .is_some_and(|(kind, id)| !kind.is_empty() && !id.is_empty())
        };
        let begins = parts.next().is_some_and(is_pair);
        // The name of a resource may have slashes, and what follows one need not be a pair.
        return match rest.starts_with('/') || !begins || rest.ends_with('/') {
            true => Err(wrong(format!("{scope:?} is not a whole CRN pattern"))),
            false => Ok(scope.to_owned()),
        };
    }
    let mut pattern = of_organization(organization);
    // The Kafka cluster that resources belong to; empty after a Schema Registry.
    let mut cluster = None;
    for (index, part) in scope.split('/').enumerate() {
        let step = match (index, part.split_once('=')) {
            (0, None) if has_id(part, "env-") => format!("environment={part}"),
            (0, Some(("environment", id))) if !id.is_empty() => format!("environment={id}"),
            (1, None) if has_id(part, "lkc-") => {
                cluster = Some(format!("kafka={part}"));
                format!("cloud-cluster={part}")
            }
            (1, None) if has_id(part, "lsrc-") => {
                cluster = Some(String::new());
                format!("schema-registry={part}")
            }
            (2, Some((kind @ ("topic" | "group" | "transactional-id"), name)))
                if !name.is_empty() =>
            {
                match cluster.as_deref() {
                    Some(kafka) if !kafka.is_empty() => format!("{kafka}/{kind}={name}"),
                    _ => {
                        return Err(wrong(format!(
                            "{kind} belongs to a Kafka cluster (lkc-…), in {scope:?}"
                        )));
                    }
                }
            }
            (2, Some(("subject", name))) if !name.is_empty() => match cluster.as_deref() {
                Some("") => format!("subject={name}"),
                _ => {
                    let why =
                        format!("a subject belongs to a Schema Registry (lsrc-…), in {scope:?}");
                    return Err(wrong(why));
                }
            },
            _ => {
                return Err(wrong(format!(
                    "{part:?} is not understood in the scope {scope:?}"
                )));
            }
        };
        pattern.push('/');
        pattern.push_str(&step);
    }
    Ok(pattern)
}

/// The scope that gives a pattern again: `None` for everything in an organisation, and nothing narrower; the short form
/// where there is one, and the whole pattern otherwise.
pub(crate) fn short(pattern: &str) -> Option<String> {
    let of_organization = pattern.strip_prefix(AUTHORITY);
    let of_organization = of_organization.and_then(|rest| rest.strip_prefix("organization="));
    match of_organization.map(|rest| rest.split_once('/')) {
        Some(None) => None,
        Some(Some((organization, rest))) => {
            let short = shortened(organization, rest).filter(|_| !organization.is_empty());
            Some(short.unwrap_or_else(|| pattern.to_owned()))
        }
        None => Some(pattern.to_owned()),
    }
}

/// The short form of what a pattern has after the organisation, if that means the same again.
fn shortened(organization: &str, rest: &str) -> Option<String> {
    let mut short = Vec::new();
    for part in rest.split('/') {
        match part.split_once('=')? {
            ("environment" | "cloud-cluster" | "schema-registry", id) => short.push(id.to_owned()),
            ("kafka", _) => {}
            _ => short.push(part.to_owned()),
        }
    }
    let short = short.join("/");
    let again = pattern(organization, Some(&short)).ok()?;
    let whole = format!("{}/{rest}", of_organization(organization));
    (again == whole).then_some(short)
}

/// `PREFIX…`
fn has_id(part: &str, prefix: &str) -> bool {
    part.strip_prefix(prefix).is_some_and(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "crn://confluent.cloud/organization=o-1";

    #[test]
    fn short_scopes_stand_for_patterns_and_come_back() {
        for (scope, rest) in [
            ("env-1", "/environment=env-1"),
            ("env-1/lkc-2", "/environment=env-1/cloud-cluster=lkc-2"),
            (
                "env-1/lkc-2/topic=orders*",
                "/environment=env-1/cloud-cluster=lkc-2/kafka=lkc-2/topic=orders*",
            ),
            (
                "env-1/lkc-2/transactional-id=t",
                "/environment=env-1/cloud-cluster=lkc-2/kafka=lkc-2/transactional-id=t",
            ),
            ("env-1/lsrc-3", "/environment=env-1/schema-registry=lsrc-3"),
            (
                "env-1/lsrc-3/subject=orders-value",
                "/environment=env-1/schema-registry=lsrc-3/subject=orders-value",
            ),
        ] {
            let whole = pattern("o-1", Some(scope)).unwrap();
            assert_eq!(whole, format!("{BASE}{rest}"));
            assert_eq!(short(&whole).as_deref(), Some(scope));
            assert_eq!(pattern("o-2", Some(&whole)).unwrap(), whole);
        }
        assert_eq!(pattern("o-1", None).unwrap(), BASE);
        assert_eq!(short(BASE), None);
    }

    #[test]
    fn a_pattern_without_a_short_form_stays_whole() {
        let pattern = format!("{BASE}/environment=env-1/flink-region=aws.eu");
        assert_eq!(short(&pattern).as_deref(), Some(pattern.as_str()));
        let foreign = "crn://mds-01.example/kafka=k/topic=t";
        assert_eq!(short(foreign).as_deref(), Some(foreign));
    }

    #[test]
    fn no_pattern_is_widened_to_the_organisation() {
        for rest in [
            "/environment=env-1/schema-registry=lsrc-1/subject=ctx/orders",
            "/environment=env-1/cloud-cluster=lkc-1/kafka=lkc-1/group=team/a",
            "/environment=env-1/odd",
            "/odd",
            "/",
        ] {
            let whole = format!("{BASE}{rest}");
            assert_eq!(short(&whole).as_deref(), Some(whole.as_str()));
            let again = pattern("o-2", Some(&whole));
            assert!(
                rest.ends_with('/') || again.as_ref() == Ok(&whole),
                "{again:?}"
            );
        }
        assert_eq!(short("").as_deref(), Some(""));
    }

    #[test]
    fn what_is_no_scope_is_refused_with_the_forms() {
        for scope in [
            "",
            "env-",
            "lkc-1",
            "env-1/",
            "env-1/topic=orders",
            "env-1/lkc-2/subject=s",
            "env-1/lsrc-3/topic=t",
            "env-1/lkc-2/topic=",
            "env-1/lkc-2/topic=a/more",
            "crn://",
            "crn://confluent.cloud",
            "crn://confluent.cloud/organization",
            "crn:///organization=o",
        ] {
            let why = pattern("o-1", Some(scope)).unwrap_err();
            assert!(why.contains("env-1/lkc-2/topic=NAME"), "{scope:?} {why}");
        }
    }
}
