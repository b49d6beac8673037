//! A watched folder: films that are put into it are read, their results written, and the films moved to `done`, or to
//! `failed` beside a text that says why.
//!
//! The folder itself is the list of what is to be done: a file leaves it when its results are on the disk, and until
//! then every step can be made again, so that a process that is killed at any moment loses nothing. A film is known by
//! its bytes, as an upload is, and is read once. The folder is looked at again and again: the system's own news of
//! changes does not come from network shares.

mod files;
#[cfg(test)]
mod tests;

use crate::ServerError;
use crate::clock::now;
use crate::folder::{sync_folder, write_whole};
use crate::incoming::{Arrived, Incoming, IncomingError};
use crate::results::{Format, NoResult, results};
use crate::service::Shared;
use crate::settings::Watched;
use crate::store::{Arrival, FilmRow, Origin, State, film_id};
use boneage_core::Sex;
use files::{Stamp, free, look};
use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// How often the folder is looked at.
const ROUND: Duration = Duration::from_secs(1);

/// How long a file rests that could not be read or moved: a full disk, a share that is away.
const REST: Duration = Duration::from_secs(30);

/// Bytes that are read at a time.
const PIECE: usize = 1 << 20;

/// As much of a file as is looked at for its header, in bytes.
const HEAD: u64 = 1 << 20;

/// The file whose lock says that the folder is watched.
const LOCK: &str = ".boneage-watch";

/// Where films go that are read, and those that cannot be.
const DONE: &str = "done";
const FAILED: &str = "failed";

/// Whoever watches a folder.
pub(crate) struct Watcher {
    service: Shared,
    watched: Arc<Watched>,
    /// Files that lie there, by their paths below the folder.
    known: HashMap<PathBuf, Known>,
    /// Whether somebody has looked already: what lay there before may have been taken by a former process.
    looked: bool,
    /// Folders that could not be looked into the last time.
    closed: usize,
    runtime: Runtime,
    /// Held as long as this lives.
    _lock: File,
}

/// A file that lies in the folder.
struct Known {
    stamp: Stamp,
    /// Since when it has not changed.
    since: Instant,
    /// It lay there when this process began.
    old: bool,
    /// The film that it became.
    film: Option<String>,
    /// Nothing is tried before.
    rests_until: Instant,
}

/// What became of a file that was to be taken.
enum Taken {
    /// It is this film.
    As(String),
    /// Somebody was still writing it.
    NotYet,
    /// It is not taken, and why.
    Refused(String),
}

