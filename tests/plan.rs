//! Plans: what has to be done, and that doing it leaves nothing to be done.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, TryStreamExt};
use org_invitations::{
    Action, ApplyOptions, AuthType, BulkOptions, Capabilities, ClickHouse, Confluent, ErrorKind,
    Invitation, InvitationProvider, InvitationProviderExt, InvitationStatus, ListQuery,
    NewInvitation, Plan, PlanOptions, RenewalOptions, RetryPolicy, Role, RoleAssignment,
    StepOutcome, StepResult,
};
use org_invitations_sandbox::{Fault, Faults, Operation, Rule, Sandbox};

/// A provider that has everything.
fn everything() -> Capabilities {
    let mut capabilities = Capabilities::default();
    capabilities.auth_type = true;
    capabilities.roles = true;
    capabilities.legacy_role = true;
    capabilities
}

fn invitations(id: &str, email: &str, status: InvitationStatus) -> Invitation {
    let mut invitation = Invitation::new(id.parse().unwrap(), email);
    invitation.status = Some(status);
    invitation
}

fn plan(roster: &[NewInvitation], invitations: &[Invitation], options: &PlanOptions) -> Plan {
    let invitations = invitations.iter().cloned();
    Plan::new(roster.iter().cloned(), invitations, &everything(), options)
}

/// What a plan says of one person and one invitation.
fn step(new: NewInvitation, invitations: Invitation) -> (Action, Option<String>, Option<String>) {
    let plan = plan(&[new], &[invitations], &PlanOptions::default());
    let step = plan.steps.into_iter().next().unwrap();
    (step.action, step.id.map(String::from), step.reason)
}

#[test]
fn the_status_of_what_is_there_decides() {
    let ann = || NewInvitation::new("ann@example.com");
    for (status, action, reason) in [
        (InvitationStatus::Sent, Action::Keep, None),
        (InvitationStatus::Staged, Action::Keep, None),
        (InvitationStatus::Accepted, Action::Keep, Some("accepted")),
        (InvitationStatus::Expired, Action::Replace, Some("expired")),
        (InvitationStatus::Deactivated, Action::Create, None),
        (InvitationStatus::from("paused"), Action::Keep, None),
    ] {
        let said = step(ann(), invitations("i-1", "Ann@Example.com", status.clone()));
        let id = (action != Action::Create).then(|| "i-1".to_owned());
        let wanted = (action, id, reason.map(str::to_owned));
        assert_eq!(said, wanted, "{status}");
    }
}

#[test]
fn other_options_are_a_renewal() {
    let made = || {
        let mut made = invitations("i-1", "ann@example.com", InvitationStatus::Sent);
        made.auth_type = Some(AuthType::Sso);
        made.role = Some("developer".to_owned());
        let roles = ["r-1", "r-2"].map(|id| {
            let mut role = RoleAssignment::default();
            role.id = Some(id.to_owned());
            role
        });
        made.roles = Some(roles.to_vec());
        made
    };
    let ann = || NewInvitation::new("ann@example.com");
    for (new, reason) in [
        (ann(), None),
        (ann().roles(["r-2", "r-1"]), None),
        (ann().roles(["r-1"]), Some("other roles")),
        (ann().roles(["r-1", "r-3"]), Some("other roles")),
        (ann().legacy_role("developer"), None),
        (ann().legacy_role("admin"), Some("other roles")),
        (ann().auth_type(AuthType::Sso), None),
        (ann().auth_type(AuthType::Local), Some("other auth type")),
    ] {
        let (action, _, said) = step(new.clone(), made());
        let wanted = reason.map_or(Action::Keep, |_| Action::Replace);
        assert_eq!((action, said.as_deref()), (wanted, reason), "{new:?}");
    }
    // What the provider does not report does not differ.
    let silent = invitations("i-1", "ann@example.com", InvitationStatus::Sent);
    let new = ann().roles(["r-1"]).auth_type(AuthType::Local);
    assert_eq!(step(new, silent).0, Action::Keep);
}

#[test]
fn roles_without_ids_are_kept_and_said_not_to_be_compared() {
    let mut made = invitations("i-1", "ann@example.com", InvitationStatus::Sent);
    let mut role = RoleAssignment::default();
    role.name = Some("Admin".to_owned());
    made.roles = Some(vec![role]);
    let new = NewInvitation::new("ann@example.com").roles(["r-1"]);
    let (action, _, reason) = step(new, made);
    assert_eq!(action, Action::Keep);
    assert!(reason.is_some_and(|reason| reason.contains("not compared")));
}

