//! Rosters in files, as tables beside the invitations.

use std::path::Path;

use org_invitations_sandbox::{Faults, Provider};
use tempfile::TempDir;

use crate::world::World;

const STAFF: [(&str, &str); 5] = [
    ("ann@x.io", "Ann"),
    ("bob@x.io", "Bob"),
    ("Cleo@x.io", "Cleo"),
    ("dan@x.io", "Dan"),
    ("eve@x.io", "Eve"),
];

/// Ann on both, Bob on Confluent and Cleo on ClickHouse, in another spelling than HR's; Dan on both, where one
/// has expired and he accepted the other; Zoe is not on HR's list, nor Eve invited.
async fn world() -> World {
    let world = World::empty().await;
    world
        .invite(
            Provider::Confluent,
            &["ann@x.io", "bob@x.io", "dan@x.io", "zoe@x.io"],
        )
        .await;
    world
        .sandbox
        .accept(Provider::Confluent, "dan@x.io")
        .unwrap();
    // Whether one has expired on ClickHouse goes by this machine's clock.
    let month_ago = Faults::default().with_clock_skew(-30 * 86_400);
    world.sandbox.set_faults(month_ago);
    world.invite(Provider::ClickHouse, &["dan@x.io"]).await;
    world.sandbox.set_faults(Faults::default());
    world
        .invite(Provider::ClickHouse, &["ann@x.io", "cleo@x.io"])
        .await;
    world
}

/// HR's list in every format, by the name of its file.
async fn rosters(world: &World) -> (TempDir, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let csv = STAFF.map(|(email, name)| format!("{email},{name}\n"));
    std::fs::write(path("hr.csv"), format!("email,name\n{}", csv.concat())).unwrap();
    let json =
        STAFF.map(|(email, name)| format!("{{\"email\":\"{email}\",\"name\":\"{name}\"}}\n"));
    std::fs::write(path("hr.json"), json.concat()).unwrap();
    let mut names = vec!["hr.csv", "hr.json"];
    if cfg!(feature = "parquet") {
        let copy = format!(
            "COPY (SELECT * FROM '{}') TO '{}' STORED AS PARQUET",
            shown(&path("hr.csv")),
            shown(&path("hr.parquet"))
        );
        world.run(&copy).await.rows();
        names.push("hr.parquet");
    }
    let names = names.into_iter().map(|name| shown(&path(name))).collect();
    (folder, names)
}

fn shown(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_a_table_by_its_name() {
    let world = world().await;
    let (_folder, rosters) = rosters(&world).await;
    for roster in rosters {
        let rows = world
            .rows(&format!("SELECT email, name FROM '{roster}'"))
            .await;
        let mut wanted = STAFF.map(|(email, name)| format!("{email} | {name}"));
        wanted.sort();
        assert_eq!(rows, wanted, "{roster}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_of_hrs_list_is_not_invited_anywhere() {
    let world = world().await;
    let (_folder, rosters) = rosters(&world).await;
    for roster in rosters {
        let sql = format!(
            "SELECT name FROM '{roster}' AS hr WHERE NOT EXISTS
             (SELECT 1 FROM invitations AS i WHERE lower(i.email) = lower(hr.email))"
        );
        let ran = world.run(&sql).await;
        assert_eq!(ran.rows(), ["Eve"], "{roster}");
        let mut requests = ran.requests;
        requests.sort();
        assert_eq!(requests, ["clickhouse list", "confluent list"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_invited_on_both() {
    let world = world().await;
    let (_folder, rosters) = rosters(&world).await;
    for roster in rosters {
        let sql = format!(
            "SELECT hr.name FROM '{roster}' AS hr
             JOIN confluent.iam.invitations AS a ON lower(a.email) = lower(hr.email)
             JOIN clickhouse.members.invitations AS b ON b.email = lower(hr.email)"
        );
        assert_eq!(world.rows(&sql).await, ["Ann", "Dan"], "{roster}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_on_one_and_accepted_on_the_other() {
    let world = world().await;
    let (_folder, rosters) = rosters(&world).await;
    for roster in rosters {
        let sql = format!(
            "SELECT hr.name, old.provider, new.provider FROM '{roster}' AS hr
             JOIN invitations AS old ON lower(old.email) = lower(hr.email) AND old.status = 'expired'
             JOIN invitations AS new ON lower(new.email) = lower(hr.email) AND new.status = 'accepted'"
        );
        let ran = world.run(&sql).await;
        assert_eq!(ran.rows(), ["Dan | clickhouse | confluent"], "{roster}");
        assert!(
            ran.requests
                .contains(&"confluent list status=INVITE_STATUS_ACCEPTED".to_owned()),
            "{:?}",
            ran.requests
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_invited_and_not_on_hrs_list() {
    let world = world().await;
    let (_folder, rosters) = rosters(&world).await;
    for roster in rosters {
        let sql = format!(
            "SELECT DISTINCT email FROM invitations
             WHERE lower(email) NOT IN (SELECT lower(email) FROM '{roster}')"
        );
        assert_eq!(world.rows(&sql).await, ["zoe@x.io"], "{roster}");
    }
}

/// One value for all, as tools other than this one write it.
#[tokio::test(flavor = "multi_thread")]
async fn a_json_array_is_a_table_when_the_statement_says_so() {
    let world = world().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hr.json");
    let text = r#"[{"email": "ann@x.io"}, {"email": "eve@x.io"}]"#;
    std::fs::write(&path, text).unwrap();
    let sql = format!(
        "CREATE EXTERNAL TABLE hr STORED AS JSON LOCATION '{}'
         OPTIONS ('format.newline_delimited' 'false')",
        path.display()
    );
    world.run(&sql).await.rows();
    let sql = "SELECT email FROM hr WHERE email NOT IN (SELECT email FROM invitations)";
    assert_eq!(world.rows(sql).await, ["eve@x.io"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_there_is_said_to_be_no_table() {
    let world = World::seeded(1).await;
    let error = world.refused("SELECT * FROM '/nowhere/at/all.csv'").await;
    assert!(error.contains("all.csv"), "{error}");
}

/// Statements from elsewhere run in a plain session, which must not read files.
#[tokio::test(flavor = "multi_thread")]
async fn a_plain_session_reads_no_file_by_its_name() {
    let world = world().await;
    let (_folder, rosters) = rosters(&world).await;
    let plain = datafusion::prelude::SessionContext::new();
    world.register_in(&plain, org_invitations_sql::WriteOptions::default());
    for roster in rosters {
        let ran = world
            .run_in(&plain, &format!("SELECT * FROM '{roster}'"))
            .await;
        ran.error();
    }
    let ran = world
        .run_in(&plain, "SELECT count(*) FROM invitations")
        .await;
    assert_eq!(ran.count(), 7);
}
