//! DICOM files from the command line: sex and age from the header, contradictions aloud, names nowhere.

#[allow(dead_code)] // what only other tests use
mod bench;

use bench::Bench;
use serde_json::Value;
use std::fs;

/// A bench with a fixture under a name of its own.
fn bench(fixture: &str, name: &str) -> Bench {
    let bench = Bench::new();
    let path = format!("{}/../../fixtures/dicom/{fixture}", env!("CARGO_MANIFEST_DIR"));
    bench.write(name, &fs::read(path).expect("a fixture"));
    bench
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn the_header_tells_sex_and_age() {
    // Below 64 pixels a film is refused: what the header says is told all the same.
    let ran = bench("explicit.dcm", "film").predict(&["film", "--format", "json"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let film = &json(&ran.stdout)[0];
    assert_eq!(film["sex"]["value"], "female");
    assert_eq!(film["sex"]["source"], "header");
    assert_eq!(film["chronological_age"]["months"], 127.0);
    assert_eq!(film["chronological_age"]["source"], "dates");
    let text = bench("explicit.dcm", "film").predict(&["film"]).stdout;
    assert!(text.contains("child     10 years 7 months (127.0 months)"), "{text}");
    assert!(text.contains("female, from the header"), "{text}");
}

#[test]
fn a_sex_that_contradicts_the_header_is_flagged_and_used() {
    let ran = bench("explicit.dcm", "film").predict(&["film", "--sex", "male", "--format", "json"]);
    let film = &json(&ran.stdout)[0];
    assert_eq!((&film["sex"]["value"], &film["sex"]["source"]), (&"male".into(), &"given".into()));
    assert!(film["flags"].as_array().expect("flags").iter().any(|flag| flag["code"] == "sex_contradiction"));
}

#[test]
fn a_chest_is_flagged_and_a_cut_file_is_your_input() {
    let ran = bench("right_chest.dcm", "film").predict(&["film", "--format", "csv"]);
    assert!(ran.stdout.contains("not_hand_by_header") && ran.stdout.contains("right_hand"), "{}", ran.stdout);
    let cut = bench("cut_pixels.dcm", "film").predict(&["film", "--format", "json"]);
    assert_eq!((cut.code, cut.stdout.as_str()), (2, "[]\n"));
    assert!(cut.stderr.contains("truncated") && cut.stderr.contains("hint:"), "{}", cut.stderr);
}

#[test]
fn no_name_and_no_number_of_a_patient_is_told() {
    for format in ["text", "json", "csv"] {
        let ran = bench("explicit.dcm", "film").predict(&["film", "--format", format, "--overlay", "out"]);
        assert!(!ran.stdout.contains("Nobody") && !ran.stderr.contains("Nobody"), "{}", ran.stdout);
    }
}

#[test]
fn results_go_back_as_page_and_as_dicom() {
    let bench = bench("explicit.dcm", "film.dcm");
    let args = ["film.dcm", "--pdf", "out", "--dicom-out", "out", "--uid-root", "1.2.826.0.1.3680043.8.498"];
    let ran = bench.predict(&args);
    assert_eq!(ran.code, 1, "the fixture is too small for an age: {}", ran.stderr);
    let read =
        |name: &str| fs::read(bench.path("out").join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(read("film.pdf").starts_with(b"%PDF"));
    for name in ["film.sc.dcm", "film.pdf.dcm", "film.sr.dcm"] {
        assert_eq!(&read(name)[128..132], b"DICM", "{name}");
    }
    let again = bench.predict(&args);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("exists already; hint: --force"), "{}", again.stderr);
    let png = bench.predict(&["hand.png", "--dicom-out", "other"]);
    assert_eq!(png.code, 2);
    assert!(png.stderr.contains("need a film as DICOM"), "{}", png.stderr);
}

#[test]
fn a_reading_as_fhir_is_one_bundle() {
    let bench = bench("explicit.dcm", "film");
    let ran = bench.predict(&["film", "hand.png", "--sex", "f", "--format", "fhir"]);
    let bundle = json(&ran.stdout);
    assert_eq!(bundle["resourceType"], "Bundle");
    let entries = bundle["entry"].as_array().expect("entries");
    assert_eq!(entries.len(), 4);
    assert_eq!(entries[0]["resource"]["effectiveDateTime"], "2020-08-15");
    assert_eq!(entries[3]["resource"]["valueQuantity"]["value"], 122.4);
}

#[test]
fn a_reference_of_ones_own_is_checked_before_anything_is_read() {
    let bench = bench("explicit.dcm", "film");
    bench.write("own.csv", b"sex,age,mean,sd\nboy,1,1,1\n");
    let ran = bench.predict(&["film", "--reference", "own.csv"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr.contains("own.csv") && ran.stderr.contains("line 2: \"boy\" is no sex"),
        "{}",
        ran.stderr
    );
}

#[test]
fn an_adult_height_needs_the_childs_age_and_one_child() {
    let bench = bench("explicit.dcm", "film");
    let ran = bench.predict(&["hand.png", "--sex", "f", "--height", "140", "--format", "json"]);
    assert_eq!(json(&ran.stdout)[0]["adult_height"]["reason"], "the child's age is unknown");
    // A film too small for an age has no adult height either.
    let ran = bench.predict(&["film", "--height", "140", "--format", "json"]);
    assert!(json(&ran.stdout)[0].get("adult_height").is_none());
    for (args, told) in [
        (vec!["film", "hand.png", "--height", "140"], "there are 2 films"),
        (vec!["hand.png", "--height", "1.4"], "in centimetres"),
    ] {
        let ran = bench.predict(&args);
        assert!(ran.code == 2 && ran.stderr.contains(told), "{}", ran.stderr);
    }
}
