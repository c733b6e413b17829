//! A server below HTTP, for answers that no HTTP server gives: broken, cut off, or never.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

/// What the server does after it has read a request.
#[derive(Clone, Copy)]
pub enum Behavior {
    /// Writes this and closes the connection.
    WriteAndClose(&'static str),
    /// Writes this and keeps the connection open without another byte.
    WriteAndHang(&'static str),
    /// Does not even read: closes every connection at once.
    HangUp,
}

/// Serves on a loopback port until it is dropped.
pub struct RawServer {
    port: u16,
    requests: mpsc::Receiver<String>,
}

impl RawServer {
    pub fn start(behavior: Behavior) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, requests) = mpsc::channel();
        // The thread ends with the process; nothing here waits for it.
        thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { break };
                if matches!(behavior, Behavior::HangUp) {
                    continue;
                }
                let request = read_request(&mut stream);
                if request.is_empty() || sender.send(request).is_err() {
                    continue;
                }
                match behavior {
                    Behavior::WriteAndClose(text) => {
                        let _ = stream.write_all(text.as_bytes());
                    }
                    Behavior::WriteAndHang(text) => {
                        let _ = stream.write_all(text.as_bytes());
                        open.push(stream);
                    }
                    Behavior::HangUp => {}
                }
            }
        });
        Self { port, requests }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The requests so far, as text.
    pub fn seen(&self) -> Vec<String> {
        self.requests.try_iter().collect()
    }
}

/// The URL of a port that nothing listens on.
pub fn closed_port() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut request = String::new();
    let mut buffer = [0; 4096];
    while !is_complete(&request) {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(read) => request.push_str(&String::from_utf8_lossy(&buffer[..read])),
        }
    }
    request
}

fn is_complete(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse().ok()).flatten()
    });
    body.len() >= length.unwrap_or(0)
}
