//! Plans over invitations and members.

use futures_util::StreamExt;
use org_invitations::{
    Action, BulkOptions, Capabilities, Invitation, InvitationId, InvitationStatus, Plan,
    PlanOptions, RemovalLimit, Renewal, RenewalOptions, RenewalResult, ResourceReference, RoleKind,
    Roles, Step, StepOutcome, StepResult, Withdrawal,
};

use super::*;

const BOB: &str = "bob@example.com";
const EVE: &str = "eve@example.com";

async fn people(subject: &Subject) -> People {
    let mut people = People::load(&subject.provider).await.unwrap();
    people.load_roles(&subject.provider).await.unwrap();
    people
}

/// The plan of this roster; the first role is an administrator's on ClickHouse only, so no administrator has to remain.
async fn planned(subject: &Subject, roster: &[NewInvitation], options: PlanOptions) -> Plan {
    let capabilities = subject.provider.capabilities();
    let options = options.min_admins(0);
    Plan::of_people(
        roster.to_vec(),
        people(subject).await,
        &capabilities,
        &options,
    )
}

async fn applied(subject: &Subject, plan: Plan) -> Vec<StepOutcome> {
    let outcomes = plan.apply(&*subject.provider, BulkOptions::default());
    let mut outcomes: Vec<_> = outcomes.collect().await;
    outcomes.sort_by_key(|outcome| outcome.index);
    outcomes
}

fn actions(plan: &Plan) -> Vec<Action> {
    plan.steps.iter().map(|step| step.action).collect()
}

#[tokio::test]
async fn a_plan_is_empty_after_it_was_applied_and_accepted() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    for subject in subjects(&sandbox) {
        let grants = subject.grants();
        let roster = [
            NewInvitation::new(ANN).roles(&grants),
            NewInvitation::new(BOB).roles(&grants[1..]),
            NewInvitation::new(EVE),
        ];
        let plan = planned(&subject, &roster, PlanOptions::default()).await;
        assert_eq!(actions(&plan), [Action::Create; 3]);
        for outcome in applied(&subject, plan).await {
            assert!(
                matches!(outcome.result, StepResult::Invited(_)),
                "{outcome:?}"
            );
        }
        for accepted in [None, Some(ANN), Some(BOB), Some(EVE)] {
            if let Some(email) = accepted {
                sandbox.accept(subject.name, email).unwrap();
            }
            let all = PlanOptions::default().prune(true).prune_members(true);
            let again = planned(&subject, &roster, all).await;
            assert!(again.is_noop(), "{accepted:?}: {again:#?}");
            assert_eq!(again.count(Action::Keep), 3);
        }
    }
}

#[tokio::test]
async fn a_member_gets_the_roles_of_the_row() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    for subject in subjects(&sandbox) {
        let grants = subject.grants();
        let member = subject.join(&sandbox, &grants[..2]).await;
        let roster = [NewInvitation::new("Ann@Example.com").roles(&grants[1..])];
        let plan = planned(&subject, &roster, PlanOptions::default()).await;
        let step = &plan.steps[0];
        assert_eq!(step.action, Action::SetRoles, "{step:#?}");
        assert_eq!(step.member.as_ref(), Some(&member.id));
        let signs: Vec<_> = step.role_changes.iter().map(|one| &one[..1]).collect();
        assert_eq!(signs, ["+", "-"], "{step:#?}");
        assert_eq!(plan.removals(), 1, "taking a role counts");
        let outcomes = applied(&subject, plan).await;
        match &outcomes[0].result {
            StepResult::Changed(change) => {
                assert_eq!((change.added.len(), change.removed.len()), (1, 1));
            }
            other => panic!("{other:?}"),
        }
        subject.assert_roles(&member.id, &grants[1..]).await;
        let again = planned(&subject, &roster, PlanOptions::default()).await;
        assert!(again.is_noop(), "{again:#?}");
        // A row without roles leaves them.
        let silent = [NewInvitation::new(ANN)];
        let silent = planned(&subject, &silent, PlanOptions::default()).await;
        assert!(silent.is_noop(), "{silent:#?}");
    }
}

