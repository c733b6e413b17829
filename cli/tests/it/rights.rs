//! What `doctor` says about the right to write.

use org_invitations_sandbox::{
    Config, ConfluentKey, ConfluentMember, ConfluentOrganization, ConfluentRoleBinding,
};

use crate::fixture::{Fixture, with_variables};

/// An organisation of Confluent with these role bindings, and keys of a person and of a service account.
async fn organization(bindings: &[(&str, &str)]) -> Fixture {
    let mut organization = ConfluentOrganization::default()
        .member(ConfluentMember::new("ann@example.com").id("u-ann"))
        .key(ConfluentKey::new("ANN", "secret-a").user("u-ann"))
        .key(ConfluentKey::new("ROBOT", "secret-r").user("sa-robot"));
    for (principal, role) in bindings {
        let binding = ConfluentRoleBinding::new(format!("User:{principal}"), *role);
        organization = organization.role_binding(binding);
    }
    let mut config = Config::default();
    config.confluent = vec![organization];
    Fixture::with(config).await
}

/// The outcome and detail of the check.
async fn permission(fixture: &Fixture, provider: &str, key: &[(&str, &str)]) -> (String, String) {
    let variables = with_variables(fixture.variables(), key);
    let doctor = ["-p", provider, "doctor", "-o", "json"];
    let report = crate::fixture::run(&doctor, &variables)
        .await
        .success()
        .one();
    let checks = report["checks"].as_array().unwrap();
    let check = checks
        .iter()
        .find(|check| check["check"] == "permission")
        .unwrap();
    let text = |name: &str| check[name].as_str().unwrap().to_owned();
    (text("outcome"), text("detail"))
}

fn key(id: &'static str, secret: &'static str) -> [(&'static str, &'static str); 2] {
    [
        ("CONFLUENT_CLOUD_API_KEY", id),
        ("CONFLUENT_CLOUD_API_SECRET", secret),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_of_the_owner_tell_the_right_to_write() {
    for (bindings, id, secret, outcome, said) in [
        (
            &[("u-ann", "OrganizationAdmin")][..],
            "ANN",
            "secret-a",
            "ok",
            "has the role OrganizationAdmin",
        ),
        (
            &[("sa-robot", "AccountAdmin")],
            "ROBOT",
            "secret-r",
            "ok",
            "has the role AccountAdmin",
        ),
        (
            &[("u-ann", "MetricsViewer")],
            "ANN",
            "secret-a",
            "warning",
            "has only MetricsViewer",
        ),
        (
            &[("u-ann", "OrganizationAdmin")],
            "ROBOT",
            "secret-r",
            "unknown",
            "no role of its own",
        ),
    ] {
        let fixture = organization(bindings).await;
        if !fixture.offers_api_keys() {
            return;
        }
        let (seen, detail) = permission(&fixture, "confluent", &key(id, secret)).await;
        assert_eq!(seen, outcome, "{detail}");
        assert!(detail.contains(said), "{detail}");
        assert!(fixture.sandbox.ledger().commits.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_does_not_tell_leaves_it_open() {
    let fixture = Fixture::start().await;
    let (outcome, detail) = permission(&fixture, "clickhouse", &[]).await;
    assert_eq!(outcome, "unknown");
    assert!(detail.contains("not known without writing"), "{detail}");
}