impl Watcher {
    /// Takes the folder, which nobody else may watch meanwhile, and makes the folders in it.
    pub(crate) fn open(service: Shared, watched: Arc<Watched>) -> Result<Self, ServerError> {
        let fault = |path: &Path, source| ServerError::File { path: path.to_owned(), source };
        let folder = &watched.folder;
        // One that is misspelt is not made: nobody would ever put anything there.
        fs::read_dir(folder).map_err(|error| fault(folder, error))?;
        for path in [folder.join(DONE), folder.join(FAILED), watched.out.clone()] {
            fs::create_dir_all(&path).map_err(|error| fault(&path, error))?;
        }
        let path = folder.join(LOCK);
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(|error| fault(&path, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(ServerError::Watched { folder: folder.clone() });
            }
            Err(TryLockError::Error(error)) => return Err(fault(&path, error)),
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let known = HashMap::new();
        Ok(Watcher { service, watched, known, looked: false, closed: 0, runtime, _lock: lock })
    }

    /// Watches until the bell closes.
    pub(crate) fn watch(mut self) {
        while !self.watched.bell.is_closed() {
            self.round();
            self.watched.bell.wait(ROUND);
        }
    }

    /// One look at the folder, and whatever can be done about what lies there.
    fn round(&mut self) {
        let Watched { folder, out, .. } = &*self.watched;
        let looked = match look(folder, &[folder.join(DONE), folder.join(FAILED), out.clone()]) {
            Ok(looked) => looked,
            Err(error) => {
                if self.closed == 0 {
                    tracing::error!(%error, "the watched folder is away");
                }
                self.closed = usize::MAX;
                return;
            }
        };
        if looked.closed > 0 && looked.closed != self.closed {
            tracing::warn!(folders = looked.closed, "folders in the watched one cannot be looked into");
        }
        self.closed = looked.closed;
        let there = &looked.files;
        self.known.retain(|path, _| there.contains_key(path));
        for (path, &stamp) in there {
            let now = Instant::now();
            let fresh = Known { stamp, since: now, old: !self.looked, film: None, rests_until: now };
            let mut known = self.known.remove(path).unwrap_or(fresh);
            if known.stamp != stamp {
                known = Known { stamp, since: now, old: false, film: None, rests_until: now };
            }
            let over = known.rests_until <= now && self.attend(path, &mut known);
            if !over {
                self.known.insert(path.clone(), known);
            }
        }
        self.looked = true;
    }

    /// Does what can be done about a file; whether it has left the folder.
    fn attend(&self, path: &Path, known: &mut Known) -> bool {
        let done = match &known.film {
            None if known.stamp.is_empty() || known.since.elapsed() < self.watched.settle => return false,
            None => match self.take(path, known) {
                Ok(Taken::As(film)) => {
                    known.film = Some(film);
                    Ok(false)
                }
                Ok(Taken::NotYet) => {
                    known.since = Instant::now();
                    Ok(false)
                }
                Ok(Taken::Refused(why)) => self.put_away(path, &why).map(|()| true),
                Err(error) => Err(error),
            },
            Some(film) => self.follow(path, film),
        };
        done.unwrap_or_else(|error| {
            // A file's name may be a patient's: the log has none.
            tracing::warn!(film = known.film, %error, "a file in the watched folder must wait");
            known.rests_until = Instant::now() + REST;
            false
        })
    }

    /// Makes a film of a file that does not change any more.
    fn take(&self, path: &Path, known: &Known) -> io::Result<Taken> {
        let file = self.watched.folder.join(path);
        let arrived = match self.runtime.block_on(self.copy(&file)) {
            Ok(arrived) => arrived,
            Err(IncomingError::Disk(error)) => return Err(error),
            Err(error) => return Ok(Taken::Refused(error.to_string())),
        };
        if Stamp::of(&fs::metadata(&file)?) != known.stamp {
            return Ok(Taken::NotYet);
        }
        let sex = sex_of(path);
        let store = &self.service.store;
        if known.old {
            // A former process had taken it, and may have died of it: it is not queued again.
            let id = film_id(&arrived.digest, sex);
            if store.film(&id).map_err(io::Error::other)?.is_some() {
                return Ok(Taken::As(id));
            }
        }
        let not_for_us = not_for_us(&arrived)?;
        let name = if self.service.settings.deidentify { String::new() } else { name_of(path) };
        let origin =
            Origin::Folder { sender: self.watched.sender.as_deref(), not_for_us: not_for_us.as_deref() };
        let arrival = Arrival { arrived: &arrived, sex, name: &name, origin, by: "folder", at: now() };
        let accepted = store.accept(&arrival)?;
        if !accepted.known && not_for_us.is_some() {
            store.settle(&accepted.id, &arrived.digest, self.service.settings.deidentify)?;
        }
        self.service.bell.ring();
        Ok(Taken::As(accepted.id))
    }

    /// The bytes of a file among what is on its way.
    async fn copy(&self, file: &Path) -> Result<Arrived, IncomingError> {
        let mut from = File::open(file)?;
        let most = self.service.settings.max_bytes;
        let mut incoming = Incoming::create(self.service.store.folder(), most).await?;
        let mut piece = vec![0; PIECE];
        loop {
            match from.read(&mut piece)? {
                0 => return Ok(incoming.arrived().await?),
                bytes => incoming.add(&piece[..bytes]).await?,
            }
        }
    }

    /// What is to be done about a file whose film is on its way; whether it has left the folder.
    fn follow(&self, path: &Path, film: &str) -> io::Result<bool> {
        let film = self.service.store.film(film).map_err(io::Error::other)?;
        let Some(film) = film else {
            self.put_away(path, "the film was deleted before its results were written")?;
            return Ok(true);
        };
        match film.state {
            State::Queued | State::Leased => Ok(false),
            State::Failed | State::Skipped => {
                self.put_away(path, film.failure.as_deref().unwrap_or("it was not read"))?;
                Ok(true)
            }
            State::Done => self.tell(path, film),
        }
    }

    /// Writes a film's results and moves it to those that are done. False: its picture is not there yet.
    fn tell(&self, path: &Path, film: FilmRow) -> io::Result<bool> {
        let Watched { folder, out, write, .. } = &*self.watched;
        let dicom = film.reading.as_ref().is_some_and(|reading| reading.dicom);
        let wanted = write.iter().filter(|format| dicom || !matches!(format, Format::Object(_)));
        let formats: Vec<Format> = wanted.copied().collect();
        // The same bytes may have come under another name before.
        let film = FilmRow { name: name_of(path), ..film };
        let files = match results(&self.service, &film, &formats) {
            Ok(files) => files,
            Err(NoResult::File(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(io::Error::other(error)),
        };
        let name = free(&folder.join(DONE), path);
        for (format, file) in formats.iter().zip(files) {
            let mut result = out.join(&name).into_os_string();
            result.push(format!(".{}", format.name()));
            place(Path::new(&result), &file)?;
        }
        self.leave(path, &folder.join(DONE).join(name))?;
        Ok(true)
    }

    /// Moves a file to those that failed, beside a text that says why.
    fn put_away(&self, path: &Path, why: &str) -> io::Result<()> {
        let folder = self.watched.folder.join(FAILED);
        let to = folder.join(free(&folder, path));
        let mut told = to.clone().into_os_string();
        told.push(".txt");
        place(Path::new(&told), format!("{why}\n").as_bytes())?;
        self.leave(path, &to)
    }

    /// Moves a file out of what is to be done.
    fn leave(&self, path: &Path, to: &Path) -> io::Result<()> {
        let shelf = to.parent().expect("it lies in a folder");
        fs::create_dir_all(shelf)?;
        fs::rename(self.watched.folder.join(path), to)?;
        sync_folder(shelf)
    }
}

/// Writes a file that survives a loss of power, and the folders above it.
fn place(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let shelf = path.parent().expect("it lies in a folder");
    fs::create_dir_all(shelf)?;
    write_whole(path, bytes)?;
    sync_folder(shelf)
}

/// What a DICOM file's header says, if that is no hand: the same as of one that comes by C-STORE.
fn not_for_us(arrived: &Arrived) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    File::open(arrived.path())?.take(HEAD).read_to_end(&mut head)?;
    if !boneage_dicom::is_dicom(&head) {
        return Ok(None);
    }
    Ok(boneage_dicom::header(&head).ok().and_then(|(header, _)| header.not_a_hand()))
}

/// Of a file in a folder `female` or `male`, whatever lies in between.
fn sex_of(path: &Path) -> Option<Sex> {
    let folders = path.parent()?.components().rev();
    folders.into_iter().find_map(|folder| match folder.as_os_str().to_str() {
        Some("female") => Some(Sex::Female),
        Some("male") => Some(Sex::Male),
        _ => None,
    })
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
