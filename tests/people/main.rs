//! Members and roles against the sandbox, on both vendors: from the invitation to the removal, and where an answer is
//! lost on the way.

mod keys;
mod plans;
mod watch;

use std::{sync::Arc, time::Duration};

use futures_util::TryStreamExt;
use org_invitations::{
    ClickHouse, Confluent, ErrorKind, InvitationProvider, InvitationProviderExt, Member, MemberId,
    MemberProvider, MemberProviderExt, MembershipEventKind, NewInvitation, OrganizationProvider,
    OrganizationProviderExt, People, PersonState, RetryPolicy, RoleAssignment, RoleGrant,
};
use org_invitations_sandbox::{
    Change, Fault, Faults, Lag, Operation, Provider, Rule, SYSTEM_ROLES, Sandbox,
};

const ANN: &str = "ann@example.com";
const VIEWER: &str = "MetricsViewer";
const ENVIRONMENT_ADMIN: &str = "EnvironmentAdmin@env-123";
const TOPIC_READER: &str = "DeveloperRead@env-123/lkc-456/topic=orders";

/// A provider of one vendor, and three roles that its organisation has.
struct Subject {
    name: Provider,
    provider: Arc<dyn OrganizationProvider>,
    roles: [&'static str; 3],
}

/// Whether the documents of this build have members and roles; an older one has not.
fn is_offered() -> bool {
    let confluent = Confluent::builder().api_key("key", "secret");
    let confluent = confluent.base_url("http://127.0.0.1:1").build().unwrap();
    let clickhouse = ClickHouse::builder("organisation").api_key("key", "secret");
    let clickhouse = clickhouse.base_url("http://127.0.0.1:1").build().unwrap();
    let (one, other) = (confluent.capabilities(), clickhouse.capabilities());
    one.members && one.roles && other.members && other.roles && other.list_roles
}

fn confluent(sandbox: &Sandbox) -> Confluent {
    let key = &sandbox.credentials().confluent;
    let retry = RetryPolicy::default()
        .initial_delay(Duration::from_millis(5))
        .max_delay(Duration::from_millis(50))
        .settle_for(Duration::from_millis(60))
        .deadline(Duration::from_secs(20));
    let builder = Confluent::builder().api_key(&key.api_key, key.api_secret.as_str());
    let builder = builder.base_url(sandbox.url()).retry(retry);
    builder.timeout(Duration::from_millis(500)).build().unwrap()
}

fn clickhouse(sandbox: &Sandbox) -> ClickHouse {
    let key = &sandbox.credentials().clickhouse;
    ClickHouse::builder(&key.organization_id)
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url())
        .rate_limit(1_000, Duration::from_secs(1))
        .build()
        .unwrap()
}

fn subjects(sandbox: &Sandbox) -> [Subject; 2] {
    let confluent = Subject {
        name: Provider::Confluent,
        provider: Arc::new(confluent(sandbox)),
        roles: [VIEWER, ENVIRONMENT_ADMIN, TOPIC_READER],
    };
    let clickhouse = Subject {
        name: Provider::ClickHouse,
        provider: Arc::new(clickhouse(sandbox)),
        roles: ["Admin", SYSTEM_ROLES[1].id, "billing"],
    };
    [confluent, clickhouse]
}

impl Subject {
    fn grants(&self) -> [RoleGrant; 3] {
        self.roles.map(RoleGrant::from)
    }

    /// Invites with these roles and accepts.
    async fn join(&self, sandbox: &Sandbox, roles: &[RoleGrant]) -> Member {
        let new = NewInvitation::new(ANN).roles(roles);
        self.provider.create(new).await.unwrap();
        sandbox.accept(self.name, ANN).unwrap();
        self.provider.find_member(ANN).await.unwrap().unwrap()
    }

