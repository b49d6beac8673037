//! What the recipe does on real radiographs. These need data that is not in the repository:
//! `BONEAGE_DATA` names a folder, and each test prints why it is skipped where its files are missing.
//!
//! `BONEAGE_DATA=DIR cargo test -p boneage-vision --test data -- --nocapture`

use boneage_core::{FlagCode, Plane};
use boneage_vision::{DecodeLimits, Filter, Preprocess, decode, polarity_score, resize};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Files directly in a folder of the data, sorted; `None`, with a printed reason, without it.
fn files(folder: &str) -> Option<Vec<PathBuf>> {
    let Some(data) = std::env::var_os("BONEAGE_DATA") else {
        eprintln!("skipped: BONEAGE_DATA is not set");
        return None;
    };
    let folder = Path::new(&data).join(folder);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: {} is not there", folder.display());
        return None;
    };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    Some(files)
}

fn plane(path: &Path) -> Plane {
    let bytes = std::fs::read(path).expect("readable");
    decode(&bytes, &DecodeLimits::default())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .plane
}

/// No training image is inverted, so each one taken for it is a false alarm; at most 0.1 % may be, and
/// 99.5 % of their negatives must be found.
#[test]
fn polarity_of_the_training_images() {
    let Some(paths) = files("images") else { return };
    let scores: Vec<(f32, f32, bool)> = paths
        .par_iter()
        .map(|path| {
            let image = plane(path);
            let negative = image.map(|grey| 1.0 - grey);
            let frame = Preprocess::default().frame(&image);
            let flagged = frame.flags().iter().any(|flag| flag.code == FlagCode::PolarityInverted);
            (polarity_score(&image), polarity_score(&negative), flagged)
        })
        .collect();
    let share = |n: usize| 100.0 * n as f64 / scores.len() as f64;
    let alarms = scores.iter().filter(|(_, _, flagged)| *flagged).count();
    let hits = scores.iter().filter(|(_, negative, _)| *negative < -0.15).count();
    println!(
        "{} images: {alarms} false alarms ({:.3} %), {:.3} % of the negatives found",
        scores.len(),
        share(alarms),
        share(hits)
    );
    assert!(share(alarms) < 0.1 && share(hits) > 99.5);
}

/// The squash of an original is the training image but for its JPEG at quality 85, which moves greys by
/// 0.7 of 255 on average.
#[test]
fn originals_become_their_training_images() {
    let Some(originals) = files("originals") else { return };
    let differences: Vec<f64> = originals
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "png" || e == "jpg"))
        .map(|path| {
            let name = path.file_stem().expect("a file").to_string_lossy();
            let squashed = resize(&plane(path), 299, 299, Filter::Triangle);
            let released = plane(&path.with_file_name(format!("../images/{name}.jpg")));
            let sum: f64 =
                squashed.pixels().iter().zip(released.pixels()).map(|(a, b)| f64::from((a - b).abs())).sum();
            255.0 * sum / (299.0 * 299.0)
        })
        .collect();
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    println!("{} originals: mean absolute difference {mean:.3} of 255", differences.len());
    assert!(mean < 0.8);
}

/// Each file of a folder of oddities is read or refused with a reason; none panics.
#[test]
fn odd_files_are_read_or_refused() {
    let Some(classes) = files("") else { return };
    for folder in classes.iter().filter(|path| path.is_dir()) {
        let class = folder.file_name().expect("a folder").to_string_lossy().into_owned();
        if !class.starts_with(['A', 'B', 'C', 'D']) {
            continue;
        }
        let mut read = 0;
        for path in files(&class).unwrap_or_default().into_iter().filter(|path| path.is_file()) {
            let name = path.file_name().expect("a file").to_string_lossy().into_owned();
            match decode(&std::fs::read(&path).expect("readable"), &DecodeLimits::default()) {
                Ok(decoded) => {
                    let frame = Preprocess::default().frame(&decoded.plane);
                    assert!(frame.image().pixels().iter().all(|grey| (0.0..=255.0).contains(grey)), "{name}");
                    read += 1;
                    let codes: Vec<&str> =
                        decoded.flags.iter().chain(frame.flags()).map(|flag| flag.code.as_str()).collect();
                    let (width, height) = (decoded.plane.width(), decoded.plane.height());
                    println!("{class}/{name}: {width} x {height}, {} bit, {codes:?}", decoded.bits);
                }
                Err(error) => println!("{class}/{name}: {error}"),
            }
        }
        println!("{class}: {read} read");
    }
}
