//! Members and roles: what is sent, in which order, and what is made of each answer.

use std::sync::{Arc, Mutex};

use org_invitations::{
    ClickHouse, Confluent, ErrorKind, InvitationProvider, InvitationProviderExt, MemberId,
    MemberProvider, MemberProviderExt, NewInvitation, Renewal, RenewalOptions, RenewalResult,
    RetryPolicy, RoleGrant,
};
use serde_json::{Value, json};

use crate::{
    backend::{Backend, EMAIL, KEY, ORGANIZATION, REQUEST_ID, SECRET},
    support::{Answer, Sent, Wire},
};

const ADMIN: &str = "5a1e0000-0000-4000-8000-000000000001";
const READER: &str = "5a1e0000-0000-4000-8000-000000000002";
const OTHER_READER: &str = "5a1e0000-0000-4000-8000-000000000003";
const USER: &str = "u-1";
const ORGANIZATION_CRN: &str = "crn://confluent.cloud/organization=o-1";

/// Whether the documents of this build have members and roles; an older one has not.
fn is_offered() -> bool {
    let confluent = Confluent::builder().api_key("key", "secret");
    let confluent = confluent.base_url("http://127.0.0.1:1").build().unwrap();
    let clickhouse = ClickHouse::builder("organisation").api_key("key", "secret");
    let clickhouse = clickhouse.base_url("http://127.0.0.1:1").build().unwrap();
    let (one, other) = (confluent.capabilities(), clickhouse.capabilities());
    one.members && one.roles && other.members && other.roles && other.list_roles
}

fn confluent(wire: &Wire) -> Confluent {
    let builder = Confluent::builder()
        .api_key(KEY, SECRET)
        .base_url(wire.url());
    builder.retry(RetryPolicy::none()).build().unwrap()
}

fn clickhouse(wire: &Wire) -> ClickHouse {
    let builder = ClickHouse::builder(ORGANIZATION).api_key(KEY, SECRET);
    let builder = builder
        .base_url(wire.url())
        .rate_limit(1_000, std::time::Duration::from_secs(1));
    builder.retry(RetryPolicy::none()).build().unwrap()
}

fn member(id: &str) -> MemberId {
    MemberId::new(id).unwrap()
}

/// `METHOD last/two/steps` of each request.
fn calls(wire: &Wire) -> Vec<String> {
    let steps = |sent: Sent| {
        let steps: Vec<_> = sent.path.rsplit('/').take(2).collect();
        format!("{} {}/{}", sent.method, steps[1], steps[0])
    };
    wire.seen().into_iter().map(steps).collect()
}

fn envelope(result: &Value) -> Answer {
    let body = json!({ "status": 200, "requestId": REQUEST_ID, "result": result });
    Answer::json(200, &body)
}

fn roles_of_the_organization() -> Value {
    json!([
        { "id": ADMIN, "name": "Admin", "type": "system" },
        { "id": READER, "name": "Reader", "type": "custom" },
        { "id": OTHER_READER, "name": "READER", "type": "custom" },
    ])
}

fn clickhouse_member(roles: &[&str]) -> Value {
    let roles: Vec<_> = roles
        .iter()
        .map(|id| json!({ "roleId": id, "roleName": "r" }))
        .collect();
    json!({ "userId": USER, "email": EMAIL, "name": "Ann", "assignedRoles": roles })
}

/// An organisation whose only member has these roles until a PATCH changes them.
async fn clickhouse_with(roles: &[&str]) -> Wire {
    let roles: Vec<String> = roles.iter().map(|id| (*id).to_owned()).collect();
    let roles = Mutex::new(roles);
    Wire::responding(move |sent| {
        let mut roles = roles.lock().unwrap();
        if sent.method == "PATCH" {
            let ids = sent.json()["assignedRoleIds"].clone();
            *roles = serde_json::from_value(ids).unwrap();
        }
        let ids: Vec<&str> = roles.iter().map(String::as_str).collect();
        match sent.path.rsplit('/').next() {
            Some("roles") => envelope(&roles_of_the_organization()),
            Some("members") => envelope(&json!([clickhouse_member(&ids)])),
            Some("invitations") => {
                envelope(&json!({ "id": "0c1d7c52-5a3e-4b11-8e0c-3f6f7d1a9b20", "email": EMAIL }))
            }
            _ => envelope(&clickhouse_member(&ids)),
        }
    })
    .await
}

