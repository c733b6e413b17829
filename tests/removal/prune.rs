//! Whom a plan withdraws, and whom it leaves alone.

use org_invitations::{
    Action, AuthType, Capabilities, ErrorKind, InvitationStatus, NewInvitation, Plan, PlanOptions,
    Withdrawal,
};

use crate::{crowd, everything, existing, plan, pruning, sent, with_roles};

fn deleted(plan: &Plan) -> Vec<&str> {
    let deletions = plan
        .steps
        .iter()
        .filter(|step| step.action == Action::Remove);
    deletions.map(|step| step.email.as_str()).collect()
}

#[test]
fn an_empty_roster_removes_nobody_unless_it_is_allowed_to() {
    let invitations = crowd(3);
    let none = plan(&[], &invitations, &pruning());
    assert!(none.steps.is_empty(), "{none:#?}");
    let everybody = plan(&[], &invitations, &pruning().allow_empty(true));
    assert_eq!(deleted(&everybody).len(), 3);

    let refused = pruning().check_roster(&[]).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    assert!(refused.message().contains("empty"), "{refused}");
    pruning().allow_empty(true).check_roster(&[]).unwrap();
    PlanOptions::default().check_roster(&[]).unwrap();
}

#[test]
fn a_roster_without_an_address_removes_nobody() {
    let roster = ["Ann Lee", "Bob"].map(NewInvitation::new);
    for options in [pruning(), pruning().allow_empty(true)] {
        let plan = plan(&roster, &crowd(3), &options);
        assert_eq!(plan.count(Action::Remove), 0, "{plan:#?}");
        let refused = options.check_roster(&roster).unwrap_err();
        assert!(refused.message().contains("no row"), "{refused}");
    }
    let one = [
        NewInvitation::new("Bob"),
        NewInvitation::new("ann@example.com"),
    ];
    pruning().check_roster(&one).unwrap();
    assert_eq!(deleted(&plan(&one, &crowd(3), &pruning())).len(), 3);
}

#[test]
fn rows_that_are_refused_protect_their_people() {
    let invitations = crowd(20);
    let row = |email: &str| NewInvitation::new(email).auth_type(AuthType::Sso);
    let roster: Vec<_> = invitations.iter().map(|one| row(&one.email)).collect();
    let nothing = Capabilities::default();
    let plan = Plan::new(roster, invitations, &nothing, &pruning());
    assert_eq!(plan.count(Action::Invalid), 20);
    assert_eq!(plan.steps.len(), 20, "{plan:#?}");
}