#[test]
fn roles_of_the_organisation_decide_which_rows_are_valid() {
    let role = |id: &str, name: &str| {
        let mut role = Role::new(id);
        role.name = Some(name.to_owned());
        role
    };
    let roles = [
        role("r-1", "Admin"),
        role("r-2", "Reader"),
        role("r-3", "READER"),
    ];
    let mut made = invitations("i-1", "ann@example.com", InvitationStatus::Sent);
    let mut assigned = RoleAssignment::default();
    assigned.id = Some("r-1".to_owned());
    made.roles = Some(vec![assigned]);
    for (granted, action, words) in [
        ("admin", Action::Keep, ""),
        ("r-1", Action::Keep, ""),
        ("r-2", Action::Replace, "other roles"),
        ("Amdin", Action::Invalid, "(did you mean \"Admin\"?)"),
        ("reader", Action::Invalid, "2 roles are called \"reader\""),
    ] {
        let roster = [NewInvitation::new("ann@example.com").roles([granted])];
        let options = PlanOptions::default().roles(roles.clone());
        let plan = plan(&roster, &[made.clone()], &options);
        let step = &plan.steps[0];
        assert_eq!(step.action, action, "{granted} {step:?}");
        let reason = step.reason.as_deref().unwrap_or_default();
        assert!(reason.contains(words), "{granted} {reason}");
    }
}

#[test]
fn an_id_of_two_people_is_not_acted_on() {
    let invitations = [
        invitations("i-1", "ann@example.com", InvitationStatus::Expired),
        invitations("i-1", "Ann@example.com", InvitationStatus::Expired),
        invitations("i-1", "bob@example.com", InvitationStatus::Sent),
        invitations("i-2", "cid@example.com", InvitationStatus::Sent),
        // Listed twice, as when a page moves while it is read: still one person's.
        invitations("i-3", "dan@example.com", InvitationStatus::Sent),
        invitations("i-3", "dan@example.com", InvitationStatus::Sent),
    ];
    let roster = [NewInvitation::new("ann@example.com")];
    let plan = plan(&roster, &invitations, &PlanOptions::default().prune(true));
    let said: Vec<_> = plan
        .steps
        .iter()
        .map(|step| (step.email.as_str(), step.action))
        .collect();
    let wanted = [
        ("ann@example.com", Action::Invalid),
        ("bob@example.com", Action::Keep),
        ("cid@example.com", Action::Remove),
        ("dan@example.com", Action::Remove),
        ("dan@example.com", Action::Remove),
    ];
    assert_eq!(said, wanted);
}

#[test]
fn rows_that_cannot_be_carried_out_are_refused_and_say_why() {
    let ann = || NewInvitation::new("ann@example.com");
    let roster = [
        ann(),
        NewInvitation::new("ANN@example.com"),
        NewInvitation::new("nobody"),
        NewInvitation::new("bob@example.com").roles(["r-1"]),
        NewInvitation::new("cid@example.com").legacy_role("admin"),
        NewInvitation::new("dan@example.com").auth_type(AuthType::Sso),
        NewInvitation::new("bob@example.com"),
    ];
    let nothing = Capabilities::default();
    let plan = Plan::new(roster, [], &nothing, &PlanOptions::default());
    let said: Vec<_> = plan
        .steps
        .iter()
        .map(|step| (step.action, step.reason.as_deref().unwrap_or("-")))
        .collect();
    assert_eq!(plan.steps[1].same_as, Some(0));
    assert_eq!(
        said,
        [
            (Action::Create, "-"),
            (Action::Invalid, "an earlier row has the same address"),
            (Action::Invalid, "an email address needs an `@`"),
            (Action::Invalid, "the provider has no roles"),
            (Action::Invalid, "the provider has no legacy roles"),
            (Action::Invalid, "the provider has no auth types"),
            (Action::Create, "-"),
        ]
    );
}

