//! The prompt, in a terminal.

use std::process::Command;

use rexpect::session::{PtySession, spawn_command};

use crate::fixture::{BINARY, Fixture};

fn start(fixture: &Fixture) -> PtySession {
    let mut command = Command::new(BINARY);
    command
        .arg("sql")
        .env_clear()
        .envs(fixture.variables())
        .env("XDG_STATE_HOME", &fixture.home)
        .env("TERM", "xterm");
    let mut session = spawn_command(command, Some(20_000)).unwrap();
    session.exp_string("`quit` ends").unwrap();
    session.exp_string("sql> ").unwrap();
    session
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_statement_does_not_end_the_prompt() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["ann@example.com"]).await;
    let mut session = start(&fixture);
    session.send_line("SELECT email").unwrap();
    session.send_line("FROM invitations;").unwrap();
    session.exp_string("ann@example.com").unwrap();
    session.exp_string("sql> ").unwrap();
    session
        .send_line("SELECT nothing FROM invitations;")
        .unwrap();
    session.exp_string("error: ").unwrap();
    session.exp_string("sql> ").unwrap();
    session
        .send_line("SELECT count(*) + 41 AS answer FROM invitations;")
        .unwrap();
    session.exp_string("42").unwrap();
    session.exp_string("sql> ").unwrap();
    session.send_line("quit").unwrap();
    session.exp_eof().unwrap();
    let history =
        std::fs::read_to_string(fixture.home.join("org-invitations/sql_history")).unwrap();
    assert!(history.contains("answer"), "{history}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_survives_the_session() {
    let fixture = Fixture::start().await;
    let mut session = start(&fixture);
    session
        .send_line("SELECT 'remem' || 'bered' AS word;")
        .unwrap();
    session.exp_string("remembered").unwrap();
    session.exp_string("sql> ").unwrap();
    session.send_control('d').unwrap();
    session.exp_eof().unwrap();
    let mut session = start(&fixture);
    // Arrow up and enter.
    session.send("\u{1b}[A").unwrap();
    session.flush().unwrap();
    session.exp_string("remem").unwrap();
    session.send_line("").unwrap();
    session.exp_string("remembered").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_drops_a_line_and_not_the_session() {
    let fixture = Fixture::start().await;
    let mut session = start(&fixture);
    session.send("DELETE FROM invitations WHERE").unwrap();
    session.flush().unwrap();
    session.exp_string("WHERE").unwrap();
    session.send_control('c').unwrap();
    session.exp_string("sql> ").unwrap();
    session.send_line("SELECT 6 * 7;").unwrap();
    session.exp_string("42").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_polite_kill_ends_the_prompt() {
    let fixture = Fixture::start().await;
    let mut session = start(&fixture);
    // One SIGTERM.
    let status = session.process_mut().exit().unwrap();
    assert!(format!("{status:?}").contains("130"), "{status:?}");
}

/// A statement that computes and waits for nothing is stopped too, and the next ones run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_stops_a_statement_and_not_the_prompt() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["ann@example.com"]).await;
    let mut session = start(&fixture);
    for round in ["one", "two"] {
        session
            .send_line(&format!(
                "SELECT 'begun ' || '{round}' AS b; SELECT count(*) FROM generate_series(1, 10000000) \
                 AS a(x) CROSS JOIN generate_series(1, 10000000) AS b(y) WHERE x * y % 7 = 9;"
            ))
            .unwrap();
        session.exp_string(&format!("begun {round}")).unwrap();
        session.send_control('c').unwrap();
        session.exp_string("interrupted").unwrap();
        session.exp_string("sql> ").unwrap();
    }
    // Reads from the provider, and so cannot be done before the interrupt is looked at.
    session
        .send_line("SELECT count(*) + 41 AS answer FROM invitations;")
        .unwrap();
    session.exp_string("42").unwrap();
    session.exp_string("sql> ").unwrap();
    session.send_line("quit").unwrap();
    session.exp_eof().unwrap();
}
