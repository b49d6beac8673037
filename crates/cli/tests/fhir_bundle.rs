//! FHIR as a library of others reads it. Where Python lacks it, the test says so and is skipped; the continuous integration
//! has it.

#[allow(dead_code)] // what only other tests use
mod bench;
mod others;

use bench::Bench;
use others::python_with;
use std::fs::File;

#[test]
fn another_library_reads_the_bundle() {
    let Some(mut python) = python_with("fhir.resources.R4B.bundle") else { return };
    let bench = Bench::new();
    bench.film("dark.png", 40, 40);
    let ran =
        bench.predict(&["hand.png", "dark.png", "--sex", "f", "--format", "fhir", "--out", "bundle.json"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fhir_bundle.py");
    let bundle = File::open(bench.path("bundle.json")).expect("the result");
    let read = python.arg(script).stdin(bundle).output().expect("it starts");
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let told = String::from_utf8_lossy(&read.stdout);
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines.len() == 2 && lines[1].starts_with("preliminary 122.4 mo "), "{told}");
    assert!(lines[0].starts_with("preliminary ") && !lines[0].contains(" mo "), "{told}");
}
