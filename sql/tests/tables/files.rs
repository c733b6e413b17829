//! Rosters in files, as tables beside the invitations.

use std::path::Path;

use org_invitations_sandbox::{Faults, Provider};
use tempfile::TempDir;

use crate::fixture::Fixture;

const STAFF: [(&str, &str); 5] = [
    ("ann@x.io", "Ann"),
    ("bob@x.io", "Bob"),
    ("Cleo@x.io", "Cleo"),
    ("dan@x.io", "Dan"),
    ("eve@x.io", "Eve"),
];

/// Ann on both, Bob on Confluent and Cleo on ClickHouse, in another spelling than HR's; Dan on both, where one
/// has expired and he accepted the other; Zoe is not on HR's list, nor Eve invited.
async fn fixture() -> Fixture {
    let fixture = Fixture::empty().await;
    fixture
        .invite(
            Provider::Confluent,
            &["ann@x.io", "bob@x.io", "dan@x.io", "zoe@x.io"],
        )
        .await;
    fixture
        .sandbox
        .accept(Provider::Confluent, "dan@x.io")
        .unwrap();
    // Whether one has expired on ClickHouse goes by this machine's clock.
    let month_ago = Faults::default().with_clock_skew(-30 * 86_400);
    fixture.sandbox.set_faults(month_ago);
    fixture.invite(Provider::ClickHouse, &["dan@x.io"]).await;
    fixture.sandbox.set_faults(Faults::default());
    fixture
        .invite(Provider::ClickHouse, &["ann@x.io", "cleo@x.io"])
        .await;
    fixture
}

/// HR's list in every format, by the name of its file.
async fn rosters(fixture: &Fixture) -> (TempDir, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let csv = STAFF.map(|(email, name)| format!("{email},{name}\n"));
    std::fs::write(path("hr.csv"), format!("email,name\n{}", csv.concat())).unwrap();
    let json =
        STAFF.map(|(email, name)| format!("{{\"email\":\"{email}\",\"name\":\"{name}\"}}\n"));
    std::fs::write(path("hr.json"), json.concat()).unwrap();
    let lines = json.concat();
    for name in ["hr.jsonl", "hr.ndjson", "HR.NDJSON"] {
        std::fs::write(path(name), &lines).unwrap();
    }
    let array = format!("\n [{}]", lines.trim_end().replace('\n', ","));
    std::fs::write(path("array.json"), array).unwrap();
    let tsv = format!("email,name\n{}", csv.concat()).replace(',', "\t");
    std::fs::write(path("hr.tsv"), tsv).unwrap();
    let mut names = vec![
        "hr.csv",
        "hr.json",
        "array.json",
        "hr.jsonl",
        "hr.ndjson",
        "HR.NDJSON",
        "hr.tsv",
    ];
    if cfg!(feature = "parquet") {
        let copy = format!(
            "COPY (SELECT * FROM '{}') TO '{}' STORED AS PARQUET",
            utf8(&path("hr.csv")),
            utf8(&path("hr.parquet"))
        );
        fixture.run(&copy).await.rows();
        names.push("hr.parquet");
    }
    let names = names.into_iter().map(|name| utf8(&path(name))).collect();
    (folder, names)
}

