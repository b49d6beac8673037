//! `boneage segment`: the pictures it leaves, what it keeps, and how it ends.

#[allow(dead_code)] // what only the tests of predict use
mod bench;

use bench::{Bench, Ran, run};
use image::{GrayImage, Luma};
use std::fs;
use std::path::Path;

/// Four fingers, a palm and a wrist that runs out of the frame.
fn hand(x: u32, y: u32) -> bool {
    let finger = (40..160).contains(&y) && (70..170).contains(&x) && x % 28 < 18;
    finger || (y >= 160 && (70..170).contains(&x))
}

/// A bench with the film `left.png`, 240 x 300 pixels.
fn bench() -> Bench {
    let bench = Bench::new();
    let film = GrayImage::from_fn(240, 300, |x, y| Luma([if hand(x, y) { 180 } else { 20 }]));
    film.save(bench.path("left.png")).expect("an image file");
    bench
}

fn segment(bench: &Bench, args: &[&str]) -> Ran {
    run(bench.dir.path(), &[&["segment"][..], args].concat())
}

fn picture(bench: &Bench, name: &str) -> GrayImage {
    image::open(bench.path(name)).expect(name).into_luma8()
}

#[test]
fn help() {
    insta::assert_snapshot!(run(Path::new("."), &["segment", "--help"]).stdout);
}

#[test]
fn mask_hand_and_stages_are_written() {
    let bench = bench();
    let ran = segment(&bench, &["left.png", "--out", "out", "--stages"]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "left.png: hand found\n", ""));
    let (film, mask) = (picture(&bench, "left.png"), picture(&bench, "out/left.mask.png"));
    assert_eq!(mask.dimensions(), film.dimensions());
    assert!(mask.pixels().all(|p| p.0 == [0] || p.0 == [255]));
    let wrong = mask.enumerate_pixels().filter(|(x, y, p)| (p.0 == [255]) != hand(*x, *y)).count();
    assert!(wrong * 50 < 240 * 300, "{wrong} pixels of the mask are wrong");
    let extracted = picture(&bench, "out/left.hand.png");
    for (x, y, pixel) in extracted.enumerate_pixels() {
        let inside = mask.get_pixel(x, y).0 == [255];
        assert_eq!(pixel, if inside { film.get_pixel(x, y) } else { &Luma([0]) });
    }
    let sheet = picture(&bench, "out/left.stages.png");
    assert!(sheet.width() > 900 && sheet.height() > 600);
}

#[test]
fn stages_are_drawn_on_request_alone() {
    let bench = bench();
    assert_eq!(segment(&bench, &["left.png", "--out", "out"]).code, 0);
    let mut names: Vec<_> =
        fs::read_dir(bench.path("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["left.hand.png", "left.mask.png"]);
}

#[test]
fn pictures_are_kept_unless_forced() {
    let bench = bench();
    let args = ["left.png", "--out", "out", "--stages"];
    fs::create_dir(bench.path("out")).unwrap();
    bench.write("out/left.hand.png", b"precious");
    let kept = segment(&bench, &args);
    assert_eq!((kept.code, kept.stdout.as_str()), (2, ""));
    assert!(kept.stderr.contains("left.hand.png exists already; hint: --force"), "{}", kept.stderr);
    assert_eq!(fs::read(bench.path("out/left.hand.png")).unwrap(), b"precious");
    assert!(!bench.path("out/left.mask.png").exists(), "nothing is written before all is checked");
    assert_eq!(segment(&bench, &[&args[..], &["--force"]].concat()).code, 0);
    assert_eq!(picture(&bench, "out/left.hand.png").dimensions(), (240, 300));
}

#[test]
fn without_a_hand_the_mask_is_the_whole_frame_and_the_exit_says_no() {
    let bench = bench();
    GrayImage::from_pixel(200, 160, Luma([90])).save(bench.path("blank.png")).unwrap();
    let ran = segment(&bench, &["blank.png", "left.png", "--out", "out", "--stages"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let blank = "blank.png: nothing stands out from the ground; the whole frame was used";
    assert_eq!(ran.stdout, format!("{blank}\nleft.png: hand found\n"));
    assert!(picture(&bench, "out/blank.mask.png").pixels().all(|p| p.0 == [255]));
    assert_eq!(picture(&bench, "out/blank.hand.png"), picture(&bench, "blank.png"));
}

#[test]
fn an_unreadable_file_is_told_and_the_rest_goes_on() {
    let bench = bench();
    fs::create_dir(bench.path("films")).unwrap();
    bench.write("films/1.png", b"broken");
    fs::rename(bench.path("left.png"), bench.path("films/2.png")).unwrap();
    let ran = segment(&bench, &["films", "absent.png", "--out", "out"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, "films/2.png: hand found\n"));
    assert!(ran.stderr.contains("films/1.png: not an image"), "{}", ran.stderr);
    assert!(ran.stderr.contains("absent.png"), "{}", ran.stderr);
    assert!(bench.path("out/2.mask.png").exists() && !bench.path("out/1.mask.png").exists());
}

#[test]
fn a_negative_is_inverted_and_told() {
    let bench = Bench::new();
    let film = GrayImage::from_fn(240, 300, |x, y| Luma([if hand(x, y) { 60 } else { 230 }]));
    film.save(bench.path("print.png")).unwrap();
    let ran = segment(&bench, &["print.png", "--out", "out"]);
    let told = "print.png: hand found; bones were dark; the image was inverted\n";
    assert_eq!((ran.code, ran.stdout.as_str()), (0, told));
}

#[test]
fn a_measured_report_names_its_command_and_not_the_folder() {
    let bench = bench();
    for folder in ["data/images", "data/annotations"] {
        fs::create_dir_all(bench.path(folder)).unwrap();
    }
    fs::rename(bench.path("left.png"), bench.path("data/images/7.png")).unwrap();
    bench.write("data/boneage-training-dataset.csv", b"id,boneage,male\n7,100,True\n");
    bench.write("letters.csv", b"# one film\nid,letter\n7,none\n");
    let measure = ["--measure", "--data", "data", "--checked", "letters.csv", "--out", "report.md"];
    let without = segment(&bench, &measure);
    assert!(without.code == 2 && without.stderr.contains("hand21keypoints_568.json"), "{}", without.stderr);
    let annotations = r#"{"images": [{"id": "7", "width": 240, "height": 300}], "annotations": [{
        "image_id": "7", "lefthand_valid": true, "lefthand_box": [70, 40, 100, 220],
        "lefthand_kpts": [120, 220, 2]}]}"#;
    bench.write("data/annotations/hand21keypoints_568.json", annotations.as_bytes());
    assert_eq!(segment(&bench, &measure).code, 0);
    let report = fs::read_to_string(bench.path("report.md")).unwrap();
    let command = "`boneage segment --measure --data DIR --checked letters.csv --out report.md`";
    assert!(report.contains(command), "{report}");
    assert!(report.contains("one film") && report.contains("| 100.0 % |"), "{report}");
    assert_eq!(segment(&bench, &measure).code, 2, "the report is kept without --force");
}
