//! `sql --serve`.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};

use crate::fixture::{Fixture, command, with_variables};

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_are_served_until_ctrl_c() {
    let fixture = Fixture::start().await;
    fixture.invite("confluent", &["ann@example.com"]).await;
    let variables = with_variables(
        fixture.variables(),
        &[("ORG_INVITATIONS_SQL_PASSWORD", "sesame")],
    );
    let mut process = command(&["sql", "--serve", "127.0.0.1:0"], &variables)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let psql = line.strip_prefix("listening: psql ").unwrap();
    let printed = tokio::process::Command::new("psql")
        .args(psql.split(' '))
        .args(["-X", "-A", "-t", "-c", "SELECT email FROM invitations"])
        .env("PGPASSWORD", "sesame")
        .output()
        .await;
    match printed {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: there is no psql (Debian's package postgresql-client)");
        }
        printed => {
            let printed = printed.unwrap();
            let stderr = String::from_utf8(printed.stderr).unwrap();
            let stdout = String::from_utf8(printed.stdout).unwrap();
            assert_eq!(stdout, "ann@example.com\n", "{stderr}");
        }
    }
    #[cfg(unix)]
    {
        let id = process.id().unwrap().to_string();
        let killed = std::process::Command::new("kill")
            .args(["-INT", &id])
            .status();
        assert!(killed.unwrap().success());
        assert_eq!(process.wait().await.unwrap().code(), Some(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn serving_needs_a_password_and_a_loopback_address() {
    let fixture = Fixture::start().await;
    let refused = fixture.run(&["sql", "--serve", "127.0.0.1:0"]).await;
    refused.fails(2, &["ORG_INVITATIONS_SQL_PASSWORD"]);
    let variables = with_variables(
        fixture.variables(),
        &[("ORG_INVITATIONS_SQL_PASSWORD", "sesame")],
    );
    let refused = crate::fixture::run(&["sql", "--serve", "0.0.0.0:0"], &variables).await;
    refused.fails(2, &["other machines"]);
    let wrong = fixture.run(&["sql", "--allow-writes", "SELECT 1"]).await;
    wrong.fails(2, &["--serve"]);
}
