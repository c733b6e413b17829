//! One TCP connection, which a request handler can reset or write raw bytes to.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

/// Ends HTTP on a connection early.
#[derive(Debug)]
enum ConnectionCommand {
    /// Sends a TCP RST.
    Reset,
    Send {
        bytes: Vec<u8>,
        after: AfterWrite,
    },
}

/// What happens to a connection after raw bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterWrite {
    Close,
    /// Keeps the connection open and silent until the peer closes it.
    Wait,
}

/// A handler's hold on the connection of its request.
#[derive(Clone, Debug)]
pub(super) struct ConnectionHandle {
    commands: mpsc::UnboundedSender<ConnectionCommand>,
}

impl ConnectionHandle {
    /// Resets the connection. The handler gives no answer.
    pub(super) async fn reset(&self) -> Infallible {
        self.order(ConnectionCommand::Reset).await
    }

    /// Sends bytes in place of an answer. Over HTTP/1 only.
    pub(super) async fn send(&self, bytes: Vec<u8>, after: AfterWrite) -> Infallible {
        self.order(ConnectionCommand::Send { bytes, after }).await
    }

    async fn order(&self, command: ConnectionCommand) -> Infallible {
        // An error means that the connection has ended, which drops this handler too.
        let _ = self.commands.send(command);
        pending().await
    }
}

/// Serves a connection until it ends, or until `closing` changes and the pending answers are sent.
pub(super) async fn serve(stream: TcpStream, router: Router, mut closing: watch::Receiver<()>) {
    // Answers are small, and a throttled body must not be buffered.
    let _ = stream.set_nodelay(true);
    let stream = Arc::new(stream);
    let (commands, mut received) = mpsc::unbounded_channel();
    let handle = ConnectionHandle { commands };
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(handle.clone());
        TowerToHyperService::new(router.clone()).call(request)
    });
    let command = {
        let builder = auto::Builder::new(TokioExecutor::new());
        let io = TokioIo::new(SharedStream(Arc::clone(&stream)));
        let mut http = pin!(builder.serve_connection(io, service));
        let mut is_closing = false;
        loop {
            tokio::select! {
                _ended = http.as_mut() => return,
                Some(command) = received.recv() => break command,
                _ = closing.changed(), if !is_closing => {
                    is_closing = true;
                    http.as_mut().graceful_shutdown();
                }
            }
        }
    };
    match command {
        ConnectionCommand::Reset => {
            // A close without lingering sends an RST.
            let _ = stream.set_zero_linger();
        }
        ConnectionCommand::Send { bytes, after } => {
            let sent = send_all(&stream, &bytes).await;
            if sent.is_ok() && after == AfterWrite::Wait {
                wait_for_close(&stream).await;
            }
        }
    }
}

async fn send_all(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn wait_for_close(stream: &TcpStream) {
    let mut ignored = [0; 1024];
    while stream.readable().await.is_ok() {
        match stream.try_read(&mut ignored) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

/// A stream with two owners: HTTP, and the code that may end HTTP early.
struct SharedStream(Arc<TcpStream>);

impl AsyncRead for SharedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(context))?;
            match self.0.try_read(buffer.initialize_unfilled()) {
                Ok(count) => {
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for SharedStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(context))?;
            match self.0.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Does nothing: dropping the last owner closes the stream, which follows at once.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
