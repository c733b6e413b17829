//! The command in a pseudo-terminal: prompts, Ctrl-C and colours.

use std::{process::Command, time::Duration};

use org_invitations_sandbox::{Fault, Faults, Operation, Rule};
use rexpect::session::{PtySession, spawn_command};

use crate::fixture::{BINARY, Fixture};

/// Starts the command in a pseudo-terminal.
pub(crate) fn start(fixture: &Fixture, arguments: &[&str], extra: &[(&str, &str)]) -> PtySession {
    let mut command = Command::new(BINARY);
    command
        .args(arguments)
        .env_clear()
        .envs(fixture.variables())
        .env("TERM", "xterm");
    command.envs(extra.iter().copied());
    spawn_command(command, Some(20_000)).unwrap()
}

/// The rest of the output, and the exit code.
pub(crate) fn end(session: &mut PtySession) -> (String, i32) {
    let rest = session.exp_eof().unwrap();
    // `Exited(Pid(…), code)`; the crate does not export the type.
    let status = format!("{:?}", session.process().wait().unwrap());
    let code = status.strip_prefix("Exited(").and_then(|status| {
        let (_, code) = status.trim_end_matches(')').rsplit_once(", ")?;
        code.parse().ok()
    });
    let code = code.unwrap_or_else(|| panic!("{status}: {rest}"));
    (rest, code)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delete_prompts_and_yes_confirms() {
    let fixture = Fixture::start().await;
    let ids = fixture.invite("confluent", &["ann@example.com"]).await;
    let mut session = start(&fixture, &["-p", "confluent", "delete", &ids[0]], &[]);
    let before = session
        .exp_string("Delete this invitation at confluent? [y/N] ")
        .unwrap();
    assert!(before.contains("ann@example.com"), "{before}");
    session.send_line("y").unwrap();
    session.exp_string(&format!("deleted {}", ids[0])).unwrap();
    assert_eq!(end(&mut session).1, 0);
    assert!(fixture.sandbox.invitations().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_other_answer_deletes_nothing() {
    let fixture = Fixture::start().await;
    let people = ["ann@example.com", "bob@example.com"];
    let ids = fixture.invite("confluent", &people).await;
    for answer in ["n", "", "yess"] {
        let mut session = start(
            &fixture,
            &["-p", "confluent", "delete", &ids[0], &ids[1]],
            &[],
        );
        session
            .exp_string("Delete these 2 invitations at confluent? [y/N] ")
            .unwrap();
        session.send_line(answer).unwrap();
        session.exp_string("nothing was deleted").unwrap();
        assert_eq!(end(&mut session).1, 1);
    }
    assert_eq!(fixture.sandbox.invitations().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_at_a_prompt_changes_nothing() {
    let fixture = Fixture::start().await;
    let ids = fixture.invite("confluent", &["ann@example.com"]).await;
    let mut session = start(&fixture, &["-p", "confluent", "delete", &ids[0]], &[]);
    session.exp_string("[y/N] ").unwrap();
    session.send_control('c').unwrap();
    let (said, code) = end(&mut session);
    assert_eq!(code, 130, "{said}");
    assert!(said.contains("nothing was deleted"), "{said}");
    assert_eq!(fixture.sandbox.invitations().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_names_the_creates_in_flight() {
    let fixture = Fixture::start().await;
    let hang = Rule::new(Fault::hang()).on(Operation::Create).always();
    fixture.sandbox.set_faults(Faults::script([hang]));
    let create = ["-p", "confluent", "create", "ann@example.com"];
    let mut session = start(&fixture, &create, &[]);
    while fixture.sandbox.ledger().requests.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    session.send_control('c').unwrap();
    let (said, code) = end(&mut session);
    assert_eq!(code, 130, "{said}");
    assert!(said.contains("interrupted"), "{said}");
    assert!(
        said.contains("`org-invitations -p confluent list`: ann@example.com"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renew_expired_prompts_on_a_terminal() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["ann@example.com"]).await;
    fixture
        .sandbox
        .advance(Duration::from_secs(30 * 24 * 60 * 60));
    let renew = ["-p", "confluent", "renew", "--expired"];
    let mut session = start(&fixture, &renew, &[]);
    session
        .exp_string("Delete this invitation at confluent, and create it again? [y/N] ")
        .unwrap();
    session.send_line("n").unwrap();
    assert_eq!(end(&mut session).1, 1);
    let mut session = start(&fixture, &renew, &[]);
    session.exp_string("[y/N] ").unwrap();
    session.send_line("yes").unwrap();
    session.exp_string("renewed ann@example.com").unwrap();
    assert_eq!(end(&mut session).1, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_has_colours_unless_no_color_is_set() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["ann@example.com"]).await;
    let list = ["-p", "confluent", "list"];
    let green = "\u{1b}[32msent";
    let shown = |arguments: &[&str], extra: &[(&str, &str)]| {
        let (shown, code) = end(&mut start(&fixture, arguments, extra));
        assert_eq!(code, 0, "{shown}");
        shown
    };
    assert!(shown(&list, &[]).contains(green));
    for extra in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let shown = shown(&list, &[extra]);
        assert!(!shown.contains('\u{1b}'), "{extra:?}: {shown:?}");
    }
    let never = shown(&["-p", "confluent", "list", "--color", "never"], &[]);
    assert!(!never.contains('\u{1b}'), "{never:?}");
    let help = shown(&["list", "--help"], &[("NO_COLOR", "1")]);
    assert!(!help.contains('\u{1b}'), "{help:?}");
    let help = shown(&["list", "--help", "--color=never"], &[]);
    assert!(!help.contains('\u{1b}'), "{help:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_and_prompts_use_different_streams() {
    // With stdout redirected, the prompt is still on the terminal.
    let fixture = Fixture::start().await;
    let ids = fixture.invite("confluent", &["ann@example.com"]).await;
    let file = fixture.home.join("out.json");
    let line = format!(
        "{BINARY} -p confluent -o json delete {} > {}",
        ids[0],
        file.display()
    );
    let mut command = Command::new("sh");
    command
        .args(["-c", &line])
        .env_clear()
        .envs(fixture.variables());
    let mut session = spawn_command(command, Some(20_000)).unwrap();
    session.exp_string("[y/N] ").unwrap();
    session.send_line("y").unwrap();
    assert_eq!(end(&mut session).1, 0);
    let rows: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(rows[0]["deleted"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renew_by_address_prompts_as_delete_does() {
    let fixture = Fixture::start().await;
    let ids = fixture.invite("confluent", &["ann@example.com"]).await;
    let renew = ["-p", "confluent", "renew", "--email", "Ann@example.com"];
    for (key, code) in [("n\n", 1), ("\u{3}", 130)] {
        let mut session = start(&fixture, &renew, &[]);
        let shown = session.exp_string("[y/N] ").unwrap();
        assert!(shown.contains("ann@example.com"), "{shown}");
        session.send(key).unwrap();
        session.flush().unwrap();
        let (said, ended) = end(&mut session);
        assert!(said.contains("nothing was renewed"), "{said}");
        assert_eq!(ended, code, "{said}");
    }
    assert_eq!(fixture.sandbox.invitations()[0].id, ids[0]);
    let mut session = start(&fixture, &["-p", "confluent", "renew", &ids[0]], &[]);
    session.exp_string("[y/N] ").unwrap();
    session.send_line("y").unwrap();
    session.exp_string("renewed ann@example.com").unwrap();
    assert_eq!(end(&mut session).1, 0);
}

/// Starts a shell that sets the width of its terminal, and then runs the command.
pub(crate) fn start_in_width(fixture: &Fixture, width: usize, arguments: &str) -> PtySession {
    let line = format!("stty rows 24 cols {width}; exec {BINARY} {arguments}");
    let mut command = Command::new("sh");
    command
        .args(["-c", &line])
        .env_clear()
        .envs(fixture.variables())
        .env("TERM", "xterm");
    spawn_command(command, Some(20_000)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_fit_the_terminal() {
    let fixture = Fixture::start().await;
    if !fixture.offers_role_ids().await {
        return;
    }
    let create = [
        "-p",
        "clickhouse",
        "create",
        "ann@example.com",
        "--role",
        "Developer",
    ];
    fixture.run(&create).await.success();
    let full = fixture.run(&["-p", "clickhouse", "list"]).await;
    let widest = |shown: &str| {
        let lines = shown.lines().filter(|line| !line.starts_with("note: "));
        lines
            .map(|line| line.trim_end().chars().count())
            .max()
            .unwrap()
    };
    let needed = widest(&full.success().stdout);
    let list = "-p clickhouse list --color never";
    for width in [needed, needed - 1, 100, 80, 70] {
        let (shown, code) = end(&mut start_in_width(&fixture, width, list));
        assert_eq!(code, 0, "{shown}");
        assert!(widest(&shown) <= width, "{width}: {shown}");
        assert!(shown.contains("ann@example.com"), "{width}: {shown}");
        // Times give way first, and columns then.
        let is_absolute = shown.contains(" UTC");
        let is_narrow = shown.contains("too narrow for CREATED");
        assert_eq!(is_absolute, width >= needed, "{width}: {shown}");
        assert_eq!(is_narrow, width <= 80, "{width}: {shown}");
    }
    let chosen = format!("{list} --columns id,email,created_at,roles");
    let (shown, _) = end(&mut start_in_width(&fixture, 40, &chosen));
    assert!(
        shown.contains("CREATED") && !shown.contains("too narrow"),
        "{shown}"
    );
}
