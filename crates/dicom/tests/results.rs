//! Results as DICOM objects, read back by our own reader and looked at byte by byte where it matters. What others say
//! of them: `fixtures/dicom/check_results.py`.

use boneage_core::{
    AgeSource, Assessment, ChronologicalAge, Date, Decision, Digest, Flag, FlagCode, Interval, ModelName,
    Months, Sex, SexGiven, SexSource,
};
use boneage_dicom::{
    DecodeLimits, Measurement, Occasion, Source, UidRoot, encapsulated_pdf, is_dicom, read,
    secondary_capture, structured_report,
};
use std::fs;
use std::path::Path;

fn film() -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/dicom");
    fs::read(folder.join("explicit.dcm")).expect("a fixture")
}

fn assessment() -> Assessment {
    Assessment {
        months: Some(Months(127.349)),
        interval: Some(Interval { lower: Months(112.0), upper: Months(142.6), level: 0.9 }),
        decision: Decision::Flagged,
        flags: vec![Flag::new(FlagCode::RightHand, "a right hand, says \u{e9}")],
        sex: SexGiven { value: Some(Sex::Female), source: SexSource::Header },
        chronological: Some(ChronologicalAge { months: Months(120.0), source: AgeSource::Dates }),
        model: ModelName { name: "attention".into(), digest: Digest::of(b"model") },
        attention: None,
        hand: None,
        input: Some(Digest::of(b"film")),
    }
}

/// Every kind of object from one reading.
fn objects(source: &Source, assessment: &Assessment, root: &UidRoot) -> [Vec<u8>; 3] {
    let date = Date::new(2024, 5, 6).expect("a day");
    let occasion = Occasion { source, assessment, date, time: [7, 8, 9], version: "1.2.3", root };
    let score = Measurement {
        meaning: "Standard deviation score of the bone age, Brush Foundation".to_owned(),
        code: "SDS",
        value: 0.6,
        unit: ("{SD}", "standard deviations"),
    };
    let rgb: Vec<u8> = (0..40 * 44 * 3).map(|i| (i % 251) as u8).collect();
    [
        secondary_capture(&occasion, 40, 44, &rgb),
        encapsulated_pdf(&occasion, b"%PDF-1.7 not really"),
        structured_report(&occasion, &[score]),
    ]
}

fn contains(bytes: &[u8], what: &str) -> bool {
    bytes.windows(what.len()).any(|window| window == what.as_bytes())
}

#[test]
fn patient_and_study_are_those_of_the_film_and_nothing_else_is_copied() {
    let source = read(&film(), &DecodeLimits::default()).expect("a film").source;
    for object in objects(&source, &assessment(), &UidRoot::default()) {
        assert!(is_dicom(&object));
        for copied in ["Nobody^Drawn", "20100115", "20200815", "1.2.826.0.1.3680043.8.498.1.2"] {
            assert!(contains(&object, copied), "{copied}");
        }
        // The film's view and spacing say nothing of a report.
        assert!(!contains(&object, "0.15"));
        assert!(contains(&object, "2.25."));
    }
}

#[test]
fn a_secondary_capture_shows_what_was_drawn() {
    let source = read(&film(), &DecodeLimits::default()).expect("a film").source;
    let [capture, ..] = objects(&source, &assessment(), &UidRoot::default());
    let read = read(&capture, &DecodeLimits::default()).expect("an image");
    assert_eq!((read.plane.width(), read.plane.height()), (40, 44));
    let expected = (0.299 * 0.0 + 0.587 * 1.0 + 0.114 * 2.0) / 255.0;
    assert!((read.plane.at(0, 0) - expected).abs() < 1e-6);
}

#[test]
fn a_report_has_numbers_with_codes_and_says_when_there_is_none() {
    let source = read(&film(), &DecodeLimits::default()).expect("a film").source;
    let [_, _, report] = objects(&source, &assessment(), &UidRoot::default());
    for part in
        ["37362-1", "127.3", "112.0", "142.6", "120.0", "SDS", "99BONEAGE", "UNVERIFIED", "126000", "says ?"]
    {
        assert!(contains(&report, part), "{part}");
    }
    let refused = Assessment { months: None, interval: None, decision: Decision::Refused, ..assessment() };
    let [_, _, report] = objects(&source, &refused, &UidRoot::default());
    assert!(contains(&report, "114006") && !contains(&report, "127.3"));
}

#[test]
fn the_same_reading_has_the_same_uids_under_any_root() {
    let source = read(&film(), &DecodeLimits::default()).expect("a film").source;
    let root: UidRoot = "1.2.826.0.1.3680043.8.498".parse().expect("a root");
    assert_eq!(objects(&source, &assessment(), &root), objects(&source, &assessment(), &root));
    let mut other = assessment();
    other.input = Some(Digest::of(b"another film"));
    assert_ne!(objects(&source, &assessment(), &root)[2], objects(&source, &other, &root)[2]);
    assert!(!contains(&objects(&source, &other, &root)[2], "2.25."));
}

/// Writes the objects into the folder that `BONEAGE_RESULTS` names, for the checks of others.
#[test]
fn objects_are_left_for_others_to_check() {
    let Ok(folder) = std::env::var("BONEAGE_RESULTS") else {
        println!("skipped: BONEAGE_RESULTS names no folder");
        return;
    };
    let source = read(&film(), &DecodeLimits::default()).expect("a film").source;
    let names = ["capture.dcm", "page.dcm", "report.dcm"];
    for (name, object) in names.iter().zip(objects(&source, &assessment(), &UidRoot::default())) {
        fs::write(Path::new(&folder).join(name), object).expect("a writable folder");
    }
}
