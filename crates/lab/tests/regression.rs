//! The paper's regressions on drawings, from files to a report.

#![allow(clippy::unwrap_used)] // also in the functions that the tests share

use boneage_assess::Predictor;
use boneage_core::stream;
use boneage_lab::{
    Components, Dataset, FinishedRegression, LabError, Part, Regression, RegressionKind, RegressionRecipe,
    read_all, read_predictions, train_regression,
};
use std::path::Path;

/// Drawings of a bar on a grey plate, brighter with age, and ages in whole years.
fn draw_bars(folder: &Path, count: usize) -> Dataset {
    std::fs::create_dir_all(folder.join("images")).unwrap();
    let mut table = String::from("id,boneage,male\n");
    for id in 1377..1377 + count {
        let mut random = stream(6, &["drawing", &id.to_string()]);
        let years = 2 + random.below(8);
        let bright = 70.0 + 18.0 * years as f64;
        let image = image::GrayImage::from_fn(64, 64, |x, y| {
            let inside = (20..44).contains(&x) && y > 10;
            let grey = match (inside, x < 4, x > 59) {
                (true, ..) => bright,
                // Black and white at the edges, so that every film has the same window.
                (_, true, _) => 0.0,
                (_, _, true) => 255.0,
                _ => 40.0,
            };
            image::Luma([(grey + random.uniform(0.0, 6.0)).min(255.0) as u8])
        });
        image.save(folder.join(format!("images/{id}.png"))).unwrap();
        table.push_str(&format!("{id},{},{}\n", 12 * years, if id % 2 == 0 { "True" } else { "False" }));
    }
    std::fs::write(folder.join("boneage-training-dataset.csv"), table).unwrap();
    Dataset::read(folder).unwrap()
}

/// Drawings of 36 fields, each with a spot or a bar: the older, the more spots. Ages in whole years.
fn draw_spots(folder: &Path, count: usize) -> Dataset {
    std::fs::create_dir_all(folder.join("images")).unwrap();
    let mut table = String::from("id,boneage,male\n");
    for id in 1377..1377 + count {
        let mut random = stream(8, &["spots", &id.to_string()]);
        let years = 1 + random.below(8);
        let mut spots: Vec<bool> = (0..36).map(|field| field < 4 * years).collect();
        random.shuffle(&mut spots);
        // Each a little off its field's middle: drawings that are alike would be taken for the same film.
        let off: Vec<[f64; 2]> = spots.iter().map(|_| [0, 1].map(|_| random.uniform(-6.0, 6.0))).collect();
        let image = image::GrayImage::from_fn(150, 150, |x, y| {
            let field = (x / 25 + 6 * (y / 25)) as usize;
            let (u, v) = (f64::from(x % 25) - 12.0 - off[field][0], f64::from(y % 25) - 12.0 - off[field][1]);
            let bright = match spots[field] {
                true => (-(u * u + v * v) / 18.0).exp(),
                false => (-(u * u / 4.0 + v * v / 40.0)).exp(),
            };
            image::Luma([(40.0 + 180.0 * bright + random.uniform(0.0, 4.0)) as u8])
        });
        image.save(folder.join(format!("images/{id}.png"))).unwrap();
        table.push_str(&format!("{id},{},{}\n", 12 * years, if id % 2 == 0 { "True" } else { "False" }));
    }
    std::fs::write(folder.join("boneage-training-dataset.csv"), table).unwrap();
    Dataset::read(folder).unwrap()
}

/// A recipe for 16 pixels with few candidates.
fn recipe(folder: &Path, regression: &str) -> RegressionRecipe {
    let text = format!(
        "name = \"bars\"\n[preprocess]\nsize = 16\n[preprocess.window]\nlow = 0.0\nhigh = 100.0\n\
         [regression]\nfolds = 3\ncandidates = [1, 2, 4, 5000]\n{regression}"
    );
    let path = folder.join("bars.toml");
    std::fs::write(&path, text).unwrap();
    RegressionRecipe::read(&path).unwrap()
}

/// MAE of the holdout, which is far below that of a constant.
fn check_learned(finished: &FinishedRegression) -> f64 {
    let holdout = &finished.holdout;
    let (mae, constant) = (holdout.all.mae.value, holdout.baseline.scores.mae.value);
    assert!(mae < 0.5 * constant, "{mae} beside {constant}");
    mae
}

/// The model in a run's folder reads from the files what its predictions say, without a backbone.
fn check_model(folder: &Path, dataset: &Dataset) {
    let bytes = std::fs::read(folder.join("model.safetensors")).unwrap();
    let predictor = Predictor::new(&bytes, b"no backbone").unwrap();
    assert_eq!(predictor.manifest().trained_sex(), None);
    for part in [Part::Training, Part::Holdout] {
        let written = read_predictions(&folder.join("predictions.csv"), part).unwrap();
        let films: Vec<_> =
            dataset.radiographs.iter().filter(|r| written.iter().any(|w| w.id == r.id)).collect();
        let (read, unreadable) = read_all(&predictor, &films);
        assert!(unreadable.is_empty() && read.len() == written.len());
        for read in read {
            let written = written.iter().find(|w| w.id == read.id).unwrap();
            let (read, written) = (read.predicted.0, written.predicted.0.max(0.0));
            assert!((read - written).abs() < 0.01, "{read} months from the file, {written} from the run");
        }
    }
}

