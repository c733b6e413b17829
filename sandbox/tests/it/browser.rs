//! A headless browser, driven over the DevTools protocol.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long a page may take to show something. Only for "it does not hang".
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page.
pub struct Browser {
    // Killed when dropped.
    _process: Child,
    profile: PathBuf,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: Option<String>,
    last_id: u64,
    /// Errors of the page's scripts, and messages on its console.
    problems: Vec<String>,
}

impl Browser {
    /// Starts the browser; `None`, with a message, if there is none on the `PATH`.
    pub async fn start(width: u32, height: u32, is_dark: bool) -> Option<Self> {
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let Some(program) = names.into_iter().find_map(find_program) else {
            eprintln!("skipped: none of {} is on the PATH", names.join(", "));
            return None;
        };
        // Browsers that run at once, in one process too, need a profile each.
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let profile = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("browser-{}-{number}", std::process::id()));
        let mut process = Command::new(program)
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
            ])
            .args(["--disable-dev-shm-usage", "--disable-background-networking"])
            .args(["--hide-scrollbars", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank")
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let url = loop {
            let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
            let line = line.unwrap().unwrap();
            let line = line.unwrap_or_else(|| panic!("the browser ended: {said:#?}"));
            if let Some((_, url)) = line.split_once("DevTools listening on ") {
                break url.to_owned();
            }
            said.push(line);
        };
        // The browser must not block on a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let (socket, _) = connect_async(url).await.unwrap();
        let mut browser = Self {
            _process: process,
            profile,
            socket,
            session: None,
            last_id: 0,
            problems: Vec::new(),
        };
        let page = json!({ "url": "about:blank" });
        let target = browser.call("Target.createTarget", page).await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", attach).await;
        browser.session = Some(session["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            browser.call(domain, json!({})).await;
        }
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        browser
            .call("Emulation.setDeviceMetricsOverride", size)
            .await;
        let scheme = if is_dark { "dark" } else { "light" };
        // Without motion, a picture shows the same every time.
        let media = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        browser.call("Emulation.setEmulatedMedia", media).await;
        Some(browser)
    }

    /// Opens a page.
    pub async fn open(&mut self, url: &str) {
        let opened = self.call("Page.navigate", json!({ "url": url })).await;
        assert!(opened.get("errorText").is_none(), "{opened}");
        self.wait_for("document.readyState === 'complete'").await;
    }

    /// The value of an expression, of which promises are awaited.
    pub async fn evaluate(&mut self, expression: &str) -> Value {
        let body = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let outcome = self.call("Runtime.evaluate", body).await;
        assert!(
            outcome.get("exceptionDetails").is_none(),
            "{expression}: {outcome}"
        );
        outcome["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub async fn wait_for(&mut self, expression: &str) {
        let begun = tokio::time::Instant::now();
        while self.evaluate(expression).await != json!(true) {
            if begun.elapsed() > PATIENCE {
                let text = self.evaluate("document.body.innerText").await;
                let problems = &self.problems;
                panic!(
                    "never: {expression}\n{problems:#?}\n{}",
                    text.as_str().unwrap_or("")
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Clicks with the mouse at the middle of an element, which has to be what is seen there.
    pub async fn click(&mut self, selector: &str) {
        let quoted = json!(selector);
        self.wait_for(&format!("document.querySelector({quoted}) !== null"))
            .await;
        let place = self
            .evaluate(&format!(
                "(() => {{
                   const it = document.querySelector({quoted});
                   it.scrollIntoView({{ block: 'center', behavior: 'instant' }});
                   const box = it.getBoundingClientRect();
                   const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
                   const seen = document.elementFromPoint(x, y);
                   return {{ x, y, isSeen: it === seen || it.contains(seen) }};
                 }})()"
            ))
            .await;
        assert_eq!(
            place["isSeen"],
            json!(true),
            "{selector} is covered: {place}"
        );
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({
                "type": kind, "x": place["x"], "y": place["y"], "button": "left", "clickCount": 1,
            });
            self.call("Input.dispatchMouseEvent", event).await;
        }
    }

    /// Presses a key, such as `Tab` or `Enter`.
    pub async fn press(&mut self, key: &str, code: u32) {
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code,
            });
            if key == "Enter" && kind == "keyDown" {
                event["text"] = json!("\r");
            }
            self.call("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Writes what the page looks like.
    pub async fn picture(&mut self, file: &Path) {
        let image = self
            .call("Page.captureScreenshot", json!({ "format": "png" }))
            .await;
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(image["data"].as_str().unwrap())
            .unwrap();
        std::fs::write(file, bytes).unwrap();
    }

    /// What went wrong in the page's scripts, and what its security policy kept from happening.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    async fn call(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let text = message.to_string();
        self.socket.send(Message::text(text)).await.unwrap();
        loop {
            let received = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            let received = received.unwrap_or_else(|_| panic!("no answer to {method}"));
            let Message::Text(text) = received.unwrap().unwrap() else {
                continue;
            };
            let answer: Value = serde_json::from_str(&text).unwrap();
            if answer["id"] == json!(id) {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
            self.note(&answer);
        }
    }

    fn note(&mut self, event: &Value) {
        match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => self.problems.push(event.to_string()),
            Some("Log.entryAdded") => {
                let entry = &event["params"]["entry"];
                // A request that is refused on purpose is a network error.
                if entry["level"] == "error" && entry["source"] != "network" {
                    self.problems.push(entry["text"].to_string());
                }
            }
            _ => {}
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut folders = std::env::split_paths(&path);
    folders.find_map(|folder| {
        let program = folder.join(name);
        program.is_file().then_some(program)
    })
}
