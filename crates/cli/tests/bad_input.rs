//! Files and words that cannot be used: each is named with a hint, and the exit code tells what kind it was.

#[allow(dead_code)] // what only other tests use
mod bench;

use bench::{Bench, Ran};
use std::fs;

/// Predicts from one file and expects exit code 2, nothing but an empty result, and a hint.
fn unreadable(bench: &Bench, file: &str) -> String {
    let Ran { code, stdout, stderr } = bench.predict(&[file, "--sex", "f", "--format", "json"]);
    assert_eq!((code, stdout.as_str()), (2, "[]\n"), "{stderr}");
    assert!(stderr.contains(file) && stderr.contains("hint:"), "{stderr}");
    stderr
}

#[test]
fn what_is_not_an_image() {
    let bench = Bench::new();
    bench.write("text.png", b"this is not a picture at all");
    assert!(unreadable(&bench, "text.png").contains("not an image"));
}

#[test]
fn an_empty_file() {
    let bench = Bench::new();
    bench.write("empty.png", b"");
    assert!(unreadable(&bench, "empty.png").contains("empty"));
}

#[test]
fn a_truncated_file() {
    let bench = Bench::new();
    let whole = fs::read(bench.path("hand.png")).unwrap();
    bench.write("cut.png", &whole[..whole.len() / 2]);
    unreadable(&bench, "cut.png");
}

#[test]
fn one_pixel() {
    let bench = Bench::new();
    bench.film("dot.png", 1, 1);
    assert!(unreadable(&bench, "dot.png").contains("1 x 1"));
}

#[test]
fn absurd_dimensions() {
    let bench = Bench::new();
    // The header of a grey PNG with 100,000 in place of width and height; its checksum is that of zlib.
    let mut header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    header.extend([100_000u32.to_be_bytes(), 100_000u32.to_be_bytes()].concat());
    header.extend([8, 0, 0, 0, 0, 0xe1, 0x6e, 0xf5, 0x3c]);
    bench.write("huge.png", &header);
    assert!(unreadable(&bench, "huge.png").contains("100000 x 100000"));
}

