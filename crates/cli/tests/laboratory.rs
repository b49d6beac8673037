//! From a folder of drawings to a model that was measured: `dataset check`, `train`, `evaluate`.

#[allow(dead_code)] // what only the tests of predict use
mod bench;

use bench::{Bench, run};
use boneage_core::stream;
use image::{GrayImage, Luma};
use std::fs;

const BACKBONE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/vgg16-imagenet.safetensors");

const RECIPE: &str = r#"
name = "drawings"
[preprocess]
size = 64
[augment]
views = 1
[head]
kind = "attention_1x1"
hidden = 8
sex_units = 2
[training]
epochs = 2
batch = 8
"#;

/// Sixty discs, each elsewhere and of another size.
fn draw_data(bench: &Bench) {
    fs::create_dir_all(bench.path("rsna/images")).expect("a writable folder");
    let mut table = String::from("id,boneage,male\n");
    for id in 1377..1437 {
        let mut random = stream(1, &["drawing", &id.to_string()]);
        let (cx, cy, radius) =
            (random.uniform(20.0, 80.0), random.uniform(20.0, 80.0), random.uniform(8.0, 30.0));
        let image = GrayImage::from_fn(100, 100, |x, y| {
            let inside = (f64::from(x) - cx).hypot(f64::from(y) - cy) < radius;
            Luma([if inside { 220 } else { 30 } + random.below(20) as u8])
        });
        image.save(bench.path(&format!("rsna/images/{id}.png"))).expect("an image file");
        table.push_str(&format!("{id},{:.0},{}\n", radius * 6.0, if id % 2 == 0 { "True" } else { "False" }));
    }
    bench.write("rsna/boneage-training-dataset.csv", table.as_bytes());
}

#[test]
fn drawings_become_a_model_that_is_measured() {
    let bench = Bench::new();
    draw_data(&bench);
    bench.write("recipe.toml", RECIPE.as_bytes());
    let boneage = |args: &[&str]| run(bench.dir.path(), args);

    let checked = boneage(&["dataset", "check", "--data", "rsna"]);
    assert_eq!(checked.code, 0, "{}", checked.stderr);
    assert!(checked.stdout.starts_with("60 radiographs: 30 male, 30 female\n"), "{}", checked.stdout);

    let train = ["train", "recipe.toml", "--data", "rsna", "--backbone", BACKBONE, "--cache-dir", "cache"];
    let filled = boneage(&[&train[..], &["--cache-only"]].concat());
    assert_eq!(filled.code, 0, "{}", filled.stderr);
    let trained = boneage(&[&train[..], &["--out", "run"]].concat());
    assert_eq!(trained.code, 0, "{}", trained.stderr);
    assert!(trained.stderr.contains("epoch 2/2"), "{}", trained.stderr);
    // Once more: nothing is left to train, and the same is said.
    let again = boneage(&[&train[..], &["--out", "run"]].concat());
    assert_eq!((again.code, &again.stdout), (0, &trained.stdout), "{}", again.stderr);

    let evaluate = ["evaluate", "--model", "run/model.safetensors", "--format", "json"];
    let measured = boneage(&[&evaluate[..], &["--data", "rsna", "--predictions", "readings.csv"]].concat());
    assert_eq!(measured.code, 0, "{}", measured.stderr);
    let json: serde_json::Value = serde_json::from_str(&measured.stdout).expect("JSON");
    let images = json["evaluation"]["all"]["images"].as_u64().expect("a count");
    assert!((1..30).contains(&images));
    let readings = fs::read_to_string(bench.path("readings.csv")).expect("the readings");
    assert_eq!(readings.lines().count() as u64, images + 1);

    // One's own folder and table, two ids of it, one of them damaged.
    bench.write("rsna/images/1380.png", b"not an image");
    bench.write("ids.txt", b"id\n1379\n1380\n");
    let own =
        ["--images", "rsna/images", "--labels", "rsna/boneage-training-dataset.csv", "--ids", "ids.txt"];
    let measured = boneage(&[&evaluate[..], &own].concat());
    assert_eq!(measured.code, 2);
    assert!(measured.stderr.contains("1380.png"), "{}", measured.stderr);
    let json: serde_json::Value = serde_json::from_str(&measured.stdout).expect("JSON");
    assert_eq!(
        (json["unreadable"].as_u64(), json["evaluation"]["all"]["images"].as_u64()),
        (Some(1), Some(1))
    );

    let checked = boneage(&["dataset", "check", "--data", "rsna"]);
    assert_eq!(checked.code, 1);
    assert!(checked.stdout.contains("images that cannot be read: 1"), "{}", checked.stdout);
}

#[test]
fn wrong_words_are_named_with_a_hint() {
    let bench = Bench::new();
    let boneage = |args: &[&str]| run(bench.dir.path(), args);
    bench.write("recipe.toml", RECIPE.replace("hidden", "hiden").as_bytes());
    let train = ["train", "recipe.toml", "--data", ".", "--out", "run", "--backbone", BACKBONE];
    let refused = boneage(&train);
    assert!(refused.code == 2 && refused.stderr.contains("hiden"), "{}", refused.stderr);

    bench.write("recipe.toml", RECIPE.as_bytes());
    let refused = boneage(&train);
    assert!(refused.code == 2 && refused.stderr.contains("hint: --data is the folder"), "{}", refused.stderr);

    let refused = boneage(&["evaluate", "--images", "."]);
    assert!(refused.code == 2 && refused.stderr.contains("--labels"), "{}", refused.stderr);
}
