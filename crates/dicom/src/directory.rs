use crate::dataset::DataSet;
use crate::file::parts;
use crate::tag::Tag;
use std::path::PathBuf;

/// A directory of a medium is small; what inflates to more is none.
const MOST_BYTES: u64 = 64 << 20;

/// The images that a DICOMDIR refers to, in its order and relative to its folder (PS3.3, annex F); `None` where the
/// bytes are no directory. A record that leads out of the folder is left out.
pub fn directory(bytes: &[u8]) -> Option<Vec<PathBuf>> {
    let parts = parts(bytes, MOST_BYTES).ok()?;
    let set = DataSet::read(&parts.elements, parts.encoding);
    set.find(Tag::DIRECTORY_RECORD_SEQUENCE)?;
    let records = set.items(Tag::DIRECTORY_RECORD_SEQUENCE);
    let images =
        records.iter().filter(|record| record.word(Tag::DIRECTORY_RECORD_TYPE).as_deref() == Some("IMAGE"));
    Some(images.filter_map(|record| path_of(&record.text(Tag::REFERENCED_FILE_ID)?)).collect())
}

/// A file ID: folders and name between backslashes (PS3.10, 8.2).
fn path_of(id: &str) -> Option<PathBuf> {
    let parts = id.split('\\').map(str::trim);
    let sound =
        |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['/', ':', '\0']);
    parts.map(|part| sound(part).then_some(part)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_in_its_folder() {
        assert_eq!(path_of("IMAGES\\A1 "), Some(PathBuf::from("IMAGES/A1")));
        for out in ["..\\..\\etc\\passwd", "/etc/passwd", "A\\\\B", "C:\\x"] {
            assert_eq!(path_of(out), None, "{out}");
        }
    }
}
