//! Reads every file of a folder, a line a file: what it was read as, or why it was not.
//!
//! `cargo run -p boneage-dicom --example specimens -- FOLDER [PLANES]`. With a second folder, each plane is
//! written there, 32 bit floats after width and height, to be compared with what others make of the file.

use boneage_dicom::{DecodeLimits, directory, is_dicom, read};
use std::error::Error;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

fn files(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { files(&path, found)? } else { found.push(path) }
    }
    found.sort();
    Ok(())
}

/// What happened to one file, and its plane.
fn told(bytes: &[u8]) -> (String, Option<boneage_core::Plane>) {
    if let Some(files) = directory(bytes) {
        return (format!("a directory of {} files", files.len()), None);
    }
    if !is_dicom(bytes) {
        return ("not recognised".to_owned(), None);
    }
    match read(bytes, &DecodeLimits::default()) {
        Ok(radiograph) => {
            let flags: Vec<&str> = radiograph.flags.iter().map(|flag| flag.code.as_str()).collect();
            let plane = radiograph.plane;
            let words = format!("read, {} x {}; {}", plane.width(), plane.height(), flags.join(", "));
            (words.trim_end_matches("; ").to_owned(), Some(plane))
        }
        Err(error) => (format!("refused: {error}"), None),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("give a folder")?);
    let planes = arguments.next().map(PathBuf::from);
    let mut found = Vec::new();
    files(&folder, &mut found)?;
    for file in found {
        let bytes = fs::read(&file)?;
        let name = file.strip_prefix(&folder)?.display().to_string();
        let (words, plane) = catch_unwind(|| told(&bytes)).unwrap_or(("PANICKED".to_owned(), None));
        println!("{name}\t{words}");
        if let (Some(planes), Some(plane)) = (&planes, plane) {
            let mut out: Vec<u8> = Vec::new();
            out.extend([plane.width() as u32, plane.height() as u32].iter().flat_map(|n| n.to_le_bytes()));
            out.extend(plane.pixels().iter().flat_map(|grey| grey.to_le_bytes()));
            fs::create_dir_all(planes)?;
            fs::write(planes.join(name.replace('/', "__") + ".f32"), out)?;
        }
    }
    Ok(())
}