#[tokio::test]
async fn an_invited_user_gets_other_roles_without_a_new_invitation() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let [subject, _] = subjects(&sandbox);
    let new = NewInvitation::new(ANN).roles([VIEWER]);
    let invitation = subject.provider.create(new).await.unwrap();
    // A whole CRN pattern is the same scope as its short form.
    let binding = &sandbox.role_bindings()[0];
    let whole = format!(
        "EnvironmentAdmin@{}/environment=env-123",
        binding.crn_pattern
    );
    let roster = [NewInvitation::new(ANN).roles([whole.as_str()])];
    let plan = planned(&subject, &roster, PlanOptions::default()).await;
    assert_eq!(actions(&plan), [Action::SetRoles]);
    assert_eq!(plan.steps[0].role_changes[1], "-MetricsViewer");
    applied(&subject, plan).await;
    let user = MemberId::new(invitation.user.unwrap().id).unwrap();
    subject
        .assert_roles(&user, &[RoleGrant::from(ENVIRONMENT_ADMIN)])
        .await;
    assert_eq!(
        subject.provider.get(&invitation.id).await.unwrap().email,
        ANN
    );
    let again = planned(&subject, &roster, PlanOptions::default()).await;
    assert!(again.is_noop(), "{again:#?}");
}

#[tokio::test]
async fn members_are_removed_only_when_that_is_asked_for() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    for subject in subjects(&sandbox) {
        for email in [ANN, BOB, EVE] {
            let new = NewInvitation::new(email);
            subject.provider.create(new).await.unwrap();
            sandbox.accept(subject.name, email).unwrap();
        }
        let eve = subject.provider.find_member(EVE).await.unwrap().unwrap();
        let roster = [NewInvitation::new(ANN)];
        for options in [
            PlanOptions::default(),
            PlanOptions::default().prune(true),
            PlanOptions::default().prune_members(true),
        ] {
            let plan = planned(&subject, &roster, options).await;
            assert_eq!(plan.count(Action::Remove), 0, "{plan:#?}");
        }
        let options = PlanOptions::default().prune(true).prune_members(true);
        let kept = planned(
            &subject,
            &roster,
            options.clone().keep([BOB, eve.id.as_str()]),
        )
        .await;
        assert!(kept.is_noop(), "{kept:#?}");
        let row = Withdrawal::new("EVE@example.com", None);
        let row = PlanOptions::default().prune_members(true).withdraw([row]);
        let one = planned(&subject, &roster, row).await;
        assert_eq!(
            (one.count(Action::Remove), one.removals()),
            (1, 1),
            "{one:#?}"
        );

        let mut plan = planned(&subject, &roster, options).await;
        assert_eq!(plan.count(Action::Remove), 2);
        assert!(plan.check_removals(&RemovalLimit::count(1)).is_err());
        // As if the id belonged to somebody else by now.
        for step in plan.steps.iter_mut().filter(|step| step.email == BOB) {
            step.email = "robert@example.com".to_owned();
        }
        let outcomes = applied(&subject, plan).await;
        let failed: Vec<_> = outcomes
            .iter()
            .filter_map(|outcome| match &outcome.result {
                StepResult::Failed(error) => Some(error.to_string()),
                _ => None,
            })
            .collect();
        assert!(failed[0].contains("plan again"), "{failed:?}");
        let left = people(&subject).await.members;
        let left: Vec<_> = left.iter().map(|member| member.email.as_str()).collect();
        assert!(left.contains(&ANN) && left.contains(&BOB), "{left:?}");
        assert!(!left.contains(&EVE), "{left:?}");
    }
}

fn member(id: &str, role: &str, kind: RoleKind) -> Member {
    let email = format!("{id}@example.com");
    let mut member = Member::new(MemberId::new(id).unwrap(), email);
    let mut assignment = RoleAssignment::default();
    assignment.id = Some(format!("{kind:?} {role}"));
    assignment.name = Some(role.to_owned());
    assignment.kind = Some(kind);
    member.roles = Some(vec![assignment]);
    member
}

