//! One body of 32 MiB takes no more than eight times its size, and messages are cut.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use org_invitations::{InvitationProviderExt, ListQuery, NewInvitation};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::matrix::{Cell, Finding, check_at_once};
use crate::server::{ORGANIZATION, Vendor};

const MIB: usize = 1 << 20;
/// How large a body is; the library reads 32 MiB.
const BODY: usize = 32 * MIB - 256;
/// Says to the subprocess what it has to do.
const TASK: &str = "HOSTILE_MEMORY_TASK";

/// Makes a body when it is needed.
type Body = Box<dyn FnOnce() -> Vec<u8> + Send>;

/// Fills a body up to [`BODY`] with the same item.
fn filled(head: &str, item: &str, tail: &str) -> Vec<u8> {
    let count = (BODY - head.len() - tail.len()) / (item.len() + 1);
    let mut body = Vec::with_capacity(BODY);
    body.extend_from_slice(head.as_bytes());
    for number in 0..count {
        if number > 0 {
            body.push(b',');
        }
        body.extend_from_slice(item.as_bytes());
    }
    body.extend_from_slice(tail.as_bytes());
    body
}

/// Answers every request with the same status and body.
async fn answer_all(status: u16, body: Vec<u8>) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("a free port");
    let port = listener.local_addr().expect("the port").port();
    let head = format!(
        "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let reply: Arc<[u8]> = [head.into_bytes(), body].concat().into();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let reply = Arc::clone(&reply);
            tokio::spawn(async move {
                let mut request = [0; 8192];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(&reply).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_body_takes_eight_times_its_size() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        let (head, tail, failure_head, failure_tail) = match vendor {
            Vendor::Confluent => (
                r#"{"api_version":"iam/v2","kind":"InvitationList","metadata":{},"data":["#,
                "]}",
                r#"{"errors":["#,
                "]}",
            ),
            Vendor::ClickHouse => (
                r#"{"status":200,"requestId":"1","result":["#,
                "]}",
                r#"{"status":400,"error":["#,
                "]}",
            ),
        };
        let (message_head, message_tail) = match vendor {
            Vendor::Confluent => (r#"{"errors":[{"status":"400","detail":""#, r#""}]}"#),
            Vendor::ClickHouse => (r#"{"status":400,"error":"BAD_REQUEST: "#, r#""}"#),
        };
        let list_of = |item: &'static str| -> Body { Box::new(move || filled(head, item, tail)) };
        let message = || -> Body {
            Box::new(move || {
                let filler = "x".repeat(BODY - message_head.len() - message_tail.len());
                [message_head, &filler, message_tail].concat().into_bytes()
            })
        };
        let bodies: Vec<(&str, &str, u16, Body)> = vec![
            ("list", "list of {}", 200, list_of("{}")),
            ("list", "list of []", 200, list_of("[]")),
            (
                "list",
                "list of nested lists",
                200,
                list_of("[[[[[[[[]]]]]]]]"),
            ),
            ("list", "list of long strings", 200, {
                Box::new(move || filled(head, &format!("\"{}\"", "x".repeat(1022)), tail))
            }),
            (
                "create",
                "failure with details {}",
                400,
                Box::new(move || filled(failure_head, "{}", failure_tail)),
            ),
            ("create", "failure with a message of 32 MiB", 400, message()),
        ];
        for (task, name, status, body) in bodies {
            // A body takes a second to send and to read; of the rarer ones one vendor's are enough.
            if vendor == Vendor::ClickHouse
                && ["list of nested lists", "list of long strings"].contains(&name)
            {
                continue;
            }
            let label = format!("{:10} | {task:16} | {name}", vendor.name());
            cells.push(Cell::new(label, async move {
                let port = answer_all(status, body()).await;
                tokio::task::spawn_blocking(move || measure(vendor, task, port))
                    .await
                    .expect("a measure")
            }));
        }
    }
    // One after another: what is measured is memory, and the machine has to have it.
    check_at_once("manners, memory", cells, 1).await;
}

/// Runs the task in a process of its own, which may take 1.5 GiB of address space and half a minute.
fn measure(vendor: Vendor, task: &str, port: u16) -> Finding {
    let program = std::env::current_exe().expect("the test's path");
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(r#"ulimit -v 1572864; exec "$0" --exact memory::task_of_the_subprocess --ignored --nocapture"#)
        .arg(program)
        .env(TASK, format!("{} {task} {port}", vendor.name()))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("a subprocess");
    let begun = std::time::Instant::now();
    let ended = loop {
        match child.try_wait().expect("the subprocess") {
            Some(status) => break Some(status),
            None if begun.elapsed() > Duration::from_secs(30) => break None,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let Some(status) = ended else {
        let _ = child.kill();
        let _ = child.wait();
        return Finding {
            wrong: vec!["no end within 30 s".to_owned()],
            ..Finding::default()
        };
    };
    let output = child.wait_with_output().expect("the output");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let measured = text
        .lines()
        .find_map(|line| line.split_once("measured: "))
        .map(|(_, numbers)| numbers.to_owned());
    let Some(measured) = measured else {
        let wrong = vec![format!("the process ends: {status}")];
        return Finding {
            reported: "nothing".to_owned(),
            truth: "1.5 GiB are allowed".to_owned(),
            wrong,
        };
    };
    let mut numbers = measured
        .split_whitespace()
        .map(|number| number.parse::<usize>().unwrap_or(usize::MAX));
    let (peak, longest) = (
        numbers.next().unwrap_or(usize::MAX),
        numbers.next().unwrap_or(usize::MAX),
    );
    let mut wrong = Vec::new();
    if peak > 8 * BODY {
        wrong.push(format!(
            "takes {:.1} times the body",
            peak as f64 / BODY as f64
        ));
    }
    if longest > 16 * 1024 {
        wrong.push(format!("a message of {longest} bytes"));
    }
    Finding {
        reported: format!("{} MiB at most", peak / MIB),
        truth: format!("a body of {} MiB", BODY / MIB),
        wrong,
    }
}

/// Not a test by itself: what [`measure`] runs.
#[tokio::test]
#[ignore = "runs in a subprocess"]
async fn task_of_the_subprocess() {
    let Ok(task) = std::env::var(TASK) else {
        return;
    };
    let mut words = task.split(' ');
    let (vendor, task) = (
        words.next().expect("a vendor"),
        words.next().expect("a task"),
    );
    let url = format!("http://127.0.0.1:{}", words.next().expect("a port"));
    let policy = org_invitations::RetryPolicy::none();
    let provider: Box<dyn org_invitations::InvitationProvider> = if vendor == "confluent" {
        let builder = org_invitations::Confluent::builder().api_key("KEY", "secret-of-the-key");
        Box::new(
            builder
                .base_url(url)
                .retry(policy)
                .build()
                .expect("a provider"),
        )
    } else {
        let builder =
            org_invitations::ClickHouse::builder(ORGANIZATION).api_key("KEY", "secret-of-the-key");
        Box::new(
            builder
                .base_url(url)
                .retry(policy)
                .build()
                .expect("a provider"),
        )
    };
    let mut longest = 0;
    if task == "create" {
        let error = provider
            .create(NewInvitation::new("ann@example.com"))
            .await
            .expect_err("refused");
        longest = error.to_string().len().max(format!("{error:?}").len());
    } else {
        let mut rows = provider.list(ListQuery::new());
        while let Some(row) = rows.next().await {
            if let Err(error) = row {
                longest = longest.max(error.to_string().len());
            }
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("VmHWM");
    let kib: usize = peak
        .trim()
        .trim_end_matches("kB")
        .trim()
        .parse()
        .expect("a number");
    println!("measured: {} {longest}", kib * 1024);
}