#[test]
fn an_address_protects_in_every_form() {
    for (row, stored) in [
        ("ANN@EXAMPLE.com", "ann@example.com"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@XN--BCHER-KVA.example", "ann@bücher.example"),
        ("ren\u{e9}@example.com", "rene\u{301}@example.com"),
        ("rene\u{301}@example.com", "REN\u{c9}@example.com"),
    ] {
        let plan = plan(
            &[NewInvitation::new(row)],
            &[sent("i-1", stored)],
            &pruning(),
        );
        let actions: Vec<_> = plan.steps.iter().map(|step| step.action).collect();
        assert_eq!(actions, [Action::Keep], "{row} {stored}");
        assert_eq!(plan.steps[0].id.as_ref().unwrap().as_str(), "i-1");
    }
}

#[test]
fn what_resembles_a_refused_row_is_left_alone_and_says_why() {
    let invitations = [
        sent("i-1", "annlee@example.com"),
        sent("i-2", "bob@example.com"),
    ];
    for refused in ["Ann.Lee+hr @example.com", "ann lee@example.com"] {
        let roster = [
            NewInvitation::new(refused),
            NewInvitation::new("cid@example.com"),
        ];
        let plan = plan(&roster, &invitations, &pruning());
        assert_eq!(deleted(&plan), ["bob@example.com"]);
        let spared = &plan.steps[2];
        assert_eq!((spared.action, spared.row), (Action::Keep, None));
        let why = spared.reason.as_deref().unwrap();
        assert_eq!(why, format!("it resembles {refused}, whose row is refused"));
    }
    // A row that can be carried out means the address that it has.
    let roster = [NewInvitation::new("ann.lee@example.com")];
    let plan = plan(&roster, &invitations, &pruning());
    assert_eq!(deleted(&plan), ["annlee@example.com", "bob@example.com"]);
}

#[test]
fn a_row_may_name_a_role_or_its_id() {
    let invitations = [with_roles(
        sent("i-1", "ann@example.com"),
        &[("5a1e", "Developer")],
    )];
    for (role, action) in [
        ("Developer", Action::Keep),
        ("developer", Action::Keep),
        ("5a1e", Action::Keep),
        ("Admin", Action::Replace),
        ("5a1f", Action::Replace),
    ] {
        let roster = [NewInvitation::new("ann@example.com").roles([role])];
        let plan = plan(&roster, &invitations, &pruning());
        assert_eq!(plan.steps.len(), 1);
        assert_eq!(plan.steps[0].action, action, "{role}");
    }
}

#[test]
fn people_can_be_withdrawn_by_name() {
    let invitations = [
        sent("i-1", "ann@example.com"),
        sent("i-2", "ann@example.com"),
        sent("i-3", "bob@example.com"),
        existing("i-4", "cid@example.com", InvitationStatus::Accepted),
        sent("i-5", "dan@example.com"),
    ];
    let roster = [NewInvitation::new("dan@example.com")];
    let withdraw = |list: &[(&str, Option<&str>)]| {
        let one = |(email, id): &(&str, Option<&str>)| {
            Withdrawal::new(*email, id.map(|id| id.parse().unwrap()))
        };
        let options = PlanOptions::default().withdraw(list.iter().map(one));
        let plan = plan(&roster, &invitations, &options);
        let deletions = plan
            .steps
            .into_iter()
            .filter(|step| step.action == Action::Remove);
        let ids = deletions.map(|step| step.id.unwrap().to_string());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(withdraw(&[("Ann@Example.com", None)]), ["i-1", "i-2"]);
    assert_eq!(withdraw(&[("ann@example.com", Some("i-2"))]), ["i-2"]);
    // Nobody's else, no member's, and nobody's who is in the roster.
    assert!(withdraw(&[("ann@example.com", Some("i-3"))]).is_empty());
    assert!(withdraw(&[("cid@example.com", None), ("dan@example.com", None)]).is_empty());
}

#[test]
fn removals_are_counted_and_measured() {
    let invitations = crowd(40);
    let keep = |count: usize| -> Vec<_> {
        let kept = invitations.iter().take(count);
        kept.map(|one| NewInvitation::new(&one.email)).collect()
    };
    for (kept, allowed) in [(40, true), (30, true), (29, false), (1, false)] {
        let plan = plan(&keep(kept), &invitations, &pruning());
        assert_eq!((plan.removals(), plan.existing), (40 - kept, 40));
        assert_eq!(
            plan.check_removals(&Default::default()).is_ok(),
            allowed,
            "{kept}"
        );
    }
    // Of a few, five may go.
    let few = &invitations[..6];
    let plan = plan(&keep(1), few, &pruning());
    assert_eq!((plan.removals(), plan.existing), (5, 6));
    plan.check_removals(&Default::default()).unwrap();
}

#[test]
fn only_the_replacement_of_a_pending_invitation_is_a_removal() {
    let invitations = [
        sent("i-1", "ann@example.com"),
        existing("i-2", "bob@example.com", InvitationStatus::Expired),
        existing("i-3", "cid@example.com", InvitationStatus::Accepted),
    ];
    let invitations = invitations.map(|one| with_roles(one, &[("r-1", "One")]));
    let emails = ["ann@example.com", "bob@example.com", "cid@example.com"];
    let roster = emails.map(|email| NewInvitation::new(email).roles(["r-2"]));
    let plan = plan(&roster, &invitations, &PlanOptions::default());
    assert_eq!(plan.count(Action::Replace), 2, "{plan:#?}");
    assert_eq!((plan.removals(), plan.existing), (1, 2));
}

#[test]
fn a_replacement_keeps_unset_options_and_the_previous_ones() {
    let mut old = existing("i-1", "Ann@example.com", InvitationStatus::Expired);
    old.auth_type = Some(AuthType::Sso);
    let old = with_roles(old, &[("r-1", "One")]);
    let step = |new: NewInvitation| {
        let plan = plan(&[new], std::slice::from_ref(&old), &PlanOptions::default());
        plan.steps.into_iter().next().unwrap()
    };
    let open = step(NewInvitation::new("ann@example.com"));
    let same = NewInvitation::new("ann@example.com")
        .auth_type(AuthType::Sso)
        .roles(["r-1"]);
    assert_eq!(open.action, Action::Replace);
    assert_eq!(open.invitation(), same);
    assert_eq!(open.fallback(), None);
    let other = step(NewInvitation::new("ann@example.com").roles(["r-2"]));
    assert_eq!(other.fallback(), Some(same));
    let json = serde_json::to_value(&other).unwrap();
    assert_eq!(json["previous"]["status"], "expired");
    assert_eq!(json["previous"]["invitation"]["roles"]["grants"][0], "r-1");
}

#[test]
fn a_renewal_that_would_lose_roles_is_refused() {
    let mut old = with_roles(
        existing("i-1", "ann@example.com", InvitationStatus::Expired),
        &[("r-1", "One")],
    );
    old.roles.as_mut().unwrap()[0].id = None;
    let invitations = [old];
    let ann = || NewInvitation::new("ann@example.com");
    let lost = plan(&[ann()], &invitations, &pruning());
    assert_eq!(lost.steps.len(), 1);
    assert_eq!(lost.steps[0].action, Action::Invalid);
    let why = lost.steps[0].reason.as_deref().unwrap();
    assert!(why.contains("cannot be assigned again"), "{why}");
    // The roster may say which they are to be.
    let given = plan(&[ann().roles(["r-2"])], &invitations, &pruning());
    assert_eq!(given.steps[0].action, Action::Replace);
    assert_eq!(given.steps[0].fallback(), None);
}

#[test]
fn a_plan_is_read_strictly() {
    let invitations = [with_roles(
        sent("i-1", "ann@example.com"),
        &[("r-1", "One")],
    )];
    let roster = [NewInvitation::new("ann@example.com").roles(["r-2"])];
    let plan = Plan::new(roster, invitations, &everything(), &pruning());
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(serde_json::from_value::<Plan>(json.clone()).unwrap(), plan);
    for pointer in ["", "/steps/0", "/steps/0/previous"] {
        let mut wrong = json.clone();
        let object = wrong.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
        object.insert("emial".to_owned(), "bob@example.com".into());
        let error = serde_json::from_value::<Plan>(wrong).unwrap_err();
        assert!(error.to_string().contains("emial"), "{pointer}: {error}");
    }
}
