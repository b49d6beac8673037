use crate::access::{Peer, Slowdown};
use crate::api::router;
use crate::folder::Folder;
use crate::metrics::Metrics;
use crate::service::{Bell, Service, Shared};
use crate::store::Store;
use crate::watch::Watcher;
use crate::worker::work;
use crate::{ServerError, Settings, node, tls};
use axum::Router;
use axum::body::Body;
use boneage_assess::Predictor;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// Connections at a time; further ones wait to be accepted.
const CONNECTIONS: usize = 256;

/// Longest time until a connection is encrypted.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Longest time until a request's head is there: who sends a byte a second holds no connection for ever.
const HEAD: Duration = Duration::from_secs(15);

/// How long answers that are under way may take once the service is to end.
const FAREWELL: Duration = Duration::from_secs(10);

/// Where a service answers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Addresses {
    /// The page and the REST service, as `http://127.0.0.1:8642`.
    pub page: String,
    /// The DICOM node, where there is one.
    pub node: Option<SocketAddr>,
}

/// Serves until the process is told to end (SIGINT or SIGTERM). `started` is told the service's addresses once it
/// answers there.
///
/// # Errors
/// If data folder, database, certificate or address cannot be used, or if people must log in and there are none.
pub fn serve(
    settings: Settings,
    predictor: Predictor,
    started: impl FnOnce(&Addresses),
) -> Result<(), ServerError> {
    let folder = Folder::open(&settings.data)?;
    let _lock = folder.lock()?;
    folder.clear_incoming()?;
    let store = Store::open(folder)?;
    store.remove_orphans()?;
    store.free_leases(settings.attempts)?;
    if settings.login && store.users()?.is_empty() {
        return Err(ServerError::Nobody);
    }
    let service = Arc::new(Service {
        metrics: Metrics::new(),
        slowdown: Slowdown::default(),
        model: predictor.name().clone(),
        bell: Bell::default(),
        news: Notify::new(),
        store,
        settings,
    });
    let watched = service.settings.watch.clone();
    let watcher = match &watched {
        Some(watched) => Some(Watcher::open(service.clone(), watched.clone())?),
        None => None,
    };
    let worker = {
        let service = service.clone();
        std::thread::Builder::new().name("worker".into()).spawn(move || {
            // Whatever ends the worker, /ready says so from then on.
            let _closes = ClosesBell(&service.bell);
            work(&service, &predictor);
        })?
    };
    for destination in &service.settings.node.destinations {
        let (service, destination) = (service.clone(), destination.clone());
        std::thread::Builder::new()
            .name("delivery".into())
            .spawn(move || node::deliver(&service, &destination))?;
    }
    if let Some(watcher) = watcher {
        std::thread::Builder::new().name("watch".into()).spawn(move || watcher.watch())?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let served = runtime.block_on(listen(&service, started));
    service.bell.close();
    // A delivery that is under way is made again by the next process, and so is a step of the watched folder.
    service.settings.node.destinations.iter().for_each(|destination| destination.bell.close());
    if let Some(watched) = watched {
        watched.bell.close();
    }
    // The film that is being read is read to the end.
    let _ = worker.join();
    served
}

struct ClosesBell<'a>(&'a Bell);

impl Drop for ClosesBell<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

async fn listen(service: &Shared, started: impl FnOnce(&Addresses)) -> Result<(), ServerError> {
    let settings = &service.settings;
    let acceptor = match &settings.tls {
        Some((certificate, key)) => Some(tls::acceptor(certificate, key)?),
        None => None,
    };
    let refused = |source| ServerError::Listen { listen: settings.listen, source };
    let listener = TcpListener::bind(settings.listen).await.map_err(refused)?;
    let address: SocketAddr = listener.local_addr()?;
    let ended = ended()?;
    let scheme = if acceptor.is_some() { "https" } else { "http" };
    let mut addresses = Addresses { page: format!("{scheme}://{address}"), node: None };
    if let Some(listen) = settings.node.listen {
        let refused = |source| ServerError::Listen { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        addresses.node = Some(listener.local_addr()?);
        let acceptor = acceptor.clone().filter(|_| settings.node.tls);
        tokio::spawn(node::listen(service.clone(), listener, acceptor));
    }
    started(&addresses);

    let router = router(service);
    let graceful = Arc::new(GracefulShutdown::new());
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    tokio::pin!(ended);
    loop {
        let place = room.clone().acquire_owned().await.expect("nobody closes the semaphore");
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Mostly too many open files: it passes, and a busy loop would not help.
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = &mut ended => break,
        };
        let (router, acceptor, watcher) = (router.clone(), acceptor.clone(), graceful.watcher());
        tokio::spawn(async move {
            let _place = place;
            connection(stream, peer.ip(), acceptor, router, watcher).await;
        });
    }
    drop(listener);
    let graceful = Arc::into_inner(graceful).expect("only this function holds it");
    let _ = tokio::time::timeout(FAREWELL, graceful.shutdown()).await;
    Ok(())
}

async fn connection(
    stream: TcpStream,
    peer: IpAddr,
    acceptor: Option<TlsAcceptor>,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let _ = stream.set_nodelay(true);
    match acceptor {
        None => answer(stream, peer, router, watcher).await,
        Some(acceptor) => {
            // Half of the internet knocks at every door with no TLS at all: not worth a line in the log.
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                answer(stream, peer, router, watcher).await;
            }
        }
    }
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: IpAddr,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let handler = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), handler);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection broke");
    }
}

/// Comes when the process is told to end.
fn ended() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::testing::service;
    use std::io::{Read, Write};
    use tokio::sync::oneshot;
    use tokio_rustls::rustls::pki_types::ServerName;
    use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring};

    const REQUEST: &[u8] = b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn with_a_certificate_only_encrypted_requests_are_answered() {
        let dir = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| dir.path().join(name));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let settings =
            format!("listen = \"127.0.0.1:0\"\n[tls]\ncertificate = {certificate:?}\nkey = {key:?}\n");
        let (_data, service) = service(&settings);
        let (started, address) = oneshot::channel();
        let serving = tokio::spawn(async move {
            listen(&service, |addresses| started.send(addresses.page.clone()).unwrap()).await
        });
        let address = address.await.unwrap();
        let address: SocketAddr = address.strip_prefix("https://").unwrap().parse().unwrap();
        tokio::task::spawn_blocking(move || {
            let mut roots = RootCertStore::empty();
            roots.add(made.cert.der().clone()).unwrap();
            let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
            let name = ServerName::try_from("localhost").unwrap();
            let client = ClientConnection::new(Arc::new(config), name).unwrap();
            let mut stream = StreamOwned::new(client, std::net::TcpStream::connect(address).unwrap());
            stream.write_all(REQUEST).unwrap();
            let mut answer = String::new();
            let _ = stream.read_to_string(&mut answer);
            assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("alive\n"), "{answer}");
            assert!(answer.contains("strict-transport-security"), "{answer}");

            let mut plain = std::net::TcpStream::connect(address).unwrap();
            plain.write_all(REQUEST).unwrap();
            let mut answer = Vec::new();
            let _ = plain.read_to_end(&mut answer);
            assert!(!answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));
        })
        .await
        .unwrap();
        serving.abort();
    }
}
