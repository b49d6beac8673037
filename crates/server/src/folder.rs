use crate::ServerError;
use boneage_core::Digest;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The data folder of one service.
///
/// ```text
/// boneage.sqlite      films, users, sessions, tokens, audit log
/// lock                held while a service runs
/// incoming/           uploads that are on their way
/// uploads/ab/abcd...  each file's bytes by their SHA-256
/// pictures/12/12ef... what is shown of a film: image.png, attention.png, hand.png
/// ```
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    root: PathBuf,
}

/// A picture that is kept of a film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Picture {
    /// The film itself, full size, 8 bit grey.
    Image,
    /// The attention map, 8 bit grey.
    Attention,
    /// The hand, white on black.
    Hand,
}

impl Picture {
    fn file(self) -> &'static str {
        match self {
            Picture::Image => "image.png",
            Picture::Attention => "attention.png",
            Picture::Hand => "hand.png",
        }
    }
}

impl Folder {
    /// The folder, made where it is missing and readable by its owner alone.
    pub(crate) fn open(root: &Path) -> Result<Self, ServerError> {
        let folder = Folder { root: root.to_owned() };
        for path in [root.to_owned(), folder.incoming(), root.join("uploads"), root.join("pictures")] {
            fs::create_dir_all(&path).map_err(|source| ServerError::File { path, source })?;
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(root, fs::Permissions::from_mode(0o700))
                .map_err(|source| ServerError::File { path: root.to_owned(), source })?;
        }
        Ok(folder)
    }

    /// The lock of the one service that may use the folder; held until it is dropped or the process ends,
    /// however it ends.
    pub(crate) fn lock(&self) -> Result<File, ServerError> {
        let path = self.root.join("lock");
        let file_error = |source| ServerError::File { path: path.clone(), source };
        let file =
            File::options().create(true).truncate(false).write(true).open(&path).map_err(file_error)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(ServerError::Served { folder: self.root.clone() }),
            Err(TryLockError::Error(source)) => Err(file_error(source)),
        }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("boneage.sqlite")
    }

    pub(crate) fn incoming(&self) -> PathBuf {
        self.root.join("incoming")
    }

    /// Where the bytes with this digest lie.
    pub(crate) fn upload(&self, digest: &Digest) -> PathBuf {
        self.root.join("uploads").join(&digest.0[..2]).join(&digest.0)
    }

    /// Where a film's picture lies; `film` is an id that the store has given.
    pub(crate) fn picture(&self, film: &str, picture: Picture) -> PathBuf {
        self.pictures_of(film).join(picture.file())
    }

    fn pictures_of(&self, film: &str) -> PathBuf {
        self.root.join("pictures").join(&film[..2]).join(film)
    }

    /// Throws away what was on its way when a former service ended: none of it was acknowledged.
    pub(crate) fn clear_incoming(&self) -> io::Result<()> {
        for entry in fs::read_dir(self.incoming())? {
            fs::remove_file(entry?.path())?;
        }
        Ok(())
    }

    /// Moves a written and synced file to where its digest says. It survives a loss of power when this returns.
    pub(crate) fn keep(&self, incoming: &Path, digest: &Digest) -> io::Result<()> {
        let path = self.upload(digest);
        let shelf = path.parent().expect("uploads lie in shelves");
        if !shelf.is_dir() {
            fs::create_dir_all(shelf)?;
            sync_folder(&self.root.join("uploads"))?;
        }
        fs::rename(incoming, &path)?;
        sync_folder(shelf)
    }

    /// Writes a film's picture; whoever reads it meanwhile sees the old one or the new one, never half of one.
    pub(crate) fn write_picture(&self, film: &str, picture: Picture, bytes: &[u8]) -> io::Result<()> {
        fs::create_dir_all(self.pictures_of(film))?;
        write_whole(&self.picture(film, picture), bytes)
    }

    /// Digests of all uploads.
    pub(crate) fn uploads(&self) -> io::Result<Vec<Digest>> {
        Ok(self.on_shelves("uploads")?.into_iter().map(Digest).collect())
    }

    /// Films that have pictures.
    pub(crate) fn pictured(&self) -> io::Result<Vec<String>> {
        self.on_shelves("pictures")
    }

    /// Names in the folders of a folder.
    fn on_shelves(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for shelf in fs::read_dir(self.root.join(folder))? {
            for entry in fs::read_dir(shelf?.path())? {
                names.extend(entry?.file_name().into_string());
            }
        }
        Ok(names)
    }

    /// Removes an upload that no film refers to any more.
    pub(crate) fn remove_upload(&self, digest: &Digest) -> io::Result<()> {
        gone(fs::remove_file(self.upload(digest)))
    }

    /// Removes a film's pictures.
    pub(crate) fn remove_pictures(&self, film: &str) -> io::Result<()> {
        gone(fs::remove_dir_all(self.pictures_of(film)))
    }
}

/// What is not there need not be removed.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Writes a file; whoever looks meanwhile sees what was there before or all of it, never half of it.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut half = path.to_owned().into_os_string();
    half.push(".part");
    let mut file = File::create(&half)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(half, path)
}

/// A new name in a folder is durable once the folder itself is synced.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    // Windows has no such call, and needs none.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_service_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        let first = folder.lock().unwrap();
        assert!(matches!(folder.lock(), Err(ServerError::Served { .. })));
        drop(first);
        folder.lock().unwrap();
    }

    #[test]
    fn an_upload_lies_under_its_digest_and_what_was_on_its_way_is_cleared() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        let (there, lost) = (folder.incoming().join("a"), folder.incoming().join("b"));
        fs::write(&there, b"abc").unwrap();
        fs::write(&lost, b"ab").unwrap();
        let digest = Digest::of(b"abc");
        folder.keep(&there, &digest).unwrap();
        folder.clear_incoming().unwrap();
        assert_eq!(fs::read(folder.upload(&digest)).unwrap(), b"abc");
        assert_eq!(fs::read_dir(folder.incoming()).unwrap().count(), 0);
        folder.remove_upload(&digest).unwrap();
        folder.remove_upload(&digest).unwrap();
    }
}