/// The steps that are not kept, and the reasons of those that are.
fn compared(members: Vec<Member>, roster: &[NewInvitation], options: PlanOptions) -> Vec<String> {
    let capabilities = Capabilities::default().roles(true).members(true);
    let people = People::new(Vec::new(), members);
    let options = options.prune(true).prune_members(true);
    let plan = Plan::of_people(roster.to_vec(), people, &capabilities, &options);
    let text = |step: &Step| format!("{} {}", step.email, step.action);
    plan.steps.iter().map(text).collect()
}

#[test]
fn the_last_administrators_stay() {
    let members = || {
        vec![
            member("a", "Admin", RoleKind::System),
            member("b", "Organization Admin", RoleKind::System),
            member("c", "Developer", RoleKind::System),
            // A role that somebody has called so is none.
            member("d", "Admin", RoleKind::Custom),
        ]
    };
    let nobody = [NewInvitation::new("new@example.com")];
    let [create, c] = ["new@example.com create", "c@example.com remove"];
    let d = "d@example.com remove";
    let (a, b) = ("a@example.com remove", "b@example.com keep");
    assert_eq!(
        compared(members(), &nobody, PlanOptions::default()),
        [create, a, b, c, d]
    );
    let two = PlanOptions::default().min_admins(2);
    assert_eq!(
        compared(members(), &nobody, two),
        [create, "a@example.com keep", b, c, d]
    );
    let none = PlanOptions::default().min_admins(0);
    assert_eq!(
        compared(members(), &nobody, none),
        [create, a, "b@example.com remove", c, d]
    );
    // A change of roles counts as well.
    let demoted = [
        NewInvitation::new("a@example.com").roles(["Developer"]),
        NewInvitation::new("b@example.com").roles(["Developer"]),
    ];
    assert_eq!(
        compared(members(), &demoted, PlanOptions::default()),
        ["a@example.com set-roles", "b@example.com invalid", c, d]
    );
    // A member who becomes an administrator by the same plan does not stand in for another: that may fail.
    let promoted = [NewInvitation::new("c@example.com").roles(["Admin", "Developer"])];
    assert_eq!(
        compared(members(), &promoted, PlanOptions::default()),
        ["c@example.com set-roles", a, b, d]
    );
}

#[test]
fn without_a_known_administrator_no_member_is_removed() {
    let members = vec![
        member("a", "Chief", RoleKind::System),
        member("b", "Developer", RoleKind::System),
    ];
    let nobody = [NewInvitation::new("new@example.com")];
    let steps = compared(members, &nobody, PlanOptions::default());
    assert_eq!(
        steps,
        [
            "new@example.com create",
            "a@example.com keep",
            "b@example.com keep"
        ]
    );
}

#[test]
fn an_id_of_two_members_is_not_acted_on() {
    let mut members = vec![
        member("a", "Developer", RoleKind::System),
        member("a", "Developer", RoleKind::System),
    ];
    members[1].email = "other@example.com".to_owned();
    let roster = [NewInvitation::new("a@example.com").roles(["Billing"])];
    let steps = compared(members, &roster, PlanOptions::default().min_admins(0));
    assert_eq!(steps, ["a@example.com invalid", "other@example.com keep"]);
}

#[test]
fn the_limit_is_of_invitations_and_of_members() {
    let invited = |number: usize| {
        let id = InvitationId::new(format!("i-{number}")).unwrap();
        Invitation::new(id, format!("i{number}@example.com"))
    };
    let members = (0..1_000).map(|n| member(&format!("u{n}"), "Developer", RoleKind::System));
    let people = People::new((0..8).map(invited).collect(), members.collect());
    let roster = [NewInvitation::new("new@example.com")];
    let capabilities = Capabilities::default().members(true);
    let options = PlanOptions::default().prune(true);
    let plan = Plan::of_people(roster, people, &capabilities, &options);
    // A thousand members do not make eight invitations few.
    let error = plan.check_removals(&RemovalLimit::default()).unwrap_err();
    assert!(error.to_string().contains("8 of 8 invitations"), "{error}");
    assert!(plan.check_removals(&RemovalLimit::count(8)).is_ok());
}

