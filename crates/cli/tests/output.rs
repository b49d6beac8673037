//! What the command prints, word for word.

#[allow(dead_code)] // what only other tests use
mod bench;

use bench::{Bench, run};
use std::path::Path;

/// Digests of the test's model and film change with every change of either: they are no part of the snapshot.
fn without_digests(text: &str) -> String {
    let is_digest = |word: &str| word.len() >= 12 && word.chars().all(|c| c.is_ascii_hexdigit());
    let mut out = String::new();
    for piece in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        out.push_str(&if is_digest(word) { piece.replace(word, "DIGEST") } else { piece.to_owned() });
    }
    out.replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

#[test]
fn help() {
    insta::assert_snapshot!(run(Path::new("."), &["predict", "--help"]).stdout);
}

#[test]
fn version_names_both_licences() {
    let version = run(Path::new("."), &["--version"]);
    assert_eq!(version.code, 0);
    insta::assert_snapshot!(without_digests(&version.stdout));
}

#[test]
fn text() {
    let bench = Bench::new();
    bench.film("small.png", 200, 200);
    let ran = bench.predict(&["small.png", "hand.png"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(without_digests(&ran.stdout));
}

#[test]
fn json() {
    let bench = Bench::new();
    bench.write("sexes.csv", b"id,boneage,male\nhand,120,True\n");
    let ran = bench.predict(&["hand.png", "--sex-csv", "sexes.csv", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(without_digests(&ran.stdout));
}

#[test]
fn a_film_is_laid_down_by_hand_and_it_is_told() {
    let bench = Bench::new();
    let ran = bench.predict(&["hand.png", "--sex", "f", "--turn", "-15", "--crop", "0,0,1,0.9"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("by_hand: turned by hand by 15 degrees anticlockwise, cropped by hand"),
        "{}",
        ran.stdout
    );
    bench.film("a.png", 300, 300);
    for (wrong, reason) in [
        (vec!["hand.png", "--turn", "200"], "a turn of 200 degrees"),
        (vec!["hand.png", "--crop", "0,0,1.1,1"], "shares of the frame, from 0 to 1"),
        (vec!["hand.png", "--crop", "0,0,1"], "four shares"),
        (vec!["hand.png", "a.png", "--mirror"], "there are 2 films"),
    ] {
        let ran = bench.predict(&wrong);
        assert!(ran.code == 2 && ran.stderr.contains(reason), "{wrong:?}: {}", ran.stderr);
    }
}

#[test]
fn csv_rows_are_sorted_by_path() {
    let bench = Bench::new();
    bench.film("a.png", 300, 300);
    let ran = bench.predict(&["hand.png", "a.png", "hand.png", "--sex", "female", "--format", "csv"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(ran.stdout);
}
