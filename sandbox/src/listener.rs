//! The accept loop, and the times when it refuses connections.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinSet;

use crate::connection;

/// How long answers under way may take when the server stops.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);
const MAX_OUTAGE: Duration = Duration::from_secs(365 * 24 * 60 * 60);
const BACKLOG: u32 = 1024;

/// A time of refusing every connection.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    until: Mutex<Option<Instant>>,
    begun: Notify,
    /// How many there have been.
    count: watch::Sender<u64>,
}

impl Outage {
    /// Refuses connections from now on for this long, or for longer when that was wanted before.
    pub(crate) fn begin(&self, length: Duration) {
        let until = Instant::now() + length.min(MAX_OUTAGE);
        let mut current = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        *current = (*current).max(Some(until));
        self.begun.notify_one();
    }

    /// As [`Outage::begin`]; resolves when no connection is accepted any more.
    pub(crate) async fn take_effect(&self, length: Duration) {
        let mut count = self.count.subscribe();
        self.begin(length);
        // An error: there is no server any more, and that accepts nothing either.
        let _ = count.changed().await;
    }

    /// Resolves when the time is over; at once when there is none.
    async fn over(&self) {
        while let Some(left) = self.left() {
            tokio::time::sleep(left).await;
        }
    }

    fn left(&self) -> Option<Duration> {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let left = until?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }
}

/// Serves until `stop` resolves, then lets answers under way finish, for a second at most.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    outage: Arc<Outage>,
    stop: oneshot::Receiver<()>,
) -> io::Result<()> {
    // Dropping the set ends the connections in it.
    let mut connections = JoinSet::new();
    let (close, _) = watch::channel(());
    let serve = |stream| connection::serve(stream, router.clone(), close.subscribe());
    tokio::select! {
        _ = stop => {}
        failed = accept(listener, &outage, &close, &mut connections, serve) => return failed,
    }
    close.send_replace(());
    let all_ended = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, all_ended).await;
    Ok(())
}

/// Accepts connections until listening again after an outage fails.
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
                let silent = bind(address)?;
                outage.count.send_modify(|count| *count += 1);
                outage.over().await;
                listener = silent.listen(BACKLOG)?;
            }
            Some(_ended) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _peer)) => {
                    connections.spawn(serve(stream));
                }
                // Its peer changed its mind, or there are too many open files: neither lasts.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
        }
    }
}

/// Holds an address without listening there: whoever connects is refused.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // As for every listener of Tokio: connections of the time before do not stand in the way.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
