//! API keys of members, and the owner of the key in use.

use org_invitations::{Action, Plan, PlanOptions};
use org_invitations_sandbox::{
    Config, ConfluentKey, ConfluentMember, ConfluentOrganization, Rights,
};

use super::*;

const KEY: &str = "KEY-OF-ADA";

/// An organisation whose first key is Ada's, and in which Bob has one for a cluster.
async fn sandbox() -> Sandbox {
    let bobs = ConfluentKey::new("KEY-OF-BOB", "s").user("u-bob");
    let organization = ConfluentOrganization::default()
        .member(ConfluentMember::new("ada@example.com").id("u-ada"))
        .member(ConfluentMember::new("bob@example.com").id("u-bob"))
        .key(ConfluentKey::new(KEY, "s").user("u-ada"))
        .key(bobs.display_name("Orders").resource("lkc-1"))
        .key(ConfluentKey::new("KEY-OF-SA", "s").user("sa-1"))
        .key(ConfluentKey::new("NO-RIGHTS", "s").rights(Rights::None));
    let mut config = Config::default();
    config.confluent = vec![organization];
    Sandbox::builder().config(config).start().await.unwrap()
}

fn with_key(sandbox: &Sandbox, key: &str) -> Confluent {
    let builder = Confluent::builder().api_key(key, "s");
    builder.base_url(sandbox.url()).build().unwrap()
}

fn id(id: &str) -> MemberId {
    MemberId::new(id).unwrap()
}

fn has_keys(provider: &Confluent) -> bool {
    let capabilities = provider.capabilities();
    capabilities.api_keys && capabilities.members
}

