//! The database: one SQLite file, every change on the disk before it is told.

mod audit;
mod deliveries;
mod films;
mod history;
mod jobs;
mod people;
mod readings;
mod schema;

pub(crate) use audit::{Action, AuditRow};
pub(crate) use deliveries::{Delivery, DeliveryRow};
pub(crate) use films::{Arrival, FilmRow, Origin, Query, Review, State, Verdict, film_id};
pub(crate) use jobs::Job;
pub(crate) use people::UserRow;
pub(crate) use readings::{Again, FormerReading};

use crate::ServerError;
use crate::folder::Folder;
use rusqlite::Connection;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// All that the service knows. Cheap to share by reference; every method blocks for at most a few milliseconds,
/// on the disk.
pub(crate) struct Store {
    connection: Mutex<Connection>,
    folder: Folder,
}

impl Store {
    /// The database of a folder, made or brought to the present schema.
    pub(crate) fn open(folder: Folder) -> Result<Self, ServerError> {
        let mut connection = Connection::open(folder.database())?;
        // A commit is on the disk when it returns: FULL syncs the log of each. The command line may write beside.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        // What was deleted is overwritten, not only forgotten.
        connection.pragma_update(None, "secure_delete", "ON")?;
        connection.busy_timeout(Duration::from_secs(5))?;
        schema::migrations().to_latest(&mut connection)?;
        Ok(Store { connection: Mutex::new(connection), folder })
    }

    /// Where uploads and pictures lie.
    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// A panic in another thread cannot leave half of a change: transactions roll back when dropped.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the database answers.
    pub(crate) fn answers(&self) -> bool {
        self.connection().query_row("SELECT 1", [], |_| Ok(())).is_ok()
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::films::Accepted;
    use super::*;
    use crate::incoming::{Arrived, Incoming};
    use boneage_core::Sex;

    pub(crate) fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(Folder::open(dir.path()).unwrap()).unwrap();
        (dir, store)
    }

    /// An upload of these bytes, accepted.
    pub(crate) fn upload(store: &Store, bytes: &[u8], sex: Option<Sex>) -> Accepted {
        let arrived = arrived(store, bytes);
        let origin = Origin::Upload;
        store
            .accept(&Arrival { arrived: &arrived, sex, name: "hand.png", origin, by: "anna", at: 1000 })
            .unwrap()
    }

    /// A file of these bytes that has arrived.
    pub(crate) fn arrived(store: &Store, bytes: &[u8]) -> Arrived {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut incoming = Incoming::create(store.folder(), 1 << 20).await.unwrap();
            incoming.add(bytes).await.unwrap();
            incoming.arrived().await.unwrap()
        })
    }
}
