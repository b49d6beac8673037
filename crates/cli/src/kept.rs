use anyhow::bail;
use std::path::Path;

/// Lets nothing be lost: looked at before the work begins, whatever would be written over.
///
/// # Errors
/// Names the first of `files` that is there already, unless `force`.
pub(crate) fn keep<P: AsRef<Path>>(files: impl IntoIterator<Item = P>, force: bool) -> anyhow::Result<()> {
    match files.into_iter().find(|file| !force && file.as_ref().exists()) {
        Some(there) => bail!("{} exists already; hint: --force replaces it", there.as_ref().display()),
        None => Ok(()),
    }
}
