//! Several changes that are easily taken for one, or for none.

use org_invitations_spec_diff::diff;
use serde_json::{Value, json};

use crate::{
    common::{Fixture, clickhouse_cloud, iam, role_bindings, sts},
    edit::Edit::{self, Remove, Set},
    equivalent::enriched,
    navigator::find,
    samples::{samples, surface},
    sweep::found,
};

/// The same change at two similar addresses.
#[rustfmt::skip]
fn twins() -> Vec<(&'static Fixture, [&'static str; 2], Edit)> {
    let deprecated = || Set("deprecated", json!(true));
    let integer = || Set("type", json!("boolean"));
    vec![
        (iam(), ["getIamV2Invitation 200 .user", "getIamV2Invitation 200 .creator"], Remove),
        (iam(), ["getIamV2Invitation 200 .user", "getIamV2Invitation 200 .creator"], deprecated()),
        (iam(), ["getIamV2Invitation 200 .id", "getIamV2Invitation 200 .email"], integer()),
        (iam(), ["getIamV2Invitation 200 .accepted_at", "getIamV2Invitation 200 .expires_at"], Remove),
        (iam(), ["listIamV2Invitations ?user", "listIamV2Invitations ?creator"], Remove),
        (iam(), ["listIamV2Invitations 400", "listIamV2Invitations 500"], Remove),
        (iam(), ["listIamV2Invitations 200 #X-RateLimit-Limit", "listIamV2Invitations 200 #X-RateLimit-Remaining"], Remove),
        (iam(), ["listIamV2Invitations 429 #X-RateLimit-Reset", "listIamV2Invitations 429 #Retry-After"], Remove),
        (iam(), ["listIamV2Invitations", "createIamV2Invitation"], deprecated()),
        (iam(), ["listIamV2Invitations security/1", "createIamV2Invitation security/1"], Remove),
        (iam(), ["getIamV2User 200 .id", "getIamV2User 200 .email"], integer()),
        (iam(), ["getIamV2User", "updateIamV2User"], deprecated()),
        (role_bindings(), ["getIamV2RoleBinding 200 .principal", "getIamV2RoleBinding 200 .role_name"], integer()),
        (sts(), ["exchangeStsV1OauthToken 200 .token_type", "exchangeStsV1OauthToken 200 .access_token"], integer()),
        (clickhouse_cloud(), ["invitationGet 200 .result .createdAt", "invitationGet 200 .result .expireAt"], Remove),
        (clickhouse_cloud(), ["memberGet 200 .result .joinedAt", "memberGet 200 .result .userId"], Remove),
        (clickhouse_cloud(), ["organizationRoleGet", "organizationRolePatch"], deprecated()),
        (clickhouse_cloud(), ["invitationGet 400", "invitationGet 500"], Remove),
        (clickhouse_cloud(), ["invitationGet 200 .status", "invitationGet 200 .requestId"], integer()),
    ]
}

pub fn run() {
    let mut missed = Vec::new();
    for (fixture, addresses, edit) in twins() {
        for sample in samples(fixture) {
            let mut mutated = sample.value.clone();
            let mut expected = Vec::new();
            // The later one first: of two that are in one list, the former keeps its index.
            for address in addresses.into_iter().rev() {
                let place = find(&sample.value, address).unwrap();
                expected.extend(edit.apply(&mut mutated, &place).unwrap());
            }
            let before = surface("before", &sample.value, fixture);
            let after = surface("after", &mutated, fixture);
            for findings in [
                diff(&before, &after, &fixture.api),
                diff(&after, &before, &fixture.api),
            ] {
                if let Err(wrong) = found(&findings, None, &expected) {
                    missed.push(format!("{}, {addresses:?} {edit:?}: {wrong}", sample.name));
                }
            }
        }
    }
    assert!(missed.is_empty(), "missed:\n{}", missed.join("\n"));
}

/// Keywords that 3.0 does not have, with what changes within them.
pub fn in_31() {
    let page_size = |exclusive: u32| {
        let mut document = samples(iam()).remove(0).value;
        document["openapi"] = json!("3.1.0");
        let place = find(&document, "listIamV2Invitations ?page_size schema").unwrap();
        let bound = Set("exclusiveMaximum", json!(exclusive));
        bound.apply(&mut document, &place).unwrap();
        (document, place.pointer)
    };
    let mut missed = Vec::new();
    let (before, pointer) = page_size(60);
    missed.extend(silent(iam(), &before, &page_size(50).0, &pointer));

    let part = "/components/schemas/EnrichedPart/properties/a";
    for alone in ["xPair", "xNamed", "xEither", "xNullablePart"] {
        let mut before = enriched(&samples(clickhouse_cloud())[0].value, clickhouse_cloud());
        let place = find(&before, "invitationGet 200 .result @")
            .unwrap()
            .pointer;
        let properties = before.pointer_mut(&format!("{place}/properties")).unwrap();
        let properties = properties.as_object_mut().unwrap();
        properties.retain(|name, _| !name.starts_with('x') || name == alone);
        let mut after = before.clone();
        *after.pointer_mut(part).unwrap() = json!({ "type": "boolean" });
        missed.extend(silent(clickhouse_cloud(), &before, &after, alone));
    }
    assert!(
        missed.is_empty(),
        "nothing was found of {}",
        missed.join(", ")
    );
}

fn silent(fixture: &Fixture, before: &Value, after: &Value, what: &str) -> Option<String> {
    let (before, after) = (
        surface("before", before, fixture),
        surface("after", after, fixture),
    );
    let findings = diff(&before, &after, &fixture.api);
    findings.is_empty().then(|| what.to_owned())
}