#[test]
fn prune_withdraws_what_nobody_wants_and_leaves_members_alone() {
    let invitations = [
        invitations("i-1", "ann@example.com", InvitationStatus::Sent),
        invitations("i-2", "bob@example.com", InvitationStatus::Sent),
        invitations("i-3", "cid@example.com", InvitationStatus::Expired),
        invitations("i-4", "dan@example.com", InvitationStatus::Accepted),
        invitations("i-5", "eve@example.com", InvitationStatus::Deactivated),
    ];
    let roster = [NewInvitation::new("Ann@example.com")];
    let kept = plan(&roster, &invitations, &PlanOptions::default());
    assert_eq!(kept.steps.len(), 1);
    assert!(kept.is_noop());
    let pruned = plan(&roster, &invitations, &PlanOptions::default().prune(true));
    let deleted: Vec<_> = pruned.steps[1..]
        .iter()
        .map(|step| (step.action, step.id.as_ref().unwrap().as_str(), step.row))
        .collect();
    let wanted = ["i-2", "i-3"].map(|id| (Action::Remove, id, None));
    assert_eq!(deleted, wanted);
    assert_eq!(pruned.count(Action::Remove), 2);
    assert!(!pruned.is_noop());
}

#[test]
fn a_refused_row_does_not_make_its_person_unwanted_by_accident() {
    // The first row of the address counts, the second is refused.
    let invitations = [invitations(
        "i-1",
        "ann@example.com",
        InvitationStatus::Sent,
    )];
    let roster = ["ann@example.com", "Ann@example.com"].map(NewInvitation::new);
    let plan = plan(&roster, &invitations, &PlanOptions::default().prune(true));
    let actions: Vec<_> = plan.steps.iter().map(|step| step.action).collect();
    assert_eq!(actions, [Action::Keep, Action::Invalid]);
}

#[test]
fn of_several_invitations_the_latest_pending_one_counts() {
    let at = |seconds: i64| Some(DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(seconds));
    let made = |id: &str, status: InvitationStatus, seconds: i64| {
        let mut made = invitations(id, "ann@example.com", status);
        made.created_at = at(seconds);
        made
    };
    let all = [
        made("i-1", InvitationStatus::Expired, 9),
        made("i-2", InvitationStatus::Sent, 2),
        made("i-3", InvitationStatus::Sent, 3),
        made("i-4", InvitationStatus::Deactivated, 10),
    ];
    let roster = [NewInvitation::new("ann@example.com")];
    let plan = plan(&roster, &all, &PlanOptions::default());
    assert_eq!(plan.steps[0].id.as_ref().unwrap().as_str(), "i-3");
    assert_eq!(plan.steps[0].action, Action::Keep);
}

#[test]
fn a_plan_is_data() {
    let roster = [
        NewInvitation::new("ann@example.com").roles(["r-1"]),
        NewInvitation::new("nobody"),
    ];
    let plan = plan(&roster, &[], &PlanOptions::default());
    let json = serde_json::to_value(&plan).unwrap();
    let expected = serde_json::json!({ "steps": [
        { "row": 0, "action": "create", "email": "ann@example.com", "roles": { "grants": ["r-1"] } },
        {
            "row": 1, "action": "invalid", "email": "nobody",
            "reason": "an email address needs an `@`",
        },
    ]});
    assert_eq!(json, expected);
    assert_eq!(serde_json::from_value::<Plan>(json).unwrap(), plan);
}

fn providers(sandbox: &Sandbox) -> [Box<dyn InvitationProvider>; 2] {
    let (first, second) = (
        &sandbox.credentials().confluent,
        &sandbox.credentials().clickhouse,
    );
    let confluent = Confluent::builder()
        .api_key(&first.api_key, first.api_secret.as_str())
        .base_url(sandbox.url())
        .retry(RetryPolicy::none());
    let clickhouse = ClickHouse::builder(&second.organization_id)
        .api_key(&second.api_key, second.api_secret.as_str())
        .base_url(sandbox.url())
        .rate_limit(1_000, Duration::from_secs(1))
        .retry(RetryPolicy::none());
    [
        Box::new(confluent.build().unwrap()),
        Box::new(clickhouse.build().unwrap()),
    ]
}

async fn planned(provider: &dyn InvitationProvider, roster: &[&str], prune: bool) -> Plan {
    let invitations: Vec<_> = provider.list(ListQuery::new()).try_collect().await.unwrap();
    let roster = roster.iter().copied().map(NewInvitation::new);
    let options = PlanOptions::default().prune(prune);
    Plan::new(roster, invitations, &provider.capabilities(), &options)
}

