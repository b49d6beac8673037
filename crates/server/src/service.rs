use crate::Settings;
use crate::access::Slowdown;
use crate::metrics::Metrics;
use crate::store::Store;
use boneage_core::ModelName;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// What every handler and the worker share.
pub(crate) struct Service {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) metrics: Metrics,
    pub(crate) slowdown: Slowdown,
    /// The model that reads.
    pub(crate) model: ModelName,
    /// Wakes the worker.
    pub(crate) bell: Bell,
    /// Wakes those who wait for a film.
    pub(crate) news: Notify,
}

/// The service as handlers hold it.
pub(crate) type Shared = Arc<Service>;

/// Runs what blocks, on the disk or on argon2, beside the threads that serve connections.
pub(crate) async fn blocking<T: Send + 'static>(
    service: &Shared,
    work: impl FnOnce(&Service) -> T + Send + 'static,
) -> std::io::Result<T> {
    let service = service.clone();
    tokio::task::spawn_blocking(move || work(&service)).await.map_err(std::io::Error::other)
}

/// Rings when there may be something to do, and once more to end the day.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    state: Mutex<BellState>,
    rung: Condvar,
}

#[derive(Debug, Default)]
struct BellState {
    rung: bool,
    closed: bool,
}

impl Bell {
    /// There may be something to do.
    pub(crate) fn ring(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).rung = true;
        self.rung.notify_all();
    }

    /// There will be nothing more to do.
    pub(crate) fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.rung.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).closed
    }

    /// Waits for a ring, at most `longest`.
    pub(crate) fn wait(&self, longest: Duration) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.rung.wait_timeout_while(state, longest, |state| !state.rung && !state.closed);
        waited.unwrap_or_else(PoisonError::into_inner).0.rung = false;
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use crate::SettingsFile;
    use crate::folder::Folder;
    use boneage_core::Digest;

    /// A service with these settings in a folder of its own, without a worker.
    pub(crate) fn service(settings: &str) -> (tempfile::TempDir, Shared) {
        let dir = tempfile::tempdir().unwrap();
        let file = SettingsFile::from_toml(settings).unwrap();
        let data = Some(dir.path().to_owned());
        let service = Service {
            store: Store::open(Folder::open(dir.path()).unwrap()).unwrap(),
            settings: Settings::check(SettingsFile { data, ..file }).unwrap(),
            metrics: Metrics::new(),
            slowdown: Slowdown::default(),
            model: model(),
            bell: Bell::default(),
            news: Notify::new(),
        };
        (dir, Arc::new(service))
    }

    pub(crate) fn model() -> ModelName {
        ModelName { name: "test".into(), digest: Digest::of(b"model") }
    }
}
