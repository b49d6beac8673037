use super::association::{Broken, Wire};
use crate::service::Shared;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

/// Connections that have not asked for an association yet. Beyond it the oldest is closed: whoever only connects
/// keeps nobody out.
const WAITING: usize = 128;

/// Longest time until a connection is encrypted.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Those who have connected and said nothing yet, oldest first.
#[derive(Default)]
struct WaitingRoom(Mutex<VecDeque<(u64, AbortHandle)>>);

impl WaitingRoom {
    /// `begin` starts whoever enters; nobody leaves before the place is noted.
    fn enter(&self, number: u64, begin: impl FnOnce() -> AbortHandle) {
        let mut room = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        room.push_back((number, begin()));
        let oldest = if room.len() > WAITING { room.pop_front() } else { None };
        drop(room);
        if let Some((_, oldest)) = oldest {
            oldest.abort();
        }
    }

    fn leave(&self, number: u64) {
        let mut room = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        room.retain(|(other, _)| *other != number);
    }
}

/// Answers those who connect, for ever.
pub(crate) async fn listen(service: Shared, listener: TcpListener, acceptor: Option<TlsAcceptor>) {
    let places = Arc::new(Semaphore::new(service.settings.node.associations));
    let waiting = Arc::new(WaitingRoom::default());
    for number in 0.. {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Mostly too many open files: it passes, and a busy loop would not help.
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let door = Door {
            service: service.clone(),
            places: places.clone(),
            waiting: waiting.clone(),
            number,
            peer: peer.ip(),
        };
        let acceptor = acceptor.clone();
        let task = async move { door.encrypted(stream, acceptor).await };
        waiting.enter(number, || tokio::spawn(task).abort_handle());
    }
}

/// What a connection needs of the house.
struct Door {
    service: Shared,
    places: Arc<Semaphore>,
    waiting: Arc<WaitingRoom>,
    number: u64,
    peer: IpAddr,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.waiting.leave(self.number);
    }
}

impl Door {
    async fn encrypted(self, stream: TcpStream, acceptor: Option<TlsAcceptor>) {
        let _ = stream.set_nodelay(true);
        match acceptor {
            None => self.pass(stream).await,
            Some(acceptor) => {
                if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                    self.pass(stream).await;
                }
            }
        }
    }

    async fn pass<S: AsyncRead + AsyncWrite + Unpin>(self, stream: S) {
        let place = || {
            self.waiting.leave(self.number);
            self.places.clone().try_acquire_owned().ok()
        };
        let ended = match Wire::new(stream).associate(&self.service, place).await {
            Ok(association) => association.answer(&self.service).await,
            Err(broken) => Err(broken),
        };
        match ended {
            Ok(()) => {}
            // Whoever only knocks is not worth a line in the log.
            Err(Broken::Wire | Broken::Silence | Broken::Aborted) => {}
            Err(broken) => tracing::warn!(peer = %self.peer, %broken, "an association ended early"),
        }
    }
}
