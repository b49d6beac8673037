use anyhow::anyhow;
use boneage_dicom::{directory, is_dicom};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use walkdir::WalkDir;

/// Endings by which an image is known inside a folder. A file that is named itself is tried whatever its name.
const ENDINGS: [&str; 7] = ["bmp", "dcm", "jpeg", "jpg", "png", "tif", "tiff"];

/// The name of a medium's directory (PS3.10, 8.6).
const DIRECTORY: &str = "DICOMDIR";

/// As much of a file as tells whether it is DICOM: preamble, meta group, the first elements.
const HEAD: u64 = 1024;

/// What a list of files and folders comes to.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    /// The files, by path, each once.
    pub(crate) files: Vec<PathBuf>,
    /// What could not be looked at, and folders without an image.
    pub(crate) failures: Vec<anyhow::Error>,
}

/// Files as they are named, and the images of folders: all levels, links followed, sorted by path.
pub(crate) fn gather(paths: &[PathBuf]) -> Inputs {
    let mut inputs = Inputs::default();
    for path in paths {
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => gather_folder(path, &mut inputs),
            Ok(metadata) if metadata.is_file() && is_directory(path) => gather_directory(path, &mut inputs),
            Ok(metadata) if metadata.is_file() => inputs.files.push(path.clone()),
            Ok(_) => inputs.failures.push(anyhow!("{} is neither a file nor a folder", path.display())),
            Err(error) => inputs.failures.push(anyhow!("{}: {error}; hint: check the path", path.display())),
        }
    }
    inputs.files.sort_unstable();
    inputs.files.dedup();
    inputs
}

fn gather_folder(folder: &Path, inputs: &mut Inputs) {
    let (files_before, failures_before) = (inputs.files.len(), inputs.failures.len());
    for entry in WalkDir::new(folder).follow_links(true) {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_image(entry.path()) => {
                inputs.files.push(entry.into_path());
            }
            Ok(_) => {}
            // Its images were gathered on the way down: nothing is lost by not going round again.
            Err(error) if error.loop_ancestor().is_some() => {}
            Err(error) => inputs.failures.push(anyhow!("{error}; hint: check links and permissions")),
        }
    }
    if inputs.files.len() == files_before && inputs.failures.len() == failures_before {
        let endings = ENDINGS.join(", ");
        inputs.failures.push(anyhow!(
            "folder {} holds no image; hint: looked for {endings} and DICOM",
            folder.display()
        ));
    }
}

/// The images that a directory lists.
fn gather_directory(path: &Path, inputs: &mut Inputs) {
    let shown = path.display();
    let Some(listed) = fs::read(path).ok().and_then(|bytes| directory(&bytes)) else {
        // Whatever it is, reading it will tell.
        inputs.files.push(path.to_owned());
        return;
    };
    if listed.is_empty() {
        inputs.failures.push(anyhow!("directory {shown} lists no image; hint: give the files themselves"));
    }
    for file in listed {
        let file = path.with_file_name(file);
        if file.is_file() {
            inputs.files.push(file);
        } else {
            let missing = file.display();
            inputs.failures.push(anyhow!(
                "directory {shown} lists {missing}, which is not there; hint: copy the whole medium"
            ));
        }
    }
}

fn is_directory(path: &Path) -> bool {
    path.file_stem().and_then(OsStr::to_str).is_some_and(|stem| stem.eq_ignore_ascii_case(DIRECTORY))
}

/// An image by its ending, else by its content: archives name DICOM files as they like. The directory of a
/// medium is none, as its images lie beside it.
fn is_image(path: &Path) -> bool {
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    if ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)) {
        return true;
    }
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    !is_directory(path) && read.is_ok() && is_dicom(&head)
}

/// One name of an output a file: `hand.overlay.png`, or with more of its path where that is taken already:
/// `hand.jpg.overlay.png`, `left_hand.jpg.overlay.png`.
pub(crate) fn output_names(files: &[PathBuf], ending: &str) -> Vec<String> {
    let lossy = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let mut taken = HashSet::new();
    let mut name_of = |path: &PathBuf| {
        let parts = path.components().filter_map(|part| match part {
            Component::Normal(part) => Some(part.to_string_lossy()),
            _ => None,
        });
        let whole = parts.collect::<Vec<_>>().join("_");
        let numbered = (2..).map(|number| format!("{whole}-{number}"));
        let shorter = [lossy(path.file_stem()), lossy(path.file_name()), whole.clone()];
        let mut names = shorter.into_iter().chain(numbered).map(|name| format!("{name}.{ending}"));
        names.find(|name| taken.insert(name.clone())).expect("numbers do not end")
    };
    files.iter().map(&mut name_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn folders_are_walked_in_order_and_other_files_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("b/deep")).unwrap();
        for name in ["b/deep/2.PNG", "b/1.jpg", "a.tiff", "labels.csv"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        let inputs = gather(&[dir.path().to_owned(), dir.path().join("a.tiff")]);
        let names: Vec<_> =
            inputs.files.iter().map(|f| f.strip_prefix(dir.path()).unwrap().display().to_string()).collect();
        assert_eq!(names, ["a.tiff", "b/1.jpg", "b/deep/2.PNG"]);
        assert!(inputs.failures.is_empty());
    }

    #[test]
    fn dicom_is_known_by_its_content_and_a_directory_stands_for_what_it_lists() {
        let dir = tempfile::tempdir().unwrap();
        let fixture = |name: &str| {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/dicom");
            fs::read(Path::new(folder).join(name)).unwrap()
        };
        fs::create_dir(dir.path().join("IMAGES")).unwrap();
        for (name, bytes) in [
            ("DICOMDIR", fixture("DICOMDIR")),
            ("IMAGES/A1", fixture("explicit.dcm")),
            ("IMAGES/1.2.826.7", fixture("no_meta.dcm")),
            ("IMAGES/notes.txt", b"no image".to_vec()),
        ] {
            fs::write(dir.path().join(name), bytes).unwrap();
        }
        let folder = gather(&[dir.path().to_owned()]);
        assert_eq!(folder.files, [dir.path().join("IMAGES/1.2.826.7"), dir.path().join("IMAGES/A1")]);
        let medium = gather(&[dir.path().join("DICOMDIR")]);
        assert_eq!(medium.files, [dir.path().join("IMAGES/A1")]);
        assert_eq!(medium.failures.len(), 1, "it lists IMAGES/A2, which is not there");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_a_loop_ends() {
        let dir = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("linked.png"), "x").unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), dir.path().join("there")).unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("round")).unwrap();
        let inputs = gather(&[dir.path().to_owned()]);
        assert_eq!(inputs.files, [dir.path().join("there/linked.png")]);
        assert!(inputs.failures.is_empty(), "{:?}", inputs.failures);
    }

    #[test]
    fn an_empty_folder_and_a_missing_path_are_failures() {
        let dir = tempfile::tempdir().unwrap();
        let inputs = gather(&[dir.path().to_owned(), dir.path().join("absent.png")]);
        let messages: Vec<String> = inputs.failures.iter().map(ToString::to_string).collect();
        assert!(messages[0].contains("holds no image") && messages[1].contains("absent.png"), "{messages:?}");
    }

    #[test]
    fn pictures_never_share_a_name() {
        let files = ["x/hand.jpg", "x/hand.png", "y/hand.png", "x/foot.png"].map(PathBuf::from);
        assert_eq!(
            output_names(&files, "overlay.png"),
            ["hand.overlay.png", "hand.png.overlay.png", "y_hand.png.overlay.png", "foot.overlay.png"]
        );
    }
}