    /// Checks that these are the roles of a member.
    async fn assert_roles(&self, member: &MemberId, wanted: &[RoleGrant]) {
        let roles = self.provider.member_roles(member).await.unwrap();
        assert_met(wanted, &roles);
    }
}

fn assert_met(wanted: &[RoleGrant], roles: &[RoleAssignment]) {
    let lacking = |grant: &&RoleGrant| !roles.iter().any(|role| grant.is_met_by(role));
    let lacking: Vec<_> = wanted.iter().filter(lacking).collect();
    assert!(lacking.is_empty(), "{lacking:?} {roles:?}");
    assert_eq!(roles.len(), wanted.len(), "{roles:?}");
}

#[tokio::test]
async fn roles_of_an_invitation_are_those_of_the_member() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    for subject in subjects(&sandbox) {
        let grants = &subject.grants()[..2];
        let new = NewInvitation::new(ANN).roles(grants);
        let invitation = subject.provider.create(new).await.unwrap();
        assert_met(grants, invitation.roles.as_deref().unwrap());
        if let Some(user) = &invitation.user {
            let user = MemberId::new(user.id.as_str()).unwrap();
            subject.assert_roles(&user, grants).await;
        }
        sandbox.accept(subject.name, ANN).unwrap();
        let member = subject.provider.find_member(ANN).await.unwrap().unwrap();
        subject.assert_roles(&member.id, grants).await;
        let all = subject.provider.list_member_roles().await.unwrap();
        assert_met(grants, &all[&member.id]);
    }
}

#[tokio::test]
async fn a_person_is_invited_then_a_member_then_neither() {
    if !is_offered() {
        return;
    }
    for position in 0..2 {
        let sandbox = Sandbox::start().await.unwrap();
        let [first, second] = subjects(&sandbox);
        let Subject { name, provider, .. } = if position == 0 { first } else { second };
        let state = async || provider.find_person(ANN).await.unwrap().state;
        assert_eq!(state().await, PersonState::Neither);
        provider.create(NewInvitation::new(ANN)).await.unwrap();
        assert_eq!(state().await, PersonState::Invited, "{name:?}");
        sandbox.accept(name, ANN).unwrap();
        let ann = provider.find_person("Ann@Example.com").await.unwrap();
        assert_eq!(ann.state, PersonState::Member);
        let id = ann.members[0].id.clone();
        provider.remove_member(&id).await.unwrap();
        assert_eq!(state().await, PersonState::Neither);
        // The address is free again.
        provider.create(NewInvitation::new(ANN)).await.unwrap();
        assert_eq!(state().await, PersonState::Invited);
        sandbox.advance(Duration::from_secs(8 * 86_400));
        assert_eq!(state().await, PersonState::Neither, "{name:?}: expired");
    }
}

#[tokio::test]
async fn members_are_listed_whole_and_cannot_be_invited() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::builder().seed(3).seed_members(120).start();
    let sandbox = sandbox.await.unwrap();
    for Subject { provider, .. } in subjects(&sandbox) {
        let members: Vec<Member> = provider.list_members().try_collect().await.unwrap();
        assert_eq!(members.len(), 120);
        let last = &members[119];
        assert_eq!(last.email, "member120@seeded.example");
        assert_eq!(provider.get_member(&last.id).await.unwrap(), *last);
        let people = People::load(&*provider).await.unwrap();
        let state = |email: &str| people.find(email).state;
        assert_eq!(state("member7@seeded.example"), PersonState::Member);
        assert_eq!(state("user3@seeded.example"), PersonState::Invited);
        assert_eq!(state("user4@seeded.example"), PersonState::Neither);
        let new = NewInvitation::new(&last.email);
        let error = provider.get_or_create(new).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
    }
}