fn utf8(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_a_table_by_its_name() {
    let fixture = fixture().await;
    let (_folder, rosters) = rosters(&fixture).await;
    for roster in rosters {
        let rows = fixture
            .rows(&format!("SELECT email, name FROM '{roster}'"))
            .await;
        let mut expected = STAFF.map(|(email, name)| format!("{email} | {name}"));
        expected.sort();
        assert_eq!(rows, expected, "{roster}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_of_hrs_list_is_not_invited_anywhere() {
    let fixture = fixture().await;
    let (_folder, rosters) = rosters(&fixture).await;
    for roster in rosters {
        let sql = format!(
            "SELECT name FROM '{roster}' AS hr WHERE NOT EXISTS
             (SELECT 1 FROM invitations AS i WHERE lower(i.email) = lower(hr.email))"
        );
        let run = fixture.run(&sql).await;
        assert_eq!(run.rows(), ["Eve"], "{roster}");
        let mut requests = run.requests;
        requests.sort();
        assert_eq!(requests, ["clickhouse list", "confluent list"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_invited_on_both() {
    let fixture = fixture().await;
    let (_folder, rosters) = rosters(&fixture).await;
    for roster in rosters {
        let sql = format!(
            "SELECT hr.name FROM '{roster}' AS hr
             JOIN confluent.iam.invitations AS a ON lower(a.email) = lower(hr.email)
             JOIN clickhouse.members.invitations AS b ON b.email = lower(hr.email)"
        );
        assert_eq!(fixture.rows(&sql).await, ["Ann", "Dan"], "{roster}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_on_one_and_accepted_on_the_other() {
    let fixture = fixture().await;
    let (_folder, rosters) = rosters(&fixture).await;
    for roster in rosters {
        let sql = format!(
            "SELECT hr.name, old.provider, new.provider FROM '{roster}' AS hr
             JOIN invitations AS old ON lower(old.email) = lower(hr.email) AND old.status = 'expired'
             JOIN invitations AS new ON lower(new.email) = lower(hr.email) AND new.status = 'accepted'"
        );
        let run = fixture.run(&sql).await;
        assert_eq!(run.rows(), ["Dan | clickhouse | confluent"], "{roster}");
        assert!(
            run.requests
                .contains(&"confluent list status=INVITE_STATUS_ACCEPTED".to_owned()),
            "{:?}",
            run.requests
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_invited_and_not_on_hrs_list() {
    let fixture = fixture().await;
    let (_folder, rosters) = rosters(&fixture).await;
    for roster in rosters {
        let sql = format!(
            "SELECT DISTINCT email FROM invitations
             WHERE lower(email) NOT IN (SELECT lower(email) FROM '{roster}')"
        );
        assert_eq!(fixture.rows(&sql).await, ["zoe@x.io"], "{roster}");
    }
}

/// One value for all, as tools other than this one write it.
#[tokio::test(flavor = "multi_thread")]
async fn a_json_array_is_a_table_when_the_statement_says_so() {
    let fixture = fixture().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hr.json");
    let text = r#"[{"email": "ann@x.io"}, {"email": "eve@x.io"}]"#;
    std::fs::write(&path, text).unwrap();
    let sql = format!(
        "CREATE EXTERNAL TABLE hr STORED AS JSON LOCATION '{}'
         OPTIONS ('format.newline_delimited' 'false')",
        path.display()
    );
    fixture.run(&sql).await.rows();
    let sql = "SELECT email FROM hr WHERE email NOT IN (SELECT email FROM invitations)";
    assert_eq!(fixture.rows(sql).await, ["eve@x.io"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_file_is_reported_as_no_table() {
    let fixture = Fixture::seeded(1).await;
    let error = fixture.refused("SELECT * FROM '/nowhere/at/all.csv'").await;
    assert!(error.contains("all.csv"), "{error}");
}

/// Statements from elsewhere run in a plain session, which must not read files.
#[tokio::test(flavor = "multi_thread")]
async fn a_plain_session_reads_no_file_by_its_name() {
    let fixture = fixture().await;
    let (_folder, rosters) = rosters(&fixture).await;
    let plain = datafusion::prelude::SessionContext::new();
    fixture.register_in(&plain, org_invitations_sql::WriteOptions::default());
    for roster in rosters {
        let run = fixture
            .run_in(&plain, &format!("SELECT * FROM '{roster}'"))
            .await;
        run.error();
    }
    let run = fixture
        .run_in(&plain, "SELECT count(*) FROM invitations")
        .await;
    assert_eq!(run.count(), 7);
}
