use crate::access::secret;
use crate::folder::Folder;
use boneage_core::Digest;
use sha2::{Digest as _, Sha256};
use std::io;
use std::path::{Path, PathBuf};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

/// A file that is coming in, written as it comes.
pub(crate) struct Incoming {
    place: Place,
    file: File,
    hash: Sha256,
    bytes: u64,
    most: u64,
}

/// A file that has come whole and lies synced among what is on its way; gone with this unless it was moved.
pub(crate) struct Arrived {
    place: Place,
    /// SHA-256 of the file.
    pub(crate) digest: Digest,
    /// Its length.
    pub(crate) bytes: u64,
}

/// Why a file does not come in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IncomingError {
    #[error("the file has more than the {most} bytes that are taken")]
    TooLarge { most: u64 },
    #[error(transparent)]
    Disk(#[from] io::Error),
}

/// Where it lies meanwhile.
struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        // Moved already, or not wanted; what cannot be removed now is cleared at the next start.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Incoming {
    /// A new file of at most `most` bytes.
    pub(crate) async fn create(folder: &Folder, most: u64) -> io::Result<Self> {
        let place = Place(folder.incoming().join(secret()?));
        let file = File::create_new(&place.0).await?;
        Ok(Incoming { place, file, hash: Sha256::new(), bytes: 0, most })
    }

    /// What came next.
    pub(crate) async fn add(&mut self, chunk: &[u8]) -> Result<(), IncomingError> {
        self.bytes += chunk.len() as u64;
        if self.bytes > self.most {
            return Err(IncomingError::TooLarge { most: self.most });
        }
        self.hash.update(chunk);
        Ok(self.file.write_all(chunk).await?)
    }

    /// The end: the file is on the disk when this returns.
    pub(crate) async fn arrived(mut self) -> io::Result<Arrived> {
        self.file.flush().await?;
        self.file.sync_all().await?;
        let digest = Digest(self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        Ok(Arrived { place: self.place, digest, bytes: self.bytes })
    }
}

impl Arrived {
    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.place.0
    }
}
