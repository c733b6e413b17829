//! One vendor's invitation API on a raw socket, with real state and faults on demand.
//!
//! It shares no code with the library and with the sandbox: HTTP/1.1 is read and written here, and what
//! exists is what [`Organisation`] holds. A test compares what the caller was told with that.

mod fault;
mod http;
mod organisation;
mod wire;
mod world;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

pub use fault::{Answer, Body, Carried, Fault};
pub use http::{Reply, Request};
pub use organisation::Organisation;
// Not every crate of tests uses all of them.
#[allow(unused_imports)]
pub use world::{
    Event, Filters, ORGANIZATION, Op, Origin, ROLE_ADMIN, ROLE_CUSTOM, ROLE_DEVELOPER, Record,
    Seed, Status, Vendor, World,
};

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    organisation: Mutex<Organisation>,
    faults: Mutex<Vec<Fault>>,
    requests: Mutex<Vec<(Instant, Op, Request)>>,
    /// Creates that were accepted and are not carried out yet.
    pending: AtomicUsize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Server {
    /// Serves `organisation` on a free port of the loopback interface.
    pub async fn start(organisation: Organisation, faults: Vec<Fault>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("the port");
        let shared = Arc::new(Shared {
            organisation: Mutex::new(organisation),
            faults: Mutex::new(faults),
            requests: Mutex::default(),
            pending: AtomicUsize::new(0),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            accepting,
        }
    }

    /// The base URL that a client is given.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The state: the ground truth.
    pub fn truth(&self) -> MutexGuard<'_, Organisation> {
        lock(&self.shared.organisation)
    }

    /// Replaces the faults of the requests to come.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        *lock(&self.shared.faults) = faults;
    }

    /// Every request so far, with the time at which it was read.
    pub fn requests(&self) -> Vec<(Instant, Op, Request)> {
        lock(&self.shared.requests).clone()
    }

    /// How many requests of a kind were read.
    pub fn count(&self, op: Op) -> usize {
        lock(&self.shared.requests)
            .iter()
            .filter(|(_, seen, _)| *seen == op)
            .count()
    }

    /// Waits until nothing that was accepted is still to be carried out.
    pub async fn settled(&self) {
        while self.shared.pending.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let _ = stream.set_nodelay(true);
        connections.spawn(serve(stream, Arc::clone(&shared)));
        while connections.try_join_next().is_some() {}
    }
}

/// Answers one request after another until the client closes the connection or a fault does.
async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    let mut buffer = Vec::new();
    while let Some(request) = http::read(&mut stream, &mut buffer).await {
        match respond(request, &shared) {
            Delivery::Whole(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Delivery::Part(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                return;
            }
            Delivery::Reset => {
                let _ = stream.set_zero_linger();
                return;
            }
            Delivery::Never => {
                // The connection stays open until the client gives up or the server ends.
                let _ = http::read(&mut stream, &mut buffer).await;
                return;
            }
        }
    }
}

/// What goes out for one request.
enum Delivery {
    Whole(Vec<u8>),
    Part(Vec<u8>),
    Reset,
    Never,
}

fn respond(request: Request, shared: &Arc<Shared>) -> Delivery {
    let mut organisation = lock(&shared.organisation);
    let op = organisation.operation(&request);
    lock(&shared.requests).push((Instant::now(), op, request.clone()));
    if let Some(reply) = organisation.too_soon() {
        return Delivery::Whole(organisation.write(&reply));
    }
    let about = organisation.about(op, &request);
    let fault = {
        let mut faults = lock(&shared.faults);
        let found = faults
            .iter_mut()
            .find(|fault| fault.concerns(op, about.as_deref(), &request));
        found.and_then(Fault::strike)
    };
    let Some((carried, answer)) = fault else {
        let reply = organisation.perform(op, &request);
        return Delivery::Whole(organisation.write(&reply));
    };
    let regular = match carried {
        Carried::Yes => organisation.perform(op, &request),
        Carried::No => organisation.pretend(op, &request),
        Carried::Late(delay) => match organisation.accept_later(op, &request) {
            Ok((reply, commit)) => {
                shared.pending.fetch_add(1, Ordering::SeqCst);
                let shared = Arc::clone(shared);
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    lock(&shared.organisation).commit(commit);
                    shared.pending.fetch_sub(1, Ordering::SeqCst);
                });
                reply
            }
            Err(refusal) => refusal,
        },
    };
    // What the API itself refuses has not happened, so there is no answer to lose.
    if !matches!(carried, Carried::No) && regular.status >= 400 {
        return Delivery::Whole(organisation.write(&regular));
    }
    let reply = match answer {
        Answer::Regular => regular,
        Answer::Reset => return Delivery::Reset,
        Answer::Hang => return Delivery::Never,
        Answer::Close => return Delivery::Part(Vec::new()),
        Answer::Truncated => {
            let bytes = organisation.write(&regular);
            let cut = bytes.len() - regular.body.len() / 2;
            return Delivery::Part(bytes[..cut].to_vec());
        }
        Answer::EmptySuccess => Reply {
            body: Vec::new(),
            ..regular
        },
        Answer::Stranger => organisation.about_stranger(op, about.as_deref()),
        Answer::Rewrite(rewrite) => Reply {
            body: rewrite.rewrite(regular.body),
            ..regular
        },
        Answer::Status(status, body, headers) => {
            let mut reply = organisation.faulty(status, body);
            reply.headers.extend(
                headers
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value)),
            );
            reply
        }
        Answer::Elsewhere(status, base) => {
            let mut reply = organisation.faulty(status, Body::Empty);
            reply
                .headers
                .push(("Location".to_owned(), format!("{base}{}", request.target)));
            reply
        }
    };
    Delivery::Whole(organisation.write(&reply))
}
