//! From a folder of drawings to a model that was measured: `dataset check`, `train`, `evaluate`.

#[allow(dead_code)] // what only the tests of predict use
mod bench;

use bench::{Bench, run};
use boneage_core::stream;
use boneage_lab::{Part, part_of};
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

const REGRESSION: &str = r#"
name = "discs"
cohort = "male"
[preprocess]
size = 16
[regression]
kind = "logistic"
components = 2
clip = [1, 120]
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

    let ages = boneage(&["dataset", "ages", "--data", "rsna"]);
    assert!(ages.code == 0 && ages.stdout.contains("\nboth              60 "), "{}", ages.stdout);

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
fn a_regression_becomes_a_model_like_any_other() {
    let bench = Bench::new();
    draw_data(&bench);
    bench.write("recipe.toml", REGRESSION.as_bytes());
    let boneage = |args: &[&str]| run(bench.dir.path(), args);
    let trained =
        boneage(&["train", "recipe.toml", "--data", "rsna", "--cache-dir", "cache", "--out", "run"]);
    assert_eq!(trained.code, 0, "{}", trained.stderr);
    assert!(trained.stderr.contains("model run/model.safetensors"), "{}", trained.stderr);

    let film = "rsna/images/1400.png";
    let predict = |sex: &str| -> serde_json::Value {
        let model = ["--model", "run/model.safetensors", "--overlay", sex, "--format", "json"];
        let read = boneage(&[&["predict", film, "--sex", sex][..], &model].concat());
        assert_eq!(read.code, 0, "{}", read.stderr);
        assert!(fs::metadata(bench.path(&format!("{sex}/1400.overlay.png"))).is_ok());
        serde_json::from_str(&read.stdout).expect("JSON")
    };
    let (boy, girl) = (predict("male"), predict("female"));
    let has_flag = |json: &serde_json::Value| json.to_string().contains("other_sex");
    assert!(has_flag(&girl) && !has_flag(&boy), "{boy} {girl}");
    // What the run says about a film of its own.
    let predictions = fs::read_to_string(bench.path("run/predictions.csv")).expect("the predictions");
    let line = predictions.lines().find(|line| line.starts_with("1400,")).expect("a boy of the run");
    let months = boy[0]["months"].as_f64().expect("months");
    assert!(line.contains(&format!(",{months:.3}")), "{line} {months}");
    assert!((1.0..=120.0).contains(&months));

    let told = boneage(&["models", "run/model.safetensors"]);
    assert!(told.code == 0 && told.stdout.starts_with("discs\n"), "{}{}", told.stdout, told.stderr);
    let evaluated = boneage(&["evaluate", "--model", "run/model.safetensors", "--data", "rsna"]);
    assert_eq!(evaluated.code, 0, "{}", evaluated.stderr);
    let missing = boneage(&["models", "recipe.toml"]);
    assert!(missing.code == 2 && missing.stderr.contains("model recipe.toml"), "{}", missing.stderr);
}

