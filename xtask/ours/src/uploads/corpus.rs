use anyhow::{Context, Result};
use boneage_core::{Assessment, Date, Decision, Digest, ModelName, Months, SexGiven, SexSource};
use boneage_dicom::{
    DecodeLimits, Occasion, UidRoot, encapsulated_pdf, read, secondary_capture, structured_report,
};
use image::imageops::{FilterType, resize};
use image::{DynamicImage, ImageFormat};
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// A sound file, from which damaged ones are made.
pub(crate) struct Seed {
    #[cfg_attr(not(test), expect(dead_code, reason = "a seed that fails as it is is named by the tests"))]
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// Width and height of the images: as large as a film must be to be read, so that most of what decodes is.
const SIZE: (u32, u32) = (320, 400);

/// Films of `examples/` in every format that is read, 8 and 16 bit, grey and colour; the DICOM fixtures, which are of every
/// transfer syntax; results as DICOM, which are no films.
pub(crate) fn seeds() -> Result<Vec<Seed>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut seeds = Vec::new();
    for (number, path) in files(&root.join("examples"), "png")?.iter().enumerate() {
        let film = image::open(path).with_context(|| path.display().to_string())?;
        // One as it is, the other small: time goes by pixels.
        let film = if number == 0 {
            film
        } else {
            DynamicImage::ImageLuma8(resize(&film.into_luma8(), SIZE.0, SIZE.1, FilterType::Triangle))
        };
        let (grey, deep, colour) = (
            DynamicImage::ImageLuma8(film.to_luma8()),
            DynamicImage::ImageLuma16(film.to_luma16()),
            DynamicImage::ImageRgb8(film.to_rgb8()),
        );
        for (image, depth, formats) in [
            (&grey, "grey", &[ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Tiff, ImageFormat::Bmp][..]),
            (&deep, "16", &[ImageFormat::Png, ImageFormat::Tiff]),
            (&colour, "rgb", &[ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Tiff, ImageFormat::Bmp]),
        ] {
            for &format in formats {
                let mut file = Cursor::new(Vec::new());
                image.write_to(&mut file, format)?;
                let name = format!("{number}-{depth}.{}", format.extensions_str()[0]);
                seeds.push(Seed { name, bytes: file.into_inner() });
            }
        }
    }
    for path in files(&root.join("fixtures/dicom"), "dcm")? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        seeds.push(Seed { name, bytes: fs::read(&path)? });
    }
    seeds.push(Seed { name: "DICOMDIR".to_owned(), bytes: fs::read(root.join("fixtures/dicom/DICOMDIR"))? });
    for (name, bytes) in ["sc.dcm", "pdf.dcm", "sr.dcm"].into_iter().zip(results(&root)?) {
        seeds.push(Seed { name: name.to_owned(), bytes });
    }
    Ok(seeds)
}

/// Files of a folder with this ending, by name.
fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|found| found == ending));
    files.sort();
    Ok(files)
}

/// What `--dicom-out` writes.
fn results(root: &Path) -> Result<[Vec<u8>; 3]> {
    let film = read(&fs::read(root.join("fixtures/dicom/explicit.dcm"))?, &DecodeLimits::default())?;
    let assessment = Assessment {
        months: Some(Months(120.0)),
        interval: None,
        decision: Decision::Accepted,
        flags: Vec::new(),
        sex: SexGiven { value: None, source: SexSource::Unknown },
        chronological: None,
        model: ModelName { name: "none".into(), digest: Digest::of(b"") },
        attention: None,
        hand: None,
        input: None,
    };
    let occasion = Occasion {
        source: &film.source,
        assessment: &assessment,
        date: Date::new(2024, 5, 6).context("a day")?,
        time: [7, 8, 9],
        version: "0",
        root: &UidRoot::default(),
    };
    Ok([
        secondary_capture(&occasion, 64, 48, &[90; 64 * 48 * 3]),
        encapsulated_pdf(&occasion, b"%PDF-1.7 not really"),
        structured_report(&occasion, &[]),
    ])
}
