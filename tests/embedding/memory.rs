//! What a test does with an organisation in memory besides calling it: accepts, moves the clock, injects failures.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use org_invitations::{
    ApiKey, ApplyOptions, BulkOptions, Capabilities, CreateResult, Error, ErrorKind,
    InvitationProvider, InvitationProviderExt, InvitationStatus, ListQuery, MemberProvider,
    MemberProviderExt, MembershipEventKind, NewInvitation, Operation, OrganizationProviderExt,
    People, PersonState, Plan, PlanOptions, Renewal, RenewalOptions, RenewalResult, RoleGrant,
    StepResult, WaitResult, WatchOptions,
    memory::{Failure, InMemory},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn invite(email: &str) -> NewInvitation {
    NewInvitation::new(email)
}

#[tokio::test]
async fn clones_share_one_organisation() {
    let organisation = InMemory::new();
    let program = organisation.clone();
    let ann = program.create(invite("ann@example.com")).await.unwrap();
    assert_eq!(organisation.get(&ann.id).await.unwrap(), ann);
    assert_eq!(organisation.calls().len(), 2);
}

#[tokio::test]
async fn who_accepts_keeps_the_roles_of_the_invitation() {
    let organisation = InMemory::new();
    let new = invite("ann@example.com").roles(["Developer@env-1"]);
    let invited = organisation.create(new).await.unwrap();
    let ann = organisation.accept("Ann@Example.com").unwrap();
    assert_eq!(
        Some(ann.id.as_str()),
        invited.user.as_ref().map(|user| user.id.as_str())
    );
    let roles = organisation.member_roles(&ann.id).await.unwrap();
    assert!(RoleGrant::from("Developer@env-1").is_met_by(&roles[0]));
    let read = organisation.get(&invited.id).await.unwrap();
    assert_eq!(read.status, Some(InvitationStatus::Accepted));
    let error = organisation.delete(&invited.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyAccepted);
    let error = organisation.accept("ann@example.com").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn invitations_expire_by_the_clock_that_is_moved() {
    let organisation = InMemory::builder()
        .valid_for(DAY)
        .invitation(invite("ann@example.com"))
        .build()
        .unwrap();
    organisation.advance(DAY - Duration::from_secs(1));
    let status = async || {
        let found = organisation.find_by_email("ann@example.com").await;
        found.unwrap().unwrap().status
    };
    assert_eq!(status().await, Some(InvitationStatus::Sent));
    organisation.advance(Duration::from_secs(1));
    assert_eq!(status().await, Some(InvitationStatus::Expired));
    let error = organisation.accept("ann@example.com").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let again = organisation
        .create(invite("ann@example.com"))
        .await
        .unwrap();
    assert_eq!(again.created_at, Some(organisation.now()));
}

#[tokio::test]
async fn a_failure_hits_its_call_and_no_other() {
    let organisation = InMemory::new();
    let unavailable = Failure::new(ErrorKind::Unavailable).on(Operation::Create);
    organisation.fail(unavailable.target("bob@example.com").times(2));
    organisation
        .create(invite("ann@example.com"))
        .await
        .unwrap();
    for left in [1, 0] {
        let error = organisation
            .create(invite("Bob@example.com"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(error.provider(), Some(InMemory::NAME));
        assert_eq!(error.operation(), Operation::Create);
        assert!(error.may_have_executed(), "as a server's would");
        assert_eq!(organisation.remaining_failures(), left);
    }
    organisation
        .create(invite("bob@example.com"))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_call_may_be_carried_out_before_it_fails() {
    let organisation = InMemory::new();
    organisation.fail(Failure::new(ErrorKind::Transport).after());
    let error = organisation
        .create(invite("ann@example.com"))
        .await
        .unwrap_err();
    assert!(error.may_have_executed());
    let there = organisation.find_by_email("ann@example.com").await.unwrap();
    assert!(there.is_some());

    let wait = Duration::from_secs(90);
    let limited = Error::new(ErrorKind::RateLimited, Operation::List, "slow down");
    organisation.fail(Failure::with_error(
        limited.with_retry_after(wait).with_status(429),
    ));
    let error = organisation.delete(&there.unwrap().id).await.unwrap_err();
    assert_eq!(
        (error.status(), error.retry_after()),
        (Some(429), Some(wait))
    );
    assert!(error.is_fatal() && !error.may_have_executed());
    assert_eq!(error.operation(), Operation::Delete);
}

#[tokio::test]
async fn calls_are_those_that_a_server_would_see() {
    let organisation = InMemory::builder()
        .capabilities(Capabilities::default().filter_email(true))
        .build()
        .unwrap();
    for new in [invite("nobody"), invite("a@example.com").roles(["Admin"])] {
        organisation.create(new).await.unwrap_err();
    }
    let extra = invite("a@example.com").extra("colour", "red");
    let error = organisation.create(extra).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(organisation.members().is_none());
    let listed = organisation.list_members().try_collect::<Vec<_>>().await;
    assert_eq!(listed.unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(organisation.calls(), []);
    organisation.find_by_email("a@example.com").await.unwrap();
    let calls = organisation.calls();
    assert_eq!((calls.len(), calls[0].operation), (1, Operation::List));
}

#[tokio::test]
async fn the_bulk_engine_works_on_it() {
    let organisation = InMemory::builder().quota(2).build().unwrap();
    let people = ["a@example.com", "b@example.com", "c@example.com"].map(invite);
    let options = BulkOptions::default().concurrency(1);
    let outcomes: Vec<_> = organisation.create_many(people, options).collect().await;
    assert!(matches!(outcomes[1].result, CreateResult::Created(_)));
    match &outcomes[2].result {
        CreateResult::Failed(error) => assert_eq!(error.kind(), ErrorKind::QuotaExceeded),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_plan_comes_to_rest_on_it() {
    let organisation = InMemory::builder()
        .member("root@example.com", ["Admin"])
        .member("ann@example.com", ["Admin"])
        .member("left@example.com", ["Developer"])
        .api_key("left@example.com", ApiKey::new("KEY"))
        .build()
        .unwrap();
    let roster = [
        invite("root@example.com").roles(["Admin"]),
        invite("ann@example.com").roles(["Developer"]),
        invite("bob@example.com").roles(["Developer"]),
    ];
    let plan = async || {
        let people = People::load(&organisation).await.unwrap();
        let options = PlanOptions::default().prune(true).prune_members(true);
        let capabilities = organisation.capabilities();
        Plan::of_people(roster.clone(), people, &capabilities, &options)
    };
    let left = organisation
        .find_member("left@example.com")
        .await
        .unwrap()
        .unwrap();
    let outcomes: Vec<_> = plan()
        .await
        .apply(&organisation, ApplyOptions::default())
        .collect()
        .await;
    for outcome in outcomes {
        assert!(
            !matches!(
                outcome.result,
                StepResult::Failed(_) | StepResult::Skipped(_)
            ),
            "{outcome:?}"
        );
    }
    organisation.accept("bob@example.com").unwrap();
    assert!(plan().await.is_noop(), "{:?}", plan().await);
    let keys = organisation.api_keys(&left.id).await.unwrap();
    assert!(keys.is_empty(), "a removal deletes them: {keys:?}");
    let events = organisation
        .membership_events("left@example.com")
        .await
        .unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [MembershipEventKind::Joined, MembershipEventKind::Left]
    );
}

#[tokio::test]
async fn a_renewal_keeps_the_roles_on_it() {
    let organisation = InMemory::new();
    let new = invite("ann@example.com").roles(["Developer@env-1"]);
    let old = organisation.create(new).await.unwrap();
    let renewal = Renewal::of(&old, &organisation.capabilities()).unwrap();
    match organisation
        .renew(&renewal, &RenewalOptions::default())
        .await
    {
        RenewalResult::Renewed(new) => {
            assert_ne!(new.id, old.id);
            let roles = new.roles.unwrap();
            assert!(
                RoleGrant::from("Developer@env-1").is_met_by(&roles[0]),
                "{roles:?}"
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_acceptance_ends_on_it() {
    for reports_status in [true, false] {
        let capabilities = InMemory::new()
            .capabilities()
            .reports_status(reports_status);
        let builder = InMemory::builder().capabilities(capabilities);
        let organisation = builder.build().unwrap();
        let invited = organisation
            .create(invite("ann@example.com"))
            .await
            .unwrap();
        let options = WatchOptions::default().interval(Duration::from_secs(60));
        let waiting = organisation.wait_until_accepted(&invited, &options);
        let accepting = async {
            tokio::time::sleep(Duration::from_secs(90)).await;
            organisation.accept("ann@example.com").unwrap()
        };
        let (waited, ann) = tokio::join!(waiting, accepting);
        assert_eq!(waited.unwrap(), WaitResult::Accepted(Some(Box::new(ann))));
        let person = organisation.find_person("ann@example.com").await.unwrap();
        assert_eq!(person.state, PersonState::Member);
    }
}

#[tokio::test]
async fn pages_of_both_lists_add_up() {
    let capabilities = InMemory::new().capabilities().max_page_size(Some(2));
    let mut builder = InMemory::builder().capabilities(capabilities);
    for number in 0..5 {
        builder = builder.member(format!("m{number}@example.com"), ["Developer"]);
        builder = builder.invitation(invite(&format!("i{number}@example.com")));
    }
    let organisation = builder.build().unwrap();
    let invitations: Vec<_> = organisation
        .list(ListQuery::new())
        .try_collect()
        .await
        .unwrap();
    let members: Vec<_> = organisation.list_members().try_collect().await.unwrap();
    assert_eq!((invitations.len(), members.len()), (5, 5));
    let pages = organisation.calls();
    assert_eq!(pages.len(), 6, "three pages each: {pages:?}");
}

#[test]
fn what_does_not_fit_is_refused_at_the_build() {
    let builder = InMemory::builder;
    for (built, kind) in [
        (
            builder().member("ann@example.com", ["Pilot"]),
            ErrorKind::InvalidInput,
        ),
        (
            builder().member("nobody", ["Admin"]),
            ErrorKind::InvalidInput,
        ),
        (
            builder().key_owner("ann@example.com"),
            ErrorKind::InvalidInput,
        ),
        (
            builder()
                .invitation(invite("a@b"))
                .invitation(invite("A@b")),
            ErrorKind::AlreadyExists,
        ),
        (
            builder()
                .capabilities(Capabilities::default())
                .invitation(invite("a@b").roles(["Admin"])),
            ErrorKind::Unsupported,
        ),
    ] {
        let error = built.build().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}