#[tokio::test]
async fn roles_are_granted_set_and_taken() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    for subject in subjects(&sandbox) {
        let [first, second, third] = subject.grants();
        let ann = subject
            .join(&sandbox, std::slice::from_ref(&first))
            .await
            .id;
        let provider = &subject.provider;
        let both = [first.clone(), second.clone()];
        let change = provider.grant_roles(&ann, &both).await.unwrap();
        assert_met(std::slice::from_ref(&second), &change.added);
        assert!(provider.grant_roles(&ann, &both).await.unwrap().is_noop());
        subject.assert_roles(&ann, &both).await;

        let wanted = [second.clone(), third.clone()];
        let change = provider.set_roles(&ann, &wanted).await.unwrap();
        assert_met(std::slice::from_ref(&third), &change.added);
        assert_met(std::slice::from_ref(&first), &change.removed);
        subject.assert_roles(&ann, &wanted).await;
        assert!(provider.set_roles(&ann, &wanted).await.unwrap().is_noop());

        let change = provider.set_roles(&ann, &[]).await.unwrap();
        assert_eq!(change.removed.len(), 2);
        subject.assert_roles(&ann, &[]).await;
    }
    assert!(sandbox.role_bindings().is_empty());
}

#[tokio::test]
async fn a_member_who_is_gone_is_not_found() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    for subject in subjects(&sandbox) {
        let ann = subject.join(&sandbox, &subject.grants()).await.id;
        let provider = &subject.provider;
        provider.remove_member(&ann).await.unwrap();
        let gone = provider.get_member(&ann).await.unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::NotFound, "{gone}");
        let again = provider.remove_member(&ann).await.unwrap_err();
        assert_eq!(again.kind(), ErrorKind::NotFound, "{again}");
    }
    assert!(sandbox.members().is_empty());
    assert!(
        sandbox.role_bindings().is_empty(),
        "they went with the user"
    );
}

#[tokio::test]
async fn a_removal_whose_answer_is_lost_is_done_once() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    for subject in subjects(&sandbox) {
        let ann = subject.join(&sandbox, &[]).await.id;
        let lost = Rule::new(Fault::reset_after()).on(Operation::DeleteMember);
        sandbox.set_faults(Faults::script([lost]));
        subject.provider.remove_member(&ann).await.unwrap();
        let commits = sandbox.ledger().commits;
        let removed = |it: &&org_invitations_sandbox::CommitEntry| {
            it.provider == subject.name && it.operation == Change::Remove
        };
        assert_eq!(commits.iter().filter(removed).count(), 1);
    }
}

#[tokio::test]
async fn a_binding_whose_answer_is_lost_is_made_once() {
    if !is_offered() {
        return;
    }
    for fault in [
        Fault::reset_after(),
        Fault::truncated_body(),
        Fault::status_after(500),
        Fault::page_after(502),
        Fault::duplicate(),
        Fault::reset_before(),
        Fault::status_before(503),
        Fault::late_commit(30),
    ] {
        let sandbox = Sandbox::start().await.unwrap();
        let provider = confluent(&sandbox);
        let rule = Rule::new(fault.clone()).on(Operation::CreateRoleBinding);
        sandbox.set_faults(Faults::script([rule]));
        let grants = [VIEWER, ENVIRONMENT_ADMIN].map(RoleGrant::from);
        let new = NewInvitation::new(ANN).roles(&grants);
        let invitation = provider.create(new).await;
        let invitation = invitation.unwrap_or_else(|error| panic!("{fault:?} {error}"));
        assert_met(&grants, &invitation.roles.unwrap());
        // What was delayed arrives, and is no second one.
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert_eq!(sandbox.role_bindings().len(), 2, "{fault:?}");
        let invited = sandbox.invitations();
        assert_eq!(invited.len(), 1, "{fault:?}");
        assert!(sandbox.faults().script.is_empty(), "{fault:?}");
    }
}