#[tokio::test]
async fn a_renewal_keeps_the_roles_of_the_user() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let [subject, _] = subjects(&sandbox);
    let provider = &subject.provider;
    let grants = subject.grants();
    let new = NewInvitation::new(ANN).roles(&grants);
    let made = provider.create(new).await.unwrap();
    let listed = provider.get(&made.id).await.unwrap();
    let renewal = Renewal::of(&listed, &provider.capabilities()).unwrap();
    let new = match provider.renew(&renewal, &RenewalOptions::default()).await {
        RenewalResult::Renewed(new) => new,
        other => panic!("{other:?}"),
    };
    let user = MemberId::new(new.user.unwrap().id).unwrap();
    subject.assert_roles(&user, &grants).await;
    // Other roles replace them.
    let other = Renewal::new(new.id.clone(), NewInvitation::new(ANN).roles([VIEWER]));
    let new = match provider.renew(&other, &RenewalOptions::default()).await {
        RenewalResult::Renewed(new) => new,
        other => panic!("{other:?}"),
    };
    let user = MemberId::new(new.user.unwrap().id).unwrap();
    subject.assert_roles(&user, &grants[..1]).await;
    // Nothing is withdrawn while the roles cannot be read.
    let denied = Rule::new(Fault::status_before(403)).on(Operation::ListRoleBindings);
    sandbox.set_faults(Faults::script([denied.always()]));
    let renewal = Renewal::new(new.id.clone(), NewInvitation::new(ANN));
    match provider.renew(&renewal, &RenewalOptions::default()).await {
        RenewalResult::Failed(error) => {
            assert!(
                error.to_string().contains("nothing was withdrawn"),
                "{error}"
            );
        }
        other => panic!("{other:?}"),
    }
    assert!(provider.get(&new.id).await.unwrap().is_pending());
    let mut silent = renewal;
    silent.new.roles = Some(Roles::Grants(Vec::new()));
    let renewed = provider.renew(&silent, &RenewalOptions::default()).await;
    assert!(matches!(renewed, RenewalResult::Renewed(_)), "{renewed:?}");
}