#[tokio::test]
async fn clickhouse_members_are_listed_and_read() {
    if !is_offered() {
        return;
    }
    let wire = clickhouse_with(&[ADMIN]).await;
    let provider = clickhouse(&wire);
    let found = provider
        .find_member("Ann@Example.com")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.id.as_str(), found.name.as_deref()),
        (USER, Some("Ann"))
    );
    let read = provider.get_member(&found.id).await.unwrap();
    assert_eq!(read, found);
    let roles = provider.member_roles(&found.id).await.unwrap();
    assert_eq!(roles[0].id.as_deref(), Some(ADMIN));
    // An answer about somebody else is none.
    let error = provider.get_member(&member("u-2")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
}

#[tokio::test]
async fn clickhouse_resolves_names_of_roles_and_lists_them_once() {
    if !is_offered() {
        return;
    }
    let wire = clickhouse_with(&[]).await;
    let provider = clickhouse(&wire);
    for _ in 0..2 {
        let new = NewInvitation::new(EMAIL).roles(["admin", READER]);
        provider.create(new).await.unwrap();
    }
    let seen = wire.seen();
    let bodies: Vec<_> = seen.iter().filter(|sent| sent.method == "POST").collect();
    assert_eq!(bodies[0].json()["assignedRoleIds"], json!([ADMIN, READER]));
    let lists = seen.iter().filter(|sent| sent.path.ends_with("/roles"));
    assert_eq!(lists.count(), 1);
}

#[tokio::test]
async fn clickhouse_refuses_unknown_and_ambiguous_roles_unsent() {
    if !is_offered() {
        return;
    }
    let wire = clickhouse_with(&[]).await;
    let provider = clickhouse(&wire);
    for (role, words) in [
        ("Amdin", "did you mean \"Admin\"?"),
        ("reader", "2 roles are called \"reader\""),
        ("Admin@env-1", "scopes of roles"),
    ] {
        let new = NewInvitation::new(EMAIL).roles([role]);
        let error = provider.create(new.clone()).await.unwrap_err();
        assert!(error.message().contains(words), "{error}");
        assert!(!error.may_have_executed(), "{error}");
        let error = provider.check(&new).await.unwrap_err();
        assert!(error.message().contains(words), "{error}");
    }
    assert!(wire.seen().iter().all(|sent| sent.method == "GET"));
}

#[tokio::test]
async fn clickhouse_writes_the_roles_of_a_member_as_a_whole() {
    if !is_offered() {
        return;
    }
    let wire = clickhouse_with(&[ADMIN]).await;
    let provider = clickhouse(&wire);
    let grants = [RoleGrant::new(READER)];
    let change = provider.grant_roles(&member(USER), &grants).await.unwrap();
    assert_eq!((change.added.len(), change.removed.len()), (1, 0));
    let change = provider.set_roles(&member(USER), &grants).await.unwrap();
    assert_eq!(change.removed[0].id.as_deref(), Some(ADMIN));
    let change = provider.set_roles(&member(USER), &grants).await.unwrap();
    assert!(change.is_noop(), "{change:?}");
    let seen = wire.seen();
    let bodies: Vec<_> = seen.iter().filter(|sent| sent.method == "PATCH").collect();
    let bodies: Vec<_> = bodies.iter().map(|sent| sent.json()).collect();
    assert_eq!(
        bodies,
        [
            json!({ "assignedRoleIds": [ADMIN, READER] }),
            json!({ "assignedRoleIds": [READER] })
        ]
    );
}