#[test]
fn a_regression_chooses_its_components_and_leaves_what_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = draw_bars(&dir.path().join("data"), 90);
    let (cache, out) = (dir.path().join("cache"), dir.path().join("out"));
    let linear = recipe(dir.path(), "kind = \"linear\"\ncompare_without = true\n");
    let finished = train_regression(&linear, &dataset, &cache, &out).unwrap();
    let mae = check_learned(&finished);

    // The candidate that is beyond the images is left out; the best of the others was taken.
    let tried = &finished.cross_validation;
    assert_eq!(tried.iter().map(|t| t.components).collect::<Vec<_>>(), [1, 2, 4]);
    let best = tried.iter().min_by(|a, b| a.mae.total_cmp(&b.mae)).unwrap();
    assert_eq!(finished.components, Some(best.components));
    let chosen = finished.by_components.iter().find(|row| Some(row.components) == finished.components);
    assert!((chosen.unwrap().holdout - mae).abs() < 1e-3);
    // More numbers than images: the training images are learned by heart.
    assert!(finished.without_components.unwrap().training < 0.1);

    // What was written says the same.
    let csv = out.join("predictions.csv");
    for (part, evaluation) in [(Part::Training, &finished.training), (Part::Holdout, &finished.holdout)] {
        let read = read_predictions(&csv, part).unwrap();
        let mae = read.iter().map(|s| s.error().abs()).sum::<f64>() / read.len() as f64;
        assert_eq!(read.len(), evaluation.all.images);
        assert!((mae - evaluation.all.mae.value).abs() < 1e-3);
    }
    check_model(&out, &dataset);
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("evaluation.json")).unwrap()).unwrap();
    assert_eq!(json["holdout"]["all"]["mae"]["value"].as_f64(), Some(finished.holdout.all.mae.value));
    assert_eq!(json["cross_validation"][0]["components"], 1);
    assert!(std::fs::read_to_string(out.join("report.md")).unwrap().contains("| components |"));

    // The same on one thread, and the folder belongs to its recipe.
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let again = one.install(|| train_regression(&linear, &dataset, &cache, &out)).unwrap();
    assert_eq!(again, finished);
    let other = recipe(dir.path(), "kind = \"linear\"\n");
    assert!(matches!(train_regression(&other, &dataset, &cache, &out), Err(LabError::Run(_))));
}

#[test]
fn a_logistic_regression_answers_months_that_it_has_seen() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = draw_bars(&dir.path().join("data"), 90);
    let logistic = recipe(dir.path(), "kind = \"logistic\"\ncomponents = 2\n");
    let run = |recipe: &RegressionRecipe, out: &str| {
        train_regression(recipe, &dataset, &dir.path().join("cache"), &dir.path().join(out)).unwrap()
    };
    let finished = run(&logistic, "logistic");
    assert!(finished.cross_validation.is_empty() && finished.components == Some(2));
    let read = read_predictions(&dir.path().join("logistic/predictions.csv"), Part::Holdout).unwrap();
    assert!(read.iter().all(|s| s.predicted.0 % 12.0 == 0.0 && (24.0..=108.0).contains(&s.predicted.0)));
    check_model(&dir.path().join("logistic"), &dataset);
    let constant = finished.holdout.baseline.scores.mae.value;
    assert!(finished.holdout.all.mae.value < constant);

    let regression = Regression { components: Components::None, ..logistic.regression };
    assert_eq!(regression.kind, RegressionKind::Logistic);
    let greys = run(&RegressionRecipe { regression, ..logistic }, "greys");
    assert!(greys.components.is_none() && greys.by_components.is_empty());
    check_model(&dir.path().join("greys"), &dataset);
    check_learned(&greys);
}

#[test]
fn too_few_images_for_every_candidate_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = draw_bars(&dir.path().join("data"), 30);
    let mut linear = recipe(dir.path(), "kind = \"linear\"\n");
    linear.regression.candidates = vec![400];
    let message = train_regression(&linear, &dataset, &dir.path().join("cache"), &dir.path().join("out"))
        .unwrap_err()
        .to_string();
    assert!(message.contains("[400]") && message.contains("at most"), "{message}");
}

#[test]
fn a_bag_of_words_tells_what_an_image_is_made_of() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = draw_spots(&dir.path().join("data"), 90);
    let read = |words: usize| {
        let text = format!(
            "name = \"spots\"\nsubset = 40\n[preprocess]\nsize = 299\n[regression]\nkind = \"linear\"\n\
             features = \"surf\"\nwords = {words}\ncomponents = \"none\"\n"
        );
        let path = dir.path().join("spots.toml");
        std::fs::write(&path, text).unwrap();
        RegressionRecipe::read(&path).unwrap()
    };
    let run = |recipe: &RegressionRecipe, out: &str| {
        train_regression(recipe, &dataset, &dir.path().join("cache"), &dir.path().join(out))
    };
    let finished = run(&read(8), "words").unwrap();
    check_learned(&finished);
    assert_eq!((finished.components, finished.training.all.images), (None, 40));
    let report = std::fs::read_to_string(dir.path().join("words/report.md")).unwrap();
    assert!(report.contains("It reads shares of 8 visual words"), "{report}");

    let message = run(&read(1_000_000), "many").unwrap_err().to_string();
    assert!(message.contains("words = 1000000") && message.contains("keypoints"), "{message}");
}
