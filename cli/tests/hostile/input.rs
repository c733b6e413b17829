//! Strict parsing of rosters and option values.

use crate::command::{ANN, BOB, Setup, deleted_others, ended, profile, serve};
use crate::matrix::{Cell, Finding, run};
use crate::server::{ROLE_ADMIN, Seed, Vendor, World};

/// Ignoring a misspelt column or field would ignore what it asks for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_misspelt_roster_column_is_an_error() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for (name, content) in [
            ("roster.csv", format!("email,rolez\n{ANN},{ROLE_ADMIN}\n")),
            ("roster.csv", format!("email,auth-typ\n{ANN},sso\n")),
            ("roster.csv", format!("emial\n{ANN}\n")),
            (
                "roster.json",
                format!(r#"[{{"email":"{ANN}","rolez":["{ROLE_ADMIN}"]}}]"#),
            ),
            (
                "roster.jsonl",
                format!("{{\"email\":\"{ANN}\",\"authtyp\":\"sso\"}}\n"),
            ),
        ] {
            let shown = content.replace('\n', " / ").replace(ROLE_ADMIN, "ROLE");
            let label = format!("{:10} | apply            | {name}: {shown}", vendor.name());
            cells.push(Cell::new(label, async move {
                let server =
                    serve(vendor, World::default(), vec![Seed::sent(BOB)], Vec::new()).await;
                let setup = Setup::new(&[&server]);
                let roster = setup.folder.write(name, content);
                let ran = setup
                    .run(&[
                        "--profile",
                        profile(vendor),
                        "-o",
                        "json",
                        "apply",
                        &roster,
                        "--yes",
                    ])
                    .await;
                let truth = server.truth();
                let mut wrong = ended(&ran);
                if truth.made(ANN) > 0 {
                    wrong.push("invited without what the column asks for".to_owned());
                }
                if ran.code == Some(0) {
                    wrong.push("exit 0".to_owned());
                }
                Finding {
                    reported: ran.summary(),
                    truth: format!("{} made", truth.made(ANN)),
                    wrong,
                }
            }));
        }
    }
    run("input, columns", cells, 8).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn option_values_are_case_insensitive() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for word in ["sent", "SENT", "Sent"] {
            let label = format!("{:10} | list --status    | {word}", vendor.name());
            cells.push(Cell::new(label, async move {
                let seeds = vec![Seed::sent(ANN), Seed::expired(BOB)];
                let server = serve(vendor, World::default(), seeds, Vec::new()).await;
                let setup = Setup::new(&[&server]);
                let ran = setup
                    .run(&[
                        "--profile",
                        profile(vendor),
                        "-o",
                        "json",
                        "list",
                        "--status",
                        word,
                    ])
                    .await;
                let mut wrong = ended(&ran);
                let rows = ran.rows();
                if ran.code != Some(0) || rows.len() != 1 || !rows.contains_key(ANN) {
                    wrong.push("not the invitations that were sent".to_owned());
                }
                Finding {
                    reported: ran.summary(),
                    truth: ANN.to_owned(),
                    wrong,
                }
            }));
        }
        for word in ["SSO", "Sso"] {
            if vendor == Vendor::ClickHouse {
                continue;
            }
            let label = format!("{:10} | apply            | auth_type {word}", vendor.name());
            cells.push(Cell::new(label, async move {
                let server =
                    serve(vendor, World::default(), vec![Seed::sent(ANN)], Vec::new()).await;
                let setup = Setup::new(&[&server]);
                let roster = setup
                    .folder
                    .write("roster.csv", format!("email,auth_type\n{ANN},{word}\n"));
                let ran = setup
                    .run(&[
                        "--profile",
                        profile(vendor),
                        "-o",
                        "json",
                        "apply",
                        &roster,
                        "--yes",
                    ])
                    .await;
                let truth = server.truth();
                let mut wrong = ended(&ran);
                // Ann is invited with SSO, so there is nothing to renew.
                wrong.extend(deleted_others(&truth, &[]));
                if ran.code != Some(0) {
                    wrong.push("not understood".to_owned());
                }
                Finding {
                    reported: ran.summary(),
                    truth: format!("deleted {:?}", truth.removed()),
                    wrong,
                }
            }));
        }
    }
    run("input, words", cells, 8).await;
}