#[tokio::test]
async fn a_binding_that_is_never_answered_is_seen_in_the_list() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let provider = confluent(&sandbox);
    let always = Rule::new(Fault::reset_after()).on(Operation::CreateRoleBinding);
    sandbox.set_faults(Faults::script([always.always()]));
    let new = NewInvitation::new(ANN).roles([VIEWER]);
    let invitation = provider.create(new).await.unwrap();
    let [binding] = &sandbox.role_bindings()[..] else {
        panic!("{:?}", sandbox.role_bindings());
    };
    let given = invitation.roles.unwrap();
    assert_eq!(given[0].binding_id.as_deref(), Some(binding.id.as_str()));
}

#[tokio::test]
async fn a_lost_binding_that_no_list_shows_may_have_been_made() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let provider = confluent(&sandbox);
    let lost = Rule::new(Fault::reset_after()).on(Operation::CreateRoleBinding);
    let day = Lag::time(Duration::from_secs(86_400));
    sandbox.set_faults(Faults::script([lost]).with_binding_lag(day));
    let new = NewInvitation::new(ANN).roles([VIEWER]);
    let error = provider.create(new).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incomplete, "{error}");
    assert!(error.may_have_executed(), "{error}");
    assert_eq!(sandbox.role_bindings().len(), 1);

    // Once the binding is in force, the same roles are there.
    sandbox.advance(Duration::from_secs(86_400));
    let user = sandbox.role_bindings()[0].principal.replace("User:", "");
    let user = MemberId::new(user).unwrap();
    let grants = [RoleGrant::from(VIEWER)];
    let change = provider.grant_roles(&user, &grants).await.unwrap();
    assert!(change.is_noop(), "{change:?}");
    assert_eq!(sandbox.role_bindings().len(), 1);
}

#[tokio::test]
async fn a_binding_that_is_listed_late_waits_for_the_list() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let provider = confluent(&sandbox);
    let lost = Rule::new(Fault::reset_after()).on(Operation::CreateRoleBinding);
    let lag = Lag::requests(3);
    sandbox.set_faults(Faults::script([lost]).with_binding_lag(lag));
    let new = NewInvitation::new(ANN).roles([VIEWER]);
    let invitation = provider.create(new).await.unwrap();
    assert_eq!(invitation.roles.unwrap().len(), 1);
    assert_eq!(sandbox.role_bindings().len(), 1);
}

#[tokio::test]
async fn withdrawing_an_invitation_takes_its_bindings() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let provider = confluent(&sandbox);
    let new = NewInvitation::new(ANN).roles([VIEWER, TOPIC_READER]);
    let invitation = provider.create(new).await.unwrap();
    assert_eq!(sandbox.role_bindings().len(), 2);
    provider.delete(&invitation.id).await.unwrap();
    assert!(sandbox.role_bindings().is_empty());
    assert!(provider.list_member_roles().await.unwrap().is_empty());
}

#[tokio::test]
async fn who_accepted_and_left_is_told_from_who_never_joined() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let [_, subject] = subjects(&sandbox);
    let provider = &subject.provider;
    if !provider.capabilities().membership_events {
        return;
    }
    let member = subject.join(&sandbox, &[]).await;
    assert_eq!(provider.find_person(ANN).await.unwrap().history, None);
    provider.remove_member(&member.id).await.unwrap();
    let gone = provider.find_person("Ann@Example.com").await.unwrap();
    let kinds: Vec<_> = gone
        .history
        .iter()
        .flatten()
        .map(|event| event.kind)
        .collect();
    let expected = [MembershipEventKind::Joined, MembershipEventKind::Left];
    assert_eq!(kinds, expected, "{gone:?}");
    let never = provider.find_person("never@example.com").await.unwrap();
    assert_eq!(never.history, Some(Vec::new()));
    let denied = Rule::new(Fault::status_before(403)).on(Operation::ListActivities);
    sandbox.set_faults(Faults::script([denied.always()]));
    let unknown = provider.find_person(ANN).await.unwrap();
    assert_eq!(
        (unknown.state, unknown.history),
        (PersonState::Neither, None)
    );
}