#[test]
fn more_pixels_than_allowed() {
    let bench = Bench::new();
    bench.film("large.png", 1100, 1000);
    let ran = bench.predict(&["large.png", "--sex", "f", "--max-megapixels", "1"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("1100 x 1000"), "{}", ran.stderr);
}

#[test]
fn a_folder_with_nothing_in_it() {
    let bench = Bench::new();
    fs::create_dir(bench.path("films")).unwrap();
    assert!(unreadable(&bench, "films").contains("holds no image"));
}

#[test]
fn a_path_that_is_not_there() {
    unreadable(&Bench::new(), "absent.png");
}

#[cfg(unix)]
#[test]
fn a_file_or_folder_without_permission() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    fs::create_dir(bench.path("closed")).unwrap();
    bench.film("locked.png", 100, 100);
    for name in ["locked.png", "closed"] {
        fs::set_permissions(bench.path(name), fs::Permissions::from_mode(0o000)).unwrap();
    }
    if fs::read(bench.path("locked.png")).is_ok() {
        eprintln!("skipped: this user (root) may read every file");
        return;
    }
    unreadable(&bench, "locked.png");
    unreadable(&bench, "closed");
    fs::set_permissions(bench.path("closed"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn an_output_file_is_kept_unless_forced() {
    let bench = Bench::new();
    bench.write("ages.csv", b"precious");
    let args = ["hand.png", "--sex", "f", "--format", "csv", "--out", "ages.csv"];
    let kept = bench.predict(&args);
    assert_eq!(kept.code, 2);
    assert!(kept.stderr.contains("ages.csv exists already; hint: --force"), "{}", kept.stderr);
    assert_eq!(fs::read(bench.path("ages.csv")).unwrap(), b"precious");
    let forced = bench.predict(&[&args[..], &["--force"]].concat());
    assert_eq!((forced.code, forced.stdout.as_str()), (0, ""), "{}", forced.stderr);
    let written = fs::read_to_string(bench.path("ages.csv")).unwrap();
    assert_eq!(written.lines().nth(1), Some("hand.png,female,122.4,,,true,,tiny"));
}

#[test]
fn an_output_file_that_cannot_be_made() {
    let ran = Bench::new().predict(&["hand.png", "--sex", "f", "--out", "absent/ages.csv"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    let told = ran.stderr.contains("absent/ages.csv") && ran.stderr.contains("hint:");
    assert!(told, "{}", ran.stderr);
}

#[test]
fn an_overlay_is_kept_unless_forced() {
    let bench = Bench::new();
    let args = ["hand.png", "--sex", "f", "--overlay", "out"];
    assert_eq!(bench.predict(&args).code, 0);
    let picture = fs::read(bench.path("out/hand.overlay.png")).unwrap();
    let again = bench.predict(&args);
    assert_eq!((again.code, again.stdout.as_str()), (2, ""));
    assert!(again.stderr.contains("hand.overlay.png exists already"), "{}", again.stderr);
    assert_eq!(bench.predict(&[&args[..], &["--force"]].concat()).code, 0);
    assert_eq!(
        fs::read(bench.path("out/hand.overlay.png")).unwrap(),
        picture,
        "the same film, the same picture"
    );
}

#[test]
fn an_unknown_model() {
    let ran = Bench::new().predict(&["hand.png", "--model", "oracle"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr.contains("model \"oracle\" is neither") && ran.stderr.contains("hint:"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_damaged_model() {
    let bench = Bench::new();
    let mut bytes = fs::read(bench.path("model.safetensors")).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    bench.write("model.safetensors", &bytes);
    let ran = bench.predict(&["hand.png"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("weights have digest") && ran.stderr.contains("hint:"), "{}", ran.stderr);
    bench.write("model.safetensors", &bytes[..bytes.len() / 2]);
    assert_eq!(bench.predict(&["hand.png"]).code, 2);
}

#[test]
fn a_backbone_in_place_of_a_model() {
    let backbone = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/vgg16-imagenet.safetensors");
    let ran = Bench::new().predict(&["hand.png", "--model", backbone]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("not that of a model") && ran.stderr.contains("hint:"), "{}", ran.stderr);
}

#[test]
fn a_wrong_sex_word() {
    let bench = Bench::new();
    let typed = bench.predict(&["hand.png", "--sex", "boy"]);
    assert_eq!((typed.code, typed.stdout.as_str()), (2, ""));
    assert!(
        typed.stderr.contains("sex \"boy\" is not known; hint: write male or female"),
        "{}",
        typed.stderr
    );
    bench.write("sexes.csv", b"file,sex\nhand.png,boy\n");
    let table = bench.predict(&["hand.png", "--sex-csv", "sexes.csv"]);
    assert_eq!((table.code, table.stdout.as_str()), (2, ""));
    assert!(table.stderr.contains("line 2: sex \"boy\""), "{}", table.stderr);
}

#[test]
fn one_bad_file_does_not_stop_the_others_and_the_highest_exit_wins() {
    let bench = Bench::new();
    fs::create_dir(bench.path("films")).unwrap();
    bench.film("films/1.png", 300, 300);
    bench.write("films/2.png", b"broken");
    bench.film("films/3.png", 40, 40);
    bench.film("films/4.png", 320, 320);
    let ran = bench.predict(&["films", "--sex", "m", "--format", "csv"]);
    assert_eq!(ran.code, 2);
    let files: Vec<&str> = ran.stdout.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(files, ["films/1.png", "films/3.png", "films/4.png"]);
    assert!(ran.stderr.contains("films/2.png"), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);

    let refused = bench.predict(&["films/1.png", "films/3.png", "--sex", "m", "--format", "csv"]);
    assert_eq!(refused.code, 1, "a film of 40 pixels is refused: {}", refused.stdout);
    assert!(refused.stdout.contains("films/3.png,male,,,,false,low_resolution"), "{}", refused.stdout);
    let flagged = bench.predict(&["films/4.png", "--format", "csv"]);
    assert_eq!(flagged.code, 0);
    assert!(flagged.stdout.contains("films/4.png,,122.4,,,true,sex_unknown,tiny"), "{}", flagged.stdout);
}
