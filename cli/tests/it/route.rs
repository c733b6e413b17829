//! The way to the server: --ca-file, --proxy and --timeout, and what `doctor` shows of them.

use org_invitations_sandbox::{Fault, Faults, Operation, Rule};
use serde_json::Value;

use crate::{
    fixture::{Fixture, run, with_variables},
    relay::{PASSWORD, Proxy, TlsRelay},
};

/// A fixture behind TLS, and the file with the certificate of its authority.
async fn behind_tls() -> (Fixture, TlsRelay, String) {
    let fixture = Fixture::start().await;
    let relay = TlsRelay::start(fixture.sandbox.url()).await;
    let file = fixture.home.join("authority.pem");
    std::fs::write(&file, &relay.authority).unwrap();
    let file = file.to_str().unwrap().to_owned();
    (fixture, relay, file)
}

/// The value of a key in the report of the only provider.
fn value(report: &Value, name: &str) -> (String, String) {
    let values = report["values"].as_array().unwrap();
    let value = values.iter().find(|value| value["name"] == name);
    let value = value.unwrap_or_else(|| panic!("no {name}: {report:#}"));
    let text = |key: &str| value[key].as_str().unwrap().to_owned();
    (text("value"), text("source"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_file_opens_a_private_server() {
    let (fixture, relay, file) = behind_tls().await;
    let list = ["-p", "confluent", "--base-url", &relay.url, "list"];
    let refused = fixture.run(&list).await;
    refused.fails(1, &["the certificate of localhost"]);
    let with = [&list[..], &["--ca-file", &file]].concat();
    fixture.run(&with).await.success();
    for (file, said) in [
        ("/nowhere/ca.pem", "/nowhere/ca.pem"),
        (file.as_str(), "PEM"),
    ] {
        if file.starts_with(fixture.home.to_str().unwrap()) {
            std::fs::write(file, "not a certificate").unwrap();
        }
        let with = [&list[..], &["--ca-file", file]].concat();
        fixture.run(&with).await.fails(2, &["flag --ca-file", said]);
    }
    // In a profile, a path starts at the folder of its file.
    let key = &fixture.sandbox.credentials().confluent;
    fixture.config(&format!(
        "[profiles.a]\nprovider = \"confluent\"\napi_key = \"{}\"\napi_secret = \"{}\"\nbase_url = \"{}\"\n\
         connection.ca_file = \"../ca.pem\"\n",
        key.api_key, key.api_secret, relay.url
    ));
    std::fs::write(fixture.home.join("ca.pem"), &relay.authority).unwrap();
    run(&["list"], &fixture.empty_environment()).await.success();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_names_the_file_of_a_shared_rate_limit() {
    let fixture = Fixture::start().await;
    let key = &fixture.sandbox.credentials().confluent;
    // A path starts at the folder of the profile's file.
    fixture.config(&format!(
        "[profiles.a]\nprovider = \"confluent\"\napi_key = \"{}\"\napi_secret = \"{}\"\nbase_url = \"{}\"\n\
         connection.shared_rate_limit.file = \"../a.limit\"\n",
        key.api_key,
        key.api_secret,
        fixture.sandbox.url()
    ));
    run(&["list"], &fixture.empty_environment()).await.success();
    let state = std::fs::read(fixture.home.join("a.limit")).unwrap();
    assert!(!state.is_empty());
    let doctor = ["doctor", "-o", "json"];
    let report = run(&doctor, &fixture.empty_environment()).await.one();
    let (shown, source) = value(&report, "connection.shared_rate_limit.file");
    assert!(shown.ends_with("a.limit"), "{shown}");
    assert!(source.starts_with("profile a"), "{source}");
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_are_used_shown_and_their_password_hidden() {
    let (fixture, relay, file) = behind_tls().await;
    let base = [
        "-p",
        "confluent",
        "--base-url",
        &relay.url,
        "--ca-file",
        &file,
        "-vv",
    ];
    for scheme in ["socks5", "socks5h", "http"] {
        let proxy = match scheme {
            "http" => Proxy::connect().await,
            _ => Proxy::socks5().await,
        };
        let url = format!("{scheme}://ann:{PASSWORD}@{}", proxy.address);
        let shown = format!("{scheme}://{}", proxy.address);
        let by_variable = with_variables(fixture.variables(), &[("HTTPS_PROXY", &url)]);
        for (flags, variables, source) in [
            (
                &["--proxy", url.as_str()][..],
                fixture.variables(),
                "flag --proxy",
            ),
            (&[], by_variable, "environment HTTPS_PROXY"),
        ] {
            let before = proxy.destinations().len();
            let list = run(&[&base[..], flags, &["list"]].concat(), &variables).await;
            list.success();
            assert!(proxy.destinations().len() > before, "{scheme}, {source}");
            let doctor = [&base[..], flags, &["doctor", "-o", "json"]].concat();
            let doctor = run(&doctor, &variables).await;
            let report = doctor.success().one();
            assert_eq!(
                value(&report, "connection.proxy"),
                (shown.clone(), source.to_owned())
            );
            for output in [list, doctor] {
                let said = output.stdout + &output.stderr;
                assert!(!said.contains(PASSWORD), "{scheme}: {said}");
            }
        }
        let secret = &fixture.sandbox.credentials().confluent.api_secret;
        assert!(!proxy.saw(secret), "{scheme}");
        // A proxy that does not let anybody in is named.
        let wrong = format!("{scheme}://ann:hush-hush@{}", proxy.address);
        let refused = [&base[..], &["--timeout", "2s", "--proxy", &wrong, "list"]].concat();
        let refused = fixture.run(&refused).await;
        refused.fails(1, &["proxy", &shown]);
        assert!(!refused.stderr.contains("hush-hush"), "{}", refused.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_cannot_be_is_refused() {
    let fixture = Fixture::start().await;
    for (words, said) in [
        (
            &["-p", "confluent", "--proxy", "ann:hush-hush@p:1", "list"][..],
            "--proxy: the proxy must begin",
        ),
        // Plain http is for this machine.
        (
            &[
                "-p",
                "confluent",
                "--proxy",
                "http://ann:hush-hush@p",
                "list",
            ],
            "(flag --proxy)",
        ),
        (
            &["-p", "sandbox", "--proxy", "http://ann:hush-hush@p", "list"],
            "--proxy has no effect",
        ),
        (
            &["--proxy", "http://ann:hush-hush@p", "demo"],
            "--proxy has no effect",
        ),
    ] {
        let refused = fixture.run(words).await;
        refused.fails(2, &[said]);
        assert!(!refused.stderr.contains("hush-hush"), "{}", refused.stderr);
    }
    let key = &fixture.sandbox.credentials().confluent.api_key;
    fixture.config(&format!(
        "[profiles.a]\nprovider = \"confluent\"\napi_key = \"{key}\"\napi_secret = \"s\"\n\
         connection.proxy = \"socks9://ann:hush-hush@p\"\n"
    ));
    for command in ["list", "doctor"] {
        let refused = run(&[command], &fixture.empty_environment()).await;
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert_eq!(refused.code, Some(2), "{said}");
        assert!(
            said.contains("`connection.proxy`") && !said.contains("hush-hush"),
            "{said}"
        );
    }
    assert!(fixture.sandbox.ledger().requests.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_ends_a_call() {
    let fixture = Fixture::start().await;
    let hang = Rule::new(Fault::hang()).on(Operation::List).always();
    fixture.sandbox.set_faults(Faults::script([hang]));
    let list = ["-p", "confluent", "--timeout", "1s", "list"];
    fixture.run(&list).await.fails(1, &["in time"]);
    fixture.sandbox.set_faults(Faults::default());
    fixture.run(&list).await.success();
    let doctor = [
        "-p",
        "confluent",
        "--timeout",
        "1m 30s",
        "doctor",
        "-o",
        "json",
    ];
    let report = fixture.run(&doctor).await.success().one();
    for name in [
        "timeout_seconds",
        "read_timeout_seconds",
        "retry.deadline_seconds",
    ] {
        let seen = value(&report, &format!("connection.{name}"));
        assert_eq!(seen, ("90.0".to_owned(), "flag --timeout".to_owned()));
    }
    for wrong in ["0s", "soon", "-1s"] {
        let list = ["-p", "confluent", &format!("--timeout={wrong}"), "list"];
        fixture.run(&list).await.fails(2, &["--timeout"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_shows_the_route_that_nothing_sets() {
    let fixture = Fixture::start().await;
    let mut variables = fixture.variables();
    variables.remove("CONFLUENT_CLOUD_ENDPOINT");
    // Nothing answers at this proxy, so nothing leaves the machine.
    variables.insert(
        "ALL_PROXY".to_owned(),
        "http://ann:hush-hush@127.0.0.1:1".to_owned(),
    );
    let doctor = ["-p", "confluent", "--timeout", "1s", "doctor", "-o", "json"];
    let doctor = run(&doctor, &variables).await;
    let report = doctor.one();
    let vendor = "https://api.confluent.cloud".to_owned();
    assert_eq!(value(&report, "base_url"), (vendor, "default".to_owned()));
    let proxy = (
        "http://127.0.0.1:1".to_owned(),
        "environment ALL_PROXY".to_owned(),
    );
    assert_eq!(value(&report, "connection.proxy"), proxy);
    assert!(!doctor.stdout.contains("hush-hush"), "{}", doctor.stdout);
    let direct = fixture
        .run(&["-p", "confluent", "doctor", "-o", "json"])
        .await
        .one();
    let none = ("none".to_owned(), "default".to_owned());
    assert_eq!(value(&direct, "connection.proxy"), none);
}