#[tokio::test]
async fn a_renewal_that_lacks_a_role_is_no_success() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let [subject, _] = subjects(&sandbox);
    let provider = &subject.provider;
    let made = provider.create(NewInvitation::new(ANN)).await.unwrap();
    let refused = Rule::new(Fault::status_before(403)).on(Operation::CreateRoleBinding);
    sandbox.set_faults(Faults::script([refused.always()]));
    let renewal = Renewal::new(made.id, NewInvitation::new(ANN).roles([VIEWER]));
    match provider.renew(&renewal, &RenewalOptions::default()).await {
        RenewalResult::Failed(error) => {
            assert_eq!(error.kind(), ErrorKind::Incomplete);
            assert!(error.to_string().contains("is invited"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    let person = provider.find_person(ANN).await.unwrap();
    assert_eq!(person.state, PersonState::Invited);
}

#[tokio::test]
async fn who_accepted_before_the_withdrawal_is_not_removed() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let [_, subject] = subjects(&sandbox);
    subject
        .provider
        .create(NewInvitation::new(BOB))
        .await
        .unwrap();
    let roster = [NewInvitation::new(ANN)];
    let plan = planned(&subject, &roster, PlanOptions::default().prune(true)).await;
    sandbox.accept(subject.name, BOB).unwrap();
    let outcomes = applied(&subject, plan).await;
    match &outcomes[1].result {
        StepResult::Failed(error) => {
            assert_eq!(error.kind(), ErrorKind::AlreadyAccepted, "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn who_was_invited_meanwhile_without_the_roles_is_not_kept() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    for subject in subjects(&sandbox) {
        let grants = subject.grants();
        let roster = [NewInvitation::new(ANN).roles(&grants[..1])];
        let plan = planned(&subject, &roster, PlanOptions::default()).await;
        let other = NewInvitation::new(ANN).roles(&grants[1..2]);
        subject.provider.create(other).await.unwrap();
        let outcomes = applied(&subject, plan).await;
        match &outcomes[0].result {
            StepResult::Failed(error) => {
                assert!(error.to_string().contains("plan again"), "{error}");
            }
            other => panic!("{:?}: {other:?}", subject.name),
        }
    }
}

#[tokio::test]
async fn who_accepted_and_was_removed_is_invited_again() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    for subject in subjects(&sandbox) {
        subject
            .provider
            .create(NewInvitation::new(EVE))
            .await
            .unwrap();
        sandbox.accept(subject.name, EVE).unwrap();
        let member = subject.join(&sandbox, &[]).await;
        subject.provider.remove_member(&member.id).await.unwrap();
        let roster = [NewInvitation::new(ANN), NewInvitation::new(EVE)];
        let plan = planned(&subject, &roster, PlanOptions::default()).await;
        assert_eq!(actions(&plan), [Action::Create, Action::Keep], "{plan:#?}");
    }
}

#[test]
fn a_member_with_another_address_is_the_one_who_accepted() {
    let mut invitation = Invitation::new(InvitationId::new("i-1").unwrap(), "old@example.com");
    invitation.status = Some(InvitationStatus::Accepted);
    invitation.user = Some(ResourceReference::new("a"));
    let members = vec![
        member("a", "Developer", RoleKind::System),
        member("b", "Admin", RoleKind::System),
    ];
    let capabilities = Capabilities::default()
        .roles(true)
        .role_scopes(true)
        .members(true);
    let options = PlanOptions::default()
        .prune(true)
        .prune_members(true)
        .keep(["b"]);
    for address in ["old@example.com", "a@example.com"] {
        let people = People::new(vec![invitation.clone()], members.clone());
        let roster = [NewInvitation::new(address)];
        let plan = Plan::of_people(roster, people, &capabilities, &options);
        assert!(plan.is_noop(), "{plan:#?}");
    }
    let people = People::new(vec![invitation], members);
    let roster = [NewInvitation::new("b@example.com")];
    let options = options.keep(["Old@example.com"]).min_admins(0);
    let plan = Plan::of_people(roster, people, &capabilities, &options);
    assert!(plan.is_noop(), "{plan:#?}");
}

#[tokio::test]
async fn a_removal_says_which_roles_the_member_loses() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    for subject in subjects(&sandbox) {
        let member = subject.join(&sandbox, &subject.grants()[..1]).await;
        let roster = [NewInvitation::new(BOB)];
        let all = PlanOptions::default().prune(true).prune_members(true);
        let plan = planned(&subject, &roster, all).await;
        assert_eq!(plan.steps[1].member.as_ref(), Some(&member.id));
        assert_eq!(plan.steps[1].role_changes.len(), 1, "{plan:#?}");
        assert!(plan.steps[1].role_changes[0].starts_with('-'), "{plan:#?}");
    }
}

#[test]
fn a_scope_that_cannot_be_one_makes_a_row_invalid() {
    let capabilities = Capabilities::default()
        .roles(true)
        .role_scopes(true)
        .members(true);
    let roster = [NewInvitation::new(ANN).roles(["EnvironmentAdmin@nonsense/with/too=much"])];
    let plan = Plan::of_people(
        roster,
        People::default(),
        &capabilities,
        &PlanOptions::default(),
    );
    assert_eq!(actions(&plan), [Action::Invalid], "{plan:#?}");
}

/// The steps for two members of one address, and their reasons.
fn twins(roster: &[NewInvitation], options: PlanOptions) -> Plan {
    let twin = |id: &str| {
        let mut twin = member(id, "Developer", RoleKind::System);
        twin.email = ANN.to_owned();
        twin
    };
    let people = People::new(Vec::new(), vec![twin("u-1"), twin("u-2")]);
    let capabilities = Capabilities::default().roles(true).members(true);
    let options = options.min_admins(0);
    Plan::of_people(roster.to_vec(), people, &capabilities, &options)
}

#[test]
fn of_two_members_of_one_address_one_is_chosen_by_id() {
    let roles = [NewInvitation::new(ANN).roles(["Admin"])];
    let plan = twins(&roles, PlanOptions::default());
    assert_eq!(actions(&plan), [Action::Invalid]);
    let why = plan.steps[0].reason.as_deref().unwrap();
    assert!(why.contains("several members have this address"), "{why}");
    let without_roles = twins(&[NewInvitation::new(ANN)], PlanOptions::default());
    assert_eq!(actions(&without_roles), [Action::Keep]);

    let removal = || PlanOptions::default().withdraw([Withdrawal::new(ANN, None)]);
    let by_address = twins(&[], removal().prune_members(true));
    assert_eq!(actions(&by_address), [Action::Keep; 2]);
    let chosen = [MemberId::new("u-2").unwrap()];
    let by_id = twins(&[], PlanOptions::default().remove_members(chosen.clone()));
    assert_eq!(actions(&by_id), [Action::Remove]);
    assert_eq!(by_id.steps[0].member.as_ref(), Some(&chosen[0]));
    let in_roster = [NewInvitation::new(ANN)];
    let in_roster = twins(&in_roster, PlanOptions::default().remove_members(chosen));
    assert_eq!(actions(&in_roster), [Action::Keep]);
}

#[test]
fn a_former_address_does_not_remove_the_member() {
    let mut invitation = Invitation::new(InvitationId::new("i-1").unwrap(), "old@example.com");
    invitation.status = Some(InvitationStatus::Accepted);
    invitation.user = Some(ResourceReference::new("a"));
    let people = People::new(
        vec![invitation],
        vec![member("a", "Developer", RoleKind::System)],
    );
    let capabilities = Capabilities::default()
        .roles(true)
        .members(true)
        .role_scopes(true);
    let asked = [Withdrawal::new("old@example.com", None)];
    let options = PlanOptions::default().withdraw(asked).prune_members(true);
    let plan = Plan::of_people([], people, &capabilities, &options.min_admins(0));
    assert_eq!(actions(&plan), [Action::Keep]);
    let why = plan.steps[0].reason.as_deref().unwrap();
    assert!(why.contains("is a@example.com now"), "{why}");
}

#[test]
fn a_legacy_role_alone_is_not_compared_again_and_again() {
    let legacy = |wanted: &str| {
        let mut ann = Member::new(MemberId::new("u-1").unwrap(), ANN);
        ann.legacy_role = Some("admin".to_owned());
        let people = People::new(Vec::new(), vec![ann]);
        let capabilities = Capabilities::default().roles(true).members(true);
        let roster = [NewInvitation::new(ANN).roles([wanted])];
        let plan = Plan::of_people(roster, people, &capabilities, &PlanOptions::default());
        assert_eq!(actions(&plan), [Action::Keep]);
        plan.steps[0].reason.clone().unwrap()
    };
    assert_eq!(legacy("Admin"), "member");
    assert!(legacy("Developer").contains("only the legacy role admin"));
}

#[tokio::test]
async fn a_removal_answered_with_404_is_looked_at() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    for subject in subjects(&sandbox) {
        let member = subject.join(&sandbox, &[]).await;
        let remove = PlanOptions::default().remove_members([member.id.clone()]);
        let plan = planned(&subject, &[], remove).await;
        let missing = Rule::new(Fault::status_before(404)).on(Operation::DeleteMember);
        sandbox.set_faults(Faults::script([missing.always()]));
        let outcomes = applied(&subject, plan.clone()).await;
        match &outcomes[0].result {
            StepResult::Failed(error) => {
                assert!(error.message().contains("still lists"), "{error}");
            }
            other => panic!("{:?}: {other:?}", subject.name),
        }
        sandbox.set_faults(Faults::default());
        subject.provider.remove_member(&member.id).await.unwrap();
        let outcomes = applied(&subject, plan).await;
        assert!(
            matches!(outcomes[0].result, StepResult::Removed),
            "{outcomes:?}"
        );
    }
}

#[tokio::test]
async fn who_became_a_member_meanwhile_has_the_roles_or_is_not_kept() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    for subject in subjects(&sandbox) {
        let grants = subject.grants();
        let roster = [NewInvitation::new(ANN).roles(&grants[..1])];
        let plan = planned(&subject, &roster, PlanOptions::default()).await;
        let member = subject.join(&sandbox, &grants[1..2]).await;
        let outcomes = applied(&subject, plan.clone()).await;
        match &outcomes[0].result {
            StepResult::Failed(error) => {
                assert_eq!(error.kind(), ErrorKind::Incomplete, "{error}");
                assert!(error.message().contains("plan again"), "{error}");
            }
            other => panic!("{:?}: {other:?}", subject.name),
        }
        let change = subject.provider.set_roles(&member.id, &grants[..1]).await;
        assert!(change.unwrap().failed.is_empty());
        let outcomes = applied(&subject, plan).await;
        assert!(
            matches!(outcomes[0].result, StepResult::Kept),
            "{outcomes:?}"
        );
    }
}

