//! The accept loop, and outages during which it refuses connections.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::connection;

/// How long pending answers may take when the server stops.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);
const MAX_OUTAGE: Duration = Duration::from_secs(365 * 24 * 60 * 60);
const BACKLOG: u32 = 1024;

/// A period in which every connection is refused.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    until: Mutex<Option<Instant>>,
    begun: Notify,
    /// Counts the outages that took effect.
    count: watch::Sender<u64>,
}

impl Outage {
    /// Refuses connections for this long, or until the end of an outage that was begun before.
    pub(crate) fn begin(&self, length: Duration) {
        let until = Instant::now() + length.min(MAX_OUTAGE);
        let mut current = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        *current = (*current).max(Some(until));
        self.begun.notify_one();
    }

    /// As [`Outage::begin`]; resolves once no connection is accepted.
    pub(crate) async fn begin_and_wait(&self, length: Duration) {
        let mut count = self.count.subscribe();
        self.begin(length);
        // An error means that the server has stopped, which accepts nothing either.
        let _ = count.changed().await;
    }

    /// Resolves at the end of the outage.
    async fn ended(&self) {
        while let Some(remaining) = self.remaining() {
            tokio::time::sleep(remaining).await;
        }
    }

    fn remaining(&self) -> Option<Duration> {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let remaining = until?.saturating_duration_since(Instant::now());
        (!remaining.is_zero()).then_some(remaining)
    }
}

/// Serves until `stop` resolves, then lets pending answers finish, for a second at most.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    outage: Arc<Outage>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    // Dropping the set ends its connections.
    let mut connections = JoinSet::new();
    let (close, _) = watch::channel(());
    let serve = |stream| connection::serve(stream, router.clone(), close.subscribe());
    tokio::select! {
        () = stop => {}
        failed = accept(listener, &outage, &close, &mut connections, serve) => return failed,
    }
    close.send_replace(());
    let all_ended = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, all_ended).await;
    Ok(())
}

/// Accepts connections until listening fails after an outage.
async fn accept<F>(
    mut listener: TcpListener,
    outage: &Outage,
    close: &watch::Sender<()>,
    connections: &mut JoinSet<()>,
    serve: impl Fn(TcpStream) -> F,
) -> io::Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let address = listener.local_addr()?;
    loop {
        tokio::select! {
            () = outage.begun.notified() => {
                close.send_replace(());
                drop(listener);
                let socket = bind(address)?;
                outage.count.send_modify(|count| *count += 1);
                outage.ended().await;
                listener = socket.listen(BACKLOG)?;
            }
            Some(_ended) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _peer)) => {
                    connections.spawn(serve(stream));
                }
                // The peer has gone, or there are too many open files: both pass.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
        }
    }
}

/// Binds an address without listening, so that connections are refused.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // As Tokio's listeners do: connections that are closing do not block the address.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