#[tokio::test]
async fn removing_a_member_needs_an_answer_that_says_so() {
    if !is_offered() {
        return;
    }
    for backend in Backend::ALL {
        for (status, is_done) in [(200, true), (204, true), (202, false), (404, false)] {
            let answer = if status == 404 {
                backend.refusal(404)
            } else {
                Answer::empty(status)
            };
            let wire = Wire::always(answer).await;
            let outcome = match backend {
                Backend::Confluent => confluent(&wire).remove_member(&member(USER)).await,
                Backend::ClickHouse => clickhouse(&wire).remove_member(&member(USER)).await,
            };
            assert_eq!(outcome.is_ok(), is_done, "{backend:?} {status} {outcome:?}");
            assert_eq!(wire.only().method, "DELETE");
        }
    }
}

/// Role bindings as Confluent keeps them; `refused` is the role that it refuses.
#[derive(Default)]
struct Bindings {
    all: Vec<Value>,
    last_id: usize,
}

async fn confluent_with(bindings: &[(&str, &str)], refused: &'static str, status: u16) -> Wire {
    let mut state = Bindings::default();
    for (role, pattern) in bindings {
        state.add(&format!("User:{USER}"), role, pattern);
    }
    let state = Arc::new(Mutex::new(state));
    Wire::responding(move |sent| {
        let mut state = state.lock().unwrap();
        let last = sent.path.rsplit('/').next().unwrap_or_default();
        match (sent.method.as_str(), last) {
            ("GET", "organizations") => {
                Answer::json(200, &json!({ "metadata": {}, "data": [{ "id": "o-1" }] }))
            }
            ("POST", "invitations") => {
                let user = json!({ "id": USER });
                Answer::json(201, &json!({ "id": "i-1", "email": EMAIL, "user": user }))
            }
            ("POST", "role-bindings") => {
                let body = sent.json();
                let text = |name: &str| body[name].as_str().unwrap().to_owned();
                let (who, role, pattern) =
                    (text("principal"), text("role_name"), text("crn_pattern"));
                if role == refused {
                    return Backend::Confluent.refusal(status);
                }
                Answer::json(201, &state.add(&who, &role, &pattern))
            }
            ("GET", "role-bindings") => {
                let query = sent.query.iter();
                let principal = query.clone().find(|(name, _)| name == "principal");
                let all = state.all.iter();
                let all =
                    all.filter(|one| principal.is_none_or(|(_, who)| one["principal"] == **who));
                let all: Vec<_> = all.cloned().collect();
                Answer::json(200, &json!({ "metadata": {}, "data": all }))
            }
            ("DELETE", id) => {
                let at = state.all.iter().position(|one| one["id"] == id).unwrap();
                Answer::json(200, &state.all.remove(at))
            }
            other => panic!("{other:?}"),
        }
    })
    .await
}

impl Bindings {
    fn add(&mut self, principal: &str, role: &str, pattern: &str) -> Value {
        self.last_id += 1;
        let binding = json!({
            "id": format!("rb-{}", self.last_id),
            "principal": principal, "role_name": role, "crn_pattern": pattern,
        });
        self.all.push(binding.clone());
        binding
    }
}

#[tokio::test]
async fn confluent_binds_roles_to_the_invited_user() {
    if !is_offered() {
        return;
    }
    let wire = confluent_with(&[], "", 0).await;
    let provider = confluent(&wire);
    let roles = ["MetricsViewer", "EnvironmentAdmin@env-1"];
    let made = provider
        .create(NewInvitation::new(EMAIL).roles(roles))
        .await
        .unwrap();
    let wanted = [
        "GET v2/organizations",
        "POST v2/invitations",
        "POST v2/role-bindings",
        "POST v2/role-bindings",
    ];
    assert_eq!(calls(&wire), wanted);
    let seen = wire.seen();
    assert_eq!(seen[1].json(), json!({ "email": EMAIL }));
    assert_eq!(
        seen[2].json(),
        json!({ "principal": "User:u-1", "role_name": "MetricsViewer", "crn_pattern": ORGANIZATION_CRN })
    );
    assert_eq!(
        seen[3].json()["crn_pattern"],
        format!("{ORGANIZATION_CRN}/environment=env-1")
    );
    let given: Vec<_> = made
        .roles
        .unwrap()
        .iter()
        .filter_map(|role| role.grant())
        .collect();
    assert_eq!(given, roles.map(RoleGrant::from));
    // The organisation is looked up once.
    provider
        .create(NewInvitation::new(EMAIL).roles(["MetricsViewer"]))
        .await
        .unwrap();
    let lookups = calls(&wire).into_iter().filter(|call| call == wanted[0]);
    assert_eq!(lookups.count(), 1);
}