/// The user `a` accepted as `old@example.com`, and has another address now.
fn renamed(roster: &[NewInvitation]) -> Plan {
    let mut invitation = Invitation::new(InvitationId::new("i-1").unwrap(), "old@example.com");
    invitation.status = Some(InvitationStatus::Accepted);
    invitation.user = Some(ResourceReference::new("a"));
    let people = People::new(
        vec![invitation],
        vec![member("a", "Developer", RoleKind::System)],
    );
    let capabilities = Capabilities::default()
        .roles(true)
        .members(true)
        .role_scopes(true);
    let options = PlanOptions::default().min_admins(0);
    Plan::of_people(roster.to_vec(), people, &capabilities, &options)
}

#[test]
fn roles_for_a_former_address_are_nobodys() {
    let old = NewInvitation::new("old@example.com").roles(["Admin"]);
    let new = NewInvitation::new("a@example.com").roles(["Developer"]);
    let plan = renamed(&[new.clone(), old.clone()]);
    assert_eq!(actions(&plan), [Action::Keep, Action::Invalid], "{plan:#?}");
    let why = plan.steps[1].reason.as_deref().unwrap();
    assert!(why.contains("is a@example.com now"), "{why}");
    assert!(plan.steps[1].role_changes.is_empty());
    assert_eq!(actions(&renamed(&[old])), [Action::Invalid]);
    let same = NewInvitation::new("old@example.com").roles(["Developer"]);
    assert_eq!(actions(&renamed(&[same])), [Action::Keep]);
}

