use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Ends of names that programs give to files that they are still writing.
const HALVES: [&str; 6] = [".part", ".partial", ".tmp", ".crdownload", ".filepart", "~"];

/// Folders within folders that are looked into.
const DEEPEST: usize = 16;

/// What changes when somebody writes to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Stamp {
        Stamp { bytes: metadata.len(), modified: metadata.modified().ok() }
    }

    /// Many programs make a file first and fill it later.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0
    }
}

/// What a look into a folder finds.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// Files by their paths below the folder.
    pub(super) files: BTreeMap<PathBuf, Stamp>,
    /// Folders below it that could not be looked into.
    pub(super) closed: usize,
}

/// Files of a folder and of those in it, but for the folders `others`. Links are not followed, what is hidden or named as a
/// half-written file is passed over.
pub(super) fn look(folder: &Path, others: &[PathBuf]) -> io::Result<Looked> {
    let mut looked = Looked::default();
    let mut below = vec![(PathBuf::new(), 0)];
    while let Some((path, depth)) = below.pop() {
        let entries = match fs::read_dir(folder.join(&path)) {
            Ok(entries) => entries,
            Err(error) if depth == 0 => return Err(error),
            Err(_) => {
                looked.closed += 1;
                continue;
            }
        };
        // What is gone by the time it is looked at was somebody else's.
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let (Ok(kind), path) = (entry.file_type(), path.join(entry.file_name())) else { continue };
            if name.starts_with('.') || HALVES.iter().any(|half| name.ends_with(half)) {
                continue;
            }
            if kind.is_dir() && depth < DEEPEST && !others.contains(&folder.join(&path)) {
                below.push((path, depth + 1));
            } else if kind.is_file()
                && let Ok(metadata) = entry.metadata()
            {
                looked.files.insert(path, Stamp::of(&metadata));
            }
        }
    }
    Ok(looked)
}

/// A path below a folder where nothing lies: the same, else with a number before its ending.
pub(super) fn free(folder: &Path, path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = path.extension().map_or(String::new(), |ending| format!(".{}", ending.to_string_lossy()));
    let numbered = (2..).map(|number: u64| path.with_file_name(format!("{stem}-{number}{ending}")));
    let mut paths = std::iter::once(path.to_owned()).chain(numbered);
    paths.find(|path| !folder.join(path).exists()).expect("numbers do not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn films_are_found_and_halves_links_and_other_folders_are_not() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["female/ward", "done"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        for name in ["a.png", "b.png.part", ".hidden", "c~", "female/ward/d.dcm", "done/e.png"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(dir.path(), dir.path().join("round")).unwrap();
        let looked = look(dir.path(), &[dir.path().join("done")]).unwrap();
        let names: Vec<_> = looked.files.keys().map(|path| path.display().to_string()).collect();
        assert_eq!(names, ["a.png", "female/ward/d.dcm"]);
        assert!(look(&dir.path().join("absent"), &[]).is_err());
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let dir = tempfile::tempdir().unwrap();
        let path = Path::new("hand.png");
        assert_eq!(free(dir.path(), path), path);
        for expected in ["hand.png", "hand-2.png", "hand-3.png"] {
            let name = free(dir.path(), path);
            assert_eq!(name, Path::new(expected));
            fs::write(dir.path().join(name), "x").unwrap();
        }
    }
}