#[test]
fn the_official_layout_is_checked_and_every_finding_named() {
    let bench = Bench::new();
    let images = "rsna/boneage-training-dataset";
    fs::create_dir_all(bench.path(images)).expect("a writable folder");
    let film = |id: u32, bend: f32| {
        let wave = |x: u32, y: u32| ((x as f32 * 0.2).sin() + (y as f32 * bend).cos() + 2.0) * 60.0;
        let film = GrayImage::from_fn(80, 100, |x, y| Luma([wave(x, y) as u8]));
        film.save(bench.path(&format!("{images}/{id}.png"))).expect("an image file");
    };
    for (id, bend) in [(1377, 0.1), (1378, 0.1), (1379, 0.33), (1390, 0.7)] {
        film(id, bend);
    }
    bench.write(&format!("{images}/1380.png"), b"\x89PNG\r\n\x1a\n cut short");
    let table = "id,boneage,male\n1377,180,False\n1378,12,False\n1379,94,True\n1380,120,True\n1381,82,True\n\
                 1382,old,True\n1383,90,perhaps\n1379,95,True\n";
    bench.write("rsna/boneage-training-dataset.csv", table.as_bytes());
    let checked = run(bench.dir.path(), &["dataset", "check", "--data", "rsna"]);
    assert_eq!((checked.code, checked.stderr.lines().last()), (1, Some("5 things to put right")));
    insta::assert_snapshot!(checked.stdout);
    let json = run(bench.dir.path(), &["dataset", "check", "--data", "rsna", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!((json["radiographs"].as_u64(), json["missing"][0].as_str()), (Some(4), Some("1381")));
}

#[test]
fn an_evaluation_tells_whom_it_leaves_out_and_keeps_a_file_that_is_there() {
    let bench = Bench::new();
    fs::create_dir(bench.path("films")).expect("a writable folder");
    bench.film("films/1.png", 300, 300);
    bench.write("ages.csv", b"id,boneage,male\n1,120,True\n2,100,False\n3,x,True\n");
    bench.write("readings.csv", b"precious");
    let own = ["evaluate", "--images", "films", "--labels", "ages.csv", "--model", "model.safetensors"];
    let evaluate = |more: &[&str]| run(bench.dir.path(), &[&own[..], more].concat());

    let told = evaluate(&[]);
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(told.stderr.contains("warning: 1 labelled images are not in the folder: 2\n"), "{}", told.stderr);
    assert!(told.stderr.contains("warning: 1 rows of the table cannot be used: line 4"), "{}", told.stderr);

    let kept = evaluate(&["--predictions", "readings.csv"]);
    assert_eq!((kept.code, kept.stdout.as_str()), (2, ""));
    assert!(kept.stderr.contains("readings.csv exists already; hint: --force"), "{}", kept.stderr);
    assert_eq!(fs::read(bench.path("readings.csv")).expect("the file"), b"precious");
    assert_eq!(evaluate(&["--predictions", "readings.csv", "--force"]).code, 0);
    let readings = fs::read_to_string(bench.path("readings.csv")).expect("the readings");
    let (before, after) = readings.split_once("122.4").expect("the reading");
    assert_eq!(
        (before, &after[2..]),
        ("id,sex,truth,predicted,accepted,lower,upper\n1,male,120,", ",true,,\n")
    );
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

#[test]
fn a_model_is_given_intervals_that_every_output_tells() {
    let bench = Bench::new();
    let boneage = |args: &[&str]| run(bench.dir.path(), args);
    // The calibration part by its ids; read up to 12 months too old or too young.
    let mut readings = String::from("id,sex,truth,predicted,accepted\n");
    let ids = (1..).filter(|id: &u32| part_of(&id.to_string()) == Part::Calibration);
    for (i, id) in ids.take(300).enumerate() {
        let (sex, truth, error) = (if i % 2 == 0 { "male" } else { "female" }, 20 + i % 200, i * 7 % 25);
        readings.push_str(&format!("{id},{sex},{truth},{},true\n", truth + error - 12));
    }
    bench.write("readings.csv", readings.as_bytes());
    let calibrate = ["intervals", "calibrate", "--model", "model.safetensors", "--out", "new.safetensors"];
    let calibrated = boneage(&[&calibrate[..], &["--readings", "readings.csv"]].concat());
    assert_eq!(calibrated.code, 0, "{}", calibrated.stderr);
    let kept = boneage(&[&calibrate[..], &["--readings", "readings.csv"]].concat());
    assert!(kept.code == 2 && kept.stderr.contains("hint: --force"), "{}", kept.stderr);

    let predict = |format| {
        bench.predict(&["hand.png", "--sex", "male", "--model", "new.safetensors", "--format", format])
    };
    let text = predict("text").stdout;
    assert!(text.contains("122.4 months") && text.contains("interval  1"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&predict("json").stdout).expect("JSON");
    let end = |name: &str| json[0]["interval"][name].as_f64().expect("a number");
    assert!((100.0..122.4).contains(&end("lower")) && (122.4..145.0).contains(&end("upper")), "{json}");
    let csv = predict("csv").stdout;
    let cells: Vec<&str> = csv.lines().nth(1).expect("a film").split(',').collect();
    assert!(!cells[3].is_empty() && !cells[4].is_empty(), "{csv}");

    let checked = boneage(&["intervals", "check", "readings.csv", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&checked.stdout).expect("JSON");
    assert_eq!(
        (json["cells"][0]["group"].as_str(), json["cells"][0]["images"].as_u64()),
        (Some("all"), Some(300))
    );

    // One film, whose label its interval holds: 100 % where 90 were promised.
    fs::create_dir(bench.path("films")).expect("a writable folder");
    bench.film("films/1.png", 300, 300);
    bench.write("ages.csv", b"id,boneage,male\n1,120,True\n");
    let evaluate = |model| {
        let own =
            ["evaluate", "--images", "films", "--labels", "ages.csv", "--verify-coverage", "--model", model];
        boneage(&own)
    };
    let broken = evaluate("new.safetensors");
    assert!(broken.code == 1 && broken.stderr.contains("allowed 88 to 92 %"), "{}", broken.stderr);
    assert!(broken.stdout.contains("intervals (90 %)"), "{}", broken.stdout);
    let without = evaluate("model.safetensors");
    assert!(
        without.code == 2 && without.stderr.contains("hint: boneage intervals calibrate"),
        "{}",
        without.stderr
    );

    bench.write("others.csv", b"id,sex,truth,predicted\n1,male,100,100\n");
    let others = boneage(&[&calibrate[..], &["--force", "--readings", "others.csv"]].concat());
    assert!(others.code == 2 && others.stderr.contains("the part calibration alone"), "{}", others.stderr);
}
