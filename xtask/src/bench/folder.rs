use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// A folder for the files of one run, gone with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Under the system's folder for such things.
    pub(crate) fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("boneage-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        Ok(Folder(path))
    }

    /// A path in it.
    pub(crate) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}