async fn applied(provider: &dyn InvitationProvider, plan: Plan) -> Vec<StepOutcome> {
    let mut outcomes: Vec<_> = plan.apply(provider, BulkOptions::default()).collect().await;
    outcomes.sort_by_key(|outcome| outcome.index);
    outcomes
}

#[tokio::test]
async fn applying_a_plan_leaves_nothing_to_be_done() {
    let sandbox = Sandbox::start().await.unwrap();
    for provider in providers(&sandbox) {
        for email in ["old@example.com", "late@example.com"] {
            provider.create(NewInvitation::new(email)).await.unwrap();
        }
        provider
            .create(NewInvitation::new("kept@example.com"))
            .await
            .unwrap();
        let roster = ["new@example.com", "Late@example.com", "kept@example.com"];
        let mut plan = planned(&*provider, &roster, true).await;
        // As if it had expired.
        plan.steps[1].action = Action::Replace;
        let before = sandbox.ledger().requests.len();
        let outcomes = applied(&*provider, plan).await;
        let results: Vec<_> = outcomes.iter().map(|outcome| &outcome.result).collect();
        assert!(
            matches!(
                results[..],
                [
                    StepResult::Invited(_),
                    StepResult::Invited(_),
                    StepResult::Kept,
                    StepResult::Removed
                ]
            ),
            "{provider}: {outcomes:#?}"
        );
        // A renewal costs a delete, a create and a look at the old invitation; where roles are given to users, it reads
        // them first: the invitation, the organisation and the roles. What is kept costs nothing.
        let sent = sandbox.ledger().requests.len() - before;
        let capabilities = provider.capabilities();
        let has_users = capabilities.role_scopes && capabilities.members;
        assert_eq!(sent, if has_users { 8 } else { 5 }, "{provider}");
        let again = planned(&*provider, &roster, true).await;
        assert!(again.is_noop(), "{provider}: {again:#?}");
        assert_eq!(again.count(Action::Keep), 3);
    }
}

#[tokio::test]
async fn a_renewal_whose_second_half_fails_says_so_and_is_the_last() {
    let sandbox = Sandbox::start().await.unwrap();
    for provider in providers(&sandbox) {
        let roster = ["a@example.com", "b@example.com", "c@example.com"];
        for email in roster {
            provider.create(NewInvitation::new(email)).await.unwrap();
        }
        let mut plan = planned(&*provider, &roster, false).await;
        for step in &mut plan.steps {
            step.action = Action::Replace;
        }
        let rule = Rule::new(Fault::status_before(500)).on(Operation::Create);
        sandbox.set_faults(Faults::script([rule.always()]));
        let one_by_one = ApplyOptions::from(BulkOptions::default().concurrency(1))
            .renewal(RenewalOptions::default().retry_delays([]));
        let outcomes: Vec<_> = plan.apply(&*provider, one_by_one).collect().await;
        sandbox.set_faults(Faults::default());
        match &outcomes[0].result {
            StepResult::Lost(error) => assert_eq!(error.kind(), ErrorKind::Unavailable),
            other => panic!("{provider}: {other:?}"),
        }
        for outcome in &outcomes[1..] {
            let result = &outcome.result;
            assert!(matches!(result, StepResult::NotAttempted), "{result:?}");
        }
        // The next plan makes it good.
        let plan = planned(&*provider, &roster, false).await;
        assert_eq!(plan.count(Action::Create), 1, "{plan:#?}");
        applied(&*provider, plan).await;
        assert!(planned(&*provider, &roster, false).await.is_noop());
    }
}

#[tokio::test]
async fn one_who_accepted_meanwhile_is_kept() {
    let sandbox = Sandbox::start().await.unwrap();
    let [provider, _] = providers(&sandbox);
    let email = "ann@example.com";
    provider.create(NewInvitation::new(email)).await.unwrap();
    let mut plan = planned(&*provider, &[email], false).await;
    plan.steps[0].action = Action::Replace;
    let vendor = org_invitations_sandbox::Provider::Confluent;
    sandbox.accept(vendor, email).unwrap();
    let outcomes = applied(&*provider, plan).await;
    assert!(
        matches!(outcomes[0].result, StepResult::Kept),
        "{outcomes:?}"
    );
}