#[tokio::test]
async fn roles_are_never_bound_to_an_invitation() {
    if !is_offered() {
        return;
    }
    let wire = Wire::responding(|sent| match sent.path.rsplit('/').next() {
        Some("organizations") => {
            Answer::json(200, &json!({ "metadata": {}, "data": [{ "id": "o-1" }] }))
        }
        Some("invitations") => {
            let user = json!({ "id": "i-1" });
            Answer::json(201, &json!({ "id": "i-1", "email": EMAIL, "user": user }))
        }
        other => panic!("{other:?}"),
    })
    .await;
    let new = NewInvitation::new(EMAIL).roles(["MetricsViewer"]);
    let error = confluent(&wire).create(new).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incomplete, "{error}");
    assert!(error.message().contains("names no user"), "{error}");
}

#[tokio::test]
async fn a_scope_of_another_organisation_is_refused() {
    if !is_offered() {
        return;
    }
    let wire = confluent_with(&[], "", 0).await;
    let provider = confluent(&wire);
    for (organization, is_own) in [("o-1", true), ("o-2", false)] {
        let scope = format!("crn://confluent.cloud/organization={organization}/environment=env-1");
        let new =
            NewInvitation::new(EMAIL).roles([RoleGrant::new("EnvironmentAdmin").scope(scope)]);
        match provider.create(new).await {
            Ok(_) => assert!(is_own),
            Err(error) => {
                assert!(!is_own, "{error}");
                assert_eq!(error.kind(), ErrorKind::InvalidInput);
                assert!(error.message().contains("the key is for o-1"), "{error}");
            }
        }
    }
    let creates = calls(&wire)
        .into_iter()
        .filter(|call| call == "POST v2/invitations");
    assert_eq!(creates.count(), 1);
}

/// An invitation that does not name its user, who has one role; and the invitation that takes its place.
async fn confluent_without_users() -> Wire {
    let withdrawn = Mutex::new(false);
    Wire::responding(move |sent| {
        let mut withdrawn = withdrawn.lock().unwrap();
        let list = |data: Value| Answer::json(200, &json!({ "metadata": {}, "data": data }));
        let invitation = |id: &str, user: &str| {
            json!({ "id": id, "email": EMAIL, "status": "INVITE_STATUS_SENT", "user": { "id": user } })
        };
        match (sent.method.as_str(), sent.path.rsplit('/').next().unwrap()) {
            ("GET", "organizations") => list(json!([{ "id": "o-1" }])),
            ("GET", "users") => list(json!([{ "id": USER, "email": EMAIL }])),
            ("GET", "role-bindings") => list(json!([{
                "id": "rb-1", "principal": format!("User:{USER}"), "role_name": "MetricsViewer",
                "crn_pattern": ORGANIZATION_CRN,
            }])),
            ("GET", "i-1") if *withdrawn => Backend::Confluent.refusal(404),
            ("GET", "i-1") => {
                let mut unnamed = invitation("i-1", "");
                unnamed.as_object_mut().unwrap().remove("user");
                Answer::json(200, &unnamed)
            }
            ("DELETE", "i-1") => {
                *withdrawn = true;
                Answer::empty(204)
            }
            ("POST", "invitations") => Answer::json(201, &invitation("i-2", "u-2")),
            ("POST", "role-bindings") => {
                let mut binding = sent.json();
                binding["id"] = json!("rb-2");
                Answer::json(201, &binding)
            }
            other => panic!("{other:?}"),
        }
    })
    .await
}

