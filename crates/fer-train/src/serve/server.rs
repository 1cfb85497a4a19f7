use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::{Extension, Router};
use fer_data::DataError;
use fer_model::Classifier;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;

use crate::serve::gate::Gate;
use crate::serve::model::About;
use crate::serve::network::Network;
use crate::serve::routes::{Local, Shared, router};
use crate::serve::search::Search;
use crate::serve::work::Work;
use crate::serve::{Limits, Settings, body};

/// Connections that the system keeps until they are accepted.
const BACKLOG: u32 = 1024;

/// How often is looked whether the server was asked to end.
const LOOK: Duration = Duration::from_millis(50);

/// The wait after a connection could not be accepted, as when files are used up.
const PAUSE: Duration = Duration::from_millis(100);

/// The most bytes that the head of a request may have.
const HEAD: usize = 32 << 10;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A name that a server cannot be called by.
    #[error("`{0}` is no name of a host: NAME or NAME:PORT is expected")]
    AllowedHost(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}{advice}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system answered.
        source: std::io::Error,
        /// What to do about it.
        advice: &'static str,
    },
    /// The system gives no threads or timers.
    #[error("cannot start: {0}")]
    Start(#[from] std::io::Error),
    /// No finder of faces.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The model's description is no JSON.
    #[error("the model's description cannot be written: {0}")]
    Description(#[from] serde_json::Error),
}

/// A server that listens.
pub struct Server {
    runtime: Runtime,
    listener: TcpListener,
    address: SocketAddr,
    limits: Limits,
    router: Router,
}

impl Server {
    /// Listens; requests are answered once it [runs](Self::run).
    ///
    /// # Errors
    /// An address that cannot be listened on, a name in `allowed_hosts` that is none, a system without
    /// threads.
    pub fn bind(classifier: Classifier, settings: Settings) -> Result<Self, ServeError> {
        let gate = Gate::new(&settings.allowed_hosts).map_err(ServeError::AllowedHost)?;
        let model = serde_json::to_vec(&About::of(&classifier, &settings))?;
        let limits = settings.limits;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let wanted = SocketAddr::new(settings.host, settings.port);
        let listener = runtime.block_on(async { listen(wanted) });
        let listener = listener.map_err(|source| ServeError::Listen {
            address: wanted,
            advice: advice(&source),
            source,
        })?;
        let classifier = Arc::new(classifier);
        let search = Search::new(classifier.resize())?;
        let network = Network::start(&classifier, limits.at_work)?;
        let shared = Shared {
            gate,
            places: Arc::new(Semaphore::new(limits.pictures)),
            memory: body::memory(&limits),
            work: Work::new(classifier, search, network, limits.at_work),
            model: Bytes::from(model),
            limits: limits.clone(),
        };
        Ok(Server {
            address: listener.local_addr()?,
            router: router(Arc::new(shared)),
            runtime,
            listener,
            limits,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until `stop` is set; those that are being answered then still get their answer,
    /// within [`Limits::ending`]. What goes wrong with one connection ends that connection alone.
    pub fn run(self, stop: &AtomicBool) {
        let Server {
            runtime,
            listener,
            limits,
            router,
            ..
        } = self;
        runtime.block_on(accept_all(&listener, &router, &limits, stop));
        // A picture that is still worked on has nobody left to answer.
        runtime.shutdown_background();
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // On Windows this would share the port with whoever listens there already.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn advice(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind::{AddrInUse, AddrNotAvailable, PermissionDenied};
    match error.kind() {
        AddrInUse => {
            "; another program has this port: choose another with --port, or any free one with --port 0"
        }
        PermissionDenied => "; ports below 1024 are the system's: choose another with --port",
        AddrNotAvailable => "; this machine has no such address: choose another with --host",
        _ => "",
    }
}

async fn accept_all(listener: &TcpListener, router: &Router, limits: &Limits, stop: &AtomicBool) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let asked_to_end = async {
        while !stop.load(Ordering::Relaxed) {
            sleep(LOOK).await;
        }
    };
    let accepting = async {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, _)) => begin(stream, place, router, limits, &graceful),
                Err(_) => sleep(PAUSE).await,
            }
        }
    };
    tokio::select! {
        () = accepting => {}
        () = asked_to_end => {}
    }
    // Who is not done by then is cut off.
    let _ = timeout(limits.ending, graceful.shutdown()).await;
}

/// Answers the requests of one connection, beside all others.
fn begin(
    stream: TcpStream,
    place: OwnedSemaphorePermit,
    router: &Router,
    limits: &Limits,
    graceful: &GracefulShutdown,
) {
    // A connection that is gone already has no address, and gets no answer.
    let Ok(local) = stream.local_addr() else {
        return;
    };
    // Answers are small and written at once; waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.send));
    let service = router.clone().layer(Extension(Local(local)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(HEAD)
        .serve_connection(
            TokioIo::new(Box::pin(stream)),
            TowerToHyperService::new(service),
        );
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        // It ends well or is cut off; neither concerns the others.
        let _ = connection.await;
        drop(place);
    });
}