#[test]
fn a_frozen_legacy_role_makes_no_administrator() {
    let members = |told: bool| {
        let mut frozen = Member::new(MemberId::new("b").unwrap(), "b@example.com");
        frozen.legacy_role = Some("admin".to_owned());
        frozen.roles = told.then(Vec::new);
        vec![member("a", "Admin", RoleKind::System), frozen]
    };
    let roster = [NewInvitation::new("b@example.com")];
    for told in [true, false] {
        let steps = compared(members(told), &roster, PlanOptions::default());
        assert_eq!(
            steps,
            ["b@example.com keep", "a@example.com keep"],
            "{told}"
        );
    }
}

#[test]
fn who_left_and_is_invited_again_is_kept() {
    let invitation = |id: &str, status| {
        let mut invitation = Invitation::new(InvitationId::new(id).unwrap(), ANN);
        invitation.status = Some(status);
        invitation
    };
    let invitations = vec![
        invitation("i-1", InvitationStatus::Accepted),
        invitation("i-2", InvitationStatus::Sent),
    ];
    let people = People::new(
        invitations,
        vec![member("a", "Developer", RoleKind::System)],
    );
    let capabilities = Capabilities::default().roles(true).members(true);
    let roster = [NewInvitation::new(ANN)];
    let plan = Plan::of_people(roster, people, &capabilities, &PlanOptions::default());
    assert_eq!(actions(&plan), [Action::Keep]);
    assert_eq!(plan.steps[0].id.as_ref().unwrap().as_str(), "i-2");
}