#[tokio::test]
async fn a_renewal_finds_the_user_by_the_address() {
    if !is_offered() {
        return;
    }
    let wire = confluent_without_users().await;
    let provider = confluent(&wire);
    let old = provider.get(&"i-1".parse().unwrap()).await.unwrap();
    assert!(old.user.is_none());
    let renewal = Renewal::of(&old, &provider.capabilities()).unwrap();
    match provider.renew(&renewal, &RenewalOptions::default()).await {
        RenewalResult::Renewed(new) => assert_eq!(new.id.as_str(), "i-2"),
        other => panic!("{other:?}"),
    }
    let bound = wire
        .seen()
        .into_iter()
        .find(|sent| sent.method == "POST" && sent.path.ends_with("/role-bindings"));
    let bound = bound.expect("the role is given again").json();
    assert_eq!(bound["principal"], "User:u-2");
    assert_eq!(bound["role_name"], "MetricsViewer");
}

#[tokio::test]
async fn two_members_of_one_address_are_not_mixed_up() {
    if !is_offered() {
        return;
    }
    let wire = Wire::responding(|_| {
        envelope(&json!([
            { "userId": "u-1", "email": EMAIL, "assignedRoles": [] },
            { "userId": "u-2", "email": EMAIL, "assignedRoles": [] },
        ]))
    })
    .await;
    let provider = clickhouse(&wire);
    let error = provider.find_member(EMAIL).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().contains("u-1, u-2"), "{error}");
}

#[tokio::test]
async fn a_role_that_cannot_be_bound_leaves_an_incomplete_invitation() {
    if !is_offered() {
        return;
    }
    let wire = confluent_with(&[], "Odd", 403).await;
    let provider = confluent(&wire);
    let new = NewInvitation::new(EMAIL).roles(["Odd", "MetricsViewer"]);
    let error = provider.create(new).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incomplete, "{error}");
    assert_eq!(
        error.conflicting_id().map(ToString::to_string).as_deref(),
        Some("i-1")
    );
    assert!(error.message().contains("1 of 2"), "{error}");
    assert!(error.message().contains("Odd: "), "{error}");
    // The other one is bound all the same.
    let roles = provider.member_roles(&member(USER)).await.unwrap();
    assert_eq!(roles[0].name.as_deref(), Some("MetricsViewer"));
}

#[tokio::test]
async fn a_scope_that_is_none_is_refused_before_anything_is_sent() {
    if !is_offered() {
        return;
    }
    let wire = Wire::silent().await;
    for role in ["Admin@lkc-1", "Admin@", "@env-1"] {
        let new = NewInvitation::new(EMAIL).roles([role]);
        let error = confluent(&wire).create(new).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{role} {error}");
    }
    wire.assert_untouched("scopes");
}

#[tokio::test]
async fn a_conflict_counts_as_bound_only_where_the_binding_is_seen() {
    if !is_offered() {
        return;
    }
    for is_there in [true, false] {
        let there = [("Odd", ORGANIZATION_CRN)];
        let there = if is_there { &there[..] } else { &[] };
        let wire = confluent_with(there, "Odd", 409).await;
        let new = NewInvitation::new(EMAIL).roles(["Odd"]);
        let outcome = confluent(&wire).create(new).await;
        match outcome {
            Ok(made) => {
                assert!(is_there);
                assert_eq!(made.roles.unwrap()[0].binding_id.as_deref(), Some("rb-1"));
            }
            Err(error) => assert!(
                !is_there && error.kind() == ErrorKind::Incomplete,
                "{error}"
            ),
        }
    }
}

