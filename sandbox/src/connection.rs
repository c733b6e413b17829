//! One TCP connection, and what a request on it may command: to reset it, or to send bytes of its own choice.

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

/// What ends the HTTP conversation on a connection before its time.
#[derive(Debug)]
enum ConnectionCommand {
    /// The peer sees "connection reset".
    Reset,
    Send {
        bytes: Vec<u8>,
        after: AfterWrite,
    },
}

/// What happens to the connection after bytes of a handler's own choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterWrite {
    Close,
    /// It stays open, silent, until the peer goes.
    Wait,
}

/// The connection that a request came on, as its handler sees it.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionHandle {
    commands: mpsc::UnboundedSender<ConnectionCommand>,
}

impl ConnectionHandle {
    /// Resets the connection: the handler that awaits this gives no answer.
    pub(crate) async fn reset(&self) -> Infallible {
        self.request(ConnectionCommand::Reset).await
    }

    /// Sends these bytes in place of an answer. Over HTTP/1 only.
    pub(crate) async fn send(&self, bytes: Vec<u8>, after: AfterWrite) -> Infallible {
        self.request(ConnectionCommand::Send { bytes, after }).await
    }

    async fn request(&self, command: ConnectionCommand) -> Infallible {
        // An error: the connection is gone, and the handler about to be dropped with it.
        let _ = self.commands.send(command);
        pending().await
    }
}

/// Serves a connection until it ends, or until a value on `closing` and the answers under way after.
pub(crate) async fn serve(stream: TcpStream, router: Router, mut closing: watch::Receiver<()>) {
    // Answers are small, and some of them dribble on purpose.
    let _ = stream.set_nodelay(true);
    let stream = Arc::new(stream);
    let (commands, mut ordered) = mpsc::unbounded_channel();
    let handle = ConnectionHandle { commands };
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(handle.clone());
        TowerToHyperService::new(router.clone()).call(request)
    });
    let command = {
        let builder = auto::Builder::new(TokioExecutor::new());
        let io = TokioIo::new(SharedStream(Arc::clone(&stream)));
        let mut conversation = pin!(builder.serve_connection(io, service));
        let mut told = false;
        loop {
            tokio::select! {
                _ended = conversation.as_mut() => return,
                Some(command) = ordered.recv() => break command,
                _ = closing.changed(), if !told => {
                    told = true;
                    conversation.as_mut().graceful_shutdown();
                }
            }
        }
    };
    match command {
        ConnectionCommand::Reset => {
            // Closed with nothing to linger for, it is reset.
            let _ = stream.set_zero_linger();
        }
        ConnectionCommand::Send { bytes, after } => {
            let sent = send_all(&stream, &bytes).await;
            if sent.is_ok() && after == AfterWrite::Wait {
                wait_for_end(&stream).await;
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

async fn wait_for_end(stream: &TcpStream) {
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

/// A stream that HTTP is spoken on while its other owner keeps hold of it.
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

    /// Nothing: the stream is closed when its owners drop it, which follows at once.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