#[tokio::test]
async fn roles_that_are_not_found_are_not_taken_for_none() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let [subject, _] = subjects(&sandbox);
    let provider = &subject.provider;
    let new = NewInvitation::new(ANN).roles([VIEWER]);
    let made = provider.create(new).await.unwrap();
    let renewal = Renewal::new(made.id.clone(), NewInvitation::new(ANN));
    for operation in [Operation::ListRoleBindings, Operation::Get] {
        let missing = Rule::new(Fault::status_before(404)).on(operation);
        sandbox.set_faults(Faults::script([missing.always()]));
        let renewed = provider.renew(&renewal, &RenewalOptions::default()).await;
        sandbox.set_faults(Faults::default());
        match (operation, renewed) {
            (Operation::ListRoleBindings, RenewalResult::Failed(error)) => {
                assert!(error.message().contains("nothing was withdrawn"), "{error}");
                assert!(provider.get(&made.id).await.unwrap().is_pending());
            }
            // The list has the invitation and its user, so the roles are kept.
            (Operation::Get, RenewalResult::Renewed(new)) => {
                let user = MemberId::new(new.user.unwrap().id).unwrap();
                subject
                    .assert_roles(&user, &[RoleGrant::from(VIEWER)])
                    .await;
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn nobody_is_withdrawn_while_creates_are_refused() {
    if !is_offered() {
        return;
    }
    for status in [403, 402] {
        let sandbox = Sandbox::start().await.unwrap();
        for subject in subjects(&sandbox) {
            let provider = &subject.provider;
            provider.create(NewInvitation::new(BOB)).await.unwrap();
            sandbox.advance(Duration::from_secs(30 * 24 * 60 * 60));
            let roster = [NewInvitation::new(ANN), NewInvitation::new(BOB)];
            let plan = planned(&subject, &roster, PlanOptions::default()).await;
            assert_eq!(actions(&plan), [Action::Create, Action::Replace]);
            let refused = Rule::new(Fault::status_before(status)).on(Operation::Create);
            sandbox.set_faults(Faults::script([refused.always()]));
            let outcomes = applied(&subject, plan).await;
            sandbox.set_faults(Faults::default());
            match &outcomes[1].result {
                StepResult::Skipped(why) => assert!(why.contains("refused to invite"), "{why}"),
                other => panic!("{:?}: {other:?}", subject.name),
            }
        }
        assert_eq!(sandbox.invitations().len(), 2, "{status}");
    }
}

#[tokio::test]
async fn an_invitation_that_is_still_listed_was_not_withdrawn() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    for subject in subjects(&sandbox) {
        subject
            .provider
            .create(NewInvitation::new(BOB))
            .await
            .unwrap();
        let remove = PlanOptions::default().withdraw([Withdrawal::new(BOB, None)]);
        let plan = planned(&subject, &[], remove).await;
        let missing = Rule::new(Fault::status_before(404)).on(Operation::Delete);
        sandbox.set_faults(Faults::script([missing.always()]));
        let outcomes = applied(&subject, plan).await;
        sandbox.set_faults(Faults::default());
        match &outcomes[0].result {
            StepResult::Failed(error) => {
                assert!(error.message().contains("still lists it"), "{error}");
            }
            other => panic!("{:?}: {other:?}", subject.name),
        }
    }
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_looked_at() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let [_, subject] = subjects(&sandbox);
    let grants = subject.grants();
    let member = subject.join(&sandbox, &grants[..1]).await;
    let lost = Rule::new(Fault::reset_after()).on(Operation::UpdateMember);
    sandbox.set_faults(Faults::script([lost]));
    let change = subject
        .provider
        .set_roles(&member.id, &grants[1..2])
        .await
        .unwrap();
    assert_eq!((change.added.len(), change.removed.len()), (1, 1));
    let lost = Rule::new(Fault::reset_before()).on(Operation::UpdateMember);
    sandbox.set_faults(Faults::script([lost]));
    let error = subject
        .provider
        .set_roles(&member.id, &grants[..1])
        .await
        .unwrap_err();
    assert!(error.may_have_executed(), "{error}");
}