#[tokio::test]
async fn confluent_adds_roles_before_it_takes_any() {
    if !is_offered() {
        return;
    }
    let env = format!("{ORGANIZATION_CRN}/environment=env-1");
    let wire = confluent_with(&[("EnvironmentAdmin", &env)], "Odd", 403).await;
    let provider = confluent(&wire);
    // Nothing is taken where something could not be given.
    let grants = [RoleGrant::new("Odd")];
    let change = provider.set_roles(&member(USER), &grants).await.unwrap();
    assert_eq!((change.removed.len(), change.failed.len()), (0, 1));
    assert_eq!(change.complete().unwrap_err().kind(), ErrorKind::Incomplete);

    let grants = [RoleGrant::new("MetricsViewer")];
    let change = provider.set_roles(&member(USER), &grants).await.unwrap();
    assert_eq!(change.added[0].name.as_deref(), Some("MetricsViewer"));
    assert_eq!(change.removed[0].scope.as_deref(), Some("env-1"));
    let writes = calls(&wire)
        .into_iter()
        .filter(|call| !call.starts_with("GET"));
    let writes: Vec<_> = writes.collect();
    assert_eq!(
        writes[1..],
        ["POST v2/role-bindings", "DELETE role-bindings/rb-1"]
    );
    let change = provider.set_roles(&member(USER), &grants).await.unwrap();
    assert!(change.is_noop(), "{change:?}");
    // Giving one more takes none.
    let more = [RoleGrant::new("EnvironmentAdmin").scope("env-1")];
    let change = provider.grant_roles(&member(USER), &more).await.unwrap();
    assert_eq!((change.added.len(), change.removed.len()), (1, 0));
    let all = provider.list_member_roles().await.unwrap();
    assert_eq!(all[&member(USER)].len(), 2);
}

#[tokio::test]
async fn confluent_members_come_page_by_page() {
    if !is_offered() {
        return;
    }
    let wire = Wire::responding(|sent| {
        let user = |id: &str, email: &str| {
            json!({ "id": id, "email": email, "full_name": "N", "auth_type": "AUTH_TYPE_SSO" })
        };
        let is_second = sent.query.iter().any(|(name, _)| name == "page_token");
        let (data, next) = match is_second {
            false => (user("u-1", "ann@example.com"), json!("https://h/iam/v2/users?page_token=t")),
            true => (user("u-2", "bob@example.com"), Value::Null),
        };
        Answer::json(200, &json!({ "metadata": { "next": next }, "data": [data] }))
    })
    .await;
    let provider = confluent(&wire);
    let bob = provider
        .find_member("BOB@example.com")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(bob.id.as_str(), "u-2");
    assert_eq!(bob.auth_type, Some(org_invitations::AuthType::Sso));
    assert_eq!(provider.find_member("cid@example.com").await.unwrap(), None);
    let error = provider.list_roles().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
}

