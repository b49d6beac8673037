//! Every fixture is read as pydicom reads it, to the last of 16 bits, or refused in words that say why.
//! `fixtures/dicom/make.py` made them.

use boneage_core::{AgeSource, Date, Sex};
use boneage_dicom::{DecodeLimits, Laterality, Radiograph, is_dicom, read};
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/dicom")
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(folder().join(format!("{name}.dcm"))).expect(name)
}

fn film(name: &str) -> Radiograph {
    read(&bytes(name), &DecodeLimits::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn refused(name: &str) -> String {
    let bytes = bytes(name);
    assert!(is_dicom(&bytes), "{name}");
    read(&bytes, &DecodeLimits::default()).map(|_| ()).expect_err(name).to_string()
}

fn codes(film: &Radiograph) -> Vec<&str> {
    film.flags.iter().map(|flag| flag.code.as_str()).collect()
}

/// Largest difference from what pydicom made of it, in steps of 16 bits.
fn difference(name: &str) -> f32 {
    let seen = fs::read(folder().join(format!("{name}.u16"))).expect(name);
    let plane = film(name).plane;
    assert_eq!(seen.len(), 2 * plane.pixels().len(), "{name}");
    let (twos, _) = seen.as_chunks::<2>();
    let pairs = plane.pixels().iter().zip(twos);
    pairs.map(|(grey, &two)| (grey * 65535.0 - f32::from(u16::from_le_bytes(two))).abs()).fold(0.0, f32::max)
}

#[test]
fn greys_are_those_of_pydicom() {
    let exact = [
        "explicit",
        "implicit",
        "big_endian",
        "deflated",
        "no_preamble",
        "no_meta",
        "says_implicit",
        "rle",
        "jpeg2000",
        "says_jpeg",
        "jpeg_lossless",
        "monochrome1",
        "window",
        "exact",
        "sigmoid",
        "rescaled",
        "signed",
        "modality_lut",
        "voi_lut",
        "sixteen",
        "overlay_bits",
        "rgb",
        "planar",
        "palette",
        "frames",
        "right_chest",
        "stated_age",
        "window_of_nothing",
    ];
    for name in exact {
        let difference = difference(name);
        assert!(difference <= 0.51, "{name}: {difference} of 65,535");
    }
    // Two decoders of the same cosine transform may round a sample to either side: a step of 12 or 8 bits.
    assert!(difference("jpeg_extended") <= 65535.0 / 4095.0 + 1.0);
    assert!(difference("jpeg_baseline") <= 65535.0 / 255.0 + 1.0);
}

#[cfg(feature = "jpeg-ls")]
#[test]
fn jpeg_ls_is_read_with_its_feature() {
    // Of 12, 8 and 16 bit, and with loss, which the same library decodes for pydicom.
    for name in ["jpeg_ls", "jpeg_ls_8", "jpeg_ls_16", "jpeg_ls_near"] {
        assert!(difference(name) <= 0.51, "{name}: {}", difference(name));
    }
}

#[cfg(not(feature = "jpeg-ls"))]
#[test]
fn jpeg_ls_is_refused_by_name_without_its_feature() {
    assert!(refused("jpeg_ls").contains("JPEG-LS (this program was built without"));
}

#[test]
fn the_header_tells_who_and_what() {
    let header = film("explicit").header;
    assert_eq!(header.sex, Some(Sex::Female));
    assert_eq!(header.birth_date, Date::new(2010, 1, 15));
    assert_eq!(header.study_date, Date::new(2020, 8, 15));
    let age = header.age.expect("both dates are there");
    assert_eq!((age.months.0, age.source), (127.0, AgeSource::Dates));
    assert_eq!(header.laterality, Some(Laterality::Left));
    assert_eq!((header.view.as_deref(), header.body_part.as_deref()), (Some("PA"), Some("HAND")));
    assert_eq!(header.spacing.map(|spacing| (spacing.row_mm, spacing.column_mm)), Some((0.15, 0.15)));

    let stated = film("stated_age").header;
    assert_eq!(stated.sex, Some(Sex::Male));
    assert_eq!(stated.age.map(|age| (age.months.0, age.source)), Some((144.0, AgeSource::Stated)));
}

#[test]
fn the_beginning_of_a_file_has_its_header() {
    for name in ["explicit", "deflated", "jpeg2000"] {
        let (whole, file) = (film(name), bytes(name));
        let (header, source) = boneage_dicom::header(&file[..file.len() - 500]).expect(name);
        assert_eq!((&header, &source), (&whole.header, &whole.source), "{name}");
        assert_eq!(source.accession_number().as_deref(), Some("A7"));
    }
    assert!(boneage_dicom::header(b"hello").is_err());
}

#[test]
fn a_films_name_is_nowhere_in_what_was_read() {
    let told = format!("{:?}", film("explicit"));
    assert!(!told.contains("Nobody") && !told.contains("A7"));
}

#[test]
fn what_is_odd_is_flagged() {
    assert_eq!(codes(&film("explicit")), [""; 0]);
    for (name, code) in [
        ("says_implicit", "storage_contradiction"),
        ("says_jpeg", "storage_contradiction"),
        ("frames", "first_frame"),
        ("window_of_nothing", "window_ignored"),
        ("rgb", "colour_picture"),
        ("oblong", "pixels_not_square"),
    ] {
        assert_eq!(codes(&film(name)), [code], "{name}");
    }
    assert_eq!(codes(&film("right_chest")), ["not_hand_by_header", "right_hand"]);
    let oblong = film("oblong").plane;
    assert_eq!((oblong.width(), oblong.height()), (36, 60));
}

#[test]
fn what_cannot_be_read_is_refused_with_its_reason() {
    assert!(refused("no_pixels").contains("holds no image"));
    assert!(refused("rows_65535").contains("36 x 65535"));
    assert!(refused("cut_pixels").contains("within its pixels"));
    assert!(refused("cut_header").contains("truncated"));
}

#[test]
fn sizes_are_checked_before_anything_is_decoded() {
    let small = DecodeLimits::pixels(1000);
    let error = read(&bytes("jpeg2000"), &small).map(|_| ()).expect_err("1,440 pixels").to_string();
    assert!(error.contains("36 x 40") && error.contains("1000"), "{error}");
}

#[test]
fn other_files_are_no_dicom() {
    for other in
        [&b""[..], b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"BM", b"II*\0\x08\0\0\0", b"hello, world", &[0; 400]]
    {
        assert!(!is_dicom(other), "{other:?}");
    }
}
