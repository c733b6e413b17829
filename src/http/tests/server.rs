//! A server that answers as it is told, one request on each connection.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// Writes this and closes the connection.
    Text(String),
    /// Closes the connection.
    Close,
    /// Writes this and keeps the connection open.
    Hang(&'static str),
}

/// A response with this status, these header lines and this body.
pub(super) fn respond(status: u16, headers: &[&str], body: &str) -> Answer {
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    Answer::Text(format!(
        "HTTP/1.1 {status} Status\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    ))
}

/// An empty response.
pub(super) fn status(status: u16) -> Answer {
    respond(status, &[], "")
}

pub(super) fn json(status: u16, body: &str) -> Answer {
    respond(status, &["content-type: application/json"], body)
}

/// Gives the answers in turn, the last one again and again.
pub(super) struct Server {
    pub url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let record = Arc::clone(&seen);
        let answers: Vec<_> = answers.into_iter().collect();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (record, answers) = (Arc::clone(&record), answers.clone());
                tokio::spawn(async move {
                    let request = read_request(&mut stream).await;
                    if request.is_empty() {
                        return;
                    }
                    let index = {
                        let mut seen = record.lock().unwrap();
                        seen.push(request);
                        seen.len() - 1
                    };
                    match &answers[index.min(answers.len() - 1)] {
                        Answer::Text(text) => {
                            let _ = stream.write_all(text.as_bytes()).await;
                            let _ = stream.shutdown().await;
                        }
                        Answer::Close => {}
                        Answer::Hang(text) => {
                            let _ = stream.write_all(text.as_bytes()).await;
                            std::future::pending::<()>().await;
                        }
                    }
                });
            }
        });
        Self { url, seen }
    }

    /// The requests so far: request line, headers in lower case, body.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// The value of a header of a request.
    pub fn header(&self, index: usize, name: &str) -> Option<String> {
        let seen = self.seen();
        let head = seen[index].split("\r\n\r\n").next().unwrap_or_default();
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    }
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lower = head.to_lowercase();
            let length = lower
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) && !lower.contains("chunked")
                || body.ends_with("0\r\n\r\n")
            {
                return text;
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return String::new();
        }
    }
}

/// The URL of a port that nothing listens on.
pub(super) fn closed_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
