//! Rosters as directories and spreadsheets export them, and as the command itself prints them.

use std::fs;

use org_invitations_sandbox::Provider;
use serde_json::{Value, json};

use super::{file, path};
use crate::fixture::Fixture;

const GOOGLE: &str = "\
First Name [Required],Last Name [Required],Email Address [Required],Org Unit Path [Required],Department\r
Ann,Smith,ann@example.com,/,\"Data, Platform\"\r
Bob,Jones,bob@example.com,/,\r
";

const ENTRA: &str = "\
userPrincipalName,displayName,mail,id,department\r
ann@example.com,Ann Smith,a.smith@example.com,0b1c9e0e-5d6f-4c39-9a55-c8b0d0a3a7f1,Data\r
bob@example.com,Bob Jones,,9a0f3a59-0f5e-4d7e-8f35-3a5a7e1a0a11,\r
";

const OKTA: &str =
    "login,firstName,status\nann@example.com,Ann,ACTIVE\nbob@example.com,Bob,STAGED\n";

const EXCEL: &str =
    "\u{feff}Name\tE-Mail\r\nAnn\tann@example.com\r\nBob\tbob@example.com\r\n\t\r\n";

const LATIN_1: &[u8] =
    b"sep=;\r\nName;Mail\r\nAnn M\xfcller;ann@example.com\r\nBob;bob@example.com\r\n;\r\n";

