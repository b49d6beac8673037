//! Damaged files by the thousand: none panics, none takes long. The fuzz target `fuzz/fuzz_targets/dicom.rs` goes
//! on from here.

use boneage_core::stream;
use boneage_dicom::{DecodeLimits, directory, is_dicom, read};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Damaged copies of each fixture.
const COPIES: u64 = 3000;

/// Longest that one may take: the pictures have 1,440 pixels, a hundred times as many are allowed.
const LONGEST: Duration = Duration::from_secs(5);

/// A damaged copy: some bytes changed, a piece doubled, dropped or cut off.
fn damaged(sound: &[u8], random: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    for _ in 0..=random(4) {
        let at = random(bytes.len().max(1));
        let to = (at + 1 + random(40)).min(bytes.len());
        match random(6) {
            0 if !bytes.is_empty() => bytes.truncate(at.max(1)),
            1 => drop(bytes.drain(at.min(to)..to)),
            2 => bytes.extend_from_within(at.min(to)..to),
            // Numbers that break sums.
            3 => bytes.iter_mut().skip(at).take(1 + random(4)).for_each(|byte| *byte = 0xFF),
            4 => bytes.iter_mut().skip(at).take(1 + random(4)).for_each(|byte| *byte = 0),
            _ => bytes.iter_mut().skip(at).take(1 + random(3)).for_each(|byte| *byte = random(256) as u8),
        }
    }
    bytes
}

#[test]
fn damaged_files_are_read_or_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/dicom");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "dcm"));
    files.sort();
    assert!(files.len() > 30, "{} fixtures", files.len());
    let (mut accepted, mut refused) = (0, 0);
    for file in files {
        let sound = fs::read(&file).expect("a fixture");
        let name = file.file_name().and_then(|name| name.to_str()).expect("a name");
        for copy in 0..COPIES {
            let mut draws = stream(copy, &["damage", name]);
            let bytes = damaged(&sound, &mut |below| draws.below(below));
            let started = Instant::now();
            let _ = (is_dicom(&bytes), directory(&bytes));
            match read(&bytes, &DecodeLimits::pixels(144_000)) {
                Ok(film) => {
                    let sound = film.plane.pixels().iter().all(|grey| (0.0..=1.0).contains(grey));
                    assert!(sound, "{name}, copy {copy}: a grey beyond 0..1");
                    accepted += 1;
                }
                Err(_) => refused += 1,
            }
            assert!(started.elapsed() < LONGEST, "{name}, copy {copy}: {:?}", started.elapsed());
        }
    }
    println!("{accepted} read, {refused} refused");
    assert!(accepted > 10_000 && refused > 10_000, "{accepted} read, {refused} refused");
}
