//! The page at `/_sandbox/`, in a headless browser. Skipped where there is none.
//!
//! `UPDATE_PICTURE=1` writes the picture of the README anew.

use std::path::Path;

use org_invitations_sandbox::{InvitationStatus, Provider};
use reqwest::Method;
use serde_json::json;

use crate::api::{Api, send};
use crate::browser::Browser;

const HTML: &str = "<img src=x onerror=window.hit=1>";

/// Whether some element that matches the selector has the text.
fn shows(selector: &str, text: &str) -> String {
    let (selector, text) = (json!(selector), json!(text));
    format!(
        "[...document.querySelectorAll({selector})].some((it) => it.innerText.includes({text}))"
    )
}

async fn set(browser: &mut Browser, selector: &str, value: &str) {
    let (selector, value) = (json!(selector), json!(value));
    let assign = format!(
        "(() => {{
           const it = document.querySelector({selector});
           it.value = {value};
           it.dispatchEvent(new Event('input', {{ bubbles: true }}));
         }})()"
    );
    browser.evaluate(&assign).await;
}

/// Chooses the option whose text has these words.
async fn choose(browser: &mut Browser, selector: &str, words: &str) {
    let options = json!(format!("{selector} option"));
    let find = format!(
        "[...document.querySelectorAll({options})].find((it) => it.text.includes({})).value",
        json!(words)
    );
    let value = browser.evaluate(&find).await;
    set(browser, selector, value.as_str().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_accepts_sets_faults_and_moves_the_clock() {
    let Some(mut browser) = Browser::start(1280, 900, false).await else {
        return;
    };
    let api = Api::start().await;
    api.invite_confluent("ada@example.com").await;
    api.invite_clickhouse("bob@example.com").await;
    api.invite_confluent("cy@example.com").await;
    browser.open(&api.url("/_sandbox/")).await;

    // One click accepts.
    let accept = r#"button[aria-label="Accept the invitation of ada@example.com"]"#;
    browser.click(accept).await;
    browser
        .wait_for(&shows("#people tr", "ada@example.com\taccepted"))
        .await;
    let joined = api.sandbox.members();
    assert_eq!(joined.len(), 1, "{joined:?}");
    assert_eq!(
        (joined[0].provider, &joined[0].email[..]),
        (Provider::Confluent, "ada@example.com")
    );
    browser.wait_for(&shows("#rows tr", "accept")).await;

    // A fault is set, hits a request, and is seen in the ledger.
    choose(&mut browser, "#fault-kind", "503, but carried out").await;
    choose(&mut browser, "#fault-operation", "create an invitation").await;
    choose(&mut browser, "#fault-provider", "ClickHouse").await;
    browser.click("#fault-form button").await;
    browser
        .wait_for(&shows("#faults li", "create on ClickHouse Cloud, once"))
        .await;
    assert_eq!(api.sandbox.faults().script.len(), 1);
    let lost = api.clickhouse(Method::POST, "");
    let lost = lost
        .json(&json!({ "email": "dan@example.com" }))
        .send()
        .await;
    assert_eq!(lost.unwrap().status(), 503);
    browser
        .wait_for(&shows("#rows tr", "status (503, after)"))
        .await;
    browser
        .wait_for(&shows("#rows tr", "dan@example.com"))
        .await;
    browser
        .wait_for(&shows("#faults li", "No fault is set"))
        .await;

    // A request opens, by mouse or keyboard, with what was sent and answered.
    let of_fault = "tr:has(.badge.warn) button.asked";
    browser.click(of_fault).await;
    browser
        .wait_for(&shows("tr.detail", "\"email\": \"dan@example.com\""))
        .await;
    browser
        .wait_for(&shows("tr.detail", "authorization: Basic"))
        .await;
    browser.press("Enter", 13).await;
    browser
        .wait_for("document.querySelector('tr.detail') === null")
        .await;

    // Limits and quotas are switched on, and off again.
    browser.click("#limit-confluent").await;
    set(&mut browser, "#limit-confluent-requests", "0").await;
    browser.click("#limits-form > button").await;
    browser
        .wait_for(&shows("#message", "Set the limits: done"))
        .await;
    assert_eq!(send(api.confluent(Method::GET, "")).await.status, 429);
    browser.wait_for(&shows("#rows .badge.warn", "429")).await;
    browser.click("#limit-confluent").await;
    browser.click("#limits-form > button").await;
    browser
        .wait_for("fetch('limits').then((it) => it.json()).then((it) => it.confluent === null)")
        .await;
    assert_eq!(send(api.confluent(Method::GET, "")).await.status, 200);

    // A week and a day later, nothing can be accepted any more.
    browser.click("[data-advance='691200']").await;
    browser
        .wait_for(&shows("#people tr", "cy@example.com\texpired"))
        .await;
    browser.wait_for(&shows("#advanced", "8 days ahead")).await;
    browser
        .wait_for("document.querySelector('button.accept') === null")
        .await;
    let cy = api
        .sandbox
        .invitations()
        .into_iter()
        .find(|it| it.email == "cy@example.com");
    assert_eq!(cy.unwrap().status, InvitationStatus::Expired);

    // What happens elsewhere shows as well.
    api.sandbox.reset();
    browser
        .wait_for("document.querySelectorAll('#rows tr').length === 0")
        .await;
    browser
        .wait_for("document.querySelector('#people').innerText.includes('Invitations (0)')")
        .await;
    assert_eq!(browser.problems(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_shown_runs_and_no_secret_is_shown() {
    let Some(mut browser) = Browser::start(900, 700, true).await else {
        return;
    };
    let api = Api::configured(json!({
        "confluent": [{
            "members": [{ "email": "eve@example.com", "full_name": HTML }],
            "keys": [{ "api_key": "KEY", "api_secret": "a-long-secret", "access_token": "a-long-token" }],
        }],
        "faults": {
            "script": [{ "operation": "get", "fault": { "kind": "another_person", "email": format!("{HTML}@example.com") } }],
        },
    }))
    .await;
    let email = format!("{HTML}@example.com");
    let request = api.confluent(Method::POST, "?email=a-long-secret");
    let request = request
        .header("user-agent", HTML)
        .json(&json!({ "email": email }));
    assert_eq!(request.send().await.unwrap().status(), 422);

    browser.open(&api.url("/_sandbox/")).await;
    browser.wait_for(&shows("#people tr", HTML)).await;
    browser.wait_for(&shows("#faults li", &email)).await;
    browser.click("button.asked").await;
    browser
        .wait_for(&shows("tr.detail", &format!("user-agent: {HTML}")))
        .await;
    browser.wait_for(&shows("tr.detail", &email)).await;
    set(&mut browser, "#people-filter", HTML).await;
    browser.wait_for(&shows("#people h3", "Members (0)")).await;
    assert_eq!(
        browser
            .evaluate("document.querySelectorAll('img').length")
            .await,
        0
    );
    assert_eq!(browser.evaluate("typeof window.hit").await, "undefined");

    let text = browser.evaluate("document.documentElement.outerHTML").await;
    let text = text.as_str().unwrap();
    let credentials = api.sandbox.credentials();
    let secrets = ["a-long-secret", "a-long-token", credentials.subject_token()];
    for secret in secrets
        .into_iter()
        .chain([&credentials.clickhouse.api_secret[..]])
    {
        assert!(!text.contains(secret), "{secret}");
    }

    // Nothing is as wide as to need scrolling sideways.
    let is_narrow = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
    assert_eq!(browser.evaluate(is_narrow).await, true);
    // Every field and button has a name, for those who do not see it.
    let unnamed = "[...document.querySelectorAll('input, select, button')].filter((it) =>
        !(it.matches('button') && it.textContent.trim()) && !it.getAttribute('aria-label') && !it.labels?.[0]?.textContent.trim()
    ).map((it) => it.id)";
    assert_eq!(browser.evaluate(unnamed).await, json!([]));
    // A script from outside is refused by the page's policy, as is one in the page.
    let inline = "(() => {
        const script = document.createElement('script');
        script.textContent = 'window.hit = 1';
        document.body.append(script);
        return typeof window.hit;
    })()";
    assert_eq!(browser.evaluate(inline).await, "undefined");
}

#[tokio::test]
async fn the_page_needs_nothing_from_outside() {
    let api = Api::start().await;
    let page = api.http.get(api.url("/_sandbox/")).send().await.unwrap();
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(
        !policy.contains("http") && !policy.contains("unsafe") && !policy.contains('*'),
        "{policy}"
    );
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let html = page.text().await.unwrap();
    for (file, content_type) in [
        ("page.css", "text/css"),
        ("lib.js", "text/javascript"),
        ("people.js", "text/javascript"),
        ("ledger.js", "text/javascript"),
        ("page.js", "text/javascript"),
    ] {
        assert!(html.contains(&format!("\"{file}\"")), "{html}");
        let answer = api
            .http
            .get(api.url(&format!("/_sandbox/{file}")))
            .send()
            .await
            .unwrap();
        let found = answer.headers()["content-type"].to_str().unwrap();
        assert!(found.starts_with(content_type), "{found}");
        let text = answer.text().await.unwrap();
        assert!(
            !text.contains("innerHTML") && !text.contains("://"),
            "{file}"
        );
    }
    let without_slash = api.http.get(api.url("/_sandbox")).send().await.unwrap();
    assert_eq!(without_slash.url().path(), "/_sandbox/");
    assert!(api.sandbox.ledger().requests.is_empty());
}

/// What the picture in the README shows.
#[tokio::test(flavor = "multi_thread")]
async fn the_picture_of_the_readme_is_taken() {
    let Some(mut browser) = Browser::start(1280, 920, false).await else {
        return;
    };
    let api = Api::configured(json!({
        "confluent": [{
            "id": "11111111-0000-4000-8000-000000000001",
            "members": [{ "id": "u-grace", "email": "grace@example.com", "full_name": "Grace Hopper" }],
        }],
        "clickhouse": [{
            "id": "22222222-0000-4000-8000-000000000002",
            "members": [{ "email": "grace@example.com", "name": "Grace Hopper" }],
        }],
        "limits": { "clickhouse": { "requests": 10, "window_ms": 10000 } },
        "faults": { "script": [
            { "operation": "create", "nth": 4, "fault": { "kind": "status", "status": 503, "when": "after" } },
            { "operation": "list", "times": 2, "fault": { "kind": "rate_limited" } },
            { "operation": "delete", "nth": 2, "fault": { "kind": "reset", "when": "after" } },
        ] },
    }))
    .await;
    api.invite_confluent("ada@example.com").await;
    let ada = api.invite_clickhouse("ada@example.com").await;
    api.invite_confluent("bob@example.com").await;
    let ada = format!("/{}", ada["id"].as_str().unwrap());
    send(api.clickhouse(Method::DELETE, &ada)).await;
    let cy = json!({ "email": "cy@example.com" });
    send(api.clickhouse(Method::POST, "").json(&cy)).await;
    api.sandbox
        .accept(Provider::Confluent, "ada@example.com")
        .unwrap();
    send(api.confluent(Method::GET, "?email=bob%40example.com")).await;
    browser.open(&api.url("/_sandbox/")).await;
    browser
        .wait_for(&shows("#people tr", "cy@example.com"))
        .await;
    browser
        .wait_for(&shows("#rows tr", "ada@example.com"))
        .await;
    browser.click("#rows tr:has(.badge.bad) button.asked").await;
    browser.wait_for(&shows("tr.detail", "Answer body")).await;
    browser
        .evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        .await;

    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let taken = folder.join("page.png");
    browser.picture(&taken).await;
    let size = std::fs::metadata(&taken).unwrap().len();
    assert!(size > 20_000, "{size} bytes are an empty page");
    if std::env::var_os("UPDATE_PICTURE").is_some() {
        assert!(size < 200_000, "{size} bytes are too many for a README");
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/page.png");
        std::fs::copy(&taken, kept).unwrap();
    }
    assert_eq!(browser.problems(), [""; 0]);
}