/// One role binding, in a list that says how many there are; each DELETE is answered with this id, or with 404.
async fn confluent_with_one_binding(total: u64, deleted: &'static str) -> Wire {
    Wire::responding(move |sent| {
        let binding = |id: &str| {
            json!({
                "id": id, "principal": format!("User:{USER}"), "role_name": "MetricsViewer",
                "crn_pattern": ORGANIZATION_CRN,
            })
        };
        match (sent.method.as_str(), sent.path.rsplit('/').next()) {
            (_, Some("organizations")) => {
                Answer::json(200, &json!({ "metadata": {}, "data": [{ "id": "o-1" }] }))
            }
            ("DELETE", _) if deleted.is_empty() => Backend::Confluent.refusal(404),
            ("DELETE", _) => Answer::json(200, &binding(deleted)),
            _ => {
                let metadata = json!({ "total_size": total, "next": "" });
                Answer::json(
                    200,
                    &json!({ "metadata": metadata, "data": [binding("rb-1")] }),
                )
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_list_of_bindings_that_lacks_some_is_an_error() {
    if !is_offered() {
        return;
    }
    let whole = confluent_with_one_binding(1, "rb-1").await;
    let roles = confluent(&whole).member_roles(&member(USER)).await.unwrap();
    assert_eq!(roles.len(), 1);
    let cut = confluent_with_one_binding(2, "rb-1").await;
    let provider = confluent(&cut);
    let error = provider.member_roles(&member(USER)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    assert!(error.message().contains("1 of 2"), "{error}");
}

#[tokio::test]
async fn what_a_change_relies_on_reports_no_failure() {
    if !is_offered() {
        return;
    }
    for (failing, fails) in [
        ("none", false),
        ("organizations", true),
        ("role-bindings", true),
    ] {
        let wire = Wire::responding(move |sent| {
            assert_ne!(sent.method, "DELETE", "nothing is taken");
            let list = sent.path.rsplit('/').next().unwrap_or_default();
            let data = match list {
                "organizations" => json!([{ "id": "o-1" }]),
                _ => json!([]),
            };
            let mut body = json!({ "metadata": { "next": "" }, "data": data });
            if list == failing {
                body["errors"] = json!([{ "detail": "try again" }]);
            }
            Answer::json(200, &body)
        })
        .await;
        let outcome = confluent(&wire).set_roles(&member(USER), &[]).await;
        match outcome {
            Err(error) => assert_eq!((error.kind(), fails), (ErrorKind::Decode, true), "{error}"),
            Ok(change) => assert!(!fails, "{failing}: {change:?}"),
        }
    }
    let failed = json!({ "result": [], "error": "INTERNAL_ERROR" });
    let wire = Wire::always(Answer::json(200, &failed)).await;
    let events = clickhouse(&wire).membership_events(EMAIL).await;
    assert_eq!(events.unwrap_err().kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn a_binding_is_taken_only_when_the_answer_is_about_it() {
    if !is_offered() {
        return;
    }
    // One that is not there is gone only if no list has it.
    for (answered, is_taken) in [("rb-1", true), ("rb-2", false), ("", false)] {
        let wire = confluent_with_one_binding(1, answered).await;
        let change = confluent(&wire)
            .set_roles(&member(USER), &[])
            .await
            .unwrap();
        assert_eq!(change.removed.len(), usize::from(is_taken), "{change:?}");
        assert_eq!(change.failed.is_empty(), is_taken, "{change:?}");
    }
}

#[tokio::test]
async fn clickhouse_invitation_with_other_roles_is_incomplete() {
    if !is_offered() {
        return;
    }
    for (assigned, is_complete) in [
        (Some(&[READER][..]), true),
        (None, true),
        (Some(&[]), false),
        (Some(&[ADMIN]), false),
        (Some(&[READER, ADMIN]), false),
    ] {
        let wire = Wire::responding(move |sent| {
            if sent.path.ends_with("/roles") {
                return envelope(&roles_of_the_organization());
            }
            let mut made = json!({ "id": "0c1d7c52-5a3e-4b11-8e0c-3f6f7d1a9b20", "email": EMAIL });
            if let Some(assigned) = assigned {
                made["assignedRoles"] = clickhouse_member(assigned)["assignedRoles"].clone();
            }
            envelope(&made)
        })
        .await;
        let new = NewInvitation::new(EMAIL).roles([READER]);
        match clickhouse(&wire).create(new).await {
            Ok(_) => assert!(is_complete, "{assigned:?}"),
            Err(error) => {
                assert!(!is_complete, "{assigned:?} {error}");
                assert_eq!(error.kind(), ErrorKind::Incomplete, "{error}");
                assert!(error.conflicting_id().is_some() && error.may_have_executed());
            }
        }
    }
}

#[tokio::test]
async fn a_list_of_roles_that_fails_keeps_its_kind() {
    if !is_offered() {
        return;
    }
    for (status, kind) in [
        (401, ErrorKind::Unauthenticated),
        (403, ErrorKind::PermissionDenied),
        (500, ErrorKind::Unavailable),
    ] {
        let wire = Wire::responding(move |_| Backend::ClickHouse.refusal(status)).await;
        let new = NewInvitation::new(EMAIL).roles(["Admin"]);
        let error = clickhouse(&wire).create(new).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains("nothing was sent"), "{error}");
        assert!(calls(&wire).iter().all(|call| call.starts_with("GET")));
    }
}

#[tokio::test]
async fn a_legacy_role_is_refused_once_there_are_custom_roles() {
    if !is_offered() {
        return;
    }
    for has_custom in [true, false] {
        let wire = Wire::responding(move |_| {
            let mut roles = roles_of_the_organization();
            if !has_custom {
                roles.as_array_mut().unwrap().truncate(1);
            }
            envelope(&roles)
        })
        .await;
        let new = NewInvitation::new(EMAIL).legacy_role("admin");
        match clickhouse(&wire).check(&new).await {
            Ok(()) => assert!(!has_custom),
            Err(error) => {
                assert!(has_custom, "{error}");
                assert_eq!(error.kind(), ErrorKind::InvalidInput);
            }
        }
    }
}