/// Writes a file of bytes into the home folder, and returns its path.
fn bytes(fixture: &Fixture, name: &str, content: &[u8]) -> String {
    let path = path(fixture, name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_of_directories_are_rosters() {
    let fixture = Fixture::start().await;
    let utf16: Vec<u8> = EXCEL.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let choice = ["--email-column", "User principal name"];
    let guess =
        "is read as Windows-1252 (Latin-1), in which line 3 is `Ann Müller;ann@example.com`";
    for (name, content, options, said) in [
        (
            "google.csv",
            GOOGLE.as_bytes(),
            &[][..],
            &[
                "ignored columns: First Name [Required], Last Name [Required], Org Unit Path [Required], Department\n",
            ][..],
        ),
        (
            "entra.csv",
            ENTRA.as_bytes(),
            &choice,
            &["ignored columns: displayName, mail, id, department\n"],
        ),
        (
            "okta.csv",
            OKTA.as_bytes(),
            &[],
            &["ignored columns: firstName\n"],
        ),
        ("excel.txt", &utf16, &[], &["ignored columns: Name\n"]),
        (
            "latin.csv",
            LATIN_1,
            &[],
            &[guess, "ignored columns: Name\n"],
        ),
        (
            "list.txt",
            b"ann@example.com\n\nbob@example.com\n",
            &[],
            &[],
        ),
        (
            "list.json",
            br#"["ann@example.com", "bob@example.com"]"#,
            &[],
            &[],
        ),
    ] {
        let roster = bytes(&fixture, name, content);
        let plan = ["-p", "confluent", "-o", "json", "plan", &roster];
        let planned = fixture.run(&[&plan[..], options].concat()).await;
        let steps = planned.json();
        let emails: Vec<&Value> = steps
            .as_array()
            .unwrap()
            .iter()
            .map(|step| &step["email"])
            .collect();
        assert_eq!(emails, ["ann@example.com", "bob@example.com"], "{name}");
        planned.stderr_contains(said);
        // The line with the counts, and no other.
        assert_eq!(
            planned.stderr.lines().count(),
            said.len() + 1,
            "{name}: {}",
            planned.stderr
        );
        if !said.is_empty() {
            let strict = fixture
                .run(&[&plan[..], options, &["--strict"]].concat())
                .await;
            strict.fails(2, &["line ", "--strict does not", "nothing was sent"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_be_meant_twice_sends_nothing() {
    let fixture = Fixture::start().await;
    for (name, content, words) in [
        (
            "entra.csv",
            ENTRA,
            &[
                "line 1",
                "\"userPrincipalName\" and \"mail\"",
                "--email-column NAME",
            ][..],
        ),
        (
            "rolse.csv",
            "email,rolse\nann@example.com,Admin\n",
            &["line 1", "unknown column \"rolse\"; did you mean `roles`?"],
        ),
        (
            "rows.json",
            "[{\"email\": \"ann@example.com\"},\n {\"email\": \"bob@example.com\", \"rolse\": [\"Admin\"]},\n 7]",
            &[
                "line 2: unknown field \"rolse\"; did you mean `roles`?",
                "line 3: a row is 7; it has to be an object",
            ],
        ),
        (
            "ragged.csv",
            "email,roles,Name\nann@example.com\nbob@example.com,\ncid@example.com,,Cid,Admin\n",
            &[
                "line 2: the row has 1 cells, and the first line names 3 columns",
                "line 4: the row has 4 cells",
            ],
        ),
    ] {
        let roster = file(&fixture, name, content);
        let refused = fixture
            .run(&["-p", "confluent", "apply", &roster, "--yes"])
            .await;
        refused.fails(2, words);
        assert!(
            !refused.stderr.contains("line 3: the row"),
            "{}",
            refused.stderr
        );
    }
    assert!(fixture.sandbox.ledger().requests.is_empty());
}

/// A roster that a list was written to changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn own_outputs_are_rosters_that_come_to_rest() {
    let fixture = Fixture::start().await;
    let vendors = [
        ("confluent", Provider::Confluent),
        ("clickhouse", Provider::ClickHouse),
    ];
    let create = [
        "-p",
        "clickhouse",
        "create",
        "cid@example.com",
        "--legacy-role",
        "admin",
    ];
    fixture.run(&create).await.success();
    if fixture.offers_role_ids().await {
        let create = [
            "-p",
            "clickhouse",
            "create",
            "dan@example.com",
            "--role",
            "Developer",
        ];
        fixture.run(&create).await.success();
    }
    for (vendor, provider) in vendors {
        // An older document lacks the roles that an invitation has.
        if vendor == "clickhouse" && !fixture.offers_role_ids().await {
            continue;
        }
        fixture
            .invite(vendor, &["ann@example.com", "bob@example.com"])
            .await;
        let mut lists = vec![&["list"][..]];
        if fixture.offers_members() {
            fixture.sandbox.accept(provider, "ann@example.com").unwrap();
            lists.extend([&["members", "list"][..], &["members", "list", "--roles"]]);
        }
        for (format, list) in ["csv", "json", "jsonl", "yaml"]
            .into_iter()
            .flat_map(|format| lists.iter().map(move |list| (format, *list)))
        {
            let printed = fixture
                .run(&[&["-p", vendor, "-o", format], list].concat())
                .await;
            let printed = &printed.success().stdout;
            assert!(printed.contains("example.com"), "{printed}");
            let roster = file(&fixture, &format!("own.{format}"), printed);
            let plan = [
                "-p",
                vendor,
                "plan",
                &roster,
                "--detailed-exitcode",
                "--strict",
            ];
            let planned = fixture.run(&plan).await;
            assert_eq!(
                planned.code,
                Some(0),
                "{printed}{}{}",
                planned.stdout,
                planned.stderr
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_without_roles_get_the_default_roles() {
    let fixture = Fixture::start().await;
    if !fixture.offers_role_ids().await {
        return;
    }
    let roster = file(
        &fixture,
        "roster.csv",
        "Email,Role\nann@example.com,\nbob@example.com,Billing\n",
    );
    let roles = [
        "--default-role",
        "Developer",
        "--default-role",
        "Query Endpoints",
    ];
    let plan = ["-p", "clickhouse", "-o", "json", "plan", &roster];
    let planned = fixture.run(&[&plan[..], &roles].concat()).await.json();
    assert_eq!(
        planned[0]["roles"],
        json!({ "grants": ["Developer", "Query Endpoints"] })
    );
    assert_eq!(planned[1]["roles"], json!({ "grants": ["Billing"] }));
    let chosen = ["--role-column", "Email", "--email-column", "Email"];
    let refused = fixture.run(&[&plan[..], &chosen].concat()).await;
    refused.fails(2, &["no column \"Email\", as --role-column asks for"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_takes_no_options_for_reading() {
    let fixture = Fixture::start().await;
    let roster = file(&fixture, "roster.txt", "ann@example.com\n");
    let saved = path(&fixture, "plan.json");
    let saved = saved.to_str().unwrap();
    let plan = ["-p", "confluent", "plan", &roster, "--out", saved];
    fixture.run(&plan).await.success();
    let apply = ["-p", "confluent", "apply", saved, "--yes"];
    let refused = fixture
        .run(&[&apply[..], &["--default-role", "MetricsViewer"]].concat())
        .await;
    refused.fails(
        2,
        &["--default-role is for rosters, and the file is a saved plan"],
    );
    let applied = fixture.run(&apply).await;
    assert_eq!(applied.success().stdout, "invited 1, kept 0, removed 0\n");
}