#[tokio::test]
async fn a_member_has_own_keys_and_no_others() {
    let sandbox = sandbox().await;
    let provider = confluent(&sandbox);
    let bob = id("u-bob");
    if !has_keys(&provider) {
        let error = provider.api_keys(&bob).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        return;
    }
    for fault in [None, Some(Fault::FiltersIgnored)] {
        let rules = fault.map(|fault| Rule::new(fault).on(Operation::ListApiKeys));
        sandbox.set_faults(Faults::script(rules));
        let keys = provider.api_keys(&bob).await.unwrap();
        assert_eq!(keys.len(), 1, "{keys:?}");
        assert_eq!(keys[0].id, "KEY-OF-BOB");
        assert_eq!(keys[0].name.as_deref(), Some("Orders"));
        assert_eq!(keys[0].resource_id.as_deref(), Some("lkc-1"));
        assert_eq!(keys[0].resource_kind.as_deref(), Some("Cluster"));
        assert_eq!(keys[0].extra["spec"]["owner"]["id"], "u-bob");
    }
    for number in 0..120 {
        let further = ConfluentKey::new(format!("BOB-{number}"), "s").user("u-bob");
        sandbox.add_confluent_key(further).unwrap();
    }
    assert_eq!(provider.api_keys(&bob).await.unwrap().len(), 121);
    assert!(provider.api_keys(&id("u-eve")).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_owner_of_the_key_is_told_where_it_is_known() {
    let sandbox = sandbox().await;
    let provider = confluent(&sandbox);
    let clickhouse = clickhouse(&sandbox);
    assert_eq!(clickhouse.key_owner().await.unwrap(), None);
    let refused = clickhouse.api_keys(&id("u-bob")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported, "{refused}");
    if !has_keys(&provider) {
        assert_eq!(provider.key_owner().await.unwrap(), None);
        assert!(sandbox.ledger().requests.is_empty());
        return;
    }
    assert_eq!(provider.key_owner().await.unwrap(), Some(id("u-ada")));
    let of_service_account = with_key(&sandbox, "KEY-OF-SA");
    assert_eq!(of_service_account.key_owner().await.unwrap(), None);
    let token = sandbox.credentials().confluent.access_token();
    let builder = Confluent::builder().access_token(token);
    let with_token = builder.base_url(sandbox.url()).build().unwrap();
    assert_eq!(with_token.key_owner().await.unwrap(), None);
    let forbidden = with_key(&sandbox, "NO-RIGHTS");
    let error = forbidden.key_owner().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    let error = forbidden.api_keys(&id("u-bob")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
}

#[tokio::test]
async fn the_roles_of_the_key_are_those_of_its_owner() {
    let sandbox = sandbox().await;
    let provider = confluent(&sandbox);
    assert_eq!(clickhouse(&sandbox).key_roles().await.unwrap(), None);
    if !has_keys(&provider) || !provider.capabilities().role_scopes {
        assert_eq!(provider.key_roles().await.unwrap(), None);
        assert!(sandbox.ledger().requests.is_empty());
        return;
    }
    let before = provider.key_roles().await.unwrap().unwrap();
    let grant = "MetricsViewer".parse().unwrap();
    let change = provider.grant_roles(&id("u-ada"), &[grant]).await.unwrap();
    assert!(change.failed.is_empty(), "{change:?}");
    let after = provider.key_roles().await.unwrap().unwrap();
    assert_eq!(after.len(), before.len() + 1, "{after:?}");
    assert!(
        after
            .iter()
            .any(|role| role.name.as_deref() == Some("MetricsViewer"))
    );
    // A service account has roles too.
    let of_service_account = with_key(&sandbox, "KEY-OF-SA");
    assert!(of_service_account.key_roles().await.unwrap().is_some());
    let error = with_key(&sandbox, "NO-RIGHTS")
        .key_roles()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
}

#[tokio::test]
async fn keys_go_with_their_owner() {
    let sandbox = sandbox().await;
    let further = ConfluentKey::new("BOB-2", "s").user("u-bob");
    sandbox.add_confluent_key(further).unwrap();
    let (provider, of_bob) = (confluent(&sandbox), with_key(&sandbox, "BOB-2"));
    if !has_keys(&provider) {
        return;
    }
    let bob = of_bob.key_owner().await.unwrap().unwrap();
    assert_eq!(provider.api_keys(&bob).await.unwrap().len(), 2);
    provider.remove_member(&bob).await.unwrap();
    assert!(provider.api_keys(&bob).await.unwrap().is_empty());
    let error = of_bob.get_member(&id("u-ada")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
}

#[tokio::test]
async fn a_plan_keeps_the_owner_of_the_key_in_use() {
    let sandbox = sandbox().await;
    let provider = confluent(&sandbox);
    if !has_keys(&provider) || !is_offered() {
        return;
    }
    let ada = id("u-ada");
    let viewer = [RoleGrant::new(VIEWER)];
    let granted = provider.grant_roles(&ada, &viewer).await.unwrap();
    assert_eq!(granted.complete().unwrap().added.len(), 1);
    let plan = async |roster: Vec<NewInvitation>, owner: Option<MemberId>| {
        let mut people = People::load(&provider).await.unwrap();
        people.load_roles(&provider).await.unwrap();
        let options = PlanOptions::default().prune(true).prune_members(true);
        let options = options.min_admins(0).allow_empty(true).owner(owner);
        Plan::of_people(roster, people, &provider.capabilities(), &options)
    };
    let action_of = |plan: &Plan, email: &str| {
        let mut steps = plan.steps.iter();
        let step = steps.find(|step| step.email == email).unwrap();
        (step.action, step.reason.clone().unwrap_or_default())
    };
    let owner = provider.key_owner().await.unwrap();
    let pruned = plan(Vec::new(), owner.clone()).await;
    let (action, why) = action_of(&pruned, "ada@example.com");
    assert_eq!(action, Action::Keep);
    assert!(why.contains("owns the API key in use"), "{why}");
    assert_eq!(action_of(&pruned, "bob@example.com").0, Action::Remove);
    let unprotected = plan(Vec::new(), None).await;
    assert_eq!(action_of(&unprotected, "ada@example.com").0, Action::Remove);

    let other = NewInvitation::new("ada@example.com").roles([ENVIRONMENT_ADMIN]);
    let stripped = plan(vec![other], owner.clone()).await;
    let (action, why) = action_of(&stripped, "ada@example.com");
    assert_eq!(action, Action::Invalid);
    assert!(why.contains("owns the API key in use"), "{why}");
    let more = NewInvitation::new("ada@example.com").roles([VIEWER, ENVIRONMENT_ADMIN]);
    let granted = plan(vec![more], owner).await;
    assert_eq!(action_of(&granted, "ada@example.com").0, Action::SetRoles);
}
