//! Killed and resumed runs, and their files.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use tokio::process::Child;

use crate::command::{ANN, BOB, CAT, Run, Setup, ended, profile, serve, state};
use crate::matrix::{Cell, Finding, run};
use crate::server::{
    Answer, Body, Carried, Fault, Op, ROLE_ADMIN, ROLE_DEVELOPER, Seed, Server, Vendor, World,
};

/// Waits until `done` holds for the server.
async fn wait_for(server: &Server, done: impl Fn(&Server) -> bool) -> bool {
    for _ in 0..1000 {
        if done(server) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

fn hang(about: &'static str) -> Fault {
    Fault::new(Op::Create, Carried::No, Answer::Hang).about(about)
}

fn apply(setup: &Setup, vendor: Vendor, roster: &str, more: &[&str]) -> Child {
    let arguments = [
        "--profile",
        profile(vendor),
        "-o",
        "json",
        "apply",
        roster,
        "--yes",
        "--concurrency",
        "1",
    ];
    // Long enough that the process is killed before the request times out.
    setup.folder.write("config.toml", {
        let text =
            std::fs::read_to_string(setup.folder.path("config.toml")).expect("the configuration");
        text.replace("timeout_seconds = 1.0", "timeout_seconds = 15.0")
    });
    setup
        .command(&[&arguments[..], more].concat())
        .spawn()
        .expect("the command")
}

/// The two states of a row's options.
fn rosters(vendor: Vendor) -> (String, String) {
    let (column, first, second) = match vendor {
        Vendor::Confluent => ("auth_type", "sso", "local"),
        Vendor::ClickHouse => ("roles", ROLE_DEVELOPER, ROLE_ADMIN),
    };
    (
        format!("email,{column}\n{ANN},{first}\n{BOB},{first}\n"),
        format!("email,{column}\n{ANN},{second}\n{BOB},{first}\n"),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resumed_run_loses_nobody() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        let label = |name: &str| format!("{:10} | apply --resume   | {name}", vendor.name());
        cells.push(Cell::new(
            label("the row changes, killed after the delete"),
            changed_row(vendor),
        ));
        cells.push(Cell::new(
            label("killed between delete and create"),
            killed_renewal(vendor),
        ));
        cells.push(Cell::new(
            label("killed while a create is open"),
            killed_create(vendor),
        ));
        cells.push(Cell::new(label("two at once"), two_at_once(vendor)));
        cells.push(Cell::new(
            label("the key is rotated meanwhile"),
            rotated_key(vendor),
        ));
        cells.push(Cell::new(
            label("control characters in the failed file"),
            control_characters(vendor),
        ));
        cells.push(Cell::new(
            label("a failed deletion is given back"),
            failed_deletion(vendor),
        ));
        cells.push(Cell::new(
            label("modes of journal and failed file"),
            modes(vendor),
        ));
    }
    run("resume", cells, 6).await;
}

/// Run 1 invites Ann and is killed; the options of her row change; run 2 withdraws her old invitation and is
/// killed; run 3 goes to the end.
async fn changed_row(vendor: Vendor) -> Finding {
    let server = serve(
        vendor,
        World::default(),
        vec![Seed::sent(CAT)],
        vec![hang(BOB)],
    )
    .await;
    let setup = Setup::new(&[&server]);
    let (first, second) = rosters(vendor);
    let roster = setup.folder.write("roster.csv", first);
    let mut wrong = Vec::new();
    let mut one = apply(&setup, vendor, &roster, &[]);
    if !wait_for(&server, |server| {
        server.truth().made(ANN) == 1 && server.count(Op::Create) == 2
    })
    .await
    {
        wrong.push("run 1 does not come to the second row".to_owned());
    }
    let _ = one.kill().await;
    setup.folder.write("roster.csv", second);
    server.set_faults(vec![hang(ANN)]);
    let mut two = apply(&setup, vendor, &roster, &["--resume"]);
    let deleted = wait_for(&server, |server| {
        server.truth().removed().len() == 1 && server.count(Op::Create) >= 3
    });
    let is_deleted = deleted.await;
    let _ = two.kill().await;
    server.set_faults(Vec::new());
    let three = Run::of(apply(&setup, vendor, &roster, &["--resume"])).await;
    wrong.extend(ended(&three));
    let truth = server.truth();
    for email in [ANN, BOB] {
        let live = truth.live_of(email).len();
        if three.code == Some(0) && live != 1 {
            wrong.push(format!("exit 0, {email} has {live} invitations"));
        }
        if live == 0 && !three.names(email) {
            wrong.push(format!("lost {email}, not named"));
        }
    }
    let truth = format!(
        "run 2 deleted: {is_deleted}; {}, {}",
        state(&truth, ANN),
        state(&truth, BOB)
    );
    Finding {
        reported: three.summary(),
        truth,
        wrong,
    }
}

async fn killed_renewal(vendor: Vendor) -> Finding {
    let server = serve(
        vendor,
        World::default(),
        vec![Seed::expired(ANN), Seed::expired(BOB)],
        vec![hang(ANN)],
    )
    .await;
    let setup = Setup::new(&[&server]);
    let roster = setup
        .folder
        .write("roster.csv", format!("email\n{ANN}\n{BOB}\n"));
    let mut one = apply(&setup, vendor, &roster, &[]);
    let mut wrong = Vec::new();
    if !wait_for(&server, |server| {
        server.truth().removed().len() == 1 && server.count(Op::Create) == 1
    })
    .await
    {
        wrong.push("run 1 does not come to the create".to_owned());
    }
    let _ = one.kill().await;
    server.set_faults(Vec::new());
    let two = Run::of(apply(&setup, vendor, &roster, &["--resume"])).await;
    finish(&server, &two, wrong, &[ANN, BOB])
}

async fn killed_create(vendor: Vendor) -> Finding {
    let fault = Fault::new(Op::Create, Carried::Yes, Answer::Hang).about(ANN);
    let server = serve(vendor, World::default(), vec![Seed::sent(CAT)], vec![fault]).await;
    let setup = Setup::new(&[&server]);
    let roster = setup
        .folder
        .write("roster.csv", format!("email\n{ANN}\n{BOB}\n"));
    let mut one = apply(&setup, vendor, &roster, &[]);
    let mut wrong = Vec::new();
    if !wait_for(&server, |server| server.truth().made(ANN) == 1).await {
        wrong.push("run 1 does not come to the create".to_owned());
    }
    let _ = one.kill().await;
    server.set_faults(Vec::new());
    let two = Run::of(apply(&setup, vendor, &roster, &["--resume"])).await;
    finish(&server, &two, wrong, &[ANN, BOB])
}

/// A journal belongs to an organisation, not to a key.
async fn rotated_key(vendor: Vendor) -> Finding {
    let seeds = vec![Seed::expired(ANN), Seed::expired(BOB)];
    let server = serve(vendor, World::default(), seeds, vec![hang(ANN)]).await;
    let setup = Setup::new(&[&server]);
    let roster = setup
        .folder
        .write("roster.csv", format!("email\n{ANN}\n{BOB}\n"));
    let mut one = apply(&setup, vendor, &roster, &[]);
    let mut wrong = Vec::new();
    if !wait_for(&server, |server| {
        server.truth().removed().len() == 1 && server.count(Op::Create) == 1
    })
    .await
    {
        wrong.push("run 1 does not come to the create".to_owned());
    }
    let _ = one.kill().await;
    server.set_faults(Vec::new());
    let arguments = [
        "--profile",
        profile(vendor),
        "-o",
        "json",
        "apply",
        &roster,
        "--yes",
        "--resume",
    ];
    let mut two = setup.command(&arguments);
    for name in ["CONFLUENT_CLOUD_API_KEY", "CLICKHOUSE_CLOUD_API_KEY"] {
        two.env(name, "ANOTHER-KEY");
    }
    let two = Run::of(two.spawn().expect("the command")).await;
    finish(&server, &two, wrong, &[ANN, BOB])
}

/// Messages of a server and addresses of a roster are escaped for terminals and spreadsheets.
async fn control_characters(vendor: Vendor) -> Finding {
    let words = Body::Vendor(
        "BAD_REQUEST",
        "red \u{1b}[31m, bell \u{7}, backwards \u{202e}, =1+1",
    );
    let fault = Fault::new(
        Op::Create,
        Carried::No,
        Answer::Status(400, words, Vec::new()),
    );
    let server = serve(vendor, World::default(), vec![Seed::sent(CAT)], vec![fault]).await;
    let setup = Setup::new(&[&server]);
    let rows = format!("email\n{ANN}\n\"bob\u{202e}@example.com\"\n\"bob\u{1b}[2J@example.com\"\n");
    let roster = setup.folder.write("roster.csv", rows);
    let failed = setup.folder.argument("failed.csv");
    let ran = Run::of(apply(&setup, vendor, &roster, &["--failed", &failed])).await;
    let content = std::fs::read_to_string(&failed).unwrap_or_default();
    let mut wrong = ended(&ran);
    for (place, text) in [
        ("failed file", &content),
        ("message", &ran.stderr),
        ("output", &ran.stdout),
    ] {
        if text.contains(['\u{1b}', '\u{7}', '\u{202e}']) {
            wrong.push(format!("raw in the {place}"));
        }
    }
    if content.is_empty() {
        wrong.push("there is no failed file".to_owned());
    }
    let reported = content.escape_debug().to_string();
    Finding {
        reported,
        truth: "control and bidi characters".to_owned(),
        wrong,
    }
}

fn finish(server: &Server, ran: &Run, mut wrong: Vec<String>, people: &[&str]) -> Finding {
    wrong.extend(ended(ran));
    let truth = server.truth();
    if ran.code != Some(0) {
        wrong.push("does not come to its end".to_owned());
    }
    for email in people {
        let live = truth.live_of(email).len();
        if live != 1 {
            wrong.push(format!("{email} has {live} invitations"));
        }
    }
    let states: Vec<String> = people.iter().map(|email| state(&truth, email)).collect();
    Finding {
        reported: ran.summary(),
        truth: states.join(", "),
        wrong,
    }
}

/// The second of two concurrent runs is rejected with the process id of the first.
async fn two_at_once(vendor: Vendor) -> Finding {
    let server = serve(
        vendor,
        World::default(),
        vec![Seed::sent(CAT)],
        vec![hang(BOB)],
    )
    .await;
    let setup = Setup::new(&[&server]);
    let roster = setup
        .folder
        .write("roster.csv", format!("email\n{ANN}\n{BOB}\n"));
    let mut wrong = Vec::new();
    let mut one = apply(&setup, vendor, &roster, &["--resume"]);
    if !wait_for(&server, |server| server.count(Op::Create) == 2).await {
        wrong.push("run 1 does not come to the second row".to_owned());
    }
    let pid = one.id().expect("a process").to_string();
    server.set_faults(Vec::new());
    let two = Run::of(apply(&setup, vendor, &roster, &["--resume"])).await;
    wrong.extend(ended(&two));
    if two.code == Some(0) {
        wrong.push("a second run beside the first".to_owned());
    } else if !two.stderr.contains(&pid) {
        wrong.push("does not name the other process".to_owned());
    }
    let _ = one.kill().await;
    let truth = server.truth();
    Finding {
        reported: two.summary(),
        truth: format!("run 1 is process {pid}; {}", state(&truth, BOB)),
        wrong,
    }
}

/// A failed deletion is in the file of `--failed`. Somebody deletes the invitation, and the file is applied.
async fn failed_deletion(vendor: Vendor) -> Finding {
    let fault = Fault::new(
        Op::Delete,
        Carried::No,
        Answer::Status(403, Body::Vendor("FORBIDDEN", "no"), Vec::new()),
    );
    let server = serve(
        vendor,
        World::default(),
        [ANN, BOB, CAT].map(Seed::sent).to_vec(),
        vec![fault],
    )
    .await;
    let setup = Setup::new(&[&server]);
    let roster = setup
        .folder
        .write("roster.csv", format!("email\n{ANN}\n{CAT}\n"));
    let failed = setup.folder.argument("failed.csv");
    let one = Run::of(apply(
        &setup,
        vendor,
        &roster,
        &["--prune", "--failed", &failed],
    ))
    .await;
    let mut wrong = ended(&one);
    if one.code == Some(0) {
        wrong.push("exit 0, the deletion failed".to_owned());
    }
    server.set_faults(Vec::new());
    let by_hand = setup
        .run(&[
            "--profile",
            profile(vendor),
            "delete",
            "--email",
            BOB,
            "--yes",
        ])
        .await;
    assert_eq!(by_hand.code, Some(0), "{by_hand:?}");
    let content = std::fs::read_to_string(setup.folder.path("failed.csv")).unwrap_or_default();
    if Path::new(&failed).exists() {
        let two = Run::of(apply(&setup, vendor, &failed, &[])).await;
        wrong.extend(ended(&two));
    }
    let truth = server.truth();
    if truth.made(BOB) > 0 {
        wrong.push("invites whom it was to delete".to_owned());
    }
    Finding {
        reported: format!("failed.csv: {}", content.replace('\n', " / ")),
        truth: state(&truth, BOB),
        wrong,
    }
}

/// The journal and the failed rows contain addresses, so only their owner can read them.
async fn modes(vendor: Vendor) -> Finding {
    let refuse = Answer::Status(400, Body::Vendor("BAD_REQUEST", "not accepted"), Vec::new());
    let faults = vec![
        Fault::new(Op::Create, Carried::No, refuse).about(ANN),
        hang(BOB),
    ];
    let server = serve(vendor, World::default(), vec![Seed::sent(CAT)], faults).await;
    let setup = Setup::new(&[&server]);
    let roster = setup
        .folder
        .write("roster.csv", format!("email\n{ANN}\n{BOB}\n"));
    let failed = setup.folder.argument("failed.csv");
    let mut one = apply(&setup, vendor, &roster, &["--failed", &failed]);
    let mut wrong = Vec::new();
    if !wait_for(&server, |server| server.count(Op::Create) == 2).await {
        wrong.push("run 1 does not come to the second row".to_owned());
    }
    let mode = |name: &str| {
        let metadata = std::fs::metadata(setup.folder.path(name)).ok()?;
        Some(metadata.permissions().mode() & 0o777)
    };
    let journal = mode("roster.csv.journal");
    let _ = one.kill().await;
    server.set_faults(vec![Fault::new(
        Op::Create,
        Carried::No,
        Answer::Status(400, Body::Vendor("BAD_REQUEST", "no"), Vec::new()),
    )]);
    let _ = Run::of(apply(
        &setup,
        vendor,
        &roster,
        &["--resume", "--failed", &failed],
    ))
    .await;
    let failed = mode("failed.csv");
    for (name, mode) in [("journal", journal), ("failed file", failed)] {
        match mode {
            Some(0o600) => {}
            Some(mode) => wrong.push(format!("the {name} has mode {mode:o}")),
            None => wrong.push(format!("there is no {name}")),
        }
    }
    Finding {
        reported: format!("{journal:?}, {failed:?}"),
        truth: "addresses are in them".to_owned(),
        wrong,
    }
}
