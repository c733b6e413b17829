//! `renew`: the same person, roles and auth type under a new id, and the failures between the two requests.

use std::time::Duration;

use org_invitations_sandbox::{Fault, Faults, Operation, Provider, Rule, Sandbox};

use crate::fixture::{Fixture, new_home, text};

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A failure that no retry can fix.
fn create_fails(status: u16) -> Faults {
    Faults::script([Rule::new(Fault::status_before(status))
        .on(Operation::Create)
        .times(0)])
}

#[tokio::test(flavor = "multi_thread")]
async fn renewing_keeps_roles_and_auth_type() {
    let fixture = Fixture::start().await;
    if !fixture.offers_role_ids().await {
        return;
    }
    let billing = "5a1e9b6c-3f0d-4c1b-9a57-0d2f4f1c6a03";
    for (provider, option, value, pointer) in [
        ("confluent", "--auth-type", "sso", "/auth_type"),
        ("clickhouse", "--role-id", billing, "/roles/0/id"),
        ("clickhouse", "--role", "admin", "/role"),
    ] {
        let email = format!("{value}@example.com");
        let create = [
            "-p", provider, "-o", "json", "create", &email, option, value,
        ];
        let created = fixture.run(&create).await.one();
        let id = text(&created["id"]);
        let renewed = fixture
            .run(&["-p", provider, "-o", "json", "renew", "--yes", &id])
            .await
            .one();
        assert_eq!(renewed["outcome"], "renewed");
        assert_eq!(renewed["old_id"], id.as_str());
        let new = &renewed["invitation"];
        assert_ne!(new["id"], id.as_str());
        assert_eq!(new.pointer(pointer), created.pointer(pointer), "{provider}");
        assert_eq!(
            new.pointer(pointer),
            Some(&serde_json::Value::from(value)),
            "{provider}"
        );
    }
    assert_eq!(fixture.sandbox.invitations().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn renew_expired_renews_only_expired_invitations() {
    let fixture = Fixture::start().await;
    fixture
        .invite("confluent", &["a@example.com", "b@example.com"])
        .await;
    fixture.sandbox.advance(WEEK + WEEK);
    let fresh = fixture.invite("confluent", &["c@example.com"]).await;
    let renewed = fixture
        .run(&["-p", "confluent", "renew", "--expired"])
        .await;
    let said = &renewed.success().stdout;
    assert_eq!(said.matches("renewed ").count(), 2, "{said}");
    assert!(
        fixture
            .sandbox
            .invitations()
            .iter()
            .any(|one| one.id == fresh[0])
    );
    let none = fixture
        .run(&["-p", "confluent", "renew", "--expired"])
        .await;
    none.success()
        .stderr_contains(&["no invitation has expired"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_person_is_named_with_the_create_command() {
    let fixture = Fixture::start().await;
    if !fixture.offers_role_ids().await {
        return;
    }
    let billing = "5a1e9b6c-3f0d-4c1b-9a57-0d2f4f1c6a03";
    let create = [
        "-p",
        "clickhouse",
        "-o",
        "json",
        "create",
        "ann@example.com",
        "--role-id",
        billing,
    ];
    let id = text(&fixture.run(&create).await.one()["id"]);
    fixture.sandbox.set_faults(create_fails(403));
    let lost = fixture
        .run(&["-p", "clickhouse", "renew", "--yes", &id, "-o", "jsonl"])
        .await;
    let again = format!(
        "org-invitations -p clickhouse create ann@example.com --role {billing} --if-not-exists"
    );
    lost.fails(
        1,
        &[
            "ann@example.com IS NOT INVITED ANY MORE",
            &id,
            "status 403",
            &again,
        ],
    );
    let row = &lost.lines()[0];
    assert_eq!(row["outcome"], "lost");
    assert_eq!(row["invite"]["email"], "ann@example.com");
    assert_eq!(row["invite"]["roles"]["grants"][0], billing);
    assert!(fixture.sandbox.invitations().is_empty());

    // The command of the message invites the person.
    fixture.sandbox.set_faults(Faults::script([]));
    let words: Vec<&str> = again.split_whitespace().skip(1).collect();
    fixture.run(&words).await.success();
    assert_eq!(fixture.sandbox.invitations().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_roles_are_kept_and_removed_ones_rejected() {
    let role = "33333333-0000-4000-8000-000000000003";
    let config = format!(
        "{{ confluent: [{{ keep_deleted: true }}], \
           clickhouse: [{{ custom_roles: [{{ id: {role}, name: Auditor }}] }}] }}"
    );
    let config = serde_norway::from_str(&config).unwrap();
    let fixture = Fixture {
        sandbox: Sandbox::builder().config(config).start().await.unwrap(),
        home: new_home(),
    };
    if !fixture.offers_role_ids().await {
        return;
    }
    let old = [
        "-p",
        "clickhouse",
        "create",
        "bob@example.com",
        "--legacy-role",
        "admin",
    ];
    fixture.run(&old).await.fails(1, &["--role"]);
    let new = [
        "-p",
        "clickhouse",
        "create",
        "bob@example.com",
        "--role-id",
        role,
    ];
    fixture.run(&new).await.success();
    let renew = [
        "-p",
        "clickhouse",
        "-o",
        "json",
        "renew",
        "--yes",
        "--email",
        "bob@example.com",
    ];
    let renewed = fixture.run(&renew).await.json();
    assert_eq!(renewed[0]["invitation"]["roles"][0]["id"], role);

    let ids = fixture.invite("confluent", &["ann@example.com"]).await;
    let renew = [
        "-p",
        "confluent",
        "renew",
        "--yes",
        "--email",
        "Ann@example.com",
    ];
    fixture.run(&renew).await.success();
    let gone = fixture
        .run(&["-p", "confluent", "renew", "--yes", &ids[0]])
        .await;
    gone.fails(1, &["withdrawn"]);
    let delete = [
        "-p",
        "confluent",
        "delete",
        "--yes",
        "--email",
        "ann@example.com",
    ];
    let deleted = fixture.run(&delete).await;
    assert_eq!(deleted.success().stdout.lines().count(), 1);
    fixture
        .run(&delete)
        .await
        .fails(4, &["no invitation for this address"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_person_stops_the_run() {
    let fixture = Fixture::start().await;
    let people = ["ann@example.com", "bob@example.com", "eve@example.com"];
    fixture.invite("confluent", &people).await;
    fixture.sandbox.advance(WEEK + WEEK);
    fixture.sandbox.set_faults(create_fails(403));
    let lost = fixture
        .run(&["-p", "confluent", "renew", "--expired"])
        .await;
    lost.fails(
        1,
        &[
            "IS NOT INVITED ANY MORE",
            "2 more not attempted",
            "1 lost",
            "without an invitation now: 1: ",
        ],
    );
    assert_eq!(fixture.sandbox.invitations().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_delete_response_does_not_stop_the_renewal() {
    let fixture = Fixture::start().await;
    for (fault, times) in [(Fault::reset_after(), 1), (Fault::status_after(500), 0)] {
        let ids = fixture.invite("confluent", &["ann@example.com"]).await;
        let fault = Rule::new(fault).on(Operation::Delete).times(times);
        fixture.sandbox.set_faults(Faults::script([fault]));
        let renewed = fixture
            .run(&["-p", "confluent", "renew", "--yes", &ids[0]])
            .await;
        renewed.success();
        assert_eq!(fixture.sandbox.invitations().len(), 1);
        fixture.sandbox.reset();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_create_is_retried() {
    let fixture = Fixture::start().await;
    let ids = fixture.invite("confluent", &["ann@example.com"]).await;
    let fault = Rule::new(Fault::status_before(500))
        .on(Operation::Create)
        .times(1);
    fixture.sandbox.set_faults(Faults::script([fault]));
    let renewed = fixture
        .run(&["-p", "confluent", "renew", "--yes", &ids[0]])
        .await;
    assert!(
        renewed
            .success()
            .stdout
            .starts_with("renewed ann@example.com")
    );
    assert_eq!(fixture.sandbox.invitations().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_create_response_invites_once() {
    let fixture = Fixture::start().await;
    let ids = fixture.invite("confluent", &["ann@example.com"]).await;
    let fault = Rule::new(Fault::reset_after())
        .on(Operation::Create)
        .times(1);
    fixture.sandbox.set_faults(Faults::script([fault]));
    fixture
        .run(&["-p", "confluent", "renew", "--yes", &ids[0]])
        .await
        .success();
    assert_eq!(fixture.sandbox.invitations().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_delete_leaves_the_invitation_unchanged() {
    let fixture = Fixture::start().await;
    let ids = fixture
        .invite("confluent", &["ann@example.com", "bob@example.com"])
        .await;
    let accepted = fixture
        .sandbox
        .accept(Provider::Confluent, "ann@example.com")
        .unwrap();
    let refused = fixture
        .run(&["-p", "confluent", "renew", "--yes", &accepted, "-o", "json"])
        .await;
    refused.fails(1, &["already accepted"]);
    let row = refused.one();
    assert_eq!(row["outcome"], "refused");
    let fault = Rule::new(Fault::status_before(403))
        .on(Operation::Delete)
        .times(0);
    fixture.sandbox.set_faults(Faults::script([fault]));
    let refused = fixture
        .run(&["-p", "confluent", "renew", "--yes", &ids[1], &accepted])
        .await;
    refused.fails(1, &["permission denied", "0 renewed, 2 refused, 0 lost"]);
    let left = fixture.sandbox.invitations();
    assert!(left.iter().any(|one| one.id == ids[1]));
    assert_eq!(left.len(), 2);
}

/// The first Ctrl-C waits for the renewal in progress.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_waits_for_the_create_of_a_renewal() {
    let fixture = Fixture::start().await;
    let ids = fixture
        .invite("confluent", &["ann@example.com", "bob@example.com"])
        .await;
    let fault = Rule::new(Fault::rate_limited(1_500))
        .on(Operation::Create)
        .nth(1)
        .times(1);
    fixture.sandbox.set_faults(Faults::script([fault]));
    let arguments = ["-p", "confluent", "renew", "--yes", &ids[0], &ids[1]];
    let mut command = crate::fixture::command(&arguments, &fixture.variables());
    let child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    while !fixture.sandbox.faults().script.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let id = child.id().unwrap().to_string();
    let killed = tokio::process::Command::new("kill")
        .args(["-INT", &id])
        .status()
        .await;
    assert!(killed.unwrap().success());
    let output = child.wait_with_output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("1 not renewed, and as they were"), "{said}");
    let invitations = fixture.sandbox.invitations();
    let emails: Vec<&str> = invitations.iter().map(|one| one.email.as_str()).collect();
    assert!(emails.contains(&"ann@example.com") && emails.contains(&"bob@example.com"));
    assert!(invitations.iter().any(|one| one.id == ids[1]));
    assert!(!invitations.iter().any(|one| one.id == ids[0]));
}

/// The second Ctrl-C does not wait, and names who is not invited.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_second_ctrl_c_names_the_lost_person() {
    let fixture = Fixture::start().await;
    let ids = fixture.invite("confluent", &["ann@example.com"]).await;
    let before = fixture.sandbox.ledger().commits.len();
    let hang = Rule::new(Fault::hang()).on(Operation::Create).always();
    fixture.sandbox.set_faults(Faults::script([hang]));
    let url = fixture.sandbox.url().to_string();
    let arguments = [
        "-p",
        "confluent",
        "--base-url",
        &url,
        "renew",
        "--yes",
        &ids[0],
    ];
    let mut command = crate::fixture::command(&arguments, &fixture.variables());
    let child = command
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    while fixture.sandbox.ledger().commits.len() == before {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let id = child.id().unwrap().to_string();
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let killed = tokio::process::Command::new("kill")
            .args(["-INT", &id])
            .status()
            .await;
        assert!(killed.unwrap().success());
    }
    let output = child.wait_with_output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(
        said.contains("ann@example.com MAY NOT BE INVITED ANY MORE"),
        "{said}"
    );
    // The command goes to the same server.
    let again = format!(
        "-p confluent --base-url {url} create ann@example.com --auth-type local --if-not-exists"
    );
    assert!(said.contains(&again), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_without_a_role_says_how_to_give_it() {
    let fixture = Fixture::start().await;
    if !fixture.offers_members() {
        return;
    }
    let role = "EnvironmentAdmin@env-123";
    let create = [
        "-p",
        "confluent",
        "create",
        "ann@example.com",
        "--role",
        role,
        "-o",
        "json",
    ];
    let id = text(&fixture.run(&create).await.one()["id"]);
    let renew = ["-p", "confluent", "renew", &id, "--yes", "-o", "json"];
    let quiet = fixture.run(&renew).await;
    assert!(!quiet.stderr.contains("warning"), "{}", quiet.stderr);
    let id = text(&quiet.one()["invitation"]["id"]);

    let refused = Rule::new(Fault::status_before(403)).on(Operation::CreateRoleBinding);
    fixture
        .sandbox
        .set_faults(Faults::script([refused.always()]));
    let renew = ["-p", "confluent", "renew", &id, "--yes", "-o", "json"];
    let incomplete = fixture.run(&renew).await;
    let words = [
        "is invited",
        "to give ann@example.com the roles of before, run:",
    ];
    incomplete.fails(1, &words);
    assert!(!incomplete.stderr.contains("may have been carried out"));
    let record = incomplete.one();
    assert_eq!(record["outcome"], "incomplete");
    assert_ne!(record["invitation"]["id"], id.as_str());

    fixture.sandbox.set_faults(Faults::default());
    let lines = incomplete.stderr.lines();
    let command = lines
        .map(str::trim)
        .find(|line| line.starts_with("org-invitations "));
    let words: Vec<&str> = command.unwrap().split(' ').skip(1).collect();
    let words: Vec<String> = words.iter().map(|word| word.replace('\'', "")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let given = fixture.run(&words).await;
    assert!(
        given.success().stdout.contains(&format!("+{role}")),
        "{}",
        given.stdout
    );
}
